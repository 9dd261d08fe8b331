//! The configuration under which the component takes what the benchmarks send.
//!
//! It is the demonstration's with three differences. People on Slack are not asked whether they mean it
//! (`confirm = false`), and every requester there may remove accounts from staging. The brake of twenty an hour is off. And
//! there are more instances and access keys: the ledger counts the last hour's removals of an instance and of an actor,
//! and thousands a second on one instance would measure nothing but that. `growth` measures it on purpose.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use local::{repository, simulator};
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;

/// How many access keys ask by turns.
const ACCESS_KEYS: usize = 64;

/// offboard.toml, policy.cedar and schema.cedarschema.
pub struct Files {
    /// offboard.toml
    pub offboard: String,
    /// policy.cedar
    pub policy: String,
    /// schema.cedarschema
    pub schema: String,
}

impl Files {
    /// Reads the demonstration's own.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn demo() -> anyhow::Result<Self> {
        let folder = repository::root().join("config");
        let read =
            |name: &str| std::fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
        Ok(Self {
            offboard: read("offboard.toml")?,
            policy: read("policy.cedar")?,
            schema: read("schema.cedarschema")?,
        })
    }

    /// Returns files with this many instances that requests go to, and this many policies in all.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or has no longer the lines that are replaced.
    pub fn sized(instances: usize, policies: usize) -> anyhow::Result<Self> {
        let demo = Self::demo()?;
        Ok(Self {
            offboard: offboard(&demo.offboard, instances)?,
            policy: policy(&demo.policy, policies)?,
            schema: demo.schema,
        })
    }

    /// Writes the files into this folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("offboard.toml"), &self.offboard)?;
        std::fs::write(folder.join("policy.cedar"), &self.policy)?;
        std::fs::write(folder.join("schema.cedarschema"), &self.schema)?;
        Ok(())
    }

    /// Parses offboard.toml.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::parse(&self.offboard, &callers::shapes())?)
    }
}

fn offboard(demo: &str, instances: usize) -> anyhow::Result<String> {
    let slack = "kind = \"slack\"";
    ensure!(demo.contains(slack), "config/offboard.toml has no caller of kind slack");
    let mut text = demo.replace(slack, &format!("confirm = false\n{slack}"));
    let start = text.find("access_keys = [").context("config/offboard.toml has no access keys")?;
    let end = text.get(start..).and_then(|rest| rest.find('\n')).context("access_keys ends nowhere")?;
    let keys: Vec<_> = (0..ACCESS_KEYS)
        .map(|key| format!("{{ id = \"{}\", secret = \"portal_secret_key\" }}", access_key(key)))
        .collect();
    text.replace_range(start..start + end, &format!("access_keys = [{}]", keys.join(", ")));
    for instance in 0..instances {
        write!(
            text,
            "\n[[instance]]\nname = \"{}\"\nproject_id = \"{}\"\ninstance_id = \"{:032x}in17\"\n\
             region = \"ap-southeast-3\"\nenvironment = \"staging\"\n",
            instance_name(instance),
            simulator::demo::PROJECT_ID,
            instance + 1
        )?;
    }
    Ok(text)
}

/// The demonstration's policies and as many more as make `policies`, each about another team and other accounts.
fn policy(demo: &str, policies: usize) -> anyhow::Result<String> {
    let brake = "context.removals_last_hour >= 20";
    ensure!(demo.contains(brake), "config/policy.cedar has no brake");
    let mut text = demo.replace(brake, "context.removals_last_hour >= 1000000000");
    text.push_str(
        "\n@id(\"bench\")\npermit (principal, action == Action::\"delete\", resource in Environment::\"staging\")\n\
         when { [\"slack\", \"portal\"].contains(principal.caller) };\n",
    );
    let there = text.matches("@id(").count();
    for number in there..policies {
        write!(
            text,
            "\n@id(\"more-{number}\")\npermit (principal in Team::\"team-{number}\", action == Action::\"delete\", \
             resource in Environment::\"staging\")\nwhen {{ context.hour >= {} && resource.user_name like \"t{number}_*\" }};\n",
            number % 24
        )?;
    }
    Ok(text)
}

/// Returns one of the access key ids of the portal, by turns.
pub fn access_key(number: usize) -> String {
    // The demonstration's own is among them.
    format!("HPUAPORTALKEY{:07}", number % ACCESS_KEYS + 1)
}

/// Returns the name of an instance that requests go to.
pub fn instance_name(number: usize) -> String {
    format!("bench-{number:05}")
}

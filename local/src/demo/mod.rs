//! The callers of config/offboard.toml, played by this machine: made-up secrets, and for each caller kind what its
//! platform would send, signed as the platform signs.
//!
//! [`show`] is what `cargo run` does, [`send`] is `cargo run -- send`. The signers ([`slack_headers`],
//! [`webhook_headers`], [`api_headers`]) are pure, take any secret and any time, and are written without the
//! component's own verifiers (except for SDK-HMAC-SHA256, which has one implementation for both sides and is held to
//! the official SDK's output by `tests/fixtures/signing`), so tests use them too.
//!
//! Adding a caller kind: one file beside this one, one line in [`CALLERS`].

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::Sha256;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::crypto::sdk_hmac::ENCODED;

use crate::component;
use crate::manifest::Manifest;
use crate::simulator::{self, Simulator};

mod answer;
mod api;
mod page;
pub mod send;
pub mod show;
mod slack;
mod standard_webhooks;

pub use api::headers as api_headers;
pub use slack::headers as slack_headers;
pub use standard_webhooks::headers as webhook_headers;

/// Every caller of config/offboard.toml.
pub const CALLERS: &[DemoCaller] = &[slack::CALLER, standard_webhooks::CALLER, api::CALLER];

/// What spin.toml's variables are in a demonstration. The secrets are made up and open nothing.
pub const VARIABLES: &[(&str, &str)] = &[
    ("huaweicloud_access_key", simulator::demo::ACCESS_KEY),
    ("huaweicloud_secret_key", simulator::demo::SECRET_KEY),
    (slack::CALLER.variable, slack::CALLER.secret),
    (standard_webhooks::CALLER.variable, standard_webhooks::CALLER.secret),
    (api::CALLER.variable, api::CALLER.secret),
];

/// More of them, for as far as spin.toml declares them: a user of the simulated IAM, whose password can be used instead
/// of the access key.
const IAM_VARIABLES: [(&str, &str); 3] = [
    ("huaweicloud_user", simulator::demo::IAM_USER),
    ("huaweicloud_password", simulator::demo::IAM_PASSWORD),
    ("huaweicloud_domain", simulator::demo::IAM_DOMAIN),
];

/// The demo values of all variables that the manifest declares.
#[must_use]
pub fn variables(manifest: &Manifest) -> BTreeMap<String, String> {
    let declared = IAM_VARIABLES.iter().filter(|(name, _)| manifest.variables.contains_key(*name));
    VARIABLES.iter().chain(declared).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The variables by which the component finds the simulated cloud, of those that the manifest declares.
#[must_use]
pub fn endpoints(manifest: &Manifest, simulator: &Simulator) -> BTreeMap<String, String> {
    let declared =
        ["taurusdb_endpoint", "iam_endpoint"].into_iter().filter(|name| manifest.variables.contains_key(*name));
    declared.map(|name| (name.to_owned(), simulator.endpoint())).collect()
}

/// A caller of config/offboard.toml, and how to be it.
pub struct DemoCaller {
    /// Its name in offboard.toml.
    pub name: &'static str,
    /// Its kind there.
    pub kind: &'static str,
    /// Who asks behind it: the id that its platform would prove. `None` where the caller speaks for itself.
    pub id: Option<&'static str>,
    /// The Spin variable that holds its secret.
    pub variable: &'static str,
    /// The secret in a demonstration.
    pub secret: &'static str,
    /// How a request of it proves who asks, for people.
    pub proof: &'static str,
    /// What [`Asked::text`] has to be, for people.
    pub grammar: &'static str,
    request: fn(&Asked<'_>) -> anyhow::Result<Request<Bytes>>,
}

/// What a caller is to ask, and everything that its request depends on.
pub struct Asked<'a> {
    /// In the words of the caller's [`grammar`](DemoCaller::grammar).
    pub text: &'a str,
    /// The name of the instance, for callers whose words do not hold it.
    pub instance: &'a str,
    /// Where the instance's ids are.
    pub config: &'a Config,
    /// Who asks, for callers that have people or keys behind them.
    pub id: &'a str,
    /// What the request is signed with.
    pub secret: &'a str,
    /// The `Host` that the request is sent to.
    pub host: &'a str,
    /// The time of signing.
    pub now: DateTime<Utc>,
    /// Makes the request another one than the last, where the platform does that.
    pub nonce: u64,
}

impl DemoCaller {
    /// The principal that policy sees when `id` asks.
    #[must_use]
    pub fn principal(&self, id: &str) -> String {
        match self.id {
            Some(_) => format!("{}/{id}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// The demo caller called `name`.
///
/// # Errors
///
/// When there is none; the message names those that there are.
pub fn caller(name: &str) -> anyhow::Result<&'static DemoCaller> {
    CALLERS.iter().find(|caller| caller.name == name).with_context(|| {
        let names: Vec<_> = CALLERS.iter().map(|caller| format!("`{}`", caller.name)).collect();
        format!("caller `{name}` is not one of the demonstration's; they are {}", names.join(", "))
    })
}

/// The signed request of `caller`, `Host` included; its URI is a path.
///
/// # Errors
///
/// When the text does not follow the caller's grammar, or cannot be signed with this secret.
pub fn request(caller: &DemoCaller, asked: &Asked<'_>) -> anyhow::Result<Request<Bytes>> {
    (caller.request)(asked)
}

/// config/offboard.toml of this repository.
///
/// # Errors
///
/// When it cannot be read, or is wrong.
pub fn config() -> anyhow::Result<Config> {
    let path: PathBuf = component::root().join("config/offboard.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Config::parse(&text, &callers::shapes())?)
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// The standard library's seed for hash maps comes from the system: random enough for an id, and no crate more.
fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The HMAC-SHA256 of the parts, one after the other.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::SimulatorOptions;

    #[test]
    fn the_demo_callers_are_those_of_the_demo_configuration() {
        let config = config().unwrap();
        assert_eq!(config.callers().count(), CALLERS.len());
        for demo in CALLERS {
            let configured = config.caller(demo.name).unwrap();
            assert_eq!(configured.kind, demo.kind);
            assert!(
                configured.keys.iter().any(|key| key.variables.iter().any(|(_, name)| name == demo.variable)),
                "{}",
                demo.variable
            );
            let principal = demo.principal(demo.id.unwrap_or_default());
            assert_eq!(config.teams(&principal), ["dba"], "{principal}");
        }
    }

    #[test]
    fn the_demo_instances_are_the_simulated_ones() {
        let config = config().unwrap();
        let ids =
            config.instances().iter().map(|instance| (instance.project_id.as_str(), instance.instance_id.as_str()));
        let simulated = [simulator::demo::INSTANCE_ID, simulator::demo::PRODUCTION_INSTANCE_ID];
        assert_eq!(ids.collect::<Vec<_>>(), simulated.map(|id| (simulator::demo::PROJECT_ID, id)));
    }

    #[test]
    fn the_demo_values_are_of_variables_that_there_are() {
        let manifest = Manifest::read(&component::root().join("spin.toml")).unwrap();
        for (name, value) in VARIABLES {
            assert!(manifest.variables.contains_key(*name), "{name}");
            assert!(!value.is_empty(), "{name}");
        }
    }

    #[tokio::test]
    async fn what_the_manifest_does_not_declare_is_not_set() {
        let simulator = Simulator::start(SimulatorOptions::demo()).await.unwrap();
        let mut manifest = Manifest::read(&component::root().join("spin.toml")).unwrap();
        for name in ["huaweicloud_user", "iam_endpoint"] {
            manifest.variables.remove(name);
            assert!(!variables(&manifest).contains_key(name) && !endpoints(&manifest, &simulator).contains_key(name));
            let declared = manifest.variables["taurusdb_endpoint"].clone();
            manifest.variables.insert(name.to_owned(), declared);
        }
        assert_eq!(variables(&manifest)["huaweicloud_user"], simulator::demo::IAM_USER);
        assert_eq!(endpoints(&manifest, &simulator)["iam_endpoint"], simulator.endpoint());
        assert_eq!(endpoints(&manifest, &simulator)["taurusdb_endpoint"], simulator.endpoint());
    }

    #[test]
    fn an_unknown_caller_is_told_who_there_is() {
        let message = caller("teams").err().unwrap().to_string();
        assert_eq!(message, "caller `teams` is not one of the demonstration's; they are `slack`, `hr`, `portal`");
    }
}

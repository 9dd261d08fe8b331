//! How a gateway of a test is configured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use local::repository;
use local::simulator::chat_platform::ChatPlatform;
use local::simulator::demo;
use local::simulator::options::{AccessKey, SimulatorOptions};
use local::simulator::server::Simulator;
use local::simulator::wire::Answer as Upstream;
use serde::Deserialize;
use support::planned::{Planned, SIMULATOR};

use crate::harness::requests::{Kind, PORTAL_SECRET, SLACK_SECRET, WEBHOOK_SECRET, Who};

/// 2026-06-01T10:00:00Z, in milliseconds: what the clocks say at first.
pub(crate) const START: i64 = 1_780_308_000_000;

/// How a gateway differs from the demonstration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Setup {
    pub(crate) variables: BTreeMap<String, String>,
    /// Changes to the files of `config/`.
    pub(crate) replace: Vec<Replace>,
    /// What TaurusDB answers, instead of what it would.
    pub(crate) upstream: Vec<Planned>,
    /// What the simulated cloud does wrong, in the words of `serve --fault`.
    pub(crate) faults: Vec<String>,
    /// Makes the simulated TaurusDB's access key a temporary one, with this token.
    pub(crate) security_token: Option<String>,
    /// People in a chat are asked whether they mean it, as the demonstration's are. Most tests are about what comes then.
    pub(crate) confirm: bool,
    /// The clocks are this machine's: for clients that cannot be told the time.
    pub(crate) real_time: bool,
    /// Origins, and the local servers that stand in for them.
    #[serde(skip)]
    pub(crate) stand_ins: BTreeMap<String, String>,
    /// Instead of the demonstration's configuration and variables of its callers.
    #[serde(skip)]
    pub(crate) kind: Option<Arc<support::kind::Setup>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replace {
    pub(crate) file: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Setup {
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn replace(mut self, file: &str, from: &str, to: &str) -> Self {
        self.replace.push(Replace { file: file.into(), from: from.into(), to: to.into() });
        self
    }
}

impl Setup {
    /// With these lines in `[limits]`.
    pub(crate) fn limits(self, lines: &str) -> Self {
        self.replace("offboard.toml", "[taurusdb]", &format!("[limits]\n{lines}\n\n[taurusdb]"))
    }

    /// With these credentials for TaurusDB: what stands for `"aksk"`, and maybe lines below it.
    pub(crate) fn credentials(self, lines: &str) -> Self {
        self.replace("offboard.toml", "credentials = \"aksk\"", &format!("credentials = {lines}"))
    }

    /// With a cloud that does this wrong.
    pub(crate) fn fault(mut self, rule: &str) -> Self {
        self.faults.push(rule.into());
        self
    }
}

impl Setup {
    /// With an id for each `ask::Who` at every caller.
    pub(crate) fn people(self) -> Self {
        let hooks = ["it", "crm"].map(|name| {
            format!(
                "[[caller]]\nname = \"{name}\"\nkind = \"standard-webhooks\"\nsecrets = [\"hr_webhook_secret\"]\n\n"
            )
        });
        let keys =
            [2, 3].map(|key| format!(", {{ id = \"HPUAPORTALKEY000000{key}\", secret = \"portal_secret_key\" }}"));
        let colleague = Kind::ALL.map(|kind| format!("\"{}\", ", Who::Colleague.principal(kind))).concat();
        self.replace("offboard.toml", "members = [", &format!("members = [{colleague}"))
            .replace("offboard.toml", "[accounts]", &format!("{}[accounts]", hooks.concat()))
            .replace(
                "offboard.toml",
                "secret = \"portal_secret_key\" }",
                &format!("secret = \"portal_secret_key\" }}{}", keys.concat()),
            )
    }
}

impl Setup {
    /// The simulated TaurusDB, with its faults and its next answers.
    pub(crate) async fn simulator(&self) -> Simulator {
        let mut simulated = SimulatorOptions {
            clock: if self.real_time { Arc::new(SystemTime::now) } else { Arc::new(start_of_time) },
            ..SimulatorOptions::demo()
        };
        if let Some(token) = &self.security_token {
            simulated.access_keys = vec![AccessKey {
                id: demo::ACCESS_KEY.into(),
                secret: demo::SECRET_KEY.into(),
                security_token: Some(token.clone()),
            }];
        }
        let simulator = Simulator::start(simulated).await.unwrap();
        for fault in &self.faults {
            simulator.fault(fault.parse().unwrap());
        }
        for planned in &self.upstream {
            planned.line_up(&simulator);
        }
        simulator
    }

    /// Spin variables and their values.
    pub(crate) fn variables(&self, simulator: &Simulator) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from(
            [
                ("huaweicloud_access_key", demo::ACCESS_KEY),
                ("huaweicloud_secret_key", demo::SECRET_KEY),
                ("slack_signing_secret", SLACK_SECRET),
                ("hr_webhook_secret", WEBHOOK_SECRET),
                ("portal_secret_key", PORTAL_SECRET),
                ("taurusdb_endpoint", SIMULATOR),
                ("huaweicloud_user", demo::IAM_USER),
                ("huaweicloud_password", demo::IAM_PASSWORD),
                ("huaweicloud_domain", demo::IAM_DOMAIN),
                ("iam_endpoint", SIMULATOR),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        variables.extend(self.variables.clone());
        for value in variables.values_mut() {
            *value = value.replace(SIMULATOR, &simulator.endpoint());
        }
        variables
    }

    /// Writes offboard.toml and the policies.
    pub(crate) fn write_config(&self, config: &Path, simulator: &Simulator) {
        for name in ["offboard.toml", "policy.cedar", "schema.cedarschema"] {
            let own = self.kind.as_ref().filter(|_| name == "offboard.toml").map(|kind| kind.offboard.clone());
            let mut text = own.unwrap_or_else(|| demo_file(name)).replace(SIMULATOR, &simulator.endpoint());
            for Replace { from, to, .. } in self.replace.iter().filter(|change| change.file == name) {
                assert!(text.contains(from), "config/{name} has no {from:?} to replace");
                text = text.replacen(from, &to.replace(SIMULATOR, &simulator.endpoint()), 1);
            }
            let is_slow = self.kind.as_ref().is_some_and(|kind| kind.slow);
            if name == "offboard.toml" && !is_slow && !text.contains("\n[limits]") {
                // A machine that is busy with other tests is no slow TaurusDB. At the end, where it moves no line.
                text += "\n[limits]\nearly_answer_ms = 30000\n";
            }
            if name == "offboard.toml" && !self.confirm {
                text = text.replacen("kind = \"slack\" ", "confirm = false\nkind = \"slack\" ", 1);
            }
            fs::write(config.join(name), text).unwrap();
        }
    }
}

/// Puts the variables, files and origins of a caller of this kind in place of those of the demonstration's callers.
pub(crate) fn play_kind(
    kind: &support::kind::Setup,
    config: &Path,
    variables: &mut BTreeMap<String, String>,
    later: &ChatPlatform,
    stand_ins: &mut BTreeMap<String, String>,
) {
    variables.retain(|name, _| ["huaweicloud", "taurusdb", "iam"].iter().any(|of| name.starts_with(of)));
    variables.extend(kind.variables.clone());
    for (name, text) in &kind.files {
        fs::write(config.join(name), text).unwrap();
    }
    for body in &kind.later_answers {
        later.on_next(Upstream::http(StatusCode::OK, "application/json", body.clone()));
    }
    for (url, body) in &kind.published {
        let url: http::Uri = url.parse().unwrap();
        stand_ins.insert(format!("https://{}", url.authority().unwrap()), later.stand_in().1);
        later.publish(url.path(), body);
    }
    stand_ins.extend(kind.later.iter().map(|origin| (origin.clone(), later.stand_in().1)));
}

/// [`START`], for the simulated TaurusDB. Its clock stands still; it takes signatures of 15 minutes before and after.
pub(crate) fn start_of_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(START.unsigned_abs())
}

/// The demo configuration, as it is in the repository.
pub(crate) fn demo_file(name: &str) -> String {
    fs::read_to_string(repository::root().join("config").join(name)).unwrap()
}

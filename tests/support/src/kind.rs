//! A caller kind's folder below `tests/fixtures/callers`: `caller.toml`, and the gateway that is set up with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::repository;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use starrocks_offboard::callers;

use crate::case::{Case, Simulated};

/// 2026-06-01T10:00:00Z, a Monday.
pub const NOW: i64 = 1_780_308_000;

/// How long a slow DELETE takes.
pub const SLOWLY: Duration = Duration::from_millis(900);

/// A folder's `caller.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The source of the platform's requests.
    pub about: String,
    /// The name of the folder.
    #[serde(skip)]
    pub name: String,
    /// The principal that the base request proves; a member of the team that may remove on staging.
    pub principal: String,
    /// The `[[caller]]`.
    pub caller: String,
    /// More sections of offboard.toml, such as `[caller.leavers]`.
    #[serde(default)]
    pub config: String,
    /// Files beside offboard.toml, by name, from this folder.
    #[serde(default)]
    pub files: Vec<String>,
    /// Spin variables and their values.
    pub variables: BTreeMap<String, String>,
    /// The values of these variables for `other_secret`, where they differ from its parts.
    #[serde(default)]
    pub other_variables: BTreeMap<String, String>,
    /// Spin variables that hold no secret.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The platform's secret, by its parts.
    pub secret: Value,
    /// The secret of another platform.
    pub other_secret: Value,
    /// What is said to remove alice from analytics: the base request.
    pub say: Value,
    /// What the proof is made of.
    pub proof: Proof,
    /// The origin that takes messages after the answer.
    pub later: Option<String>,
    /// Another such origin of the same platform.
    pub later_too: Option<String>,
    /// What these origins answer, in order; an empty JSON object once the list is used up.
    #[serde(default)]
    pub later_answers: Vec<String>,
    /// Public keys that other origins answer a GET with, by URL.
    #[serde(default)]
    pub published: BTreeMap<String, String>,
}

/// What the proof is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The headers that the proof needs, once each.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The header that holds the signature, which tests alter.
    pub signature: Option<String>,
    /// For how many seconds before and after its time the proof is valid.
    pub window_s: Option<i64>,
    /// Whether the proof covers the body.
    pub body_is_signed: bool,
    /// A body in which a key appears twice, for kinds that encrypt: one cannot be made out of the base request.
    pub doubled: Option<String>,
}

/// What a stage is started with.
#[derive(Debug)]
pub struct Setup {
    /// The text of offboard.toml.
    pub offboard: String,
    /// TaurusDB takes [`SLOWLY`] for a DELETE, and the platform is told to wait after a third of it.
    pub slow: bool,
    /// Files beside offboard.toml: name and text.
    pub files: Vec<(String, String)>,
    /// Spin variables and their values.
    pub variables: BTreeMap<String, String>,
    /// The origins that take messages after the answer.
    pub later: Vec<String>,
    /// What these origins answer, in order.
    pub later_answers: Vec<String>,
    /// What other origins answer to a GET, by URL.
    pub published: BTreeMap<String, String>,
    /// Texts of policy.cedar that are replaced.
    pub replace_policy: Vec<(String, String)>,
    /// How the simulated TaurusDB differs.
    pub simulator: Simulated,
    /// The spin.toml that is followed, instead of this repository's.
    pub spin_toml: Option<PathBuf>,
}

impl Setup {
    /// Changes the setup to a TaurusDB that takes [`SLOWLY`], if `slow`.
    pub fn slowly(mut self, slow: bool) -> Self {
        self.slow = slow;
        if slow {
            let limits = format!("[limits]\nearly_answer_ms = {}\n\n[approvals]", SLOWLY.as_millis() / 3);
            self.offboard = self.offboard.replacen("[approvals]", &limits, 1);
        }
        self
    }
}

/// The variable that names the kinds of interest, with commas between them.
pub const KIND: &str = "KIND";

impl Kind {
    /// Reads the kinds of interest: all, unless [`KIND`] names some.
    pub fn of_interest() -> Vec<Self> {
        let named = std::env::var(KIND).unwrap_or_default();
        let is_named = |kind: &Self| named.is_empty() || named.split(',').any(|name| name == kind.name);
        Self::all().into_iter().filter(is_named).collect()
    }

    /// Reads every kind that has a folder.
    pub fn all() -> Vec<Self> {
        let mut kinds: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        kinds.sort();
        kinds
            .iter()
            .filter(|path| path.join("caller.toml").exists())
            .map(|path| {
                let mut kind: Self = read(&path.join("caller.toml"));
                kind.name = path.file_name().unwrap().to_string_lossy().into_owned();
                kind
            })
            .collect()
    }

    /// Reads the cases of the folder, by name.
    pub fn cases(&self) -> Vec<(String, Case)> {
        let mut files: Vec<_> = fs::read_dir(folder().join(&self.name)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let is_case = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        let cases = files.into_iter().filter(|path| is_case(path) && !path.ends_with("caller.toml"));
        cases.map(|path| (format!("{}/{}", self.name, path.file_name().unwrap().display()), read(&path))).collect()
    }

    /// The demonstration's configuration with this caller in place of its own.
    pub fn setup(&self, confirm: bool, replace: &[(String, String)]) -> Setup {
        let demo = fs::read_to_string(repository::root().join("config/offboard.toml")).unwrap();
        // The demo has callers of its own, of which one may have this name.
        let (before, rest) = demo.split_once("[[caller]]").unwrap();
        let (_, accounts) = rest.split_once("[accounts]").unwrap();
        let mut caller = self.caller.clone();
        if !confirm && self.asks_back() {
            caller = caller.replacen("kind = ", "confirm = false\nkind = ", 1);
        }
        let mut offboard = format!("{before}{caller}\n{}\n[accounts]{accounts}", self.config);
        offboard = offboard.replacen("members = [", &format!("members = [\"{}\", ", self.principal), 1);
        for (from, to) in replace {
            assert!(offboard.contains(from), "{from:?} is not in\n{offboard}");
            offboard = offboard.replacen(from, to, 1);
        }
        let file = |name: &String| (name.clone(), fs::read_to_string(folder().join(&self.name).join(name)).unwrap());
        Setup {
            offboard,
            slow: false,
            files: self.files.iter().map(file).collect(),
            variables: self.variables.clone().into_iter().chain(self.settings.clone()).collect(),
            later: self.later.iter().chain(&self.later_too).cloned().collect(),
            later_answers: self.later_answers.clone(),
            published: self.published.clone(),
            replace_policy: Vec::new(),
            simulator: Simulated::default(),
            spin_toml: None,
        }
    }

    /// The setup that a case of this kind asks for.
    pub fn setup_of(&self, case: &Case) -> Setup {
        let mut setup = self.setup(case.confirm, &case.replace).slowly(case.slow);
        setup.variables.extend(case.variables.clone());
        setup.replace_policy.clone_from(&case.replace_policy);
        setup.simulator = case.simulator.clone().unwrap_or_default();
        setup
    }

    /// Whether a caller of this kind asks people whether they mean it, and can be told not to.
    fn asks_back(&self) -> bool {
        let shapes = callers::shapes();
        let shape = shapes.iter().find(|shape| shape.name == self.kind()).unwrap_or_else(|| panic!("{}", self.name));
        shape.is_chat && shape.proves_body
    }

    /// The kind's name in offboard.toml.
    pub fn kind(&self) -> String {
        let line = self.caller.lines().find(|line| line.trim_start().starts_with("kind")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    /// The order to the platform for the base request.
    pub fn ask(&self, host: &str, nonce: &str) -> Value {
        json!({
            "now": NOW,
            "caller": self.caller_name(),
            "host": host,
            "secret": self.secret,
            "nonce": nonce,
            "say": self.say,
        })
    }

    /// The caller's name in offboard.toml.
    pub fn caller_name(&self) -> String {
        let line = self.caller.lines().find(|line| line.trim_start().starts_with("name")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }
}

pub(crate) fn folder() -> PathBuf {
    repository::root().join("tests/fixtures/callers")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

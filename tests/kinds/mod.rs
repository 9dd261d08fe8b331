//! What every caller kind has to do, as data: `tests/fixtures/callers/{kind}`.
//!
//! - `caller.toml` ([`Kind`]): how a caller of the kind is configured, whom its base request proves, and what the proof is made of
//! - `platform.py` plays the platform, by the platform's documentation and in another language, so that the component is not
//!   judged by its own code; [`Platforms`] is where it runs
//! - every other `.toml` is a case ([`Case`]): what is said, one step after the other, and all that comes of it
//!
//! The cases run twice: natively in memory (`tests/story/kinds.rs`), and through the built component
//! (`tests/component/kinds.rs`).

#![allow(dead_code, reason = "each of the two test binaries uses its part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use local::repository;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use starrocks_offboard::callers;

pub(crate) mod adversary;
pub(crate) mod cases;
pub(crate) mod python;
pub(crate) mod refusals;
pub(crate) mod rotation;

/// 2026-06-01T10:00:00Z, a Monday.
pub(crate) const NOW: i64 = 1_780_308_000;

/// How long a slow DELETE takes.
pub(crate) const SLOWLY: Duration = Duration::from_millis(900);

/// `caller.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    /// Where its shape comes from.
    about: String,
    /// The name of the folder.
    #[serde(skip)]
    pub(crate) name: String,
    /// Whom the base request proves; in the team that may remove on staging.
    pub(crate) principal: String,
    /// The `[[caller]]`.
    pub(crate) caller: String,
    /// More of offboard.toml, such as `[leavers]`.
    #[serde(default)]
    pub(crate) config: String,
    /// Files beside offboard.toml, by name: from this folder.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// Spin variables and their values.
    pub(crate) variables: BTreeMap<String, String>,
    /// The values of the same for the other secret, where that is not what the other platform has.
    #[serde(default)]
    pub(crate) other_variables: BTreeMap<String, String>,
    /// Those that hold no secret.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
    /// What the platform has.
    pub(crate) secret: Value,
    /// What another one has.
    pub(crate) other_secret: Value,
    /// What is said to remove alice from analytics.
    pub(crate) say: Value,
    pub(crate) proof: Proof,
    /// The origin that takes answers after the answer.
    pub(crate) later: Option<String>,
    /// Another one of the same platform's.
    pub(crate) later_too: Option<String>,
    /// What it answers, one after the other; an empty JSON object when nothing is said.
    #[serde(default)]
    pub(crate) later_answers: Vec<String>,
    /// What other origins answer to a GET: public keys.
    #[serde(default)]
    pub(crate) published: BTreeMap<String, String>,
}

/// What the proof is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// Headers that have to be there, once each.
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    /// The one whose value is altered.
    pub(crate) signature: Option<String>,
    /// How many seconds it is good for, either way.
    pub(crate) window_s: Option<i64>,
    pub(crate) body_is_signed: bool,
    /// A body in which something stands twice, where one cannot be made out of the base request because it is encrypted.
    pub(crate) doubled: Option<String>,
}

/// A case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Why it is there.
    pub(crate) about: String,
    /// People are asked whether they mean it. A kind whose proof leaves the body out always asks.
    #[serde(default)]
    pub(crate) confirm: bool,
    /// TaurusDB takes longer than the platform waits.
    #[serde(default)]
    pub(crate) slow: bool,
    /// Lines of offboard.toml that are others here.
    #[serde(default)]
    pub(crate) replace: Vec<(String, String)>,
    /// What the platform has, instead of the usual secret.
    pub(crate) secret: Option<Value>,
    /// What is said, one after the other.
    pub(crate) step: Vec<Step>,
}

/// Something that is said, and what comes of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Instead of the base request. `{reference}` stands for what waits since an earlier step, `{created}` for the id of whoever
    /// an earlier step created.
    pub(crate) say: Option<Value>,
    /// The body as it is, to be proved like any other.
    pub(crate) body: Option<String>,
    /// The same request as in the step before, not only the same words.
    #[serde(default)]
    pub(crate) again: bool,
    /// Headers to set after the proof.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) expect: Expected,
}

/// What comes of it. What is left out is not looked at, but for the three that have a value of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    /// `X-Offboard-Code`; empty when there is none.
    pub(crate) code: String,
    pub(crate) content_type: Option<String>,
    /// The whole body, of an encrypted answer what is inside: `{request_id}`, `{row}` and `{reference}` stand for what the
    /// headers say.
    pub(crate) body: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// The newest row of the account that it names.
    pub(crate) row: Option<Row>,
    /// How many rows there are by now.
    pub(crate) rows: Option<usize>,
    /// How many DELETEs this step sent.
    pub(crate) deletes: usize,
    /// What was sent to the platform afterwards.
    pub(crate) posted: Vec<Posted>,
}

/// A row of the ledger, as far as a caller made it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) state: String,
    pub(crate) actor: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) reason: Option<String>,
}

/// What the platform was told afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Posted {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// A request as it goes out.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
    }

    pub(crate) fn request(&self) -> http::Request<Bytes> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(self.body.clone())).unwrap()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Where a caller's requests are sent: in memory, or to the built component.
pub(crate) trait Stage: Sized {
    /// A gateway with the demo's configuration and this caller.
    async fn open(setup: Setup) -> Self;
    /// Its authority.
    fn host(&self) -> String;
    async fn send(&self, wire: &Wire) -> Reply;
    /// Oldest first.
    fn rows(&self) -> Vec<Row>;
    /// How many DELETEs TaurusDB has seen.
    fn deletes(&self) -> usize;
    /// Ends in good order: what was answered early is carried out. What there is to see can be seen afterwards.
    async fn end(&mut self);
    /// What TaurusDB called the requests that it answered.
    fn upstream_ids(&self) -> Vec<String>;
    /// All that the platform was told so far, once it is this much.
    async fn posted(&self, count: usize) -> Vec<Posted>;
    /// Alice has her account on analytics again.
    fn again(&self);
    /// What it logged.
    fn log(&self) -> Vec<String>;
}

/// What a stage is opened with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) offboard: String,
    /// TaurusDB takes [`SLOWLY`] for a DELETE, and the platform is told to wait after a third of it.
    pub(crate) slow: bool,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) later: Vec<String>,
    pub(crate) later_answers: Vec<String>,
    pub(crate) published: BTreeMap<String, String>,
}

impl Setup {
    /// The same, with a TaurusDB that takes its time.
    pub(crate) fn slowly(mut self, slow: bool) -> Self {
        self.slow = slow;
        if slow {
            let limits = format!("[limits]\nearly_answer_ms = {}\n\n[approvals]", SLOWLY.as_millis() / 3);
            self.offboard = self.offboard.replacen("[approvals]", &limits, 1);
        }
        self
    }
}

impl Kind {
    /// Every kind that has a folder.
    pub(crate) fn all() -> Vec<Self> {
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

    /// Its cases, by name.
    pub(crate) fn cases(&self) -> Vec<(String, Case)> {
        let mut files: Vec<_> = fs::read_dir(folder().join(&self.name)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let is_case = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        let cases = files.into_iter().filter(|path| is_case(path) && !path.ends_with("caller.toml"));
        cases.map(|path| (format!("{}/{}", self.name, path.file_name().unwrap().display()), read(&path))).collect()
    }

    /// The demo's configuration with this caller.
    pub(crate) fn setup(&self, confirm: bool, replace: &[(String, String)]) -> Setup {
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
        }
    }

    /// Whether a caller of this kind asks people whether they mean it, and can be told not to.
    fn asks_back(&self) -> bool {
        let shapes = callers::shapes();
        let shape = shapes.iter().find(|shape| shape.name == self.kind()).unwrap_or_else(|| panic!("{}", self.name));
        shape.is_chat && shape.proves_body
    }

    /// The kind's name in offboard.toml.
    pub(crate) fn kind(&self) -> String {
        let line = self.caller.lines().find(|line| line.trim_start().starts_with("kind")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    /// What the platform is asked for.
    pub(crate) fn ask(&self, host: &str, nonce: &str) -> Value {
        json!({
            "now": NOW,
            "caller": self.caller_name(),
            "host": host,
            "secret": self.secret,
            "nonce": nonce,
            "say": self.say,
        })
    }

    pub(crate) fn caller_name(&self) -> String {
        let line = self.caller.lines().find(|line| line.trim_start().starts_with("name")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }
}

fn folder() -> PathBuf {
    repository::root().join("tests/fixtures/callers")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The process that plays the platforms: `tests/python/platforms.py`, a line for a line.
pub(crate) struct Platforms {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Platforms {
    fn ask(line: &Value) -> Value {
        static RUNNING: OnceLock<Mutex<Platforms>> = OnceLock::new();
        let running = RUNNING.get_or_init(|| {
            let script = repository::root().join("tests/python/platforms.py");
            let mut child = Command::new(python::python())
                .args(["-B".as_ref(), script.as_os_str()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let answers = BufReader::new(child.stdout.take().unwrap());
            Mutex::new(Self { child, answers })
        });
        let mut running = running.lock().unwrap();
        let mut answer = String::new();
        writeln!(running.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        running.answers.read_line(&mut answer).unwrap();
        drop(running);
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}\n{line}"));
        assert!(answer.get("error").is_none(), "{answer}\n{line}");
        answer
    }

    /// The request that the platform would send.
    pub(crate) fn request(kind: &str, ask: &Value) -> Wire {
        let answer = Self::ask(&json!({"kind": kind, "ask": ask}));
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{kind}: {error}"))
    }

    /// What the platform reads in an encrypted answer.
    pub(crate) fn open(kind: &str, ask: &Value, reply: &Reply) -> String {
        let headers: Vec<_> =
            reply.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        let answer = Self::ask(&json!({"kind": kind, "ask": ask, "open": {"headers": headers, "body": body}}));
        answer.as_str().unwrap_or_else(|| panic!("{kind}: {answer}")).to_owned()
    }

    /// Whether the kind's answers are encrypted.
    pub(crate) fn encrypts(kind: &str) -> bool {
        let text = fs::read_to_string(folder().join(kind).join("platform.py")).unwrap();
        text.contains("\ndef open_reply(")
    }
}

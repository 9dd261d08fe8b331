//! A platform that messages go to, played in Python by its own documentation: `tests/python/notify_platforms.py`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use http::Request;
use local::http_client as client;
use local::simulator::demo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::python::{python, scripts};
use tokio::time::timeout;

use crate::harness::answer::PATIENCE;
use crate::harness::setup::{START, Setup};

/// A platform, and what a `[[notify]]` table needs for it.
pub(super) struct StandIn {
    kind: String,
    opened: Opened,
}

#[derive(Deserialize)]
struct Opened {
    port: u16,
    origins: Vec<String>,
    keys: BTreeMap<String, Value>,
    variables: BTreeMap<String, String>,
}

/// What a platform has got.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    /// What people see there, in the order in which it appeared.
    pub(super) messages: Vec<Shown>,
    /// Every request, taken or not.
    pub(super) sent: Vec<Sent>,
    /// What was wrong with requests.
    pub(super) problems: Vec<String>,
}

/// A message as people see it.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    pub(super) shows: String,
    /// The place of the message that it answers.
    pub(super) thread: Option<usize>,
    /// How often it was changed.
    pub(super) edits: usize,
}

/// A request as it arrived.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) body: String,
}

/// The process that plays all platforms of all tests.
struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start() -> Mutex<Self> {
        let script = scripts().join("notify_platforms.py");
        let mut command = Command::new(python());
        command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Mutex::new(Self { child, answers })
    }

    fn ask(&mut self, line: &Value) -> Opened {
        let mut answer = String::new();
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl StandIn {
    /// Opens a platform of this kind, which has got nothing yet.
    pub(super) fn open(kind: &str) -> Self {
        static RUNNING: OnceLock<Mutex<Process>> = OnceLock::new();
        let now = START.div_euclid(1000);
        let line = json!({"kind": kind, "now": now, "access_key": demo::ACCESS_KEY, "secret_key": demo::SECRET_KEY});
        let opened = RUNNING.get_or_init(Process::start).lock().unwrap().ask(&line);
        Self { kind: kind.to_owned(), opened }
    }

    /// A gateway whose operator tells the platform of everything about requests that wait.
    pub(super) fn setup(&self, setup: Setup) -> Setup {
        let keys: String = self.opened.keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let table = format!(
            "[[notify]]\nname = \"dba\"\nkind = \"{}\"\nevents = [\"waiting\", \"reminder\", \"decided\"]\n{keys}\n[accounts]",
            self.kind
        );
        let mut setup = setup.replace("offboard.toml", "[accounts]", &table);
        setup.variables.extend(self.opened.variables.clone());
        let address = format!("http://{}", self.address());
        setup.stand_ins.extend(self.opened.origins.iter().map(|origin| (origin.clone(), address.clone())));
        setup
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.opened.port).into()
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
        let answer =
            timeout(PATIENCE, client::send(self.address(), request)).await.expect("an answer in time").unwrap();
        let text = String::from_utf8_lossy(answer.body());
        assert_eq!(answer.status(), 200, "{} {path}: {text}", self.kind);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} {path}: {error}: {text}", self.kind))
    }

    /// Sets the platform's clock, in seconds.
    pub(super) async fn set_now(&self, seconds: i64) {
        self.ask::<()>("/now", &json!(seconds)).await;
    }

    /// Says what is done with the next requests.
    pub(super) async fn next(&self, acts: &[&str]) {
        self.ask::<()>("/next", &json!(acts)).await;
    }

    /// Waits until so many requests have arrived.
    pub(super) async fn arrived(&self, count: usize) {
        assert_eq!(self.ask::<usize>(&format!("/arrived?count={count}"), &Value::Null).await, count, "{}", self.kind);
    }

    /// Ends what is held.
    pub(super) async fn release(&self) {
        self.ask::<()>("/release", &Value::Null).await;
    }

    /// What the platform has got.
    pub(super) async fn all(&self) -> Seen {
        self.ask("/seen", &Value::Null).await
    }

    /// The same; all of it was as the platform documents.
    pub(super) async fn seen(&self) -> Seen {
        let seen = self.all().await;
        assert_eq!(seen.problems, [""; 0], "{}", self.kind);
        seen
    }
}

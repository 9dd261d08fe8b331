//! The platforms, played in Python by their own documentation: `tests/fixtures/callers/<kind>/platform.py`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use local::repository;
use serde_json::{Value, json};

use crate::kind::folder;
use crate::python;
use crate::stage::{Reply, Wire};

/// The process that plays the platforms: `tests/python/platforms.py`, which answers a line for each line.
pub struct Platforms {
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

    /// Returns the request that the platform would send.
    pub fn request(kind: &str, ask: &Value) -> Wire {
        let answer = Self::ask(&json!({"kind": kind, "ask": ask}));
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{kind}: {error}"))
    }

    /// Decrypts an answer as the platform would.
    pub fn open(kind: &str, ask: &Value, reply: &Reply) -> String {
        let headers: Vec<_> =
            reply.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        let answer = Self::ask(&json!({"kind": kind, "ask": ask, "open": {"headers": headers, "body": body}}));
        answer.as_str().unwrap_or_else(|| panic!("{kind}: {answer}")).to_owned()
    }

    /// Whether the kind's answers are encrypted.
    pub fn encrypts(kind: &str) -> bool {
        let text = fs::read_to_string(folder().join(kind).join("platform.py")).unwrap();
        text.contains("\ndef open_reply(")
    }
}

//! The dice, and the Python process that has the vendors' libraries; a table of the differences that are meant.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::python;

/// How many cases go to Python in one line.
pub(crate) const BATCH: usize = 500;

/// Splitmix64: what is random here is to be the same on every machine for ever.
pub(crate) struct Dice(u64);

impl Dice {
    /// Of this run, for one purpose: tests run in any order.
    pub(crate) fn of(purpose: &str) -> Self {
        static SEED: OnceLock<u64> = OnceLock::new();
        let seed = *SEED.get_or_init(|| match std::env::var("DIFFERENTIAL_SEED") {
            Ok(text) => text.parse().expect("DIFFERENTIAL_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        });
        eprintln!("{purpose}: DIFFERENTIAL_SEED={seed}");
        Self(purpose.bytes().fold(seed, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }

    /// Up to so many of these pieces.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(pieces)).collect()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll().to_le_bytes()[0]).collect()
    }
}

pub(crate) fn percent() -> usize {
    std::env::var("DIFFERENTIAL_CASES").map_or(100, |text| text.parse().expect("DIFFERENTIAL_CASES is a number"))
}

pub(crate) fn cases(usual: usize) -> usize {
    usual * percent() / 100
}

/// `tests/python/differential.py`, one process for all tests: a line for a line.
pub(crate) struct Python {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Python {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(python::python())
            .arg("-B")
            .arg(python::scripts().join("differential.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// What it says of each case.
    pub(crate) fn ask(what: &str, cases: &[Value]) -> Vec<Value> {
        static RUNNING: OnceLock<Mutex<Python>> = OnceLock::new();
        let mut answers = Vec::new();
        for batch in cases.chunks(BATCH) {
            let mut running = RUNNING.get_or_init(|| Mutex::new(Self::start())).lock().unwrap();
            let mut line = String::new();
            writeln!(running.child.stdin.as_mut().unwrap(), "{}", json!({"do": what, "cases": batch})).unwrap();
            running.answers.read_line(&mut line).unwrap();
            drop(running);
            match serde_json::from_str(&line) {
                Ok(Value::Array(told)) if told.len() == batch.len() => answers.extend(told),
                other => panic!("{what}: {other:?}"),
            }
        }
        answers
    }
}

/// A difference that is meant: the change that brings it about, what we say, and why.
pub(crate) type Meant<E> = (&'static str, Result<(), E>, &'static str);

/// The table of differences, and which of its rows were needed.
pub(crate) struct Comparison<'m, E: 'static> {
    meant: &'m [Meant<E>],
    used: Vec<&'static str>,
}

impl<'m, E: PartialEq + std::fmt::Debug> Comparison<'m, E> {
    pub(crate) fn with(meant: &'m [Meant<E>]) -> Self {
        Self { meant, used: Vec::new() }
    }

    /// Compares two verdicts about what this change made; a difference needs a row of the table.
    pub(crate) fn compare(&mut self, change: &'static str, ours: &Result<(), E>, theirs: &Value, case: &Value) {
        let refused = theirs.get("refused");
        if ours.is_ok() == refused.is_none() {
            return;
        }
        let row = self.meant.iter().find(|(name, verdict, _)| *name == change && verdict == ours);
        assert!(row.is_some(), "{change}: we say {ours:?}, they say {refused:?}\n{case}");
        self.used.push(change);
    }

    /// Asserts that every row of the table was needed, if there were enough cases to tell.
    pub(crate) fn assert_all_used(&self) {
        if percent() < 100 {
            return;
        }
        for (name, _, why) in self.meant {
            assert!(self.used.contains(name), "no case of `{name}` differs, although: {why}");
        }
    }
}

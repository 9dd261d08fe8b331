//! The only port: what the core needs from its runtime. `shell` implements it on Spin; tests implement it in memory.
//!
//! Everything that is not a pure function of its arguments goes through [`Host`]. Policy, HTTP routes and SQL statements are not
//! known here.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::secret::Secret;

/// A parameter of a statement, or a value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// SQL `INTEGER`.
    Integer(i64),
    /// SQL `TEXT`.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement that a runtime may run for several items at once.
#[derive(Debug)]
pub struct Batched {
    /// For one item, whose values are the parameters. Returns a row at most.
    pub one: &'static str,
    /// For several: `?1` is a JSON array with an array of values for each.
    pub many: &'static str,
    /// Which of an item's values each of its rows begins with. No two items of a batch have the same.
    pub key: usize,
}

impl Batched {
    /// The parameter of [`Batched::many`].
    pub fn parameter(items: &[&[Value]]) -> Value {
        let json = |value: &Value| match value {
            Value::Null => Json::Null,
            Value::Integer(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
        };
        let items = items.iter().map(|item| item.iter().map(json).collect::<Json>());
        Value::Text(items.collect::<Json>().to_string())
    }

    /// The rows of one item, of what [`Batched::many`] returned for several.
    ///
    /// # Errors
    ///
    /// If the statement failed.
    pub fn rows_of(
        &self,
        item: &[Value],
        all: &Result<Vec<Vec<Value>>, StoreError>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let all = all.as_ref().map_err(Clone::clone)?;
        let key = item.get(self.key);
        Ok(all.iter().filter(|row| row.first() == key).cloned().collect())
    }

    /// Takes at most `largest` items of a line, in their order, of which no two have the same key.
    pub fn batch<W>(&self, line: &mut Vec<W>, largest: usize, item: impl Fn(&W) -> &[Value]) -> Vec<W> {
        let (mut batch, mut rest) = (Vec::<W>::new(), Vec::new());
        for waiting in line.drain(..) {
            let is_new = |other: &W| item(other).get(self.key) != item(&waiting).get(self.key);
            if batch.len() < largest && batch.iter().all(is_new) { batch.push(waiting) } else { rest.push(waiting) }
        }
        *line = rest;
        batch
    }
}

/// Which database the ledger is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// SQLite, in a file that outlives the instance.
    Sqlite,
    /// SQLite, and the operator allows it to be in memory, where it ends with the instance.
    Trial,
    /// PostgreSQL.
    Postgres,
}

/// Why a statement failed. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// It had no effect, or its answer is not as expected.
    Failed(String),
    /// It may have had its effect, or may have it later: the connection broke before the database had confirmed it.
    Unknown(String),
    /// The database is in memory and ends with the instance, which the operator did not allow.
    InMemory,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => f.write_str(why),
            Self::Unknown(why) => write!(f, "not known whether it was done: {why}"),
            Self::InMemory => f.write_str(
                "the database is in memory and would forget each removal; give Spin a folder for its state, or set the variable `ledger` to a PostgreSQL server",
            ),
        }
    }
}

/// The time limits of one call, and the size limit of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection is established.
    pub connect: Duration,
    /// Until the first byte of the answer; Spin counts connecting in.
    pub first_byte: Duration,
    /// The whole call, to the last byte of the answer.
    pub call: Duration,
    /// The largest answer body that is read, in bytes.
    pub answer: usize,
}

/// Why a request has no answer. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// No byte of the request was sent: name lookup, connection or TLS failed.
    NotSent(String),
    /// No byte was sent, and none will be: the runtime does not allow the host, or the request is malformed.
    NotAllowed(String),
    /// No byte was sent: the connection timed out.
    ConnectTimedOut(String),
    /// The request may have been sent, and no answer began in time.
    FirstByteTimedOut(String),
    /// The request may have been sent, and its answer was not complete in time.
    CallTimedOut(String),
    /// The request may have been sent, and the connection broke.
    Broken(String),
}

/// An answer; the body is `None` if it is larger than [`Limits::answer`] or incomplete.
pub type Answered = http::Response<Option<Bytes>>;

/// What the log lines of a request say beside their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogLabels {
    /// The gateway's version.
    pub gateway: &'static str,
    /// The digest of the policies in force; `None` if they cannot be used.
    pub policy_set: Option<String>,
    /// The trace that the request belongs to.
    pub trace_id: Option<String>,
}

impl LogLabels {
    /// Returns the line of a text: a line that belongs to a trace says so at its end.
    pub fn of_text(&self, text: &str) -> String {
        self.trace_id.as_ref().map_or_else(|| text.to_owned(), |id| format!("{text} (trace {id})"))
    }

    /// Adds the labels to an event that it does not have itself: a row has the gateway and the policies that it was written with.
    pub fn add_to(&self, event: &mut Map<String, Json>) {
        let labels = [
            ("gateway", Some(self.gateway)),
            ("policy_set", self.policy_set.as_deref()),
            ("trace_id", self.trace_id.as_deref()),
        ];
        for (name, label) in labels {
            if let Some(label) = label.filter(|_| !event.contains_key(name)) {
                event.insert(name.to_owned(), label.into());
            }
        }
    }
}

/// What the core needs from its runtime.
///
/// A component has one thread, so the futures need not be `Send`.
#[expect(async_fn_in_trait, reason = "a component has one thread, so the futures need not be Send")]
pub trait Host {
    /// Returns the time.
    fn now(&self) -> DateTime<Utc>;

    /// Returns the time since a moment before the first call, by a monotonic clock.
    fn elapsed(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// Returns 128 unpredictable random bits.
    fn random(&self) -> u128;

    /// Returns the value of a Spin variable; `None` if it is empty or not declared.
    async fn variable(&self, name: &str) -> Option<Secret>;

    /// Reads a file beside offboard.toml; `None` if it cannot be read.
    async fn file(&self, name: &str) -> Option<String>;

    /// Returns which database the ledger is in.
    ///
    /// # Errors
    ///
    /// If the operator's setting cannot be read.
    async fn database(&self) -> Result<DatabaseKind, StoreError>;

    /// Runs one SQL statement on the ledger's database; tries again for some seconds while another writer locks it.
    ///
    /// # Errors
    ///
    /// If the statement failed, or it is not known whether it was done.
    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Runs a statement for one item; the runtime may run it together with those of other requests.
    ///
    /// # Errors
    ///
    /// If the statement failed; its effect is then unknown.
    async fn query_batched(
        &self,
        statement: &'static Batched,
        item: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.query(statement.one, item).await
    }

    /// Sends a request to its URL and reads the whole answer, within the limits. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// If no answer came: a [`SendError`] that tells whether the request may have been sent.
    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError>;

    /// Returns the labels of the request's log lines: a host serves one request.
    fn labels(&self) -> &RefCell<LogLabels>;

    /// Writes one line to the log, as it is.
    fn write_line(&self, line: &str);

    /// Writes a text to the log.
    fn log(&self, text: &str) {
        let line = self.labels().borrow().of_text(text);
        self.write_line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: Batched = Batched { one: "", many: "", key: 1 };

    fn item(number: i64, key: &str) -> Vec<Value> {
        vec![number.into(), key.into()]
    }

    #[test]
    fn a_batch_has_each_key_once_and_keeps_the_order() {
        let mut line = vec![item(1, "a"), item(2, "b"), item(3, "a"), item(4, "c"), item(5, "d")];
        let numbers = |items: &[Vec<Value>]| items.iter().map(|item| item[0].clone()).collect::<Vec<_>>();
        let batch = STATEMENT.batch(&mut line, 3, |item| item);
        assert_eq!(numbers(&batch), [1.into(), 2.into(), 4.into()]);
        let batch = STATEMENT.batch(&mut line, 3, |item| item);
        assert_eq!(numbers(&batch), [3.into(), 5.into()]);
        assert!(line.is_empty() && STATEMENT.batch(&mut line, 3, |item| item).is_empty());
    }

    #[test]
    fn each_item_gets_its_own_rows() {
        let rows = Ok(vec![vec!["b".into(), 7.into()], vec!["a".into(), Value::Null]]);
        assert_eq!(STATEMENT.rows_of(&item(1, "a"), &rows), Ok(vec![vec!["a".into(), Value::Null]]));
        assert_eq!(STATEMENT.rows_of(&item(1, "c"), &rows), Ok(vec![]));
        let failed = Err(StoreError::Failed("full".into()));
        assert_eq!(STATEMENT.rows_of(&item(1, "a"), &failed), failed);
    }

    #[test]
    fn what_a_line_of_the_log_says_beside_its_own() {
        let labels = |trace_id: Option<&str>, policy_set: Option<&str>| LogLabels {
            gateway: "0.1.0",
            policy_set: policy_set.map(str::to_owned),
            trace_id: trace_id.map(str::to_owned),
        };
        assert_eq!(labels(None, Some("12")).of_text("ledger: gone"), "ledger: gone");
        assert_eq!(labels(Some("ab"), None).of_text("ledger: gone"), "ledger: gone (trace ab)");
        for (labels, event, expected) in [
            (labels(None, None), r#"{"a":1}"#, r#"{"a":1,"gateway":"0.1.0"}"#),
            (
                labels(Some("ab"), Some("12")),
                r#"{"a":1}"#,
                r#"{"a":1,"gateway":"0.1.0","policy_set":"12","trace_id":"ab"}"#,
            ),
            // A row's own.
            (
                labels(Some("ab"), Some("12")),
                r#"{"gateway":"0","policy_set":null}"#,
                r#"{"gateway":"0","policy_set":null,"trace_id":"ab"}"#,
            ),
        ] {
            let mut event: Map<String, Json> = serde_json::from_str(event).unwrap();
            labels.add_to(&mut event);
            assert_eq!(Json::Object(event), serde_json::from_str::<Json>(expected).unwrap());
        }
    }

    #[test]
    fn the_items_of_a_batch_are_json() {
        let items = [&item(1, "a\"b\u{1}é")[..], &[Value::Null, i64::MAX.into()]];
        assert_eq!(Batched::parameter(&items), r#"[[1,"a\"b\u0001é"],[null,9223372036854775807]]"#.into());
    }
}

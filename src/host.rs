//! The only port: what the core needs from whatever runs it. `shell` implements it on Spin; tests implement it in memory.
//!
//! Everything that is not a pure function of its arguments goes through here, and nothing else does.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::config::Secret;

/// A value in a statement's parameters or in a row.
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

/// Why a statement did not run, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

/// Why a request has no answer. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// Not a byte of the request left: name lookup, connection or TLS failed, or the host is not allowed.
    NotSent(String),
    /// It may have left, and no answer came in time.
    TimedOut(String),
    /// It may have left, and the connection broke.
    Broken(String),
}

/// An answer; the body is `None` when it was over [`ANSWER_LIMIT`] or broke off.
pub type Answered = http::Response<Option<Bytes>>;

/// The largest answer body that is read, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// What the core needs from its runtime.
///
/// The futures are polled on the one thread that a component has, so they need not be `Send`.
#[expect(async_fn_in_trait, reason = "a component has one thread; nobody needs the futures to be Send")]
pub trait Host {
    /// The time.
    fn now(&self) -> DateTime<Utc>;

    /// 128 random bits, not to be guessed.
    fn random(&self) -> u128;

    /// The value of a Spin variable; `None` when it is empty or not declared.
    async fn variable(&self, name: &str) -> Option<Secret>;

    /// Runs one SQL statement against the ledger's database.
    ///
    /// # Errors
    ///
    /// The statement's effect is then not known.
    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Sends a request to the URL that it names and reads the answer whole. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// Which of the three kinds of failure it was.
    async fn send(&self, request: http::Request<Bytes>) -> Result<Answered, SendError>;

    /// Writes one line to the operator's log.
    fn log(&self, line: &str);
}

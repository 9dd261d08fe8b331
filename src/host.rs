//! The only port: what the core needs from its runtime. `shell` implements it on Spin; tests implement it in memory.
//!
//! Everything that is not a pure function of its arguments goes through [`Host`]. Policy, HTTP routes and SQL statements are not
//! known here.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

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

/// Why a statement failed, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

/// The time limits of one call, and the size limit of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection is established.
    pub connect: Duration,
    /// From the connection to the first byte of the answer.
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

    /// Runs one SQL statement on the ledger's database; tries again for some seconds while another writer locks it.
    ///
    /// # Errors
    ///
    /// If the statement failed; its effect is then unknown.
    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Sends a request to its URL and reads the whole answer, within the limits. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// If no answer came: a [`SendError`] that tells whether the request may have been sent.
    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError>;

    /// Writes one line to the log.
    fn log(&self, line: &str);
}

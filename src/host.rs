//! The only port: what the core needs from whatever runs it. `shell` implements it on Spin; tests implement it in memory.
//!
//! Everything that is not a pure function of its arguments goes through here, and nothing else does.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::secret::Secret;

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

/// How long one call may take, and how much of its answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From there until the first byte of the answer.
    pub first_byte: Duration,
    /// The whole call, to the last byte of the answer.
    pub call: Duration,
    /// The largest answer body that is read, in bytes.
    pub answer: usize,
}

/// Why a request has no answer. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// Not a byte of the request left: name lookup, connection or TLS failed.
    NotSent(String),
    /// Not a byte left, and none will: the runtime does not allow the host, or it is not a request.
    NotAllowed(String),
    /// Not a byte left: the connection did not stand in time.
    ConnectTimedOut(String),
    /// It may have left, and no answer began in time.
    FirstByteTimedOut(String),
    /// It may have left, and its answer was not there whole in time.
    CallTimedOut(String),
    /// It may have left, and the connection broke.
    Broken(String),
}

/// An answer; the body is `None` when it was over [`Limits::answer`] or broke off.
pub type Answered = http::Response<Option<Bytes>>;

/// What the core needs from its runtime.
///
/// The futures are polled on the one thread that a component has, so they need not be `Send`.
#[expect(async_fn_in_trait, reason = "a component has one thread; nobody needs the futures to be Send")]
pub trait Host {
    /// The time.
    fn now(&self) -> DateTime<Utc>;

    /// The time since some moment before the first call, by a clock that only runs forward.
    fn elapsed(&self) -> Duration;

    /// Lets this much time pass.
    async fn sleep(&self, duration: Duration);

    /// 128 random bits, not to be guessed.
    fn random(&self) -> u128;

    /// The value of a Spin variable; `None` when it is empty or not declared.
    async fn variable(&self, name: &str) -> Option<Secret>;

    /// A file beside offboard.toml; `None` when it cannot be read.
    fn file(&self, name: &str) -> Option<String>;

    /// Runs one SQL statement against the ledger's database; while another writer has it, again and again for some seconds.
    ///
    /// # Errors
    ///
    /// The statement's effect is then not known.
    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Sends a request to the URL that it names and reads the answer whole, within the limits. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// Whether a byte may have left, and why no answer came.
    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError>;

    /// Writes one line to the operator's log.
    fn log(&self, line: &str);
}

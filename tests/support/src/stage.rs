//! Where the requests of a caller kind are sent: in memory, or to the built component.

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;

use crate::case::Delete;
use crate::kind::Setup;

/// A gateway that a suite starts for a case.
#[expect(async_fn_in_trait, reason = "each suite runs its own stage, and asks nothing of the futures")]
pub trait Stage: Sized {
    /// Whether TaurusDB is the simulated one, with faults and planned answers.
    const HAS_SIMULATOR: bool;
    /// Starts a gateway with this setup.
    async fn open(setup: Setup) -> Self;
    /// The gateway's authority.
    fn host(&self) -> String;
    /// Sends the request and returns the answer.
    async fn send(&self, wire: &Wire) -> Reply;
    /// The rows of the ledger, oldest first.
    fn rows(&self) -> Vec<Row>;
    /// How many DELETEs TaurusDB has seen.
    fn deletes(&self) -> usize;
    /// The last DELETE that TaurusDB has seen.
    fn last_delete(&self) -> Option<Delete>;
    /// Whether alice has her account on analytics.
    fn has_alice(&self) -> bool;
    /// Asserts that the only answer so far, its row and its log line say the same.
    fn assert_consistent(&self, reply: &Reply);
    /// Stops the gateway in good order: what was acknowledged is carried out first. What it did can be read afterwards.
    async fn end(&mut self);
    /// The request ids of TaurusDB's answers.
    fn upstream_ids(&self) -> Vec<String>;
    /// All that was sent to the platform so far; waits until it is `count` messages.
    async fn posted(&self, count: usize) -> Vec<Posted>;
    /// Creates alice's account on analytics again.
    fn again(&self);
    /// The lines of the gateway's log.
    fn log(&self) -> Vec<String>;
}

/// A row of the ledger, as far as the caller's request decides it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The column `state`.
    pub state: String,
    /// The column `actor`.
    pub actor: Option<String>,
    /// The column `instance`.
    pub instance: Option<String>,
    /// The column `user_name`.
    pub user_name: Option<String>,
    /// The column `reason`.
    pub reason: Option<String>,
    /// The column `caller`. Not compared if a case leaves it out.
    pub caller: Option<String>,
    /// The column `policies`. Not compared if a case leaves it out.
    pub policies: Option<String>,
}

/// A message to the platform after the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posted {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header `Authorization`.
    #[serde(default)]
    pub authorization: Option<String>,
    /// The body, as text.
    pub body: String,
}

/// A request as it goes on the wire.
#[derive(Debug, Clone, Deserialize)]
pub struct Wire {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values, in order; a name may appear twice.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Wire {
    /// The first value of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Replaces every value of the header by this one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
    }

    /// The request, for an HTTP client.
    pub fn request(&self) -> http::Request<Bytes> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(self.body.clone())).unwrap()
    }
}

/// The gateway's answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Every header.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The value of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

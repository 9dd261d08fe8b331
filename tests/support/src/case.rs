//! A case of a caller kind: what is said, one step after the other, and all that comes of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::stage::{Posted, Row};

/// A case: a file of a kind's folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Why the case is there.
    pub about: String,
    /// Requesters are asked to confirm. A kind whose proof does not cover the body always asks.
    #[serde(default)]
    pub confirm: bool,
    /// TaurusDB takes longer than the platform waits.
    #[serde(default)]
    pub slow: bool,
    /// Lines of offboard.toml that differ here: each first text is replaced by the second.
    #[serde(default)]
    pub replace: Vec<(String, String)>,
    /// The platform's secret, in place of the one of caller.toml.
    pub secret: Option<Value>,
    /// The requests, in order.
    pub step: Vec<Step>,
}

/// A request, and what comes of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is said, in place of `[say]` of caller.toml. `{reference}` stands for the reference of the request that waits since an
    /// earlier step, `{created}` for the id of the SCIM user that an earlier step created.
    pub say: Option<Value>,
    /// The body as it is, proved like any other.
    pub body: Option<String>,
    /// Sends the request of the step before once more, byte for byte.
    #[serde(default)]
    pub again: bool,
    /// Headers to set after the proof.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What comes of it.
    pub expect: Expected,
}

/// What comes of a step. What is left out is not compared, except `status`, `code`, `deletes` and `posted`, which have default
/// values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// The HTTP status.
    pub status: u16,
    /// `X-Offboard-Code`; empty if the answer has none.
    pub code: String,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The whole body; of an encrypted answer the plain text. `{request_id}`, `{row}` and `{reference}` stand for what the answer's
    /// headers say.
    pub body: Option<String>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// The newest row of the account that it names.
    pub row: Option<Row>,
    /// How many rows the ledger has by now.
    pub rows: Option<usize>,
    /// How many DELETEs this step sent.
    pub deletes: usize,
    /// The messages to the platform after the answer.
    pub posted: Vec<Posted>,
}

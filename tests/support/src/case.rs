//! A case of a caller kind: what is said, one step after the other, and all that comes of it.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::planned::Planned;
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
    /// The same for policy.cedar.
    #[serde(default)]
    pub replace_policy: Vec<(String, String)>,
    /// Spin variables beside those of caller.toml.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What the case needs of the simulated TaurusDB; such a case runs through the component only.
    pub simulator: Option<Simulated>,
    /// The platform's secret, in place of the one of caller.toml.
    pub secret: Option<Value>,
    /// The requests, in order.
    pub step: Vec<Step>,
}

/// How the simulated TaurusDB differs from the usual one. An empty table says that the case needs it as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    /// What it does wrong, in the words of `serve --fault`.
    pub faults: Vec<String>,
    /// Its next answers, in order.
    pub answers: Vec<Planned>,
    /// The security token that its access key needs.
    pub security_token: Option<String>,
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
    /// What the answer says to a person: its `text`, or its `error_msg`. `{request_id}` as in `body`.
    pub message: Option<String>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// Whether `X-Request-Id` is TaurusDB's, and not the gateway's own.
    pub upstream_request_id: Option<bool>,
    /// Whether answer, row and log line agree, and the answer has no header beside those named here. Looked at through the
    /// component, in the first step of a case.
    pub consistent: bool,
    /// The newest row of the account that it names.
    pub row: Option<Row>,
    /// How many rows the ledger has by now.
    pub rows: Option<usize>,
    /// How many DELETEs this step sent.
    pub deletes: usize,
    /// The last of these.
    pub delete: Option<Delete>,
    /// Whether alice's account on analytics is removed by now.
    pub gone: Option<bool>,
    /// The messages to the platform after the answer.
    pub posted: Vec<Posted>,
}

/// A DELETE as TaurusDB received it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delete {
    /// Path and query.
    pub target: Option<String>,
    /// The header `X-Language`.
    pub language: Option<String>,
    /// What it proves itself with: `aksk`, `temporary aksk` or `token`.
    pub credentials: Option<String>,
}

impl Delete {
    /// Describes the request in full.
    pub fn of(target: &str, headers: &HeaderMap) -> Self {
        let language = headers.get("x-language").map(|value| value.to_str().unwrap().to_owned());
        Self { target: Some(target.to_owned()), language, credentials: Some(credentials(headers).to_owned()) }
    }

    /// Leaves out what `expected` leaves out.
    pub(crate) fn limited_to(self, expected: &Self) -> Self {
        Self {
            target: self.target.filter(|_| expected.target.is_some()),
            language: self.language.filter(|_| expected.language.is_some()),
            credentials: self.credentials.filter(|_| expected.credentials.is_some()),
        }
    }
}

/// What a request to TaurusDB proves itself with.
pub fn credentials(headers: &HeaderMap) -> &'static str {
    match ["authorization", "x-security-token", "x-auth-token"].map(|name| headers.contains_key(name)) {
        [true, false, false] => "aksk",
        [true, true, false] => "temporary aksk",
        [false, false, true] => "token",
        _ => "something odd",
    }
}

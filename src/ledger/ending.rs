//! What every ended row says.

use chrono::{DateTime, Utc};

use crate::host::Value;
use crate::outcome::Outcome;
use crate::outcome::language::Language;

/// An outcome, as a row is to have it.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// The language of the message.
    pub language: Language,
    /// When.
    pub at: DateTime<Utc>,
    /// Who is told of it, for the column `notify`; `None` if what the row has already says that.
    pub notify: Option<&'a str>,
}

/// What decided about a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecidedBy<'a> {
    /// The ids of the policies; empty if none decided.
    pub policies: &'a [String],
    /// The digest of the policy set; `None` if policy was not asked.
    pub policy_set: Option<&'a str>,
}

impl DecidedBy<'_> {
    /// The columns `policies` and `policy_set`.
    pub(super) fn parameters(&self) -> [Value; 2] {
        [self.policies.join(",").as_str().into(), self.policy_set.into()]
    }
}

impl Ending<'_> {
    /// State, time, status, code and message: parameters 2 to 6 of the statements that end a row, behind its id.
    pub(super) fn parameters(&self, id: Value) -> Vec<Value> {
        let Self { outcome, language, at, notify: _ } = self;
        vec![
            id,
            outcome.state().as_str().into(),
            at.timestamp_millis().into(),
            i64::from(outcome.status().as_u16()).into(),
            outcome.code().as_ref().into(),
            outcome.message(*language).as_str().into(),
        ]
    }
}

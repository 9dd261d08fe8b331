//! What became of the requests of some time, for its charts: of each row only what is counted.
//!
//! Rows are read along their ids, whose beginning is the time, so that what is older is not looked at. Days, states and people are
//! counted by the operation: policy decides about each row, and days begin at the operator's offset from UTC.

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::sql::{END, first_id, other_columns};
use crate::outcome::state::State;

/// The last vote is the one on what the row asks for: votes on an earlier reference are of an earlier request.
const HISTORY: &str = "SELECT id, state, asked_at, expires_at, actor, caused_by, instance, user_name,
    (SELECT max(a.at) FROM approvals a WHERE a.removal = removals.id AND a.reference = removals.reference)
    FROM removals WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

pub(super) const STATEMENTS: &[&str] = &[HISTORY];

/// The statement, for a test that looks at its plan.
pub fn statement() -> &'static str {
    HISTORY
}

/// How many rows are read at once.
pub const BATCH: usize = 5_000;

/// By how much a request may have come first before it was asked for at last: a delivery that had no effect is tried again.
const TRIED_AGAIN: i64 = 86_400_000;

/// What is counted of a row. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// The row's id.
    pub id: String,
    /// How far it came.
    pub state: State,
    /// When it was asked.
    pub asked_at: i64,
    /// Until when it waited for a person.
    pub expires_at: Option<i64>,
    /// The requester's principal.
    pub actor: Option<String>,
    /// The principal of the person who caused the event for which a system asked.
    pub caused_by: Option<String>,
    /// The instance's name.
    pub instance: Option<String>,
    /// The account.
    pub user_name: Option<String>,
    /// When an approver decided last.
    pub last_vote_at: Option<i64>,
}

impl HistoryRow {
    fn read(row: Vec<Value>) -> Result<Self, StoreError> {
        let Ok([id, state, asked_at, expires_at, actor, caused_by, instance, user_name, last_vote_at]) =
            <[Value; 9]>::try_from(row)
        else {
            return other_columns();
        };
        let (Value::Text(id), Value::Text(word), Value::Integer(asked_at)) = (id, state, asked_at) else {
            return other_columns();
        };
        let state = State::parse(&word).ok_or_else(|| {
            StoreError::Failed(format!("a row has the state `{word}`, which this gateway does not know"))
        })?;
        Ok(Self {
            id,
            state,
            asked_at,
            expires_at: number(&expires_at),
            actor: text(actor),
            caused_by: text(caused_by),
            instance: text(instance),
            user_name: text(user_name),
            last_vote_at: number(&last_vote_at),
        })
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::Integer(_) => None,
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Null | Value::Text(_) => None,
    }
}

impl<H: Host> Ledger<'_, H> {
    /// The next [`BATCH`] of the rows that were asked for since a time, in milliseconds, newest first, older than `before`. None
    /// are left once fewer come. A few that are older come as well.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn history(&self, since: i64, before: Option<&str>) -> Result<Vec<HistoryRow>, StoreError> {
        let first = first_id(since.saturating_sub(TRIED_AGAIN));
        let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let parameters = vec![first.as_str().into(), before.unwrap_or(END).into(), batch.into()];
        self.host().query(HISTORY, parameters).await?.into_iter().map(HistoryRow::read).collect()
    }
}

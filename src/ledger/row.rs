//! A row of the ledger, whole: what `GET /removals/{id}` shows, and what each line of the log is made of.
//!
//! The log is a second copy of the audit trail: each change of a row writes a line that is the row as it is then, so the last
//! line about a row is the row. A test holds the two together (`tests/story/audit.rs`).

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::config::instance::Instance;
use crate::host::{Host, StoreError, Value};
use crate::ledger::sql::{WIDTH, columns};
use crate::outcome::Outcome;
use crate::outcome::state::State;
use crate::request::actor::Actor;
use crate::request::ids::Reference;
use crate::request::removal::RemovalRequest;

/// A row's id: time-ordered, not to be guessed, 32 hexadecimal digits. It is the request's id too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalId(pub(crate) String);

impl RemovalId {
    /// A new id from the clock and 128 random bits.
    pub fn new(now: DateTime<Utc>, random: u128) -> Self {
        let millis = now.timestamp_millis().max(0).unsigned_abs() & 0xffff_ffff_ffff;
        Self(format!("{millis:012x}{:020x}", random >> 48))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_have_one_length() {
        let id = |millis, random| {
            RemovalId::new(DateTime::from_timestamp_millis(millis).unwrap(), random).as_str().to_owned()
        };
        assert_eq!(id(1_700_000_000_000, u128::MAX), "018bcfe56800ffffffffffffffffffff");
        assert!(id(1_700_000_000_000, u128::MAX) < id(1_700_000_000_001, 0));
        assert_eq!(id(0, 0).len(), 32);
    }
}

pub(crate) const LOOK: &str = concat!("SELECT ", columns!(), " FROM removals WHERE id = ?1 OR reference = ?2");

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalRow {
    /// Its id.
    pub id: RemovalId,
    /// What people type to speak of it while it waits.
    pub reference: Option<String>,
    /// How far it came.
    pub state: State,
    /// When it was asked, in milliseconds since 1970, as all times here.
    pub asked_at: i64,
    /// Until when it waits for somebody.
    pub expires_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When nobody can be carrying it out any more.
    pub in_flight_until: Option<i64>,
    /// The caller's name.
    pub caller: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Who asked.
    pub actor: Option<String>,
    /// On which instance.
    pub instance: Option<String>,
    /// Which account.
    pub user_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// Who approved or denied it.
    pub approvals: Vec<Approval>,
    /// How many DELETEs were sent.
    pub attempts: i64,
    /// The answer's status.
    pub status: Option<u16>,
    /// The answer's code.
    pub code: Option<String>,
    /// The answer's message.
    pub message: Option<String>,
    /// TaurusDB's request id.
    pub request_id: Option<String>,
    /// What the outcome is known from, where that is not TaurusDB's answer.
    pub confirmed_by: Option<String>,
    /// The digest of exactly what was asked.
    pub(crate) fingerprint: Option<String>,
    /// Where whoever asked can be told later, sealed.
    pub later: Option<String>,
    pub(crate) delivery: Option<String>,
    /// The teams that the proof of whoever asked named.
    pub(crate) groups: Vec<String>,
    /// To which instance of TaurusDB's its DELETE went; `None` in rows of versions before 5.
    pub(crate) place: Option<String>,
}

/// Somebody's yes or no to a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Approval {
    /// The reference of what it was said to.
    reference: String,
    /// Which person it is: two principals of one person are one.
    pub person: String,
    /// The principal.
    pub actor: String,
    /// Through which caller.
    pub caller: String,
    /// Of which kind.
    pub kind: String,
    /// 1 for yes, 0 for no.
    approved: i64,
    /// Why, if they said.
    pub reason: Option<String>,
    /// When.
    pub at: i64,
    /// The teams that their proof named, as a JSON list.
    groups: Option<String>,
}

impl Approval {
    /// Whether it was a yes.
    pub fn is_approval(&self) -> bool {
        self.approved != 0
    }

    /// Who it was.
    pub fn actor(&self) -> Actor {
        Actor {
            principal: self.actor.clone(),
            caller: self.caller.clone(),
            kind: self.kind.clone(),
            groups: list(self.groups.as_deref()),
        }
    }
}

/// A JSON list of texts; none of anything else.
pub(crate) fn list(json: Option<&str>) -> Vec<String> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// The list for a column; `None` for an empty one.
pub(super) fn groups(actor: &Actor) -> Option<String> {
    (!actor.groups.is_empty()).then(|| Json::from(actor.groups.clone()).to_string())
}

/// Takes values one after the other.
pub(crate) struct Values<'a>(std::slice::Iter<'a, Value>);

impl Values<'_> {
    fn text(&mut self) -> Option<String> {
        match self.0.next() {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<i64> {
        match self.0.next() {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }
}

impl RemovalRow {
    /// Reads the columns that `columns!` names, from the first one on; `None` where there is no row.
    pub(super) fn read(row: &[Value]) -> Result<Option<Self>, StoreError> {
        if row.len() < WIDTH {
            return Err(StoreError("the ledger answered with other columns than asked for".into()));
        }
        let mut values = Values(row.iter());
        let Some(id) = values.text() else { return Ok(None) };
        Ok(Some(Self {
            id: RemovalId(id),
            reference: values.text(),
            state: {
                let word = values.text().unwrap_or_default();
                State::parse(&word).ok_or_else(|| {
                    StoreError(format!("a row has the state `{word}`, which this gateway does not know"))
                })?
            },
            asked_at: values.number().unwrap_or_default(),
            expires_at: values.number(),
            ended_at: values.number(),
            in_flight_until: values.number(),
            caller: values.text(),
            kind: values.text(),
            actor: values.text(),
            instance: values.text(),
            user_name: values.text(),
            reason: values.text(),
            dry_run: values.number() == Some(1),
            policies: split(&values.text().unwrap_or_default()),
            attempts: values.number().unwrap_or_default(),
            status: values.number().and_then(|status| u16::try_from(status).ok()),
            code: values.text(),
            message: values.text(),
            request_id: values.text(),
            confirmed_by: values.text(),
            fingerprint: values.text(),
            later: values.text(),
            delivery: values.text(),
            groups: list(values.text().as_deref()),
            place: values.text(),
            approvals: serde_json::from_str(&values.text().unwrap_or_default()).unwrap_or_default(),
        }))
    }

    /// The first row of an answer.
    pub(super) fn first(rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        rows.first().map_or(Ok(None), |row| Self::read(row))
    }

    /// Whether nobody knows what it did and nobody will say so any more: only the account list can.
    pub fn is_unresolved(&self, now: DateTime<Utc>) -> bool {
        let is_over = self.in_flight_until.unwrap_or_default() <= now.timestamp_millis();
        self.state == State::Unknown || (self.state == State::InFlight && is_over)
    }

    /// While it is carried out: for how many more seconds that can go on.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> Option<u64> {
        let left = self.in_flight_until.unwrap_or_default().saturating_sub(now.timestamp_millis());
        (self.state == State::InFlight && left > 0).then(|| left.unsigned_abs().div_ceil(1000))
    }

    /// Whether its DELETE went to another instance than the one that has the name now: its account list says nothing about it.
    pub fn targets_other_instance(&self, instance: &Instance) -> bool {
        self.place.as_ref().is_some_and(|place| *place != instance.resource_id())
    }

    /// Who said yes to what the row asks for now. What was said before it was asked for anew is kept, and does not count.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        let now = self.reference.as_deref();
        self.approvals.iter().filter(move |approval| approval.is_approval() && Some(approval.reference.as_str()) == now)
    }

    /// Whether this is exactly what the row asks for.
    pub fn matches(&self, removal: &RemovalRequest<'_>) -> bool {
        self.fingerprint.as_deref() == Some(removal.fingerprint().as_str())
    }

    /// The delivery that the row stands for.
    pub fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// Who asked.
    pub fn asker(&self) -> Option<Actor> {
        Some(Actor {
            principal: self.actor.clone()?,
            caller: self.caller.clone()?,
            kind: self.kind.clone()?,
            groups: self.groups.clone(),
        })
    }

    /// What to answer about it, as far as the row alone tells; `None` while that depends on who else has to do something.
    pub fn outcome(&self, now: DateTime<Utc>) -> Option<Outcome> {
        Some(match self.state {
            State::AwaitingConfirmation | State::AwaitingApproval => return None,
            State::InFlight if self.is_unresolved(now) => Outcome::OutcomeUnknown,
            State::InFlight => Outcome::StillRunning,
            State::Removed if self.confirmed_by.is_some() => Outcome::RemovedByList,
            State::Removed => Outcome::Removed,
            state => Outcome::Recorded {
                state,
                status: self
                    .status
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code: self.code.clone().unwrap_or_default(),
                message: self.message.clone().unwrap_or_default(),
            },
        })
    }
}

pub(crate) fn split(list: &str) -> Vec<String> {
    list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// Looks up a row by its id or by its reference.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn look<H: Host>(host: &H, id: &str) -> Result<Option<RemovalRow>, StoreError> {
    let reference = Reference::parse(id);
    let reference = reference.as_ref().map(Reference::as_str);
    RemovalRow::first(&host.query(LOOK, vec![id.into(), reference.into()]).await?)
}

//! A row of the ledger. Rows are read here and written by the statements beside this file.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;

use crate::config::instance::Instance;
use crate::host::{StoreError, Value};
use crate::ledger::sql::{WIDTH, other_columns};
use crate::outcome::state::State;
use crate::outcome::{Evidence, Outcome, ReplayedAnswer, Unknown};
use crate::request::actor::{Actor, Groups};
use crate::request::removal::RemovalRequest;

/// A row's id: ordered by time, not to be guessed, 32 hexadecimal digits. It is the request's id, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalId(String);

impl RemovalId {
    /// A new id from the clock and 128 random bits.
    pub fn new(now: DateTime<Utc>, random: u128) -> Self {
        let millis = now.timestamp_millis().max(0).unsigned_abs() & 0xffff_ffff_ffff;
        Self(format!("{millis:012x}{:020x}", random >> 48))
    }

    /// An id that the ledger has.
    pub(super) fn recorded(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A row whose effect is not known, and which no request carries out any more. Only the ledger makes one, and
/// [`Ledger::reconcile`](crate::ledger::Ledger::reconcile) settles it.
#[derive(Debug)]
pub struct UnresolvedRow(RemovalId);

impl UnresolvedRow {
    pub(super) fn new(id: RemovalId) -> Self {
        Self(id)
    }

    /// The row's id.
    pub fn id(&self) -> &RemovalId {
        &self.0
    }
}

/// A row. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalRow {
    /// Its id.
    pub id: RemovalId,
    /// What people type to refer to it while it waits.
    pub reference: Option<String>,
    /// How far it came.
    pub state: State,
    /// When it was asked.
    pub asked_at: i64,
    /// Until when it waits for a person.
    pub expires_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When no request can be carrying it out any more.
    pub in_flight_until: Option<i64>,
    /// The caller's name.
    pub caller: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// The requester's principal.
    pub actor: Option<String>,
    /// The principal of the person who caused the event for which a system asked.
    pub caused_by: Option<String>,
    /// The instance's name.
    pub instance: Option<String>,
    /// The account.
    pub user_name: Option<String>,
    /// The requester's reason.
    pub reason: Option<String>,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// The digest of the policy set that decided, or that was in force where policy was not asked.
    pub policy_set: Option<String>,
    /// The version of the gateway that wrote the row's state.
    pub gateway: Option<String>,
    /// What approvers decided, also about earlier references.
    pub votes: Vec<Vote>,
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
    /// What the outcome is known from, if that is not TaurusDB's answer.
    pub confirmed_by: Option<String>,
    /// The digest of exactly what was asked, while it waits.
    pub(crate) fingerprint: Option<String>,
    /// Where the requester takes a follow-up message, sealed.
    pub reply_address: Option<String>,
    /// The delivery that the row stands for.
    pub(crate) delivery: Option<String>,
    /// The teams that the requester's proof named.
    pub(crate) groups: Groups,
    /// The project and instance ID that its DELETE went to.
    pub(crate) resource_id: Option<String>,
}

/// A person's decision about a request that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Vote {
    /// The reference by which the request waited then.
    reference: String,
    /// The person: two principals of one person have one vote.
    pub person: String,
    /// The principal.
    pub actor: String,
    /// The caller that the decision came through.
    pub caller: String,
    /// The caller's kind.
    pub kind: String,
    /// 1 for an approval, 0 for a denial.
    approved: i64,
    /// The approver's reason.
    pub reason: Option<String>,
    /// When.
    pub at: i64,
    /// The teams that the approver's proof named, and until when they count, as JSON.
    groups: Option<String>,
}

impl Vote {
    /// Whether it is an approval.
    pub fn is_approval(&self) -> bool {
        self.approved != 0
    }

    /// The approver.
    pub fn actor(&self) -> Actor {
        Actor {
            principal: self.actor.clone(),
            caller: self.caller.clone(),
            kind: self.kind.clone(),
            groups: groups(self.groups.as_deref()),
        }
    }
}

/// The teams in a `groups` column. Versions of the gateway before this one wrote a list without an end; such teams do not count.
fn groups(json: Option<&str>) -> Groups {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// What approvers decided, as `votes!` has it.
pub(super) fn votes(json: &str) -> Vec<Vote> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The `groups` column of an actor; `None` if the proof named no teams.
pub(super) fn groups_column(actor: &Actor) -> Option<String> {
    (!actor.groups.is_empty()).then(|| serde_json::to_string(&actor.groups).ok()).flatten()
}

/// Takes values one after the other.
struct Values<'a>(std::slice::Iter<'a, Value>);

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
    /// Reads the columns that `columns!` names, from the first one on; `None` if there is no row.
    pub(super) fn read(row: &[Value]) -> Result<Option<Self>, StoreError> {
        if row.len() < WIDTH {
            return other_columns();
        }
        let mut values = Values(row.iter());
        let Some(id) = values.text() else { return Ok(None) };
        Ok(Some(Self {
            id: RemovalId(id),
            reference: values.text(),
            state: {
                let word = values.text().unwrap_or_default();
                State::parse(&word).ok_or_else(|| {
                    StoreError::Failed(format!("a row has the state `{word}`, which this gateway does not know"))
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
            reply_address: values.text(),
            delivery: values.text(),
            groups: groups(values.text().as_deref()),
            resource_id: values.text(),
            policy_set: values.text(),
            caused_by: values.text(),
            gateway: values.text(),
            votes: votes(&values.text().unwrap_or_default()),
        }))
    }

    /// The first row of an answer.
    pub(super) fn first(rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        rows.first().map_or(Ok(None), |row| Self::read(row))
    }

    /// Whether it is about the removal's account. A sender that gives two requests one id is told so, instead of reading that the
    /// second account is gone.
    pub fn is_about(&self, removal: &RemovalRequest<'_>) -> bool {
        self.instance.as_deref() == Some(&removal.instance.name)
            && self.user_name.as_deref() == Some(removal.user_name.as_str())
    }

    /// The row as one to reconcile; `None` if its effect is known, or a request is still carrying it out.
    pub fn unresolved(&self, now: DateTime<Utc>) -> Option<UnresolvedRow> {
        self.is_unresolved(now).then(|| UnresolvedRow::new(self.id.clone()))
    }

    /// Whether its effect is not known and no request will record it any more: only the account list can tell.
    pub fn is_unresolved(&self, now: DateTime<Utc>) -> bool {
        let is_over = self.in_flight_until.unwrap_or_default() <= now.timestamp_millis();
        self.state == State::Unknown || (self.state == State::InFlight && is_over)
    }

    /// For how many more seconds a request can be carrying it out; `None` if none does.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> Option<u64> {
        let left = self.in_flight_until.unwrap_or_default().saturating_sub(now.timestamp_millis());
        (self.state == State::InFlight && left > 0).then(|| left.unsigned_abs().div_ceil(1000))
    }

    /// Whether its DELETE went to another instance than the one that has the name now, whose account list says nothing about it.
    pub fn targets_other_instance(&self, instance: &Instance) -> bool {
        self.resource_id.as_ref().is_some_and(|id| *id != instance.resource_id())
    }

    /// The approvals of what the row asks for now. Votes on an earlier reference are kept and do not count.
    pub fn approvals(&self) -> impl Iterator<Item = &Vote> {
        let now = self.reference.as_deref();
        self.votes.iter().filter(move |vote| vote.is_approval() && Some(vote.reference.as_str()) == now)
    }

    /// The denial that ended what the row asks for.
    pub fn denial(&self) -> Option<&Vote> {
        let now = self.reference.as_deref();
        self.votes.iter().rfind(|vote| !vote.is_approval() && Some(vote.reference.as_str()) == now)
    }

    /// Whether the removal is exactly what the row asks for.
    pub fn matches(&self, removal: &RemovalRequest<'_>) -> bool {
        self.fingerprint.as_deref() == Some(removal.fingerprint().as_str())
    }

    /// The delivery that the row stands for.
    pub fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// The requester.
    pub fn requester(&self) -> Option<Actor> {
        Some(Actor {
            principal: self.actor.clone()?,
            caller: self.caller.clone()?,
            kind: self.kind.clone()?,
            groups: self.groups.clone(),
        })
    }

    /// The answer about it, as far as the row alone tells; `None` while a person has to act.
    pub fn outcome(&self, now: DateTime<Utc>) -> Option<Outcome> {
        Some(match self.state {
            State::AwaitingConfirmation | State::AwaitingApproval => return None,
            State::InFlight if self.is_unresolved(now) => Outcome::Unknown(Unknown::NoUsableAnswer),
            State::InFlight => Outcome::InProgress,
            State::Removed if self.confirmed_by.is_some() => Outcome::Removed(Evidence::AccountList),
            State::Removed => Outcome::Removed(Evidence::Answer),
            state => Outcome::Replayed(ReplayedAnswer {
                state,
                status: self
                    .status
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code: self.code.clone().unwrap_or_default(),
                message: self.message.clone().unwrap_or_default(),
            }),
        })
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
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

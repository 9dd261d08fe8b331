//! One row a removal: replay guard, state machine and audit trail in one SQLite table.
//!
//! Every transition is a single statement whose effect is checked, because `spin:sqlite` has no transaction over several
//! statements to rely on. A removal is claimed before its DELETE leaves ([`claim`] is the only way to a [`Claim`], and it takes
//! the [`Permit`]), and a delivery that is there already is answered from its row.
//!
//! Rows of proven requests stay for good: they are the audit trail, and they keep a delivery from being repeated. Of refusals
//! that nobody proved to have sent the newest [`UNPROVED_KEPT`] are kept, so that a stranger cannot fill the disk; nothing
//! needs cleaning up by hand.
//!
//! Nothing in here knows what HTTP is, and no secret gets near it.

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::command::Removal;
use crate::host::{Host, StoreError, Value};
use crate::outcome::{Language, Outcome, State};
use crate::policy::Permit;

/// How many refusals without a proven actor are kept.
pub const UNPROVED_KEPT: u32 = 10_000;

const FIND: &str =
    "SELECT r.id, r.state, r.status, r.code, r.message, r.policies, r.request_id, r.instance, r.user_name,
    r.in_flight_until, r.confirmed_by,
    EXISTS (SELECT 1 FROM removals WHERE instance = ?3 AND user_name = ?5 AND delivery IS NOT ?1
        AND state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?6)),
    (SELECT count(*) FROM removals WHERE actor = ?2 AND asked_at > ?4 AND state IN ('in-flight', 'removed', 'unknown')),
    (SELECT count(*) FROM removals WHERE instance = ?3 AND asked_at > ?4 AND state IN ('in-flight', 'removed', 'unknown'))
    FROM (SELECT 1) LEFT JOIN removals r ON r.delivery = ?1";

/// Removals of this account by other deliveries of which nobody knows what they did, and which nobody carries out any more.
const OPEN: &str = "SELECT id FROM removals WHERE instance = ?1 AND user_name = ?2 AND delivery IS NOT ?3
    AND state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?4)";

/// Settles such a removal, once.
const SETTLE_OPEN: &str = "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6,
    confirmed_by = ?7
    WHERE id = ?1 AND (state = 'unknown' OR (state = 'in-flight' AND coalesce(in_flight_until, 0) <= ?3))
    RETURNING id";

const LOOK: &str = "SELECT id, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason, policies,
    attempts, status, code, message, request_id, in_flight_until, confirmed_by FROM removals WHERE id = ?1";

/// A delivery of which it is certain that it did nothing may be claimed again; any other is taken.
const CLAIM: &str = "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, policies, attempts,
     in_flight_until)
    VALUES (?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?12)
    ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, policies = excluded.policies, attempts = removals.attempts + 1, status = NULL,
        code = NULL, message = NULL, request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING id,
    (SELECT count(*) FROM removals WHERE actor = ?6 AND asked_at > ?11 AND state IN ('in-flight', 'removed', 'unknown')
        AND delivery IS NOT ?2),
    (SELECT count(*) FROM removals WHERE instance = ?7 AND asked_at > ?11 AND state IN ('in-flight', 'removed', 'unknown')
        AND delivery IS NOT ?2)";

const WITHDRAW: &str =
    "UPDATE removals SET state = ?2, ended_at = ?3, policies = ?4, attempts = attempts - 1, status = ?5,
    code = ?6, message = ?7
    WHERE id = ?1 AND state = 'in-flight' RETURNING id";

const SETTLE: &str =
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, request_id = ?7,
    attempts = attempts - 1 + ?8, confirmed_by = ?9
    WHERE id = ?1 AND state = 'in-flight' RETURNING id";

const REFUSE: &str = "INSERT INTO removals
    (id, delivery, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason, policies, attempts,
     status, code, message)
    VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at,
        ended_at = excluded.ended_at, policies = excluded.policies, status = excluded.status, code = excluded.code,
        message = excluded.message
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING id";

const ROW_OF: &str = "SELECT id FROM removals WHERE delivery = ?1";

const PRUNE: &str = "DELETE FROM removals WHERE id IN
    (SELECT id FROM removals WHERE actor IS NULL ORDER BY id DESC LIMIT 1000 OFFSET ?1)";

/// How often [`PRUNE`] runs: after one unproved refusal in this many.
const PRUNE_EVERY: u128 = 64;

/// A row's id: time-ordered, not to be guessed, 32 hexadecimal digits. It is the request's id too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowId(String);

impl RowId {
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

/// The row of an earlier request with the same delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its id.
    pub id: RowId,
    /// What to answer.
    pub outcome: Outcome,
    /// The policies that decided it.
    pub policies: Vec<String>,
    /// TaurusDB's request id, when it answered.
    pub request_id: Option<String>,
    /// Whether it asked for the same account. A sender that gives two requests one id is told so, instead of hearing that
    /// the second account is gone.
    pub same_account: bool,
    /// While it is being carried out: for how many seconds that can go on at most; 0 when nobody can be at it any more.
    pub seconds_left: Option<u64>,
}

impl Earlier {
    /// Whether nobody knows what it did and nobody will say so any more: only the account list can.
    pub fn is_open(&self) -> bool {
        self.seconds_left == Some(0) || self.outcome.state() == State::Unknown
    }
}

/// How many removals there were in the last hour: removed, running or of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// The actor's.
    pub actor: i64,
    /// The instance's.
    pub instance: i64,
}

/// What the ledger knows before a removal is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The delivery's own row, if it is there and final.
    pub earlier: Option<Earlier>,
    /// Whether there are removals of the same account, by other deliveries, that only the account list can settle.
    pub open_removals: bool,
    /// The last hour.
    pub counts: Counts,
}

/// A removal that this request, and no other, carries out. Only [`claim`] makes one.
#[derive(Debug)]
pub struct Claim<'c> {
    permit: Permit<'c>,
    id: RowId,
    counts: Counts,
}

impl<'c> Claim<'c> {
    /// What policy permitted.
    pub fn permit(&self) -> &Permit<'c> {
        &self.permit
    }

    /// The row.
    pub fn id(&self) -> &RowId {
        &self.id
    }

    /// The counts without this removal: every claim before it is in them, and none after it.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// A request that ended without a DELETE.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The row's id.
    pub id: &'a RowId,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// The caller's name, where the route named one.
    pub caller: Option<&'a str>,
    /// Its kind.
    pub kind: Option<&'a str>,
    /// Who asked, where that was proved.
    pub actor: Option<&'a str>,
    /// The removal, where one could be read: its row then stands for the delivery.
    pub removal: Option<&'a Removal<'a>>,
    /// The policies that decided.
    pub policies: &'a [String],
    /// How it ended.
    pub outcome: &'a Outcome,
}

/// Looks for an earlier request with the removal's delivery, and counts the last hour.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn find<H: Host>(host: &H, removal: &Removal<'_>, now: DateTime<Utc>) -> Result<Standing, StoreError> {
    let parameters = vec![
        removal.delivery.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        hour_before(now).into(),
        removal.user_name.as_str().into(),
        now.timestamp_millis().into(),
    ];
    let rows = host.query(FIND, parameters).await?;
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let [
        id,
        state,
        status,
        code,
        message,
        policies,
        request_id,
        instance,
        user_name,
        until,
        confirmed_by,
        open_removals,
        actors,
        instances,
    ] = row
    else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    let counts = counts(actors, instances)?;
    let same_account =
        text(instance) == Some(&removal.instance.name) && text(user_name) == Some(removal.user_name.as_str());
    let seconds_left = match until {
        Value::Integer(until) => until.saturating_sub(now.timestamp_millis()).max(0).unsigned_abs().div_ceil(1000),
        _ => 0,
    };
    let state = match text(state).map(|word| State::parse(word).ok_or(word)) {
        None => None,
        // It did nothing then, so this request is as good as a first one.
        Some(Ok(State::NotSent | State::NotRemoved)) if same_account => None,
        Some(Ok(state)) => Some(state),
        Some(Err(word)) => {
            return Err(StoreError(format!("a row has the state `{word}`, which this gateway does not know")));
        }
    };
    let earlier = state.map(|state| Earlier {
        id: RowId(text(id).unwrap_or_default().to_owned()),
        outcome: match state {
            State::InFlight if seconds_left > 0 => Outcome::StillRunning,
            // Whoever carried it out is gone, and with it what it knew.
            State::InFlight => Outcome::OutcomeUnknown,
            State::Removed if text(confirmed_by).is_some() => Outcome::RemovedByList,
            State::Removed => Outcome::Removed,
            state => Outcome::Recorded {
                state,
                status: match status {
                    Value::Integer(status) => u16::try_from(*status).ok().and_then(|s| StatusCode::from_u16(s).ok()),
                    _ => None,
                }
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code: text(code).unwrap_or_default().to_owned(),
                message: text(message).unwrap_or_default().to_owned(),
            },
        },
        policies: text(policies)
            .unwrap_or_default()
            .split(',')
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        request_id: text(request_id).map(str::to_owned),
        same_account,
        seconds_left: (state == State::InFlight).then_some(seconds_left),
    });
    Ok(Standing { earlier, open_removals: *open_removals != Value::Integer(0), counts })
}

fn hour_before(now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().saturating_sub(3_600_000)
}

fn counts(actor: &Value, instance: &Value) -> Result<Counts, StoreError> {
    match (actor, instance) {
        (Value::Integer(actor), Value::Integer(instance)) => Ok(Counts { actor: *actor, instance: *instance }),
        _ => Err(StoreError("the ledger counted something that is not a number".into())),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Null => None,
    }
}

/// Claims the removal for this request, which is over at `until` whatever becomes of it; `None` when another request with the same delivery was faster.
///
/// # Errors
///
/// When the row cannot be written; then nothing may be sent.
pub async fn claim<'c, H: Host>(
    host: &H,
    id: RowId,
    removal: &Removal<'c>,
    permit: Permit<'c>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Claim<'c>>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        removal.delivery.as_str().into(),
        now.timestamp_millis().into(),
        removal.actor.caller.as_str().into(),
        removal.actor.kind.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.reason.as_ref().map(|reason| reason.as_str()).into(),
        permit.policies().join(",").as_str().into(),
        hour_before(now).into(),
        until.timestamp_millis().into(),
    ];
    let rows = host.query(CLAIM, parameters).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let [Value::Text(id), actors, instances] = row.as_slice() else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    Ok(Some(Claim { permit, id: RowId(id.clone()), counts: counts(actors, instances)? }))
}

/// Records that a claimed removal was denied after all, and nothing was sent.
///
/// # Errors
///
/// When the row cannot be written or is not in flight any more; it then stays as it is.
pub async fn withdraw<H: Host>(
    host: &H,
    claim: &Claim<'_>,
    outcome: &Outcome,
    policies: &[String],
    language: Language,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let parameters = vec![
        claim.id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        policies.join(",").as_str().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
    ];
    still_in_flight(host.query(WITHDRAW, parameters).await?)
}

/// How a claimed removal ended.
#[derive(Debug)]
pub struct Settlement<'a> {
    /// The truth.
    pub outcome: &'a Outcome,
    /// The language of its message.
    pub language: Language,
    /// TaurusDB's request id, when it answered.
    pub request_id: Option<&'a str>,
    /// How many DELETEs were sent.
    pub attempts: u32,
}

/// Records how a claimed removal ended.
///
/// # Errors
///
/// When the row cannot be written or is not in flight any more; it then stays as it is.
pub async fn settle<H: Host>(
    host: &H,
    claim: &Claim<'_>,
    settlement: &Settlement<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Settlement { outcome, language, request_id, attempts } = settlement;
    let parameters = vec![
        claim.id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(*language).as_str().into(),
        (*request_id).into(),
        i64::from(*attempts).into(),
        confirmed_by(outcome).into(),
    ];
    still_in_flight(host.query(SETTLE, parameters).await?)
}

/// What the outcome is known from, where that is not TaurusDB's answer to the DELETE.
pub fn confirmed_by(outcome: &Outcome) -> Option<&'static str> {
    matches!(outcome, Outcome::RemovedByList | Outcome::NotRemoved).then_some("account-list")
}

/// The rows of this account, other than this delivery's own, that only the account list can settle.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn open_removals<H: Host>(
    host: &H,
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<RowId>, StoreError> {
    let parameters = vec![
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.delivery.as_str().into(),
        now.timestamp_millis().into(),
    ];
    let rows = host.query(OPEN, parameters).await?;
    Ok(rows.iter().filter_map(|row| Some(RowId(text(row.first()?)?.to_owned()))).collect())
}

/// Settles a row of which nobody knew what it did; `false` when somebody else did so meanwhile.
///
/// # Errors
///
/// When it cannot be written; it then stays as it is.
pub async fn settle_open<H: Host>(
    host: &H,
    id: &RowId,
    outcome: &Outcome,
    language: Language,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
        confirmed_by(outcome).into(),
    ];
    Ok(!host.query(SETTLE_OPEN, parameters).await?.is_empty())
}

/// A row, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: RowId,
    /// How far it came.
    pub state: State,
    /// Whether nobody knows what it did and nobody will say so any more.
    pub is_open: bool,
    /// The instance's name, where one was named.
    pub instance: Option<String>,
    /// The account's name, where one was named.
    pub user_name: Option<String>,
    /// Everything, by the names that `GET /removals/{id}` has; times in RFC 3339.
    pub json: serde_json::Value,
}

/// Looks up a row.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn look<H: Host>(host: &H, id: &str, now: DateTime<Utc>) -> Result<Option<Record>, StoreError> {
    let rows = host.query(LOOK, vec![id.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let [
        id,
        state,
        asked_at,
        ended_at,
        caller,
        kind,
        actor,
        instance,
        user_name,
        reason,
        policies,
        attempts,
        status,
        code,
        message,
        request_id,
        until,
        confirmed_by,
    ] = row.as_slice()
    else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    let word = text(state).unwrap_or_default();
    let state = State::parse(word)
        .ok_or_else(|| StoreError(format!("a row has the state `{word}`, which this gateway does not know")))?;
    let is_over = !matches!(until, Value::Integer(until) if *until > now.timestamp_millis());
    let plain = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
    };
    let time = |value: &Value| match value {
        Value::Integer(millis) => DateTime::from_timestamp_millis(*millis)
            .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
            .into(),
        _ => serde_json::Value::Null,
    };
    let policies: Vec<_> = text(policies).unwrap_or_default().split(',').filter(|id| !id.is_empty()).collect();
    let json = serde_json::json!({
        "id": plain(id),
        "state": word,
        "asked_at": time(asked_at),
        "ended_at": time(ended_at),
        "caller": plain(caller),
        "kind": plain(kind),
        "actor": plain(actor),
        "instance": plain(instance),
        "user_name": plain(user_name),
        "reason": plain(reason),
        "policies": policies,
        "attempts": plain(attempts),
        "status": plain(status),
        "code": plain(code),
        "message": plain(message),
        "request_id": plain(request_id),
        "confirmed_by": plain(confirmed_by),
    });
    Ok(Some(Record {
        id: RowId(text(id).unwrap_or_default().to_owned()),
        state,
        is_open: state == State::Unknown || (state == State::InFlight && is_over),
        instance: text(instance).map(str::to_owned),
        user_name: text(user_name).map(str::to_owned),
        json,
    }))
}

fn still_in_flight(rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() { Err(StoreError("the row is not in flight any more".into())) } else { Ok(()) }
}

/// Writes the row of a request that ended without a DELETE, and says which it is: when a copy of the same delivery has one
/// already, that one stands for both.
///
/// # Errors
///
/// When the row cannot be written; the refusal stands all the same.
pub async fn refuse<H: Host>(host: &H, refusal: &Refusal<'_>, language: Language) -> Result<RowId, StoreError> {
    // A row that stands for its delivery keeps it from being decided again; that is for decisions, not for a request
    // that was refused before there was one.
    let decided = matches!(refusal.outcome.state(), State::Denied | State::NotSent);
    let removal = refusal.removal;
    let delivery = removal.filter(|_| decided).map(|removal| removal.delivery.as_str());
    let parameters = vec![
        refusal.id.as_str().into(),
        delivery.into(),
        refusal.outcome.state().as_str().into(),
        refusal.at.timestamp_millis().into(),
        refusal.caller.into(),
        refusal.kind.into(),
        refusal.actor.into(),
        removal.map(|removal| removal.instance.name.as_str()).into(),
        removal.map(|removal| removal.user_name.as_str()).into(),
        removal.and_then(|removal| removal.reason.as_ref()).map(|reason| reason.as_str()).into(),
        refusal.policies.join(",").as_str().into(),
        i64::from(refusal.outcome.status().as_u16()).into(),
        refusal.outcome.code().as_ref().into(),
        refusal.outcome.message(language).as_str().into(),
    ];
    let mut rows = host.query(REFUSE, parameters).await?;
    if refusal.actor.is_none() && host.random().is_multiple_of(PRUNE_EVERY) {
        host.query(PRUNE, vec![i64::from(UNPROVED_KEPT).into()]).await?;
    }
    if rows.is_empty() {
        rows = host.query(ROW_OF, vec![delivery.into()]).await?;
    }
    let id = rows.first().and_then(|row| row.first()).and_then(text);
    id.map(|id| RowId(id.to_owned())).ok_or_else(|| StoreError("the row is not there after it was written".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_have_one_length() {
        let id =
            |millis, random| RowId::new(DateTime::from_timestamp_millis(millis).unwrap(), random).as_str().to_owned();
        assert_eq!(id(1_700_000_000_000, u128::MAX), "018bcfe56800ffffffffffffffffffff");
        assert!(id(1_700_000_000_000, u128::MAX) < id(1_700_000_000_001, 0));
        assert_eq!(id(0, 0).len(), 32);
    }
}

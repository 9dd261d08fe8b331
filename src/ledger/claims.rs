//! One row a removal: replay guard, state machine and audit trail in one SQLite table.
//!
//! Every transition is a single statement whose effect is checked, because `spin:sqlite` has no transaction over several
//! statements to rely on. A removal is claimed before its DELETE leaves ([`claim`] and [`waiting::claim`] are the only ways to
//! a [`Claim`], and both take the [`Permit`]), and a delivery that is there already is answered from its row.
//!
//! Rows of proven requests stay for good: they are the audit trail, and they keep a delivery from being repeated. Of refusals
//! that nobody proved to have sent the newest [`UNPROVED_KEPT`] are kept, so that a stranger cannot fill the disk; nothing
//! needs cleaning up by hand.
//!
//! - this file: claimed, settled, refused; [`waiting`]: what waits for somebody's yes; [`record`]: a row, whole; [`list`]: many
//!
//! Nothing in here knows what HTTP is, and no secret gets near it unsealed.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::row::{RemovalId, RemovalRow, text};
use crate::ledger::sql::{WIDTH, columns, hour_before, last_hour};
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::outcome::state::State;
use crate::policy::permit::Permit;
use crate::request::removal::RemovalRequest;

/// Its row is joined by a column and not by the parameter itself: with `removals.delivery = ?1` SQLite would ask of each
/// partial index whether this value happens to fit it, and so compile the statement anew each time it runs.
pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    ",
    EXISTS (SELECT 1 FROM removals r WHERE r.instance = ?3 AND r.user_name = ?5 AND r.delivery IS NOT ?1
        AND r.state IN ('in-flight', 'unknown') AND (r.state = 'unknown' OR coalesce(r.in_flight_until, 0) <= ?6)
        AND coalesce(r.place, ?7) = ?7), ",
    last_hour!("actor", "?2", "?4"),
    ", ",
    last_hour!("instance", "?3", "?4"),
    " FROM (SELECT ?1 AS asked) LEFT JOIN removals ON removals.delivery = asked"
);

/// Removals of this account by other deliveries of which nobody knows what they did, and which nobody carries out any more.
pub(crate) const OPEN: &str = "SELECT id FROM removals WHERE instance = ?1 AND user_name = ?2 AND delivery IS NOT ?3
    AND state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?4)
    AND coalesce(place, ?5) = ?5";

/// Settles such a removal, once.
pub(crate) const SETTLE_OPEN: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, confirmed_by = ?7
    WHERE id = ?1 AND (state = 'unknown' OR (state = 'in-flight' AND coalesce(in_flight_until, 0) <= ?3))
    RETURNING ",
    columns!()
);

/// A delivery of which it is certain that it did nothing may be claimed again; any other is taken.
pub(crate) const CLAIM: &str = concat!(
    "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, policies, attempts,
     in_flight_until, claimed_at, place)
    VALUES (?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?12, ?3, ?13)
    ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, policies = excluded.policies, attempts = removals.attempts + 1, status = NULL,
        code = NULL, message = NULL, request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
        claimed_at = excluded.claimed_at, place = excluded.place, reference = NULL, expires_at = NULL, fingerprint = NULL, later = NULL
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING id, ",
    last_hour!("actor", "?6", "?11", without "r.delivery = ?2 AND "),
    ", ",
    last_hour!("instance", "?7", "?11", without "r.delivery = ?2 AND ")
);

pub(crate) const WITHDRAW: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, policies = ?4, attempts = attempts - 1, status = ?5,
    code = ?6, message = ?7
    WHERE id = ?1 AND state = 'in-flight' RETURNING ",
    columns!()
);

pub(crate) const SETTLE: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, request_id = ?7,
    attempts = attempts - 1 + ?8, confirmed_by = ?9
    WHERE id = ?1 AND state = 'in-flight' RETURNING ",
    columns!()
);

/// How many removals there were in the last hour: removed, running or of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentRemovals {
    /// The actor's.
    pub actor: i64,
    /// The instance's.
    pub instance: i64,
}

/// What the ledger knows before a removal is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorState {
    /// The delivery's own row, unless it is certain that it did nothing.
    pub earlier: Option<RemovalRow>,
    /// Whether there are removals of the same account, by other deliveries, that only the account list can settle.
    pub unresolved: bool,
    /// The last hour.
    pub counts: RecentRemovals,
}

/// A removal that this request, and no other, carries out. Only this module makes one.
#[derive(Debug)]
pub struct Claim<'c> {
    permit: Permit<'c>,
    id: RemovalId,
    counts: RecentRemovals,
}

impl<'c> Claim<'c> {
    /// What policy permitted.
    pub fn permit(&self) -> &Permit<'c> {
        &self.permit
    }

    /// The row.
    pub fn id(&self) -> &RemovalId {
        &self.id
    }

    /// The counts without this removal: every claim before it is in them, and none after it.
    pub fn counts(&self) -> RecentRemovals {
        self.counts
    }

    pub(crate) fn read(permit: Permit<'c>, rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        let Some(row) = rows.first() else { return Ok(None) };
        let [Value::Text(id), actors, instances] = row.as_slice() else {
            return Err(StoreError("the ledger answered with other columns than asked for".into()));
        };
        Ok(Some(Self { permit, id: RemovalId(id.clone()), counts: counts(actors, instances)? }))
    }
}

/// Looks for an earlier request with the removal's delivery, and counts the last hour.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn find<H: Host>(
    host: &H,
    removal: &RemovalRequest<'_>,
    now: DateTime<Utc>,
) -> Result<PriorState, StoreError> {
    let parameters = vec![
        removal.delivery.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        hour_before(now).into(),
        removal.user_name.as_str().into(),
        now.timestamp_millis().into(),
        removal.instance.resource_id().as_str().into(),
    ];
    let rows = host.query(FIND, parameters).await?;
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let Some([unresolved, actors, instances]) = row.get(WIDTH..) else {
        return Err(StoreError("the ledger answered with other columns than asked for".into()));
    };
    let counts = counts(actors, instances)?;
    // What did nothing is as good as not asked; but a delivery stands for one account.
    let earlier = RemovalRow::read(row)?
        .filter(|earlier| !matches!(earlier.state, State::NotSent | State::NotRemoved) || !is_about(earlier, removal));
    Ok(PriorState { earlier, unresolved: *unresolved != Value::Integer(0), counts })
}

/// Whether a row is about the removal's account. A sender that gives two requests one id is told so, instead of hearing that
/// the second account is gone.
pub fn is_about(record: &RemovalRow, removal: &RemovalRequest<'_>) -> bool {
    record.instance.as_deref() == Some(&removal.instance.name)
        && record.user_name.as_deref() == Some(removal.user_name.as_str())
}

pub(crate) fn counts(actor: &Value, instance: &Value) -> Result<RecentRemovals, StoreError> {
    match (actor, instance) {
        (Value::Integer(actor), Value::Integer(instance)) => Ok(RecentRemovals { actor: *actor, instance: *instance }),
        _ => Err(StoreError("the ledger counted something that is not a number".into())),
    }
}

/// Claims the removal for this request, which is over at `until` whatever becomes of it; `None` when another request with the
/// same delivery was faster.
///
/// # Errors
///
/// When the row cannot be written; then nothing may be sent.
pub async fn claim<'c, H: Host>(
    host: &H,
    id: RemovalId,
    removal: &RemovalRequest<'c>,
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
        removal.instance.resource_id().as_str().into(),
    ];
    let rows = host.query(CLAIM, parameters).await?;
    Claim::read(permit, &rows)
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
) -> Result<RemovalRow, StoreError> {
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
pub struct Completion<'a> {
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
    settlement: &Completion<'_>,
    now: DateTime<Utc>,
) -> Result<RemovalRow, StoreError> {
    let Completion { outcome, language, request_id, attempts } = settlement;
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

pub(crate) fn still_in_flight(rows: Vec<Vec<Value>>) -> Result<RemovalRow, StoreError> {
    RemovalRow::first(&rows)?.ok_or_else(|| StoreError("the row is not in flight any more".into()))
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
pub async fn unresolved<H: Host>(
    host: &H,
    removal: &RemovalRequest<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<RemovalId>, StoreError> {
    let parameters = vec![
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.delivery.as_str().into(),
        now.timestamp_millis().into(),
        removal.instance.resource_id().as_str().into(),
    ];
    let rows = host.query(OPEN, parameters).await?;
    Ok(rows.iter().filter_map(|row| Some(RemovalId(text(row.first()?)?.to_owned()))).collect())
}

/// Settles a row of which nobody knew what it did; `None` when somebody else did so meanwhile.
///
/// # Errors
///
/// When it cannot be written; it then stays as it is.
pub async fn settle_open<H: Host>(
    host: &H,
    id: &RemovalId,
    outcome: &Outcome,
    language: Language,
    now: DateTime<Utc>,
) -> Result<Option<RemovalRow>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
        confirmed_by(outcome).into(),
    ];
    RemovalRow::first(&host.query(SETTLE_OPEN, parameters).await?)
}

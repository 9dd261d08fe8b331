//! What waits for somebody's yes: for the confirmation of whoever asked, for the approval of others.
//!
//! A row waits until its `expires_at`, and no transition takes one that waited longer. Each of them names the state that it
//! starts from, so that of two people who decide at once one is too late.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError};
use crate::ledger::claims::{Claim, RecentRemovals, counts};
use crate::ledger::export::Event;
use crate::ledger::row::{RemovalId, RemovalRow, groups};
use crate::ledger::sql::{columns, hour_before, last_hour};
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::outcome::state::State;
use crate::policy::permit::Permit;
use crate::request::actor::Actor;
use crate::request::ids::Reference;
use crate::request::removal::RemovalRequest;

const OPEN: &str = concat!(
    "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, policies, attempts, reference,
     expires_at, fingerprint, later, groups)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, policies = excluded.policies, status = NULL, code = NULL, message = NULL,
        request_id = NULL, confirmed_by = NULL, in_flight_until = NULL, reference = excluded.reference,
        expires_at = excluded.expires_at, fingerprint = excluded.fingerprint, later = excluded.later,
        groups = excluded.groups
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING ",
    columns!()
);

const EXPIRE: &str = concat!(
    "UPDATE removals SET state = 'expired', ended_at = expires_at, status = ?2, code = ?3, message = ?4
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND expires_at <= ?1 RETURNING ",
    columns!()
);

const MOVE_ON: &str = concat!(
    "UPDATE removals SET state = 'awaiting-approval', expires_at = ?3, policies = ?4, later = coalesce(?5, later)
    WHERE id = ?1 AND state = 'awaiting-confirmation' AND expires_at > ?2 RETURNING ",
    columns!()
);

const END: &str = concat!(
    "UPDATE removals SET state = ?3, ended_at = ?4, status = ?5, code = ?6, message = ?7, policies = ?8
    WHERE id = ?1 AND state = ?2 AND expires_at > ?4 RETURNING ",
    columns!()
);

/// The counts are those of every claim before this one; the row's own state is `in-flight` by then, hence the id.
const CLAIM: &str = concat!(
    "UPDATE removals SET state = 'in-flight', policies = ?4, attempts = attempts + 1, in_flight_until = ?5,
    claimed_at = ?3, place = ?9
    WHERE id = ?1 AND state = ?2 AND expires_at > ?3
    RETURNING id, ",
    last_hour!("actor", "?6", "?8", without "r.id = ?1 AND "),
    ", ",
    last_hour!("instance", "?7", "?8", without "r.id = ?1 AND ")
);

const COUNT: &str = concat!("SELECT ", last_hour!("actor", "?1", "?3"), ", ", last_hour!("instance", "?2", "?3"));

const SAY: &str =
    "INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, reason, at, groups)
    SELECT ?1, reference, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM removals
    WHERE id = ?1 AND state = 'awaiting-approval' AND expires_at > ?8
    ON CONFLICT (removal, reference, person) DO NOTHING";

const PENDING: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM removals WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND expires_at > ?1
    ORDER BY id LIMIT 200"
);

/// For what a row is to wait.
#[derive(Debug, Clone)]
pub struct PendingSpec<'a> {
    /// [`State::AwaitingConfirmation`] or [`State::AwaitingApproval`].
    pub state: State,
    /// What people type to speak of it.
    pub reference: &'a Reference,
    /// For how long.
    pub patience: Duration,
    /// The policies that decided so far.
    pub policies: &'a [String],
    /// Where whoever asked can be told later, sealed.
    pub later: Option<&'a str>,
}

fn end_of(now: DateTime<Utc>, patience: Duration) -> i64 {
    now.timestamp_millis().saturating_add(i64::try_from(patience.as_millis()).unwrap_or(i64::MAX))
}

/// Has a removal wait; `None` when another request with the same delivery was faster.
///
/// # Errors
///
/// When the row cannot be written; then nobody is asked.
pub async fn open<H: Host>(
    host: &H,
    id: &RemovalId,
    removal: &RemovalRequest<'_>,
    wait: &PendingSpec<'_>,
    now: DateTime<Utc>,
) -> Result<Option<RemovalRow>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        removal.delivery.as_str().into(),
        wait.state.as_str().into(),
        now.timestamp_millis().into(),
        removal.actor.caller.as_str().into(),
        removal.actor.kind.as_str().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        removal.user_name.as_str().into(),
        removal.reason.as_ref().map(|reason| reason.as_str()).into(),
        wait.policies.join(",").as_str().into(),
        wait.reference.as_str().into(),
        end_of(now, wait.patience).into(),
        removal.fingerprint().as_str().into(),
        wait.later.into(),
        groups(&removal.actor).as_deref().into(),
    ];
    RemovalRow::first(&host.query(OPEN, parameters).await?)
}

/// Ends what has waited too long. Nobody's request did that, so each row's line of the log is written here.
///
/// # Errors
///
/// When it cannot be written.
pub async fn expire<H: Host>(host: &H, language: Language, now: DateTime<Utc>) -> Result<(), StoreError> {
    let outcome = Outcome::Expired;
    let parameters = vec![
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
    ];
    for row in host.query(EXPIRE, parameters).await? {
        if let Some(record) = RemovalRow::read(&row)? {
            host.log(&record.line(&Event {
                event: record.state,
                by: None,
                answered: &outcome.code(),
                meaning: None,
                late: false,
                written: true,
            }));
        }
    }
    Ok(())
}

/// Confirmed, and now it waits for approval; `None` when it does not wait for confirmation any more.
///
/// # Errors
///
/// When the row cannot be written; it then waits on.
pub async fn move_on<H: Host>(
    host: &H,
    id: &RemovalId,
    patience: Duration,
    policies: &[String],
    later: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<RemovalRow>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        now.timestamp_millis().into(),
        end_of(now, patience).into(),
        policies.join(",").as_str().into(),
        later.into(),
    ];
    RemovalRow::first(&host.query(MOVE_ON, parameters).await?)
}

/// Ends what waits in this state, without a DELETE; `None` when it does not any more.
///
/// # Errors
///
/// When the row cannot be written; it then waits on.
pub async fn end<H: Host>(
    host: &H,
    id: &RemovalId,
    from: State,
    outcome: &Outcome,
    policies: &[String],
    language: Language,
    now: DateTime<Utc>,
) -> Result<Option<RemovalRow>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        from.as_str().into(),
        outcome.state().as_str().into(),
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
        policies.join(",").as_str().into(),
    ];
    RemovalRow::first(&host.query(END, parameters).await?)
}

/// Claims what waits in this state for this request, which is over at `until` whatever becomes of it; `None` when it does not
/// wait any more.
///
/// # Errors
///
/// When the row cannot be written; then nothing may be sent.
pub async fn claim<'c, H: Host>(
    host: &H,
    id: &RemovalId,
    from: State,
    removal: &RemovalRequest<'c>,
    permit: Permit<'c>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Claim<'c>>, StoreError> {
    let parameters = vec![
        id.as_str().into(),
        from.as_str().into(),
        now.timestamp_millis().into(),
        permit.policies().join(",").as_str().into(),
        until.timestamp_millis().into(),
        removal.actor.principal.as_str().into(),
        removal.instance.name.as_str().into(),
        hour_before(now).into(),
        removal.instance.resource_id().as_str().into(),
    ];
    let rows = host.query(CLAIM, parameters).await?;
    Claim::read(permit, &rows)
}

/// Counts the last hour.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn count<H: Host>(
    host: &H,
    removal: &RemovalRequest<'_>,
    now: DateTime<Utc>,
) -> Result<RecentRemovals, StoreError> {
    let parameters =
        vec![removal.actor.principal.as_str().into(), removal.instance.name.as_str().into(), hour_before(now).into()];
    let rows = host.query(COUNT, parameters).await?;
    match rows.first().map(Vec::as_slice) {
        Some([actors, instances]) => counts(actors, instances),
        _ => Err(StoreError("the ledger answered with other columns than asked for".into())),
    }
}

/// Somebody's yes or no, to be written down.
#[derive(Debug)]
pub struct NewVote<'a> {
    /// Which person it is.
    pub person: &'a str,
    /// The principal.
    pub actor: &'a Actor,
    /// Yes or no.
    pub approved: bool,
    /// Why, if they said.
    pub reason: Option<&'a str>,
}

/// Writes down somebody's yes or no to what waits for approval, under the reference that it waits by. The first one of a
/// person counts; a row that is asked for anew has another reference, for which nobody said anything yet.
///
/// # Errors
///
/// When it cannot be written.
pub async fn say<H: Host>(host: &H, id: &RemovalId, say: &NewVote<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    let parameters = vec![
        id.as_str().into(),
        say.person.into(),
        say.actor.principal.as_str().into(),
        say.actor.caller.as_str().into(),
        say.actor.kind.as_str().into(),
        i64::from(say.approved).into(),
        say.reason.into(),
        now.timestamp_millis().into(),
        groups(say.actor).as_deref().into(),
    ];
    host.query(SAY, parameters).await.map(drop)
}

/// What waits, oldest first, at most 200 of it.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn pending<H: Host>(host: &H, now: DateTime<Utc>) -> Result<Vec<RemovalRow>, StoreError> {
    let rows = host.query(PENDING, vec![now.timestamp_millis().into()]).await?;
    rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
}

//! Claims: which request carries out a removal, and how that ended.
//!
//! A [`Claim`] is made here and nowhere else, out of a [`Permit`] and a written row; a DELETE is sent for a claim only.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::functions::{CLAIM, CLAIM_UNSEEN, CLAIM_WAITING, COMPLETE};
use crate::ledger::row::{RemovalId, RemovalRow, UnresolvedRow, votes};
use crate::ledger::sql::{WIDTH, columns, hour_before, last_hour, other_columns, removal_columns, unresolved, waiting};
use crate::ledger::{GATEWAY, Ledger};
use crate::outcome::state::State;
use crate::policy::counts::{Counts, RecentRemovals};
use crate::policy::permit::Permit;
use crate::request::removal::RemovalRequest;

/// Its row is joined by a column and not by the parameter itself: with `removals.delivery = ?1` SQLite would ask of each
/// partial index whether this value happens to fit it, and so compile the statement anew each time it runs.
const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    ", EXISTS (SELECT 1 ",
    unresolved!(rows "?3", "?5", not "?1", now "?6", at "?7"),
    "), ",
    last_hour!(by "?8", "?2", since "?4"),
    ", ",
    last_hour!(on "?3", since "?4"),
    ", ",
    waiting!("?8", "?2", now "?6"),
    " FROM (SELECT CAST(?1 AS text) AS asked) AS a LEFT JOIN removals ON removals.delivery = asked"
);

/// Of the requests that wait, those are counted that were asked before the row: the number only falls while the row waits.
const COUNT: &str = concat!(
    "SELECT ",
    last_hour!(by "?4", "?1", since "?3"),
    ", ",
    last_hour!(on "?2", since "?3"),
    ", ",
    waiting!("?4", "?1", now "?5", before "?6")
);

const WITHDRAW: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, policies = ?7, policy_set = ?8,
    attempts = attempts - 1, claimed_at = NULL, notify = coalesce(?9, notify)
    WHERE id = ?1 AND state = 'in-flight' RETURNING ",
    columns!()
);

const UNRESOLVED: &str = concat!("SELECT r.id ", unresolved!(rows "?1", "?2", not "?3", now "?4", at "?5"));

/// A page of all rows that only the account list can settle, oldest first.
const ALL_UNRESOLVED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM removals WHERE state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?1)
    AND id > ?2 ORDER BY id LIMIT ?3"
);

const RECONCILE: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, confirmed_by = ?7,
    gateway = ?8, notify = notify, claimed_at = CASE WHEN ?2 IN ('removed', 'unknown') THEN claimed_at END
    WHERE id = ?1 AND (state = 'unknown' OR (state = 'in-flight' AND coalesce(in_flight_until, 0) <= ?3))
    RETURNING ",
    columns!()
);

pub(super) const STATEMENTS: &[&str] = &[
    FIND,
    COUNT,
    CLAIM_UNSEEN.one,
    CLAIM_UNSEEN.many,
    CLAIM,
    CLAIM_WAITING,
    WITHDRAW,
    COMPLETE.one,
    COMPLETE.many,
    UNRESOLVED,
    ALL_UNRESOLVED,
    RECONCILE,
];

/// What the ledger knows before a removal is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorState {
    /// The delivery's own row, unless it certainly did nothing.
    pub earlier: Option<RemovalRow>,
    /// Whether other deliveries have removals of the same account that only the account list can settle.
    pub unresolved: bool,
    /// What policies count.
    pub counts: Counts,
}

/// Which request carries out a removal, and until when at most.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The id of the request.
    pub id: RemovalId,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// When it is over, whatever becomes of it.
    pub until: DateTime<Utc>,
    /// The person whose brake it counts for.
    pub person: &'a str,
}

/// A removal that this request, and no other, carries out.
#[derive(Debug)]
pub struct Claim<'c> {
    permit: Permit<'c>,
    row: RemovalRow,
}

impl<'c> Claim<'c> {
    /// What policy permitted.
    pub fn permit(&self) -> &Permit<'c> {
        &self.permit
    }

    /// The row's id.
    pub fn id(&self) -> &RemovalId {
        &self.row.id
    }

    /// The row, as far as the claim knows it: not what approvers decided, and of the attempts only its own.
    pub fn row(&self) -> &RemovalRow {
        &self.row
    }

    /// The claim of a row that did not wait before.
    fn of(removal: &RemovalRequest<'_>, permit: Permit<'c>, attempt: &Attempt<'_>, id: &str) -> Self {
        let actor = &removal.actor;
        let row = RemovalRow {
            id: RemovalId::recorded(id),
            state: State::InFlight,
            asked_at: attempt.at.timestamp_millis(),
            in_flight_until: Some(attempt.until.timestamp_millis()),
            caller: Some(actor.caller.clone()),
            kind: Some(actor.kind.clone()),
            actor: Some(actor.principal.clone()),
            caused_by: removal.caused_by.clone(),
            instance: Some(removal.instance.name.clone()),
            user_name: Some(removal.user_name.as_str().to_owned()),
            reason: removal.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            policies: permit.policies().to_vec(),
            policy_set: Some(permit.policy_set().to_owned()),
            gateway: Some(GATEWAY.to_owned()),
            attempts: 1,
            delivery: Some(removal.delivery.as_str().to_owned()),
            resource_id: Some(removal.instance.resource_id()),
            ..RemovalRow::default()
        };
        Self { permit, row }
    }
}

/// The first row of a claim: its id, and the counts without this removal, as every claim before it left them.
fn claimed(rows: &[Vec<Value>]) -> Result<Option<(&str, RecentRemovals)>, StoreError> {
    match rows.first().map(Vec::as_slice) {
        None => Ok(None),
        Some([Value::Text(id), Value::Integer(requester), Value::Integer(instance)]) => {
            Ok(Some((id, RecentRemovals { requester: *requester, instance: *instance })))
        }
        Some(_) => other_columns(),
    }
}

fn read_counts(values: &[Value]) -> Result<Counts, StoreError> {
    match values {
        [Value::Integer(requester), Value::Integer(instance), Value::Integer(waiting)] => {
            let removals = RecentRemovals { requester: *requester, instance: *instance };
            Ok(Counts { removals, waiting: *waiting })
        }
        _ => Err(StoreError::Failed("the ledger answered with other counts than asked for".into())),
    }
}

/// The parameters that both ways to claim have.
fn claim_parameters(removal: &RemovalRequest<'_>, permit: &Permit<'_>, attempt: &Attempt<'_>) -> Vec<Value> {
    let mut parameters =
        vec![attempt.id.as_str().into(), removal.delivery.as_str().into(), attempt.at.timestamp_millis().into()];
    parameters.extend(removal_columns(removal));
    parameters.extend([
        permit.policies().join(",").as_str().into(),
        permit.policy_set().into(),
        hour_before(attempt.at).into(),
        attempt.until.timestamp_millis().into(),
        removal.instance.resource_id().as_str().into(),
        attempt.person.into(),
    ]);
    parameters
}

/// How a claimed removal ended.
#[derive(Debug)]
pub struct Completion<'a> {
    /// The outcome.
    pub ending: Ending<'a>,
    /// TaurusDB's request id, if it answered.
    pub request_id: Option<&'a str>,
    /// How many DELETEs were sent.
    pub attempts: u32,
    /// How long TaurusDB took, with all attempts; `None` if nothing was sent.
    pub upstream: Option<Duration>,
}

impl<H: Host> Ledger<'_, H> {
    /// Looks for an earlier request with the removal's delivery, and counts for the person whose request it is.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn find(
        &self,
        removal: &RemovalRequest<'_>,
        person: &str,
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
            person.into(),
        ];
        let rows = self.host().query(FIND, parameters).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let Some([unresolved, counts @ ..]) = row.get(WIDTH..) else {
            return other_columns();
        };
        let counts = read_counts(counts)?;
        // A row that did nothing does not stand in the way of another try; but a delivery stands for one account.
        let earlier = RemovalRow::read(row)?.filter(|earlier| {
            !matches!(earlier.state, State::NotSent | State::NotRemoved) || !earlier.is_about(removal)
        });
        Ok(PriorState { earlier, unresolved: *unresolved != Value::Integer(0), counts })
    }

    /// Counts for the person whose request waits in a row.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn count(
        &self,
        id: &RemovalId,
        removal: &RemovalRequest<'_>,
        person: &str,
        now: DateTime<Utc>,
    ) -> Result<Counts, StoreError> {
        let parameters = vec![
            removal.actor.principal.as_str().into(),
            removal.instance.name.as_str().into(),
            hour_before(now).into(),
            person.into(),
            now.timestamp_millis().into(),
            id.as_str().into(),
        ];
        let rows = self.host().query(COUNT, parameters).await?;
        read_counts(rows.first().map(Vec::as_slice).unwrap_or_default())
    }

    /// Claims a removal of which nothing was looked up; `None` if the ledger has a row of the same delivery, or removals of the
    /// same account that have to be settled first, or counts that are larger than `most`.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then nothing may be sent.
    pub async fn claim_unseen<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        permit: Permit<'c>,
        attempt: &Attempt<'_>,
        most: Counts,
    ) -> Result<Option<Claim<'c>>, StoreError> {
        let mut parameters = claim_parameters(removal, &permit, attempt);
        parameters.extend([most.removals.requester, most.removals.instance, most.waiting].map(Value::from));
        parameters.push(GATEWAY.into());
        let rows = self.host().query_batched(&CLAIM_UNSEEN, parameters).await?;
        match rows.first().map(Vec::as_slice) {
            None => Ok(None),
            Some([_, Value::Text(id)]) => Ok(Some(Claim::of(removal, permit, attempt, id))),
            Some(_) => other_columns(),
        }
    }

    /// Claims a removal, and counts the removals before it; `None` if another request with the same delivery was faster.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then nothing may be sent.
    pub async fn claim<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        permit: Permit<'c>,
        attempt: &Attempt<'_>,
    ) -> Result<Option<(Claim<'c>, RecentRemovals)>, StoreError> {
        let mut parameters = claim_parameters(removal, &permit, attempt);
        parameters.push(GATEWAY.into());
        let rows = self.host().query(CLAIM, parameters).await?;
        Ok(claimed(&rows)?.map(|(id, counts)| (Claim::of(removal, permit, attempt, id), counts)))
    }

    /// Claims the removal that waits in a row, and counts the removals before it; `None` if it does not wait there any more.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then nothing may be sent.
    pub async fn claim_waiting<'c>(
        &self,
        waiting: &RemovalRow,
        removal: &RemovalRequest<'c>,
        permit: Permit<'c>,
        attempt: &Attempt<'_>,
    ) -> Result<Option<(Claim<'c>, RecentRemovals)>, StoreError> {
        let parameters = vec![
            waiting.id.as_str().into(),
            waiting.state.as_str().into(),
            attempt.at.timestamp_millis().into(),
            permit.policies().join(",").as_str().into(),
            permit.policy_set().into(),
            attempt.until.timestamp_millis().into(),
            removal.actor.principal.as_str().into(),
            removal.instance.name.as_str().into(),
            hour_before(attempt.at).into(),
            removal.instance.resource_id().as_str().into(),
            attempt.person.into(),
            GATEWAY.into(),
        ];
        let rows = self.host().query(CLAIM_WAITING, parameters).await?;
        let Some((_, counts)) = claimed(&rows)? else { return Ok(None) };
        let row = RemovalRow {
            state: State::InFlight,
            policies: permit.policies().to_vec(),
            policy_set: Some(permit.policy_set().to_owned()),
            gateway: Some(GATEWAY.to_owned()),
            in_flight_until: Some(attempt.until.timestamp_millis()),
            resource_id: Some(removal.instance.resource_id()),
            ..waiting.clone()
        };
        Ok(Some((Claim { permit, row }, counts)))
    }

    /// Records that a claimed removal was denied after all, and that nothing was sent.
    ///
    /// # Errors
    ///
    /// If the row cannot be written or is not in flight any more; it then stays as it is.
    pub async fn withdraw(
        &self,
        claim: &Claim<'_>,
        ending: &Ending<'_>,
        decided_by: DecidedBy<'_>,
    ) -> Result<RemovalRow, StoreError> {
        let mut parameters = ending.parameters(claim.id().as_str().into());
        parameters.extend(decided_by.parameters());
        parameters.push(ending.notify.into());
        let rows = self.host().query(WITHDRAW, parameters).await?;
        RemovalRow::first(&rows)?.ok_or_else(not_in_flight)
    }

    /// Records how a claimed removal ended, and returns its row.
    ///
    /// # Errors
    ///
    /// If the row cannot be written or is not in flight any more; it then stays as it is.
    pub async fn complete(&self, claim: &Claim<'_>, completion: &Completion<'_>) -> Result<RemovalRow, StoreError> {
        let Completion { ending, request_id, attempts, upstream } = completion;
        let upstream = upstream.map(|took| i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        let mut parameters = ending.parameters(claim.id().as_str().into());
        parameters.extend([(*request_id).into(), i64::from(*attempts).into(), ending.outcome.confirmed_by().into()]);
        parameters.extend([upstream.into(), ending.notify.into()]);
        let rows = match self.host().query_batched(&COMPLETE, parameters.clone()).await {
            // It is sent again on another connection. If it was done the first time, no row is in flight any more.
            Err(StoreError::Unknown(_)) => match self.host().query_batched(&COMPLETE, parameters).await? {
                rows if rows.is_empty() => return self.completed(claim, completion).await,
                rows => rows,
            },
            rows => rows?,
        };
        let [_, Value::Integer(attempts), Value::Text(decided)] = rows.first().ok_or_else(not_in_flight)?.as_slice()
        else {
            return other_columns();
        };
        Ok(RemovalRow {
            state: ending.outcome.state(),
            ended_at: Some(ending.at.timestamp_millis()),
            status: Some(ending.outcome.status().as_u16()),
            code: Some(ending.outcome.code().into_owned()),
            message: Some(ending.outcome.message(ending.language)),
            request_id: request_id.map(str::to_owned),
            confirmed_by: ending.outcome.confirmed_by().map(str::to_owned),
            attempts: *attempts,
            votes: votes(decided),
            ..claim.row.clone()
        })
    }

    /// The row of a claim whose outcome may have been written: it is, if the row says what was to be written.
    async fn completed(&self, claim: &Claim<'_>, completion: &Completion<'_>) -> Result<RemovalRow, StoreError> {
        let outcome = completion.ending.outcome;
        let row = self.row(claim.id().as_str()).await?;
        row.filter(|row| row.state == outcome.state() && row.request_id.as_deref() == completion.request_id)
            .ok_or_else(not_in_flight)
    }

    /// The rows of this account, other than this delivery's own, that only the account list can settle.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn unresolved(
        &self,
        removal: &RemovalRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<UnresolvedRow>, StoreError> {
        let parameters = vec![
            removal.instance.name.as_str().into(),
            removal.user_name.as_str().into(),
            removal.delivery.as_str().into(),
            now.timestamp_millis().into(),
            removal.instance.resource_id().as_str().into(),
        ];
        let rows = self.host().query(UNRESOLVED, parameters).await?;
        let id = |row: &Vec<Value>| match row.first() {
            Some(Value::Text(id)) => Some(UnresolvedRow::new(RemovalId::recorded(id))),
            _ => None,
        };
        Ok(rows.iter().filter_map(id).collect())
    }

    /// At most `count` of the rows that only the account list can settle, oldest first, younger than `after`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn all_unresolved(
        &self,
        after: &str,
        count: usize,
        now: DateTime<Utc>,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let parameters = vec![now.timestamp_millis().into(), after.into(), count.into()];
        let rows = self.host().query(ALL_UNRESOLVED, parameters).await?;
        rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
    }

    /// Settles a row whose effect was not known; `None` if another request has done so meanwhile.
    ///
    /// # Errors
    ///
    /// If it cannot be written; it then stays as it is.
    pub async fn reconcile(&self, row: &UnresolvedRow, ending: &Ending<'_>) -> Result<Option<RemovalRow>, StoreError> {
        let mut parameters = ending.parameters(row.id().as_str().into());
        parameters.extend([ending.outcome.confirmed_by().into(), GATEWAY.into()]);
        RemovalRow::first(&self.host().query(RECONCILE, parameters).await?)
    }
}

fn not_in_flight() -> StoreError {
    StoreError::Failed("the row is not in flight any more".into())
}

//! Claims: which request carries out a removal, and how that ended.
//!
//! A [`Claim`] is made here and nowhere else, out of a [`Permit`] and a written row; a DELETE is sent for a claim only.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::row::{RemovalId, RemovalRow, UnresolvedRow};
use crate::ledger::sql::{WIDTH, columns, hour_before, last_hour, removal_columns, waiting};
use crate::outcome::state::State;
use crate::policy::permit::Permit;
use crate::request::removal::RemovalRequest;

/// Its row is joined by a column and not by the parameter itself: with `removals.delivery = ?1` SQLite would ask of each
/// partial index whether this value happens to fit it, and so compile the statement anew each time it runs.
const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    ",
    EXISTS (SELECT 1 FROM removals r WHERE r.instance = ?3 AND r.user_name = ?5 AND r.delivery IS NOT ?1
        AND r.state IN ('in-flight', 'unknown') AND (r.state = 'unknown' OR coalesce(r.in_flight_until, 0) <= ?6)
        AND coalesce(r.place, ?7) = ?7), ",
    last_hour!(by "?8", "?2", since "?4"),
    ", ",
    last_hour!(on "?3", since "?4"),
    ", ",
    waiting!("?8", "?2", now "?6"),
    " FROM (SELECT ?1 AS asked) LEFT JOIN removals ON removals.delivery = asked"
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

/// A delivery that certainly did nothing may be claimed again; any other is taken.
const CLAIM: &str = concat!(
    "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
     attempts, in_flight_until, claimed_at, place, person)
    VALUES (?1, ?2, 'in-flight', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?14, ?3, ?15, ?16)
    ON CONFLICT (delivery) DO UPDATE SET state = 'in-flight', asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
        policy_set = excluded.policy_set, attempts = removals.attempts + 1, status = NULL, code = NULL, message = NULL,
        request_id = NULL, confirmed_by = NULL, in_flight_until = excluded.in_flight_until,
        claimed_at = excluded.claimed_at, place = excluded.place, person = excluded.person, reference = NULL,
        expires_at = NULL, fingerprint = NULL, later = NULL
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING id, ",
    last_hour!(by "?16", "?6", since "?13"),
    " - ",
    last_hour!(own "r.delivery = ?2", since "?13"),
    ", ",
    last_hour!(on "?7", since "?13"),
    " - ",
    last_hour!(own "r.delivery = ?2", since "?13")
);

/// The counts are those of every claim before this one; the row's own state is `in-flight` by then, hence the id.
const CLAIM_WAITING: &str = concat!(
    "UPDATE removals SET state = 'in-flight', policies = ?4, policy_set = ?5, attempts = attempts + 1,
    in_flight_until = ?6, claimed_at = ?3, place = ?10, person = ?11
    WHERE id = ?1 AND state = ?2 AND expires_at > ?3
    RETURNING id, ",
    last_hour!(by "?11", "?7", since "?9"),
    " - ",
    last_hour!(own "r.id = ?1", since "?9"),
    ", ",
    last_hour!(on "?8", since "?9"),
    " - ",
    last_hour!(own "r.id = ?1", since "?9")
);

const WITHDRAW: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, policies = ?7, policy_set = ?8,
    attempts = attempts - 1
    WHERE id = ?1 AND state = 'in-flight' RETURNING ",
    columns!()
);

const COMPLETE: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, request_id = ?7,
    attempts = attempts - 1 + ?8, confirmed_by = ?9
    WHERE id = ?1 AND state = 'in-flight' RETURNING ",
    columns!()
);

/// Removals of this account by other deliveries whose effect is not known, and which no request carries out any more.
const UNRESOLVED: &str = "SELECT id FROM removals WHERE instance = ?1 AND user_name = ?2 AND delivery IS NOT ?3
    AND state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?4)
    AND coalesce(place, ?5) = ?5";

const RECONCILE: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, confirmed_by = ?7
    WHERE id = ?1 AND (state = 'unknown' OR (state = 'in-flight' AND coalesce(in_flight_until, 0) <= ?3))
    RETURNING ",
    columns!()
);

/// How many removals there were in the last hour: removed, running or of unknown outcome. What brakes in policies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentRemovals {
    /// Those that the requesting person asked for or caused, and those of the requester's principal.
    pub requester: i64,
    /// The instance's.
    pub instance: i64,
}

/// What policies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The last hour.
    pub removals: RecentRemovals,
    /// The requests of the same person that wait; of a request that waits itself, those that were asked before it.
    pub waiting: i64,
}

impl Counts {
    fn read(values: &[Value]) -> Result<Self, StoreError> {
        match values {
            [Value::Integer(requester), Value::Integer(instance), Value::Integer(waiting)] => {
                let removals = RecentRemovals { requester: *requester, instance: *instance };
                Ok(Self { removals, waiting: *waiting })
            }
            _ => Err(StoreError("the ledger answered with other counts than asked for".into())),
        }
    }
}

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

    /// The counts without this removal: every claim before it is counted, and none after it.
    pub fn counts(&self) -> RecentRemovals {
        self.counts
    }

    fn read(permit: Permit<'c>, rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        let Some(row) = rows.first() else { return Ok(None) };
        let [Value::Text(id), Value::Integer(requester), Value::Integer(instance)] = row.as_slice() else {
            return Err(StoreError("the ledger answered with other columns than asked for".into()));
        };
        let counts = RecentRemovals { requester: *requester, instance: *instance };
        Ok(Some(Self { permit, id: RemovalId::recorded(id), counts }))
    }
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
            return Err(StoreError("the ledger answered with other columns than asked for".into()));
        };
        let counts = Counts::read(counts)?;
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
        Counts::read(rows.first().map(Vec::as_slice).unwrap_or_default())
    }

    /// Claims a removal; `None` if another request with the same delivery was faster.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then nothing may be sent.
    pub async fn claim<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        permit: Permit<'c>,
        attempt: &Attempt<'_>,
    ) -> Result<Option<Claim<'c>>, StoreError> {
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
        let rows = self.host().query(CLAIM, parameters).await?;
        Claim::read(permit, &rows)
    }

    /// Claims the removal that waits in row `attempt.id` in state `from`; `None` if it does not wait there any more.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then nothing may be sent.
    pub async fn claim_waiting<'c>(
        &self,
        from: State,
        removal: &RemovalRequest<'c>,
        permit: Permit<'c>,
        attempt: &Attempt<'_>,
    ) -> Result<Option<Claim<'c>>, StoreError> {
        let parameters = vec![
            attempt.id.as_str().into(),
            from.as_str().into(),
            attempt.at.timestamp_millis().into(),
            permit.policies().join(",").as_str().into(),
            permit.policy_set().into(),
            attempt.until.timestamp_millis().into(),
            removal.actor.principal.as_str().into(),
            removal.instance.name.as_str().into(),
            hour_before(attempt.at).into(),
            removal.instance.resource_id().as_str().into(),
            attempt.person.into(),
        ];
        let rows = self.host().query(CLAIM_WAITING, parameters).await?;
        Claim::read(permit, &rows)
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
        let mut parameters = ending.parameters(claim.id.as_str().into());
        parameters.extend(decided_by.parameters());
        still_in_flight(&self.host().query(WITHDRAW, parameters).await?)
    }

    /// Records how a claimed removal ended.
    ///
    /// # Errors
    ///
    /// If the row cannot be written or is not in flight any more; it then stays as it is.
    pub async fn complete(&self, claim: &Claim<'_>, completion: &Completion<'_>) -> Result<RemovalRow, StoreError> {
        let Completion { ending, request_id, attempts } = completion;
        let mut parameters = ending.parameters(claim.id.as_str().into());
        parameters.extend([(*request_id).into(), i64::from(*attempts).into(), ending.outcome.confirmed_by().into()]);
        still_in_flight(&self.host().query(COMPLETE, parameters).await?)
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

    /// Settles a row whose effect was not known; `None` if another request has done so meanwhile.
    ///
    /// # Errors
    ///
    /// If it cannot be written; it then stays as it is.
    pub async fn reconcile(&self, row: &UnresolvedRow, ending: &Ending<'_>) -> Result<Option<RemovalRow>, StoreError> {
        let mut parameters = ending.parameters(row.id().as_str().into());
        parameters.push(ending.outcome.confirmed_by().into());
        RemovalRow::first(&self.host().query(RECONCILE, parameters).await?)
    }
}

fn still_in_flight(rows: &[Vec<Value>]) -> Result<RemovalRow, StoreError> {
    RemovalRow::first(rows)?.ok_or_else(|| StoreError("the row is not in flight any more".into()))
}

//! Rows that wait: for the requester's confirmation, or for approvals.
//!
//! A row waits until its `expires_at`, and no transition takes one that has waited longer. Each transition names the state that
//! it starts from, so that of two people who decide at the same time one is too late.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::export::Event;
use crate::ledger::row::{RemovalId, RemovalRow, groups_column};
use crate::ledger::sql::{END, columns, first_id, removal_columns};
use crate::ledger::{GATEWAY, Ledger};
use crate::outcome::language::Language;
use crate::outcome::log_event::log_event;
use crate::outcome::state::State;
use crate::outcome::{Closed, Outcome};
use crate::request::actor::Actor;
use crate::request::ids::Reference;
use crate::request::removal::RemovalRequest;

const REQUEST: &str = concat!(
    "INSERT INTO removals
    (id, delivery, state, asked_at, caller, kind, actor, instance, user_name, reason, caused_by, policies, policy_set,
     attempts, reference, expires_at, fingerprint, later, groups, person, gateway, notify)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at, ended_at = NULL,
        reason = excluded.reason, caused_by = excluded.caused_by, policies = excluded.policies,
        policy_set = excluded.policy_set, status = NULL, code = NULL, message = NULL, request_id = NULL,
        confirmed_by = NULL, in_flight_until = NULL, reference = excluded.reference, expires_at = excluded.expires_at,
        fingerprint = excluded.fingerprint, later = excluded.later, groups = excluded.groups, person = excluded.person,
        gateway = excluded.gateway, notify = excluded.notify
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING ",
    columns!()
);

const EXPIRE: &str = concat!(
    "UPDATE removals SET state = 'expired', ended_at = expires_at, status = ?2, code = ?3, message = ?4, gateway = ?5,
    notify = notify
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND expires_at <= ?1 RETURNING ",
    columns!()
);

/// The same, of the oldest `?6`.
const EXPIRE_SOME: &str = concat!(
    "UPDATE removals SET state = 'expired', ended_at = expires_at, status = ?2, code = ?3, message = ?4, gateway = ?5,
    notify = notify
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND id IN (SELECT r.id FROM removals r
        WHERE r.state IN ('awaiting-confirmation', 'awaiting-approval') AND r.expires_at <= ?1
        ORDER BY r.expires_at LIMIT ?6)
    RETURNING ",
    columns!()
);

/// Those that ended in the last day and whose requester was not told: they still have where the requester takes a message.
const UNTOLD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM removals WHERE id >= ?1 AND state = 'expired' AND later IS NOT NULL AND ended_at > ?2 ORDER BY id LIMIT ?3"
);

const TAKE_UNTOLD: &str =
    "UPDATE removals SET later = NULL WHERE id = ?1 AND state = 'expired' AND later IS NOT NULL RETURNING id";

const AWAIT_APPROVAL: &str = concat!(
    "UPDATE removals SET state = 'awaiting-approval', expires_at = ?3, policies = ?4, policy_set = ?5,
    later = coalesce(?6, later), gateway = ?7, notify = ?8
    WHERE id = ?1 AND state = 'awaiting-confirmation' AND expires_at > ?2 RETURNING ",
    columns!()
);

const CLOSE: &str = concat!(
    "UPDATE removals SET state = ?2, ended_at = ?3, status = ?4, code = ?5, message = ?6, policies = ?7, policy_set = ?8,
    gateway = ?10, notify = coalesce(?11, notify)
    WHERE id = ?1 AND state = ?9 AND expires_at > ?3 RETURNING ",
    columns!()
);

pub(super) const VOTE: &str =
    "INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, reason, at, groups)
    SELECT ?1, reference, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM removals
    WHERE id = ?1 AND state = 'awaiting-approval' AND expires_at > ?8
    /* for share */ ON CONFLICT (removal, reference, person) DO NOTHING";

const PENDING: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM removals WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND expires_at > ?1 AND id < ?2
    ORDER BY id DESC LIMIT ?3"
);

pub(super) const STATEMENTS: &[&str] =
    &[REQUEST, EXPIRE, EXPIRE_SOME, UNTOLD, TAKE_UNTOLD, AWAIT_APPROVAL, CLOSE, VOTE, PENDING];

/// How long after its end the requester of an expired request is told of it, in milliseconds: later it is no news, and no platform takes the
/// message.
const TOLD_WITHIN: i64 = 86_400_000;

/// What a row waits for.
#[derive(Debug, Clone)]
pub struct PendingSpec<'a> {
    /// [`State::AwaitingConfirmation`] or [`State::AwaitingApproval`].
    pub state: State,
    /// What people type to refer to it.
    pub reference: &'a Reference,
    /// The person whose request it is, for the brakes and for how many wait.
    pub person: &'a str,
    /// How it waits.
    pub terms: Terms<'a>,
}

/// How a row waits.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// For how long.
    pub patience: Duration,
    /// What decided so far.
    pub decided_by: DecidedBy<'a>,
    /// Where the requester takes a follow-up message, sealed.
    pub reply_address: Option<&'a str>,
    /// Who is told of it, and of its end, for the column `notify`.
    pub notify: Option<&'a str>,
}

/// A person's decision, to be written down.
#[derive(Debug)]
pub struct NewVote<'a> {
    /// Which person it is: two principals of one person have one vote.
    pub person: &'a str,
    /// The principal.
    pub actor: &'a Actor,
    /// Whether it is an approval.
    pub approved: bool,
    /// The approver's reason.
    pub reason: Option<&'a str>,
}

fn end_of(now: DateTime<Utc>, patience: Duration) -> i64 {
    now.timestamp_millis().saturating_add(i64::try_from(patience.as_millis()).unwrap_or(i64::MAX))
}

fn expire_parameters(language: Language, now: DateTime<Utc>) -> Vec<Value> {
    let outcome = Outcome::Closed(Closed::Expired);
    vec![
        now.timestamp_millis().into(),
        i64::from(outcome.status().as_u16()).into(),
        outcome.code().as_ref().into(),
        outcome.message(language).as_str().into(),
        GATEWAY.into(),
    ]
}

impl<H: Host> Ledger<'_, H> {
    /// Writes a row that waits; `None` if another request with the same delivery was faster.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; then it cannot be confirmed or approved.
    pub async fn request(
        &self,
        id: &RemovalId,
        removal: &RemovalRequest<'_>,
        pending: &PendingSpec<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<RemovalRow>, StoreError> {
        let mut parameters = vec![
            id.as_str().into(),
            removal.delivery.as_str().into(),
            pending.state.as_str().into(),
            now.timestamp_millis().into(),
        ];
        parameters.extend(removal_columns(removal));
        parameters.extend(pending.terms.decided_by.parameters());
        parameters.extend([
            pending.reference.as_str().into(),
            end_of(now, pending.terms.patience).into(),
            removal.fingerprint().as_str().into(),
            pending.terms.reply_address.into(),
            groups_column(&removal.actor).as_deref().into(),
            pending.person.into(),
            GATEWAY.into(),
            pending.terms.notify.into(),
        ]);
        RemovalRow::first(&self.host().query(REQUEST, parameters).await?)
    }

    /// Ends the rows that have waited too long. No request of a person does that, so each row's log line is written here.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub async fn expire(&self, language: Language, now: DateTime<Utc>) -> Result<(), StoreError> {
        let parameters = expire_parameters(language, now);
        self.expired(EXPIRE, parameters).await.map(drop)
    }

    /// Ends at most `most` of the rows that have waited too long, and returns how many.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub async fn expire_some(&self, language: Language, now: DateTime<Utc>, most: usize) -> Result<usize, StoreError> {
        let mut parameters = expire_parameters(language, now);
        parameters.push(i64::try_from(most).unwrap_or(i64::MAX).into());
        self.expired(EXPIRE_SOME, parameters).await
    }

    async fn expired(&self, statement: &'static str, parameters: Vec<Value>) -> Result<usize, StoreError> {
        let rows = self.host().query(statement, parameters).await?;
        for row in &rows {
            if let Some(row) = RemovalRow::read(row)? {
                let code = Outcome::Closed(Closed::Expired).code();
                log_event(self.host(), row.event(&Event::of(row.state, None, &code)));
            }
        }
        Ok(rows.len())
    }

    /// Takes at most `most` of the rows that have expired in the last day, whichever request ended them, and whose requester is to be
    /// told: no other call gets them. No row waits longer than `patience`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub async fn take_untold(
        &self,
        patience: Duration,
        now: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        let ended_since = now.timestamp_millis().saturating_sub(TOLD_WITHIN);
        let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let first_id = first_id(ended_since.saturating_sub(patience).saturating_sub(TOLD_WITHIN));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let parameters = vec![first_id.as_str().into(), ended_since.into(), most.into()];
        let mut taken = Vec::new();
        for row in self.host().query(UNTOLD, parameters).await? {
            let Some(row) = RemovalRow::read(&row)? else { continue };
            if !self.host().query(TAKE_UNTOLD, vec![row.id.as_str().into()]).await?.is_empty() {
                taken.push(row);
            }
        }
        Ok(taken)
    }

    /// Lets a confirmed request wait for approval; `None` if it does not wait for confirmation any more.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; it then still waits for confirmation.
    pub async fn await_approval(
        &self,
        id: &RemovalId,
        terms: &Terms<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<RemovalRow>, StoreError> {
        let mut parameters =
            vec![id.as_str().into(), now.timestamp_millis().into(), end_of(now, terms.patience).into()];
        parameters.extend(terms.decided_by.parameters());
        parameters.extend([terms.reply_address.into(), GATEWAY.into(), terms.notify.into()]);
        RemovalRow::first(&self.host().query(AWAIT_APPROVAL, parameters).await?)
    }

    /// Ends a row that waits in state `from` without a DELETE; `None` if it does not wait there any more.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; it then goes on waiting.
    pub async fn close(
        &self,
        id: &RemovalId,
        from: State,
        ending: &Ending<'_>,
        decided_by: DecidedBy<'_>,
    ) -> Result<Option<RemovalRow>, StoreError> {
        let mut parameters = ending.parameters(id.as_str().into());
        parameters.extend(decided_by.parameters());
        parameters.extend([from.as_str().into(), GATEWAY.into(), ending.notify.into()]);
        RemovalRow::first(&self.host().query(CLOSE, parameters).await?)
    }

    /// Writes down a person's decision about a row that waits for approval, under the reference that it waits by. The first
    /// decision of a person counts; a row that is requested anew has another reference, which has no votes yet.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub async fn record_vote(&self, id: &RemovalId, vote: &NewVote<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let parameters = vec![
            id.as_str().into(),
            vote.person.into(),
            vote.actor.principal.as_str().into(),
            vote.actor.caller.as_str().into(),
            vote.actor.kind.as_str().into(),
            i64::from(vote.approved).into(),
            vote.reason.into(),
            now.timestamp_millis().into(),
            groups_column(vote.actor).as_deref().into(),
        ];
        self.host().query(VOTE, parameters).await.map(drop)
    }

    /// At most `count` of the rows that wait, newest first, older than `before`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn pending(
        &self,
        before: Option<&str>,
        count: usize,
        now: DateTime<Utc>,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let parameters = vec![now.timestamp_millis().into(), before.unwrap_or(END).into(), count.into()];
        let rows = self.host().query(PENDING, parameters).await?;
        rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
    }
}

//! Rows of requests that ended without a DELETE.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::functions::PRUNE;
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::ledger::sql::{columns, other_columns, removal_columns};
use crate::ledger::{GATEWAY, Ledger};
use crate::outcome::state::State;
use crate::request::removal::RemovalRequest;

/// How many refusals without a proven actor are kept.
pub const UNPROVED_KEPT: u32 = 10_000;

/// Writes a refusal. The row of a delivery that was sent without effect stays as it is if a repeat of it could not be sent: the DELETE
/// may still take effect.
const REFUSE: &str = concat!(
    "INSERT INTO removals
    (id, state, ended_at, status, code, message, delivery, asked_at, caller, kind, actor, instance, user_name, reason,
     caused_by, policies, policy_set, attempts, dry_run, gateway, notify)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, ?18, ?19, ?20)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at,
        ended_at = excluded.ended_at, policies = excluded.policies, policy_set = excluded.policy_set,
        status = excluded.status, code = excluded.code, message = excluded.message, caused_by = excluded.caused_by,
        gateway = excluded.gateway, notify = excluded.notify
        WHERE removals.state = 'not-sent' OR (removals.state = 'not-removed' AND excluded.state = 'denied')
    RETURNING ",
    columns!()
);

const ROW_OF: &str = concat!("SELECT ", columns!(), " FROM removals WHERE delivery = ?1");

/// How often [`PRUNE`] runs: after one unproved refusal in this many.
const PRUNE_EVERY: u128 = 64;

const UNPROVED: &str = "SELECT count(*) FROM removals WHERE actor IS NULL";

pub(super) const STATEMENTS: &[&str] = &[REFUSE, ROW_OF, UNPROVED, PRUNE];

/// A request that ended without a DELETE.
#[derive(Debug)]
pub struct RefusedRequest<'a> {
    /// The row's id.
    pub id: &'a RemovalId,
    /// When it arrived.
    pub asked_at: DateTime<Utc>,
    /// How it ended.
    pub ending: Ending<'a>,
    /// The caller's name and kind, if the route named a caller.
    pub caller: Option<(&'a str, &'a str)>,
    /// The actor's principal, if it was proved.
    pub actor: Option<&'a str>,
    /// The removal, if one could be read: its row then stands for the delivery.
    pub removal: Option<&'a RemovalRequest<'a>>,
    /// What the row is about, where there is no removal.
    pub reason: Option<&'a str>,
    /// What decided.
    pub decided_by: DecidedBy<'a>,
}

impl<H: Host> Ledger<'_, H> {
    /// Writes the row of a request that ended without a DELETE, and returns it. If a copy of the same delivery has a row
    /// already, that row stands for both and is returned.
    ///
    /// # Errors
    ///
    /// If the row cannot be written; the refusal stands all the same.
    pub async fn refuse(&self, refused: &RefusedRequest<'_>) -> Result<RemovalRow, StoreError> {
        // A row that stands for its delivery keeps it from being decided again; that is for decisions, not for a request
        // that was refused before there was one.
        let decided = matches!(refused.ending.outcome.state(), State::Denied | State::NotSent);
        let removal = refused.removal;
        let delivery = removal.filter(|removal| decided && !removal.dry_run).map(|removal| removal.delivery.as_str());
        let mut parameters = refused.ending.parameters(refused.id.as_str().into());
        parameters.extend([delivery.into(), refused.asked_at.timestamp_millis().into()]);
        // The caller and the actor are those of this request, who may not be the removal's.
        let [_, _, _, instance, user_name, reason, caused_by] =
            removal.map_or([const { Value::Null }; 7], |removal| removal_columns(removal));
        parameters.extend([
            refused.caller.map(|(name, _)| name).into(),
            refused.caller.map(|(_, kind)| kind).into(),
            refused.actor.into(),
            instance,
            user_name,
            if removal.is_some() { reason } else { refused.reason.into() },
            caused_by,
        ]);
        parameters.extend(refused.decided_by.parameters());
        parameters.extend([
            i64::from(removal.is_some_and(|removal| removal.dry_run)).into(),
            GATEWAY.into(),
            refused.ending.notify.into(),
        ]);
        let mut rows = self.host().query(REFUSE, parameters).await?;
        if refused.actor.is_none() && self.host().random().is_multiple_of(PRUNE_EVERY) {
            self.prune_unproved().await?;
        }
        if rows.is_empty() {
            rows = self.host().query(ROW_OF, vec![delivery.into()]).await?;
        }
        RemovalRow::first(&rows)?
            .ok_or_else(|| StoreError::Failed("the row does not exist after it was written".into()))
    }
    /// How many refusals without a proven actor there are beyond those that are kept.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn unproved_beyond_kept(&self) -> Result<u64, StoreError> {
        let rows = self.host().query(UNPROVED, Vec::new()).await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Integer(count)]) => {
                Ok(u64::try_from(*count).unwrap_or_default().saturating_sub(u64::from(UNPROVED_KEPT)))
            }
            _ => other_columns(),
        }
    }

    /// Deletes at most a thousand refusals without a proven actor, none of those that are kept.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted.
    pub async fn prune_unproved(&self) -> Result<(), StoreError> {
        self.host().query(PRUNE, vec![i64::from(UNPROVED_KEPT).into()]).await.map(drop)
    }
}

//! Rows of requests that ended without a DELETE.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError};
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::ledger::sql::columns;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::outcome::state::State;
use crate::request::removal::RemovalRequest;

/// How many refusals without a proven actor are kept.
pub const UNPROVED_KEPT: u32 = 10_000;

pub(crate) const REFUSE: &str = concat!(
    "INSERT INTO removals
    (id, delivery, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason, policies, attempts,
     status, code, message, dry_run)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13, ?14, ?15, ?16)
    ON CONFLICT (delivery) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at,
        ended_at = excluded.ended_at, policies = excluded.policies, status = excluded.status, code = excluded.code,
        message = excluded.message
        WHERE removals.state IN ('not-sent', 'not-removed')
    RETURNING ",
    columns!()
);

pub(crate) const ROW_OF: &str = concat!("SELECT ", columns!(), " FROM removals WHERE delivery = ?1");

pub(crate) const PRUNE: &str = "DELETE FROM removals WHERE id IN
    (SELECT id FROM removals WHERE actor IS NULL ORDER BY id DESC LIMIT 1000 OFFSET ?1)";

/// How often [`PRUNE`] runs: after one unproved refusal in this many.
pub(crate) const PRUNE_EVERY: u128 = 64;

/// A request that ended without a DELETE.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The row's id.
    pub id: &'a RemovalId,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// The caller's name, where the route named one.
    pub caller: Option<&'a str>,
    /// Its kind.
    pub kind: Option<&'a str>,
    /// Who asked, where that was proved.
    pub actor: Option<&'a str>,
    /// The removal, where one could be read: its row then stands for the delivery.
    pub removal: Option<&'a RemovalRequest<'a>>,
    /// The policies that decided.
    pub policies: &'a [String],
    /// How it ended.
    pub outcome: &'a Outcome,
}

/// Writes the row of a request that ended without a DELETE, and says which it is: when a copy of the same delivery has one
/// already, that one stands for both.
///
/// # Errors
///
/// When the row cannot be written; the refusal stands all the same.
pub async fn refuse<H: Host>(host: &H, refusal: &Refusal<'_>, language: Language) -> Result<RemovalRow, StoreError> {
    // A row that stands for its delivery keeps it from being decided again; that is for decisions, not for a request
    // that was refused before there was one.
    let decided = matches!(refusal.outcome.state(), State::Denied | State::NotSent);
    let removal = refusal.removal;
    let delivery = removal.filter(|removal| decided && !removal.dry_run).map(|removal| removal.delivery.as_str());
    let parameters = vec![
        refusal.id.as_str().into(),
        delivery.into(),
        refusal.outcome.state().as_str().into(),
        refusal.at.timestamp_millis().into(),
        refusal.ended_at.timestamp_millis().into(),
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
        i64::from(removal.is_some_and(|removal| removal.dry_run)).into(),
    ];
    let mut rows = host.query(REFUSE, parameters).await?;
    if refusal.actor.is_none() && host.random().is_multiple_of(PRUNE_EVERY) {
        host.query(PRUNE, vec![i64::from(UNPROVED_KEPT).into()]).await?;
    }
    if rows.is_empty() {
        rows = host.query(ROW_OF, vec![delivery.into()]).await?;
    }
    RemovalRow::first(&rows)?.ok_or_else(|| StoreError("the row is not there after it was written".into()))
}

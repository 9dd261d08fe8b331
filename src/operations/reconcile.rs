//! Settles rows whose effect is not known, by the account list and never by a second DELETE.

use crate::host::Host;
use crate::ledger::export::Event;
use crate::ledger::row::{RemovalRow, UnresolvedRow};
use crate::operations::Ctx;
use crate::outcome::log_event::log_event;
use crate::outcome::{AccountPresence, Evidence, NotRemoved, Outcome};
use crate::request::removal::RemovalRequest;
use crate::taurusdb::Taurusdb;

/// What the account list says about a removal whose effect is not known; `None` if it could not be read.
pub(super) fn outcome_from_presence(presence: AccountPresence) -> Option<Outcome> {
    match presence {
        AccountPresence::Absent => Some(Outcome::Removed(Evidence::AccountList)),
        AccountPresence::Present => Some(Outcome::NotRemoved(NotRemoved::StillListed)),
        AccountPresence::Unknown | AccountPresence::NotChecked => None,
    }
}

/// Records the outcome of an unresolved row, and returns the row; `None` if another request has settled it meanwhile, or if it
/// cannot be written: then the next request about it settles it.
pub(super) async fn reconcile_row<H: Host>(
    ctx: &Ctx<'_, H>,
    row: &UnresolvedRow,
    outcome: &Outcome,
) -> Option<RemovalRow> {
    let ledger = ctx.ledger().await.ok()?;
    match ledger.reconcile(row, &ctx.ending(outcome)).await {
        Ok(row) => row,
        Err(why) => {
            ctx.host.log(&format!("ledger: the outcome of {} could not be written: {why}", row.id().as_str()));
            None
        }
    }
}

/// Settles earlier removals of the same account, before this one changes the account list.
pub(super) async fn reconcile_account<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    taurusdb: &Taurusdb<'_, H>,
    removal: &RemovalRequest<'c>,
) {
    let Ok(ledger) = ctx.ledger().await else { return };
    let rows = match ledger.unresolved(removal, ctx.host.now()).await {
        Ok(rows) if rows.is_empty() => return,
        Ok(rows) => rows,
        Err(why) => {
            return ctx.host.log(&format!("ledger: unresolved removals could not be read: {why}"));
        }
    };
    let presence = taurusdb.account_presence(removal.user_name.as_str()).await;
    let Some(outcome) = outcome_from_presence(presence) else { return };
    for row in rows {
        if let Some(row) = reconcile_row(ctx, &row, &outcome).await {
            log_reconciled(ctx, &row, &outcome, &removal.actor.principal);
        }
    }
}

/// Writes the log line of a row that was settled on the way to another answer.
pub(super) fn log_reconciled<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow, outcome: &Outcome, by: &str) {
    log_event(ctx.host, row.event(&Event::of(outcome.state(), Some(by), &outcome.code())));
}

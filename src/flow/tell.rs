//! Sends what a request has put into the outbox, once the request has been answered: one short attempt. What it does not deliver is for
//! the job `remind`.

use std::time::Duration;

use crate::app::App;
use crate::host::Host;
use crate::operations::deliver::{self, deliver};
use crate::operations::report::{LedgerRow, Report};
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;

/// How long all of it may take.
const TOTAL: Duration = Duration::from_secs(8);

/// The most messages: one for each target that a request has in any sensible configuration.
const MOST: usize = 8;

/// Whether a report may have put messages into the outbox: not if the account was removed at once, or nothing was decided.
pub(super) fn has_told(report: &Report<'_>) -> bool {
    let was_approved = match &report.row {
        LedgerRow::Current(row) => row.approvals().next().is_some(),
        LedgerRow::OfParts => true,
        LedgerRow::Unwritten | LedgerRow::Claimed(_) | LedgerRow::Stale(_) | LedgerRow::LoggedOnly => false,
    };
    was_approved
        || !matches!(
            report.outcome,
            Outcome::Removed(_)
                | Outcome::AlreadyGone(_)
                | Outcome::Refused(_)
                | Outcome::InProgress
                | Outcome::DryRun(_)
                | Outcome::Replayed(_)
        )
}

/// Sends what is due. If the ledger cannot be used the log says so, and the job sends it later.
pub(super) async fn tell_now<H: Host>(host: &H, app: &App) {
    if app.config.notify.is_empty() {
        return;
    }
    let budget = Budget::new(host.elapsed(), deliver::limits(app.config.limits, TOTAL));
    if let Err(why) = deliver(host, app, &budget, MOST).await {
        host.log(&format!("ledger: {why}"));
    }
}

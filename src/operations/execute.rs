//! Carries out a claimed removal: the signed DELETE, and what became of it.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError};
use crate::ledger::claims::{Claim, Completion};
use crate::operations::Ctx;
use crate::operations::report::{LedgerRow, Refusal, Report, Reported};
use crate::outcome::denial::Denial;
use crate::outcome::{Denied, Outcome};
use crate::taurusdb::Taurusdb;

/// How long after its time limit a request still counts as running: its last statement may be on its way.
const GRACE: chrono::Duration = chrono::Duration::seconds(5);

/// When this request cannot be running any more.
pub(super) fn claim_deadline<H>(ctx: &Ctx<'_, H>) -> DateTime<Utc> {
    let total = chrono::Duration::from_std(ctx.budget.limits().total).unwrap_or_default();
    ctx.at.checked_add_signed(total).and_then(|at| at.checked_add_signed(GRACE)).unwrap_or(ctx.at)
}

/// Sends the DELETE of a claim, and records its outcome. `denied` says why it is not permitted at the counts of the claim; then
/// nothing is sent.
///
/// # Errors
///
/// If it is denied and that cannot be written.
pub(super) async fn execute<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    taurusdb: &Taurusdb<'_, H>,
    claim: &Claim<'c>,
    denied: Option<Denial>,
) -> Reported<'c> {
    let ledger = ctx.ledger().await?;
    if let Some(denial) = denied {
        let outcome = Outcome::Denied(Denied::Removal(denial.clone()));
        let policies = denial.policies();
        let withdrawn = ctx.stored(ledger.withdraw(claim, &ctx.ending(&outcome), ctx.decided_by(policies)).await);
        return match withdrawn {
            Ok(row) => Ok(Report::of_row(outcome, row)),
            Err(error) => Err(Refusal::from(error).map(|report| stale(claim, report).decided_by(policies))),
        };
    }
    let deleted = taurusdb.delete(claim.permit()).await;
    let completion = Completion {
        ending: ctx.ending(&deleted.outcome),
        request_id: deleted.request_id.as_deref(),
        attempts: deleted.attempts,
    };
    let completed = ledger.complete(claim, &completion).await;
    let report = Report {
        retry_after: deleted.retry_after.filter(|_| !deleted.outcome.status().is_success()),
        request_id: deleted.request_id,
        ..Report::new(deleted.outcome).decided_by(claim.permit().policies())
    };
    Ok(match completed {
        Ok(row) => Report { row: LedgerRow::Current(Box::new(row)), ..report },
        Err(StoreError(why)) => {
            // The requester still gets the outcome; the row stays in flight, so that a repeat is not sent.
            ctx.host.log(&format!("ledger: the outcome of {} could not be written: {why}", claim.id().as_str()));
            stale(claim, report)
        }
    })
}

fn stale<'c>(claim: &Claim<'_>, report: Report<'c>) -> Report<'c> {
    Report { row: LedgerRow::Stale(claim.id().clone()), ..report }
}

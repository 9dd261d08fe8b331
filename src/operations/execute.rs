//! Carries out a claimed removal: the signed DELETE. Its outcome is written by [`record`](super::record), when the requester
//! has been answered where that is possible.

use chrono::{DateTime, Utc};

use crate::host::Host;
use crate::ledger::claims::Claim;
use crate::ledger::ending::Ending;
use crate::operations::Ctx;
use crate::operations::report::{LedgerRow, Refusal, Report, Reported, Unsettled};
use crate::operations::tell;
use crate::outcome::denial::Denial;
use crate::outcome::{Denied, Outcome};
use crate::request::removal::RemovalRequest;
use crate::taurusdb::Taurusdb;

/// How long after its time limit a request still counts as running: its last statement may be on its way.
const GRACE: chrono::Duration = chrono::Duration::seconds(5);

/// When this request cannot be running any more.
pub(super) fn claim_deadline<H>(ctx: &Ctx<'_, H>) -> DateTime<Utc> {
    let total = chrono::Duration::from_std(ctx.budget.limits().total).unwrap_or_default();
    ctx.at.checked_add_signed(total).and_then(|at| at.checked_add_signed(GRACE)).unwrap_or(ctx.at)
}

/// Sends the DELETE of a claim.
pub(super) async fn execute<'c, H: Host>(ctx: &Ctx<'c, H>, taurusdb: &Taurusdb<'_, H>, claim: Claim<'c>) -> Report<'c> {
    let began = ctx.host.elapsed();
    let deleted = taurusdb.delete(claim.permit()).await;
    let upstream = (deleted.attempts > 0).then(|| ctx.host.elapsed().saturating_sub(began));
    let policies = claim.permit().policies().to_vec();
    let unsettled = Unsettled { claim, at: ctx.host.now(), attempts: deleted.attempts, upstream };
    Report {
        retry_after: deleted.retry_after.filter(|_| !deleted.outcome.status().is_success()),
        request_id: deleted.request_id,
        row: LedgerRow::Claimed(Box::new(unsettled)),
        policies,
        ..Report::new(deleted.outcome)
    }
}

/// Gives up a claim that is not permitted at the counts that came with it. Nothing is sent.
///
/// # Errors
///
/// If that cannot be written.
pub(super) async fn withdraw<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    claim: &Claim<'c>,
    denial: Denial,
) -> Reported<'c> {
    let policies = denial.policies().to_vec();
    let outcome = Outcome::Denied(Denied::Removal(denial));
    let ledger = ctx.ledger().await?;
    let told = tell::of_outcome(ctx.app, removal, Some(claim.row()), &outcome);
    let ending = Ending { notify: told.as_deref(), ..ctx.ending(&outcome) };
    match ctx.stored(ledger.withdraw(claim, &ending, ctx.decided_by(&policies)).await) {
        Ok(row) => Ok(Report::of_row(outcome, row)),
        Err(error) => {
            let stale = |report| Report { row: LedgerRow::Stale(claim.id().clone()), ..report };
            Err(Refusal::from(error).map(|report| stale(report).decided_by(&policies)))
        }
    }
}

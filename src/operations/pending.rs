//! The answer about a row that waits.

use std::collections::BTreeSet;

use chrono::DateTime;

use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::authorize::authorize;
use crate::operations::report::{Refusal, Report, Reported};
use crate::outcome::state::State;
use crate::outcome::{Closed, Outcome, Waiting};
use crate::policy::permit::Decision;
use crate::request::removal::RemovalRequest;

/// The answer about a row that waits: for what, or that its time is over.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn pending_outcome<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    row: RemovalRow,
) -> Reported<'c> {
    let outcome = match read_outcome(ctx, removal, &row).await {
        Ok(outcome) => outcome,
        Err(refusal) => return Err(refusal.of_row(&row)),
    };
    let row = match outcome {
        Outcome::Closed(_) => {
            let now = ctx.ledger().await?.row(row.id.as_str()).await;
            ctx.stored(now).map_err(|error| Refusal::from(error).of_row(&row))?.unwrap_or(row)
        }
        _ => row,
    };
    Ok(Report::of_row(outcome, row))
}

async fn read_outcome<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    row: &RemovalRow,
) -> Result<Outcome, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    if row.expires_at.unwrap_or_default() <= ctx.at.timestamp_millis() {
        ctx.stored(ledger.expire(ctx.language, ctx.at).await)?;
        return Ok(Outcome::Closed(Closed::Expired));
    }
    let reference = row.reference.clone().unwrap_or_default();
    let until = row.expires_at.and_then(DateTime::from_timestamp_millis).unwrap_or(ctx.at);
    if row.state == State::AwaitingConfirmation {
        let counts = ctx.stored(ledger.count(&row.id, removal, ctx.person_of(removal), ctx.at).await)?;
        let decision = authorize(ctx, removal, true, counts);
        let needs_approval = matches!(decision, Decision::NeedsApproval { .. });
        return Ok(Outcome::Waiting(Waiting::Confirmation { reference, needs_approval, until }));
    }
    let people: BTreeSet<_> = row.approvals().map(|vote| &vote.person).collect();
    let required = ctx.app.config.approvals.required(&removal.instance.environment);
    let missing = required.saturating_sub(u32::try_from(people.len()).unwrap_or(u32::MAX)).max(1);
    Ok(Outcome::Waiting(Waiting::Approval { reference, missing, until }))
}

//! Lets a removal wait: for the requester's confirmation, or for approvals.

use std::time::Duration;

use crate::host::Host;
use crate::ledger::approvals::{PendingSpec, Terms};
use crate::operations::Ctx;
use crate::operations::pending::pending_outcome;
use crate::operations::replay::replay;
use crate::operations::report::Reported;
use crate::operations::tell;
use crate::outcome::Outcome;
use crate::outcome::state::State;
use crate::policy::permit::Decision;
use crate::request::ids::Reference;
use crate::request::removal::RemovalRequest;

/// How long the requester has to confirm.
const TO_CONFIRM: Duration = Duration::from_secs(300);

/// Whether a row that waits, or waited, from one time to the other does so for the requester: approvers have longer. Times are in
/// milliseconds since 1970.
pub(super) fn waited_for_confirmation(asked_at: i64, expires_at: Option<i64>) -> bool {
    let waited = expires_at.map(|until| until.saturating_sub(asked_at));
    waited.and_then(|waited| u64::try_from(waited).ok()).map(Duration::from_millis) == Some(TO_CONFIRM)
}

/// Writes a row that waits for the requester, if the caller asks for confirmation, or else for approvals.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn request_approval<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    decision: &Decision<'c>,
) -> Reported<'c> {
    let policies = match decision {
        Decision::Permit(permit) => permit.policies(),
        Decision::NeedsApproval { policies } => policies,
        Decision::Denial(denial) => denial.policies(),
    };
    let (state, patience) = match ctx.caller.confirm {
        true => (State::AwaitingConfirmation, TO_CONFIRM),
        false => (State::AwaitingApproval, ctx.app.config.approvals.expire),
    };
    let sealed = ctx.sealed_reply_address(removal.delivery.as_str());
    let reference = Reference::new(ctx.host.random());
    // What the requester has not confirmed does not concern approvers yet.
    let told = match state {
        State::AwaitingApproval => tell::of_waiting(&ctx.app.config, removal),
        _ => None,
    };
    let terms = Terms {
        patience,
        decided_by: ctx.decided_by(policies),
        reply_address: sealed.as_deref(),
        notify: told.as_deref(),
    };
    let person = ctx.person_of(removal);
    let pending = PendingSpec { state, reference: &reference, person, terms };
    let ledger = ctx.ledger().await?;
    match ctx.stored(ledger.request(&ctx.id, removal, &pending, ctx.at).await)? {
        Some(row) => pending_outcome(ctx, removal, row).await,
        // Another copy of the same delivery was faster by a moment: its row stands for both.
        None => {
            let prior = ctx.stored(ledger.find(removal, person, ctx.at).await)?;
            let Some(earlier) = prior.earlier else { return Err(Outcome::InProgress.into()) };
            Box::pin(replay(ctx, removal, earlier)).await
        }
    }
}

//! Asks policy about a removal.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::host::Host;
use crate::operations::Ctx;
use crate::outcome::denial::Denial;
use crate::policy::AuthzContext;
use crate::policy::counts::Counts;
use crate::policy::permit::{ApprovalShortfall, Decision, Permit};
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

/// What policy decides about a removal. `confirmed` says whether the requester confirms it before anything is sent.
pub(super) fn authorize<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    confirmed: bool,
    counts: Counts,
) -> Decision<'c> {
    let context = AuthzContext { dry_run: removal.dry_run, confirmed, ..policy_context(ctx.app, ctx.at, counts) };
    let (decision, failed) = ctx.app.policies.decide(removal, &ctx.app.config, context);
    if let Some(why) = failed {
        let principal = &removal.actor.principal;
        ctx.host.log(&format!("policy: evaluation failed for a removal by {principal}; denied: {why}"));
    }
    decision
}

/// What policy decides about a removal that these people approved.
///
/// # Errors
///
/// If too few of them may approve, or policy does not permit the removal any more.
pub(super) fn authorize_approved<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    approvers: &[Actor],
    counts: Counts,
) -> Result<Permit<'c>, ApprovalShortfall> {
    let confirmed = ctx.app.config.caller(&removal.actor.caller).is_ok_and(|caller| caller.confirm);
    let context = AuthzContext { confirmed, ..policy_context(ctx.app, ctx.at, counts) };
    ctx.app.policies.decide_approved(removal, approvers, &ctx.app.config, context)
}

/// Why a removal is not permitted at once; `None` if it is.
pub(super) fn denied_by(decision: Decision<'_>) -> Option<Denial> {
    match decision {
        Decision::Permit(_) => None,
        // Its policies permit the request, and forbid nothing.
        Decision::NeedsApproval { .. } => Some(Denial::NotPermitted),
        Decision::Denial(denial) => Some(denial),
    }
}

/// What a decision depends on beside the request itself.
pub(super) fn policy_context(app: &App, now: DateTime<Utc>, counts: Counts) -> AuthzContext {
    AuthzContext {
        now: now.with_timezone(&app.config.utc_offset),
        dry_run: false,
        confirmed: false,
        approved: false,
        removals_last_hour: counts.removals.requester,
        instance_removals_last_hour: counts.removals.instance,
        waiting_requests: counts.waiting,
    }
}

//! What would become of a removal that a person is about to ask for.
//!
//! It is the dry run of every other caller (`remove`) and sends nothing. Beside it is what the removal itself would come to: a policy
//! may permit dry runs alone.

use chrono::Duration;

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::authorize::{authorize, policy_context};
use crate::operations::record::record;
use crate::operations::remove::remove;
use crate::operations::report::Refusal;
use crate::outcome::{DryRun, DryRunDecision, Outcome};
use crate::policy::counts::Counts;
use crate::policy::explain::Role;
use crate::policy::permit::Decision;
use crate::policy::{Action, AuthzContext, AuthzRequest, Principal};
use crate::request::removal::RemovalRequest;

/// Why a removal is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The person asks what would happen: the dry run has a row, as that of any caller.
    Look,
    /// The person sends it: the removal will have a row.
    Send,
}

/// What would become of a removal at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRemoval {
    /// The decision about the removal, and whether there is such an account.
    pub would: DryRun,
    /// How many approvals it would wait for; 0 if it would not wait.
    pub required: u32,
    /// Until when it would wait, in milliseconds since 1970; `None` if it would not wait.
    pub expires_at: Option<i64>,
}

/// What policy says of removing an account at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtOnce {
    /// The policies that forbid it now.
    pub forbidden_by: Vec<String>,
    /// The policies that would forbid it under conditions that are not met now.
    pub forbidden_at_times: Vec<String>,
}

/// Checks a removal, which is to be a dry run; `None` if its delivery has been answered already.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn check_removal<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    purpose: Purpose,
) -> Result<Option<CheckedRemoval>, Refusal<'c>> {
    let mut report = remove(ctx, removal).await?;
    if purpose == Purpose::Look {
        report = record(ctx.host, Ok(ctx.app), &ctx.origin(), report).await;
    }
    let Outcome::DryRun(dry_run) = report.outcome else { return Ok(None) };
    let would = match dry_run.decision {
        DryRunDecision::Deny => dry_run,
        DryRunDecision::Remove | DryRunDecision::RequestApproval => of_removal(ctx, removal, dry_run).await?,
    };
    let waits = would.decision == DryRunDecision::RequestApproval;
    let approvals = &ctx.app.config.approvals;
    let patience = Duration::from_std(approvals.expire).unwrap_or_default();
    Ok(Some(CheckedRemoval {
        required: if waits { approvals.required(&removal.instance.environment) } else { 0 },
        expires_at: ctx.at.checked_add_signed(patience).filter(|_| waits).map(|until| until.timestamp_millis()),
        would,
    }))
}

/// What policy says of removing the account of a removal at once.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn at_once<'c, H: Host>(ctx: &Ctx<'c, H>, removal: &RemovalRequest<'c>) -> Result<AtOnce, Refusal<'c>> {
    let app = ctx.app;
    let counts = counts(ctx, removal).await?;
    let context = AuthzContext { confirmed: ctx.caller.confirm, ..policy_context(app, ctx.at, counts) };
    let request = AuthzRequest::about(removal, Principal::of(&removal.actor, &app.config), Action::Delete);
    let explained = app.policies.explain(&request, context);
    let forbidding = |role: &Role| {
        let policies = explained.policies.iter().filter(|policy| !policy.is_permit && policy.role == *role);
        policies.map(|policy| policy.id.clone()).collect()
    };
    Ok(AtOnce { forbidden_by: forbidding(&Role::Decided), forbidden_at_times: forbidding(&Role::AlmostApplies) })
}

/// The decision about the removal that a dry run stands for.
async fn of_removal<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    dry_run: DryRun,
) -> Result<DryRun, Refusal<'c>> {
    let removal = RemovalRequest { dry_run: false, ..removal.clone() };
    let counts = counts(ctx, &removal).await?;
    let (decision, policies) = match authorize(ctx, &removal, ctx.caller.confirm, counts) {
        Decision::Permit(permit) => (DryRunDecision::Remove, permit.policies().to_vec()),
        Decision::NeedsApproval { policies } => (DryRunDecision::RequestApproval, policies),
        Decision::Denial(denial) => (DryRunDecision::Deny, denial.policies().to_vec()),
    };
    Ok(DryRun { decision, policies, ..dry_run })
}

async fn counts<'c, H: Host>(ctx: &Ctx<'c, H>, removal: &RemovalRequest<'c>) -> Result<Counts, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    Ok(ctx.stored(ledger.count(&ctx.id, removal, ctx.person_of(removal), ctx.at).await)?)
}

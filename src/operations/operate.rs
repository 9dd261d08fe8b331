//! Who may run jobs and read the metrics: policy decides, on the ledger as a whole.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::authorize::policy_context;
use crate::operations::report::Refusal;
use crate::outcome::{Denied, Outcome};
use crate::policy::counts::Counts;
use crate::policy::{Action, AuthzRequest, Principal, Resource};

/// The policies that permit it.
///
/// # Errors
///
/// If policy does not.
pub(super) fn permitted_to_operate<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Vec<String>, Refusal<'c>> {
    let request = AuthzRequest {
        principal: Principal::of(ctx.actor, &ctx.app.config),
        action: Action::Operate,
        resource: Resource::Ledger,
        reason_given: false,
    };
    let response = ctx.app.policies.is_authorized(&request, policy_context(ctx.app, ctx.at, Counts::default()));
    if let Some(why) = &response.failed {
        let principal = &ctx.actor.principal;
        ctx.host.log(&format!("policy: evaluation failed for a job by {principal}; denied: {why}"));
    }
    if response.allowed {
        Ok(response.policies)
    } else {
        Err(Outcome::Denied(Denied::Operate(response.denial())).into())
    }
}

//! Says what a removal would do, and sends nothing.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::report::Report;
use crate::outcome::{AccountPresence, DryRun, DryRunDecision, Outcome};
use crate::policy::permit::Decision;
use crate::request::removal::RemovalRequest;

/// What would happen, and whether there is such an account.
pub(super) async fn dry_run<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    decision: Decision<'c>,
) -> Report<'c> {
    let (decision, policies) = match decision {
        Decision::Permit(permit) => (DryRunDecision::Remove, permit.policies().to_vec()),
        Decision::NeedsApproval { policies } => (DryRunDecision::RequestApproval, policies),
        Decision::Denial(denial) => (DryRunDecision::Deny, denial.policies().to_vec()),
    };
    let account = match decision {
        // A requester who may not remove an account does not learn whether it exists.
        DryRunDecision::Deny => AccountPresence::NotChecked,
        DryRunDecision::Remove | DryRunDecision::RequestApproval => match ctx.taurusdb(removal.instance).await {
            Ok(taurusdb) => taurusdb.account_presence(removal.user_name.as_str()).await,
            Err(_) => AccountPresence::Unknown,
        },
    };
    let outcome = Outcome::DryRun(DryRun { decision, account, policies: policies.clone() });
    Report::new(outcome).decided_by(&policies)
}

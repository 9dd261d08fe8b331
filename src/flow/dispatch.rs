//! Which operation carries out a command.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::decide_approval::{ApprovalDecision, decide_approval};
use crate::operations::get_metrics::get_metrics;
use crate::operations::get_removal::get_removal;
use crate::operations::help::help;
use crate::operations::jobs::{JobDone, run_job};
use crate::operations::list_accounts::list_accounts;
use crate::operations::list_pending::list_pending;
use crate::operations::list_removals::list_removals;
use crate::operations::offboard_leavers::offboard_leavers;
use crate::operations::provision_people::provision_people;
use crate::operations::remove::remove;
use crate::operations::remove_several::remove_several;
use crate::operations::report::{Content, Refusal, Report, Reported};
use crate::request::command::Command;
use crate::request::ids::DeliveryId;
use crate::request::removal::RemovalRequest;

/// What a command came to.
pub(super) enum Answered<'c> {
    /// An outcome.
    Report(Box<Report<'c>>),
    /// An answer that is no outcome.
    Content(Content),
    /// The same, and outcomes that requesters are told.
    Job(Content, Vec<Report<'c>>),
}

/// Carries out a command.
///
/// # Errors
///
/// If the operation refuses it.
pub(super) async fn dispatch<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    command: Command<'c>,
    delivery: DeliveryId,
) -> Result<Answered<'c>, Refusal<'c>> {
    match command {
        Command::RemoveAccount { user_name, instance, reason, dry_run, caused_by } => {
            let actor = ctx.actor.clone();
            let removal = RemovalRequest { actor, user_name, instance, reason, delivery, dry_run, caused_by };
            reported(remove(ctx, &removal).await)
        }
        Command::RemoveAccounts(events) => reported(remove_several(ctx, events).await),
        Command::DecideApproval { id, action, reason } => {
            reported(decide_approval(ctx, ApprovalDecision { action, reason: reason.as_ref() }, &id).await)
        }
        Command::OffboardLeavers(leavers) => reported(offboard_leavers(ctx, &leavers).await),
        Command::Scim(operation, projection) => {
            provision_people(ctx, operation, &projection).await.map(Answered::Content)
        }
        Command::GetRemoval { id } => get_removal(ctx, &id).await.map(Answered::Content),
        Command::ListRemovals { query, format } => list_removals(ctx, &query, format).await.map(Answered::Content),
        Command::ListAccounts { instance, query } => list_accounts(ctx, instance, &query).await.map(Answered::Content),
        Command::ListPending(query) => list_pending(ctx, &query).await.map(Answered::Content),
        Command::RunJob(job) => {
            run_job(ctx, job).await.map(|JobDone { content, expired }| Answered::Job(content, expired))
        }
        Command::GetMetrics => get_metrics(ctx).await.map(Answered::Content),
        Command::Help => Ok(Answered::Content(help(ctx))),
    }
}

fn reported(reported: Reported<'_>) -> Result<Answered<'_>, Refusal<'_>> {
    reported.map(|report| Answered::Report(Box::new(report)))
}

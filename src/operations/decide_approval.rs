//! A person confirms, cancels, approves or denies what waits.
//!
//! Policy decides again at that moment about each person who has a part in it, and the row is held to its fingerprint, so that
//! a person approves exactly what was shown. Requesters never approve their own request, also not through another caller
//! (`[[person]]`), whatever policy says.

use crate::config::Config;
use crate::host::Host;
use crate::ledger::approvals::{NewVote, Terms};
use crate::ledger::claims::Attempt;
use crate::ledger::ending::DecidedBy;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::authorize::{authorize, authorize_approved, denied_by, policy_context};
use crate::operations::execute::{claim_deadline, execute, withdraw};
use crate::operations::pending::pending_outcome;
use crate::operations::reader::Reader;
use crate::operations::reconcile::reconcile_account;
use crate::operations::replay::replay;
use crate::operations::report::{Notify, Refusal, Report, Reported};
use crate::operations::tell;
use crate::outcome::denial::Denial;
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{Closed, Denied, Outcome, catalog};
use crate::policy::counts::{Counts, RecentRemovals};
use crate::policy::permit::{ApprovalShortfall, Decision, Permit};
use crate::policy::{Action, AuthzRequest, Principal};
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;
use crate::request::ids::DeliveryId;
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;

/// What a person decides about a request that waits.
pub(crate) struct ApprovalDecision<'a> {
    pub(crate) action: ApprovalAction,
    pub(crate) reason: Option<&'a Reason>,
}

/// A request that waits, in the state that the decision is about.
struct Pending<'a, 'c> {
    row: &'a RemovalRow,
    from: State,
    removal: &'a RemovalRequest<'c>,
}

/// Carries out a person's decision about what waits under an id or a reference.
///
/// # Errors
///
/// If nothing waits there, or the person may not decide it: the row then goes on waiting. If the ledger, the credentials or the
/// configuration cannot be used.
pub(crate) async fn decide_approval<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    decision: ApprovalDecision<'_>,
    id: &str,
) -> Reported<'c> {
    let ledger = ctx.ledger().await?;
    ctx.stored(ledger.expire(ctx.language, ctx.at).await)?;
    let row = ctx.stored(ledger.row(id).await)?.filter(|row| row.reference.is_some());
    let Some(row) = row else {
        return Err(Outcome::Refused(Message::new(&catalog::PENDING_UNKNOWN).quoting("id", id)).into());
    };
    let removal = request_from_row(&ctx.app.config, &row);
    check_may_decide(ctx, decision.action, &row, removal.as_ref())?;
    decide(ctx, &decision, &row, removal).await.map_err(|refusal| refusal.of_row(&row))
}

/// Refuses a decision that is not this person's to make.
fn check_may_decide<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    action: ApprovalAction,
    row: &RemovalRow,
    removal: Option<&RemovalRequest<'c>>,
) -> Result<(), Refusal<'c>> {
    let denied = match action {
        ApprovalAction::Confirm | ApprovalAction::Cancel if ctx.is_own(row.actor.as_deref()) => return Ok(()),
        ApprovalAction::Confirm | ApprovalAction::Cancel => Denied::NotRequester,
        ApprovalAction::Approve | ApprovalAction::Deny if ctx.is_own_row(row) => Denied::OwnRequest,
        ApprovalAction::Approve | ApprovalAction::Deny => match removal {
            None if row.outcome(ctx.at).is_none() => Denied::ConfigurationChanged,
            None => match check_may_look(ctx, row) {
                Ok(()) => return Ok(()),
                Err(denied) => denied,
            },
            Some(removal) => {
                let principal = Principal::of(ctx.actor, &ctx.app.config);
                let request = AuthzRequest::about(removal, principal, Action::Approve);
                let context = policy_context(ctx.app, ctx.at, Counts::default());
                let response = ctx.app.policies.is_authorized(&request, context);
                if let Some(why) = &response.failed {
                    let principal = &ctx.actor.principal;
                    ctx.host.log(&format!("policy: evaluation failed for an approval by {principal}; denied: {why}"));
                }
                if response.allowed {
                    return Ok(());
                }
                Denied::Approval(response.denial())
            }
        },
    };
    Err(Outcome::Denied(denied).into())
}

/// Refuses to say what became of a request, to a person who neither decided about it nor may look it up: policy cannot be asked
/// about approvals on an account that is not configured any more.
fn check_may_look<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow) -> Result<(), Denied> {
    if row.votes.iter().any(|vote| ctx.is_own(Some(&vote.actor))) {
        return Ok(());
    }
    let mut reader = Reader::new(ctx);
    let response = reader.response(row);
    if response.allowed { Ok(()) } else { Err(Denied::Audit(response.denial())) }
}

async fn decide<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    decision: &ApprovalDecision<'_>,
    row: &RemovalRow,
    removal: Option<RemovalRequest<'c>>,
) -> Reported<'c> {
    let from = match (decision.action, row.state) {
        (ApprovalAction::Confirm, State::AwaitingConfirmation)
        | (ApprovalAction::Cancel, State::AwaitingConfirmation | State::AwaitingApproval)
        | (ApprovalAction::Approve | ApprovalAction::Deny, State::AwaitingApproval) => row.state,
        // It has gone on without this person, who is told how.
        _ => return current_outcome(ctx, row).await,
    };
    let Some(removal) = removal.filter(|removal| row.matches(removal)) else {
        return close(ctx, row, from, Denied::ConfigurationChanged).await;
    };
    let pending = Pending { row, from, removal: &removal };
    let decided = match decision.action {
        ApprovalAction::Cancel => close(ctx, row, from, Closed::Cancelled).await,
        ApprovalAction::Deny => deny(ctx, &pending, decision).await,
        ApprovalAction::Confirm => confirm(ctx, &pending).await,
        ApprovalAction::Approve => approve(ctx, &pending, decision).await,
    };
    decided
        .map(|report| report.of_removal(&removal))
        .map_err(|refusal| refusal.map(|report| report.of_removal(&removal)))
}

/// The requester means it: the removal is sent, or waits for approval.
async fn confirm<'c, H: Host>(ctx: &Ctx<'c, H>, pending: &Pending<'_, 'c>) -> Reported<'c> {
    let Pending { row, from, removal } = *pending;
    let ledger = ctx.ledger().await?;
    let counts = ctx.stored(ledger.count(&row.id, removal, ctx.person_of(removal), ctx.at).await)?;
    match authorize(ctx, removal, true, counts) {
        Decision::Permit(permit) => {
            let recheck = |removals| match removals {
                same if same == counts.removals => None,
                removals => denied_by(authorize(ctx, removal, true, Counts { removals, ..counts })),
            };
            claim_and_execute(ctx, pending, permit, recheck).await
        }
        Decision::NeedsApproval { policies } => {
            let sealed = ctx.sealed_reply_address(row.delivery().unwrap_or_default());
            let patience = ctx.app.config.approvals.expire;
            let told = tell::of_waiting(&ctx.app.config, removal);
            let terms = Terms {
                patience,
                decided_by: ctx.decided_by(&policies),
                reply_address: sealed.as_deref(),
                notify: told.as_deref(),
            };
            match ctx.stored(ledger.await_approval(&row.id, &terms, ctx.at).await)? {
                Some(row) => pending_outcome(ctx, removal, row).await,
                None => current_outcome(ctx, row).await,
            }
        }
        Decision::Denial(denial) => close(ctx, row, from, Denied::Removal(denial)).await,
    }
}

async fn deny<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    pending: &Pending<'_, 'c>,
    decision: &ApprovalDecision<'_>,
) -> Reported<'c> {
    record_vote(ctx, pending.row, decision).await?;
    let reason = decision.reason.map(|reason| reason.as_str().to_owned());
    let rejected = Closed::Rejected { by: ctx.actor.principal.clone(), reason };
    notifying(pending.row, close(ctx, pending.row, pending.from, rejected).await)
}

async fn approve<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    pending: &Pending<'_, 'c>,
    decision: &ApprovalDecision<'_>,
) -> Reported<'c> {
    let Pending { row, from, removal } = *pending;
    let ledger = ctx.ledger().await?;
    let counts = ctx.stored(ledger.count(&row.id, removal, ctx.person_of(removal), ctx.at).await)?;
    record_vote(ctx, row, decision).await?;
    let voted = ctx.stored(ledger.row(row.id.as_str()).await)?;
    let Some(row) = voted else {
        let id = row.id.as_str();
        return Err(Outcome::Refused(Message::new(&catalog::PENDING_UNKNOWN).quoting("id", id)).into());
    };
    if row.state != from {
        // Another person's approval was the last one needed.
        return current_outcome(ctx, &row).await;
    }
    let approvers: Vec<Actor> = row.approvals().map(|vote| vote.actor()).collect();
    let authorize = |counts| authorize_approved(ctx, removal, &approvers, counts);
    match authorize(counts) {
        Ok(permit) => {
            let recheck = |removals| match authorize(Counts { removals, ..counts }) {
                _ if removals == counts.removals => None,
                Ok(_) => None,
                Err(ApprovalShortfall::Denied(denial, _)) => Some(denial),
                Err(ApprovalShortfall::Missing(_)) => Some(Denial::NotPermitted),
            };
            let pending = Pending { row: &row, from, removal };
            notifying(&row, claim_and_execute(ctx, &pending, permit, recheck).await)
        }
        Err(ApprovalShortfall::Missing(_)) => return pending_outcome(ctx, removal, row).await,
        Err(ApprovalShortfall::Denied(denial, failed)) => {
            if let Some(why) = failed {
                ctx.host.log(&format!("policy: evaluation failed for an approved removal; denied: {why}"));
            }
            notifying(&row, close(ctx, &row, from, Denied::Removal(denial)).await)
        }
    }
    .map_err(|refusal| refusal.of_row(&row))
}

/// The removal request of a row, by the configuration of now; `None` if the configuration does not have its parts any more.
pub(super) fn request_from_row<'c>(config: &'c Config, row: &RemovalRow) -> Option<RemovalRequest<'c>> {
    Some(RemovalRequest {
        actor: row.requester()?,
        user_name: config.accounts.parse(row.user_name.as_deref()?).ok()?,
        instance: config.instance(row.instance.as_deref()?).ok()?,
        reason: Reason::parse(row.reason.as_deref().unwrap_or_default()).ok()?,
        delivery: DeliveryId::recorded(row.delivery()?.to_owned()),
        dry_run: false,
        caused_by: row.caused_by.clone(),
    })
}

/// Claims a waiting removal and sends it, unless `recheck` says why it is not permitted at the counts of the claim.
async fn claim_and_execute<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    pending: &Pending<'_, 'c>,
    permit: Permit<'c>,
    recheck: impl Fn(RecentRemovals) -> Option<Denial>,
) -> Reported<'c> {
    let Pending { row, removal, .. } = *pending;
    let taurusdb = ctx.taurusdb(removal.instance).await?;
    reconcile_account(ctx, &taurusdb, removal).await;
    let person = ctx.person_of(removal);
    let attempt = Attempt { id: row.id.clone(), at: ctx.at, until: claim_deadline(ctx), person };
    let ledger = ctx.ledger().await?;
    let claimed = ctx.stored(ledger.claim_waiting(row, removal, permit, &attempt).await)?;
    let Some((claim, counts)) = claimed else { return current_outcome(ctx, row).await };
    match recheck(counts) {
        Some(denial) => withdraw(ctx, removal, &claim, denial).await,
        None => Ok(execute(ctx, &taurusdb, claim).await),
    }
}

/// Ends a waiting row without a DELETE.
async fn close<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    row: &RemovalRow,
    from: State,
    outcome: impl Into<Outcome>,
) -> Reported<'c> {
    let outcome = outcome.into();
    let decided_by = match &outcome {
        Outcome::Denied(Denied::Removal(denial)) => ctx.decided_by(denial.policies()),
        _ => DecidedBy { policies: &row.policies, policy_set: row.policy_set.as_deref() },
    };
    let ledger = ctx.ledger().await?;
    match ctx.stored(ledger.close(&row.id, from, &ctx.ending_on_arrival(&outcome), decided_by).await)? {
        Some(row) => Ok(Report::of_row(outcome, row)),
        None => current_outcome(ctx, row).await,
    }
}

/// What has become of a row by now: another person or request was faster.
async fn current_outcome<'c, H: Host>(ctx: &Ctx<'c, H>, row: &RemovalRow) -> Reported<'c> {
    let row = ctx.stored(ctx.ledger().await?.row(row.id.as_str()).await)?;
    let Some(row) = row else { return Err(Outcome::Denied(Denied::ConfigurationChanged).into()) };
    let Some(removal) = request_from_row(&ctx.app.config, &row) else {
        // Its instance or account is not configured any more; the row tells how it ended all the same.
        return match row.outcome(ctx.at) {
            Some(outcome) => Ok(Report { is_decided_already: true, ..Report::of_row(outcome, row) }),
            None => Err(Outcome::Denied(Denied::ConfigurationChanged).into()),
        };
    };
    replay(ctx, &removal, row)
        .await
        .map(|report| Report { is_decided_already: true, ..report.of_removal(&removal) })
        .map_err(|refusal| refusal.map(|report| report.of_removal(&removal)))
}

async fn record_vote<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    row: &RemovalRow,
    decision: &ApprovalDecision<'_>,
) -> Result<(), Refusal<'c>> {
    let vote = NewVote {
        person: ctx.app.config.person(&ctx.actor.principal),
        actor: ctx.actor,
        approved: decision.action == ApprovalAction::Approve,
        reason: decision.reason.map(Reason::as_str),
    };
    Ok(ctx.stored(ctx.ledger().await?.record_vote(&row.id, &vote, ctx.at).await)?)
}

/// Has the requester told as well, if their platform takes a follow-up message.
fn notifying<'c>(row: &RemovalRow, reported: Reported<'c>) -> Reported<'c> {
    let notify = Notify::of_row(row);
    match reported {
        Ok(report) => Ok(Report { notify, ..report }),
        Err(refusal) => Err(refusal.map(|report| Report { notify, ..report })),
    }
}

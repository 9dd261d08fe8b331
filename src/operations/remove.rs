//! Removes an account: the story of the gateway, from top to bottom.
//!
//! No permit, no call; no row, no call. The same delivery is one DELETE: a second one is answered from the first one's row.

use crate::host::Host;
use crate::ledger::claims::{Attempt, PriorState};
use crate::operations::Ctx;
use crate::operations::authorize::{authorize, denied_by};
use crate::operations::dry_run::dry_run;
use crate::operations::execute::{claim_deadline, execute, withdraw};
use crate::operations::reconcile::reconcile_account;
use crate::operations::replay::replay;
use crate::operations::report::{Refusal, Report, Reported};
use crate::operations::request_approval::request_approval;
use crate::outcome::{Denied, Outcome};
use crate::policy::counts::Counts;
use crate::policy::permit::{Decision, Permit};
use crate::request::removal::RemovalRequest;

/// Carries out a removal request.
///
/// # Errors
///
/// If it is denied or refused, or the ledger, the credentials or the configuration cannot be used. No DELETE was sent then.
pub(crate) async fn remove<'c, H: Host>(ctx: &Ctx<'c, H>, removal: &RemovalRequest<'c>) -> Reported<'c> {
    of_removal(removal, decide(ctx, removal, false).await)
}

/// The same for an account that may be another person's: it waits for approval although policy permits the removal.
///
/// # Errors
///
/// As [`remove`].
pub(super) async fn remove_contested<'c, H: Host>(ctx: &Ctx<'c, H>, removal: &RemovalRequest<'c>) -> Reported<'c> {
    of_removal(removal, decide(ctx, removal, true).await)
}

fn of_removal<'c>(removal: &RemovalRequest<'c>, reported: Reported<'c>) -> Reported<'c> {
    reported
        .map(|report| report.of_removal(removal))
        .map_err(|refusal| refusal.map(|report| report.of_removal(removal)))
}

async fn decide<'c, H: Host>(ctx: &Ctx<'c, H>, removal: &RemovalRequest<'c>, is_contested: bool) -> Reported<'c> {
    let ledger = ctx.ledger().await?;
    let confirm = ctx.caller.confirm;
    let uncounted = match ctx.app.policies.largest_indifferent_counts() {
        Some(most) if !removal.dry_run && !confirm && !is_contested => match claim_unseen(ctx, removal, most).await? {
            Unseen::Sent(report) => return Ok(*report),
            Unseen::NotPermitted(decision) => Some((decision, most)),
            Unseen::NotClaimed => None,
        },
        _ => None,
    };
    let prior = ctx.stored(ledger.find(removal, ctx.person_of(removal), ctx.at).await)?;
    if let Some(earlier) = prior.earlier {
        return replay(ctx, removal, earlier).await;
    }
    let decision = match uncounted {
        Some((decision, most)) if prior.counts.is_within(&most) => decision,
        _ => authorize(ctx, removal, confirm, prior.counts),
    };
    if removal.dry_run {
        return Ok(dry_run(ctx, removal, decision).await);
    }
    let permit = match decision {
        Decision::Denial(denial) => return Err(Outcome::Denied(Denied::Removal(denial)).into()),
        Decision::Permit(permit) if !confirm && !is_contested => permit,
        // The requester confirms first, or other people approve.
        decision => return request_approval(ctx, removal, &decision).await,
    };
    let policies = permit.policies().to_vec();
    let sent = send(ctx, removal, permit, &prior).await;
    sent.map_err(|refusal| {
        refusal.map(|report| match report.policies.as_slice() {
            [] => report.decided_by(&policies),
            _ => report,
        })
    })
}

/// What comes of a removal of which nothing was looked up.
enum Unseen<'c> {
    /// It was claimed and sent.
    Sent(Box<Report<'c>>),
    /// Policy does not permit it at once, up to the counts that it was asked for.
    NotPermitted(Decision<'c>),
    /// It may be permitted, and it takes a look at the ledger or at the credentials to say.
    NotClaimed,
}

/// Claims a removal at first sight: most removals are the first of their delivery, of an account of which nothing is unsettled, and
/// far from any brake, so that one statement finds all this and claims. `most` are the counts up to which policy answers as at 0.
async fn claim_unseen<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    most: Counts,
) -> Result<Unseen<'c>, Refusal<'c>> {
    let permit = match authorize(ctx, removal, ctx.caller.confirm, Counts::default()) {
        Decision::Permit(permit) => permit,
        decision => return Ok(Unseen::NotPermitted(decision)),
    };
    // An earlier row of the delivery answers it even while there are no credentials.
    let Ok(taurusdb) = ctx.taurusdb(removal.instance).await else { return Ok(Unseen::NotClaimed) };
    let ledger = ctx.ledger().await?;
    let attempt = attempt(ctx, removal);
    match ctx.stored(ledger.claim_unseen(removal, permit, &attempt, most).await)? {
        Some(claim) => Ok(Unseen::Sent(Box::new(execute(ctx, &taurusdb, claim).await))),
        None => Ok(Unseen::NotClaimed),
    }
}

fn attempt<'a, H: Host>(ctx: &'a Ctx<'_, H>, removal: &'a RemovalRequest<'_>) -> Attempt<'a> {
    Attempt { id: ctx.id.clone(), at: ctx.at, until: claim_deadline(ctx), person: ctx.person_of(removal) }
}

/// Claims a permitted removal, and sends it.
async fn send<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    permit: Permit<'c>,
    prior: &PriorState,
) -> Reported<'c> {
    let ledger = ctx.ledger().await?;
    let taurusdb = ctx.taurusdb(removal.instance).await?;
    if prior.unresolved {
        reconcile_account(ctx, &taurusdb, removal).await;
    }
    let attempt = attempt(ctx, removal);
    let claimed = ctx.stored(ledger.claim(removal, permit, &attempt).await)?;
    let Some((claim, removals)) = claimed else {
        // Another copy of the same delivery was faster by a moment: its row stands for both.
        let now = ctx.stored(ledger.find(removal, attempt.person, ctx.at).await)?;
        let Some(earlier) = now.earlier else { return Err(Outcome::InProgress.into()) };
        return replay(ctx, removal, earlier).await;
    };
    // Other removals may have been claimed since the decision: a brake that counts has to see each claim before this one.
    let denied = match removals {
        same if same == prior.counts.removals => None,
        removals => denied_by(authorize(ctx, removal, ctx.caller.confirm, Counts { removals, ..prior.counts })),
    };
    match denied {
        Some(denial) => withdraw(ctx, removal, &claim, denial).await,
        None => Ok(execute(ctx, &taurusdb, claim).await),
    }
}

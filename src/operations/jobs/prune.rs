//! Deletes what is not kept: refusals whose sender was not proved, beyond those that are kept; what instances share about tokens
//! and published keys, once it has expired; messages that ended long ago; and, where `[keep]` says for how long they are kept,
//! rows of requests that ended without a DELETE.

use chrono::TimeDelta;

use crate::host::{Host, StoreError};
use crate::ledger::Ledger;
use crate::ledger::retention::{AT_ONCE, Old};
use crate::operations::Ctx;
use crate::operations::jobs::summary::{Summary, is_out_of_time};
use crate::outcome::NotSent;

/// How long ended messages are kept. A request waits for thirty days at most.
const MESSAGES_KEPT: TimeDelta = TimeDelta::days(60);

/// Deletes it, as far as the time suffices.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn prune<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Summary<'c>, NotSent> {
    let ledger = ctx.ledger().await?;
    let now = ctx.host.now();
    let keep = ctx.app.config.keep;
    let tokens = ctx.stored(ledger.prune_tokens(now).await)?;
    let keys = ctx.stored(ledger.prune_published_keys(now).await)?;
    let ended_before = ctx.at.checked_sub_signed(MESSAGES_KEPT).unwrap_or(ctx.at);
    let (messages, more_messages) = in_portions(ctx, async || ledger.prune_messages(ended_before).await).await?;
    let (unproved, more_unproved) = prune_unproved(ctx, &ledger).await?;
    let (refused, more_refused) = prune_old(ctx, &ledger, Old::Undelivered, keep.refused_days).await?;
    let (decided, more_decided) = prune_old(ctx, &ledger, Old::Delivered, keep.decided_days).await?;
    Ok(Summary {
        counted: vec![
            ("unproved", unproved),
            ("refused", refused),
            ("decided", decided),
            ("tokens", tokens),
            ("keys", keys),
            ("messages", messages),
        ],
        more: more_unproved || more_refused || more_decided || more_messages,
        expired: Vec::new(),
    })
}

/// Returns how many are gone, and whether there are more.
async fn prune_unproved<'c, H: Host>(ctx: &Ctx<'c, H>, ledger: &Ledger<'c, H>) -> Result<(usize, bool), NotSent> {
    let mut gone = 0_usize;
    let mut beyond = ctx.stored(ledger.unproved_beyond_kept().await)?;
    while beyond > 0 {
        if is_out_of_time(ctx) {
            return Ok((gone, true));
        }
        ctx.stored(ledger.prune_unproved().await)?;
        let left = ctx.stored(ledger.unproved_beyond_kept().await)?;
        gone = gone.saturating_add(usize::try_from(beyond.saturating_sub(left)).unwrap_or(usize::MAX));
        // Others add rows meanwhile: those are for the next run.
        if left >= beyond {
            return Ok((gone, true));
        }
        beyond = left;
    }
    Ok((gone, false))
}

/// Returns how many are gone, and whether there are more; nothing goes where the operator keeps them for good.
async fn prune_old<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    ledger: &Ledger<'c, H>,
    old: Old,
    days: Option<u32>,
) -> Result<(usize, bool), NotSent> {
    match days {
        Some(days) => in_portions(ctx, async || ledger.prune_old(old, days, ctx.at).await).await,
        None => Ok((0, false)),
    }
}

/// Calls `delete`, which deletes at most [`AT_ONCE`] and returns how many, until nothing is left or the time is over. Returns how
/// many are gone, and whether there are more.
async fn in_portions<H: Host>(
    ctx: &Ctx<'_, H>,
    delete: impl AsyncFn() -> Result<usize, StoreError>,
) -> Result<(usize, bool), NotSent> {
    let mut gone = 0_usize;
    while !is_out_of_time(ctx) {
        let count = ctx.stored(delete().await)?;
        gone = gone.saturating_add(count);
        if count < AT_ONCE {
            return Ok((gone, false));
        }
    }
    Ok((gone, true))
}

//! Ends the requests that have waited too long, and tells their requesters. A look-up ends them as well and tells no requester, so the job
//! tells also those whose requests it finds ended.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::jobs::summary::Summary;
use crate::operations::report::{Notify, Report};
use crate::outcome::{Closed, NotSent, Outcome};

/// The most requests that one run ends, and the most requesters that it tells, at once.
const MOST: usize = 50;

/// Ends the oldest, and returns a report on each request whose requester was not told yet.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn expire<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Summary<'c>, NotSent> {
    let ledger = ctx.ledger().await?;
    let now = ctx.host.now();
    let count = ctx.stored(ledger.expire_some(ctx.language, now, MOST).await)?;
    let untold = ctx.stored(ledger.take_untold(ctx.app.config.approvals.expire, now, MOST).await)?;
    let more = count == MOST || untold.len() == MOST;
    let expired: Vec<_> = untold
        .into_iter()
        .filter_map(|row| {
            let notify = Some(Notify::of_row(&row)?);
            Some(Report { notify, ..Report::of_row(Outcome::Closed(Closed::Expired), row) })
        })
        .collect();
    Ok(Summary { counted: vec![("expired", count), ("told", expired.len())], more, expired })
}

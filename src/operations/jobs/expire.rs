//! Ends the requests that have waited too long. What ends them otherwise is the next look-up of any request; a job is what tells the
//! requester in time.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::jobs::summary::Summary;
use crate::operations::report::{Notify, Report};
use crate::outcome::{Closed, NotSent, Outcome};

/// The most requests that one run ends: each of their requesters may be told, at once.
const MOST: usize = 50;

/// Ends the oldest, and returns a report on each for its requester.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn expire<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Summary<'c>, NotSent> {
    let ledger = ctx.ledger().await?;
    let rows = ctx.stored(ledger.expire_some(ctx.language, ctx.host.now(), MOST).await)?;
    let count = rows.len();
    let expired: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            let notify = Some(Notify::of_row(&row)?);
            Some(Report { notify, ..Report::of_row(Outcome::Closed(Closed::Expired), row) })
        })
        .collect();
    Ok(Summary { counted: vec![("expired", count), ("told", expired.len())], more: count == MOST, expired })
}

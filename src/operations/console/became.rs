//! What became of what a person has just decided or asked for.

use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::reader::Reader;
use crate::operations::report::Refusal;

/// Returns the row with this id or reference; `None` if there is none that the person of the request may see: their own, one that they
/// decided about, or one that policy lets them audit.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn what_became<'c, H: Host>(ctx: &Ctx<'c, H>, id: &str) -> Result<Option<RemovalRow>, Refusal<'c>> {
    let row = ctx.stored(ctx.ledger().await?.row(id).await)?;
    Ok(row.filter(|row| {
        let has_decided = row.votes.iter().any(|vote| ctx.is_own(Some(&vote.actor)));
        ctx.is_own_row(row) || has_decided || Reader::new(ctx).response(row).allowed
    }))
}

/// Returns the digest of what a request asks for that waits or waited under this reference; `None` if there is none. Whether a person may
/// decide about it is not looked at here: a form is held to what it showed before that.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn fingerprint_of<'c, H: Host>(ctx: &Ctx<'c, H>, reference: &str) -> Result<Option<String>, Refusal<'c>> {
    let row = ctx.stored(ctx.ledger().await?.row(reference).await)?;
    Ok(row.and_then(|row| row.fingerprint))
}

//! Answers a delivery that has a row already, from that row. If its effect is not known, the account list is asked first.

use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::pending::pending_outcome;
use crate::operations::reconcile::{outcome_from_presence, reconcile_row};
use crate::operations::report::{Report, Reported};
use crate::outcome::Outcome;
use crate::outcome::catalog;
use crate::outcome::message::Message;
use crate::request::removal::RemovalRequest;

/// The answer of an earlier row of the same delivery.
///
/// # Errors
///
/// If the row is about another account, or the ledger cannot be used.
pub(super) async fn replay<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    removal: &RemovalRequest<'c>,
    earlier: RemovalRow,
) -> Reported<'c> {
    if !earlier.is_about(removal) {
        return Err(Outcome::Refused(Message::new(&catalog::DELIVERY_REUSED)).into());
    }
    let Some(outcome) = earlier.outcome(ctx.at) else {
        return pending_outcome(ctx, removal, earlier).await;
    };
    let retry_after = earlier.seconds_left(ctx.at);
    let unresolved = earlier.unresolved(ctx.at).filter(|_| !earlier.targets_other_instance(removal.instance));
    let Some(unresolved) = unresolved else {
        return Ok(Report { retry_after, ..Report::of_row(outcome, earlier) });
    };
    let outcome = match ctx.taurusdb(removal.instance).await {
        Ok(taurusdb) => {
            let presence = taurusdb.account_presence(removal.user_name.as_str()).await;
            outcome_from_presence(presence).unwrap_or(outcome)
        }
        Err(_) => outcome,
    };
    let row = match reconcile_row(ctx, &unresolved, &outcome).await {
        Some(row) => row,
        // Another request was faster by a moment: the log is to have the row as it is now.
        None => match ctx.ledger().await?.row(earlier.id.as_str()).await {
            Ok(Some(row)) => row,
            Ok(None) | Err(_) => earlier,
        },
    };
    Ok(Report { retry_after, ..Report::of_row(outcome, row) })
}

//! Several accounts are removed by one request: a batch of events, of which each asks for one removal.
//!
//! Each is a removal like any other, with its own delivery, row, decision and answer; the answer to the batch is one summary. An
//! event that cannot be understood is refused by itself, with a row that says so.

use futures_util::stream::{self, StreamExt};

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::account_result::{About, account_result};
use crate::operations::remove::remove;
use crate::operations::report::{LedgerRow, Report, Reported};
use crate::outcome::Outcome;
use crate::outcome::leavers::AccountResult;
use crate::request::command::{AccountRemoval, OneOfSeveral};
use crate::request::removal::RemovalRequest;

/// How many removals are carried out at once.
const AT_ONCE: usize = 8;

/// Removes the accounts.
///
/// # Errors
///
/// If the ledger cannot be used. What becomes of the accounts is no error.
pub(crate) async fn remove_several<'c, H: Host>(ctx: &Ctx<'c, H>, events: Vec<OneOfSeveral<'c>>) -> Reported<'c> {
    ctx.ledger().await?;
    let results: Vec<AccountResult> =
        stream::iter(events).map(|event| remove_one(ctx, event)).buffered(AT_ONCE).collect().await;
    Ok(Report { row: LedgerRow::OfParts, ..Report::new(Outcome::Offboarded(results)) })
}

/// Removes one account, with its row and log line.
async fn remove_one<'c, H: Host>(ctx: &Ctx<'c, H>, event: OneOfSeveral<'c>) -> AccountResult {
    let part = ctx.part();
    let (about, report) = match event.event {
        Err(error) => (About::Event(event.id), Report::new(error.into())),
        Ok(AccountRemoval { user_name, instance, reason, caused_by }) => {
            let about = About::Account(instance.name.clone(), user_name.as_str().to_owned());
            let actor = part.actor.clone();
            let delivery = event.delivery;
            let removal = RemovalRequest { actor, user_name, instance, reason, delivery, dry_run: false, caused_by };
            (about, remove(&part, &removal).await.unwrap_or_else(|refusal| *refusal.0))
        }
    };
    account_result(&part, about, report).await
}

//! *A removal*: its row, and what happened as far as the row tells.

use crate::console::pages::removal::{Removal, page};
use crate::flow::console::people;
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::console::waiting_for::{required_approvals, waits_for_person};
use crate::operations::console::{LookedUp, Owner, look_up, owners_of};
use crate::operations::report::Refusal;
use crate::reply::Rendered;

/// Returns the page of an id or a reference. A removal of unknown outcome is settled first, as `GET /removals/{id}` does.
///
/// # Errors
///
/// If there is none, the reader may not see it, or the ledger cannot be used.
pub(super) async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>, id: &str) -> Result<Rendered, Refusal<'c>> {
    let LookedUp { row, .. } = look_up(visit.ctx, id).await?;
    let owners = match row.instance.as_deref().zip(row.user_name.as_deref()) {
        Some((instance, user_name)) => owners_of(visit.ctx, instance, user_name).await?,
        None => None,
    };
    let view = removal(visit, row, &owners.unwrap_or_default());
    Ok(visit.html(page(&visit.frame().await?, &view)))
}

fn removal<H: Host>(visit: &Visit<'_, '_, H>, row: RemovalRow, owners: &[Owner]) -> Removal {
    let config = &visit.ctx.app.config;
    Removal {
        id: row.id.as_str().to_owned(),
        account: people::account_of_row(config, &row),
        state: row.state,
        requester: people::requester_of_row(config, &row),
        owner: people::owner(owners, config.person(&visit.person.actor.principal)),
        asked_at: row.asked_at,
        // Without a reference it has not waited.
        expires_at: row.expires_at.filter(|_| row.reference.is_some()),
        ended_at: row.ended_at,
        votes: people::votes_of_row(config, &row),
        required: required_approvals(config, &row),
        attempts: row.attempts,
        is_from_account_list: row.confirmed_by.is_some(),
        raw: format!("{:#}", row.json()),
        waits_for_reader: waits_for_person(visit.ctx, &row),
        reference: row.reference,
        reason: row.reason,
        policies: row.policies,
        policy_set: row.policy_set,
        code: row.code,
        message: row.message,
        request_id: row.request_id,
    }
}

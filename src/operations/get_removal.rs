//! Looks up one removal; if its effect is not known, it is reconciled first.

use chrono::SecondsFormat;
use http::StatusCode;
use serde_json::json;

use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::reader::{Reader, account_of};
use crate::operations::reconcile::{log_reconciled, outcome_from_presence, reconcile_row};
use crate::operations::report::{Content, Refusal};
use crate::operations::{Ctx, content};
use crate::outcome::log_event::log_event;
use crate::outcome::message::Message;
use crate::outcome::{Denied, Outcome, catalog};
use crate::reply::Rendered;

/// A removal that the reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// The row.
    pub row: RemovalRow,
    /// The policies that permit the reader to see it; none for the reader's own request.
    pub policies: Vec<String>,
}

/// The removal of an id or a reference, for a reader who may see it.
///
/// # Errors
///
/// If there is none, the reader may not see it, or the ledger cannot be used.
pub(crate) async fn get_removal<'c, H: Host>(ctx: &Ctx<'c, H>, id: &str) -> Result<Content, Refusal<'c>> {
    let LookedUp { row, policies } = look_up(ctx, id).await?;
    let rendered = match ctx.chat {
        Some(chat) => chat.show(&content::status(&row, &ctx.app.config, ctx.language)),
        None => Rendered::json(StatusCode::OK, row.json().to_string()),
    };
    Ok(Content { policies, ..Content::of(rendered) })
}

/// The same as data. The log has a line of who read what.
///
/// # Errors
///
/// As `get_removal`.
pub async fn look_up<'c, H: Host>(ctx: &Ctx<'c, H>, id: &str) -> Result<LookedUp, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    ctx.stored(ledger.expire(ctx.language, ctx.at).await)?;
    let Some(row) = ctx.stored(ledger.row(id).await)? else {
        return Err(Outcome::Refused(Message::new(&catalog::REMOVAL_UNKNOWN).quoting("id", id)).into());
    };
    let mut reader = Reader::new(ctx);
    let mut policies = Vec::new();
    if !reader.is_own(&row) {
        let response = reader.response(&row);
        policies.clone_from(&response.policies);
        if !response.allowed {
            return Err(Outcome::Denied(Denied::Audit(response.denial())).into());
        }
    }
    let row = reconciled(ctx, row).await;
    let event = json!({
        "event": "looked",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "id": row.id.as_str(),
        "by": ctx.actor.principal,
        "policies": policies,
        "state": row.state.as_str(),
    });
    log_event(ctx.host, event);
    Ok(LookedUp { row, policies })
}

/// The row, settled by the account list if its effect is not known and the list can be read.
async fn reconciled<H: Host>(ctx: &Ctx<'_, H>, row: RemovalRow) -> RemovalRow {
    if let Some(unresolved) = row.unresolved(ctx.at)
        && let Some(account) = account_of(&ctx.app.config, &row)
        && !row.targets_other_instance(account.instance)
        && let Ok(taurusdb) = ctx.taurusdb(account.instance).await
        && let Some(outcome) = outcome_from_presence(taurusdb.account_presence(account.user_name).await)
        && let Some(settled) = reconcile_row(ctx, &unresolved, &outcome).await
    {
        log_reconciled(ctx, &settled, &outcome, &ctx.actor.principal);
        return settled;
    }
    row
}

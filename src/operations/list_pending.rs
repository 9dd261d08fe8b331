//! Lists what waits: the requests of the reader, and those that the reader may approve.

use http::StatusCode;
use serde_json::json;

use crate::host::Host;
use crate::ledger::claims::RecentRemovals;
use crate::ledger::row::RemovalRow;
use crate::operations::authorize::policy_context;
use crate::operations::decide_approval::request_from_row;
use crate::operations::report::{Content, Refusal};
use crate::operations::{Ctx, content};
use crate::outcome::state::State;
use crate::policy::{Action, AuthzRequest, Principal};
use crate::reply::Rendered;

/// What waits for the reader.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(crate) async fn list_pending<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Content, Refusal<'c>> {
    let config = &ctx.app.config;
    let context = policy_context(ctx.app, ctx.at, RecentRemovals::default());
    let mut rows = ctx.stored(ctx.ledger().await?.pending(ctx.at).await)?;
    rows.retain(|row| {
        let may_approve = || {
            let Some(removal) = request_from_row(config, row) else { return false };
            let request = AuthzRequest::about(&removal, Principal::of(ctx.actor, config), Action::Approve);
            row.state == State::AwaitingApproval && ctx.app.policies.is_authorized(&request, context).allowed
        };
        ctx.is_own(row.actor.as_deref()) || may_approve()
    });
    Ok(Content::of(match ctx.chat {
        Some(chat) => chat.message(&content::pending(&rows, ctx.language, chat)),
        None => {
            let rows: Vec<_> = rows.iter().map(RemovalRow::json).collect();
            Rendered::json(StatusCode::OK, json!({"approvals": rows}).to_string())
        }
    }))
}

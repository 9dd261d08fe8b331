//! Tells which commands there are, as far as policy permits them.

use http::StatusCode;
use serde_json::json;

use crate::callers::chat::format::ChatFormat;
use crate::host::Host;
use crate::ledger::claims::Counts;
use crate::operations::authorize::policy_context;
use crate::operations::report::Content;
use crate::operations::{Ctx, content};
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Principal, Resource};
use crate::reply::Rendered;

/// The commands that the person may use, and on which instances.
pub(crate) fn help<H: Host>(ctx: &Ctx<'_, H>) -> Content {
    let config = &ctx.app.config;
    let principal = Principal::of(ctx.actor, config);
    let context = AuthzContext { confirmed: true, ..policy_context(ctx.app, ctx.at, Counts::default()) };
    // For an account that no person has, and for the person's own: policies may be about either.
    let names = || std::iter::once("somebody").chain(principal.accounts.iter().map(String::as_str));
    let may = |action, instance| {
        names().any(|user_name| {
            let resource = Resource::Account(Account { instance, user_name });
            let request = AuthzRequest { principal, action, resource, reason_given: true };
            ctx.app.policies.is_authorized(&request, context).allowed
        })
    };
    let instances: Vec<&str> = config
        .instances()
        .iter()
        .filter(|instance| may(Action::Delete, instance) || may(Action::Request, instance))
        .map(|instance| instance.name.as_str())
        .collect();
    let message = content::help(&instances, ctx.language);
    Content::of(match ctx.chat {
        Some(chat) => chat.show(&message),
        None => {
            let lines: Vec<_> = message.body.iter().map(|line| line.render(&ChatFormat::PLAIN)).collect();
            Rendered::json(StatusCode::OK, json!({"help": lines.join("\n")}).to_string())
        }
    })
}

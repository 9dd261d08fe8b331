//! Tells which commands there are, as far as policy permits them.

use http::StatusCode;
use serde_json::json;

use crate::callers::chat::format::ChatFormat;
use crate::host::Host;
use crate::operations::nearest_instance::may_ask;
use crate::operations::report::Content;
use crate::operations::{Ctx, content};
use crate::reply::Rendered;

/// The commands that the person may use, and on which instances.
pub(crate) fn help<H: Host>(ctx: &Ctx<'_, H>) -> Content {
    let instances = ctx.app.config.instances().iter().filter(|instance| may_ask(ctx.app, ctx.actor, instance, ctx.at));
    let instances: Vec<&str> = instances.map(|instance| instance.name.as_str()).collect();
    let message = content::help(&instances, ctx.language);
    Content::of(match ctx.chat {
        Some(chat) => chat.show(&message),
        None => {
            let lines: Vec<_> = message.body.iter().map(|line| line.render(&ChatFormat::PLAIN)).collect();
            Rendered::json(StatusCode::OK, json!({"help": lines.join("\n")}).to_string())
        }
    })
}

//! Discord, by a webhook (<https://docs.discord.com/developers/resources/webhook#execute-webhook>): an embed, and buttons if the webhook
//! is the application's own. With `wait=true` the answer says whether the message was saved, and under which id it can be changed.
//!
//! Every request says that it mentions no one, changes as well, because a change begins from the default again.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use std::time::Duration;

use crate::callers::chat::forms::discord;
use crate::config::notify::{NotifyEvent, URL};
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Handle, Verdict, answered, answered_with, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct Discord;

const EXPECTED: &str = "the URL of a webhook, `https://discord.com/api/webhooks/…`";

/// Discord's code for a message that is not there.
const UNKNOWN_MESSAGE: i64 = 10_008;

impl NotifyPlatform for Discord {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let uri = webhook::url_at(to, &["https://discord.com"], EXPECTED)?;
        let mut body = discord::body(&notice.shown(to.has_buttons));
        // The form is that of answers to commands, which one person alone may see.
        body.remove("flags");
        if !to.has_buttons {
            body.remove("components");
        }
        let mut body = Value::Object(body);
        if let (Some(link), Some(embed)) = (&notice.link, body.pointer_mut("/embeds/0").and_then(Value::as_object_mut))
        {
            embed.insert("url".into(), link.as_str().into());
        }
        let (method, path, query) = match (notice.event, notice.earlier) {
            (NotifyEvent::Decided, Some(handle)) if is_snowflake(&handle.id) => {
                (Method::PATCH, format!("/messages/{}", handle.id), "")
            }
            _ => (Method::POST, String::new(), "wait=true"),
        };
        let uri = webhook::extended(&uri, &path, query).ok_or(Unsendable::Form(URL, EXPECTED))?;
        Ok(webhook::json(method, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        let body = read(answer);
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            let wait = body.get("retry_after").and_then(Value::as_f64).filter(|wait| (0.0..86_400.0).contains(wait));
            let wait = wait.map(Duration::from_secs_f64).max(super::verdict::retry_after(answer));
            return Verdict::Retry(wait, answered(answer));
        }
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let code = body.get("code").and_then(Value::as_i64);
        let said = || answered_with(answer, &code.unwrap_or_default().to_string());
        match (answer.status(), body.get("id").and_then(Value::as_str)) {
            (StatusCode::OK, Some(id)) if is_snowflake(id) => Verdict::Delivered(Some(Handle::new(id))),
            (status, _) if status.is_success() => undocumented(answer),
            (StatusCode::NOT_FOUND, _) if code == Some(UNKNOWN_MESSAGE) => Verdict::NoEarlier(said()),
            (StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED, _) => Verdict::Dead(said()),
            _ => Verdict::Refused(said()),
        }
    }
}

fn is_snowflake(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

//! Slack: an incoming webhook (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>), and a bot
//! (<https://docs.slack.dev/reference/methods/chat.postMessage>), whose messages can be changed and answered in a thread.
//!
//! A webhook answers `ok` as text; the Web API refuses inside of a 200. Neither takes a message twice for one.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde_json::{Map, Value, json};

use crate::callers::chat::forms::slack;
use crate::config::notify::{NotifyEvent, NotifyService, TOKEN};
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Handle, Verdict, answered_with, by_status, json as read, text, undocumented};
use crate::notify::webhook;

pub(super) struct SlackWebhook;

impl NotifyPlatform for SlackWebhook {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let origins = ["https://hooks.slack.com", "https://hooks.slack-gov.com"];
        let uri =
            webhook::url_at(to, &origins, "the URL of an incoming webhook, `https://hooks.slack.com/services/…`")?;
        Ok(webhook::json(Method::POST, uri, &Value::Object(body(notice, false))))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let said = text(answer);
        match (answer.status(), said.as_str()) {
            (StatusCode::OK, "ok") => Verdict::Delivered(None),
            (status, _) if status.is_success() => undocumented(answer),
            (StatusCode::GONE, _) | (StatusCode::NOT_FOUND, "no_service" | "no_team") => {
                Verdict::Dead(answered_with(answer, &said))
            }
            _ => Verdict::Refused(answered_with(answer, &said)),
        }
    }
}

pub(super) struct SlackBot;

const POST: &str = "https://slack.com/api/chat.postMessage";
const UPDATE: &str = "https://slack.com/api/chat.update";

/// Refusals of an update after which a message of its own says the same.
const NOT_TO_BE_CHANGED: [&str; 4] =
    ["message_not_found", "cant_update_message", "edit_window_closed", "update_failed"];

impl NotifyPlatform for SlackBot {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let NotifyService::Slack { channel, .. } = to.service else { return Err(Unsendable::Unset(TOKEN)) };
        let token = to.secret(TOKEN)?;
        let mut body = body(notice, to.has_buttons);
        let at = match (notice.event, notice.earlier) {
            (NotifyEvent::Decided, Some(handle)) => {
                body.insert("channel".into(), handle.channel.as_ref().unwrap_or(channel).as_str().into());
                body.insert("ts".into(), handle.id.as_str().into());
                Uri::from_static(UPDATE)
            }
            (event, earlier) => {
                body.insert("channel".into(), channel.as_str().into());
                body.insert("unfurl_links".into(), false.into());
                if let (NotifyEvent::Reminder, Some(handle)) = (event, earlier) {
                    body.insert("thread_ts".into(), handle.id.as_str().into());
                }
                Uri::from_static(POST)
            }
        };
        webhook::bearing(webhook::json(Method::POST, at, &Value::Object(body)), TOKEN, token)
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let body = read(answer);
        match (body.get("ok").and_then(Value::as_bool), body.get("error").and_then(Value::as_str)) {
            (Some(true), _) => {
                let part = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
                Verdict::Delivered(part("ts").map(|id| Handle { id, channel: part("channel") }))
            }
            (
                Some(false),
                Some(
                    "ratelimited"
                    | "rate_limited"
                    | "internal_error"
                    | "service_unavailable"
                    | "fatal_error"
                    | "request_timeout",
                ),
            ) => Verdict::Retry(
                None,
                answered_with(answer, body.get("error").and_then(Value::as_str).unwrap_or_default()),
            ),
            (Some(false), Some(error)) if NOT_TO_BE_CHANGED.contains(&error) => {
                Verdict::NoEarlier(answered_with(answer, error))
            }
            (Some(false), Some(error)) => Verdict::Refused(answered_with(answer, error)),
            _ => undocumented(answer),
        }
    }
}

/// The message without what is for answers to commands alone, and with the link as a button.
fn body(notice: &Notice<'_>, has_buttons: bool) -> Map<String, Value> {
    let mut body = slack::body(&notice.shown(has_buttons));
    body.remove("response_type");
    if let (Some(link), Some(blocks)) = (&notice.link, body.get_mut("blocks").and_then(Value::as_array_mut)) {
        let text = json!({"type": "plain_text", "text": notice.open()});
        let button = json!({"type": "button", "action_id": "open", "url": link, "text": text});
        let actions = blocks.iter_mut().find(|block| block.get("type") == Some(&"actions".into()));
        match actions.and_then(|actions| actions.get_mut("elements")).and_then(Value::as_array_mut) {
            Some(elements) => elements.push(button),
            None => {
                let ends_in_small_print =
                    blocks.last().is_some_and(|block| block.get("type") == Some(&"context".into()));
                let place = blocks.len().saturating_sub(usize::from(ends_in_small_print));
                blocks.insert(place, json!({"type": "actions", "elements": [button]}));
            }
        }
    }
    body
}

//! Mattermost: an incoming webhook (<https://developers.mattermost.com/integrate/webhooks/incoming/>), and a bot
//! (<https://developers.mattermost.com/api-documentation/#/operations/CreatePost>), whose posts can be changed and answered in a
//! thread. A post is text with an attachment.
//!
//! Not supported: buttons. Mattermost does not sign clicks, so they would need a proof of their own.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde_json::{Value, json};

use crate::callers::chat::forms::mattermost;
use crate::config::notify::{NotifyEvent, NotifyService, TOKEN};
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Handle, Verdict, answered_with, by_status, json as read, text, undocumented};
use crate::notify::webhook;

pub(super) struct MattermostWebhook;

impl NotifyPlatform for MattermostWebhook {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let is_hook = |uri: &Uri| uri.path().contains("/hooks/");
        let uri = webhook::url(to, "the URL of an incoming webhook, `https://host/hooks/…`", is_hook)?;
        let mut body = body(notice);
        if let Some(fields) = body.as_object_mut() {
            // They are for answers to commands alone.
            fields.remove("response_type");
            fields.remove("skip_slack_parsing");
        }
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        match by_status(answer) {
            Some(verdict) => verdict,
            None if answer.status() == StatusCode::OK && text(answer) == "ok" => Verdict::Delivered(None),
            None if answer.status().is_success() => undocumented(answer),
            None => refused(answer),
        }
    }
}

pub(super) struct MattermostBot;

impl NotifyPlatform for MattermostBot {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let NotifyService::Mattermost { server, channel, .. } = to.service else {
            return Err(Unsendable::Unset(TOKEN));
        };
        let shown = body(notice);
        let message = shown.get("text").cloned().unwrap_or_default();
        let attachments = shown.get("attachments").cloned().unwrap_or_else(|| json!([]));
        let props = json!({"attachments": attachments});
        let (method, path, body) = match (notice.event, notice.earlier) {
            (NotifyEvent::Decided, Some(handle)) if is_id(&handle.id) => {
                let path = format!("{server}/api/v4/posts/{}/patch", handle.id);
                (Method::PUT, path, json!({"message": message, "props": props}))
            }
            (event, earlier) => {
                let root = earlier.filter(|_| event == NotifyEvent::Reminder).map(|handle| handle.id.as_str());
                let root = root.unwrap_or_default();
                let body = json!({"channel_id": channel, "message": message, "props": props, "root_id": root});
                (Method::POST, format!("{server}/api/v4/posts"), body)
            }
        };
        let uri = path.parse().map_err(|_| Unsendable::Form(TOKEN, "a server that is a URL"))?;
        webhook::bearing(webhook::json(method, uri, &body), TOKEN, to.secret(TOKEN)?)
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let body = read(answer);
        match (answer.status(), body.get("id").and_then(Value::as_str)) {
            (StatusCode::OK | StatusCode::CREATED, Some(id)) if is_id(id) => Verdict::Delivered(Some(Handle::new(id))),
            (status, _) if status.is_success() => undocumented(answer),
            // A new post is never answered with 404 for lack of an earlier one but where that was deleted.
            (StatusCode::NOT_FOUND, Some(code)) => Verdict::NoEarlier(answered_with(answer, code)),
            _ => refused(answer),
        }
    }
}

fn refused(answer: &Answered) -> Verdict {
    let body = read(answer);
    Verdict::Refused(answered_with(answer, body.get("id").and_then(Value::as_str).unwrap_or_default()))
}

fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn body(notice: &Notice<'_>) -> Value {
    let mut body = mattermost::body(&notice.shown(false));
    if let (Some(link), Some(attachment)) =
        (&notice.link, body.pointer_mut("/attachments/0").and_then(Value::as_object_mut))
    {
        attachment.insert("title".into(), notice.open().into());
        attachment.insert("title_link".into(), link.as_str().into());
    }
    body
}

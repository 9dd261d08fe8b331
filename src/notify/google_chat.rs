//! Google Chat, by a webhook (<https://developers.google.com/workspace/chat/quickstart/webhooks>): a card, whose only buttons are
//! links. Everything about one request is one thread, and the same `requestId` is one message, so a message may be sent again.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::callers::chat::forms::google_chat;
use crate::config::notify::URL;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Handle, Verdict, answered, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct GoogleChat;

const EXPECTED: &str = "the URL of a webhook, `https://chat.googleapis.com/v1/spaces/…`";

impl NotifyPlatform for GoogleChat {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let uri = webhook::url_at(to, &["https://chat.googleapis.com"], EXPECTED)?;
        let more = format!("requestId={}&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", notice.key);
        let uri = webhook::extended(&uri, "", &more).ok_or(Unsendable::Form(URL, EXPECTED))?;
        let mut body = google_chat::body(&notice.shown(false));
        body.insert("thread".into(), json!({"threadKey": notice.thread}));
        let mut body = Value::Object(body);
        let widgets = body.pointer_mut("/cardsV2/0/card/sections/0/widgets").and_then(Value::as_array_mut);
        if let (Some(link), Some(widgets)) = (&notice.link, widgets) {
            let open = json!({"text": notice.open(), "onClick": {"openLink": {"url": link}}});
            widgets.push(json!({"buttonList": {"buttons": [open]}}));
        }
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        match (answer.status(), read(answer).get("name").and_then(Value::as_str)) {
            (StatusCode::OK, Some(name)) => Verdict::Delivered(Some(Handle::new(name))),
            (status, _) if status.is_success() => undocumented(answer),
            (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _) => Verdict::Dead(answered(answer)),
            _ => Verdict::Refused(answered(answer)),
        }
    }

    fn takes_twice(&self) -> bool {
        true
    }
}

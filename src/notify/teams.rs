//! Microsoft Teams, by a workflow "When a Teams webhook request is received"
//! (<https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook>): an Adaptive Card.
//!
//! 202 means that the workflow begins; whether it then shows the card is said to no sender. Office 365 connectors are retired.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde_json::json;

use crate::callers::chat::forms::teams;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered, by_status, undocumented};
use crate::notify::webhook;

pub(super) struct Teams;

impl NotifyPlatform for Teams {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let is_workflow = |uri: &Uri| {
            uri.scheme_str() == Some("https")
                && uri.host().is_some_and(|host| host.ends_with(".environment.api.powerplatform.com"))
        };
        let uri =
            webhook::url(to, "the URL of a workflow, `https://….environment.api.powerplatform.com/…`", is_workflow)?;
        let mut card = teams::titled_card(&notice.shown(false));
        if let (Some(link), Some(parts)) = (&notice.link, card.as_object_mut()) {
            let open = json!([{"type": "Action.OpenUrl", "title": notice.open(), "url": link}]);
            parts.insert("actions".into(), open);
        }
        let attachment = json!({
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        });
        Ok(webhook::json(Method::POST, uri, &json!({"type": "message", "attachments": [attachment]})))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        match by_status(answer) {
            Some(verdict) => verdict,
            None => match answer.status() {
                StatusCode::ACCEPTED | StatusCode::OK => Verdict::Delivered(None),
                StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::GONE => Verdict::Dead(answered(answer)),
                status if status.is_success() => undocumented(answer),
                _ => Verdict::Refused(answered(answer)),
            },
        }
    }
}

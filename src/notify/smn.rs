//! Huawei Cloud SMN (<https://support.huaweicloud.com/intl/en-us/api-smn/PublishMessage.html>): e-mail, SMS and whatever else subscribes
//! to the topic. The request is authenticated as those to TaurusDB are, by the operations.
//!
//! 200 with `message_id` means that the message is stored; when it reaches people is not promised.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::config::notify::NotifyService;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered_with, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct Smn;

/// The most bytes of a subject.
const LONGEST_SUBJECT: usize = 512;

/// Well within the 256 KB of a message.
const LONGEST: usize = 20_000;

/// The most characters of a short message.
const LONGEST_SMS: usize = 490;

impl NotifyPlatform for Smn {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let expected = Unsendable::Form("topic", "the URN of a topic");
        let NotifyService::Smn(topic) = to.service else { return Err(expected) };
        let path = format!("/v2/{}/notifications/topics/{}/publish", topic.project_id, topic.urn);
        let uri = topic.origin() + &path;
        let uri = uri.parse().map_err(|_| expected)?;
        // Brackets are around the signature of a short message.
        let sms = notice.short(LONGEST_SMS).replace(['[', ']', '【', '】'], "");
        let structure = json!({"default": notice.plain(LONGEST), "sms": sms}).to_string();
        let body = json!({"subject": subject(&notice.title()), "message_structure": structure});
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let body = read(answer);
        let code = ["error_code", "code"].into_iter().find_map(|key| body.get(key)?.as_str()).unwrap_or_default();
        match (answer.status(), body.get("message_id")) {
            (StatusCode::OK, Some(Value::String(_))) => Verdict::Delivered(None),
            (status, _) if status.is_success() => undocumented(answer),
            (StatusCode::NOT_FOUND, _) => Verdict::Dead(answered_with(answer, code)),
            _ => Verdict::Refused(answered_with(answer, code)),
        }
    }
}

/// A subject begins with a letter or digit, and has no line breaks.
fn subject(title: &str) -> String {
    let title = title.trim_start_matches(|character: char| !character.is_alphanumeric());
    let mut subject = String::new();
    for character in title.chars().map(|character| if character.is_control() { ' ' } else { character }) {
        if subject.len().saturating_add(character.len_utf8()) > LONGEST_SUBJECT {
            break;
        }
        subject.push(character);
    }
    subject
}

//! DingTalk, by a custom robot (<https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages>): Markdown, or a card with
//! one button that opens the link. A robot takes 20 messages a minute and is silent for ten minutes beyond that, so requests that wait
//! share a message.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use crate::callers::chat::format::{ChatFormat, break_mention, truncate, without_marks};
use crate::callers::chat::forms::plain;
use crate::config::notify::{SECRET, URL};
use crate::crypto::mac::hmac_sha256;
use crate::crypto::sdk_hmac::ENCODED;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered_with, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct Dingtalk;

const EXPECTED: &str = "the URL of a custom robot, `https://oapi.dingtalk.com/robot/send?access_token=…`";

/// How long a robot is silent that sent too much.
const SILENCE: Duration = Duration::from_secs(600);

/// Well within the 20,000 bytes of a message, because each line break is sent twice.
const LONGEST: usize = 15_000;

const FORMAT: ChatFormat = ChatFormat { escape: quoted, bold: |words| format!("### {words}"), ..ChatFormat::PLAIN };

impl NotifyPlatform for Dingtalk {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let mut uri = webhook::url_at(to, &["https://oapi.dingtalk.com"], EXPECTED)?;
        if let Ok(secret) = to.secret(SECRET) {
            let timestamp = notice.at.timestamp_millis().to_string();
            let query = format!("timestamp={timestamp}&sign={}", sign(&timestamp, secret.expose()));
            uri = webhook::extended(&uri, "", &query).ok_or(Unsendable::Form(URL, EXPECTED))?;
        }
        let title = truncate(&notice.title(), 100);
        // One line break is a space in Markdown.
        let text = plain::text(&notice.with_keyword(), &FORMAT, LONGEST, str::len).replace('\n', "\n\n");
        let body = match &notice.link {
            Some(link) => json!({"msgtype": "actionCard", "actionCard": {
                "title": title, "text": text, "singleTitle": notice.open(), "singleURL": link,
            }}),
            None => json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}}),
        };
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let body = read(answer);
        let said = |code: i64| answered_with(answer, &code.to_string());
        match (body.get("errcode").and_then(Value::as_i64), body.get("status").and_then(Value::as_i64)) {
            (Some(0), _) if answer.status().is_success() => Verdict::Delivered(None),
            (Some(-1), _) => Verdict::Retry(None, said(-1)),
            // 1111 is answered without `errcode`.
            (Some(code @ (130_101 | 410_100)), _) | (None, Some(code @ 1111)) => {
                Verdict::Retry(Some(SILENCE), said(code))
            }
            (Some(code @ (300_001 | 300_005 | 400_101 | 400_102 | 400_106 | 400_013)), _) => Verdict::Dead(said(code)),
            (Some(code), _) => Verdict::Refused(said(code)),
            (None, _) if answer.status().is_client_error() => Verdict::Refused(answered_with(answer, "")),
            (None, _) => undocumented(answer),
        }
    }

    fn merges(&self) -> bool {
        true
    }
}

/// The signature of a time in milliseconds, as the query has it.
pub(super) fn sign(timestamp: &str, secret: &str) -> String {
    let signed = format!("{timestamp}\n{secret}");
    let tag = hmac_sha256(secret.as_bytes(), &[signed.as_bytes()]).map(|tag| STANDARD.encode(tag));
    utf8_percent_encode(&tag.unwrap_or_default(), ENCODED).to_string()
}

/// Words of others: no links, no emphasis, no code, no tags; no heading, list or quotation where they begin a line.
fn quoted(words: &str) -> String {
    let plain = without_marks(words, &['`', '*', '~']).replace('<', "＜").replace('>', "＞");
    break_mention(&plain, &["](", "# ", "- "])
}

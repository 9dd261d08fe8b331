//! Feishu and Lark, by a custom bot (<https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>): a card of version 1, which
//! all clients show. The signature is an HMAC over nothing, whose key is the time and the secret.
//!
//! Not supported: apps, whose messages can be changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::callers::chat::forms::feishu;
use crate::config::notify::SECRET;
use crate::crypto::mac::hmac_sha256;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered_with, by_status, json as read, undocumented};
use crate::notify::webhook;

pub(super) struct Feishu;

impl NotifyPlatform for Feishu {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let origins = ["https://open.feishu.cn", "https://open.larksuite.com"];
        let uri =
            webhook::url_at(to, &origins, "the URL of a custom bot, `https://open.feishu.cn/open-apis/bot/v2/hook/…`")?;
        let mut card = feishu::card(&notice.with_keyword());
        if let (Some(link), Some(elements)) = (&notice.link, card.get_mut("elements").and_then(Value::as_array_mut)) {
            let text = json!({"tag": "plain_text", "content": notice.open()});
            let open = json!({"tag": "button", "type": "primary", "text": text, "url": link});
            elements.push(json!({"tag": "action", "actions": [open]}));
        }
        let mut body = json!({"msg_type": "interactive", "card": card});
        if let (Ok(secret), Some(fields)) = (to.secret(SECRET), body.as_object_mut()) {
            let timestamp = notice.at.timestamp().to_string();
            fields.insert("sign".into(), sign(&timestamp, secret.expose()).into());
            fields.insert("timestamp".into(), timestamp.into());
        }
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        if let Some(verdict) = by_status(answer) {
            return verdict;
        }
        let body = read(answer);
        let code = ["code", "StatusCode"].into_iter().find_map(|key| body.get(key)?.as_i64());
        let said = |code: i64| answered_with(answer, &code.to_string());
        match code {
            Some(0) if answer.status().is_success() => Verdict::Delivered(None),
            // Too often; at :00 and :30 more than elsewhere.
            Some(code @ 11_232) => Verdict::Retry(None, said(code)),
            Some(code @ 19_001) => Verdict::Dead(said(code)),
            Some(code) => Verdict::Refused(said(code)),
            None if answer.status().is_client_error() => Verdict::Refused(answered_with(answer, "")),
            None => undocumented(answer),
        }
    }
}

/// The signature of a time in seconds.
pub(super) fn sign(timestamp: &str, secret: &str) -> String {
    let key = format!("{timestamp}\n{secret}");
    hmac_sha256(key.as_bytes(), &[]).map(|tag| STANDARD.encode(tag)).unwrap_or_default()
}

//! Any system, by Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>): `{type, timestamp, data}`, signed by
//! every secret that is set, so that a rotation needs no downtime. `webhook-id` is the same at each attempt.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::SecondsFormat;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;

use crate::config::notify::SECRET;
use crate::crypto::key_text::base64_key;
use crate::crypto::mac::hmac_sha256;
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered, by_status, retry_after};
use crate::notify::webhook;

pub(super) struct StandardWebhooks;

const EXPECTED: Unsendable = Unsendable::Form(SECRET, "`whsec_` and the key in base64");

impl NotifyPlatform for StandardWebhooks {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let uri = webhook::url(to, "a URL with `https`", |_| true)?;
        let body = json!({
            "type": format!("removal.{}", notice.event.as_str()),
            "timestamp": notice.since.to_rfc3339_opts(SecondsFormat::Secs, true),
            "data": notice.facts,
        });
        let body = body.to_string();
        let id = format!("msg_{}", notice.key);
        let timestamp = notice.at.timestamp().to_string();
        let secrets = to.secrets.iter().filter(|(key, _)| *key == SECRET);
        let tags = secrets.map(|(_, secret)| sign(secret.expose(), &id, &timestamp, &body));
        let tags: Vec<_> = tags.collect::<Option<_>>().ok_or(EXPECTED)?;
        if tags.is_empty() {
            return Err(Unsendable::Unset(SECRET));
        }
        let mut request = webhook::bytes(Method::POST, uri, body.into());
        let headers = [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", tags.join(" "))];
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|_| EXPECTED)?;
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        match answer.status() {
            status if status.is_success() => Verdict::Delivered(None),
            StatusCode::GONE => Verdict::Dead(answered(answer)),
            // Redirections are failures as well, and are not followed.
            _ => by_status(answer).unwrap_or_else(|| Verdict::Retry(retry_after(answer), answered(answer))),
        }
    }

    fn takes_twice(&self) -> bool {
        true
    }
}

/// A signature of the list; `None` if the secret is none.
pub(super) fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> Option<String> {
    let key = base64_key(secret.strip_prefix("whsec_")?)?;
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
    hmac_sha256(&key, &signed).map(|tag| format!("v1,{}", STANDARD.encode(tag)))
}

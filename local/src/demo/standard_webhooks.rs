//! Plays a system that sends Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), signature `v1`.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use serde_json::json;

use super::demo_caller::{DemoCaller, DemoRequest};
use super::hmac::hmac_sha256;

pub(super) const CALLER: DemoCaller = DemoCaller {
    name: "hr",
    kind: "standard-webhooks",
    id: None,
    variable: "hr_webhook_secret",
    // "demo webhook secret of the hr system"
    secret: "whsec_ZGVtbyB3ZWJob29rIHNlY3JldCBvZiB0aGUgaHIgc3lzdGVt",
    proof: "webhook-signature, an HMAC-SHA256 of id, time and body under the webhook secret",
    grammar: "ACCOUNT [REASON]",
    request,
};

/// Returns the three headers that authenticate a request.
///
/// # Errors
///
/// If the secret is not base64 after `whsec_`.
pub fn headers(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> anyhow::Result<[(&'static str, String); 3]> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(text).ok().context("the webhook secret is not valid; write `whsec_` and base64")?;
    let tag = hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_owned()),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(tag))),
    ])
}

fn request(asked: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
    let (user_name, reason) = asked.text.split_once(' ').unwrap_or((asked.text, ""));
    let mut data = json!({"instance": asked.instance, "user_name": user_name});
    if !reason.is_empty() {
        data["reason"] = json!(reason);
    }
    let body = json!({"type": "account.delete", "data": data}).to_string();

    let mut request = Request::post("/hooks/hr").header(HOST, asked.host).header(CONTENT_TYPE, "application/json");
    let id = format!("msg_{:016x}", asked.nonce);
    for (name, value) in headers(asked.secret, &id, &asked.now.timestamp().to_string(), body.as_bytes())? {
        request = request.header(name, value);
    }
    Ok(request.body(body.into())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts at b2fa7b87.
    #[test]
    fn the_published_example() {
        let [_, _, signature] = headers(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(signature, ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()));
    }

    #[test]
    fn a_secret_that_is_not_base64_signs_nothing() {
        assert!(headers("whsec_*", "a", "1", b"").is_err());
    }
}

//! Plays a system that sends Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), signature `v1`.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use serde_json::json;

use super::demo_caller::{DemoCaller, DemoRequest};
use crate::simulator::senders;

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

fn request(asked: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
    let (user_name, reason) = asked.text.split_once(' ').unwrap_or((asked.text, ""));
    let mut data = json!({"instance": asked.instance, "user_name": user_name});
    if !reason.is_empty() {
        data["reason"] = json!(reason);
    }
    let body = json!({"type": "account.delete", "data": data}).to_string();

    let mut request = Request::post("/hooks/hr").header(HOST, asked.host).header(CONTENT_TYPE, "application/json");
    let id = format!("msg_{:016x}", asked.nonce);
    for (name, value) in
        senders::standard_webhooks(asked.secret, &id, &asked.now.timestamp().to_string(), body.as_bytes())?
    {
        request = request.header(name, value);
    }
    Ok(request.body(body.into())?)
}

//! Plays Slack: a slash command (<https://docs.slack.dev/interactivity/implementing-slash-commands>), signed as in
//! "Verifying requests from Slack" (<https://docs.slack.dev/authentication/verifying-requests-from-slack>).
//!
//! `response_url` is an address at Slack, as in a real request, but belongs to no workspace. Beside the simulated cloud, the
//! messages to it go to [`crate::simulator::chat_platform`] and never leave this machine.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use percent_encoding::utf8_percent_encode;

use super::demo_caller::{DemoCaller, DemoRequest};
use crate::simulator::chat_platform::ORIGIN;
use crate::simulator::senders::{self, ENCODED};

pub(super) const CALLER: DemoCaller = DemoCaller {
    name: "slack",
    kind: "slack",
    id: Some("U2CERLKJA"),
    variable: "slack_signing_secret",
    secret: "demo-slack-signing-secret",
    proof: "X-Slack-Signature, an HMAC-SHA256 of time and body under Slack's signing secret",
    grammar: "ACCOUNT INSTANCE [REASON], confirm ID, pending, or help",
    request,
};

fn request(asked: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
    let trigger = format!("{:016x}", asked.nonce);
    let response_url = format!("{}/commands/T0001/demo/{:016x}", ORIGIN, asked.nonce);
    let fields = [
        ("team_id", "T1DC2JH3J"),
        ("user_id", asked.id),
        ("user_name", "roadrunner"),
        ("command", "/offboard"),
        ("text", asked.text),
        ("response_url", &response_url),
        // Without it, the same command twice within a second would be one delivery.
        ("trigger_id", &trigger),
    ];
    let fields = fields.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED)));
    let body = fields.join("&");

    let mut request = Request::post("/hooks/slack")
        .header(HOST, asked.host)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in senders::slack(asked.secret, &asked.now.timestamp().to_string(), body.as_bytes()) {
        request = request.header(name, value);
    }
    Ok(request.body(body.into())?)
}

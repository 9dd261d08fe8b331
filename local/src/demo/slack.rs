//! Plays Slack: a slash command (<https://docs.slack.dev/interactivity/implementing-slash-commands>), signed as in
//! "Verifying requests from Slack" (<https://docs.slack.dev/authentication/verifying-requests-from-slack>).
//!
//! `response_url` is an address at Slack, as in a real request, but belongs to no workspace. Beside the simulated cloud, the
//! messages to it go to [`crate::simulator::chat_platform`] and never leave this machine.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use percent_encoding::utf8_percent_encode;
use starrocks_offboard::crypto::sdk_hmac::ENCODED;

use super::demo_caller::{DemoCaller, DemoRequest};
use super::hmac::hmac_sha256;
use crate::simulator::chat_platform::ORIGIN;

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

/// Returns the two headers that authenticate a request of Slack.
#[must_use]
pub fn headers(secret: &str, timestamp: &str, body: &[u8]) -> [(&'static str, String); 2] {
    let tag = hmac_sha256(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", body]);
    [("x-slack-request-timestamp", timestamp.to_owned()), ("x-slack-signature", format!("v0={}", hex::encode(tag)))]
}

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
    for (name, value) in headers(asked.secret, &asked.now.timestamp().to_string(), body.as_bytes()) {
        request = request.header(name, value);
    }
    Ok(request.body(body.into())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's documentation, from slackapi/python-slack-sdk,
    /// tests/slack_sdk/signature/test_signature_verifier.py at ae87985e.
    #[test]
    fn the_documented_example() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let [timestamp, signature] = headers("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.as_bytes());
        assert_eq!(timestamp, ("x-slack-request-timestamp", "1531420618".to_owned()));
        assert_eq!(
            signature,
            ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503".to_owned())
        );
    }
}

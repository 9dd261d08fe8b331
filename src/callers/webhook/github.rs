//! GitHub, a webhook of an organization with the content type `application/json`: `POST /hooks/{caller}`.
//!
//! Proof: `X-Hub-Signature-256: sha256=` and the hex HMAC-SHA256 of the raw body under the webhook's secret as text
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).
//!
//! Without `fields`, the event `organization` with the action `member_removed` reports a leaver; `[leavers]` sees the member's
//! `login` and `id`. With `fields`, the operator defines the meaning of the body. The `ping` that GitHub sends when a webhook is
//! created is answered.
//!
//! The signature covers the body only, so no header is believed: not `X-GitHub-Event`, and not `X-GitHub-Delivery`, with which a
//! recorded delivery could be replayed as a new one. Two requests with the same body are therefore the same delivery, unless
//! `fields` says where an `id` is. GitHub's body for a member has no time: if the same member is removed again, the answer is
//! the result of the first removal.
//!
//! GitHub waits ten seconds and does not retry by itself
//! (<https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>): a request that takes longer is
//! answered 202 and continues.
//!
//! Not supported: the content type `application/x-www-form-urlencoded`, and `X-Hub-Signature` (SHA-1), which is ignored.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::event::Event;
use crate::callers::follow_up::{Acknowledgement, accepted};
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::callers::webhook::body_fields;
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::{hmac_sha256_is, lower_hex_32};
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

pub(crate) struct Github;

impl CallerKind for Github {
    fn shape(&self) -> CallerShape {
        CallerShape { takes_fields: true, is_of_leavers: true, ..CallerShape::hook("github") }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let signature = required_header(&inbound.headers, SIGNATURE)?;
        let tag = signature
            .strip_prefix("sha256=")
            .and_then(lower_hex_32)
            .ok_or(ProofError::Malformed { header: SIGNATURE })?;
        keys.proved_by(|secret| hmac_sha256_is(secret.expose().as_bytes(), &[&inbound.body], &tag))?;
        Ok(Proof::of(body_fields::delivery(inbound, caller)))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = strict::json(&request.inbound.body).and_then(|body| {
            if is_ping(&body) {
                let pong = json!({"result": "PONG"}).to_string();
                return Ok(Event::Reply(Rendered::json(StatusCode::OK, pong)));
            }
            body_fields::read_or(request, body, config, |body| member_removed(body, &request.proof.delivery))
        });
        Event::parsed(request.caller, event)
    }

    fn acknowledge(&self, early: &Acknowledgement<'_>) -> Option<Rendered> {
        Some(accepted(early))
    }
}

const SIGNATURE: &str = "x-hub-signature-256";

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#organization>
#[derive(Deserialize)]
struct MemberRemoved {
    membership: Membership,
}

#[derive(Deserialize)]
struct Membership {
    user: User,
}

#[derive(Deserialize)]
struct User {
    login: String,
    id: u64,
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping>
fn is_ping(body: &Value) -> bool {
    body.get("zen").is_some_and(Value::is_string) && body.get("hook_id").is_some_and(Value::is_u64)
}

fn member_removed<'c>(body: Value, delivery: &DeliveryId) -> Result<Event<'c>, RequestError> {
    const NOT_REMOVED: &str = "no member was removed";
    // The action identifies the event: no other event has it.
    if body.get("action").and_then(Value::as_str) != Some("member_removed") {
        return Ok(Event::Ignored(NOT_REMOVED));
    }
    let User { login, id } = strict::typed::<MemberRemoved>(body)?.membership.user;
    let leaver = Leaver::new(delivery.as_str(), [("login", login), ("id", id.to_string())]);
    Ok(Event::leavers([leaver], NOT_REMOVED))
}

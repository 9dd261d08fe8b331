//! GitHub, a webhook of an organization with the content type `application/json`: `POST /hooks/{caller}`.
//!
//! Proof: `X-Hub-Signature-256: sha256=` and the hex HMAC-SHA256 of the raw body under the webhook's secret as text
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).
//!
//! Without `fields`, the event `organization` with the action `member_removed` says that somebody leaves; `[leavers]` sees
//! their `login` and their `id`. With `fields` it is whatever the operator says. The `ping` that GitHub sends when a webhook is
//! made is answered.
//!
//! Nothing else is signed than the body, so that nothing else is believed: not `X-GitHub-Event`, and not `X-GitHub-Delivery`,
//! with which a delivery that somebody recorded would count as a new one. What is the same body is the same delivery therefore,
//! unless `fields` says where an `id` is; and GitHub's body for a member has no time. The same member, removed once more, is
//! answered with what became of the first removal.
//!
//! GitHub waits for ten seconds and tries nothing again by itself
//! (<https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>): what takes longer is taken on with
//! 202, and goes on.
//!
//! Not supported: the content type `application/x-www-form-urlencoded`, and `X-Hub-Signature` (SHA-1), which is passed over.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::follow_up::accepted;
use crate::callers::kind::{CallerKind, Endpoint, Reading};
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::callers::webhook::body_fields;
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::{hmac_sha256_is, lower_hex_32};
use crate::outcome::language::Language;
use crate::reply::Rendered;
use crate::reply::api_body::api_body;
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape { takes_fields: true, is_of_leavers: true, ..CallerShape::hook("github") },
    place: Endpoint::Hook("POST"),
    content_types: &["application/json"],
    published: None,
    open: None,
    verify,
    read,
    render: api_body,
    speech: None,
    early: Some(accepted),
    later: None,
    envelope: None,
};

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

fn verify(inbound: &Inbound, caller: &Caller, keys: &VerificationKeys, _: DateTime<Utc>) -> Result<Proof, ProofError> {
    let signature = required_header(&inbound.headers, SIGNATURE)?;
    let tag =
        signature.strip_prefix("sha256=").and_then(lower_hex_32).ok_or(ProofError::Malformed { header: SIGNATURE })?;
    if !keys.secrets.iter().any(|key| hmac_sha256_is(key.secret.expose().as_bytes(), &[&inbound.body], &tag)) {
        return Err(ProofError::Wrong);
    }
    Ok(Proof::of(delivery(inbound, caller)))
}

/// By the id that the body names, where `fields` says where it is; else by the body.
pub(super) fn delivery(inbound: &Inbound, caller: &Caller) -> DeliveryId {
    let body = strict::json::<Value>(&inbound.body).ok();
    let id = body.zip(caller.fields.as_ref()).and_then(|(body, of)| body_fields::id(of, &body));
    match id {
        Some(id) => DeliveryId::new(caller, &[b"id", id.as_bytes()]),
        None => DeliveryId::new(caller, &[&inbound.body]),
    }
}

fn read<'c>(inbound: &Inbound, proof: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let actor = Actor::system(caller);
    let body: Value = match strict::json(&inbound.body) {
        Ok(body) => body,
        Err(outcome) => return Reading::of(actor, Err(outcome)),
    };
    let said = match &caller.fields {
        _ if is_ping(&body) => {
            Ok(Command::Handshake(Rendered::json(StatusCode::OK, json!({"result": "PONG"}).to_string())))
        }
        Some(of) => body_fields::read(of, &body, &proof.delivery, config),
        None => member_removed(body, &proof.delivery),
    };
    Reading::of(actor, said)
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping>
fn is_ping(body: &Value) -> bool {
    body.get("zen").is_some_and(Value::is_string) && body.get("hook_id").is_some_and(Value::is_u64)
}

fn member_removed<'c>(body: Value, delivery: &DeliveryId) -> Result<Command<'c>, RequestError> {
    // No other event has this action.
    if body.get("action").and_then(Value::as_str) != Some("member_removed") {
        return Ok(Command::Nothing("no member was removed"));
    }
    let User { login, id } = strict::typed::<MemberRemoved>(body)?.membership.user;
    let identity = BTreeMap::from([("login".to_owned(), login), ("id".to_owned(), id.to_string())]);
    Ok(Command::Leave(vec![Leaver { event: delivery.as_str().to_owned(), identity, reason: None }]))
}

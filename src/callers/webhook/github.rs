//! GitHub, a webhook of an organization: `POST /hooks/{caller}`. Both content types are taken: `application/json`, and
//! `application/x-www-form-urlencoded` with the JSON in `payload`, which the API makes unless it is told otherwise. Which of the two
//! a body is, its first bytes say; the content type is not signed.
//!
//! Proof: `X-Hub-Signature-256: sha256=` and the hex HMAC-SHA256 of the raw body under the webhook's secret as text
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).
//!
//! Without `fields`, the event `organization` with the action `member_removed` reports a leaver; `[caller.leavers]` sees the member's
//! `login` and `id`, and `sender.id` is the person who caused the event. With `fields`, the operator defines the meaning of the
//! body; `sender.id` stays who caused it unless `fields.caused_by` says otherwise. The `ping` that GitHub sends when a webhook is
//! created is answered. A member who leaves a team (`membership`) does not leave the organization, so that this event is ignored.
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
//! Not supported: `X-Hub-Signature` (SHA-1), which is ignored.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::event::Event;
use crate::callers::follow_up::accepted;
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::callers::webhook::body_fields;
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::{hmac_sha256_is, lower_hex_32};
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict::{self, Fields};

pub(crate) struct Github;

impl CallerKind for Github {
    fn shape(&self) -> CallerShape {
        CallerShape { takes_fields: true, leavers: LEAVERS, chosen_fields: CHOSEN, ..CallerShape::hook("github") }
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/json", "application/x-www-form-urlencoded"]
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
        // An unreadable payload is refused by `parse`, so its delivery id does not matter.
        let delivery = match payload(&inbound.body) {
            Ok(payload) => body_fields::delivery(&payload, caller),
            Err(_) => DeliveryId::new(caller, &[&inbound.body]),
        };
        Ok(Proof::of(delivery))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let payload = payload(&request.inbound.body).and_then(|payload| strict::json(&payload));
        Event::parsed(request.caller, payload.and_then(|payload| read_event(request, payload, config)))
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(accepted)
    }
}

/// People rename themselves, and a name that was given up is free for others.
const LEAVERS: &[Attribute<'static>] = &[Attribute::id("id"), Attribute::chosen("login")];

/// The fields of GitHub's bodies that members choose: names of people, teams and repositories, and addresses.
const CHOSEN: &[&str] = &["login", "name", "full_name", "slug", "email", "description", "title", "body", "html_url"];

const SIGNATURE: &str = "x-hub-signature-256";

/// Returns the JSON of a body. JSON does not begin with the name of a field, and a form of GitHub's has one field only: the signed
/// bytes are read in one way, whatever the content type says.
fn payload(body: &Bytes) -> Result<Cow<'_, [u8]>, RequestError> {
    const FIELD: &str = "payload";

    if !body.starts_with(b"payload=") {
        return Ok(Cow::Borrowed(body));
    }
    let fields = Fields::from_form(body)?;
    if let Some(name) = fields.names().find(|name| *name != FIELD) {
        let expected = Localized { en: "`payload` and no other field", zh: "仅含 `payload` 一个字段" };
        return Err(RequestError::invalid("field", name, expected));
    }
    Ok(Cow::Owned(fields.required(FIELD)?.as_bytes().to_vec()))
}

fn read_event<'c>(request: Verified<'_>, payload: Value, config: &'c Config) -> Result<Event<'c>, RequestError> {
    if is_ping(&payload) {
        let pong = json!({"result": "PONG"}).to_string();
        return Ok(Event::Reply(Rendered::json(StatusCode::OK, pong)));
    }
    let sender = payload.pointer("/sender/id").and_then(Value::as_u64).map(|id| id.to_string());
    let event =
        body_fields::read_or(request, payload, config, |payload| member_removed(payload, &request.proof.delivery))?;
    Ok(event.caused_by(request.caller, sender.as_deref()))
}

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

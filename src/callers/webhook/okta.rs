//! Okta, an event hook: `POST /hooks/{caller}` for events, `GET` for the one-time verification
//! (<https://developer.okta.com/docs/concepts/event-hooks/>).
//!
//! Proof: the `Authorization` header, whose whole value the operator chose. It signs nothing: whoever reads one request can make
//! others.
//!
//! A request holds several events, each a LogEvent (<https://developer.okta.com/docs/reference/api/system-log/>). Those of the
//! setting `events`, `user.lifecycle.deactivate` by default, whose outcome is `SUCCESS` say that somebody leaves; the others are
//! passed over. `[leavers]` sees `login` (Okta's `alternateId`) and `id`. An event is known by its `uuid`, which Okta repeats
//! when it delivers an event twice.
//!
//! The verification is answered with the value of `X-Okta-Verification-Challenge`. It carries the `Authorization` header like
//! every request of Okta's, and is asked for it.
//!
//! Okta waits for three seconds, tries once more after an error of the server's (5xx) and not after another (4xx), and wants
//! empty answers: what takes longer is taken on with an empty 200, and goes on. What became of it is in the log and the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::callers::follow_up::Acknowledgement;
use crate::callers::kind::{CallerKind, Endpoint, Reading};
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::{Language, Localized};
use crate::reply::api_body::api_body;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape { is_of_leavers: true, settings: &[Setting::texts(EVENTS, false)], ..CallerShape::hook("okta") },
    place: Endpoint::Hook("GET, POST"),
    content_types: &["application/json"],
    published: None,
    open: None,
    verify,
    read,
    render,
    speech: None,
    early: Some(taken),
    later: None,
    envelope: None,
};

const EVENTS: &str = "events";

/// Which events say that somebody leaves, where the operator does not.
const DEACTIVATED: &str = "user.lifecycle.deactivate";

const PROOF: &str = "authorization";

const CHALLENGE: &str = "x-okta-verification-challenge";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    event_type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    events: Vec<LogEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEvent {
    uuid: String,
    event_type: String,
    outcome: Option<Ended>,
    target: Option<Vec<Target>>,
}

#[derive(Deserialize)]
struct Ended {
    result: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    id: Option<String>,
    r#type: Option<String>,
    alternate_id: Option<String>,
}

fn verify(inbound: &Inbound, caller: &Caller, keys: &VerificationKeys, _: DateTime<Utc>) -> Result<Proof, ProofError> {
    let given = required_header(&inbound.headers, PROOF)?;
    if !keys.secrets.iter().any(|key| same_secret(given.as_bytes(), &key.secret)) {
        return Err(ProofError::Wrong);
    }
    Ok(Proof::of(DeliveryId::new(caller, &[&inbound.body])))
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, _: &'c Config, _: Language) -> Reading<'c> {
    let said = if inbound.method == Method::GET { challenged(inbound) } else { happened(&inbound.body, caller) };
    Reading::of(Actor::system(caller), said)
}

fn challenged<'c>(inbound: &Inbound) -> Result<Command<'c>, RequestError> {
    let challenge = required_header(&inbound.headers, CHALLENGE)?;
    Ok(Command::Handshake(Rendered::json(StatusCode::OK, json!({"verification": challenge}).to_string())))
}

fn happened<'c>(body: &[u8], caller: &Caller) -> Result<Command<'c>, RequestError> {
    let Hook { event_type, data } = strict::json(body)?;
    if event_type != "com.okta.event_hook" {
        return Err(RequestError::FieldInvalid {
            name: "eventType",
            given: event_type,
            expected: Localized { en: "`com.okta.event_hook`", zh: " `com.okta.event_hook`" },
        });
    }
    let wanted = caller.settings(EVENTS);
    let says_so = |event: &LogEvent| {
        let known =
            if wanted.is_empty() { event.event_type == DEACTIVATED } else { wanted.contains(&event.event_type) };
        known && event.outcome.as_ref().and_then(|outcome| outcome.result.as_deref()) == Some("SUCCESS")
    };
    let mut leavers: Vec<Leaver> = Vec::new();
    for event in data.events.into_iter().filter(says_so) {
        let users: Vec<_> =
            event.target.into_iter().flatten().filter(|of| of.r#type.as_deref() == Some("User")).collect();
        // Without one, nobody knows whom it is about: better said than passed over.
        if users.is_empty() {
            return Err(RequestError::FieldMissing { name: "data.events.target" });
        }
        for Target { id, alternate_id, .. } in users {
            let known = [("login", alternate_id), ("id", id)];
            let identity: BTreeMap<_, _> = known
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|text| !text.is_empty())?)))
                .collect();
            // Somebody whom two events are about leaves once.
            if !leavers.iter().any(|leaver| leaver.identity == identity) {
                leavers.push(Leaver { event: event.uuid.clone(), identity, reason: None });
            }
        }
    }
    Ok(if leavers.is_empty() {
        Command::Nothing("none of its events says that somebody leaves")
    } else {
        Command::Leave(leavers)
    })
}

fn render(answer: &Reply<'_>) -> Rendered {
    if answer.outcome.status().is_success() { empty() } else { api_body(answer) }
}

fn taken(_: &Acknowledgement<'_>) -> Rendered {
    empty()
}

fn empty() -> Rendered {
    Rendered::of("text/plain; charset=utf-8", StatusCode::OK, String::new())
}

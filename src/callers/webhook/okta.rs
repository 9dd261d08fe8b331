//! Okta, an event hook: `POST /hooks/{caller}` for events, `GET` for the one-time verification
//! (<https://developer.okta.com/docs/concepts/event-hooks/>).
//!
//! Proof: the `Authorization` header, whose whole value the operator chose. It signs nothing: anyone who reads one request can
//! forge others.
//!
//! A request holds several events, each a LogEvent (<https://developer.okta.com/docs/reference/api/system-log/>). An event reports
//! a leaver if its type is in the setting `events` (`user.lifecycle.deactivate` by default) and its outcome is `SUCCESS`; other
//! events are ignored. `[leavers]` sees `login` (Okta's `alternateId`) and `id`. An event is identified by its `uuid`, which Okta
//! repeats when it delivers an event twice.
//!
//! The verification is answered with the value of `X-Okta-Verification-Challenge`. It carries the `Authorization` header like
//! every request of Okta's, and the header is verified for it as well.
//!
//! Okta waits three seconds, retries once after a server error (5xx) and not after another error (4xx), and expects empty
//! answers: a request that takes longer is answered with an empty 200 and continues. Its result is in the log and the ledger.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::callers::event::Event;
use crate::callers::follow_up::Acknowledgement;
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Localized;
use crate::reply::api_body::api_body;
use crate::reply::{Rendered, Reply};
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

const SHAPE: CallerShape =
    CallerShape { is_of_leavers: true, settings: &[Setting::texts(EVENTS, false)], ..CallerShape::hook("okta") };

pub(crate) struct Okta;

impl CallerKind for Okta {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("GET, POST")
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let given = required_header(&inbound.headers, PROOF)?;
        keys.proved_by(|secret| same_secret(given.as_bytes(), secret))?;
        Ok(Proof::of(DeliveryId::new(caller, &[&inbound.body])))
    }

    fn parse<'c>(&self, request: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        let Verified { inbound, caller, .. } = request;
        let event =
            if inbound.method == Method::GET { read_challenge(inbound) } else { read_events(&inbound.body, caller) };
        Event::parsed(caller, event)
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        if reply.outcome.status().is_success() { empty() } else { api_body(reply) }
    }

    fn acknowledge(&self, _: &Acknowledgement<'_>) -> Option<Rendered> {
        Some(empty())
    }
}

const EVENTS: &str = "events";

/// The event type that reports a leaver if the operator configured no `events`.
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

fn read_challenge<'c>(inbound: &Inbound) -> Result<Event<'c>, RequestError> {
    let challenge = required_header(&inbound.headers, CHALLENGE)?;
    Ok(Event::Reply(Rendered::json(StatusCode::OK, json!({"verification": challenge}).to_string())))
}

fn read_events<'c>(body: &[u8], caller: &Caller) -> Result<Event<'c>, RequestError> {
    let Hook { event_type, data } = strict::json(body)?;
    if event_type != "com.okta.event_hook" {
        let expected = Localized { en: "`com.okta.event_hook`", zh: " `com.okta.event_hook`" };
        return Err(RequestError::invalid("eventType", event_type, expected));
    }
    let wanted = caller.settings(EVENTS);
    let reports_leaver = |event: &LogEvent| {
        let known =
            if wanted.is_empty() { event.event_type == DEACTIVATED } else { wanted.contains(&event.event_type) };
        known && event.outcome.as_ref().and_then(|outcome| outcome.result.as_deref()) == Some("SUCCESS")
    };
    let mut leavers = Vec::new();
    for event in data.events.into_iter().filter(reports_leaver) {
        let users: Vec<_> =
            event.target.into_iter().flatten().filter(|of| of.r#type.as_deref() == Some("User")).collect();
        // An event without a user cannot be attributed to a leaver; it is refused, because ignoring it would keep the accounts.
        if users.is_empty() {
            return Err(RequestError::FieldMissing { name: "data.events.target" });
        }
        for Target { id, alternate_id, .. } in users {
            let known = [("login", alternate_id), ("id", id)].into_iter();
            let identity = known.filter_map(|(name, value)| Some((name, value.filter(|text| !text.is_empty())?)));
            leavers.push(Leaver::new(&event.uuid, identity));
        }
    }
    Ok(Event::leavers(leavers, "no event reports a leaver"))
}

fn empty() -> Rendered {
    Rendered::of("text/plain; charset=utf-8", StatusCode::OK, String::new())
}

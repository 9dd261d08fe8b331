//! Okta, an event hook: `POST /hooks/{caller}` for events, `GET` for the one-time verification
//! (<https://developer.okta.com/docs/concepts/event-hooks/>).
//!
//! Proof: the `Authorization` header, whose whole value the operator chose. It signs nothing: anyone who reads one request can
//! forge others.
//!
//! A request holds several events, each a LogEvent (<https://developer.okta.com/docs/reference/api/system-log/>). An event reports
//! a leaver if its type is in the setting `events` (`user.lifecycle.deactivate` by default), unless its outcome says that nothing
//! happened (`FAILURE`, `SKIPPED`, `DENY`, `CHALLENGE`, `UNKNOWN`); other events are ignored. The outcome may be missing, which the
//! schema allows. `[caller.leavers]` sees `login` (Okta's `alternateId`, unless that is `unknown`, as of a deleted user) and `id`. `actor`,
//! if it is a user, caused the event. An event is identified by its `uuid`, which Okta repeats when it delivers an event twice.
//!
//! Each event is read by itself. One that cannot be read does not keep the others from being carried out, because Okta does not
//! send them again: it is a leaver for whom no account name follows.
//!
//! The verification is answered with the value of `X-Okta-Verification-Challenge`. It carries the `Authorization` header like
//! every request of Okta's, and the header is verified for it as well.
//!
//! Okta waits three seconds, retries once after a server error (5xx) and not after another error (4xx), and expects empty
//! answers: a request that takes longer is answered with an empty 200 and continues. Its result is in the log and the ledger.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::event::{Event, Unreadable};
use crate::callers::kind::{Acknowledge, CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Localized;
use crate::reply::api_body::api_body;
use crate::reply::{Rendered, Reply};
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::{DIRECTORY_BODY_LIMIT, Inbound};
use crate::request::leaver::Leaver;
use crate::request::strict;

const SHAPE: CallerShape =
    CallerShape { leavers: LEAVERS, settings: &[Setting::texts(EVENTS, false)], ..CallerShape::hook("okta") };

pub(crate) struct Okta;

impl CallerKind for Okta {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("GET, POST")
    }

    fn body_limit(&self) -> usize {
        DIRECTORY_BODY_LIMIT
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

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|_| empty())
    }
}

/// Okta's `alternateId` is the user name, which an administrator gives.
const LEAVERS: &[Attribute<'static>] = &[Attribute::managed("login"), Attribute::id("id")];

const EVENTS: &str = "events";

/// The event type that reports a leaver if the operator configured no `events`.
const DEACTIVATED: &str = "user.lifecycle.deactivate";

const PROOF: &str = "authorization";

/// Okta's word for a login that it does not have any more.
const UNKNOWN: &str = "unknown";

const CHALLENGE: &str = "x-okta-verification-challenge";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    event_type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    events: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEvent {
    uuid: String,
    actor: Option<Target>,
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
    let is_wanted = |event: &&Value| match event.get("eventType").and_then(Value::as_str) {
        Some(known) if wanted.is_empty() => known == DEACTIVATED,
        Some(known) => wanted.iter().any(|wanted| wanted == known),
        None => false,
    };
    let events = data.events.iter().filter(is_wanted).map(|event| {
        let id = event.get("uuid").and_then(Value::as_str).unwrap_or("without a uuid");
        leavers(event, caller).map_err(|error| Unreadable { event: id.to_owned(), error })
    });
    Event::leavers_of(events, "no event reports a leaver")
}

/// Reads the leavers of one event; none if nothing happened.
fn leavers(event: &Value, caller: &Caller) -> Result<Vec<Leaver>, RequestError> {
    let LogEvent { uuid, actor, outcome, target } = strict::typed(event.clone())?;
    match outcome.and_then(|outcome| outcome.result).as_deref() {
        None | Some("SUCCESS" | "ALLOW") => {}
        Some("FAILURE" | "SKIPPED" | "DENY" | "CHALLENGE" | "UNKNOWN") => return Ok(Vec::new()),
        Some(other) => {
            let expected = Localized { en: "one of Okta's outcomes", zh: "Okta的结果之一" };
            return Err(RequestError::invalid("outcome.result", other, expected));
        }
    }
    let is_user = |of: &Target| of.r#type.as_deref() == Some("User");
    let users: Vec<_> = target.into_iter().flatten().filter(is_user).collect();
    // An event without a user cannot be attributed to a leaver; it is refused, because ignoring it would keep the accounts.
    if users.is_empty() {
        return Err(RequestError::FieldMissing { name: "data.events.target" });
    }
    let by = actor.filter(is_user).and_then(|actor| actor.id);
    let leaver = |Target { id, alternate_id, .. }: Target| {
        let login = alternate_id.filter(|login| login != UNKNOWN);
        let identity = [("login", login), ("id", id)].into_iter();
        let identity = identity.filter_map(|(name, value)| Some((name, value.filter(|text| !text.is_empty())?)));
        Leaver::new(&uuid, identity).caused_by(caller, by.as_deref())
    };
    Ok(users.into_iter().map(leaver).collect())
}

fn empty() -> Rendered {
    Rendered::of("text/plain; charset=utf-8", StatusCode::OK, String::new())
}

//! CloudEvents 1.0 over HTTP, as sent by HR systems behind an event bus: `POST /hooks/{caller}` for events, `OPTIONS` for the
//! validation request, with which the sender asks for permission to deliver.
//!
//! Proof: `Authorization: Bearer …`
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md>, section 3.1), or the token alone, as senders
//! write it that have one field for the whole header. It signs nothing: anyone who reads one request can forge others.
//!
//! An event is in structured mode (`application/cloudevents+json`), in binary mode (attributes in `ce-…` headers, the data as
//! the body; <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>), or one of a batch
//! (`application/cloudevents-batch+json`). All are read into the same JSON: attributes by name, and `data`, which an event may lack.
//! `fields` defines its meaning; without `fields` it is an event as in `standard-webhooks` (`type` `account.delete`,
//! `data.user_name`, `data.instance`). `source` and `id` together identify the event, as the specification requires, unless
//! `fields` says where an `id` is; in a batch as alone.
//!
//! What senders write beside the specification, and is understood: a structured event as `application/json`; data under any JSON
//! content type, as `application/octet-stream`, or without a content type in binary mode; data that is JSON in a text; an
//! extension attribute that stands twice, which has no value then.
//!
//! Each event of a batch is carried out by itself, with a row of its own. One that cannot be read does not keep the others from
//! being carried out; it is refused by itself. An event of a batch removes an account or reports a leaver, and nothing else.
//!
//! The validation request of section 4 carries no proof and is answered without one: it only asks whether events are welcome. The
//! setting `origins` lists the accepted origins; without it every origin is accepted.
//!
//! Not supported: other formats than JSON; Event Grid's own schema (its subscriptions can be set to CloudEvents); a token that is
//! signed, such as the OIDC tokens of Knative; and the token in the query (`access_token`): addresses end up in logs, and the
//! specification itself advises against it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, Method, StatusCode};
use serde_json::{Map, Value};

use crate::callers::event::{Event, Unreadable};
use crate::callers::follow_up::accepted;
use crate::callers::kind::{Acknowledge, CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer_or_bare, token_form};
use crate::callers::webhook::{body_fields, standard_webhooks};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::command::{AccountRemoval, Command, OneOfSeveral};
use crate::request::error::RequestError;
use crate::request::headers::header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::{DIRECTORY_BODY_LIMIT, Inbound};
use crate::request::strict::{self, percent_decode};

const SHAPE: CallerShape = CallerShape {
    takes_fields: true,
    settings: &[Setting::texts(ORIGINS, false)],
    secret_form: token_form,
    ..CallerShape::hook("cloudevents")
};

pub(crate) struct Cloudevents;

impl CallerKind for Cloudevents {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("OPTIONS, POST")
    }

    fn content_types(&self) -> &'static [&'static str] {
        &[STRUCTURED, BATCH, "application/json"]
    }

    /// In binary mode, data may have any JSON content type, and none where there is no data. Senders that say what the data is in a
    /// wrong way are understood all the same, as long as the data is JSON.
    fn takes_content_type(&self, media_type: Option<&str>, inbound: &Inbound) -> bool {
        let is_binary = inbound.headers.contains_key("ce-specversion");
        match media_type.map(str::to_ascii_lowercase).as_deref() {
            None => is_binary,
            Some("application/octet-stream") => is_binary,
            Some("text/json" | "application/json") => true,
            Some(other) => other.starts_with("application/") && other.ends_with("+json"),
        }
    }

    /// Answers the validation request; `None` if the request is not one, or if the origin is not accepted.
    fn handshake(&self, inbound: &Inbound, caller: &Caller) -> Option<Rendered> {
        if inbound.method != Method::OPTIONS {
            return None;
        }
        let origin = header(&inbound.headers, REQUEST_ORIGIN).ok().flatten()?;
        let is_name =
            origin.len() <= 253 && origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let welcome = caller.settings(ORIGINS);
        if !is_name || !(welcome.is_empty() || welcome.iter().any(|name| name == origin)) {
            return None;
        }
        let mut rendered = Rendered::of("text/plain; charset=utf-8", StatusCode::OK, String::new());
        rendered.headers = vec![
            (ALLOW, "POST".to_owned()),
            (HeaderName::from_static("webhook-allowed-origin"), origin.to_owned()),
            (HeaderName::from_static("webhook-allowed-rate"), "*".to_owned()),
        ];
        Some(rendered)
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
        let token = bearer_or_bare(&inbound.headers)?;
        keys.proved_by(|secret| same_secret(token.as_bytes(), secret))?;
        // An unreadable request is refused by `parse`, so its delivery id does not matter; a batch has one for each event.
        let delivery = match events(inbound) {
            Ok(Events::One(event)) => delivery(&event, caller),
            _ => DeliveryId::new(caller, &[&inbound.body]),
        };
        Ok(Proof::of(delivery))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = match request.inbound.method {
            Method::OPTIONS => Err(RequestError::FieldMissing { name: "WebHook-Request-Origin" }),
            _ => events(request.inbound).and_then(|events| match events {
                Events::One(event) => {
                    body_fields::read_or(request, event, config, |event| standard_webhooks::own(event, config))
                }
                Events::Batch(events) => batch(events, request.caller, config),
            }),
        };
        Event::parsed(request.caller, event)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(accepted)
    }
}

const STRUCTURED: &str = "application/cloudevents+json";

const BATCH: &str = "application/cloudevents-batch+json";

const ORIGINS: &str = "origins";

const REQUEST_ORIGIN: &str = "webhook-request-origin";

/// The events of a request.
enum Events {
    One(Value),
    /// Not checked yet, so that each is refused by itself.
    Batch(Vec<Value>),
}

/// The most events of a batch. Each may be a removal, and all have the time of one request.
const MOST_EVENTS: usize = 100;

/// Returns what identifies an event.
fn delivery(event: &Value, caller: &Caller) -> DeliveryId {
    if let Some(id) = caller.fields.as_ref().and_then(|of| body_fields::id(of, event)) {
        return DeliveryId::new(caller, &[b"id", id.as_bytes()]);
    }
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().as_bytes();
    DeliveryId::new(caller, &[text("source"), text("id")])
}

/// Reads the events of a request, in any mode, as JSON.
fn events(inbound: &Inbound) -> Result<Events, RequestError> {
    let content_type = inbound.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let begins = |with: &str| content_type.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins(BATCH) {
        let events: Vec<Value> = strict::json(&inbound.body)?;
        if events.len() > MOST_EVENTS {
            let expected = Localized { en: "at most 100 events", zh: "最多100个事件" };
            return Err(RequestError::invalid("batch", events.len().to_string(), expected));
        }
        return Ok(Events::Batch(events));
    }
    // The specification distinguishes the other two modes by this prefix. Senders that leave it out write no attribute into headers.
    let is_structured = begins("application/cloudevents") || !inbound.headers.contains_key("ce-specversion");
    let event = if is_structured { strict::json(&inbound.body)? } else { Value::Object(binary(inbound)?) };
    Ok(Events::One(checked(event)?))
}

/// Checks an event, and decodes its data.
fn checked(mut event: Value) -> Result<Value, RequestError> {
    for name in REQUIRED {
        if event.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(RequestError::FieldMissing { name });
        }
    }
    let version = event.get("specversion").and_then(Value::as_str).unwrap_or_default();
    if version != "1.0" {
        return Err(RequestError::invalid("specversion", version, Localized { en: "`1.0`", zh: " `1.0`" }));
    }
    if let Some(attributes) = event.as_object_mut() {
        decode_data(attributes)?;
    }
    Ok(event)
}

/// Puts the data of `data_base64`, and that of a JSON text, in the place of `data`.
fn decode_data(event: &mut Map<String, Value>) -> Result<(), RequestError> {
    const ENCODED: &str = "data_base64";

    if let Some(encoded) = event.remove(ENCODED).filter(|encoded| !encoded.is_null()) {
        if event.contains_key(DATA) {
            return Err(RequestError::FieldDoubled { name: DATA.to_owned() });
        }
        let Some(bytes) = encoded.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
            let expected = Localized { en: "base64", zh: "base64" };
            return Err(RequestError::invalid(ENCODED, encoded.to_string(), expected));
        };
        event.insert(DATA.to_owned(), strict::json(&bytes)?);
    }
    // A text that is no object stays the text that it is.
    if let Some(Value::String(text)) = event.get(DATA)
        && text.trim_start().starts_with('{')
    {
        let object = strict::json(text.as_bytes())?;
        event.insert(DATA.to_owned(), object);
    }
    Ok(())
}

/// Reads a batch. Its events are of one kind, removals or leavers, because the caller's `fields` say which.
fn batch<'c>(events: Vec<Value>, caller: &Caller, config: &'c Config) -> Result<Event<'c>, RequestError> {
    let mut read = Vec::new();
    for (place, event) in events.into_iter().enumerate() {
        let id = event.get("id").and_then(Value::as_str).map_or_else(|| format!("number {place}"), str::to_owned);
        let delivery = delivery(&event, caller);
        let event = checked(event).and_then(|event| one_of_batch(event, &delivery, caller, config));
        read.push((id, delivery, event));
    }
    let reports_leavers = caller.fields.as_ref().is_some_and(|fields| fields.user_name.is_none());
    if reports_leavers {
        let leavers = read.into_iter().map(|(id, _, event)| match event {
            Ok(Event::Command(Command::OffboardLeavers(leavers))) => Ok(leavers),
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(Unreadable { event: id, error }),
        });
        return Event::leavers_of(leavers, NOTHING_ASKED);
    }
    let removals = read.into_iter().filter_map(|(id, delivery, event)| {
        let event = match event {
            Ok(Event::Command(Command::RemoveAccount { user_name, instance, reason, caused_by, .. })) => {
                Ok(AccountRemoval { user_name, instance, reason, caused_by })
            }
            Ok(_) => return None,
            Err(error) => Err(error),
        };
        Some(OneOfSeveral { id, delivery, event })
    });
    let removals: Vec<_> = removals.collect();
    let is_nothing = removals.is_empty();
    Ok(if is_nothing { Event::Ignored(NOTHING_ASKED) } else { Event::Command(Command::RemoveAccounts(removals)) })
}

const NOTHING_ASKED: &str = "no event of the batch asks for anything";

/// Reads an event of a batch.
fn one_of_batch<'c>(
    event: Value,
    delivery: &DeliveryId,
    caller: &Caller,
    config: &'c Config,
) -> Result<Event<'c>, RequestError> {
    let read = match &caller.fields {
        Some(fields) => body_fields::read(fields, &body_fields::Body { json: &event, caller, delivery }, config)?,
        None => standard_webhooks::own(event, config)?,
    };
    match read {
        Event::Command(Command::RemoveAccount { dry_run: false, .. } | Command::OffboardLeavers(_))
        | Event::Ignored(_) => Ok(read),
        _ => {
            let expected = Localized {
                en: "a removal, and no dry run: send others alone",
                zh: "删除且非预检；其他事件请单独发送",
            };
            Err(RequestError::invalid("batch", "event", expected))
        }
    }
}

const DATA: &str = "data";

/// The attributes that an event has to have.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// The optional attributes of the specification.
const OPTIONAL: [&str; 4] = ["datacontenttype", "dataschema", "subject", "time"];

fn binary(inbound: &Inbound) -> Result<Map<String, Value>, RequestError> {
    let mut event = Map::new();
    for name in inbound.headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let is_own = REQUIRED.contains(&attribute) || OPTIONAL.contains(&attribute);
        let mut values = inbound.headers.get_all(name).iter();
        let (value, second) = (values.next(), values.next());
        let text = value.and_then(|value| value.to_str().ok()).and_then(decoded);
        match text {
            // Intermediaries add to extensions of their own, such as Knative's history. What can be read in two ways has no value.
            _ if second.is_some() && !is_own => {}
            _ if second.is_some() => return Err(RequestError::FieldDoubled { name: name.as_str().to_owned() }),
            Some(text) => {
                event.insert(attribute.to_owned(), text.into());
            }
            None if is_own => {
                let expected = Localized { en: "percent-encoded UTF-8", zh: "百分号编码的UTF-8" };
                return Err(RequestError::invalid("header", name.as_str(), expected));
            }
            None => {}
        }
    }
    // Headers never name data, so that they cannot replace the body.
    event.retain(|name, _| name != DATA && name != "data_base64");
    if !inbound.body.is_empty() {
        event.insert(DATA.to_owned(), strict::json(&inbound.body)?);
    }
    Ok(event)
}

/// Decodes an attribute from its header: removes the quotes of older senders, then percent-decodes once (section 3.1.3.2).
fn decoded(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return percent_decode(value) };
    let mut text = String::new();
    let mut rest = quoted.strip_suffix('"')?.chars();
    while let Some(character) = rest.next() {
        match character {
            '"' => return None,
            '\\' => text.push(rest.next()?),
            other => text.push(other),
        }
    }
    percent_decode(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_decoded_by_the_rules_of_the_binding() {
        for (header, attribute) in [
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", Some("Euro € 😀")),
            ("/mycontext/subcontext", Some("/mycontext/subcontext")),
            ("%e2%82%ac", Some("€")),
            (r#""a \"b\" c""#, Some(r#"a "b" c"#)),
            ("%C0%A0", None),
            ("100%", None),
            (r#""a"#, None),
            (r#""a"b""#, None),
            (r#""a\""#, None),
        ] {
            assert_eq!(decoded(header).as_deref(), attribute, "{header}");
        }
    }
}

//! CloudEvents 1.0 over HTTP, as sent by HR systems behind an event bus: `POST /hooks/{caller}` for events, `OPTIONS` for the
//! validation request, with which the sender asks for permission to deliver.
//!
//! Proof: `Authorization: Bearer …`
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md>, section 3.1). It signs nothing: anyone who
//! reads one request can forge others.
//!
//! An event is in structured mode (`application/cloudevents+json`) or in binary mode (attributes in `ce-…` headers, the data as
//! the body; <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>). Both are read into
//! the same JSON: attributes by name, and `data`. `fields` defines its meaning; without `fields` it is an event as in
//! `standard-webhooks` (`type` `account.delete`, `data.user_name`, `data.instance`). `source` and `id` together identify the
//! event, as the specification requires, unless `fields` says where an `id` is.
//!
//! The validation request of section 4 carries no proof and is answered without one: it only asks whether events are welcome. The
//! setting `origins` lists the accepted origins; without it every origin is accepted.
//!
//! Not supported: batched mode, other formats than JSON, `data_base64`, and the token in the query (`access_token`): addresses end
//! up in logs, and the specification itself advises against it.

use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, Method, StatusCode};
use serde_json::{Map, Value};

use crate::callers::event::Event;
use crate::callers::follow_up::{Acknowledgement, accepted};
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer};
use crate::callers::webhook::{body_fields, standard_webhooks};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::headers::header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{self, percent_decode};

const SHAPE: CallerShape =
    CallerShape { takes_fields: true, settings: &[Setting::texts(ORIGINS, false)], ..CallerShape::hook("cloudevents") };

pub(crate) struct Cloudevents;

impl CallerKind for Cloudevents {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("OPTIONS, POST")
    }

    fn content_types(&self) -> &'static [&'static str] {
        &[STRUCTURED, "application/json"]
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

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let token = bearer(&inbound.headers)?;
        keys.proved_by(|secret| same_secret(token.as_bytes(), secret))?;
        Ok(Proof::of(delivery(inbound, caller)))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = match request.inbound.method {
            Method::OPTIONS => Err(RequestError::FieldMissing { name: "WebHook-Request-Origin" }),
            _ => event(request.inbound).and_then(|event| {
                body_fields::read_or(request, event, config, |event| standard_webhooks::own(event, config))
            }),
        };
        Event::parsed(request.caller, event)
    }

    fn acknowledge(&self, early: &Acknowledgement<'_>) -> Option<Rendered> {
        Some(accepted(early))
    }
}

const STRUCTURED: &str = "application/cloudevents+json";

const ORIGINS: &str = "origins";

const REQUEST_ORIGIN: &str = "webhook-request-origin";

fn delivery(inbound: &Inbound, caller: &Caller) -> DeliveryId {
    // An unreadable event is refused by `parse`, so its delivery id does not matter.
    let Ok(event) = event(inbound) else { return DeliveryId::new(caller, &[&inbound.body]) };
    if let Some(id) = caller.fields.as_ref().and_then(|of| body_fields::id(of, &event)) {
        return DeliveryId::new(caller, &[b"id", id.as_bytes()]);
    }
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().as_bytes();
    DeliveryId::new(caller, &[text("source"), text("id")])
}

/// Reads the event of either mode as JSON.
fn event(inbound: &Inbound) -> Result<Value, RequestError> {
    let content_type = inbound.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The specification distinguishes the modes by this prefix. Whether the content type is supported was checked before.
    let is_structured =
        content_type.get(..23).is_some_and(|start| start.eq_ignore_ascii_case("application/cloudevents"));
    let event = if is_structured { strict::json(&inbound.body)? } else { Value::Object(binary(inbound)?) };
    for name in ["specversion", "id", "source", "type"] {
        if event.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(RequestError::FieldMissing { name });
        }
    }
    let version = event.get("specversion").and_then(Value::as_str).unwrap_or_default();
    if version != "1.0" {
        return Err(RequestError::invalid("specversion", version, Localized { en: "`1.0`", zh: " `1.0`" }));
    }
    Ok(event)
}

fn binary(inbound: &Inbound) -> Result<Map<String, Value>, RequestError> {
    let mut event = Map::new();
    for name in inbound.headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let mut values = inbound.headers.get_all(name).iter();
        let (value, second) = (values.next(), values.next());
        if second.is_some() {
            return Err(RequestError::FieldDoubled { name: name.as_str().to_owned() });
        }
        let text = value.and_then(|value| value.to_str().ok()).and_then(decoded);
        let Some(text) = text else {
            let expected = Localized { en: "percent-encoded UTF-8", zh: "百分号编码的UTF-8" };
            return Err(RequestError::invalid("header", name.as_str(), expected));
        };
        event.insert(attribute.to_owned(), text.into());
    }
    // Inserted last, so that a header `ce-data` cannot replace the body.
    event.insert("data".to_owned(), strict::json(&inbound.body)?);
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

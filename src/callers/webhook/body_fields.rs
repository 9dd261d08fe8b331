//! Bodies that the sender defines: the operator says where the values are (`fields` of a caller), so a new HR system needs no code.
//!
//! A body names an account (`user_name`, `instance`) or a leaver (`identity`). A pointer (RFC 6901) to a text, a number or a
//! boolean yields that value as text; a pointer to anything else, or to a missing value, yields no value.
//!
//! `caused_by` is the sender's id of the person whose act caused the event: what the event asks for counts as that person's own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::callers::event::Event;
use crate::callers::kind::Verified;
use crate::config::Config;
use crate::config::body_fields::{BodyFields, EVENT};
use crate::config::callers::Caller;
use crate::request::actor::principal;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::leaver::Leaver;
use crate::request::reason::Reason;
use crate::request::strict;

/// Reads an event by the caller's `fields`, or with `own` if the caller has none.
///
/// # Errors
///
/// If [`read`] or `own` fails.
pub(super) fn read_or<'c>(
    request: Verified<'_>,
    body: Value,
    config: &'c Config,
    own: impl FnOnce(Value) -> Result<Event<'c>, RequestError>,
) -> Result<Event<'c>, RequestError> {
    match &request.caller.fields {
        Some(fields) => {
            read(fields, &Body { json: &body, caller: request.caller, delivery: &request.proof.delivery }, config)
        }
        None => own(body),
    }
}

/// A body, and which request of which caller it is of.
pub(super) struct Body<'b> {
    pub(super) json: &'b Value,
    pub(super) caller: &'b Caller,
    pub(super) delivery: &'b DeliveryId,
}

/// Reads an event by `fields`. The id of a leaver's event is that of the delivery if the body has no id.
///
/// # Errors
///
/// [`RequestError::FieldMissing`] if the account or the instance is missing; the errors of the name and of the reason if they are
/// not valid.
pub(super) fn read<'c>(fields: &BodyFields, body: &Body<'_>, config: &'c Config) -> Result<Event<'c>, RequestError> {
    let Body { json: body, caller, delivery } = *body;
    let at = |pointer: &Option<String>| pointer.as_ref().and_then(|pointer| text(body, pointer));
    let holds = |(place, values): (&String, &Vec<String>)| {
        let text = if place == EVENT { at(&fields.event) } else { text(body, place) };
        text.is_some_and(|text| values.contains(&text))
    };
    if !fields.when.iter().all(holds) {
        return Ok(Event::Ignored("`when` does not hold"));
    }
    let reason = Reason::parse(&at(&fields.reason).unwrap_or_default())?;
    let caused_by = at(&fields.caused_by).and_then(|id| principal(caller, &id));
    if fields.user_name.is_none() {
        let attribute = |(name, pointer): (&String, &String)| Some((name.clone(), text(body, pointer)?));
        let identity: BTreeMap<_, _> = fields.identity.iter().filter_map(attribute).collect();
        let event = at(&fields.id).unwrap_or_else(|| delivery.as_str().to_owned());
        return Ok(Event::Command(Command::OffboardLeavers(vec![Leaver {
            event,
            identity,
            reason,
            caused_by,
            ..Leaver::default()
        }])));
    }
    let user_name = at(&fields.user_name).ok_or(RequestError::FieldMissing { name: "user_name" })?;
    let instance = match &fields.instance {
        Some(name) if !name.starts_with('/') => name.clone(),
        pointer => at(pointer).ok_or(RequestError::FieldMissing { name: "instance" })?,
    };
    Ok(Event::Command(Command::RemoveAccount {
        user_name: config.accounts.parse(&user_name)?,
        instance: config.instance(&instance)?,
        reason,
        dry_run: false,
        caused_by,
    }))
}

/// Returns the event id in the body, which the sender repeats with a repeated event; `None` if the body has none.
pub(super) fn id(fields: &BodyFields, body: &Value) -> Option<String> {
    fields.id.as_ref().and_then(|pointer| text(body, pointer))
}

/// Returns the delivery id of a request whose proof covers no separate id: from the id in the body, if `fields` locates one,
/// otherwise from the whole body.
pub(super) fn delivery(body: &[u8], caller: &Caller) -> DeliveryId {
    let json = strict::json::<Value>(body).ok();
    let id = json.zip(caller.fields.as_ref()).and_then(|(json, fields)| id(fields, &json));
    match id {
        Some(id) => DeliveryId::new(caller, &[b"id", id.as_bytes()]),
        None => DeliveryId::new(caller, &[body]),
    }
}

fn text(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

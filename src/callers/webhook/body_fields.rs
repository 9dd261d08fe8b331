//! Bodies of a source's own: where in them things are, the operator says (`fields` of a caller).
//!
//! Either an account (`user_name`, `instance`), or somebody who leaves (`identity`): never code for a new HR system. A pointer
//! (RFC 6901) to a text, a number or a boolean is that; to anything else, or to nothing, is nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::Config;
use crate::config::body_fields::{BodyFields, EVENT};
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::leaver::Leaver;
use crate::request::reason::Reason;

/// Reads an event. `delivery` stands for it where the body names no id of its own.
///
/// # Errors
///
/// [`RequestError::FieldMissing`], or what is wrong with a name or a reason.
pub(super) fn read<'c>(
    fields: &BodyFields,
    body: &Value,
    delivery: &DeliveryId,
    config: &'c Config,
) -> Result<Command<'c>, RequestError> {
    let at = |pointer: &Option<String>| pointer.as_ref().and_then(|pointer| text(body, pointer));
    let holds = |(place, values): (&String, &Vec<String>)| {
        let text = if place == EVENT { at(&fields.event) } else { text(body, place) };
        text.is_some_and(|text| values.contains(&text))
    };
    if !fields.when.iter().all(holds) {
        return Ok(Command::Nothing("its `when` does not hold"));
    }
    let reason = Reason::parse(&at(&fields.reason).unwrap_or_default())?;
    if fields.user_name.is_none() {
        let of = |(name, pointer): (&String, &String)| Some((name.clone(), text(body, pointer)?));
        let identity: BTreeMap<_, _> = fields.identity.iter().filter_map(of).collect();
        let event = at(&fields.id).unwrap_or_else(|| delivery.as_str().to_owned());
        return Ok(Command::Leave(vec![Leaver { event, identity, reason }]));
    }
    let user_name = at(&fields.user_name).ok_or(RequestError::FieldMissing { name: "user_name" })?;
    let instance = match &fields.instance {
        Some(name) if !name.starts_with('/') => name.clone(),
        pointer => at(pointer).ok_or(RequestError::FieldMissing { name: "instance" })?,
    };
    Ok(Command::Remove {
        user_name: config.accounts.parse(&user_name)?,
        instance: config.instance(&instance)?,
        reason,
        dry_run: false,
    })
}

/// What makes two events one: the id where the body names one, as the sender repeats it; `None` else.
pub(super) fn id(fields: &BodyFields, body: &Value) -> Option<String> {
    fields.id.as_ref().and_then(|pointer| text(body, pointer))
}

fn text(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

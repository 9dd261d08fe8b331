//! The values of attributes, as identity systems write them and as they are kept.
//!
//! Null and an empty list are no value (RFC 7643, section 2.5). A number where a text is meant is that text; a boolean may be a
//! text or a number; a list may be one object, an object one text. What cannot be kept is left out and noted, and stops nothing else.

use serde_json::{Map, Value};

use crate::outcome::language::Localized;
use crate::request::error::RequestError;
use crate::request::user_schema::{Attribute, Kind};

/// The longest text, in bytes.
pub(crate) const LONGEST: usize = 4096;

/// The most values of a list.
pub(crate) const MOST_VALUES: usize = 200;

/// The most bytes that an attribute without a description may have, as JSON.
const LARGEST_UNKNOWN: usize = 4096;

/// What of a resource was left out, by its name, for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<String>);

/// How many names are noted: a log line is no place for thousands.
const MOST_NOTED: usize = 20;

impl LeftOut {
    pub(crate) fn note(&mut self, name: &str) {
        let name: String = name.chars().take(100).collect();
        if self.0.len() < MOST_NOTED && !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// The names of what was left out.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Returns the value to keep; `None` if there is none.
pub(crate) fn kept(attribute: Option<&Attribute>, name: &str, value: &Value, left_out: &mut LeftOut) -> Option<Value> {
    match attribute {
        None => unknown(name, value, left_out),
        Some(attribute) if attribute.is_list => {
            Some(Value::Array(items(attribute, value, left_out))).filter(|items| !is_empty(items))
        }
        Some(attribute) => single(attribute, name, value, left_out),
    }
}

/// Returns the values of a list that are to be kept.
pub(crate) fn items(attribute: &Attribute, value: &Value, left_out: &mut LeftOut) -> Vec<Value> {
    let given = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    if given.len() > MOST_VALUES {
        left_out.note(attribute.name);
    }
    let first = given.iter().take(MOST_VALUES);
    first.filter_map(|item| single(attribute, attribute.name, item, left_out)).collect()
}

/// Returns one value of an attribute.
fn single(attribute: &Attribute, name: &str, value: &Value, left_out: &mut LeftOut) -> Option<Value> {
    match (attribute.kind, value) {
        (_, Value::Null) => None,
        (kind, Value::String(text)) if text.is_empty() && kind != Kind::Text => None,
        (_, Value::Array(items)) => match items.as_slice() {
            [] => None,
            [one] if !one.is_array() => single(attribute, name, one, left_out),
            _ => noted(name, left_out),
        },
        (Kind::Complex, Value::Object(fields)) => {
            Some(Value::Object(parts(attribute, fields, left_out))).filter(|value| !is_empty(value))
        }
        (Kind::Complex, simple) => {
            let Some(part) = attribute.part("value") else { return noted(name, left_out) };
            let value = single(part, name, simple, left_out)?;
            Some(Value::Object(Map::from_iter([("value".to_owned(), value)])))
        }
        (_, Value::Object(fields)) => match fields.iter().find(|(key, _)| key.eq_ignore_ascii_case("value")) {
            Some((_, inner)) if !inner.is_object() && !inner.is_array() => single(attribute, name, inner, left_out),
            _ => noted(name, left_out),
        },
        (Kind::Flag, value) => match flag(value) {
            Some(flag) => Some(flag.into()),
            None => noted(name, left_out),
        },
        (_, Value::String(text)) => {
            if is_keepable(text) {
                Some(value.clone())
            } else {
                noted(name, left_out)
            }
        }
        (_, number_or_flag) => Some(number_or_flag.to_string().into()),
    }
}

fn noted(name: &str, left_out: &mut LeftOut) -> Option<Value> {
    left_out.note(name);
    None
}

/// Returns the parts of a complex value; those without a description are kept as they come.
pub(crate) fn parts(attribute: &Attribute, fields: &Map<String, Value>, left_out: &mut LeftOut) -> Map<String, Value> {
    let mut kept_parts = Map::new();
    for (key, value) in fields.iter().take(MOST_VALUES) {
        let name = format!("{}.{key}", attribute.name);
        let part = attribute.part(key);
        if let Some(value) = kept(part, &name, value, left_out) {
            kept_parts.insert(part.map_or(key.as_str(), |part| part.name).to_owned(), value);
        }
    }
    kept_parts
}

/// Returns the value of an attribute that no schema describes: as it comes, without nulls.
fn unknown(name: &str, value: &Value, left_out: &mut LeftOut) -> Option<Value> {
    let value = without_nulls(value)?;
    if value.to_string().len() > LARGEST_UNKNOWN {
        left_out.note(name);
        return None;
    }
    Some(value)
}

fn without_nulls(value: &Value) -> Option<Value> {
    let value = match value {
        Value::Array(items) => Value::Array(items.iter().filter_map(without_nulls).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().filter_map(|(key, value)| Some((key.clone(), without_nulls(value)?))).collect())
        }
        simple => simple.clone(),
    };
    Some(value).filter(|value| !is_empty(value))
}

/// Removes a field and leaves the others in their order.
pub(crate) fn forget(fields: &mut Map<String, Value>, name: &str) {
    fields.retain(|known, _| known != name);
}

/// Whether it is no value.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a text can be kept. Tabs and line breaks occur in names and addresses that come from files.
fn is_keepable(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Reads a boolean as identity systems write it: `true`, `"False"`, `0`, `[{"value": "true"}]`. `None` if it is something else.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads `active`; `None` if it is null, empty or an empty text: then the sender says nothing of it.
///
/// # Errors
///
/// [`RequestError::FieldInvalid`] if it is neither that nor a boolean. Nothing is ever concluded from such a value.
pub(crate) fn active(value: &Value) -> Result<Option<bool>, RequestError> {
    let inner = match value {
        Value::Array(items) if items.len() == 1 => items.first().unwrap_or(value),
        other => other,
    };
    let inner = match inner {
        Value::Object(fields) if fields.len() == 1 => {
            let is_it = |key: &str| ["value", "active"].iter().any(|name| key.eq_ignore_ascii_case(name));
            fields.iter().find(|(key, _)| is_it(key)).map_or(inner, |(_, value)| value)
        }
        other => other,
    };
    if is_empty(inner) || inner.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    flag(inner).map(Some).ok_or_else(|| {
        let expected = Localized { en: "`true` or `false`", zh: " `true` 或 `false`" };
        RequestError::invalid("active", value.to_string(), expected)
    })
}

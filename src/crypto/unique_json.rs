//! JSON in which no object has a key twice, at any depth and however the key is escaped (RFC 8259, section 4, leaves open what a
//! reader does with such an object; serde_json alone would keep the last value without a word).
//!
//! serde_json's own limit of 128 levels protects the stack.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// An object has this key twice.
    DoubledKey(String),
    /// Nested more than 128 levels deep.
    TooDeep,
    /// Not JSON, or more than one JSON value.
    Invalid,
}

/// Begins the text of the error for a doubled key. serde offers no other way to carry a reason out of a visitor.
const DOUBLED: &str = "doubled key ";

/// Reads one JSON value.
pub(crate) fn parse(json: &[u8]) -> Result<Value, JsonError> {
    let value: Unique = serde_json::from_slice(json).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix(DOUBLED).and_then(|rest| rest.rsplit_once(" at line ")) {
            Some((name, _)) => JsonError::DoubledKey(name.to_owned()),
            None if text.starts_with("recursion limit") => JsonError::TooDeep,
            None => JsonError::Invalid,
        }
    })?;
    Ok(value.0)
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Unique(value) = entries.next_value()?;
            if read.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{DOUBLED}{key}")));
            }
            read.insert(key, value);
        }
        Ok(read.into())
    }
}

//! Which attributes of a SCIM resource are shown.

use serde_json::{Map, Value};

use crate::request::attribute_path::{AttributePath, ENTERPRISE};
use crate::request::user_schema;

/// Which attributes of a resource are shown, and the base of its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// The address before `/Users`.
    pub base: String,
    /// The only attributes to show; all if empty.
    attributes: Vec<AttributePath>,
    /// Attributes not to show.
    excluded: Vec<AttributePath>,
}

/// How many attributes a request may name. More are passed over.
const MOST: usize = 100;

impl Projection {
    pub(crate) fn of(base: String, attributes: &str, excluded: &str) -> Self {
        let names = |list: &str| list.split(',').filter_map(|name| path(name.trim())).take(MOST).collect();
        Self { base, attributes: names(attributes), excluded: names(excluded) }
    }

    /// Returns the resource without the attributes that are not asked for. `id` and `schemas` are always there (RFC 7643, section 7,
    /// `returned`).
    pub(crate) fn of_resource(&self, mut resource: Map<String, Value>) -> Value {
        resource.retain(|key, value| {
            if matches!(key.as_str(), "id" | "schemas") {
                return true;
            }
            match value {
                // An extension.
                Value::Object(fields) if key.contains(':') => {
                    fields.retain(|name, value| self.shows(Some(key), name, value));
                    !fields.is_empty()
                }
                value => self.shows(None, key, value),
            }
        });
        Value::Object(resource)
    }

    /// Whether an attribute is shown; of its parts, those that are asked for are left.
    fn shows(&self, schema: Option<&str>, name: &str, value: &mut Value) -> bool {
        let names =
            |list: &[AttributePath], part: Option<&str>| list.iter().any(|asked| is_named(asked, schema, name, part));
        if names(&self.excluded, None) {
            return false;
        }
        let is_whole = self.attributes.is_empty() || names(&self.attributes, None);
        let of_it =
            |list: &[AttributePath]| list.iter().any(|asked| asked.part.is_some() && is_of(asked, schema, name));
        if !is_whole && !of_it(&self.attributes) {
            return false;
        }
        if is_whole && !of_it(&self.excluded) {
            return true;
        }
        let is_shown =
            |part: &str| !names(&self.excluded, Some(part)) && (is_whole || names(&self.attributes, Some(part)));
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for fields in items.iter_mut().filter_map(Value::as_object_mut) {
            fields.retain(|part, _| is_shown(part));
        }
        true
    }
}

/// Reads a name. Attributes of the enterprise extension are found without it, too.
fn path(name: &str) -> Option<AttributePath> {
    let path = AttributePath::parse(name)?;
    let in_enterprise = AttributePath { schema: Some(ENTERPRISE.into()), ..path.clone() };
    let is_enterprise = path.schema.is_none()
        && user_schema::attribute(&path).is_none()
        && user_schema::attribute(&in_enterprise).is_some();
    Some(if is_enterprise { in_enterprise } else { path })
}

/// Whether a name is this attribute, or its schema as a whole.
fn is_of(asked: &AttributePath, schema: Option<&str>, name: &str) -> bool {
    let is_schema = match (&asked.schema, schema) {
        (Some(asked), Some(schema)) => asked.eq_ignore_ascii_case(schema),
        (asked, schema) => asked.is_none() && schema.is_none(),
    };
    is_schema && (asked.name.is_empty() || asked.name.eq_ignore_ascii_case(name))
}

/// Whether a name is this attribute, or this part of it.
fn is_named(asked: &AttributePath, schema: Option<&str>, name: &str, part: Option<&str>) -> bool {
    let is_part = match (&asked.part, part) {
        (Some(asked), Some(part)) => asked.eq_ignore_ascii_case(part),
        (asked, part) => asked.is_none() && part.is_none(),
    };
    is_part && is_of(asked, schema, name)
}

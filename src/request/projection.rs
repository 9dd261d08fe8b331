//! Which attributes of a SCIM resource are shown.

use serde_json::{Map, Value};

use crate::request::attribute_path::plain_name;

/// Which attributes of a resource are shown, and the base of its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// The address before `/Users`.
    pub base: String,
    /// The only attributes to show, in lowercase; all if empty.
    attributes: Vec<String>,
    /// Attributes not to show, in lowercase.
    excluded: Vec<String>,
}

impl Projection {
    pub(crate) fn of(base: String, attributes: &str, excluded: &str) -> Self {
        let names = |list: &str| -> Vec<String> {
            list.split(',')
                .map(|name| plain_name(name.trim()).to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect()
        };
        Self { base, attributes: names(attributes), excluded: names(excluded) }
    }

    /// Returns the resource without the attributes that are not asked for. `id` and `schemas` are always there (RFC 7643, section 7, `returned`).
    pub(super) fn of_resource(&self, mut resource: Map<String, Value>) -> Value {
        let names = |list: &[String], name: &str| {
            let name = name.to_ascii_lowercase();
            list.iter().any(|asked| {
                *asked == name || asked.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['.', ':']))
            })
        };
        resource.retain(|name, _| {
            let is_always = matches!(name.as_str(), "id" | "schemas");
            let is_excluded = self.excluded.contains(&name.to_ascii_lowercase());
            is_always || (!is_excluded && (self.attributes.is_empty() || names(&self.attributes, name)))
        });
        // The parts of complex attributes.
        for (name, value) in &mut resource {
            let part = |inner: &str| format!("{}.{}", name.to_ascii_lowercase(), inner.to_ascii_lowercase());
            let whole = self.attributes.is_empty() || self.attributes.contains(&name.to_ascii_lowercase());
            let shown = |inner: &str| {
                !self.excluded.contains(&part(inner)) && (whole || self.attributes.contains(&part(inner)))
            };
            let is_complex = matches!(name.as_str(), "name" | "emails");
            match value {
                Value::Object(fields) if is_complex => fields.retain(|inner, _| shown(inner)),
                Value::Array(items) if is_complex => {
                    items
                        .iter_mut()
                        .filter_map(Value::as_object_mut)
                        .for_each(|fields| fields.retain(|inner, _| shown(inner)));
                }
                _ => {}
            }
        }
        Value::Object(resource)
    }
}

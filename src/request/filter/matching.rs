//! Whether a resource matches a filter.
//!
//! Names compare without case, and so do texts, except ids, references and certificates (RFC 7643, section 2.2, `caseExact`). A test
//! of a list is true if it is true of one of its values; `ne` is true where `eq` is not.

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::request::attribute_path::{AttributePath, ENTERPRISE};
use crate::request::filter::{Filter, Operator, Target, Test};
use crate::request::user_schema::{self, Attribute};

/// What the names in a filter are looked up in.
#[derive(Clone, Copy)]
enum Scope<'v> {
    /// A whole resource.
    Resource(&'v Map<String, Value>),
    /// One value of a list: in brackets.
    Item(Option<&'static Attribute>, &'v Value),
}

/// A value that a test looks at, and whether it compares with case.
struct Leaf<'v> {
    value: &'v Value,
    is_exact: bool,
}

/// Whether a resource matches.
pub fn matches(filter: &Filter, resource: &Map<String, Value>) -> bool {
    is_true(filter, Scope::Resource(resource))
}

/// Whether one value of a list matches a filter in brackets.
pub(crate) fn item_matches(filter: &Filter, attribute: Option<&'static Attribute>, item: &Value) -> bool {
    is_true(filter, Scope::Item(attribute, item))
}

/// Returns the field of this name, in any case.
pub(crate) fn field<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    fields.get(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn is_true(filter: &Filter, scope: Scope<'_>) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|filter| is_true(filter, scope)),
        Filter::Or(any) => any.iter().any(|filter| is_true(filter, scope)),
        Filter::Not(filter) => !is_true(filter, scope),
        Filter::Test(target, test) => passes(test, &leaves(target, scope)),
    }
}

fn passes(test: &Test, leaves: &[Leaf<'_>]) -> bool {
    let any = |operator, expected| leaves.iter().any(|leaf| compares(leaf, operator, expected));
    match test {
        Test::Present => leaves.iter().any(|leaf| is_present(leaf.value)),
        Test::Compare(Operator::Eq, Value::Null) => !leaves.iter().any(|leaf| is_present(leaf.value)),
        Test::Compare(Operator::Ne, Value::Null) => leaves.iter().any(|leaf| is_present(leaf.value)),
        Test::Compare(Operator::Ne, expected) => !any(Operator::Eq, expected),
        Test::Compare(operator, expected) => any(*operator, expected),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(is_present),
        Value::Object(fields) => fields.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(leaf: &Leaf<'_>, operator: Operator, expected: &Value) -> bool {
    let (Some(given), Some(expected_text)) = (text(leaf.value), text(expected)) else { return false };
    let fold = |text: String| if leaf.is_exact { text } else { text.to_lowercase() };
    let (given, wanted) = (fold(given), fold(expected_text));
    match operator {
        // A boolean as a text has any case.
        Operator::Eq if leaf.value.is_boolean() => given.eq_ignore_ascii_case(&wanted),
        Operator::Eq => given == wanted,
        Operator::Ne => given != wanted,
        Operator::Co => given.contains(&wanted),
        Operator::Sw => given.starts_with(&wanted),
        Operator::Ew => given.ends_with(&wanted),
        Operator::Gt => order(leaf.value, &given, &wanted).is_gt(),
        Operator::Ge => order(leaf.value, &given, &wanted).is_ge(),
        Operator::Lt => order(leaf.value, &given, &wanted).is_lt(),
        Operator::Le => order(leaf.value, &given, &wanted).is_le(),
    }
}

/// Times compare as times, numbers as numbers, everything else as text.
fn order(value: &Value, given: &str, wanted: &str) -> Ordering {
    let time = |text: &str| DateTime::parse_from_rfc3339(&text.to_ascii_uppercase()).ok();
    if let (Some(given), Some(wanted)) = (time(given), time(wanted)) {
        return given.cmp(&wanted);
    }
    let number = |text: &str| text.parse::<f64>().ok();
    match (value, number(given), number(wanted)) {
        (Value::Number(_), Some(given), Some(wanted)) => given.partial_cmp(&wanted).unwrap_or(Ordering::Equal),
        _ => given.cmp(wanted),
    }
}

/// A simple value as text; `None` for others.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The values that a target names.
fn leaves<'v>(target: &Target, scope: Scope<'v>) -> Vec<Leaf<'v>> {
    let Target { path, selection } = target;
    let (attribute, value) = match scope {
        Scope::Resource(resource) => match find(resource, path) {
            Some(found) => found,
            None => return Vec::new(),
        },
        Scope::Item(attribute, item) => return part_of(item, attribute, Some(&path.name)).into_iter().collect(),
    };
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_selected = |item: &&Value| selection.as_ref().is_none_or(|filter| item_matches(filter, attribute, item));
    items.iter().filter(is_selected).filter_map(|item| part_of(item, attribute, path.part.as_deref())).collect()
}

/// The part of a value that a test looks at: the named one, or `value` of an object without a name for it.
fn part_of<'v>(item: &'v Value, attribute: Option<&'static Attribute>, part: Option<&str>) -> Option<Leaf<'v>> {
    let is_exact = |part: &str| attribute.and_then(|attribute| attribute.part(part)).is_some_and(|part| part.is_exact);
    match (item, part) {
        (Value::Object(fields), Some(part)) => {
            field(fields, part).map(|value| Leaf { value, is_exact: is_exact(part) })
        }
        // `name pr` looks at the whole of it.
        (Value::Object(fields), None) => {
            let value = field(fields, "value").unwrap_or(item);
            Some(Leaf { value, is_exact: is_exact("value") })
        }
        (item, Some(part)) if !part.eq_ignore_ascii_case("value") && !item.is_null() => None,
        (item, _) => Some(Leaf { value: item, is_exact: attribute.is_some_and(|attribute| attribute.is_exact) }),
    }
}

/// The attribute of a path. An attribute of the enterprise extension is found without its schema, too.
fn find<'v>(resource: &'v Map<String, Value>, path: &AttributePath) -> Option<(Option<&'static Attribute>, &'v Value)> {
    let known = user_schema::attribute(path);
    match &path.schema {
        None => match field(resource, &path.name) {
            Some(value) => Some((known, value)),
            None if known.is_none() => {
                find(resource, &AttributePath { schema: Some(ENTERPRISE.into()), ..path.clone() })
            }
            None => None,
        },
        Some(schema) => {
            let extension = field(resource, schema)?;
            match extension {
                _ if path.name.is_empty() => Some((None, extension)),
                Value::Object(fields) => Some((known, field(fields, &path.name)?)),
                _ => None,
            }
        }
    }
}

//! PATCH: changes of a person (RFC 7644, section 3.5.2), with keys in any case, as some serializers write them.

use serde_json::{Map, Value};

use crate::callers::scim::body::object;
use crate::outcome::language::Localized;
use crate::request::error::RequestError;
use crate::request::filter::matching::field;
use crate::request::filter::parse;
use crate::request::person_change::Change;

/// Reads the changes of a PATCH. An operation that cannot be understood is one of them, so that it cannot stop the others.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if the body is no JSON object, [`RequestError::FieldMissing`] if it has no operations.
pub(super) fn changes(body: &[u8]) -> Result<Vec<Change>, RequestError> {
    let body = object(body)?;
    let operations = match field(&body, "Operations") {
        Some(Value::Array(operations)) => operations.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return Err(RequestError::FieldMissing { name: "Operations" }),
    };
    Ok(operations.iter().map(|operation| change(operation).unwrap_or_else(Change::Unreadable)).collect())
}

fn change(operation: &Value) -> Result<Change, RequestError> {
    let empty = Map::new();
    let fields = operation.as_object().unwrap_or(&empty);
    let mut value = field(fields, "value").cloned().unwrap_or(Value::Null);
    let target = match field(fields, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.trim().is_empty() => None,
        Some(path) => Some(path.as_str().and_then(parse::target).ok_or_else(|| path_invalid(path))?),
    };
    // Attributes by their names, in a list of one.
    if let (None, Value::Array(items)) = (&target, &mut value)
        && items.len() == 1
    {
        value = items.pop().unwrap_or_default();
    }
    let op = field(fields, "op").and_then(Value::as_str).unwrap_or_default();
    match (op.trim().to_ascii_lowercase().as_str(), target) {
        ("add", target) => Ok(Change::Set { adds: true, target, value }),
        ("replace", target) => Ok(Change::Set { adds: false, target, value }),
        ("remove", Some(target)) => Ok(Change::Remove { target, value }),
        ("remove", None) => Err(RequestError::FieldMissing { name: "path" }),
        _ => {
            let expected = Localized { en: "`add`, `replace` or `remove`", zh: " `add`、`replace` 或 `remove`" };
            Err(RequestError::invalid("op", op, expected))
        }
    }
}

fn path_invalid(path: &Value) -> RequestError {
    let expected = Localized {
        en: "the path of an attribute, such as `name.givenName` or `emails[type eq \"work\"].value`",
        zh: "属性路径，如 `name.givenName` 或 `emails[type eq \"work\"].value`",
    };
    let given = path.as_str().map_or_else(|| path.to_string(), str::to_owned);
    RequestError::invalid("path", given, expected)
}

//! PATCH: changes of a person (RFC 7644, section 3.5.2).

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::language::Localized;
use crate::request::attribute_path::parse_path;
use crate::request::error::RequestError;
use crate::request::person::Change;
use crate::request::strict::json;

#[derive(Deserialize)]
struct Patch {
    #[serde(alias = "operations")]
    #[serde(rename = "Operations")]
    operations: Vec<Op>,
}

#[derive(Deserialize)]
struct Op {
    op: String,
    path: Option<String>,
    #[serde(default)]
    value: Value,
}

/// Reads the changes of a PATCH.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if the body is not a PATCH, [`RequestError::FieldInvalid`] if an operation is unknown.
pub(super) fn changes(body: &[u8]) -> Result<Vec<Change>, RequestError> {
    let patch: Patch = json(body)?;
    let change = |Op { op, path, value }: Op| {
        let removes = match op.to_ascii_lowercase().as_str() {
            "add" | "replace" => false,
            "remove" => true,
            _ => {
                let expected = Localized { en: "`add`, `replace` or `remove`", zh: " `add`、`replace` 或 `remove`" };
                return Err(RequestError::invalid("op", op, expected));
            }
        };
        Ok(Change { removes, path: path.map(|path| parse_path(&path)).unwrap_or_default(), value })
    };
    patch.operations.into_iter().map(change).collect()
}

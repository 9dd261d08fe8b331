//! JSON bodies of SCIM requests.

use serde_json::{Map, Value};

use crate::request::error::RequestError;
use crate::request::strict::json;

/// Reads a body that is a JSON object. A byte order mark before it is passed over: some serializers write one.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if it is not one, [`RequestError::FieldDoubled`] if a key appears twice.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, RequestError> {
    json(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body))
}

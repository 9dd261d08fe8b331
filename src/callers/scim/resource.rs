//! Resources in SCIM's form: a single one, or a page.

use http::StatusCode;
use serde_json::{Value, json};

use crate::reply::Rendered;

/// The content type of every answer.
const SCIM: &str = "application/scim+json";

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Returns an answer in SCIM's content type.
pub(crate) fn rendered(status: StatusCode, body: &Value) -> Rendered {
    Rendered::of(SCIM, status, body.to_string())
}

/// Returns an answer without a body.
pub(crate) fn no_content() -> Rendered {
    Rendered::of(SCIM, StatusCode::NO_CONTENT, String::new())
}

/// Returns a page of resources; `all` counts the resources of every page.
pub(crate) fn page(all: usize, start: usize, resources: Vec<Value>) -> Value {
    json!({
        "schemas": [LIST],
        "totalResults": all,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

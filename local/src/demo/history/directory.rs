//! Plays the company's directory: people join and leave, by SCIM 2.0 (RFC 7644) with a bearer token.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use serde_json::{Value, json};

/// The name in config/offboard.toml.
pub(in crate::demo) const NAME: &str = "directory";
/// The Spin variable with the token.
pub(in crate::demo) const VARIABLE: &str = "scim_token";
/// The token in the demonstration.
pub(in crate::demo) const TOKEN: &str = "demo-directory-token-6f1c2b9a";

/// Returns the request by which a person is created.
pub(super) fn joins(host: &str, user_name: &str) -> anyhow::Result<Request<Bytes>> {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": user_name,
        "active": true,
    });
    request(Request::post(format!("/scim/v2/{NAME}/Users")), host, &user)
}

/// Returns the request by which a person is deactivated. `id` is from the answer to [`joins`].
pub(super) fn leaves(host: &str, id: &str) -> anyhow::Result<Request<Bytes>> {
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}],
    });
    request(Request::patch(format!("/scim/v2/{NAME}/Users/{id}")), host, &patch)
}

fn request(request: http::request::Builder, host: &str, body: &Value) -> anyhow::Result<Request<Bytes>> {
    let request = request
        .header(HOST, host)
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(CONTENT_TYPE, "application/scim+json");
    Ok(request.body(body.to_string().into())?)
}

//! Plays a client of TaurusDB's own API, such as a portal on the official SDK: the documented DELETE, signed with
//! SDK-HMAC-SHA256 and an access key that the gateway's operator issued.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request};
use percent_encoding::utf8_percent_encode;
use starrocks_offboard::crypto::sdk_hmac::{self, ENCODED, Message, SignatureError};

use super::demo_caller::{DemoCaller, DemoRequest};

pub(super) const CALLER: DemoCaller = DemoCaller {
    name: "portal",
    kind: "api",
    id: Some("HPUAPORTALKEY0000001"),
    variable: "portal_secret_key",
    secret: "demo-portal-secret-key",
    proof: "Authorization, an SDK-HMAC-SHA256 of the request under that access key's secret",
    grammar: "ACCOUNT",
    request,
};

/// Returns the two headers that authenticate a request: `X-Sdk-Date` and `Authorization`.
///
/// # Errors
///
/// As [`sdk_hmac::sign`].
pub fn headers(
    access_key: &str,
    secret: &str,
    message: &Message<'_>,
    date: &str,
) -> Result<[(&'static str, String); 2], SignatureError> {
    let authorization = sdk_hmac::sign(message, access_key, secret.as_bytes(), date)?;
    Ok([(sdk_hmac::SDK_DATE, date.to_owned()), (AUTHORIZATION.as_str(), authorization)])
}

fn request(asked: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
    ensure!(!asked.text.contains(' '), "TaurusDB's own API takes an account and no reason; write {}", CALLER.grammar);
    let instance = asked.config.instance(asked.instance).ok().with_context(|| {
        let names: Vec<_> = asked.config.instances().iter().map(|instance| format!("`{}`", instance.name)).collect();
        format!("instance `{}` is not in config/offboard.toml; use one of {}", asked.instance, names.join(", "))
    })?;
    let path = format!("/v3/{}/instances/{}/starrocks/users", instance.project_id, instance.instance_id);
    let query = format!("user_name={}", utf8_percent_encode(asked.text, ENCODED));
    let mut signed = HeaderMap::new();
    signed.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let message =
        Message { method: "DELETE", path: &path, query: &query, headers: &signed, host: asked.host, body: b"" };

    let mut request = Request::delete(format!("{path}?{query}")).header(HOST, asked.host);
    for (name, value) in &signed {
        request = request.header(name, value);
    }
    for (name, value) in headers(asked.id, asked.secret, &message, &sdk_hmac::sdk_date(asked.now))? {
        request = request.header(name, value);
    }
    Ok(request.body(Bytes::new())?)
}

//! What requests to platforms share.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use serde_json::Value;

use crate::config::endpoint::is_web_address;
use crate::config::notify::URL;
use crate::notify::platform::{Recipient, Unsendable};
use crate::secret::Secret;

/// The webhook's URL, if it is at one of these origins: what was pasted into the wrong variable is sent to no other platform.
pub(super) fn url_at(to: &Recipient<'_>, origins: &[&str], expected: &'static str) -> Result<Uri, Unsendable> {
    url(to, expected, |uri| {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
        let origin = format!("{scheme}://{}", authority.as_str().trim_end_matches(":443"));
        origins.contains(&origin.as_str())
    })
}

/// The webhook's URL, if `is_ours`.
pub(super) fn url(
    to: &Recipient<'_>,
    expected: &'static str,
    is_ours: impl Fn(&Uri) -> bool,
) -> Result<Uri, Unsendable> {
    let text = to.secret(URL)?.expose();
    let uri = text.parse::<Uri>().ok().filter(|_| is_web_address(text));
    uri.filter(is_ours).ok_or(Unsendable::Form(URL, expected))
}

/// The same URL with more behind its path, and more parameters in its query.
pub(super) fn extended(uri: &Uri, path: &str, query: &str) -> Option<Uri> {
    let known = uri.query().map(|known| format!("{known}&")).unwrap_or_default();
    let mark = if known.is_empty() && query.is_empty() { "" } else { "?" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}{path}{mark}{known}{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// A request with JSON.
pub(super) fn json(method: Method, uri: Uri, body: &Value) -> Request<Bytes> {
    bytes(method, uri, Bytes::from(body.to_string()))
}

/// A request with JSON that is written already.
pub(super) fn bytes(method: Method, uri: Uri, body: Bytes) -> Request<Bytes> {
    let length = body.len();
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    request
}

/// The request with a bearer token.
pub(super) fn bearing(
    mut request: Request<Bytes>,
    key: &'static str,
    token: &Secret,
) -> Result<Request<Bytes>, Unsendable> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| Unsendable::Form(key, "a token without spaces"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}

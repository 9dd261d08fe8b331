//! Requests to TaurusDB and IAM, authenticated by a signature or a token. Nothing is sent from here.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::crypto::sdk_hmac;
use crate::secret::Secret;
use crate::taurusdb::credentials::AkSk;
use crate::taurusdb::error::CallError;

/// The header of TaurusDB's request ID, which the requester gets too.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// The authentication of a request.
pub(super) enum RequestAuth<'a> {
    /// A signature, made anew for each attempt because it covers the time.
    Signature(&'a AkSk),
    /// A token that IAM issued.
    Token(&'a Secret),
    /// The body alone: a request for a token that carries user and password.
    Body,
}

/// A request before it is authenticated.
pub(super) struct ApiRequest<'a> {
    pub(super) method: Method,
    /// `https://host[:port]`
    pub(super) endpoint: &'a str,
    pub(super) path: &'a str,
    /// Percent-encoded, without `?`.
    pub(super) query: &'a str,
    /// The headers beside those that every request has.
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: Bytes,
}

impl ApiRequest<'_> {
    /// Returns the request, authenticated at `now`.
    ///
    /// # Errors
    ///
    /// - [`CallError::CredentialsUnset`] if the credentials are not valid in a header
    /// - [`CallError::EndpointInvalid`] if the endpoint is not valid in a URL
    pub(super) fn request(&self, auth: &RequestAuth<'_>, now: DateTime<Utc>) -> Result<Request<Bytes>, CallError> {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let uri = format!("{}{}{mark}{}", self.endpoint, self.path, self.query);
        let uri: Uri = uri.parse().map_err(|_| CallError::EndpointInvalid)?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();

        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            headers.insert(*name, secret_value(value)?);
        }
        match auth {
            RequestAuth::Body => {}
            RequestAuth::Token(token) => {
                headers.insert("x-auth-token", secret_value(token.expose())?);
            }
            RequestAuth::Signature(AkSk { access_key, secret_key, security_token }) => {
                let date = sdk_hmac::sdk_date(now);
                headers.insert(HeaderName::from_static(sdk_hmac::SDK_DATE), secret_value(&date)?);
                if let Some(token) = security_token {
                    headers.insert("x-security-token", secret_value(token.expose())?);
                }
                let message = sdk_hmac::Message {
                    method: self.method.as_str(),
                    path: self.path,
                    query: self.query,
                    headers: &headers,
                    host: &host,
                    body: &self.body,
                };
                let authorization = sdk_hmac::sign(&message, access_key, secret_key.expose().as_bytes(), &date)
                    .map_err(|_| CallError::CredentialsUnset)?;
                headers.insert("authorization", secret_value(&authorization)?);
            }
        }
        // Set after signing: proxies own `Content-Length`, so it is not signed; nor is `User-Agent`, which they may rewrite and which
        // `outbound::retry` sets in every call. Without `Content-Length` the request would be chunked, in two writes, and wait 40 ms
        // for a delayed ACK.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));

        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Returns a header value that its `Debug` output hides.
fn secret_value(text: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CallError::CredentialsUnset)?;
    value.set_sensitive(true);
    Ok(value)
}

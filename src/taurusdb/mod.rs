//! TaurusDB: a [`Permit`] becomes an HTTP request, an HTTP response becomes an [`Outcome`].
//!
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…` (API page "Deleting a Database Account of a
//! StarRocks Instance", 2025-07-29; always the plural, as the page's table and the SDKs have it). [`delete`] is the only
//! place that builds it, and it takes a [`Permit`]: no permit, no call.
//!
//! Not in here yet: retries, fetching tokens from IAM, and settling an unknown outcome by the account list.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use crate::config::{CredentialKind, Secret, endpoint};
use crate::host::{Answered, Host, SendError};
use crate::outcome::{Language, Outcome};
use crate::policy::Permit;

pub mod sign;

/// The Spin variables that this module reads.
pub const VARIABLES: [&str; 5] = [ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN, TOKEN, ENDPOINT];

const ACCESS_KEY: &str = "huaweicloud_access_key";
const SECRET_KEY: &str = "huaweicloud_secret_key";
const SECURITY_TOKEN: &str = "huaweicloud_security_token";
const TOKEN: &str = "huaweicloud_token";
const ENDPOINT: &str = "taurusdb_endpoint";

/// The header of TaurusDB's request id, sent back to whoever asked.
pub const REQUEST_ID: &str = "x-request-id";

/// How the gateway proves itself to TaurusDB.
#[derive(Debug)]
pub enum Credentials {
    /// An access key; with a security token when it is temporary.
    AkSk {
        /// Its public half.
        access_key: String,
        /// Its secret half.
        secret_key: Secret,
        /// For temporary keys.
        security_token: Option<Secret>,
    },
    /// A ready IAM token.
    Token(Secret),
}

impl Credentials {
    /// Reads the variables of the configured kind.
    ///
    /// # Errors
    ///
    /// [`Outcome::CredentialsUnset`]
    pub async fn read<H: Host>(host: &H, kind: CredentialKind) -> Result<Self, Outcome> {
        let unset = |variable| {
            host.log(&format!("taurusdb: variable `{variable}` is not set"));
            Outcome::CredentialsUnset
        };
        match kind {
            CredentialKind::Aksk => Ok(Self::AkSk {
                access_key: host.variable(ACCESS_KEY).await.ok_or_else(|| unset(ACCESS_KEY))?.expose().to_owned(),
                secret_key: host.variable(SECRET_KEY).await.ok_or_else(|| unset(SECRET_KEY))?,
                security_token: host.variable(SECURITY_TOKEN).await,
            }),
            CredentialKind::Token => Ok(Self::Token(host.variable(TOKEN).await.ok_or_else(|| unset(TOKEN))?)),
        }
    }

    /// The parts that may not be seen.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::AkSk { secret_key, security_token, .. } => (secret_key, security_token.as_ref()),
            Self::Token(token) => (token, None),
        };
        [Some(first), second].into_iter().flatten().map(Secret::expose)
    }
}

/// The endpoint that overrides every region's, when `taurusdb_endpoint` names one host. Its default,
/// `https://*.myhuaweicloud.com`, names none: Spin needs something that can stand in `allowed_outbound_hosts`.
///
/// # Errors
///
/// [`Outcome::Unusable`] when it is not an endpoint.
pub async fn endpoint_override<H: Host>(host: &H) -> Result<Option<String>, Outcome> {
    match host.variable(ENDPOINT).await {
        Some(value) if !value.expose().contains('*') => endpoint(value.expose()).map(Some).map_err(|expected| {
            host.log(&format!("taurusdb: variable `{ENDPOINT}` is not an endpoint: {expected}"));
            Outcome::Unusable
        }),
        _ => Ok(None),
    }
}

/// The DELETE that a permit allows.
///
/// # Errors
///
/// [`Outcome::CredentialsUnset`] when the credentials cannot stand in a header.
pub fn delete(
    permit: &Permit<'_>,
    credentials: &Credentials,
    endpoint: Option<&str>,
    language: Language,
    now: DateTime<Utc>,
) -> Result<http::Request<Bytes>, Outcome> {
    let instance = permit.instance();
    let path = format!("/v3/{}/instances/{}/starrocks/users", instance.project_id, instance.instance_id);
    let query = format!("user_name={}", utf8_percent_encode(permit.user_name().as_str(), sign::ENCODED));
    let uri: Uri =
        format!("{}{path}?{query}", endpoint.unwrap_or(&instance.endpoint)).parse().map_err(|_| Outcome::Unusable)?;
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();

    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-language", HeaderValue::from_static(language.as_str()));
    headers.insert("x-project-id", secret_value(&instance.project_id)?);
    match credentials {
        Credentials::Token(token) => {
            headers.insert("x-auth-token", secret_value(token.expose())?);
        }
        Credentials::AkSk { access_key, secret_key, security_token } => {
            let date = sign::sdk_date(now);
            headers.insert(HeaderName::from_static(sign::SDK_DATE), secret_value(&date)?);
            if let Some(token) = security_token {
                headers.insert("x-security-token", secret_value(token.expose())?);
            }
            let message = sign::Message {
                method: "DELETE",
                path: &path,
                query: &query,
                headers: &headers,
                host: &host,
                body: b"",
            };
            let authorization = sign::sign(&message, access_key, secret_key.expose().as_bytes(), &date)
                .map_err(|_| Outcome::CredentialsUnset)?;
            headers.insert("authorization", secret_value(&authorization)?);
        }
    }
    // After signing: what stands on the way may change the one and owns the other. Without a length the request would go
    // out chunked, in two writes, and wait 40 ms for a delayed ACK.
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("starrocks-offboard/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.remove(HOST);

    let mut request = http::Request::new(Bytes::new());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// A header value that no log may show.
fn secret_value(text: &str) -> Result<HeaderValue, Outcome> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Outcome::CredentialsUnset)?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Deserialize)]
struct Success {
    result: String,
}

#[derive(Deserialize)]
struct Failure {
    error_code: String,
    error_msg: String,
}

/// What became of a DELETE.
pub fn outcome(answer: &Result<Answered, SendError>, credentials: &Credentials) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(SendError::NotSent(_)) => return Outcome::NotSent,
        Err(SendError::TimedOut(_)) => return Outcome::TimedOut,
        Err(SendError::Broken(_)) => return Outcome::OutcomeUnknown,
    };
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or_default();
    if status == StatusCode::OK {
        return match serde_json::from_slice::<Success>(body) {
            Ok(success) if success.result == "SUCCESS" => Outcome::Removed,
            _ => Outcome::OutcomeUnknown,
        };
    }
    // Neither a success nor an error that the page knows: whoever answered may or may not have passed the DELETE on.
    if !status.is_client_error() && !status.is_server_error() {
        return Outcome::OutcomeUnknown;
    }
    match serde_json::from_slice::<Failure>(body) {
        Ok(failure) if is_code(&failure.error_code) => {
            Outcome::Upstream { status, code: failure.error_code, message: redacted(failure.error_msg, credentials) }
        }
        _ => Outcome::Undocumented { status },
    }
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// A signature error of the API gateway quotes the canonical request, and with it the security token.
fn redacted(message: String, credentials: &Credentials) -> String {
    credentials.secrets().fold(message, |message, secret| message.replace(secret, "…"))
}

/// TaurusDB's request id, when it is one that can stand in a header and a chat message.
pub fn request_id(answer: &Result<Answered, SendError>) -> Option<&str> {
    let value = answer.as_ref().ok()?.headers().get(REQUEST_ID)?.to_str().ok()?;
    let good = (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then_some(value)
}

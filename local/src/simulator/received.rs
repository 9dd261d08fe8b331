//! A request that reached the simulation.

use std::fmt;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode};
use starrocks_offboard::crypto::sdk_hmac;

use super::headers::{AUTH_TOKEN, SECURITY_TOKEN};
use super::paths;

/// A request that reached the simulation.
///
/// Tokens, signatures and passwords are kept for tests to check, and are left out of `Debug` and `Display`.
#[derive(Clone)]
pub struct ReceivedRequest {
    /// The method.
    pub method: Method,
    /// The path and the query, as they were on the wire.
    pub path_and_query: String,
    /// The headers, `Host` included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The `X-Request-Id` of its answer.
    pub request_id: String,
    /// The status of its answer. `None` while the request waits, and where the answer was not HTTP, as with
    /// [`Answer::Raw`](super::wire::Answer::Raw).
    pub status: Option<StatusCode>,
}

impl ReceivedRequest {
    /// Takes over a request that has no answer yet, and marks its secrets.
    pub(super) fn new(request: Request<Bytes>, request_id: String) -> Self {
        let (mut head, body) = request.into_parts();
        for (name, value) in head.headers.iter_mut() {
            let is_secret = [AUTHORIZATION.as_str(), AUTH_TOKEN, SECURITY_TOKEN].contains(&name.as_str());
            value.set_sensitive(is_secret);
        }
        Self {
            method: head.method,
            path_and_query: head.uri.path_and_query().map_or("*", |path| path.as_str()).to_owned(),
            headers: head.headers,
            body,
            request_id,
            status: None,
        }
    }

    pub(super) fn path_and_query(&self) -> (&str, &str) {
        self.path_and_query.split_once('?').unwrap_or((&self.path_and_query, ""))
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ReceivedRequest");
        shown
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .field("headers", &self.headers);
        if self.path_and_query.starts_with(paths::TOKENS) {
            shown.field("body", &format_args!("(hidden)"));
        } else {
            shown.field("body", &self.body);
        }
        shown.field("request_id", &self.request_id).field("status", &self.status).finish()
    }
}

/// The request as HTTP/1.1 writes it, without its body.
impl fmt::Display for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path_and_query)?;
        for (name, value) in &self.headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            match sdk_hmac::parse_authorization(&text) {
                Ok(parts) if name == AUTHORIZATION => {
                    let names = parts.signed_headers.join(";");
                    write!(
                        f,
                        "\n{name}: SDK-HMAC-SHA256 Access={}, SignedHeaders={names}, Signature=(hidden)",
                        parts.access
                    )?;
                }
                _ if value.is_sensitive() => write!(f, "\n{name}: (hidden)")?,
                _ => write!(f, "\n{name}: {text}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::demo;
    use super::super::testing::{Signing, USERS, start, with_headers};
    use super::*;
    use crate::http_client::send;

    #[tokio::test]
    async fn secrets_are_kept_but_not_shown() {
        let simulator = start().await;
        let signing = Signing { signed: &[("x-security-token", "secret-1")], ..Signing::default() };
        let request = signing.request(&simulator, Method::DELETE, &format!("{USERS}?user_name=alice"));
        let signature = request.headers()[AUTHORIZATION].to_str().unwrap().rsplit('=').next().unwrap().to_owned();
        send(simulator.address(), request).await.unwrap();
        let headers = [("x-auth-token", "secret-2"), ("authorization", "Bearer secret-3")];
        send(simulator.address(), with_headers(Method::GET, "/", &headers)).await.unwrap();

        let requests = simulator.requests();
        assert_eq!(requests[0].headers["x-security-token"], "secret-1");
        assert_eq!(requests[1].headers["x-auth-token"], "secret-2");
        for received in &requests {
            for shown in [format!("{received:?}"), received.to_string()] {
                assert!(!shown.contains("secret-") && !shown.contains(&signature), "{shown}");
            }
        }
        let shown = requests[0].to_string();
        assert!(shown.contains(&format!("Access={}, SignedHeaders=host;x-", demo::ACCESS_KEY)), "{shown}");
    }
}

//! The token endpoint (OpenID Connect Core 1.0, section 3.1.3): the request for an ID token, and its answer. Sending it is not done
//! here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::Value;

use crate::callers::console::provider::{ClientProof, Provider};
use crate::callers::console::sign_in::{SignIn, encoded, form, redirect_uri};
use crate::config::callers::Caller;
use crate::crypto::unique_json;
use crate::secret::Secret;

/// The largest answer that is read, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// Why there is no ID token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAnswerError {
    /// The code is used, too old or another client's.
    CodeRefused,
    /// The provider does not take the gateway's request; the text is for the log.
    Refused(String),
    /// The provider fails; the text is for the log.
    Failed(String),
}

/// Returns the request; `None` if an address or secret cannot be sent.
pub fn request(
    (provider, caller): (&Provider, &Caller),
    secret: &Secret,
    sign_in: &SignIn,
    code: &str,
) -> Option<Request<Bytes>> {
    let client_id = caller.setting("client_id").unwrap_or_default();
    let redirect_uri = redirect_uri(caller);
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", sign_in.verifier()),
    ];
    let mut authorization = None;
    match provider.client_proof {
        ClientProof::Basic => {
            // Each half form-encoded first (RFC 6749, section 2.3.1).
            let [id, secret] = [client_id, secret.expose()].map(encoded);
            let mut value =
                HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))).ok()?;
            value.set_sensitive(true);
            authorization = Some(value);
        }
        ClientProof::Post => fields.extend([("client_id", client_id), ("client_secret", secret.expose())]),
    }
    let mut request = Request::new(Bytes::from(form(&fields)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = provider.token_endpoint.parse().ok()?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    authorization.map(|value| headers.insert(AUTHORIZATION, value));
    Some(request)
}

/// Reads the answer. Of its tokens the ID token is used; the others are not kept.
///
/// # Errors
///
/// A [`TokenAnswerError`] if it has none.
pub fn id_token(status: StatusCode, body: &[u8]) -> Result<String, TokenAnswerError> {
    let failed = |why: &str| TokenAnswerError::Failed(format!("its token endpoint answered {} {why}", status.as_u16()));
    let body = match unique_json::parse(body) {
        Ok(Value::Object(body)) => body,
        _ => return Err(failed("without a JSON object")),
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match (status, text("error"), text("id_token")) {
        (StatusCode::OK, None, Some(token)) => Ok(token.to_owned()),
        (StatusCode::OK, None, None) => {
            Err(TokenAnswerError::Refused("its answer has no `id_token`; is `openid` in `scopes`?".into()))
        }
        (_, Some("invalid_grant"), _) => Err(TokenAnswerError::CodeRefused),
        (
            _,
            Some(error @ ("invalid_client" | "unauthorized_client" | "invalid_request" | "unsupported_grant_type")),
            _,
        ) => Err(TokenAnswerError::Refused(format!("its token endpoint answered {} {error}", status.as_u16()))),
        (_, error, _) => Err(failed(error.map_or("", |_| "with another error"))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::callers::console::back::Back;

    #[test]
    fn the_client_proves_itself_as_the_provider_asks() {
        let mut provider = Provider {
            issuer: "https://id.example.com".into(),
            authorization_endpoint: "https://id.example.com/auth".into(),
            token_endpoint: "https://id.example.com/token".into(),
            jwks_url: "https://id.example.com/jwks".into(),
            end_session_endpoint: None,
            client_proof: ClientProof::Basic,
            names_itself: false,
        };
        let caller = Caller::new("console", "console")
            .with("client_id", &["off board"])
            .with("public_url", &["https://offboard.example.com"]);
        let secret = Secret::new("s:c+t%".into()).unwrap();
        let sign_in = SignIn::new(&Back::default(), [0; 4], DateTime::UNIX_EPOCH);
        let basic = request((&provider, &caller), &secret, &sign_in, "a/b").unwrap();
        assert_eq!((basic.method(), basic.uri().to_string()), (&Method::POST, "https://id.example.com/token".into()));
        // printf 'off%%20board:s%%3Ac%%2Bt%%25' | base64
        assert_eq!(basic.headers()["authorization"], "Basic b2ZmJTIwYm9hcmQ6cyUzQWMlMkJ0JTI1");
        let verifier = "A".repeat(43);
        let body = format!(
            "grant_type=authorization_code&code=a%2Fb&redirect_uri=https%3A%2F%2Foffboard.example.com%2Fconsole%2Fcallback&code_verifier={verifier}"
        );
        assert_eq!(basic.body(), body.as_bytes());

        provider.client_proof = ClientProof::Post;
        let post = request((&provider, &caller), &secret, &sign_in, "a/b").unwrap();
        assert!(!post.headers().contains_key("authorization"));
        assert_eq!(post.body(), format!("{body}&client_id=off%20board&client_secret=s%3Ac%2Bt%25").as_bytes());
    }

    #[test]
    fn answers_of_the_token_endpoint() {
        let failed = |why: &str| Err(TokenAnswerError::Failed(format!("its token endpoint answered {why}")));
        let refused = |why: &str| Err(TokenAnswerError::Refused(why.into()));
        for (status, body, expected) in [
            (200, r#"{"id_token": "a.b.c", "access_token": "x"}"#, Ok("a.b.c".to_owned())),
            (200, r#"{"access_token": "x"}"#, refused("its answer has no `id_token`; is `openid` in `scopes`?")),
            (400, r#"{"error": "invalid_grant"}"#, Err(TokenAnswerError::CodeRefused)),
            (200, r#"{"error": "invalid_grant", "id_token": "a"}"#, Err(TokenAnswerError::CodeRefused)),
            (401, r#"{"error": "invalid_client"}"#, refused("its token endpoint answered 401 invalid_client")),
            (400, r#"{"error": "<script>"}"#, failed("400 with another error")),
            (500, r#"{"id_token": "a.b.c"}"#, failed("500 ")),
            (302, "", failed("302 without a JSON object")),
            (200, "[]", failed("200 without a JSON object")),
        ] {
            assert_eq!(id_token(StatusCode::from_u16(status).unwrap(), body.as_bytes()), expected, "{status} {body}");
        }
    }
}

//! Tokens from IAM.
//!
//! `POST {iam}/v3/auth/tokens?nocatalog=true` → 201, the token in `X-Subject-Token`, its expiry in `token.expires_at` ("Obtaining
//! a User Token Through Password Authentication" and "Obtaining an Agency Token",
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>, <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0003.html>).
//! Errors come in two shapes, `{"error_code","error_msg"}` and `{"error":{"message","code","title"}}`.
//!
//! IAM's messages are about the gateway's own credentials, so they go to the log and never to the requester.
//!
//! Not supported: users with virtual MFA, temporary access keys from IAM (`POST /v3.0/OS-CREDENTIAL/securitytokens`),
//! federated users.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::credentials::{Agency, Domain};
use crate::host::{Answered, Host, SendError};
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::unseen::visible;
use crate::secret::Secret;
use crate::taurusdb::answer::redacted;
use crate::taurusdb::credentials::Password;
use crate::taurusdb::error::CallError;
use crate::taurusdb::request::{ApiRequest, RequestAuth};

/// The largest answer that is read, in bytes. The token itself is in a header.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The scope of a token.
pub(super) enum Scope<'a> {
    /// The resources of a project, by project ID.
    Project(&'a str),
    /// A whole Huawei Cloud account, by name: the scope of a token that assumes an agency of another account.
    Domain(&'a str),
}

/// The identity that a token is issued to.
pub(super) enum Identity<'a> {
    /// An IAM user.
    Password(&'a Password),
    /// An agency of another Huawei Cloud account.
    Agency {
        /// The agency.
        agency: &'a Agency,
        /// The proof of the user or access key that the agency trusts.
        proof: RequestAuth<'a>,
    },
}

/// A token that IAM issued.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) token: Secret,
    pub(super) expires_at: DateTime<Utc>,
}

/// The reason why IAM issued no token.
#[derive(Debug)]
pub(super) enum NoToken {
    /// IAM does not accept the token of the user who assumes the agency.
    ProofRefused,
    /// Any other reason.
    Call(CallError),
}

impl From<CallError> for NoToken {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// IAM at one endpoint, for one request to the gateway.
pub(super) struct Iam<'a, H> {
    pub(super) host: &'a H,
    pub(super) budget: &'a Budget,
    pub(super) endpoint: &'a str,
}

impl<H: Host> Iam<'_, H> {
    /// Requests a token. `secrets` are removed from IAM's message before it is logged.
    ///
    /// A request with a wrong signature or password is never sent again, because that would lock the key or the user.
    ///
    /// # Errors
    ///
    /// - [`NoToken::ProofRefused`] if IAM refuses the token that should assume an agency
    /// - [`CallError::CredentialsRefused`] if IAM refuses the request otherwise
    /// - [`CallError::IamNotAllowed`] if the runtime does not let the gateway connect to IAM
    /// - [`CallError::TokenUnavailable`] if IAM does not answer, throttles, fails, or sends no usable token
    /// - the errors of [`ApiRequest::request`] and [`CallError::OutOfTime`] if the request was not sent
    pub(super) async fn issue(
        &self,
        identity: &Identity<'_>,
        scope: &Scope<'_>,
        secrets: &[&Secret],
    ) -> Result<Issued, NoToken> {
        let Self { host, budget, endpoint } = *self;
        let body = Bytes::from(body(identity, scope).to_string());
        let api_request = ApiRequest {
            method: Method::POST,
            endpoint,
            path: "/v3/auth/tokens",
            query: "nocatalog=true",
            headers: &[],
            body,
        };
        let proof = match identity {
            Identity::Password(_) => &RequestAuth::Body,
            Identity::Agency { proof, .. } => proof,
        };
        let request = || api_request.request(proof, host.now());
        let sent = retry::send::<H, CallError>(host, budget, retry::CallSpec::new(ANSWER_LIMIT), request).await?;
        let answer = match sent.answer {
            Ok(answer) => answer,
            Err(error) => {
                host.log(&format!("iam: no answer after {} attempts: {error:?}", sent.attempts));
                return Err(match error {
                    SendError::NotAllowed(_) => CallError::IamNotAllowed.into(),
                    _ => CallError::TokenUnavailable.into(),
                });
            }
        };
        if answer.status() == StatusCode::CREATED {
            return parse_issued(&answer).ok_or_else(|| {
                host.log("iam: the answer is 201 without a token or without its end");
                CallError::TokenUnavailable.into()
            });
        }
        let status = answer.status();
        let message = redacted(error_message(&answer), secrets.iter().copied());
        host.log(&format!("iam: refused with {status}: {}", visible(&message)));
        match (status, proof) {
            (StatusCode::UNAUTHORIZED, RequestAuth::Token(_)) => Err(NoToken::ProofRefused),
            (StatusCode::TOO_MANY_REQUESTS, _) => Err(CallError::TokenUnavailable.into()),
            _ if status.is_client_error() => Err(CallError::CredentialsRefused.into()),
            _ => Err(CallError::TokenUnavailable.into()),
        }
    }
}

fn body(identity: &Identity<'_>, scope: &Scope<'_>) -> Value {
    let identity = match identity {
        Identity::Password(Password { user, password, domain }) => json!({
            "methods": ["password"],
            "password": {"user": {"name": user, "password": password.expose(), "domain": {"name": domain}}},
        }),
        Identity::Agency { agency, .. } => {
            let (key, value) = match &agency.domain {
                Domain::Name(name) => ("domain_name", name),
                Domain::Id(id) => ("domain_id", id),
            };
            json!({"methods": ["assume_role"], "assume_role": {key: value, "agency_name": agency.name}})
        }
    };
    let scope = match scope {
        Scope::Project(id) => json!({"project": {"id": id}}),
        Scope::Domain(name) => json!({"domain": {"name": name}}),
    };
    json!({"auth": {"identity": identity, "scope": scope}})
}

#[derive(Deserialize)]
struct Success {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    expires_at: String,
}

fn parse_issued(answer: &Answered) -> Option<Issued> {
    let token = answer.headers().get("x-subject-token")?.to_str().ok()?;
    let success: Success = serde_json::from_slice(answer.body().as_deref()?).ok()?;
    let expires_at = DateTime::parse_from_rfc3339(&success.token.expires_at).ok()?.to_utc();
    Some(Issued { token: Secret::new(token.to_owned())?, expires_at })
}

/// Returns the message of IAM's error, which has one of two shapes; at most 500 characters.
fn error_message(answer: &Answered) -> String {
    let body: Value = serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let message = match (text("/error_code"), text("/error_msg")) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or_default()),
        (None, _) => match (text("/error/title"), text("/error/message")) {
            (title, Some(message)) => format!("{}: {message}", title.unwrap_or("error")),
            (_, None) => "a body that its API does not document".to_owned(),
        },
    };
    message.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, token: Option<&str>, body: &str) -> Answered {
        let mut answer = http::Response::builder().status(status);
        if let Some(token) = token {
            answer = answer.header("x-subject-token", token);
        }
        answer.body(Some(Bytes::from(body.to_owned()))).unwrap()
    }

    #[test]
    fn both_shapes_of_an_error_are_read() {
        for (body, message) in [
            (r#"{"error_code":"IAM.0011","error_msg":"locked"}"#, "IAM.0011: locked"),
            (r#"{"error_code":"IAM.0011"}"#, "IAM.0011: "),
            (
                r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#,
                "Unauthorized: The username or password is wrong.",
            ),
            (r#"{"error":{"message":"m"}}"#, "error: m"),
            ("<html>", "a body that its API does not document"),
            ("", "a body that its API does not document"),
        ] {
            assert_eq!(error_message(&answer(401, None, body)), message);
        }
        assert_eq!(error_message(&answer(400, None, &format!(r#"{{"error_code":"{}"}}"#, "x".repeat(600)))).len(), 500);
    }

    #[test]
    fn a_token_needs_an_expiry() {
        let good = r#"{"token":{"expires_at":"2026-06-02T10:00:00.123000Z","methods":["password"]}}"#;
        let issued = parse_issued(&answer(201, Some("MIIE"), good)).unwrap();
        assert_eq!((issued.token.expose(), issued.expires_at.timestamp_millis()), ("MIIE", 1_780_394_400_123));
        for (token, body) in [
            (None, good),
            (Some(""), good),
            (Some("MIIE"), "{}"),
            (Some("MIIE"), r#"{"token":{"expires_at":"tomorrow"}}"#),
        ] {
            assert!(super::parse_issued(&answer(201, token, body)).is_none(), "{token:?} {body}");
        }
    }

    #[test]
    fn the_request_body_has_the_documented_shape() {
        let agency = |domain| Agency { name: "offboard".into(), domain };
        let token = Secret::new("t".into()).unwrap();
        let user = Password { user: "u".into(), password: token.clone(), domain: "d".into() };
        let by = |agency: Agency| {
            body(&Identity::Agency { agency: &agency, proof: RequestAuth::Token(&token) }, &Scope::Project("p"))
        };
        assert_eq!(
            body(&Identity::Password(&user), &Scope::Domain("d")),
            json!({"auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": "u", "password": "t", "domain": {"name": "d"}}},
                },
                "scope": {"domain": {"name": "d"}},
            }})
        );
        assert_eq!(
            by(agency(Domain::Name("n".into()))),
            json!({"auth": {
                "identity": {
                    "methods": ["assume_role"],
                    "assume_role": {"domain_name": "n", "agency_name": "offboard"},
                },
                "scope": {"project": {"id": "p"}},
            }})
        );
        assert_eq!(by(agency(Domain::Id("i".into())))["auth"]["identity"]["assume_role"]["domain_id"], "i");
    }
}

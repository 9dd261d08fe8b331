//! The token endpoint: a code becomes an ID token, once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::{OAuthError, json_response};
use super::options::Client;
use super::parameters::Parameters;
use super::state::{CODE_LIFETIME, Grant, Provider, random};

/// How long an ID token is valid.
const TOKEN_LIFETIME: Duration = Duration::from_secs(5 * 60);

pub(super) fn answer(provider: &Provider, headers: &HeaderMap, parameters: &Parameters) -> Response<Bytes> {
    match redeem(provider, headers, parameters) {
        Ok(tokens) => json_response(StatusCode::OK, &tokens),
        Err(error) => error.response(),
    }
}

fn redeem(provider: &Provider, headers: &HeaderMap, parameters: &Parameters) -> Result<Value, OAuthError> {
    let client = authenticate(provider, headers, parameters)?;
    let required =
        |name: &str| parameters.get(name).ok_or_else(|| OAuthError::invalid_request(format!("`{name}` is missing")));
    if required("grant_type")? != "authorization_code" {
        return Err(OAuthError::new("unsupported_grant_type", "`grant_type` is not `authorization_code`"));
    }
    let invalid_grant = |description: &str| OAuthError::new("invalid_grant", description);
    // Each presentation uses a code up, also one with a wrong verifier: a code that leaked cannot be tried twice.
    let grant = provider.pending().codes.remove(required("code")?);
    let grant = grant.ok_or_else(|| invalid_grant("the code is unknown or was used already"))?;
    let asked = &grant.authorization;
    if asked.client_id != client.id {
        return Err(invalid_grant("the code was issued to another client"));
    }
    if required("redirect_uri")? != asked.redirect_uri {
        return Err(invalid_grant("`redirect_uri` is not the one of the authorization request"));
    }
    if provider.now().duration_since(grant.at).unwrap_or_default() > CODE_LIFETIME {
        return Err(invalid_grant("the code has expired"));
    }
    let verifier = required("code_verifier")?;
    if !is_verifier(verifier) || URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != asked.challenge {
        return Err(invalid_grant("`code_verifier` does not fit the challenge"));
    }
    Ok(json!({
        "access_token": random(),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME.as_secs(),
        "scope": asked.scopes.join(" "),
        "id_token": provider.key.token(&claims(provider, &grant)),
    }))
}

/// Checks `client_secret_basic` (RFC 6749, section 2.3.1): id and secret, each form-encoded, then joined.
fn authenticate<'a>(
    provider: &'a Provider,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<&'a Client, OAuthError> {
    let invalid_client = |description: &str| OAuthError::new("invalid_client", description);
    if parameters.get("client_secret").is_some() {
        return Err(invalid_client("only `client_secret_basic` is accepted"));
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(invalid_client("one `Authorization` is needed, of scheme `Basic`"));
    };
    let (id, secret) =
        basic(value.as_bytes()).ok_or_else(|| invalid_client("`Authorization` is not of scheme `Basic`"))?;
    if parameters.get("client_id").is_some_and(|named| named != id) {
        return Err(OAuthError::invalid_request("`client_id` is not the client of `Authorization`"));
    }
    let client = provider.client(&id).filter(|client| client.secret == secret);
    client.ok_or_else(|| invalid_client("the client is unknown, or its secret is another one"))
}

fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// Undoes the form encoding of one value; `None` if it has characters that the encoding would have changed.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let (value, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    Some(value.into_owned())
}

/// Returns whether this can be a verifier (RFC 7636, section 4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn claims(provider: &Provider, grant: &Grant) -> Value {
    let now = provider.now();
    let Grant { authorization, person, at } = grant;
    let has = |scope: &str| authorization.scopes.iter().any(|asked| asked == scope);
    let mut claims = json!({
        "iss": provider.issuer,
        "sub": person.sub,
        "aud": authorization.client_id,
        "iat": seconds(now),
        "exp": seconds(now + TOKEN_LIFETIME),
        "auth_time": seconds(*at),
        "nonce": authorization.nonce,
    });
    if has("profile") {
        claims["name"] = json!(person.name);
    }
    if has("email") {
        claims["email"] = json!(person.email);
        claims["email_verified"] = json!(true);
    }
    // Some providers have a scope for groups, others send them with the profile.
    if has("groups") || has("profile") {
        claims["groups"] = json!(person.groups);
    }
    claims
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

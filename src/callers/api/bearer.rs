//! Proof by a bearer token of an identity provider.

use chrono::{DateTime, Utc};

use crate::callers::proof::{Proof, ProofError, Subject, bearer};
use crate::config::caller_shape::{Reached, Setting};
use crate::config::callers::Caller;
use crate::config::endpoint::is_web_address;
use crate::crypto::jwks::{JwksSource, KeySet};
use crate::crypto::jwt::{self, Expected, TokenError};
use crate::request::actor::Groups;
use crate::request::headers::header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;

const AUTHORIZATION: &str = "authorization";

/// The file of public keys that the operator maintains.
pub(crate) const JWKS_FILE: Setting = Setting {
    is_valid: |name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']),
    expected: "the name of a file beside offboard.toml",
    ..Setting::text("jwks_file", false)
};

/// The issuer's `iss`, exactly.
pub(crate) const ISSUER: Setting = Setting::text("issuer", false);

/// Whom the tokens are for.
pub(crate) const AUDIENCE: Setting = Setting::texts("audience", false);

/// Where the issuer publishes its keys.
pub(crate) const JWKS_URL: Setting = Setting {
    reached: Reached::Always,
    is_valid: is_web_address,
    expected: "`https://…` (`http` for a loopback address only)",
    ..Setting::text("jwks_url", false)
};

/// The header that carries the token.
pub(crate) const HEADER: Setting = Setting {
    is_valid: |name| http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
    expected: "the name of a header",
    ..Setting::text("header", false)
};

/// The client that the tokens were issued to.
pub(crate) const AZP: Setting = Setting::text("azp", false);

/// The claim that lists the teams of a person.
pub(crate) const GROUPS: Setting = Setting::text("groups", false);

pub(super) const SETTINGS: &[Setting] = &[ISSUER, AUDIENCE, JWKS_URL, JWKS_FILE, HEADER, AZP, GROUPS];

/// Checks that the settings of a caller are complete.
///
/// # Errors
///
/// If a setting is missing or contradicts another: the settings that the caller needs.
pub(super) fn is_complete(caller: &Caller) -> Result<(), &'static str> {
    let has = |name: &str| caller.setting(name).is_some();
    let token_settings = ["audience", "jwks_url", "jwks_file", "header", "azp", "groups"];
    match (has("issuer"), has("audience"), has("jwks_url"), has("jwks_file")) {
        (false, ..) if token_settings.into_iter().any(has) => Err("`issuer`, beside the other settings of tokens"),
        (false, ..) if caller.keys.is_empty() => Err(
            "`access_keys = [{ id = \"…\", secret = \"spin_variable\" }, …]`, or `issuer`, `audience` and `jwks_url` for bearer tokens",
        ),
        (true, false, ..) => Err("`audience`: whom the tokens are for"),
        (true, _, true, true) | (true, _, false, false) => {
            Err("either `jwks_url` or `jwks_file`: the issuer's public keys")
        }
        _ => Ok(()),
    }
}

/// Returns the header that carries a caller's tokens, in lowercase.
fn token_header(caller: &Caller) -> String {
    caller.setting("header").unwrap_or(AUTHORIZATION).to_ascii_lowercase()
}

/// Returns the token that the request carries for this caller; `None` if it carries none.
///
/// # Errors
///
/// [`ProofError::Doubled`] if the header appears twice, [`ProofError::Malformed`] if its value is not readable.
pub(crate) fn token<'i>(inbound: &'i Inbound, caller: &Caller) -> Result<Option<&'i str>, ProofError> {
    let name = token_header(caller);
    if name == AUTHORIZATION {
        let value = header(&inbound.headers, AUTHORIZATION)?;
        let is_bearer =
            value.is_some_and(|value| value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer ")));
        return if is_bearer { bearer(&inbound.headers).map(Some) } else { Ok(None) };
    }
    let mut values = inbound.headers.get_all(&name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(ProofError::Doubled { header: name.into() });
    }
    let text = first.map(|value| value.to_str().map_err(|_| ProofError::Malformed { header: "the token's header" }));
    text.transpose().map(|text| text.filter(|text| !text.is_empty()))
}

/// Returns the source of the public keys for the request's token; `None` for a request without a token.
pub(crate) fn key_source<'c>(inbound: &Inbound, caller: &'c Caller) -> Option<JwksSource<'c>> {
    token(inbound, caller).ok().flatten()?;
    caller.setting("jwks_url").map(JwksSource::Url).or_else(|| caller.setting("jwks_file").map(JwksSource::File))
}

/// Returns the caller whose `issuer` the request's token names; `None` for a request without a token.
///
/// # Errors
///
/// [`ProofError::Malformed`] if the token cannot be read, [`ProofError::TokenRefused`] if no caller has its issuer.
pub(super) fn issuing_caller<'c>(
    inbound: &Inbound,
    callers: impl Iterator<Item = &'c Caller>,
) -> Result<Option<&'c Caller>, ProofError> {
    let mut has_token = false;
    for caller in callers {
        let Some(issuer) = caller.setting("issuer") else { continue };
        let Some(token) = token(inbound, caller)? else { continue };
        let peek = jwt::peek(token).ok_or(ProofError::Malformed { header: "token" })?;
        if peek.issuer == issuer {
            return Ok(Some(caller));
        }
        has_token = true;
    }
    if has_token { Err(ProofError::TokenRefused { claim: "iss" }) } else { Ok(None) }
}

/// Verifies a token. The person is its `sub`, or the claim of the setting `claim` for kinds that have it; of the setting
/// `algorithms`, if there is one, one has to have signed it.
///
/// # Errors
///
/// [`ProofError`] if the token is not signed by the issuer, is for another audience, is not valid at this time, or names no person.
pub(crate) fn verify(
    token: &str,
    keys: &KeySet,
    inbound: &Inbound,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let expected = Expected {
        issuer: caller.setting("issuer").unwrap_or_default(),
        audiences: caller.settings("audience"),
        authorized_party: caller.setting("azp"),
        groups: caller.setting("groups"),
    };
    let algorithms = caller.settings("algorithms");
    if !algorithms.is_empty() && jwt::algorithm(token).is_none_or(|algorithm| !algorithms.contains(&algorithm)) {
        return Err(TokenError::Algorithm.into());
    }
    let all = jwt::proved(token, keys, &expected, now)?;
    let claims = jwt::known_claims(&all, &expected)?;
    let person = match caller.setting("claim") {
        Some(claim) => jwt::person(&all, claim)?,
        None => claims.subject,
    };
    let minute = now.timestamp().div_euclid(60).to_string();
    let (method, body) = (inbound.method.as_str().as_bytes(), &inbound.body);
    // Without the signature: an ECDSA signature can be written in a second way, which would make a second delivery.
    let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
    let parts = [signed.as_bytes(), minute.as_bytes(), method, inbound.path.as_bytes(), inbound.query.as_bytes(), body];
    let groups = Groups::new(claims.groups, claims.ends);
    let subject = Subject { id: person, groups };
    Ok(Proof { subject: Some(subject), ..Proof::of(DeliveryId::new(caller, &parts)) })
}

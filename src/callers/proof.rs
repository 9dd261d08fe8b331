//! What proves that a request is a caller's: secrets, timestamps, tokens.
//!
//! Time and secrets are arguments. What is compared with a secret is compared in constant time, in `crypto`.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::crypto::jwks::KeySet;
use crate::crypto::jwt::TokenError;
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::request::actor::Groups;
use crate::request::error::RequestError;
use crate::request::headers::{HeaderError, required_header};
use crate::request::ids::DeliveryId;
use crate::secret::Secret;

/// Why a request does not prove who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofError {
    /// What proves the caller is missing or empty.
    Missing {
        /// The header, query parameter or field.
        header: &'static str,
    },
    /// It is there, and not in the form that the platform writes.
    Malformed {
        /// The header, query parameter or field.
        header: &'static str,
    },
    /// `Authorization` has no scheme, or another one than `Bearer`.
    SchemeWrong,
    /// A header that may appear once appears twice.
    Doubled {
        /// The header.
        header: Cow<'static, str>,
    },
    /// Signed more than 300 seconds from now, either way.
    Stale,
    /// The signature is well-formed and not the right one, or its key is not known.
    Wrong,
    /// No usable secret is set, so the caller cannot prove anything.
    SecretUnset,
    /// The proof's own time is over or has not come yet: a token's, or that of a platform with another window.
    Expired,
    /// The token is valid in itself, and not for this gateway.
    TokenRefused {
        /// The claim that says so.
        claim: &'static str,
    },
    /// The token is signed with a key that its issuer does not publish.
    KeyUnknown,
    /// What the proof covers cannot be read.
    Request(RequestError),
}

impl From<RequestError> for ProofError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<HeaderError> for ProofError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Missing { header } => Self::Missing { header },
            HeaderError::Malformed { header } => Self::Malformed { header },
            HeaderError::Doubled { header } => Self::Doubled { header: header.into() },
        }
    }
}

impl From<TokenError> for ProofError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::Malformed { header: "token" },
            TokenError::Algorithm | TokenError::Signature => Self::Wrong,
            TokenError::UnknownKey => Self::KeyUnknown,
            TokenError::Expired => Self::Expired,
            TokenError::Claim(claim) => Self::TokenRefused { claim },
        }
    }
}

impl From<ProofError> for Outcome {
    fn from(error: ProofError) -> Self {
        let named = |entry, header: String| Message::new(entry).quoting("header", header);
        Self::Refused(match error {
            ProofError::Missing { header } => named(&catalog::PROOF_MISSING, header.into()),
            ProofError::Malformed { header } => named(&catalog::PROOF_MALFORMED, header.into()),
            ProofError::SchemeWrong => named(&catalog::SCHEME_WRONG, AUTHORIZATION.into()),
            ProofError::Doubled { header } => named(&catalog::PROOF_DOUBLED, header.into_owned()),
            ProofError::Stale => Message::new(&catalog::PROOF_STALE),
            ProofError::Wrong => Message::new(&catalog::PROOF_WRONG),
            ProofError::SecretUnset => Message::new(&catalog::SECRET_UNSET),
            ProofError::Expired => Message::new(&catalog::PROOF_EXPIRED),
            ProofError::TokenRefused { claim } => Message::new(&catalog::TOKEN_REFUSED).quoting("claim", claim),
            ProofError::KeyUnknown => Message::new(&catalog::KEY_UNKNOWN),
            ProofError::Request(error) => error.into(),
        })
    }
}

/// How far a timestamp may be from now, in milliseconds, either way.
pub(crate) const TOLERANCE: u64 = 300_000;

/// A secret of a caller whose variable is set.
#[derive(Debug, Clone)]
pub struct ActiveSecret {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// The secret half of an access key, or the first part that is set.
    pub secret: Secret,
    /// All parts that are set, by name.
    pub parts: Vec<(&'static str, Secret)>,
}

impl ActiveSecret {
    /// A secret of these parts; `None` if there is none.
    pub fn new(id: Option<String>, parts: Vec<(&'static str, Secret)>) -> Option<Self> {
        let secret = parts.first()?.1.clone();
        Some(Self { id, secret, parts })
    }

    /// Returns the part of this name, if it is set.
    pub fn part(&self, name: &str) -> Option<&Secret> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }
}

/// The keys of a caller: what a request can be proved with.
#[derive(Debug, Default)]
pub struct VerificationKeys {
    /// The secrets that are set. There may be none of access keys; of other secrets a kind has at least one.
    pub secrets: Vec<ActiveSecret>,
    /// The public keys of the issuer, for requests with a token.
    pub published: Option<KeySet>,
}

/// What a verified request proved.
#[derive(Debug)]
pub struct Proof {
    /// Identifies the request: the same delivery again is the same removal.
    pub delivery: DeliveryId,
    /// The access key id that signed, for kinds that have them.
    pub key_id: Option<String>,
    /// The secret that proved the request, for kinds whose answers need it again.
    pub key: Option<ActiveSecret>,
    /// The person whom a token names.
    pub subject: Option<Subject>,
    /// The decrypted body.
    pub plain: Option<Bytes>,
}

/// A person whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Their id with the issuer.
    pub id: String,
    /// Their teams, as the token says.
    pub groups: Groups,
}

impl Proof {
    /// A proof of nothing but the delivery.
    pub fn of(delivery: DeliveryId) -> Self {
        Self { delivery, key_id: None, key: None, subject: None, plain: None }
    }
}

impl VerificationKeys {
    /// Returns the secret that proves a request: the first one that passes `proves`.
    ///
    /// # Errors
    ///
    /// As [`first_that_proves`].
    pub(crate) fn proved_by(&self, proves: impl Fn(&Secret) -> bool) -> Result<&ActiveSecret, ProofError> {
        first_that_proves(&self.secrets, |key| proves(&key.secret))
    }
}

/// Returns the first of the usable keys that passes `proves`: during a rotation a caller has two.
///
/// # Errors
///
/// [`ProofError::SecretUnset`] if there is no key, [`ProofError::Wrong`] if none passes.
pub(crate) fn first_that_proves<K>(
    keys: impl IntoIterator<Item = K>,
    proves: impl Fn(&K) -> bool,
) -> Result<K, ProofError> {
    let mut error = ProofError::SecretUnset;
    for key in keys {
        if proves(&key) {
            return Ok(key);
        }
        error = ProofError::Wrong;
    }
    Err(error)
}

/// Checks that `seconds` is within 300 seconds of now, either way; exactly 300 is.
///
/// # Errors
///
/// [`ProofError::Stale`] if it is not.
pub(crate) fn check_timestamp(seconds: i64, now: DateTime<Utc>) -> Result<(), ProofError> {
    check_window(seconds.saturating_mul(1000), now, TOLERANCE).map_err(|_| ProofError::Stale)
}

/// Checks that `millis` is within `tolerance` milliseconds of now, either way, for a platform with a window of its own.
///
/// # Errors
///
/// [`ProofError::Expired`] if it is not.
pub(crate) fn check_window(millis: i64, now: DateTime<Utc>, tolerance: u64) -> Result<(), ProofError> {
    // In milliseconds, because the clock is not on a whole second when the last one has passed.
    if now.timestamp_millis().abs_diff(millis) <= tolerance { Ok(()) } else { Err(ProofError::Expired) }
}

/// Reads a timestamp in seconds or milliseconds, as a number or as text; returns it as it is written, and in seconds.
pub(crate) fn parse_timestamp(value: &serde_json::Value) -> Option<(String, i64)> {
    let text = match value {
        serde_json::Value::Number(number) => number.as_u64()?.to_string(),
        serde_json::Value::String(text) => text.clone(),
        _ => return None,
    };
    let plain = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| plain)?;
    // Seconds of the year 5138 are milliseconds of 1973.
    let seconds = if number >= 100_000_000_000 { number.div_euclid(1000) } else { number };
    Some((text, seconds))
}

const AUTHORIZATION: &str = "authorization";

/// Returns the token of `Authorization: Bearer`.
///
/// # Errors
///
/// [`ProofError::Missing`], [`ProofError::Doubled`] or [`ProofError::Malformed`] if there is none, [`ProofError::SchemeWrong`] if
/// something else than `Bearer` stands before it, or nothing.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, ProofError> {
    match authorization(headers)? {
        (true, token) => Ok(token),
        (false, _) => Err(ProofError::SchemeWrong),
    }
}

/// Returns the token of `Authorization`, for senders of which some have one field for the whole header: people type the token
/// into it, with or without `Bearer`.
///
/// # Errors
///
/// As [`bearer`], except that a token may stand alone.
pub(crate) fn bearer_or_bare(headers: &HeaderMap) -> Result<&str, ProofError> {
    authorization(headers).map(|(_, token)| token)
}

/// Returns the token, and whether the scheme `Bearer` stands before it; without it, there is no scheme.
fn authorization(headers: &HeaderMap) -> Result<(bool, &str), ProofError> {
    const MALFORMED: ProofError = ProofError::Malformed { header: AUTHORIZATION };
    let value = required_header(headers, AUTHORIZATION)?;
    match value.split_once(' ') {
        // The scheme in any case (RFC 9110, section 11.1), and one space.
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => {
            if is_bearer_token(token) {
                Ok((true, token))
            } else {
                Err(MALFORMED)
            }
        }
        Some((_, token)) if is_bearer_token(token) => Err(ProofError::SchemeWrong),
        Some(_) => Err(MALFORMED),
        // `Bearer` alone or glued to a token is no token.
        None if value.get(..BEARER.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEARER)) => Err(MALFORMED),
        None if is_bearer_token(value) => Ok((false, value)),
        None => Err(MALFORMED),
    }
}

const BEARER: &str = "bearer";

/// Checks the form of a secret that its sender writes into `Authorization`.
///
/// # Errors
///
/// If the header cannot carry it behind `Bearer`: what it may consist of.
pub(crate) fn token_form(_: &str, secret: &Secret) -> Result<(), &'static str> {
    let text = secret.expose();
    let has_scheme = text.get(..BEARER.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEARER));
    if is_bearer_token(text) && !has_scheme {
        return Ok(());
    }
    Err("the token without `Bearer`, of letters, digits and `-._~+/=`")
}

/// Whether a text has only the characters that RFC 6750, section 2.1, allows in a token.
pub(crate) fn is_bearer_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_without_its_scheme_is_taken_only_where_senders_leave_it_out() {
        const MALFORMED: ProofError = ProofError::Malformed { header: AUTHORIZATION };
        for (value, with_scheme, bare) in [
            ("Bearer a.b", Ok("a.b"), Ok("a.b")),
            ("bEARER a.b", Ok("a.b"), Ok("a.b")),
            ("a.b", Err(ProofError::SchemeWrong), Ok("a.b")),
            ("Basic YTpi", Err(ProofError::SchemeWrong), Err(ProofError::SchemeWrong)),
            ("Token a.b", Err(ProofError::SchemeWrong), Err(ProofError::SchemeWrong)),
            ("Bearer", Err(MALFORMED), Err(MALFORMED)),
            ("Bearera.b", Err(MALFORMED), Err(MALFORMED)),
            ("Bearer  a.b", Err(MALFORMED), Err(MALFORMED)),
            ("Bearer Bearer a.b", Err(MALFORMED), Err(MALFORMED)),
            ("Bearer \"a\"", Err(MALFORMED), Err(MALFORMED)),
            ("a,b", Err(MALFORMED), Err(MALFORMED)),
            ("Digest username=\"a\", realm=\"b\"", Err(MALFORMED), Err(MALFORMED)),
        ] {
            let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bearer(&headers), with_scheme, "{value}");
            assert_eq!(bearer_or_bare(&headers), bare, "{value}");
        }
    }
}

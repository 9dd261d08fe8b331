//! What proves a request to be a caller's: headers, secrets, timestamps, tokens.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::crypto::jwks::KeySet;
use crate::crypto::jwt::TokenError;
use crate::outcome::Outcome;
use crate::request::ids::DeliveryId;
use crate::secret::Secret;

/// How far a timestamp may be from now, in milliseconds, either way.
pub(crate) const TOLERANCE: u64 = 300_000;

/// A secret of a caller that is set now.
#[derive(Debug, Clone)]
pub struct ActiveSecret {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// Its secret half, or the first of its parts that is set.
    pub secret: Secret,
    /// All of its parts that are set, by name.
    pub parts: Vec<(&'static str, Secret)>,
}

impl ActiveSecret {
    /// The parts that are set; `None` when there are none.
    pub fn new(id: Option<String>, parts: Vec<(&'static str, Secret)>) -> Option<Self> {
        let secret = parts.first()?.1.clone();
        Some(Self { id, secret, parts })
    }

    /// The part of this name, where it is set.
    pub fn part(&self, name: &str) -> Option<&Secret> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }
}

/// What can prove a request to be a caller's.
#[derive(Debug, Default)]
pub struct VerificationKeys {
    /// The secrets that are set; never none for a kind that has them.
    pub secrets: Vec<ActiveSecret>,
    /// The public keys of whoever issued the token, for requests that bring one.
    pub published: Option<KeySet>,
}

/// What a verified request proved.
#[derive(Debug)]
pub struct Proof {
    /// Which request it is.
    pub delivery: DeliveryId,
    /// The access key id that signed, for kinds that have them.
    pub key_id: Option<String>,
    /// The secret that proved it, for kinds whose answers need it again.
    pub key: Option<ActiveSecret>,
    /// Whom a token names, and their teams by its word.
    pub subject: Option<Subject>,
    /// What was inside an encrypted body.
    pub plain: Option<Bytes>,
}

/// Whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Their id, to whoever issued the token.
    pub id: String,
    /// Their teams.
    pub groups: Vec<String>,
}

impl Proof {
    /// A proof of which there is no more to say.
    pub fn of(delivery: DeliveryId) -> Self {
        Self { delivery, key_id: None, key: None, subject: None, plain: None }
    }
}

/// Whether `seconds` is within 300 seconds of now, either way; exactly 300 is.
///
/// # Errors
///
/// [`Outcome::ProofStale`]
pub(crate) fn check_timestamp(seconds: i64, now: DateTime<Utc>) -> Result<(), Outcome> {
    // In milliseconds, because the clock is not on a whole second when 300 of them have passed.
    let apart = now.timestamp_millis().abs_diff(seconds.saturating_mul(1000));
    if apart <= TOLERANCE { Ok(()) } else { Err(Outcome::ProofStale) }
}

/// A timestamp in seconds or milliseconds, as a number or as text: as it is written, and in seconds.
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

/// What stands behind `Bearer`.
///
/// # Errors
///
/// [`Outcome::ProofMissing`] and its like.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Outcome> {
    const AUTHORIZATION: &str = "authorization";
    let value = required_header(headers, AUTHORIZATION)?;
    // The word in any case (RFC 9110, section 11.1), one space, and what RFC 6750 lets a token be.
    let (scheme, token) = value.split_once(' ').ok_or(Outcome::ProofMalformed { header: AUTHORIZATION })?;
    let good = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if good { Ok(token) } else { Err(Outcome::ProofMalformed { header: AUTHORIZATION }) }
}

/// Why a token does not prove anything.
pub(crate) fn token_refused(why: TokenError) -> Outcome {
    match why {
        TokenError::Malformed => Outcome::ProofMalformed { header: "token" },
        TokenError::Algorithm | TokenError::Signature => Outcome::ProofWrong,
        TokenError::UnknownKey => Outcome::KeyUnknown,
        TokenError::Expired => Outcome::ProofExpired,
        TokenError::Claim(claim) => Outcome::TokenRefused { claim },
    }
}

/// The header's value: `None` when it is not there or empty.
///
/// # Errors
///
/// [`Outcome::ProofDoubled`] when it stands twice, [`Outcome::ProofMalformed`] when it is not visible ASCII.
pub fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Outcome> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Outcome::ProofDoubled { header: name.into() });
    }
    let text = value.to_str().map_err(|_| Outcome::ProofMalformed { header: name })?;
    Ok((!text.is_empty()).then_some(text))
}

/// The value of a header that must be there; errors as [`header`], and [`Outcome::ProofMissing`].
///
/// # Errors
///
/// As said.
pub fn required_header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Outcome> {
    header(headers, name)?.ok_or(Outcome::ProofMissing { header: name })
}

//! What a form has to prove beside its sender: browsers send cookies on their own, and those of a proxy too.
//!
//! Two proofs, and both are needed. The request comes from a page of the console ([`check_origin`]): `SameSite` does not say so, as a
//! neighbour below the same domain is of the same site. And the form was made for this person, this action and what the page showed
//! ([`Form`]), so that an approval of something else than was read fails.

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::callers::console::session::keys;
use crate::callers::proof::ActiveSecret;
use crate::crypto::mac::{hmac_sha256, hmac_sha256_is, lower_hex_32};
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::request::headers::header;
use crate::request::ids::digest;
use crate::request::strict::unix_seconds;

/// Why a form is not believed. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// No page of the console sent it, as far as the browser says.
    Foreign,
    /// It has no token.
    Missing,
    /// Its token is not written as the gateway writes them.
    Malformed,
    /// Its token is not of this person, action and reference, or its key is gone.
    Wrong,
    /// Its page was opened more than an hour ago.
    Old,
    /// Its page showed something else than there is now.
    Changed,
}

impl From<FormError> for Outcome {
    fn from(error: FormError) -> Self {
        Self::Refused(Message::new(match error {
            FormError::Foreign => &catalog::FORM_FOREIGN,
            FormError::Missing | FormError::Malformed | FormError::Wrong => &catalog::FORM_REFUSED,
            FormError::Old => &catalog::FORM_OLD,
            FormError::Changed => &catalog::FORM_CHANGED,
        }))
    }
}

/// Checks that a page of `public_url` sent a form, as Go's `CrossOriginProtection` does, except that a request without
/// `Sec-Fetch-Site` and `Origin` is refused: it is no browser's, and only browsers have a cookie.
///
/// # Errors
///
/// [`FormError::Foreign`] if another page sent it, or it is not known which.
pub fn check_origin(headers: &HeaderMap, public_url: &str) -> Result<(), FormError> {
    let read = |name| header(headers, name).map_err(|_| FormError::Foreign);
    let is_ours = match (read("sec-fetch-site")?, read("origin")?) {
        // Not sent over plain HTTP, except to this machine.
        (None, origin) => origin == Some(public_url),
        // `none`: the person reloads the answer to a form. `same-site` is a neighbour.
        (Some(site), _) => ["same-origin", "none"].contains(&site),
    };
    if is_ours { Ok(()) } else { Err(FormError::Foreign) }
}

/// What a person reads before the button, as a digest: what would be decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of these texts, in this order.
    pub fn of(shown: &[&str]) -> Self {
        let parts: Vec<&[u8]> = shown.iter().map(|text| text.as_bytes()).collect();
        Self(digest(&parts))
    }
}

/// A form: who is to send it, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form<'a> {
    /// The principal of the person.
    pub person: &'a str,
    /// What it does, such as `approve`.
    pub action: &'a str,
    /// What it is about, such as a reference; empty if the action says all.
    pub reference: &'a str,
}

/// How long a page may be open before its form is sent, in seconds.
pub const OPEN_FOR: i64 = 3600;

/// What form tokens are made for: no other use of a session key has this label.
const MADE_FOR: &[u8] = b"starrocks-offboard console form/1";

impl Form<'_> {
    /// Returns the token for the form's hidden field `token`; `None` if there is no session key.
    pub fn token(&self, shown: &Fingerprint, secrets: &[ActiveSecret], now: DateTime<Utc>) -> Option<String> {
        let (at, Fingerprint(shown)) = (now.timestamp(), shown);
        let key = keys(secrets).next()?.expose().as_bytes();
        let tag = hmac_sha256(key, &[MADE_FOR, self.signed(at, shown).as_bytes()])?;
        Some(format!("{at}.{shown}.{}", hex::encode(tag)))
    }

    /// Checks the token of a form that was sent. `shown` is the fingerprint of what the page would show now.
    ///
    /// # Errors
    ///
    /// A [`FormError`]; whether the token is the gateway's is said before anything that is inside it.
    pub fn check(
        &self,
        token: Option<&str>,
        shown: &Fingerprint,
        secrets: &[ActiveSecret],
        now: DateTime<Utc>,
    ) -> Result<(), FormError> {
        let token = token.filter(|token| !token.is_empty()).ok_or(FormError::Missing)?;
        let (at, then, tag) = parts(token).ok_or(FormError::Malformed)?;
        let signed = self.signed(at, then);
        let is_right = |key: &[u8]| hmac_sha256_is(key, &[MADE_FOR, signed.as_bytes()], &tag);
        if !keys(secrets).any(|key| is_right(key.expose().as_bytes())) {
            return Err(FormError::Wrong);
        }
        if !(0..OPEN_FOR).contains(&now.timestamp().saturating_sub(at)) {
            return Err(FormError::Old);
        }
        if then == shown.0 { Ok(()) } else { Err(FormError::Changed) }
    }

    fn signed(&self, at: i64, shown: &str) -> String {
        let at = at.to_string();
        digest(&[self.person, self.action, self.reference, &at, shown].map(str::as_bytes))
    }
}

/// The time, the fingerprint and the tag of a token.
fn parts(token: &str) -> Option<(i64, &str, [u8; 32])> {
    let (at, rest) = token.split_once('.')?;
    let (shown, tag) = rest.split_once('.')?;
    lower_hex_32(shown)?;
    Some((unix_seconds(at)?, shown, lower_hex_32(tag)?))
}

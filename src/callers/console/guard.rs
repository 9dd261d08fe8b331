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

impl FormError {
    /// Whether an outcome says that a form is not believed.
    pub fn is_of(outcome: &Outcome) -> bool {
        let entries = [&catalog::FORM_FOREIGN, &catalog::FORM_REFUSED, &catalog::FORM_OLD, &catalog::FORM_CHANGED];
        matches!(outcome, Outcome::Refused(message) if entries.into_iter().any(|entry| std::ptr::eq(message.entry(), entry)))
    }
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
        let then = self.shown(token, secrets, now)?;
        if then == shown.0 { Ok(()) } else { Err(FormError::Changed) }
    }

    /// Checks that a token is the gateway's, for this form and not too old, whatever its page showed: for forms whose fingerprint takes a
    /// call to find out anew.
    ///
    /// # Errors
    ///
    /// A [`FormError`], but [`FormError::Changed`].
    pub fn check_tag(
        &self,
        token: Option<&str>,
        secrets: &[ActiveSecret],
        now: DateTime<Utc>,
    ) -> Result<(), FormError> {
        self.shown(token, secrets, now).map(drop)
    }

    /// The fingerprint in a token that is the gateway's.
    fn shown<'t>(
        &self,
        token: Option<&'t str>,
        secrets: &[ActiveSecret],
        now: DateTime<Utc>,
    ) -> Result<&'t str, FormError> {
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
        Ok(then)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::callers::console::settings::SESSION_KEY;
    use crate::secret::Secret;

    const OURS: &str = "https://offboard.example.com";

    #[test]
    fn a_form_is_believed_from_our_pages_only() {
        for (site, origin, is_ours) in [
            (Some("same-origin"), Some(OURS), true),
            // Of a page with `Referrer-Policy: no-referrer`.
            (Some("same-origin"), Some("null"), true),
            (Some("same-origin"), None, true),
            (Some("none"), None, true),
            (None, Some(OURS), true),
            (Some("same-site"), Some("https://wiki.example.com"), false),
            (Some("same-site"), Some(OURS), false),
            (Some("cross-site"), Some(OURS), false),
            (Some("Same-Origin"), Some(OURS), false),
            (Some("same-origin, same-origin"), Some(OURS), false),
            (None, Some("https://offboard.example.com.evil.example"), false),
            (None, Some("https://offboard.example.com/"), false),
            (None, Some("http://offboard.example.com"), false),
            (None, Some("https://OFFBOARD.example.com"), false),
            (None, Some("null"), false),
            (Some(""), None, false),
            (None, None, false),
        ] {
            let headers: HeaderMap = [("sec-fetch-site", site), ("origin", origin)]
                .into_iter()
                .filter_map(|(name, value)| Some((http::HeaderName::from_static(name), value?.parse().unwrap())))
                .collect();
            assert_eq!(check_origin(&headers, OURS).is_ok(), is_ours, "{site:?} {origin:?}");
        }
        for name in ["sec-fetch-site", "origin"] {
            let mut headers = HeaderMap::new();
            headers.insert("origin", OURS.parse().unwrap());
            headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
            headers.append(name, headers[name].clone());
            assert_eq!(check_origin(&headers, OURS), Err(FormError::Foreign), "{name} twice");
        }
    }

    fn secrets(keys: &[&str]) -> Vec<ActiveSecret> {
        let secret = |key: &&str| ActiveSecret::new(None, vec![(SESSION_KEY, Secret::new((*key).to_owned())?)]);
        keys.iter().filter_map(secret).collect()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    const FORM: Form<'_> = Form { person: "console/pat", action: "approve", reference: "K7Q2M9XA" };
    const NOW: i64 = 1_780_308_000;

    #[test]
    fn a_form_is_of_one_person_for_one_action_on_what_was_shown() {
        let (shown, keys) = (Fingerprint::of(&["alice", "analytics"]), secrets(&["k1"]));
        let token = FORM.token(&shown, &keys, at(NOW)).unwrap();
        let check =
            |form: Form<'_>, shown: &Fingerprint, seconds| form.check(Some(&token), shown, &keys, at(NOW + seconds));
        assert_eq!(check(FORM, &shown, 0), Ok(()));
        assert_eq!(check(FORM, &shown, OPEN_FOR - 1), Ok(()));
        for (form, shown, seconds, expected) in [
            (Form { person: "console/lin", ..FORM }, &shown, 0, FormError::Wrong),
            (Form { action: "deny", ..FORM }, &shown, 0, FormError::Wrong),
            (Form { reference: "K7Q2M9XB", ..FORM }, &shown, 0, FormError::Wrong),
            // The same characters, shared out in another way.
            (Form { action: "approveK", reference: "7Q2M9XA", ..FORM }, &shown, 0, FormError::Wrong),
            (FORM, &shown, OPEN_FOR, FormError::Old),
            (FORM, &shown, -1, FormError::Old),
            (FORM, &Fingerprint::of(&["alice", "warehouse"]), 0, FormError::Changed),
            (FORM, &Fingerprint::of(&["alicea", "nalytics"]), 0, FormError::Changed),
            // What is inside is not looked at before the tag.
            (Form { action: "deny", ..FORM }, &Fingerprint::of(&[]), OPEN_FOR, FormError::Wrong),
        ] {
            assert_eq!(check(form, shown, seconds), Err(expected), "{form:?} {seconds}");
        }
    }

    #[test]
    fn each_session_key_proves_a_form_and_the_newest_makes_it() {
        let shown = Fingerprint::of(&[]);
        let token = FORM.token(&shown, &secrets(&["new", "old"]), at(NOW)).unwrap();
        for (keys, expected) in [
            (&["old", "new"][..], Ok(())),
            (&["new"], Ok(())),
            (&["old"], Err(FormError::Wrong)),
            (&[], Err(FormError::Wrong)),
        ] {
            assert_eq!(FORM.check(Some(&token), &shown, &secrets(keys), at(NOW)), expected, "{keys:?}");
        }
        assert_eq!(FORM.token(&shown, &[], at(NOW)), None);
    }

    #[test]
    fn a_token_has_one_spelling() {
        let (shown, keys) = (Fingerprint::of(&[]), secrets(&["k1"]));
        let token = FORM.token(&shown, &keys, at(NOW)).unwrap();
        let (time, rest) = token.split_once('.').unwrap();
        for (token, expected) in [
            (None, FormError::Missing),
            (Some(String::new()), FormError::Missing),
            (Some("1".into()), FormError::Malformed),
            (Some(format!("0{token}")), FormError::Malformed),
            (Some(format!("+{token}")), FormError::Malformed),
            (Some(format!("{token}.")), FormError::Malformed),
            (Some(token.to_uppercase()), FormError::Malformed),
            (Some(format!("{}.{rest}", time.parse::<i64>().unwrap() + 1)), FormError::Wrong),
        ] {
            assert_eq!(FORM.check(token.as_deref(), &shown, &keys, at(NOW)), Err(expected), "{token:?}");
        }
    }

    proptest! {
        /// A token proves what it was made for, and nothing that differs in anything.
        #[test]
        fn a_token_proves_its_form_alone(
            one in prop::array::uniform4("[a-z/ ]{0,4}"),
            other in prop::array::uniform4("[a-z/ ]{0,4}"),
        ) {
            let keys = secrets(&["k1"]);
            let form = |parts: &[String; 4]| {
                let [person, action, reference, _] = parts.each_ref().map(String::as_str).map(str::to_owned);
                (person, action, reference)
            };
            let (person, action, reference) = form(&one);
            let made = Form { person: &person, action: &action, reference: &reference };
            let token = made.token(&Fingerprint::of(&[&one[3]]), &keys, at(NOW)).unwrap();
            let (person, action, reference) = form(&other);
            let sent = Form { person: &person, action: &action, reference: &reference };
            let checked = sent.check(Some(&token), &Fingerprint::of(&[&other[3]]), &keys, at(NOW));
            let expected = match () {
                () if sent != made => Err(FormError::Wrong),
                () if one[3] != other[3] => Err(FormError::Changed),
                () => Ok(()),
            };
            prop_assert_eq!(checked, expected);
        }
    }
}

//! The session of a person who signed in at the provider: a sealed cookie, and nothing on the server.
//!
//! Its ends are inside the seal: 8 hours after signing in, and 30 minutes after the last request. It is sealed with the newest
//! session key and opened with each; a key that is removed ends its sessions. A single session cannot be revoked.
//!
//! Teams are those of the sign-in: a person who leaves a team keeps it until the session ends.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::callers::console::cookies::{self, cookie};
use crate::callers::console::settings::{NAME, SESSION_KEY};
use crate::callers::proof::{ActiveSecret, ProofError};
use crate::config::callers::Caller;
use crate::crypto::seal::Seal;
use crate::request::actor::Groups;
use crate::request::inbound::Inbound;
use crate::secret::Secret;

/// The session's cookie.
pub const COOKIE: &str = "__Host-offboard";

/// How long a session lasts, in seconds.
pub const LONGEST: i64 = 8 * 3600;

/// How long a session lasts without a request, in seconds.
pub const IDLE: i64 = 30 * 60;

/// How old the last sign of life may be before a request renews it, in seconds: not every answer needs a cookie.
const RENEWED_AFTER: i64 = 60;

/// A person who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The claim that names the person.
    pub id: String,
    /// The teams that the ID token named.
    pub teams: Vec<String>,
    /// When the person signed in, in seconds since 1970.
    pub began: i64,
    /// When the session was renewed, in seconds since 1970.
    pub seen: i64,
}

impl SignedIn {
    /// A session that begins now.
    pub fn new(id: String, teams: Vec<String>, now: DateTime<Utc>) -> Self {
        Self { id, teams, began: now.timestamp(), seen: now.timestamp() }
    }

    /// Reads the session of a request.
    ///
    /// # Errors
    ///
    /// [`ProofError::Missing`] if it has none, [`ProofError::Doubled`] if it has two, [`ProofError::Wrong`] if none of the keys
    /// opens it or it is another provider's, [`ProofError::Expired`] if it is over.
    pub fn of_request(
        inbound: &Inbound,
        caller: &Caller,
        secrets: &[ActiveSecret],
        now: DateTime<Utc>,
    ) -> Result<Self, ProofError> {
        let sealed = cookie(&inbound.headers, COOKIE)?.filter(|sealed| !sealed.is_empty());
        let sealed = sealed.ok_or(ProofError::Missing { header: COOKIE })?;
        let opened = open(sealed, secrets, &about(COOKIE, caller)).ok_or(ProofError::Wrong)?;
        let session: Self = serde_json::from_str(opened.expose()).map_err(|_| ProofError::Wrong)?;
        if session.is_over(now) { Err(ProofError::Expired) } else { Ok(session) }
    }

    fn is_over(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp();
        let is_within = |since: i64, seconds: i64| (0..seconds).contains(&now.saturating_sub(since));
        !is_within(self.began, LONGEST) || !is_within(self.seen, IDLE)
    }

    /// Returns the session with this request as its last one; `None` if that is not worth a cookie yet.
    #[must_use]
    pub fn renewed(&self, now: DateTime<Utc>) -> Option<Self> {
        let now = now.timestamp();
        (now.saturating_sub(self.seen) >= RENEWED_AFTER).then(|| Self { seen: now, ..self.clone() })
    }

    /// Returns the `Set-Cookie` of the session, sealed with the newest key; `None` if there is no key, or a browser would not keep
    /// the cookie because of its length.
    pub fn set_cookie(&self, caller: &Caller, secrets: &[ActiveSecret], random: u128) -> Option<String> {
        let text = serde_json::to_string(self).ok().and_then(Secret::new)?;
        let sealed = seal(&text, secrets, &about(COOKIE, caller), random)?;
        let is_kept = COOKIE.len().saturating_add(sealed.len()) < cookies::LONGEST;
        // For as long as the browser is open: the ends are inside.
        is_kept.then(|| cookies::set(COOKIE, &sealed, None))
    }

    /// Returns the teams, which count until the session ends.
    pub fn groups(&self) -> Groups {
        Groups::new(self.teams.clone(), self.began.saturating_add(LONGEST).saturating_mul(1000))
    }
}

/// What a cookie is sealed for: another cookie, or one of another provider or client, does not open.
pub(super) fn about(cookie: &str, caller: &Caller) -> String {
    let setting = |name: &str| caller.setting(name).unwrap_or_default();
    format!("{cookie}/1 {} {} {}", caller.name, setting("issuer"), setting("client_id"))
}

/// Returns the session keys, newest first.
pub fn keys(secrets: &[ActiveSecret]) -> impl Iterator<Item = &Secret> {
    secrets.iter().filter_map(|secret| secret.part(SESSION_KEY))
}

pub(super) fn seal(text: &Secret, secrets: &[ActiveSecret], about: &str, random: u128) -> Option<String> {
    Seal::new(keys(secrets).next()?, NAME)?.seal(text, about, random)
}

pub(super) fn open(sealed: &str, secrets: &[ActiveSecret], about: &str) -> Option<Secret> {
    keys(secrets).find_map(|key| Seal::new(key, NAME)?.open(sealed, about))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use proptest::prelude::*;

    use super::*;
    use crate::callers::console::settings::CLIENT_SECRET;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn caller() -> Caller {
        Caller::new("console", NAME).with("issuer", &["https://id.example.com"]).with("client_id", &["offboard"])
    }

    fn secret(key: &str) -> ActiveSecret {
        let part = |text: &str| Secret::new(text.to_owned()).unwrap();
        ActiveSecret::new(None, vec![(SESSION_KEY, part(key)), (CLIENT_SECRET, part("c"))]).unwrap()
    }

    fn with_cookies(cookies: &[&str]) -> Inbound {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(http::header::COOKIE, cookie.split("; ").next().unwrap().parse().unwrap());
        }
        let (path, query, host) = ("/console".into(), String::new(), "localhost".into());
        Inbound { method: Method::GET, path, query, host, headers, body: Bytes::new() }
    }

    fn read(cookie: &str, caller: &Caller, secrets: &[ActiveSecret], now: i64) -> Result<SignedIn, ProofError> {
        SignedIn::of_request(&with_cookies(&[cookie]), caller, secrets, at(now))
    }

    #[test]
    fn a_session_ends_after_eight_hours_and_after_thirty_minutes_without_a_request() {
        let (caller, secrets) = (caller(), [secret("k1")]);
        let mut session = SignedIn::new("pat".into(), vec!["dba".into()], at(1_000_000));
        let cookie = session.set_cookie(&caller, &secrets, 1).unwrap();
        for (after, expected) in [
            (0, Ok(session.clone())),
            (IDLE - 1, Ok(session.clone())),
            (IDLE, Err(ProofError::Expired)),
            // The clock was set back.
            (-1, Err(ProofError::Expired)),
        ] {
            assert_eq!(read(&cookie, &caller, &secrets, 1_000_000 + after), expected, "{after}");
        }
        assert_eq!(session.renewed(at(1_000_059)), None);
        for minute in 1.. {
            let now = 1_000_000 + minute * 60;
            let cookie = session.set_cookie(&caller, &secrets, 1).unwrap();
            if now - 1_000_000 >= LONGEST {
                assert_eq!(read(&cookie, &caller, &secrets, now), Err(ProofError::Expired));
                break;
            }
            session = read(&cookie, &caller, &secrets, now).unwrap().renewed(at(now)).unwrap();
        }
        let teams = session.groups();
        assert_eq!(teams.at(at(1_000_000 + LONGEST - 1)), ["dba"]);
        assert_eq!(teams.at(at(1_000_000 + LONGEST)), [""; 0]);
    }

    #[test]
    fn each_key_opens_and_the_newest_seals() {
        let caller = caller();
        let session = SignedIn::new("pat".into(), Vec::new(), at(0));
        let of = |keys: &[&str]| keys.iter().map(|key| secret(key)).collect::<Vec<_>>();
        let cookie = session.set_cookie(&caller, &of(&["new", "old"]), 1).unwrap();
        for (keys, expected) in [
            (&["new", "old"][..], Ok(session.clone())),
            (&["old", "new"], Ok(session.clone())),
            (&["new"], Ok(session.clone())),
            (&["old"], Err(ProofError::Wrong)),
        ] {
            assert_eq!(read(&cookie, &caller, &of(keys), 0), expected, "{keys:?}");
        }
        assert_eq!(session.set_cookie(&caller, &[], 1), None);
    }

    #[test]
    fn a_session_is_of_one_client_of_one_provider_and_no_other_cookie() {
        let (caller, secrets) = (caller(), [secret("k1")]);
        let session = SignedIn::new("pat".into(), Vec::new(), at(0));
        let cookie = session.set_cookie(&caller, &secrets, 1).unwrap();
        let mut renamed = caller.clone();
        renamed.name = "console2".into();
        for other in [
            caller.clone().with("issuer", &["https://id.example.org"]),
            caller.clone().with("client_id", &["other"]),
            renamed,
        ] {
            assert_eq!(read(&cookie, &other, &secrets, 0), Err(ProofError::Wrong));
        }
        let text = Secret::new(serde_json::to_string(&session).unwrap()).unwrap();
        let sealed = seal(&text, &secrets, &about("__Host-offboard-signin-", &caller), 1).unwrap();
        assert_eq!(read(&format!("{COOKIE}={sealed}"), &caller, &secrets, 0), Err(ProofError::Wrong));
        for (cookies, expected) in [
            (vec![], ProofError::Missing { header: COOKIE }),
            (vec!["__Host-offboard="], ProofError::Missing { header: COOKIE }),
            (vec![cookie.as_str(), cookie.as_str()], ProofError::Doubled { header: "cookie".into() }),
            (vec!["__Host-offboard=AAAA"], ProofError::Wrong),
        ] {
            let read = SignedIn::of_request(&with_cookies(&cookies), &caller, &secrets, at(0));
            assert_eq!(read, Err(expected), "{cookies:?}");
        }
    }

    #[test]
    fn a_session_that_a_browser_would_not_keep_is_none() {
        let teams = |count: usize| (0..count).map(|number| format!("team-{number:04}")).collect::<Vec<_>>();
        let cookie = |count| SignedIn::new("pat".into(), teams(count), at(0)).set_cookie(&caller(), &[secret("k1")], 1);
        assert!(cookie(200).is_some_and(|cookie| cookie.split(';').next().unwrap().len() <= cookies::LONGEST));
        assert_eq!(cookie(300), None);
    }

    proptest! {
        /// No other text opens.
        #[test]
        fn a_cookie_with_another_character_is_wrong(place in any::<prop::sample::Index>(), other in "[A-Za-z0-9+/]") {
            let (caller, secrets) = (caller(), [secret("k1")]);
            let cookie = SignedIn::new("pat".into(), vec!["dba".into()], at(0)).set_cookie(&caller, &secrets, 1).unwrap();
            let value = cookie.split(';').next().unwrap().to_owned();
            let sealed = value.split_once('=').unwrap().1;
            let at_place = place.index(sealed.trim_end_matches('=').len());
            let mut changed = sealed.to_owned();
            changed.replace_range(at_place..=at_place, &other);
            prop_assume!(changed != sealed);
            prop_assert_eq!(read(&format!("{COOKIE}={changed}"), &caller, &secrets, 0), Err(ProofError::Wrong));
        }
    }
}

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

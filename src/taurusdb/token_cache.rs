//! A cache of the tokens that IAM issued: in the instance's memory, and sealed (`crypto::seal`) in the ledger's database for
//! other instances.
//!
//! A token is renewed before it expires, at a time that differs from instance to instance, so that not all renew at once. Only
//! one request renews a token: the other requests of its instance wait for it, and a lease in the ledger's database keeps the
//! other instances from renewing too. While the old token is valid, no request waits.
//!
//! After IAM has refused a credential, no instance uses it for a minute, because five wrong passwords in a row lock a user. A
//! new password is another credential and is tried at once.
//!
//! The database is optional here: if it fails, tokens are fetched without it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::crypto::seal::Seal;
use crate::host::{Host, Value};
use crate::outbound::budget::Budget;
use crate::secret::Secret;
use crate::taurusdb::error::CallError;
use crate::taurusdb::iam::{Issued, NoToken};

/// How often a request that waits for another request's renewal checks whether it is done.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// How long a token that is still valid is used after a failed renewal, before the next attempt.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// How long a credential is not used after IAM refused it.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// The text that is sealed to record a refusal. Only the refused credential opens it, so another one is tried at once.
const REFUSED: &str = "refused";

/// Takes the lease if no other instance has it, and returns the stored token.
const LEASE: &str = "INSERT INTO tokens (id, leased_until) VALUES (?1, ?3)
    ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until WHERE tokens.leased_until <= ?2
    RETURNING sealed, issued_at, expires_at, refused, refused_until";

const FIND: &str = "SELECT sealed, issued_at, expires_at, refused, refused_until FROM tokens WHERE id = ?1";

const KEEP: &str =
    "UPDATE tokens SET sealed = ?2, issued_at = ?3, expires_at = ?4, leased_until = 0, refused = NULL WHERE id = ?1";

const RELEASE: &str = "UPDATE tokens SET leased_until = 0 WHERE id = ?1";

const REFUSE: &str = "UPDATE tokens SET leased_until = 0, refused = ?2, refused_until = ?3 WHERE id = ?1";

const FORGET: &str = "UPDATE tokens SET sealed = NULL WHERE id = ?1 AND sealed = ?2";

pub(crate) const STATEMENTS: &[&str] = &[LEASE, FIND, KEEP, RELEASE, REFUSE, FORGET];

/// The identity of a token: its user or agency, the IAM that issues it, and its scope.
pub(super) struct Key<'a> {
    id: String,
    /// The secret that the token is sealed with.
    secret: &'a Secret,
}

impl<'a> Key<'a> {
    /// Makes the key of the token that `parts` identify. No part is secret.
    pub(super) fn new(parts: &[&str], secret: &'a Secret) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self { id: hex::encode(digest.finalize()), secret }
    }
}

/// A token with its expiry.
#[derive(Debug, Clone)]
pub(super) struct CachedToken {
    pub(super) token: Secret,
    expires_at: DateTime<Utc>,
    renew_at: DateTime<Utc>,
    /// The sealed form in the database, which differs for every token.
    sealed: String,
}

#[derive(Debug, Default)]
struct Entry {
    cached: Option<CachedToken>,
    /// Whether a request of this instance is renewing the token.
    renewing: bool,
    /// The last failure and its time by [`Host::elapsed`], for the requests that waited for the renewal.
    failed: Option<(Duration, CallError)>,
}

/// The state of a token in an instance's memory, as a request that needs it finds it.
enum CacheState {
    /// The token is valid and need not be renewed yet.
    Fresh(CachedToken),
    /// Another request failed to renew the token while this one waited.
    Failed(CallError),
    /// Another request is renewing the token. Carries the old one if it is still valid.
    RenewingElsewhere(Option<CachedToken>),
    /// This request has to renew the token. Carries the old one if it is still valid.
    RenewHere(Option<CachedToken>),
}

impl Entry {
    /// Returns the state, and takes the turn to renew if the token needs it and no other request has it.
    fn state(&mut self, began: Duration, now: DateTime<Utc>) -> CacheState {
        let usable = self.cached.clone().filter(|cached| now < cached.expires_at);
        match (usable, &self.failed) {
            (Some(cached), _) if now < cached.renew_at => CacheState::Fresh(cached),
            (_, Some((at, error))) if *at > began => CacheState::Failed(*error),
            (usable, _) if std::mem::replace(&mut self.renewing, true) => CacheState::RenewingElsewhere(usable),
            (usable, _) => CacheState::RenewHere(usable),
        }
    }
}

/// The token that a request needs, and the request's limits.
struct Wanted<'a, H> {
    host: &'a H,
    budget: &'a Budget,
    key: &'a Key<'a>,
}

/// The tokens in an instance's memory.
#[derive(Debug, Default)]
pub struct TokenCache(RefCell<BTreeMap<String, Entry>>);

/// The turn to renew within an instance. Ends when it is dropped, also if the renewal failed or was cancelled.
struct Turn<'a> {
    tokens: &'a TokenCache,
    id: &'a str,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.tokens.entry(self.id, |entry| entry.renewing = false);
    }
}

impl TokenCache {
    fn entry<T>(&self, id: &str, change: impl FnOnce(&mut Entry) -> T) -> T {
        change(self.0.borrow_mut().entry(id.to_owned()).or_default())
    }

    /// Returns a valid token: the cached one, or a new one that `fetch` gets from IAM.
    ///
    /// # Errors
    ///
    /// - the error of `fetch` if it failed, in this request or in the one that this request waited for
    /// - [`CallError::CredentialsRefused`] if IAM refused the credential less than a minute ago
    /// - [`CallError::TokenUnavailable`] if the time limit was reached while another request renewed the token
    pub(super) async fn get<H: Host>(
        &self,
        host: &H,
        budget: &Budget,
        key: &Key<'_>,
        fetch: impl AsyncFn() -> Result<Issued, NoToken>,
    ) -> Result<CachedToken, NoToken> {
        let began = host.elapsed();
        loop {
            match self.entry(&key.id, |entry| entry.state(began, host.now())) {
                CacheState::Fresh(cached) => return Ok(cached),
                CacheState::Failed(error) => return Err(error.into()),
                CacheState::RenewingElsewhere(Some(cached)) => return Ok(cached),
                CacheState::RenewingElsewhere(None) => {}
                CacheState::RenewHere(usable) => {
                    let _turn = Turn { tokens: self, id: &key.id };
                    if let Some(cached) = self.renew(&Wanted { host, budget, key }, usable, &fetch).await? {
                        return Ok(cached);
                    }
                }
            }
            if budget.left_to_send(host) <= LOOK_AGAIN {
                host.log("iam: the time was over while another request renewed the token");
                return Err(CallError::TokenUnavailable.into());
            }
            host.sleep(LOOK_AGAIN).await;
        }
    }

    /// Renews the token unless another instance has done so. Returns `None` if another instance is renewing it and the old one
    /// is not valid any more.
    async fn renew<H: Host>(
        &self,
        wanted: &Wanted<'_, H>,
        usable: Option<CachedToken>,
        fetch: &impl AsyncFn() -> Result<Issued, NoToken>,
    ) -> Result<Option<CachedToken>, NoToken> {
        let Wanted { host, budget, key } = *wanted;
        let now = host.now();
        let seal = Seal::new(key.secret, &key.id);
        // The lease ends a second after the request's time limit, so that a crashed instance does not block the others.
        let until = after(now, budget.left_to_send(host).saturating_add(Duration::from_secs(1)));
        let parameters = vec![key.id.as_str().into(), now.timestamp_millis().into(), until.timestamp_millis().into()];
        let (rows, leased) = match query(host, LEASE, parameters).await {
            Some(rows) if rows.is_empty() => (query(host, FIND, vec![key.id.as_str().into()]).await, false),
            Some(rows) => (Some(rows), true),
            None => (None, true),
        };
        let row = seal.as_ref().zip(rows.as_ref().and_then(|rows| rows.first()));
        let found = row.and_then(|(seal, row)| read(seal, key, row, host.random()));
        let usable = found.filter(|cached| now < cached.expires_at).or(usable);
        if let Some(cached) = usable.as_ref().filter(|cached| now < cached.renew_at) {
            if leased {
                query(host, RELEASE, vec![key.id.as_str().into()]).await;
            }
            return Ok(Some(self.remember(key, cached.clone())));
        }
        if !leased {
            return Ok(usable);
        }
        if row.is_some_and(|(seal, row)| is_refused(seal, key, row, now)) {
            host.log("iam: the credential was refused less than a minute ago, and is not tried again yet");
            query(host, RELEASE, vec![key.id.as_str().into()]).await;
            return usable.map_or_else(|| Err(CallError::CredentialsRefused.into()), |cached| Ok(Some(cached)));
        }
        match fetch().await {
            Ok(issued) => {
                let now = host.now();
                let associated_data =
                    associated_data(key, now.timestamp_millis(), issued.expires_at.timestamp_millis());
                let sealed =
                    seal.and_then(|seal| seal.seal(&issued.token, &associated_data, host.random())).unwrap_or_default();
                let parameters = vec![
                    key.id.as_str().into(),
                    sealed.as_str().into(),
                    now.timestamp_millis().into(),
                    issued.expires_at.timestamp_millis().into(),
                ];
                query(host, KEEP, parameters).await;
                let renew_at = renew_at(now, issued.expires_at, host.random());
                let cached = CachedToken { token: issued.token, expires_at: issued.expires_at, renew_at, sealed };
                Ok(Some(self.remember(key, cached)))
            }
            Err(why) => {
                let refused = matches!(why, NoToken::Call(CallError::CredentialsRefused));
                let sealed = seal.filter(|_| refused).and_then(|seal| {
                    let until = after(host.now(), AFTER_REFUSAL).timestamp_millis();
                    let sealed =
                        seal.seal(&Secret::new(REFUSED.into())?, &associated_data(key, 0, until), host.random())?;
                    Some((sealed, until))
                });
                match sealed {
                    Some((sealed, until)) => {
                        let parameters = vec![key.id.as_str().into(), sealed.as_str().into(), until.into()];
                        query(host, REFUSE, parameters).await;
                    }
                    None => {
                        query(host, RELEASE, vec![key.id.as_str().into()]).await;
                    }
                }
                let Some(mut cached) = usable else {
                    if let NoToken::Call(error) = why {
                        self.entry(&key.id, |entry| entry.failed = Some((host.elapsed(), error)));
                    }
                    return Err(why);
                };
                host.log("iam: the token could not be renewed yet; the old one is still good");
                cached.renew_at = after(now, AFTER_FAILURE).min(cached.expires_at);
                Ok(Some(self.remember(key, cached)))
            }
        }
    }

    fn remember(&self, key: &Key<'_>, cached: CachedToken) -> CachedToken {
        self.entry(&key.id, |entry| entry.cached = Some(cached.clone()));
        cached
    }

    /// Removes a token that was refused, unless a newer one has replaced it.
    pub(super) async fn forget<H: Host>(&self, host: &H, key: &Key<'_>, refused: &CachedToken) {
        self.entry(&key.id, |entry| {
            if entry.cached.as_ref().is_some_and(|cached| cached.sealed == refused.sealed) {
                entry.cached = None;
            }
        });
        query(host, FORGET, vec![key.id.as_str().into(), refused.sealed.as_str().into()]).await;
    }
}

/// Returns the rows of a statement; `None` if the database fails, because it is optional here.
async fn query<H: Host>(host: &H, statement: &'static str, parameters: Vec<Value>) -> Option<Vec<Vec<Value>>> {
    match host.query(statement, parameters).await {
        Ok(rows) => Some(rows),
        Err(why) => {
            host.log(&format!("iam: the store of tokens failed: {why}"));
            None
        }
    }
}

fn read(seal: &Seal, key: &Key<'_>, row: &[Value], random: u128) -> Option<CachedToken> {
    let [Value::Text(sealed), Value::Integer(issued_at), Value::Integer(expires_at), ..] = row else { return None };
    let token = seal.open(sealed, &associated_data(key, *issued_at, *expires_at))?;
    let (issued_at, expires_at) =
        (DateTime::from_timestamp_millis(*issued_at)?, DateTime::from_timestamp_millis(*expires_at)?);
    Some(CachedToken { token, expires_at, renew_at: renew_at(issued_at, expires_at, random), sealed: sealed.clone() })
}

/// Returns the associated data that binds a sealed token to its key and its times.
fn associated_data(key: &Key<'_>, issued_at: i64, expires_at: i64) -> String {
    format!("{} {issued_at} {expires_at}", key.id)
}

/// Whether the row records a recent refusal of this credential.
fn is_refused(seal: &Seal, key: &Key<'_>, row: &[Value], now: DateTime<Utc>) -> bool {
    let [.., Value::Text(refused), Value::Integer(until)] = row else { return false };
    *until > now.timestamp_millis() && seal.open(refused, &associated_data(key, 0, *until)).is_some()
}

fn after(now: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let duration = chrono::Duration::from_std(duration).unwrap_or_default();
    now.checked_add_signed(duration).unwrap_or(now)
}

/// Returns when to renew a token: a random 5 to 15 % of its lifetime before it expires, which is 1.2 to 3.6 hours for a token
/// of 24 hours.
fn renew_at(issued_at: DateTime<Utc>, expires_at: DateTime<Utc>, random: u128) -> DateTime<Utc> {
    let life = expires_at.signed_duration_since(issued_at).num_milliseconds().max(0);
    let twentieth = life.checked_div(20).unwrap_or_default();
    let within = twentieth.saturating_mul(2).saturating_add(1).unsigned_abs();
    let jitter = i64::try_from(random.checked_rem(u128::from(within)).unwrap_or_default()).unwrap_or_default();
    let before = chrono::Duration::milliseconds(twentieth.saturating_add(jitter));
    expires_at.checked_sub_signed(before).unwrap_or(issued_at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_renewed_in_its_last_part(life in 0_i64..200_000_000, random: u128) {
            let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
            let (issued_at, expires_at) = (at(1_780_308_000_000), at(1_780_308_000_000 + life));
            let renewed = renew_at(issued_at, expires_at, random);
            let before = expires_at.signed_duration_since(renewed).num_milliseconds();
            prop_assert!((life / 20..=life / 20 * 3).contains(&before), "{before}");
        }
    }

    #[test]
    fn keys_do_not_run_into_each_other() {
        let secret = Secret::new("s".into()).unwrap();
        let id = |parts: &[&str]| Key::new(parts, &secret).id;
        assert_eq!(id(&["a", "b"]), id(&["a", "b"]));
        for other in [vec!["ab"], vec!["a", "b", ""], vec!["", "ab"], vec!["b", "a"]] {
            assert_ne!(id(&["a", "b"]), id(&other), "{other:?}");
        }
    }
}

//! Tokens that IAM gave, kept: in the instance's memory, and for other instances in the store, sealed (`crate::seal`).
//!
//! A token is renewed before it ends, at a moment that differs from instance to instance, so that not all renew at once. One
//! request renews: within an instance the others wait for it, between instances a lease in the store says whose turn it is.
//! While the old token is good, nobody waits.
//!
//! When IAM refuses a credential, it is not asked with it again for a minute, by any instance: five wrong passwords in a row
//! lock a user. Another password is another credential, and is tried at once.
//!
//! The store is a convenience here: when it fails, tokens are fetched without it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::crypto::seal::Seal;
use crate::host::{Host, StoreError, Value};
use crate::outbound::budget::Budget;
use crate::secret::Secret;
use crate::taurusdb::error::CallError;
use crate::taurusdb::iam::{Issued, NoToken};

/// How often somebody who waits for another's renewal looks whether it is there.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// How long a token that could not be renewed, and is still good, is used before it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// How long a credential that IAM refused is not tried again.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// What is sealed to say that a credential was refused: only the same credential reads it.
const REFUSED: &str = "refused";

/// Takes the turn to renew, if nobody has it, and says what the store holds.
const LEASE: &str = "INSERT INTO tokens (id, leased_until) VALUES (?1, ?3)
    ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until WHERE tokens.leased_until <= ?2
    RETURNING sealed, issued_at, expires_at, refused, refused_until";

const FIND: &str = "SELECT sealed, issued_at, expires_at, refused, refused_until FROM tokens WHERE id = ?1";

const KEEP: &str =
    "UPDATE tokens SET sealed = ?2, issued_at = ?3, expires_at = ?4, leased_until = 0, refused = NULL WHERE id = ?1";

const RELEASE: &str = "UPDATE tokens SET leased_until = 0 WHERE id = ?1";

const REFUSE: &str = "UPDATE tokens SET leased_until = 0, refused = ?2, refused_until = ?3 WHERE id = ?1";

const FORGET: &str = "UPDATE tokens SET sealed = NULL WHERE id = ?1 AND sealed = ?2";

/// Which token: whose, from which IAM, for what.
pub(super) struct Key<'a> {
    id: String,
    /// What the token is sealed with.
    secret: &'a Secret,
}

impl<'a> Key<'a> {
    /// The token that `parts` tell from every other. None of them is secret.
    pub(super) fn new(parts: &[&str], secret: &'a Secret) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self { id: hex::encode(digest.finalize()), secret }
    }
}

/// A token and how long it is good.
#[derive(Debug, Clone)]
pub(super) struct CachedToken {
    pub(super) token: Secret,
    expires_at: DateTime<Utc>,
    renew_at: DateTime<Utc>,
    /// As it is in the store: no two are the same.
    sealed: String,
}

#[derive(Debug, Default)]
struct Entry {
    held: Option<CachedToken>,
    /// Somebody in this instance is at it.
    renewing: bool,
    /// The last failure, and when it was, by [`Host::elapsed`]: for whoever waited for it.
    failed: Option<(Duration, CallError)>,
}

/// What an instance knows of a token, for a request that wants it.
enum CacheState {
    /// It is good, and not to be renewed yet.
    Fresh(CachedToken),
    /// Another request tried to get it while this one waited, and failed.
    Failed(CallError),
    /// Another request is at it; until then there may be one that is still good.
    RenewingElsewhere(Option<CachedToken>),
    /// This request is to renew it.
    RenewHere(Option<CachedToken>),
}

impl Entry {
    /// Takes the turn to renew when it is free and needed.
    fn state(&mut self, began: Duration, now: DateTime<Utc>) -> CacheState {
        let usable = self.held.clone().filter(|held| now < held.expires_at);
        match (usable, &self.failed) {
            (Some(held), _) if now < held.renew_at => CacheState::Fresh(held),
            (_, Some((at, error))) if *at > began => CacheState::Failed(*error),
            (usable, _) if std::mem::replace(&mut self.renewing, true) => CacheState::RenewingElsewhere(usable),
            (usable, _) => CacheState::RenewHere(usable),
        }
    }
}

/// The token that a request asks for.
struct Wanted<'a, H> {
    host: &'a H,
    budget: &'a Budget,
    key: &'a Key<'a>,
}

/// The tokens that an instance knows.
#[derive(Debug, Default)]
pub struct TokenCache(RefCell<BTreeMap<String, Entry>>);

/// The turn to renew within an instance; ends when it is dropped, whatever became of it.
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

    /// A good token: a kept one, or what `fetch` gets from IAM.
    ///
    /// # Errors
    ///
    /// What `fetch` says, also when it said so to another request that this one waited for; [`CallError::TokenUnavailable`]
    /// when the time is over.
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
                CacheState::Fresh(held) => return Ok(held),
                CacheState::Failed(error) => return Err(error.into()),
                CacheState::RenewingElsewhere(Some(held)) => return Ok(held),
                CacheState::RenewingElsewhere(None) => {}
                CacheState::RenewHere(usable) => {
                    let _turn = Turn { tokens: self, id: &key.id };
                    if let Some(held) = self.renew(&Wanted { host, budget, key }, usable, &fetch).await? {
                        return Ok(held);
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

    /// Renews, unless another instance has done so or is at it; `None` when there is nothing to do but wait for that.
    async fn renew<H: Host>(
        &self,
        wanted: &Wanted<'_, H>,
        usable: Option<CachedToken>,
        fetch: &impl AsyncFn() -> Result<Issued, NoToken>,
    ) -> Result<Option<CachedToken>, NoToken> {
        let Wanted { host, budget, key } = *wanted;
        let now = host.now();
        let seal = Seal::new(key.secret, &key.id);
        // A lease outlives the request that takes it, but not by much.
        let until = later(now, budget.left_to_send(host).saturating_add(Duration::from_secs(1)));
        let parameters = vec![key.id.as_str().into(), now.timestamp_millis().into(), until.timestamp_millis().into()];
        let (rows, leased) = match stored(host, LEASE, parameters).await {
            Some(rows) if rows.is_empty() => (stored(host, FIND, vec![key.id.as_str().into()]).await, false),
            Some(rows) => (Some(rows), true),
            None => (None, true),
        };
        let row = seal.as_ref().zip(rows.as_ref().and_then(|rows| rows.first()));
        let found = row.and_then(|(seal, row)| read(seal, key, row, host.random()));
        let usable = found.filter(|held| now < held.expires_at).or(usable);
        if let Some(held) = usable.as_ref().filter(|held| now < held.renew_at) {
            if leased {
                stored(host, RELEASE, vec![key.id.as_str().into()]).await;
            }
            return Ok(Some(self.remember(key, held.clone())));
        }
        if !leased {
            return Ok(usable);
        }
        if row.is_some_and(|(seal, row)| is_refused(seal, key, row, now)) {
            host.log("iam: the credential was refused less than a minute ago, and is not tried again yet");
            stored(host, RELEASE, vec![key.id.as_str().into()]).await;
            return usable.map_or_else(|| Err(CallError::CredentialsRefused.into()), |held| Ok(Some(held)));
        }
        match fetch().await {
            Ok(issued) => {
                let now = host.now();
                let about = about(key, now.timestamp_millis(), issued.expires_at.timestamp_millis());
                let sealed = seal.and_then(|seal| seal.seal(&issued.token, &about, host.random())).unwrap_or_default();
                let parameters = vec![
                    key.id.as_str().into(),
                    sealed.as_str().into(),
                    now.timestamp_millis().into(),
                    issued.expires_at.timestamp_millis().into(),
                ];
                stored(host, KEEP, parameters).await;
                let renew_at = renew_at(now, issued.expires_at, host.random());
                let held = CachedToken { token: issued.token, expires_at: issued.expires_at, renew_at, sealed };
                Ok(Some(self.remember(key, held)))
            }
            Err(why) => {
                let refused = matches!(why, NoToken::Call(CallError::CredentialsRefused));
                let sealed = seal.filter(|_| refused).and_then(|seal| {
                    let until = later(host.now(), AFTER_REFUSAL).timestamp_millis();
                    let sealed = seal.seal(&Secret::new(REFUSED.into())?, &about(key, 0, until), host.random())?;
                    Some((sealed, until))
                });
                match sealed {
                    Some((sealed, until)) => {
                        let parameters = vec![key.id.as_str().into(), sealed.as_str().into(), until.into()];
                        stored(host, REFUSE, parameters).await;
                    }
                    None => {
                        stored(host, RELEASE, vec![key.id.as_str().into()]).await;
                    }
                }
                let Some(mut held) = usable else {
                    if let NoToken::Call(error) = why {
                        self.entry(&key.id, |entry| entry.failed = Some((host.elapsed(), error)));
                    }
                    return Err(why);
                };
                host.log("iam: the token could not be renewed yet; the old one is still good");
                held.renew_at = later(now, AFTER_FAILURE).min(held.expires_at);
                Ok(Some(self.remember(key, held)))
            }
        }
    }

    fn remember(&self, key: &Key<'_>, held: CachedToken) -> CachedToken {
        self.entry(&key.id, |entry| entry.held = Some(held.clone()));
        held
    }

    /// Forgets a token that was refused, unless a newer one is there already.
    pub(super) async fn forget<H: Host>(&self, host: &H, key: &Key<'_>, refused: &CachedToken) {
        self.entry(&key.id, |entry| {
            if entry.held.as_ref().is_some_and(|held| held.sealed == refused.sealed) {
                entry.held = None;
            }
        });
        stored(host, FORGET, vec![key.id.as_str().into(), refused.sealed.as_str().into()]).await;
    }
}

/// What a statement finds; `None` when the store fails.
async fn stored<H: Host>(host: &H, statement: &'static str, parameters: Vec<Value>) -> Option<Vec<Vec<Value>>> {
    match host.query(statement, parameters).await {
        Ok(rows) => Some(rows),
        Err(StoreError(why)) => {
            host.log(&format!("iam: the store of tokens failed: {why}"));
            None
        }
    }
}

fn read(seal: &Seal, key: &Key<'_>, row: &[Value], random: u128) -> Option<CachedToken> {
    let [Value::Text(sealed), Value::Integer(issued_at), Value::Integer(expires_at), ..] = row else { return None };
    let token = seal.open(sealed, &about(key, *issued_at, *expires_at))?;
    let (issued_at, expires_at) =
        (DateTime::from_timestamp_millis(*issued_at)?, DateTime::from_timestamp_millis(*expires_at)?);
    Some(CachedToken { token, expires_at, renew_at: renew_at(issued_at, expires_at, random), sealed: sealed.clone() })
}

/// What a token is sealed together with.
fn about(key: &Key<'_>, issued_at: i64, expires_at: i64) -> String {
    format!("{} {issued_at} {expires_at}", key.id)
}

/// Whether IAM refused this very credential, not long ago.
fn is_refused(seal: &Seal, key: &Key<'_>, row: &[Value], now: DateTime<Utc>) -> bool {
    let [.., Value::Text(refused), Value::Integer(until)] = row else { return false };
    *until > now.timestamp_millis() && seal.open(refused, &about(key, 0, *until)).is_some()
}

fn later(now: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let duration = chrono::Duration::from_std(duration).unwrap_or_default();
    now.checked_add_signed(duration).unwrap_or(now)
}

/// A twentieth to three twentieths of its life before a token ends: for 24 hours, 1.2 to 3.6 hours.
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

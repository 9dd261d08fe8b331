//! The public keys of token issuers, from the URL where the issuer publishes them or from a file beside offboard.toml.
//!
//! A fetched key set is used for an hour, from memory and from the ledger's database, which all instances share. If the set
//! lacks a token's key id, the gateway fetches it again, because the issuer may have a new key; at most once in half a minute
//! for all tokens, so that forged tokens cannot cause unlimited fetches. A set that cannot be fetched again is used for a day.
//!
//! Writing to the database is not enough to publish a key: a stored set is sealed, with its URL and its time, under a secret of
//! TaurusDB's credentials, which the database does not have. A set that does not open is fetched again. Without such a secret the
//! sets are in memory only.
//!
//! A file is read for each request that needs it, so that a change takes effect at once.
//!
//! Tokens are not verified here; that is `crypto::jwt`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request};

use crate::config::Config;
use crate::config::limits::Limits;
use crate::crypto::jwks::{JwksSource, KeySet, LARGEST_SET};
use crate::crypto::seal::Seal;
use crate::host::{Answered, Host, SendError, StoreError, Value};
use crate::outbound::budget::Budget;
use crate::outbound::retry::{self, OutOfTime};
use crate::outcome::{NotSent, Outcome};
use crate::secret::Secret;

/// How long a key set is used without fetching it again, in milliseconds.
const FRESH: i64 = 3_600_000;

/// How long a key set is used if fetching it again fails, in milliseconds.
const STALE: i64 = 24 * 3_600_000;

/// The shortest time between two fetches of a URL, by all instances together, in milliseconds.
const PAUSE: i64 = 30_000;

/// How long a request waits for another request's fetch.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The key sets in an instance's memory.
#[derive(Debug, Default)]
pub struct JwksCache {
    sets: RefCell<BTreeMap<String, (KeySet, i64)>>,
    /// When a URL was last fetched, for an instance that has no other instance's word for it.
    tried: RefCell<BTreeMap<String, i64>>,
}

/// What key sets in the database are sealed for.
const SEALED_FOR: &str = "published-keys/1";

const FIND: &str = "SELECT body, fetched_at FROM published_keys WHERE url = ?1 AND body IS NOT NULL";

/// Returns a row if the request may fetch.
const CLAIM_FETCH: &str = "INSERT INTO published_keys (url, tried_at) VALUES (?1, ?2)
    ON CONFLICT (url) DO UPDATE SET tried_at = excluded.tried_at WHERE published_keys.tried_at <= ?3 RETURNING url";

const KEEP: &str = "UPDATE published_keys SET body = ?2, fetched_at = ?3 WHERE url = ?1 RETURNING url";

pub(crate) const STATEMENTS: &[&str] = &[FIND, CLAIM_FETCH, KEEP];

/// The reason why a key set is not available. The log has the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JwksError {
    /// The key set could not be fetched.
    Unavailable,
    /// Trying again will not help: the runtime does not allow the URL's host, or the file cannot be used.
    Unusable,
    /// The ledger's database, where instances share key sets, could not be used.
    LedgerDown,
    /// That database would end with the instance.
    LedgerInMemory,
}

impl From<JwksError> for Outcome {
    fn from(error: JwksError) -> Self {
        Self::NotSent(match error {
            JwksError::Unavailable => NotSent::KeysUnavailable,
            JwksError::Unusable => NotSent::KeysUnusable,
            JwksError::LedgerDown => NotSent::LedgerDown,
            JwksError::LedgerInMemory => NotSent::LedgerInMemory,
        })
    }
}

impl JwksCache {
    /// Returns the key set, from memory, the database, the issuer or the file.
    ///
    /// # Errors
    ///
    /// - [`JwksError::Unavailable`] if the set cannot be fetched, and no stored one is less than a day old
    /// - [`JwksError::Unusable`] if an operator has to mend that
    /// - [`JwksError::LedgerDown`] if the database cannot be used
    pub(crate) async fn get<H: Host>(
        &self,
        host: &H,
        source: JwksSource<'_>,
        config: &Config,
    ) -> Result<KeySet, JwksError> {
        let url = match source {
            JwksSource::Url(url) => url,
            JwksSource::File(name) => {
                let text = host.file(name).await.ok_or_else(|| unusable(host, name, "it cannot be read"))?;
                return KeySet::parse(text.as_bytes()).map_err(|why| unusable(host, name, &why));
            }
        };
        let now = host.now().timestamp_millis();
        if let Some(keys) = self.in_memory(url, now) {
            return Ok(keys);
        }
        let seal = seal(host, config).await;
        let Some(seal) = seal else {
            return self.fetch_alone(host, url, config.limits, now).await;
        };
        let stored = stored(host, url, &seal).await?;
        if let Some((keys, fetched_at)) = &stored
            && is_within(*fetched_at, now, FRESH)
        {
            return Ok(self.remember(url, keys.clone(), *fetched_at));
        }
        let fetched = match may_fetch(host, url, now).await? {
            true => Some(self.fetch(host, url, config.limits, &seal).await),
            false => None,
        };
        match (fetched, stored) {
            (Some(Ok(keys)), _) => Ok(keys),
            (_, Some((keys, fetched_at))) if is_within(fetched_at, now, STALE) => Ok(keys),
            // No other instance fetches before the pause is over.
            (Some(Err(error)), _) => Err(error),
            (None, _) => self.wait(host, url, &seal).await,
        }
    }

    /// Fetches the key set again because it lacks the requested key id. Returns `None` if a refresh is not allowed yet, fails,
    /// or is not possible because the source is a file.
    ///
    /// # Errors
    ///
    /// [`JwksError::LedgerDown`] if the database cannot be used.
    pub(crate) async fn refresh<H: Host>(
        &self,
        host: &H,
        source: JwksSource<'_>,
        config: &Config,
    ) -> Result<Option<KeySet>, JwksError> {
        let JwksSource::Url(url) = source else { return Ok(None) };
        let now = host.now().timestamp_millis();
        let Some(seal) = seal(host, config).await else {
            return Ok(self.fetch_alone(host, url, config.limits, now).await.ok());
        };
        let stored = stored(host, url, &seal).await?;
        if may_fetch(host, url, now).await? {
            return match self.fetch(host, url, config.limits, &seal).await {
                Ok(keys) => Ok(Some(keys)),
                Err(down @ (JwksError::LedgerDown | JwksError::LedgerInMemory)) => Err(down),
                Err(JwksError::Unavailable | JwksError::Unusable) => Ok(None),
            };
        }
        // Another request fetched within the last half minute, and its set may have the key.
        Ok(stored
            .filter(|(_, fetched_at)| !self.has(url, *fetched_at))
            .map(|(keys, fetched_at)| self.remember(url, keys, fetched_at)))
    }

    /// Fetches and stores the key set.
    async fn fetch<H: Host>(&self, host: &H, url: &str, limits: Limits, seal: &Seal) -> Result<KeySet, JwksError> {
        let now = host.now().timestamp_millis();
        let (keys, body) = fetch(host, url, limits).await?;
        store(host, url, &body, seal, now).await?;
        Ok(self.remember(url, keys, now))
    }

    /// Fetches the key set for this instance alone, if a fetch is allowed yet.
    async fn fetch_alone<H: Host>(&self, host: &H, url: &str, limits: Limits, now: i64) -> Result<KeySet, JwksError> {
        let tried = self.tried.borrow_mut().insert(url.to_owned(), now);
        if let Some(tried) = tried.filter(|tried| is_within(*tried, now, PAUSE)) {
            self.tried.borrow_mut().insert(url.to_owned(), tried);
            return Err(JwksError::Unavailable);
        }
        let (keys, _) = fetch(host, url, limits).await?;
        Ok(self.remember(url, keys, now))
    }

    /// Waits for another request's fetch.
    async fn wait<H: Host>(&self, host: &H, url: &str, seal: &Seal) -> Result<KeySet, JwksError> {
        const STEP: Duration = Duration::from_millis(100);
        let until = host.elapsed().saturating_add(LONGEST_WAIT);
        while host.elapsed() < until {
            host.sleep(STEP).await;
            if let Some((keys, fetched_at)) = stored(host, url, seal).await?
                && is_within(fetched_at, host.now().timestamp_millis(), FRESH)
            {
                return Ok(self.remember(url, keys, fetched_at));
            }
        }
        Err(JwksError::Unavailable)
    }

    fn in_memory(&self, url: &str, now: i64) -> Option<KeySet> {
        let known = self.sets.borrow();
        known.get(url).filter(|(_, fetched_at)| is_within(*fetched_at, now, FRESH)).map(|(keys, _)| keys.clone())
    }

    fn has(&self, url: &str, fetched_at: i64) -> bool {
        self.sets.borrow().get(url).is_some_and(|(_, known)| *known == fetched_at)
    }

    fn remember(&self, url: &str, keys: KeySet, fetched_at: i64) -> KeySet {
        self.sets.borrow_mut().insert(url.to_owned(), (keys.clone(), fetched_at));
        keys
    }
}

/// Whether a set's age is below `milliseconds`. A set from the future is not, because the clock was set back.
fn is_within(fetched_at: i64, now: i64, milliseconds: i64) -> bool {
    (0..milliseconds).contains(&now.saturating_sub(fetched_at))
}

fn unavailable<H: Host>(host: &H, name: &str, why: &str) -> JwksError {
    host.log(&format!("keys: `{name}`: {why}"));
    JwksError::Unavailable
}

fn unusable<H: Host>(host: &H, name: &str, why: &str) -> JwksError {
    let _logged = unavailable(host, name, why);
    JwksError::Unusable
}

/// Returns the seal of stored sets: under the secret of the first instance whose credentials are set. Secrets of callers would not do,
/// because some of them are public keys.
async fn seal<H: Host>(host: &H, config: &Config) -> Option<Seal> {
    for instance in config.instances() {
        if let Some(secret) = host.variable(instance.credentials.secret()).await.and_then(|secret| secret.trimmed()) {
            return Seal::new(&secret, SEALED_FOR);
        }
    }
    None
}

/// What a stored set is sealed with: another URL's set, or an older one, does not open.
fn about(url: &str, fetched_at: i64) -> String {
    format!("{fetched_at} {url}")
}

async fn stored<H: Host>(host: &H, url: &str, seal: &Seal) -> Result<Option<(KeySet, i64)>, JwksError> {
    let rows = host.query(FIND, vec![url.into()]).await.map_err(|why| ledger_down(host, &why))?;
    let Some([Value::Text(body), Value::Integer(fetched_at)]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    // A set that another version of the gateway stored, or that anything else wrote, counts as missing.
    let set = seal.open(body, &about(url, *fetched_at));
    Ok(set.and_then(|set| KeySet::parse(set.expose().as_bytes()).ok()).map(|keys| (keys, *fetched_at)))
}

async fn may_fetch<H: Host>(host: &H, url: &str, now: i64) -> Result<bool, JwksError> {
    let parameters = vec![url.into(), now.into(), now.saturating_sub(PAUSE).into()];
    let rows = host.query(CLAIM_FETCH, parameters).await.map_err(|why| ledger_down(host, &why))?;
    Ok(!rows.is_empty())
}

async fn store<H: Host>(host: &H, url: &str, body: &str, seal: &Seal, now: i64) -> Result<(), JwksError> {
    let set = Secret::new(body.to_owned()).and_then(|set| seal.seal(&set, &about(url, now), host.random()));
    let Some(sealed) = set else { return Ok(()) };
    let parameters = vec![url.into(), sealed.as_str().into(), now.into()];
    host.query(KEEP, parameters).await.map(drop).map_err(|why| ledger_down(host, &why))
}

pub(crate) fn ledger_down<H: Host>(host: &H, why: &StoreError) -> JwksError {
    host.log(&format!("ledger: {why}"));
    match why {
        StoreError::InMemory => JwksError::LedgerInMemory,
        StoreError::Failed(_) | StoreError::Unknown(_) => JwksError::LedgerDown,
    }
}

/// Why a fetch failed, for the log.
enum FetchError {
    /// The runtime does not let the gateway connect to the host.
    NotAllowed(String),
    Failed(String),
}

impl From<OutOfTime> for FetchError {
    fn from(_: OutOfTime) -> Self {
        Self::Failed("the request reached its time limit".into())
    }
}

/// Fetches a key set. The log has the reason of an error.
async fn fetch<H: Host>(host: &H, url: &str, limits: Limits) -> Result<(KeySet, String), JwksError> {
    send(host, url, limits).await.map_err(|error| match error {
        FetchError::NotAllowed(why) => unusable(host, url, &why),
        FetchError::Failed(why) => unavailable(host, url, &why),
    })
}

async fn send<H: Host>(host: &H, url: &str, limits: Limits) -> Result<(KeySet, String), FetchError> {
    let budget = Budget::new(host.elapsed(), limits);
    let request = || {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.parse().map_err(|_| FetchError::NotAllowed("the URL is not valid".into()))?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    };
    let sent = retry::send::<H, FetchError>(host, &budget, retry::CallSpec::new(LARGEST_SET), request).await?;
    let answer = sent.answer.map_err(|error| match error {
        error @ SendError::NotAllowed(_) => FetchError::NotAllowed(format!("{error:?}")),
        error => FetchError::Failed(format!("{error:?}")),
    })?;
    parse(answer).map_err(FetchError::Failed)
}

fn parse(answer: Answered) -> Result<(KeySet, String), String> {
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status().as_u16()));
    }
    let body = answer.into_body().ok_or("its answer is too large, or broke off")?;
    let keys = KeySet::parse(&body)?;
    String::from_utf8(body.to_vec()).map(|text| (keys, text)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_fresh_for_an_hour() {
        for (fetched_at, now, fresh) in [(0, 0, true), (0, FRESH - 1, true), (0, FRESH, false), (1, 0, false)] {
            assert_eq!(is_within(fetched_at, now, FRESH), fresh, "{fetched_at} {now}");
        }
    }
}

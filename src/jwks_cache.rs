//! The public keys of token issuers: from the URL where they are published, or from a file beside offboard.toml.
//!
//! A fetched key set is kept for an hour, in memory and in the database, so that every instance has it. A token with a key
//! that it lacks makes the gateway fetch it again, at most once in half a minute however many such tokens arrive: an issuer may
//! have a new key, and a stranger must not be able to make the gateway fetch without end. A set that cannot be fetched again is
//! used for a day.
//!
//! A file is read for each request that needs it, so that a changed one counts at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request};

use crate::config::limits::Limits;
use crate::crypto::jwks::{JwksSource, KeySet, LARGEST_SET};
use crate::host::{Host, StoreError, Value};
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::{NotSent, Outcome};

/// How long a key set is used without fetching it again, in milliseconds.
const FRESH: i64 = 3_600_000;

/// How long it is used if fetching fails.
const STALE: i64 = 24 * 3_600_000;

/// How often a URL is fetched at most, by all instances together.
const PAUSE: i64 = 30_000;

/// How long to wait for what another request is fetching.
const PATIENCE: Duration = Duration::from_secs(3);

/// The key sets that an instance has in memory.
#[derive(Debug, Default)]
pub struct JwksCache(RefCell<BTreeMap<String, (KeySet, i64)>>);

const KEPT: &str = "SELECT body, fetched_at FROM published_keys WHERE url = ?1 AND body IS NOT NULL";

/// The request that gets the row may fetch.
const ASK: &str = "INSERT INTO published_keys (url, tried_at) VALUES (?1, ?2)
    ON CONFLICT (url) DO UPDATE SET tried_at = excluded.tried_at WHERE tried_at <= ?3 RETURNING url";

const KEEP: &str = "UPDATE published_keys SET body = ?2, fetched_at = ?3 WHERE url = ?1 RETURNING url";

/// Why there are no keys. The log says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JwksError {
    /// They could not be fetched or read.
    Unavailable,
    /// The ledger's database, where instances share them, could not be used.
    LedgerDown,
}

impl From<JwksError> for Outcome {
    fn from(error: JwksError) -> Self {
        Self::NotSent(match error {
            JwksError::Unavailable => NotSent::KeysUnavailable,
            JwksError::LedgerDown => NotSent::LedgerDown,
        })
    }
}

impl JwksCache {
    /// Returns the key set.
    ///
    /// # Errors
    ///
    /// If there is none, or none that is young enough.
    pub(crate) async fn get<H: Host>(
        &self,
        host: &H,
        source: JwksSource<'_>,
        limits: Limits,
    ) -> Result<KeySet, JwksError> {
        let url = match source {
            JwksSource::Url(url) => url,
            JwksSource::File(name) => {
                let text = host.file(name).ok_or_else(|| unavailable(host, name, "it cannot be read"))?;
                return KeySet::parse(text.as_bytes()).map_err(|why| unavailable(host, name, &why));
            }
        };
        let now = host.now().timestamp_millis();
        if let Some(keys) = self.in_memory(url, now) {
            return Ok(keys);
        }
        let stored = stored(host, url).await?;
        if let Some((keys, fetched_at)) = &stored
            && is_within(*fetched_at, now, FRESH)
        {
            return Ok(self.remember(url, keys.clone(), *fetched_at));
        }
        if may_ask(host, url, now).await?
            && let Some(keys) = self.fetch(host, url, limits, now).await?
        {
            return Ok(keys);
        }
        match stored {
            Some((keys, fetched_at)) if is_within(fetched_at, now, STALE) => Ok(keys),
            _ => self.wait(host, url).await,
        }
    }

    /// Fetches the key set again because it lacks the requested key id; `None` if a refresh is not allowed yet or brings
    /// nothing.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub(crate) async fn refresh<H: Host>(
        &self,
        host: &H,
        source: JwksSource<'_>,
        limits: Limits,
    ) -> Result<Option<KeySet>, JwksError> {
        let JwksSource::Url(url) = source else { return Ok(None) };
        let now = host.now().timestamp_millis();
        let stored = stored(host, url).await?;
        if may_ask(host, url, now).await? {
            return self.fetch(host, url, limits, now).await;
        }
        // Another request asked within the last half minute: what it got may have the key.
        Ok(stored
            .filter(|(_, fetched_at)| !self.has(url, *fetched_at))
            .map(|(keys, fetched_at)| self.remember(url, keys, fetched_at)))
    }

    /// Fetches and stores the key set; `None` if that failed, as the log says.
    async fn fetch<H: Host>(&self, host: &H, url: &str, limits: Limits, now: i64) -> Result<Option<KeySet>, JwksError> {
        match fetch(host, url, limits).await {
            Ok((keys, body)) => {
                store(host, url, &body, now).await?;
                Ok(Some(self.remember(url, keys, now)))
            }
            Err(why) => {
                host.log(&format!("keys: `{url}`: {why}"));
                Ok(None)
            }
        }
    }

    /// Waits for what another request is fetching.
    async fn wait<H: Host>(&self, host: &H, url: &str) -> Result<KeySet, JwksError> {
        const STEP: Duration = Duration::from_millis(100);
        let until = host.elapsed().saturating_add(PATIENCE);
        while host.elapsed() < until {
            host.sleep(STEP).await;
            if let Some((keys, fetched_at)) = stored(host, url).await?
                && is_within(fetched_at, host.now().timestamp_millis(), FRESH)
            {
                return Ok(self.remember(url, keys, fetched_at));
            }
        }
        Err(JwksError::Unavailable)
    }

    fn in_memory(&self, url: &str, now: i64) -> Option<KeySet> {
        let known = self.0.borrow();
        known.get(url).filter(|(_, fetched_at)| is_within(*fetched_at, now, FRESH)).map(|(keys, _)| keys.clone())
    }

    fn has(&self, url: &str, fetched_at: i64) -> bool {
        self.0.borrow().get(url).is_some_and(|(_, known)| *known == fetched_at)
    }

    fn remember(&self, url: &str, keys: KeySet, fetched_at: i64) -> KeySet {
        self.0.borrow_mut().insert(url.to_owned(), (keys.clone(), fetched_at));
        keys
    }
}

/// A clock that was set back makes nothing fresh.
fn is_within(fetched_at: i64, now: i64, milliseconds: i64) -> bool {
    (0..milliseconds).contains(&now.saturating_sub(fetched_at))
}

fn unavailable<H: Host>(host: &H, name: &str, why: &str) -> JwksError {
    host.log(&format!("keys: `{name}`: {why}"));
    JwksError::Unavailable
}

async fn stored<H: Host>(host: &H, url: &str) -> Result<Option<(KeySet, i64)>, JwksError> {
    let rows = host.query(KEPT, vec![url.into()]).await.map_err(|why| ledger_down(host, &why))?;
    let Some([Value::Text(body), Value::Integer(fetched_at)]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    // A set that this version cannot read counts as missing.
    Ok(KeySet::parse(body.as_bytes()).ok().map(|keys| (keys, *fetched_at)))
}

async fn may_ask<H: Host>(host: &H, url: &str, now: i64) -> Result<bool, JwksError> {
    let parameters = vec![url.into(), now.into(), now.saturating_sub(PAUSE).into()];
    let rows = host.query(ASK, parameters).await.map_err(|why| ledger_down(host, &why))?;
    Ok(!rows.is_empty())
}

async fn store<H: Host>(host: &H, url: &str, body: &str, now: i64) -> Result<(), JwksError> {
    host.query(KEEP, vec![url.into(), body.into(), now.into()]).await.map(drop).map_err(|why| ledger_down(host, &why))
}

fn ledger_down<H: Host>(host: &H, StoreError(why): &StoreError) -> JwksError {
    host.log(&format!("ledger: {why}"));
    JwksError::LedgerDown
}

async fn fetch<H: Host>(host: &H, url: &str, limits: Limits) -> Result<(KeySet, String), String> {
    let budget = Budget::new(host.elapsed(), limits);
    let request = || {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.parse().map_err(|_| "the URL is not valid".to_owned())?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    };
    let sent = retry::send::<H, String>(host, &budget, retry::CallSpec::new(LARGEST_SET), request).await?;
    let answer = sent.answer.map_err(|error| format!("{error:?}"))?;
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
    fn an_hour_is_an_hour() {
        for (fetched_at, now, fresh) in [(0, 0, true), (0, FRESH - 1, true), (0, FRESH, false), (1, 0, false)] {
            assert_eq!(is_within(fetched_at, now, FRESH), fresh, "{fetched_at} {now}");
        }
    }
}

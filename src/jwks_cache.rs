//! The public keys of whoever issues tokens: from the URL where they are published, or from a file beside offboard.toml.
//!
//! What was fetched is kept for an hour, in memory and in the database, so that every instance has it. A token with a key that
//! is not among them has the URL asked again, once in half a minute at most however many such tokens come: an issuer may have
//! a new key, and a stranger must not be able to have us ask without end. What cannot be fetched anew is used for a day.
//!
//! A file is read for each request that needs it, so that a changed one counts at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request};

use crate::config::limits::Limits;
use crate::crypto::jwks::{KeySet, LARGEST_SET};
use crate::host::{Host, Value};
use crate::operations::remove::ledger_down;
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::Outcome;

/// How long keys are used without asking, in milliseconds.
const FRESH: i64 = 3_600_000;

/// How long they are used when asking comes to nothing.
const STALE: i64 = 24 * 3_600_000;

/// How often a URL is asked at most, by all instances together.
const PAUSE: i64 = 30_000;

/// How long to wait for what another request is fetching.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where somebody's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwksSource<'c> {
    /// `https://…`
    Url(&'c str),
    /// The name of a file beside offboard.toml.
    File(&'c str),
}

/// Keys that an instance has in memory.
#[derive(Debug, Default)]
pub struct JwksCache(RefCell<BTreeMap<String, (KeySet, i64)>>);

const KEPT: &str = "SELECT body, fetched_at FROM published_keys WHERE url = ?1 AND body IS NOT NULL";

/// Whoever gets the row may ask.
const ASK: &str = "INSERT INTO published_keys (url, tried_at) VALUES (?1, ?2)
    ON CONFLICT (url) DO UPDATE SET tried_at = excluded.tried_at WHERE tried_at <= ?3 RETURNING url";

const KEEP: &str = "UPDATE published_keys SET body = ?2, fetched_at = ?3 WHERE url = ?1 RETURNING url";

impl JwksCache {
    /// The keys. `anew` when those that there are do not have the one that is looked for: `None` when they cannot be had anew
    /// at this moment.
    ///
    /// # Errors
    ///
    /// [`Outcome::KeysUnavailable`], [`Outcome::LedgerDown`]
    pub(crate) async fn keys<H: Host>(
        &self,
        host: &H,
        source: JwksSource<'_>,
        limits: Limits,
        anew: bool,
    ) -> Result<Option<KeySet>, Outcome> {
        let url = match source {
            JwksSource::Url(url) => url,
            JwksSource::File(_) if anew => return Ok(None),
            JwksSource::File(name) => {
                let text = host.file(name).ok_or_else(|| unavailable(host, name, "it cannot be read"))?;
                return KeySet::parse(text.as_bytes()).map(Some).map_err(|why| unavailable(host, name, &why));
            }
        };
        let now = host.now().timestamp_millis();
        if !anew && let Some(keys) = self.in_memory(url, now) {
            return Ok(Some(keys));
        }
        let kept = kept(host, url).await?;
        if !anew
            && let Some((keys, fetched_at)) = &kept
            && is_within(*fetched_at, now, FRESH)
        {
            return Ok(Some(self.remember(url, keys.clone(), *fetched_at)));
        }
        if may_ask(host, url, now).await? {
            match fetch(host, url, limits).await {
                Ok((keys, body)) => {
                    keep(host, url, &body, now).await?;
                    return Ok(Some(self.remember(url, keys, now)));
                }
                Err(why) => host.log(&format!("keys: `{url}`: {why}")),
            }
            if anew {
                return Ok(None);
            }
        } else if anew {
            // Another request asked within the last half minute: what it got may be what is looked for.
            return Ok(kept
                .filter(|(_, fetched_at)| !self.has(url, *fetched_at))
                .map(|(keys, fetched_at)| self.remember(url, keys, fetched_at)));
        }
        match kept {
            Some((keys, fetched_at)) if is_within(fetched_at, now, STALE) => Ok(Some(keys)),
            _ => self.wait(host, url).await.map(Some),
        }
    }

    /// What another request is about to have fetched.
    async fn wait<H: Host>(&self, host: &H, url: &str) -> Result<KeySet, Outcome> {
        const STEP: Duration = Duration::from_millis(100);
        let until = host.elapsed().saturating_add(PATIENCE);
        while host.elapsed() < until {
            host.sleep(STEP).await;
            if let Some((keys, fetched_at)) = kept(host, url).await?
                && is_within(fetched_at, host.now().timestamp_millis(), FRESH)
            {
                return Ok(self.remember(url, keys, fetched_at));
            }
        }
        Err(Outcome::KeysUnavailable)
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

fn unavailable<H: Host>(host: &H, name: &str, why: &str) -> Outcome {
    host.log(&format!("keys: `{name}`: {why}"));
    Outcome::KeysUnavailable
}

async fn kept<H: Host>(host: &H, url: &str) -> Result<Option<(KeySet, i64)>, Outcome> {
    let rows = host.query(KEPT, vec![url.into()]).await.map_err(|why| ledger_down(host, &why))?;
    let Some([Value::Text(body), Value::Integer(fetched_at)]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    // What an earlier version kept and this one does not take is not there.
    Ok(KeySet::parse(body.as_bytes()).ok().map(|keys| (keys, *fetched_at)))
}

async fn may_ask<H: Host>(host: &H, url: &str, now: i64) -> Result<bool, Outcome> {
    let parameters = vec![url.into(), now.into(), now.saturating_sub(PAUSE).into()];
    let rows = host.query(ASK, parameters).await.map_err(|why| ledger_down(host, &why))?;
    Ok(!rows.is_empty())
}

async fn keep<H: Host>(host: &H, url: &str, body: &str, now: i64) -> Result<(), Outcome> {
    host.query(KEEP, vec![url.into(), body.into(), now.into()]).await.map(drop).map_err(|why| ledger_down(host, &why))
}

async fn fetch<H: Host>(host: &H, url: &str, limits: Limits) -> Result<(KeySet, String), String> {
    let budget = Budget::new(host.elapsed(), limits);
    let request = || {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.parse().map_err(|_| Outcome::KeysUnavailable)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    };
    let sent = retry::send(host, &budget, retry::CallSpec::new(LARGEST_SET), request).await;
    let answer = sent.map_err(|outcome| format!("{outcome:?}"))?.answer.map_err(|error| format!("{error:?}"))?;
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

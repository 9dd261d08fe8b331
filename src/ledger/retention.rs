//! Deletes what is not kept: rows of requests that ended without a DELETE, where the operator says for how long they are kept, and
//! what instances share about tokens and published keys, once it has expired.
//!
//! Rows of removals that were sent are never deleted, whatever they ended with, and neither are rows that a request may still
//! change. A row that stands for a delivery keeps it from being carried out again, so it goes only when the operator asks for that, and
//! not in its first 400 days.

use chrono::{DateTime, Duration, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::functions::{OLD, OLD_DELIVERED, OLD_VOTES};
use crate::ledger::sql::first_id;

/// A token that is neither good, nor being renewed, nor remembered as refused.
const TOKENS: &str = "DELETE FROM tokens WHERE coalesce(expires_at, 0) <= ?1 AND leased_until <= ?1
    AND coalesce(refused_until, 0) <= ?1 RETURNING id";

/// Key sets are used for a day at most after they were fetched.
const PUBLISHED_KEYS: &str =
    "DELETE FROM published_keys WHERE coalesce(fetched_at, 0) <= ?1 AND tried_at <= ?1 RETURNING url";

pub(super) const STATEMENTS: &[&str] = &[OLD, OLD_DELIVERED, OLD_VOTES, TOKENS, PUBLISHED_KEYS];

/// The most rows that one call of [`Ledger::prune_old`] deletes.
pub const AT_ONCE: usize = 1000;

/// How many days a key set stays, which is used for one.
const KEYS_KEPT: i64 = 2;

/// Which rows an operator keeps for a time only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// Rows that stand for no delivery.
    Undelivered,
    /// Rows that stand for a delivery.
    Delivered,
}

impl<H: Host> Ledger<'_, H> {
    /// Deletes at most [`AT_ONCE`] rows of refused, denied, expired and cancelled requests that ended more than `days` days ago, and
    /// returns how many.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted.
    pub async fn prune_old(&self, old: Old, days: u32, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let before = days_before(now, i64::from(days));
        let statement = match old {
            Old::Undelivered => OLD,
            Old::Delivered => OLD_DELIVERED,
        };
        let first_id = first_id(before);
        let gone = self.host().query(statement, vec![first_id.as_str().into(), before.into()]).await?.len();
        if gone > 0 {
            self.host().query(OLD_VOTES, Vec::new()).await?;
        }
        Ok(gone)
    }

    /// Deletes tokens of IAM that have expired, and returns how many.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted.
    pub async fn prune_tokens(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        Ok(self.host().query(TOKENS, vec![now.timestamp_millis().into()]).await?.len())
    }

    /// Deletes published keys that are too old to be used, and returns of how many addresses.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted.
    pub async fn prune_published_keys(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let before: Value = days_before(now, KEYS_KEPT).into();
        Ok(self.host().query(PUBLISHED_KEYS, vec![before]).await?.len())
    }
}

fn days_before(now: DateTime<Utc>, days: i64) -> i64 {
    now.timestamp_millis().saturating_sub(Duration::days(days).num_milliseconds())
}

//! What a monitoring system is told, counted in the rows.
//!
//! Each statement reads a part of an index or of the primary key, whose beginning is the time: rows that wait and rows of unknown
//! outcome are counted over all time, because there are few; the others since a moment.

use chrono::{DateTime, Duration, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::sql::{first_id, other_columns};

const REMOVALS: &str = "SELECT state, coalesce(instance, ''), coalesce(caller, ''), count(*) FROM removals
    WHERE id >= ?1 GROUP BY 1, 2, 3";

const OPEN: &str = "SELECT state, '', count(*), min(asked_at) FROM removals
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval') AND expires_at > ?1 GROUP BY 1
    UNION ALL SELECT 'unknown', coalesce(instance, ''), count(*), min(asked_at) FROM removals
    WHERE state IN ('in-flight', 'unknown') AND (state = 'unknown' OR coalesce(in_flight_until, 0) <= ?1) GROUP BY 2";

const REFUSALS: &str = "SELECT coalesce(code, ''), CASE WHEN state = 'denied' THEN policies ELSE '' END, count(*)
    FROM removals WHERE id >= ?1 AND state IN ('refused', 'denied', 'not-sent', 'not-removed', 'refused-upstream', 'rejected',
    'cancelled', 'expired') GROUP BY 1, 2";

/// The upper bounds of the buckets of [`Upstream`], in milliseconds.
pub const BUCKETS: [i64; 9] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000];

const UPSTREAM: &str = "SELECT count(*), coalesce(CAST(sum(upstream_ms) AS bigint), 0),
    count(CASE WHEN upstream_ms <= 100 THEN 1 END), count(CASE WHEN upstream_ms <= 250 THEN 1 END),
    count(CASE WHEN upstream_ms <= 500 THEN 1 END), count(CASE WHEN upstream_ms <= 1000 THEN 1 END),
    count(CASE WHEN upstream_ms <= 2500 THEN 1 END), count(CASE WHEN upstream_ms <= 5000 THEN 1 END),
    count(CASE WHEN upstream_ms <= 10000 THEN 1 END), count(CASE WHEN upstream_ms <= 20000 THEN 1 END),
    count(CASE WHEN upstream_ms <= 30000 THEN 1 END)
    FROM removals WHERE id >= ?1 AND ended_at >= ?2 AND upstream_ms IS NOT NULL";

pub(super) const STATEMENTS: &[&str] = &[REMOVALS, OPEN, REFUSALS, UPSTREAM];

/// How long before it was sent a removal was asked for at most, as far as [`UPSTREAM`] looks. An index of the ends would cost each
/// removal a page of the log.
const LONGEST_APPROVAL: Duration = Duration::days(8);

/// Rows of one state, instance and caller; those that a row does not name are empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removals {
    /// The state.
    pub state: String,
    /// The instance's name.
    pub instance: String,
    /// The caller's name.
    pub caller: String,
    /// How many.
    pub count: i64,
}

/// Rows that wait for a person, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// `awaiting-confirmation`, `awaiting-approval` or `unknown`.
    pub state: String,
    /// The instance's name; empty for those that wait.
    pub instance: String,
    /// How many.
    pub count: i64,
    /// When the oldest was asked, in milliseconds since 1970.
    pub oldest: i64,
}

/// Requests that did not remove an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusals {
    /// The code of the answer.
    pub code: String,
    /// The `forbid` policies that decided, with commas between them.
    pub policies: String,
    /// How many.
    pub count: i64,
}

/// How long TaurusDB took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upstream {
    /// How many removals were sent.
    pub count: i64,
    /// All their times together, in milliseconds.
    pub sum: i64,
    /// How many took at most as long as each of [`BUCKETS`].
    pub at_most: Vec<i64>,
}

fn first_id_at(at: DateTime<Utc>) -> Value {
    first_id(at.timestamp_millis()).as_str().into()
}

impl<H: Host> Ledger<'_, H> {
    /// Rows by state, instance and caller, of requests that first came after `since`, in order.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn count_removals(&self, since: DateTime<Utc>) -> Result<Vec<Removals>, StoreError> {
        let rows = self.host().query(REMOVALS, vec![first_id_at(since)]).await?;
        let read = |row: Vec<Value>| match <[Value; 4]>::try_from(row) {
            Ok([Value::Text(state), Value::Text(instance), Value::Text(caller), Value::Integer(count)]) => {
                Ok(Removals { state, instance, caller, count })
            }
            _ => other_columns(),
        };
        sorted(rows.into_iter().map(read))
    }

    /// Rows that wait, and rows that only the account list can settle, in order.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn count_open(&self, now: DateTime<Utc>) -> Result<Vec<Open>, StoreError> {
        let rows = self.host().query(OPEN, vec![now.timestamp_millis().into()]).await?;
        let read = |row: Vec<Value>| match <[Value; 4]>::try_from(row) {
            Ok([Value::Text(state), Value::Text(instance), Value::Integer(count), Value::Integer(oldest)]) => {
                Ok(Open { state, instance, count, oldest })
            }
            _ => other_columns(),
        };
        sorted(rows.into_iter().map(read))
    }

    /// Requests that did not remove an account and first came after `since`, by code, in order.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn count_refusals(&self, since: DateTime<Utc>) -> Result<Vec<Refusals>, StoreError> {
        let rows = self.host().query(REFUSALS, vec![first_id_at(since)]).await?;
        let read = |row: Vec<Value>| match <[Value; 3]>::try_from(row) {
            Ok([Value::Text(code), Value::Text(policies), Value::Integer(count)]) => {
                Ok(Refusals { code, policies, count })
            }
            _ => other_columns(),
        };
        sorted(rows.into_iter().map(read))
    }

    /// How long TaurusDB took for the removals that ended after `since`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn time_upstream(&self, since: DateTime<Utc>) -> Result<Upstream, StoreError> {
        let rows = self
            .host()
            .query(
                UPSTREAM,
                vec![
                    first_id_at(since.checked_sub_signed(LONGEST_APPROVAL).unwrap_or(since)),
                    since.timestamp_millis().into(),
                ],
            )
            .await?;
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            Value::Null | Value::Text(_) => None,
        };
        let numbers: Option<Vec<i64>> = rows.first().and_then(|row| row.iter().map(number).collect());
        match numbers.as_deref() {
            Some([count, sum, at_most @ ..]) if at_most.len() == BUCKETS.len() => {
                Ok(Upstream { count: *count, sum: *sum, at_most: at_most.to_vec() })
            }
            _ => other_columns(),
        }
    }
}

fn sorted<T: Ord>(rows: impl Iterator<Item = Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    let mut rows: Vec<T> = rows.collect::<Result<_, _>>()?;
    rows.sort_unstable();
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_has_the_buckets() {
        for bucket in BUCKETS {
            assert_eq!(UPSTREAM.matches(&format!("<= {bucket} THEN")).count(), 1, "{bucket}");
        }
        assert_eq!(UPSTREAM.matches("THEN").count(), BUCKETS.len());
    }
}

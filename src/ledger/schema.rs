//! How the database is opened. `ledger` uses removals and approvals, `ledger::people` uses identities,
//! `taurusdb::token_cache` uses tokens, `jwks_cache` uses published_keys.

use crate::host::{DatabaseKind, Host, StoreError};
use crate::ledger::{postgres, sqlite};

pub use crate::ledger::version::VERSION;

/// What makes the tables on PostgreSQL: `deploy/ledger.sql`, for an administrator.
pub fn postgres_schema() -> &'static str {
    &postgres::SCHEMA
}

/// Opens the database: makes the tables if they do not exist.
///
/// # Errors
///
/// [`StoreError::InMemory`] if it ends with the instance and the operator did not allow that; any other if it cannot be used, or was
/// written by a newer version.
pub async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    match host.database().await? {
        DatabaseKind::Sqlite => sqlite::open(host, false).await,
        DatabaseKind::Trial => sqlite::open(host, true).await,
        DatabaseKind::Postgres => postgres::open(host).await,
    }
}

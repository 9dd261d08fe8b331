//! The ledger: one row a removal; replay guard, state machine and audit trail in one table.
//!
//! Every transition is a single statement whose effect is checked, because `spin:sqlite` offers no transaction over several
//! statements. A removal is claimed before its DELETE leaves: [`claims`] makes the only [`claims::Claim`]s, each out of a
//! [`Permit`](crate::policy::permit::Permit), and a delivery that has a row already is answered from it.
//!
//! Rows of proven requests stay for good: they are the audit trail, and they keep a delivery from being repeated. Of refusals
//! whose sender was not proved the newest [`refusals::UNPROVED_KEPT`] are kept, so that a stranger cannot fill the disk;
//! nothing needs cleaning up by hand.
//!
//! Nothing in here knows HTTP, and no secret gets near it unsealed. What a statement means for the answer is decided by the
//! operations.

use crate::host::{Host, StoreError};

pub mod approvals;
pub mod claims;
pub(crate) mod departures;
pub mod dialect;
pub mod ending;
pub mod export;
mod functions;
pub mod history;
pub mod location;
pub mod measures;
pub mod outbox;
mod outbox_schema;
pub mod people;
mod postgres;
pub mod postgres_error;
mod postgres_functions;
pub mod query;
pub mod refusals;
pub mod retention;
pub mod reviewed;
pub mod row;
pub mod schema;
pub mod sql;
mod sqlite;
pub(crate) mod statements;
mod version;

/// The gateway's version, which each row names: the gateway that wrote the row's state.
pub const GATEWAY: &str = env!("CARGO_PKG_VERSION");

/// The opened database of the ledger. There is no other way to its rows.
pub struct Ledger<'a, H> {
    host: &'a H,
}

impl<H> Clone for Ledger<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Ledger<'_, H> {}

impl<'a, H: Host> Ledger<'a, H> {
    /// Opens the database, and makes its tables if they do not exist.
    ///
    /// # Errors
    ///
    /// If it cannot be used, or was written by a newer version.
    pub async fn open(host: &'a H) -> Result<Self, StoreError> {
        schema::open(host).await.map(|()| Self { host })
    }

    /// The database that this instance has opened before.
    pub(crate) fn opened(host: &'a H) -> Self {
        Self { host }
    }

    /// What the statements run on.
    pub(crate) fn host(&self) -> &'a H {
        self.host
    }
}

//! The version of the database's tables.

use crate::host::StoreError;

/// The version that this code reads and writes. PostgreSQL keeps the text of the statements in functions.rs, so a change there is a
/// new version as well, and needs a step from the one before.
pub const VERSION: i64 = 4;

/// The error for a ledger that has another one.
pub(super) fn unknown(version: i64) -> StoreError {
    StoreError::Failed(format!("the ledger has version {version}, this gateway knows {VERSION}; run the newer gateway"))
}

//! The version of the database's tables.

use crate::host::StoreError;

/// The version that this code reads and writes. PostgreSQL keeps the text of the statements in functions.rs, so a change there is a
/// new version as well, and needs a step from the one before.
pub const VERSION: i64 = 5;

/// The error for a ledger that has another one.
pub(super) fn unknown(version: i64) -> StoreError {
    let how = if version > VERSION {
        "run the gateway that wrote it, or a newer one"
    } else {
        "and cannot be brought there by this user; let an administrator run ledger.sql"
    };
    StoreError::Failed(format!("the ledger has version {version}, this gateway needs {VERSION}; {how}"))
}

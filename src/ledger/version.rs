//! The version of the database's tables.

use crate::host::StoreError;

/// The version that this code reads and writes. PostgreSQL keeps the text of the statements in functions.rs, so a change there is a
/// new version as well, and needs a step from the one before.
pub const VERSION: i64 = 5;

/// The error for a ledger that has another one.
pub(super) fn unknown(version: i64) -> StoreError {
    let advice = if version > VERSION {
        "run the gateway that wrote it, or a newer one"
    } else {
        "let an administrator run this gateway's ledger.sql"
    };
    StoreError::Failed(format!("the ledger has version {version}, this gateway needs {VERSION}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_gateway_is_for_a_newer_ledger() {
        for (version, advice) in [(VERSION + 1, "or a newer one"), (VERSION - 1, "this gateway's ledger.sql")] {
            let error = unknown(version).to_string();
            assert!(error.contains(&format!("has version {version}, ")) && error.ends_with(advice), "{error}");
        }
    }
}

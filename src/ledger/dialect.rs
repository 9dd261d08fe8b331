//! What PostgreSQL has to be told in other words than SQLite. All statements are written for SQLite, in words that both take
//! where there are such words; this file has the rest.
//!
//! | SQLite | PostgreSQL |
//! |---|---|
//! | `?1` | `$1` |
//! | one writer at a time, so that a claim's counts are exact | functions that lock the rows of `brakes` first (postgres_functions.rs) |
//! | `json_group_array(json_object(…))` | `json_agg(json_build_object(…))` |
//! | `json_each(?1)` | `json_array_elements($1) WITH ORDINALITY` |
//! | `json_each(CAST(?1 AS text))`, in what is no function | `json_array_elements(CAST(CAST($1 AS text) AS json))` |
//! | `json_extract(resource, '$.externalId')` | `CAST(resource AS jsonb) ->> 'externalId'` |
//! | `/* for share */`, `/* skip locked */` | `FOR SHARE`, `FOR UPDATE OF o SKIP LOCKED` |
//!
//! A parameter is a `bigint` or a `text` in both.

use crate::ledger::postgres_functions::{FUNCTIONS, Function};
use crate::ledger::sql::in_postgres;

/// A statement in PostgreSQL's words.
pub fn postgres(statement: &str) -> String {
    let function = FUNCTIONS.iter().find(|function| function.statement == statement);
    function.map_or_else(|| in_postgres(statement), Function::call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::approvals::VOTE;
    use crate::ledger::functions::{CLAIM_WAITING, OLD_VOTES};
    use crate::ledger::outbox::LEASE;
    use crate::ledger::sql::votes;

    #[test]
    fn parameters_and_functions() {
        assert_eq!(postgres("SELECT ?1, ?12"), "SELECT $1, $12");
        assert_eq!(
            postgres(CLAIM_WAITING),
            "SELECT * FROM claim_waiting($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        assert_eq!(postgres(OLD_VOTES), "SELECT * FROM prune_votes()");
        assert!(postgres(votes!()).contains("json_agg(json_build_object("));
        assert!(postgres(VOTE).contains("FOR SHARE ON CONFLICT (removal, reference, person) DO NOTHING"));
        assert!(postgres(LEASE).contains("LIMIT 1 FOR UPDATE OF o SKIP LOCKED) RETURNING"));
    }
}

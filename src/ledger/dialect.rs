//! What PostgreSQL has to be told in other words than SQLite. All statements are written for SQLite, in words that both take
//! where there are such words; this file has the rest.
//!
//! | SQLite | PostgreSQL |
//! |---|---|
//! | `?1` | `$1` |
//! | one writer at a time, so that a claim's counts are exact | functions that lock the rows of `brakes` first (postgres.rs) |
//! | `json_group_array(json_object(…))` | `json_agg(json_build_object(…))` |
//! | `json_extract(resource, '$.externalId')` | `CAST(resource AS jsonb) ->> 'externalId'` |
//!
//! A parameter is a `bigint` or a `text` in both.

use std::borrow::Cow;

use crate::ledger::approvals::VOTE;
use crate::ledger::functions::{CLAIM, CLAIM_UNSEEN, CLAIM_WAITING, OLD, OLD_DELIVERED, OLD_VOTES, PRUNE};
use crate::ledger::sql::{numbered, votes};

/// Statements that are one call of a function there.
const FUNCTIONS: [(&str, &str); 7] = [
    (CLAIM, "SELECT * FROM claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"),
    (
        CLAIM_UNSEEN.one,
        "SELECT * FROM claim_unseen($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    ),
    (CLAIM_WAITING, "SELECT * FROM claim_waiting($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"),
    (PRUNE, "SELECT prune($1)"),
    (OLD, "SELECT * FROM prune_old($1, $2)"),
    (OLD_DELIVERED, "SELECT * FROM prune_old_delivered($1, $2)"),
    (OLD_VOTES, "SELECT prune_votes()"),
];

/// Parts of statements.
const PARTS: [(&str, &str); 2] = [
    (votes!(), votes!(postgres)),
    ("json_extract(resource, '$.externalId')", "(CAST(resource AS jsonb) ->> 'externalId')"),
];

/// A statement in PostgreSQL's words.
pub fn postgres(statement: &str) -> Cow<'_, str> {
    if let Some((_, call)) = FUNCTIONS.iter().find(|(sqlite, _)| *sqlite == statement) {
        return Cow::Borrowed(call);
    }
    let mut text = Cow::Borrowed(statement);
    for (sqlite, postgres) in PARTS {
        if text.contains(sqlite) {
            text = Cow::Owned(text.replace(sqlite, postgres));
        }
    }
    // While END commits, a SELECT without a lock would still see the row as waiting.
    if statement == VOTE {
        text = Cow::Owned(text.replace("ON CONFLICT", "FOR SHARE ON CONFLICT"));
    }
    Cow::Owned(numbered(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::claims::COMPLETE;

    #[test]
    fn parameters_and_functions() {
        assert_eq!(postgres("SELECT ?1, ?12"), "SELECT $1, $12");
        assert!(postgres(CLAIM).starts_with("SELECT * FROM claim($1, "));
        assert!(postgres(COMPLETE.one).contains("json_agg(json_build_object("));
        assert!(postgres(VOTE).contains("FOR SHARE ON CONFLICT (removal, reference, person) DO NOTHING"));
    }
}

//! The statements that are functions on PostgreSQL: claims and how they ended, and what the gateway's user may do in no other way.
//!
//! **Brakes.** Under `READ COMMITTED` a statement does not see what a neighbour has not committed, so sixty-four claims would each count
//! none of the others. So a claim is a function: it first writes the rows of `brakes` that stand for the person and the instance, which
//! makes the next one wait there until this one has committed; the claim itself, the function's next statement, then sees every
//! claim before it and none after. The rows are locked in the order of their keys, so that no two claims wait for each other.
//!
//! **Completing.** Spin prepares a statement each time, but the server keeps the plan of a function's statement: a pair of claim and
//! completion took a sixth less of its time.
//!
//! **Deleting.** The gateway's user need not be permitted to delete rows: those functions run as their owner.

use crate::ledger::functions::{CLAIM, CLAIM_UNSEEN, CLAIM_WAITING, COMPLETE, OLD, OLD_DELIVERED, OLD_VOTES, PRUNE};
use crate::ledger::sql::{each, in_postgres, schema};

/// A function whose body is a statement of [`super::functions`]: the parameters of the one are the other's.
pub(super) struct Function {
    /// The statement, in SQLite's words.
    pub(super) statement: &'static str,
    name: &'static str,
    /// The types of the parameters: `t` is a text, `n` a number.
    parameters: &'static str,
    body: Body,
}

enum Body {
    /// Returns this table, and locks what counts for a person, a principal and an instance before.
    Claim { returns: &'static str, lock: &'static str },
    /// Returns the claims that it ended, how often each was tried, and what approvers decided.
    Complete,
    /// Returns how many rows are gone.
    DeleteCounted,
    /// Returns the names of those that are gone.
    DeleteNamed,
}

/// Locks what counts for a person, a principal and an instance, until the claim has been committed.
macro_rules! lock {
    ($person:literal, $actor:literal, $instance:literal) => {
        lock!(of "", $person, $actor, $instance)
    };
    (each $person:literal, $actor:literal, $instance:literal) => {
        lock!(of concat!(each!(), ", LATERAL "), $person, $actor, $instance)
    };
    (of $items:expr, $person:literal, $actor:literal, $instance:literal) => {
        concat!(
            "INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT keys.key COLLATE \"C\" AS key FROM ",
            $items,
            "(VALUES ('a' || ",
            $person,
            "), ('a' || ",
            $actor,
            "), ('i' || ",
            $instance,
            ")) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;"
        )
    };
}

const CLAIMED: &str = "TABLE (claimed_delivery text, claimed text)";

const COUNTED: &str = "TABLE (claimed text, by_requester bigint, on_instance bigint)";

pub(super) const FUNCTIONS: [Function; 10] = [
    Function {
        statement: CLAIM,
        name: "claim",
        parameters: "ttntttttttttnnttt",
        body: Body::Claim { returns: COUNTED, lock: lock!("?16", "?6", "?7") },
    },
    Function {
        statement: CLAIM_UNSEEN.one,
        name: "claim_unseen",
        parameters: "ttntttttttttnnttnnnt",
        body: Body::Claim { returns: CLAIMED, lock: lock!("?16", "?6", "?7") },
    },
    Function {
        statement: CLAIM_UNSEEN.many,
        name: "claim_several_unseen",
        parameters: "t",
        body: Body::Claim { returns: CLAIMED, lock: lock!(each "(j.value->>15)", "(j.value->>5)", "(j.value->>6)") },
    },
    Function {
        statement: CLAIM_WAITING,
        name: "claim_waiting",
        parameters: "ttnttnttnttt",
        body: Body::Claim { returns: COUNTED, lock: lock!("?11", "?7", "?8") },
    },
    Function { statement: COMPLETE.one, name: "complete", parameters: "ttnntttntnt", body: Body::Complete },
    Function { statement: COMPLETE.many, name: "complete_several", parameters: "t", body: Body::Complete },
    Function { statement: PRUNE, name: "prune", parameters: "n", body: Body::DeleteCounted },
    Function { statement: OLD, name: "prune_old", parameters: "tn", body: Body::DeleteNamed },
    Function { statement: OLD_DELIVERED, name: "prune_old_delivered", parameters: "tn", body: Body::DeleteNamed },
    Function { statement: OLD_VOTES, name: "prune_votes", parameters: "", body: Body::DeleteCounted },
];

impl Function {
    /// The call that stands for the statement.
    pub(super) fn call(&self) -> String {
        let parameters: Vec<_> = (1..=self.parameters.len()).map(|number| format!("${number}")).collect();
        format!("SELECT * FROM {}({})", self.name, parameters.join(", "))
    }

    /// What makes the function.
    pub(super) fn definition(&self) -> String {
        let types: Vec<_> = self.parameters.chars().map(|of| if of == 'n' { "bigint" } else { "text" }).collect();
        let (name, types, statement) = (self.name, types.join(", "), in_postgres(self.statement));
        let (returns, body) = match &self.body {
            Body::Claim { returns, lock } => (*returns, writing(&in_postgres(lock), &statement)),
            Body::Complete => ("TABLE (completed text, tries bigint, decided text)", writing("", &statement)),
            Body::DeleteCounted => {
                ("bigint", deleting(&format!("WITH gone AS ({statement} RETURNING 1) SELECT count(*) FROM gone")))
            }
            Body::DeleteNamed => ("SETOF text", deleting(&statement)),
        };
        format!("CREATE OR REPLACE FUNCTION {name}({types}) RETURNS {returns} {body}")
    }
}

fn writing(lock: &str, statement: &str) -> String {
    format!(
        "LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    {lock}
    RETURN QUERY {statement};
END $f$;
"
    )
}

fn deleting(statement: &str) -> String {
    format!(
        "LANGUAGE sql SECURITY DEFINER SET search_path = {}, pg_temp AS $f$
    {statement}
$f$;
",
        schema!()
    )
}

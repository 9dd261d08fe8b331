//! The ledger's tables on PostgreSQL 13 or later, and the functions that stand for SQLite's single writer.
//!
//! Everything is in one `DO` block, which is a transaction: an instance that stops in between leaves nothing behind, and two that
//! come at once wait for each other. An administrator may run the same block ([`SCHEMA`] is `ledger.sql`), so that the gateway's own user
//! need not be permitted to create anything.
//!
//! **Brakes.** Under `READ COMMITTED` a statement does not see what a neighbour has not committed, so sixty-four claims would each count
//! none of the others. So a claim is a function: it first writes the rows of `brakes` that stand for the person and the instance, which
//! makes the next one wait there until this one has committed; the claim itself, the function's next statement, then sees every
//! claim before it and none after. The rows are locked in the order of their keys, so that no two claims wait for each other.
//!
//! Not supported: servers that answer as PostgreSQL does and have no PL/pgSQL.

use std::sync::LazyLock;

use crate::host::{Host, StoreError, Value};
use crate::ledger::functions::{CLAIM, CLAIM_UNSEEN, CLAIM_WAITING, OLD, OLD_DELIVERED, OLD_VOTES, PRUNE};
use crate::ledger::sql::numbered;
use crate::ledger::version::{VERSION, unknown};

/// The schema that the tables are in.
pub(super) const NAME: &str = "offboard";

/// Locks what counts for a person, a principal and an instance, until the claim has been committed.
macro_rules! lock {
    ($person:literal, $actor:literal, $instance:literal) => {
        concat!(
            "INSERT INTO brakes (key, n) SELECT key, 1 FROM (SELECT DISTINCT key COLLATE \"C\" AS key FROM (VALUES ('a' || ",
            $person,
            "), ('a' || ",
            $actor,
            "), ('i' || ",
            $instance,
            ")) AS keys (key) ORDER BY 1) AS sorted ON CONFLICT (key) DO UPDATE SET n = brakes.n + 1;"
        )
    };
}

/// The tables and indexes of an empty schema.
const TABLES: &str = "
CREATE TABLE ledger (version bigint PRIMARY KEY);
CREATE TABLE removals (
    id text COLLATE \"C\" PRIMARY KEY,
    delivery text COLLATE \"C\" UNIQUE,
    state text COLLATE \"C\" NOT NULL,
    asked_at bigint NOT NULL,
    ended_at bigint,
    caller text COLLATE \"C\",
    kind text,
    actor text COLLATE \"C\",
    instance text COLLATE \"C\",
    user_name text COLLATE \"C\",
    reason text,
    policies text NOT NULL,
    attempts bigint NOT NULL,
    status bigint,
    code text,
    message text,
    request_id text,
    in_flight_until bigint,
    confirmed_by text,
    reference text COLLATE \"C\",
    expires_at bigint,
    fingerprint text,
    later text,
    dry_run bigint NOT NULL DEFAULT 0,
    claimed_at bigint,
    groups text,
    place text,
    policy_set text,
    person text COLLATE \"C\",
    caused_by text,
    gateway text,
    upstream_ms bigint
);
CREATE TABLE approvals (
    removal text COLLATE \"C\" NOT NULL,
    reference text COLLATE \"C\" NOT NULL,
    person text COLLATE \"C\" NOT NULL,
    actor text NOT NULL,
    caller text NOT NULL,
    kind text NOT NULL,
    approved bigint NOT NULL,
    reason text,
    at bigint NOT NULL,
    groups text,
    PRIMARY KEY (removal, reference, person)
);
CREATE TABLE tokens (
    id text COLLATE \"C\" PRIMARY KEY,
    sealed text,
    issued_at bigint,
    expires_at bigint,
    leased_until bigint NOT NULL,
    refused text,
    refused_until bigint
);
CREATE TABLE published_keys (
    url text COLLATE \"C\" PRIMARY KEY,
    body text,
    fetched_at bigint,
    tried_at bigint NOT NULL
);
CREATE TABLE identities (
    caller text COLLATE \"C\" NOT NULL,
    id text COLLATE \"C\" NOT NULL,
    user_name text COLLATE \"C\" NOT NULL,
    resource text NOT NULL,
    active bigint NOT NULL,
    departures bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    former_names text,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (caller, id),
    UNIQUE (caller, user_name)
);
CREATE TABLE brakes (key text COLLATE \"C\" PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50);
CREATE UNIQUE INDEX removals_by_reference ON removals (reference) WHERE reference IS NOT NULL;
CREATE INDEX removals_waiting ON removals (expires_at) WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_waiting_by_id ON removals (id) WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_waiting_by_person ON removals (coalesce(person, actor), expires_at)
    WHERE state IN ('awaiting-confirmation', 'awaiting-approval');
CREATE INDEX removals_claimed_by_person ON removals (person, claimed_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX removals_claimed_by_principal ON removals (actor, claimed_at, person)
    WHERE claimed_at IS NOT NULL AND person IS DISTINCT FROM actor;
CREATE INDEX removals_claimed_on_instance ON removals (instance, claimed_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX removals_open ON removals (instance, user_name) WHERE state IN ('in-flight', 'unknown');
CREATE INDEX removals_by_actor ON removals (actor, id DESC) WHERE actor IS NOT NULL;
CREATE INDEX removals_by_instance ON removals (instance, id DESC) WHERE instance IS NOT NULL;
CREATE INDEX removals_by_user ON removals (user_name, id DESC);
CREATE INDEX removals_unproved ON removals (id) WHERE actor IS NULL;
CREATE INDEX identities_by_external_id ON identities (caller, (CAST(resource AS jsonb) ->> 'externalId'), id);
";

/// A function that makes a claim. Its body is the statement itself, whose parameters are the function's.
struct ClaimFunction {
    name: &'static str,
    /// The types of its parameters: `t` is a text, `n` a number.
    parameters: &'static str,
    returns: &'static str,
    lock: &'static str,
    statement: &'static str,
}

const COUNTED: &str = "TABLE (claimed text, by_requester bigint, on_instance bigint)";

const FUNCTIONS: [ClaimFunction; 3] = [
    ClaimFunction {
        name: "claim",
        parameters: "ttntttttttttnnttt",
        returns: COUNTED,
        lock: lock!("?16", "?6", "?7"),
        statement: CLAIM,
    },
    ClaimFunction {
        name: "claim_unseen",
        parameters: "ttntttttttttnnttnnnt",
        returns: "TABLE (claimed_delivery text, claimed text)",
        lock: lock!("?16", "?6", "?7"),
        statement: CLAIM_UNSEEN.one,
    },
    ClaimFunction {
        name: "claim_waiting",
        parameters: "ttnttnttnttt",
        returns: COUNTED,
        lock: lock!("?11", "?7", "?8"),
        statement: CLAIM_WAITING,
    },
];

impl ClaimFunction {
    fn text(&self) -> String {
        let Self { name, parameters, returns, lock, statement } = self;
        let types: Vec<_> = parameters.chars().map(|of| if of == 'n' { "bigint" } else { "text" }).collect();
        let (lock, statement) = (numbered(lock), numbered(statement));
        format!(
            "CREATE OR REPLACE FUNCTION {name}({}) RETURNS {returns} LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    {lock}
    RETURN QUERY {statement};
END $f$;
",
            types.join(", ")
        )
    }
}

/// Functions that delete rows, which the gateway's user is not permitted itself.
fn prune() -> String {
    let definer = format!("LANGUAGE sql SECURITY DEFINER SET search_path = {NAME}, pg_temp AS $f$");
    let counted = |name: &str, parameters: &str, delete: &str| {
        let delete = numbered(delete);
        format!(
            "CREATE OR REPLACE FUNCTION {name}({parameters}) RETURNS bigint {definer}
    WITH gone AS ({delete} RETURNING 1) SELECT count(*) FROM gone
$f$;
"
        )
    };
    let named = |name: &str, delete: &str| {
        let delete = numbered(delete);
        format!(
            "CREATE OR REPLACE FUNCTION {name}(text, bigint) RETURNS SETOF text {definer}
    {delete}
$f$;
"
        )
    };
    [
        counted("prune", "bigint", PRUNE),
        named("prune_old", OLD),
        named("prune_old_delivered", OLD_DELIVERED),
        counted("prune_votes", "", OLD_VOTES),
    ]
    .concat()
}

/// What makes the schema, if it does not exist. Any number of gateways may run it at once.
pub(super) static SCHEMA: LazyLock<String> = LazyLock::new(|| {
    let functions: String = FUNCTIONS.iter().map(ClaimFunction::text).collect();
    let prune = prune();
    format!(
        "DO $do$ DECLARE found bigint; BEGIN
SET LOCAL lock_timeout = '10s';
PERFORM pg_advisory_xact_lock(7305803001);
IF to_regclass('{NAME}.ledger') IS NOT NULL THEN SELECT max(version) INTO found FROM {NAME}.ledger; END IF;
IF found IS NULL THEN
IF to_regnamespace('{NAME}') IS NULL THEN CREATE SCHEMA {NAME}; END IF;
SET LOCAL search_path = {NAME};
{TABLES}
{functions}{prune}INSERT INTO ledger VALUES ({VERSION});
END IF;
END $do$"
    )
});

/// What a new instance asks: the version, where the names of tables are looked for, and whether a commit is durable and visible as the
/// statements expect.
const START: &str = "SELECT (SELECT max(version) FROM offboard.ledger), CAST(current_schema() AS text),
    current_setting('transaction_isolation'), current_setting('synchronous_commit'),
    CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END";

/// Opens the ledger: makes the tables if they do not exist.
///
/// # Errors
///
/// If it cannot be used, or was written by a newer version.
pub(super) async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    match host.query(START, Vec::new()).await {
        Ok(rows) => return check(&rows),
        Err(StoreError::Failed(_)) => {}
        Err(error) => return Err(error),
    }
    // Without tables the question itself fails. If they cannot be made, the server says why.
    let made = host.query(&SCHEMA, Vec::new()).await;
    let rows = match (host.query(START, Vec::new()).await, made) {
        (Ok(rows), _) => rows,
        (Err(_), Err(why)) => {
            return Err(StoreError::Failed(format!(
                "the tables do not exist and cannot be made: {why}; let an administrator run ledger.sql"
            )));
        }
        (Err(why), Ok(_)) => return Err(why),
    };
    check(&rows)
}

fn check(rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let failed = |why: String| Err(StoreError::Failed(why));
    let Some([version, Value::Text(schema), Value::Text(isolation), Value::Text(commit), Value::Integer(standby)]) =
        rows.first().map(Vec::as_slice)
    else {
        return failed(format!(
            "names of tables are looked for in no schema; add `search_path={NAME}` to the options of the address"
        ));
    };
    match version {
        _ if schema != NAME => failed(format!(
            "names of tables are looked for in the schema `{schema}`; add `search_path={NAME}` to the options of the address"
        )),
        Value::Integer(VERSION) if *standby != 0 => failed(
            "the server is a standby, which takes no rows; add `target_session_attrs=read-write` to the address".into(),
        ),
        Value::Integer(VERSION) if isolation != "read committed" => failed(format!(
            "transactions are `{isolation}`; remove `default_transaction_isolation` from the options of the address"
        )),
        Value::Integer(VERSION) if commit == "off" => failed(
            "a commit is confirmed before it is on the disk; set `synchronous_commit=on` in the options of the address"
                .into(),
        ),
        Value::Integer(VERSION) => Ok(()),
        Value::Integer(other) => Err(unknown(*other)),
        _ => failed("the ledger has no version".into()),
    }
}

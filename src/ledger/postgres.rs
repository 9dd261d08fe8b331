//! The ledger's tables on PostgreSQL 13 or later, and how they come to be. Its functions are in [`super::postgres_functions`].
//!
//! Everything is in one `DO` block, which is a transaction: an instance that stops in between leaves nothing behind, and two that
//! come at once wait for each other. An administrator may run the same block ([`SCHEMA`] is `ledger.sql`), so that the gateway's own user
//! need not be permitted to create anything.
//!
//! Not supported: servers that answer as PostgreSQL does and have no PL/pgSQL.

use std::sync::LazyLock;

use crate::host::{Host, StoreError, Value};
use crate::ledger::outbox_schema::{POSTGRES_TABLE, POSTGRES_TRIGGER};
use crate::ledger::postgres_functions::{FUNCTIONS, Function};
use crate::ledger::sql::schema;
use crate::ledger::version::{VERSION, unknown};

/// The schema that the tables are in.
const NAME: &str = schema!();

/// The tables and indexes of version [`OLDEST`], which an empty schema gets before it takes the steps.
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

/// The oldest version that has a step.
const OLDEST: i64 = 4;

/// The steps to each version from the one before.
const STEPS: [(i64, &str); 2] = [(5, "ALTER TABLE removals ADD COLUMN notify text;"), (5, POSTGRES_TABLE)];

/// What makes the schema, if it does not exist, and brings an older one up to date. Any number of gateways may run it at once.
pub(super) static SCHEMA: LazyLock<String> = LazyLock::new(|| {
    let functions: String = FUNCTIONS.iter().map(Function::definition).collect();
    let steps: String = STEPS.iter().map(|(to, step)| format!("IF found < {to} THEN {step} END IF;\n")).collect();
    format!(
        "DO $do$ DECLARE found bigint; BEGIN
SET LOCAL lock_timeout = '10s';
PERFORM pg_advisory_xact_lock(7305803001);
IF to_regclass('{NAME}.ledger') IS NOT NULL THEN SELECT max(version) INTO found FROM {NAME}.ledger; END IF;
IF found IS NULL THEN
IF to_regnamespace('{NAME}') IS NULL THEN CREATE SCHEMA {NAME}; END IF;
SET LOCAL search_path = {NAME};
{TABLES}found := {OLDEST};
ELSIF found NOT BETWEEN {OLDEST} AND {VERSION} - 1 THEN RETURN;
END IF;
SET LOCAL search_path = {NAME};
{steps}{functions}{POSTGRES_TRIGGER}INSERT INTO ledger VALUES ({VERSION});
END $do$"
    )
});

/// What a new instance asks: the version, where the names of tables are looked for, and whether a commit is durable and visible as the
/// statements expect.
const START: &str = concat!(
    "SELECT (SELECT max(version) FROM ",
    schema!(),
    ".ledger), CAST(current_schema() AS text), current_setting('transaction_isolation'), current_setting('synchronous_commit'),
    CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END"
);

pub(super) const STATEMENTS: &[&str] = &[START];

/// Opens the ledger: makes the tables if they do not exist.
///
/// # Errors
///
/// If it cannot be used, or was written by a newer version.
pub(super) async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    match host.query(START, Vec::new()).await {
        Ok(rows) if !is_older(&rows) => return check(&rows),
        Ok(_) | Err(StoreError::Failed(_)) => {}
        Err(error) => return Err(error),
    }
    // Without tables the question itself fails. If they cannot be made, the server says why.
    let made = host.query(&SCHEMA, Vec::new()).await;
    let rows = match (host.query(START, Vec::new()).await, made) {
        (Ok(rows), Err(why)) if is_older(&rows) => {
            return Err(StoreError::Failed(format!(
                "the tables are of an older version and cannot be brought up to date: {why}; let an administrator run ledger.sql"
            )));
        }
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

/// Whether the tables have a version that can be brought up to date, and are where the gateway looks for them.
fn is_older(rows: &[Vec<Value>]) -> bool {
    let row = rows.first().map(Vec::as_slice);
    matches!(row, Some([Value::Integer(OLDEST..VERSION), Value::Text(schema), ..]) if schema == NAME)
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

//! The tables on SQLite, as [`super::postgres`] has them on PostgreSQL.
//!
//! There is no transaction over several statements, so every statement may run again after a crash between any two, and two
//! instances may run the same statement at once. An older database takes the same way as a new one: tables that it lacks, then
//! columns that its tables lack, then indexes, and its version last.

use crate::host::{Host, StoreError, Value};
use crate::ledger::outbox_schema;
use crate::ledger::version::{VERSION, unknown};

/// The tables of an empty database. Each statement may run again.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS ledger (version INTEGER PRIMARY KEY NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS removals (
        id TEXT PRIMARY KEY NOT NULL,
        delivery TEXT UNIQUE,
        state TEXT NOT NULL,
        asked_at INTEGER NOT NULL,
        ended_at INTEGER,
        caller TEXT,
        kind TEXT,
        actor TEXT,
        instance TEXT,
        user_name TEXT,
        reason TEXT,
        policies TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        status INTEGER,
        code TEXT,
        message TEXT,
        request_id TEXT,
        in_flight_until INTEGER,
        confirmed_by TEXT,
        reference TEXT,
        expires_at INTEGER,
        fingerprint TEXT,
        later TEXT,
        dry_run INTEGER NOT NULL DEFAULT 0,
        claimed_at INTEGER,
        groups TEXT,
        place TEXT,
        policy_set TEXT,
        person TEXT,
        caused_by TEXT,
        gateway TEXT,
        upstream_ms INTEGER,
        notify TEXT
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS approvals (
        removal TEXT NOT NULL,
        reference TEXT NOT NULL,
        person TEXT NOT NULL,
        actor TEXT NOT NULL,
        caller TEXT NOT NULL,
        kind TEXT NOT NULL,
        approved INTEGER NOT NULL,
        reason TEXT,
        at INTEGER NOT NULL,
        groups TEXT,
        PRIMARY KEY (removal, reference, person)
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY NOT NULL,
        sealed TEXT,
        issued_at INTEGER,
        expires_at INTEGER,
        leased_until INTEGER NOT NULL,
        refused TEXT,
        refused_until INTEGER
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS published_keys (
        url TEXT PRIMARY KEY NOT NULL,
        body TEXT,
        fetched_at INTEGER,
        tried_at INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS identities (
        caller TEXT NOT NULL,
        id TEXT NOT NULL,
        user_name TEXT NOT NULL,
        resource TEXT NOT NULL,
        active INTEGER NOT NULL,
        departures INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        former_names TEXT,
        revision INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (caller, id),
        UNIQUE (caller, user_name)
    ) STRICT",
    outbox_schema::TABLE,
];

/// A column that a table of version 1 lacks, and the statement that adds it.
struct AddedColumn {
    table: &'static str,
    column: &'static str,
    add: &'static str,
}

macro_rules! added {
    ($table:literal, $column:literal, $type:literal) => {
        AddedColumn {
            table: $table,
            column: $column,
            add: concat!("ALTER TABLE ", $table, " ADD COLUMN ", $column, " ", $type),
        }
    };
}

/// The columns of versions 2, 4 and 5.
const ADDED: &[AddedColumn] = &[
    added!("removals", "policy_set", "TEXT"),
    added!("removals", "person", "TEXT"),
    added!("removals", "caused_by", "TEXT"),
    added!("removals", "gateway", "TEXT"),
    added!("removals", "upstream_ms", "INTEGER"),
    added!("removals", "notify", "TEXT"),
    added!("identities", "former_names", "TEXT"),
    added!("identities", "revision", "INTEGER NOT NULL DEFAULT 0"),
];

const COLUMN: &str = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2";

/// The indexes, and then the version. Each statement may run again.
const INDEXES: &[&str] = &[
    "CREATE INDEX IF NOT EXISTS removals_by_actor ON removals (actor, asked_at) WHERE actor IS NOT NULL",
    "DROP INDEX IF EXISTS removals_by_instance",
    "CREATE INDEX IF NOT EXISTS removals_unproved ON removals (id) WHERE actor IS NULL",
    // Earlier versions left `claimed_at` in rows that do not count any more, and had the state in their indexes instead.
    "UPDATE removals SET claimed_at = NULL
        WHERE claimed_at IS NOT NULL AND state NOT IN ('in-flight', 'removed', 'unknown')",
    "DROP INDEX IF EXISTS removals_counted_by_actor",
    "DROP INDEX IF EXISTS removals_counted_by_person",
    "DROP INDEX IF EXISTS removals_counted_by_principal",
    "DROP INDEX IF EXISTS removals_counted_on_instance",
    "CREATE INDEX IF NOT EXISTS removals_claimed_by_person ON removals (person, claimed_at) WHERE claimed_at IS NOT NULL",
    // Rows of version 1, which have no person, and those that count for a person and for the principal who asked.
    "CREATE INDEX IF NOT EXISTS removals_claimed_by_principal ON removals (actor, claimed_at, person)
        WHERE claimed_at IS NOT NULL AND person IS NOT actor",
    "CREATE INDEX IF NOT EXISTS removals_claimed_on_instance ON removals (instance, claimed_at)
        WHERE claimed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_open ON removals (instance, user_name) WHERE state IN ('in-flight', 'unknown')",
    "CREATE UNIQUE INDEX IF NOT EXISTS removals_by_reference ON removals (reference) WHERE reference IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_waiting ON removals (expires_at)
        WHERE state IN ('awaiting-confirmation', 'awaiting-approval')",
    "CREATE INDEX IF NOT EXISTS removals_waiting_by_id ON removals (id)
        WHERE state IN ('awaiting-confirmation', 'awaiting-approval')",
    "CREATE INDEX IF NOT EXISTS removals_waiting_by_person ON removals (coalesce(person, actor), expires_at)
        WHERE state IN ('awaiting-confirmation', 'awaiting-approval')",
    // Identity systems look people up by their own id.
    "CREATE INDEX IF NOT EXISTS identities_by_external_id
        ON identities (caller, json_extract(resource, '$.externalId'), id)",
    outbox_schema::DUE,
    outbox_schema::BY_TARGET,
    outbox_schema::BY_EVENT,
    outbox_schema::ON_INSERT,
    outbox_schema::ON_UPDATE,
    // Last: a database without it was not finished.
    "INSERT INTO ledger (version) VALUES (5) ON CONFLICT DO NOTHING",
];

/// The version, and the settings of the connection: what a new instance asks of a ledger that others use, in one statement.
const STATE: &str = "SELECT (SELECT max(version) FROM ledger), (SELECT journal_mode FROM pragma_journal_mode),
    (SELECT synchronous FROM pragma_synchronous)";

const JOURNAL: &str = "SELECT journal_mode FROM pragma_journal_mode";

/// The journal of a database in memory. That of a file can be there as well, which is then broken by a crash.
const IN_MEMORY: &str = "memory";

/// SQLite's number for `FULL`; the next one is stricter.
const FULL: i64 = 2;

/// Opens the database: settings of the connection, and the tables if they do not exist.
///
/// # Errors
///
/// If it cannot be used, was written by a newer version, or would end with the instance and `may_be_in_memory` is false.
pub(super) async fn open<H: Host>(host: &H, may_be_in_memory: bool) -> Result<(), StoreError> {
    let in_memory = || if may_be_in_memory { Ok(()) } else { Err(StoreError::InMemory) };
    let rows = host.query(STATE, Vec::new()).await.unwrap_or_default();
    match rows.first().map(Vec::as_slice) {
        Some([Value::Integer(VERSION), Value::Text(journal), Value::Integer(FULL..)]) if journal == "wal" => {
            return Ok(());
        }
        Some([Value::Integer(VERSION), Value::Text(journal), _]) if journal == IN_MEMORY => return in_memory(),
        // A database that cannot be read, or that lacks something.
        _ => {}
    }
    let rows = host.query(JOURNAL, Vec::new()).await?;
    if rows.first().and_then(|row| row.first()) == Some(&IN_MEMORY.into()) {
        in_memory()?;
    }
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        if let Err(why) = host.query(pragma, Vec::new()).await {
            host.log(&format!("ledger: `{pragma}` was not accepted: {why}"));
        }
    }
    match version(host).await {
        Ok(VERSION) => return Ok(()),
        Ok(newer) if newer > VERSION => return Err(unknown(newer)),
        // An older version, or 0: a database that was not finished. One that cannot be read fails here as well.
        Ok(_) | Err(_) => migrate(host).await?,
    }
    match version(host).await? {
        VERSION => Ok(()),
        other => Err(unknown(other)),
    }
}

/// Makes the tables, and adds what those of an older version lack.
async fn migrate<H: Host>(host: &H) -> Result<(), StoreError> {
    for statement in TABLES {
        host.query(statement, Vec::new()).await?;
    }
    for added in ADDED {
        if has_column(host, added).await? {
            continue;
        }
        // Another instance may have added it since.
        if let Err(error) = host.query(added.add, Vec::new()).await
            && !has_column(host, added).await?
        {
            return Err(error);
        }
    }
    for statement in INDEXES {
        host.query(statement, Vec::new()).await?;
    }
    Ok(())
}

async fn has_column<H: Host>(host: &H, added: &AddedColumn) -> Result<bool, StoreError> {
    let rows = host.query(COLUMN, vec![added.table.into(), added.column.into()]).await?;
    Ok(!rows.is_empty())
}

async fn version<H: Host>(host: &H) -> Result<i64, StoreError> {
    let rows = host.query("SELECT max(version) FROM ledger", Vec::new()).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(version)) => Ok(*version),
        // The table exists and the last statement has not run: the gateway that made it stopped before.
        Some(Value::Null) => Ok(0),
        _ => Err(StoreError::Failed("the ledger has no version".into())),
    }
}

//! The database's tables and their versions. Who uses them: `ledger` (removals, approvals), `taurusdb::tokens` (tokens),
//! `published` (published_keys), `scim` (identities).
//!
//! There is no transaction over several statements, so every step may run again after a crash between any two, and two
//! instances may take the same step at once.

use crate::host::{Host, StoreError, Value};

/// The version that this code reads and writes.
pub const VERSION: i64 = 5;

/// Statements that make an empty database the present version.
const CREATE: &[&str] = &[
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
        place TEXT
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS removals_by_actor ON removals (actor, asked_at) WHERE actor IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_by_instance ON removals (instance, asked_at) WHERE instance IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_unproved ON removals (id) WHERE actor IS NULL",
    "CREATE TABLE IF NOT EXISTS ledger (version INTEGER PRIMARY KEY NOT NULL) STRICT",
];

/// A table that has new columns since it is there.
const APPROVALS: &str = "CREATE TABLE IF NOT EXISTS approvals (
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
    ) STRICT";

/// Columns that versions 2 to 5 added, each with its table and the statement that adds it.
const ADDED: [(&str, &str, &str); 11] = [
    ("removals", "in_flight_until", "ALTER TABLE removals ADD COLUMN in_flight_until INTEGER"),
    ("removals", "confirmed_by", "ALTER TABLE removals ADD COLUMN confirmed_by TEXT"),
    ("removals", "reference", "ALTER TABLE removals ADD COLUMN reference TEXT"),
    ("removals", "expires_at", "ALTER TABLE removals ADD COLUMN expires_at INTEGER"),
    ("removals", "fingerprint", "ALTER TABLE removals ADD COLUMN fingerprint TEXT"),
    ("removals", "later", "ALTER TABLE removals ADD COLUMN later TEXT"),
    ("removals", "claimed_at", "ALTER TABLE removals ADD COLUMN claimed_at INTEGER"),
    ("removals", "dry_run", "ALTER TABLE removals ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0"),
    ("removals", "groups", "ALTER TABLE removals ADD COLUMN groups TEXT"),
    ("removals", "place", "ALTER TABLE removals ADD COLUMN place TEXT"),
    ("approvals", "groups", "ALTER TABLE approvals ADD COLUMN groups TEXT"),
];

const HAS_COLUMN: &str = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";

/// What there is beside the columns.
const COMPLETE: &[&str] = &[
    "UPDATE removals SET claimed_at = asked_at WHERE claimed_at IS NULL AND state IN ('in-flight', 'removed', 'unknown')",
    // With the state in it, the last hour is counted without a look at any row.
    "DROP INDEX IF EXISTS removals_claimed_by_actor",
    "DROP INDEX IF EXISTS removals_claimed_on_instance",
    "CREATE INDEX IF NOT EXISTS removals_counted_by_actor ON removals (actor, claimed_at, state)
        WHERE claimed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_counted_on_instance ON removals (instance, claimed_at, state)
        WHERE claimed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_open ON removals (instance, user_name) WHERE state IN ('in-flight', 'unknown')",
    "CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY NOT NULL,
        sealed TEXT,
        issued_at INTEGER,
        expires_at INTEGER,
        leased_until INTEGER NOT NULL,
        refused TEXT,
        refused_until INTEGER
    ) STRICT",
    "CREATE UNIQUE INDEX IF NOT EXISTS removals_by_reference ON removals (reference) WHERE reference IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_waiting ON removals (expires_at)
        WHERE state IN ('awaiting-confirmation', 'awaiting-approval')",
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
        PRIMARY KEY (caller, id),
        UNIQUE (caller, user_name)
    ) STRICT",
    "INSERT INTO ledger (version) VALUES (5) ON CONFLICT DO NOTHING",
];

/// Which version there is, and whether the connection is set as it should be already: what a new instance asks of a ledger
/// that others use, in one statement.
const STATE: &str = "SELECT (SELECT max(version) FROM ledger), (SELECT journal_mode FROM pragma_journal_mode),
    (SELECT synchronous FROM pragma_synchronous)";

/// SQLite's number for `FULL`; the next one is stricter.
const FULL: i64 = 2;

/// Opens the database: settings of the connection, and the tables when they are not there or of an older version.
///
/// # Errors
///
/// When it cannot be used, or was written by a newer version.
pub async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    if is_ready(host).await {
        return Ok(());
    }
    // A database server has its own ideas about both, and they are good ones.
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        if let Err(StoreError(why)) = host.query(pragma, Vec::new()).await {
            host.log(&format!("ledger: `{pragma}` was not taken: {why}"));
        }
    }
    let before = version(host).await;
    if let Ok(newer) = before
        && newer > VERSION
    {
        return Err(unknown(newer));
    }
    if before.is_err() {
        for statement in CREATE {
            host.query(statement, Vec::new()).await?;
        }
    }
    if !before.is_ok_and(|version| version >= VERSION) {
        host.query(APPROVALS, Vec::new()).await?;
        for (table, column, add) in ADDED {
            // Another instance may be faster by a moment; its column is as good.
            if !has_column(host, table, column).await?
                && let Err(error) = host.query(add, Vec::new()).await
                && !has_column(host, table, column).await?
            {
                return Err(error);
            }
        }
        for statement in COMPLETE {
            host.query(statement, Vec::new()).await?;
        }
    }
    match version(host).await? {
        VERSION => Ok(()),
        other => Err(unknown(other)),
    }
}

/// What cannot be read is not ready.
async fn is_ready<H: Host>(host: &H) -> bool {
    let rows = host.query(STATE, Vec::new()).await.unwrap_or_default();
    match rows.first().map(Vec::as_slice) {
        Some([Value::Integer(VERSION), Value::Text(journal), Value::Integer(FULL..)]) => {
            matches!(journal.as_str(), "wal" | "memory")
        }
        _ => false,
    }
}

fn unknown(version: i64) -> StoreError {
    StoreError(format!("the ledger has version {version}, this gateway knows {VERSION}; run the newer gateway"))
}

async fn version<H: Host>(host: &H) -> Result<i64, StoreError> {
    let rows = host.query("SELECT max(version) FROM ledger", Vec::new()).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(version)) => Ok(*version),
        // Made, and not finished: whoever made it stopped before its last statement.
        Some(Value::Null) => Ok(0),
        _ => Err(StoreError("the ledger has no version".into())),
    }
}

async fn has_column<H: Host>(host: &H, table: &str, column: &str) -> Result<bool, StoreError> {
    let rows = host.query(HAS_COLUMN, vec![table.into(), column.into()]).await?;
    Ok(matches!(rows.first().and_then(|row| row.first()), Some(Value::Integer(1..))))
}

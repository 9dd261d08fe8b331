//! The database's tables and their version. `ledger` uses removals and approvals, `ledger::people` uses identities,
//! `taurusdb::token_cache` uses tokens, `jwks_cache` uses published_keys.
//!
//! There is no transaction over several statements, so every statement may run again after a crash between any two, and two
//! instances may run the same statement at once.

use crate::host::{Host, StoreError, Value};

/// The version that this code reads and writes.
pub const VERSION: i64 = 1;

/// Statements that make an empty database this version. Each may run again.
const CREATE: &[&str] = &[
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
        place TEXT
    ) STRICT",
    "CREATE INDEX IF NOT EXISTS removals_by_actor ON removals (actor, asked_at) WHERE actor IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_by_instance ON removals (instance, asked_at) WHERE instance IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_unproved ON removals (id) WHERE actor IS NULL",
    // With the state in them, the last hour is counted without reading a row.
    "CREATE INDEX IF NOT EXISTS removals_counted_by_actor ON removals (actor, claimed_at, state)
        WHERE claimed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_counted_on_instance ON removals (instance, claimed_at, state)
        WHERE claimed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_open ON removals (instance, user_name) WHERE state IN ('in-flight', 'unknown')",
    "CREATE UNIQUE INDEX IF NOT EXISTS removals_by_reference ON removals (reference) WHERE reference IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS removals_waiting ON removals (expires_at)
        WHERE state IN ('awaiting-confirmation', 'awaiting-approval')",
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
        PRIMARY KEY (caller, id),
        UNIQUE (caller, user_name)
    ) STRICT",
    // Last: a database without it was not finished.
    "INSERT INTO ledger (version) VALUES (1) ON CONFLICT DO NOTHING",
];

/// The version, and the settings of the connection: what a new instance asks of a ledger that others use, in one statement.
const STATE: &str = "SELECT (SELECT max(version) FROM ledger), (SELECT journal_mode FROM pragma_journal_mode),
    (SELECT synchronous FROM pragma_synchronous)";

/// SQLite's number for `FULL`; the next one is stricter.
const FULL: i64 = 2;

/// Opens the database: settings of the connection, and the tables if they do not exist.
///
/// # Errors
///
/// If it cannot be used, or was written by a newer version.
pub async fn open<H: Host>(host: &H) -> Result<(), StoreError> {
    if is_ready(host).await {
        return Ok(());
    }
    // A database server has settings of its own for both, and refuses these.
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        if let Err(StoreError(why)) = host.query(pragma, Vec::new()).await {
            host.log(&format!("ledger: `{pragma}` was not accepted: {why}"));
        }
    }
    match version(host).await {
        Ok(VERSION) => return Ok(()),
        Ok(newer) if newer > VERSION => return Err(unknown(newer)),
        // A database of an older version would be migrated here, step by step, and each step may run again. There is none yet:
        // 0 is a database that was not finished.
        Ok(_) | Err(_) => {
            for statement in CREATE {
                host.query(statement, Vec::new()).await?;
            }
        }
    }
    match version(host).await? {
        VERSION => Ok(()),
        other => Err(unknown(other)),
    }
}

/// Whether version and settings are as they should be. A database that cannot be read is not ready.
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
        // The table exists and the last statement has not run: the gateway that made it stopped before.
        Some(Value::Null) => Ok(0),
        _ => Err(StoreError("the ledger has no version".into())),
    }
}

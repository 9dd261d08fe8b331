//! What the disk itself can do: commits a second of a bare SQLite, with the ledger's settings, in the ledger's folder.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

/// Commits a second, over this time: an INSERT and an UPDATE by turns, one after the other.
pub(crate) fn commits_a_second(folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let file = folder.join("bare.db");
    let connection = Connection::open(&file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, path TEXT NOT NULL, status INTEGER)",
    )?;
    let mut insert = connection.prepare("INSERT INTO bare (path) VALUES (?1)")?;
    let mut update = connection.prepare("UPDATE bare SET status = 200 WHERE id = ?1")?;
    let path = "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";
    let start = Instant::now();
    let mut commits = 0_u32;
    while start.elapsed() < time {
        let id = insert.insert(params![path])?;
        update.execute(params![id])?;
        commits += 2;
    }
    Ok(f64::from(commits) / start.elapsed().as_secs_f64())
}

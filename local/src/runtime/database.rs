//! The databases that a component can open, on the SQLite that rusqlite bundles.
//!
//! As in Spin's own embedded database: `open` only says which database is meant, and the first statement opens it. A file
//! is opened for real and closed with its last handle; a database in memory belongs to its handle, so no two instances
//! share one. A connection runs one statement at a time. Files cannot be attached; PRAGMA is allowed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Context;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::meter::Meter;

/// The database with the state of the component.
#[derive(Debug, Clone)]
pub enum Database {
    /// In memory: each `open` of the component makes a database of its own, which ends with its handle.
    Memory,
    /// In this file, which is created with its folders if it does not exist.
    File(PathBuf),
}

impl Database {
    /// Creates the folders of the file.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let Some(folder) = path.parent() else { return Ok(()) };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder `{}`", folder.display()))
    }
}

/// The resource that the component holds.
#[derive(Clone)]
pub struct Connection {
    database: Database,
    meter: Option<Meter>,
    opened: Arc<OnceLock<SharedConnection>>,
}

/// One connection, for the threads that run statements.
pub(super) type SharedConnection = Arc<Mutex<rusqlite::Connection>>;

impl Connection {
    pub(super) fn new(database: Database, meter: Option<Meter>) -> Self {
        Self { database, meter, opened: Arc::default() }
    }

    /// Returns the connection, opened now if no statement has run yet.
    pub(super) fn get(&self) -> rusqlite::Result<SharedConnection> {
        if let Some(connection) = self.opened.get() {
            return Ok(connection.clone());
        }
        let connection = Arc::new(Mutex::new(self.open()?));
        Ok(self.opened.get_or_init(|| connection).clone())
    }

    fn open(&self) -> rusqlite::Result<rusqlite::Connection> {
        let mut connection = match &self.database {
            Database::Memory => rusqlite::Connection::open_in_memory(),
            Database::File(path) => rusqlite::Connection::open(path),
        }?;
        // The component can reach no file other than its own.
        connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
            _ => Authorization::Allow,
        }))?;
        if let Some(meter) = &self.meter {
            meter.watch_commits(&mut connection)?;
        }
        Ok(connection)
    }

    /// Counts a statement, in a metered runtime.
    pub(super) fn count_statement(&self) {
        if let Some(meter) = &self.meter {
            meter.add_statement();
        }
    }
}

/// Works on a connection, once the statement before has returned its last row.
pub(super) fn locked<R>(connection: &SharedConnection, work: impl FnOnce(&rusqlite::Connection) -> R) -> R {
    // A poisoned lock is harmless: a panic between two calls into SQLite leaves nothing half done.
    work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
}

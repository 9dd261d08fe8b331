//! The databases that a component can open, on the SQLite that rusqlite bundles.
//!
//! As in Spin's own embedded database: opening a file opens it for real and the last handle closes it, a memory database
//! is one connection for the whole runtime, a connection runs one statement at a time, ATTACH is denied and PRAGMA is not.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The database with the state of the component.
#[derive(Debug, Clone)]
pub enum Database {
    /// In memory, for as long as the runtime lives.
    Memory,
    /// In this file, which is created with its folders if it does not exist.
    File(PathBuf),
}

/// The databases that the component can open.
#[derive(Clone)]
pub(crate) enum Databases {
    Memory(Connection),
    File(PathBuf),
}

/// An open database: the resource that the component holds.
#[derive(Clone)]
pub struct Connection(Arc<Mutex<rusqlite::Connection>>);

impl Databases {
    pub(crate) fn new(database: &Database) -> anyhow::Result<Self> {
        match database {
            Database::Memory => Ok(Self::Memory(Connection::new(rusqlite::Connection::open_in_memory()?)?)),
            Database::File(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
                }
                Ok(Self::File(path.clone()))
            }
        }
    }

    pub(super) fn open(&self) -> rusqlite::Result<Connection> {
        match self {
            Self::Memory(connection) => Ok(connection.clone()),
            Self::File(path) => Connection::new(rusqlite::Connection::open(path)?),
        }
    }
}

impl Connection {
    fn new(mut connection: rusqlite::Connection) -> rusqlite::Result<Self> {
        // The component can reach no file other than its own.
        connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Attach { .. } => Authorization::Deny,
            _ => Authorization::Allow,
        }))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&rusqlite::Connection) -> R) -> R {
        // A poisoned lock is harmless: a panic between two calls into SQLite leaves nothing half done.
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

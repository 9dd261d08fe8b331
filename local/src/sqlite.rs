//! `spin:sqlite@3.1.0` on the SQLite that rusqlite bundles.
//!
//! As in Spin's own embedded database: `open` opens a file for real and closes it with the last handle, a memory
//! database is one connection for the whole runtime, a connection runs one statement at a time, ATTACH is denied and
//! PRAGMA is not. A failing statement is told by the result that follows the rows, not by `execute` itself: as Spin's
//! streaming implementations do, so that a component which forgets to ask does not pass here and lose errors there.
//!
//! Not supported: the calls that block the instance (`open`, `execute`, …), other databases than `default`,
//! libSQL, a limit on the size of a result (rows are read before the first is handed over).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use wasmtime::component::{Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use crate::bindings::spin::sqlite::sqlite::{Error, Host, HostConnection, HostConnectionWithStore, RowResult, Value};

/// Where the component's state is kept.
#[derive(Debug, Clone)]
pub enum Database {
    /// In memory, for as long as the runtime lives.
    Memory,
    /// In this file, created with its folders when it does not exist.
    File(PathBuf),
}

/// What the component can open.
#[derive(Clone)]
pub(crate) enum Databases {
    Memory(Connection),
    File(PathBuf),
}

/// The resource that the component holds.
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

    fn open(&self) -> rusqlite::Result<Connection> {
        match self {
            Self::Memory(connection) => Ok(connection.clone()),
            Self::File(path) => Connection::new(rusqlite::Connection::open(path)?),
        }
    }
}

impl Connection {
    fn new(mut connection: rusqlite::Connection) -> rusqlite::Result<Self> {
        // Another file than the component's own is out of its reach.
        connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Attach { .. } => Authorization::Deny,
            _ => Authorization::Allow,
        }))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn with<R>(&self, work: impl FnOnce(&rusqlite::Connection) -> R) -> R {
        // A panic between two calls into SQLite leaves nothing half done.
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn execute(&self, statement: &str, parameters: Vec<Value>) -> Answer {
        self.with(|connection| {
            let mut answer = Answer { columns: Vec::new(), rows: Vec::new(), outcome: Ok(()) };
            if let Err(error) = answer.collect(connection, statement, parameters) {
                answer.outcome = Err(Error::Io(error.to_string()));
            }
            answer
        })
    }
}

struct Answer {
    columns: Vec<String>,
    rows: Vec<RowResult>,
    outcome: Result<(), Error>,
}

impl Answer {
    fn collect(
        &mut self,
        connection: &rusqlite::Connection,
        statement: &str,
        parameters: Vec<Value>,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(statement)?;
        self.columns = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters.into_iter().map(to_sql)))?;
        while let Some(row) = rows.next()? {
            let values = (0..self.columns.len())
                .map(|column| from_sql(column, row.get_ref(column)?))
                .collect::<rusqlite::Result<_>>()?;
            self.rows.push(RowResult { values });
        }
        Ok(())
    }
}

fn to_sql(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Integer(integer) => integer.into(),
        Value::Real(real) => real.into(),
        Value::Text(text) => text.into(),
        Value::Blob(blob) => blob.into(),
        Value::Null => rusqlite::types::Value::Null,
    }
}

fn from_sql(column: usize, value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(
            std::str::from_utf8(text).map_err(|error| rusqlite::Error::Utf8Error(column, error))?.to_owned(),
        ),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        ValueRef::Null => Value::Null,
    })
}

/// SQLite blocks; other requests of the instance go on meanwhile.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> wasmtime::Result<R> {
    tokio::task::spawn_blocking(work).await.map_err(wasmtime::Error::new)
}

/// Marks the interface for the linker.
pub(crate) struct Sqlite;

/// What the interface works on.
pub(crate) struct SqliteView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) databases: &'a Databases,
    pub(crate) allowed: bool,
}

impl HasData for Sqlite {
    type Data<'a> = SqliteView<'a>;
}

impl Host for SqliteView<'_> {}

impl HostConnection for SqliteView<'_> {
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        let connection = self.table.delete(connection)?;
        // The last close of a file writes its log back: as slow as a statement.
        tokio::task::spawn_blocking(move || drop(connection));
        Ok(())
    }
}

fn connection<T>(accessor: &Accessor<T, Sqlite>, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(handle)?.clone()))
}

impl<T: 'static> HostConnectionWithStore<T> for Sqlite {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let (databases, allowed) = accessor.with(|mut access| {
            let view = access.get();
            (view.databases.clone(), view.allowed)
        });
        if !allowed || name != "default" {
            return Ok(Err(Error::AccessDenied));
        }
        match blocking(move || databases.open()).await? {
            Ok(connection) => accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?))),
            Err(error) => Ok(Err(Error::Io(error.to_string()))),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<(Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>), Error>> {
        let connection = connection(accessor, &handle)?;
        let Answer { columns, rows, outcome } = blocking(move || connection.execute(&statement, parameters)).await?;
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let outcome = FutureReader::new(&mut access, async { wasmtime::error::Ok(outcome) })?;
            Ok(Ok((columns, rows, outcome)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = connection(accessor, &handle)?;
        blocking(move || connection.with(rusqlite::Connection::last_insert_rowid)).await
    }

    async fn changes_async(accessor: &Accessor<T, Self>, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = connection(accessor, &handle)?;
        blocking(move || connection.with(rusqlite::Connection::changes)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Databases::new(&Database::Memory).unwrap().open().unwrap()
    }

    fn error(answer: Answer) -> String {
        match answer.outcome {
            Err(Error::Io(message)) => message,
            other => panic!("expected an error, got {other:?}"),
        }
    }

    #[test]
    fn every_kind_of_value_comes_back_as_it_went() {
        let values = vec![
            Value::Integer(i64::MIN),
            Value::Real(1.5),
            Value::Text("ünï\0code".to_owned()),
            Value::Blob(vec![0, 255]),
            Value::Null,
        ];
        let sent = format!("{values:?}");
        let answer = memory().execute("SELECT ?1 AS a, ?2, ?3, ?4, ?5", values);
        assert!(answer.outcome.is_ok());
        assert_eq!(answer.columns[0], "a");
        assert_eq!(format!("{:?}", answer.rows[0].values), sent);
    }

    #[test]
    fn rows_before_an_error_are_kept_and_the_error_follows_them() {
        let connection = memory();
        let answer = connection.execute("SELECT 1 UNION ALL SELECT abs(-9223372036854775808)", vec![]);
        assert!(error(answer).contains("integer overflow"));
        assert!(error(connection.execute("SELEC", vec![])).contains("syntax error"));
        assert!(error(connection.execute("SELECT ?", vec![])).contains("parameter"));
        assert!(error(connection.execute("SELECT CAST(x'ff' AS TEXT)", vec![])).contains("utf-8"));
    }

    #[test]
    fn attach_is_denied_and_pragma_is_not() {
        let connection = memory();
        assert!(error(connection.execute("ATTACH 'x.db' AS x", vec![])).contains("not authorized"));
        assert!(connection.execute("PRAGMA user_version = 3", vec![]).outcome.is_ok());
    }

    #[test]
    fn a_memory_database_is_one_for_the_whole_runtime() {
        let databases = Databases::new(&Database::Memory).unwrap();
        databases.open().unwrap().execute("CREATE TABLE t (x)", vec![]);
        assert!(databases.open().unwrap().execute("SELECT * FROM t", vec![]).outcome.is_ok());
    }
}

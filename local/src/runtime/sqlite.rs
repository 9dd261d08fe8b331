//! `spin:sqlite@3.1.0`, on the databases of [`super::database`].
//!
//! A statement runs as in Spin: on a blocking thread that holds the connection from the statement's preparation to its
//! last row. The columns are there before the statement runs, then the rows one by one, then the result. The error of a
//! statement is that result, not the one of `execute` itself, so a component that does not read it fails here as it does
//! there. The row of a `RETURNING` comes before its commit.
//!
//! Not supported: the calls that block the instance (`open`, `execute`, …), databases other than `default`, libSQL, a
//! limit on the size of a row. Text that is not UTF-8 is an error here; there, the connection panics.

use rusqlite::types::ValueRef;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use super::bindings::spin::sqlite::sqlite::{Error, Host, HostConnection, HostConnectionWithStore, RowResult, Value};
use super::database::{Connection, Database, SharedConnection, locked};
use super::meter::Meter;
use super::row_stream::{ROWS_AHEAD, RowStream};

/// What comes of a statement, in this order.
struct Execution {
    columns: oneshot::Receiver<Vec<String>>,
    rows: mpsc::Receiver<RowResult>,
    result: oneshot::Receiver<Result<(), Error>>,
}

/// Starts a statement on a thread of its own.
fn start(connection: SharedConnection, statement: String, parameters: Vec<Value>) -> Execution {
    let (columns_sender, columns) = oneshot::channel();
    let (rows_sender, rows) = mpsc::channel(ROWS_AHEAD);
    let (result_sender, result) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let statement = Statement { text: statement, parameters, columns: columns_sender, rows: rows_sender };
        // An error: the component has dropped the future.
        let _ = result_sender.send(locked(&connection, |connection| statement.run(connection)));
    });
    Execution { columns, rows, result }
}

/// A statement, and where its results go.
struct Statement {
    text: String,
    parameters: Vec<Value>,
    columns: oneshot::Sender<Vec<String>>,
    rows: mpsc::Sender<RowResult>,
}

impl Statement {
    fn run(self, connection: &rusqlite::Connection) -> Result<(), Error> {
        let mut statement = match connection.prepare_cached(&self.text) {
            Ok(statement) => statement,
            Err(error) => {
                let _ = self.columns.send(Vec::new());
                return Err(io(&error));
            }
        };
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let count = columns.len();
        self.columns.send(columns).map_err(|_| Error::Io("column send error".to_owned()))?;
        let parameters = rusqlite::params_from_iter(self.parameters.into_iter().map(to_sql));
        let mut rows = statement.query(parameters).map_err(|error| io(&error))?;
        while let Some(row) = rows.next().map_err(|error| io(&error))? {
            let values = (0..count).map(|column| from_sql(column, row.get_ref(column)?)).collect::<Result<_, _>>();
            let values = values.map_err(|error| io(&error))?;
            self.rows.blocking_send(RowResult { values }).map_err(|_| Error::Io("row send error".to_owned()))?;
        }
        Ok(())
    }
}

fn io(error: &rusqlite::Error) -> Error {
    Error::Io(error.to_string())
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

/// Marks the interface for the linker.
pub(crate) struct Sqlite;

/// The data that the interface works on.
pub(crate) struct SqliteView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) database: &'a Database,
    pub(crate) meter: &'a Option<Meter>,
    pub(crate) allowed: bool,
}

impl HasData for Sqlite {
    type Data<'a> = SqliteView<'a>;
}

impl Host for SqliteView<'_> {}

impl HostConnection for SqliteView<'_> {
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        // The last close of a file writes the log back, on this thread, as in Spin.
        self.table.delete(connection)?;
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
        accessor.with(|mut access| {
            let view = access.get();
            if !view.allowed || name != "default" {
                return Ok(Err(Error::AccessDenied));
            }
            Ok(Ok(view.table.push(Connection::new(view.database.clone(), view.meter.clone()))?))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<(Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>), Error>> {
        let handle = connection(accessor, &handle)?;
        handle.count_statement();
        let connection = match handle.get() {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(io(&error))),
        };
        let Execution { columns, rows, result } = start(connection, statement, parameters);
        let columns = match columns.await {
            Ok(columns) => columns,
            Err(error) => return Ok(Err(Error::Io(error.to_string()))),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, RowStream(rows))?;
            let result = FutureReader::new(&mut access, result)?;
            Ok(Ok((columns, rows, result)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = connection(accessor, &handle)?.get()?;
        Ok(locked(&connection, rusqlite::Connection::last_insert_rowid))
    }

    async fn changes_async(accessor: &Accessor<T, Self>, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = connection(accessor, &handle)?.get()?;
        Ok(locked(&connection, rusqlite::Connection::changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::new(Database::Memory, None)
    }

    /// What a statement came to.
    struct Executed {
        columns: Vec<String>,
        rows: Vec<RowResult>,
        result: Result<(), Error>,
    }

    async fn execute(connection: &Connection, statement: &str, parameters: Vec<Value>) -> Executed {
        let mut execution = start(connection.get().unwrap(), statement.to_owned(), parameters);
        let columns = execution.columns.await.unwrap();
        let mut rows = Vec::new();
        while let Some(row) = execution.rows.recv().await {
            rows.push(row);
        }
        Executed { columns, rows, result: execution.result.await.unwrap() }
    }

    async fn error(connection: &Connection, statement: &str) -> String {
        match execute(connection, statement, vec![]).await.result {
            Err(Error::Io(message)) => message,
            other => panic!("expected an error, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn every_kind_of_value_comes_back_as_it_went() {
        let values = vec![
            Value::Integer(i64::MIN),
            Value::Real(1.5),
            Value::Text("ünï\0code".to_owned()),
            Value::Blob(vec![0, 255]),
            Value::Null,
        ];
        let sent = format!("{values:?}");
        let executed = execute(&memory(), "SELECT ?1 AS a, ?2, ?3, ?4, ?5", values).await;
        assert!(executed.result.is_ok());
        assert_eq!(executed.columns[0], "a");
        assert_eq!(format!("{:?}", executed.rows[0].values), sent);
    }

    #[tokio::test]
    async fn rows_before_an_error_are_kept_and_the_error_follows_them() {
        let connection = memory();
        let overflow = "SELECT 1 AS a UNION ALL SELECT abs(-9223372036854775808)";
        let executed = execute(&connection, overflow, vec![]).await;
        assert_eq!((executed.columns, executed.rows.len()), (vec!["a".to_owned()], 1));
        assert!(error(&connection, overflow).await.contains("integer overflow"));
        assert!(error(&connection, "SELECT ?").await.contains("parameter"));
        assert!(error(&connection, "SELECT CAST(x'ff' AS TEXT)").await.contains("utf-8"));
    }

    #[tokio::test]
    async fn a_statement_that_cannot_be_prepared_has_no_columns_and_an_error_as_its_result() {
        let executed = execute(&memory(), "SELEC", vec![]).await;
        assert!(executed.columns.is_empty() && executed.rows.is_empty());
        assert!(error(&memory(), "SELEC").await.contains("syntax error"));
    }

    #[tokio::test]
    async fn a_statement_holds_the_connection_until_its_last_row_is_taken() {
        let connection = memory();
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n";
        let mut first = start(connection.get().unwrap(), numbers.to_owned(), vec![]);
        assert_eq!((&mut first.columns).await.unwrap(), ["i"]);
        let mut second = start(connection.get().unwrap(), "SELECT 1".to_owned(), vec![]);
        assert!(first.rows.recv().await.is_some());
        assert!(second.columns.try_recv().is_err() && first.result.try_recv().is_err());
        while first.rows.recv().await.is_some() {}
        assert_eq!(second.columns.await.unwrap(), ["1"]);
    }

    #[tokio::test]
    async fn no_file_can_be_attached_and_pragma_is_allowed() {
        let connection = memory();
        assert!(error(&connection, "ATTACH 'x.db' AS x").await.contains("not authorized"));
        assert!(execute(&connection, "ATTACH ':memory:' AS x", vec![]).await.result.is_ok());
        assert!(execute(&connection, "PRAGMA user_version = 3", vec![]).await.result.is_ok());
    }

    #[tokio::test]
    async fn a_memory_database_belongs_to_its_handle_and_a_file_to_all() {
        let folder = tempfile::TempDir::new().unwrap();
        for (database, shared) in [(Database::Memory, false), (Database::File(folder.path().join("t.db")), true)] {
            let (one, other) = (Connection::new(database.clone(), None), Connection::new(database, None));
            assert!(execute(&one, "CREATE TABLE t (x)", vec![]).await.result.is_ok());
            assert!(execute(&one, "SELECT * FROM t", vec![]).await.result.is_ok());
            assert_eq!(execute(&other, "SELECT * FROM t", vec![]).await.result.is_ok(), shared);
        }
    }

    #[tokio::test]
    async fn a_database_is_opened_by_its_first_statement() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("t.db");
        let connection = Connection::new(Database::File(file.clone()), None);
        assert!(!file.exists());
        execute(&connection, "SELECT 1", vec![]).await.result.unwrap();
        assert!(file.exists());
    }
}

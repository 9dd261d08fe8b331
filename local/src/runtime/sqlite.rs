//! `spin:sqlite@3.1.0`, on the databases of [`super::database`].
//!
//! The error of a statement is the result that follows the rows, not the result of `execute` itself: Spin's streaming
//! implementations do the same, so a component that does not read that result fails here as it does there.
//!
//! Not supported: the calls that block the instance (`open`, `execute`, …), databases other than `default`, libSQL, a
//! limit on the size of a result (all rows are read before the first one is handed over).

use rusqlite::types::ValueRef;
use wasmtime::component::{Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use super::bindings::spin::sqlite::sqlite::{Error, Host, HostConnection, HostConnectionWithStore, RowResult, Value};
use super::database::{Connection, Databases};

fn execute(connection: &Connection, statement: &str, parameters: Vec<Value>) -> StatementResult {
    connection.with(|connection| {
        let mut result = StatementResult { columns: Vec::new(), rows: Vec::new(), outcome: Ok(()) };
        if let Err(error) = result.collect(connection, statement, parameters) {
            result.outcome = Err(Error::Io(error.to_string()));
        }
        result
    })
}

/// What a statement returned.
struct StatementResult {
    columns: Vec<String>,
    rows: Vec<RowResult>,
    outcome: Result<(), Error>,
}

impl StatementResult {
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

/// Runs SQLite's blocking calls on another thread, so that other requests of the instance go on.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> wasmtime::Result<R> {
    tokio::task::spawn_blocking(work).await.map_err(wasmtime::Error::new)
}

/// Marks the interface for the linker.
pub(crate) struct Sqlite;

/// The data that the interface works on.
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
        // The last close of a file writes the log back, which is as slow as a statement.
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
        let StatementResult { columns, rows, outcome } =
            blocking(move || execute(&connection, &statement, parameters)).await?;
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
    use super::super::database::Database;
    use super::*;

    fn memory() -> Connection {
        Databases::new(&Database::Memory).unwrap().open().unwrap()
    }

    fn error(result: StatementResult) -> String {
        match result.outcome {
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
        let result = execute(&memory(), "SELECT ?1 AS a, ?2, ?3, ?4, ?5", values);
        assert!(result.outcome.is_ok());
        assert_eq!(result.columns[0], "a");
        assert_eq!(format!("{:?}", result.rows[0].values), sent);
    }

    #[test]
    fn rows_before_an_error_are_kept_and_the_error_follows_them() {
        let connection = memory();
        let result = execute(&connection, "SELECT 1 UNION ALL SELECT abs(-9223372036854775808)", vec![]);
        assert!(error(result).contains("integer overflow"));
        assert!(error(execute(&connection, "SELEC", vec![])).contains("syntax error"));
        assert!(error(execute(&connection, "SELECT ?", vec![])).contains("parameter"));
        assert!(error(execute(&connection, "SELECT CAST(x'ff' AS TEXT)", vec![])).contains("utf-8"));
    }

    #[test]
    fn attach_is_denied_and_pragma_is_not() {
        let connection = memory();
        assert!(error(execute(&connection, "ATTACH 'x.db' AS x", vec![])).contains("not authorized"));
        assert!(execute(&connection, "PRAGMA user_version = 3", vec![]).outcome.is_ok());
    }

    #[test]
    fn a_memory_database_is_one_for_the_whole_runtime() {
        let databases = Databases::new(&Database::Memory).unwrap();
        execute(&databases.open().unwrap(), "CREATE TABLE t (x)", vec![]);
        assert!(execute(&databases.open().unwrap(), "SELECT * FROM t", vec![]).outcome.is_ok());
    }
}

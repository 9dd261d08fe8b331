//! The ledger of the in-memory host: SQLite in memory, or a database of a real PostgreSQL if the variable `LEDGER` is `postgres`.
//!
//! Tests look into it, and write what another gateway could have written, in words that both databases take, with `?1` for a
//! parameter. Each table of theirs has a `rowid`, which says in which order its rows were written: SQLite gives it by itself, and on
//! PostgreSQL it is a column of the tests.

use rusqlite::types::Value as SqlValue;
use starrocks_offboard::host::{DatabaseKind, StoreError, Value};
use starrocks_offboard::ledger::dialect;

use crate::postgres_ledger::PostgresLedger;

/// The variable that chooses the database of the ledger: `postgres`, or SQLite.
pub const LEDGER: &str = "LEDGER";

/// What a statement returns.
pub(crate) type Rows = Result<Vec<Vec<Value>>, StoreError>;

/// Whether this process tests on PostgreSQL.
pub fn is_postgres() -> bool {
    std::env::var(LEDGER).is_ok_and(|store| store == "postgres")
}

/// Returns how many random cases a test takes that takes this many on SQLite: a tenth on PostgreSQL, which the stories meet in other tests
/// as well.
pub fn cases(on_sqlite: u32) -> u32 {
    if is_postgres() { on_sqlite.div_ceil(10) } else { on_sqlite }
}

/// See the module.
pub enum Database {
    /// SQLite, in memory or in a file.
    Sqlite(rusqlite::Connection),
    /// PostgreSQL.
    Postgres(PostgresLedger),
}

impl Database {
    /// An empty one.
    pub fn empty() -> Self {
        if is_postgres() {
            Self::Postgres(PostgresLedger::take())
        } else {
            Self::Sqlite(rusqlite::Connection::open_in_memory().unwrap())
        }
    }

    /// What the operator says of it, so that it can be used.
    pub fn kind(&self) -> DatabaseKind {
        match self {
            Self::Sqlite(_) => DatabaseKind::Trial,
            Self::Postgres(_) => DatabaseKind::Postgres,
        }
    }

    /// SQLite, for a test that is about it alone.
    pub fn sqlite(&self) -> &rusqlite::Connection {
        match self {
            Self::Sqlite(connection) => connection,
            Self::Postgres(_) => panic!("a test about SQLite runs on PostgreSQL"),
        }
    }

    /// Runs a statement of the gateway.
    pub(crate) fn query(&self, statement: &str, parameters: Vec<Value>) -> Rows {
        match self {
            Self::Sqlite(connection) => {
                query_sqlite(connection, statement, parameters).map_err(|error| StoreError::Failed(error.to_string()))
            }
            Self::Postgres(ledger) => ledger.query(&dialect::postgres(statement), parameters),
        }
    }

    /// Runs a statement of a test.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn execute(&self, sql: &str, parameters: &[Value]) {
        self.rows::<Vec<Value>>(sql, parameters);
    }

    /// Returns what a statement of a test returns; nothing before the gateway has made its tables.
    ///
    /// # Panics
    ///
    /// If it fails, or a column has another type.
    pub fn rows<R: Row>(&self, sql: &str, parameters: &[Value]) -> Vec<R> {
        match self.query(sql, parameters.to_vec()) {
            Ok(rows) => rows.into_iter().map(R::read).collect(),
            Err(error) if error.to_string().contains("no such table") => Vec::new(),
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// Returns the first row; `None` if there is none.
    ///
    /// # Panics
    ///
    /// As [`Database::rows`].
    pub fn row<R: Row>(&self, sql: &str, parameters: &[Value]) -> Option<R> {
        self.rows(sql, parameters).into_iter().next()
    }

    /// Returns how many rows of a table fulfil a condition.
    ///
    /// # Panics
    ///
    /// As [`Database::rows`].
    pub fn count(&self, table_where: &str) -> usize {
        let count: Option<i64> = self.row(&format!("SELECT count(*) FROM {table_where}"), &[]);
        usize::try_from(count.unwrap_or_default()).unwrap()
    }
}

fn query_sqlite(
    connection: &rusqlite::Connection,
    statement: &str,
    parameters: Vec<Value>,
) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut prepared = connection.prepare(statement)?;
    let columns = prepared.column_count();
    let parameters = parameters.into_iter().map(|value| match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Text(text) => SqlValue::Text(text),
    });
    let mut rows = prepared.query(rusqlite::params_from_iter(parameters))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|index| match row.get_unwrap::<_, SqlValue>(index) {
            SqlValue::Null => Value::Null,
            SqlValue::Integer(number) => Value::Integer(number),
            SqlValue::Text(text) => Value::Text(text),
            other => panic!("the ledger keeps no {other:?}"),
        });
        read.push(values.collect());
    }
    Ok(read)
}

/// A value of a row, as a test reads it.
pub trait Column {
    /// # Panics
    ///
    /// If it has another type.
    fn read(value: Value) -> Self;
}

impl Column for String {
    fn read(value: Value) -> Self {
        let Value::Text(text) = value else { panic!("{value:?} is no text") };
        text
    }
}

impl Column for i64 {
    fn read(value: Value) -> Self {
        let Value::Integer(number) = value else { panic!("{value:?} is no number") };
        number
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value) -> Self {
        (value != Value::Null).then(|| T::read(value))
    }
}

/// A row, as a test reads it: a column, or some of them.
pub trait Row {
    /// # Panics
    ///
    /// If it has other columns.
    fn read(row: Vec<Value>) -> Self;
}

impl Row for Vec<Value> {
    fn read(row: Vec<Value>) -> Self {
        row
    }
}

impl<T: Column> Row for T {
    fn read(row: Vec<Value>) -> Self {
        let [value] = array(row);
        T::read(value)
    }
}

macro_rules! row {
    ($($column:ident),+) => {
        impl<$($column: Column),+> Row for ($($column,)+) {
            #[allow(non_snake_case, reason = "a value is called as its type is")]
            fn read(row: Vec<Value>) -> Self {
                let [$($column),+] = array(row);
                ($($column::read($column),)+)
            }
        }
    };
}

row!(A, B);
row!(A, B, C);
row!(A, B, C, D);
row!(A, B, C, D, E);
row!(A, B, C, D, E, F, G);

fn array<const N: usize>(row: Vec<Value>) -> [Value; N] {
    row.try_into().unwrap_or_else(|row| panic!("{N} columns are expected: {row:?}"))
}

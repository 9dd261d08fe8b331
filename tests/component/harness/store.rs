//! Where the ledger of a test's gateway is: in a file of SQLite, or in a database of a real PostgreSQL.
//!
//! The suites run on SQLite. Those that are about the ledger run once more in a process of their own with `LEDGER=postgres`
//! ([`support::on_postgres`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::postgres_server::{OWNER, Server, TestDatabase};
use rusqlite::OpenFlags;
use rusqlite::types::Value;
use support::database::is_postgres;
use support::postgres_proxy::PostgresProxy;

use crate::harness::row::Row;

/// See the module.
#[derive(Clone)]
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
}

impl Store {
    /// A new and empty one: a database of PostgreSQL's if this process tests on that, else this file.
    pub(crate) fn new(file: PathBuf) -> Self {
        if is_postgres() { Self::postgres() } else { Self::Sqlite(file) }
    }

    /// A new database on the PostgreSQL of this process.
    pub(crate) fn postgres() -> Self {
        let server = Server::shared().unwrap_or_else(|error| panic!("{error:#}"));
        Self::Postgres(server.create_database().unwrap())
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        self.as_file().expect("the ledger is in a file")
    }

    /// The file, if it is in one.
    pub(crate) fn as_file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Postgres(_) => None,
        }
    }

    /// The Spin variables that lead there, through a proxy if one is given.
    pub(crate) fn variables(&self, proxy: Option<&PostgresProxy>) -> BTreeMap<String, String> {
        let Self::Postgres(database) = self else { return BTreeMap::new() };
        let server = proxy.map_or(database.server(), PostgresProxy::address);
        BTreeMap::from([
            ("ledger".into(), database.address_by(server, OWNER)),
            ("ledger_host".into(), format!("postgres://{server}")),
        ])
    }

    /// Every row, in the order in which they were written; of those of one millisecond PostgreSQL knows only who was last.
    pub(crate) fn rows(&self) -> Vec<Row> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file),
            Self::Postgres(database) => {
                let exists = database.rows("SELECT to_regclass('offboard.removals') AS name").unwrap();
                if exists[0]["name"].is_none() {
                    return Vec::new();
                }
                let rows = database.rows("SELECT * FROM offboard.removals ORDER BY asked_at, ctid").unwrap();
                rows.iter().map(Row::of).collect()
            }
        }
    }

    /// These columns of every row of a table.
    pub(crate) fn columns(&self, table: &str, columns: &[&str]) -> Vec<BTreeMap<String, Option<String>>> {
        let columns = columns.join(", ");
        match self {
            Self::Sqlite(file) => select(file, &format!("SELECT {columns} FROM {table}")),
            Self::Postgres(database) => database.rows(&format!("SELECT {columns} FROM offboard.{table}")).unwrap(),
        }
    }

    /// Runs SQL, as an operator with access could.
    pub(crate) fn tamper(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap(),
            Self::Postgres(database) => drop(database.rows(&format!("SET search_path = offboard; {sql}")).unwrap()),
        }
    }
}

fn sqlite_rows(file: &Path) -> Vec<Row> {
    if !file.exists() {
        return Vec::new();
    }
    let ledger = rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    if !ledger.table_exists(None, "removals").unwrap() {
        // No request has opened the ledger yet.
        return Vec::new();
    }
    select(file, "SELECT * FROM removals ORDER BY rowid").iter().map(Row::of).collect()
}

fn select(file: &Path, statement: &str) -> Vec<BTreeMap<String, Option<String>>> {
    let ledger = rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = ledger.prepare(statement).unwrap();
    let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let value = |name: &String| {
            Ok((
                name.clone(),
                match row.get(name.as_str())? {
                    Value::Null => None,
                    Value::Integer(number) => Some(number.to_string()),
                    Value::Text(text) => Some(text),
                    other => panic!("the ledger keeps no {other:?}"),
                },
            ))
        };
        columns.iter().map(value).collect::<rusqlite::Result<BTreeMap<_, _>>>()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

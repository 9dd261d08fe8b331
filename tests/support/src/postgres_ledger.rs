//! The in-memory host's ledger on a real PostgreSQL.
//!
//! It has a database for itself while it lives. The next one gets that database with empty tables, because the stories use hundreds of
//! ledgers and a database takes a tenth of a second. A statement blocks its thread, as SQLite's do. It is prepared once a connection, and not
//! each time as by Spin: planning is most of its time.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use bytes::BytesMut;
use local::postgres_server::Server;
use starrocks_offboard::host::{StoreError, Value};
use starrocks_offboard::ledger::location::Location;
use starrocks_offboard::ledger::postgres_error::{Effect, effect};
use starrocks_offboard::ledger::schema::{VERSION, postgres_schema};
use starrocks_offboard::secret::Secret;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};

use crate::database::Rows;

/// The tables whose rows stories write.
const TABLES: [&str; 7] = ["removals", "approvals", "tokens", "published_keys", "identities", "brakes", "outbox"];

/// Where connections live: a test's own runtime ends before its ledger is the next test's.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Connections to databases that no host uses.
static FREE: Mutex<Vec<Arc<Connection>>> = Mutex::new(Vec::new());

/// See the module.
pub struct PostgresLedger(Arc<Connection>);

struct Connection {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Connection {
    async fn prepare(&self, statement: &str) -> Result<Statement, tokio_postgres::Error> {
        let prepared = || self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = prepared().get(statement).cloned() {
            return Ok(known);
        }
        let new = self.client.prepare(statement).await?;
        prepared().insert(statement.to_owned(), new.clone());
        Ok(new)
    }
}

impl Drop for PostgresLedger {
    fn drop(&mut self) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(self.0.clone());
    }
}

impl PostgresLedger {
    /// An empty one.
    pub fn take() -> Self {
        loop {
            let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(connection) = free else { return Self(make()) };
            let emptied = TABLES.map(|table| format!("DELETE FROM {table};")).concat()
                + &format!("DELETE FROM ledger WHERE version <> {VERSION}");
            let used = connection.clone();
            // A test may have left it without a table.
            if block_on(async move { used.client.batch_execute(&emptied).await }).is_ok() {
                return Self(connection);
            }
        }
    }

    /// Returns the names of the types of the parameters and of the columns of a statement, as the server has inferred them.
    ///
    /// # Errors
    ///
    /// If it cannot be prepared.
    pub fn types(&self, statement: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let prepared = self.prepare(statement)?;
        let columns = prepared.columns().iter().map(|column| column.type_().to_string());
        Ok((prepared.params().iter().map(Type::to_string).collect(), columns.collect()))
    }

    fn prepare(&self, statement: &str) -> Result<Statement, StoreError> {
        let (connection, text) = (self.0.clone(), statement.to_owned());
        block_on(async move { connection.prepare(&text).await }).map_err(failed)
    }

    /// Runs a statement, in PostgreSQL's words.
    ///
    /// # Panics
    ///
    /// If the server takes a parameter for another type than the one that is sent.
    pub(crate) fn query(&self, statement: &str, parameters: Vec<Value>) -> Rows {
        let parameters: Vec<_> = parameters.into_iter().map(Parameter::of).collect();
        let prepared = self.prepare(statement)?;
        for (number, (parameter, kind)) in parameters.iter().zip(prepared.params()).enumerate() {
            assert!(parameter.fits(kind), "${} is {kind}, and {parameter:?} is sent: {statement}", number + 1);
        }
        let connection = self.0.clone();
        block_on(async move { run(&connection.client, &prepared, &parameters).await })
    }
}

/// Waits for work on the connections' runtime.
fn block_on<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    RUNTIME.spawn(async move { drop(sender.send(work.await)) });
    receiver.recv().expect("the work does not panic")
}

/// A connection to a new database with the ledger's tables, by the options that the gateway's have.
fn make() -> Arc<Connection> {
    let server = Server::shared().unwrap_or_else(|error| panic!("{error:#}"));
    let database = server.create_database().unwrap();
    database.rows(postgres_schema()).unwrap();
    for table in TABLES {
        let order = "ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY";
        database.rows(&format!("ALTER TABLE offboard.{table} {order}")).unwrap();
    }
    let Ok(Location::Postgres(address)) = Location::parse(Secret::new(database.address()).as_ref()) else {
        panic!("`{}` is no address of PostgreSQL", database.address());
    };
    let client = block_on(async move {
        let (client, connection) = tokio_postgres::connect(address.expose(), NoTls).await?;
        // What ends a connection is told to the client.
        tokio::spawn(async move { drop(connection.await) });
        // Many stories share the server and two cores: a slow statement is no answer of theirs.
        client.batch_execute("SET statement_timeout = '60s'").await?;
        Ok::<_, tokio_postgres::Error>(client)
    });
    Arc::new(Connection { client: client.unwrap(), prepared: Mutex::default() })
}

async fn run(client: &Client, prepared: &Statement, parameters: &[Parameter]) -> Rows {
    let parameters: Vec<_> = parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect();
    let rows = client.query(prepared, &parameters).await.map_err(failed)?;
    rows.iter().map(|row| (0..row.len()).map(|index| value(row, index)).collect()).collect()
}

/// What the shell makes of an error.
fn failed(error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(of_server) => {
            let text = format!("{} ({})", of_server.message(), of_server.code().code());
            match effect(of_server.severity(), of_server.code().code()) {
                Effect::None | Effect::Again => StoreError::Failed(text),
                Effect::Unknown => StoreError::Unknown(text),
            }
        }
        None => StoreError::Failed(error.to_string()),
    }
}

/// A parameter, as the shell sends it.
#[derive(Debug)]
struct Parameter(Value);

impl Parameter {
    fn of(value: Value) -> Self {
        Self(match value {
            Value::Text(text) => Value::Text(text.replace('\0', "\u{fffd}")),
            other => other,
        })
    }

    /// Whether Spin's client sends it for a parameter of this type.
    fn fits(&self, kind: &Type) -> bool {
        match self.0 {
            Value::Null => true,
            Value::Integer(_) => <i64 as ToSql>::accepts(kind),
            Value::Text(_) => <String as ToSql>::accepts(kind),
        }
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value, as the shell reads it.
fn value(row: &tokio_postgres::Row, index: usize) -> Result<Value, StoreError> {
    let read = match *row.columns()[index].type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(Value::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(index).map(|number| number.map(i64::from).into()),
        Type::INT2 => row.try_get::<_, Option<i16>>(index).map(|number| number.map(i64::from).into()),
        Type::BOOL => row.try_get::<_, Option<bool>>(index).map(|yes| yes.map(i64::from).into()),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => row.try_get::<_, Option<&str>>(index).map(Value::from),
        ref other => return Err(StoreError::Failed(format!("a column is {other}, which the ledger does not use"))),
    };
    read.map_err(failed)
}

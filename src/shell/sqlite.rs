//! The ledger on `spin:sqlite`: one connection an instance, and statements that are sent again while another writer has the database.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use spin_sdk::sqlite::{Connection, Error as SqliteError, RowResult, Value as SpinValue};

use crate::host::{StoreError, Value};
use crate::shell::pause::pause;

/// Limits SQLite's own wait for another writer, in milliseconds. By default SQLite checks the lock after 1, 2, 5, 10 and up to
/// 100 ms, so the request that has waited longest checks least often, and the connection is held meanwhile. With this limit SQLite
/// gives up after two checks, and the request waits by itself before it sends the statement again.
const SHORT_WAIT: &str = "PRAGMA busy_timeout = 2";

/// How long a request waits at most before it sends a statement again for the first time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(4);

/// How long it waits at most before any later time.
const LONGEST_PAUSE: Duration = Duration::from_millis(12);

/// How long a statement is sent again while another writer has the database: the same time as Spin's default for SQLite's wait.
const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(5);

thread_local! {
    /// The instance's only connection, kept because Spin opens the database for each new one.
    static LEDGER: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

/// How many rows a statement can return.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Most {
    /// After a first row, none is asked for.
    One,
    Any,
}

async fn connection() -> Result<Rc<Connection>, SqliteError> {
    if let Some(open) = LEDGER.with(|ledger| ledger.borrow().clone()) {
        return Ok(open);
    }
    let opened = Rc::new(Connection::open_default().await?);
    // The error is ignored: a database that is not a file may not have the setting, and waits in its own way.
    let _ = execute(&opened, SHORT_WAIT, Vec::new(), Most::Any).await;
    // Another request may have opened one meanwhile, because tasks of a component cannot wait for each other. That one is kept.
    Ok(LEDGER.with(|ledger| Rc::clone(ledger.borrow_mut().get_or_insert(opened))))
}

/// Drops a connection after an error, because the connection may be the cause. The next request opens another.
fn forget(failed: &Rc<Connection>) {
    LEDGER.with(|ledger| ledger.borrow_mut().take_if(|kept| Rc::ptr_eq(kept, failed)));
}

/// Runs a statement. While another writer has the database, it is sent again.
pub(super) async fn run(
    statement: &'static str,
    parameters: Vec<Value>,
    most: Most,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let connection = connection().await.map_err(|error| StoreError::Failed(error.to_string()))?;
    let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
    let (mut busy_since, mut longest) = (None, SHORTEST_PAUSE);
    loop {
        match execute(&connection, statement, parameters.clone(), most).await {
            // The statement had no effect and can be sent again.
            Err(error)
                if is_busy(&error) && busy_since.get_or_insert_with(Instant::now).elapsed() < LONGEST_LOCK_WAIT =>
            {
                pause(longest).await;
                longest = longest.saturating_mul(2).min(LONGEST_PAUSE);
            }
            Err(error) => {
                forget(&connection);
                return Err(StoreError::Failed(error.to_string()));
            }
            Ok(rows) => return rows.into_iter().map(|row| row.values.into_iter().map(value).collect()).collect(),
        }
    }
}

async fn execute(
    connection: &Connection,
    statement: &str,
    parameters: Vec<SpinValue>,
    most: Most,
) -> Result<Vec<RowResult>, SqliteError> {
    let mut answer = connection.execute(statement, parameters).await?;
    if most == Most::Any {
        return answer.collect().await;
    }
    let row = answer.next().await;
    // Only the result says that the row is written.
    answer.result().await.map(|()| row.into_iter().collect())
}

/// Whether another writer had the database during the whole wait. Spin reports no code for this, only SQLite's message.
fn is_busy(error: &SqliteError) -> bool {
    matches!(error, SqliteError::Io(why) if why.contains("database is locked"))
}

fn parameter(value: Value) -> SpinValue {
    match value {
        Value::Null => SpinValue::Null,
        Value::Integer(number) => SpinValue::Integer(number),
        Value::Text(text) => SpinValue::Text(text),
    }
}

fn value(value: SpinValue) -> Result<Value, StoreError> {
    match value {
        SpinValue::Null => Ok(Value::Null),
        SpinValue::Integer(number) => Ok(Value::Integer(number)),
        SpinValue::Text(text) => Ok(Value::Text(text)),
        SpinValue::Real(_) | SpinValue::Blob(_) => {
            Err(StoreError::Failed("a column has a type that the ledger does not use".into()))
        }
    }
}

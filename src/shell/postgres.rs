//! The ledger on `spin:postgres`.
//!
//! A request has one connection while it works and gives it back while it waits for TaurusDB: Spin has 64 for each process, and the
//! one who asks for another waits. Spin hands them out cleaned, and replaces dead ones. No transaction spans two statements: the pool
//! does not roll back, so an open one would be the next request's.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use spin_sdk::pg::{Connection, DbValue, Error as SdkError, ParameterValue, PgError, QueryError};
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::host::{StoreError, Value};
use crate::ledger::dialect;
use crate::ledger::postgres_error::{Effect, effect, effect_of_text};
use crate::secret::Secret;
use crate::shell::pause::pause;

/// How long a connection is waited for. Spin's own limit is for TCP alone.
const LONGEST_OPEN: Duration = Duration::from_secs(5);

/// How long connecting is tried again: a server that restarts is back within this time.
const LONGEST_DOWN: Duration = Duration::from_secs(2);

/// How long a statement may take: somewhat longer than the server's own limit.
const LONGEST_STATEMENT: Duration = Duration::from_secs(8);

/// How long a statement is sent again that a neighbour's kept from being run.
const LONGEST_CONFLICT: Duration = Duration::from_secs(5);

/// How long a request waits at most before it tries again.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The largest part of an error that is logged, in characters: Spin's can have a stack behind it.
const LONGEST_ERROR: usize = 300;

/// A request's connection.
#[derive(Default)]
pub(super) struct Session {
    connection: RefCell<Option<Rc<Connection>>>,
}

impl Session {
    /// Gives the connection back.
    pub(super) fn release(&self) {
        self.connection.take();
    }

    /// Runs a statement.
    pub(super) async fn query(
        &self,
        address: &Secret,
        statement: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let text = dialect::postgres(statement);
        let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
        let began = Instant::now();
        loop {
            let connection = self.open(address).await?;
            let running = execute(&connection, &text, parameters.clone());
            let Some(done) = within(LONGEST_STATEMENT, running).await else {
                self.release();
                return Err(StoreError::Unknown(format!("no answer within {} s", LONGEST_STATEMENT.as_secs())));
            };
            let (effect, why) = match done {
                Ok(rows) => return rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect(),
                Err(error) => judge(&error),
            };
            match effect {
                Effect::Again if began.elapsed() < LONGEST_CONFLICT => pause(LONGEST_PAUSE).await,
                Effect::Again | Effect::None => {
                    self.release();
                    return Err(StoreError::Failed(why));
                }
                Effect::Unknown => {
                    self.release();
                    return Err(StoreError::Unknown(why));
                }
            }
        }
    }

    async fn open(&self, address: &Secret) -> Result<Rc<Connection>, StoreError> {
        if let Some(open) = self.connection.borrow().clone() {
            return Ok(open);
        }
        let began = Instant::now();
        loop {
            match within(LONGEST_OPEN, Connection::open(address.expose())).await {
                Some(Ok(connection)) => {
                    let connection = Rc::new(connection);
                    self.connection.replace(Some(connection.clone()));
                    return Ok(connection);
                }
                Some(Err(_)) if began.elapsed() < LONGEST_DOWN => pause(LONGEST_PAUSE).await,
                Some(Err(error)) => {
                    return Err(StoreError::Failed(format!("no connection: {}", short(&error.to_string()))));
                }
                None => {
                    let seconds = LONGEST_OPEN.as_secs();
                    return Err(StoreError::Failed(format!(
                        "no connection within {seconds} s: the server or the pool is busy"
                    )));
                }
            }
        }
    }
}

async fn execute(
    connection: &Connection,
    text: &str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Vec<DbValue>>, SdkError> {
    let mut answer = connection.query(text, parameters).await?;
    let mut rows = Vec::new();
    while let Some(row) = answer.rows().next().await {
        rows.push(row);
    }
    // Only the result says that the statement is committed.
    answer.result().await.map(|()| rows)
}

/// Waits for work, at most this long.
async fn within<T>(longest: Duration, work: impl Future<Output = T>) -> Option<T> {
    let time = wait_for(u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX));
    match select(pin!(work), pin!(time)).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// What an error says about its statement, and the error for the log.
fn judge(error: &SdkError) -> (Effect, String) {
    match error {
        SdkError::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            (effect(&error.severity, &error.code), short(&format!("{} ({})", error.message, error.code)))
        }
        SdkError::PgError(PgError::QueryFailed(QueryError::Text(text))) => (effect_of_text(text), short(text)),
        SdkError::PgError(PgError::BadParameter(text)) => (Effect::None, short(text)),
        other => (Effect::Unknown, short(&other.to_string())),
    }
}

fn short(error: &str) -> String {
    error.lines().next().unwrap_or_default().chars().take(LONGEST_ERROR).collect()
}

fn parameter(value: Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Integer(number) => ParameterValue::Int64(number),
        // PostgreSQL takes every character but this one.
        Value::Text(text) => ParameterValue::Str(text.replace('\0', "\u{fffd}")),
    }
}

fn value(value: DbValue) -> Result<Value, StoreError> {
    match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Int64(number) => Ok(Value::Integer(number)),
        DbValue::Int32(number) => Ok(Value::Integer(number.into())),
        DbValue::Int16(number) => Ok(Value::Integer(number.into())),
        DbValue::Boolean(yes) => Ok(Value::Integer(yes.into())),
        DbValue::Str(text) => Ok(Value::Text(text)),
        _ => Err(StoreError::Failed("a column has a type that the ledger does not use".into())),
    }
}

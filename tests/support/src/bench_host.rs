//! The core's runtime at its cheapest: SQLite in memory, a cloud that says yes at once, and a note of when the core
//! asked for what.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use local::demo::settings;
use rusqlite::types::Value as SqlValue;
use starrocks_offboard::host::{Answered, DatabaseKind, Host, Limits, LogLabels, SendError, StoreError, Value};
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::secret::Secret;

/// A request as the component's shell hands it on.
pub fn inbound(request: http::Request<Bytes>) -> Inbound {
    let (parts, body) = request.into_parts();
    Inbound {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host: parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    }
}

/// A call of the core's, from when to when.
#[derive(Debug, Clone)]
pub struct Call {
    /// `variable`, the first word of a statement, `send` or `log`.
    pub what: String,
    /// When the call began.
    pub from: Instant,
    /// When it was answered.
    pub to: Instant,
}

/// See the module.
pub struct Native {
    database: rusqlite::Connection,
    random: Cell<u128>,
    /// The clock: it stands still until a benchmark sets it. Requests that are half a minute apart leave the ledger with as
    /// few removals in the last hour as real ones do.
    pub clock: Cell<DateTime<Utc>>,
    began: Instant,
    is_traced: bool,
    labels: RefCell<LogLabels>,
    /// The calls so far, if they are traced.
    pub calls: RefCell<Vec<Call>>,
}

impl Native {
    /// Creates a host with an empty ledger; with `is_traced`, it keeps its calls.
    ///
    /// # Errors
    ///
    /// If SQLite cannot be opened.
    pub fn new(is_traced: bool) -> anyhow::Result<Self> {
        Ok(Self {
            database: rusqlite::Connection::open_in_memory()?,
            random: Cell::new(1),
            clock: Cell::new(SystemTime::now().into()),
            began: Instant::now(),
            is_traced,
            labels: RefCell::default(),
            calls: RefCell::default(),
        })
    }

    fn traced<R>(&self, what: &str, work: impl FnOnce() -> R) -> R {
        if !self.is_traced {
            return work();
        }
        let from = Instant::now();
        let result = work();
        self.calls.borrow_mut().push(Call { what: what.to_owned(), from, to: Instant::now() });
        result
    }

    fn run(&self, statement: &str, parameters: Vec<Value>) -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut prepared = self.database.prepare_cached(statement)?;
        let columns = prepared.column_count();
        let parameters = parameters.into_iter().map(|value| match value {
            Value::Null => SqlValue::Null,
            Value::Integer(number) => SqlValue::Integer(number),
            Value::Text(text) => SqlValue::Text(text),
        });
        let mut rows = prepared.query(rusqlite::params_from_iter(parameters))?;
        let mut read = Vec::new();
        while let Some(row) = rows.next()? {
            let value = |column| {
                Ok(match row.get::<_, SqlValue>(column)? {
                    SqlValue::Integer(number) => Value::Integer(number),
                    SqlValue::Text(text) => Value::Text(text),
                    _ => Value::Null,
                })
            };
            read.push((0..columns).map(value).collect::<rusqlite::Result<_>>()?);
        }
        Ok(read)
    }
}

impl Host for Native {
    fn now(&self) -> DateTime<Utc> {
        self.clock.get()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, _: Duration) {
        // Nothing here takes long enough for a time limit to end.
        std::future::pending::<()>().await;
    }

    fn random(&self) -> u128 {
        self.random.set(self.random.get().wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15).wrapping_add(1));
        self.random.get()
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        self.traced("variable", || {
            let value = settings::VARIABLES.iter().find(|(known, _)| *known == name)?.1;
            Secret::new(value.to_owned())
        })
    }

    async fn file(&self, _: &str) -> Option<String> {
        None
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        Ok(DatabaseKind::Sqlite)
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        let what = statement.split_whitespace().next().unwrap_or_default();
        self.traced(what, || self.run(statement, parameters)).map_err(|error| StoreError::Failed(error.to_string()))
    }

    async fn send(&self, _: http::Request<Bytes>, _: Limits) -> Result<Answered, SendError> {
        self.traced("send", || {
            let mut answer = http::Response::new(Some(Bytes::from_static(b"{\"result\":\"SUCCESS\"}")));
            answer.headers_mut().insert("x-request-id", http::HeaderValue::from_static("7c5bb4e6b2b5a3d4"));
            Ok(answer)
        })
    }

    fn labels(&self) -> &RefCell<LogLabels> {
        &self.labels
    }

    fn write_line(&self, line: &str) {
        self.traced("log", || std::hint::black_box(line).len());
    }
}

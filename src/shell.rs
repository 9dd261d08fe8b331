//! The only file that names Spin: the HTTP entry point, and the [`Host`] implementation that the core runs on.
//!
//! Nothing is decided here. Every request gets a response, because Spin would turn a handler's error into an empty 500.

use std::cell::{Cell, RefCell};
use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_channel::oneshot;
use futures_util::future::{Either, join, select};
use http_body_util::{BodyExt, Full};
use spin_sdk::http::Request;
use spin_sdk::sqlite::{Connection, Error as SqliteError, RowResult, Value as SpinValue};
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;
use spin_sdk::wasip3::spawn;
use spin_sdk::{http_service, variables};

use crate::app::App;
use crate::diagnostic::{Diagnostic, Unusable};
use crate::flow;
use crate::host::{Answered, Host, Limits, SendError, StoreError, Value};
use crate::request::inbound::{BodyError, Inbound};
use crate::secret::Secret;

/// Where spin.toml mounts the operator's files.
const CONFIG: &str = "/config";

/// Limits SQLite's own wait for another writer, in milliseconds. By default SQLite checks the lock after 1, 2, 5, 10 and up to
/// 100 ms, so the request that has waited longest checks least often, and under load some wait a third of a second for a lock
/// that is free every other millisecond. With this limit SQLite gives up after three checks and the statement is sent again.
/// With fewer checks, the processors would be busy with sending statements.
const SHORT_WAIT: &str = "PRAGMA busy_timeout = 8";

/// How long a statement is sent again while another writer has the database: the same time as Spin's default for SQLite's wait.
const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(5);

thread_local! {
    static GATEWAY: Rc<Result<App, Unusable>> = Rc::new(load());
    static STARTED: Instant = Instant::now();
    /// The instance's only connection, kept because Spin opens the database for each new one.
    static LEDGER: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

fn load() -> Result<App, Unusable> {
    let app = read_gateway();
    if let Err(unusable) = &app {
        eprintln!("config: {unusable}");
    }
    app
}

fn read_gateway() -> Result<App, Unusable> {
    let read = |name: &'static str| {
        fs::read_to_string(format!("{CONFIG}/{name}"))
            .map_err(|error| Unusable::new(&[Diagnostic::error(name, None, format!("cannot be read: {error}"))]))
    };
    let (offboard, policy, schema) = (read("offboard.toml")?, read("policy.cedar")?, read("schema.cedarschema")?);
    App::parse(&offboard, &policy, &schema)
}

/// Answers a request. The request's task sends the response as soon as it is known and then finishes its work, such as a
/// follow-up; Spin and the local runtime let it finish.
#[http_service]
async fn handle(request: Request) -> http::Response<Full<Bytes>> {
    let (answer, answered) = oneshot::channel();
    spawn(async move {
        let app = GATEWAY.with(Rc::clone);
        let app = (*app).as_ref().map_err(|unusable| unusable.places.as_str());
        let (inbound, problem) = read(request, |inbound| flow::body_limit(app, inbound)).await;
        let answer = Cell::new(Some(answer));
        // Sending fails if the client has closed the connection; the work goes on.
        let send = |response| drop(answer.take().map(|answer| answer.send(response)));
        send(flow::handle(&Spin, app, inbound, problem, send).await);
    });
    let response = answered.await.unwrap_or_else(|_| {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    response.map(Full::new)
}

async fn read(request: Request, limit: impl FnOnce(&Inbound) -> usize) -> (Inbound, Option<BodyError>) {
    let (parts, mut body) = request.into_parts();
    let host = match parts.uri.authority() {
        Some(authority) => authority.to_string(),
        None => {
            parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        }
    };
    let inbound = Inbound {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host,
        headers: parts.headers,
        body: Bytes::new(),
    };
    let limit = limit(&inbound);
    let mut bytes = BytesMut::new();
    let problem = loop {
        match body.frame().await {
            None => break None,
            Some(Err(_)) => break Some(BodyError::CutShort),
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                if bytes.len().saturating_add(data.len()) > limit {
                    break Some(BodyError::TooLarge(limit));
                }
                bytes.extend_from_slice(data);
            }
        }
    };
    (Inbound { body: bytes.freeze(), ..inbound }, problem)
}

/// The core's runtime, on Spin.
struct Spin;

impl Host for Spin {
    fn now(&self) -> DateTime<Utc> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
    }

    fn random(&self) -> u128 {
        use spin_sdk::wasip3::random::random::get_random_u64;
        (u128::from(get_random_u64()) << 64) | u128::from(get_random_u64())
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        match variables::get(name).await {
            Ok(value) => Secret::new(value),
            Err(error) => {
                eprintln!("variable `{name}` cannot be read: {error}");
                None
            }
        }
    }

    fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(format!("{CONFIG}/{name}")).ok()
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        let connection = connection().await.map_err(|error| StoreError(error.to_string()))?;
        let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
        let began = Instant::now();
        loop {
            match execute(&connection, statement, parameters.clone()).await {
                // The statement had no effect and can be sent again; SQLite has already waited.
                Err(error) if is_busy(&error) && began.elapsed() < LONGEST_LOCK_WAIT => {}
                Err(error) => {
                    forget(&connection);
                    return Err(StoreError(error.to_string()));
                }
                Ok(rows) => return rows.into_iter().map(|row| row.values.into_iter().map(value).collect()).collect(),
            }
        }
    }

    fn elapsed(&self) -> Duration {
        STARTED.with(Instant::elapsed)
    }

    async fn sleep(&self, duration: Duration) {
        wait_for(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).await;
    }

    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        let call = pin!(call(request, limits));
        let time_limit = pin!(self.sleep(limits.call));
        match select(call, time_limit).await {
            Either::Left((answered, _)) => answered,
            Either::Right(_) => Err(SendError::CallTimedOut(format!("not within {} ms", limits.call.as_millis()))),
        }
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

async fn connection() -> Result<Rc<Connection>, SqliteError> {
    if let Some(open) = LEDGER.with(|ledger| ledger.borrow().clone()) {
        return Ok(open);
    }
    let opened = Rc::new(Connection::open_default().await?);
    // The error is ignored: a database that is not a file may not have the setting, and waits in its own way.
    let _ = execute(&opened, SHORT_WAIT, Vec::new()).await;
    // Another request may have opened one meanwhile, because tasks of a component cannot wait for each other. That one is kept.
    Ok(LEDGER.with(|ledger| Rc::clone(ledger.borrow_mut().get_or_insert(opened))))
}

/// Drops a connection after an error, because the connection may be the cause. The next request opens another.
fn forget(failed: &Rc<Connection>) {
    LEDGER.with(|ledger| ledger.borrow_mut().take_if(|kept| Rc::ptr_eq(kept, failed)));
}

async fn execute(
    connection: &Connection,
    statement: &str,
    parameters: Vec<SpinValue>,
) -> Result<Vec<RowResult>, SqliteError> {
    connection.execute(statement, parameters).await?.collect().await
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
            Err(StoreError("a column has a type that the ledger does not use".into()))
        }
    }
}

async fn call(request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
    let options = RequestOptions::new();
    let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
    // A runtime that does not support a limit reports it here; `Host::send` enforces the limit of the whole call.
    for limited in [
        options.set_connect_timeout(nanoseconds(limits.connect)),
        options.set_first_byte_timeout(nanoseconds(limits.first_byte)),
        options.set_between_bytes_timeout(nanoseconds(limits.call)),
    ] {
        if limited.is_err() {
            eprintln!("the runtime does not take a time limit");
        }
    }
    let mut request = request.map(Full::new);
    request.extensions_mut().insert(RequestOptionsExtension(options));
    let (response, ()) = join(spin_sdk::http::send(request), poll_again()).await;
    let response = response.map_err(|code| failure(&code))?;
    let (parts, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    let whole = loop {
        match body.frame().await {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                if bytes.len().saturating_add(data.len()) > limits.answer {
                    break false;
                }
                bytes.extend_from_slice(data);
            }
        }
    };
    Ok(http::Response::from_parts(parts, whole.then(|| bytes.freeze())))
}

/// Makes the executor poll the task once more. The body is sent by a task of its own, which wit-bindgen's executor does not poll
/// until an event wakes it. If only the request's task was polled, the next event would be the answer or a time limit.
async fn poll_again() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Returns the kind of an error from the runtime. An error that does not prove that nothing was sent counts as sent.
fn failure(code: &ErrorCode) -> SendError {
    let text = format!("{code:?}");
    match code {
        ErrorCode::DnsTimeout | ErrorCode::ConnectionTimeout => SendError::ConnectTimedOut(text),
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError => SendError::NotSent(text),
        ErrorCode::DestinationIpProhibited
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid => SendError::NotAllowed(text),
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            SendError::FirstByteTimedOut(text)
        }
        _ => SendError::Broken(text),
    }
}

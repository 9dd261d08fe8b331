//! The simulated TaurusDB: a real HTTP server with the accounts of StarRocks instances in memory, for development and
//! tests.
//!
//! # Documented
//!
//! From the API page "Deleting a Database Account of a StarRocks Instance" (2025-07-29): the path, the forms of project
//! id and instance id, the mandatory `user_name`, `X-Language` with its two values, 200 `{"result":"SUCCESS"}`, and
//! `{"error_code":"…","error_msg":"…"}` with 400.
//!
//! # Seen
//!
//! In the official SDKs, the Terraform provider and other pages of the vendor's:
//! - the plural path, and no other: the page's own example writes the singular, which gets 404 APIGW.0101 here;
//! - SDK-HMAC-SHA256 with a clock skew of 15 minutes either way, and `X-Security-Token` of temporary keys, signed;
//! - the codes DBS.280404 (instance id), DBS.280292 (user name), DBS.280001 (parameter), DBS.200002 (no such instance),
//!   APIGW.0101, APIGW.0301, and the wording of the latter, with a `request_id` in the body;
//! - the list call with its limits, and `X-Request-Id` on every answer.
//!
//! # Inferred
//!
//! Nobody wrote it down, so a client should not lean on it:
//! - 400 DBS.200824 for an account that is not there;
//! - 403 DBS.200819 for a reserved account. It also raises an alarm, `Simulator::alarms`;
//! - which names are too strange to be looked up: here those not made of 1 to 64 visible ASCII characters;
//! - 404 DBS.200002 for an instance of another project;
//! - the list's `user_name` filter finds parts of names, `limit` is 100 and `offset` 0 when left out;
//! - a Chinese `error_msg` for DBS codes only, and all of its wording;
//! - the order of checks: path, authentication, ids, the rest.
//!
//! # Not simulated
//!
//! TLS, IAM, creating and changing accounts, permissions of a key, the lock after five failed signatures, throttling.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starrocks_offboard::taurusdb::sign::{self, Message};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

const AUTH_TOKEN: &str = "x-auth-token";
const LANGUAGE: &str = "x-language";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SECURITY_TOKEN: &str = "x-security-token";

/// Seconds that a signature's date may differ from the clock, either way.
const CLOCK_SKEW: u64 = 15 * 60;

/// Deleting one of these breaks an instance.
const RESERVED: [&str; 3] = ["root", "rdsAdmin", "rdsMetric"];

/// What the demonstration works on. The keys open nothing but this simulation.
pub mod demo {
    /// The project of the API page's example.
    pub const PROJECT_ID: &str = "23a50154cf494ec9ad6883979a12db0a";
    /// A StarRocks instance.
    pub const INSTANCE_ID: &str = "54e42160670e48e789af7075e1efea1fin17";
    /// The id of a permanent access key.
    pub const ACCESS_KEY: &str = "HPUADEMOACCESSKEY00";
    /// Its secret key.
    pub const SECRET_KEY: &str = "demo-secret-key";
    /// A token that is accepted in `X-Auth-Token`.
    pub const TOKEN: &str = "demo-token";
    /// The accounts at the start, the reserved ones included.
    pub const ACCOUNTS: [&str; 10] =
        ["alice", "bob", "carol", "dave", "etl_loader", "report_reader", "user_test", "root", "rdsAdmin", "rdsMetric"];
}

/// What a simulated TaurusDB knows, and where it listens.
///
/// There is no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The instances at the start.
    pub instances: Vec<SimulatedInstance>,
    /// The keys whose signatures are accepted.
    pub access_keys: Vec<AccessKey>,
    /// The tokens that are accepted in `X-Auth-Token`.
    pub tokens: Vec<String>,
    /// The clock that signatures are judged by.
    pub clock: fn() -> SystemTime,
}

impl SimulatorOptions {
    /// The data of [`demo`], on a free port.
    pub fn demo() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            instances: vec![SimulatedInstance {
                project_id: demo::PROJECT_ID.to_owned(),
                instance_id: demo::INSTANCE_ID.to_owned(),
                accounts: demo::ACCOUNTS.map(str::to_owned).into(),
            }],
            access_keys: vec![AccessKey {
                id: demo::ACCESS_KEY.to_owned(),
                secret: demo::SECRET_KEY.to_owned(),
                security_token: None,
            }],
            tokens: vec![demo::TOKEN.to_owned()],
            clock: SystemTime::now,
        }
    }
}

/// A StarRocks instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedInstance {
    /// 32 letters and digits.
    pub project_id: String,
    /// 36 letters and digits.
    pub instance_id: String,
    /// The names of its accounts.
    pub accounts: BTreeSet<String>,
}

/// An access key.
///
/// There is no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct AccessKey {
    /// Its id, which is sent.
    pub id: String,
    /// Its secret key, which signs.
    pub secret: String,
    /// A temporary key's token, which has to be sent and signed as `X-Security-Token`. A permanent key has none.
    pub security_token: Option<String>,
}

/// A request that reached the simulation.
///
/// Tokens and signatures are here for tests to look at, and are left out of `Debug` and `Display`.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The path and the query, as they were on the wire.
    pub path_and_query: String,
    /// The headers, `Host` included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The `X-Request-Id` it got.
    pub request_id: String,
    /// The status it got; `None` while it waits, and when the answer was [`Answer::Raw`].
    pub status: Option<StatusCode>,
}

/// The request as HTTP/1.1 writes it, without its body.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path_and_query)?;
        for (name, value) in &self.headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            match sign::parse_authorization(&text) {
                Ok(parts) if name == AUTHORIZATION => {
                    let names = parts.signed_headers.join(";");
                    write!(
                        f,
                        "\n{name}: SDK-HMAC-SHA256 Access={}, SignedHeaders={names}, Signature=(hidden)",
                        parts.access
                    )?;
                }
                _ if value.is_sensitive() => write!(f, "\n{name}: (hidden)")?,
                _ => write!(f, "\n{name}: {text}")?,
            }
        }
        Ok(())
    }
}

/// What a test has the simulation answer instead of what it would.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An HTTP answer. `Content-Length` is added, and `X-Request-Id` unless it is there.
    Http(Response<Bytes>),
    /// These bytes, as they are; then the connection is closed.
    Raw(Bytes),
}

impl Answer {
    /// An HTTP answer with a body of this type.
    pub fn http(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self::Http(response)
    }

    /// An answer that promises more than it holds, and then the end of the connection.
    pub fn cut_short(status: StatusCode, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            body.len() + 1000,
        );
        Self::Raw([head.as_bytes(), body].concat().into())
    }

    /// The end of the connection, without a byte.
    pub fn hang_up() -> Self {
        Self::Raw(Bytes::new())
    }
}

/// A running simulation. It stops when this is dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl Simulator {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn start(options: SimulatorOptions) -> anyhow::Result<Self> {
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `taurusdb_endpoint` wants it: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// The accounts an instance has now; none when there is no such instance.
    pub fn accounts(&self, instance_id: &str) -> BTreeSet<String> {
        let state = self.shared.state();
        let instance = state.instances.iter().find(|instance| instance.instance_id == instance_id);
        instance.map(|instance| instance.accounts.clone()).unwrap_or_default()
    }

    /// Adds an account to an instance; `false` when it was there, or when there is no such instance.
    pub fn add_account(&self, instance_id: &str, user_name: &str) -> bool {
        let mut state = self.shared.state();
        let instance = state.instances.iter_mut().find(|instance| instance.instance_id == instance_id);
        instance.is_some_and(|instance| instance.accounts.insert(user_name.to_owned()))
    }

    /// What must never happen and did, in words: somebody asked to delete a reserved account.
    pub fn alarms(&self) -> Vec<String> {
        self.shared.state().alarms.clone()
    }

    /// The next request that is not spoken for gets this answer, and has no effect.
    pub fn on_next(&self, answer: Answer) {
        self.shared.state().planned.push_back(Planned { answer, has_effect: false });
    }

    /// The next request that is not spoken for has its effect, and then gets this answer.
    pub fn on_next_after_effect(&self, answer: Answer) {
        self.shared.state().planned.push_back(Planned { answer, has_effect: true });
    }

    /// From now on requests are received, and then wait until the [`Hold`] is dropped.
    pub fn hold(&self) -> Hold {
        self.shared.holds.send_modify(|holds| *holds += 1);
        Hold { shared: self.shared.clone() }
    }

    /// Waits until this many requests, since the start, have had their effect: also those whose client has left.
    pub async fn finished(&self, count: usize) {
        wait_for(&self.shared.finished, |finished| *finished >= count).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Keeps requests waiting, until it is dropped.
#[must_use = "requests wait only as long as this lives"]
pub struct Hold {
    shared: Arc<Shared>,
}

impl Hold {
    /// Waits until this many requests wait.
    pub async fn waiting(&self, count: usize) {
        wait_for(&self.shared.waiting, |waiting| *waiting >= count).await;
    }

    /// Lets them go on.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shared.holds.send_modify(|holds| *holds -= 1);
    }
}

/// The sender is alive as long as this borrows it, so that waiting cannot fail.
async fn wait_for(watched: &watch::Sender<usize>, condition: impl FnMut(&usize) -> bool) {
    let _ = watched.subscribe().wait_for(condition).await;
}

struct Shared {
    access_keys: Vec<AccessKey>,
    tokens: Vec<String>,
    clock: fn() -> SystemTime,
    state: Mutex<State>,
    started: SystemTime,
    request_count: AtomicU64,
    holds: watch::Sender<usize>,
    waiting: watch::Sender<usize>,
    finished: watch::Sender<usize>,
}

struct State {
    instances: Vec<SimulatedInstance>,
    seen: Vec<Seen>,
    planned: VecDeque<Planned>,
    alarms: Vec<String>,
}

struct Planned {
    answer: Answer,
    has_effect: bool,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, it ends the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // What can fail is the client's connection, not the listener: the next one may do better.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, shared.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    // Only speed: without it, small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = shared.clone();
        Box::pin(async move { shared.exchange(request).await })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;

    // hyper writes nothing when a service fails, so a raw answer travels as the service's error, and is written here.
    let error = ended.err();
    let source = error.as_ref().and_then(std::error::Error::source);
    if let Some(Cut::Raw(bytes)) = source.and_then(|source| source.downcast_ref()) {
        let mut stream = connection.into_parts().io.into_inner();
        // The client may have left.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
    }
}

/// Why a request gets no HTTP answer.
#[derive(Debug)]
enum Cut {
    Raw(Bytes),
    BodyBrokeOff,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw(_) => "a raw answer",
            Self::BodyBrokeOff => "the request's body broke off",
        })
    }
}

impl std::error::Error for Cut {}

impl Shared {
    fn new(options: SimulatorOptions) -> Self {
        Self {
            access_keys: options.access_keys,
            tokens: options.tokens,
            clock: options.clock,
            state: Mutex::new(State {
                instances: options.instances,
                seen: Vec::new(),
                planned: VecDeque::new(),
                alarms: Vec::new(),
            }),
            started: SystemTime::now(),
            request_count: AtomicU64::new(0),
            holds: watch::Sender::new(0),
            waiting: watch::Sender::new(0),
            finished: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unique over all requests, also of other simulations.
    fn next_request_id(&self) -> String {
        let number = self.request_count.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{:?} {} {number}", self.started, std::process::id());
        let mut id = hex::encode(Sha256::digest(unique));
        id.truncate(32);
        id
    }

    async fn exchange(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut::BodyBrokeOff)?.to_bytes();
        for (name, value) in head.headers.iter_mut() {
            let is_secret = [AUTHORIZATION.as_str(), AUTH_TOKEN, SECURITY_TOKEN].contains(&name.as_str());
            value.set_sensitive(is_secret);
        }
        let seen = Seen {
            method: head.method,
            path_and_query: head.uri.path_and_query().map_or("*", |path| path.as_str()).to_owned(),
            headers: head.headers,
            body,
            request_id: self.next_request_id(),
            status: None,
        };
        // A task of its own: like the real one, it goes on when its client has left.
        let answer = tokio::spawn(self.answer(seen)).await;
        match answer.map_err(|_| Cut::Raw(Bytes::new()))? {
            Answer::Http(response) => Ok(response.map(Full::new)),
            Answer::Raw(bytes) => Err(Cut::Raw(bytes)),
        }
    }

    async fn answer(self: Arc<Self>, request: Seen) -> Answer {
        let (number, planned) = {
            let mut state = self.state();
            state.seen.push(request.clone());
            (state.seen.len() - 1, state.planned.pop_front())
        };

        self.waiting.send_modify(|waiting| *waiting += 1);
        wait_for(&self.holds, |holds| *holds == 0).await;
        self.waiting.send_modify(|waiting| *waiting -= 1);

        let usual = match &planned {
            Some(Planned { has_effect: false, .. }) => None,
            _ => Some(self.usual_answer(&request)),
        };
        let mut answer = match (planned, usual) {
            (Some(planned), _) => planned.answer,
            (None, Some(response)) => Answer::Http(response),
            (None, None) => Answer::hang_up(),
        };
        if let Answer::Http(response) = &mut answer {
            let id = HeaderValue::from_str(&request.request_id).expect("hexadecimal digits");
            response.headers_mut().entry(REQUEST_ID).or_insert(id);
            self.state().seen[number].status = Some(response.status());
        }
        self.finished.send_modify(|finished| *finished += 1);
        answer
    }

    /// What the documented API would say, and do.
    fn usual_answer(&self, request: &Seen) -> Response<Bytes> {
        let (status, body) = match self.call(request) {
            Ok(body) => (StatusCode::OK, body),
            Err(refusal) => refusal.render(request),
        };
        let mut response = Response::new(body.to_string().into());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn call(&self, request: &Seen) -> Result<Value, Refusal> {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let segments: Vec<&str> = path.split('/').collect();
        let ["", "v3", project_id, "instances", instance_id, "starrocks", "users"] = segments[..] else {
            return Err(Refusal::NoSuchApi);
        };
        if ![Method::DELETE, Method::GET].contains(&request.method) {
            return Err(Refusal::NoSuchApi);
        }

        self.authenticate(request, path, query)?;

        if !is_alphanumeric(project_id, 32) {
            return Err(Refusal::BadParameter("project_id"));
        }
        if !is_alphanumeric(instance_id, 36) {
            return Err(Refusal::BadInstanceId);
        }
        let mut state = self.state();
        let state = &mut *state;
        let instance = state
            .instances
            .iter_mut()
            .find(|instance| instance.project_id == project_id && instance.instance_id == instance_id)
            .ok_or(Refusal::NoSuchInstance)?;
        let parameters = parameters(query)?;
        if request.method == Method::DELETE {
            delete(instance, &parameters, &mut state.alarms)
        } else {
            list(instance, &parameters)
        }
    }

    fn authenticate(&self, request: &Seen, path: &str, query: &str) -> Result<(), Refusal> {
        let header = |name: &str| {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| !value.is_empty())
        };
        let wrong = |why: &dyn fmt::Display| Refusal::Unauthenticated(format!("verify aksk signature fail, {why}"));

        let Some(authorization) = header(AUTHORIZATION.as_str()) else {
            return match header(AUTH_TOKEN) {
                Some(token) if self.tokens.iter().any(|known| known == token) => Ok(()),
                Some(_) => Err(Refusal::Unauthenticated("decrypt token fail".to_owned())),
                None => Err(Refusal::Unauthenticated("x-auth-token not found".to_owned())),
            };
        };
        let authorization = sign::parse_authorization(authorization).map_err(|error| wrong(&error))?;
        let key = self.access_keys.iter().find(|key| key.id == authorization.access).ok_or_else(|| {
            let id = authorization.access;
            Refusal::Unauthenticated(format!("Get secretKey failed,ak:{id},err:ak not exist"))
        })?;
        let message = Message {
            method: request.method.as_str(),
            path,
            query,
            headers: &request.headers,
            host: header(HOST.as_str()).unwrap_or_default(),
            body: &request.body,
        };
        let verified = sign::verify(&message, &authorization, key.secret.as_bytes()).map_err(|error| wrong(&error))?;

        let now = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if verified.date.timestamp().abs_diff(now.cast_signed()) > CLOCK_SKEW {
            return Err(wrong(&"the date is more than 15 minutes away"));
        }
        let is_signed = authorization.signed_headers.contains(&SECURITY_TOKEN);
        match (&key.security_token, header(SECURITY_TOKEN)) {
            (None, None) => Ok(()),
            (Some(expected), Some(token)) if token == expected && is_signed => Ok(()),
            _ => Err(wrong(&"the security token is not that of the access key, or not signed")),
        }
    }
}

fn delete(
    instance: &mut SimulatedInstance,
    parameters: &BTreeMap<String, String>,
    alarms: &mut Vec<String>,
) -> Result<Value, Refusal> {
    let user_name = parameters.get("user_name").ok_or(Refusal::BadUserName)?;
    if !(1..=64).contains(&user_name.len()) || !user_name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::BadUserName);
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(user_name)) {
        let alarm = format!("asked to delete the reserved account `{user_name}` of {}", instance.instance_id);
        eprintln!("simulated TaurusDB: ALARM: {alarm}");
        alarms.push(alarm);
        return Err(Refusal::Reserved);
    }
    if !instance.accounts.remove(user_name) {
        return Err(Refusal::NoSuchAccount);
    }
    Ok(json!({ "result": "SUCCESS" }))
}

fn list(instance: &SimulatedInstance, parameters: &BTreeMap<String, String>) -> Result<Value, Refusal> {
    let number = |name: &'static str, default: usize, allowed: std::ops::RangeInclusive<usize>| {
        let value = parameters.get(name).map_or(Ok(default), |text| text.parse());
        value.ok().filter(|value| allowed.contains(value)).ok_or(Refusal::BadParameter(name))
    };
    let limit = number("limit", 100, 1..=100)?;
    let offset = number("offset", 0, 0..=usize::MAX)?;
    let part = parameters.get("user_name").map_or("", String::as_str);

    let found: Vec<&String> = instance.accounts.iter().filter(|name| name.contains(part)).collect();
    let details: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|name| json!({ "user_name": name, "data_bases": [], "dml": 0, "ddl": 0 }))
        .collect();
    Ok(json!({ "user_details": details, "total_count": found.len() }))
}

fn parameters(query: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let malformed = || Refusal::BadParameter("query");
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(malformed)?;
        if parameters.insert(name, decode(value).ok_or_else(malformed)?).is_some() {
            return Err(malformed());
        }
    }
    Ok(parameters)
}

/// Undoes percent-encoding. Written here once more, so that the component is not judged by its own decoder.
fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn is_alphanumeric(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

enum Refusal {
    NoSuchApi,
    Unauthenticated(String),
    BadParameter(&'static str),
    BadInstanceId,
    BadUserName,
    NoSuchInstance,
    NoSuchAccount,
    Reserved,
}

impl Refusal {
    fn render(&self, request: &Seen) -> (StatusCode, Value) {
        let (status, code, english, chinese) = match self {
            Self::NoSuchApi => (
                StatusCode::NOT_FOUND,
                "APIGW.0101",
                "The API does not exist or has not been published in the environment.".to_owned(),
                None,
            ),
            Self::Unauthenticated(why) => (
                StatusCode::UNAUTHORIZED,
                "APIGW.0301",
                format!("Incorrect IAM authentication information: {why}"),
                None,
            ),
            Self::BadParameter(name) => (
                StatusCode::BAD_REQUEST,
                "DBS.280001",
                format!("Parameter error: {name}."),
                Some(format!("参数错误：{name}。")),
            ),
            Self::BadInstanceId => (
                StatusCode::BAD_REQUEST,
                "DBS.280404",
                "Invalid instance ID.".to_owned(),
                Some("实例ID无效。".to_owned()),
            ),
            Self::BadUserName => (
                StatusCode::BAD_REQUEST,
                "DBS.280292",
                "Invalid database account name.".to_owned(),
                Some("数据库账户名无效。".to_owned()),
            ),
            Self::NoSuchInstance => (
                StatusCode::NOT_FOUND,
                "DBS.200002",
                "The DB instance does not exist.".to_owned(),
                Some("数据库实例不存在。".to_owned()),
            ),
            Self::NoSuchAccount => (
                StatusCode::BAD_REQUEST,
                "DBS.200824",
                "The database account does not exist.".to_owned(),
                Some("数据库账户不存在。".to_owned()),
            ),
            Self::Reserved => (
                StatusCode::FORBIDDEN,
                "DBS.200819",
                "The operation is not allowed for this database account.".to_owned(),
                Some("不允许对该数据库账户执行此操作。".to_owned()),
            ),
        };
        // A gateway in front of TaurusDB answers in English only, and names the request in the body.
        let from_gateway = chinese.is_none();
        let wants_chinese = request.headers.get(LANGUAGE).is_some_and(|language| language == "zh-cn");
        let text = chinese.filter(|_| wants_chinese).unwrap_or(english);
        let mut body = json!({ "error_code": code, "error_msg": text });
        if from_gateway {
            body["request_id"] = json!(request.request_id);
        }
        (status, body)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::send;

    const DATE: &str = "20260115T083000Z";
    const USERS: &str =
        "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";

    /// 2026-01-15T08:30:00Z
    fn half_past_eight() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_768_465_800)
    }

    async fn start() -> Simulator {
        start_with(|_| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
        let mut options = SimulatorOptions { clock: half_past_eight, ..SimulatorOptions::demo() };
        change(&mut options);
        Simulator::start(options).await.unwrap()
    }

    /// How a request is signed, where it differs from how it should be.
    struct Signing<'a> {
        access_key: &'a str,
        secret_key: &'a str,
        date: &'a str,
        signed: &'a [(&'static str, &'a str)],
        unsigned: &'a [(&'static str, &'a str)],
    }

    impl Default for Signing<'_> {
        fn default() -> Self {
            let (access_key, secret_key) = (demo::ACCESS_KEY, demo::SECRET_KEY);
            Self { access_key, secret_key, date: DATE, signed: &[], unsigned: &[] }
        }
    }

    impl Signing<'_> {
        fn request(&self, simulator: &Simulator, method: Method, path_and_query: &str) -> Request<Bytes> {
            let mut headers = HeaderMap::new();
            headers.insert(sign::SDK_DATE, self.date.parse().unwrap());
            for &(name, value) in self.signed {
                headers.append(name, value.parse().unwrap());
            }
            let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
            let host = simulator.address().to_string();
            let message = Message { method: method.as_str(), path, query, headers: &headers, host: &host, body: b"" };
            let authorization = sign::sign(&message, self.access_key, self.secret_key.as_bytes(), self.date).unwrap();
            headers.insert(AUTHORIZATION, authorization.parse().unwrap());
            for &(name, value) in self.unsigned {
                headers.append(name, value.parse().unwrap());
            }
            let mut request = Request::new(Bytes::new());
            *request.method_mut() = method;
            *request.uri_mut() = path_and_query.parse().unwrap();
            *request.headers_mut() = headers;
            request
        }
    }

    fn delete_request(simulator: &Simulator, user_name: &str) -> Request<Bytes> {
        Signing::default().request(simulator, Method::DELETE, &format!("{USERS}?user_name={user_name}"))
    }

    async fn delete(simulator: &Simulator, user_name: &str) -> Response<Bytes> {
        send(simulator.address(), delete_request(simulator, user_name)).await.unwrap()
    }

    fn with_headers(method: Method, path_and_query: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
        let mut request = Request::builder().method(method).uri(path_and_query);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Bytes::new()).unwrap()
    }

    fn body(response: &Response<Bytes>) -> Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    /// The status and the error code, in one line.
    fn said(response: &Response<Bytes>) -> String {
        let body = body(response);
        let said = body["error_code"].as_str().or(body["result"].as_str()).unwrap_or_default();
        format!("{} {said}", response.status().as_u16())
    }

    #[tokio::test]
    async fn an_account_is_deleted_once() {
        let simulator = start().await;
        let response = delete(&simulator, "alice").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body(), r#"{"result":"SUCCESS"}"#);
        assert_eq!(response.headers()["content-length"], "20");
        assert!(!simulator.accounts(demo::INSTANCE_ID).contains("alice"));
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len() - 1);

        assert_eq!(said(&delete(&simulator, "alice").await), "400 DBS.200824");
        assert!(simulator.add_account(demo::INSTANCE_ID, "alice"));
        assert!(!simulator.add_account(demo::INSTANCE_ID, "alice"));
        assert_eq!(said(&delete(&simulator, "alice").await), "200 SUCCESS");

        let requests = simulator.requests();
        let statuses: Vec<_> = requests.iter().map(|seen| seen.status.unwrap().as_u16()).collect();
        assert_eq!(statuses, [200, 400, 200]);
        assert_eq!(requests[0].method, Method::DELETE);
        assert_eq!(requests[0].path_and_query, format!("{USERS}?user_name=alice"));
        assert_eq!(response.headers()[REQUEST_ID], requests[0].request_id.as_str());
        let ids: BTreeSet<_> = requests.iter().map(|seen| &seen.request_id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[tokio::test]
    async fn refusals() {
        let simulator = start().await;
        let before = simulator.accounts(demo::INSTANCE_ID);
        let (project, instance) = (demo::PROJECT_ID, demo::INSTANCE_ID);
        for (path_and_query, expected) in [
            (format!("{USERS}?user_name=nobody"), "400 DBS.200824"),
            (format!("{USERS}?user_name=Alice"), "400 DBS.200824"),
            (USERS.to_owned(), "400 DBS.280292"),
            (format!("{USERS}?user_name="), "400 DBS.280292"),
            (format!("{USERS}?user_name=a%20b"), "400 DBS.280292"),
            (format!("{USERS}?user_name=us%C3%A9r"), "400 DBS.280292"),
            (format!("{USERS}?user_name={}", "a".repeat(65)), "400 DBS.280292"),
            (format!("{USERS}?user_name=%ff"), "400 DBS.280001"),
            (format!("{USERS}?user_name=alice&user_name=bob"), "400 DBS.280001"),
            (format!("/v3/{project}/instances/short/starrocks/users?user_name=alice"), "400 DBS.280404"),
            (format!("/v3/{project}/instances/{}/starrocks/users?user_name=alice", "é".repeat(18)), "400 DBS.280404"),
            (format!("/v3/%7Bproject_id%7D/instances/{instance}/starrocks/users?user_name=alice"), "400 DBS.280001"),
            (format!("/v3/{}/instances/{instance}/starrocks/users?user_name=alice", "0".repeat(32)), "404 DBS.200002"),
            (format!("/v3/{project}/instances/{}/starrocks/users?user_name=alice", "0".repeat(36)), "404 DBS.200002"),
            (format!("/v3/{project}/instances/{instance}/starrocks/user?user_name=alice"), "404 APIGW.0101"),
            (format!("{USERS}/?user_name=alice"), "404 APIGW.0101"),
            ("/".to_owned(), "404 APIGW.0101"),
        ] {
            let path_and_query = path_and_query.replace('é', "%C3%A9");
            let request = Signing::default().request(&simulator, Method::DELETE, &path_and_query);
            let response = send(simulator.address(), request).await.unwrap();
            assert_eq!(said(&response), expected, "{path_and_query}");
            assert!(body(&response)["error_msg"].is_string());
            assert!(response.headers().contains_key(REQUEST_ID));
        }
        let request = Signing::default().request(&simulator, Method::POST, USERS);
        assert_eq!(said(&send(simulator.address(), request).await.unwrap()), "404 APIGW.0101");
        assert_eq!(simulator.accounts(demo::INSTANCE_ID), before);
    }

    #[tokio::test]
    async fn signatures() {
        let simulator = start().await;
        let uri = format!("{USERS}?user_name=nobody");
        let signing = Signing::default;
        let passed = "400 DBS.200824";
        let refused = "401 APIGW.0301";
        for (signing, expected) in [
            (signing(), passed),
            (Signing { signed: &[("x-project-id", demo::PROJECT_ID), ("x-language", "en-us")], ..signing() }, passed),
            (Signing { date: "20260115T081500Z", ..signing() }, passed),
            (Signing { date: "20260115T084500Z", ..signing() }, passed),
            (Signing { date: "20260115T081459Z", ..signing() }, refused),
            (Signing { date: "20260115T084501Z", ..signing() }, refused),
            (Signing { access_key: "HPUAUNKNOWN", ..signing() }, refused),
            (Signing { secret_key: "another", ..signing() }, refused),
            (Signing { unsigned: &[("x-sdk-date", DATE)], ..signing() }, refused),
            (Signing { signed: &[("x-security-token", "surplus")], ..signing() }, refused),
        ] {
            let response = send(simulator.address(), signing.request(&simulator, Method::DELETE, &uri)).await.unwrap();
            assert_eq!(said(&response), expected, "{}", signing.date);
            if expected == refused {
                let body = body(&response);
                let text = body["error_msg"].as_str().unwrap();
                assert!(text.starts_with("Incorrect IAM authentication information: "), "{text}");
                assert_eq!(body["request_id"], response.headers()[REQUEST_ID].to_str().unwrap());
            }
        }

        let mut request = delete_request(&simulator, "nobody");
        *request.uri_mut() = format!("{USERS}?user_name=alice").parse().unwrap();
        assert_eq!(said(&send(simulator.address(), request).await.unwrap()), refused);
        assert!(simulator.accounts(demo::INSTANCE_ID).contains("alice"));
    }

    #[tokio::test]
    async fn temporary_keys_need_their_token_signed() {
        let temporary = |options: &mut SimulatorOptions| {
            options.access_keys[0].security_token = Some("temporary".to_owned());
        };
        let simulator = start_with(temporary).await;
        let uri = format!("{USERS}?user_name=nobody");
        let token = &[("x-security-token", "temporary")][..];
        let other = &[("x-security-token", "another")][..];
        for (signed, unsigned, expected) in [
            (token, &[][..], "400 DBS.200824"),
            (other, &[], "401 APIGW.0301"),
            (&[], token, "401 APIGW.0301"),
            (&[], &[], "401 APIGW.0301"),
        ] {
            let signing = Signing { signed, unsigned, ..Signing::default() };
            let response = send(simulator.address(), signing.request(&simulator, Method::DELETE, &uri)).await.unwrap();
            assert_eq!(said(&response), expected, "{signed:?} {unsigned:?}");
        }
    }

    #[tokio::test]
    async fn tokens() {
        let simulator = start().await;
        let uri = format!("{USERS}?user_name=nobody");
        for (headers, expected) in [
            (&[("x-auth-token", demo::TOKEN)][..], "400 DBS.200824"),
            (&[("x-auth-token", demo::TOKEN), ("authorization", "")], "400 DBS.200824"),
            (&[("x-auth-token", demo::TOKEN), ("authorization", "Bearer x")], "401 APIGW.0301"),
            (&[("x-auth-token", "another")], "401 APIGW.0301"),
            (&[("x-auth-token", "")], "401 APIGW.0301"),
            (&[], "401 APIGW.0301"),
        ] {
            let request = with_headers(Method::DELETE, &uri, headers);
            assert_eq!(said(&send(simulator.address(), request).await.unwrap()), expected, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn languages() {
        let simulator = start().await;
        for (language, expected) in [
            ("en-us", "The database account does not exist."),
            ("zh-cn", "数据库账户不存在。"),
            ("fr-fr", "The database account does not exist."),
        ] {
            let headers = [("x-auth-token", demo::TOKEN), ("x-language", language)];
            let request = with_headers(Method::DELETE, &format!("{USERS}?user_name=nobody"), &headers);
            let response = send(simulator.address(), request).await.unwrap();
            assert_eq!(body(&response)["error_msg"], expected);
        }
    }

    #[tokio::test]
    async fn reserved_accounts_raise_an_alarm() {
        let simulator = start().await;
        assert!(simulator.alarms().is_empty());
        for name in ["root", "rdsAdmin", "RDSMETRIC"] {
            assert_eq!(said(&delete(&simulator, name).await), "403 DBS.200819");
        }
        assert_eq!(simulator.alarms().len(), 3);
        assert!(simulator.alarms()[0].contains("`root`"), "{:?}", simulator.alarms());
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len());
    }

    #[tokio::test]
    async fn the_list() {
        let simulator = start().await;
        let list = async |query: &str| {
            let uri = format!("{USERS}{query}");
            let request = Signing::default().request(&simulator, Method::GET, &uri);
            send(simulator.address(), request).await.unwrap()
        };
        let names = |response: &Response<Bytes>| -> Vec<String> {
            let body = body(response);
            let details = body["user_details"].as_array().unwrap().iter();
            details.map(|details| details["user_name"].as_str().unwrap().to_owned()).collect()
        };

        let all = list("?limit=100&offset=0").await;
        assert_eq!(names(&all).len(), demo::ACCOUNTS.len());
        assert_eq!(body(&all)["total_count"], demo::ACCOUNTS.len());
        assert_eq!(
            body(&all)["user_details"][0],
            json!({ "user_name": "alice", "data_bases": [], "dml": 0, "ddl": 0 }),
        );
        assert_eq!(list("").await.body(), all.body());

        let page = list("?limit=2&offset=1").await;
        assert_eq!(names(&page), ["bob", "carol"]);
        assert_eq!(body(&page)["total_count"], demo::ACCOUNTS.len());

        simulator.add_account(demo::INSTANCE_ID, "bobby");
        let filtered = list("?limit=100&offset=0&user_name=bob").await;
        assert_eq!(names(&filtered), ["bob", "bobby"]);
        assert_eq!(body(&filtered)["total_count"], 2);

        for query in ["?limit=0", "?limit=101", "?limit=x", "?offset=-1"] {
            assert_eq!(said(&list(query).await), "400 DBS.280001", "{query}");
        }
    }

    #[tokio::test]
    async fn planned_answers_replace_the_usual_ones() {
        let simulator = start().await;
        let html = "<html>Bad Gateway</html>";
        simulator.on_next(Answer::http(StatusCode::BAD_GATEWAY, "text/html", html));
        simulator.on_next(Answer::http(StatusCode::OK, "application/json", ""));
        simulator.on_next(Answer::http(StatusCode::OK, "text/plain", vec![b'x'; 10 << 20]));

        let response = delete(&simulator, "alice").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response.body(), html);
        assert_eq!(response.headers()["content-length"], "24");
        assert!(response.headers().contains_key(REQUEST_ID));
        assert!(delete(&simulator, "alice").await.body().is_empty());
        assert_eq!(delete(&simulator, "alice").await.body().len(), 10 << 20);

        assert!(simulator.accounts(demo::INSTANCE_ID).contains("alice"));
        assert_eq!(said(&delete(&simulator, "alice").await), "200 SUCCESS");
    }

    #[tokio::test]
    async fn raw_answers_end_the_connection() {
        let simulator = start().await;
        simulator.on_next(Answer::cut_short(StatusCode::OK, br#"{"result":"#));
        simulator.on_next(Answer::hang_up());
        simulator.on_next_after_effect(Answer::hang_up());
        simulator.on_next(Answer::Raw(Bytes::from_static(b"not HTTP\r\n\r\n")));

        for still_there in [true, true, false, false] {
            let answer = send(simulator.address(), delete_request(&simulator, "alice")).await;
            assert!(answer.is_err(), "{answer:?}");
            assert_eq!(simulator.accounts(demo::INSTANCE_ID).contains("alice"), still_there);
        }
        assert!(simulator.requests().iter().all(|seen| seen.status.is_none()));
    }

    #[tokio::test]
    async fn what_is_promised_short_arrives_short() {
        let simulator = start().await;
        simulator.on_next(Answer::cut_short(StatusCode::OK, br#"{"result":"#));
        let answer = crate::http::send_bytes(simulator.address(), b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("content-length: 1010\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"result\":"), "{answer}");
    }

    #[tokio::test]
    async fn held_requests_wait() {
        let simulator = start().await;
        let hold = simulator.hold();
        let mut clients = JoinSet::new();
        for name in ["alice", "bob", "carol"] {
            clients.spawn(send(simulator.address(), delete_request(&simulator, name)));
        }
        hold.waiting(3).await;
        assert_eq!(simulator.requests().len(), 3);
        assert!(simulator.requests().iter().all(|seen| seen.status.is_none()));
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len());

        hold.release();
        for response in clients.join_all().await {
            assert_eq!(said(&response.unwrap()), "200 SUCCESS");
        }
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len() - 3);
    }

    #[tokio::test]
    async fn a_request_has_its_effect_though_its_client_left() {
        let simulator = start().await;
        let hold = simulator.hold();
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        let head =
            format!("DELETE {USERS}?user_name=alice HTTP/1.1\r\nhost: x\r\nx-auth-token: {}\r\n\r\n", demo::TOKEN);
        stream.write_all(head.as_bytes()).await.unwrap();
        hold.waiting(1).await;
        drop(stream);

        hold.release();
        simulator.finished(1).await;
        assert!(!simulator.accounts(demo::INSTANCE_ID).contains("alice"));
    }

    #[tokio::test]
    async fn secrets_are_seen_but_not_shown() {
        let simulator = start().await;
        let signing = Signing { signed: &[("x-security-token", "secret-1")], ..Signing::default() };
        let request = signing.request(&simulator, Method::DELETE, &format!("{USERS}?user_name=alice"));
        let signature = request.headers()[AUTHORIZATION].to_str().unwrap().rsplit('=').next().unwrap().to_owned();
        send(simulator.address(), request).await.unwrap();
        let headers = [("x-auth-token", "secret-2"), ("authorization", "Bearer secret-3")];
        send(simulator.address(), with_headers(Method::GET, "/", &headers)).await.unwrap();

        let requests = simulator.requests();
        assert_eq!(requests[0].headers["x-security-token"], "secret-1");
        assert_eq!(requests[1].headers["x-auth-token"], "secret-2");
        for seen in &requests {
            for shown in [format!("{seen:?}"), seen.to_string()] {
                assert!(!shown.contains("secret-") && !shown.contains(&signature), "{shown}");
            }
        }
        let shown = requests[0].to_string();
        assert!(shown.contains(&format!("Access={}, SignedHeaders=host;x-", demo::ACCESS_KEY)), "{shown}");
    }

    #[tokio::test]
    async fn two_simulations_do_not_meet() {
        let (one, other) = (start().await, start().await);
        assert_ne!(one.endpoint(), other.endpoint());
        delete(&one, "alice").await;
        assert!(other.accounts(demo::INSTANCE_ID).contains("alice"));
        assert!(other.requests().is_empty());

        let address = one.address();
        drop(one);
        // The listener goes with its task, which ends at the runtime's next turn.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

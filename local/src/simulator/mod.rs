//! The simulated cloud: a real HTTP server with the accounts of StarRocks instances and IAM's tokens in memory, for
//! development and tests.
//!
//! `users` is TaurusDB, [`iam`](IamUser) is IAM, `auth` is how both know who asks, [`Fault`] is how both are made to
//! misbehave.
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
//!   DBS.200019 (another operation), DBS.200005 (internal), APIGW.0101, APIGW.0301, APIGW.0302, APIGW.0307, APIGW.0308,
//!   and the wording of the gateway's, with a `request_id` in the body;
//! - the list call with its limits, and `X-Request-Id` on every answer;
//! - IAM's call for a token, by password and by agency: the path with `nocatalog=true`, the bodies, 201 with
//!   `X-Subject-Token` and `token.expires_at`, 24 hours, tokens of several thousand characters;
//! - the two shapes of IAM's errors; IAM.0001 and IAM.0011 with their wording, at its other calls.
//!
//! # Inferred
//!
//! Nobody wrote it down, so a client should not lean on it:
//! - 400 DBS.200824 for an account that is not there;
//! - 403 DBS.200819 for a reserved account. It also raises an alarm, `Simulator::alarms`;
//! - which names are too strange to be looked up: here those not made of 1 to 64 visible ASCII characters;
//! - 404 DBS.200002 for an instance of another project;
//! - the list's `user_name` filter finds parts of names (or nothing is filtered:
//!   [`SimulatorOptions::list_ignores_filter`]), `limit` is 100 and `offset` 0 when left out;
//! - a Chinese `error_msg` for DBS codes only, and all of its wording;
//! - the order of checks: path, authentication, ids, the project of a token, the rest;
//! - 403 APIGW.0302 for a token of another project, or of a whole account;
//! - 401 APIGW.0307 for a token that was revoked: [`Simulator::revoke_tokens`];
//! - which of IAM's errors has which shape: `error_code` for what nobody can read and who did not prove themselves,
//!   `error` for a wrong password (401), an unknown agency (404) and a scope of somebody else's (403), and the wording
//!   of the latter.
//!
//! # Not simulated
//!
//! TLS, creating and changing accounts, permissions of a key or an agency, the lock after five failed signatures or
//! passwords, multi-factor login, names of projects that are not their ids, everything else of IAM; and throttling, but
//! for [`Misbehaviour::Throttled`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use starrocks_offboard::crypto::sdk_hmac;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

mod auth;
mod faults;
mod iam;
mod refusals;
mod users;
pub(crate) mod wire;

use iam::Issued;
use refusals::Refusal;
use wire::Reply;

pub use faults::{Fault, Misbehaviour, Target};
pub use iam::{Agency, IamUser};
pub use wire::Answer;

const AUTH_TOKEN: &str = "x-auth-token";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SECURITY_TOKEN: &str = "x-security-token";

/// What the demonstration works on. The keys open nothing but this simulation.
pub mod demo {
    /// The project of the API page's example.
    pub const PROJECT_ID: &str = "23a50154cf494ec9ad6883979a12db0a";
    /// A StarRocks instance.
    pub const INSTANCE_ID: &str = "54e42160670e48e789af7075e1efea1fin17";
    /// Another one, for production.
    pub const PRODUCTION_INSTANCE_ID: &str = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17";
    /// The id of a permanent access key.
    pub const ACCESS_KEY: &str = "HPUADEMOACCESSKEY00";
    /// Its secret key.
    pub const SECRET_KEY: &str = "demo-secret-key";
    /// A token that is accepted in `X-Auth-Token`.
    pub const TOKEN: &str = "demo-token";
    /// The name of an IAM user who may work in the project.
    pub const IAM_USER: &str = "demo-offboarding";
    /// Its password.
    pub const IAM_PASSWORD: &str = "demo-password";
    /// The name of the account that the user belongs to.
    pub const IAM_DOMAIN: &str = "demo-account";
    /// The id of that account.
    pub const IAM_DOMAIN_ID: &str = "d78cbac186b744899480f25bd022f468";
    /// The name of an agency that may work in the project.
    pub const AGENCY: &str = "demo-agency";
    /// The name of the account that the agency belongs to.
    pub const AGENCY_DOMAIN: &str = "demo-customer";
    /// The id of that account.
    pub const AGENCY_DOMAIN_ID: &str = "a2cd82a33fb043dc9304bf72a0f38f00";
    /// The accounts at the start, the reserved ones included.
    pub const ACCOUNTS: [&str; 10] =
        ["alice", "bob", "carol", "dave", "etl_loader", "report_reader", "user_test", "root", "rdsAdmin", "rdsMetric"];
}

/// What a simulated cloud knows, and where it listens.
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
    /// The tokens that are accepted in `X-Auth-Token`, for ever and in every project.
    pub tokens: Vec<String>,
    /// The users who get tokens for their passwords.
    pub users: Vec<IamUser>,
    /// The agencies that others get tokens for.
    pub agencies: Vec<Agency>,
    /// How long a token is accepted that IAM issues.
    pub token_lifetime: Duration,
    /// Whether the list call does as if there was no `user_name` in its query.
    pub list_ignores_filter: bool,
    /// The clock that signatures and tokens are judged by.
    pub clock: fn() -> SystemTime,
}

impl SimulatorOptions {
    /// The data of [`demo`], on a free port.
    pub fn demo() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            instances: [demo::INSTANCE_ID, demo::PRODUCTION_INSTANCE_ID]
                .map(|instance_id| SimulatedInstance {
                    project_id: demo::PROJECT_ID.to_owned(),
                    instance_id: instance_id.to_owned(),
                    accounts: demo::ACCOUNTS.map(str::to_owned).into(),
                })
                .into(),
            access_keys: vec![AccessKey {
                id: demo::ACCESS_KEY.to_owned(),
                secret: demo::SECRET_KEY.to_owned(),
                security_token: None,
            }],
            tokens: vec![demo::TOKEN.to_owned()],
            users: vec![IamUser {
                name: demo::IAM_USER.to_owned(),
                password: demo::IAM_PASSWORD.to_owned(),
                domain: demo::IAM_DOMAIN.to_owned(),
                domain_id: demo::IAM_DOMAIN_ID.to_owned(),
                projects: vec![demo::PROJECT_ID.to_owned()],
            }],
            agencies: vec![Agency {
                name: demo::AGENCY.to_owned(),
                domain_name: demo::AGENCY_DOMAIN.to_owned(),
                domain_id: demo::AGENCY_DOMAIN_ID.to_owned(),
                projects: vec![demo::PROJECT_ID.to_owned()],
            }],
            token_lifetime: iam::LIFETIME,
            list_ignores_filter: false,
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
/// Tokens, signatures and passwords are here for tests to look at, and are left out of `Debug` and `Display`.
#[derive(Clone)]
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
    /// The status it got; `None` while it waits, and when no HTTP was answered, as by [`Answer::Raw`].
    pub status: Option<StatusCode>,
}

impl Seen {
    fn path_and_query(&self) -> (&str, &str) {
        self.path_and_query.split_once('?').unwrap_or((&self.path_and_query, ""))
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Seen");
        shown
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .field("headers", &self.headers);
        if self.path_and_query.starts_with(iam::PATH) {
            shown.field("body", &format_args!("(hidden)"));
        } else {
            shown.field("body", &self.body);
        }
        shown.field("request_id", &self.request_id).field("status", &self.status).finish()
    }
}

/// The request as HTTP/1.1 writes it, without its body.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path_and_query)?;
        for (name, value) in &self.headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            match sdk_hmac::parse_authorization(&text) {
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
        let handler = {
            let shared = shared.clone();
            move |request| shared.clone().answer(request)
        };
        let accepting = tokio::spawn(wire::serve(listener, handler)).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `taurusdb_endpoint` and `iam_endpoint` want it: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order they came, those for tokens included.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// How many POSTs for a token there were so far, whatever came of them.
    pub fn token_calls(&self) -> usize {
        let is_token_call = |seen: &&Seen| Target::of(seen) == Some(Target::Iam);
        self.shared.state().seen.iter().filter(is_token_call).count()
    }

    /// Every token that was issued so far is expired now, as after a change of a password or of permissions.
    pub fn revoke_tokens(&self) {
        for issued in self.shared.state().tokens.values_mut() {
            issued.expires_at = UNIX_EPOCH;
        }
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

    /// The next request that is not spoken for, whatever it asks for, gets this answer, and has no effect.
    pub fn on_next(&self, answer: Answer) {
        self.shared.state().planned.push_back(Misbehaviour::Answer(answer));
    }

    /// The next request that is not spoken for, whatever it asks for, has its effect, and then gets this answer.
    pub fn on_next_after_effect(&self, answer: Answer) {
        self.shared.state().planned.push_back(Misbehaviour::AnswerAfter(answer));
    }

    /// Adds a rule behind those that there are. What [`Simulator::on_next`] plans goes before all rules.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Forgets all rules.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// From now on requests are received, and then wait until the [`Hold`] is dropped.
    pub fn hold(&self) -> Hold {
        self.hold_only(Target::Any)
    }

    /// From now on requests of this kind are received, and then wait until the [`Hold`] is dropped.
    pub fn hold_only(&self, target: Target) -> Hold {
        self.shared.queue.send_modify(|queue| queue.holds.push(target));
        Hold { target, shared: self.shared.clone() }
    }

    /// Waits until this many requests, since the start, have had their effect: also those whose client has left, and
    /// those that will never be answered.
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
    target: Target,
    shared: Arc<Shared>,
}

impl Hold {
    /// Waits until this many requests of its kind wait.
    pub async fn waiting(&self, count: usize) {
        let mine = |request: &&Option<Target>| self.target.covers(**request);
        wait_for(&self.shared.queue, |queue| queue.waiting.iter().filter(mine).count() >= count).await;
    }

    /// Lets them go on.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shared.queue.send_modify(|queue| remove_one(&mut queue.holds, &self.target));
    }
}

/// The sender is alive as long as this borrows it, so that waiting cannot fail.
async fn wait_for<T>(watched: &watch::Sender<T>, condition: impl FnMut(&T) -> bool) {
    let _ = watched.subscribe().wait_for(condition).await;
}

fn remove_one<T: PartialEq>(items: &mut Vec<T>, item: &T) {
    if let Some(position) = items.iter().position(|one| one == item) {
        items.swap_remove(position);
    }
}

struct Shared {
    /// Its instances are those at the start; what they are now is in the state.
    options: SimulatorOptions,
    state: Mutex<State>,
    started: SystemTime,
    request_count: AtomicU64,
    queue: watch::Sender<Queue>,
    finished: watch::Sender<usize>,
}

struct State {
    instances: Vec<SimulatedInstance>,
    tokens: BTreeMap<String, Issued>,
    seen: Vec<Seen>,
    planned: VecDeque<Misbehaviour>,
    faults: Vec<Fault>,
    alarms: Vec<String>,
}

/// What holds requests, and what the requests are that wait for it.
#[derive(Default)]
struct Queue {
    holds: Vec<Target>,
    waiting: Vec<Option<Target>>,
}

impl Queue {
    fn holds(&self, request: Option<Target>) -> bool {
        self.holds.iter().any(|hold| hold.covers(request))
    }
}

impl Shared {
    fn new(options: SimulatorOptions) -> Self {
        Self {
            state: Mutex::new(State {
                instances: options.instances.clone(),
                tokens: BTreeMap::new(),
                seen: Vec::new(),
                planned: VecDeque::new(),
                faults: Vec::new(),
                alarms: Vec::new(),
            }),
            options,
            started: SystemTime::now(),
            request_count: AtomicU64::new(0),
            queue: watch::Sender::new(Queue::default()),
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

    fn seen(&self, request: Request<Bytes>) -> Seen {
        let (mut head, body) = request.into_parts();
        for (name, value) in head.headers.iter_mut() {
            let is_secret = [AUTHORIZATION.as_str(), AUTH_TOKEN, SECURITY_TOKEN].contains(&name.as_str());
            value.set_sensitive(is_secret);
        }
        Seen {
            method: head.method,
            path_and_query: head.uri.path_and_query().map_or("*", |path| path.as_str()).to_owned(),
            headers: head.headers,
            body,
            request_id: self.next_request_id(),
            status: None,
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Bytes>) -> Reply {
        let request = self.seen(request);
        let target = Target::of(&request);
        let (number, misbehaviour) = {
            let mut state = self.state();
            state.seen.push(request.clone());
            let planned = state.planned.pop_front();
            (state.seen.len() - 1, planned.or_else(|| faults::take(&mut state.faults, target)))
        };

        self.wait_in_queue(target).await;
        if let Some(Misbehaviour::Latency(duration)) = misbehaviour {
            tokio::time::sleep(duration).await;
        }

        let mut reply = match misbehaviour {
            None => Reply::Http(self.usual_answer(&request)),
            Some(misbehaviour) => {
                let usual = misbehaviour.has_effect().then(|| self.usual_answer(&request));
                misbehaviour.reply(&request, usual)
            }
        };
        let head = match &mut reply {
            Reply::Http(response) => Some((response.status(), response.headers_mut())),
            Reply::Drip(response) => Some((response.status(), response.headers_mut())),
            Reply::Raw(_) | Reply::Reset | Reply::Silence => None,
        };
        if let Some((status, headers)) = head {
            let id = HeaderValue::from_str(&request.request_id).expect("hexadecimal digits");
            headers.entry(REQUEST_ID).or_insert(id);
            self.state().seen[number].status = Some(status);
        }
        self.finished.send_modify(|finished| *finished += 1);
        reply
    }

    async fn wait_in_queue(&self, request: Option<Target>) {
        let has_to_wait = self.queue.send_if_modified(|queue| {
            let holds = queue.holds(request);
            if holds {
                queue.waiting.push(request);
            }
            holds
        });
        if has_to_wait {
            wait_for(&self.queue, |queue| !queue.holds(request)).await;
            self.queue.send_modify(|queue| remove_one(&mut queue.waiting, &request));
        }
    }

    /// What the documented API would say, and do.
    fn usual_answer(&self, request: &Seen) -> Response<Bytes> {
        if Target::of(request) == Some(Target::Iam) {
            return self.token(request);
        }
        match self.call(request) {
            Ok(body) => json_response(StatusCode::OK, &body),
            Err(refusal) => refused(&refusal, request),
        }
    }

    fn call(&self, request: &Seen) -> Result<Value, Refusal> {
        let (path, query) = request.path_and_query();
        let (project_id, instance_id) = ids(path).ok_or(Refusal::NoSuchApi)?;
        if ![Method::DELETE, Method::GET].contains(&request.method) {
            return Err(Refusal::NoSuchApi);
        }

        let access = self.authenticate(request)?;

        if !is_alphanumeric(project_id, 32) {
            return Err(Refusal::BadParameter("project_id"));
        }
        if !is_alphanumeric(instance_id, 36) {
            return Err(Refusal::BadInstanceId);
        }
        if !access.covers(project_id) {
            return Err(Refusal::OtherProject);
        }
        let mut state = self.state();
        let state = &mut *state;
        let instance = state
            .instances
            .iter_mut()
            .find(|instance| instance.project_id == project_id && instance.instance_id == instance_id)
            .ok_or(Refusal::NoSuchInstance)?;
        let parameters = users::parameters(query)?;
        if request.method == Method::DELETE {
            users::delete(instance, &parameters, &mut state.alarms)
        } else {
            users::list(instance, &parameters, self.options.list_ignores_filter)
        }
    }
}

/// The project id and the instance id in the path of an instance's accounts, whatever they are.
fn ids(path: &str) -> Option<(&str, &str)> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        ["", "v3", project_id, "instances", instance_id, "starrocks", "users"] => Some((project_id, instance_id)),
        _ => None,
    }
}

fn is_users_path(path: &str) -> bool {
    ids(path).is_some()
}

fn is_alphanumeric(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refused(refusal: &Refusal, request: &Seen) -> Response<Bytes> {
    let (status, body) = refusal.render(request);
    json_response(status, &body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use starrocks_offboard::crypto::sdk_hmac::Message;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;
    use tokio::task::JoinSet;

    use super::*;
    use crate::http::send;

    pub(super) const DATE: &str = "20260115T083000Z";
    pub(super) const USERS: &str =
        "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";

    /// 2026-01-15T08:30:00Z
    pub(super) fn half_past_eight() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_768_465_800)
    }

    pub(super) async fn start() -> Simulator {
        start_with(|_| ()).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
        let mut options = SimulatorOptions { clock: half_past_eight, ..SimulatorOptions::demo() };
        change(&mut options);
        Simulator::start(options).await.unwrap()
    }

    /// How a request is signed, where it differs from how it should be.
    pub(super) struct Signing<'a> {
        pub(super) access_key: &'a str,
        pub(super) secret_key: &'a str,
        pub(super) date: &'a str,
        pub(super) signed: &'a [(&'static str, &'a str)],
        pub(super) unsigned: &'a [(&'static str, &'a str)],
        /// What is signed as the body; none is sent.
        pub(super) body: &'a [u8],
    }

    impl Default for Signing<'_> {
        fn default() -> Self {
            let (access_key, secret_key) = (demo::ACCESS_KEY, demo::SECRET_KEY);
            Self { access_key, secret_key, date: DATE, signed: &[], unsigned: &[], body: b"" }
        }
    }

    impl Signing<'_> {
        pub(super) fn request(&self, simulator: &Simulator, method: Method, path_and_query: &str) -> Request<Bytes> {
            let mut headers = HeaderMap::new();
            headers.insert(sdk_hmac::SDK_DATE, self.date.parse().unwrap());
            for &(name, value) in self.signed {
                headers.append(name, value.parse().unwrap());
            }
            let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
            let host = simulator.address().to_string();
            let message =
                Message { method: method.as_str(), path, query, headers: &headers, host: &host, body: self.body };
            let authorization =
                sdk_hmac::sign(&message, self.access_key, self.secret_key.as_bytes(), self.date).unwrap();
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

    pub(super) fn delete_request(simulator: &Simulator, user_name: &str) -> Request<Bytes> {
        Signing::default().request(simulator, Method::DELETE, &format!("{USERS}?user_name={user_name}"))
    }

    pub(super) async fn delete(simulator: &Simulator, user_name: &str) -> Response<Bytes> {
        send(simulator.address(), delete_request(simulator, user_name)).await.unwrap()
    }

    pub(super) fn with_headers(method: Method, path_and_query: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
        let mut request = Request::builder().method(method).uri(path_and_query);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Bytes::new()).unwrap()
    }

    pub(super) fn body(response: &Response<Bytes>) -> Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    /// The status and the error code, in one line.
    pub(super) fn said(response: &Response<Bytes>) -> String {
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
    async fn the_list_may_ignore_its_filter() {
        let simulator = start_with(|options| options.list_ignores_filter = true).await;
        let uri = format!("{USERS}?limit=2&user_name=bob");
        let request = Signing::default().request(&simulator, Method::GET, &uri);
        let body = body(&send(simulator.address(), request).await.unwrap());
        assert_eq!(body["total_count"], demo::ACCOUNTS.len());
        assert_eq!(body["user_details"][0]["user_name"], "alice");
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
    async fn only_what_is_held_waits() {
        let simulator = start().await;
        let hold = simulator.hold_only(Target::Delete);
        let held = tokio::spawn(send(simulator.address(), delete_request(&simulator, "alice")));
        hold.waiting(1).await;
        let list = Signing::default().request(&simulator, Method::GET, USERS);
        assert_eq!(send(simulator.address(), list).await.unwrap().status(), StatusCode::OK);

        let all = simulator.hold();
        let list = tokio::spawn(send(simulator.address(), Signing::default().request(&simulator, Method::GET, USERS)));
        all.waiting(2).await;
        hold.release();
        all.release();
        assert_eq!(said(&held.await.unwrap().unwrap()), "200 SUCCESS");
        assert_eq!(list.await.unwrap().unwrap().status(), StatusCode::OK);
        simulator.finished(3).await;
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

//! The host in memory of `tests/support`, watched: after each statement and before each call it is looked whether
//! what has to hold still does.
//!
//! - a DELETE leaves only while a row is in flight that this very request claimed, with the policies that permit it, and with
//!   the confirmation or the approvals that it needs
//! - a delivery is sent again only after what certainly did nothing, or after its row said so
//! - a row only moves along the edges of [`EDGES`], and only the request that claimed it ends it while it can still be running
//! - an answer has its status, its length and its request id
//! - no secret is in an answer, in the log, or in a cell of the ledger
//!
//! What is said here is said again, in other words than those of `src/`: nothing below asks it what is allowed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, Request, Response, StatusCode};
use rusqlite::types::Value as Cell_;
use serde_json::Value as Json;
use starrocks_offboard::app::App;
use starrocks_offboard::config::Config;
use starrocks_offboard::flow;
use starrocks_offboard::host::{Answered, DatabaseKind, Host, Limits, LogLabels, SendError, StoreError, Value};
use starrocks_offboard::jwks_cache::JwksCache;
use starrocks_offboard::ledger::schema;
use starrocks_offboard::request::inbound::{BodyError, Inbound};
use starrocks_offboard::secret::Secret;
use starrocks_offboard::taurusdb::token_cache::TokenCache;
use support::database::Database;
use support::memory::{Cloud, Memory};

use crate::wire;

/// From which state a row may come to which; `None` is no row yet.
const EDGES: [(Option<&str>, &[&str]); 7] = [
    (
        None,
        // Gone from the start: a leaver of whom no account was found.
        &[
            "in-flight",
            "awaiting-confirmation",
            "awaiting-approval",
            "denied",
            "refused",
            "not-sent",
            "dry-run",
            "already-gone",
        ],
    ),
    (
        Some("in-flight"),
        &["removed", "refused-upstream", "not-removed", "already-gone", "not-sent", "unknown", "denied"],
    ),
    (Some("unknown"), &["removed", "not-removed"]),
    (Some("not-sent"), &["in-flight", "awaiting-confirmation", "awaiting-approval", "denied"]),
    (Some("not-removed"), &["in-flight", "awaiting-confirmation", "awaiting-approval", "denied", "not-sent"]),
    (Some("awaiting-confirmation"), &["in-flight", "awaiting-approval", "cancelled", "expired", "denied"]),
    (Some("awaiting-approval"), &["in-flight", "cancelled", "expired", "rejected", "denied"]),
];

/// Accounts that no configuration lets a requester remove.
const RESERVED: [&str; 3] = ["root", "rdsadmin", "rdsmetric"];

/// The codes of a 409 that say that another operation is running.
const BUSY: [&str; 6] = ["DBS.200019", "DBS.200047", "DBS.201014", "DBS.201015", "DBS.05000084", "DBS.212033"];

const TABLES: [&str; 5] = ["removals", "approvals", "tokens", "published_keys", "identities"];

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime needs nothing");
    /// A database whose tables are there, between one input and the next: to make them takes longer than most inputs.
    static DATABASE: RefCell<Option<Database>> = const { RefCell::new(None) };
    /// Whether to print what becomes of each request: for a developer who looks into an input.
    static SHOWS: bool = std::env::var_os("SHOW").is_some();
    /// Configurations that were parsed, for the same reason.
    static GATEWAYS: RefCell<BTreeMap<String, App>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs to the end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The gateway of this configuration, as after a start: with a ledger that is open, and no token.
pub(crate) fn app(offboard: &str, policy: &str, schema: &str) -> App {
    let key = format!("{offboard}\0{policy}\0{schema}");
    let kept = GATEWAYS.with_borrow_mut(|gateways| gateways.remove(&key));
    let mut app = kept.unwrap_or_else(|| {
        let app = App::parse(offboard, policy, schema).unwrap_or_else(|why| panic!("{why}\n{offboard}"));
        let memory = memory(&[]);
        run(app.ledger(&memory)).expect("the ledger opens");
        keep_database(memory);
        app
    });
    (app.tokens, app.jwks) = (TokenCache::default(), JwksCache::default());
    app
}

/// Keeps a gateway for the next input.
pub(crate) fn keep(offboard: &str, policy: &str, schema: &str, app: App) {
    GATEWAYS.with_borrow_mut(|gateways| gateways.insert(format!("{offboard}\0{policy}\0{schema}"), app));
}

/// A runtime in memory with an empty ledger.
pub(crate) fn memory(variables: &[(&'static str, &str)]) -> Memory {
    let mut memory = Memory::new(variables);
    match DATABASE.with_borrow_mut(Option::take) {
        Some(database) => {
            memory.database = database;
            for table in TABLES {
                memory.database.execute(&format!("DELETE FROM {table}"), &[]);
            }
        }
        None => run(schema::open(&memory)).expect("the ledger opens"),
    }
    memory
}

fn keep_database(memory: Memory) {
    DATABASE.set(Some(memory.database));
}

/// What there is outside: a cloud with these accounts on each instance of the demo.
pub(crate) fn cloud(accounts: &[&str]) -> Cloud {
    const INSTANCES: [&str; 2] = ["54e42160670e48e789af7075e1efea1fin17", "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"];
    let all = INSTANCES.iter().flat_map(|on| accounts.iter().map(|name| ((*on).to_owned(), (*name).to_owned())));
    Cloud { accounts: RefCell::new(all.collect()), ..Cloud::default() }
}

/// An answer that is not the usual one.
#[derive(Debug, Clone)]
pub(crate) struct Odd {
    pub(crate) result: Result<Answered, SendError>,
    pub(crate) takes: Duration,
    /// What was asked is done all the same.
    pub(crate) effect: bool,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    Delete,
    List,
    Iam,
    Others,
}

/// A row, as far as it is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    state: String,
    delivery: Option<String>,
    caller: Option<String>,
    actor: Option<String>,
    instance: Option<String>,
    user_name: Option<String>,
    policies: String,
    reference: Option<String>,
    in_flight_until: i64,
    claimed_at: Option<i64>,
}

/// What there is beside one request.
pub(crate) struct World {
    pub(crate) memory: Memory,
    /// What comes of the next calls, by what they are for.
    pub(crate) odd: RefCell<BTreeMap<To, VecDeque<Odd>>>,
    /// The secrets.
    pub(crate) secrets: Vec<String>,
    rows: RefCell<BTreeMap<String, Row>>,
    /// For each delivery, what came of its DELETEs since its row last said that they did nothing: whether each certainly did.
    sends: RefCell<BTreeMap<String, Vec<bool>>>,
    looked: Cell<usize>,
}

impl World {
    pub(crate) fn new(memory: Memory, secrets: &[&str]) -> Self {
        let world = Self {
            memory,
            odd: RefCell::default(),
            secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
            rows: RefCell::default(),
            sends: RefCell::default(),
            looked: Cell::new(0),
        };
        world.rows.replace(world.read());
        world
    }

    /// What comes of the next call of this kind.
    pub(crate) fn will(&self, to: To, odd: Odd) {
        self.odd.borrow_mut().entry(to).or_default().push_back(odd);
    }

    /// How many DELETEs there were.
    pub(crate) fn deletes(&self) -> usize {
        self.memory.sent.borrow().iter().filter(|request| request.method() == Method::DELETE).count()
    }

    /// What waits or waited, oldest first.
    pub(crate) fn references(&self) -> Vec<String> {
        self.texts("SELECT reference FROM removals WHERE reference IS NOT NULL ORDER BY rowid")
    }

    /// Every row's id, oldest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.texts("SELECT id FROM removals ORDER BY rowid")
    }

    /// Every actor that a row names.
    pub(crate) fn actors(&self) -> Vec<String> {
        self.texts("SELECT actor FROM removals WHERE actor IS NOT NULL ORDER BY rowid")
    }

    fn texts(&self, statement: &str) -> Vec<String> {
        let mut statement = self.memory.database.sqlite().prepare(statement).expect("the table is there");
        let rows = statement.query_map([], |row| row.get(0)).expect("it has no parameter");
        rows.collect::<Result<_, _>>().expect("it is text")
    }

    /// Nothing of what is written down holds a secret; then the next input may have the database.
    pub(crate) fn end(self) {
        self.no_secret_in_what_is_written();
        keep_database(self.memory);
    }

    fn no_secret_in_what_is_written(&self) {
        for line in self.memory.lines.borrow().iter().skip(self.looked.get()) {
            self.no_secret_in("the log", line.as_bytes());
        }
        self.looked.set(self.memory.lines.borrow().len());
        for table in TABLES {
            let mut statement =
                self.memory.database.sqlite().prepare(&format!("SELECT * FROM {table}")).expect("it is there");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("it has no parameter");
            while let Some(row) = rows.next().expect("it can be read") {
                for column in 0..columns {
                    if let Ok(Cell_::Text(text)) = row.get(column) {
                        self.no_secret_in(table, text.as_bytes());
                    }
                }
            }
        }
    }

    fn no_secret_in(&self, place: &str, bytes: &[u8]) {
        for secret in &self.secrets {
            let shown = String::from_utf8_lossy(bytes);
            assert!(wire::find(bytes, secret.as_bytes()).is_none(), "the secret `{secret}` is in {place}: {shown}");
        }
    }

    /// What every answer has.
    pub(crate) fn check(&self, answer: &Response<Bytes>) {
        let headers = answer.headers();
        let one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value =
                values.next().map(|value| value.to_str().unwrap_or_else(|_| panic!("{name} is not text: {answer:?}")));
            assert!(values.next().is_none(), "{name} stands twice: {answer:?}");
            value
        };
        let is_final = answer.status().as_u16() >= 200;
        assert!(is_final, "{answer:?}");
        let (length, body) = (one("content-length"), answer.body());
        match answer.status() {
            StatusCode::NO_CONTENT => assert!(length.is_none() && body.is_empty(), "{answer:?}"),
            _ => assert_eq!(length, Some(body.len().to_string().as_str()), "{answer:?}"),
        }
        let id = one("x-request-id").unwrap_or_default();
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()), "{answer:?}");
        if answer.status() != StatusCode::NO_CONTENT {
            assert!(one("content-type").is_some(), "{answer:?}");
        }
        if one("content-type") == Some("application/json") && !body.is_empty() {
            serde_json::from_slice::<Json>(body).unwrap_or_else(|why| panic!("{why}: {answer:?}"));
        }
        self.no_secret_in("an answer", body);
        for (name, value) in headers {
            self.no_secret_in(name.as_str(), value.as_bytes());
        }
    }

    fn read(&self) -> BTreeMap<String, Row> {
        let statement = "SELECT id, state, delivery, caller, actor, instance, user_name, policies, reference,
            coalesce(in_flight_until, 0), claimed_at FROM removals";
        let mut statement = self.memory.database.sqlite().prepare_cached(statement).expect("the table is there");
        let read = |row: &rusqlite::Row<'_>| {
            let seen = Row {
                state: row.get(1)?,
                delivery: row.get(2)?,
                caller: row.get(3)?,
                actor: row.get(4)?,
                instance: row.get(5)?,
                user_name: row.get(6)?,
                policies: row.get(7)?,
                reference: row.get(8)?,
                in_flight_until: row.get(9)?,
                claimed_at: row.get(10)?,
            };
            Ok((row.get(0)?, seen))
        };
        let rows = statement.query_map([], read).expect("it has no parameter");
        rows.collect::<Result<_, _>>().expect("these are their types")
    }

    fn nobody_approves_their_own(&self, config: &Config) {
        let statement = "SELECT a.actor, r.actor FROM approvals a JOIN removals r ON r.id = a.removal";
        let mut statement = self.memory.database.sqlite().prepare_cached(statement).expect("the tables are there");
        let mut rows = statement.query([]).expect("it has no parameter");
        while let Some(row) = rows.next().expect("it can be read") {
            let (said, asked): (String, String) = (row.get(0).expect("text"), row.get(1).expect("text"));
            assert_ne!(config.person(&said), config.person(&asked), "{said} said yes or no to what {asked} asked for");
        }
    }

    /// Holds the rows against what they were before this statement of this request.
    fn look(&self, by: &Watched<'_>, statement: &str) {
        let now = self.read();
        let before = self.rows.replace(now.clone());
        for (id, row) in &before {
            let Some(after) = now.get(id) else { panic!("row {id} is not there any more after {statement}: {row:?}") };
            let told = |row: &Row| (row.delivery.clone(), row.caller.clone(), row.actor.clone());
            assert_eq!(told(row), told(after), "row {id} is another's after {statement}");
            let about = |row: &Row| (row.instance.clone(), row.user_name.clone());
            assert_eq!(about(row), about(after), "row {id} is about another account after {statement}");
        }
        if let (true, Some(config)) = (statement.contains("INTO approvals"), by.config) {
            self.nobody_approves_their_own(config);
        }
        for (id, row) in &now {
            let was = before.get(id);
            let (from, to) = (was.map(|was| was.state.as_str()), row.state.as_str());
            if from == Some(to) {
                continue;
            }
            let along = EDGES.iter().any(|(start, ends)| *start == from && ends.contains(&to));
            assert!(along, "row {id} went from {from:?} to {to} by {statement}");
            let is_of_account = row.instance.is_some() || row.user_name.is_some();
            assert!(
                from.is_some() || to != "already-gone" || !is_of_account,
                "row {id} is about an account that no request removed"
            );
            if let Some(actor) = &row.actor {
                let caller = row.caller.as_deref().unwrap_or_default();
                let of_caller = actor == caller || actor.strip_prefix(caller).is_some_and(|id| id.starts_with('/'));
                assert!(of_caller, "{actor} is not of caller {caller}: row {id}");
            }
            if from == Some("in-flight") {
                let is_over = was.is_some_and(|was| was.in_flight_until <= by.millis());
                assert!(is_over || by.claims.borrow().contains_key(id), "row {id} was ended by another's {statement}");
            }
            if to == "in-flight" {
                let hour_ago = by.millis() - 3_600_000;
                let counted = |(other, seen): &(&String, &Row)| {
                    *other != id
                        && seen.actor == row.actor
                        && seen.claimed_at.is_some_and(|at| at > hour_ago)
                        && ["in-flight", "removed", "unknown"].contains(&seen.state.as_str())
                };
                let claim = Claim { from: from.map(str::to_owned), counted: now.iter().filter(counted).count() };
                by.claims.borrow_mut().insert(id.clone(), claim);
            }
            let delivery = row.delivery.clone().unwrap_or_default();
            match to {
                "not-sent" if from == Some("in-flight") => {
                    let sends = self.sends.borrow_mut().remove(&delivery).unwrap_or_default();
                    assert!(sends.iter().all(|nothing| *nothing), "row {id} says that nothing was sent, and it was");
                }
                "not-removed" => drop(self.sends.borrow_mut().remove(&delivery)),
                _ => {}
            }
        }
    }
}

/// What goes wrong during one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Script {
    /// The statement that fails, counted from 1, and whether it does so after it was carried out.
    pub(crate) fails: Option<(u32, bool)>,
    /// The moment at which the process dies, counted from 1: before and after each statement and each call.
    pub(crate) dies: Option<u32>,
    /// Before a statement or a call another request gets its turn, as often as the bits of this say, one after the other.
    pub(crate) turns: u64,
    /// How long a statement takes.
    pub(crate) statement_takes: Duration,
    /// How many turns other requests get while this one sleeps.
    pub(crate) patience: u8,
    /// Why the body was not read whole.
    pub(crate) problem: Option<BodyError>,
}

#[derive(Debug)]
struct Claim {
    from: Option<String>,
    counted: usize,
}

/// The runtime, as one request has it.
pub(crate) struct Watched<'w> {
    world: &'w World,
    config: Option<&'w Config>,
    /// How many removals an hour policy permits to one actor.
    brake: usize,
    script: Script,
    turns: Cell<u64>,
    statements: Cell<u32>,
    moments: Cell<u32>,
    is_dead: Cell<bool>,
    claims: RefCell<BTreeMap<String, Claim>>,
    labels: RefCell<LogLabels>,
}

/// A request, and what became of it; `None` when the process died.
pub(crate) async fn ask(
    world: &World,
    app: Result<&App, &str>,
    inbound: Inbound,
    brake: usize,
    script: Script,
) -> Option<Response<Bytes>> {
    let problem = script.problem;
    let host = Watched {
        world,
        config: app.ok().map(|app| &app.config),
        brake,
        script,
        turns: Cell::new(script.turns),
        statements: Cell::default(),
        moments: Cell::default(),
        is_dead: Cell::default(),
        claims: RefCell::default(),
        labels: RefCell::default(),
    };
    let asked = SHOWS.with(|shows| shows.then(|| format!("{} {}?{}", inbound.method, inbound.path, inbound.query)));
    let answered = RefCell::new(None);
    let mut story = pin!(flow::handle(&host, app, inbound, problem, |answer| *answered.borrow_mut() = Some(answer)));
    poll_fn(|context| match story.as_mut().poll(context) {
        Poll::Pending if !host.is_dead.get() => Poll::Pending,
        Poll::Ready(()) | Poll::Pending => Poll::Ready(()),
    })
    .await;
    let answer = answered.take();
    if let Some(asked) = asked {
        let sent = world.memory.sent.borrow().len();
        println!("{asked}\n  {answer:?}\n  sent so far: {sent}; rows: {:?}", world.rows.borrow());
    }
    if let Some(answer) = &answer {
        world.check(answer);
    }
    world.no_secret_in_what_is_written();
    answer
}

impl Watched<'_> {
    fn millis(&self) -> i64 {
        self.now().timestamp_millis()
    }

    async fn turn(&self) {
        let turns = self.turns.get();
        self.turns.set(turns.rotate_right(1));
        if turns & 1 == 1 {
            tokio::task::yield_now().await;
        }
    }

    async fn moment(&self) {
        self.moments.set(self.moments.get() + 1);
        if self.script.dies == Some(self.moments.get()) {
            self.is_dead.set(true);
            pending::<()>().await;
        }
    }

    /// Whether this DELETE may leave; the delivery that it is of.
    fn may_leave(&self, request: &Request<Bytes>) -> String {
        let what = format!("{request:?}");
        let config = self.config.unwrap_or_else(|| panic!("no configuration: {what}"));
        let segments: Vec<&str> = request.uri().path().split('/').collect();
        let ["", "v3", project_id, "instances", instance_id, "starrocks", "users"] = segments.as_slice() else {
            panic!("not the documented path: {what}")
        };
        let query = request.uri().query().unwrap_or_default();
        let name = query.strip_prefix("user_name=").unwrap_or_else(|| panic!("not the documented query: {what}"));
        let name =
            percent_encoding::percent_decode_str(name).decode_utf8().expect("the gateway encoded it").into_owned();
        assert!(!RESERVED.contains(&name.to_ascii_lowercase().as_str()), "reserved: {what}");
        assert!(!name.to_ascii_lowercase().starts_with("etl_"), "protected: {what}");
        let known = config.instances().iter().find(|known| known.instance_id == *instance_id);
        let instance = known.unwrap_or_else(|| panic!("no such instance: {what}"));
        assert_eq!(instance.project_id, *project_id, "{what}");

        let claims = self.claims.borrow();
        let rows = self.world.rows.borrow();
        let is_about = |row: &Row| {
            row.instance.as_deref() == Some(instance.name.as_str()) && row.user_name.as_deref() == Some(name.as_str())
        };
        let mine =
            claims.iter().find(|(id, _)| rows.get(*id).is_some_and(|row| row.state == "in-flight" && is_about(row)));
        let (id, claim) =
            mine.unwrap_or_else(|| panic!("no row that this request claimed: {what}; {claims:?} {rows:?}"));
        let row = &rows[id];
        assert!(!row.policies.is_empty(), "no policy permits it: {what} {row:?}");
        assert!(self.millis() < row.in_flight_until, "its time is over: {what} {row:?}");

        let actor = row.actor.as_deref().unwrap_or_else(|| panic!("no requester asked: {what} {row:?}"));
        let is_own = config.own_accounts(actor).contains(&name);
        let needed = match instance.environment.as_str() {
            "production" if !is_own => config.approvals.required("production") as usize,
            _ => 0,
        };
        if needed > 0 {
            let asker = config.person(actor);
            let people = self.approvers(id, row.reference.as_deref().unwrap_or_default());
            assert!(!people.contains(&asker.to_owned()), "approved by its requester: {what} {row:?}");
            assert!(people.len() >= needed, "{} of {needed} approved: {what} {row:?}", people.len());
            assert_eq!(claim.from.as_deref(), Some("awaiting-approval"), "{what} {row:?}");
        }
        // The demo's brake is on `delete`, and what others approved is `request`.
        assert!(needed > 0 || claim.counted < self.brake, "{} in the last hour: {what} {row:?}", claim.counted);
        let confirms = config.caller(row.caller.as_deref().unwrap_or_default()).is_ok_and(|caller| caller.confirm);
        if confirms {
            let waited = claim.from.as_deref().is_some_and(|from| from.starts_with("awaiting-"));
            assert!(waited, "no requester confirmed it: {what} {row:?}");
        }

        let delivery = row.delivery.clone().unwrap_or_else(|| panic!("no delivery: {what} {row:?}"));
        let sends = self.world.sends.borrow();
        let again = sends.get(&delivery).is_none_or(|sends| sends.iter().all(|nothing| *nothing));
        assert!(again, "a second DELETE of a delivery that may have done something: {what} {row:?}");
        delivery
    }

    fn approvers(&self, id: &str, reference: &str) -> Vec<String> {
        let statement = "SELECT DISTINCT person FROM approvals WHERE removal = ?1 AND reference = ?2 AND approved = 1";
        let mut statement = self.world.memory.database.sqlite().prepare(statement).expect("the table is there");
        let people = statement.query_map([id, reference], |row| row.get(0)).expect("two parameters");
        people.collect::<Result<_, _>>().expect("it is text")
    }

    /// Whether a DELETE that came to this certainly did nothing.
    fn is_nothing(&self, result: &Result<Answered, SendError>) -> bool {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                return matches!(
                    error,
                    SendError::NotSent(_) | SendError::NotAllowed(_) | SendError::ConnectTimedOut(_)
                );
            }
        };
        // What is not UTF-8 in the rest of a body makes its code no other.
        let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default());
        let body: Json = serde_json::from_str(&body).unwrap_or_default();
        let code = body.get("error_code").and_then(Json::as_str).unwrap_or_default();
        match answer.status().as_u16() {
            429 => true,
            409 => BUSY.contains(&code),
            503 => answer.headers().contains_key("retry-after"),
            401 => {
                code.starts_with("APIGW.")
                    && self.config.is_some_and(|config| config.instances()[0].credentials.uses_iam())
            }
            _ => false,
        }
    }
}

/// `{credential}` in an answer is what the request was proved with.
fn quote(request: &Request<Bytes>, result: &mut Result<Answered, SendError>) {
    let Ok(answer) = result else { return };
    let credential = ["x-security-token", "x-auth-token"].iter().find_map(|name| request.headers().get(*name));
    if let (Some(body), Some(credential)) = (answer.body(), credential) {
        let (text, credential) = (String::from_utf8_lossy(body), String::from_utf8_lossy(credential.as_bytes()));
        if text.contains("{credential}") {
            *answer.body_mut() = Some(Bytes::from(text.replace("{credential}", &credential)));
        }
    }
}

impl Host for Watched<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.world.memory.now() + self.world.memory.elapsed.get()
    }

    fn elapsed(&self) -> Duration {
        self.world.memory.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.elapsed().saturating_add(duration);
        for _ in 0..self.script.patience {
            tokio::task::yield_now().await;
        }
        let elapsed = &self.world.memory.elapsed;
        elapsed.set(elapsed.get().max(until));
    }

    fn random(&self) -> u128 {
        self.world.memory.random()
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        self.world.memory.variable(name).await
    }

    async fn file(&self, name: &str) -> Option<String> {
        self.world.memory.file(name).await
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        self.world.memory.database().await
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        self.turn().await;
        self.moment().await;
        self.statements.set(self.statements.get() + 1);
        let elapsed = &self.world.memory.elapsed;
        elapsed.set(elapsed.get() + self.script.statement_takes);
        let failed = || Err(StoreError::Failed("the disk is gone".into()));
        let fails = self.script.fails.filter(|(at, _)| *at == self.statements.get());
        if let Some((_, false)) = fails {
            return failed();
        }
        let rows = self.world.memory.query(statement, parameters).await;
        if !statement.starts_with("SELECT") {
            self.world.look(self, statement);
        }
        self.moment().await;
        if fails.is_some() { failed() } else { rows }
    }

    async fn send(&self, request: Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        self.turn().await;
        self.moment().await;
        let host = request.uri().host().unwrap_or_default();
        let to = match host.strip_suffix(".myhuaweicloud.com") {
            Some(host) if host.starts_with("iam") => To::Iam,
            Some(_) if request.method() == Method::DELETE => To::Delete,
            Some(_) => To::List,
            None => To::Others,
        };
        let is_delete = request.method() == Method::DELETE;
        assert_eq!(is_delete, to == To::Delete, "{request:?}");
        let delivery = is_delete.then(|| self.may_leave(&request));
        let memory = &self.world.memory;
        let odd = self.world.odd.borrow_mut().get_mut(&to).and_then(VecDeque::pop_front);
        let odd = odd.or_else(|| {
            (to == To::Iam).then(|| {
                let end = self.now() + Duration::from_secs(86_400);
                let body = serde_json::json!({"token": {"expires_at": end.to_rfc3339()}}).to_string();
                let answer = Response::builder().status(201).header("x-subject-token", "iam-token-3c99f2e1");
                let answer = answer.body(Some(Bytes::from(body))).expect("these are headers");
                Odd { result: Ok(answer), takes: Duration::ZERO, effect: true }
            })
        });
        let result = match odd {
            None => memory.send(request, limits).await,
            Some(Odd { mut result, takes, effect }) => {
                quote(&request, &mut result);
                if let (true, true, Some(cloud)) = (effect, is_delete, &memory.cloud) {
                    let uri = request.uri();
                    let on = uri.path().split('/').nth(4).unwrap_or_default().to_owned();
                    let name = uri.query().unwrap_or_default().trim_start_matches("user_name=").to_owned();
                    cloud.accounts.borrow_mut().remove(&(on, name));
                }
                let result = match result {
                    Ok(_) if takes > limits.call => Err(SendError::CallTimedOut("slow".into())),
                    Ok(_) if takes > limits.first_byte => Err(SendError::FirstByteTimedOut("slow".into())),
                    result => result,
                };
                memory.answers.borrow_mut().push_back((result, takes));
                memory.send(request, limits).await
            }
        };
        if let Some(delivery) = delivery {
            let nothing = self.is_nothing(&result);
            self.world.sends.borrow_mut().entry(delivery).or_default().push(nothing);
        }
        self.moment().await;
        result
    }

    fn labels(&self) -> &RefCell<LogLabels> {
        &self.labels
    }

    fn write_line(&self, line: &str) {
        self.world.memory.write_line(line);
    }
}

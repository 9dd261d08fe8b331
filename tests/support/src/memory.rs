//! The core's runtime in memory: a clock that the test sets, a ledger ([`crate::database`]), answers that the test lines up.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use starrocks_offboard::app::statements;
use starrocks_offboard::host::{
    Answered, Batched, DatabaseKind, Host, Limits, LogLabels, SendError, StoreError, Value,
};
use starrocks_offboard::secret::Secret;

use crate::database::{Database, Rows};

/// `(state, actor, user_name, code, attempts)`
pub type Row = (String, Option<String>, Option<String>, Option<String>, i64);

/// TaurusDB, the platforms and the issuers of keys, in their simplest form.
#[derive(Default)]
pub struct Cloud {
    /// `(instance id, user name)`
    pub accounts: RefCell<BTreeSet<(String, String)>>,
    /// How long a DELETE takes.
    pub takes: Duration,
    /// What other origins answer to a GET, by the beginning of the URL.
    pub published: RefCell<BTreeMap<String, String>>,
    /// What others answer, one after the other; then an empty JSON object.
    pub later_answers: RefCell<VecDeque<String>>,
}

impl Cloud {
    fn answer(&self, request: &http::Request<Bytes>) -> Answered {
        let uri = request.uri();
        let taurusdb = uri.host().is_some_and(|host| host.ends_with("myhuaweicloud.com"));
        let segments: Vec<&str> = uri.path().split('/').collect();
        let (status, body) = match segments.as_slice() {
            [.., instance, "starrocks", "users"] if taurusdb => self.users(instance, request),
            _ if request.method() == http::Method::GET => {
                let url = uri.to_string();
                let published = self.published.borrow();
                let found = published.iter().find(|(known, _)| url.starts_with(known.as_str()));
                found.map_or((404, String::new()), |(_, body)| (200, body.clone()))
            }
            _ => (200, self.later_answers.borrow_mut().pop_front().unwrap_or_else(|| "{}".into())),
        };
        let answer = http::Response::builder().status(status).header("x-request-id", "upstream-1");
        answer.body(Some(Bytes::from(body))).unwrap()
    }

    fn users(&self, instance: &str, request: &http::Request<Bytes>) -> (u16, String) {
        let mut accounts = self.accounts.borrow_mut();
        if request.method() == http::Method::GET {
            let names: Vec<_> = accounts.iter().filter(|(on, _)| on == instance).map(|(_, name)| name).collect();
            let users: Vec<_> = names.iter().map(|name| serde_json::json!({"user_name": name})).collect();
            return (200, serde_json::json!({"user_details": users, "total_count": users.len()}).to_string());
        }
        let query = request.uri().query().unwrap_or_default();
        let user_name = query.split('&').find_map(|pair| pair.strip_prefix("user_name=")).unwrap();
        if accounts.remove(&(instance.to_owned(), user_name.to_owned())) {
            (200, r#"{"result":"SUCCESS"}"#.into())
        } else {
            (400, r#"{"error_code":"DBS.200824","error_msg":"The database account does not exist."}"#.into())
        }
    }
}

/// The statements that one test prepares on PostgreSQL (`tests/story/ledger/statements.rs`).
static LISTED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| statements().collect());

/// A request whose item waits for the statement that it shares with others.
struct Waiting {
    item: Vec<Value>,
    rows: Rc<RefCell<Option<Rows>>>,
}

/// See the module.
pub struct Memory {
    /// Milliseconds since 1970.
    pub now: Cell<i64>,
    /// How much time went by in sleeps and calls; the clock above does not move with it.
    pub elapsed: Cell<Duration>,
    /// Spin variables and their values.
    pub variables: BTreeMap<String, String>,
    /// The ledger's database.
    pub database: Database,
    /// What the operator says of it: that it can be used, unless a test wants it to be refused.
    pub kind: Cell<DatabaseKind>,
    /// The statement that fails next, counted from 1; 0 for none.
    pub fails_at: Cell<usize>,
    /// Before a statement others get their turn, as often as the bits of this say, one after the other.
    pub yields: Cell<u64>,
    /// How many statements were run.
    pub statements: Cell<usize>,
    /// How long each of them takes.
    pub statement_takes: Cell<Duration>,
    /// How many variables were read.
    pub variables_read: Cell<usize>,
    /// What the next calls come to, and how long each takes.
    pub answers: RefCell<VecDeque<(Result<Answered, SendError>, Duration)>>,
    /// Whether statements that may run for several requests at once do so.
    pub gathers: Cell<bool>,
    /// How many items each of those had.
    pub batches: RefCell<Vec<usize>>,
    in_line: RefCell<BTreeMap<&'static str, Vec<Waiting>>>,
    /// The requests that were sent, in order.
    pub sent: RefCell<Vec<http::Request<Bytes>>>,
    /// The lines of the log.
    pub lines: RefCell<Vec<String>>,
    /// Answers what nothing is lined up for.
    pub cloud: Option<Cloud>,
    /// Files of `config/`.
    pub files: BTreeMap<String, String>,
    /// Those of the request that began last: what is under way at once shares them.
    labels: RefCell<LogLabels>,
    random: Cell<u128>,
}

impl Memory {
    /// Creates a host with an empty ledger, these Spin variables and a clock at 2026-06-01T10:00:00Z.
    pub fn new(variables: &[(&'static str, &str)]) -> Self {
        let database = Database::empty();
        Self {
            now: Cell::new(1_780_308_000_000),
            elapsed: Cell::default(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            kind: Cell::new(database.kind()),
            database,
            fails_at: Cell::new(0),
            yields: Cell::new(0),
            statements: Cell::new(0),
            statement_takes: Cell::default(),
            variables_read: Cell::new(0),
            answers: RefCell::default(),
            gathers: Cell::default(),
            batches: RefCell::default(),
            in_line: RefCell::default(),
            sent: RefCell::default(),
            lines: RefCell::default(),
            cloud: None,
            files: BTreeMap::new(),
            labels: RefCell::default(),
            random: Cell::new(1),
        }
    }

    /// Lines up TaurusDB's next answer.
    pub fn will_answer(&self, status: u16, body: &str) {
        self.will_answer_with(status, &[], body);
    }

    /// Adds an answer with these headers to TaurusDB's next ones.
    pub fn will_answer_with(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut answer = http::Response::builder().status(status).header("x-request-id", "upstream-1");
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        let answer = answer.body(Some(Bytes::from(body.to_owned()))).unwrap();
        self.answers.borrow_mut().push_back((Ok(answer), Duration::ZERO));
    }

    /// Makes the next call fail.
    pub fn will_fail(&self, error: SendError) {
        self.answers.borrow_mut().push_back((Err(error), Duration::ZERO));
    }

    /// What was lined up last takes this long.
    pub fn which_takes(&self, duration: Duration) {
        self.answers.borrow_mut().back_mut().expect("something is lined up").1 = duration;
    }

    /// IAM gives this token, good for this many seconds from now.
    pub fn will_issue(&self, token: &str, seconds: i64) {
        let end = DateTime::from_timestamp_millis(self.now.get() + seconds * 1000).unwrap();
        let body = serde_json::json!({"token": {"expires_at": end.to_rfc3339()}}).to_string();
        self.will_answer_with(201, &[("x-subject-token", token)], &body);
    }

    /// The account list has these, and no others.
    pub fn will_list(&self, names: &[&str]) {
        let users: Vec<_> = names.iter().map(|name| serde_json::json!({"user_name": name})).collect();
        self.will_answer(200, &serde_json::json!({"user_details": users, "total_count": users.len()}).to_string());
    }

    /// Methods of what was sent, in order.
    pub fn methods(&self) -> Vec<String> {
        self.sent.borrow().iter().map(|request| request.method().to_string()).collect()
    }

    /// Every row, oldest first.
    pub fn rows(&self) -> Vec<Row> {
        self.database.rows("SELECT state, actor, user_name, code, attempts FROM removals ORDER BY rowid", &[])
    }
}

impl Host for Memory {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now.get()).unwrap()
    }

    fn random(&self) -> u128 {
        // Spread, so that ids differ in their upper bits as real ones do.
        self.random.set(self.random.get().wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15).wrapping_add(1));
        self.random.get()
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        self.variables_read.set(self.variables_read.get() + 1);
        self.variables.get(name).cloned().and_then(Secret::new)
    }

    async fn file(&self, name: &str) -> Option<String> {
        self.files.get(name).cloned()
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        Ok(self.kind.get())
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        let turns = self.yields.get();
        self.yields.set(turns.rotate_right(1));
        if turns & 1 == 1 {
            tokio::task::yield_now().await;
        }
        self.statements.set(self.statements.get() + 1);
        self.elapsed.set(self.elapsed.get() + self.statement_takes.get());
        if self.statements.get() == self.fails_at.get() {
            return Err(StoreError::Failed("the disk is gone".into()));
        }
        if let Database::Postgres(_) = self.database {
            assert!(LISTED.contains(statement), "`app::statements` lacks this one: {statement}");
        }
        self.database.query(statement, parameters)
    }

    async fn query_batched(&self, statement: &'static Batched, item: Vec<Value>) -> Rows {
        if !self.gathers.get() {
            return self.query(statement.one, item).await;
        }
        let rows = Rc::new(RefCell::new(None));
        let waiting = Waiting { item, rows: rows.clone() };
        self.in_line.borrow_mut().entry(statement.one).or_default().push(waiting);
        loop {
            // All others of a test get in line.
            tokio::task::yield_now().await;
            if let Some(rows) = rows.take() {
                return rows;
            }
            let line = |lines: &mut BTreeMap<_, Vec<Waiting>>| {
                statement.batch(lines.entry(statement.one).or_default(), 16, |waiting| &waiting.item)
            };
            let batch = line(&mut self.in_line.borrow_mut());
            self.batches.borrow_mut().push(batch.len());
            let items: Vec<&[Value]> = batch.iter().map(|waiting| waiting.item.as_slice()).collect();
            let all = self.query(statement.many, vec![Batched::parameter(&items)]).await;
            for waiting in &batch {
                waiting.rows.replace(Some(statement.rows_of(&waiting.item, &all)));
            }
        }
    }

    fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }

    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        if let Some(cloud) = self.cloud.as_ref().filter(|_| self.answers.borrow().is_empty()) {
            let answer = cloud.answer(&request);
            let is_slow = request.method() == http::Method::DELETE && cloud.takes > Duration::ZERO;
            self.sent.borrow_mut().push(request);
            if is_slow {
                self.elapsed.set(self.elapsed.get() + cloud.takes);
                // A future that waits for this time gets its turn.
                tokio::task::yield_now().await;
            }
            return Ok(answer);
        }
        self.sent.borrow_mut().push(request);
        let (answer, takes) = self.answers.borrow_mut().pop_front().expect("the test lined up no answer");
        if takes > Duration::ZERO {
            self.elapsed.set(self.elapsed.get() + takes.min(limits.call));
            // A future that waits for this time gets its turn.
            tokio::task::yield_now().await;
        }
        answer
    }

    fn labels(&self) -> &RefCell<LogLabels> {
        &self.labels
    }

    fn write_line(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}

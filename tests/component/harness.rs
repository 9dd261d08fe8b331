//! The built component on the local runtime, beside a simulated TaurusDB, with a clock that the test sets.
//!
//! Every gateway has its own ports, folder and ledger, so tests neither wait for each other nor depend on their order. The
//! component itself is built and compiled once in the test process (`Runtime::start` sees to it).
//!
//! What must hold of every answer and every log, whatever a test is about, is asserted here once.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use local::later::{LaterChannel, Posted};
use local::logs::Logs;
use local::runtime::{Clock, Options, Runtime};
use local::simulator::{AccessKey, Answer as Upstream, Simulator, SimulatorOptions, demo};
use local::sqlite::Database;
use local::{component, http as client};
use rusqlite::OpenFlags;
use serde::Deserialize;
use serde_json::Value;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::policy::prepared::PREPARED;
use support::planned::{Planned, SIMULATOR};
use tempfile::TempDir;

use crate::ask::{Ask, Kind, PORTAL_SECRET, SLACK_SECRET, WEBHOOK_SECRET, Way, Who};

/// 2026-06-01T10:00:00Z, in milliseconds: what the clocks say at first.
pub(crate) const START: i64 = 1_780_308_000_000;

/// A lookout for what never comes. Nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How a gateway differs from the demonstration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Setup {
    pub(crate) variables: BTreeMap<String, String>,
    /// Changes to the files of `config/`.
    pub(crate) replace: Vec<Replace>,
    /// What TaurusDB answers, instead of what it would.
    pub(crate) upstream: Vec<Planned>,
    /// What the simulated cloud does wrong, in the words of `serve --fault`.
    pub(crate) faults: Vec<String>,
    /// Makes the simulated TaurusDB's access key a temporary one, with this token.
    pub(crate) security_token: Option<String>,
    /// People in a chat are asked whether they mean it, as the demonstration's are. Most tests are about what comes then.
    pub(crate) confirm: bool,
    /// The clocks are this machine's: for clients that cannot be told the time.
    pub(crate) real_time: bool,
    /// Instead of the demonstration's configuration and variables of its callers.
    #[serde(skip)]
    pub(crate) kind: Option<Arc<support::kind::Setup>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replace {
    pub(crate) file: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Setup {
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn replace(mut self, file: &str, from: &str, to: &str) -> Self {
        self.replace.push(Replace { file: file.into(), from: from.into(), to: to.into() });
        self
    }
}

impl Setup {
    /// With these lines in `[limits]`.
    pub(crate) fn limits(self, lines: &str) -> Self {
        self.replace("offboard.toml", "[taurusdb]", &format!("[limits]\n{lines}\n\n[taurusdb]"))
    }

    /// With these credentials for TaurusDB: what stands for `"aksk"`, and maybe lines below it.
    pub(crate) fn credentials(self, lines: &str) -> Self {
        self.replace("offboard.toml", "credentials = \"aksk\"", &format!("credentials = {lines}"))
    }

    /// With a cloud that does this wrong.
    pub(crate) fn fault(mut self, rule: &str) -> Self {
        self.faults.push(rule.into());
        self
    }
}

impl Setup {
    /// With an id for each `ask::Who` at every caller.
    pub(crate) fn people(self) -> Self {
        let hooks = ["it", "crm"].map(|name| {
            format!(
                "[[caller]]\nname = \"{name}\"\nkind = \"standard-webhooks\"\nsecrets = [\"hr_webhook_secret\"]\n\n"
            )
        });
        let keys =
            [2, 3].map(|key| format!(", {{ id = \"HPUAPORTALKEY000000{key}\", secret = \"portal_secret_key\" }}"));
        let colleague = Kind::ALL.map(|kind| format!("\"{}\", ", Who::Colleague.principal(kind))).concat();
        self.replace("offboard.toml", "members = [", &format!("members = [{colleague}"))
            .replace("offboard.toml", "[accounts]", &format!("{}[accounts]", hooks.concat()))
            .replace(
                "offboard.toml",
                "secret = \"portal_secret_key\" }",
                &format!("secret = \"portal_secret_key\" }}{}", keys.concat()),
            )
    }
}

impl Setup {
    /// The simulated TaurusDB, with its faults and its next answers.
    async fn simulator(&self) -> Simulator {
        let mut simulated = SimulatorOptions {
            clock: if self.real_time { SystemTime::now } else { start_of_time },
            ..SimulatorOptions::demo()
        };
        if let Some(token) = &self.security_token {
            simulated.access_keys = vec![AccessKey {
                id: demo::ACCESS_KEY.into(),
                secret: demo::SECRET_KEY.into(),
                security_token: Some(token.clone()),
            }];
        }
        let simulator = Simulator::start(simulated).await.unwrap();
        for fault in &self.faults {
            simulator.fault(fault.parse().unwrap());
        }
        for planned in &self.upstream {
            planned.line_up(&simulator);
        }
        simulator
    }

    /// Spin variables and their values.
    fn variables(&self, simulator: &Simulator) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from(
            [
                ("huaweicloud_access_key", demo::ACCESS_KEY),
                ("huaweicloud_secret_key", demo::SECRET_KEY),
                ("slack_signing_secret", SLACK_SECRET),
                ("hr_webhook_secret", WEBHOOK_SECRET),
                ("portal_secret_key", PORTAL_SECRET),
                ("taurusdb_endpoint", SIMULATOR),
                ("huaweicloud_user", demo::IAM_USER),
                ("huaweicloud_password", demo::IAM_PASSWORD),
                ("huaweicloud_domain", demo::IAM_DOMAIN),
                ("iam_endpoint", SIMULATOR),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        variables.extend(self.variables.clone());
        for value in variables.values_mut() {
            *value = value.replace(SIMULATOR, &simulator.endpoint());
        }
        variables
    }

    /// Writes offboard.toml and the policies.
    fn write_config(&self, config: &Path, simulator: &Simulator) {
        for name in ["offboard.toml", "policy.cedar", "schema.cedarschema"] {
            let own = self.kind.as_ref().filter(|_| name == "offboard.toml").map(|kind| kind.offboard.clone());
            let mut text = own.unwrap_or_else(|| demo_file(name)).replace(SIMULATOR, &simulator.endpoint());
            for Replace { from, to, .. } in self.replace.iter().filter(|change| change.file == name) {
                assert!(text.contains(from), "config/{name} has no {from:?} to replace");
                text = text.replacen(from, &to.replace(SIMULATOR, &simulator.endpoint()), 1);
            }
            let is_slow = self.kind.as_ref().is_some_and(|kind| kind.slow);
            if name == "offboard.toml" && !is_slow && !text.contains("\n[limits]") {
                // A machine that is busy with other tests is no slow TaurusDB. At the end, where it moves no line.
                text += "\n[limits]\nearly_answer_ms = 30000\n";
            }
            if name == "offboard.toml" && !self.confirm {
                text = text.replacen("kind = \"slack\" ", "confirm = false\nkind = \"slack\" ", 1);
            }
            fs::write(config.join(name), text).unwrap();
        }
        // It is of these two, so that what the demonstration's policies decide is decided without a parser.
        if self.replace.iter().all(|change| change.file == "offboard.toml") {
            fs::write(config.join(PREPARED), demo_file(PREPARED)).unwrap();
        }
    }
}

/// Puts the variables, files and origins of a caller of this kind in place of those of the demonstration's callers.
fn play_kind(
    kind: &support::kind::Setup,
    config: &Path,
    variables: &mut BTreeMap<String, String>,
    later: &LaterChannel,
    stand_ins: &mut BTreeMap<String, String>,
) {
    variables.retain(|name, _| ["huaweicloud", "taurusdb", "iam"].iter().any(|of| name.starts_with(of)));
    variables.extend(kind.variables.clone());
    for (name, text) in &kind.files {
        fs::write(config.join(name), text).unwrap();
    }
    for body in &kind.later_answers {
        later.on_next(Upstream::http(StatusCode::OK, "application/json", body.clone()));
    }
    for (url, body) in &kind.published {
        let url: http::Uri = url.parse().unwrap();
        stand_ins.insert(format!("https://{}", url.authority().unwrap()), later.stand_in().1);
        later.publish(url.path(), body);
    }
    stand_ins.extend(kind.later.iter().map(|origin| (origin.clone(), later.stand_in().1)));
}

/// [`START`], for the simulated TaurusDB. Its clock stands still; it takes signatures of 15 minutes before and after.
pub(crate) fn start_of_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(START.unsigned_abs())
}

/// A running gateway. Dropping it asserts that nothing went wrong behind the answers.
pub(crate) struct Gateway {
    runtime: Option<Runtime>,
    pub(crate) options: Options,
    pub(crate) address: SocketAddr,
    pub(crate) simulator: Arc<Simulator>,
    /// Stands in for hooks.slack.com.
    pub(crate) later: Arc<LaterChannel>,
    pub(crate) logs: Logs,
    /// Milliseconds since 1970.
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) ledger: PathBuf,
    _folder: Arc<TempDir>,
}

/// What outlives a process.
#[derive(Clone)]
struct Cloud {
    simulator: Arc<Simulator>,
    later: Arc<LaterChannel>,
    clock: Arc<AtomicI64>,
    folder: Arc<TempDir>,
}

/// The demo configuration, as it is in the repository.
pub(crate) fn demo_file(name: &str) -> String {
    fs::read_to_string(component::root().join("config").join(name)).unwrap()
}

impl Gateway {
    pub(crate) async fn start(setup: Setup) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = folder.path().join("ledger/state.db");
        Self::start_with(setup, folder, ledger).await
    }

    /// Starts a gateway with the configuration of a caller of this kind.
    pub(crate) async fn start_as(kind: support::kind::Setup) -> Self {
        let mut faults = kind.simulator.faults.clone();
        if kind.slow {
            faults.push(format!("delete:latency={}ms", support::kind::SLOWLY.as_millis()));
        }
        let mut setup = Setup { faults, confirm: true, ..Setup::default() };
        setup.upstream.clone_from(&kind.simulator.answers);
        setup.security_token.clone_from(&kind.simulator.security_token);
        for (from, to) in &kind.replace_policy {
            setup = setup.replace("policy.cedar", from, to);
        }
        setup.kind = Some(Arc::new(kind));
        Self::start(setup).await
    }

    /// Starts a gateway with the ledger in this file. `folder` is kept as long as the gateway.
    pub(crate) async fn start_with(setup: Setup, folder: TempDir, ledger: PathBuf) -> Self {
        let simulator = setup.simulator().await;
        let later = LaterChannel::start().await.unwrap();
        let config = folder.path().join("config");
        fs::create_dir(&config).unwrap();
        let (mut variables, mut stand_ins) = (setup.variables(&simulator), BTreeMap::from([later.stand_in()]));
        if let Some(kind) = &setup.kind {
            play_kind(kind, &config, &mut variables, &later, &mut stand_ins);
        }
        setup.write_config(&config, &simulator);
        let clock = Arc::new(AtomicI64::new(START));
        let options = Options {
            config: Some(config),
            database: Database::File(ledger.clone()),
            variables,
            clock: if setup.real_time { Clock::System } else { Clock::Fixed(clock.clone()) },
            logs: Logs::captured(),
            stand_ins,
            ..Options::default()
        };
        let cloud = Cloud { simulator: Arc::new(simulator), later: Arc::new(later), clock, folder: Arc::new(folder) };
        Self::run(options, cloud, ledger).await
    }

    async fn run(options: Options, cloud: Cloud, ledger: PathBuf) -> Self {
        let runtime = Runtime::start(options.clone()).await.unwrap_or_else(|error| panic!("{error:#}"));
        let (address, logs) = (runtime.address(), options.logs.clone());
        let Cloud { simulator, later, clock, folder } = cloud.clone();
        Self { runtime: Some(runtime), options, address, simulator, later, logs, clock, ledger, _folder: folder }
    }

    fn cloud(&self) -> Cloud {
        Cloud {
            simulator: self.simulator.clone(),
            later: self.later.clone(),
            clock: self.clock.clone(),
            folder: self._folder.clone(),
        }
    }

    /// One more process on the same configuration, ledger and TaurusDB.
    pub(crate) async fn another(&self) -> Self {
        Self::run(self.options.clone(), self.cloud(), self.ledger.clone()).await
    }

    /// The same, with another value of a variable.
    pub(crate) async fn another_with(&self, variable: &str, value: &str) -> Self {
        let mut options = self.options.clone();
        options.variables.insert(variable.into(), value.into());
        Self::run(options, self.cloud(), self.ledger.clone()).await
    }

    /// The process ends in good order.
    pub(crate) async fn stop(&mut self) {
        self.runtime.take().expect("it runs").stop().await;
    }

    /// The process is gone in the middle of whatever it did.
    pub(crate) fn kill(&mut self) {
        self.runtime.take().expect("it runs");
    }

    /// A file of the configuration.
    pub(crate) fn config(&self, file: &str) -> PathBuf {
        self.options.config.as_ref().expect("set at the start").join(file)
    }

    /// Changes a file of the configuration; a running process has read it already.
    pub(crate) fn reconfigure(&self, file: &str, from: &str, to: &str) {
        let path = self.config(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "config/{file} has no {from:?} to replace");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// The kind of this caller of offboard.toml.
    pub(crate) fn kind_of(&self, caller: &str) -> String {
        let text = fs::read_to_string(self.config("offboard.toml")).unwrap();
        let config = Config::parse(&text, &callers::shapes()).unwrap();
        config.caller(caller).unwrap().kind.clone()
    }

    /// The gateway's clock, in seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed).div_euclid(1000)
    }

    pub(crate) fn advance(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Sends it signed at this moment, as a caller of this kind.
    pub(crate) async fn ask(&self, kind: Kind, ask: &Ask) -> Answer {
        self.send(ask.wire(kind, &self.address.to_string(), self.now()).request()).await
    }

    /// A second later, somebody says something, and what they hear of it: for a button, that is posted.
    pub(crate) async fn hears(&self, way: Way, ask: &Ask) -> Answer {
        self.advance(1000);
        let answer = self.ask(way.kind(), ask).await;
        if way != Way::Button {
            return answer;
        }
        assert_eq!(answer.json(), serde_json::json!({}));
        Answer::posted(&self.told_at(&ask.response_url).await)
    }

    /// What was posted to this URL of Slack's first.
    pub(crate) async fn told_at(&self, url: &str) -> Posted {
        let mut posted = self.later.posted();
        loop {
            if let Some(found) = posted.iter().find(|posted| url.ends_with(&posted.path)) {
                return found.clone();
            }
            let more = self.later.received(posted.len() + 1);
            posted = tokio::time::timeout(PATIENCE, more).await.expect("a message in time");
        }
    }

    pub(crate) async fn send(&self, request: http::Request<Bytes>) -> Answer {
        send(self.address, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(http::Request::get(path).body(Bytes::new()).unwrap()).await
    }

    /// Sends bytes as they are, and reads one answer.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Answer {
        Answer::parse(&client::send_bytes(self.address, bytes).await.unwrap())
    }

    /// Every row of the ledger, in the order in which they were written.
    pub(crate) fn rows(&self) -> Vec<Row> {
        if !self.ledger.exists() {
            return Vec::new();
        }
        let ledger = rusqlite::Connection::open_with_flags(&self.ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        if !ledger.table_exists(None, "removals").unwrap() {
            // Nobody has asked anything yet.
            return Vec::new();
        }
        let mut statement = ledger.prepare("SELECT * FROM removals ORDER BY rowid").unwrap();
        let rows = statement.query_map([], |row| {
            Ok(Row {
                id: row.get("id")?,
                delivery: row.get("delivery")?,
                state: row.get("state")?,
                asked_at: row.get("asked_at")?,
                ended_at: row.get("ended_at")?,
                caller: row.get("caller")?,
                kind: row.get("kind")?,
                actor: row.get("actor")?,
                instance: row.get("instance")?,
                user_name: row.get("user_name")?,
                reason: row.get("reason")?,
                policies: row.get("policies")?,
                attempts: row.get("attempts")?,
                status: row.get("status")?,
                code: row.get("code")?,
                message: row.get("message")?,
                request_id: row.get("request_id")?,
                confirmed_by: row.get("confirmed_by")?,
                reference: row.get("reference")?,
                expires_at: row.get("expires_at")?,
                dry_run: row.get("dry_run")?,
            })
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The ledger's only row.
    pub(crate) fn row(&self) -> Row {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }

    /// The row of what waits, or waited, under this reference.
    pub(crate) fn waiting(&self, reference: &str) -> Row {
        let mut rows = self.rows();
        rows.retain(|row| row.reference.as_deref() == Some(reference));
        assert_eq!(rows.len(), 1, "{reference} {rows:#?}");
        rows.remove(0)
    }

    /// `(user_name, state)` of every row.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        self.rows().into_iter().map(|row| (row.user_name.unwrap_or_default(), row.state)).collect()
    }

    /// Runs SQL on the ledger, as somebody with access to the file could.
    pub(crate) fn tamper(&self, sql: &str) {
        rusqlite::Connection::open(&self.ledger).unwrap().execute_batch(sql).unwrap();
    }

    /// The DELETEs that reached TaurusDB.
    pub(crate) fn deletes(&self) -> usize {
        self.simulator.requests().iter().filter(|seen| seen.method == http::Method::DELETE).count()
    }

    /// The accounts of the demo instance.
    pub(crate) fn has_account(&self, user_name: &str) -> bool {
        self.simulator.accounts(demo::INSTANCE_ID).contains(user_name)
    }

    /// The lines about requests, as JSON.
    pub(crate) fn request_lines(&self) -> Vec<Value> {
        let lines = self.logs.lines();
        lines.iter().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.logs.lines().join("\n"));
            return;
        }
        assert_eq!(self.simulator.alarms(), [""; 0], "what must never reach TaurusDB did");
        for line in self.logs.lines() {
            let trapped = ["an instance of the component failed", "the component failed to answer", "panicked at"];
            assert!(!trapped.iter().any(|sign| line.contains(sign)), "{line}");
        }
    }
}

/// Sends a request; what comes back is an answer of the gateway's, or the test fails.
pub(crate) async fn send(address: SocketAddr, request: http::Request<Bytes>) -> Answer {
    try_send(address, request).await.unwrap()
}

/// The same; an error when the process is gone before it has answered.
pub(crate) async fn try_send(address: SocketAddr, request: http::Request<Bytes>) -> anyhow::Result<Answer> {
    let response = tokio::time::timeout(PATIENCE, client::send(address, request)).await.expect("an answer in time");
    let (parts, body) = response?.into_parts();
    let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
    answer.assert_sound();
    Ok(answer)
}

/// What `GET /removals/{id}` tells of a removal, each time.
const RECORD: [&str; 22] = [
    "actor",
    "approvals",
    "asked_at",
    "attempts",
    "caller",
    "code",
    "confirmed_by",
    "dry_run",
    "ended_at",
    "expires_at",
    "id",
    "instance",
    "kind",
    "message",
    "milliseconds",
    "policies",
    "reason",
    "reference",
    "request_id",
    "state",
    "status",
    "user_name",
];

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads an answer with a Content-Length from its bytes; what follows it is not looked at.
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, _) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        // Raw requests ask for it, so that the answer has an end.
        headers.remove("connection");
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        let body = bytes[head.len() + 4..][..length].to_vec().into();
        let answer = Self { status, headers, body };
        answer.assert_sound();
        answer
    }

    /// What holds of every answer of the gateway's: it says how long it is, what it is and which request it was, in JSON of
    /// one of the known forms, and carries no header of whoever stands behind.
    pub(crate) fn assert_sound(&self) {
        let known = [
            "allow",
            "content-length",
            "content-type",
            "date",
            "retry-after",
            "x-offboard-code",
            "x-offboard-confirmed-by",
            "x-offboard-policy",
            "x-offboard-reference",
            "x-offboard-removal",
            "x-request-id",
        ];
        for name in self.headers.keys() {
            assert!(known.contains(&name.as_str()), "{self:?}");
            assert_eq!(self.headers.get_all(name).iter().count(), 1, "{self:?}");
        }
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.header("content-length"), Some(self.body.len().to_string().as_str()), "{self:?}");
        assert!(self.header("x-request-id").is_some(), "{self:?}");

        let body = self.json();
        let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        match keys[..] {
            _ if keys == RECORD => assert_eq!(self.status, 200, "{self:?}"),
            ["result"] => assert_eq!((self.status, &body["result"]), (200, &"SUCCESS".into()), "{self:?}"),
            ["error_code", "error_msg"] => assert!(self.status >= 400, "{self:?}"),
            ["account", "policies", "result", "would"] => {
                assert_eq!((self.status, &body["result"]), (200, &"DRY_RUN".into()), "{self:?}");
            }
            ["approvals"] | ["help"] => assert_eq!(self.status, 200, "{self:?}"),
            // The answer to a click: what people see is posted.
            [] => assert_eq!(self.status, 200, "{self:?}"),
            ["blocks", "response_type", "text"] => {
                // What somebody else has to approve has to be seen by them.
                let seen_by = if self.code_header() == Some("OFFBOARD.40904") { "in_channel" } else { "ephemeral" };
                assert_eq!((self.status, &body["response_type"]), (200, &seen_by.into()), "{self:?}");
                assert_eq!(body["blocks"][0]["text"]["text"], body["text"], "{self:?}");
            }
            // /healthz
            ["config", "policy", "status", "version"] | ["reason", "status", "version"] => return,
            _ => panic!("a body of unknown form: {self:?}"),
        }
        // What a kind answers by itself (`help`) has no outcome.
        let outcome = self.header("x-offboard-removal").map(|_| self.code());
        assert_eq!(self.header("x-offboard-code"), outcome.as_deref(), "{self:?}");
    }

    /// What was posted later, as if it had been the answer.
    pub(crate) fn posted(posted: &Posted) -> Self {
        Self { status: 200, headers: HeaderMap::new(), body: posted.body.to_string().into() }
    }

    fn code_header(&self) -> Option<&str> {
        self.header("x-offboard-code")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether it is said in words, for people.
    pub(crate) fn is_in_words(&self) -> bool {
        self.json().get("response_type").is_some()
    }

    /// The words, for people.
    pub(crate) fn text(&self) -> String {
        self.json()["text"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// `SUCCESS` or the error code, whatever form it has. For an answer in words: what stands in its last brackets.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        if let Some(result) = body.get("result") {
            return result.as_str().unwrap().into();
        }
        if let Some(code) = body.get("error_code") {
            return code.as_str().unwrap().into();
        }
        let text = self.text();
        // Below it stand who asked, what decided, and the request's id.
        let sentence = text.split("\n_").next().unwrap();
        let sentence = sentence.split(" That means: ").next().unwrap().split("这表示：").next().unwrap();
        let sentence = sentence.trim_end_matches(['.', '。']);
        if sentence.starts_with("✅ ") {
            return "SUCCESS".into();
        }
        let code = sentence.strip_suffix([')', '）']).and_then(|rest| rest.rsplit(['(', '（']).next());
        code.unwrap_or_else(|| panic!("no code in {text:?}")).into()
    }

    /// Whether it tells a person that the account was not there.
    pub(crate) fn was_not_there(&self) -> bool {
        self.is_in_words() && self.text().starts_with("ℹ️ ")
    }

    /// Why not: the message, whatever form it has.
    pub(crate) fn says(&self, message: &str) -> bool {
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if self.is_in_words() { self.text().contains(&escaped) } else { self.json()["error_msg"] == message }
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) delivery: Option<String>,
    pub(crate) state: String,
    pub(crate) asked_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) caller: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) policies: String,
    pub(crate) attempts: i64,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) confirmed_by: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) dry_run: bool,
}

/// The status that a code of the gateway's own stands for: `OFFBOARD.<status><nn>`.
pub(crate) fn status_of(code: &str) -> u16 {
    match code.strip_prefix("OFFBOARD.") {
        Some(digits) => digits[..3].parse().unwrap(),
        None => panic!("{code} is not a code of the gateway's own"),
    }
}

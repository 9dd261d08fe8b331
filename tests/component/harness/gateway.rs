//! The built component on the local runtime, beside a simulated TaurusDB, with a clock that the test sets.
//!
//! Every gateway has its own ports, folder and ledger, so tests neither wait for each other nor depend on their order. The
//! component itself is built and compiled once in the test process (`Runtime::start` sees to it).

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use bytes::Bytes;
use local::http_client as client;
use local::runtime::database::Database;
use local::runtime::logs::Logs;
use local::runtime::options::{Clock, Options};
use local::runtime::server::Runtime;
use local::simulator::chat_platform::{ChatPlatform, Posted};
use local::simulator::demo;
use local::simulator::server::Simulator;
use serde_json::Value;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use tempfile::TempDir;

use crate::harness::answer::{Answer, PATIENCE, send};
use crate::harness::openapi::Asked;
use crate::harness::requests::{Ask, Kind, Way};
use crate::harness::row::Row;
use crate::harness::setup::{START, Setup, play_kind};
use crate::harness::store::Store;

/// A running gateway. Dropping it asserts that nothing went wrong behind the answers.
pub(crate) struct Gateway {
    runtime: Option<Runtime>,
    pub(crate) options: Options,
    pub(crate) address: SocketAddr,
    pub(crate) simulator: Arc<Simulator>,
    /// Stands in for hooks.slack.com.
    pub(crate) later: Arc<ChatPlatform>,
    pub(crate) logs: Logs,
    /// Milliseconds since 1970.
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) ledger: Store,
    component: Option<PathBuf>,
    /// How many requests of [`Gateway::send`] wait for their answer.
    under_way: AtomicUsize,
    _folder: Arc<TempDir>,
}

/// What outlives a process.
#[derive(Clone)]
struct Cloud {
    simulator: Arc<Simulator>,
    later: Arc<ChatPlatform>,
    clock: Arc<AtomicI64>,
    folder: Arc<TempDir>,
    /// The component's file; without, the one that spin.toml names.
    component: Option<PathBuf>,
}

impl Gateway {
    pub(crate) async fn start(setup: Setup) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = folder.path().join("ledger/state.db");
        Self::start_with(setup, folder, Store::new(ledger)).await
    }

    /// Starts a gateway with the ledger in a database of PostgreSQL.
    pub(crate) async fn start_on(store: Store, setup: Setup) -> Self {
        Self::start_with(setup, TempDir::new().unwrap(), store).await
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

    /// Starts a gateway with its ledger there. `folder` is kept as long as the gateway.
    pub(crate) async fn start_with(setup: Setup, folder: TempDir, ledger: Store) -> Self {
        Self::start_component(setup, folder, ledger, None).await
    }

    /// Starts a gateway of this component, each of whose instances takes `requests` requests.
    pub(crate) async fn start_file(component: PathBuf, setup: Setup, requests: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = folder.path().join("ledger/state.db");
        let mut gateway = Self::start_component(setup, folder, Store::new(ledger), Some(component)).await;
        gateway.options.reuse.requests = requests;
        gateway.another().await
    }

    async fn start_component(setup: Setup, folder: TempDir, ledger: Store, component: Option<PathBuf>) -> Self {
        let simulator = setup.simulator().await;
        let later = ChatPlatform::start().await.unwrap();
        let config = folder.path().join("config");
        fs::create_dir(&config).unwrap();
        let mut variables = setup.variables(&simulator);
        let mut stand_ins = BTreeMap::from([later.stand_in()]);
        stand_ins.extend(setup.stand_ins.clone());
        if let Some(kind) = &setup.kind {
            play_kind(kind, &config, &mut variables, &later, &mut stand_ins);
        }
        setup.write_config(&config, &simulator);
        for (name, value) in ledger.variables(None) {
            variables.entry(name).or_insert(value);
        }
        let clock = Arc::new(AtomicI64::new(START));
        let options = Options {
            spin_toml: setup.kind.as_ref().and_then(|kind| kind.spin_toml.clone()),
            config: Some(config),
            database: match &ledger {
                Store::Sqlite(file) => Database::File(file.clone()),
                Store::Postgres(_) => Database::Memory,
            },
            variables,
            clock: if setup.real_time { Clock::System } else { Clock::Fixed(clock.clone()) },
            logs: Logs::captured(),
            stand_ins,
            ..Options::default()
        };
        let (simulator, later, folder) = (Arc::new(simulator), Arc::new(later), Arc::new(folder));
        let cloud = Cloud { simulator, later, clock, folder, component };
        Self::run(options, cloud, ledger).await
    }

    async fn run(options: Options, cloud: Cloud, ledger: Store) -> Self {
        let Cloud { simulator, later, clock, folder, component } = cloud;
        let runtime = match &component {
            Some(path) => Runtime::start_component(path, options.clone()).await,
            None => Runtime::start(options.clone()).await,
        };
        let runtime = runtime.unwrap_or_else(|error| panic!("{error:#}"));
        let (address, logs) = (runtime.address(), options.logs.clone());
        let (runtime, _folder) = (Some(runtime), folder);
        let under_way = AtomicUsize::new(0);
        Self { runtime, options, address, simulator, later, logs, clock, ledger, component, under_way, _folder }
    }

    fn cloud(&self) -> Cloud {
        Cloud {
            simulator: self.simulator.clone(),
            later: self.later.clone(),
            clock: self.clock.clone(),
            folder: self._folder.clone(),
            component: self.component.clone(),
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

    /// Drops the process in the middle of its work.
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

    /// Sends a request a second later and returns what its sender is told: for a button, the message that is posted.
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

    /// Sends a request. If the answer is an outcome and no other request is under way, the work behind it is done when this
    /// returns: the outcome of a DELETE is written after the answer.
    pub(crate) async fn send(&self, request: http::Request<Bytes>) -> Answer {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        let answer = send(self.address, request).await;
        let others = self.under_way.fetch_sub(1, Ordering::AcqRel) - 1;
        if others == 0 && answer.header("x-offboard-removal").is_some() {
            self.settled().await;
        }
        answer
    }

    /// Waits until the work behind all answers is done.
    pub(crate) async fn settled(&self) {
        if let Some(runtime) = &self.runtime {
            tokio::time::timeout(PATIENCE, runtime.settled()).await.expect("the work behind the answers ends in time");
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(http::Request::get(path).body(Bytes::new()).unwrap()).await
    }

    /// Sends bytes as they are, and reads one answer.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let answer =
            Answer::parse(Asked::parse(bytes).as_ref(), &client::send_bytes(self.address, bytes).await.unwrap());
        self.settled().await;
        answer
    }

    /// Every row of the ledger, in the order in which they were written.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.ledger.rows()
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

    /// Runs SQL on the ledger, as an operator with access to the file could.
    pub(crate) fn tamper(&self, sql: &str) {
        self.ledger.tamper(sql);
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

/// Waits until the work behind all answers of these gateways is done.
pub(crate) async fn settled<const N: usize>(gateways: [&Gateway; N]) {
    for gateway in gateways {
        gateway.settled().await;
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

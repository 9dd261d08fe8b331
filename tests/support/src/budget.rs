//! What one removal costs, counted on a metered runtime: for the budget of the tests, and for the benchmarks' table.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::DateTime;
use local::component::build;
use local::demo::callers::caller;
use local::demo::demo_caller::{DemoCaller, DemoRequest};
use local::demo::settings;
use local::http_client;
use local::manifest::Manifest;
use local::repository;
use local::runtime::database::Database;
use local::runtime::logs::Logs;
use local::runtime::meter::{Counts, Meter};
use local::runtime::options::{Options, Reuse};
use local::runtime::server::Runtime;
use local::simulator::demo;
use local::simulator::options::SimulatorOptions;
use local::simulator::server::Simulator;
use starrocks_offboard::app::Texts;
use starrocks_offboard::config::Config;
use tempfile::TempDir;

use crate::bench_files::Files;

/// An instance of the demonstration, and two of its accounts.
const INSTANCE: &str = "analytics";
const ACCOUNTS: [&str; 2] = ["alice", "bob"];

/// A caller, and the instance of the component that its request meets.
#[derive(Clone, Copy)]
pub struct Case {
    caller: &'static DemoCaller,
    is_fresh: bool,
}

impl Case {
    /// Returns the cases: each demo caller at a fresh instance, and at one that has removed an account before.
    ///
    /// # Errors
    ///
    /// If the demonstration has other callers.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let mut cases = Vec::new();
        for name in ["slack", "portal", "hr"] {
            cases.extend([true, false].map(|is_fresh| (name, is_fresh)));
        }
        cases.into_iter().map(|(name, is_fresh)| Ok(Self { caller: caller(name)?, is_fresh })).collect()
    }

    /// Returns the caller's kind and the instance's age.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.caller.kind, if self.is_fresh { "fresh" } else { "reused" })
    }
}

/// The component, baked with a configuration that asks no requester to confirm.
pub struct Budget {
    component: PathBuf,
    folder: TempDir,
    config: Config,
}

impl Budget {
    /// Builds the component.
    ///
    /// # Errors
    ///
    /// If it cannot be built or baked.
    pub fn build() -> anyhow::Result<Self> {
        let mut files = Files::sized(1, 0)?;
        // On a busy machine, a chat platform would be answered early otherwise, and again when the removal is done.
        files.offboard.push_str("\n[limits]\nearly_answer_ms = 30000\n");
        let folder = TempDir::new()?;
        files.write(folder.path())?;
        let config = files.config()?;
        let component = repository::root().join("target/offboard/budget.wasm");
        let texts = Texts { offboard: files.offboard, policy: files.policy, schema: files.schema };
        build::bake_file(&build::component()?.unbaked, &texts, &component)?;
        Ok(Self { component, folder, config })
    }

    /// Removes an account, and returns what a second removal costs: by then, there are a ledger and a connection to TaurusDB.
    ///
    /// # Errors
    ///
    /// If the component cannot be started, or an account is not removed.
    pub async fn measure(&self, case: Case) -> anyhow::Result<Counts> {
        let simulator = Simulator::start(SimulatorOptions::demo()).await?;
        let manifest = Manifest::read(&repository::root().join("spin.toml"))?;
        let mut variables = settings::variables(&manifest);
        variables.extend(settings::endpoints(&manifest, &simulator));
        let ledger = TempDir::new()?;
        let (meter, logs) = (Meter::new(), Logs::captured());
        let requests = if case.is_fresh { 1 } else { 128 };
        let options = Options {
            config: Some(self.folder.path().to_owned()),
            database: Database::File(ledger.path().join("state.db")),
            variables,
            reuse: Reuse { requests, concurrent: 1, idle: Duration::from_secs(60) },
            logs: logs.clone(),
            meter: Some(meter.clone()),
            ..Options::default()
        };
        let runtime = Runtime::start_component(&self.component, options).await?;
        let mut counts = Counts::default();
        for (number, account) in ACCOUNTS.into_iter().enumerate() {
            self.remove(case.caller, account, &runtime, number as u64).await?;
            ensure!(
                !simulator.accounts(demo::INSTANCE_ID).contains(account),
                "{}: `{account}` was not removed:\n{}",
                case.name(),
                logs.lines().join("\n")
            );
            runtime.settled().await;
            counts = meter.take();
        }
        runtime.stop().await;
        Ok(counts)
    }

    async fn remove(&self, caller: &DemoCaller, account: &str, runtime: &Runtime, nonce: u64) -> anyhow::Result<()> {
        let address = runtime.address();
        let text = match caller.kind {
            "slack" => format!("{account} {INSTANCE} left the company"),
            "api" => account.to_owned(),
            _ => format!("{account} left the company"),
        };
        let request = caller.request(&DemoRequest {
            text: &text,
            instance: INSTANCE,
            config: &self.config,
            id: caller.id.unwrap_or_default(),
            secret: caller.secret,
            host: &address.to_string(),
            now: DateTime::from(std::time::SystemTime::now()),
            nonce,
        })?;
        let answer = http_client::send(address, request).await.context("the gateway did not answer")?;
        ensure!(answer.status() == 200, "{}: {answer:?}", caller.kind);
        Ok(())
    }
}

//! The local runtime in a process of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use local::demo::settings;
use local::manifest::Manifest;
use local::repository;
use local::runtime::database::Database;
use local::runtime::options::{Options, Reuse};
use local::runtime::server::Runtime;
use tokio::process::Command;

use super::floor::ledgers;
use super::process::{Process, own_part};
use super::requests::Folder;
use super::upstream::Upstream;

/// What is served, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// The component.
    #[arg(long)]
    pub(crate) component: PathBuf,
    /// The folder that it sees as /config.
    #[arg(long)]
    pub(crate) config: PathBuf,
    /// Where TaurusDB is.
    #[arg(long)]
    pub(crate) upstream: String,
    /// The ledger's file; without, one that ends with the process.
    #[arg(long)]
    pub(crate) database: Option<PathBuf>,
    /// The address of the ledger's PostgreSQL server, instead of a file.
    #[arg(long)]
    pub(crate) ledger: Option<String>,
    /// More variables, as NAME=VALUE.
    #[arg(long = "variable")]
    pub(crate) variables: Vec<String>,
    /// How many requests an instance takes in its life.
    #[arg(long, default_value_t = 128)]
    pub(crate) requests: usize,
    /// How many at once.
    #[arg(long, default_value_t = 16)]
    pub(crate) concurrent: usize,
    /// How long an instance waits for another one, in seconds.
    #[arg(long, default_value_t = 1)]
    pub(crate) idle: u64,
}

/// With a ledger of its own, and instances as Spin uses them.
impl Default for Serve {
    fn default() -> Self {
        Self {
            component: PathBuf::new(),
            config: PathBuf::new(),
            upstream: String::new(),
            database: None,
            ledger: None,
            variables: Vec::new(),
            requests: 128,
            concurrent: 16,
            idle: 1,
        }
    }
}

impl Serve {
    /// Serves the configuration of this folder, with the ledger in this file.
    pub(crate) fn of(component: &Path, folder: &Folder, upstream: &Upstream, database: PathBuf) -> Self {
        Self {
            component: component.to_owned(),
            config: folder.path.clone(),
            upstream: upstream.url(),
            database: Some(database),
            ..Self::default()
        }
    }

    /// Starts the process.
    pub(crate) async fn start(&self) -> anyhow::Result<Process> {
        Process::start(self.command()?).await
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = own_part("serve")?;
        command.arg("--component").arg(&self.component).arg("--config").arg(&self.config);
        command.arg("--upstream").arg(&self.upstream);
        if let Some(database) = &self.database {
            command.arg("--database").arg(database);
        }
        if let Some(ledger) = &self.ledger {
            command.arg("--ledger").arg(ledger);
        }
        for variable in &self.variables {
            command.arg("--variable").arg(variable);
        }
        command.args(["--requests", &self.requests.to_string(), "--concurrent", &self.concurrent.to_string()]);
        command.args(["--idle", &self.idle.to_string()]);
        Ok(command)
    }

    /// The process's own part: serves until the standard input ends.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let manifest = Manifest::read(&repository::root().join("spin.toml"))?;
        let mut variables = settings::variables(&manifest);
        variables.insert("taurusdb_endpoint".to_owned(), self.upstream);
        let more = self.variables.iter().filter_map(|variable| variable.split_once('='));
        variables.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(ledger) = self.ledger {
            variables.insert("ledger_host".to_owned(), host_of(&ledger)?);
            variables.insert("ledger".to_owned(), ledger);
        }
        let ledgers = ledgers()?;
        let options = Options {
            config: Some(self.config),
            database: Database::File(self.database.unwrap_or_else(|| ledgers.path().join("ledger.db"))),
            variables,
            reuse: Reuse { requests: self.requests, concurrent: self.concurrent, idle: Duration::from_secs(self.idle) },
            ..Options::default()
        };
        let runtime = Runtime::start_component(&self.component, options).await?;
        println!("{}", runtime.address());
        super::wait_for_the_end_of_input().await
    }
}

/// The server that is to be allowed, of an address in keywords.
fn host_of(ledger: &str) -> anyhow::Result<String> {
    let value = |key: &str| ledger.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let (host, port) = value("host").zip(value("port")).context("the ledger's address has no host or no port")?;
    Ok(format!("postgres://{host}:{port}"))
}

//! A real PostgreSQL for tests: the one of this machine, or else Debian's package, with its data in a temporary folder.
//!
//! It listens on a free port of 127.0.0.1, asks for no password, and ends with the process that started it, however that
//! ends. It runs as `postgres`, or as `nobody` where there is no such account, if this process is root's; else as the user
//! of this process.
//!
//! ```no_run
//! # use local::postgres_server::Server;
//! # fn main() -> anyhow::Result<()> {
//! let database = Server::shared()?.create_database()?;
//! database.rows("CREATE TABLE t (x bigint); INSERT INTO t VALUES (1)")?;
//! assert_eq!(database.rows("SELECT x FROM t")?[0]["x"].as_deref(), Some("1"));
//! # Ok(())
//! # }
//! ```
//!
//! These functions block. Call them from tests, which have nothing else to do meanwhile.
//!
//! Not supported: systems other than Linux, Unix sockets (Spin knows none), passwords, standby servers.

mod account;
mod database;
mod folder;
mod process;
mod programs;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, anyhow, bail};

pub use database::{Row, TestDatabase};

use account::Account;
use folder::DataFolder;
use process::{Postmaster, Start};
use programs::Programs;

/// The superuser of the server.
pub const OWNER: &str = "owner";

/// How many ports are tried.
const ATTEMPTS: usize = 20;

/// What a server is started with. The default is for tests: a power failure may lose data, a killed server loses none.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Whether commits wait for the disk. Measurements want it.
    pub fsync: bool,
    /// More settings of postgresql.conf, with their values.
    pub settings: Vec<(String, String)>,
}

/// A PostgreSQL server. Dropping it ends the server at once and removes its data.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    account: Account,
    options: ServerOptions,
    port: u16,
    running: Option<Postmaster>,
    databases: AtomicUsize,
    // Last, so that it is removed once the server has ended.
    folder: DataFolder,
}

impl Server {
    /// Returns the server that the tests of this process share, started by the first of them. A test that stops or kills a
    /// server starts one of its own.
    ///
    /// # Errors
    ///
    /// If it cannot be started, as in [`Server::start`].
    pub fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(ServerOptions::default()).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|message| anyhow!("{message}"))
    }

    /// Starts a server with no data.
    ///
    /// # Errors
    ///
    /// If PostgreSQL is not on this machine and Debian's package `postgresql` cannot be installed, or the server does not
    /// start; the error has its log then.
    pub fn start(options: ServerOptions) -> anyhow::Result<Self> {
        let programs = Programs::find_or_install()?;
        let account = Account::choose()?;
        let folder = DataFolder::create(&programs, &account)?;
        let (running, databases) = (None, AtomicUsize::new(0));
        let mut server = Self { programs, account, options, port: 0, running, databases, folder };
        for _ in 0..ATTEMPTS {
            server.port = process::random_port();
            if server.launch()? {
                return Ok(server);
            }
        }
        bail!("no port of 127.0.0.1 is free: tried {ATTEMPTS}, `{}` was the last one", server.port)
    }

    /// Starts the server's process. Returns whether its port was free.
    fn launch(&mut self) -> anyhow::Result<bool> {
        let start = Start {
            account: &self.account,
            postgres: &self.programs.postgres,
            folder: &self.folder,
            port: self.port,
            options: &self.options,
        };
        self.running = start.run()?;
        Ok(self.running.is_some())
    }

    /// Returns the address that the server listens on. It stays the same when the server is started again.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Creates an empty database, in about 50 milliseconds.
    ///
    /// # Errors
    ///
    /// If the server does not run.
    pub fn create_database(&self) -> anyhow::Result<TestDatabase> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed) + 1;
        let database = TestDatabase::new(self.address(), format!("test_{number}"));
        let statement = format!("CREATE DATABASE {}", database.name());
        TestDatabase::new(self.address(), "postgres".to_owned()).rows(&statement)?;
        Ok(database)
    }

    /// Stops the server in good order: open transactions are rolled back, connections end with 57P01. Returns when all of
    /// its processes have ended.
    ///
    /// # Errors
    ///
    /// If it does not end within a minute.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.running.take().map_or(Ok(()), Postmaster::stop)
    }

    /// Kills all processes of the server, as the kernel does when memory runs out: connections are cut without a word.
    /// Returns when they have ended.
    ///
    /// # Errors
    ///
    /// If they do not end within a minute.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.running.take().map_or(Ok(()), Postmaster::kill)
    }

    /// Starts the server again on the same data and address, stopped first if it runs.
    ///
    /// # Errors
    ///
    /// If it does not start, or something else listens on its port by now.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let is_free = self.launch().context("cannot start PostgreSQL again")?;
        if is_free { Ok(()) } else { bail!("port `{}` of 127.0.0.1 is taken by now", self.port) }
    }

    /// Returns what the server has logged since it was started last.
    #[must_use]
    pub fn log(&self) -> String {
        self.running.as_ref().map(Postmaster::log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Best effort: the process ends with this one at the latest.
        let _ = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(database: &TestDatabase) -> Vec<Row> {
        database.rows("SELECT x FROM t ORDER BY x").unwrap()
    }

    #[test]
    fn each_test_has_a_database_of_its_own() {
        let [one, other] = [0, 1].map(|_| Server::shared().unwrap().create_database().unwrap());
        one.rows("CREATE TABLE t (x bigint, y text); INSERT INTO t VALUES (1, NULL)").unwrap();
        let row = [("x".to_owned(), Some("1".to_owned())), ("y".to_owned(), None)].into();
        assert_eq!(one.rows("SELECT * FROM t").unwrap(), [row]);
        let error = format!("{:#}", other.rows("SELECT * FROM t").unwrap_err());
        assert!(
            error.starts_with("PostgreSQL refuses `SELECT * FROM t`") && error.contains("does not exist"),
            "{error}"
        );
    }

    #[test]
    fn what_is_committed_outlives_a_kill_and_the_address_a_restart() {
        let mut server = Server::start(ServerOptions::default()).unwrap();
        let (address, database) = (server.address(), server.create_database().unwrap());
        database.rows("CREATE TABLE t (x bigint); INSERT INTO t VALUES (1)").unwrap();
        server.kill().unwrap();
        assert!(database.rows("SELECT 1").is_err());
        server.restart().unwrap();
        assert!(server.log().contains("was not properly shut down"), "{}", server.log());
        database.rows("INSERT INTO t VALUES (2)").unwrap();
        server.restart().unwrap();
        assert!(server.log().contains("was shut down at"), "{}", server.log());
        assert_eq!((numbers(&database).len(), server.address()), (2, address));
    }

    #[test]
    fn a_server_that_is_dropped_leaves_no_folder() {
        let server = Server::start(ServerOptions::default()).unwrap();
        let folder = server.folder.path().to_owned();
        assert!(folder.exists());
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn settings_reach_the_server_and_a_wrong_one_is_told() {
        let start = |fsync, setting: &str| {
            let settings = vec![("statement_timeout".to_owned(), setting.to_owned())];
            Server::start(ServerOptions { fsync, settings })
        };
        let server = start(true, "7s").unwrap();
        let rows = server.create_database().unwrap().rows("SHOW fsync; SHOW statement_timeout").unwrap();
        assert_eq!((rows[0]["fsync"].as_deref(), rows[1]["statement_timeout"].as_deref()), (Some("on"), Some("7s")));
        let error = start(false, "long").unwrap_err().to_string();
        assert!(error.contains("invalid value for parameter \"statement_timeout\""), "{error}");
    }

    #[test]
    fn a_port_that_is_taken_is_no_error_of_the_start() {
        let mut server = Server::start(ServerOptions::default()).unwrap();
        server.stop().unwrap();
        let _other = std::net::TcpListener::bind(server.address()).unwrap();
        assert!(!server.launch().unwrap());
        assert!(server.restart().unwrap_err().to_string().contains("is taken"));
    }
}

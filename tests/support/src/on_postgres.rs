//! The suites that run on both databases: on SQLite by themselves, and once more on PostgreSQL.

use std::process::Stdio;

use tokio::process::Command;

use crate::database::LEDGER;
use crate::kind::KIND;

/// What of a test binary runs on PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub struct Suites<'a> {
    /// Beginnings of the names of tests.
    pub on_both: &'a [&'a str],
    /// Beginnings of the names of those that run on SQLite alone, each with the reason.
    pub on_sqlite: &'a [(&'a str, &'a str)],
    /// The kinds whose cases run, with commas between them; empty: all.
    pub kinds: &'a str,
    /// How many tests run at once.
    pub threads: usize,
}

impl Suites<'_> {
    /// Runs them, in a process of their own: each ledger of it is on PostgreSQL.
    ///
    /// # Panics
    ///
    /// If one fails, or the lists name tests that do not exist.
    pub async fn run_on_postgres(&self) {
        let names = self.names().await;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--exact").args(&names).args(["--test-threads", &self.threads.to_string()]);
        command.env(LEDGER, "postgres").env(KIND, self.kinds);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        let passed = told.lines().filter(|line| line.ends_with("... ok")).count();
        assert_eq!(passed, names.len(), "{told}");
    }

    async fn names(&self) -> Vec<String> {
        let list = Command::new(std::env::current_exe().unwrap()).arg("--list").output().await.unwrap();
        let list = String::from_utf8_lossy(&list.stdout);
        let all: Vec<_> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        for named in self.on_both.iter().chain(self.on_sqlite.iter().map(|(name, _)| name)) {
            assert!(all.iter().any(|name| name.starts_with(named)), "no test is called {named}…");
        }
        let runs = |name: &&&str| {
            self.on_both.iter().any(|on_both| name.starts_with(on_both))
                && !self.on_sqlite.iter().any(|(on_sqlite, _)| name.starts_with(on_sqlite))
        };
        all.iter().filter(runs).map(|name| (*name).to_owned()).collect()
    }
}

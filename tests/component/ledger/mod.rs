//! The ledger's databases: what PostgreSQL has to hold as SQLite does, what becomes of a lost connection, and a database that would
//! forget.

use std::process::Stdio;

use tokio::process::Command;

use crate::harness::store::{LEDGER, is_postgres};

mod brakes;
mod in_memory;
mod lost_connections;
mod schema;

/// The suites that are about the ledger.
const ON_BOTH: [&str; 5] = ["approvals::", "audit::", "removal::dry_run::", "removal::policy::", "removal::repeats::"];

/// They run on SQLite by themselves, and here once more on PostgreSQL, in a process of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_suites_on_postgres() {
    if is_postgres() {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ON_BOTH).args(["--test-threads", "4"]).env(LEDGER, "postgres").stdin(Stdio::null());
    let output = command.kill_on_drop(true).output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let count = told.lines().filter(|line| line.ends_with("... ok")).count();
    assert!(count > 10, "only {count} tests ran: {told}");
}

//! The ledger's databases: what PostgreSQL has to hold as SQLite does, what becomes of a lost connection, and a database that would
//! forget.

use support::database::is_postgres;
use support::on_postgres::Suites;

mod brakes;
mod in_memory;
mod lost_connections;
mod schema;

/// The suites that are about the ledger.
const ON_BOTH: Suites<'_> = Suites {
    on_both: &[
        "approvals::",
        "audit::",
        "callers::kinds::every_kind_does_what_its_cases_say",
        "callers::official_clients::scim2",
        "removal::dry_run::",
        "removal::policy::",
        "removal::repeats::",
        "taurusdb::iam_tokens::",
    ],
    on_sqlite: &[("taurusdb::iam_tokens::the_store_holds_no_token_in_clear", "reads SQLite's file")],
    // People of an identity system, published keys.
    kinds: "scim,api-token",
    threads: 4,
};

/// They run on SQLite by themselves, and here once more on PostgreSQL, in a process of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_suites_on_postgres() {
    if is_postgres() {
        return;
    }
    ON_BOTH.run_on_postgres().await;
}

//! The stories on PostgreSQL.

use support::database::is_postgres;
use support::on_postgres::Suites;

/// The stories in which the ledger decides. Not in here: attacks on proofs and words, secrets that are rotated, what is refused before a
/// row is looked for.
const ON_BOTH: Suites<'_> = Suites {
    on_both: &[
        "approvals::",
        "audit::",
        "callers::jwks_cache::",
        "callers::kinds::every_kind_does_what_its_cases_say",
        "callers::scim::",
        "console::",
        "ledger::",
        "notify::",
        "production::",
        "removal::",
        "taurusdb::",
    ],
    on_sqlite: &[
        ("audit::search::searches_use_indexes", "SQLite's plans"),
        ("callers::scim::a_search_for_one_person_reads_no_others", "SQLite's plans"),
        ("ledger::failures::", "counts the statements that open SQLite"),
        ("ledger::versions::a_database_that_was_not_finished_is_finished", "PostgreSQL makes all tables or none"),
        ("ledger::versions::a_ledger_of_version_1", "no PostgreSQL has a ledger of version 1"),
        ("ledger::versions::a_ledger_of_version_4", "a database of SQLite"),
        ("ledger::versions::a_migration", "SQLite's migrations"),
        ("ledger::versions::two_instances_migrate", "SQLite's migrations"),
        ("ledger::on_postgres::", "this one"),
        ("production::ready::a_database_in_memory_is_not_ready", "PostgreSQL is in no instance's memory"),
        ("removal::brakes::rows_of_an_older_ledger_count", "no PostgreSQL has a ledger of version 1"),
    ],
    kinds: "",
    threads: 2,
};

/// They run on SQLite by themselves, and here once more on PostgreSQL, in a process of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_on_postgres() {
    if !is_postgres() {
        ON_BOTH.run_on_postgres().await;
    }
}

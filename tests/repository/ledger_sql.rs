//! deploy/ledger.sql is what the gateway itself would run, and deploy/grants.sql names its tables.

use std::fs;

use local::repository;
use starrocks_offboard::ledger::schema::postgres_schema;

const ABOUT: &str = "-- The ledger's schema on PostgreSQL, as the gateway makes it if it may. For an administrator whose gateway may not: run it once as the
-- owner, and again after an update; what is there stays. `BLESS=1 cargo test --test repository ledger_sql` writes this file.
";

/// `BLESS=1` writes it.
#[test]
fn it_is_what_the_gateway_runs() {
    let file = repository::root().join("deploy/ledger.sql");
    let expected = format!("{ABOUT}{};\n", postgres_schema());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), expected);
}

#[test]
fn grants_are_for_every_table() {
    let grants = fs::read_to_string(repository::root().join("deploy/grants.sql")).unwrap();
    for table in postgres_schema().split("CREATE TABLE ").skip(1) {
        let name = table.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next().unwrap();
        assert!(name == "ledger" || grants.contains(&format!("offboard.{name}")), "{name}");
    }
}

//! A ledger of another version of the gateway.

use std::collections::BTreeMap;

use rusqlite::types::Value as SqlValue;
use starrocks_offboard::ledger::Ledger;

use crate::gateway::{SUCCESS, app, ask, documented, gateway_with, memory, seconds, slash, text};
use crate::taurusdb::shared::remove_alice;
use support::memory::Memory;

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_left_alone() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    host.database.execute("INSERT INTO ledger (version) VALUES (6)", &[]);
    let fresh = self::app();
    let answer = ask(&host, &fresh, documented(seconds(&host) + 1, "user_name=bob")).await;
    assert_eq!((answer.status().as_u16(), host.sent.borrow().len(), host.rows().len()), (503, 1, 1));
}

/// A database whose tables were not all made is finished by the next request, wherever the first one stopped.
#[tokio::test]
async fn a_database_that_was_not_finished_is_finished() {
    for fails_at in 0..60 {
        let host = memory();
        host.fails_at.set(fails_at);
        let opened = app().ledger(&host).await.is_ok();
        let statements = host.statements.get();
        host.fails_at.set(0);
        let app = app();
        host.will_answer(200, SUCCESS);
        assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200, "{fails_at}");
        let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
        assert_eq!(states, ["removed"], "{fails_at}");
        // The last attempts are those that no statement fails in.
        assert!(fails_at < 59 || (opened && statements < 59), "{statements}");
    }
}

/// A ledger as version 1 left it.
fn version_1() -> Memory {
    let host = memory();
    host.database.sqlite().execute_batch(include_str!("../../fixtures/ledger/version-1.sql")).unwrap();
    host
}

/// Every row of a table by its first column: what it has in each of its columns.
type Rows = BTreeMap<String, BTreeMap<String, SqlValue>>;

fn rows(host: &Memory, table: &str) -> Rows {
    let mut statement = host.database.sqlite().prepare(&format!("SELECT rowid, * FROM {table}")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let read = statement.query_map([], |row| {
        let values = columns.iter().enumerate().skip(1).map(|(index, column)| (column.clone(), row.get_unwrap(index)));
        Ok((row.get_unwrap::<_, i64>(0).to_string(), values.collect()))
    });
    read.unwrap().collect::<Result<_, _>>().unwrap()
}

const KEPT: [&str; 5] = ["removals", "approvals", "identities", "tokens", "published_keys"];

fn tables(host: &Memory) -> [Rows; 5] {
    KEPT.map(|table| rows(host, table))
}

/// Every table and index of the database, and every column of each.
fn schema(host: &Memory) -> Vec<(String, String)> {
    let sql = "SELECT m.type || ' ' || m.name, coalesce(group_concat(c.name || ' ' || c.type || ' ' || c.\"notnull\" ||
        coalesce(' ' || c.dflt_value, '')), m.sql) FROM sqlite_schema m LEFT JOIN
        (SELECT t.name AS owner, i.* FROM sqlite_schema t, pragma_table_info(t.name) i WHERE t.type = 'table' ORDER BY i.name) c
        ON c.owner = m.name AND m.type = 'table' GROUP BY m.name ORDER BY 1";
    let mut statement = host.database.sqlite().prepare(sql).unwrap();
    let read =
        statement.query_map([], |row| Ok((row.get_unwrap(0), row.get::<_, Option<String>>(1)?.unwrap_or_default())));
    let in_one_line = |(name, of): (String, String)| (name, of.split_whitespace().collect::<Vec<_>>().join(" "));
    read.unwrap().map(Result::unwrap).map(in_one_line).collect()
}

/// The rows of version 1, with what versions 2, 4 and 5 add to them.
fn migrated(mut before: [Rows; 5]) -> [Rows; 5] {
    let [removals, _, identities, ..] = &mut before;
    for row in removals.values_mut() {
        row.extend(
            ["policy_set", "person", "caused_by", "gateway", "upstream_ms", "notify"]
                .map(|column| (column.to_owned(), SqlValue::Null)),
        );
    }
    for row in identities.values_mut() {
        row.extend([("former_names".to_owned(), SqlValue::Null), ("revision".to_owned(), SqlValue::Integer(0))]);
    }
    before
}

#[tokio::test]
async fn a_ledger_of_version_1_is_migrated_and_keeps_its_rows() {
    let host = version_1();
    let before = tables(&host);
    Ledger::open(&host).await.map(drop).unwrap();
    assert_eq!(tables(&host), migrated(before));
    let new = memory();
    Ledger::open(&new).await.map(drop).unwrap();
    assert_eq!(schema(&host), schema(&new));
    host.will_answer(200, SUCCESS);
    let answer = ask(&host, &app(), documented(seconds(&host), "user_name=frank")).await;
    assert_eq!((answer.status().as_u16(), host.sent.borrow().len()), (200, 1));
}

/// A ledger as version 4 left it.
fn version_4() -> Memory {
    let host = memory();
    host.database.sqlite().execute_batch(include_str!("../../fixtures/ledger/version-4.sql")).unwrap();
    host
}

/// What waited before there was an outbox can be decided, and no one is told of it.
#[tokio::test]
async fn a_ledger_of_version_4_is_migrated_and_keeps_its_rows() {
    let host = version_4();
    let mut before = tables(&host);
    for row in before[0].values_mut() {
        row.insert("notify".to_owned(), SqlValue::Null);
    }
    Ledger::open(&host).await.map(drop).unwrap();
    assert_eq!(tables(&host), before);
    let new = memory();
    Ledger::open(&new).await.map(drop).unwrap();
    assert_eq!(schema(&host), schema(&new));
    let app = gateway_with(&[("[accounts]", NOTIFY)]);
    host.now.set(1_780_387_200_000);
    let answer = ask(&host, &app, slash(seconds(&host), "pending")).await;
    assert!(text(&answer).contains("K7Q2M9XA"), "{}", text(&answer));
    ask(&host, &app, slash(seconds(&host) + 1, "deny K7Q2M9XA")).await;
    let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
    assert!(!states.contains(&"in-flight".to_owned()), "{states:?}");
    assert_eq!(host.database.count("outbox"), 0);
}

const NOTIFY: &str = "[[notify]]\nname = \"ops\"\nkind = \"slack-webhook\"\nurl = \"notify_url\"\nevents = [\"waiting\", \"decided\"]\n[accounts]";

/// Wherever a migration stops, the next instance goes on with it.
#[tokio::test]
async fn a_migration_that_was_interrupted_is_finished() {
    let mut failed = 0;
    for fails_at in 1..70 {
        let host = version_1();
        let before = tables(&host);
        host.fails_at.set(fails_at);
        failed += usize::from(Ledger::open(&host).await.is_err());
        host.fails_at.set(0);
        Ledger::open(&host).await.map(drop).unwrap();
        assert_eq!(tables(&host), migrated(before), "{fails_at}");
    }
    assert!((20..69).contains(&failed), "{failed}");
}

/// Another instance may add a column between the question whether it exists and the statement that adds it.
#[tokio::test]
async fn two_instances_migrate_at_once() {
    let new = memory();
    Ledger::open(&new).await.map(drop).unwrap();
    for turns in [u64::MAX, 0x5555_5555_5555_5555, 0x3333_3333_3333_3333, 0x6db6_db6d_b6db_6db6, 0xfff0_000f_0f0f_3c3c]
    {
        for rotated in 0..8 {
            let host = version_1();
            let before = tables(&host);
            host.yields.set(turns.rotate_left(rotated));
            let (one, other) = tokio::join!(Ledger::open(&host), Ledger::open(&host));
            assert!(one.is_ok() && other.is_ok(), "{turns:x} {rotated}");
            assert_eq!(tables(&host), migrated(before), "{turns:x} {rotated}");
            assert_eq!(schema(&host), schema(&new), "{turns:x} {rotated}");
        }
    }
}

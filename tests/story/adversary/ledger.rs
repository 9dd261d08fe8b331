//! A ledger that is gone, full, locked, or only to be read: no row, no call. For every kind, at every statement.

use rusqlite::Connection;
use serde_json::{Value, json};
use support::database::Database;
use support::kind::Kind;
use support::stage::{Stage, Wire};

use crate::adversary::shared::{answered, made};
use crate::callers::kinds::InMemory;

/// What has become of the database, once it was in use.
const BROKEN: &[(&str, &str)] = &[
    ("only to be read", "PRAGMA query_only = 1"),
    ("a table that is gone", "DROP TABLE removals"),
    ("a table that is another", "ALTER TABLE removals RENAME COLUMN delivery TO something"),
    ("a view where the table was", "ALTER TABLE removals RENAME TO old; CREATE VIEW removals AS SELECT * FROM old"),
    (
        "a trigger that refuses every row",
        "CREATE TRIGGER refusing BEFORE INSERT ON removals BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    (SWALLOWED, "CREATE TRIGGER swallowing BEFORE INSERT ON removals BEGIN SELECT RAISE(IGNORE); END"),
    ("no page left", "FULL"),
    ("another who has it", "LOCKED"),
];

const SWALLOWED: &str = "a trigger that swallows every row";
const DOWN: &str = "OFFBOARD.50301";

/// All of them.
fn kinds() -> Vec<Kind> {
    let only = std::env::var("KIND").unwrap_or_default();
    Kind::all().into_iter().filter(|kind| only.is_empty() || kind.name == only).collect()
}

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| -> Vec<String> {
        let ideas = BROKEN.iter().map(|(idea, _)| *idea).chain(["any statement that fails"]);
        ideas.map(|idea| format!("{}/store: {idea}", kind.name)).collect()
    };
    kinds().iter().flat_map(of).collect()
}

/// A gateway in use, its ledger in a file, and the request that is next.
async fn in_use(kind: &Kind, file: Option<&std::path::Path>) -> (InMemory, Wire) {
    let mut stage = InMemory::open(kind.open_to_attack()).await;
    if let Some(file) = file {
        let connection = Connection::open(file).unwrap();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        stage.host.database = Database::Sqlite(connection);
    }
    let mut created = Value::Null;
    if kind.name == "scim" {
        let wire = made(&stage, kind, |ask| ask["say"] = json!({"do": "create", "userName": "alice@example.com"}));
        let body: Value = serde_json::from_slice(&stage.send(&wire).await.body).unwrap();
        created = body["id"].clone();
    } else {
        // No removal's, so that the ledger is open.
        let mut stranger = made(&stage, kind, |_| ());
        stranger.target = "/hooks/nobody".into();
        stranger.method = "POST".into();
        stage.send(&stranger).await;
    }
    let wire = made(&stage, kind, |ask| {
        if !created.is_null() {
            ask["say"]["id"] = created;
        }
    });
    (stage, wire)
}

#[tokio::test]
async fn no_row_no_call_whatever_the_ledger_is() {
    let mut failures = String::new();
    for kind in kinds() {
        for (idea, sql) in BROKEN {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("ledger.db");
            let (mut stage, wire) = in_use(&kind, Some(&file)).await;
            let mut other = None;
            let database = stage.host.database.sqlite();
            match *sql {
                "FULL" => {
                    // Whatever is free is used up, and no page may be added.
                    database.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
                    let pages: i64 = database.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
                    database.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap();
                    let fill = "INSERT INTO removals (id, state, asked_at, policies, attempts, message)
                        VALUES (hex(randomblob(16)), 'refused', 0, '', 0, ?1)";
                    for size in [3000, 300, 30, 1] {
                        while database.execute(fill, ["x".repeat(size)]).is_ok() {}
                    }
                }
                "LOCKED" => {
                    let connection = Connection::open(&file).unwrap();
                    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
                    other = Some(connection);
                }
                sql => database.execute_batch(sql).unwrap(),
            }
            stage.host.lines.borrow_mut().clear();
            let reply = stage.send(&wire).await;
            let seen = (answered(&stage), stage.deletes());
            let header = reply.header("x-offboard-code").unwrap_or_default().to_owned();
            // A row that is not there and no error either: as if another had claimed it.
            let swallowed = *idea == SWALLOWED && seen.0 == "OFFBOARD.40901";
            let told = swallowed || is_down(&kind, reply.status, &header, &seen.0);
            if !told || seen.1 != 0 {
                failures += &format!("{}/store: {idea}: {} {header:?} {seen:?}\n", kind.name, reply.status);
            }
            drop(other);
            stage.host.cloud = None;
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Whether the requester hears of it: in their own form.
fn is_down(kind: &Kind, status: u16, header: &str, answered: &str) -> bool {
    match kind.name.as_str() {
        // Told elsewhere.
        "feishu" => answered == DOWN,
        // The keys that prove a token are kept there, too: no caller is proved yet, which then has no form of their own.
        "google-chat" if status == 503 => header == DOWN,
        _ if kind.speaks() => (status, header) == (200, DOWN),
        // One of several accounts is not certain to be gone.
        _ if kind.config.contains("[caller.leavers]") => {
            matches!((status, header), (503, DOWN) | (502, "OFFBOARD.50205"))
        }
        _ => (status, header) == (503, DOWN),
    }
}

#[tokio::test]
async fn no_row_no_call_whichever_statement_fails() {
    let mut failures = String::new();
    for kind in kinds() {
        let (stage, wire) = in_use(&kind, None).await;
        let before = stage.host.statements.get();
        stage.send(&wire).await;
        let whole = stage.host.statements.get() - before;
        let honest = stage.deletes();
        assert!(whole >= 2, "{}: {whole}", kind.name);
        let mut stopped = 0;
        for number in 1..=whole {
            let (stage, wire) = in_use(&kind, None).await;
            stage.host.fails_at.set(stage.host.statements.get() + number);
            stage.send(&wire).await;
            let claimed = "removals WHERE delivery IS NOT NULL AND state IN ('in-flight', 'removed')";
            let rows = stage.host.database.count(claimed);
            let deletes = stage.deletes();
            stopped += usize::from(deletes == 0);
            if deletes > rows || deletes > honest {
                failures += &format!(
                    "{}/store: any statement that fails: {number} of {whole}: {deletes} DELETEs, {rows} rows\n",
                    kind.name
                );
            }
        }
        // The claim has to stop it.
        if stopped == 0 {
            failures += &format!("{}/store: any statement that fails: {stopped} of {whole} stop it\n", kind.name);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

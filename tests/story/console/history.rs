//! The counts of thirty days.

use std::collections::BTreeMap;

use starrocks_offboard::ledger::{dialect, history, reviewed};
use starrocks_offboard::operations::console::removal_history::{Decisions, RemovalHistory, removal_history};
use starrocks_offboard::outcome::state::State;
use support::database::Database;

use crate::audit::shared::{ANALYTICS_ONLY, LEDGER_ONLY, NOTHING, POLICY, gateway_of};
use crate::console::shared::{DANA, Reader, Row, STRANGER, vote, write};
use crate::gateway::memory;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// All days together.
fn totals(history: &RemovalHistory) -> BTreeMap<State, usize> {
    let mut totals = BTreeMap::new();
    for (state, count) in history.days.iter().flat_map(|day| &day.counts) {
        *totals.entry(*state).or_default() += count;
    }
    totals
}

#[tokio::test]
async fn states_by_day_and_times_to_decision() {
    let (host, app) = (memory(), gateway_of(POLICY));
    let waited = |ago, state, took| Row { ago, state, took, waits: Some(DAY), ..Row::default() };
    let ids = write(
        &host,
        &app,
        &[
            Row { ago: MINUTE, ..Row::default() },
            Row { ago: 29 * DAY, ..Row::default() },
            Row { ago: 29 * DAY, state: "denied", ..Row::default() },
            // Ten o'clock: the day before the first one.
            Row { ago: 30 * DAY, ..Row::default() },
            waited(2 * DAY, "removed", Some(4 * MINUTE)),
            waited(2 * DAY, "rejected", Some(20 * MINUTE)),
            waited(2 * DAY, "removed", Some(90 * MINUTE)),
            waited(3 * DAY, "expired", Some(DAY)),
            // The requester did not confirm: no approver was asked.
            Row { waits: Some(5 * MINUTE), ..waited(3 * DAY, "expired", Some(5 * MINUTE)) },
            waited(MINUTE, "awaiting-approval", None),
            waited(DAY / 2, "cancelled", Some(MINUTE)),
        ],
    )
    .await;
    vote(&host, &ids[4], DANA, 2 * MINUTE, true);
    vote(&host, &ids[4], "slack/U0ERIN", 3 * MINUTE, true);
    vote(&host, &ids[5], DANA, 20 * MINUTE, false);
    vote(&host, &ids[6], DANA, 90 * MINUTE, true);
    vote(&host, &ids[7], DANA, MINUTE, true);
    vote(&host, &ids[9], DANA, MINUTE / 2, true);
    let history = removal_history(&Reader::new(&host, &app, DANA).ctx()).await.unwrap();
    assert!(history.is_complete);
    assert_eq!(history.days.len(), 30);
    assert_eq!(history.days[29].day.to_string(), "2026-06-01");
    assert_eq!(history.days[0].counts, [(State::Removed, 1), (State::Denied, 1)].into());
    assert_eq!(history.days[27].counts, [(State::Removed, 2), (State::Rejected, 1)].into());
    let expected = [
        (State::Removed, 4),
        (State::Denied, 1),
        (State::Rejected, 1),
        (State::Expired, 2),
        (State::AwaitingApproval, 1),
        (State::Cancelled, 1),
    ];
    assert_eq!(totals(&history), expected.into());
    let expected = Decisions { took: vec![3 * MINUTE, 20 * MINUTE, 90 * MINUTE], expired: 1 };
    assert_eq!(history.decisions, expected);
}

/// As of `GET /removals`: own rows, and what policy lets the reader audit.
#[tokio::test]
async fn only_what_the_reader_may_see_is_counted() {
    let rows = [
        Row::default(),
        Row { instance: "warehouse", ..Row::default() },
        Row { instance: "gone", ..Row::default() },
        Row { instance: "warehouse", actor: STRANGER, ..Row::default() },
    ];
    for (policy, principal, expected) in [
        (POLICY, DANA, 4),
        (POLICY, STRANGER, 1),
        (ANALYTICS_ONLY, DANA, 1),
        (ANALYTICS_ONLY, STRANGER, 2),
        (LEDGER_ONLY, DANA, 1),
        (NOTHING, DANA, 0),
    ] {
        let (host, app) = (memory(), gateway_of(policy));
        write(&host, &app, &rows).await;
        let history = removal_history(&Reader::new(&host, &app, principal).ctx()).await.unwrap();
        assert_eq!(totals(&history).values().sum::<usize>(), expected, "{principal} {policy}");
    }
}

/// More rows than are read at once.
#[tokio::test]
async fn every_row_is_counted_once() {
    let (host, app) = (memory(), gateway_of(POLICY));
    app.ledger(&host).await.map(drop).unwrap();
    let many = history::BATCH + 3;
    let now = host.now.get();
    let sql = format!(
        "INSERT INTO removals (id, state, asked_at, actor, policies, attempts)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
        SELECT '{now:012x}0000000000' || CAST(1000000000 + i AS text), 'refused', {now}, 'hr', '', 0 FROM n"
    );
    host.database.execute(&sql, &[]);
    let history = removal_history(&Reader::new(&host, &app, DANA).ctx()).await.unwrap();
    assert_eq!((totals(&history)[&State::Refused], history.is_complete), (many, true));
}

/// The lines of a statement's plan, with a ledger in which thirty days are a small part.
fn plan(database: &Database, statement: &str, parameters: &[&str]) -> String {
    let literals = parameters.iter().enumerate().rev();
    let with_literals = |text: String, mark: char| {
        literals.fold(text, |text, (index, literal)| text.replace(&format!("{mark}{}", index + 1), literal))
    };
    let (explain, text) = match database {
        Database::Sqlite(_) => ("EXPLAIN QUERY PLAN ", with_literals(statement.to_owned(), '?')),
        Database::Postgres(_) => ("EXPLAIN ", with_literals(dialect::postgres(statement), '$')),
    };
    let is_sqlite = matches!(database, Database::Sqlite(_));
    let rows = database.rows::<Vec<starrocks_offboard::host::Value>>(&format!("{explain}{text}"), &[]);
    let lines = rows.into_iter().map(|row| format!("{:?}", row[if is_sqlite { 3 } else { 0 }]));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_is_older_is_not_read() {
    let (host, app) = (memory(), gateway_of(POLICY));
    app.ledger(&host).await.map(drop).unwrap();
    let fill = "INSERT INTO removals (id, state, asked_at, actor, instance, user_name, policies, attempts)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        SELECT '018' || CAST(1000000000000 + i AS text) || '0000000000000000', 'denied', i, 'hr', 'i' || CAST(i % 50 AS text),
            'u' || CAST(i AS text), '', 0 FROM n";
    host.database.execute(fill, &[]);
    host.database.execute("ANALYZE", &[]);
    let recent = "'019e00000000'";
    let of_history = plan(&host.database, history::statement(), &[recent, "'g'", "5000"]);
    let of_review = plan(&host.database, reviewed::statement(), &["'[[\"u1\"]]'", "'i1'", recent, "1"]);
    for plan in [of_history, of_review] {
        // What waits is few rows, and has an index of its own.
        let mut lines = plan.lines().filter(|line| !line.contains("removals_waiting"));
        assert!(!lines.any(|line| line.contains("SCAN r") || line.contains("Seq Scan on removals")), "{plan}");
    }
}

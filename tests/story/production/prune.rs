//! `POST /jobs/prune`: what goes, and above all what stays.

use serde_json::{Value, json};

use crate::gateway::memory;
use crate::production::shared::{Row, operated, operated_with, run, state, write};

const DAY: i64 = 86_400_000;

fn pruned(counts: &[(&str, usize)]) -> Value {
    let mut summary = json!({"job": "prune", "unproved": 0, "refused": 0, "decided": 0, "tokens": 0, "keys": 0, "messages": 0, "more": false});
    for (name, count) in counts {
        summary[*name] = (*count).into();
    }
    summary
}

#[tokio::test]
async fn refusals_of_strangers_beyond_those_that_are_kept() {
    let (host, app) = (memory(), operated());
    write(&host, &app, &[Row::default()]).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11500)
        INSERT INTO removals (id, state, asked_at, policies, attempts) SELECT '000000000000000000000000000' || (10000 + i), 'refused', i, '', 0 FROM n";
    host.database.execute(many, &[]);
    assert_eq!(run(&host, &app, "prune").await, pruned(&[("unproved", 1500)]));
    assert_eq!(host.database.count("removals"), 10_001);
    assert_eq!(
        (state(&host, &format!("{:032}", 11_500)), state(&host, &format!("{:032}", 11_501)).is_some()),
        (None, true)
    );
    assert_eq!(run(&host, &app, "prune").await, pruned(&[]));
}

#[tokio::test]
async fn tokens_and_keys_that_have_expired() {
    let (host, app) = (memory(), operated());
    app.ledger(&host).await.unwrap();
    let now = host.now.get();
    for (id, expires_at, leased_until, refused_until) in [
        ("over", Some(now), 0, None),
        ("good", Some(now + 60_000), 0, None),
        ("renewed", None, now + 60_000, None),
        ("refused", None, 0, Some(now + 60_000)),
        ("never", None, 0, None),
    ] {
        let sql = "INSERT INTO tokens (id, expires_at, leased_until, refused_until) VALUES (?1, ?2, ?3, ?4)";
        host.database.execute(sql, &[id.into(), expires_at.into(), leased_until.into(), refused_until.into()]);
    }
    for (url, fetched_at, tried_at) in
        [("old", Some(now - 3 * DAY), now - 3 * DAY), ("tried", Some(now - 3 * DAY), now), ("new", Some(now - DAY), 0)]
    {
        let sql = "INSERT INTO published_keys (url, fetched_at, tried_at) VALUES (?1, ?2, ?3)";
        host.database.execute(sql, &[url.into(), fetched_at.into(), tried_at.into()]);
    }
    assert_eq!(run(&host, &app, "prune").await, pruned(&[("tokens", 2), ("keys", 1)]));
    assert_eq!((host.database.count("tokens"), host.database.count("published_keys")), (3, 2));
}

/// Rows go only where `[keep]` says so, and never those of removals that were sent, or that anything may still change.
#[tokio::test]
async fn rows_that_the_operator_does_not_keep() {
    let states = ["refused", "denied", "expired", "cancelled"];
    let kept = [
        "removed",
        "already-gone",
        "not-removed",
        "not-sent",
        "refused-upstream",
        "unknown",
        "in-flight",
        "rejected",
        "awaiting-approval",
    ];
    for (table, refused, decided) in [
        ("", 0, 0),
        ("[keep]\nrefused_days = 90\n", 4, 0),
        ("[keep]\ndecided_days = 400\n", 0, 4),
        ("[keep]\nrefused_days = 90\ndecided_days = 400\n", 4, 4),
    ] {
        let (host, app) = (memory(), operated_with(table));
        let instance = "gone";
        let row = |state, ago, delivered| Row { state, ago, delivered, instance, ..Row::default() };
        let all = states.iter().chain(&kept);
        let old: Vec<_> = all.clone().map(|state| row(state, 401 * DAY, true)).collect();
        let old_undelivered: Vec<_> = all.map(|state| row(state, 402 * DAY, false)).collect();
        let young = states.map(|state| row(state, 89 * DAY, false));
        let young_delivered = states.map(|state| row(state, 399 * DAY, true));
        let rows = [old.as_slice(), &old_undelivered, &young, &young_delivered].concat();
        let ids = write(&host, &app, &rows).await;
        for id in &ids {
            let sql = "INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, at)
                VALUES (?1, 'K', 'p', 'p', 'slack', 'slack', 1, 1)";
            host.database.execute(sql, &[id.as_str().into()]);
        }
        let expected = pruned(&[("refused", refused), ("decided", decided)]);
        assert_eq!(run(&host, &app, "prune").await, expected, "{table}");
        let gone: Vec<_> =
            ids.iter().zip(&rows).filter(|(id, _)| state(&host, id).is_none()).map(|(_, row)| row).collect();
        assert!(gone.iter().all(|row| states.contains(&row.state) && row.ago > 400 * DAY), "{gone:?}");
        assert_eq!(gone.len(), refused + decided);
        assert_eq!(host.database.count("approvals"), ids.len() - gone.len());
        assert_eq!(run(&host, &app, "prune").await, pruned(&[]), "{table}");
    }
}

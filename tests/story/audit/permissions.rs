//! Who may read which rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starrocks_offboard::ledger::GATEWAY;

use crate::audit::shared::{
    ALICE_ONLY, ANALYTICS_ONLY, LEDGER_ONLY, NOTHING, PORTAL, Row, gateway_of, ids, list_as, newest_first, page, row,
    write,
};
use crate::gateway::{app, memory, text};

/// A caller who may look at one instance only: what is on the other might as well not be there.
#[tokio::test]
async fn rows_of_others_are_as_if_they_were_not_there() {
    let hidden = [
        Row { instance: Some("warehouse"), ..row(1) },
        Row { instance: Some("gone"), ..row(3) },
        Row { instance: None, user_name: None, actor: None, ..row(5) },
        Row { instance: Some("analytics"), user_name: None, ..row(7) },
    ];
    let shown = [row(0), row(2), row(4), Row { actor: Some(PORTAL), instance: Some("warehouse"), ..row(6) }];
    let mut answers = BTreeSet::new();
    for is_there in [true, false] {
        let (host, app) = (memory(), gateway_of(ANALYTICS_ONLY));
        write(&host, &app, &shown).await;
        if is_there {
            write(&host, &app, &hidden).await;
        }
        assert_eq!(ids(&host, &app, "limit=1").await, newest_first(&shown));
        let mut seen = Vec::new();
        for query in [
            "",
            "limit=1",
            "limit=3",
            "limit=4",
            "instance=analytics",
            "instance=warehouse",
            "instance=warehouse&user_name=alice",
            "user_name=bob",
            "actor=hr",
            "actor=nobody",
            "state=refused",
            // The last, because a no is a row of its own.
            "instance=gone",
        ] {
            let answer = list_as(&host, &app, query, None).await;
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            seen.push((query, answer.status().as_u16(), text(&answer), header("x-offboard-next")));
        }
        let statuses: Vec<_> = seen.iter().map(|(_, status, ..)| *status).collect();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403]);
        answers.insert(seen);
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// A no does not depend on what the ledger holds, and policy is asked once for an account.
#[tokio::test]
async fn whoever_may_look_at_nothing() {
    for rows in [vec![], (0..250).map(row).collect::<Vec<_>>()] {
        let (host, app) = (memory(), gateway_of(NOTHING));
        write(&host, &app, &rows).await;
        let denied = list_as(&host, &app, "", None).await;
        assert_eq!(denied.status().as_u16(), 403);
        assert!(text(&denied).contains("OFFBOARD.40304"), "{}", text(&denied));
        // That is a request of their own, and those they may see.
        let (ids, next) = page(&host, &app, "").await;
        assert_eq!((ids.len(), next), (1, None));
        assert_eq!(ids[0], denied.headers()["x-offboard-removal"].to_str().unwrap());
    }
    for (policy, query, status) in [
        (ANALYTICS_ONLY, "instance=analytics", 200),
        (ANALYTICS_ONLY, "instance=warehouse", 403),
        (ANALYTICS_ONLY, "instance=gone", 403),
        (ANALYTICS_ONLY, "", 200),
        (ALICE_ONLY, "user_name=alice", 200),
        (ALICE_ONLY, "user_name=bob", 403),
        (LEDGER_ONLY, "", 200),
        (LEDGER_ONLY, "instance=gone", 200),
        (LEDGER_ONLY, "instance=analytics", 403),
        (
            r#"@id("broken") permit (principal, action, resource) when { 9223372036854775807 + context.hour > 0 };"#,
            "",
            403,
        ),
        (r#"@id("never") forbid (principal, action, resource);"#, "", 403),
    ] {
        let (host, app) = (memory(), gateway_of(policy));
        let answer = list_as(&host, &app, query, None).await;
        assert_eq!(answer.status().as_u16(), status, "{policy} {query} {}", text(&answer));
        let failed = host
            .lines
            .borrow()
            .iter()
            .filter(|line| line.starts_with("policy: evaluation failed for a look-up by"))
            .count();
        // The ledger, and an account on each of the two instances.
        assert_eq!(failed, if policy.contains("broken") { 3 } else { 0 });
        assert_eq!(text(&answer).contains("`never`"), policy.contains("never"));
        assert_eq!(text(&answer).contains("could not be evaluated"), policy.contains("broken"));
    }
}

#[tokio::test]
async fn the_policies_that_let_somebody_look_are_named() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[row(0)]).await;
    let answer = list_as(&host, &app, "", None).await;
    assert_eq!(answer.headers()["x-offboard-policy"], "dba-looks-up");
    assert_eq!(host.rows().len(), 1, "looking leaves no row");
    let line: Value = serde_json::from_str(host.lines.borrow().last().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({
            "event": "listed",
            "at": "2026-06-01T10:00:00.000Z",
            "by": PORTAL,
            "policies": ["dba-looks-up"],
            "search": {
                "instance": null, "user_name": null, "actor": null, "state": null, "since": null, "until": null,
                "limit": 100, "cursor": null,
            },
            "rows": 1,
            "gateway": GATEWAY,
            "policy_set": app.policies.digest(),
        })
    );
}

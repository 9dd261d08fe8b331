//! A dry run says what would happen.

use http::Method;
use serde_json::{Value, json};
use starrocks_offboard::host::SendError;

use crate::approvals::shared::{DANA, STRANGER, app, deletes, says};
use crate::gateway::{DOCUMENTED, ask, memory, portal, seconds, text};

#[tokio::test]
async fn a_dry_run_sends_nothing_and_says_what_would_happen() {
    for (query, listed, expected) in [
        (
            "user_name=alice&dry_run=true",
            Some(&["alice"][..]),
            json!({"result": "DRY_RUN", "would": "remove", "account": "present", "policies": ["dba-removes-on-staging"]}),
        ),
        (
            "user_name=alice&dry_run=true",
            Some(&["alice2"]),
            json!({"result": "DRY_RUN", "would": "remove", "account": "absent", "policies": ["dba-removes-on-staging"]}),
        ),
        (
            "user_name=alice&dry_run=true",
            None,
            json!({"result": "DRY_RUN", "would": "remove", "account": "unknown", "policies": ["dba-removes-on-staging"]}),
        ),
    ] {
        let (host, app) = (memory(), app());
        match listed {
            Some(names) => host.will_list(names),
            None => host.will_fail(SendError::Broken("reset".into())),
        }
        let answer = ask(&host, &app, portal(seconds(&host), Method::DELETE, DOCUMENTED, query)).await;
        assert_eq!(
            (answer.status().as_u16(), serde_json::from_slice::<Value>(answer.body()).unwrap()),
            (200, expected)
        );
        assert_eq!((host.methods(), host.rows()[0].0.as_str()), (vec!["GET".to_owned()], "dry-run"));
        assert_eq!(host.database.row::<i64>("SELECT dry_run FROM removals", &[]), Some(1));
    }
    let (host, app) = (memory(), app());
    host.will_list(&["alice"]);
    let words = says(&host, &app, DANA, "alice warehouse --dry-run left").await;
    assert!(
        words.starts_with("ℹ️ Dry run: removing `alice` from `warehouse` would need 1 approval\nNo removal was sent. The account exists.\n"),
        "{words}"
    );
    let stranger = says(&host, &app, STRANGER, "--dry-run alice analytics").await;
    assert!(stranger.starts_with("ℹ️ Dry run: removing `alice` from `analytics` is not permitted\nNo removal was sent. The account list was not checked.\n"), "{stranger}");
    let wrong =
        ask(&host, &app, portal(seconds(&host), Method::DELETE, DOCUMENTED, "user_name=alice&dry_run=yes")).await;
    assert!(text(&wrong).contains("OFFBOARD.40010"));
    assert_eq!(deletes(&host), 0);
}

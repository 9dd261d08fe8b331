//! *A removal*: who sees it, and what it tells.

use http::StatusCode;

use crate::console::reading::{DBA, EVE, Reading};
use crate::console::shared::{Row, vote, write};

#[tokio::test]
async fn a_removal_is_for_its_requester_and_for_who_may_look_it_up() {
    let reading = Reading::new();
    let rows = [Row::default(), Row { actor: EVE, instance: "warehouse", user_name: "carol", ..Row::default() }];
    let ids = write(&reading.0.host, &reading.0.app, &rows).await;
    for (who, id, status, code) in [
        (DBA, ids[0].as_str(), StatusCode::OK, ""),
        (DBA, &ids[1], StatusCode::OK, ""),
        (DBA, "none", StatusCode::NOT_FOUND, "OFFBOARD.40404"),
        (EVE, &ids[0], StatusCode::FORBIDDEN, "OFFBOARD.40304"),
        (EVE, &ids[1], StatusCode::OK, ""),
        (EVE, "none", StatusCode::NOT_FOUND, "OFFBOARD.40404"),
    ] {
        let answer = reading.get(who, &format!("/console/removals/{id}")).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{who} {id}: {answer:#?}");
        assert_eq!(answer.body.contains("<ol class=\"timeline\""), status == StatusCode::OK, "{answer:#?}");
    }
    let refused = reading.get(EVE, &format!("/console/removals/{}", ids[0])).await;
    assert!(!refused.body.contains("alice"), "{refused:#?}");
    let answer = reading.get(DBA, &format!("/console/removals/{}", ids[0])).await;
    let raw = answer.body.split_once("<pre").unwrap().1.replace("&#34;", "\"");
    for part in [format!("\"id\": \"{}\"", ids[0]), "\"policies\": [".to_owned(), "\"caused_by\": null".to_owned()] {
        assert!(raw.contains(&part), "{part}: {raw}");
    }
}

#[tokio::test]
async fn a_request_that_waits_leads_who_may_decide_to_waiting() {
    const TO_WAITING: &str = "Go to Waiting";
    let reading = Reading::new();
    let waits = |actor, state, waits| Row {
        actor,
        state,
        took: None,
        waits: Some(waits),
        instance: "warehouse",
        ..Row::default()
    };
    let rows = [
        waits("hr", "awaiting-approval", 86_400_000),
        waits(EVE, "awaiting-approval", 86_400_000),
        waits(EVE, "awaiting-confirmation", 300_000),
    ];
    let ids = write(&reading.0.host, &reading.0.app, &rows).await;
    // A row is decided as the delivery that it stands for.
    reading.0.host.database.execute("UPDATE removals SET delivery = id", &[]);
    for (who, id, leads, step) in [
        (DBA, &ids[0], true, "Waits for 1 approval"),
        (DBA, &ids[1], true, "Waits for 1 approval"),
        (DBA, &ids[2], false, "onfirm"),
        (EVE, &ids[1], false, "Waits for 1 approval"),
        (EVE, &ids[2], true, "onfirm"),
    ] {
        let answer = reading.get(who, &format!("/console/removals/{id}")).await;
        assert_eq!((answer.status, answer.body.contains(TO_WAITING)), (StatusCode::OK, leads), "{who}: {answer:#?}");
        assert!(answer.body.contains(step), "{who} {step}: {answer:#?}");
    }
    vote(&reading.0.host, &ids[0], "console/dana", 1000, true);
    let answer = reading.get(DBA, &format!("/console/removals/{}", ids[0])).await;
    assert!(!answer.body.contains(TO_WAITING) && answer.body.contains("checked"), "{answer:#?}");
}

#[tokio::test]
async fn what_is_unknown_is_settled_by_the_account_list() {
    let reading = Reading::new();
    let ids = write(&reading.0.host, &reading.0.app, &[Row { state: "unknown", ..Row::default() }]).await;
    reading.0.host.database.execute("UPDATE removals SET attempts = 1, claimed_at = asked_at", &[]);
    let answer = reading.get(DBA, &format!("/console/removals/{}", ids[0])).await;
    assert!(answer.body.contains("Settled by the account list: Removed"), "{answer:#?}");
    assert_eq!(reading.0.host.rows()[0].0, "removed");
}

#[tokio::test]
async fn what_others_wrote_is_text() {
    const HOSTILE: &str = "\"><script>alert(1)</script>";
    let reading = Reading::new();
    let row = Row { user_name: HOSTILE, instance: HOSTILE, actor: HOSTILE, ..Row::default() };
    let ids = write(&reading.0.host, &reading.0.app, &[row]).await;
    let sql =
        "UPDATE removals SET reason = ?1, code = ?1, message = ?1, request_id = ?1, policies = ?1, policy_set = ?1";
    reading.0.host.database.execute(sql, &[HOSTILE.into()]);
    let answer = reading.get(DBA, &format!("/console/removals/{}", ids[0])).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.body.contains("<script") && answer.body.contains("&#60;script"), "{answer:#?}");
    let unknown = reading.get(DBA, "/console/removals/%22%3E%3Cscript%3E").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.body.contains("<script"), "{unknown:#?}");
}

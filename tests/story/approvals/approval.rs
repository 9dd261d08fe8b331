//! Others approve or deny: who may, how many it takes, and what is judged again then.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use support::memory::Memory;

use crate::approvals::shared::{DANA, ERIN, FAY, STRANGER, app, deletes, gateway_with, row_of, says};
use crate::gateway::{DOCUMENTED, SUCCESS, ask, memory, portal, portal_with, seconds, text};

#[tokio::test]
async fn what_somebody_may_only_ask_for_is_approved_by_another() {
    let (host, app) = (memory(), app());
    let shown = says(&host, &app, DANA, "alice warehouse left the company").await;
    assert!(shown.starts_with("⏳ Request the removal of `alice` from `warehouse`?\nNothing has been removed. Confirm before 2026-06-01 10:05 +00:00; then 1 other person has to approve.\n"), "{shown}");
    let reference = row_of(&host, "alice").1;
    let unconfirmed = says(&host, &app, ERIN, &format!("approve {reference}")).await;
    assert!(unconfirmed.contains("OFFBOARD.40903"), "{unconfirmed}");

    let waits = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(
        waits.contains("⏳ Approval needed: remove `alice` from `warehouse`")
            && waits.contains("*Approvals*\n0 of 1")
            && waits.ends_with("OFFBOARD.40904"),
        "{waits}"
    );
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-approval", 0));

    let own = says(&host, &app, DANA, &format!("approve {reference}")).await;
    assert!(
        own.contains(
            "❌ Requesters cannot approve or deny their own request\nAsk another approver, or cancel the request."
        ),
        "{own}"
    );
    let stranger = says(&host, &app, STRANGER, &format!("approve {reference}")).await;
    assert!(stranger.contains("OFFBOARD.40308"), "{stranger}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-approval", 0));

    host.will_answer(200, SUCCESS);
    let removed = says(&host, &app, ERIN, &format!("approve {reference}")).await;
    assert!(
        removed.starts_with("✅ Removed `alice` from `warehouse`\nApproved by `slack/U0ERIN`.\n*Environment*\n`production`\n*Requested by*\ndana (`slack/U2CERLKJA`)\n"),
        "{removed}"
    );
    let again = says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert!(
        again.starts_with("✅ Removed `alice` from `warehouse`\nThis request was already decided. Approved by"),
        "{again}"
    );
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));

    // Every no has its row, too.
    assert_eq!(host.database.count("removals WHERE state = 'denied' AND code LIKE 'OFFBOARD.4030%'"), 2);
}

/// One person is one person, whatever they come through.
#[tokio::test]
async fn nobody_approves_their_own_by_another_way() {
    let person =
        ("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\"]");
    for (changes, status) in [(&[person][..], 403), (&[], 200)] {
        let (host, app) = (memory(), gateway_with(changes));
        says(&host, &app, DANA, "alice warehouse").await;
        let reference = row_of(&host, "alice").1;
        says(&host, &app, DANA, &format!("confirm {reference}")).await;
        if status == 200 {
            host.will_answer(200, SUCCESS);
        }
        let answer = posts(&host, &app, &reference, json!({"decision": "approve", "reason": "agreed"})).await;
        assert_eq!(answer.status().as_u16(), status, "{}", text(&answer));
        assert_eq!(deletes(&host), usize::from(status == 200));
    }
}

/// The portal decides.
async fn posts(host: &Memory, app: &App, id: &str, body: Value) -> Response<Bytes> {
    host.now.set(host.now.get() + 1000);
    ask(host, app, portal_with(seconds(host), Method::POST, &format!("/approvals/{id}"), "", &body.to_string())).await
}

#[tokio::test]
async fn a_no_ends_it_with_its_reason() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, DANA, &format!("confirm {reference}")).await;
    let denied = says(&host, &app, ERIN, &format!("deny {reference} still on call")).await;
    assert!(
        denied.starts_with("❌ Denied: remove `alice` from `warehouse`\n`slack/U0ERIN` denied the request: still on call. Nothing has been removed.\n")
            && denied.ends_with("OFFBOARD.40305"),
        "{denied}"
    );
    let too_late = says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert!(
        too_late.contains("This request was already decided. `slack/U0ERIN` denied the request: still on call."),
        "{too_late}"
    );
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("rejected", 0));
}

#[tokio::test]
async fn where_two_have_to_approve_one_is_not_enough() {
    let (host, app) = (memory(), gateway_with(&[("production = 1", "production = 2")]));
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    let waits = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(waits.contains("*Approvals*\n0 of 2"), "{waits}");
    for _ in 0..2 {
        let one = says(&host, &app, ERIN, &format!("approve {reference}")).await;
        assert!(one.starts_with("⏳ Approved by 1 of 2: remove `alice` from `warehouse`"), "{one}");
        assert!(one.contains("*Approvals*\n1 of 2: `slack/U0ERIN`"), "{one}");
    }
    assert_eq!(deletes(&host), 0);
    host.will_answer(200, SUCCESS);
    says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
}

/// What was said to a request that came to nothing is not said to the next: a yes is for what the approver saw.
#[tokio::test]
async fn a_yes_does_not_outlive_what_it_was_said_to() {
    for (error, state, sent) in [
        (SendError::NotAllowed("the cloud is out of reach".into()), "not-sent", 1),
        (SendError::Broken("reset".into()), "not-removed", 2),
    ] {
        let (host, app) = (memory(), gateway_with(&[("production = 1", "production = 2")]));
        let warehouse =
            DOCUMENTED.replace("54e42160670e48e789af7075e1efea1fin17", "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17");
        let delete = portal(seconds(&host), Method::DELETE, &warehouse, "user_name=alice");
        ask(&host, &app, delete.clone()).await;
        let first = row_of(&host, "alice").1;
        says(&host, &app, DANA, &format!("approve {first}")).await;
        host.will_fail(error);
        host.will_list(&["alice"]);
        says(&host, &app, ERIN, &format!("approve {first}")).await;
        assert_eq!((row_of(&host, "alice").0.as_str(), host.methods().len()), (state, sent));
        host.answers.borrow_mut().clear();

        // It did nothing, so it may be asked for again: of everybody.
        let again = ask(&host, &app, delete).await;
        assert!(text(&again).contains("needs 2 more approvals"), "{state}: {}", text(&again));
        let second = row_of(&host, "alice").1;
        assert_ne!(first, second);
        let gone = says(&host, &app, FAY, &format!("approve {first}")).await;
        assert!(gone.contains("OFFBOARD.40405"), "{gone}");
        let one = says(&host, &app, FAY, &format!("approve {second}")).await;
        assert!(
            one.starts_with("⏳ Approved by 1 of 2") && one.contains("*Approvals*\n1 of 2: `slack/U0FAY`"),
            "{one}"
        );
        let before = deletes(&host);

        // Who said yes then may say no now, and it is kept.
        let denied = says(&host, &app, ERIN, &format!("deny {second}")).await;
        assert!(denied.contains("OFFBOARD.40305"), "{denied}");
        assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("rejected", before));
        let said: Vec<String> = host.database.rows("SELECT actor || approved FROM approvals ORDER BY rowid", &[]);
        assert_eq!(said, ["slack/U2CERLKJA1", "slack/U0ERIN1", "slack/U0FAY1", "slack/U0ERIN0"]);
    }
}

/// What was asked for is what is approved, by the policy of that moment.
#[tokio::test]
async fn everything_is_judged_again_at_the_yes() {
    let other = ("86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17", "00cf8ab6f4d14c1fa5e1d2b7a0c3e945in17");
    let left = ("\"slack/U2CERLKJA\", \"portal", "\"portal");
    let erin_left = ("\"slack/U0ERIN\", ", "");
    let protected = ("protected = [\"etl_*\"]", "protected = [\"alice\"]");
    for (change, hours, code, state) in [
        (other, 0, "OFFBOARD.40907", "denied"),
        (left, 0, "OFFBOARD.40301", "denied"),
        (erin_left, 0, "OFFBOARD.40308", "awaiting-approval"),
        (protected, 0, "OFFBOARD.40907", "awaiting-approval"),
        // At ten in the evening nothing is removed from production.
        (("", ""), 12, "OFFBOARD.40301", "denied"),
        (("", ""), 24, "OFFBOARD.40906", "expired"),
    ] {
        let (host, asked_of) = (memory(), app());
        says(&host, &asked_of, DANA, "alice warehouse").await;
        let reference = row_of(&host, "alice").1;
        says(&host, &asked_of, DANA, &format!("confirm {reference}")).await;
        let now = gateway_with(&[change]);
        host.now.set(host.now.get() + hours * 3_600_000);
        let answer = says(&host, &now, ERIN, &format!("approve {reference}")).await;
        assert!(answer.contains(code), "{code}: {answer}");
        assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), (state, 0), "{code}");
    }
}

#[tokio::test]
async fn a_portal_asks_sees_and_decides() {
    let (host, app) = (memory(), app());
    let warehouse = DOCUMENTED.replace("54e42160670e48e789af7075e1efea1fin17", "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17");
    let delete = portal(seconds(&host), Method::DELETE, &warehouse, "user_name=alice");
    let asked = ask(&host, &app, delete.clone()).await;
    assert_eq!(asked.status().as_u16(), 409);
    assert!(text(&asked).contains("OFFBOARD.40904"), "{}", text(&asked));
    let repeat = ask(&host, &app, delete).await;
    assert_eq!((repeat.status().as_u16(), text(&repeat)), (409, text(&asked)));

    let reference = row_of(&host, "alice").1;
    let list = ask(&host, &app, portal(seconds(&host), Method::GET, "/approvals", "")).await;
    let list: Value = serde_json::from_slice(list.body()).unwrap();
    assert_eq!(
        (&list["approvals"][0]["reference"], list["approvals"].as_array().unwrap().len()),
        (&json!(reference), 1)
    );
    let pending = says(&host, &app, ERIN, "pending").await;
    assert!(
        pending.starts_with(&format!(
            "1 pending request\n`{reference}` · `alice` on `warehouse` (`production`) · requested by `portal/HPUAPORTALKEY0000001` · needs 1 more approval · before 2026-06-02 10:00 +00:00"
        )),
        "{pending}"
    );
    assert_eq!(says(&host, &app, STRANGER, "pending").await, "No requests are waiting for you.");

    for (body, code) in [
        (json!({"decision": "maybe"}), "OFFBOARD.40010"),
        (json!({}), "OFFBOARD.40001"),
        (json!({"decision": "approve"}), "OFFBOARD.40306"),
        (json!({"decision": "confirm"}), "OFFBOARD.40904"),
    ] {
        let answer = posts(&host, &app, &reference, body.clone()).await;
        assert!(text(&answer).contains(code), "{body} {}", text(&answer));
    }
    let nothing = posts(&host, &app, "00000000", json!({"decision": "approve"})).await;
    assert_eq!(nothing.status().as_u16(), 404);

    host.will_answer(200, SUCCESS);
    says(&host, &app, ERIN, &format!("approve {reference}")).await;
    let status = says(&host, &app, DANA, &format!("status {reference}")).await;
    assert!(
        status.starts_with(
            "Removal of `alice` from `warehouse`: Removed\n*Environment*\n`production`\n*Requested by*\n`portal/HPUAPORTALKEY0000001`\n*Requested at*\n2026-06-01 10:00 +00:00\n"
        ),
        "{status}"
    );
    let denied = says(&host, &app, STRANGER, &format!("status {reference}")).await;
    assert!(denied.contains("OFFBOARD.40304"), "{denied}");
}

#[tokio::test]
async fn help_shows_what_somebody_may_do() {
    let (host, app) = (memory(), app());
    let dana = says(&host, &app, DANA, "help").await;
    assert!(dana.contains("`ACCOUNT INSTANCE [REASON]`") && dana.contains("`approve ID`"), "{dana}");
    assert!(dana.ends_with("Instances: `analytics`, `warehouse`"), "{dana}");
    let stranger = says(&host, &app, STRANGER, "").await;
    let ends = "\nNo policy permits you to remove accounts or to request it on any instance.";
    assert!(stranger.ends_with(ends), "{stranger}");
}

/// The brake counts when something was removed, not when it was asked for.
#[tokio::test]
async fn the_brake_counts_what_was_approved_late() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, DANA, &format!("confirm {reference}")).await;
    host.now.set(host.now.get() + 2 * 3_600_000);
    host.will_answer(200, SUCCESS);
    says(&host, &app, ERIN, &format!("approve {reference}")).await;

    let policy =
        include_str!("../../../config/policy.cedar").replace("removals_last_hour >= 20", "removals_last_hour >= 1");
    let offboard = include_str!("../../../config/offboard.toml");
    let braked = App::parse(offboard, &policy, include_str!("../../../config/schema.cedarschema")).unwrap();
    for (minutes, stops) in [(0, true), (59, true), (60, false)] {
        host.now.set(1_780_308_000_000 + (2 * 60 + minutes) * 60_000 + 3000);
        let answer = says(&host, &braked, DANA, "bob analytics").await;
        assert_eq!(answer.contains("*Policy*\n`brake-twenty-an-hour`"), stops, "{minutes}: {answer}");
    }
}

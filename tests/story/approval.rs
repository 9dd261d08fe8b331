//! Who says yes, and what happens then: confirmation, approval, and all that can come between.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::flow;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::Inbound;

use crate::host::Memory;
use crate::{DOCUMENTED, SUCCESS, ask, memory, portal, seconds, slack, slash_as, text};

/// Asks on production, and approves.
const DANA: &str = "U2CERLKJA";
/// May do the same.
const ERIN: &str = "U0ERIN";
const FAY: &str = "U0FAY";
/// May nothing.
const STRANGER: &str = "U0STRANGER";

/// The demo's, with more people in the team, and the portal's key as Dana's own.
fn gateway_with(changes: &[(&str, &str)]) -> App {
    let mut offboard = include_str!("../../config/offboard.toml")
        .replace("members = [", &format!("members = [\"slack/{ERIN}\", \"slack/{FAY}\", "));
    for (from, to) in changes {
        assert!(offboard.contains(from), "{from}");
        offboard = offboard.replacen(from, to, 1);
    }
    let policy = include_str!("../../config/policy.cedar");
    App::parse(&offboard, policy, include_str!("../../config/schema.cedarschema")).unwrap()
}

fn app() -> App {
    gateway_with(&[])
}

/// A slash command, a second after whatever was before.
async fn says(host: &Memory, app: &App, who: &str, words: &str) -> String {
    host.now.set(host.now.get() + 1000);
    let response = ask(host, app, slash_as(who, seconds(host), words, "")).await;
    serde_json::from_slice::<Value>(response.body()).unwrap()["text"].as_str().unwrap().to_owned()
}

/// `(state, reference)` of the newest row of an account.
fn row_of(host: &Memory, user_name: &str) -> (String, String) {
    let sql = "SELECT state, coalesce(reference, '') FROM removals WHERE user_name = ?1 AND delivery IS NOT NULL
        ORDER BY rowid DESC LIMIT 1";
    host.database.query_row(sql, [user_name], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// The reference itself, while a row has it.
fn row_of_delivery(host: &Memory, reference: &str) -> Option<String> {
    let sql = "SELECT reference FROM removals WHERE reference = ?1";
    host.database.query_row(sql, [reference], |row| row.get(0)).ok()
}

fn deletes(host: &Memory) -> usize {
    host.methods().iter().filter(|method| *method == "DELETE").count()
}

#[tokio::test]
async fn whoever_asks_in_a_chat_is_asked_whether_they_mean_it() {
    let (host, app) = (memory(), app());
    let shown = says(&host, &app, DANA, "alice analytics left").await;
    let (state, reference) = row_of(&host, "alice");
    assert_eq!((state.as_str(), deletes(&host)), ("awaiting-confirmation", 0));
    assert!(
        shown.starts_with(&format!(
            "⏳ `alice` on `analytics`: nothing was sent yet: confirm `{reference}` within five minutes, then it is removed (OFFBOARD.40903)."
        )),
        "{shown}"
    );

    let others = says(&host, &app, ERIN, &format!("confirm {reference}")).await;
    assert!(others.contains("OFFBOARD.40307"), "{others}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-confirmation", 0));

    host.will_answer(200, SUCCESS);
    let removed = says(&host, &app, DANA, &format!("confirm {}", reference.to_lowercase())).await;
    assert!(
        removed.starts_with("✅ Removed `alice` from `analytics` (allowed by `dba-removes-on-staging`)."),
        "{removed}"
    );
    // Once more is not twice.
    let again = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(again.starts_with("✅ Removed `alice`"), "{again}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
}

#[tokio::test]
async fn what_is_cancelled_or_not_confirmed_in_time_is_not_sent() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics").await;
    let reference = row_of(&host, "alice").1;
    let cancelled = says(&host, &app, DANA, &format!("cancel {reference}")).await;
    assert!(cancelled.contains("the request was cancelled and nothing was sent (OFFBOARD.40905)"), "{cancelled}");
    let late = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(late.contains("OFFBOARD.40905"), "{late}");
    assert_eq!(row_of(&host, "alice").0, "cancelled");

    for (passes, state) in [(299_000 - 1000, "removed"), (300_000 - 1000, "expired")] {
        says(&host, &app, DANA, "bob analytics").await;
        let reference = row_of(&host, "bob").1;
        host.now.set(host.now.get() + passes);
        if state == "removed" {
            host.will_answer(200, SUCCESS);
        }
        says(&host, &app, DANA, &format!("confirm {reference}")).await;
        assert_eq!(row_of(&host, "bob").0, state);
    }
    assert_eq!(deletes(&host), 1);
}

#[tokio::test]
async fn what_somebody_may_only_ask_for_is_approved_by_another() {
    let (host, app) = (memory(), app());
    let shown = says(&host, &app, DANA, "alice warehouse left the company").await;
    assert!(shown.contains("then somebody else has to approve it"), "{shown}");
    let reference = row_of(&host, "alice").1;
    let unconfirmed = says(&host, &app, ERIN, &format!("approve {reference}")).await;
    assert!(unconfirmed.contains("OFFBOARD.40903"), "{unconfirmed}");

    let waits = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(
        waits.contains(&format!("request `{reference}` waits for the approval of 1 other person (OFFBOARD.40904)")),
        "{waits}"
    );
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-approval", 0));

    let own = says(&host, &app, DANA, &format!("approve {reference}")).await;
    assert!(own.contains("nobody approves their own request"), "{own}");
    let stranger = says(&host, &app, STRANGER, &format!("approve {reference}")).await;
    assert!(stranger.contains("OFFBOARD.40308"), "{stranger}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-approval", 0));

    host.will_answer(200, SUCCESS);
    let removed = says(&host, &app, ERIN, &format!("approve {reference}")).await;
    assert!(
        removed.starts_with("✅ Removed `alice` from `warehouse` (allowed by `dba-approves`, `dba-asks-on-production`).\n_asked by `slack/U2CERLKJA`, approved by `slack/U0ERIN`_"),
        "{removed}"
    );
    let again = says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert!(again.starts_with("✅ Removed"), "{again}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));

    // Every no has its row, too.
    let denied: i64 = host
        .database
        .query_row("SELECT count(*) FROM removals WHERE state = 'denied' AND code LIKE 'OFFBOARD.4030%'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(denied, 2);
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
    ask(host, app, crate::portal_with(seconds(host), Method::POST, &format!("/approvals/{id}"), "", &body.to_string()))
        .await
}

#[tokio::test]
async fn a_no_ends_it_with_its_reason() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, DANA, &format!("confirm {reference}")).await;
    let denied = says(&host, &app, ERIN, &format!("deny {reference} still on call")).await;
    assert!(denied.contains("`slack/U0ERIN` denied the request: `still on call` (OFFBOARD.40305)"), "{denied}");
    let too_late = says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert!(too_late.contains("`slack/U0ERIN` denied the request"), "{too_late}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("rejected", 0));
}

#[tokio::test]
async fn where_two_have_to_approve_one_is_not_enough() {
    let (host, app) = (memory(), gateway_with(&[("production = 1", "production = 2")]));
    says(&host, &app, DANA, "alice warehouse").await;
    let reference = row_of(&host, "alice").1;
    let waits = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(waits.contains("the approval of 2 other people"), "{waits}");
    for _ in 0..2 {
        let one = says(&host, &app, ERIN, &format!("approve {reference}")).await;
        assert!(one.contains("the approval of 1 other person"), "{one}");
        assert!(one.contains("_asked by `slack/U2CERLKJA`, approved by `slack/U0ERIN`_"), "{one}");
    }
    assert_eq!(deletes(&host), 0);
    host.will_answer(200, SUCCESS);
    says(&host, &app, FAY, &format!("approve {reference}")).await;
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
}

/// What was said to a request that came to nothing is not said to the next: a yes is for what somebody saw.
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
        assert!(text(&again).contains("the approval of 2 other people"), "{state}: {}", text(&again));
        let second = row_of(&host, "alice").1;
        assert_ne!(first, second);
        let gone = says(&host, &app, FAY, &format!("approve {first}")).await;
        assert!(gone.contains("OFFBOARD.40405"), "{gone}");
        let one = says(&host, &app, FAY, &format!("approve {second}")).await;
        assert!(one.contains("the approval of 1 other person") && one.contains("approved by `slack/U0FAY`_"), "{one}");
        let before = deletes(&host);

        // Who said yes then may say no now, and it is kept.
        let denied = says(&host, &app, ERIN, &format!("deny {second}")).await;
        assert!(denied.contains("OFFBOARD.40305"), "{denied}");
        assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("rejected", before));
        let sql = "SELECT group_concat(actor || approved) FROM (SELECT actor, approved FROM approvals ORDER BY rowid)";
        let said: String = host.database.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(said, "slack/U2CERLKJA1,slack/U0ERIN1,slack/U0FAY1,slack/U0ERIN0");
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

/// A click, with the URL that takes what is to be shown.
fn click(host: &Memory, who: &str, action: &str, reference: &str) -> Inbound {
    host.now.set(host.now.get() + 1000);
    let payload = json!({
        "type": "block_actions",
        "user": {"id": who},
        "actions": [{"action_id": action, "value": reference}],
        "response_url": format!("https://hooks.slack.com/actions/T0001/{who}/{action}"),
    });
    slack(seconds(host), format!("payload={}", utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC)))
}

/// What the click's answer was, and what was posted where.
async fn clicks(host: &Memory, app: &App, inbound: Inbound) -> (String, Vec<(String, Value)>) {
    let before = host.sent.borrow().len();
    let early = RefCell::new(None);
    flow::handle(host, Ok(app), inbound, None, |response| {
        assert!(early.replace(Some(text(&response))).is_none());
    })
    .await;
    let sent = host.sent.borrow();
    let posted = sent[before..].iter().filter(|request| request.method() == Method::POST);
    let posted = posted.map(|request| (request.uri().to_string(), serde_json::from_slice(request.body()).unwrap()));
    (early.take().expect("an answer at once"), posted.collect())
}

fn buttons(message: &Value) -> Vec<(String, String)> {
    let elements = message["blocks"][1]["elements"].as_array().cloned().unwrap_or_default();
    let field = |element: &Value, name: &str| element[name].as_str().unwrap().to_owned();
    elements.iter().map(|element| (field(element, "action_id"), field(element, "value"))).collect()
}

#[tokio::test]
async fn buttons_do_it_without_typing() {
    let (host, app) = (memory(), app());
    host.now.set(host.now.get() + 1000);
    let url = "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2Fdana";
    let shown = ask_now(&host, &app, slash_as(DANA, seconds(&host), "alice warehouse", url)).await;
    let reference = row_of(&host, "alice").1;
    let named = |names: [&str; 2]| names.map(|name| (name.to_owned(), reference.clone())).to_vec();
    assert_eq!(shown["response_type"], "ephemeral");
    assert_eq!(buttons(&shown), named(["confirm", "cancel"]));

    // The one message is replaced, and another is there for all.
    host.will_answer(200, "ok");
    host.will_answer(200, "ok");
    let (answer, posted) = clicks(&host, &app, click(&host, DANA, "confirm", &reference)).await;
    assert_eq!(answer, "{}");
    let [(first_url, first), (second_url, second)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert_eq!((first_url, second_url), (second_url, first_url));
    assert_eq!(first_url, "https://hooks.slack.com/actions/T0001/U2CERLKJA/confirm");
    assert_eq!((&first["replace_original"], buttons(first)), (&json!(true), vec![]));
    assert_eq!((&second["replace_original"], &second["response_type"]), (&json!(false), &json!("in_channel")));
    assert_eq!(buttons(second), named(["approve", "deny"]));

    // Who may not approve is told so, and the message stays.
    host.will_answer(200, "ok");
    let (_, posted) = clicks(&host, &app, click(&host, STRANGER, "approve", &reference)).await;
    let [(_, only)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert_eq!((&only["replace_original"], &only["response_type"]), (&json!(false), &json!("ephemeral")));

    // The DELETE, the message with the buttons replaced, and whoever asked is told.
    host.will_answer(200, SUCCESS);
    host.will_answer(200, "ok");
    host.will_answer(200, "ok");
    let (_, posted) = clicks(&host, &app, click(&host, ERIN, "approve", &reference)).await;
    let [(replaced_url, replaced), (asker_url, told)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert_eq!(replaced_url, "https://hooks.slack.com/actions/T0001/U0ERIN/approve");
    assert_eq!((&replaced["replace_original"], buttons(replaced)), (&json!(true), vec![]));
    // The newest of the asker's own.
    assert_eq!(asker_url, "https://hooks.slack.com/actions/T0001/U2CERLKJA/confirm");
    for message in [replaced, told] {
        assert!(message["text"].as_str().unwrap().starts_with("✅ Removed `alice` from `warehouse`"), "{message}");
    }
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
    let stored: String =
        host.database.query_row("SELECT group_concat(later) FROM removals", [], |row| row.get(0)).unwrap();
    assert!(!stored.contains("hooks.slack.com"), "{stored}");
}

async fn ask_now(host: &Memory, app: &App, inbound: Inbound) -> Value {
    let response = flow::handle(host, Ok(app), inbound, None, |early| panic!("{early:?}")).await;
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test]
async fn a_click_that_is_not_ours_does_nothing() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics").await;
    let reference = row_of(&host, "alice").1;
    for payload in [
        json!({"type": "view_submission", "user": {"id": DANA}}),
        json!({"type": "block_actions", "user": {"id": DANA}, "actions": []}),
        json!({"type": "block_actions", "user": {"id": DANA}, "actions": [{"action_id": "launch", "value": reference}]}),
        json!({"type": "block_actions", "user": {"id": DANA}, "actions": [{"action_id": "confirm"}]}),
        json!({"type": "block_actions", "user": {"id": "nobody"}, "actions": [{"action_id": "confirm", "value": reference}]}),
    ] {
        host.now.set(host.now.get() + 1000);
        let body = format!("payload={}", utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC));
        let answer = ask_now(&host, &app, slack(seconds(&host), body)).await;
        assert!(answer["text"].as_str().unwrap().contains("OFFBOARD.40010"), "{payload} {answer}");
    }
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-confirmation", 0));
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
        pending.starts_with(&format!("`{reference}`: `alice` on `warehouse`, asked by `portal/HPUAPORTALKEY0000001`")),
        "{pending}"
    );
    assert_eq!(says(&host, &app, STRANGER, "pending").await, "Nothing waits for you.");

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
            "`alice` on `warehouse`, asked by `portal/HPUAPORTALKEY0000001` at 2026-06-01T10:00:00Z: *removed*"
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
    assert!(dana.contains("`<user_name> <instance> [reason]`") && dana.contains("approve <id>"), "{dana}");
    assert!(dana.ends_with("Instances: `analytics`, `warehouse`"), "{dana}");
    let stranger = says(&host, &app, STRANGER, "").await;
    assert_eq!(
        stranger,
        "What waits: `pending`. What became of a removal: `status <id>`.\nYou may not remove accounts from any instance."
    );
}

/// What takes longer than Slack waits follows later, whatever was typed.
#[tokio::test]
async fn a_typed_yes_that_takes_long_is_acknowledged() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics").await;
    let reference = row_of(&host, "alice").1;
    host.will_answer(200, SUCCESS);
    host.which_takes(std::time::Duration::from_secs(9));
    host.will_answer(200, "ok");
    host.now.set(host.now.get() + 1000);
    let url = "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2Fconfirm";
    let inbound = slash_as(DANA, seconds(&host), &format!("confirm {reference}"), url);
    let (early, posted) = clicks(&host, &app, inbound).await;
    assert!(early.contains("Working on it; the outcome follows here."), "{early}");
    let [(posted_to, message)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert_eq!(posted_to, "https://hooks.slack.com/commands/T0001/confirm");
    assert!(message["text"].as_str().unwrap().starts_with("✅ Removed `alice`"), "{message}");
    assert_eq!(message.get("replace_original"), None);

    // So does what became of one that only the list can settle.
    host.database.execute("UPDATE removals SET state = 'unknown'", []).unwrap();
    host.will_list(&[]);
    host.which_takes(std::time::Duration::from_secs(9));
    host.will_answer(200, "ok");
    host.now.set(host.now.get() + 1000);
    let inbound = slash_as(DANA, seconds(&host), &format!("status {reference}"), url);
    let (_, posted) = clicks(&host, &app, inbound).await;
    let [(_, message)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert!(message["text"].as_str().unwrap().contains("*removed*"), "{message}");
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
        include_str!("../../config/policy.cedar").replace("removals_last_hour >= 20", "removals_last_hour >= 1");
    let offboard = include_str!("../../config/offboard.toml");
    let braked = App::parse(offboard, &policy, include_str!("../../config/schema.cedarschema")).unwrap();
    for (minutes, stops) in [(0, true), (59, true), (60, false)] {
        host.now.set(1_780_308_000_000 + (2 * 60 + minutes) * 60_000 + 3000);
        let answer = says(&host, &braked, DANA, "bob analytics").await;
        assert_eq!(answer.contains("policy forbids it: `brake-twenty-an-hour`"), stops, "{minutes}: {answer}");
    }
}

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
        let dry: i64 = host.database.query_row("SELECT dry_run FROM removals", [], |row| row.get(0)).unwrap();
        assert_eq!(dry, 1);
    }
    let (host, app) = (memory(), app());
    host.will_list(&["alice"]);
    let words = says(&host, &app, DANA, "alice warehouse --dry-run left").await;
    assert!(
        words.contains(
            "dry run, nothing was sent: the account is there; somebody else would have to approve it (DRY_RUN)"
        ),
        "{words}"
    );
    let stranger = says(&host, &app, STRANGER, "--dry-run alice analytics").await;
    assert!(stranger.contains("the account list could not be read; policy would not permit it"), "{stranger}");
    let wrong =
        ask(&host, &app, portal(seconds(&host), Method::DELETE, DOCUMENTED, "user_name=alice&dry_run=yes")).await;
    assert!(text(&wrong).contains("OFFBOARD.40010"));
    assert_eq!(deletes(&host), 0);
}

/// Somebody decides about the newest request for an account.
type Decision = (usize, &'static str, &'static str);

/// What somebody does in the property test.
#[derive(Debug, Clone)]
enum Act {
    /// Dana asks to remove account number `0` or `1` from production.
    Ask(usize),
    /// Somebody decides.
    Decide(Decision),
    /// Two decide at once; the bits say who of them is held up at which statement.
    DecideAtOnce(Decision, Decision, u64),
    /// The first delivery of an account's newest request comes again.
    Repeat(usize),
    /// Minutes go by.
    Wait(i64),
    /// The process ends, and another begins.
    Restart,
    /// The next DELETE brings no answer, and the account list says this.
    LoseAnswer(bool),
}

const ACCOUNTS: [&str; 2] = ["alice", "bob"];

fn any_decision() -> impl Strategy<Value = Decision> {
    let likely = prop::sample::select(vec![
        (DANA, "confirm"),
        (DANA, "confirm"),
        (ERIN, "approve"),
        (FAY, "approve"),
        (DANA, "approve"),
        (STRANGER, "approve"),
        (ERIN, "confirm"),
        (FAY, "deny"),
        (DANA, "cancel"),
    ]);
    // Most of it about one account, so that it gets somewhere.
    (prop_oneof![4 => Just(0_usize), 1 => Just(1)], likely).prop_map(|(account, (who, how))| (account, who, how))
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => prop_oneof![3 => Just(0_usize), 1 => Just(1)].prop_map(Act::Ask),
        10 => any_decision().prop_map(Act::Decide),
        5 => (any_decision(), any_decision(), any::<u64>()).prop_map(|(one, two, bits)| Act::DecideAtOnce(one, two, bits)),
        1 => (0_usize..2).prop_map(Act::Repeat),
        1 => prop::sample::select(vec![1_i64, 4, 60]).prop_map(Act::Wait),
        1 => Just(Act::Restart),
        1 => any::<bool>().prop_map(Act::LoseAnswer),
    ]
}

/// What the model knows of a request.
#[derive(Debug, Default)]
struct Request {
    confirmed: bool,
    approved_by: BTreeSet<&'static str>,
    deletes: usize,
}

impl Request {
    /// What was said counts when the row waited for it, or may have come to while it was said.
    fn hears(&mut self, (_, who, how): Decision, state: &str, at_once: bool) {
        self.confirmed |= how == "confirm" && who == DANA && state == "awaiting-confirmation";
        let may_wait = state == "awaiting-approval" || (at_once && state == "awaiting-confirmation" && self.confirmed);
        if how == "approve" && [ERIN, FAY].contains(&who) && may_wait {
            self.approved_by.insert(who);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// However people, time and restarts interleave: never two DELETEs for one request, never one without the yes of whoever
    /// asked and of as many others as it takes, never a row that is lost.
    #[test]
    fn the_state_machine_holds(required in 1_usize..=2, acts in prop::collection::vec(any_act(), 10..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let changes = [("production = 1", if required == 1 { "production = 1" } else { "production = 2" })];
            let (host, mut app) = (memory(), gateway_with(&changes));
            let mut requests: BTreeMap<String, Request> = BTreeMap::new();
            let mut newest: [Option<(String, Inbound)>; 2] = [None, None];
            let mut lose = None;
            for act in acts {
                host.answers.borrow_mut().clear();
                match lose {
                    None => host.will_answer(200, SUCCESS),
                    Some(gone) => {
                        host.will_fail(SendError::Broken("reset".into()));
                        host.will_list(if gone { &[] } else { &["alice", "bob"] });
                    }
                }
                let before = deletes(&host);
                let mut about = None;
                match act.clone() {
                    Act::Ask(account) => {
                        host.now.set(host.now.get() + 1000);
                        let inbound = slash_as(DANA, seconds(&host), &format!("{} warehouse", ACCOUNTS[account]), "");
                        ask(&host, &app, inbound.clone()).await;
                        let reference = row_of(&host, ACCOUNTS[account]).1;
                        prop_assert!(!requests.contains_key(&reference) || reference.is_empty());
                        if !reference.is_empty() {
                            requests.insert(reference.clone(), Request::default());
                            newest[account] = Some((reference, inbound));
                        }
                    }
                    Act::Decide(decision) => {
                        let Some((reference, _)) = &newest[decision.0] else { continue };
                        let state = row_of(&host, ACCOUNTS[decision.0]).0;
                        requests.get_mut(reference).unwrap().hears(decision, &state, false);
                        says(&host, &app, decision.1, &format!("{} {reference}", decision.2)).await;
                        about = Some(reference.clone());
                    }
                    Act::DecideAtOnce(one, two, bits) => {
                        // About the same, or nothing can happen between them.
                        let two = (one.0, two.1, two.2);
                        let Some((reference, _)) = &newest[one.0] else { continue };
                        let state = row_of(&host, ACCOUNTS[one.0]).0;
                        let request = requests.get_mut(reference).unwrap();
                        for decision in [one, two, one] {
                            request.hears(decision, &state, true);
                        }
                        let words = |decision: Decision| format!("{} {reference}", decision.2);
                        let (first, second) = (words(one), words(two));
                        host.yields.set(bits);
                        tokio::join!(says(&host, &app, one.1, &first), says(&host, &app, two.1, &second));
                        host.yields.set(0);
                        about = Some(reference.clone());
                    }
                    Act::Repeat(account) => {
                        let Some((reference, inbound)) = &newest[account] else { continue };
                        ask(&host, &app, inbound.clone()).await;
                        // What came to nothing is asked for anew, and nobody has said anything to it yet.
                        let now = row_of_delivery(&host, reference).unwrap_or_else(|| row_of(&host, ACCOUNTS[account]).1);
                        if now != *reference {
                            requests.remove(reference);
                            requests.insert(now.clone(), Request::default());
                        }
                        about = Some(now.clone());
                        newest[account] = Some((now, inbound.clone()));
                    }
                    Act::Wait(minutes) => host.now.set(host.now.get() + minutes * 60_000),
                    Act::Restart => app = gateway_with(&changes),
                    Act::LoseAnswer(gone) => lose = Some(gone),
                }
                let sent = deletes(&host) - before;
                if sent > 0 {
                    lose = None;
                    let request = about.and_then(|reference| requests.get_mut(&reference));
                    let Some(request) = request else { panic!("a DELETE out of nowhere after {act:?}") };
                    request.deletes += sent;
                    prop_assert_eq!(request.deletes, 1, "{:?}", act);
                    prop_assert!(request.confirmed && request.approved_by.len() >= required, "{act:?} {request:?}");
                }
                let rows: i64 = host
                    .database
                    .query_row("SELECT count(*) FROM removals WHERE reference IS NOT NULL", [], |row| row.get(0))
                    .unwrap_or(0);
                prop_assert_eq!(rows, i64::try_from(requests.len()).unwrap(), "{:?}", act);
            }
            Ok(())
        })?;
    }
}

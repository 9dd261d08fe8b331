//! The buttons of a message in Slack.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::memory::Memory;

use crate::approvals::shared::{DANA, ERIN, STRANGER, app, deletes, row_of, says};
use crate::gateway::{SUCCESS, memory, seconds, slack, slash_as, text};

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
pub(crate) async fn clicks(host: &Memory, app: &App, inbound: Inbound) -> (String, Vec<(String, Value)>) {
    let before = host.sent.borrow().len();
    let answer = answered(host, Ok(app), inbound).await;
    let sent = host.sent.borrow();
    let posted = sent[before..].iter().filter(|request| request.method() == Method::POST);
    let posted = posted.map(|request| (request.uri().to_string(), serde_json::from_slice(request.body()).unwrap()));
    (text(&answer), posted.collect())
}

fn buttons(message: &Value) -> Vec<(String, String)> {
    let blocks = message["blocks"].as_array().cloned().unwrap_or_default();
    let actions = blocks.iter().find(|block| block["type"] == "actions");
    let elements = actions.and_then(|block| block["elements"].as_array()).cloned().unwrap_or_default();
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

    // The DELETE, the message with the buttons replaced, and the requester is told.
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
    let stored: Vec<Option<String>> = host.database.rows("SELECT later FROM removals", &[]);
    let stored = stored.into_iter().flatten().collect::<String>();
    assert!(!stored.is_empty() && !stored.contains("hooks.slack.com"), "{stored}");
}

async fn ask_now(host: &Memory, app: &App, inbound: Inbound) -> Value {
    let response = answered(host, Ok(app), inbound).await;
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
        let answer = answered(&host, Ok(&app), slack(seconds(&host), body)).await;
        let answer = String::from_utf8_lossy(answer.body()).into_owned();
        // What is no click of a button of ours is answered with nothing.
        assert!(answer.is_empty() || answer.contains("OFFBOARD.40010"), "{payload} {answer}");
    }
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-confirmation", 0));
}

//! From an event of HR's to those who were told: approved by a button, and by words.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use starrocks_offboard::app::App;

use super::shared::{ERIN, Stage, app_of, app_with, target};
use crate::gateway::slack;

const VARIABLES: [(&str, &str); 3] = [
    ("t", "xoxb-secret"),
    ("u", "https://events.example.com/offboard"),
    ("s", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
];

fn app() -> App {
    app_with(&(target("dba", "slack", "caller = \"slack\"") + &target("portal", "standard-webhooks", "")))
}

fn buttons(message: &Value) -> Vec<(String, String)> {
    let blocks = message["blocks"].as_array().cloned().unwrap_or_default();
    let elements = blocks.iter().filter(|block| block["type"] == "actions");
    let elements = elements.flat_map(|block| block["elements"].as_array().cloned().unwrap_or_default());
    let field = |element: &Value, name: &str| element[name].as_str().unwrap_or_default().to_owned();
    elements.map(|element| (field(&element, "action_id"), field(&element, "value"))).collect()
}

async fn click(stage: &Stage, app: &App, who: &str, button: &(String, String)) {
    let payload = json!({
        "type": "block_actions",
        "user": {"id": who},
        "actions": [{"action_id": button.0, "value": button.1}],
        "response_url": format!("https://hooks.slack.com/actions/T0001/{who}/1"),
    });
    let body = format!("payload={}", utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC));
    stage.ask(app, |seconds| slack(seconds, body)).await.unwrap();
}

#[tokio::test]
async fn by_a_button() {
    let (stage, app) = (Stage::new(&VARIABLES), app());
    stage.has("alice");
    let answer = stage.event(&app, "alice", "warehouse").await.unwrap();
    assert_eq!(answer.status().as_u16(), 409);
    let posts = stage.posted();
    let [first, event] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(first.url, "https://slack.com/api/chat.postMessage");
    assert_eq!((&event.body["type"], &event.body["data"]["user_name"]), (&json!("removal.waiting"), &json!("alice")));
    let buttons_of_first = buttons(&first.body);
    let reference = stage.reference("alice");
    let named = |name: &str| (name.to_owned(), reference.clone());
    assert_eq!(buttons_of_first, [named("approve"), named("deny")]);

    click(&stage, &app, ERIN, &buttons_of_first[0]).await;
    assert_eq!(stage.state("alice"), "removed");
    let after = stage.posted();
    let told: Vec<_> = after[2..].iter().map(|post| post.url.as_str()).collect();
    assert_eq!(
        told,
        [
            "https://hooks.slack.com/actions/T0001/U0ERIN/1",
            "https://slack.com/api/chat.update",
            "https://events.example.com/offboard"
        ]
    );
    assert_eq!((&after[3].body["ts"], buttons(&after[3].body)), (&json!("1780308000.000000"), vec![]));
    assert!(after[3].body["text"].as_str().unwrap().contains("Removed"), "{}", after[3].body);
    assert_eq!(after[4].body["data"]["state"], "removed");

    // Once more: nothing is told again, and nothing is removed again.
    click(&stage, &app, ERIN, &buttons_of_first[0]).await;
    assert_eq!(stage.posted().len(), after.len() + 1);
    assert_eq!(stage.memory.methods().iter().filter(|method| *method == Method::DELETE.as_str()).count(), 1);
}

/// The same operations as everywhere: whom policy does not permit, and the one who asked, cannot approve.
#[tokio::test]
async fn a_button_is_no_other_way_to_an_approval() {
    let (stage, app) = (Stage::new(&VARIABLES), app());
    stage.has("alice");
    stage.types(&app, "U2CERLKJA", "alice warehouse left").await.unwrap();
    let button = buttons(&stage.posted()[0].body)[0].clone();
    for who in ["U2CERLKJA", "U0STRANGER"] {
        click(&stage, &app, who, &button).await;
        assert_eq!(stage.state("alice"), "awaiting-approval", "{who}");
    }
    // The configuration has changed since: what was shown is not what would be removed.
    let changed = app_of(
        &target("dba", "slack", "caller = \"slack\""),
        &[("86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17", "86cf8ab6f4d14c1fa5e1d2b7a0c3e946in17")],
        &[],
    );
    click(&stage, &changed, ERIN, &button).await;
    assert_ne!(stage.state("alice"), "removed");
    assert!(stage.memory.methods().iter().all(|method| method != "DELETE"));
}

#[tokio::test]
async fn by_words() {
    let (stage, app) = (Stage::new(&VARIABLES), app());
    stage.event(&app, "alice", "warehouse").await.unwrap();
    stage.types(&app, ERIN, &format!("deny {} still needed", stage.reference("alice"))).await.unwrap();
    let posts = stage.posted();
    assert_eq!(posts.len(), 4);
    assert!(posts[2].body["text"].as_str().unwrap().contains("Denied"), "{}", posts[2].body);
    assert!(posts[2].body.to_string().contains("still needed"));
    assert_eq!(posts[3].body["data"]["state"], "rejected");
}

/// Confirmed first: nothing is told of what its requester has not confirmed.
#[tokio::test]
async fn after_confirmation() {
    let app = app_of(&target("dba", "slack", ""), &[("confirm = false\n", "")], &[]);
    let stage = Stage::new(&VARIABLES);
    stage.types(&app, "U2CERLKJA", "alice warehouse left").await.unwrap();
    assert!(stage.outbox().is_empty());
    stage.types(&app, "U2CERLKJA", &format!("confirm {}", stage.reference("alice"))).await.unwrap();
    assert_eq!((stage.state("alice").as_str(), stage.posted().len()), ("awaiting-approval", 1));
    // Removed after confirmation alone: no one was told, and no one is.
    stage.has("bob");
    stage.types(&app, "U2CERLKJA", "bob analytics left").await.unwrap();
    stage.types(&app, "U2CERLKJA", &format!("confirm {}", stage.reference("bob"))).await.unwrap();
    assert_eq!((stage.state("bob").as_str(), stage.posted().len()), ("removed", 1));
}

/// What was told as unknown is told once it is settled.
#[tokio::test]
async fn an_unknown_outcome_is_told_and_settled() {
    let tables = "[[notify]]\nname = \"on-call\"\nkind = \"pagerduty\"\nrouting_key = \"k\"\nevents = [\"unknown\"]\n";
    let (stage, app) = (Stage::new(&[("k", "0123456789abcdef0123456789abcdef")]), app_with(tables));
    stage.memory.will_answer(500, "<html>");
    stage.memory.will_answer(500, "<html>");
    stage.event(&app, "alice", "analytics").await.unwrap();
    stage.job(&app, "settle").await.unwrap();
    assert_eq!(stage.state("alice"), "removed");
    let posts = stage.posted();
    let actions: Vec<_> = posts.iter().map(|post| post.body["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(posts[0].body["dedup_key"], posts[1].body["dedup_key"]);
    // What is known at once is not told.
    stage.has("bob");
    stage.event(&app, "bob", "analytics").await.unwrap();
    assert_eq!((stage.state("bob").as_str(), stage.posted().len()), ("removed", 2));
}

/// A removal is answered before anything is told, and a platform that does not answer changes nothing about it.
#[tokio::test]
async fn telling_delays_nothing() {
    use super::shared::Act;
    let (stage, app) = (Stage::new(&VARIABLES), app());
    stage.has("alice");
    stage.event(&app, "alice", "warehouse").await.unwrap();
    stage.will([Act::Take, Act::Kill]);
    let reference = stage.reference("alice");
    stage.types(&app, ERIN, &format!("approve {reference}")).await;
    assert_eq!(stage.state("alice"), "removed");
}

/// Without `[[notify]]` nothing is written for it, and no statement is added.
#[tokio::test]
async fn without_a_table_nothing_is_told() {
    let app = app_with("");
    let stage = Stage::new(&VARIABLES);
    stage.event(&app, "alice", "warehouse").await.unwrap();
    let before = stage.memory.statements.get();
    stage.event(&app, "bob", "warehouse").await.unwrap();
    let plain = stage.memory.statements.get() - before;
    assert!(stage.outbox().is_empty());
    assert_eq!(stage.memory.database.count("removals WHERE notify IS NOT NULL"), 0);

    let told = app_with(&target("dba", "slack", ""));
    stage.event(&told, "carol", "warehouse").await.unwrap();
    let before = stage.memory.statements.get();
    stage.event(&told, "dave", "warehouse").await.unwrap();
    // The lease, the row, what became of the message, and that nothing else is due.
    assert_eq!(stage.memory.statements.get() - before, plain + 4);
}

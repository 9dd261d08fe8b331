//! A removal that is asked for in the console: chosen, checked, sent.

use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::console::sign_in::{Answer, PROVIDER, World, inbound, with_console, world};

const WAREHOUSE: &str = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17";
const ANALYTICS: &str = "54e42160670e48e789af7075e1efea1fin17";
const HOSTILE: &str = "\"><script>alert(1)</script>";

/// A gateway whose instances have some accounts, and a member of the team who has signed in.
async fn signed_in() -> (World, String) {
    let world = world(PROVIDER);
    let cloud = world.host.cloud.as_ref().unwrap();
    for instance in [WAREHOUSE, ANALYTICS] {
        for name in ["mei_lee", "dana", "etl_loader", "root", HOSTILE] {
            cloud.accounts.borrow_mut().insert((instance.to_owned(), name.to_owned()));
        }
    }
    let session = world.sign_in().await;
    world.host.sent.borrow_mut().clear();
    (world, session)
}

/// A form as a browser sends it.
fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

async fn post(world: &World, session: &str, fields: &[(&str, &str)]) -> Answer {
    let headers = [("cookie", session), ("sec-fetch-site", "same-origin")];
    world.send(inbound(Method::POST, "/console/ask", &headers, &form(fields))).await
}

async fn get(world: &World, session: &str, path: &str) -> Answer {
    world.get(path, &[("cookie", session)]).await
}

/// The tokens of a page, in order: that of the form that signs out is not among them.
fn tokens(answer: &Answer) -> Vec<String> {
    let page = answer.body.split_once("<main").map_or(answer.body.as_str(), |(_, main)| main);
    let parts = page.split("name=\"token\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

/// Chooses an account and checks: the answer, which has the form that sends.
async fn check(world: &World, session: &str, instance: &str, user_name: &str, reason: &str) -> Answer {
    let page = get(world, session, &format!("/console/ask?instance={instance}")).await;
    assert_eq!(page.status, StatusCode::OK, "{page:#?}");
    let token = &tokens(&page)[0];
    let fields = [
        ("token", token.as_str()),
        ("instance", instance),
        ("user_name", user_name),
        ("reason", reason),
        ("do", "check"),
    ];
    post(world, session, &fields).await
}

/// The fields with which a browser sends what was checked.
fn sending<'a>(token: &'a str, instance: &'a str, user_name: &'a str, reason: &'a str) -> [(&'a str, &'a str); 5] {
    [("token", token), ("instance", instance), ("user_name", user_name), ("reason", reason), ("do", "send")]
}

fn states(world: &World) -> Vec<String> {
    world.host.rows().into_iter().map(|row| row.0).collect()
}

fn has_deleted(world: &World) -> bool {
    world.host.methods().iter().any(|method| method == "DELETE")
}

#[tokio::test]
async fn an_account_is_chosen_from_the_list() {
    let (world, session) = signed_in().await;
    let page = get(&world, &session, "/console/ask").await;
    assert!(page.body.contains("instance=warehouse") && page.body.contains("instance=analytics"), "{page:#?}");
    assert!(!page.body.contains("name=\"user_name\""), "{page:#?}");

    let page = get(&world, &session, "/console/ask?instance=warehouse&user_name=mei_lee").await;
    assert!(page.body.contains("value=\"mei_lee\" required checked"), "{page:#?}");
    for never in ["etl_loader", "root"] {
        assert!(page.body.contains(&format!("value=\"{never}\" required disabled")), "{never}: {page:#?}");
    }
    assert!(page.body.contains("<code>etl_*</code>") && page.body.contains("5 of 5 accounts"), "{page:#?}");
    assert!(!page.body.contains("<script") && page.body.contains("alert(1)"), "{page:#?}");

    let page = get(&world, &session, "/console/ask?instance=warehouse&q=LEE").await;
    assert!(page.body.contains("mei_lee") && !page.body.contains("etl_loader"), "{page:#?}");
    assert!(page.body.contains("1 of 5 accounts"), "{page:#?}");
    assert_eq!(get(&world, &session, "/console/ask?instance=none").await.code(), "OFFBOARD.40403");
    assert!(!has_deleted(&world));
}

#[tokio::test]
async fn a_request_is_checked_sent_and_waits() {
    let (world, session) = signed_in().await;
    let checked = check(&world, &session, "warehouse", "mei_lee", "left <b>in June").await;
    assert_eq!(checked.status, StatusCode::OK, "{checked:#?}");
    for shown in ["<code>dba-asks-on-production</code>", "Send, and", "left &#60;b&#62;in June", "id=\"result\""] {
        assert!(checked.body.contains(shown), "{shown}: {checked:#?}");
    }
    assert!(!checked.body.contains("btn danger"), "{checked:#?}");
    assert_eq!(states(&world), ["dry-run"]);

    let token = tokens(&checked)[1].clone();
    let fields = sending(&token, "warehouse", "mei_lee", "left <b>in June");
    let sent = post(&world, &session, &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:#?}");
    assert!(sent.location().starts_with("/console?done="), "{sent:#?}");
    assert_eq!(states(&world), ["dry-run", "awaiting-approval"]);
    let banner = get(&world, &session, sent.location()).await;
    assert!(banner.body.contains("role=\"status\"") && banner.body.contains("Your request was sent."), "{banner:#?}");

    // The browser sends it once more, and then from another session.
    let again = post(&world, &session, &fields).await;
    assert_eq!((again.status, again.location()), (StatusCode::SEE_OTHER, sent.location()));
    let other = world.sign_in().await;
    assert_eq!(post(&world, &other, &fields).await.location(), sent.location());
    assert_eq!(states(&world), ["dry-run", "awaiting-approval"]);
    assert!(!has_deleted(&world));

    let waits = check(&world, &session, "warehouse", "mei_lee", "").await;
    assert!(waits.body.contains("waits already"), "{waits:#?}");
}

#[tokio::test]
async fn what_policy_permits_at_once_is_removed_once() {
    let (world, session) = signed_in().await;
    let checked = check(&world, &session, "analytics", "mei_lee", "").await;
    assert!(checked.body.contains("btn danger"), "{checked:#?}");
    let token = tokens(&checked)[1].clone();
    let fields = sending(&token, "analytics", "mei_lee", "");
    let sent = post(&world, &session, &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:#?}");
    let banner = get(&world, &session, sent.location()).await;
    assert!(banner.body.contains("was removed from"), "{banner:#?}");
    assert_eq!(post(&world, &session, &fields).await.location(), sent.location());
    assert_eq!(world.host.methods().iter().filter(|method| *method == "DELETE").count(), 1);
    assert_eq!(states(&world), ["dry-run", "removed"]);

    // It is not there any more.
    let gone = check(&world, &session, "analytics", "mei_lee", "").await;
    assert!(gone.body.contains("is not on") && tokens(&gone).len() == 1, "{gone:#?}");
}

#[tokio::test]
async fn forms_that_prove_nothing_send_nothing() {
    let (mut world, session) = signed_in().await;
    let checked = check(&world, &session, "analytics", "mei_lee", "left").await;
    assert!(checked.body.contains("Send, and"), "{checked:#?}");
    let tokens = tokens(&checked);
    let (for_check, for_send) = (tokens[0].as_str(), tokens[1].as_str());
    let right = sending(for_send, "analytics", "mei_lee", "left");
    for (fields, code) in [
        (sending("", "analytics", "mei_lee", "left"), "OFFBOARD.40312"),
        (sending(for_check, "analytics", "mei_lee", "left"), "OFFBOARD.40312"),
        (sending(for_send, "warehouse", "mei_lee", "left"), "OFFBOARD.40312"),
        (sending(for_send, "analytics", "dana", "left"), "OFFBOARD.40312"),
        (sending(for_send, "analytics", "mei_lee", "other"), "OFFBOARD.40312"),
        (sending(for_send, "analytics", "etl_loader", "left"), "OFFBOARD.40303"),
        (
            [
                ("token", for_send),
                ("instance", "analytics"),
                ("user_name", "mei_lee"),
                ("reason", "left"),
                ("do", "check"),
            ],
            "OFFBOARD.40312",
        ),
        (
            [("token", for_send), ("instance", "analytics"), ("user_name", "mei_lee"), ("reason", "left"), ("do", "x")],
            "OFFBOARD.40010",
        ),
    ] {
        let answer = post(&world, &session, &fields).await;
        assert_eq!(answer.code(), code, "{fields:?} {answer:#?}");
    }
    let other = world.sign_in_as(&json!({"sub": "f:1b2c:erin"})).await;
    assert_eq!(post(&world, &other, &right).await.code(), "OFFBOARD.40312", "another person's");
    for site in ["cross-site", "same-site", ""] {
        let headers = [("cookie", session.as_str()), ("sec-fetch-site", site)];
        let answer = world.send(inbound(Method::POST, "/console/ask", &headers, &form(&right))).await;
        assert_eq!(answer.code(), "OFFBOARD.40311", "{site}");
    }

    // What it showed is not so any more: policy's verdict, or the account.
    let before = std::mem::replace(
        &mut world.app,
        with_console(PROVIDER, &[("environment = \"staging\"", "environment = \"production\"")]),
    );
    assert_eq!(post(&world, &session, &right).await.code(), "OFFBOARD.40312", "another environment is another request");
    world.app = before;
    let cloud = world.host.cloud.as_ref().unwrap();
    let account = (ANALYTICS.to_owned(), "mei_lee".to_owned());
    cloud.accounts.borrow_mut().remove(&account);
    assert_eq!(post(&world, &session, &right).await.code(), "OFFBOARD.40911");
    cloud.accounts.borrow_mut().insert(account);
    world.host.will_answer(404, r#"{"error_code":"DBS.200002","error_msg":"no such instance"}"#);
    assert_eq!(post(&world, &session, &right).await.code(), "OFFBOARD.50206", "a list that was not read");

    // An hour later, in a session that was kept alive.
    let start = world.host.now.get();
    let mut session = session;
    for minutes in [29, 58] {
        world.host.now.set(start + minutes * 60_000);
        let cookies = get(&world, &session, "/console").await.cookies();
        session = cookies.into_iter().find_map(|(_, value)| value).unwrap_or(session);
    }
    world.host.now.set(start + 60 * 60_000);
    assert_eq!(post(&world, &session, &right).await.code(), "OFFBOARD.40313");

    assert!(!has_deleted(&world));
    assert!(
        !states(&world).iter().any(|state| state == "removed" || state == "awaiting-approval"),
        "{:?}",
        states(&world)
    );
}

#[tokio::test]
async fn a_verdict_that_changed_is_read_again() {
    let (mut world, session) = signed_in().await;
    let checked = check(&world, &session, "warehouse", "mei_lee", "left").await;
    let token = tokens(&checked)[1].clone();
    world.app = with_console(PROVIDER, &[("production = 1", "production = 2")]);
    let answer = post(&world, &session, &sending(&token, "warehouse", "mei_lee", "left")).await;
    assert_eq!(answer.code(), "OFFBOARD.40911", "{answer:#?}");
    assert!(!states(&world).iter().any(|state| state == "awaiting-approval"));
}

#[tokio::test]
async fn wrong_input_is_said_on_the_form() {
    let (world, session) = signed_in().await;
    for (user_name, reason, said) in [
        ("mei_lee", "left\u{202e}", "aria-invalid=\"true\""),
        ("etl_loader", "left", "protected by the operator"),
        ("", "left", "user_name"),
        (HOSTILE, "left", "id=\"wrong\""),
    ] {
        let answer = check(&world, &session, "analytics", user_name, reason).await;
        assert!(answer.status.is_client_error(), "{user_name}: {answer:#?}");
        assert!(answer.body.contains(said) && answer.body.contains("value=\"left"), "{user_name}: {answer:#?}");
        assert!(!answer.body.contains("id=\"result\"") && !answer.body.contains("<script"), "{user_name}: {answer:#?}");
    }
    assert!(!has_deleted(&world));
}

#[tokio::test]
async fn nothing_is_checked_without_the_account_list() {
    let (world, session) = signed_in().await;
    let token = tokens(&get(&world, &session, "/console/ask?instance=analytics").await)[0].clone();
    let unreadable = || world.host.will_answer(404, r#"{"error_code":"DBS.200002","error_msg":"no such instance"}"#);
    unreadable();
    let page = get(&world, &session, "/console/ask?instance=analytics").await;
    assert!(page.body.contains("account list could not be read") && !page.body.contains("name=\"do\""), "{page:#?}");
    unreadable();
    let fields = [("token", token.as_str()), ("instance", "analytics"), ("user_name", "mei_lee"), ("do", "check")];
    let page = post(&world, &session, &fields).await;
    assert!(page.body.contains("account list could not be read") && !page.body.contains("id=\"result\""), "{page:#?}");
}

/// People may remove their own accounts without seeing those of others.
#[tokio::test]
async fn a_person_asks_for_their_own_account() {
    let (mut world, _) = signed_in().await;
    let person = json!({"sub": "f:1b2c:kim", "groups": []});
    let session = world.sign_in_as(&person).await;
    let page = get(&world, &session, "/console/ask").await;
    assert!(page.body.contains("No policy permits you"), "{page:#?}");
    assert_eq!(get(&world, &session, "/console/ask?instance=analytics").await.code(), "OFFBOARD.40304");

    let people =
        "[[person]]\nname = \"kim\"\nprincipals = [\"console/f:1b2c:kim\"]\naccounts = [\"mei_lee\"]\n\n[[person]]";
    world.app = with_console(PROVIDER, &[("[[person]]", people)]);
    let page = get(&world, &session, "/console/ask?instance=analytics").await;
    assert!(page.body.contains("mei_lee") && !page.body.contains("etl_loader"), "{page:#?}");
    let checked = check(&world, &session, "analytics", "mei_lee", "").await;
    assert!(checked.body.contains("<code>own-account</code>") && checked.body.contains("btn danger"), "{checked:#?}");
    let others = check(&world, &session, "analytics", "dana", "").await;
    assert!(others.body.contains("You may not ask for it") && tokens(&others).len() == 1, "{others:#?}");
}

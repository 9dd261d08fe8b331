//! The configuration is another one between two requests, and the ledger the same: what was asked of one is not done to
//! another, and what is done is not done again.

use serde_json::Value;
use starrocks_offboard::host::SendError;
use support::kind::Kind;
use support::stage::Stage;

use crate::adversary::shared::{app, kinds_of, made, state};
use crate::callers::kinds::InMemory;

const ID: &str = "54e42160670e48e789af7075e1efea1fin17";
const OTHER_ID: &str = "00e42160670e48e789af7075e1efea1fin17";

/// Those who name an account themselves.
const NAMING: &[&str] = &[
    "slack",
    "discord",
    "mattermost",
    "teams",
    "google-chat",
    "wecom",
    "wecom-bot",
    "standard-webhooks",
    "standard-webhooks-v1a",
    "cloudevents",
    "cloudevents-binary",
];

/// What changes, and what the same delivery hears then: status, code, state of the row; no more DELETEs than the first.
const DONE: &[(&str, &str, &str, &str)] = &[
    ("the instance of this name is another one", ID, OTHER_ID, "SUCCESS"),
    (
        "the instance is at another endpoint",
        "region = \"ap-southeast-3\"       # or",
        "region = \"ap-southeast-1\"       # or",
        "SUCCESS",
    ),
    ("the instance is production now", "environment = \"staging\"", "environment = \"production\"", "SUCCESS"),
    ("the instance is gone", "name = \"analytics\"", "name = \"analytics-2\"", "OFFBOARD.40403"),
    ("the account is protected now", "protected = [\"etl_*\"]", "protected = [\"ali*\"]", "OFFBOARD.40303"),
    ("whoever asked is in no team any more", "members = [", "members = [\"nobody/nobody\"] #", "SUCCESS"),
];

/// Those whose proof takes a question to another server, which would get the answer that TaurusDB is to give.
const ASKING: &[&str] = &["google-chat"];

/// Who asks after the name of an instance became another's, while the outcome of the first DELETE is unknown.
const UNKNOWN: &[(&str, Next)] =
    &[("the same delivery comes again", Next::Same), ("another removal of the account", Next::Another)];

#[derive(Clone, Copy, PartialEq)]
enum Next {
    Same,
    Another,
}

pub(super) fn names() -> Vec<String> {
    let of = |kind: &Kind| {
        let done = DONE.iter().map(|(idea, ..)| format!("{}/changes: done, and {idea}", kind.name));
        let unknown = UNKNOWN
            .iter()
            .filter(|_| !kind.is(ASKING))
            .map(|(idea, _)| format!("{}/changes: unknown elsewhere, and {idea}", kind.name));
        done.chain(unknown).collect::<Vec<_>>()
    };
    kinds_of(NAMING).iter().flat_map(of).collect()
}

/// The list of another instance says nothing about the first one, on which the account may still be.
#[tokio::test]
async fn what_nobody_knows_is_not_settled_by_the_list_of_another_instance() {
    let mut failures = String::new();
    for kind in kinds_of(NAMING).into_iter().filter(|kind| !kind.is(ASKING)) {
        for (idea, next) in UNKNOWN {
            let setup = kind.setup(false, &[]);
            let offboard = setup.offboard.clone();
            let mut stage = InMemory::open(setup).await;
            stage.host.will_fail(SendError::Broken("reset".into()));
            stage.host.will_answer(500, "");
            let wire = made(&stage, &kind, |_: &mut Value| ());
            stage.send(&wire).await;
            assert_eq!(state(&stage), "unknown", "{}", kind.name);
            stage.host.answers.borrow_mut().clear();
            stage.app = app(&offboard.replacen(ID, OTHER_ID, 1));
            let next = if *next == Next::Same { wire } else { made(&stage, &kind, |_: &mut Value| ()) };
            stage.send(&next).await;
            let sql = "SELECT state, confirmed_by FROM removals ORDER BY asked_at, id LIMIT 1";
            let first: (String, Option<String>) = stage.host.database.row(sql, &[]).unwrap();
            if first != ("unknown".to_owned(), None) {
                failures += &format!("{}/changes: unknown elsewhere, and {idea}: {first:?}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[tokio::test]
async fn what_is_done_is_not_done_again_elsewhere() {
    let mut failures = String::new();
    for kind in kinds_of(NAMING) {
        for (idea, from, to, code) in DONE {
            let setup = kind.setup(false, &[]);
            let offboard = setup.offboard.clone();
            let mut stage = InMemory::open(setup).await;
            let cloud = stage.host.cloud.as_ref().unwrap();
            cloud.accounts.borrow_mut().insert((OTHER_ID.into(), "alice".into()));
            let wire = made(&stage, &kind, |_: &mut Value| ());
            stage.send(&wire).await;
            assert_eq!((state(&stage).as_str(), stage.deletes()), ("removed", 1), "{}", kind.name);
            assert!(offboard.contains(from), "{from}");
            stage.app = app(&offboard.replacen(from, to, 1));
            let reply = stage.send(&wire).await;
            let status = if *code == "SUCCESS" || kind.speaks() { 200 } else { support::adversary::status_of(code) };
            let seen = (reply.status, reply.header("x-offboard-code").unwrap_or_default(), stage.deletes());
            let cloud = stage.host.cloud.as_ref().unwrap();
            let stays = cloud.accounts.borrow().contains(&(OTHER_ID.to_owned(), "alice".to_owned()));
            if seen != (status, code, 1) || !stays {
                failures += &format!("{}/changes: done, and {idea}: {seen:?}, not {status} {code}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

//! Brakes count people: whatever a person comes through, and what they caused.

use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::gateway::{SUCCESS, ask, documented, memory, seconds, slash, text};

/// Two removals an hour.
fn braked(offboard: &[(&str, &str)]) -> App {
    let policy =
        include_str!("../../../config/policy.cedar").replace("removals_last_hour >= 20", "removals_last_hour >= 2");
    let mut text =
        include_str!("../../../config/offboard.toml").replace("kind = \"slack\"", "confirm = false\nkind = \"slack\"");
    for (from, to) in offboard {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    App::parse(&text, &policy, include_str!("../../../config/schema.cedarschema")).unwrap()
}

const ONE_PERSON: (&str, &str) =
    ("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\"]");

/// Through Slack, then through the portal, in turns; whether the removal was sent.
async fn removes(host: &Memory, app: &App, number: usize) -> bool {
    host.now.set(host.now.get() + 1000);
    host.will_answer(200, SUCCESS);
    let inbound = match number % 2 {
        0 => slash(seconds(host), &format!("user{number} analytics")),
        _ => documented(seconds(host), &format!("user_name=user{number}")),
    };
    let answer = text(&ask(host, app, inbound).await);
    let is_sent = host.answers.borrow().is_empty();
    host.answers.borrow_mut().clear();
    assert_eq!(is_sent, !answer.contains("brake-twenty-an-hour"), "{answer}");
    is_sent
}

async fn sent(host: &Memory, app: &App, count: usize) -> Vec<bool> {
    let mut sent = Vec::new();
    for number in 0..count {
        sent.push(removes(host, app, number).await);
    }
    sent
}

/// Case A12: a person with two logins has one brake.
#[tokio::test]
async fn one_person_has_one_brake() {
    let (host, app) = (memory(), braked(&[ONE_PERSON]));
    assert_eq!(sent(&host, &app, 4).await, [true, true, false, false]);
    let two = memory();
    assert_eq!(sent(&two, &braked(&[]), 6).await, [true, true, true, true, false, false]);
}

/// The rows say whose they are as they are claimed; a person who is configured since has the brake of the principal as well.
#[tokio::test]
async fn a_new_person_does_not_begin_anew() {
    let host = memory();
    assert_eq!(sent(&host, &braked(&[]), 4).await, [true; 4]);
    let app = braked(&[ONE_PERSON]);
    assert!(!removes(&host, &app, 6).await);
    assert!(!removes(&host, &app, 7).await);
    let persons = "SELECT DISTINCT person FROM removals WHERE claimed_at IS NOT NULL ORDER BY 1";
    let persons: Vec<String> = host.database.rows(persons, &[]);
    assert_eq!(persons, ["dana", "portal/HPUAPORTALKEY0000001"]);
}

/// What a person caused through a system counts for them, and for the system.
#[tokio::test]
async fn what_a_person_caused_counts() {
    for (actor, person, caused_by, dana, portal) in [
        ("hr", "dana", "github/583231", false, true),
        ("portal/HPUAPORTALKEY0000001", "dana", "github/583231", false, false),
        ("portal/HPUAPORTALKEY0000001", "erin", "github/1", true, false),
        ("hr", "erin", "github/1", true, true),
    ] {
        let (host, app) = (memory(), braked(&[]));
        app.ledger(&host).await.map(drop).unwrap();
        for id in ["1", "2"] {
            let sql = "INSERT INTO removals (id, delivery, state, asked_at, claimed_at, caller, kind, actor, instance, user_name,
                    policies, attempts, person, caused_by)
                VALUES (?1, ?1, 'removed', 1780308000000, 1780308000000, 'hr', 'standard-webhooks', ?2, 'warehouse',
                    'alice', '', 1, ?3, ?4)";
            host.database.execute(sql, &[id, actor, person, caused_by].map(Into::into));
        }
        assert_eq!(removes(&host, &app, 0).await, dana, "{actor} {person}");
        assert_eq!(removes(&host, &app, 1).await, portal, "{actor} {person}");
    }
}

/// Rows of version 1 have no person: they count for their principal.
#[tokio::test]
async fn rows_of_an_older_ledger_count() {
    for (actor, stops) in [("slack/U2CERLKJA", true), ("slack/U1", false)] {
        let host = memory();
        host.database.sqlite().execute_batch(include_str!("../../fixtures/ledger/version-1.sql")).unwrap();
        let sql = "INSERT INTO removals (id, delivery, state, asked_at, claimed_at, actor, instance, user_name, policies, attempts)
            VALUES ('0', '0', 'removed', 1780307400000, 1780307400000, ?1, 'warehouse', 'zoe', '', 1)";
        host.database.execute(sql, &[actor.into()]);
        // The file has one of slack/U2CERLKJA's.
        assert_eq!(removes(&host, &braked(&[]), 0).await, !stops, "{actor}");
    }
}

//! People in a chat are asked whether they mean it: they alone, within five minutes, once.

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::answer::{Answer, send};
use crate::harness::gateway::{Gateway, settled};
use crate::harness::requests::{Ask, Kind, Way, Who};
use crate::harness::setup::Setup;

async fn gateway() -> Gateway {
    Gateway::start(Setup { confirm: true, ..Setup::default() }.people()).await
}

/// A removal from staging that waits for the yes of its requester; its reference.
async fn asked(gateway: &Gateway) -> String {
    let answer = gateway.ask(Kind::Slack, &Ask::default()).await;
    assert_eq!((answer.code().as_str(), gateway.deletes()), ("OFFBOARD.40903", 0));
    let buttons: Vec<_> = answer.json()["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|block| block["type"] == "actions")
        .unwrap()["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["action_id"].clone())
        .collect();
    assert_eq!(buttons, [json!("confirm"), json!("cancel")]);
    answer.header("x-offboard-reference").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_confirms_typed_or_by_a_button() {
    for way in [Way::Typed, Way::Button] {
        let gateway = gateway().await;
        let reference = asked(&gateway).await;
        // No other person does.
        let mut others = Ask::word(way, "confirm", &reference).by(Who::Colleague);
        others.response_url += "/others";
        assert_eq!(gateway.hears(way, &others).await.code(), "OFFBOARD.40307");
        assert_eq!((gateway.waiting(&reference).state.as_str(), gateway.deletes()), ("awaiting-confirmation", 0));

        let yes = Ask::word(way, "confirm", &reference);
        let removed = gateway.hears(way, &yes).await;
        assert_eq!((removed.code().as_str(), gateway.deletes()), ("SUCCESS", 1), "{way:?}");
        if way == Way::Button {
            assert_eq!(removed.json()["replace_original"], json!(true));
        }
        assert_eq!(gateway.waiting(&reference).state, "removed");
        assert!(!gateway.has_account("alice"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_stays_so() {
    for way in [Way::Typed, Way::Button] {
        let gateway = gateway().await;
        let reference = asked(&gateway).await;
        assert_eq!(gateway.hears(way, &Ask::word(way, "cancel", &reference)).await.code(), "OFFBOARD.40905");
        assert_eq!(gateway.hears(way, &Ask::word(way, "confirm", &reference)).await.code(), "OFFBOARD.40905");
        assert_eq!((gateway.waiting(&reference).state.as_str(), gateway.deletes()), ("cancelled", 0));
    }
}

/// And what waits outlives the process.
#[tokio::test(flavor = "multi_thread")]
async fn five_minutes_and_no_longer() {
    // A second passes before it is said.
    for (milliseconds, code, deletes) in [(298_999, "SUCCESS", 1), (299_000, "OFFBOARD.40906", 0)] {
        let mut gateway = gateway().await;
        let reference = asked(&gateway).await;
        gateway.stop().await;
        let gateway = gateway.another().await;
        gateway.advance(milliseconds);
        let answer = gateway.hears(Way::Typed, &Ask::word(Way::Typed, "confirm", &reference)).await;
        assert_eq!((answer.code().as_str(), gateway.deletes()), (code, deletes));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_confirmations_at_once_are_one_delete() {
    let gateway = gateway().await;
    let other = gateway.another().await;
    let reference = asked(&gateway).await;
    let mut running = JoinSet::new();
    for number in 0..16 {
        let to = if number % 2 == 0 { &gateway } else { &other };
        // Each is another delivery.
        let yes = Ask {
            response_url: format!("https://hooks.slack.com/{number}"),
            ..Ask::word(Way::Typed, "confirm", &reference)
        };
        let wire = yes.wire(Kind::Slack, &to.address.to_string(), to.now());
        running.spawn(send(to.address, wire.request()));
    }
    let codes: Vec<_> = running.join_all().await.iter().map(Answer::code).collect();
    settled([&gateway, &other]).await;
    assert!(codes.iter().all(|code| ["SUCCESS", "OFFBOARD.40901"].contains(&code.as_str())), "{codes:?}");
    assert!(codes.iter().any(|code| code == "SUCCESS"), "{codes:?}");
    assert_eq!((gateway.deletes(), gateway.waiting(&reference).state.as_str()), (1, "removed"));
}

/// The first command again is not another request.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_hears_how_far_it_came() {
    let gateway = gateway().await;
    let wire = Ask::default().wire(Kind::Slack, &gateway.address.to_string(), gateway.now());
    let first = gateway.send(wire.request()).await;
    let reference = first.header("x-offboard-reference").unwrap().to_owned();
    let again = gateway.send(wire.request()).await;
    assert_eq!((again.body.clone(), again.header("x-offboard-reference")), (first.body.clone(), Some(&*reference)));
    gateway.hears(Way::Typed, &Ask::word(Way::Typed, "confirm", &reference)).await;
    assert_eq!(gateway.send(wire.request()).await.code(), "SUCCESS");
    assert_eq!((gateway.deletes(), gateway.rows().len()), (1, 1));
}

//! Brakes count what neighbours have claimed and not yet committed.

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{PATIENCE, send};
use crate::harness::gateway::{Gateway, settled};
use crate::harness::requests::{Ask, INSTANCE, Kind};
use crate::harness::setup::Setup;
use crate::harness::store::Store;

/// Sixty-four removals of one person at once, through two processes, against a brake of ten: ten DELETEs.
#[tokio::test(flavor = "multi_thread")]
async fn ten_of_sixty_four_at_once_from_two_processes() {
    let setup = Setup::default().replace(
        "policy.cedar",
        "context.removals_last_hour >= 20",
        "context.removals_last_hour >= 10",
    );
    let one = Gateway::start_on(Store::postgres(), setup).await;
    let other = one.another().await;
    let mut asked = JoinSet::new();
    for number in 0..64 {
        let gateway = [&one, &other][number % 2];
        let account = format!("user_{number}");
        gateway.simulator.add_account(INSTANCE, &account);
        let wire = Ask::to_remove(&account).wire(Kind::Api, &gateway.address.to_string(), gateway.now());
        asked.spawn(send(gateway.address, wire.request()));
    }
    let answers = timeout(PATIENCE, asked.join_all()).await.expect("all answers in time");
    let codes = |code: &str| answers.iter().filter(|answer| answer.code() == code).count();
    assert_eq!((codes("SUCCESS"), codes("OFFBOARD.40301")), (10, 54));
    settled([&one, &other]).await;
    assert_eq!(one.deletes(), 10);
    let states = |state: &str| one.states().iter().filter(|(_, of)| of == state).count();
    assert_eq!((states("removed"), states("denied")), (10, 54));
}

/// One delivery, sent thirty-two times at once to two processes, is one DELETE.
#[tokio::test(flavor = "multi_thread")]
async fn one_delivery_at_once_from_two_processes_is_one_delete() {
    let one = Gateway::start_on(Store::postgres(), Setup::default()).await;
    let other = one.another().await;
    let mut asked = JoinSet::new();
    for number in 0..32 {
        let gateway = [&one, &other][number % 2];
        let wire = Ask::default().wire(Kind::StandardWebhooks, &gateway.address.to_string(), gateway.now());
        asked.spawn(send(gateway.address, wire.request()));
    }
    let answers = timeout(PATIENCE, asked.join_all()).await.expect("all answers in time");
    assert!(answers.iter().any(|answer| answer.code() == "SUCCESS"), "{answers:#?}");
    settled([&one, &other]).await;
    assert_eq!((one.deletes(), one.states()), (1, vec![("alice".to_owned(), "removed".to_owned())]));
}

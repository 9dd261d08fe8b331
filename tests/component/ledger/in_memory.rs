//! A database in memory ends with its instance, and each instance has one of its own: no ledger, unless for a trial.

use local::runtime::database::Database;

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;

const HEADER: &str = "x-offboard-ledger";

/// A gateway whose Spin has no folder for its state.
async fn without_a_folder(variable: &str) -> Gateway {
    let mut gateway = Gateway::start(Setup::default().variable("ledger", variable)).await;
    gateway.options.database = Database::Memory;
    gateway.another().await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_and_nothing_is_sent() {
    let gateway = without_a_folder("").await;
    for kind in Kind::ALL {
        let answer = gateway.ask(kind, &Ask::default()).await;
        assert_eq!(answer.code(), "OFFBOARD.50306", "{answer:#?}");
        assert_eq!(answer.header(HEADER), None);
    }
    assert_eq!(gateway.deletes(), 0);
    let lines = gateway.logs.lines();
    let why = "ledger: the database is in memory and would forget each removal; give Spin a folder for its state";
    assert!(lines.iter().any(|line| line.starts_with(why)), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_allowed_and_every_answer_says_so() {
    let gateway = without_a_folder("memory").await;
    for kind in Kind::ALL {
        let answer = gateway.ask(kind, &Ask { webhook_id: format!("{kind:?}"), ..Ask::default() }).await;
        assert_eq!(answer.header(HEADER), Some("memory"), "{answer:#?}");
    }
    assert_eq!(gateway.ask(Kind::Api, &Ask::to_remove("bob")).await.code(), "SUCCESS");
    assert_eq!(gateway.get("/healthz").await.header(HEADER), Some("memory"));
    assert_eq!(gateway.get("/nothing").await.header(HEADER), Some("memory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_no_address_is_refused() {
    let gateway = Gateway::start(Setup::default().variable("ledger", "mysql://root:hunter2@db/x")).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50301");
    let lines = gateway.logs.lines().join("\n");
    assert!(
        lines.contains("the variable `ledger` is neither empty nor `memory` nor an address of PostgreSQL"),
        "{lines}"
    );
    assert!(!lines.contains("hunter2"), "{lines}");
}

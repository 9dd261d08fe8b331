//! Who is told, through the built component: by a webhook of Slack's on both databases; each kind by a stand-in that is held to its
//! platform's documentation (`kinds`); and what a killed process leaves behind (`killed`).

mod killed;
mod kinds;
mod scene;
mod stand_in;

use http::StatusCode;
use local::simulator::wire::Answer as Told;
use tokio::time::timeout;

use crate::harness::answer::PATIENCE;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, WAREHOUSE, Way, Who};
use crate::harness::setup::Setup;
use crate::harness::store::Store;

const TABLE: &str = "[[notify]]
name = \"dba\"
kind = \"slack-webhook\"
url = \"notify_url\"
events = [\"waiting\", \"reminder\", \"decided\"]

[accounts]";

/// The gateway of an operator who told it whom to tell.
async fn gateway(store: Option<Store>) -> Gateway {
    let setup = Setup::default()
        .people()
        .variable("notify_url", "https://hooks.slack.com/services/T0001/B0001/secret")
        .replace("offboard.toml", "[accounts]", TABLE)
        .replace("policy.cedar", "// Every person may remove", "@id(\"portal-operates\") permit (principal == User::\"portal/HPUAPORTALKEY0000001\", action == Action::\"operate\", resource);\n// Every person may remove");
    match store {
        None => Gateway::start(setup).await,
        Some(store) => Gateway::start_on(store, setup).await,
    }
}

async fn texts(gateway: &Gateway, count: usize) -> Vec<String> {
    let posted = timeout(PATIENCE, gateway.later.received(count)).await.expect("the messages in time");
    assert!(posted.iter().all(|posted| posted.path == "/services/T0001/B0001/secret"), "{posted:?}");
    posted.iter().map(|posted| posted.text()).collect()
}

async fn is_told_and_told_how_it_ended(store: Option<Store>) {
    let gateway = gateway(store).await;
    gateway.simulator.add_account(WAREHOUSE, "alice");
    let answer = gateway.ask(Kind::StandardWebhooks, &Ask::on_production("alice")).await;
    assert_eq!(answer.code(), "OFFBOARD.40904");
    let reference = answer.header("x-offboard-reference").unwrap().to_owned();
    let told = texts(&gateway, 1).await;
    assert!(told[0].contains("Approval needed") && told[0].contains(&format!("approve {reference}")), "{told:?}");

    let approves = Ask::word(Way::Event, "approve", &reference).by(Who::Colleague);
    assert_eq!(gateway.hears(Way::Event, &approves).await.code(), "SUCCESS");
    let told = texts(&gateway, 2).await;
    assert!(told[1].contains("Removed"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn approvers_are_told_and_told_how_it_ended() {
    is_told_and_told_how_it_ended(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approvers_are_told_and_told_how_it_ended_on_postgres() {
    is_told_and_told_how_it_ended(Some(Store::postgres())).await;
}

/// A platform that is down costs the request nothing, and the outbox keeps what it was to say.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_down_changes_no_answer() {
    for store in [None, Some(Store::postgres())] {
        let gateway = gateway(store).await;
        gateway.later.on_next(Told::http(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "down"));
        let answer = gateway.ask(Kind::StandardWebhooks, &Ask::on_production("alice")).await;
        assert_eq!(answer.code(), "OFFBOARD.40904");
        texts(&gateway, 1).await;
        gateway.settled().await;
        let lines = gateway.logs.lines().join("\n");
        assert!(lines.contains("to `dba` will be tried again: answered 503"), "{lines}");
        assert!(!lines.contains("B0001"), "{lines}");
    }
}

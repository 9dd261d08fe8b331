//! A process that is killed (SIGKILL) while a platform is about to answer: what it sent may be there, and the next process knows only
//! that it was on its way.

use std::process::Stdio;

use local::http_client as client;
use tokio::time::timeout;

use super::scene::{Scene, told};
use crate::harness::answer::PATIENCE;
use crate::harness::requests::Kind;
use crate::harness::store::Store;
use crate::process::crashes::Process;

/// Signed for a name that stands for every process, as behind a load balancer.
const HOST: &str = "offboard.example.com";

/// How long no other process sends a message, in seconds.
const LEASED: i64 = 120;

/// What becomes of the message: its state, and how often the platform got it. It shows it once.
async fn is_killed(kind: &'static str, store: Option<Store>, state: &str, sent: usize) {
    let scene = Scene::start(kind, store).await;
    let process = tokio::task::block_in_place(|| Process::start(&scene.gateway, Stdio::null()));
    scene.platform.next(&["hold"]).await;
    let mut wire = Scene::leaver("alice").wire(Kind::StandardWebhooks, HOST, scene.gateway.now());
    wire.set("Host", HOST);
    let answer = timeout(PATIENCE, client::send(process.address, wire.request())).await.expect("in time").unwrap();
    assert_eq!(answer.headers()["x-offboard-code"], "OFFBOARD.40904");
    scene.platform.arrived(1).await;
    process.kill();
    scene.platform.release().await;
    assert_eq!(scene.messages("alice"), told("waiting", "waiting"), "{kind}");

    // It could still be waiting for the answer, for all that another process knows.
    scene.pass(LEASED - 1).await;
    scene.remind().await;
    assert_eq!(scene.sent("alice").await.len(), 1, "{kind}");
    scene.pass(2).await;
    scene.remind().await;
    assert_eq!(scene.messages("alice"), told("waiting", state), "{kind}");
    assert_eq!((scene.sent("alice").await.len(), scene.shown("alice").await.len()), (sent, 1), "{kind}");
    if state == "unknown" {
        scene.assert_said(
            "may or may not have been delivered, and is not sent again: its sender stopped before the platform's answer was written down",
        );
    }
}

async fn are_killed(store: impl Fn() -> Option<Store>) {
    is_killed("slack", store(), "unknown", 1).await;
    // With the same `requestId`, so that the platform shows it once.
    is_killed("google-chat", store(), "delivered", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_message_behind_and_doubles_none() {
    are_killed(|| None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_message_behind_and_doubles_none_on_postgres() {
    are_killed(|| Some(Store::postgres())).await;
}

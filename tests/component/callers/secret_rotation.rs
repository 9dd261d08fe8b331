//! A secret is rotated while requests come in, as an operator does it who has each change of a variable rolled out: a process
//! with the new values starts, takes over, and the old one ends in good order. No request is refused.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::harness::answer::{Answer, send};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, sign_as_slack};
use crate::harness::setup::Setup;

const OLD: &str = "old-secret-2b7e151628aed2a6";
const NEW: &str = "new-secret-abf7158809cf4f3c";

/// Where senders send, and what they sign with.
struct World {
    address: Mutex<SocketAddr>,
    secret: Mutex<&'static str>,
    over: AtomicBool,
    /// How many requests were sent.
    sent: watch::Sender<usize>,
}

fn signed(ask: &Ask, address: SocketAddr, now: i64, secret: &str) -> http::Request<bytes::Bytes> {
    let mut wire = ask.wire(Kind::Slack, &address.to_string(), now);
    wire.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-slack"));
    sign_as_slack(&mut wire, secret, now);
    wire.request()
}

async fn keeps_sending(world: Arc<World>, now: i64, sender: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !world.over.load(Ordering::Relaxed) {
        let mut number = 0;
        world.sent.send_modify(|sent| {
            *sent += 1;
            number = *sent;
        });
        let (address, secret) = (*world.address.lock().unwrap(), *world.secret.lock().unwrap());
        let response_url = format!("https://hooks.slack.com/commands/{sender}/{number}");
        let ask = Ask { text: Some("alice analytics --dry-run".into()), response_url, ..Ask::default() };
        answers.push(send(address, signed(&ask, address, now, secret)).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_while_a_secret_is_rotated() {
    let both = "secrets = [\"slack_signing_secret\", \"portal_secret_key\"]";
    let setup = Setup::default().replace("offboard.toml", "secrets = [\"slack_signing_secret\"]", both);
    let setup = setup.variable("slack_signing_secret", OLD).variable("portal_secret_key", "");
    let mut running = Gateway::start(setup).await;
    let world = Arc::new(World {
        address: Mutex::new(running.address),
        secret: Mutex::new(OLD),
        over: AtomicBool::new(false),
        sent: watch::Sender::new(0),
    });
    let senders: Vec<_> =
        (0..4).map(|sender| tokio::spawn(keeps_sending(world.clone(), running.now(), sender))).collect();

    // Each step: another process takes over, and some requests later the next one.
    let steps: [(&str, &str, &'static str); 2] = [("portal_secret_key", NEW, NEW), ("slack_signing_secret", "", NEW)];
    for (variable, value, then) in steps {
        some_more(&world).await;
        let next = running.another_with(variable, value).await;
        *world.address.lock().unwrap() = next.address;
        some_more(&world).await;
        running.stop().await;
        running = next;
        // Only now do senders change: a sender that still signs with the old one is heard.
        some_more(&world).await;
        *world.secret.lock().unwrap() = then;
        some_more(&world).await;
    }
    world.over.store(true, Ordering::Relaxed);
    let mut heard = 0;
    for sender in senders {
        for answer in sender.await.unwrap() {
            assert_eq!((answer.status, answer.code().as_str()), (200, "DRY_RUN"), "{answer:?}");
            heard += 1;
        }
    }
    assert_eq!(heard, *world.sent.borrow());
    assert!(heard > 100, "{heard}");

    // The old one proves nothing any more.
    let late = signed(&Ask::default(), running.address, running.now(), OLD);
    assert_eq!(send(running.address, late).await.code(), "OFFBOARD.40105");
}

/// Waits until a number of requests more were sent.
async fn some_more(world: &World) {
    let until = *world.sent.borrow() + 20;
    world.sent.subscribe().wait_for(|sent| *sent >= until).await.expect("the sender is alive as long as the world");
}

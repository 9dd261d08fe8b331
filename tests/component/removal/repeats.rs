//! The same delivery, sent again or many times at once, to one process or to two, before or after a restart, is one DELETE;
//! a repeat gets the first one's answer.

use std::collections::BTreeSet;

use local::http_client as client;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE, send};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind, Wire};
use crate::harness::setup::Setup;

/// Signed for a name that stands for every process, as behind a load balancer.
const HOST: &str = "offboard.example.com";

fn wire(kind: Kind, ask: &Ask, gateway: &Gateway) -> Wire {
    let mut wire = ask.wire(kind, HOST, gateway.now());
    wire.set("Host", HOST);
    wire
}

/// The answer, without what differs between two of the same.
fn undated(mut answer: Answer) -> Answer {
    answer.headers.remove("date");
    answer
}

async fn ask(gateway: &Gateway, wire: &Wire) -> Answer {
    undated(gateway.send(wire.request()).await)
}

fn removed_once(gateway: &Gateway) {
    assert_eq!(gateway.deletes(), 1);
    assert!(!gateway.has_account("alice"));
    assert_eq!(gateway.states(), [("alice".into(), "removed".into())]);
    assert_eq!(gateway.row().attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_one_s_answer() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let wire = wire(kind, &Ask::default(), &gateway);
        let first = ask(&gateway, &wire).await;
        assert_eq!(first.code(), "SUCCESS");
        gateway.advance(1000);
        assert_eq!(ask(&gateway, &wire).await, first);
        removed_once(&gateway);
    }
}

/// Also when it was an error: nothing may come out differently because it was asked twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_what_taurusdb_refused_is_not_sent_either() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let wire = wire(kind, &Ask::to_remove("nobody"), &gateway);
        let first = ask(&gateway, &wire).await;
        assert_eq!(first.code(), "DBS.200824");
        gateway.simulator.add_account(INSTANCE, "nobody");
        assert_eq!(ask(&gateway, &wire).await, first);
        assert_eq!(gateway.states(), [("nobody".into(), "already-gone".into())]);
        assert!(gateway.has_account("nobody"));
    }
}

/// 64 copies, of which one waits for TaurusDB until all the others are answered.
async fn sixty_four_copies(kind: Kind, gateways: &[&Gateway]) {
    let gateway = gateways[0];
    let wire = wire(kind, &Ask::default(), gateway);
    let hold = gateway.simulator.hold();
    let mut copies = JoinSet::new();
    for number in 0..64 {
        let (address, request) = (gateways[number % gateways.len()].address, wire.request());
        copies.spawn(send(address, request));
    }
    for answered in 0..63 {
        let answer = timeout(PATIENCE, copies.join_next()).await;
        let sent = gateway.deletes();
        let answer = answer.unwrap_or_else(|_| panic!("{answered} answers came, and {sent} DELETEs left"));
        assert_eq!(answer.unwrap().unwrap().code(), "OFFBOARD.40901");
    }
    hold.release();
    let last = undated(copies.join_next().await.unwrap().unwrap());
    assert_eq!(last.code(), "SUCCESS");
    for gateway in gateways {
        gateway.settled().await;
    }
    removed_once(gateway);

    for gateway in gateways {
        assert_eq!(ask(gateway, &wire).await, last);
    }
    removed_once(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_copies_at_once_are_one_delete() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        sixty_four_copies(kind, &[&gateway]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_ledger_are_one_delete() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let other = gateway.another().await;
        sixty_four_copies(kind, &[&gateway, &other]).await;
    }
}

/// Without anything that keeps them apart: how they interleave is up to the machine.
#[tokio::test(flavor = "multi_thread")]
async fn copies_that_race_get_the_answer_or_are_told_to_wait() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let wire = wire(kind, &Ask::default(), &gateway);
        let mut copies = JoinSet::new();
        for _ in 0..64 {
            copies.spawn(send(gateway.address, wire.request()));
        }
        let answers: Vec<_> = copies.join_all().await.into_iter().map(undated).collect();
        let (removed, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.code() == "SUCCESS");
        assert!(!removed.is_empty());
        assert!(removed.iter().all(|answer| *answer == removed[0]), "{removed:#?}");
        assert!(waiting.iter().all(|answer| answer.code() == "OFFBOARD.40901"), "{waiting:#?}");
        gateway.settled().await;
        removed_once(&gateway);
        // A requester who has to ask again asks about the same row.
        let id = gateway.row().id;
        assert!(answers.iter().all(|answer| answer.header("x-offboard-removal") == Some(&id)), "{id} {answers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_after_a_restart_gets_the_first_one_s_answer() {
    for kind in Kind::ALL {
        let mut gateway = Gateway::start(Setup::default()).await;
        let wire = wire(kind, &Ask::default(), &gateway);
        let first = ask(&gateway, &wire).await;
        assert_eq!(first.code(), "SUCCESS");
        gateway.stop().await;
        assert_eq!(ask(&gateway.another().await, &wire).await, first);
        removed_once(&gateway);
    }
}

/// What a process that died left in flight is not sent a second time: the account list says what became of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_after_a_crash_is_not_sent() {
    for kind in Kind::ALL {
        let mut gateway = Gateway::start(Setup::default()).await;
        let wire = wire(kind, &Ask::default(), &gateway);
        let hold = gateway.simulator.hold();
        let asked = tokio::spawn(client::send(gateway.address, wire.request()));
        timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
        gateway.kill();
        assert!(asked.await.unwrap().is_err(), "the process answered after its end");

        // As long as its time is not over, it could be running: elsewhere, for all that the ledger says.
        let gateway = gateway.another().await;
        let answer = ask(&gateway, &wire).await;
        assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("OFFBOARD.40901", Some("35")));
        hold.release();
        gateway.simulator.finished(1).await;
        assert_eq!(gateway.states(), [("alice".into(), "in-flight".into())]);

        gateway.advance(35_000);
        let settled = ask(&gateway, &wire).await;
        assert_eq!(
            (settled.code().as_str(), settled.header("x-offboard-confirmed-by")),
            ("SUCCESS", Some("account-list"))
        );
        assert_eq!(ask(&gateway, &wire).await, settled);
        removed_once(&gateway);
    }
}

/// A requester who does not wait for the answer finds it in the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_is_finished_when_its_client_has_left() {
    let gateway = Gateway::start(Setup::default()).await;
    let wire = wire(Kind::StandardWebhooks, &Ask::default(), &gateway);
    let hold = gateway.simulator.hold();
    let asked = tokio::spawn(client::send(gateway.address, wire.request()));
    timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    hold.release();

    let settled = async {
        while gateway.row().state == "in-flight" {
            // Not a sleep: each turn asks, and gives the component time to write.
            assert!(["OFFBOARD.40901", "SUCCESS"].contains(&ask(&gateway, &wire).await.code().as_str()));
        }
    };
    timeout(PATIENCE, settled).await.expect("a settled row in time");
    assert_eq!(ask(&gateway, &wire).await.code(), "SUCCESS");
    removed_once(&gateway);
}

/// A webhook's sender repeats with the same id, a new timestamp and so a new signature.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_known_by_its_id() {
    let gateway = Gateway::start(Setup::default()).await;
    let first = ask(&gateway, &wire(Kind::StandardWebhooks, &Ask::default(), &gateway)).await;
    gateway.advance(60_000);
    let again = wire(Kind::StandardWebhooks, &Ask::default(), &gateway);
    assert_eq!(ask(&gateway, &again).await, first);
    removed_once(&gateway);

    // The same id for another account is neither a repeat nor a new request.
    let other = ask(&gateway, &wire(Kind::StandardWebhooks, &Ask::to_remove("bob"), &gateway)).await;
    assert_eq!((other.status, other.code().as_str()), (409, "OFFBOARD.40902"));
    assert!(gateway.has_account("bob"));
    assert_eq!(gateway.states(), [("alice".into(), "removed".into()), ("bob".into(), "refused".into())]);
    assert_eq!(gateway.deletes(), 1);

    let ask_new = Ask { webhook_id: "msg_2".into(), ..Ask::to_remove("bob") };
    assert_eq!(ask(&gateway, &wire(Kind::StandardWebhooks, &ask_new, &gateway)).await.code(), "SUCCESS");
    assert_eq!(gateway.deletes(), 2);
}

/// Nor may it be when nothing was sent for the first one, which may still be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_not_sent_keeps_its_id() {
    let mut gateway = Gateway::start(Setup::default().variable("huaweicloud_access_key", "")).await;
    let first = wire(Kind::StandardWebhooks, &Ask::default(), &gateway);
    assert_eq!(ask(&gateway, &first).await.code(), "OFFBOARD.50303");
    gateway.stop().await;

    let gateway = gateway.another_with("huaweicloud_access_key", local::simulator::demo::ACCESS_KEY).await;
    let other = wire(Kind::StandardWebhooks, &Ask::to_remove("bob"), &gateway);
    assert_eq!(ask(&gateway, &other).await.code(), "OFFBOARD.40902");
    assert!(gateway.has_account("bob"));
    assert_eq!(ask(&gateway, &first).await.code(), "SUCCESS");
    let states: BTreeSet<_> = gateway.states().into_iter().collect();
    assert_eq!(states, [("alice".into(), "removed".into()), ("bob".into(), "refused".into())].into());
}

/// Slack and the SDKs sign anew what is asked anew: the same words a second later are another request.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_ask_again() {
    for kind in [Kind::Slack, Kind::Api] {
        let gateway = Gateway::start(Setup::default()).await;
        assert_eq!(ask(&gateway, &wire(kind, &Ask::default(), &gateway)).await.code(), "SUCCESS");
        gateway.advance(1000);
        assert_eq!(ask(&gateway, &wire(kind, &Ask::default(), &gateway)).await.code(), "DBS.200824");
        assert_eq!(gateway.deletes(), 2);
    }
}

/// Not even when the policy has changed since: what was denied is asked again by asking again.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_delivery_stays_denied() {
    let team = "members = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\", \"hr\"]";
    for kind in Kind::ALL {
        let mut gateway = Gateway::start(Setup::default().replace("offboard.toml", team, "members = []")).await;
        let wire_of_denied = wire(kind, &Ask::default(), &gateway);
        let first = ask(&gateway, &wire_of_denied).await;
        assert_eq!(first.code(), "OFFBOARD.40301");
        assert_eq!(ask(&gateway, &wire_of_denied).await, first);

        gateway.stop().await;
        gateway.reconfigure("offboard.toml", "members = []", team);
        let gateway = gateway.another().await;
        assert_eq!(ask(&gateway, &wire_of_denied).await, first);
        assert_eq!(gateway.deletes(), 0);
        assert_eq!(gateway.states(), [("alice".into(), "denied".into())]);

        gateway.advance(1000);
        let new = Ask { webhook_id: "msg_2".into(), ..Ask::default() };
        assert_eq!(ask(&gateway, &wire(kind, &new, &gateway)).await.code(), "SUCCESS");
    }
}

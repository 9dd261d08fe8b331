//! `GET /removals/{id}`: what became of a removal, for a caller who may look; when that is unknown, it is settled first.

use bytes::Bytes;
use local::http_client as client;
use local::simulator::target::Target;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE, receive};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, Signature};
use crate::harness::setup::Setup;

/// The look of the portal's key at a removal.
fn at(id: &str) -> Ask {
    Ask { method: Some("GET".into()), path: Some(format!("/removals/{id}")), ..Ask::default() }
}

async fn look(gateway: &Gateway, id: &str) -> Answer {
    gateway.ask(Kind::Api, &at(id)).await
}

/// A removal whose outcome is unknown; the account is gone, or not.
async fn unknown(fault: &str) -> (Gateway, String) {
    let gateway = Gateway::start(Setup::default().fault(fault).fault("list:down")).await;
    let answer = gateway.ask(Kind::StandardWebhooks, &Ask { reason: Some("left".into()), ..Ask::default() }).await;
    assert_eq!(answer.code(), "OFFBOARD.50202");
    let id = answer.header("x-offboard-removal").unwrap().to_owned();
    (gateway, id)
}

fn record(id: &str, changes: &Value) -> Value {
    let mut record = json!({
        "id": id,
        "reference": null,
        "state": "removed",
        "asked_at": "2026-06-01T10:00:00.000Z",
        "expires_at": null,
        "ended_at": "2026-06-01T10:01:00.000Z",
        "milliseconds": 60_000,
        "caller": "hr",
        "kind": "standard-webhooks",
        "actor": "hr",
        "instance": "analytics",
        "user_name": "alice",
        "reason": "left",
        "dry_run": false,
        "policies": ["dba-removes-on-staging"],
        "approvals": [],
        "attempts": 1,
        "status": 200,
        "code": "SUCCESS",
        "message": "the account is gone: no usable answer came back, and the account list no longer has the account",
        "request_id": null,
        "confirmed_by": "account-list",
        "policy_set": null,
        "caused_by": null,
        "gateway": env!("CARGO_PKG_VERSION"),
    });
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

/// The record without the digest of the policy set, which changes with config/.
fn without_policy_set(looked: &Answer) -> Value {
    let mut record = looked.json();
    let digest = record["policy_set"].take();
    assert!(digest.as_str().is_some_and(|digest| digest.len() == 12), "{digest}");
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_look_settles_what_nobody_knows() {
    let kept = json!({
        "state": "not-removed",
        "status": 502,
        "code": "OFFBOARD.50204",
        "message": "the account was not removed: no usable answer came back, and the account list still has the account; try again",
    });
    for (fault, settled) in [("reset-after", json!({})), ("reset-before", kept)] {
        let (gateway, id) = unknown(fault).await;
        gateway.advance(60_000);

        // The list cannot be read yet: the look says what the ledger has.
        let looked = look(&gateway, &id).await;
        let unsettled = json!({
            "state": "unknown",
            "ended_at": "2026-06-01T10:00:00.000Z",
            "milliseconds": 0,
            "status": 502,
            "code": "OFFBOARD.50202",
            "message": gateway.row().message,
            "confirmed_by": null,
        });
        assert_eq!(without_policy_set(&looked), record(&id, &unsettled));

        gateway.simulator.clear_faults();
        for _ in 0..2 {
            let looked = look(&gateway, &id).await;
            assert_eq!((looked.status, without_policy_set(&looked)), (200, record(&id, &settled)));
            assert_eq!(looked.header("x-offboard-policy"), Some("dba-looks-up"));
        }
        assert_eq!(gateway.deletes(), 1);
        // Once it is settled, TaurusDB is not asked again: one list that was read, and two that were not.
        assert_eq!(gateway.simulator.requests().len(), 4);
        assert_eq!(gateway.rows().len(), 1);
    }
}

/// A look at what is still running says so, and disturbs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_left_alone() {
    let gateway = Gateway::start(Setup::default()).await;
    let hold = gateway.simulator.hold_only(Target::Delete);
    let wire = Ask::default().wire(Kind::Slack, &gateway.address.to_string(), gateway.now());
    let asked = tokio::spawn(client::send(gateway.address, wire.request()));
    timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
    let looked = look(&gateway, &gateway.row().id).await;
    let fields = ["state", "ended_at", "attempts", "code"].map(|name| looked.json()[name].clone());
    assert_eq!(fields, [json!("in-flight"), Value::Null, json!(1), Value::Null]);
    assert_eq!(gateway.simulator.requests().len(), 1);
    hold.release();
    asked.await.unwrap().unwrap();
    assert_eq!(look(&gateway, &gateway.row().id).await.json()["state"], "removed");
}

/// No caller looks without a proof of the API's kind, and a permit; and a look is nothing but a GET.
#[tokio::test(flavor = "multi_thread")]
async fn others_may_not_look() {
    let (gateway, id) = unknown("reset-after").await;
    gateway.simulator.clear_faults();
    let seen = gateway.simulator.requests().len();
    let stranger = Ask { access_key: "HPUASTRANGER00000001".into(), ..at(&id) };
    let other_secret = Ask { signature: Signature::OtherSecret, ..at(&id) };
    let stale = Ask { clock_skew: -301, ..at(&id) };
    let unsigned = Ask { signature: Signature::Missing, ..at(&id) };
    let posted = Ask { method: Some("POST".into()), ..at(&id) };
    let deleted = Ask { method: Some("DELETE".into()), ..at(&id) };
    let queried = Ask { path: Some(format!("/removals/{id}?user_name=alice")), ..at(&id) };
    let hook = Ask { method: Some("GET".into()), path: Some(format!("/hooks/slack/removals/{id}")), ..Ask::default() };
    for (kind, ask, status, code, allow) in [
        (Kind::Api, &stranger, 401, "OFFBOARD.40105", None),
        (Kind::Api, &other_secret, 401, "OFFBOARD.40105", None),
        (Kind::Api, &stale, 401, "OFFBOARD.40104", None),
        (Kind::Api, &unsigned, 401, "OFFBOARD.40101", None),
        (Kind::Slack, &at(&id), 401, "OFFBOARD.40101", None),
        (Kind::StandardWebhooks, &at(&id), 401, "OFFBOARD.40101", None),
        (Kind::Slack, &hook, 404, "OFFBOARD.40401", None),
        (Kind::Api, &posted, 405, "OFFBOARD.40501", Some("GET, HEAD")),
        (Kind::Slack, &posted, 405, "OFFBOARD.40501", Some("GET, HEAD")),
        (Kind::Api, &deleted, 405, "OFFBOARD.40501", Some("GET, HEAD")),
        (Kind::Api, &queried, 400, "OFFBOARD.40009", None),
        (Kind::Api, &at(&id[1..]), 404, "OFFBOARD.40404", None),
        (Kind::Api, &at("%2e%2e"), 404, "OFFBOARD.40404", None),
    ] {
        let answer = gateway.ask(kind, ask).await;
        assert_eq!((answer.status, answer.code().as_str(), answer.header("allow")), (status, code, allow), "{ask:?}");
        assert!(!answer.body.windows(5).any(|word| word == b"alice"), "{answer:?}");
    }

    // A HEAD is answered without a body, so not by the harness's rules.
    let other_secret = Ask { signature: Signature::OtherSecret, ..at(&id) };
    assert_eq!(head(&gateway, other_secret).await, (401, Bytes::new()));
    assert_eq!((gateway.simulator.requests().len(), gateway.deletes()), (seen, 1));
    let state = || gateway.rows().into_iter().find(|row| row.id == id).unwrap().state;
    assert_eq!(state(), "unknown");

    // With a proof it is the same look as a GET, which settles what is unknown.
    assert_eq!(head(&gateway, at(&id)).await, (200, Bytes::new()));
    assert_eq!(state(), "removed");
}

/// The status and the body of the answer to a HEAD.
async fn head(gateway: &Gateway, ask: Ask) -> (u16, Bytes) {
    let head = Ask { method: Some("HEAD".into()), ..ask };
    let head = head.wire(Kind::Api, &gateway.address.to_string(), gateway.now());
    let answer = receive(gateway.address, head.request()).await.unwrap();
    assert!(answer.header("allow").is_none());
    (answer.status, answer.body)
}

/// The row of a refusal that named no account is for callers who may audit the ledger itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_without_an_account_can_be_looked_at() {
    let gateway = Gateway::start(Setup::default()).await;
    let refused = gateway.ask(Kind::Slack, &Ask { signature: Signature::Wrong, ..Ask::default() }).await;
    let looked = look(&gateway, refused.header("x-offboard-removal").unwrap()).await;
    let record = looked.json();
    assert_eq!((&record["state"], &record["code"]), (&"refused".into(), &"OFFBOARD.40105".into()));
}

/// Policy decides about looks as about removals.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_needs_a_permit() {
    let members = "members = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\", \"hr\"]";
    let setup = Setup::default().replace("offboard.toml", members, "members = [\"hr\"]");
    let gateway = Gateway::start(setup.fault("reset-after").fault("list:down")).await;
    let answer = gateway.ask(Kind::StandardWebhooks, &Ask::default()).await;
    let id = answer.header("x-offboard-removal").unwrap();
    gateway.simulator.clear_faults();
    let denied = look(&gateway, id).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "OFFBOARD.40304"));
    let state = || gateway.rows().into_iter().find(|row| row.id == id).unwrap().state;
    assert_eq!(state(), "unknown");
    let row = gateway.rows().pop().unwrap();
    assert_eq!((row.state.as_str(), row.actor.as_deref()), ("denied", Some(Kind::Api.principal())));
}

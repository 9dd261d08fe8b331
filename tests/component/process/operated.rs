//! What schedulers, probes and monitoring ask of the gateway, on both databases.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use serde_json::json;

use crate::harness::answer::receive;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;
use crate::harness::store::Store;

const TOKEN: &str = "metrics-token-c0ffee";

/// Gateways that the portal may operate: one with its ledger in a file, one on PostgreSQL.
async fn operated() -> [Gateway; 2] {
    let permit = "@id(\"operates\") permit (principal == User::\"portal/HPUAPORTALKEY0000001\", action == Action::\"operate\", resource);\n";
    let brake = "@id(\"brake-twenty-an-hour\")";
    let setup = || {
        Setup::default().replace("policy.cedar", brake, &format!("{permit}{brake}")).variable("metrics_token", TOKEN)
    };
    [Gateway::start(setup()).await, Gateway::start_on(Store::postgres(), setup()).await]
}

async fn job(gateway: &Gateway, name: &str) -> serde_json::Value {
    let ask = Ask { method: Some("POST".into()), path: Some(format!("/jobs/{name}")), ..Ask::default() };
    let answer = gateway.ask(Kind::Api, &ask).await;
    assert_eq!(answer.status, 200, "{answer:#?}\n{:#?}", gateway.logs.lines());
    answer.json()
}

async fn metrics(gateway: &Gateway, token: &str) -> (u16, String, String) {
    let request = Request::get("/metrics").header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.header("host", gateway.address.to_string()).body(Bytes::new()).unwrap();
    let answer = receive(gateway.address, request).await.unwrap();
    let kind = answer.header("content-type").unwrap_or_default().to_owned();
    (answer.status, kind, String::from_utf8(answer.body.to_vec()).unwrap())
}

/// A removal of unknown outcome is settled by the job, by the account list and without a DELETE; twice is once.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_settle_expire_and_prune() {
    for gateway in operated().await {
        gateway.simulator.fault("delete:reset-after".parse().unwrap());
        gateway.simulator.fault("list:down".parse().unwrap());
        assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50202");
        gateway.simulator.clear_faults();
        assert_eq!(gateway.row().state, "unknown");
        let settled = |at, removed| json!({"job": "settle", "looked_at": at, "removed": removed, "still_there": 0, "left": 0, "more": false});
        assert_eq!(job(&gateway, "settle").await, settled(1, 1));
        assert_eq!(job(&gateway, "settle").await, settled(0, 0));
        assert_eq!((gateway.deletes(), gateway.states()), (1, vec![("alice".to_owned(), "removed".to_owned())]));
        for name in ["expire", "prune"] {
            assert_eq!(job(&gateway, name).await["more"], false, "{name}");
        }
        assert_eq!(gateway.states().len(), 1);
    }
}

/// A caller whom policy does not permit to operate runs no job, and a job is no GET.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_need_a_permit() {
    let gateway = Gateway::start(Setup::default()).await;
    for (method, status) in [(Method::POST, 403), (Method::GET, 405)] {
        let ask = Ask { method: Some(method.to_string()), path: Some("/jobs/settle".into()), ..Ask::default() };
        assert_eq!(gateway.ask(Kind::Api, &ask).await.status, status, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics() {
    for (gateway, database) in operated().await.into_iter().zip(["sqlite", "postgres"]) {
        for _ in 0..2 {
            let ready = gateway.get("/readyz").await;
            assert_eq!((ready.status, ready.json()["ledger"].as_str()), (200, Some(database)), "{ready:#?}");
        }
        assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS");
        let (status, kind, text) = metrics(&gateway, TOKEN).await;
        assert_eq!(
            (status, kind.as_str()),
            (200, "text/plain; version=0.0.4; charset=utf-8"),
            "{:#?}",
            gateway.logs.lines()
        );
        for line in [
            "offboard_removals_31d{state=\"removed\",instance=\"analytics\",caller=\"portal\"} 1",
            &format!("offboard_ledger_info{{database=\"{database}\"}} 1"),
            "offboard_upstream_seconds_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        for wrong in ["", "metrics-token-c0ffef"] {
            assert_eq!(metrics(&gateway, wrong).await.0, 401, "{wrong}");
        }
    }
}

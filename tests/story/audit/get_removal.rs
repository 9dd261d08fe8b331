//! `GET /removals/{id}`: the record, and the account list when the outcome is unknown.

use bytes::Bytes;
use http::{Method, Response};
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::ledger::GATEWAY;
use support::memory::Memory;

use crate::gateway::{app, ask, gateway_with, header, memory, portal, seconds, text};
use crate::taurusdb::shared::{HTML, remove_alice};

async fn look(host: &Memory, app: &App, id: &str) -> Response<Bytes> {
    ask(host, app, portal(seconds(host), Method::GET, &format!("/removals/{id}"), "")).await
}

#[tokio::test]
async fn whoever_may_audit_looks_and_settles() {
    let (host, app) = (memory(), app());
    host.will_fail(SendError::Broken("reset".into()));
    host.will_answer(500, HTML);
    let answer = remove_alice(&host, &app).await;
    let id = header(&answer, "x-offboard-removal").unwrap().to_owned();

    host.will_answer(500, HTML);
    let looked = look(&host, &app, &id).await;
    assert_eq!(looked.status().as_u16(), 200);
    let record = |response: &Response<Bytes>| serde_json::from_slice::<serde_json::Value>(response.body()).unwrap();
    assert_eq!(
        (record(&looked)["state"].as_str(), record(&looked)["code"].as_str()),
        (Some("unknown"), Some("OFFBOARD.50202"))
    );

    host.will_list(&[]);
    let looked = look(&host, &app, &id).await;
    assert_eq!(
        record(&looked),
        serde_json::json!({
            "id": id,
            "reference": null,
            "state": "removed",
            "asked_at": "2026-06-01T10:00:01.000Z",
            "expires_at": null,
            "ended_at": "2026-06-01T10:00:01.000Z",
            "milliseconds": 0,
            "caller": "portal",
            "kind": "api",
            "actor": "portal/HPUAPORTALKEY0000001",
            "instance": "analytics",
            "user_name": "alice",
            "reason": null,
            "dry_run": false,
            "policies": ["dba-removes-on-staging"],
            "approvals": [],
            "attempts": 1,
            "status": 200,
            "code": "SUCCESS",
            "message": "the account is gone: no usable answer came back, and the account list no longer has the account",
            "request_id": null,
            "confirmed_by": "account-list",
            "policy_set": app.policies.digest(),
            "caused_by": null,
            "gateway": GATEWAY,
        })
    );
    // The requester may always look.
    assert_eq!(header(&looked, "x-offboard-policy"), None);
    assert_eq!(host.methods(), ["DELETE", "GET", "GET", "GET"]);
    assert_eq!(host.rows().len(), 1);

    let nobody = look(&host, &app, "00").await;
    assert_eq!(nobody.status().as_u16(), 404);
    assert!(text(&nobody).contains("OFFBOARD.40404"));
    // Another requester asked, and policy does not let this one look.
    host.database.execute("UPDATE removals SET actor = 'hr'", &[]);
    let nobody_may = [("members = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\", ", "members = [")];
    let denied = look(&host, &gateway_with(&nobody_may), &id).await;
    assert_eq!(denied.status().as_u16(), 403);
    assert!(text(&denied).contains("OFFBOARD.40304"));
    assert_eq!(host.rows().last().unwrap().0, "denied");
    let posted = ask(&host, &app, portal(seconds(&host), Method::DELETE, &format!("/removals/{id}"), "")).await;
    assert_eq!((posted.status().as_u16(), header(&posted, "allow")), (405, Some("GET, HEAD")));
    let queried = ask(&host, &app, portal(seconds(&host), Method::GET, &format!("/removals/{id}"), "a=b")).await;
    assert!(text(&queried).contains("OFFBOARD.40009"));
}

//! `GET /readyz`.

use http::Method;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::DatabaseKind;
use starrocks_offboard::ledger::{GATEWAY, location};
use support::answered::answered;
use support::memory::Memory;

use crate::gateway::{app, memory, portal};

async fn ready(host: &Memory, app: Result<&App, &str>) -> (u16, Value) {
    let mut inbound = portal(0, Method::GET, "/readyz", "");
    inbound.headers.clear();
    let answer = answered(host, app, inbound).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

fn body(host: &Memory, status: &str, reason: Option<&str>) -> Value {
    json!({"status": status, "version": GATEWAY, "ledger": location::name(host.kind.get()), "reason": reason})
}

#[tokio::test]
async fn ready_or_why_not() {
    let (host, app) = (memory(), app());
    assert_eq!(ready(&host, Ok(&app)).await, (200, body(&host, "ready", None)));
    assert!(host.rows().is_empty() && host.sent.borrow().is_empty() && host.lines.borrow().is_empty());

    let files = "the operator's files cannot be used; /healthz says where";
    let unusable = ready(&host, Err("policy.cedar, line 3")).await;
    assert_eq!(unusable, (503, body(&host, "not-ready", Some(files))));
}

#[tokio::test]
async fn a_database_in_memory_is_not_ready() {
    let (host, app) = (memory(), app());
    host.kind.set(DatabaseKind::Sqlite);
    let in_memory = "the database is in memory and would forget each removal; give Spin a folder for its state, or set the variable `ledger` to a PostgreSQL server";
    assert_eq!(ready(&host, Ok(&app)).await, (503, body(&host, "not-ready", Some(in_memory))));
}

/// Also in an instance that has opened the ledger before.
#[tokio::test]
async fn a_ledger_that_went_away_is_noticed() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.unwrap();
    host.database.execute("INSERT INTO ledger (version) VALUES (99)", &[]);
    let reason = "the ledger cannot be opened; the log says why";
    assert_eq!(ready(&host, Ok(&app)).await, (503, body(&host, "not-ready", Some(reason))));
    assert!(
        host.lines.borrow()[0].starts_with("ready: ledger: the ledger has version 99"),
        "{:?}",
        host.lines.borrow()
    );
}

#[tokio::test]
async fn credentials_have_to_be_set() {
    let (mut host, app) = (memory(), app());
    let reason = "credentials for TaurusDB are not set or not usable; the log says which variable";
    for value in ["", "  "] {
        host.variables.insert("huaweicloud_secret_key".into(), value.into());
        assert_eq!(ready(&host, Ok(&app)).await, (503, body(&host, "not-ready", Some(reason))), "{value:?}");
    }
    assert!(host.lines.borrow()[0].contains("`huaweicloud_secret_key`"));
}

/// Twenty instances with the same credentials are one question.
#[tokio::test]
async fn it_is_cheap() {
    let (host, app) = (memory(), app());
    app.ledger(&host).await.unwrap();
    let (statements, variables) = (host.statements.get(), host.variables_read.get());
    ready(&host, Ok(&app)).await;
    assert!(host.statements.get() - statements <= 2 && host.variables_read.get() - variables <= 5);
}

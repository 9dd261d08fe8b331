//! `POST /jobs/settle` and `/jobs/expire`, and who may run jobs.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use starrocks_offboard::app::App;

use crate::audit::shared::{OFFBOARD, POLICY};
use crate::gateway::{app, ask, header, memory, portal, seconds, slash_with, text};
use crate::production::shared::{Row, job, operated, run, state, write};
use crate::taurusdb::shared::{HTML, newest};

fn settled(looked_at: usize, removed: usize, still_there: usize, more: bool) -> Value {
    let left = looked_at - removed - still_there;
    json!({"job": "settle", "looked_at": looked_at, "removed": removed, "still_there": still_there, "left": left, "more": more})
}

/// By the account list alone; what it says nothing about stays, and so does what a request may still be carrying out.
#[tokio::test]
async fn what_is_unknown_is_settled_by_the_account_list() {
    let (host, app) = (memory(), operated());
    let rows = [
        Row::default(),
        Row { user_name: "bob", state: "in-flight", ..Row::default() },
        Row { user_name: "carol", state: "in-flight", ago: -60_000, ..Row::default() },
        Row { instance: "gone", ..Row::default() },
        Row { user_name: "dan", state: "removed", ..Row::default() },
        Row { user_name: "erin", ..Row::default() },
    ];
    let ids = write(&host, &app, &rows).await;
    host.database.execute("UPDATE removals SET place = 'elsewhere' WHERE user_name = 'erin'", &[]);
    host.will_list(&["bob"]);
    host.will_list(&["bob"]);
    assert_eq!(run(&host, &app, "settle").await, settled(4, 1, 1, false));
    let states: Vec<_> = ids.iter().map(|id| state(&host, id).unwrap()).collect();
    assert_eq!(states, ["removed", "not-removed", "in-flight", "unknown", "removed", "unknown"]);
    assert_eq!(host.methods(), ["GET", "GET"]);
    let lines = host.lines.borrow().join("\n");
    assert!(
        lines.contains(r#""by":"portal/HPUAPORTALKEY0000001""#) && lines.contains(r#""confirmed_by":"account-list""#)
    );
    assert!(lines.contains(r#""event":"job""#) && lines.contains(r#""policies":["portal-operates"]"#), "{lines}");

    // Again: nothing is left that the list could settle, and nothing is asked.
    assert_eq!(run(&host, &app, "settle").await, settled(2, 0, 0, false));
    assert_eq!(host.methods(), ["GET", "GET"]);
}

/// Rows of one account are one question; an instance whose list cannot be read is asked once.
#[tokio::test]
async fn an_account_is_looked_for_once() {
    let (host, app) = (memory(), operated());
    let rows = [Row { ago: 1000, ..Row::default() }, Row { ago: 2000, ..Row::default() }];
    write(&host, &app, &rows).await;
    host.will_answer(500, HTML);
    assert_eq!(run(&host, &app, "settle").await, settled(2, 0, 0, false));
    assert_eq!(host.methods(), ["GET"]);
    host.will_list(&[]);
    assert_eq!(run(&host, &app, "settle").await, settled(2, 2, 0, false));
    assert_eq!(host.methods(), ["GET", "GET"]);
}

/// What is left when the time is over is for the next run.
#[tokio::test]
async fn a_run_ends_within_the_time_of_a_request() {
    let (host, app) = (memory(), operated());
    write(&host, &app, &[Row::default(), Row { user_name: "bob", ..Row::default() }]).await;
    host.will_list(&[]);
    host.which_takes(Duration::from_secs(20));
    host.statement_takes.set(Duration::from_secs(6));
    assert_eq!(run(&host, &app, "settle").await, settled(1, 1, 0, true));
    host.statement_takes.set(Duration::ZERO);
    host.will_list(&[]);
    assert_eq!(run(&host, &app, "settle").await, settled(1, 1, 0, false));
}

/// Two at once do no harm: each row is settled once.
#[tokio::test]
async fn two_runs_at_once() {
    let (host, app) = (memory(), operated());
    write(&host, &app, &[Row::default(), Row { user_name: "bob", ..Row::default() }]).await;
    host.yields.set(u64::MAX);
    (0..4).for_each(|_| host.will_list(&[]));
    let request = |seconds| portal(seconds, Method::POST, "/jobs/settle", "");
    let (one, other) =
        tokio::join!(ask(&host, &app, request(seconds(&host))), ask(&host, &app, request(seconds(&host) + 1)));
    let removed = |answer: &http::Response<bytes::Bytes>| {
        let summary: Value = serde_json::from_slice(answer.body()).unwrap();
        summary["removed"].as_u64().unwrap()
    };
    assert_eq!(removed(&one) + removed(&other), 2);
    assert!(host.methods().iter().all(|method| method == "GET"));
}

/// What waited too long ends, and its requester is told where the platform takes a message afterwards.
#[tokio::test]
async fn what_waited_too_long_is_said() {
    let (host, app) = (memory(), operated());
    let url = "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2F1";
    let inbound = slash_with(seconds(&host), "alice warehouse", &format!("&response_url={url}"));
    ask(&host, &app, inbound).await;
    assert_eq!(newest(&host).0, "awaiting-approval");
    let expired = |expired: usize| json!({"job": "expire", "expired": expired, "told": expired, "more": false});
    assert_eq!(run(&host, &app, "expire").await, expired(0));
    host.now.set(host.now.get() + 25 * 3_600_000);
    host.will_answer(200, "ok");
    assert_eq!(run(&host, &app, "expire").await, expired(1));
    assert_eq!(newest(&host).0, "expired");
    {
        let sent = host.sent.borrow();
        let [told] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(told.uri().host(), Some("hooks.slack.com"));
        let body: Value = serde_json::from_slice(told.body()).unwrap();
        assert!(body.to_string().contains("alice"), "{body}");
    }
    assert_eq!(run(&host, &app, "expire").await, expired(0));
    assert_eq!(host.sent.borrow().len(), 1);
}

/// A look-up ends what waited too long and tells no requester, so the job does, once, and as long as it is news.
#[tokio::test]
async fn what_a_look_up_ended_is_said_too() {
    for (hours, told) in [(25, 1), (47, 1), (49, 0)] {
        let (host, app) = (memory(), operated());
        let url = "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2F1";
        ask(&host, &app, slash_with(seconds(&host), "alice warehouse", &format!("&response_url={url}"))).await;
        host.now.set(host.now.get() + hours * 3_600_000);
        ask(&host, &app, portal(seconds(&host), Method::GET, "/removals", "state=expired")).await;
        assert_eq!((newest(&host).0.as_str(), host.sent.borrow().len()), ("expired", 0));
        host.will_answer(200, "ok");
        let summary = |told| json!({"job": "expire", "expired": 0, "told": told, "more": false});
        assert_eq!(run(&host, &app, "expire").await, summary(told), "{hours}");
        assert_eq!(host.sent.borrow().len(), told);
        assert_eq!(run(&host, &app, "expire").await, summary(0), "{hours}");
    }
}

/// Whom no policy permits to operate: nothing is done, and the ledger has the denial.
#[tokio::test]
async fn policy_decides_who_runs_jobs() {
    for name in ["settle", "expire", "prune"] {
        let (host, app) = (memory(), app());
        write(&host, &app, &[Row::default()]).await;
        let answer = job(&host, &app, name).await;
        assert_eq!(answer.status().as_u16(), 403, "{name}");
        assert_eq!(header(&answer, "x-offboard-code"), Some("OFFBOARD.40310"));
        let rows = host.rows();
        assert_eq!((rows.len(), rows[0].0.as_str(), rows[1].0.as_str()), (2, "unknown", "denied"));
        assert_eq!(rows[1].1.as_deref(), Some("portal/HPUAPORTALKEY0000001"));
        assert!(host.sent.borrow().is_empty());
    }
}

/// A schema of an earlier gateway has no action `operate`, so no policy can permit it by name.
#[tokio::test]
async fn a_schema_of_an_earlier_gateway_is_accepted() {
    let schema: String = include_str!("../../../config/schema.cedarschema")
        .lines()
        .filter(|line| !line.starts_with("action operate"))
        .map(|line| format!("{line}\n"))
        .collect();
    let host = memory();
    let app = App::parse(OFFBOARD, POLICY, &schema).unwrap();
    assert_eq!(job(&host, &app, "prune").await.status().as_u16(), 403);
}

#[tokio::test]
async fn other_jobs_and_methods() {
    let (host, app) = (memory(), operated());
    for (method, path, status, allow) in [
        (Method::GET, "/jobs/settle", 405, Some("POST")),
        (Method::DELETE, "/jobs/prune", 405, Some("POST")),
        (Method::POST, "/jobs/stop", 404, None),
        (Method::POST, "/jobs", 404, None),
        (Method::POST, "/metrics", 405, Some("GET, HEAD")),
        (Method::POST, "/readyz", 405, Some("GET, HEAD")),
    ] {
        let answer = ask(&host, &app, portal(seconds(&host), method.clone(), path, "")).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (status, allow), "{method} {path}");
    }
    let answer = ask(&host, &app, portal(seconds(&host), Method::POST, "/jobs/settle", "force=true")).await;
    assert_eq!(answer.status().as_u16(), 400, "{}", text(&answer));
    let unsigned = ask(&host, &app, http_unsigned("/jobs/settle")).await;
    assert_eq!(unsigned.status().as_u16(), 401);
}

fn http_unsigned(path: &str) -> starrocks_offboard::request::inbound::Inbound {
    let mut inbound = portal(0, Method::POST, path, "");
    inbound.headers.clear();
    inbound
}

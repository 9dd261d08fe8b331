//! `GET /metrics`: who may read it, and what it says.

use bytes::Bytes;
use http::{Method, Response};
use starrocks_offboard::app::App;
use starrocks_offboard::ledger::{GATEWAY, location};
use support::memory::Memory;

use crate::gateway::{SUCCESS, app, ask, documented, header, memory, portal, seconds, text};
use crate::production::shared::{Row, operated, write};

const TOKEN: &str = "metrics-token-4471";

fn with_token() -> Memory {
    let mut host = memory();
    host.variables.insert("metrics_token".into(), TOKEN.into());
    host
}

async fn scrape(host: &Memory, app: &App, authorization: Option<&str>) -> Response<Bytes> {
    let mut inbound = portal(0, Method::GET, "/metrics", "");
    inbound.headers.clear();
    if let Some(authorization) = authorization {
        inbound.headers.insert("authorization", authorization.parse().unwrap());
    }
    ask(host, app, inbound).await
}

#[tokio::test]
async fn what_it_says() {
    let (host, app) = (with_token(), app());
    let day = 86_400_000;
    let rows = [
        Row { ago: 1_200_000, ..Row::default() },
        Row { ago: 60_000, user_name: "bob", state: "in-flight", ..Row::default() },
        Row { ago: 50_000, state: "awaiting-approval", instance: "warehouse", ..Row::default() },
        Row { ago: 1_000, state: "removed", upstream_ms: Some(180), ..Row::default() },
        Row { ago: 2_000, state: "removed", upstream_ms: Some(4_321), ..Row::default() },
        Row { ago: day, state: "removed", upstream_ms: Some(90_000), ..Row::default() },
        Row { ago: 32 * day, state: "removed", ..Row::default() },
        Row {
            ago: 3_000,
            state: "denied",
            code: Some("OFFBOARD.40301"),
            policies: "brake-twenty-an-hour",
            ..Row::default()
        },
        Row { ago: 4_000, state: "refused", code: Some("OFFBOARD.40001"), instance: "say \"hi\"\\", ..Row::default() },
        Row { ago: day, state: "refused", code: Some("OFFBOARD.40001"), ..Row::default() },
    ];
    write(&host, &app, &rows).await;
    let statements = host.statements.get();
    let answer = scrape(&host, &app, Some(&format!("Bearer {TOKEN}"))).await;
    assert_eq!(host.statements.get() - statements, 4);
    assert_eq!(header(&answer, "content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let (config, policy) = (app.config.digest.as_str(), app.policies.digest());
    let expected = include_str!("../../fixtures/metrics.txt");
    let expected = expected.replace("VERSION", GATEWAY).replace("CONFIG", config).replace("POLICY", policy);
    let expected = expected.replace("DATABASE", location::name(host.kind.get()));
    assert_eq!(text(&answer), expected);
}

/// The token, or the proof of the documented API and a policy. An empty variable proves nothing.
#[tokio::test]
async fn who_may_read_it() {
    let right = format!("Bearer {TOKEN}");
    for (host, authorization, status) in [
        (with_token(), Some(right.as_str()), 200),
        (with_token(), Some("bearer metrics-token-4471"), 200),
        (with_token(), Some("Bearer metrics-token-4472"), 401),
        (with_token(), Some("Bearer "), 401),
        (with_token(), Some("Basic bWV0cmljcw=="), 401),
        (with_token(), None, 401),
        (memory(), Some("Bearer "), 401),
        (memory(), Some(right.as_str()), 401),
    ] {
        let answer = scrape(&host, &app(), authorization).await;
        assert_eq!(answer.status().as_u16(), status, "{authorization:?}");
        let lines = host.lines.borrow().join("");
        assert!(!text(&answer).contains(TOKEN) && !lines.contains(TOKEN));
        // A scraper with a wrong token fills no ledger. The log has each of its requests.
        assert_eq!((host.rows().len(), header(&answer, "x-offboard-removal")), (0, None), "{authorization:?}");
        let code = header(&answer, "x-offboard-code").map(|code| format!("\"answered\":\"{code}\""));
        assert!(status == 200 || lines.contains(&code.unwrap()), "{authorization:?}: {lines}");
    }
    for (app, status) in [(operated(), 200), (app(), 403)] {
        let host = memory();
        let answer = ask(&host, &app, portal(seconds(&host), Method::GET, "/metrics", "")).await;
        assert_eq!(answer.status().as_u16(), status, "{}", text(&answer));
        assert_eq!(host.rows().len(), usize::from(status == 403));
    }
}

/// A removal is timed by the calls to TaurusDB.
#[tokio::test]
async fn a_removal_is_timed() {
    let (host, app) = (with_token(), app());
    host.will_answer(200, SUCCESS);
    host.which_takes(std::time::Duration::from_millis(700));
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    let metrics = text(&scrape(&host, &app, Some(&format!("Bearer {TOKEN}"))).await);
    for line in [
        "offboard_upstream_seconds_bucket{le=\"0.5\"} 0\noffboard_upstream_seconds_bucket{le=\"1\"} 1\n",
        "offboard_upstream_seconds_sum 0.7\noffboard_upstream_seconds_count 1\n",
        "offboard_removals_31d{state=\"removed\",instance=\"analytics\",caller=\"portal\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

/// A ledger that cannot be read is no empty ledger.
#[tokio::test]
async fn no_ledger_no_metrics() {
    let (host, app) = (with_token(), app());
    app.ledger(&host).await.unwrap();
    host.fails_at.set(host.statements.get() + 2);
    let answer = scrape(&host, &app, Some(&format!("Bearer {TOKEN}"))).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (503, Some("application/json")));
}

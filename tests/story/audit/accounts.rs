//! The documented list call, for portals and Terraform: what TaurusDB documents is passed through for whom policy permits it.

use http::{HeaderMap, Method, Response};
use serde_json::Value;
use starrocks_offboard::app::App;
use starrocks_offboard::host::{DatabaseKind, SendError};
use support::memory::Memory;

use crate::audit::shared::PORTAL;
use crate::gateway::{DOCUMENTED, SECRETS, app, ask, gateway_with, header, memory, portal, seconds, text};

const PAGE: &str =
    r#"{"user_details": [{"user_name":"alice","data_bases":["a"],"dml":1,"ddl":0,"new":null}], "total_count":1}"#;

/// A gateway that nothing was asked of yet.
fn fresh() -> (Memory, App) {
    (memory(), app())
}

async fn list(host: &Memory, app: &App, query: &str) -> Response<bytes::Bytes> {
    ask(host, app, portal(seconds(host), Method::GET, DOCUMENTED, query)).await
}

#[tokio::test]
async fn a_page_is_passed_back_as_it_came() {
    for (query, sent) in [
        ("limit=10&offset=20&user_name=alice", "?limit=10&offset=20&user_name=alice"),
        ("user_name=a%20b&limit=100", "?limit=100&user_name=a%20b"),
        ("", ""),
    ] {
        let (host, app) = fresh();
        host.will_answer_with(200, &[("server", "nginx"), ("set-cookie", "a=b")], PAGE);
        let mut inbound = portal(seconds(&host), Method::GET, DOCUMENTED, query);
        inbound.headers.insert("x-language", "zh-cn".parse().unwrap());
        inbound.headers.insert("x-forwarded-for", "10.0.0.1".parse().unwrap());
        inbound.headers.insert("x-auth-token", "of-the-caller".parse().unwrap());
        let answer = ask(&host, &app, inbound).await;
        assert_eq!((answer.status().as_u16(), text(&answer).as_str()), (200, PAGE), "{query}");
        let names: Vec<_> = answer.headers().keys().map(|name| name.as_str()).collect();
        let own = ["content-type", "content-length", "x-request-id", "x-offboard-policy"];
        let of_trial = (host.kind.get() == DatabaseKind::Trial).then_some("x-offboard-ledger");
        assert_eq!(names, own.into_iter().chain(of_trial).collect::<Vec<_>>());
        assert_eq!(header(&answer, "x-request-id"), Some("upstream-1"));
        assert_eq!(header(&answer, "x-offboard-policy"), Some("dba-lists"));
        assert_eq!(host.statements.get(), 0, "nothing is written, nor read");

        let upstream = &host.sent.borrow()[0];
        assert_eq!(upstream.uri().path_and_query().unwrap().as_str(), format!("{DOCUMENTED}{sent}"));
        assert_eq!(upstream.headers()["x-language"], "zh-cn");
        assert_is_the_gateways_own(upstream.headers());
        let line: Value = serde_json::from_str(host.lines.borrow().last().unwrap()).unwrap();
        assert_eq!((&line["event"], &line["by"]), (&"accounts-listed".into(), &PORTAL.into()));
        assert_eq!((&line["instance"], &line["status"]), (&"analytics".into(), &200.into()));
    }
}

/// No header of the caller's reaches TaurusDB.
fn assert_is_the_gateways_own(headers: &HeaderMap) {
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "authorization",
        "content-length",
        "content-type",
        "user-agent",
        "x-language",
        "x-project-id",
        "x-sdk-date",
        "x-security-token",
    ];
    assert_eq!(names, expected);
    assert!(headers["authorization"].to_str().unwrap().contains("Access=AK,"), "{headers:?}");
}

#[tokio::test]
async fn a_documented_error_is_passed_back() {
    for (status, code) in
        [(400, "DBS.280404"), (401, "APIGW.0301"), (404, "DBS.200002"), (409, "DBS.280406"), (500, "DBS.108000")]
    {
        let (host, app) = fresh();
        let body = format!(r#"{{"error_code":"{code}","error_msg":"words of TaurusDB"}}"#);
        host.will_answer(status, &body);
        let answer = list(&host, &app, "limit=1").await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (status, body));
        assert_eq!(header(&answer, "x-request-id"), Some("upstream-1"));
        assert_eq!((host.statements.get(), host.sent.borrow().len()), (0, 1), "{code}");
    }
    // A signature error quotes the request, which has the gateway's security token.
    let (host, app) = fresh();
    host.will_answer(401, &format!(r#"{{"error_code":"APIGW.0301","error_msg":"token {} is wrong"}}"#, SECRETS[2]));
    assert_eq!(text(&list(&host, &app, "").await), r#"{"error_code":"APIGW.0301","error_msg":"token … is wrong"}"#);
    // Throttled to the end: its Retry-After is the caller's to keep.
    let (host, app) = fresh();
    for _ in 0..4 {
        host.will_answer_with(429, &[("retry-after", "1")], r#"{"error_code":"APIGW.0308","error_msg":"slowly"}"#);
    }
    let answer = list(&host, &app, "").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (429, Some("1")));
    assert_eq!(host.sent.borrow().len(), 4);
}

/// What no page documents is not passed on.
#[tokio::test]
async fn other_answers_are_an_error_of_the_gateway() {
    let ways: [&dyn Fn(&Memory); 8] = [
        &|host| host.will_answer(200, "<html>"),
        &|host| host.will_answer(200, r#"{"users":[]}"#),
        &|host| host.will_answer(204, ""),
        &|host| host.will_answer_with(302, &[("location", "https://evil.example")], PAGE),
        &|host| host.will_answer(502, "<html>"),
        &|host| host.will_answer(400, r#"{"error_code":"<script>","error_msg":"x"}"#),
        &|host| host.will_fail(SendError::Broken("reset".into())),
        &|host| host.will_fail(SendError::FirstByteTimedOut("late".into())),
    ];
    for way in ways {
        let (host, app) = fresh();
        way(&host);
        let answer = list(&host, &app, "limit=1").await;
        let expected =
            r#"{"error_code":"OFFBOARD.50206","error_msg":"the account list could not be read; try again later"}"#;
        assert_eq!((answer.status().as_u16(), text(&answer).as_str()), (502, expected));
        assert_eq!(header(&answer, "location"), None);
    }
    let (host, app) = fresh();
    host.will_fail(SendError::NotAllowed("host".into()));
    let answer = list(&host, &app, "").await;
    assert!(
        text(&answer).contains("OFFBOARD.50201") && text(&answer).contains("allowed_outbound_hosts"),
        "{}",
        text(&answer)
    );
    // Refused before it was sent: the credentials are not there.
    let (mut host, app) = fresh();
    host.variables.remove("huaweicloud_secret_key");
    assert!(text(&list(&host, &app, "").await).contains("OFFBOARD.50303"));
}

#[tokio::test]
async fn whom_policy_does_not_permit_learns_nothing() {
    let (host, app) = (memory(), gateway_with(&[("\"portal/HPUAPORTALKEY0000001\", ", "")]));
    let answer = list(&host, &app, "limit=10").await;
    let expected = r#"{"error_code":"OFFBOARD.40304","error_msg":"no policy permits you to view this; ask the operator to add a policy"}"#;
    assert_eq!((answer.status().as_u16(), text(&answer).as_str()), (403, expected));
    assert_eq!(host.sent.borrow().len(), 0);
    let rows = host.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].0.as_str(), rows[0].1.as_deref(), rows[0].3.as_deref()),
        ("denied", Some(PORTAL), Some("OFFBOARD.40304"))
    );
}

#[tokio::test]
async fn parameters_are_strict() {
    for (query, code) in [
        ("limit=0", "OFFBOARD.40010"),
        ("limit=101", "OFFBOARD.40010"),
        ("offset=-1", "OFFBOARD.40010"),
        ("limit=1&limit=2", "OFFBOARD.40002"),
        ("dry_run=true", "OFFBOARD.40009"),
        ("user_name=a%0ab", "OFFBOARD.40010"),
    ] {
        let (host, app) = fresh();
        let answer = list(&host, &app, query).await;
        assert_eq!(answer.status().as_u16(), 400, "{query}");
        assert!(text(&answer).contains(code), "{query} {}", text(&answer));
        assert_eq!(host.sent.borrow().len(), 0, "{query}");
    }
}

/// Where a signature covers method and path, the same request as another method is not proved.
#[tokio::test]
async fn a_signed_list_is_no_removal_and_the_other_way_round() {
    for (signed, sent) in [(Method::GET, Method::DELETE), (Method::DELETE, Method::GET), (Method::GET, Method::HEAD)] {
        let (host, app) = fresh();
        let mut inbound = portal(seconds(&host), signed, DOCUMENTED, "user_name=alice");
        inbound.method = sent;
        let answer = ask(&host, &app, inbound).await;
        assert_eq!((answer.status().as_u16(), host.sent.borrow().len()), (401, 0));
    }
}

/// What Terraform's provider does to destroy a user: it refreshes by the list, removes, and looks again; each call is signed anew.
#[tokio::test]
async fn terraform_refreshes_and_destroys() {
    let (host, app) = fresh();
    host.will_answer(200, PAGE);
    let found = list(&host, &app, "limit=100&offset=0&user_name=alice").await;
    assert!(text(&found).contains("alice"));
    host.will_answer(200, r#"{"result":"SUCCESS"}"#);
    let removed = ask(&host, &app, crate::gateway::documented(seconds(&host), "user_name=alice")).await;
    assert_eq!(text(&removed), crate::gateway::SUCCESS);
    host.will_list(&[]);
    let gone = list(&host, &app, "limit=100&offset=0&user_name=alice").await;
    assert_eq!(text(&gone), r#"{"user_details":[],"total_count":0}"#);
    assert_eq!(host.methods(), ["GET", "DELETE", "GET"]);
    assert_eq!(host.rows().len(), 1);
}

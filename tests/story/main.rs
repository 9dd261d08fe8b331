//! The whole story on an in-memory runtime: no component, no network, milliseconds. What a caller can see of the built
//! component is in `tests/component`; here is what only a runtime that fails on command can show.

mod adversary;
mod approval;
mod audit;
mod differential;
mod host;
mod kinds_in_memory;
mod leaving;
mod published;
mod upstream;

#[path = "../kinds/mod.rs"]
mod kinds;

use bytes::Bytes;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use host::Memory;
use http::{HeaderMap, Method, Response, StatusCode};
use proptest::prelude::*;
use sha2::Sha256;
use starrocks_offboard::app::App;
use starrocks_offboard::crypto::sdk_hmac;
use starrocks_offboard::flow;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::{BodyError, Inbound};

const SUCCESS: &str = r#"{"result":"SUCCESS"}"#;
const SECRETS: [&str; 4] = ["slack-secret-7f3a", "upstream-secret-51cc", "security-token-90ab", "portal-secret-e2d1"];
const DOCUMENTED: &str =
    "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";

fn app() -> App {
    gateway_with(&[])
}

/// The demo's, with changes to offboard.toml; nobody is asked whether they mean it.
fn gateway_with(changes: &[(&str, &str)]) -> App {
    let mut offboard =
        include_str!("../../config/offboard.toml").replace("kind = \"slack\"", "confirm = false\nkind = \"slack\"");
    for (from, to) in changes {
        assert!(offboard.contains(from), "{from}");
        offboard = offboard.replacen(from, to, 1);
    }
    let policy = include_str!("../../config/policy.cedar");
    App::parse(&offboard, policy, include_str!("../../config/schema.cedarschema")).unwrap()
}

fn memory() -> Memory {
    Memory::new(&[
        ("slack_signing_secret", SECRETS[0]),
        ("huaweicloud_access_key", "AK"),
        ("huaweicloud_secret_key", SECRETS[1]),
        ("huaweicloud_security_token", SECRETS[2]),
        ("portal_secret_key", SECRETS[3]),
        ("taurusdb_endpoint", "https://*.myhuaweicloud.com"),
    ])
}

/// A slash command, signed at `seconds`.
fn slash(seconds: i64, text: &str) -> Inbound {
    slash_with(seconds, text, "")
}

/// The same, with more fields in its form.
fn slash_with(seconds: i64, text: &str, more: &str) -> Inbound {
    slash_as("U2CERLKJA", seconds, text, more)
}

/// The same, by somebody else.
fn slash_as(user_id: &str, seconds: i64, text: &str, more: &str) -> Inbound {
    let text = text.replace(' ', "+");
    slack(seconds, format!("command=%2Foffboard&user_id={user_id}&trigger_id=1.2.a&text={text}{more}"))
}

/// A form of Slack's, signed at `seconds`.
fn slack(seconds: i64, body: String) -> Inbound {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRETS[0].as_bytes()).unwrap();
    mac.update(format!("v0:{seconds}:{body}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert("x-slack-request-timestamp", seconds.to_string().parse().unwrap());
    headers.insert("x-slack-signature", signature.parse().unwrap());
    Inbound {
        method: Method::POST,
        path: "/hooks/slack".into(),
        query: String::new(),
        host: "localhost".into(),
        headers,
        body: body.into(),
    }
}

/// The documented DELETE, signed with the portal's key at `seconds`.
fn documented(seconds: i64, query: &str) -> Inbound {
    portal(seconds, Method::DELETE, DOCUMENTED, query)
}

/// Whatever the portal signs.
fn portal(seconds: i64, method: Method, path: &str, query: &str) -> Inbound {
    portal_with(seconds, method, path, query, "")
}

/// The same, with a body.
fn portal_with(seconds: i64, method: Method, path: &str, query: &str, body: &str) -> Inbound {
    let date = sdk_hmac::sdk_date(DateTime::from_timestamp(seconds, 0).unwrap());
    let mut headers = HeaderMap::new();
    headers.insert(sdk_hmac::SDK_DATE, date.parse().unwrap());
    let method_name = method.clone();
    let message = sdk_hmac::Message {
        method: method_name.as_str(),
        path,
        query,
        headers: &headers,
        host: "localhost",
        body: body.as_bytes(),
    };
    let authorization = sdk_hmac::sign(&message, "HPUAPORTALKEY0000001", SECRETS[3].as_bytes(), &date).unwrap();
    headers.insert("authorization", authorization.parse().unwrap());
    Inbound {
        method,
        path: path.into(),
        query: query.into(),
        host: "localhost".into(),
        headers,
        body: Bytes::from(body.to_owned()),
    }
}

async fn ask(host: &Memory, app: &App, inbound: Inbound) -> Response<Bytes> {
    flow::handle(host, Ok(app), inbound, None, |early| panic!("nobody waits for {early:?}")).await
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

fn seconds(host: &Memory) -> i64 {
    host.now.get() / 1000
}

#[tokio::test]
async fn one_removal_from_end_to_end() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    let answer = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    assert_eq!((answer.status(), text(&answer).as_str()), (StatusCode::OK, SUCCESS));
    assert_eq!(answer.headers()["x-request-id"], "upstream-1");
    assert_eq!(answer.headers()["x-offboard-policy"], "dba-removes-on-staging");
    assert_eq!(answer.headers()["content-length"], "20");

    let sent = host.sent.borrow();
    let [request] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(request.method(), "DELETE");
    assert_eq!(
        request.uri().to_string(),
        format!("https://gaussdb.ap-southeast-3.myhuaweicloud.com{DOCUMENTED}?user_name=alice")
    );
    assert_eq!(request.headers()["content-length"], "0");
    assert_eq!(request.headers()["x-language"], "en-us");
    assert_eq!(request.headers()["x-security-token"], SECRETS[2]);
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let parsed = sdk_hmac::parse_authorization(authorization).unwrap();
    let message = sdk_hmac::Message {
        method: "DELETE",
        path: DOCUMENTED,
        query: "user_name=alice",
        headers: request.headers(),
        host: "gaussdb.ap-southeast-3.myhuaweicloud.com",
        body: b"",
    };
    assert!(parsed.signed_headers.contains(&"x-security-token"));
    sdk_hmac::verify(&message, &parsed, SECRETS[1].as_bytes()).unwrap();

    let actor = Some("portal/HPUAPORTALKEY0000001".into());
    assert_eq!(host.rows(), [("removed".into(), actor, Some("alice".into()), Some("SUCCESS".into()), 1)]);
}

/// The three kinds of failure, what the asker hears, and what the ledger keeps.
#[tokio::test]
async fn not_sent_refused_and_unknown_are_three_things() {
    for (error, status, code, state) in [
        (SendError::NotAllowed("host".into()), 502, "OFFBOARD.50201", "not-sent"),
        (SendError::Broken("reset".into()), 502, "OFFBOARD.50202", "unknown"),
        (SendError::FirstByteTimedOut("slow".into()), 504, "OFFBOARD.50401", "unknown"),
        (SendError::CallTimedOut("slow".into()), 504, "OFFBOARD.50403", "unknown"),
    ] {
        let (host, app) = (memory(), app());
        host.will_fail(error);
        if state == "unknown" {
            host.will_answer(500, "");
        }
        let answer = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        assert_eq!(answer.status().as_u16(), status);
        assert!(text(&answer).starts_with(&format!(r#"{{"error_code":"{code}""#)), "{}", text(&answer));
        assert_eq!(host.rows()[0].0, state);

        // A repeat tries again where nothing was sent; else it looks at the list, and never sends a second DELETE.
        if state == "not-sent" {
            host.will_answer(200, SUCCESS);
        } else {
            host.will_list(&["alice2"]);
        }
        let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        assert_eq!((repeat.status().as_u16(), text(&repeat).as_str()), (200, SUCCESS), "{state}");
        let methods: &[_] = if state == "not-sent" { &["DELETE", "DELETE"] } else { &["DELETE", "GET", "GET"] };
        assert_eq!(host.methods(), methods);
        assert_eq!((host.rows().len(), host.rows()[0].0.as_str()), (1, "removed"));
    }
}

/// Whichever statement fails, nothing leaves without its row, and the asker hears the truth.
#[tokio::test]
async fn a_ledger_that_fails_at_any_statement() {
    let whole = {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        host.statements.get()
    };
    for fails_at in 1..=whole {
        let (host, app) = (memory(), app());
        host.fails_at.set(fails_at);
        host.will_answer(200, SUCCESS);
        let answer = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        let sent = host.sent.borrow().len();
        if fails_at <= 4 || fails_at == whole {
            // A question that is not answered, two pragmas that are not taken, a table that is not there yet, and an outcome
            // that cannot be recorded.
            assert_eq!((answer.status().as_u16(), sent), (200, 1), "statement {fails_at}");
        } else {
            assert_eq!((answer.status().as_u16(), sent), (503, 0), "statement {fails_at}");
            assert!(text(&answer).contains("OFFBOARD.50301"));
        }
        if fails_at == whole {
            assert_eq!(host.rows()[0].0, "in-flight");
            let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
            assert_eq!((repeat.status().as_u16(), host.sent.borrow().len()), (409, 1));
        }
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_left_alone() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    host.database.execute("INSERT INTO ledger (version) VALUES (6)", []).unwrap();
    let fresh = self::app();
    let answer = ask(&host, &fresh, documented(seconds(&host) + 1, "user_name=bob")).await;
    assert_eq!((answer.status().as_u16(), host.sent.borrow().len(), host.rows().len()), (503, 1, 1));
}

/// Exactly 300 seconds either way for every kind of caller, by a clock that does not move.
#[tokio::test]
async fn three_hundred_seconds() {
    for (apart, accepted) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let (host, app) = (memory(), app());
        let signed = seconds(&host) + apart;
        for inbound in [documented(signed, "user_name=alice"), slash(signed, "bob analytics left")] {
            host.will_answer(200, SUCCESS);
            let answer = ask(&host, &app, inbound).await;
            assert_eq!(answer.status().as_u16(), if accepted { 200 } else { 401 }, "{apart}");
            assert!(accepted || text(&answer).contains("OFFBOARD.40104"));
        }
        assert_eq!(host.sent.borrow().len(), if accepted { 2 } else { 0 });
        assert_eq!(host.rows().len(), 2);
    }
}

#[tokio::test]
async fn secrets_stay_where_they_are() {
    let (host, app) = (memory(), app());
    let echo =
        format!(r#"{{"error_code":"APIGW.0301","error_msg":"canonicalRequest x-security-token:{} "}}"#, SECRETS[2]);
    host.will_answer(401, &echo);
    let answer = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    assert_eq!(text(&answer), r#"{"error_code":"APIGW.0301","error_msg":"canonicalRequest x-security-token:… "}"#);
    let message: String = host.database.query_row("SELECT message FROM removals", [], |row| row.get(0)).unwrap();
    let seen = format!("{answer:?} {:?} {message} {:?}", host.lines.borrow(), host.sent.borrow());
    for secret in SECRETS {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

#[tokio::test]
async fn bodies_that_were_not_read_whole() {
    for (problem, status, code) in
        [(BodyError::TooLarge, 413, "OFFBOARD.41301"), (BodyError::CutShort, 400, "OFFBOARD.40012")]
    {
        let (host, app) = (memory(), app());
        let answer =
            flow::handle(&host, Ok(&app), slash(seconds(&host), "alice analytics"), Some(problem), |_| ()).await;
        assert_eq!(answer.status().as_u16(), status);
        assert!(text(&answer).contains(code));
        assert_eq!(host.rows(), [("refused".into(), None, None, Some(code.into()), 0)]);
    }
}

/// A stranger cannot fill the disk, and what they send never pushes out the row of somebody who proved themselves.
#[tokio::test]
async fn refusals_of_strangers_are_kept_up_to_a_number() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    let stranger = || Inbound { path: "/hooks/nobody".into(), ..slash(0, "") };
    host.database
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
             INSERT INTO removals (id, state, asked_at, policies, attempts) SELECT printf('00%030d', i), 'refused', 0, '', 0 FROM n",
            [],
        )
        .unwrap();
    for _ in 0..400 {
        ask(&host, &app, stranger()).await;
    }
    let count = |sql: &str| host.database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let unproved = count("SELECT count(*) FROM removals WHERE actor IS NULL");
    assert!((10_000..10_400).contains(&unproved), "{unproved}");
    assert_eq!(count("SELECT count(*) FROM removals WHERE caller IS NULL AND code = 'OFFBOARD.40402'"), 400);
    assert_eq!(count("SELECT count(*) FROM removals WHERE state = 'removed'"), 1);
}

proptest! {
    /// Whatever comes in, an answer goes out, in the documented form, with its length and its row; and without a proof
    /// nothing is sent.
    #[test]
    fn any_request_is_answered(
        method in "(GET|POST|DELETE|PUT|OPTIONS)",
        path in prop_oneof![Just("/hooks/slack".to_owned()), Just("/hooks/hr".to_owned()), Just(DOCUMENTED.to_owned()), "/[ -~]{0,60}"],
        query in "[ -~]{0,40}",
        names in prop::collection::vec((prop::sample::select(vec![
            "authorization", "x-sdk-date", "x-slack-signature", "x-slack-request-timestamp", "webhook-id",
            "webhook-timestamp", "webhook-signature", "content-type", "x-language", "content-encoding",
        ]), "[ -~]{0,80}"), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (host, app) = (memory(), app());
        let mut headers = HeaderMap::new();
        for (name, value) in names {
            headers.append(name, value.parse().unwrap());
        }
        let method = method.parse().unwrap();
        let inbound = Inbound { method, path, query, host: "localhost".into(), headers, body: body.into() };
        let answer = runtime.block_on(ask(&host, &app, inbound));
        prop_assert!(answer.status().is_client_error(), "{answer:?}");
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        prop_assert!(body["error_code"].as_str().unwrap().starts_with("OFFBOARD."));
        prop_assert_eq!(answer.headers()["content-length"].to_str().unwrap(), answer.body().len().to_string());
        prop_assert!(host.sent.borrow().is_empty());
        prop_assert_eq!(host.rows().len(), 1);
    }
}

//! A removal from the request to the row: the kinds of failure, the window of a proof, whatever comes in.

use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use starrocks_offboard::crypto::sdk_hmac;
use starrocks_offboard::flow;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::{BodyError, Inbound};
use support::database::cases;

use crate::gateway::{DOCUMENTED, SECRETS, SUCCESS, app, ask, documented, memory, seconds, slash, text};

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
    let message: String = host.database.row("SELECT message FROM removals", &[]).unwrap();
    let seen = format!("{answer:?} {:?} {message} {:?}", host.lines.borrow(), host.sent.borrow());
    for secret in SECRETS {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

#[tokio::test]
async fn bodies_that_were_not_read_whole() {
    for (problem, status, code) in
        [(BodyError::TooLarge(1024), 413, "OFFBOARD.41301"), (BodyError::CutShort, 400, "OFFBOARD.40012")]
    {
        let (host, app) = (memory(), app());
        let answer = std::cell::Cell::new(None);
        let inbound = slash(seconds(&host), "alice analytics");
        flow::handle(&host, Ok(&app), inbound, Some(problem), |response| answer.set(Some(response))).await;
        let answer = answer.into_inner().unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(text(&answer).contains(code));
        assert_eq!(host.rows(), [("refused".into(), None, None, Some(code.into()), 0)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(256)))]

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

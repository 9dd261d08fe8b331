//! What TaurusDB and IAM can do to a removal, and that the asker, the row and the log then say the truth.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use starrocks_offboard::app::App;
use starrocks_offboard::flow;
use starrocks_offboard::host::SendError;

use crate::host::Memory;
use crate::{
    DOCUMENTED, SECRETS, SUCCESS, app, ask, documented, gateway_with, memory, portal, seconds, slash_with, text,
};

const PASSWORD: &[(&str, &str)] = &[("credentials = \"aksk\"", "credentials = \"password\"")];
const HTML: &str = "<html>gateway error</html>";

fn failure(code: &str) -> String {
    format!(r#"{{"error_code":"{code}","error_msg":"words of TaurusDB"}}"#)
}

fn with_password() -> Memory {
    let mut host = memory();
    for (name, value) in [
        ("huaweicloud_user", "offboard"),
        ("huaweicloud_password", "iam-password-77aa"),
        ("huaweicloud_domain", "acme"),
        ("iam_endpoint", "https://*.myhuaweicloud.com"),
    ] {
        host.variables.insert(name.into(), value.to_owned());
    }
    host
}

/// A new delivery for `alice`, each time it is called.
async fn remove_alice(host: &Memory, app: &App) -> Response<Bytes> {
    host.now.set(host.now.get() + 1000);
    ask(host, app, documented(seconds(host), "user_name=alice")).await
}

/// `(state, code, attempts, confirmed_by)` of the newest row.
fn newest(host: &Memory) -> (String, Option<String>, i64, Option<String>) {
    let sql = "SELECT state, code, attempts, confirmed_by FROM removals ORDER BY rowid DESC LIMIT 1";
    host.database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap()
}

fn row(
    state: &str,
    code: &str,
    attempts: i64,
    confirmed_by: Option<&str>,
) -> (String, Option<String>, i64, Option<String>) {
    (state.into(), Some(code.into()), attempts, confirmed_by.map(str::to_owned))
}

pub(crate) fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

fn sent_header(request: &Request<Bytes>, name: &str) -> Option<String> {
    request.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn logged(host: &Memory, part: &str) -> bool {
    host.lines.borrow().iter().any(|line| line.contains(part))
}

#[tokio::test]
async fn what_was_turned_away_is_sent_again() {
    for (status, headers, body) in [
        (429, &[][..], failure("APIGW.0308")),
        (429, &[("retry-after", "2")], failure("APIGW.0308")),
        (429, &[], HTML.to_owned()),
        (409, &[], failure("DBS.200019")),
        (503, &[("retry-after", "2")], failure("DBS.200005")),
        (503, &[("retry-after", "2")], HTML.to_owned()),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer_with(status, headers, &body);
        host.will_answer_with(status, headers, &body);
        host.will_answer(200, SUCCESS);
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), host.methods().len()), (200, 3), "{status} {headers:?} {body}");
        assert_eq!(newest(&host), row("removed", "SUCCESS", 3, None));
        let waited = host.elapsed.get();
        let asked = Duration::from_secs(if headers.is_empty() { 0 } else { 4 });
        assert!(waited >= asked && waited < asked + Duration::from_secs(1), "{waited:?}");
        let dates: Vec<_> = host.sent.borrow().iter().map(|request| sent_header(request, "x-sdk-date")).collect();
        assert!(dates.iter().all(Option::is_some));
        assert!(logged(&host, r#""attempts":3"#));
    }
}

/// Longer than the request has time for, or more often than it may: what TaurusDB said passes back, with its Retry-After, and
/// the same delivery may try again.
#[tokio::test]
async fn what_stays_busy_is_passed_back() {
    for (headers, attempts) in [(&[("retry-after", "100")][..], 1), (&[("retry-after", "1")], 4), (&[], 4)] {
        let (host, app) = (memory(), app());
        for _ in 0..attempts {
            host.will_answer_with(429, headers, &failure("APIGW.0308"));
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (429, failure("APIGW.0308")));
        assert_eq!(header(&answer, "retry-after"), headers.first().map(|(_, seconds)| *seconds));
        assert_eq!(newest(&host), row("not-removed", "APIGW.0308", attempts, None));

        host.will_answer(200, SUCCESS);
        let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
        assert_eq!((repeat.status().as_u16(), header(&repeat, "retry-after")), (200, None));
        assert_eq!(newest(&host), row("removed", "SUCCESS", attempts + 1, None));
        assert_eq!(host.rows().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_tried_again() {
    let (host, app) = (memory(), app());
    host.will_fail(SendError::NotSent("refused".into()));
    host.will_fail(SendError::ConnectTimedOut("slow".into()));
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(newest(&host), row("removed", "SUCCESS", 3, None));

    for _ in 0..4 {
        host.will_fail(SendError::ConnectTimedOut("slow".into()));
    }
    let answer = remove_alice(&host, &app).await;
    assert_eq!(answer.status().as_u16(), 504);
    assert_eq!(newest(&host), row("not-sent", "OFFBOARD.50402", 4, None));
}

/// Whatever takes how long: the request ends within its time, with the outcome that is due.
#[tokio::test]
async fn the_time_for_a_request_is_bounded() {
    let changes = [(
        "[taurusdb]",
        "[limits]\nconnect_ms = 1000\nfirst_byte_ms = 2000\ncall_ms = 3000\ntotal_ms = 4000\n\n[taurusdb]",
    )];
    let seconds = Duration::from_secs;
    for (calls, status, expected) in [
        // (what comes of a call, how long it takes)
        (
            vec![(SendError::ConnectTimedOut(String::new()), seconds(1)); 3],
            504,
            row("not-sent", "OFFBOARD.50404", 3, None),
        ),
        (vec![(SendError::CallTimedOut(String::new()), seconds(3))], 504, row("unknown", "OFFBOARD.50403", 1, None)),
        (
            vec![
                (SendError::ConnectTimedOut(String::new()), seconds(1)),
                (SendError::CallTimedOut(String::new()), seconds(3)),
            ],
            504,
            row("unknown", "OFFBOARD.50405", 2, None),
        ),
    ] {
        let (host, app) = (memory(), gateway_with(&changes));
        for (error, takes) in calls {
            host.will_fail(error);
            host.which_takes(takes);
        }
        if expected.0 == "unknown" {
            host.will_fail(SendError::Broken(String::new()));
            host.which_takes(seconds(9));
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), newest(&host)), (status, expected));
        assert!(host.elapsed.get() <= seconds(4), "{:?}", host.elapsed.get());
    }
}

/// Five wrong signatures in a row lock a key: it is never tried again, and neither is a token that the operator set.
#[tokio::test]
async fn a_refused_signature_is_not_sent_again() {
    for (changes, code) in [
        (&[][..], "APIGW.0301"),
        (&[], "APIGW.0307"),
        (&[("credentials = \"aksk\"", "credentials = \"token\"")], "APIGW.0307"),
    ] {
        let (mut host, app) = (memory(), gateway_with(changes));
        host.variables.insert("huaweicloud_token".into(), "static-token".into());
        host.will_answer(401, &failure(code));
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (401, failure(code)));
        assert_eq!(newest(&host), row("refused-upstream", code, 1, None));
        assert!(logged(&host, r#""meaning":""#));
    }
}

#[tokio::test]
async fn one_token_for_many_requests_and_instances() {
    let (host, app) = (with_password(), gateway_with(PASSWORD));
    host.will_issue("token-one", 86_400);
    for _ in 0..3 {
        host.will_answer(200, SUCCESS);
        assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    }
    let fresh = gateway_with(PASSWORD);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &fresh).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["POST", "DELETE", "DELETE", "DELETE", "DELETE"]);

    let sent = host.sent.borrow();
    assert_eq!(sent[0].uri(), "https://iam.ap-southeast-3.myhuaweicloud.com/v3/auth/tokens?nocatalog=true");
    let body: serde_json::Value = serde_json::from_slice(sent[0].body()).unwrap();
    assert_eq!(body["auth"]["scope"]["project"]["id"], "23a50154cf494ec9ad6883979a12db0a");
    for request in &sent[1..] {
        assert_eq!(sent_header(request, "x-auth-token").as_deref(), Some("token-one"));
        assert_eq!(sent_header(request, "authorization"), None);
    }

    // Nothing of it is in the store.
    let sealed: String = host.database.query_row("SELECT sealed FROM tokens", [], |row| row.get(0)).unwrap();
    assert!(!sealed.contains("token-one") && sealed.len() > 30, "{sealed}");
}

/// A stored token that another password sealed is as good as none.
#[tokio::test]
async fn a_new_password_opens_no_old_token() {
    let (mut host, app) = (with_password(), gateway_with(PASSWORD));
    host.will_issue("token-one", 86_400);
    host.will_answer(200, SUCCESS);
    remove_alice(&host, &app).await;
    host.variables.insert("huaweicloud_password".into(), "another".into());
    host.will_issue("token-two", 86_400);
    host.will_answer(200, SUCCESS);
    remove_alice(&host, &gateway_with(PASSWORD)).await;
    assert_eq!(host.methods(), ["POST", "DELETE", "POST", "DELETE"]);
    assert_eq!(sent_header(&host.sent.borrow()[3], "x-auth-token").as_deref(), Some("token-two"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let (host, app) = (with_password(), gateway_with(PASSWORD));
    host.will_issue("token-one", 1000);
    host.will_answer(200, SUCCESS);
    remove_alice(&host, &app).await;

    // In the last twentieth it is certainly due. IAM is down, and the old one is still good.
    host.now.set(host.now.get() + 960_000);
    host.will_fail(SendError::Broken("iam".into()));
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert!(logged(&host, "the old one is still good"));
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["POST", "DELETE", "POST", "DELETE", "DELETE"]);

    // It has ended, and there is no other.
    host.now.set(host.now.get() + 60_000);
    host.will_fail(SendError::Broken("iam".into()));
    let answer = remove_alice(&host, &app).await;
    assert_eq!(answer.status().as_u16(), 502);
    assert_eq!(newest(&host), row("not-sent", "OFFBOARD.50203", 0, None));

    host.will_issue("token-two", 1000);
    host.will_answer(200, SUCCESS);
    remove_alice(&host, &app).await;
    assert_eq!(sent_header(host.sent.borrow().last().unwrap(), "x-auth-token").as_deref(), Some("token-two"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    for code in ["APIGW.0307", "APIGW.0301"] {
        let (host, app) = (with_password(), gateway_with(PASSWORD));
        host.will_issue("token-one", 86_400);
        host.will_answer(401, &failure(code));
        host.will_issue("token-two", 86_400);
        host.will_answer(200, SUCCESS);
        assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
        assert_eq!(host.methods(), ["POST", "DELETE", "POST", "DELETE"]);
        assert_eq!(newest(&host), row("removed", "SUCCESS", 2, None));

        // The second refusal is the answer.
        host.will_answer(401, &failure(code));
        host.will_issue("token-three", 86_400);
        host.will_answer(401, &failure(code));
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (401, failure(code)));
        assert_eq!(newest(&host), row("refused-upstream", code, 2, None));
    }
}

#[tokio::test]
async fn an_agency_is_assumed_with_a_key_or_a_user() {
    let agency =
        "credentials = \"agency\"\nagency = { name = \"offboard\", domain_name = \"customer\", on = \"aksk\" }";
    let (host, app) = (with_password(), gateway_with(&[("credentials = \"aksk\"", agency)]));
    host.will_issue("agency-token", 86_400);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["POST", "DELETE"]);
    assert!(sent_header(&host.sent.borrow()[0], "authorization").unwrap().starts_with("SDK-HMAC-SHA256 Access=AK, "));
    assert_eq!(sent_header(&host.sent.borrow()[1], "x-auth-token").as_deref(), Some("agency-token"));

    // The user's own token was refused meanwhile: one new one.
    let agency = agency.replace("\"aksk\"", "\"password\"").replace("domain_name", "domain_id");
    let (host, app) = (with_password(), gateway_with(&[("credentials = \"aksk\"", &agency)]));
    host.will_issue("user-token", 86_400);
    host.will_answer(401, r#"{"error":{"code":401,"message":"token expired: user-token","title":"Unauthorized"}}"#);
    host.will_issue("user-token-two", 86_400);
    host.will_issue("agency-token", 86_400);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["POST", "POST", "POST", "POST", "DELETE"]);
    let sent = host.sent.borrow();
    let scope = |request: &Request<Bytes>| {
        serde_json::from_slice::<serde_json::Value>(request.body()).unwrap()["auth"]["scope"].to_string()
    };
    assert_eq!(scope(&sent[0]), r#"{"domain":{"name":"acme"}}"#);
    assert_eq!(scope(&sent[3]), r#"{"project":{"id":"23a50154cf494ec9ad6883979a12db0a"}}"#);
    assert_eq!(sent_header(&sent[3], "x-auth-token").as_deref(), Some("user-token-two"));
    assert!(logged(&host, "Unauthorized: token expired: …"));
}

/// What IAM says is about the gateway's own credentials: the log has it, the asker does not.
#[tokio::test]
async fn iam_says_no_or_nothing() {
    for (status, body, code) in [
        (401, r#"{"error":{"code":401,"message":"wrong iam-password-77aa","title":"Unauthorized"}}"#, "OFFBOARD.50304"),
        (403, r#"{"error_code":"IAM.0003","error_msg":"wrong"}"#, "OFFBOARD.50304"),
        (404, "{}", "OFFBOARD.50304"),
        (500, r#"{"error_code":"IAM.9999","error_msg":"wrong"}"#, "OFFBOARD.50203"),
        (502, HTML, "OFFBOARD.50203"),
        (201, "{}", "OFFBOARD.50203"),
        (200, "{}", "OFFBOARD.50203"),
    ] {
        let (host, app) = (with_password(), gateway_with(PASSWORD));
        host.will_answer(status, body);
        let answer = remove_alice(&host, &app).await;
        assert_eq!(newest(&host), row("not-sent", code, 0, None), "{status} {body}");
        assert!(text(&answer).contains(code) && !text(&answer).contains("wrong"), "{}", text(&answer));
        assert_eq!(host.methods(), ["POST"]);
        assert!(status < 202 || logged(&host, &format!("iam: refused with {status}")));
        assert!(!logged(&host, "iam-password-77aa"));
    }
}

/// The store of tokens is a convenience.
#[tokio::test]
async fn without_its_store_a_token_is_fetched_all_the_same() {
    let (host, app) = (with_password(), gateway_with(PASSWORD));
    host.will_answer(400, &failure("DBS.200001"));
    app.ledger(&host).await.unwrap();
    host.database.execute("DROP TABLE tokens", []).unwrap();
    host.answers.borrow_mut().clear();
    host.will_issue("token-one", 86_400);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert!(logged(&host, "the store of tokens failed"));
}

/// No answer, or none that can be used: the account list says what the removal did.
#[tokio::test]
async fn an_unknown_outcome_is_settled_by_the_list() {
    let unknown: [(u16, &str, &str); 6] = [
        (0, "", "OFFBOARD.50202"),
        (200, r#"{"result":"MAYBE"}"#, "OFFBOARD.50202"),
        (202, "", "OFFBOARD.50202"),
        (502, HTML, "OFFBOARD.50290"),
        (502, r#"{"error_code":"APIGW.0613","error_msg":"words of TaurusDB"}"#, "APIGW.0613"),
        (504, r#"{"error_code":"APIGW.0201","error_msg":"words of TaurusDB"}"#, "APIGW.0201"),
    ];
    for (status, body, code) in unknown {
        for listed in [Some(&["alice2"][..]), Some(&["alice"]), None] {
            let (host, app) = (memory(), app());
            match status {
                0 => host.will_fail(SendError::Broken("reset".into())),
                status => host.will_answer(status, body),
            }
            match listed {
                Some(names) => host.will_list(names),
                None => host.will_answer(500, HTML),
            }
            let answer = remove_alice(&host, &app).await;
            let expected = match listed {
                Some(["alice2"]) => row("removed", "SUCCESS", 1, Some("account-list")),
                Some(_) => row("not-removed", "OFFBOARD.50204", 1, Some("account-list")),
                None => row("unknown", code, 1, None),
            };
            assert_eq!(newest(&host), expected, "{status} {body} {listed:?}");
            assert_eq!(host.methods(), ["DELETE", "GET"]);
            assert_eq!(header(&answer, "x-offboard-confirmed-by"), expected.3.as_deref());
            if expected.0 == "removed" {
                assert_eq!(text(&answer), SUCCESS);
            }
            let list = host.sent.borrow()[1].uri().to_string();
            assert!(list.ends_with("/starrocks/users?limit=100&offset=0&user_name=alice"), "{list}");

            // The same delivery again never sends a second DELETE of what may have been done.
            if expected.0 != "not-removed" {
                if listed.is_none() {
                    host.will_list(&[]);
                }
                let repeat = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
                assert_eq!(text(&repeat), SUCCESS);
                assert_eq!(newest(&host), row("removed", "SUCCESS", 1, Some("account-list")));
                assert_eq!(host.methods().iter().filter(|method| *method == "DELETE").count(), 1);
                assert_eq!(header(&repeat, "x-offboard-confirmed-by"), Some("account-list"));
            }
        }
    }
}

#[tokio::test]
async fn the_list_is_read_page_by_page() {
    let names: Vec<String> = (0..250).map(|number| format!("alice_{number:03}")).collect();
    let page = |range: std::ops::Range<usize>, total: usize| {
        let users: Vec<_> = names[range].iter().map(|name| serde_json::json!({"user_name": name})).collect();
        serde_json::json!({"user_details": users, "total_count": total}).to_string()
    };
    let (host, app) = (memory(), app());
    host.will_fail(SendError::Broken("reset".into()));
    // It changes during the first reading.
    host.will_answer(200, &page(0..100, 250));
    host.will_answer(200, &page(101..201, 249));
    for range in [0..100, 100..200, 200..250] {
        host.will_answer(200, &page(range, 250));
    }
    remove_alice(&host, &app).await;
    assert_eq!(newest(&host), row("removed", "SUCCESS", 1, Some("account-list")));
    let offsets: Vec<_> =
        host.sent.borrow()[1..].iter().map(|request| request.uri().query().unwrap().to_owned()).collect();
    let offset = |number| format!("limit=100&offset={number}&user_name=alice");
    assert_eq!(offsets, [0, 100, 0, 100, 200].map(offset));
}

#[tokio::test]
async fn an_account_that_was_not_there() {
    for (listed, state) in
        [(Some(&[][..]), "already-gone"), (None, "already-gone"), (Some(&["alice"][..]), "refused-upstream")]
    {
        let (host, app) = (memory(), app());
        host.will_answer(400, &failure("DBS.200824"));
        match listed {
            Some(names) => host.will_list(names),
            None => host.will_answer(500, HTML),
        }
        let answer = remove_alice(&host, &app).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (400, failure("DBS.200824")));
        assert_eq!(newest(&host), row(state, "DBS.200824", 1, None));
    }
}

/// A request for the same account, whoever's, settles what nobody knew of an earlier one, before it changes the list.
#[tokio::test]
async fn a_later_request_settles_an_earlier_one() {
    let (host, app) = (memory(), app());
    host.will_fail(SendError::Broken("reset".into()));
    host.will_answer(500, HTML);
    remove_alice(&host, &app).await;
    assert_eq!(newest(&host).0, "unknown");

    host.will_list(&["alice"]);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert_eq!(host.methods(), ["DELETE", "GET", "GET", "DELETE"]);
    let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
    assert_eq!(states, ["not-removed", "removed"]);
}

/// Whoever carried it out is gone. As long as it could still be there, a repeat waits; after that, the list says what was done.
#[tokio::test]
async fn a_removal_that_was_left_in_flight() {
    for (listed, expected) in [
        (Some(&[][..]), row("removed", "SUCCESS", 1, Some("account-list"))),
        (Some(&["alice"][..]), row("not-removed", "OFFBOARD.50204", 1, Some("account-list"))),
        (None, row("unknown", "OFFBOARD.50202", 1, None)),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        remove_alice(&host, &app).await;
        let delivery = documented(seconds(&host), "user_name=alice");
        let left =
            "UPDATE removals SET state = 'in-flight', status = NULL, code = NULL, message = NULL, ended_at = NULL";
        host.database.execute(left, []).unwrap();

        host.now.set(host.now.get() + 34_999);
        let early = ask(&host, &app, delivery.clone()).await;
        assert_eq!((early.status().as_u16(), header(&early, "retry-after")), (409, Some("1")));

        host.now.set(host.now.get() + 1);
        match listed {
            Some(names) => host.will_list(names),
            None => host.will_answer(500, HTML),
        }
        let answer = ask(&host, &app, delivery).await;
        assert_eq!(newest(&host), expected);
        assert_eq!(answer.status().as_u16(), if expected.0 == "removed" { 200 } else { 502 });
        assert_eq!(host.methods(), ["DELETE", "GET"]);
    }
}

/// A ledger of an earlier version goes on to be used and loses nothing, wherever the first attempt to bring it up to date broke
/// off.
#[tokio::test]
async fn a_ledger_of_an_earlier_version_is_brought_up_to_date() {
    for version in [
        include_str!("../fixtures/ledger/version-1.sql"),
        include_str!("../fixtures/ledger/version-2.sql"),
        include_str!("../fixtures/ledger/version-3.sql"),
        include_str!("../fixtures/ledger/version-4.sql"),
    ] {
        for fails_at in 0..50 {
            let host = memory();
            host.database.execute_batch(version).unwrap();
            host.fails_at.set(fails_at);
            let opened = app().ledger(&host).await.is_ok();
            let statements = host.statements.get();
            host.fails_at.set(0);
            let app = app();
            host.will_list(&["alice"]);
            host.will_answer(200, SUCCESS);
            assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200, "{fails_at}");
            let states: Vec<_> = host.rows().into_iter().map(|row| row.0).collect();
            assert_eq!(states, ["removed", "not-removed", "removed"], "{fails_at}");
            // The last attempts are those that no statement fails in.
            assert!(fails_at < 49 || (opened && statements < 49), "{statements}");
        }
    }
}

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
            "message": "removed: no usable answer came back, and the account list does not have the account any more",
            "request_id": null,
            "confirmed_by": "account-list",
        })
    );
    // Whoever asked may always look.
    assert_eq!(header(&looked, "x-offboard-policy"), None);
    assert_eq!(host.methods(), ["DELETE", "GET", "GET", "GET"]);
    assert_eq!(host.rows().len(), 1);

    let nobody = look(&host, &app, "00").await;
    assert_eq!(nobody.status().as_u16(), 404);
    assert!(text(&nobody).contains("OFFBOARD.40404"));
    // Somebody else asked, and policy does not let this one look.
    host.database.execute("UPDATE removals SET actor = 'hr'", []).unwrap();
    let nobody_may = [("members = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\", ", "members = [")];
    let denied = look(&host, &gateway_with(&nobody_may), &id).await;
    assert_eq!(denied.status().as_u16(), 403);
    assert!(text(&denied).contains("OFFBOARD.40304"));
    assert_eq!(host.rows().last().unwrap().0, "denied");
    let posted = ask(&host, &app, portal(seconds(&host), Method::DELETE, &format!("/removals/{id}"), "")).await;
    assert_eq!((posted.status().as_u16(), header(&posted, "allow")), (405, Some("GET")));
    let queried = ask(&host, &app, portal(seconds(&host), Method::GET, &format!("/removals/{id}"), "a=b")).await;
    assert!(text(&queried).contains("OFFBOARD.40009"));
}

/// Slack waits for three seconds: what takes longer is acknowledged, and the outcome follows at the URL that Slack signed.
#[tokio::test]
async fn what_takes_longer_than_slack_waits_follows_later() {
    let url = "https://hooks.slack.com/commands/T0001/1/abc";
    let encoded = url.replace(':', "%3A").replace('/', "%2F");
    for (takes, fields, is_late) in [
        (9, format!("&response_url={encoded}"), true),
        (0, format!("&response_url={encoded}"), false),
        (9, String::new(), false),
        (9, "&response_url=https%3A%2F%2Fevil.example%2Fhooks.slack.com".to_owned(), false),
    ] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        host.which_takes(Duration::from_secs(takes));
        if is_late {
            host.will_answer(200, "ok");
        }
        let inbound = slash_with(seconds(&host), "alice analytics", &fields);
        let early = std::cell::RefCell::new(None);
        let answer = flow::handle(&host, Ok(&app), inbound, None, |response| {
            assert!(early.replace(Some(text(&response))).is_none());
        });
        let answer = answer.await;
        let said = "Removed `alice` from `analytics` (allowed by `dba-removes-on-staging`).";
        assert_eq!(early.borrow().is_some(), is_late, "{takes} {fields}");
        assert!(text(&answer).contains(said));
        assert_eq!(newest(&host), row("removed", "SUCCESS", 1, None));
        let sent = host.sent.borrow();
        assert_eq!(sent.len(), if is_late { 2 } else { 1 });
        assert_eq!(sent[0].uri().path(), DOCUMENTED);
        assert!(logged(&host, &format!(r#""late":{is_late}"#)));
        if is_late {
            let early = early.borrow().clone().unwrap();
            assert!(early.contains("Removing `alice` from `analytics`; the outcome follows here."), "{early}");
            assert_eq!((sent[1].method().as_str(), sent[1].uri().to_string().as_str()), ("POST", url));
            let told: serde_json::Value = serde_json::from_slice(sent[1].body()).unwrap();
            assert!(told["text"].as_str().unwrap().contains(said), "{told}");
            assert_eq!(sent_header(&sent[1], "content-length"), Some(sent[1].body().len().to_string()));
        }
    }
}

/// When it cannot be told later, the log says so, and the ledger has it all the same.
#[tokio::test]
async fn a_later_channel_that_fails() {
    for (status, says) in [(302, "it answered 302"), (500, "it answered 500"), (0, "Broken")] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        host.which_takes(Duration::from_secs(3));
        match status {
            0 => host.will_fail(SendError::Broken("reset".into())),
            status => host.will_answer_with(status, &[("location", "https://evil.example/")], ""),
        }
        let fields = "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1";
        flow::handle(&host, Ok(&app), slash_with(seconds(&host), "alice analytics", fields), None, |_| ()).await;
        assert_eq!(newest(&host), row("removed", "SUCCESS", 1, None));
        assert!(logged(&host, "later: the outcome of ") && logged(&host, says), "{:?}", host.lines.borrow());
        assert_eq!(host.sent.borrow().len(), 2);
    }
}

/// Everything that TaurusDB and IAM were given, and nothing of it anywhere else.
#[tokio::test]
async fn tokens_and_passwords_stay_where_they_are() {
    let (host, app) = (with_password(), gateway_with(PASSWORD));
    host.will_issue("token-one", 86_400);
    let echo = r#"{"error_code":"APIGW.0305","error_msg":"token-one is wrong, and so is iam-password-77aa"}"#;
    host.will_answer(401, echo);
    let answer = remove_alice(&host, &app).await;
    assert_eq!(text(&answer), r#"{"error_code":"APIGW.0305","error_msg":"… is wrong, and so is …"}"#);
    let dump: Vec<String> = ["SELECT group_concat(message) FROM removals", "SELECT group_concat(sealed) FROM tokens"]
        .map(|sql| host.database.query_row(sql, [], |row| row.get(0)).unwrap())
        .into();
    let seen = format!("{answer:?} {:?} {dump:?} {app:?}", host.lines.borrow());
    for secret in SECRETS.iter().chain(&["token-one", "iam-password-77aa"]) {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

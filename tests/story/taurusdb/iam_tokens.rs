//! Tokens of IAM: how many are fetched, when one is renewed, and where they are seen.

use bytes::Bytes;
use http::Request;
use starrocks_offboard::host::SendError;

use crate::gateway::{SECRETS, SUCCESS, gateway_with, text};
use crate::taurusdb::shared::{HTML, PASSWORD, failure, logged, newest, remove_alice, row, sent_header, with_password};

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
    let sealed: String = host.database.row("SELECT sealed FROM tokens", &[]).unwrap();
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
    host.database.execute("DROP TABLE tokens", &[]);
    host.answers.borrow_mut().clear();
    host.will_issue("token-one", 86_400);
    host.will_answer(200, SUCCESS);
    assert_eq!(remove_alice(&host, &app).await.status().as_u16(), 200);
    assert!(logged(&host, "the store of tokens failed"));
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
    let dump: [Vec<String>; 2] =
        ["SELECT message FROM removals", "SELECT sealed FROM tokens"].map(|sql| host.database.rows(sql, &[]));
    assert!(dump.iter().all(|texts| !texts.is_empty()), "{dump:?}");
    let seen = format!("{answer:?} {:?} {dump:?} {app:?}", host.lines.borrow());
    for secret in SECRETS.iter().chain(&["token-one", "iam-password-77aa"]) {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::issue::{timestamp, token_of};
use crate::http_client::send;
use crate::simulator::demo;
use crate::simulator::headers::SUBJECT_TOKEN;
use crate::simulator::options::SimulatorOptions;
use crate::simulator::paths::TOKENS;
use crate::simulator::server::Simulator;
use crate::simulator::testing::{Signing, USERS, body, half_past_eight, said, start, start_with, with_headers};

const OTHER_PROJECT: &str = "00000000000000000000000000000000";

async fn post(simulator: &Simulator, headers: &[(&str, &str)], json: &Value) -> Response<Bytes> {
    let mut request = Request::post(format!("{TOKENS}?nocatalog=true")).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(simulator.address(), request.body(json.to_string().into()).unwrap()).await.unwrap()
}

fn by_password(name: &str, password: &str, domain: &str, scope: Value) -> Value {
    let user = json!({ "name": name, "password": password, "domain": { "name": domain } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    json!({ "auth": { "identity": identity, "scope": scope } })
}

fn demo_user(scope: Value) -> Value {
    by_password(demo::IAM_USER, demo::IAM_PASSWORD, demo::IAM_DOMAIN, scope)
}

fn by_agency(role: Value, scope: Value) -> Value {
    json!({ "auth": { "identity": { "methods": ["assume_role"], "assume_role": role }, "scope": scope } })
}

fn demo_agency() -> Value {
    let role = json!({ "domain_name": demo::AGENCY_DOMAIN, "agency_name": demo::AGENCY });
    by_agency(role, demo_project())
}

fn demo_project() -> Value {
    json!({ "project": { "id": demo::PROJECT_ID } })
}

fn token(response: &Response<Bytes>) -> String {
    assert_eq!(response.status(), StatusCode::CREATED, "{:?}", response.body());
    response.headers()[SUBJECT_TOKEN].to_str().unwrap().to_owned()
}

/// Returns the answer to the deletion of an unknown account with this token.
async fn said_with(simulator: &Simulator, token: &str) -> String {
    let request = with_headers(Method::DELETE, &format!("{USERS}?user_name=nobody"), &[("x-auth-token", token)]);
    said(&send(simulator.address(), request).await.unwrap())
}

const PASSED: &str = "400 DBS.200824";

#[tokio::test]
async fn a_password_gets_a_token_for_a_project() {
    let simulator = start().await;
    let response = post(&simulator, &[], &demo_user(demo_project())).await;
    let first = token(&response);
    let domain = json!({ "id": demo::IAM_DOMAIN_ID, "name": demo::IAM_DOMAIN });
    let answer = body(&response);
    let user_id = answer["token"]["user"]["id"].as_str().unwrap();
    assert_eq!(user_id.len(), 32);
    assert_eq!(
        answer,
        json!({ "token": {
            "expires_at": "2026-01-16T08:30:00.000000Z",
            "issued_at": "2026-01-15T08:30:00.000000Z",
            "methods": ["password"],
            "roles": [],
            "project": { "id": demo::PROJECT_ID, "name": demo::PROJECT_ID, "domain": domain },
            "user": { "id": user_id, "name": demo::IAM_USER, "domain": domain },
        }}),
    );
    assert_eq!(first.len(), 2990);
    assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{first}");
    let second = token(&post(&simulator, &[], &demo_user(demo_project())).await);
    assert_ne!(first, second);

    assert_eq!(said_with(&simulator, &first).await, PASSED);
    assert_eq!(said_with(&simulator, &second).await, PASSED);
    assert_eq!(said_with(&simulator, &first[1..]).await, "401 APIGW.0301");
    assert_eq!(simulator.token_calls(), 2);

    let request = Request::post(TOKENS).body(demo_user(demo_project()).to_string().into()).unwrap();
    assert_eq!(body(&send(simulator.address(), request).await.unwrap())["token"]["catalog"], json!([]));
}

#[tokio::test]
async fn a_token_is_valid_for_its_project_only() {
    let wider = |options: &mut SimulatorOptions| options.users[0].projects.push(OTHER_PROJECT.to_owned());
    let simulator = start_with(wider).await;
    for (scope, expected) in [
        (json!({ "project": { "id": demo::PROJECT_ID } }), PASSED),
        (json!({ "project": { "name": demo::PROJECT_ID } }), PASSED),
        (json!({ "project": { "id": OTHER_PROJECT } }), "403 APIGW.0302"),
        (json!({ "domain": { "name": demo::IAM_DOMAIN } }), "403 APIGW.0302"),
        (json!({ "domain": { "id": demo::IAM_DOMAIN_ID } }), "403 APIGW.0302"),
        (Value::Null, "403 APIGW.0302"),
    ] {
        let token = token(&post(&simulator, &[], &demo_user(scope.clone())).await);
        assert_eq!(said_with(&simulator, &token).await, expected, "{scope}");
        let list = with_headers(Method::GET, USERS, &[("x-auth-token", &token)]);
        let passes = send(simulator.address(), list).await.unwrap().status() == StatusCode::OK;
        assert_eq!(passes, expected == PASSED, "{scope}");
    }
    assert_eq!(said_with(&simulator, demo::TOKEN).await, PASSED);
}

#[tokio::test]
async fn tokens_expire() {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    fn clock() -> SystemTime {
        half_past_eight() + Duration::from_secs(SECONDS.load(Ordering::Relaxed))
    }
    let simulator = start_with(|options| {
        options.clock = Arc::new(clock);
        options.token_lifetime = Duration::from_secs(60);
    })
    .await;
    let response = post(&simulator, &[], &demo_user(demo_project())).await;
    assert_eq!(body(&response)["token"]["expires_at"], "2026-01-15T08:31:00.000000Z");
    let token = token(&response);
    for (seconds, expected) in [(59, PASSED), (60, "401 APIGW.0307")] {
        SECONDS.store(seconds, Ordering::Relaxed);
        assert_eq!(said_with(&simulator, &token).await, expected, "{seconds}");
    }
    assert_eq!(said_with(&simulator, demo::TOKEN).await, PASSED);
}

#[tokio::test]
async fn revoked_tokens_have_to_be_updated() {
    let simulator = start().await;
    let old = token(&post(&simulator, &[], &demo_user(demo_project())).await);
    simulator.revoke_tokens();
    let request = with_headers(Method::DELETE, &format!("{USERS}?user_name=alice"), &[("x-auth-token", &old)]);
    let response = send(simulator.address(), request).await.unwrap();
    let request_id = response.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let expected = json!({
        "error_code": "APIGW.0307", "error_msg": "The token must be updated.", "request_id": request_id,
    });
    assert_eq!(body(&response), expected);
    assert!(simulator.accounts(demo::INSTANCE_ID).contains("alice"));
    let new = token(&post(&simulator, &[], &demo_user(demo_project())).await);
    assert_eq!(said_with(&simulator, &new).await, PASSED);
    assert_eq!(said_with(&simulator, demo::TOKEN).await, PASSED);
}

#[tokio::test]
async fn refusals_have_two_shapes() {
    let simulator = start().await;
    let wrong = json!({
        "error": { "code": 401, "message": "The username or password is wrong.", "title": "Unauthorized" },
    });
    let forbidden = json!({
        "error": {
            "code": 403, "message": "You are not authorized to perform the requested action.", "title": "Forbidden",
        },
    });
    let invalid = json!({ "error_code": "IAM.0011", "error_msg": "Request body is invalid." });
    let (user, password, domain) = (demo::IAM_USER, demo::IAM_PASSWORD, demo::IAM_DOMAIN);
    for (asked, status, expected) in [
        (by_password(user, "another", domain, demo_project()), 401, &wrong),
        (by_password("nobody", password, domain, demo_project()), 401, &wrong),
        (by_password(user, password, "another", demo_project()), 401, &wrong),
        (demo_user(json!({ "project": { "id": OTHER_PROJECT } })), 403, &forbidden),
        (demo_user(json!({ "project": {} })), 403, &forbidden),
        (demo_user(json!({ "project": { "id": demo::PROJECT_ID, "name": "another" } })), 403, &forbidden),
        (demo_user(json!({ "domain": { "name": demo::AGENCY_DOMAIN } })), 403, &forbidden),
        (demo_user(json!({})), 400, &invalid),
        (demo_user(json!("project")), 400, &invalid),
        (json!({ "auth": { "identity": { "methods": ["password"] } } }), 400, &invalid),
        (json!({ "auth": { "identity": { "methods": ["token"] } } }), 400, &invalid),
        (json!({}), 400, &invalid),
        (json!("text"), 400, &invalid),
    ] {
        let response = post(&simulator, &[], &asked).await;
        assert_eq!(response.status(), status, "{asked}");
        assert_eq!(body(&response), *expected, "{asked}");
        assert!(response.headers().contains_key("x-request-id"));
        assert!(!response.headers().contains_key(SUBJECT_TOKEN));
    }
    assert_eq!(simulator.token_calls(), 13);
    let get = Request::get(TOKENS).body(Bytes::new()).unwrap();
    assert_eq!(said(&send(simulator.address(), get).await.unwrap()), "404 APIGW.0101");
    assert_eq!(simulator.token_calls(), 13);
}

#[tokio::test]
async fn an_agency_is_assumed_by_token() {
    let simulator = start().await;
    let account = json!({ "domain": { "name": demo::IAM_DOMAIN } });
    let own = token(&post(&simulator, &[], &demo_user(account)).await);
    for proof in [demo::TOKEN, &own] {
        let response = post(&simulator, &[("x-auth-token", proof)], &demo_agency()).await;
        let answer = body(&response);
        assert_eq!(answer["token"]["methods"], json!(["assume_role"]));
        assert_eq!(answer["token"]["user"]["name"], "demo-customer/demo-agency");
        assert_eq!(answer["token"]["project"]["domain"]["id"], demo::AGENCY_DOMAIN_ID);
        assert_eq!(said_with(&simulator, &token(&response)).await, PASSED);
    }

    simulator.revoke_tokens();
    let unproved = json!({
        "error_code": "IAM.0001", "error_msg": "The request you have made requires authentication.",
    });
    for headers in [&[][..], &[("x-auth-token", "unknown")], &[("x-auth-token", own.as_str())]] {
        let response = post(&simulator, headers, &demo_agency()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(body(&response), unproved, "{headers:?}");
    }
}

#[tokio::test]
async fn the_agency_has_to_exist_in_the_named_account() {
    let simulator = start().await;
    let (name, id, agency) = (demo::AGENCY_DOMAIN, demo::AGENCY_DOMAIN_ID, demo::AGENCY);
    for (role, status) in [
        (json!({ "domain_name": name, "agency_name": agency }), 201),
        (json!({ "domain_id": id, "agency_name": agency }), 201),
        (json!({ "domain_id": id, "domain_name": "another", "agency_name": agency }), 404),
        (json!({ "domain_name": demo::IAM_DOMAIN, "agency_name": agency }), 404),
        (json!({ "domain_name": name, "agency_name": "another" }), 404),
        (json!({ "agency_name": agency }), 400),
        (json!({ "domain_name": name }), 400),
    ] {
        let asked = by_agency(role, demo_project());
        let response = post(&simulator, &[("x-auth-token", demo::TOKEN)], &asked).await;
        assert_eq!(response.status(), status, "{asked}");
    }
    let asked = by_agency(json!({ "domain_name": name, "agency_name": "another" }), demo_project());
    let response = post(&simulator, &[("x-auth-token", demo::TOKEN)], &asked).await;
    let message = "Could not find agency: another.";
    assert_eq!(body(&response), json!({ "error": { "code": 404, "message": message, "title": "Not Found" } }));
}

#[tokio::test]
async fn an_agency_is_assumed_by_access_key() {
    let simulator = start().await;
    let json = Bytes::from(demo_agency().to_string());
    for (signing, status) in [
        (Signing { body: &json, ..Signing::default() }, 201),
        (Signing { body: &json, secret_key: "another", ..Signing::default() }, 401),
        (Signing { body: b"another", ..Signing::default() }, 401),
    ] {
        let mut request = signing.request(&simulator, Method::POST, &format!("{TOKENS}?nocatalog=true"));
        *request.body_mut() = json.clone();
        let response = send(simulator.address(), request).await.unwrap();
        assert_eq!(response.status(), status);
        if status == 201 {
            assert_eq!(said_with(&simulator, &token(&response)).await, PASSED);
        }
    }
}

#[tokio::test]
async fn passwords_and_tokens_are_seen_but_not_shown() {
    let simulator = start().await;
    let issued = token(&post(&simulator, &[], &demo_user(demo_project())).await);
    said_with(&simulator, &issued).await;
    let requests = simulator.requests();
    assert_eq!(requests[0].body, demo_user(demo_project()).to_string());
    assert_eq!(requests[1].headers["x-auth-token"], issued.as_str());
    for seen in &requests {
        for shown in [format!("{seen:?}"), seen.to_string()] {
            assert!(!shown.contains(demo::IAM_PASSWORD) && !shown.contains(&issued), "{shown}");
        }
    }
}

#[test]
fn tokens_are_all_different() {
    let tokens: BTreeSet<String> = ["a", "b", "c"].map(token_of).into();
    assert_eq!(tokens.len(), 3);
    assert_eq!(timestamp(UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
}

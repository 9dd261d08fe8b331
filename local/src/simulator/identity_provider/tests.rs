//! A sign-in from beginning to end, and every refusal, over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starrocks_offboard::crypto::jwks::KeySet;

use super::options::{CLIENT_ID, CLIENT_SECRET, Client, IdentityProviderOptions};
use super::server::IdentityProvider;
use crate::http_client::send;

const CONSOLE: &str = "http://127.0.0.1:3000";
const CALLBACK: &str = "http://127.0.0.1:3000/console/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of [`VERIFIER`]: the example of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// 2026-06-01T10:00:00Z
fn ten() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_308_000)
}

async fn start() -> IdentityProvider {
    start_with(|_| ()).await
}

async fn start_with(change: impl FnOnce(&mut IdentityProviderOptions)) -> IdentityProvider {
    let mut options = IdentityProviderOptions { clock: ten, ..IdentityProviderOptions::demo(CONSOLE) };
    change(&mut options);
    IdentityProvider::start(options).await.unwrap()
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

async fn get(provider: &IdentityProvider, path: &str, parameters: &[(&str, &str)]) -> Response<Bytes> {
    let request = Request::get(format!("{path}?{}", encoded(parameters))).body(Bytes::new()).unwrap();
    send(provider.address(), request).await.unwrap()
}

async fn post(
    provider: &IdentityProvider,
    path: &str,
    headers: &[(&str, &str)],
    parameters: &[(&str, &str)],
) -> Response<Bytes> {
    let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(provider.address(), request.body(encoded(parameters).into()).unwrap()).await.unwrap()
}

/// A right request for a sign-in, with these parameters instead; an empty one is left out.
fn asking<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = BTreeMap::from([
        ("client_id", CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changes.iter().copied());
    parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// A right request for tokens, with these parameters instead; an empty one is left out.
fn redeeming<'a>(code: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    parameters.extend(changes.iter().copied());
    parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn html(response: &Response<Bytes>) -> &str {
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(!response.headers().contains_key(LOCATION));
    std::str::from_utf8(response.body()).unwrap()
}

/// Returns the address without its query, and the parameters in the query.
fn redirected(response: &Response<Bytes>) -> (String, BTreeMap<String, String>) {
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{response:?}");
    let (address, query) = response.headers()[LOCATION].to_str().unwrap().split_once('?').unwrap();
    (address.to_owned(), form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// Opens the page and returns what its form names the request by.
async fn interaction(provider: &IdentityProvider, changes: &[(&str, &str)]) -> String {
    let page = get(provider, "/authorize", &asking(changes)).await;
    assert_eq!(page.status(), StatusCode::OK, "{page:?}");
    let (_, rest) = html(&page).split_once("name=\"interaction\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// Signs a person in, and returns the code.
async fn sign_in(provider: &IdentityProvider, person: &str, changes: &[(&str, &str)]) -> String {
    let interaction = interaction(provider, changes).await;
    let answer = post(provider, "/authorize", &[], &[("interaction", &interaction), ("person", person)]).await;
    redirected(&answer).1.remove("code").unwrap()
}

async fn redeem(provider: &IdentityProvider, parameters: &[(&str, &str)]) -> Response<Bytes> {
    let proof = basic(CLIENT_ID, CLIENT_SECRET);
    post(provider, "/token", &[(AUTHORIZATION.as_str(), &proof)], parameters).await
}

fn json(response: &Response<Bytes>) -> Value {
    assert_eq!(response.headers()["cache-control"], "no-store");
    serde_json::from_slice(response.body()).unwrap()
}

/// Returns the status and the code of an error.
fn said(response: &Response<Bytes>) -> (u16, String) {
    (response.status().as_u16(), json(response)["error"].as_str().unwrap_or("tokens").to_owned())
}

#[test]
fn the_challenge_is_that_of_the_verifier() {
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)), CHALLENGE);
}

#[tokio::test]
async fn discovery_leads_to_every_endpoint() {
    let provider = start().await;
    let metadata = json(&get(&provider, "/.well-known/openid-configuration", &[]).await);
    assert_eq!(provider.issuer(), format!("http://localhost:{}", provider.address().port()));
    assert_eq!(metadata["issuer"], provider.issuer());
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/jwks"),
        ("end_session_endpoint", "/end-session"),
    ] {
        assert_eq!(metadata[name], format!("{}{path}", provider.issuer()));
        let response = get(&provider, path, &[]).await;
        assert_ne!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(get(&provider, "/userinfo", &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&provider, "/token", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post(&provider, "/jwks", &[], &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_person_signs_in() {
    let provider = start().await;
    let page = get(&provider, "/authorize", &asking(&[])).await;
    for part in ["<html lang=\"en\">", "<h1>Who do you want to be?</h1>", ">Dana</button>", ">Priya</button>"] {
        assert!(html(&page).contains(part), "{part}: {}", html(&page));
    }

    let interaction = interaction(&provider, &[]).await;
    let chosen = [("interaction", interaction.as_str()), ("person", "priya")];
    let (address, mut answer) = redirected(&post(&provider, "/authorize", &[], &chosen).await);
    let code = answer.remove("code").unwrap();
    assert_eq!(address, CALLBACK);
    let rest = [("iss".to_owned(), provider.issuer().to_owned()), ("state".to_owned(), "the state".to_owned())];
    assert_eq!(answer, BTreeMap::from(rest));

    let tokens = json(&redeem(&provider, &redeeming(&code, &[])).await);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(300)));
    let token = tokens["id_token"].as_str().unwrap();
    let expected = json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "sub": "priya", "name": "Priya", "email": "priya@example.com",
        "email_verified": true, "groups": ["dba"], "nonce": "the nonce",
        "iat": 1_780_308_000, "auth_time": 1_780_308_000, "exp": 1_780_308_300,
    });
    assert_eq!(provider.key().claims(token), Some(expected));

    // The core's own verification takes the key set.
    let key_set = get(&provider, "/jwks", &[]).await;
    assert!(KeySet::parse(key_set.body()).is_ok());
    assert_eq!(json(&key_set), provider.key().key_set());
    assert_eq!(start().await.key().claims(token), None, "another provider has another key");
}

#[tokio::test]
async fn claims_follow_the_scope() {
    let provider = start().await;
    for (scope, expected) in [
        ("openid", &[][..]),
        ("openid groups", &["groups"]),
        ("email openid", &["email", "email_verified"]),
        ("openid profile offline_access", &["groups", "name"]),
    ] {
        let code = sign_in(&provider, "dana", &[("scope", scope)]).await;
        let tokens = json(&redeem(&provider, &redeeming(&code, &[])).await);
        let claims = provider.key().claims(tokens["id_token"].as_str().unwrap()).unwrap();
        let optional = ["email", "email_verified", "groups", "name"];
        let sent: Vec<_> = optional.into_iter().filter(|name| claims.get(name).is_some()).collect();
        assert_eq!(sent, expected, "{scope}");
    }
}

/// Without a client and an address of its own there is nowhere to lead back to.
#[tokio::test]
async fn what_is_not_registered_is_refused_on_the_page() {
    let provider = start().await;
    for changes in [
        ("client_id", "other"),
        ("client_id", ""),
        ("redirect_uri", ""),
        ("redirect_uri", "http://127.0.0.1:3000/console/callback/"),
        ("redirect_uri", "http://127.0.0.1:3000/console/callback?next=1"),
        ("redirect_uri", "http://localhost:3000/console/callback"),
        ("redirect_uri", "HTTP://127.0.0.1:3000/console/callback"),
        ("redirect_uri", "https://evil.example/"),
    ] {
        let refused = get(&provider, "/authorize", &asking(&[changes])).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(html(&refused).contains("<h1>This sign-in cannot go on</h1>"), "{changes:?}");
    }
    let hostile = get(&provider, "/authorize", &asking(&[("client_id", "<script>\"&")])).await;
    assert!(html(&hostile).contains("client `&lt;script&gt;&quot;&amp;`"), "{}", html(&hostile));
}

#[tokio::test]
async fn a_wrong_request_is_refused_at_the_clients_address() {
    let provider = start().await;
    let plain = ("code_challenge_method", "plain");
    for (changes, code) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("scope", "")], "invalid_request"),
        (&[("scope", "profile")], "invalid_scope"),
        (&[("state", "")], "invalid_request"),
        (&[("nonce", "")], "invalid_request"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[plain], "invalid_request"),
        (&[plain, ("code_challenge", VERIFIER)], "invalid_request"),
        (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")], "invalid_request"),
        (&[("code_challenge", "c2hvcnQ")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("request", "eyJ")], "request_not_supported"),
        (&[("request_uri", "https://evil.example/")], "request_uri_not_supported"),
    ] {
        let (address, answer) = redirected(&get(&provider, "/authorize", &asking(changes)).await);
        assert_eq!((address.as_str(), answer["error"].as_str()), (CALLBACK, code), "{changes:?}");
        assert_eq!(answer["iss"], provider.issuer(), "{changes:?}");
        let state = if changes[0].0 == "state" { None } else { Some("the state") };
        assert_eq!(answer.get("state").map(String::as_str), state, "{changes:?}");
        assert!(!answer.contains_key("code"), "{changes:?}");
    }
}

#[tokio::test]
async fn a_parameter_appears_once() {
    let provider = start().await;
    let mut twice = asking(&[]);
    twice.push(("state", "the state"));
    let refused = get(&provider, "/authorize", &twice).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(html(&refused).contains("`state` appears twice; send it once"));

    let code = sign_in(&provider, "dana", &[]).await;
    let mut twice = redeeming(&code, &[]);
    twice.push(("code", "another"));
    assert_eq!(said(&redeem(&provider, &twice).await), (400, "invalid_request".to_owned()));
    assert_eq!(redeem(&provider, &redeeming(&code, &[])).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_page_is_answered_once() {
    let provider = start().await;
    let interaction = interaction(&provider, &[]).await;
    let cancelled = post(&provider, "/authorize", &[], &[("interaction", &interaction), ("person", "")]).await;
    let (address, answer) = redirected(&cancelled);
    assert_eq!((address.as_str(), answer["error"].as_str()), (CALLBACK, "access_denied"));
    assert_eq!((answer["state"].as_str(), answer["iss"].as_str()), ("the state", provider.issuer()));

    for interaction in [interaction.as_str(), "00000000000000000000000000000000"] {
        let chosen = [("interaction", interaction), ("person", "dana")];
        let refused = post(&provider, "/authorize", &[], &chosen).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{interaction}");
        assert!(html(&refused).contains("was answered already or never began"), "{interaction}");
    }
}

#[tokio::test]
async fn a_person_who_does_not_exist_gets_no_code() {
    let provider = start().await;
    let interaction = interaction(&provider, &[]).await;
    let refused = post(&provider, "/authorize", &[], &[("interaction", &interaction), ("person", "mallory")]).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(html(&refused).contains("does not exist"));
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let provider = start().await;
    let code = sign_in(&provider, "dana", &[]).await;
    assert_eq!(redeem(&provider, &redeeming(&code, &[])).await.status(), StatusCode::OK);
    assert_eq!(said(&redeem(&provider, &redeeming(&code, &[])).await), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_wrong_request_for_tokens_is_refused_and_its_code_is_gone() {
    let other = Client {
        id: "other".to_owned(),
        secret: "other-secret".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: Vec::new(),
    };
    let provider = start_with(|options| options.clients.push(other)).await;
    let wrong_verifier = "x".repeat(43);
    for (changes, code) in [
        (("redirect_uri", "http://127.0.0.1:3000/console"), "invalid_grant"),
        (("redirect_uri", ""), "invalid_request"),
        (("code_verifier", wrong_verifier.as_str()), "invalid_grant"),
        (("code_verifier", CHALLENGE), "invalid_grant"),
        (("code_verifier", "short"), "invalid_grant"),
        (("code_verifier", ""), "invalid_request"),
    ] {
        let issued = sign_in(&provider, "dana", &[]).await;
        let refused = redeem(&provider, &redeeming(&issued, &[changes])).await;
        assert_eq!(said(&refused), (400, code.to_owned()), "{changes:?}");
        let again = redeem(&provider, &redeeming(&issued, &[])).await;
        assert_eq!(said(&again), (400, "invalid_grant".to_owned()), "{changes:?}");
    }

    let issued = sign_in(&provider, "dana", &[]).await;
    let stolen = basic("other", "other-secret");
    let stolen = post(&provider, "/token", &[("authorization", &stolen)], &redeeming(&issued, &[])).await;
    assert_eq!(said(&stolen), (400, "invalid_grant".to_owned()));

    for (changes, code) in [
        (("grant_type", "client_credentials"), "unsupported_grant_type"),
        (("grant_type", ""), "invalid_request"),
        (("code", "unknown"), "invalid_grant"),
        (("code", ""), "invalid_request"),
        (("client_id", "other"), "invalid_request"),
    ] {
        let issued = sign_in(&provider, "dana", &[]).await;
        let refused = redeem(&provider, &redeeming(&issued, &[changes])).await;
        assert_eq!(said(&refused), (400, code.to_owned()), "{changes:?}");
    }
}

#[tokio::test]
async fn a_client_proves_itself_by_basic_authentication_only() {
    let odd = Client {
        id: "odd client".to_owned(),
        secret: "a:b&c+d%".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: Vec::new(),
    };
    let provider = start_with(|options| options.clients.push(odd)).await;
    let code = sign_in(&provider, "dana", &[("client_id", "odd client")]).await;
    let right = basic("odd+client", "a%3Ab%26c%2Bd%25");
    for wrong in [
        basic("odd+client", "demo-console-client-secret"),
        basic("odd+client", ""),
        // Not form-encoded.
        basic("odd client", "a:b&c+d%"),
        basic("unknown", "a%3Ab%26c%2Bd%25"),
        right.replace("Basic", "Bearer"),
        "Basic *".to_owned(),
        String::new(),
    ] {
        let refused = post(&provider, "/token", &[("authorization", &wrong)], &redeeming(&code, &[])).await;
        assert_eq!(said(&refused), (401, "invalid_client".to_owned()), "{wrong}");
        assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Basic realm=\"token endpoint\"");
    }
    for headers in [&[][..], &[("authorization", right.as_str()), ("authorization", right.as_str())]] {
        let refused = post(&provider, "/token", headers, &redeeming(&code, &[])).await;
        assert_eq!(said(&refused), (401, "invalid_client".to_owned()), "{headers:?}");
    }
    let in_body = [("client_id", "odd client"), ("client_secret", "a:b&c+d%")];
    for headers in [&[][..], &[("authorization", right.as_str())]] {
        let refused = post(&provider, "/token", headers, &redeeming(&code, &in_body)).await;
        assert_eq!(said(&refused), (401, "invalid_client".to_owned()), "{headers:?}");
    }
    // A refused client has not presented the code.
    let redeemed = post(&provider, "/token", &[("authorization", &right)], &redeeming(&code, &[])).await;
    assert_eq!(redeemed.status(), StatusCode::OK);
}

#[tokio::test]
async fn tokens_are_asked_for_by_a_form() {
    let provider = start().await;
    let request = Request::post("/token")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, basic(CLIENT_ID, CLIENT_SECRET))
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    assert_eq!(said(&send(provider.address(), request).await.unwrap()), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_code_expires_after_a_minute() {
    /// Each look at the clock is 61 seconds later.
    fn clock() -> SystemTime {
        use std::sync::atomic::{AtomicU64, Ordering};
        static LOOKS: AtomicU64 = AtomicU64::new(0);
        ten() + Duration::from_secs(61 * LOOKS.fetch_add(1, Ordering::Relaxed))
    }
    let provider = start_with(|options| options.clock = clock).await;
    let code = sign_in(&provider, "dana", &[]).await;
    assert_eq!(said(&redeem(&provider, &redeeming(&code, &[])).await), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn signing_out_leads_back_to_registered_addresses_only() {
    let provider = start().await;
    let code = sign_in(&provider, "dana", &[]).await;
    let tokens = json(&redeem(&provider, &redeeming(&code, &[])).await);
    let hint = tokens["id_token"].as_str().unwrap();
    let back = ("post_logout_redirect_uri", "http://127.0.0.1:3000/console");
    for parameters in [&[("client_id", CLIENT_ID), back][..], &[("id_token_hint", hint), back]] {
        let answer = get(&provider, "/end-session", parameters).await;
        assert_eq!(answer.headers()[LOCATION], back.1, "{parameters:?}");
        let with_state = [parameters, &[("state", "a b")]].concat();
        let answer = post(&provider, "/end-session", &[], &with_state).await;
        assert_eq!(answer.headers()[LOCATION], "http://127.0.0.1:3000/console?state=a+b");
    }
    for parameters in [&[][..], &[("client_id", CLIENT_ID)], &[("id_token_hint", hint)]] {
        let answer = get(&provider, "/end-session", parameters).await;
        assert!(html(&answer).contains("<h1>You have signed out</h1>"), "{parameters:?}");
    }

    let forged = start().await.key().token(&json!({"aud": CLIENT_ID, "iss": provider.issuer()}));
    let elsewhere = ("post_logout_redirect_uri", "https://evil.example/");
    for parameters in [
        &[back][..],
        &[("client_id", "other"), back],
        &[("client_id", CLIENT_ID), elsewhere],
        &[("id_token_hint", hint), elsewhere],
        &[("client_id", CLIENT_ID), ("id_token_hint", &forged), back],
        &[("client_id", "other"), ("id_token_hint", hint), back],
        &[("id_token_hint", "no token"), back],
    ] {
        let answer = get(&provider, "/end-session", parameters).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{parameters:?}");
        assert!(html(&answer).contains("<h1>This sign-out cannot go on</h1>"), "{parameters:?}");
    }
}

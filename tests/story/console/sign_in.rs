//! Who reads the console: the token of a proxy on every request, or a session after signing in. `tests/component/console` has a real
//! provider; here is what only a host that the test moves can show, and proxies, of which there is none to run.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::request::inbound::Inbound;
use support::answered::answered;
use support::kind::{Kind, NOW};
use support::memory::{Cloud, Memory};
use support::platforms::Platforms;

use crate::gateway::{app, gateway_with, memory};

const OURS: &str = "https://offboard.example.com";
const ISSUER: &str = "https://login.example.com/realms/staff";
const KEYS: &str = "https://login.example.com/realms/staff/keys";
const DISCOVERY: &str = "https://login.example.com/realms/staff/.well-known/openid-configuration";

pub(super) const PROXY: &str = r#"
header = "Cf-Access-Jwt-Assertion"
audience = "starrocks-offboard"
jwks_url = "https://login.example.com/realms/staff/keys"
algorithms = ["EdDSA"]
groups = "groups"
secrets = [{ session_key = "console_session_key" }]
"#;

pub(super) const PROVIDER: &str = r#"
client_id = "offboard"
groups = "groups"
secrets = [{ session_key = "console_session_key", client_secret = "console_client_secret" }]
"#;

/// A gateway with a console, and who issues tokens for it.
pub(super) struct World {
    kind: Kind,
    pub(super) host: Memory,
    pub(super) app: App,
}

pub(super) fn with_console(settings: &str, changes: &[(&str, &str)]) -> App {
    let caller = format!(
        "[[caller]]\nname = \"console\"\nkind = \"console\"\npublic_url = \"{OURS}\"\nissuer = \"{ISSUER}\"\n{settings}\n[accounts]"
    );
    gateway_with(&[&[("[accounts]", caller.as_str())], changes].concat())
}

pub(super) fn world(settings: &str) -> World {
    let kind = Kind::all().into_iter().find(|kind| kind.name == "api-token").unwrap();
    let mut host = memory();
    host.now.set(NOW * 1000);
    host.variables.insert("console_session_key".into(), "a session key of thirty-two bytes or more".into());
    host.variables.insert("console_client_secret".into(), "demo-secret".into());
    let cloud = Cloud::default();
    cloud.published.borrow_mut().insert(KEYS.into(), kind.published[KEYS].clone());
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/auth"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": KEYS,
        "end_session_endpoint": format!("{ISSUER}/end"),
    });
    cloud.published.borrow_mut().insert(DISCOVERY.into(), document.to_string());
    host.cloud = Some(cloud);
    World { kind, host, app: with_console(settings, &[]) }
}

pub(super) fn inbound(method: Method, path: &str, headers: &[(&'static str, &str)], body: &str) -> Inbound {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut of = HeaderMap::new();
    for (name, value) in headers {
        of.append(*name, value.parse().unwrap());
    }
    if method == Method::POST {
        of.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    let (path, query, host) = (path.to_owned(), query.to_owned(), "10.0.0.7:3000".to_owned());
    Inbound { method, path, query, host, headers: of, body: Bytes::copy_from_slice(body.as_bytes()) }
}

/// What an answer says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn code(&self) -> &str {
        self.headers.get("x-offboard-code").map(|code| code.to_str().unwrap()).unwrap_or_default()
    }

    /// Its cookies, by name, as a browser sends them back; one that is deleted is `None`.
    pub(super) fn cookies(&self) -> Vec<(String, Option<String>)> {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        lines
            .map(|line| {
                let (cookie, _) = line.split_once(';').unwrap();
                let (name, value) = cookie.split_once('=').unwrap();
                (name.to_owned(), (!value.is_empty()).then(|| cookie.to_owned()))
            })
            .collect()
    }

    /// Whether the page says that this person has signed in. Long names may break where the markup says.
    fn is_for(&self, principal: &str) -> bool {
        self.body.replace("<wbr>", "").contains(&format!("Signed in as </span><span class=\"dim small\">{principal}<"))
    }

    pub(super) fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }
}

impl World {
    pub(super) async fn send(&self, inbound: Inbound) -> Answer {
        let (parts, body) = answered(&self.host, Ok(&self.app), inbound).await.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        self.send(inbound(Method::GET, path, headers, "")).await
    }

    /// A token of the issuer, that says this.
    pub(super) fn token(&self, say: &Value) -> String {
        let mut ask = self.kind.ask("localhost", "console");
        ask["now"] = (self.host.now.get() / 1000).into();
        ask["say"].as_object_mut().unwrap().extend(say.as_object().unwrap().clone());
        let wire = Platforms::request(&self.kind.name, &ask);
        wire.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned()
    }

    /// Begins to sign in: the cookie, and what the provider is asked.
    async fn begin(&self, go: &str) -> (String, Vec<(String, String)>) {
        let answer = self.get(&format!("/console/signin?go={go}"), &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:#?}");
        let query = answer.location().strip_prefix(&format!("{ISSUER}/auth?")).unwrap();
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let parameters = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let [(_, Some(cookie))] = &answer.cookies()[..] else { panic!("{answer:#?}") };
        (cookie.clone(), parameters)
    }

    /// Lets the provider answer the token request, and comes back from it.
    async fn come_back(&self, cookie: &str, state: &str, token_answer: &str) -> Answer {
        let cloud = self.host.cloud.as_ref().unwrap();
        cloud.later_answers.borrow_mut().push_back(token_answer.to_owned());
        self.get(&format!("/console/callback?code=c&state={state}"), &[("cookie", cookie)]).await
    }

    /// Signs in, and returns the session's cookie.
    pub(super) async fn sign_in(&self) -> String {
        self.sign_in_as(&json!({})).await
    }

    /// Signs in a person of whom the ID token says this.
    pub(super) async fn sign_in_as(&self, person: &Value) -> String {
        let (cookie, parameters) = self.begin("/console/removals").await;
        let of = |name: &str| parameters.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let mut claims = json!({"nonce": of("nonce"), "aud": "offboard", "azp": "offboard"});
        claims.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
        let token = self.token(&json!({"claims": claims}));
        let answer = self.come_back(&cookie, &of("state"), &json!({"id_token": token}).to_string()).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/removals"), "{answer:#?}");
        let cookies = answer.cookies();
        assert!(cookies.iter().any(|(name, value)| name.starts_with("__Host-offboard-signin-") && value.is_none()));
        cookies.into_iter().find_map(|(name, value)| value.filter(|_| name == "__Host-offboard")).unwrap()
    }
}

/// As before there was one.
#[tokio::test]
async fn without_a_caller_of_its_kind_there_is_no_console() {
    for path in ["/console", "/console/signin", "/console/none", "/consoles"] {
        for method in [Method::GET, Method::POST] {
            let host = memory();
            let response = answered(&host, Ok(&app()), inbound(method, path, &[], "")).await;
            assert_eq!(response.headers()["x-offboard-code"], "OFFBOARD.40401", "{path}");
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(host.rows().len(), 1, "{path}");
        }
    }
}

#[tokio::test]
async fn a_proxy_proves_the_person_on_every_request() {
    const HEADER: &str = "cf-access-jwt-assertion";
    let world = world(PROXY);
    let token = world.token(&json!({}));
    let answer = world.get("/console", &[(HEADER, &token)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
    assert!(answer.is_for("console/f:1b2c:dana"), "{answer:#?}");
    assert!(!answer.body.contains("signout"), "the proxy has the session: {answer:#?}");
    assert!(!answer.headers.contains_key(SET_COOKIE), "no session is made of it");

    let with = |say: Value| world.token(&say);
    let cookie = format!("CF_Authorization={token}");
    for (headers, code) in [
        (vec![], "OFFBOARD.40101"),
        (vec![("cf_access_jwt_assertion", token.clone())], "OFFBOARD.40101"),
        (vec![("cookie", cookie)], "OFFBOARD.40101"),
        (vec![("authorization", format!("Bearer {token}"))], "OFFBOARD.40101"),
        (
            vec![("x-forwarded-user", "dana".into()), ("x-auth-request-email", "dana@example.com".into())],
            "OFFBOARD.40101",
        ),
        (vec![(HEADER, token.clone()), (HEADER, token.clone())], "OFFBOARD.40103"),
        (vec![(HEADER, with(json!({"claims": {"aud": "other"}})))], "OFFBOARD.40108"),
        (vec![(HEADER, with(json!({"claims": {"iss": "https://other.cloudflareaccess.com"}})))], "OFFBOARD.40108"),
        // A service token of Cloudflare's stands for no person.
        (vec![(HEADER, with(json!({"claims": {"sub": "", "common_name": "ci.access"}})))], "OFFBOARD.40108"),
        (vec![(HEADER, with(json!({"without": ["sub"]})))], "OFFBOARD.40108"),
        (vec![(HEADER, with(json!({"header": {"alg": "none"}})))], "OFFBOARD.40105"),
        (vec![(HEADER, with(json!({"header": {"alg": "ES256"}})))], "OFFBOARD.40105"),
        (vec![(HEADER, with(json!({"header": {"jku": "https://evil.example"}})))], "OFFBOARD.40102"),
        (vec![(HEADER, with(json!({"header": {"typ": "logout+jwt"}})))], "OFFBOARD.40102"),
    ] {
        let headers: Vec<(&'static str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = world.get("/console", &headers).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, code), "{headers:?}\n{answer:#?}");
        assert!(!answer.body.contains("/console/signin"), "there is nowhere to sign in: {answer:#?}");
    }
    assert!(world.host.rows().is_empty(), "a page is no row");
    // The token ends in 300 seconds.
    world.host.now.set((NOW + 300) * 1000);
    assert_eq!(world.get("/console", &[(HEADER, &token)]).await.code(), "OFFBOARD.40107");

    // The proxy's cookie comes with the forms of other sites as well.
    let token = world.token(&json!({}));
    for (site, code) in [("cross-site", "OFFBOARD.40311"), ("same-origin", "OFFBOARD.40401")] {
        let headers = [(HEADER, token.as_str()), ("sec-fetch-site", site)];
        let answer = world.send(inbound(Method::POST, "/console/signout", &headers, "")).await;
        assert_eq!(answer.code(), code, "{site}");
    }
    assert_eq!(world.get("/console/signin", &[]).await.location(), "/console");
}

#[tokio::test]
async fn a_header_of_a_proxy_may_be_authorization_and_the_claim_another() {
    let settings = PROXY.replace("Cf-Access-Jwt-Assertion", "Authorization") + "claim = \"email\"\n";
    let world = world(&settings);
    let page = async |say: Value| {
        let value = format!("Bearer {}", world.token(&say));
        world.get("/console", &[("authorization", &value)]).await
    };
    let answer = page(json!({})).await;
    assert!(answer.is_for("console/dana@example.com"), "{answer:#?}");
    for say in
        [json!({"claims": {"email_verified": false}}), json!({"without": ["email"]}), json!({"without": ["sub"]})]
    {
        assert_eq!(page(say.clone()).await.code(), "OFFBOARD.40108", "{say}");
    }
}

#[tokio::test]
async fn a_person_signs_in_and_is_forgotten_in_time() {
    let world = world(PROVIDER);
    let page = world.get("/console/removals/a?b=c", &[]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.body.contains("/console/signin?go=%2Fconsole%2Fremovals%2Fa%3Fb%3Dc"), "{page:#?}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    let session = world.sign_in().await;
    let page = async |cookie: &str| world.get("/console", &[("cookie", cookie)]).await;
    let answer = page(&session).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
    assert!(answer.is_for("console/f:1b2c:dana"), "{answer:#?}");
    assert!(!answer.headers.contains_key(SET_COOKIE), "it is new");
    let redirect = world.host.sent.borrow().iter().any(|request| request.uri().path().ends_with("/token"));
    assert!(redirect);

    let start = NOW * 1000;
    world.host.now.set(start + 29 * 60_000);
    let renewed = page(&session).await.cookies()[0].1.clone().unwrap();
    world.host.now.set(start + 58 * 60_000);
    assert_eq!(page(&renewed).await.status, StatusCode::OK);
    let over = page(&session).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "without the newer cookie it has been too long");
    assert_eq!(over.cookies(), [("__Host-offboard".to_owned(), None)]);
    let twice = format!("{renewed}; {renewed}");
    assert_eq!(page(&twice).await.status, StatusCode::UNAUTHORIZED);
    assert!(world.host.rows().is_empty(), "pages are no rows");

    // A form whose session is over is refused, in a row; signing out is not needed any more.
    let ours = [("cookie", session.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = world.send(inbound(Method::POST, "/console/approvals/K7Q2M9XA", &ours, "")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40112"));
    assert_eq!(world.host.rows().len(), 1);
    let answer = world.send(inbound(Method::POST, "/console/signout", &ours, "")).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/signin"));
}

#[tokio::test]
async fn where_a_person_goes_back_to_is_a_path_of_ours() {
    let world = world(PROVIDER);
    for (go, back) in [
        ("%2Fconsole%2Fpolicy%3Fas%3Da", "/console/policy?as=a"),
        ("%2F%2Fevil.example", "/console"),
        ("%2F%5Cevil.example", "/console"),
        ("https%3A%2F%2Fevil.example", "/console"),
        ("%2Fconsole%2F%2Fevil.example", "/console"),
        ("", "/console"),
    ] {
        let (cookie, parameters) = world.begin(go).await;
        let of = |name: &str| parameters.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let claims = json!({"nonce": of("nonce"), "aud": "offboard", "azp": "offboard"});
        let token = world.token(&json!({"claims": claims}));
        let answer = world.come_back(&cookie, &of("state"), &json!({"id_token": token}).to_string()).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, back), "{go}");
    }
}

#[tokio::test]
async fn an_id_token_that_cannot_be_believed_signs_no_one_in() {
    let world = world(PROVIDER);
    for (claims, header, why) in [
        (json!({"nonce": "other"}), json!({}), "nonce"),
        (json!({"aud": ["offboard", "other"]}), json!({}), "aud"),
        (json!({"aud": "starrocks-offboard"}), json!({}), "aud"),
        (json!({"azp": "other"}), json!({}), "azp"),
        (json!({"iss": "https://login.example.com/realms/other"}), json!({}), "iss"),
        (json!({"sub": ""}), json!({}), "sub"),
        (json!({"exp": NOW}), json!({}), "exp"),
        (json!({"_claim_names": {"groups": "src1"}}), json!({}), "groups"),
        (json!({"groups": (0..400).map(|number| format!("team-{number}")).collect::<Vec<_>>()}), json!({}), "groups"),
        (json!({}), json!({"typ": "at+jwt"}), "id_token"),
        (json!({}), json!({"alg": "none"}), "id_token"),
    ] {
        let (cookie, parameters) = world.begin("/console").await;
        let of = |name: &str| parameters.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let mut all = json!({"nonce": of("nonce"), "aud": "offboard", "azp": "offboard"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token = world.token(&json!({"claims": all, "header": header}));
        let answer = world.come_back(&cookie, &of("state"), &json!({"id_token": token}).to_string()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{why}: {answer:#?}");
        assert!(answer.body.contains(&format!("<code>{why}</code>")), "{why}: {answer:#?}");
        assert!(answer.cookies().iter().all(|(_, value)| value.is_none()), "{why}: {answer:#?}");
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_used_is_told_from_one_that_is_down() {
    let world = world(PROVIDER);
    world.host.will_fail(SendError::NotAllowed("not in allowed_outbound_hosts".into()));
    let answer = world.get("/console/signin?go=/console", &[]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "OFFBOARD.50307"));
    assert!(answer.body.contains("operator"), "{answer:#?}");
    let log = world.host.lines.borrow().join("\n");
    assert!(log.contains("console: provider `https://login.example.com/realms/staff`: NotAllowed"), "{log}");
    world.host.will_answer(500, "");
    let answer = world.get("/console/signin?go=/console", &[]).await;
    assert!(answer.body.contains("later"), "{answer:#?}");
}

#[tokio::test]
async fn a_browser_is_answered_in_its_language() {
    let world = world(PROVIDER);
    for (language, expected) in
        [("zh-CN,zh;q=0.9,en;q=0.8", "lang=\"zh-CN\""), ("en-GB", "lang=\"en\""), ("fr", "lang=\"en\"")]
    {
        let answer = world.get("/console", &[("accept-language", language)]).await;
        assert!(answer.body.contains(expected), "{language}: {answer:#?}");
    }
    let answer = world.get("/console/none", &[("accept-language", "zh")]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "OFFBOARD.40401"));
    assert!(answer.body.contains("lang=\"zh-CN\""), "{answer:#?}");
    let answer = world.send(inbound(Method::DELETE, "/console", &[], "")).await;
    assert_eq!(answer.headers["allow"], "GET, HEAD");
}

//! The simulated IAM: tokens for a user's password, and for an agency.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Seen, Shared, json_response};

/// Where tokens are asked for.
pub(super) const PATH: &str = "/v3/auth/tokens";

/// How long a token is accepted, unless the options say otherwise.
pub(super) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// SHA-256 digests in a token, which make about 3000 characters. Real ones are as long.
const DIGESTS: usize = 70;

/// A user who has a password.
///
/// There is no `Debug`: it holds a secret.
#[derive(Clone)]
pub struct IamUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// The name of the account (IAM calls it domain) that it belongs to.
    pub domain: String,
    /// The id of that account.
    pub domain_id: String,
    /// The ids of the projects that it may work in. A project's name is its id, as this simulation knows no other.
    pub projects: Vec<String>,
}

/// What an account lets other accounts do in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its name.
    pub name: String,
    /// The name of the account that it belongs to.
    pub domain_name: String,
    /// The id of that account.
    pub domain_id: String,
    /// The ids of the projects that it may work in, which are their names too.
    pub projects: Vec<String>,
}

/// What is remembered of a token.
pub(super) struct Issued {
    pub(super) expires_at: SystemTime,
    /// `None` for a token of a whole account.
    pub(super) project: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Identity,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
    assume_role: Option<AssumeRole>,
}

#[derive(Deserialize)]
struct Password {
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
    password: String,
    domain: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct AssumeRole {
    domain_name: Option<String>,
    domain_id: Option<String>,
    agency_name: String,
}

#[derive(Deserialize)]
struct Scope {
    project: Option<Reference>,
    domain: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    name: Option<String>,
}

impl Reference {
    /// Whether everything that it says is true of this.
    fn means(&self, id: &str, name: &str) -> bool {
        let says = [(&self.id, id), (&self.name, name)];
        says.iter().any(|(said, _)| said.is_some())
            && says.iter().all(|(said, is)| said.as_deref().is_none_or(|said| said == *is))
    }
}

/// Whose token it is to be.
struct Holder<'a> {
    name: String,
    domain_name: &'a str,
    domain_id: &'a str,
    projects: &'a [String],
}

enum IamError {
    BadBody,
    Unauthenticated,
    WrongPassword,
    NoSuchAgency(String),
    OutOfScope,
}

impl IamError {
    fn render(&self) -> (StatusCode, Value) {
        match self {
            Self::BadBody => {
                let body = json!({ "error_code": "IAM.0011", "error_msg": "Request body is invalid." });
                (StatusCode::BAD_REQUEST, body)
            }
            Self::Unauthenticated => {
                let text = "The request you have made requires authentication.";
                (StatusCode::UNAUTHORIZED, json!({ "error_code": "IAM.0001", "error_msg": text }))
            }
            Self::WrongPassword => error(StatusCode::UNAUTHORIZED, &"The username or password is wrong."),
            Self::NoSuchAgency(name) => error(StatusCode::NOT_FOUND, &format!("Could not find agency: {name}.")),
            Self::OutOfScope => {
                error(StatusCode::FORBIDDEN, &"You are not authorized to perform the requested action.")
            }
        }
    }
}

/// An error in the shape that is IAM's alone.
pub(super) fn error(status: StatusCode, message: &dyn Display) -> (StatusCode, Value) {
    let title = status.canonical_reason().unwrap_or("Unknown");
    let body = json!({ "error": { "code": status.as_u16(), "message": message.to_string(), "title": title } });
    (status, body)
}

impl Shared {
    /// Issues a token, or says why not.
    pub(super) fn token(&self, request: &Seen) -> Response<Bytes> {
        let (status, body, token) = match self.issue(request) {
            Ok((token, body)) => (StatusCode::CREATED, body, Some(token)),
            Err(error) => {
                let (status, body) = error.render();
                (status, body, None)
            }
        };
        let mut response = json_response(status, &body);
        if let Some(token) = token {
            let mut token = HeaderValue::from_str(&token).expect("base64");
            token.set_sensitive(true);
            response.headers_mut().insert(SUBJECT_TOKEN, token);
        }
        response
    }

    fn issue(&self, request: &Seen) -> Result<(String, Value), IamError> {
        let Body { auth } = serde_json::from_slice(&request.body).map_err(|_| IamError::BadBody)?;
        let methods: Vec<&str> = auth.identity.methods.iter().map(String::as_str).collect();
        let holder = match (&methods[..], &auth.identity.password, &auth.identity.assume_role) {
            (["password"], Some(password), _) => self.user(&password.user)?,
            (["assume_role"], _, Some(role)) => {
                self.authenticate(request).map_err(|_| IamError::Unauthenticated)?;
                self.agency(role)?
            }
            _ => return Err(IamError::BadBody),
        };
        let project = project(auth.scope.as_ref(), &holder)?;

        let issued_at = (self.options.clock)();
        let expires_at = issued_at + self.options.token_lifetime;
        let domain = json!({ "id": holder.domain_id, "name": holder.domain_name });
        let mut body = json!({
            "expires_at": timestamp(expires_at),
            "issued_at": timestamp(issued_at),
            "methods": methods,
            "roles": [],
            "user": { "name": holder.name, "id": user_id(&holder), "domain": domain },
        });
        match &project {
            Some(id) => body["project"] = json!({ "id": id, "name": id, "domain": domain }),
            None => body["domain"] = domain,
        }
        if !request.path_and_query().1.split('&').any(|parameter| parameter == "nocatalog=true") {
            body["catalog"] = json!([]);
        }
        // A request's id is unique, and so is what grows out of it.
        let token = grown_from(&request.request_id);
        self.state().tokens.insert(token.clone(), Issued { expires_at, project });
        Ok((token, json!({ "token": body })))
    }

    fn user(&self, asked: &User) -> Result<Holder<'_>, IamError> {
        let user = self.options.users.iter().find(|user| {
            user.name == asked.name && user.domain == asked.domain.name && user.password == asked.password
        });
        // Whoever asks does not learn which of the three was wrong.
        let user = user.ok_or(IamError::WrongPassword)?;
        Ok(Holder {
            name: user.name.clone(),
            domain_name: &user.domain,
            domain_id: &user.domain_id,
            projects: &user.projects,
        })
    }

    fn agency(&self, asked: &AssumeRole) -> Result<Holder<'_>, IamError> {
        let domain = Reference { id: asked.domain_id.clone(), name: asked.domain_name.clone() };
        if domain.id.is_none() && domain.name.is_none() {
            return Err(IamError::BadBody);
        }
        let mut agencies = self.options.agencies.iter();
        let agency = agencies
            .find(|agency| agency.name == asked.agency_name && domain.means(&agency.domain_id, &agency.domain_name))
            .ok_or_else(|| IamError::NoSuchAgency(asked.agency_name.clone()))?;
        Ok(Holder {
            name: format!("{}/{}", agency.domain_name, agency.name),
            domain_name: &agency.domain_name,
            domain_id: &agency.domain_id,
            projects: &agency.projects,
        })
    }
}

/// The project that a token is asked for; `None` for one of the whole account, which is also meant by no scope.
fn project(scope: Option<&Scope>, holder: &Holder<'_>) -> Result<Option<String>, IamError> {
    match scope {
        None => Ok(None),
        Some(Scope { project: Some(asked), domain: None }) => {
            let project = holder.projects.iter().find(|id| asked.means(id, id));
            project.cloned().map(Some).ok_or(IamError::OutOfScope)
        }
        Some(Scope { project: None, domain: Some(asked) }) => {
            asked.means(holder.domain_id, holder.domain_name).then_some(None).ok_or(IamError::OutOfScope)
        }
        Some(_) => Err(IamError::BadBody),
    }
}

/// As IAM writes times: `2026-01-16T08:30:00.000000Z`.
fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn user_id(holder: &Holder<'_>) -> String {
    let mut id = hex::encode(Sha256::digest(format!("{}/{}", holder.domain_id, holder.name)));
    id.truncate(32);
    id
}

/// A text as long as a real token, which begins as they do.
fn grown_from(seed: &str) -> String {
    let mut digest = Sha256::digest(seed);
    let mut bytes = Vec::new();
    for _ in 0..DIGESTS {
        bytes.extend_from_slice(&digest);
        digest = Sha256::digest(digest);
    }
    format!("MII{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::UNIX_EPOCH;

    use http::{Method, Request};

    use super::super::tests::{Signing, USERS, body, half_past_eight, said, start, start_with, with_headers};
    use super::super::{Simulator, SimulatorOptions, demo};
    use super::*;
    use crate::http::send;

    const OTHER_PROJECT: &str = "00000000000000000000000000000000";

    async fn post(simulator: &Simulator, headers: &[(&str, &str)], json: &Value) -> Response<Bytes> {
        let mut request = Request::post(format!("{PATH}?nocatalog=true")).header("content-type", "application/json");
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

    /// What the deletion of nobody is answered with this token.
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

        let request = Request::post(PATH).body(demo_user(demo_project()).to_string().into()).unwrap();
        assert_eq!(body(&send(simulator.address(), request).await.unwrap())["token"]["catalog"], json!([]));
    }

    #[tokio::test]
    async fn a_token_opens_the_project_that_it_was_asked_for() {
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
            options.clock = clock;
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
        let get = Request::get(PATH).body(Bytes::new()).unwrap();
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
    async fn which_agency_it_is_has_to_be_said_right() {
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
            let mut request = signing.request(&simulator, Method::POST, &format!("{PATH}?nocatalog=true"));
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
        let tokens: BTreeSet<String> = ["a", "b", "c"].map(grown_from).into();
        assert_eq!(tokens.len(), 3);
        assert_eq!(timestamp(UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}

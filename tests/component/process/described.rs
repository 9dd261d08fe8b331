//! The gateway's own description: served as it is in the repository, and found to be true by schemathesis.

use std::fs;
use std::process::Command;

use bytes::Bytes;
use http::{Method, Request};
use local::repository;
use serde_json::json;
use support::kind::Kind;
use support::python::{python, scripts};

use crate::harness::answer::{Answer, receive};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{PORTAL_KEY, PORTAL_SECRET, WEBHOOK_SECRET};
use crate::harness::setup::Setup;

async fn ask(gateway: &Gateway, method: Method, tag: Option<&str>) -> Answer {
    let request = Request::builder().method(method).uri("/openapi.yaml");
    let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
    receive(gateway.address, request.body(Bytes::new()).unwrap()).await.unwrap()
}

/// It needs neither the ledger nor usable files, as `/healthz` does.
#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served() {
    let document = fs::read(repository::root().join("docs/openapi.yaml")).unwrap();
    let broken = Setup::default().replace("offboard.toml", "[taurusdb]", "[taurusdb");
    for setup in [Setup::default(), broken] {
        let gateway = Gateway::start(setup).await;
        let got = ask(&gateway, Method::GET, None).await;
        assert_eq!((got.status, got.header("content-type")), (200, Some("application/yaml")));
        assert!(got.body == document, "it is another document");

        let head = ask(&gateway, Method::HEAD, None).await;
        assert_eq!(
            (head.status, head.header("content-length"), head.body.len()),
            (200, got.header("content-length"), 0)
        );

        let tag = got.header("etag").unwrap();
        for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let unchanged = ask(&gateway, Method::GET, Some(&known)).await;
            assert_eq!(
                (unchanged.status, unchanged.header("etag"), unchanged.body.len()),
                (304, Some(tag), 0),
                "{known}"
            );
        }
        assert_eq!(ask(&gateway, Method::GET, Some("\"other\"")).await.status, 200);
        assert_eq!(ask(&gateway, Method::POST, None).await.header("allow"), Some("GET, HEAD"));
        assert_eq!(gateway.rows().len(), 1, "a row of the refusal, and none of the others");
    }
}

const OKTA: &str = "okta-value-5d41402a";

/// Tokens beside the access key of the demonstration's portal.
const TOKENS: &str = r#"
issuer = "https://login.example.com/realms/staff"
audience = "starrocks-offboard"
jwks_file = "jwks.json"
"#;

/// Callers of the other routes.
const OTHERS: &str = r#"
[[caller]]
name = "scim"
kind = "scim"
secrets = ["scim_token"]

[caller.leavers]
instances = ["analytics"]
user_names = ["{userName|local|snake}"]

[[caller]]
name = "okta"
kind = "okta"
secrets = ["okta_secret"]

[caller.leavers]
instances = ["analytics"]
user_names = ["{login|local|snake}"]

[[caller]]
name = "events"
kind = "cloudevents"
secrets = ["cloudevents_secret"]

[accounts]"#;

const OPERATES: &str = r#"@id("operates")
permit (principal in Team::"dba", action == Action::"operate", resource);

@id("dba-approves")"#;

/// A gateway with callers of every route: access keys and tokens, an identity system, webhooks.
async fn described() -> Gateway {
    let portal = format!("access_keys = [{{ id = \"{PORTAL_KEY}\", secret = \"portal_secret_key\" }}]");
    let setup = Setup::default()
        .replace("offboard.toml", &portal, &format!("{portal}{TOKENS}"))
        .replace("offboard.toml", "[accounts]", OTHERS)
        .replace("offboard.toml", "members = [", "members = [\"portal/f:1b2c:dana\", \"scim\", ")
        .replace("policy.cedar", "@id(\"dba-approves\")", OPERATES)
        .variable("scim_token", &secret("scim", "secret"))
        .variable("okta_secret", OKTA)
        .variable("cloudevents_secret", "events-token-7d793037");
    let gateway = Gateway::start(Setup { real_time: true, ..setup }).await;
    fs::copy(repository::root().join("tests/fixtures/callers/api-token/jwks.json"), gateway.config("jwks.json"))
        .unwrap();
    gateway
}

/// A part of the secret of a kind's fixtures.
fn secret(kind: &str, part: &str) -> String {
    let kind = Kind::all().into_iter().find(|known| known.name == kind).unwrap();
    kind.secret[part].as_str().unwrap().to_owned()
}

/// All checks of schemathesis, in all of its phases: examples, the bounds of each schema, random requests, and requests that follow
/// from the answers of others.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let gateway = described().await;
    let claims =
        json!({"iss": "https://login.example.com/realms/staff", "aud": "starrocks-offboard", "sub": "f:1b2c:dana"});
    let secrets = json!({
        "access_key": {"access_key": PORTAL_KEY, "secret_key": PORTAL_SECRET},
        "token": {"key": secret("api-token", "key"), "kid": secret("api-token", "kid"), "claims": claims},
        "scim": secret("scim", "secret"),
        "hr": WEBHOOK_SECRET,
        "okta": OKTA,
    });
    let url = format!("http://{}", gateway.address);
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python().with_file_name("st"));
        command.arg("--config-file").arg(scripts().join("schemathesis.toml"));
        command.args(["run", &format!("{url}/openapi.yaml"), "--url", &url, "--no-color"]);
        command.env("OFFBOARD_SECRETS", secrets.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.current_dir(repository::root()).output().unwrap()
    });
    let output = output.await.unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    gateway.settled().await;
}

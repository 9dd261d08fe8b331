//! Secrets and tokens reach no answer, no log line and no file, whatever happens: TaurusDB is the only one to see them, and
//! may say them back.

use std::fs;

use local::simulator::demo;

use support::planned::Planned;

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, PORTAL_SECRET, SLACK_SECRET, Signature, WEBHOOK_SECRET};
use crate::harness::setup::Setup;

const SECURITY_TOKEN: &str = "gQpjbi1ub3J0aC00-security-token-of-a-temporary-key";
const SECRET_KEY: &str = demo::SECRET_KEY;
const TOKEN: &str = demo::TOKEN;

/// As the API gateway quotes what it got when a signature is wrong, and as no other system does.
fn echoes() -> Vec<Planned> {
    let echo = |status: u16, body: String| Planned { status, body, ..Planned::default() };
    let secrets = format!("{SECURITY_TOKEN} {SECRET_KEY} {TOKEN}");
    vec![
        echo(
            401,
            format!(
                r#"{{"error_code":"APIGW.0301","error_msg":"verify fail, canonicalRequest: x-security-token:{secrets}"}}"#
            ),
        ),
        echo(500, secrets.clone()),
        echo(200, format!(r#"{{"result":"{secrets}"}}"#)),
        Planned {
            headers: [("X-Request-Id".into(), secrets)].into(),
            ..echo(400, r#"{"error_code":"DBS.200824","error_msg":"x"}"#.into())
        },
    ]
}

/// Every ending that has to do with a secret, on one gateway.
async fn exercise(setup: Setup) -> (Gateway, Vec<String>) {
    let gateway = Gateway::start(Setup { upstream: echoes(), ..setup }).await;
    let mut answers = Vec::new();
    for (number, kind) in
        [Kind::Api, Kind::Slack, Kind::StandardWebhooks, Kind::Api, Kind::Slack].into_iter().enumerate()
    {
        gateway.advance(1000);
        for signature in [Signature::Right, Signature::Wrong, Signature::Doubled, Signature::OtherSecret] {
            let ask = Ask { webhook_id: format!("msg_{number}"), signature, ..Ask::default() };
            let answer = gateway.ask(kind, &ask).await;
            answers.push(format!("{answer:?} {}", String::from_utf8_lossy(&answer.body)));
        }
    }
    assert_eq!(gateway.deletes(), 5);
    (gateway, answers)
}

fn assert_unseen(gateway: &Gateway, answers: &[String], secrets: &[&str]) {
    let mut places: Vec<(String, Vec<u8>)> =
        answers.iter().map(|answer| ("an answer".to_owned(), answer.clone().into_bytes())).collect();
    places.push(("the log".into(), gateway.logs.lines().join("\n").into_bytes()));
    for file in fs::read_dir(gateway.ledger.file().parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        places.push((path.display().to_string(), fs::read(&path).unwrap()));
    }
    // The search would find something that is there.
    let found = |needle: &str| -> Vec<String> {
        let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        places.iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place.clone()).collect()
    };
    assert!(found("APIGW.0301").iter().any(|place| place.ends_with("state.db") || place.ends_with("-wal")));
    assert!(found("APIGW.0301").contains(&"an answer".to_owned()));
    assert!(found("APIGW.0301").contains(&"the log".to_owned()));
    for secret in secrets {
        assert_eq!(found(secret), [""; 0], "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_keys_leak_nowhere() {
    let setup = Setup { security_token: Some(SECURITY_TOKEN.into()), ..Setup::default() };
    let (mut gateway, answers) = exercise(setup.variable("huaweicloud_security_token", SECURITY_TOKEN)).await;
    let seen = gateway.simulator.requests();
    assert!(seen.iter().all(|seen| seen.headers["x-security-token"] == SECURITY_TOKEN));
    let whsec = WEBHOOK_SECRET.trim_start_matches("whsec_");
    let secrets = [SECRET_KEY, SECURITY_TOKEN, SLACK_SECRET, whsec, PORTAL_SECRET];
    assert_unseen(&gateway, &answers, &secrets);
    gateway.stop().await;
    assert_unseen(&gateway, &answers, &secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaks_nowhere() {
    let setup = Setup::default()
        .replace("offboard.toml", "credentials = \"aksk\"", "credentials = \"token\"")
        .variable("huaweicloud_token", TOKEN);
    let (gateway, answers) = exercise(setup).await;
    assert!(gateway.simulator.requests().iter().all(|seen| seen.headers["x-auth-token"] == TOKEN));
    assert_unseen(&gateway, &answers, &[TOKEN, SLACK_SECRET, PORTAL_SECRET]);
}

/// A secret that was pasted in the wrong place of offboard.toml: strangers get the line, the log has no values.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_wrong_place_is_not_shown() {
    let list = "secrets = [\"slack_signing_secret\"]";
    for (from, to, why) in [
        (list, format!("secrets = [\"{SLACK_SECRET}\"]"), "caller.secrets is not a Spin variable name"),
        (list, format!("secrets = \"{SLACK_SECRET}\""), "invalid type: string, expected a sequence"),
        ("kind = \"slack\"", format!("kind = \"{SLACK_SECRET}\""), "caller.kind `…` does not exist; use one of "),
        (
            "region = \"ap-southeast-3\"",
            format!("endpoint = \"https://x:{SLACK_SECRET}@h\""),
            "instance.endpoint `…` is not valid",
        ),
    ] {
        let gateway = Gateway::start(Setup::default().replace("offboard.toml", from, &to)).await;
        let health = gateway.get("/healthz").await;
        assert_eq!(health.status, 503);
        let (health, log) = (String::from_utf8_lossy(&health.body).into_owned(), gateway.logs.lines().join("\n"));
        assert!(health.contains("offboard.toml, line ") && !health.contains(why), "{health}");
        assert!(log.contains(why), "{log}");
        assert!(!health.contains(SLACK_SECRET) && !log.contains(SLACK_SECRET), "{health} {log}");
    }
}

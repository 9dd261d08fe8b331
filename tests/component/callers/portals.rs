//! The gateway takes what the examples of docs/portals.md send, with the lines of offboard.toml and the policy that the page has.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use support::portals::{example, filled_in};

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;

const VARIABLE: &str = "cloudevents_secret";

const TOKEN: &str = "portal-token-2b7e1516";

/// What a portal's form holds, by the portal's expressions.
struct Form {
    name: &'static str,
    /// The principal of the person who filled it in.
    person: &'static str,
    values: &'static [(&'static str, &'static str)],
}

const BACKSTAGE: Form = Form {
    name: "backstage",
    person: "backstage/user:default/dana",
    values: &[
        ("${{ context.task.id }}", "8b6b1a55-6a4f-4f0c-9d0e-6d2f3a7c1b90"),
        ("${{ parameters.instance }}", "analytics"),
        ("${{ parameters.user_name }}", "alice"),
        ("${{ parameters.reason }}", "left the company"),
        ("${{ user.ref }}", "user:default/dana"),
    ],
};

const PORT: Form = Form {
    name: "port",
    person: "port/dana@example.com",
    values: &[
        ("{{ .run.id }}", "r_QOz6WoOB1Q2lmhZZ"),
        ("{{ .inputs.instance }}", "analytics"),
        ("{{ .inputs.user_name }}", "alice"),
        ("{{ .inputs.reason }}", "left the company"),
        ("{{ .trigger.by.user.email }}", "dana@example.com"),
    ],
};

/// A gateway with the portal as the page has it.
async fn start(portal: &Form) -> Gateway {
    // The variable is one that spin.toml has.
    let caller = example("toml", 0).replace("backstage_token", VARIABLE).replace("backstage", portal.name);
    let setup = Setup::default()
        .replace("offboard.toml", "[accounts]", &format!("{caller}\n[accounts]"))
        .replace("policy.cedar", "@id(\"dba-approves\")", &format!("{}\n@id(\"dba-approves\")", example("cedar", 0)))
        .variable(VARIABLE, TOKEN);
    Gateway::start(setup).await
}

/// The request waits for an approver, is about the person whom the portal names, and is one request however often it comes.
async fn assert_taken(portal: &Form, url: &str, authorization: &str, sent: &Value) {
    let gateway = start(portal).await;
    let body = filled_in(&sent["body"].to_string(), portal.values);
    let path = url.strip_prefix("https://HOST").unwrap();
    let headers = sent["headers"].as_object().unwrap().iter().filter(|(name, _)| *name != "Authorization");
    for _ in 0..2 {
        let request = Request::builder().method(sent["method"].as_str().unwrap()).uri(path);
        let request = request.header("authorization", authorization);
        let request =
            headers.clone().fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()));
        let answer = gateway.send(request.body(Bytes::from(body.clone())).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "OFFBOARD.40904"), "{answer:#?}");
    }
    let row = gateway.row();
    assert_eq!((row.state.as_str(), row.actor.as_deref()), ("awaiting-approval", Some(portal.name)));
    assert_eq!((row.instance.as_deref(), row.user_name.as_deref()), (Some("analytics"), Some("alice")));
    assert_eq!(row.reason.as_deref(), Some("left the company"));
    assert_eq!(gateway.deletes(), 0);
    let look = Ask { method: Some("GET".into()), path: Some(format!("/removals/{}", row.id)), ..Ask::default() };
    assert_eq!(gateway.ask(Kind::Api, &look).await.json()["caused_by"], portal.person);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_backstage_sends_is_taken() {
    let template: Value = serde_saphyr::from_str(&example("yaml", 1)).unwrap();
    let proxy: Value = serde_saphyr::from_str(&example("yaml", 0)).unwrap();
    let input = &template["spec"]["steps"][0]["input"];
    // The proxy takes its own prefix off the path, and adds its headers.
    let endpoint = &proxy["proxy"]["endpoints"]["/offboard"];
    let path = input["path"].as_str().unwrap().strip_prefix("/proxy/offboard").unwrap();
    let url = format!("{}{path}", endpoint["target"].as_str().unwrap());
    let authorization = endpoint["headers"]["Authorization"].as_str().unwrap().replace("${OFFBOARD_TOKEN}", TOKEN);
    assert_taken(&BACKSTAGE, &url, &authorization, input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_port_sends_is_taken() {
    let action: Value = serde_json::from_str(&example("json", 0)).unwrap();
    let method = &action["invocationMethod"];
    let authorization = method["headers"]["Authorization"].as_str().unwrap();
    let authorization = filled_in(authorization, &[("{{ .secrets[\"offboard-token\"] }}", TOKEN)]);
    assert_taken(&PORT, method["url"].as_str().unwrap(), &authorization, method).await;
}

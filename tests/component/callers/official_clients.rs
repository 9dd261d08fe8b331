//! The vendors' own Python packages, unchanged, against the gateway: what `tests/python` runs. Python 3 with `venv` must be on
//! the machine; the packages are installed once, below `target/`.

use std::process::Command;
use std::sync::Arc;

use local::simulator::demo;
use serde_json::{Value, json};
use support::kind::Kind;
use support::platforms::Platforms;
use support::python::{javascript, python, scripts};

use crate::harness::gateway::Gateway;
use crate::harness::requests::{INSTANCE, PORTAL_KEY, PORTAL_SECRET, PROJECT, SLACK_SECRET, WEBHOOK_SECRET};
use crate::harness::setup::Setup;

/// What a script of `tests/python` prints.
async fn run(script: &str, arguments: &[&str]) -> Value {
    let (script, arguments) = (scripts().join(script), arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    let output = tokio::task::spawn_blocking(move || {
        Command::new(python()).arg("-B").arg(script).args(arguments).env("NO_PROXY", "*").output().unwrap()
    });
    let output = output.await.unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}\n{told}\n{errors}"))
}

async fn start() -> (Gateway, String) {
    let gateway = Gateway::start(Setup { real_time: true, ..Setup::default() }).await;
    let endpoint = format!("http://{}", gateway.address);
    (gateway, endpoint)
}

/// A gateway with the caller of `tests/fixtures/callers/{name}`, and the URL of its hook.
async fn start_with(name: &str, replace: &[(&str, &str)]) -> (Gateway, String) {
    let kind = Kind::all().into_iter().find(|kind| kind.name == name).unwrap();
    let replace: Vec<_> = replace.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let kind_setup = Some(Arc::new(kind.setup(false, &replace)));
    let gateway = Gateway::start(Setup { real_time: true, kind: kind_setup, ..Setup::default() }).await;
    let url = format!("http://{}/hooks/{}", gateway.address, kind.caller_name());
    (gateway, url)
}

async fn sdk_delete(endpoint: &str, secret_key: &str, project: &str, user_name: &str, language: &[&str]) -> Value {
    let arguments = [endpoint, PORTAL_KEY, secret_key, project, INSTANCE, user_name];
    run("sdk_delete.py", &[&arguments, language].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_removes_an_account_through_the_gateway() {
    let (gateway, endpoint) = start().await;
    let told = sdk_delete(&endpoint, PORTAL_SECRET, PROJECT, "user_test", &[]).await;
    assert_eq!(told, json!({ "status": 200, "result": "SUCCESS" }));
    assert!(!gateway.has_account("user_test"));
    let seen = &gateway.simulator.requests()[0];
    assert_eq!(seen.path_and_query, format!("/v3/{PROJECT}/instances/{INSTANCE}/starrocks/users?user_name=user_test"));
    gateway.settled().await;
    assert_eq!(gateway.row().actor.as_deref(), Some("portal/HPUAPORTALKEY0000001"));

    // A second time it is gone: the SDK raises what TaurusDB said, with the request id that TaurusDB gave.
    let told = sdk_delete(&endpoint, PORTAL_SECRET, PROJECT, "user_test", &["zh-cn"]).await;
    let seen = &gateway.simulator.requests()[1];
    assert_eq!(
        told,
        json!({
            "raised": "ClientRequestException",
            "status": 400,
            "error_code": "DBS.200824",
            "error_msg": "数据库账户不存在。",
            "request_id": seen.request_id,
        })
    );
    assert_eq!(seen.headers["x-language"], "zh-cn");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_can_tell_the_gateway_s_own_refusals() {
    let (gateway, endpoint) = start().await;
    let wrong_key = sdk_delete(&endpoint, "wrong", PROJECT, "user_test", &[]).await;
    let no_project = sdk_delete(&endpoint, PORTAL_SECRET, "{project_id}", "user_test", &[]).await;
    let reserved = sdk_delete(&endpoint, PORTAL_SECRET, PROJECT, "rdsAdmin", &[]).await;
    gateway.settled().await;
    let rows = gateway.rows();
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(rows.len(), 3);
    for (told, status, code, message, id) in [
        (
            wrong_key,
            401,
            "OFFBOARD.40105",
            "the signature or token does not match this request; check the secret, and that no proxy changes the request",
            ids[0],
        ),
        (
            no_project,
            400,
            "OFFBOARD.40005",
            "project ID `{project_id}` is not valid: it has 32 letters and digits; set the client's project ID",
            ids[1],
        ),
        (reserved, 403, "OFFBOARD.40302", "account `rdsAdmin` is a system account and is never removed", ids[2]),
    ] {
        let expected = json!({ "raised": "ClientRequestException", "status": status, "error_code": code, "error_msg": message, "request_id": id });
        assert_eq!(told, expected);
    }
    assert_eq!(gateway.deletes(), 0);
}

/// List before delete, page by page, as portals and Terraform do.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_lists_accounts_before_it_removes_one() {
    let (gateway, endpoint) = start().await;
    let all = gateway.simulator.accounts(INSTANCE);
    let told = run("sdk_list.py", &[&endpoint, PORTAL_KEY, PORTAL_SECRET, PROJECT, INSTANCE, "user_test", "2"]).await;
    let pages = told["pages"].as_array().unwrap();
    assert!(pages.len() > 1, "{told}");
    assert_eq!(json!(pages.iter().flat_map(|page| page.as_array().unwrap()).collect::<Vec<_>>()), json!(all));
    assert_eq!((&told["total"], &told["removed"], &told["after"]), (&json!(all.len()), &json!("SUCCESS"), &json!([])));
    assert_eq!(told["others"], json!([[405, "OFFBOARD.40501"], [405, "OFFBOARD.40501"], [405, "OFFBOARD.40501"]]));
    // One for the removal, three for the calls that the gateway has not.
    gateway.settled().await;
    assert_eq!(gateway.rows().len(), 4);
    let listed = gateway.simulator.requests().into_iter().filter(|seen| seen.method == http::Method::GET);
    for seen in listed {
        assert!(!seen.headers.contains_key("accept-encoding"), "{seen}");
        assert_eq!(seen.headers["user-agent"], concat!("starrocks-offboard/", env!("CARGO_PKG_VERSION")));
    }
}

/// The other side of the same SDK: what the gateway itself signs is what TaurusDB would take from it.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_and_the_gateway_are_one_to_taurusdb() {
    let (gateway, endpoint) = start().await;
    let direct = [&gateway.simulator.endpoint(), demo::ACCESS_KEY, demo::SECRET_KEY, PROJECT, INSTANCE, "alice"];
    let through = [&endpoint, PORTAL_KEY, PORTAL_SECRET, PROJECT, INSTANCE, "bob"];
    for arguments in [direct, through] {
        assert_eq!(run("sdk_delete.py", &arguments).await, json!({ "status": 200, "result": "SUCCESS" }));
    }
    assert_eq!(gateway.deletes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_sdk_signs_what_the_gateway_takes() {
    let (gateway, endpoint) = start().await;
    let url = format!("{endpoint}/hooks/slack");
    let told = run("slack_command.py", &[&url, SLACK_SECRET, "alice analytics left the company"]).await;
    assert_eq!(told["status"], 200);
    let text = told["body"]["text"].as_str().unwrap();
    assert!(text.contains("✅ Removed `alice` from `analytics`"), "{text}");
    gateway.settled().await;
    assert_eq!(gateway.row().reason.as_deref(), Some("left the company"));

    let told = run("slack_command.py", &[&url, "wrong", "bob analytics"]).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
    assert_eq!(gateway.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn standardwebhooks_signs_what_the_gateway_takes() {
    let (gateway, endpoint) = start().await;
    let url = format!("{endpoint}/hooks/hr");
    for _ in 0..2 {
        let told = run("standard_webhook.py", &[&url, WEBHOOK_SECRET, "msg_1", "analytics", "alice"]).await;
        assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }));
    }
    assert_eq!(gateway.deletes(), 1);

    // Svix's own package, with the header names that only Svix writes.
    let told = run("standard_webhook.py", &[&url, WEBHOOK_SECRET, "msg_1", "analytics", "alice", "svix"]).await;
    assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }));
    assert_eq!(gateway.deletes(), 1);

    let wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let told = run("standard_webhook.py", &[&url, wrong, "msg_2", "analytics", "bob"]).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
    assert_eq!(gateway.deletes(), 1);
}

/// GitLab's signing tokens, as its own merge request tests them.
#[tokio::test(flavor = "multi_thread")]
async fn standardwebhooks_signs_as_gitlab_does() {
    let secret = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=";
    let fields =
        "secrets = [\"gitlab_secret\"]\nfields = { user_name = \"/data/user_name\", instance = \"/data/instance\" }";
    let (gateway, url) = start_with("gitlab", &[("secrets = [\"gitlab_secret\"]", fields)]).await;
    for _ in 0..2 {
        let told = run("standard_webhook.py", &[&url, secret, "msg_1", "analytics", "alice"]).await;
        assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }));
    }
    assert_eq!(gateway.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudevents_sends_what_the_gateway_takes() {
    let (gateway, url) = start_with("cloudevents", &[]).await;
    let token = "mF_9.B5f-4.1JqM";
    for mode in ["binary", "structured"] {
        let told = run("cloudevent.py", &[&url, token, mode, "1", "alice", "analytics"]).await;
        assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }), "{mode}");
    }
    // The same event, in whichever mode.
    assert_eq!(gateway.deletes(), 1);

    let told = run("cloudevent.py", &[&url, "wrong", "binary", "2", "bob", "analytics"]).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
    assert_eq!(gateway.deletes(), 1);
}

/// Neither a body nor a content type, or `"data": null`.
#[tokio::test(flavor = "multi_thread")]
async fn cloudevents_without_data_are_understood() {
    let fields = "fields = { user_name = \"/data/login\", instance = \"/data/system\", reason = \"/data/why\", when = { \"/type\" = \"com.example.hr.employee.left\" } }";
    let by_subject = "fields = { user_name = \"/subject\", instance = \"analytics\" }";
    let (gateway, url) = start_with("cloudevents", &[(fields, by_subject)]).await;
    for mode in ["binary", "structured"] {
        let told = run("cloudevent.py", &[&url, "mF_9.B5f-4.1JqM", mode, "1", "alice", "", "without-data"]).await;
        assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }), "{mode}");
    }
    assert_eq!(gateway.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_message_signatures_signs_what_the_gateway_takes() {
    let kind = Kind::all().into_iter().find(|kind| kind.name == "http-signature").unwrap();
    let setup = kind.setup(false, &[]);
    let gateway = Gateway::start(Setup { kind: Some(Arc::new(setup)), real_time: true, ..Setup::default() }).await;
    let endpoint = format!("http://{}", gateway.address);
    let secret = |secret: &Value, part: &str| secret[part].as_str().unwrap().to_owned();
    let (id, key) = (secret(&kind.secret, "key_id"), secret(&kind.secret, "private_key"));
    for (key, user_name, status, code) in
        [(&key, "alice", 200, None), (&secret(&kind.other_secret, "private_key"), "bob", 401, Some("OFFBOARD.40105"))]
    {
        let arguments = [&endpoint, "ed25519", &id, key, PROJECT, INSTANCE, user_name];
        let told = run("http_signature.py", &arguments).await;
        assert_eq!((&told["status"], told["body"]["error_code"].as_str()), (&json!(status), code), "{told}");
    }
    assert!(!gateway.has_account("alice"));
    assert_eq!(gateway.deletes(), 1);
}

/// What the vendor's own package takes, the gateway takes, and what it refuses, the gateway refuses.
async fn vendor_verifier(kind: &str, said: impl Fn(&Value) -> Option<&str>) {
    let setup = Kind::all().into_iter().find(|known| known.name == kind).unwrap().setup(false, &[]);
    let setup = Setup { kind: Some(Arc::new(setup)), confirm: true, real_time: true, ..Setup::default() };
    let gateway = Gateway::start(setup).await;
    let url = format!("http://{}/hooks/{kind}", gateway.address);
    let told = run("vendor_verifier.py", &[kind, &url, "alice analytics left the company"]).await;
    assert_eq!((&told["vendor"], &told["status"]), (&json!(true), &json!(200)), "{told}");
    let text = said(&told["body"]).unwrap_or_else(|| panic!("{told}"));
    assert!(text.contains("✅ Removed `alice` from `analytics`"), "{text}");
    gateway.settled().await;
    assert_eq!(gateway.row().reason.as_deref(), Some("left the company"));

    let told = run("vendor_verifier.py", &[kind, &url, "bob analytics", "other"]).await;
    assert_eq!((&told["vendor"], &told["status"]), (&json!(false), &json!(401)), "{told}");
    assert_eq!(told["body"]["error_code"], "OFFBOARD.40105");
    assert_eq!(gateway.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_interactions_takes_what_the_gateway_takes() {
    vendor_verifier("discord", |body| body["data"]["embeds"][0]["title"].as_str()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_auth_takes_what_the_gateway_takes() {
    vendor_verifier("google-chat", |body| body["text"].as_str()).await;
}

/// Tokens as PyJWT signs them, with each of the three kinds of keys.
#[tokio::test(flavor = "multi_thread")]
async fn pyjwt_signs_what_the_gateway_takes() {
    let (gateway, _) = start_with("api-token", &[]).await;
    let endpoint = format!("http://{}", gateway.address);
    let kind = Kind::all().into_iter().find(|kind| kind.name == "api-token").unwrap();
    let claims =
        json!({ "iss": "https://login.example.com/realms/staff", "aud": "starrocks-offboard", "sub": "f:1b2c:dana" });
    let case = |name: &str| kind.cases().into_iter().find(|(file, _)| file.ends_with(name)).unwrap().1.secret.unwrap();
    let secrets = [("EdDSA", kind.secret.clone()), ("ES256", case("p256.toml")), ("RS256", case("rsa.toml"))];
    for (number, (algorithm, secret)) in secrets.iter().enumerate() {
        let text = |part: &str| secret[part].as_str().unwrap().to_owned();
        // Alice is there once: with the other keys she is gone, which only a proved caller hears.
        let expected =
            if number == 0 { json!({ "status": 200, "body": { "result": "SUCCESS" } }) } else { Value::Null };
        let arguments =
            [&endpoint, *algorithm, &text("key"), &text("kid"), &claims.to_string(), PROJECT, INSTANCE, "alice"];
        let told = run("bearer.py", &arguments).await;
        if number == 0 {
            assert_eq!(told, expected);
        }
        assert!(number == 0 || told["body"]["error_code"] == "DBS.200824", "{algorithm}: {told}");
    }
    let other = kind.other_secret["key"].as_str().unwrap();
    let arguments = [&endpoint, "EdDSA", other, "ed", &claims.to_string(), PROJECT, INSTANCE, "bob"];
    let told = run("bearer.py", &arguments).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
}

/// All that scim2-tester knows to ask of a server.
#[tokio::test(flavor = "multi_thread")]
async fn scim2_tester_finds_nothing() {
    let (gateway, _) = start_with("scim", &[]).await;
    let url = format!("http://{}/scim/v2/scim", gateway.address);
    let token =
        Kind::all().into_iter().find(|kind| kind.name == "scim").unwrap().secret["secret"].as_str().unwrap().to_owned();
    let told = run("scim_tester.py", &[&url, &token]).await;
    assert_eq!(told["found"], json!([]));
    assert!(told["checks"].as_u64() > Some(40), "{told}");
}

/// A person's life as scim2-client leads it: created, found by filters, changed in parts, deleted, and alice's account goes.
#[tokio::test(flavor = "multi_thread")]
async fn scim2_client_provisions_a_person() {
    let (gateway, _) = start_with("scim", &[("[\"analytics\", \"warehouse\"]", "[\"analytics\"]")]).await;
    let url = format!("http://{}/scim/v2/scim", gateway.address);
    let kind = Kind::all().into_iter().find(|kind| kind.name == "scim").unwrap();
    let told = run("scim_client.py", &[&url, kind.secret["secret"].as_str().unwrap()]).await;
    let expected = json!({
        "filters": [1, 1, 1, 1, 1, 0, 0],
        "addresses": ["alice@a.example", "a@b.example", "a@c.example"],
        "removed": ["alice@a.example", "a@b.example"],
        "parts": [null, "alice@a.example", null],
        "groups": [0, []],
        "left": 0,
    });
    assert_eq!(told, expected);
    assert!(!gateway.has_account("alice"));
}

/// What a script of `tests/node` prints.
async fn node(script: &'static str, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let output = tokio::task::spawn_blocking(move || {
        let (node, folder) = javascript();
        Command::new(node).arg(folder.join(script)).args(arguments).output().unwrap()
    });
    let output = output.await.unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}\n{told}\n{errors}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn octokit_signs_what_the_gateway_takes() {
    let (gateway, url) = start_with("github", &[]).await;
    let kind = Kind::all().into_iter().find(|kind| kind.name == "github").unwrap();
    let body = Platforms::request("github", &kind.ask("localhost", "n0")).body;
    let secret = kind.secret["secret"].as_str().unwrap();
    let told = node("send.mjs", &["octokit", &url, "wrong", &body]).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
    let told = node("send.mjs", &["octokit", &url, secret, &body]).await;
    assert_eq!((&told["status"], &told["body"]["result"]), (&json!(200), &json!("SUCCESS")), "{told}");
    assert_eq!(gateway.deletes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn standardwebhooks_for_javascript_signs_what_the_gateway_takes() {
    let (gateway, endpoint) = start().await;
    let url = format!("{endpoint}/hooks/hr");
    let body = json!({"type": "account.delete", "data": {"instance": "analytics", "user_name": "alice"}}).to_string();
    for _ in 0..2 {
        let told = node("send.mjs", &["standardwebhooks", &url, WEBHOOK_SECRET, &body, "msg_1"]).await;
        assert_eq!(told, json!({ "status": 200, "body": { "result": "SUCCESS" } }));
    }
    assert_eq!(gateway.deletes(), 1);
}

/// The other way round: what is played for Feishu here is what Feishu's own SDK takes from Feishu.
#[tokio::test(flavor = "multi_thread")]
async fn lark_oapi_takes_what_is_played_for_feishu() {
    let kind = Kind::all().into_iter().find(|kind| kind.name == "feishu").unwrap();
    let secrets = [kind.variables["feishu_encrypt_key"].clone(), kind.variables["feishu_verification_token"].clone()];
    let user = kind.say["user"].clone();
    for (say, body, seen) in [
        (kind.say.clone(), json!({"msg": "success"}), Some(json!(r#"{"text":"alice analytics"}"#))),
        (
            json!({"click": "confirm", "id": "K7Q2M9XA", "user": user}),
            json!({}),
            Some(json!({"action": "confirm", "id": "K7Q2M9XA"})),
        ),
        (json!({"handshake": true}), json!({"challenge": "ajls384kdjx98XX-n1"}), None),
    ] {
        let mut ask = kind.ask("localhost", "n1");
        ask["say"] = say;
        let wire = Platforms::request("feishu", &ask);
        let request = json!({"headers": wire.headers, "body": wire.body}).to_string();
        let told = run("lark_events.py", &[&secrets[0], &secrets[1], &request]).await;
        assert_eq!((&told["status"], &told["body"]), (&json!(200), &body));
        assert_eq!(told["seen"][0].get(2), seen.as_ref());
        assert!(seen.is_none() || told["seen"][0][1] == user);
    }
}

/// The messages of `tests/fixtures/messages`, which the story suite holds against the gateway's own, in the types that the platforms
/// publish.
#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_types_take_every_message() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/messages");
    let told = node("messages.mjs", &[folder.to_str().unwrap()]).await;
    assert_eq!(told["problems"], json!([]), "{told:#}");
    for kind in ["slack", "mattermost", "discord", "google-chat", "feishu", "teams"] {
        assert!(told["checked"][kind].as_u64() > Some(50), "{kind}: {told:#}");
    }
}

/// The messages of `tests/fixtures/notify/messages`, in the same way; those of platforms that publish nothing are held to their
/// documentation by `notify`.
#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_types_take_every_message_to_those_who_are_told() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notify/messages");
    let told = node("notify.mjs", &[folder.to_str().unwrap()]).await;
    assert_eq!(told["problems"], json!([]), "{told:#}");
    let checked = told["checked"].as_object().unwrap();
    // Six events in two languages.
    assert!(checked.len() == 10 && checked.values().all(|count| *count == json!(12)), "{told:#}");
}

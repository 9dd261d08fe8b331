//! The vendors' own Python packages, unchanged, against the gateway: what `tests/python` runs. Python 3 with `venv` must be on
//! the machine; the packages are installed once, below `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use local::component;
use local::simulator::demo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ask::{INSTANCE, PORTAL_KEY, PORTAL_SECRET, PROJECT, SLACK_SECRET, WEBHOOK_SECRET};
use crate::harness::{Gateway, Setup};

fn scripts() -> PathBuf {
    component::root().join("tests/python")
}

/// The virtual environment's Python, with the packages of `requirements.txt`.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = scripts().join("requirements.txt");
        let digest = hex::encode(Sha256::digest(fs::read(&requirements).unwrap()));
        let folder = component::root().join("target/python").join(&digest[..12]);
        let python = folder.join("bin/python");
        // Written last, so that an installation that was interrupted is made anew.
        let complete = folder.join("complete");
        if !complete.exists() {
            eprintln!("installing the official clients into {} …", folder.display());
            let run = |command: &mut Command| {
                let output = command.output().unwrap_or_else(|error| {
                    panic!("{command:?}: {error}; the official clients need python3 with its venv module and pip")
                });
                assert!(
                    output.status.success(),
                    "{command:?} failed; the official clients need python3 with its venv module (Debian: python3-venv) and a package index\n{}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr),
                );
            };
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
            run(Command::new(&python).args(install).arg(&requirements));
            fs::write(complete, "").unwrap();
        }
        python
    })
}

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
    let rows = gateway.rows();
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(rows.len(), 3);
    for (told, status, code, message, id) in [
        (
            wrong_key,
            401,
            "OFFBOARD.40105",
            "the signature is not right for this request; check the secret, and that nothing changes the request on its way",
            ids[0],
        ),
        (
            no_project,
            400,
            "OFFBOARD.40005",
            "project id `{project_id}` is not valid: 32 letters and digits; set the client's project id",
            ids[1],
        ),
        (reserved, 403, "OFFBOARD.40302", "account `rdsAdmin` is one of TaurusDB's own and is never removed", ids[2]),
    ] {
        let expected = json!({ "raised": "ClientRequestException", "status": status, "error_code": code, "error_msg": message, "request_id": id });
        assert_eq!(told, expected);
    }
    assert_eq!(gateway.deletes(), 0);
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
    assert!(text.starts_with(":white_check_mark: Removed `alice` from `analytics`"), "{text}");
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

    let wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let told = run("standard_webhook.py", &[&url, wrong, "msg_2", "analytics", "bob"]).await;
    assert_eq!((&told["status"], &told["body"]["error_code"]), (&json!(401), &json!("OFFBOARD.40105")));
    assert_eq!(gateway.deletes(), 1);
}

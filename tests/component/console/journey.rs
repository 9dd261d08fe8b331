//! The console in Chromium, driven by Playwright: two people sign in, one asks, the other approves; what another site tries comes to
//! nothing; every page in both languages and colours, on a phone and on a desktop, is one that axe-core finds nothing in.

use std::process::Stdio;

use local::chromium;
use local::simulator::identity_provider::options::IdentityProviderOptions;
use local::simulator::identity_provider::server::IdentityProvider;
use serde_json::{Value, json};
use support::python::javascript;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::console::{KEY, PUBLIC_URL};
use crate::harness::gateway::Gateway;
use crate::harness::setup::{Setup, start_of_time};

/// Where the provider of the simulator is, and its client.
async fn console() -> (Gateway, IdentityProvider) {
    let options = IdentityProviderOptions { clock: start_of_time, ..IdentityProviderOptions::demo(PUBLIC_URL) };
    let client = options.clients[0].clone();
    let provider = IdentityProvider::start(options).await.unwrap();
    let caller = format!(
        "[[caller]]\nname = \"console\"\nkind = \"console\"\npublic_url = \"{PUBLIC_URL}\"\nissuer = \"{}\"\nclient_id = \"{}\"\ngroups = \"groups\"\nalgorithms = [\"ES256\"]\nsecrets = [{{ session_key = \"console_session_key\", client_secret = \"console_client_secret\" }}]\n\n[accounts]",
        provider.issuer(),
        client.id
    );
    let setup = Setup::default()
        .replace("offboard.toml", "[accounts]", &caller)
        .variable("console_session_key", KEY)
        .variable("console_client_secret", &client.secret)
        .variable("issuer_endpoint", provider.issuer());
    (Gateway::start(setup).await, provider)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_an_attacker_in_a_browser() {
    let (gateway, _provider) = console().await;
    let (node, scripts, browser) = tokio::task::spawn_blocking(|| {
        let (node, scripts) = javascript();
        (node, scripts, chromium::find_or_install().unwrap_or_else(|error| panic!("{error:#}")))
    })
    .await
    .unwrap();
    let mut process = Command::new(node)
        .arg(scripts.join("journey.mjs"))
        .arg(browser)
        .args([PUBLIC_URL, &gateway.address.port().to_string()])
        .args(std::env::var_os("SCREENSHOTS"))
        .current_dir(&scripts)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut input = process.stdin.take().unwrap();
    let told: Value = loop {
        let line = lines.next_line().await.unwrap().expect("a line of JSON");
        if line != "expire" {
            break serde_json::from_str(&line).unwrap();
        }
        gateway.advance(9 * 3_600_000);
        input.write_all(b"\n").await.unwrap();
    };
    assert_eq!(told["problems"], json!([]), "{told:#}");
    let seen = &told["seen"];
    let says = |what: &str, text: &str| assert!(seen[what].as_str().unwrap().contains(text), "{what}: {seen:#}");
    assert_eq!(seen["cookies"], json!([["__Host-offboard", true, true, "Lax"]]));
    says("would", "alice on warehouse (production) waits for 1 approval");
    says("would", "“left the company <b>”");
    says("asked", "alice on warehouse");
    says("toDecide", "left the company <b>");
    // No cookie comes with the form of another site.
    assert_eq!(seen["forged"], json!([403, "OFFBOARD.40311"]), "{seen:#}");
    assert_eq!(seen["framed"], "nothing", "{seen:#}");
    assert_eq!(seen["own"], 0);
    says("approved", "alice was removed from warehouse");
    // The same decision of the same person, once more: the same answer, and no second DELETE.
    assert_eq!(seen["again"], json!([303, "SUCCESS"]), "{seen:#}");
    says("record", "left the company <b>");
    says("csv", ".csv");
    assert_eq!(seen["looks"], 48);
    assert_eq!(seen["over"], json!([401, "OFFBOARD.40112"]), "{seen:#}");
    assert_eq!(seen["afterwards"], 401);
    // A page is no larger than this with everything but the stylesheet, which browsers keep.
    assert!(seen["largest"].as_u64().unwrap() < 60 * 1024, "{seen:#}");

    assert_eq!(gateway.deletes(), 1);
    let row = gateway.rows().into_iter().find(|row| row.state == "removed").unwrap();
    assert_eq!((row.actor.as_deref(), row.user_name.as_deref()), (Some("console/dana"), Some("alice")));
    assert_eq!((row.instance.as_deref(), row.reason.as_deref()), (Some("warehouse"), Some("left the company <b>")));
}

//! The demonstration: the real component beside a simulated TaurusDB, one request of each demo caller, two refusals, and
//! what came of each. What came is held against what should have come.
//!
//! It takes no variable from the environment: a demonstration must never find its way to a real TaurusDB.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use http::{Method, StatusCode};
use starrocks_offboard::config::Config;
use tokio::signal::unix::{SignalKind, signal};

use super::answer::Answer;
use super::page::{Page, Tone};
use super::{Asked, CALLERS, DemoCaller, api, send, slack, standard_webhooks};
use crate::later::LaterChannel;
use crate::logs::Logs;
use crate::manifest::Manifest;
use crate::runtime::{Options, Runtime};
use crate::simulator::{Seen, Simulator, SimulatorOptions, demo};
use crate::sqlite::Database;

use crate::{component, http as client};

/// Where the demonstration listens when nobody else does.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// The headers that TaurusDB looks at.
const UPSTREAM_HEADERS: [&str; 7] =
    ["host", "x-language", "x-project-id", "x-sdk-date", "x-security-token", "x-auth-token", "authorization"];

/// One request, and how it should end.
struct Scene {
    title: &'static str,
    caller: DemoCaller,
    /// Who asks, where it is not the demo caller's own id.
    id: Option<&'static str>,
    text: &'static str,
    account: &'static str,
    expected: Expected,
}

struct Expected {
    status: StatusCode,
    policies: &'static [&'static str],
    /// Why the account stays; `None` when it is removed, by one DELETE.
    code: Option<&'static str>,
}

impl Expected {
    const fn removed() -> Self {
        Self { status: StatusCode::OK, policies: &["dba-removes-on-staging"], code: None }
    }

    /// Nothing is sent before somebody says yes.
    const fn waits(code: &'static str) -> Self {
        Self { status: StatusCode::OK, policies: &["dba-removes-on-staging"], code: Some(code) }
    }

    const fn refused(status: StatusCode, code: &'static str) -> Self {
        Self { status, policies: &[], code: Some(code) }
    }
}

/// Stands in a scene's text for the reference of what waits since the scene before.
const REFERENCE: &str = "{reference}";

const SCENES: [Scene; 6] = [
    Scene {
        title: "Somebody of the database team, in Slack: /offboard alice analytics left the company",
        caller: slack::CALLER,
        id: None,
        text: "alice analytics left the company",
        account: "alice",
        // Whoever asks in a chat is asked whether they mean it.
        expected: Expected::waits("OFFBOARD.40903"),
    },
    Scene {
        title: "The same person, in Slack: /offboard confirm and the reference (or the button below the message)",
        caller: slack::CALLER,
        id: None,
        text: "confirm {reference}",
        account: "alice",
        expected: Expected::removed(),
    },
    Scene {
        title: "The HR system, by webhook: bob on analytics",
        caller: standard_webhooks::CALLER,
        id: None,
        text: "bob left the company",
        account: "bob",
        expected: Expected::removed(),
    },
    Scene {
        title: "A portal, by TaurusDB's own API with an access key of the gateway: carol on analytics",
        caller: api::CALLER,
        id: None,
        text: "carol",
        account: "carol",
        expected: Expected::removed(),
    },
    Scene {
        title: "Somebody of no team, in Slack: /offboard dave analytics",
        caller: slack::CALLER,
        id: Some("U0STRANGER"),
        text: "dave analytics",
        account: "dave",
        // Slack shows people nothing for another status than 200.
        expected: Expected::refused(StatusCode::OK, "OFFBOARD.40301"),
    },
    Scene {
        title: "The HR system again, with an account that offboard.toml protects: etl_loader on analytics",
        caller: standard_webhooks::CALLER,
        id: None,
        text: "etl_loader left the company",
        account: "etl_loader",
        expected: Expected::refused(StatusCode::FORBIDDEN, "OFFBOARD.40303"),
    },
];

const INSTANCE: &str = "analytics";

/// What came of a scene.
struct Came {
    request_line: String,
    answer: Answer,
    upstream: Vec<Seen>,
    accounts: BTreeSet<String>,
}

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Mismatch {
    what: &'static str,
    expected: String,
    came: String,
}

/// Runs the demonstration, and serves on until Ctrl-C or SIGTERM unless it is to run `once`. The exit code is a success
/// when every exchange ended as it should.
///
/// # Errors
///
/// When the component cannot be built or started, or nobody reads the output.
pub async fn run(once: bool) -> anyhow::Result<ExitCode> {
    let mut page = Page::new();
    page.line(
        Tone::Heading,
        "starrocks-offboard, a demonstration: the real component, a simulated TaurusDB, made-up secrets.",
    );
    page.line(
        Tone::Plain,
        "It removes a StarRocks account when somebody who may ask for it asks. Nothing leaves this machine.",
    );
    page.print()?;

    let config = super::config()?;
    let simulator = Simulator::start(SimulatorOptions::demo()).await?;
    // Its lines would run through the page.
    let logs = Logs::captured();
    // Held until the end; it stops when it is dropped.
    let later = LaterChannel::start().await?;
    let runtime = start(once, &simulator, &later, logs.clone()).await?;

    let mut mismatches = 0;
    let mut reference = String::new();
    for (number, scene) in SCENES.iter().enumerate() {
        let came = play(scene, &reference, &config, &runtime, &simulator).await?;
        reference = came.answer.reference.clone().unwrap_or_default();
        let found = compare(scene, &came);
        mismatches += found.len();
        page.gap();
        page.line(Tone::Heading, &format!("{} of {}  {}", number + 1, SCENES.len(), scene.title));
        tell(&mut page, scene, &came, &found);
        page.print()?;
    }

    let found = compare_end(&simulator.accounts(demo::INSTANCE_ID), &simulator.alarms());
    mismatches += found.len();
    page.gap();
    tell_mismatches(&mut page, &found);
    if mismatches == 0 {
        let removed = SCENES.iter().filter(|scene| scene.expected.code.is_none()).count();
        let refused = SCENES.iter().filter(|scene| scene.expected.policies.is_empty()).count();
        page.line(
            Tone::Good,
            &format!(
                "All {} ended as they should: {removed} accounts removed, {} to be confirmed first, {refused} refused by the gateway.",
                SCENES.len(),
                SCENES.len() - removed - refused,
            ),
        );
    } else {
        page.line(Tone::Bad, &format!("{mismatches} things are not as they should be. The gateway's log:"));
        for line in logs.lines() {
            page.line(Tone::Plain, &line);
        }
    }
    page.print()?;

    if !once {
        serve(&mut page, &runtime, logs).await?;
    }
    runtime.stop().await;
    Ok(if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn start(once: bool, simulator: &Simulator, later: &LaterChannel, logs: Logs) -> anyhow::Result<Runtime> {
    let manifest = Manifest::read(&component::root().join("spin.toml"))?;
    let mut variables = super::variables(&manifest);
    variables.extend(super::endpoints(&manifest, simulator));
    let options = Options {
        database: Database::Memory,
        variables,
        stand_ins: [later.stand_in()].into(),
        logs,
        ..Options::default()
    };
    if once {
        return Runtime::start(options).await;
    }
    match Runtime::start(Options { listen: LISTEN, ..options.clone() }).await {
        Err(error) if is_taken(&error) => Runtime::start(options).await,
        started => started,
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::AddrInUse)
}

async fn play(
    scene: &Scene,
    reference: &str,
    config: &Config,
    runtime: &Runtime,
    simulator: &Simulator,
) -> anyhow::Result<Came> {
    let request = super::request(
        &scene.caller,
        &Asked {
            text: &scene.text.replace(REFERENCE, reference),
            instance: INSTANCE,
            config,
            id: who(scene),
            secret: scene.caller.secret,
            host: &runtime.address().to_string(),
            now: super::now(),
            nonce: super::nonce(),
        },
    )?;
    let request_line = format!("{} {}", request.method(), request.uri());
    let before = simulator.requests().len();
    let response = client::send(runtime.address(), request).await.context("the gateway did not answer")?;
    Ok(Came {
        request_line,
        answer: Answer::read(&response),
        upstream: simulator.requests().split_off(before),
        accounts: simulator.accounts(demo::INSTANCE_ID),
    })
}

fn who(scene: &Scene) -> &'static str {
    scene.id.or(scene.caller.id).unwrap_or_default()
}

/// What came, held against what should have come.
fn compare(scene: &Scene, came: &Came) -> Vec<Mismatch> {
    let Scene { expected, account, .. } = scene;
    let removes = expected.code.is_none();
    let deletes = came.upstream.iter().filter(|seen| seen.method == Method::DELETE);
    let rights = deletes.clone().filter(|seen| {
        seen.path_and_query.ends_with(&format!("?user_name={account}")) && seen.status == Some(StatusCode::OK)
    });
    let some = |code: Option<&str>| code.unwrap_or("none").to_owned();
    let presence = |is_there| if is_there { "still there" } else { "gone" };
    let mut found = Vec::new();
    let mut check = |what, expected: &dyn Display, came: &dyn Display| {
        let (expected, came) = (expected.to_string(), came.to_string());
        if expected != came {
            found.push(Mismatch { what, expected, came });
        }
    };
    check("status", &expected.status, &came.answer.status);
    check("policies", &list(expected.policies), &list(&came.answer.policies));
    check("error code", &expected.code.unwrap_or("SUCCESS"), &some(came.answer.code.as_deref()));
    check("requests to TaurusDB", &usize::from(removes), &came.upstream.len());
    check("DELETEs of the account that succeeded", &usize::from(removes), &rights.count());
    check("the account", &presence(!removes), &presence(came.accounts.contains(*account)));
    found
}

/// What has to hold when all is done: nobody but those removed is gone, and nothing reserved was asked for.
fn compare_end(accounts: &BTreeSet<String>, alarms: &[String]) -> Vec<Mismatch> {
    let removed = |name: &&str| SCENES.iter().any(|scene| scene.account == *name && scene.expected.code.is_none());
    let left: BTreeSet<String> =
        demo::ACCOUNTS.iter().filter(|name| !removed(name)).map(|name| (*name).to_owned()).collect();
    let mut found = Vec::new();
    if *accounts != left {
        found.push(Mismatch { what: "accounts left", expected: list(&left), came: list(accounts) });
    }
    if !alarms.is_empty() {
        found.push(Mismatch { what: "alarms of TaurusDB", expected: "none".to_owned(), came: list(alarms) });
    }
    found
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    let names: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn tell(page: &mut Page, scene: &Scene, came: &Came, found: &[Mismatch]) {
    let caller = &scene.caller;
    page.row("request", Tone::Plain, &came.request_line);
    page.row("who asked", Tone::Plain, &format!("{} (caller kind {})", caller.principal(who(scene)), caller.kind));
    page.row("proved by", Tone::Plain, caller.proof);
    let (tone, verdict) = came.answer.verdict();
    page.row("policy said", tone, &verdict);
    if came.upstream.is_empty() {
        page.row("TaurusDB got", Tone::Plain, "nothing was sent to TaurusDB");
    }
    for seen in &came.upstream {
        page.row("TaurusDB got", Tone::Plain, &upstream(seen));
        let status = seen.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        page.row("TaurusDB said", Tone::Plain, &format!("{status}, request id {}", seen.request_id));
    }
    let tone = if came.answer.is_removed() { Tone::Good } else { Tone::Bad };
    let why = if tone == Tone::Bad && came.answer.status == StatusCode::OK {
        " (for a no as well: Slack shows people nothing for another status)"
    } else {
        ""
    };
    page.row("asker got", tone, &format!("{}{why}", came.answer.status));
    page.row("", Tone::Plain, &came.answer.shown);
    if let Some(removal) = &came.answer.removal {
        page.row("ledger row", Tone::Plain, removal);
    }
    tell_mismatches(page, found);
}

/// The request, of its headers those that TaurusDB looks at.
fn upstream(seen: &Seen) -> String {
    let text = seen.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let headers = UPSTREAM_HEADERS.iter().flat_map(|header| {
        lines.iter().skip(1).filter(|line| line.split_once(':').is_some_and(|(name, _)| name == *header))
    });
    lines.first().into_iter().chain(headers).copied().collect::<Vec<_>>().join("\n")
}

fn tell_mismatches(page: &mut Page, found: &[Mismatch]) {
    for Mismatch { what, expected, came } in found {
        page.row("WRONG", Tone::Bad, &format!("{what}: expected {expected}; came {came}"));
    }
}

/// Tells what to try, and waits.
async fn serve(page: &mut Page, runtime: &Runtime, logs: Logs) -> anyhow::Result<()> {
    // Before the address is told: who reads it may send a signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let address = runtime.address();
    page.gap();
    page.line(Tone::Heading, &format!("listening on http://{address}"));
    if address != LISTEN {
        page.line(Tone::Plain, &format!("(on a free port, as {LISTEN} is taken)"));
    }
    page.gap();
    page.line(Tone::Plain, "Try it from another terminal; dave, report_reader and user_test are still there:");
    page.gap();
    page.command(&format!(
        "cargo run -- send slack \"dave analytics left the company\" --to http://{address}\n\
         cargo run -- send slack \"pending\" --to http://{address}\n\
         cargo run -- send slack \"user_test analytics\" --as U0STRANGER --to http://{address}\n\
         cargo run -- send portal user_test --to http://{address}"
    ));
    page.gap();
    page.line(Tone::Plain, "Without this program: a webhook of the HR system, signed by openssl and sent by curl:");
    page.gap();
    page.command(&webhook_commands(address, standard_webhooks::CALLER.secret));
    page.gap();
    for caller in CALLERS.iter().filter(|caller| send::secret_in_environment(caller).is_some()) {
        page.line(
            Tone::Bad,
            &format!(
                "{} is set here: `send` will sign with it, and this demonstration does not know it.",
                send::environment_name(caller)
            ),
        );
    }
    page.line(Tone::Plain, "Who may do what: config/policy.cedar. Who calls: config/offboard.toml.");
    page.line(Tone::Plain, "Ctrl-C stops, and nothing is kept. From here on, the gateway's log:");
    page.print()?;

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = follow(logs) => {}
    }
    Ok(())
}

/// A request of the HR system as shell commands, for any POSIX shell with openssl and curl.
fn webhook_commands(address: SocketAddr, secret: &str) -> String {
    format!(
        r#"body='{{"type":"account.delete","data":{{"instance":"analytics","user_name":"report_reader"}}}}'
id=msg_$(openssl rand -hex 8) now=$(date +%s)
secret={secret}
key=$(printf %s "${{secret#whsec_}}" | openssl base64 -d -A | od -An -vtx1 | tr -d ' \n')
tag=$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
  openssl base64 -A)
curl -i http://{address}/hooks/hr -H 'content-type: application/json' -H "webhook-id: $id" \
  -H "webhook-timestamp: $now" -H "webhook-signature: v1,$tag" -d "$body""#
    )
}

/// Passes on what is logged from now on, for ever.
async fn follow(logs: Logs) {
    let mut told = logs.lines().len();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for line in logs.lines().iter().skip(told) {
            eprintln!("{line}");
            told += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(status: u16, headers: &[(&str, &str)], body: &str, upstream: Vec<Seen>, accounts: &[&str]) -> Came {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Came {
            request_line: String::new(),
            answer: Answer::read(&response.body(body.to_owned().into()).unwrap()),
            upstream,
            accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn deleted(user_name: &str, status: u16) -> Seen {
        Seen {
            method: Method::DELETE,
            path_and_query: format!("/v3/p/instances/i/starrocks/users?user_name={user_name}"),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            request_id: String::new(),
            status: StatusCode::from_u16(status).ok(),
        }
    }

    const ROW: (&str, &str) = ("x-offboard-removal", "r1");
    const POLICY: (&str, &str) = ("x-offboard-policy", "dba-removes-on-staging");
    const SUCCESS: &str = r#"{"result":"SUCCESS"}"#;

    fn whats(scene: &Scene, came: &Came) -> Vec<&'static str> {
        compare(scene, came).iter().map(|mismatch| mismatch.what).collect()
    }

    #[test]
    fn a_removal_is_right_only_if_all_of_it_is() {
        let [_, _, bob, ..] = &SCENES;
        let good = || vec![deleted("bob", 200)];
        let headers = &[ROW, POLICY, ("x-offboard-code", "SUCCESS")];
        assert!(whats(bob, &came(200, headers, SUCCESS, good(), &["dave"])).is_empty());
        for (came, expected) in [
            (came(201, headers, SUCCESS, good(), &[]), &["status"][..]),
            (
                came(200, &[ROW, ("x-offboard-policy", "other"), ("x-offboard-code", "SUCCESS")], SUCCESS, good(), &[]),
                &["policies"],
            ),
            (came(200, &[ROW, POLICY, ("x-offboard-code", "X")], SUCCESS, good(), &[]), &["error code"]),
            (
                came(200, headers, SUCCESS, vec![deleted("bob", 200), deleted("bob", 400)], &[]),
                &["requests to TaurusDB"],
            ),
            (
                came(200, headers, SUCCESS, vec![deleted("dave", 200)], &["bob"]),
                &["DELETEs of the account that succeeded", "the account"],
            ),
            (
                came(200, headers, SUCCESS, vec![], &["bob"]),
                &["requests to TaurusDB", "DELETEs of the account that succeeded", "the account"],
            ),
        ] {
            assert_eq!(whats(bob, &came), expected);
        }
    }

    #[test]
    fn a_refusal_is_right_only_if_nothing_was_sent() {
        let [.., etl_loader] = &SCENES;
        let headers = &[ROW, ("x-offboard-code", "OFFBOARD.40303")];
        let body = r#"{"error_code":"OFFBOARD.40303"}"#;
        assert!(whats(etl_loader, &came(403, headers, body, vec![], &["etl_loader"])).is_empty());
        assert_eq!(
            whats(etl_loader, &came(403, headers, body, vec![deleted("etl_loader", 400)], &["etl_loader"])),
            ["requests to TaurusDB"]
        );
    }

    #[test]
    fn the_end_is_right_only_if_nobody_else_is_gone() {
        let left: BTreeSet<String> =
            ["dave", "etl_loader", "report_reader", "user_test", "root", "rdsAdmin", "rdsMetric"]
                .map(str::to_owned)
                .into();
        assert_eq!(compare_end(&left, &[]), []);
        let mut fewer = left.clone();
        fewer.remove("user_test");
        assert_eq!(compare_end(&fewer, &[])[0].what, "accounts left");
        assert_eq!(compare_end(&left, &["root".to_owned()])[0].what, "alarms of TaurusDB");
    }
}

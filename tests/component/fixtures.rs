//! What TaurusDB may answer, and what each answer becomes: `tests/fixtures/upstream`, a file an answer.
//!
//! A file has the answers that are planned, in order, and an `[[expect]]` for each state of the account list ([`Expected`]). What
//! an `[[expect]]` leaves out must not be there, except where a field says otherwise. The request is always the documented call.

use std::fs;
use std::path::{Path, PathBuf};

use local::component;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use support::planned::Planned;

use crate::ask::{Ask, Kind};
use crate::harness::{Answer, Gateway, Row, Setup};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    answers: Vec<Planned>,
    /// Lines of offboard.toml that differ here.
    #[serde(default)]
    replace: Vec<(String, String)>,
    expect: Vec<Expected>,
}

/// The account list, which is asked when the answer to the DELETE says nothing certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum List {
    #[default]
    Up,
    Down,
}

/// What comes of the removal: in the answer, in the ledger, at TaurusDB.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Why the case is there.
    about: String,
    #[serde(default)]
    list: List,
    status: u16,
    code: String,
    /// The whole message; not compared if it is left out.
    error_msg: Option<String>,
    allow: Option<String>,
    /// Whether `X-Request-Id` is TaurusDB's, and not the gateway's own.
    #[serde(default)]
    upstream_request_id: bool,

    /// What the outcome is known from, where that is not TaurusDB's answer.
    confirmed_by: Option<String>,

    /// The ledger's row.
    state: Option<String>,
    caller: Option<String>,
    actor: Option<String>,
    instance: Option<String>,
    user_name: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    policies: String,

    /// How many DELETEs reached TaurusDB.
    #[serde(default)]
    deletes: usize,
    /// Whether the account is removed.
    #[serde(default)]
    gone: bool,
}

/// The files of a folder below `tests/fixtures`, by name.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = component::root().join("tests/fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "`{}` is empty", folder.display());
    files
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_taurusdb_becomes_what_its_file_says() {
    let mut failures = String::new();
    for path in files("upstream") {
        let file: File = read(&path);
        for expected in &file.expect {
            let title = format!("{}: {}", path.strip_prefix(component::root()).unwrap().display(), expected.about);
            // In a task, so that the case of an assertion further down is named, and the others are tried.
            match tokio::spawn(run(setup(&file, expected.list), expected.clone())).await {
                Ok(Ok(())) => {}
                Ok(Err(difference)) => failures += &format!("\n{title}\n{difference}"),
                Err(_) => failures += &format!("\n{title}\nfailed an assertion, see above"),
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn setup(file: &File, list: List) -> Setup {
    let setup = Setup { upstream: file.answers.clone(), ..Setup::default() };
    let setup = file.replace.iter().fold(setup, |setup, (from, to)| setup.replace("offboard.toml", from, to));
    if list == List::Down { setup.fault("list:down") } else { setup }
}

async fn run(setup: Setup, expected: Expected) -> Result<(), String> {
    let gateway = Gateway::start(setup).await;
    let answer = gateway.ask(Kind::Api, &Ask::default()).await;
    let seen = look(&gateway, &answer, &expected);
    if seen == expected {
        return Ok(());
    }
    Err(format!("expected {expected:#?}\nbut it was {seen:#?}\nin {answer:#?}"))
}

/// What came of the removal, as far as the case looks.
fn look(gateway: &Gateway, answer: &Answer, expected: &Expected) -> Expected {
    let mut rows = gateway.rows();
    assert!(rows.len() <= 1, "{rows:#?}");
    let row = rows.pop();
    if let Some(row) = &row {
        assert_agreement(gateway, answer, row);
    }
    let field = |get: fn(&Row) -> &Option<String>| row.as_ref().and_then(|row| get(row).clone());
    let requests = gateway.simulator.requests();
    let request_id = answer.header("x-request-id").unwrap();
    Expected {
        about: expected.about.clone(),
        list: expected.list,
        status: answer.status,
        code: answer.code(),
        error_msg: expected.error_msg.is_some().then(|| answer.json()["error_msg"].as_str().unwrap().to_owned()),
        allow: answer.header("allow").map(str::to_owned),
        upstream_request_id: requests.iter().any(|seen| seen.request_id == request_id),
        confirmed_by: answer.header("x-offboard-confirmed-by").map(str::to_owned),
        state: row.as_ref().map(|row| row.state.clone()),
        caller: field(|row| &row.caller),
        actor: field(|row| &row.actor),
        instance: field(|row| &row.instance),
        user_name: field(|row| &row.user_name),
        reason: field(|row| &row.reason),
        policies: row.as_ref().map(|row| row.policies.clone()).unwrap_or_default(),
        deletes: gateway.deletes(),
        gone: !gateway.has_account("alice"),
    }
}

/// Asserts that answer, row and log line say the same.
pub(crate) fn assert_agreement(gateway: &Gateway, answer: &Answer, row: &Row) {
    assert_eq!(answer.header("x-offboard-removal"), Some(row.id.as_str()), "{row:#?}");
    assert_eq!(row.code, Some(answer.code()), "{answer:#?}");
    assert_eq!(row.confirmed_by.as_deref(), answer.header("x-offboard-confirmed-by"), "{answer:#?}");
    assert_eq!(answer.header("x-offboard-policy").unwrap_or_default(), row.policies, "{row:#?}");
    if !answer.is_in_words() {
        assert_eq!(row.status, Some(answer.status), "{answer:#?}");
    }
    if answer.code() != "SUCCESS" && !answer.was_not_there() {
        assert!(answer.says(row.message.as_ref().unwrap()), "{answer:#?}\n{row:#?}");
    }
    let expected_id = row.request_id.as_ref().unwrap_or(&row.id);
    assert_eq!(answer.header("x-request-id"), Some(expected_id.as_str()), "{row:#?}");
    assert_eq!(row.asked_at, gateway.clock.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(row.ended_at, Some(row.asked_at));
    assert_eq!(row.kind, row.caller.as_ref().map(|caller| gateway.kind_of(caller)));

    let lines = gateway.request_lines();
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let told = |name: &str| line[name].as_str();
    assert_eq!(told("asked_at"), Some("2026-06-01T10:00:00.000Z"));
    assert_eq!(told("id"), Some(row.id.as_str()));
    assert_eq!(told("event"), Some(row.state.as_str()));
    assert_eq!(told("state"), Some(row.state.as_str()));
    assert_eq!(told("code"), row.code.as_deref());
    assert_eq!(told("caller"), row.caller.as_deref());
    assert_eq!(told("actor"), row.actor.as_deref());
    assert_eq!(told("user_name"), row.user_name.as_deref());
    assert_eq!(told("request_id"), row.request_id.as_deref());
    assert_eq!(told("confirmed_by"), row.confirmed_by.as_deref());
    assert_eq!(line["attempts"].as_i64(), Some(row.attempts));
}

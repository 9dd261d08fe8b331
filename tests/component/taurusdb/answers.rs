//! What TaurusDB may answer, and what each answer becomes: `tests/fixtures/upstream`, a file an answer.
//!
//! A file has the answers that are planned, in order, and an `[[expect]]` for each state of the account list ([`Expected`]). What
//! an `[[expect]]` leaves out must not be there, except where a field says otherwise. The request is always the documented call.

use local::repository;
use serde::Deserialize;
use support::planned::Planned;

use crate::harness::agreement::assert_agreement;
use crate::harness::answer::Answer;
use crate::harness::fixtures::{files, read};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::row::Row;
use crate::harness::setup::Setup;

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

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_taurusdb_becomes_what_its_file_says() {
    let mut failures = String::new();
    for path in files("upstream") {
        let file: File = read(&path);
        for expected in &file.expect {
            let title = format!("{}: {}", path.strip_prefix(repository::root()).unwrap().display(), expected.about);
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

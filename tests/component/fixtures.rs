//! The cases that are data: `tests/fixtures/{slack,standard-webhooks,api,upstream}`, one file a case.
//!
//! A case says how its request differs from the right one (`ask::Ask`), how the gateway is set up (`harness::Setup`), and
//! all that is to come of it ([`Expected`]). What a case leaves out of `[expect]` must not be there.

use std::fs;
use std::path::{Path, PathBuf};

use local::repository;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ask::{Ask, Kind};
use crate::credentials::carried;
use crate::harness::{Answer, Gateway, Row, Setup};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Why it is there.
    about: String,
    kind: Kind,
    #[serde(default)]
    setup: Setup,
    #[serde(default)]
    request: Ask,
    expect: Expected,
}

/// What comes of a request: in the answer, in the ledger, at TaurusDB.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    code: String,
    /// The whole message: not looked at when it is left out.
    error_msg: Option<String>,
    /// The whole text, `{request_id}` standing for the id: not looked at when it is left out.
    text: Option<String>,
    allow: Option<String>,
    /// The answer quotes TaurusDB's request id, and not the gateway's own.
    #[serde(default)]
    upstream_request_id: bool,

    /// What the outcome is known from, where that is not TaurusDB's answer.
    confirmed_by: Option<String>,

    /// The ledger's row; none when the caller kind answered by itself.
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
    /// Path and query of the DELETE: not looked at when it is left out.
    target: Option<String>,
    /// Its `X-Language`: not looked at when it is left out.
    language: Option<String>,
    /// What it proves itself with: `aksk`, `temporary aksk` or `token`: not looked at when it is left out.
    credentials: Option<String>,
    /// The account is gone.
    #[serde(default)]
    gone: bool,
}

/// The files of a folder below `tests/fixtures`, by name.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = repository::root().join("tests/fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "`{}` is empty", folder.display());
    files
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn check(folder: &str) {
    let mut failures = String::new();
    for file in files(folder) {
        let case: Case = read(&file);
        let title = format!("{}: {}", file.strip_prefix(repository::root()).unwrap().display(), case.about);
        // In a task, so that the case of an assertion further down is named, and the others are tried.
        match tokio::spawn(run(case)).await {
            Ok(Ok(())) => {}
            Ok(Err(difference)) => failures += &format!("\n{title}\n{difference}"),
            Err(_) => failures += &format!("\n{title}\nfailed an assertion, see above"),
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

async fn run(case: Case) -> Result<(), String> {
    let gateway = Gateway::start(case.setup).await;
    let answer = gateway.ask(case.kind, &case.request).await;
    let seen = look(&gateway, &answer, &case.expect);
    if seen == case.expect {
        return Ok(());
    }
    Err(format!("expected {:#?}\nbut it was {seen:#?}\nin {answer:#?}", case.expect))
}

/// What came of the request, as far as the case looks.
fn look(gateway: &Gateway, answer: &Answer, expected: &Expected) -> Expected {
    let mut rows = gateway.rows();
    assert!(rows.len() <= 1, "{rows:#?}");
    let row = rows.pop();
    if let Some(row) = &row {
        assert_agreement(gateway, answer, row);
    }
    let field = |get: fn(&Row) -> &Option<String>| row.as_ref().and_then(|row| get(row).clone());

    let requests = gateway.simulator.requests();
    let delete = requests.iter().find(|seen| seen.method == http::Method::DELETE);
    let header = |name: &str| {
        let value = delete.and_then(|seen| seen.headers.get(name));
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let request_id = answer.header("x-request-id").unwrap();
    let text = || answer.text().replace(request_id, "{request_id}");
    Expected {
        status: answer.status,
        code: answer.code(),
        error_msg: expected.error_msg.is_some().then(|| answer.json()["error_msg"].as_str().unwrap().to_owned()),
        text: expected.text.is_some().then(text),
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
        target: expected.target.as_ref().and_then(|_| Some(delete?.path_and_query.clone())),
        language: expected.language.as_ref().and_then(|_| header("x-language")),
        credentials: expected.credentials.as_ref().and_then(|_| Some(carried(&delete?.headers).into())),
        gone: !gateway.has_account("alice"),
    }
}

/// Answer, row and log line tell one story.
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
    let kind = row.caller.as_ref().map(|caller| Kind::ALL.into_iter().find(|kind| kind.caller() == caller).unwrap());
    assert_eq!(row.kind.as_deref(), kind.map(Kind::name));

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

#[tokio::test(flavor = "multi_thread")]
async fn slack() {
    check("slack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_webhooks() {
    check("standard-webhooks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api() {
    check("api").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream() {
    check("upstream").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settled() {
    check("settled").await;
}

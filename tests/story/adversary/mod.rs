//! The adversary's table, as far as the runtime has to fail, to change or to be looked into for it: what only a host in memory
//! can do. The rows that are a request and an answer are in `tests/kinds/adversary`, and run here, too.
//!
//! - `buttons`: who says yes, when, to what, and how often
//! - `later`: addresses for an answer after the answer that are not the platform's
//! - `leavers`: people whose names make other people's accounts
//! - `upstream`: what the cloud says that is not to be shown as it is
//! - `store`: a ledger that is gone, full, locked, or only to be read
//! - `rules`: configuration and policy that cannot be used, or that say nothing
//! - `changes`: configuration that is another one between two requests

mod buttons;
mod changes;
mod later;
mod leavers;
mod rules;
mod store;
mod upstream;

use serde_json::Value;
use starrocks_offboard::app::App;
use support::kind::Kind;
use support::stage::{Reply, Stage, Wire};

use crate::kinds_in_memory::InMemory;

#[tokio::test]
async fn what_an_adversary_tries_comes_to_nothing() {
    support::adversary::run::<InMemory>(&[]).await;
}

/// The names of all rows: enough of them, and each once.
#[test]
fn every_row_has_a_name_of_its_own() {
    let mut names = support::adversary::names();
    for of in
        [buttons::names, changes::names, later::names, leavers::names, rules::names, store::names, upstream::names]
    {
        names.extend(of());
    }
    assert_eq!(support::adversary::twice(&names), [""; 0]);
    let ideas = names.iter().filter_map(|name| name.split_once('/')).map(|(_, idea)| idea);
    let ideas: std::collections::BTreeSet<_> = ideas.collect();
    eprintln!("{} rows, {} ideas", names.len(), ideas.len());
    if std::env::var("KIND").is_err() {
        assert!(names.len() >= 120 && ideas.len() >= 60, "{} rows, {} ideas", names.len(), ideas.len());
    }
}

fn kinds_of(names: &[&str]) -> Vec<Kind> {
    let only = std::env::var("KIND").unwrap_or_default();
    let is_one = |kind: &Kind| kind.is(names) && (only.is_empty() || kind.name == only);
    Kind::all().into_iter().filter(is_one).collect()
}

/// Those whose answers people read.
const WITH_PEOPLE: &[&str] =
    &["slack", "discord", "feishu", "google-chat", "mattermost", "teams", "wecom", "wecom-bot", "dingtalk"];

fn app(offboard: &str) -> App {
    let policy = include_str!("../../../config/policy.cedar");
    let app = App::parse(offboard, policy, include_str!("../../../config/schema.cedarschema"));
    app.unwrap_or_else(|why| panic!("{why}\n{offboard}"))
}

fn seconds(stage: &InMemory) -> i64 {
    stage.host.now.get() / 1000
}

/// What the log says was answered last: the code, wherever the answer itself went.
fn answered(stage: &InMemory) -> String {
    let lines = stage.host.lines.borrow();
    let events = lines.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .map(|event| event["answered"].as_str().unwrap_or_default().to_owned())
        .find(|code| !code.is_empty())
        .unwrap_or_default()
}

/// State of the newest row that stands for a delivery.
fn state(stage: &InMemory) -> String {
    let sql = "SELECT state FROM removals WHERE delivery IS NOT NULL ORDER BY rowid DESC LIMIT 1";
    stage.host.database.query_row(sql, [], |row| row.get(0)).unwrap_or_default()
}

fn reference(stage: &InMemory) -> String {
    let sql = "SELECT reference FROM removals WHERE reference IS NOT NULL ORDER BY rowid DESC LIMIT 1";
    stage.host.database.query_row(sql, [], |row| row.get(0)).unwrap_or_default()
}

/// Sends the platform's own request as `change` has it, a second after whatever was before.
fn made(stage: &InMemory, kind: &Kind, change: impl FnOnce(&mut Value)) -> Wire {
    stage.host.now.set(stage.host.now.get() + 1000);
    let mut ask = kind.ask(&stage.host(), &format!("s{}", stage.host.now.get()));
    ask["now"] = seconds(stage).into();
    change(&mut ask);
    support::platforms::Platforms::request(&kind.name, &ask)
}

fn shown(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, String::from_utf8_lossy(&reply.body))
}

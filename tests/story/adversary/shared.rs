//! What the adversary's rows share.

use serde_json::Value;
use starrocks_offboard::app::App;
use support::kind::Kind;
use support::stage::{Reply, Stage, Wire};

use crate::callers::kinds::InMemory;

pub(crate) fn kinds_of(names: &[&str]) -> Vec<Kind> {
    let only = std::env::var("KIND").unwrap_or_default();
    let is_one = |kind: &Kind| kind.is(names) && (only.is_empty() || kind.name == only);
    Kind::all().into_iter().filter(is_one).collect()
}

/// Those whose answers people read.
pub(crate) const WITH_PEOPLE: &[&str] =
    &["slack", "discord", "feishu", "google-chat", "mattermost", "teams", "wecom", "wecom-bot", "dingtalk"];

pub(crate) fn app(offboard: &str) -> App {
    app_with(offboard, "")
}

/// With more policies than the demonstration's.
pub(crate) fn app_with(offboard: &str, policies: &str) -> App {
    let policy = concat!(include_str!("../../../config/policy.cedar"), "\n").to_owned() + policies;
    let app = App::parse(offboard, &policy, include_str!("../../../config/schema.cedarschema"));
    app.unwrap_or_else(|why| panic!("{why}\n{offboard}"))
}

pub(crate) fn seconds(stage: &InMemory) -> i64 {
    stage.host.now.get() / 1000
}

/// What the log says was answered last: the code, wherever the answer itself went.
pub(crate) fn answered(stage: &InMemory) -> String {
    let lines = stage.host.lines.borrow();
    let events = lines.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .map(|event| event["answered"].as_str().unwrap_or_default().to_owned())
        .find(|code| !code.is_empty())
        .unwrap_or_default()
}

/// State of the newest row that stands for a delivery.
pub(crate) fn state(stage: &InMemory) -> String {
    let sql = "SELECT state FROM removals WHERE delivery IS NOT NULL ORDER BY rowid DESC LIMIT 1";
    stage.host.database.row(sql, &[]).unwrap_or_default()
}

pub(crate) fn reference(stage: &InMemory) -> String {
    let sql = "SELECT reference FROM removals WHERE reference IS NOT NULL ORDER BY rowid DESC LIMIT 1";
    stage.host.database.row(sql, &[]).unwrap_or_default()
}

/// Sends the platform's own request as `change` has it, a second after whatever was before.
pub(crate) fn made(stage: &InMemory, kind: &Kind, change: impl FnOnce(&mut Value)) -> Wire {
    stage.host.now.set(stage.host.now.get() + 1000);
    let mut ask = kind.ask(&stage.host(), &format!("s{}", stage.host.now.get()));
    ask["now"] = seconds(stage).into();
    change(&mut ask);
    support::platforms::Platforms::request(&kind.name, &ask)
}

pub(crate) fn shown(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, String::from_utf8_lossy(&reply.body))
}

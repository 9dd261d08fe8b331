//! The people of the suites about approvals, and what is read of their requests.

use serde_json::Value;
use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::gateway::{ask, seconds, slash_as};

/// Asks on production, and approves.
pub(crate) const DANA: &str = "U2CERLKJA";
/// May do the same.
pub(crate) const ERIN: &str = "U0ERIN";
pub(crate) const FAY: &str = "U0FAY";
/// May nothing.
pub(crate) const STRANGER: &str = "U0STRANGER";

/// The demo's, with more people in the team, and the portal's key as Dana's own.
pub(crate) fn gateway_with(changes: &[(&str, &str)]) -> App {
    gateway(changes, "")
}

/// With more policies than the demo's.
pub(crate) fn gateway_of(policies: &str) -> App {
    gateway(&[], policies)
}

fn gateway(changes: &[(&str, &str)], policies: &str) -> App {
    let mut offboard = include_str!("../../../config/offboard.toml")
        .replace("members = [", &format!("members = [\"slack/{ERIN}\", \"slack/{FAY}\", "));
    for (from, to) in changes {
        assert!(offboard.contains(from), "{from}");
        offboard = offboard.replacen(from, to, 1);
    }
    let policy = concat!(include_str!("../../../config/policy.cedar"), "\n").to_owned() + policies;
    App::parse(&offboard, &policy, include_str!("../../../config/schema.cedarschema")).unwrap()
}

pub(crate) fn app() -> App {
    gateway_with(&[])
}

/// A slash command, a second after whatever was before.
pub(crate) async fn says(host: &Memory, app: &App, who: &str, words: &str) -> String {
    host.now.set(host.now.get() + 1000);
    let response = ask(host, app, slash_as(who, seconds(host), words, "")).await;
    shown(&serde_json::from_slice(response.body()).unwrap())
}

/// What Slack shows: what a notification does, then the fields, then the small print.
pub(crate) fn shown(message: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let blocks = list(&message["blocks"]);
    let more = blocks.iter().flat_map(|block| [list(&block["fields"]), list(&block["elements"])].concat());
    let more = more.filter_map(|part| Some(part["text"].as_str()?.to_owned()));
    let text = message["text"].as_str().unwrap().to_owned();
    std::iter::once(text).chain(more).collect::<Vec<_>>().join("\n")
}

/// `(state, reference)` of the newest row of an account.
pub(crate) fn row_of(host: &Memory, user_name: &str) -> (String, String) {
    let sql = "SELECT state, coalesce(reference, '') FROM removals WHERE user_name = ?1 AND delivery IS NOT NULL
        ORDER BY rowid DESC LIMIT 1";
    host.database.row(sql, &[user_name.into()]).unwrap()
}

/// The reference itself, while a row has it.
pub(crate) fn row_of_delivery(host: &Memory, reference: &str) -> Option<String> {
    let sql = "SELECT reference FROM removals WHERE reference = ?1";
    host.database.row(sql, &[reference.into()])
}

pub(crate) fn deletes(host: &Memory) -> usize {
    host.methods().iter().filter(|method| *method == "DELETE").count()
}

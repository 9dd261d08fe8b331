//! What people type behind the slash command.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::Verified;
use starrocks_offboard::callers::parsed::Parsed;
use starrocks_offboard::callers::proof::Proof;
use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::request::command::{ApprovalAction, Command};
use starrocks_offboard::request::ids::DeliveryId;
use starrocks_offboard::request::inbound::Inbound;

use crate::kinds;

/// Asserts that a requester may name this account.
pub(crate) fn may_be_asked_for(name: &str) {
    let lower = name.to_ascii_lowercase();
    assert!(!["root", "rdsadmin", "rdsmetric"].contains(&lower.as_str()) && !lower.starts_with("etl_"), "{name}");
    let documented = (2..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.ends_with('_');
    assert!(documented, "{name}");
}

/// The text, as Slack would send it.
pub fn chat(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let slack = kinds::kind(0);
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let inbound = Inbound {
        method: http::Method::POST,
        path: "/hooks/slack".into(),
        query: String::new(),
        host: "localhost".into(),
        headers: http::HeaderMap::new(),
        body: format!("command=%2Foffboard&user_id=U2CERLKJA&text={encoded}").into(),
    };
    let Some(caller) = slack.config.callers().next() else { return };
    let kind = callers::kind("slack").expect("it is a kind");
    let proof = Proof::of(DeliveryId::new(caller, &[b"delivery"]));
    let parsed = kind.parse(Verified { inbound: &inbound, proof: &proof, caller }, &slack.config);
    assert_eq!(parsed.sender().map(|sender| sender.actor.principal.as_str()), Some("slack/U2CERLKJA"));

    let command = match parsed {
        Parsed::Command { command, .. } => Ok(command),
        Parsed::Refused { error, .. } => Err(error),
        other => panic!("no requester types {other:?}: {text:?}"),
    };
    // What the grammar may never do, in other words than its own. Slack's escapes are undone before the words are read.
    let typed = narrow(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
    let lower = typed.to_lowercase();
    match command {
        Ok(Command::Help | Command::ListPending(_)) => {}
        Ok(Command::GetRemoval { id }) => assert!(lower.contains(&id.to_lowercase()), "{text:?}"),
        Ok(Command::DecideApproval { id, action, reason }) => {
            assert!(lower.contains(&id.to_lowercase()), "{text:?}");
            assert!(action == ApprovalAction::Deny || reason.is_none(), "{text:?}");
            assert!(!has_flag(&typed), "{text:?}");
            has_words(reason.as_ref().map(|reason| reason.as_str()));
        }
        Ok(Command::RemoveAccount { user_name, instance, reason, dry_run, .. }) => {
            may_be_asked_for(user_name.as_str());
            assert!(typed.contains(user_name.as_str()), "{text:?}");
            assert!(lower.contains(&instance.name.to_lowercase()), "{text:?}");
            assert!(dry_run || !has_flag(&typed), "{text:?}");
            let reason = reason.as_ref().map(|reason| reason.as_str());
            has_words(reason);
            let said: String = reason.unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).collect();
            let is_flag = ["dryrun", "预检"].contains(&said.to_lowercase().as_str());
            assert!(dry_run || !is_flag, "{text:?}");
        }
        Ok(other) => panic!("no requester types {other:?}: {text:?}"),
        Err(error) => assert!(Outcome::from(error.clone()).status().is_client_error(), "{error:?}: {text:?}"),
    }
}

/// Full-width characters in their narrow form.
fn narrow(text: &str) -> String {
    text.chars()
        .map(|c| match u32::from(c) {
            wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).expect("it is ASCII"),
            _ => c,
        })
        .collect()
}

/// Whether a word begins with a dash, and goes on.
fn has_flag(typed: &str) -> bool {
    let is_flag = |word: &str| word.starts_with(['-', '—', '–', '‐', '−']) && word.chars().any(char::is_alphanumeric);
    typed.split([' ', '\t', '\n', '\u{a0}', '\u{3000}']).any(is_flag)
}

/// A reason says something, and nothing of it is hidden.
fn has_words(reason: Option<&str>) {
    let Some(reason) = reason else { return };
    assert!(reason.chars().any(char::is_alphanumeric), "{reason:?}");
    assert!(reason == reason.trim() && reason.chars().count() <= 500, "{reason:?}");
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
}

//! What people type behind the slash command.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::Verified;
use starrocks_offboard::callers::parsed::Parsed;
use starrocks_offboard::callers::proof::Proof;
use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::request::command::{ApprovalAction, Command};
use starrocks_offboard::request::error::RequestError;
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

    // The grammar once more.
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let rest: Vec<&str> = words.iter().copied().filter(|word| *word != "--dry-run").collect();
    let command = match parsed {
        Parsed::Command { command, .. } => Ok(command),
        Parsed::Refused { error, .. } => Err(error),
        other => panic!("no requester types {other:?}: {text:?}"),
    };
    match command {
        Ok(Command::Help) => assert!(words.is_empty() || words == ["help"], "{text:?}"),
        Ok(Command::ListPending(_)) => assert!(words[0] == "pending" && words.len() <= 2, "{text:?}"),
        Ok(Command::GetRemoval { id }) => assert_eq!(words, ["status", id.as_str()]),
        Ok(Command::DecideApproval { id, action, reason }) => {
            let name = ApprovalAction::ALL.iter().find(|(_, click)| *click == action).map(|(name, _)| *name);
            assert_eq!((Some(words[0]), words[1]), (name, id.as_str()), "{text:?}");
            assert!(action == ApprovalAction::Deny || (words.len() == 2 && reason.is_none()), "{text:?}");
            same_reason(reason.as_ref().map(|reason| reason.as_str()), &words[2..]);
        }
        Ok(Command::RemoveAccount { user_name, instance, reason, dry_run, .. }) => {
            may_be_asked_for(user_name.as_str());
            assert_eq!((rest[0], rest[1]), (user_name.as_str(), instance.name.as_str()), "{text:?}");
            assert_eq!(dry_run, rest.len() < words.len(), "{text:?}");
            same_reason(reason.as_ref().map(|reason| reason.as_str()), &rest[2..]);
        }
        Ok(other) => panic!("no requester types {other:?}: {text:?}"),
        Err(RequestError::CommandMalformed) => assert!(rest.len() < 2, "{text:?}"),
        Err(error) => assert!(Outcome::from(error.clone()).status().is_client_error(), "{error:?}: {text:?}"),
    }
}

fn same_reason(reason: Option<&str>, words: &[&str]) {
    let joined = words.join(" ");
    let trimmed = joined.trim();
    assert_eq!(reason, (!trimmed.is_empty()).then_some(trimmed));
    assert!(trimmed.chars().count() <= 500 && !trimmed.chars().any(char::is_control), "{trimmed:?}");
}

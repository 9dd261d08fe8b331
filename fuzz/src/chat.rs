//! What people type behind the slash command or the mention of the gateway.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::Verified;
use starrocks_offboard::callers::parsed::Parsed;
use starrocks_offboard::callers::proof::Proof;
use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::request::command::{ApprovalAction, Command};
use starrocks_offboard::request::error::RequestError;
use starrocks_offboard::request::ids::DeliveryId;
use starrocks_offboard::request::inbound::Inbound;

use crate::kinds::{self, Kind};

/// The commands that Slack reads, or why it reads none.
type Read = Result<Command<'static>, RequestError>;

/// A message as a platform sends it: the platform's place in [`kinds::FOLDERS`], and the body.
type Carried = (u8, String);

/// How many people a message mentions at most.
const MENTIONS: usize = 8;

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

/// A text, then the names of the people whom it mentions, between lines of `%%`. It is read as each platform would send what was
/// typed, and as if it were what the platform sends, markup and all.
pub fn chat(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    let mut parts = data.split("\n%%\n");
    let text = parts.next().unwrap_or_default();
    let people: Vec<_> = parts.take(MENTIONS).collect();

    let command = read(&slack(&escaped(text)));
    let said = format!("{command:?}");
    assert_eq!(said, format!("{:?}", read(&slack(&escaped(text)))), "{text:?} is read in two ways");
    assert!(said.len() < 12 * text.len() + 4096, "{} bytes of {text:?}", said.len());
    checked(text, command);

    for message in rich(text, &people) {
        sound(&read(&message));
    }
    // What is typed is the same command everywhere. In Feishu, what looks like the key of a mention is one.
    if !text.contains("@_user_") {
        for message in plain(text) {
            assert_eq!(said, format!("{:?}", read(&message)), "{message:?} is read otherwise than by Slack");
        }
    }
}

fn slack(text: &str) -> Carried {
    (0, format!("command=%2Foffboard&user_id=U2CERLKJA&text={}", utf8_percent_encode(text, NON_ALPHANUMERIC)))
}

/// The text as Slack and Teams send it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text in messages that have nothing else in them.
fn plain(text: &str) -> [Carried; 6] {
    let mattermost = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let discord = json!({"id": "1", "application_id": "1", "token": "t", "type": 2, "user": {"id": "53908232506183680"},
        "data": {"options": [{"name": "text", "type": 3, "value": text}]}});
    let dingtalk = json!({"msgtype": "text", "senderStaffId": "user123", "text": {"content": text}});
    [
        (1, format!("user_id=k1x4aqdjy3813c84m771eoc9xo&text={mattermost}")),
        teams(&escaped(text), &[]),
        (3, discord.to_string()),
        (4, json!({"type": "MESSAGE", "user": {"name": "users/1"}, "message": {"argumentText": text}}).to_string()),
        feishu("text", &json!({"text": text}), &[]),
        (6, dingtalk.to_string()),
    ]
}

/// The text in messages with markup, mentions and paragraphs.
fn rich(text: &str, people: &[&str]) -> [Carried; 6] {
    let lines = || text.split('\n').map(|line| json!({"tag": "text", "text": line}));
    let paragraphs: Vec<_> = lines().map(|line| json!([{"tag": "at", "user_id": "@_user_1"}, line])).collect();
    let items: Vec<_> = lines().collect();
    let dingtalk = json!({"msgtype": "richText", "senderStaffId": "user123", "content": {"richText": items}});
    let wecom = json!({"msgid": "1", "msgtype": "text", "chattype": "group", "from": {"userid": "zhangsan"},
        "text": {"content": format!("@offboard {text}")}});
    [
        slack(text),
        teams(text, people),
        feishu("text", &json!({"text": text}), people),
        feishu("post", &json!({"title": "", "content": paragraphs}), people),
        (6, dingtalk.to_string()),
        (8, wecom.to_string()),
    ]
}

fn teams(text: &str, people: &[&str]) -> Carried {
    let mention = |name| json!({"mentioned": {"id": "29:1"}, "text": format!("<at>{name}</at>")});
    let activity = json!({
        "id": "1", "timestamp": "2026-06-01T10:00:00Z", "type": "message", "text": format!("<at>offboard</at> {text}"),
        "from": {"aadObjectId": "87994953-d622-4c2c-a425-28e58c73b2b2"},
        "entities": people.iter().map(mention).collect::<Vec<_>>(),
    });
    (2, activity.to_string())
}

/// A message in a group, which mentions the bot as `@_user_1`, and others as `@_user_2` and so on.
fn feishu(kind: &str, content: &Value, people: &[&str]) -> Carried {
    let mut mentions = vec![json!({"key": "@_user_1", "name": "offboard", "id": {"open_id": "ou_bot"}})];
    let ids = json!({"open_id": "ou_dana", "user_id": "e33ggbyz"});
    let others = people.iter().zip(2_usize..);
    mentions.extend(others.map(|(name, number)| json!({"key": format!("@_user_{number}"), "name": name, "id": ids})));
    let event = json!({
        "schema": "2.0",
        "header": {"event_id": "1", "event_type": "im.message.receive_v1", "app_id": "cli_9f5343c580712544",
            "token": "rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV"},
        "event": {
            "sender": {"sender_id": {"open_id": "ou_84aad35d084aa403a838cf73ee18467"}, "sender_type": "user"},
            "message": {"message_id": "om_1", "chat_type": "group", "message_type": kind,
                "content": content.to_string(), "mentions": mentions},
        },
    });
    (5, event.to_string())
}

fn read((place, body): &Carried) -> Read {
    let of: &'static Kind = kinds::kind(*place);
    let caller = of.config.callers().find(|caller| caller.name == of.name).expect("it is configured");
    let kind = callers::kind(&of.kind).expect("it is a kind");
    let inbound = Inbound {
        method: http::Method::POST,
        path: format!("/hooks/{}", of.name),
        query: String::new(),
        host: "localhost".into(),
        headers: http::HeaderMap::new(),
        body: body.clone().into(),
    };
    let proof = Proof { plain: Some(inbound.body.clone()), ..Proof::of(DeliveryId::new(caller, &[b"delivery"])) };
    let parsed = kind.parse(Verified { inbound: &inbound, proof: &proof, caller }, &of.config);
    let sender = parsed.sender().map(|sender| sender.actor.principal.clone());
    assert!(sender.is_some_and(|sender| sender.starts_with(&format!("{}/", of.name))), "{body}");
    match parsed {
        Parsed::Command { command, .. } => Ok(command),
        Parsed::Refused { error, .. } => Err(error),
        other => panic!("no requester types {other:?}: {body}"),
    }
}

/// Asserts what holds for a command of any platform.
fn sound(command: &Read) {
    match command {
        Ok(Command::Help | Command::ListPending(_) | Command::GetRemoval { .. }) => {}
        Ok(Command::DecideApproval { action, reason, .. }) => {
            assert!(*action == ApprovalAction::Deny || reason.is_none(), "{command:?}");
            has_words(reason.as_ref().map(|reason| reason.as_str()));
        }
        Ok(Command::RemoveAccount { user_name, reason, .. }) => {
            may_be_asked_for(user_name.as_str());
            has_words(reason.as_ref().map(|reason| reason.as_str()));
        }
        Ok(other) => panic!("no requester types {other:?}"),
        Err(error) => assert!(Outcome::from(error.clone()).status().is_client_error(), "{error:?}"),
    }
}

/// Asserts what holds for the command that Slack reads in a text.
fn checked(text: &str, command: Read) {
    sound(&command);
    // What the grammar may never do, in other words than its own.
    let typed = narrow(text);
    let lower = typed.to_lowercase();
    match command {
        Ok(Command::GetRemoval { id }) => assert!(lower.contains(&id.to_lowercase()), "{text:?}"),
        Ok(Command::DecideApproval { id, .. }) => {
            assert!(lower.contains(&id.to_lowercase()), "{text:?}");
            assert!(!has_flag(&typed), "{text:?}");
        }
        Ok(Command::RemoveAccount { user_name, instance, reason, dry_run, .. }) => {
            assert!(has_name(text, user_name.as_str()), "{text:?}");
            assert!(lower.contains(&instance.name.to_lowercase()), "{text:?}");
            assert!(dry_run || !has_flag(&typed), "{text:?}");
            let reason = reason.as_ref().map(|reason| reason.as_str());
            let said: String = reason.unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).collect();
            let is_flag = ["dryrun", "预检"].contains(&said.to_lowercase().as_str());
            assert!(dry_run || !is_flag, "{text:?}");
        }
        _ => {}
    }
}

/// Whether a name is one of the words that were typed, but for the marks around it and the width of its letters.
fn has_name(text: &str, name: &str) -> bool {
    let separates = |c: char| c.is_whitespace() || ",，、､：；".contains(c);
    let around = |c: char| !c.is_alphanumeric() && c != '_';
    text.split(separates).any(|word| narrow(word).trim_matches(around) == name)
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

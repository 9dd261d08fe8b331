//! Discord interactions: `POST /hooks/{caller}`, e.g. `/offboard text: alice analytics left the company`.
//!
//! Proof: `X-Signature-Ed25519`, the hex Ed25519 signature of `{X-Signature-Timestamp}{raw body}` under the key whose public half
//! the application's page shows ("Preparing for Interactions",
//! <https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint>); the timestamp is held to 300 seconds, which
//! Discord leaves to the application. Discord sends wrong signatures on purpose now and then, and takes the endpoint away from an
//! application that does not answer 401.
//!
//! The secret of a caller is that public key, which is none; it stands in a variable all the same, so that a new one can be put
//! beside it. The actor is the signed `member.user.id`, or `user.id` in a direct message, never a name.
//!
//! The command has one option, `text`, a string, which holds what other platforms have after the command's name ("Interactions",
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>). Buttons carry `confirm:K7Q2M9XA` as their
//! `custom_id`. The answer has status 200 for every outcome; it is seen by whoever asked alone (flag 64), but for what others have to
//! approve. What a click did takes the place of the message that was clicked (type 7), unless the click was not for whoever clicked.
//!
//! Discord waits for three seconds. What takes longer is acknowledged (type 4, to a click type 6), and the outcome follows as another
//! message by the interaction's own webhook, `https://discord.com/api/v10/webhooks/{application_id}/{token}`, which needs no other
//! proof and is good for 15 minutes (same page, "Followup Messages").
//!
//! Not supported: other options than `text`, autocompletion, modals, commands on users and messages, components V2.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::callers::chat::grammar;
use crate::callers::chat::message::{self, Style};
use crate::callers::follow_up::{Acknowledgement, FollowUp, ReplyAddress};
use crate::callers::kind::{CallerKind, Endpoint, Reading, Speech};
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::lower_hex;
use crate::crypto::public_key::PublicKey;
use crate::outcome::language::{Language, Localized};
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{json, unix_seconds};
use crate::secret::Secret;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape::chat("discord"),
    place: Endpoint::Hook("POST"),
    content_types: &["application/json"],
    published: None,
    open: None,
    verify,
    read,
    render,
    speech: Some(Speech { escape: escaped, say }),
    early: Some(early),
    later: Some(FollowUp {
        method: Method::POST,
        at: |_, url| ReplyAddress::at(LATER, url),
        bodies: |answer| vec![Value::Object(message(answer)).to_string()],
        words: Some(words),
        waits_without: true,
        login: None,
    }),
    envelope: None,
};

const LATER: &str = "https://discord.com";

const SIGNATURE: &str = "x-signature-ed25519";

const TIMESTAMP: &str = "x-signature-timestamp";

/// Types of interactions.
const PING: u64 = 1;

const APPLICATION_COMMAND: u64 = 2;

const MESSAGE_COMPONENT: u64 = 3;

/// Types of answers.
const PONG: u8 = 1;

const CHANNEL_MESSAGE: u8 = 4;

const DEFERRED_UPDATE: u8 = 6;

const UPDATE_MESSAGE: u8 = 7;

/// `EPHEMERAL`: seen by whoever asked alone.
const PRIVATE: u64 = 64;

/// An interaction, as far as its type does not matter.
#[derive(Deserialize)]
struct Interaction {
    id: String,
    application_id: String,
    r#type: u64,
    token: String,
    data: Option<Value>,
    member: Option<Member>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Member {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct SlashCommand {
    #[serde(default)]
    options: Vec<CommandOption>,
}

#[derive(Deserialize)]
struct CommandOption {
    name: String,
    value: Option<Value>,
}

#[derive(Deserialize)]
struct Component {
    custom_id: String,
}

fn verify(
    inbound: &Inbound,
    caller: &Caller,
    keys: &VerificationKeys,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
    let signature = required_header(&inbound.headers, SIGNATURE)?;
    let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
    let signature: [u8; 64] = lower_hex(signature).ok_or(ProofError::Malformed { header: SIGNATURE })?;
    check_timestamp(seconds, now)?;
    let keys: Vec<_> = keys.secrets.iter().filter_map(|key| public_key(&key.secret)).collect();
    if keys.is_empty() {
        return Err(ProofError::SecretUnset);
    }
    let signed = [timestamp.as_bytes(), &inbound.body].concat();
    if !keys.iter().any(|key| key.verify(&signed, &signature)) {
        return Err(ProofError::Wrong);
    }
    // What is no interaction is for `read` to refuse, in words that people see.
    let delivery = match json::<Interaction>(&inbound.body) {
        Ok(interaction) => DeliveryId::new(caller, &[interaction.id.as_bytes()]),
        Err(_) => DeliveryId::new(caller, &[timestamp.as_bytes(), &inbound.body]),
    };
    Ok(Proof::of(delivery))
}

/// The key; `None` for what is none.
fn public_key(secret: &Secret) -> Option<PublicKey> {
    PublicKey::ed25519(&lower_hex(secret.expose())?).ok()
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let interaction: Interaction = match json(&inbound.body) {
        Ok(interaction) => interaction,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    if interaction.r#type == PING {
        let pong = Rendered::json(StatusCode::OK, json!({"type": PONG}).to_string());
        return Reading::without_actor(Ok(Command::Handshake(pong)));
    }
    let later = later(&interaction);
    let user = interaction.member.map(|member| member.user).or(interaction.user);
    let actor = match user.ok_or(RequestError::FieldMissing { name: "user" }).and_then(|user| snowflake(user.id)) {
        Ok(id) => Actor::person(caller, &id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let (clicked, said) = match interaction.r#type {
        APPLICATION_COMMAND => (None, part(interaction.data).and_then(|command| typed(command, config))),
        MESSAGE_COMPONENT => match part(interaction.data).and_then(|component| pressed(&component)) {
            Ok((how, id)) => (Some(how), Ok(Command::Decide { id, how, reason: None })),
            Err(outcome) => (None, Err(outcome)),
        },
        other => (None, Err(foreign("type", other.to_string()))),
    };
    Reading { clicked, later, ..Reading::of(actor, said) }
}

fn part<T: DeserializeOwned>(data: Option<Value>) -> Result<T, RequestError> {
    let data = data.ok_or(RequestError::FieldMissing { name: "data" })?;
    serde_json::from_value(data).map_err(|_| RequestError::FieldMissing { name: "data" })
}

fn typed<'c>(command: SlashCommand, config: &'c Config) -> Result<Command<'c>, RequestError> {
    match command.options.as_slice() {
        // `/offboard` alone asks what to write.
        [] => Ok(Command::Help),
        [CommandOption { name, value: Some(Value::String(text)) }] if name == "text" => grammar::command(text, config),
        [first, ..] => Err(foreign("data.options", first.name.clone())),
    }
}

fn pressed(component: &Component) -> Result<(ApprovalAction, String), RequestError> {
    let parts = component.custom_id.split_once(':');
    let known = parts.and_then(|(name, id)| Some((grammar::approval_action(name)?, id.to_owned())));
    known.ok_or_else(|| foreign("data.custom_id", component.custom_id.clone()))
}

/// Something else than this gateway's own commands and buttons.
fn foreign(name: &'static str, given: String) -> RequestError {
    RequestError::FieldInvalid {
        name,
        given,
        expected: Localized {
            en: "the gateway's own command with its one option `text`, or one of its buttons",
            zh: "本网关自己的命令（仅有一个选项 `text`）或按钮",
        },
    }
}

/// An id that Discord gives: decimal digits of a 64-bit number.
fn snowflake(given: String) -> Result<String, RequestError> {
    if is_snowflake(&given) {
        return Ok(given);
    }
    Err(RequestError::FieldInvalid {
        name: "user.id",
        given,
        expected: Localized {
            en: "an id that Discord gives, such as `53908232506183680`",
            zh: " Discord 给出的 ID，例如 `53908232506183680`",
        },
    })
}

fn is_snowflake(given: &str) -> bool {
    given.parse::<u64>().is_ok_and(|number| number.to_string() == given)
}

/// A part of a path, whatever stands in it.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

fn later(interaction: &Interaction) -> Option<ReplyAddress> {
    let Interaction { application_id, token, .. } = interaction;
    if !is_snowflake(application_id) || token.is_empty() {
        return None;
    }
    let token = utf8_percent_encode(token, SEGMENT);
    ReplyAddress::at(LATER, &format!("{LATER}/api/v10/webhooks/{application_id}/{token}"))
}

fn render(answer: &Reply<'_>) -> Rendered {
    let mut message = message(answer);
    match answer.clicked {
        // The message with Confirm was for one person; the one with Approve is for all, and has to be another.
        Some(ApprovalAction::Confirm) if message::is_for_all(answer) => answered(CHANNEL_MESSAGE, message),
        Some(_) if message::replaces(answer) => {
            // Who sees a message is settled when it is made.
            message.remove("flags");
            answered(UPDATE_MESSAGE, message)
        }
        _ => answered(CHANNEL_MESSAGE, message),
    }
}

/// How Discord marks up what is said: Markdown, with small print of its own
/// (<https://support.discord.com/hc/en-us/articles/210298617>).
const STYLE: Style = Style { escape: escaped, small: |words| format!("-# {words}"), longest: LONGEST };

/// The most characters of a message (<https://docs.discord.com/developers/resources/message#create-message>).
const LONGEST: usize = 2000;

/// The message about an outcome, with the buttons of what waits: none takes those of an earlier one away.
fn message(answer: &Reply<'_>) -> Map<String, Value> {
    const SUCCESS: u8 = 3;
    const DANGER: u8 = 4;
    let buttons: Vec<_> = message::buttons(answer)
        .iter()
        .map(|button| {
            json!({
                "type": 2,
                "style": if button.is_yes { SUCCESS } else { DANGER },
                "label": button.label,
                "custom_id": format!("{}:{}", button.name, button.reference),
            })
        })
        .collect();
    let mut message = shown(&message::text(answer, STYLE));
    let rows = if buttons.is_empty() { json!([]) } else { json!([{"type": 1, "components": buttons}]) };
    message.insert("components".into(), rows);
    if message::is_for_all(answer) {
        message.remove("flags");
    }
    message
}

/// Nobody is called by it, whatever it says.
fn shown(text: &str) -> Map<String, Value> {
    Map::from_iter([
        ("content".to_owned(), message::truncate(text, LONGEST).into()),
        ("allowed_mentions".to_owned(), json!({"parse": []})),
        ("flags".to_owned(), PRIVATE.into()),
    ])
}

fn answered(way: u8, data: Map<String, Value>) -> Rendered {
    Rendered::json(StatusCode::OK, json!({"type": way, "data": data}).to_string())
}

fn say(text: &str) -> Rendered {
    answered(CHANNEL_MESSAGE, shown(text))
}

/// What is sent by the webhook is the message alone.
fn words(rendered: Rendered) -> Vec<String> {
    let answer = serde_json::from_str::<Value>(&rendered.body).ok();
    answer.as_ref().and_then(|answer| answer.get("data")).map(Value::to_string).into_iter().collect()
}

fn early(early: &Acknowledgement<'_>) -> Rendered {
    match early.clicked {
        // The message stays as it is: whether the click was for whoever clicked is not known yet.
        Some(_) => Rendered::json(StatusCode::OK, json!({"type": DEFERRED_UPDATE}).to_string()),
        None => say(&message::early(early)),
    }
}

/// No mention that looks like one, and no link behind other words.
fn escaped(text: &str) -> String {
    message::break_mention(text, &["<", "]("])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snowflakes_have_one_spelling() {
        for given in ["0", "53908232506183680", "18446744073709551615"] {
            assert!(is_snowflake(given), "{given}");
        }
        for given in ["", "+1", "01", " 1", "1.0", "18446744073709551616", "a", "١"] {
            assert!(!is_snowflake(given), "{given}");
        }
    }

    #[test]
    fn markup_of_others_is_none() {
        assert_eq!(escaped("<@1> [a](https://evil.example)"), "<\u{200b}@1> [a]\u{200b}(https://evil.example)");
    }

    #[test]
    fn words_that_come_later_are_the_message_alone() {
        let [sent] = &words(say("x"))[..] else { panic!() };
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(sent, json!({"content": "x", "allowed_mentions": {"parse": []}, "flags": 64}));
    }
}

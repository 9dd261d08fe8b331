//! Discord interactions: `POST /hooks/{caller}`, e.g. `/offboard text: alice analytics left the company`.
//!
//! Proof: `X-Signature-Ed25519`, the hex Ed25519 signature of `{X-Signature-Timestamp}{raw body}` under the key whose public half
//! the application's page shows ("Preparing for Interactions",
//! <https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint>); the timestamp is held to 300 seconds, which
//! Discord leaves to the application. Discord sends wrong signatures on purpose now and then, and takes the endpoint away from an
//! application that does not answer 401.
//!
//! The secret of a caller is that public key, which is not secret; it is kept in a variable all the same, so that a new one can be
//! put beside it. The actor is the signed `member.user.id`, or `user.id` in a direct message, never a name.
//!
//! The command has one option, `text`, a string with what other platforms have after the command's name ("Interactions",
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>). Buttons carry `confirm:K7Q2M9XA` as their
//! `custom_id`. The answer has status 200 for every outcome; only the requester sees it (flag 64), except for what others have to
//! approve. The result of a click replaces the message that was clicked (type 7), unless the click was not for the person who
//! clicked.
//!
//! Discord waits for three seconds. What takes longer is acknowledged (type 4, to a click type 6), and the outcome follows as another
//! message by the interaction's own webhook, `https://discord.com/api/v10/webhooks/{application_id}/{token}`, which needs no other
//! proof and is good for 15 minutes (same page, "Followup Messages").
//!
//! Subcommands count as words: `/offboard confirm text: K7Q2M9XA`. An autocompletion gets no suggestions.
//!
//! Not supported: other options than `text`, modals, commands on users and messages, components V2.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::callers::chat::delivery;
use crate::callers::chat::forms::discord;
use crate::callers::chat::grammar;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::lower_hex;
use crate::crypto::public_key::PublicKey;
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{json, unix_seconds};
use crate::secret::Secret;

const ORIGIN: &str = "https://discord.com";

const SIGNATURE: &str = "x-signature-ed25519";

const TIMESTAMP: &str = "x-signature-timestamp";

/// Types of interactions.
const PING: u64 = 1;

const APPLICATION_COMMAND: u64 = 2;

const MESSAGE_COMPONENT: u64 = 3;

const AUTOCOMPLETE: u64 = 4;

/// Types of answers.
const PONG: u8 = 1;

const CHANNEL_MESSAGE: u8 = 4;

const DEFERRED_UPDATE: u8 = 6;

const UPDATE_MESSAGE: u8 = 7;

const AUTOCOMPLETE_RESULT: u8 = 8;

pub(crate) struct Discord;

impl CallerKind for Discord {
    fn shape(&self) -> CallerShape {
        CallerShape { secret_form: form, has_public_keys: true, ..CallerShape::chat("discord") }
    }

    fn verify(
        &self,
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
        let signed = [timestamp.as_bytes(), &inbound.body].concat();
        let keys = keys.secrets.iter().filter_map(|key| public_key(&key.secret));
        first_that_proves(keys, |key| key.verify(&signed, &signature))?;
        // A body that is no interaction is for `parse` to refuse, in a message that people see.
        let delivery = match json::<Interaction>(&inbound.body) {
            Ok(interaction) => DeliveryId::new(caller, &[interaction.id.as_bytes()]),
            Err(_) => DeliveryId::new(caller, &[timestamp.as_bytes(), &inbound.body]),
        };
        Ok(Proof::of(delivery))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let message = of_reply::message(reply);
        let mut body = discord::body(&message);
        match reply.clicked {
            // The message with Confirm was for one person; the one with Approve is for everyone, and has to be another.
            Some(ApprovalAction::Confirm) if message.is_public => answered(CHANNEL_MESSAGE, body),
            Some(_) if of_reply::replaces(reply) => {
                // Who sees a message is settled when it is made.
                body.remove("flags");
                answered(UPDATE_MESSAGE, body)
            }
            _ => answered(CHANNEL_MESSAGE, body),
        }
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| match early.clicked {
            // The message stays as it is: whether the click was for the person who clicked is not known yet.
            Some(_) => Rendered::json(StatusCode::OK, json!({"type": DEFERRED_UPDATE}).to_string()),
            None => Discord.show(&of_reply::acknowledgement(early)),
        })
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: |_, url| ReplyAddress::at(ORIGIN, url),
            bodies: |reply| vec![Value::Object(discord::body(&of_reply::message(reply))).to_string()],
            words: Some(words),
            answer: delivery::by_status,
            waits_without: true,
            login: None,
        };
        Some(&FOLLOW_UP)
    }
}

impl ChatPlatform for Discord {
    fn show(&self, message: &ChatMessage) -> Rendered {
        answered(CHANNEL_MESSAGE, discord::body(message))
    }
}

fn answered(way: u8, data: Map<String, Value>) -> Rendered {
    Rendered::json(StatusCode::OK, json!({"type": way, "data": data}).to_string())
}

/// Takes the message out of an answer: the webhook is sent the message alone.
fn words(rendered: Rendered) -> Vec<String> {
    let answer = serde_json::from_str::<Value>(&rendered.body).ok();
    answer.as_ref().and_then(|answer| answer.get("data")).map(Value::to_string).into_iter().collect()
}

/// Reads the public key of the application; `None` if the secret is not one.
fn public_key(secret: &Secret) -> Option<PublicKey> {
    PublicKey::ed25519(&lower_hex(&secret.expose().to_ascii_lowercase())?).ok()
}

/// Checks the form of a secret.
fn form(_: &str, secret: &Secret) -> Result<(), &'static str> {
    public_key(secret).map(drop).ok_or("the public key of the application, 64 hexadecimal digits")
}

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
    /// The options of a subcommand, or the subcommands of a group.
    options: Option<Vec<CommandOption>>,
}

#[derive(Deserialize)]
struct Component {
    custom_id: String,
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let interaction: Interaction = json(&request.inbound.body)?;
    if interaction.r#type == PING {
        return Ok(Parsed::reply(Rendered::json(StatusCode::OK, json!({"type": PONG}).to_string())));
    }
    let reply_address = reply_address(&interaction);
    let user = interaction.member.map(|member| member.user).or(interaction.user);
    let user = user.ok_or(RequestError::FieldMissing { name: "user" })?;
    let sender = Sender { reply_address, ..Actor::person(request.caller, snowflake(&user.id)?).into() };
    Ok(match interaction.r#type {
        // There is nothing to suggest: names of accounts and instances are not for everyone who types.
        AUTOCOMPLETE => {
            let body = json!({"type": AUTOCOMPLETE_RESULT, "data": {"choices": []}});
            let rendered = Rendered::json(StatusCode::OK, body.to_string());
            Parsed::Reply { sender: Some(sender), rendered }
        }
        APPLICATION_COMMAND => Parsed::of(sender, part(interaction.data).and_then(|command| typed(command, config))),
        MESSAGE_COMPONENT => match part(interaction.data).and_then(|component| pressed(&component)) {
            Ok((action, id)) => Parsed::pressed(sender, action, id),
            Err(error) => Parsed::of(sender, Err(error)),
        },
        other => Parsed::of(sender, Err(foreign("type", other.to_string()))),
    })
}

fn part<T: DeserializeOwned>(data: Option<Value>) -> Result<T, RequestError> {
    let data = data.ok_or(RequestError::FieldMissing { name: "data" })?;
    serde_json::from_value(data).map_err(|_| RequestError::FieldMissing { name: "data" })
}

fn typed<'c>(command: SlashCommand, config: &'c Config) -> Result<Command<'c>, RequestError> {
    grammar::command(&text(&command.options, 2)?, config)
}

/// Returns the text of a command. The names of its subcommands count as words; `depth` says how deep those may be nested.
fn text(options: &[CommandOption], depth: u8) -> Result<String, RequestError> {
    let (first, more) = match options {
        // `/offboard` alone asks for the help.
        [] => return Ok(String::new()),
        [first, more @ ..] => (first, more),
    };
    match (first, more) {
        (CommandOption { name, value: Some(value), .. }, []) if name == "text" => match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            _ => Err(foreign("data.options", name.clone())),
        },
        (CommandOption { name, value: None, options }, []) if depth > 0 => {
            let behind = text(options.as_deref().unwrap_or_default(), depth.saturating_sub(1))?;
            Ok(format!("{name} {behind}"))
        }
        _ => Err(foreign("data.options", first.name.clone())),
    }
}

fn pressed(component: &Component) -> Result<(ApprovalAction, String), RequestError> {
    let parts = component.custom_id.split_once(':');
    let known = parts.and_then(|(name, id)| Some((ApprovalAction::parse(name)?, id.to_owned())));
    known.ok_or_else(|| foreign("data.custom_id", component.custom_id.clone()))
}

/// The refusal of a command or button that is not the gateway's own.
fn foreign(name: &'static str, given: String) -> RequestError {
    let expected = Localized {
        en: "the command of this gateway with its one option `text`, or a button of this gateway",
        zh: "本网关的命令（仅有一个选项 `text`）或按钮",
    };
    RequestError::invalid(name, given, expected)
}

/// Checks an id that Discord gives: the decimal digits of a 64-bit number.
fn snowflake(given: &str) -> Result<&str, RequestError> {
    let expected = Localized {
        en: "a Discord user ID such as `53908232506183680`",
        zh: "Discord用户ID，例如 `53908232506183680`",
    };
    if is_snowflake(given) { Ok(given) } else { Err(RequestError::invalid("user.id", given, expected)) }
}

fn is_snowflake(given: &str) -> bool {
    given.parse::<u64>().is_ok_and(|number| number.to_string() == given)
}

/// Encodes whatever a token may contain into one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

fn reply_address(interaction: &Interaction) -> Option<ReplyAddress> {
    let Interaction { application_id, token, .. } = interaction;
    if !is_snowflake(application_id) || token.is_empty() {
        return None;
    }
    let token = utf8_percent_encode(token, SEGMENT);
    ReplyAddress::at(ORIGIN, &format!("{ORIGIN}/api/v10/webhooks/{application_id}/{token}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::chat::text::Text;
    use crate::outcome::language::Language;

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
    fn words_that_come_later_are_the_message_alone() {
        let [sent] = &words(Discord.show(&ChatMessage::new(Language::English, None, Text::words("x"))))[..] else {
            panic!()
        };
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(sent, json!({"content": "**x**", "allowed_mentions": {"parse": []}, "flags": 64}));
    }
}

//! DingTalk, messages to the bot of an internal app that receives in HTTP mode: `POST /hooks/{caller}`.
//!
//! Proof: `sign`, the base64 HMAC-SHA256 of the `timestamp` (in milliseconds), a line break and the app's secret, under that
//! secret; more than an hour off is refused ("Receive messages", <https://help.dingtalk.io/open/development/receive-message>).
//!
//! **The body is not signed.** With the two headers of one request, anyone can say anything as any user for an hour, and can
//! confirm it, too. So nothing is removed at once (`confirm` cannot be off), and removals that matter should need an approver on
//! a platform that signs its messages. Encrypted bodies, which the same setting of DingTalk's offers, are not supported: no page
//! of DingTalk's could be found that says how they are made.
//!
//! The actor is `senderStaffId`, the user's id in the organization; people from outside have none and are refused.
//!
//! DingTalk shows the answer as a message. What takes longer follows at `sessionWebhook`, which has to be the one address of
//! <https://oapi.dingtalk.com> that is for it. The message is a `text`, which has no markup.
//!
//! Not supported: buttons, which come back by DingTalk's other ways only (Stream mode, card callbacks), so that people type
//! `confirm <id>`; messages without text; Stream mode.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::chat::delivery;
use crate::callers::chat::format::ChatFormat;
use crate::callers::chat::forms::plain;
use crate::callers::chat::grammar;
use crate::callers::chat::mentions;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_window};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::hmac_sha256_is;
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{consists_of, json};
use crate::request::unclear::Unclear;

const SHAPE: CallerShape =
    CallerShape { proves_body: false, settings: &[Setting::text(BOT_NAME, false)], ..CallerShape::chat("dingtalk") };

pub(crate) struct Dingtalk;

impl CallerKind for Dingtalk {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
        let sign = required_header(&inbound.headers, SIGN)?;
        let at = millis(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        let tag = STANDARD.decode(sign).ok().filter(|tag| tag.len() == 32);
        let tag = tag.ok_or(ProofError::Malformed { header: SIGN })?;
        check_window(at, now, TOLERANCE)?;
        keys.proved_by(|secret| {
            let secret = secret.expose().as_bytes();
            hmac_sha256_is(secret, &[timestamp.as_bytes(), b"\n", secret], &tag)
        })?;
        Ok(Proof::of(DeliveryId::new(caller, &[timestamp.as_bytes(), &inbound.body])))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| Dingtalk.show(&of_reply::acknowledgement(early)))
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: |_, url| reply_address(url),
            bodies: |reply| vec![Dingtalk.reply(reply).body],
            words: None,
            answer: delivery::errcode,
            waits_without: false,
            login: None,
        };
        Some(&FOLLOW_UP)
    }
}

impl ChatPlatform for Dingtalk {
    /// Neither markup nor mentions: mentions are a field of their own, which these messages do not have.
    fn show(&self, message: &ChatMessage) -> Rendered {
        let text = plain::text(message, &ChatFormat::PLAIN, LONGEST, plain::characters);
        Rendered::json(StatusCode::OK, json!({"msgtype": "text", "text": {"content": text}}).to_string())
    }
}

/// The bot's name, for messages in which it is typed by hand.
const BOT_NAME: &str = "bot_name";

const SIGN: &str = "sign";

const TIMESTAMP: &str = "timestamp";

/// How far a timestamp may be from now, in milliseconds, either way: an hour.
const TOLERANCE: u64 = 3_600_000;

/// Reads Unix milliseconds of this century, in decimal digits only.
fn millis(text: &str) -> Option<i64> {
    let plain = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    msgtype: String,
    sender_staff_id: Option<String>,
    session_webhook: Option<String>,
    text: Option<Text>,
    content: Option<Value>,
}

#[derive(Deserialize)]
struct Text {
    content: String,
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let message: Message = json(&request.inbound.body)?;
    let actor = Actor::person(request.caller, staff_id(&message.sender_staff_id.unwrap_or_default())?);
    let reply_address = message.session_webhook.and_then(|url| reply_address(&url));
    let text = match (message.msgtype.as_str(), message.text, &message.content) {
        ("text", Some(Text { content }), _) => Some(content),
        ("richText", _, Some(content)) => rich_text(content),
        _ => None,
    };
    let command = match text {
        Some(text) => grammar::command(without_name(&text, request.caller), config),
        None => Err(Unclear::NotText.into()),
    };
    Ok(Parsed::of(Sender { reply_address, ..actor.into() }, command))
}

/// Returns the text of a message with text and pictures; `None` if it has none. Here a mention is an item of its own.
fn rich_text(content: &Value) -> Option<String> {
    let items = content.get("richText")?.as_array()?;
    let texts: Vec<_> = items.iter().filter_map(|item| item.get("text")?.as_str()).collect();
    let said: Vec<_> = texts.iter().filter(|text| !text.trim().is_empty()).collect();
    let text = match said.as_slice() {
        [] => return None,
        [mention, _, ..] if mention.trim().starts_with(['@', '＠']) => {
            said.get(1..)?.iter().copied().copied().collect()
        }
        _ => texts.concat(),
    };
    Some(text)
}

/// Returns the text without the bot's name, for people who type it by hand: DingTalk takes only real mentions out of the text.
fn without_name<'t>(text: &'t str, caller: &Caller) -> &'t str {
    let name = caller.setting(BOT_NAME);
    let typed = name.is_some_and(|name| {
        text.trim_start().strip_prefix(['@', '＠']).is_some_and(|mention| mention.starts_with(name))
    });
    if typed { mentions::without_names(text, name) } else { text }
}

/// Checks a user's id in the organization. No page says which characters it can have; these are those that have been seen.
fn staff_id(given: &str) -> Result<&str, RequestError> {
    if given.is_empty() {
        return Err(RequestError::FieldMissing { name: "senderStaffId" });
    }
    let is_id = consists_of(given, 64, |byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte));
    let expected = Localized {
        en: "a DingTalk user ID: at most 64 letters, digits and `_-@.`",
        zh: "钉钉用户ID：不超过64个字母、数字及 `_-@.`",
    };
    if is_id { Ok(given) } else { Err(RequestError::invalid("senderStaffId", given, expected)) }
}

/// Returns a session's URL. Other URLs at the same origin would show the message to other people.
fn reply_address(url: &str) -> Option<ReplyAddress> {
    let address = ReplyAddress::at("https://oapi.dingtalk.com", url)?;
    url.starts_with("https://oapi.dingtalk.com/robot/sendBySession?").then_some(address)
}

/// No page says how long a message may be; this is what other platforms show.
const LONGEST: usize = 3000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::proof::ActiveSecret;
    use crate::config::callers::SECRET;
    use crate::secret::Secret;

    #[test]
    fn signature() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/vectors/callers.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        let inputs = &vectors.iter().find(|vector| vector["id"] == "dingtalk-derived").unwrap()["inputs"];
        let mut headers = http::HeaderMap::new();
        for (name, value) in inputs["headers"].as_object().unwrap() {
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let inbound = Inbound {
            method: Method::POST,
            path: "/hooks/dingtalk".into(),
            query: String::new(),
            host: "localhost".into(),
            headers,
            body: "{}".into(),
        };
        let caller = Caller::new("dingtalk", "dingtalk");
        let key = |text: &str| ActiveSecret::new(None, vec![(SECRET, Secret::new(text.to_owned()).unwrap())]).unwrap();
        let own = inputs["app_secret"].as_str().unwrap();
        let verified = |secrets: &[&str], millis: i64| {
            let secrets = secrets.iter().map(|secret| key(secret)).collect();
            let keys = VerificationKeys { secrets, published: None };
            let now = DateTime::from_timestamp_millis(1_577_262_236_757 + millis).unwrap();
            Dingtalk.verify(&inbound, &caller, &keys, now).map(drop)
        };
        assert_eq!(verified(&["another", own], 0), Ok(()));
        assert_eq!(verified(&["another"], 0), Err(ProofError::Wrong));
        for (millis, expected) in [
            (3_600_000, Ok(())),
            (-3_600_000, Ok(())),
            (3_600_001, Err(ProofError::Expired)),
            (-3_600_001, Err(ProofError::Expired)),
        ] {
            assert_eq!(verified(&[own], millis), expected);
        }
    }

    #[test]
    fn milliseconds_are_digits() {
        assert_eq!(millis("1577262236757"), Some(1_577_262_236_757));
        for text in ["", "1577262236", "+577262236757", "0577262236757", "15772622367570", "157726223675 "] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn follow_ups_go_to_a_session_alone() {
        assert!(reply_address("https://oapi.dingtalk.com/robot/sendBySession?session=1").is_some());
        for url in [
            "https://oapi.dingtalk.com/robot/send?access_token=1",
            "https://oapi.dingtalk.com/robot/sendBySession/../send?access_token=1",
            "https://oapi.dingtalk.com.evil.example/robot/sendBySession?session=1",
            "http://oapi.dingtalk.com/robot/sendBySession?session=1",
            "",
        ] {
            assert!(reply_address(url).is_none(), "{url}");
        }
    }
}

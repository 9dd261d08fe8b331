//! DingTalk, what people write to an internal app's bot that receives in HTTP mode: `POST /hooks/{caller}`.
//!
//! Proof: `sign`, the base64 HMAC-SHA256 of the `timestamp` (in milliseconds), a line break and the app's secret, under that
//! secret; more than an hour off is refused ("Receive messages", <https://help.dingtalk.io/open/development/receive-message>).
//!
//! **The body is not signed.** Who has seen the two headers of one request can say anything as anybody for an hour, and can
//! confirm it, too. So nothing is removed at once (`confirm` cannot be off), and what matters should need the approval of
//! somebody on a platform that signs what people say. Encrypted bodies, which the same setting of DingTalk's offers, are not
//! supported: no page of DingTalk's could be found that says how they are made.
//!
//! The actor is `senderStaffId`, the user's id in the organization; people from outside have none and can ask nothing.
//!
//! DingTalk shows the answer as a message. What takes longer follows at `sessionWebhook`, which has to be the one address of
//! <https://oapi.dingtalk.com> that is for it. The words are a `text`, which has no markup.
//!
//! Not supported: buttons, which come back by DingTalk's other ways only (Stream mode, card callbacks), so that people type
//! `confirm <id>`; other messages than text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::callers::chat::grammar;
use crate::callers::chat::message::{self, Style};
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{CallerKind, Endpoint, Reading, Speech};
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::hmac_sha256_is;
use crate::outcome::language::{Language, Localized};
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::json;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape { proves_body: false, ..CallerShape::chat("dingtalk") },
    place: Endpoint::Hook("POST"),
    content_types: &["application/json"],
    published: None,
    open: None,
    verify,
    read,
    render,
    speech: Some(Speech { escape: str::to_owned, say: message }),
    early: Some(|early| message(&message::early(early))),
    later: Some(FollowUp {
        method: Method::POST,
        at: |_, url| later(url),
        bodies: |answer| vec![message(&message::text(answer, STYLE)).body],
        words: None,
        waits_without: false,
        login: None,
    }),
    envelope: None,
};

const SIGN: &str = "sign";

const TIMESTAMP: &str = "timestamp";

/// How far a timestamp may be from now, in milliseconds, either way.
const TOLERANCE: u64 = 3_600_000;

fn verify(
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
    if now.timestamp_millis().abs_diff(at) > TOLERANCE {
        return Err(ProofError::Expired);
    }
    let signs = |secret: &[u8]| hmac_sha256_is(secret, &[timestamp.as_bytes(), b"\n", secret], &tag);
    if !keys.secrets.iter().any(|key| signs(key.secret.expose().as_bytes())) {
        return Err(ProofError::Wrong);
    }
    Ok(Proof::of(DeliveryId::new(caller, &[timestamp.as_bytes(), &inbound.body])))
}

/// Unix milliseconds of this century, in decimal digits only.
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
}

#[derive(Deserialize)]
struct Text {
    content: String,
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let message: Message = match json(&inbound.body) {
        Ok(message) => message,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let actor = match staff_id(&message.sender_staff_id.unwrap_or_default()) {
        Ok(id) => Actor::person(caller, &id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let said = match (message.msgtype.as_str(), message.text) {
        ("text", Some(Text { content })) => grammar::command(content.trim(), config),
        _ => Err(RequestError::CommandMalformed),
    };
    Reading { later: message.session_webhook.and_then(|url| later(&url)), ..Reading::of(actor, said) }
}

/// A session's URL. There are others at the same origin that would show what is said to somebody else.
fn later(url: &str) -> Option<ReplyAddress> {
    let later = ReplyAddress::at("https://oapi.dingtalk.com", url)?;
    url.starts_with("https://oapi.dingtalk.com/robot/sendBySession?").then_some(later)
}

/// A user's id in the organization. No page says which characters there are in one; these are those that have been seen.
fn staff_id(given: &str) -> Result<String, RequestError> {
    if given.is_empty() {
        return Err(RequestError::FieldMissing { name: "senderStaffId" });
    }
    let good = given.len() <= 64 && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte));
    if good {
        Ok(given.to_owned())
    } else {
        Err(RequestError::FieldInvalid {
            name: "senderStaffId",
            given: given.into(),
            expected: Localized {
                en: "a user id: at most 64 letters, digits and `_-@.`",
                zh: "用户 ID：不超过 64 个字母、数字及 `_-@.`",
            },
        })
    }
}

/// No markup, and no mention: who is mentioned stands in a field of its own, which is not there.
const STYLE: Style = Style { escape: str::to_owned, small: str::to_owned, longest: LONGEST };

/// No page says how long a message may be; this is what other platforms show.
const LONGEST: usize = 3000;

fn render(answer: &Reply<'_>) -> Rendered {
    message(&message::text(answer, STYLE))
}

fn message(text: &str) -> Rendered {
    let text = message::truncate(text, LONGEST);
    Rendered::json(StatusCode::OK, json!({"msgtype": "text", "text": {"content": text}}).to_string())
}

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
            verify(&inbound, &caller, &keys, now).map(drop)
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
    fn only_a_session_is_told() {
        assert!(later("https://oapi.dingtalk.com/robot/sendBySession?session=1").is_some());
        for url in [
            "https://oapi.dingtalk.com/robot/send?access_token=1",
            "https://oapi.dingtalk.com/robot/sendBySession/../send?access_token=1",
            "https://oapi.dingtalk.com.evil.example/robot/sendBySession?session=1",
            "http://oapi.dingtalk.com/robot/sendBySession?session=1",
            "",
        ] {
            assert!(later(url).is_none(), "{url}");
        }
    }
}

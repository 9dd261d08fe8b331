//! Feishu, outside China Lark: messages to an app's bot, and the buttons below its answers: `POST /hooks/{caller}`.
//!
//! Proof: `X-Lark-Signature`, the hex SHA-256 of `X-Lark-Request-Timestamp`, `X-Lark-Request-Nonce`, the app's Encrypt Key and
//! the raw body, one after the other. The body is `{"encrypt": …}`: base64 of an IV of 16 bytes and AES-256-CBC under the
//! SHA-256 of the Encrypt Key ("Send callbacks to the developer's server",
//! <https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/event-subscription-guide/callback-subscription/step-1-choose-a-subscription-mode/send-callbacks-to-developers-server>;
//! Feishu's own SDK does the same, `event/event.go` of <https://github.com/larksuite/oapi-sdk-go>). No page says how old a
//! timestamp may be; here it is 300 seconds. The requests of an app without an Encrypt Key are not signed, and are refused.
//!
//! The check of a new URL (`url_verification`) has no signature; it is answered with its own `challenge` if its `token` is the
//! app's Verification Token or none is configured. Nothing else is believed without a signature.
//!
//! The actor is the signed `open_id`, which identifies a person within this app and does not change; never a name.
//!
//! Feishu shows nothing of the answer to a message, so every outcome is sent by the reply API
//! (<https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/reply>), with a `tenant_access_token`
//! (<https://open.feishu.cn/document/ukTMukTMukTM/ukDNz4SO0MjL5QzM/auth-v3/auth/tenant_access_token_internal>). A click is
//! answered within three seconds by a new card in the place of the old one, or by a toast
//! (<https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication>); what takes longer
//! follows as a reply.
//!
//! Not supported: events by long connection, apps of the app store, events of version 1.0, old card callbacks
//! (`card.action.trigger_v1`, which are signed with SHA-1), messages without text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::callers::chat::delivery;
use crate::callers::chat::feishu_text::{self, Mention};
use crate::callers::chat::forms::feishu;
use crate::callers::chat::grammar;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::chat::tenant;
use crate::callers::follow_up::{FollowUp, Login, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Part, Setting};
use crate::config::callers::Caller;
use crate::crypto::aes_cbc;
use crate::crypto::mac::{lower_hex_32, same_secret};
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{consists_of, json, unix_seconds};
use crate::secret::Secret;

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::Secrets(&[
        Part::required(ENCRYPT_KEY),
        Part::required(APP_SECRET),
        Part::optional(VERIFICATION_TOKEN),
    ]),
    settings: &[
        Setting {
            is_valid: |id| is_id(id, "cli_"),
            expected: "the app's id, such as `cli_9f5343c580712544`",
            ..Setting::text(APP_ID, true)
        },
        Setting {
            is_valid: |domain| [FEISHU, LARK].contains(&domain),
            expected: "`open.feishu.cn`, which is meant when nothing is said, or `open.larksuite.com`",
            ..Setting::text(DOMAIN, false)
        },
        Setting {
            is_valid: |id| is_id(id, "ou_"),
            expected: "the bot's own `open_id`, such as `ou_7d8a6e6df7621556ce0d21922b676706`",
            ..Setting::text(BOT_OPEN_ID, false)
        },
        Setting::texts(TENANT, false),
    ],
    ..CallerShape::chat("feishu")
};

pub(crate) struct Feishu;

impl CallerKind for Feishu {
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
        let known: Vec<_> = keys.secrets.iter().filter_map(|key| Some((key, key.part(ENCRYPT_KEY)?))).collect();
        if known.is_empty() {
            return Err(ProofError::SecretUnset);
        }
        if !inbound.headers.contains_key(SIGNATURE)
            && let Some(proof) = unsigned_check(inbound, caller, &known)
        {
            return Ok(proof);
        }
        let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
        let nonce = required_header(&inbound.headers, NONCE)?;
        let signature = required_header(&inbound.headers, SIGNATURE)?;
        let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        // The signature has no separator between timestamp and nonce: a leading digit of the nonce could belong to either.
        let good = nonce.len() <= 128 && nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if !good || timestamp.len() != 10 {
            return Err(ProofError::Malformed { header: if good { TIMESTAMP } else { NONCE } });
        }
        let tag = lower_hex_32(signature).ok_or(ProofError::Malformed { header: SIGNATURE })?;
        check_timestamp(seconds, now)?;
        let signs = |(_, key): &&(&ActiveSecret, &Secret)| {
            let mut digest = Sha256::new();
            for part in [timestamp.as_bytes(), nonce.as_bytes(), key.expose().as_bytes(), &inbound.body] {
                digest.update(part);
            }
            bool::from(digest.finalize().as_slice().ct_eq(&tag))
        };
        let (key, encrypt_key) = first_that_proves(&known, signs)?;
        let plain = match encrypted(&inbound.body) {
            Some(text) => Some(decrypt(&text, encrypt_key).ok_or(RequestError::BodyMalformed { why: NOT_ENCRYPTED })?),
            None => None,
        };
        // A repeated event has another timestamp, nonce and IV.
        let delivery = match json::<Event>(plain.as_deref().unwrap_or(&inbound.body)) {
            Ok(event) => DeliveryId::new(caller, &[b"event", event.header.event_id.as_bytes()]),
            Err(_) => DeliveryId::new(caller, &[b"body", &inbound.body]),
        };
        Ok(Proof { plain: plain.map(Bytes::from), key: Some((*key).clone()), ..Proof::of(delivery) })
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let message = of_reply::message(reply);
        let body = match reply.clicked {
            None => json!({}),
            Some(_) if of_reply::replaces(reply) => json!({"card": {"type": "raw", "data": feishu::card(&message)}}),
            Some(_) => toast("error", &message),
        };
        Rendered::json(StatusCode::OK, body.to_string())
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| {
            let body = match early.clicked {
                None => json!({}),
                Some(_) => toast("info", &of_reply::acknowledgement(early)),
            };
            Rendered::json(StatusCode::OK, body.to_string())
        })
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: |caller, url| ReplyAddress::at(&origin(caller), url),
            bodies: |reply| vec![Feishu.reply(reply).body],
            words: None,
            answer: delivery::code,
            waits_without: true,
            login: Some(Login { request: login, token }),
        };
        Some(&FOLLOW_UP)
    }
}

impl ChatPlatform for Feishu {
    /// The content of a message is the card's JSON as a text.
    fn show(&self, message: &ChatMessage) -> Rendered {
        let body = json!({"msg_type": "interactive", "content": feishu::card(message).to_string()});
        Rendered::json(StatusCode::OK, body.to_string())
    }
}

const ENCRYPT_KEY: &str = "encrypt_key";

const APP_SECRET: &str = "app_secret";

const VERIFICATION_TOKEN: &str = "verification_token";

const APP_ID: &str = "app_id";

const DOMAIN: &str = "domain";

/// What a message in a group has to mention.
const BOT_OPEN_ID: &str = "bot_open_id";

const TENANT: &str = "tenant";

const FEISHU: &str = "open.feishu.cn";

const LARK: &str = "open.larksuite.com";

const SIGNATURE: &str = "x-lark-signature";

const TIMESTAMP: &str = "x-lark-request-timestamp";

const NONCE: &str = "x-lark-request-nonce";

/// Returns the origin of the app's API.
fn origin(caller: &Caller) -> String {
    format!("https://{}", caller.setting(DOMAIN).unwrap_or(FEISHU))
}

/// Whether it is an id as Feishu gives them: a prefix that says what it is of, then letters, digits, `_` and `-`; at most 128
/// in all.
fn is_id(given: &str, prefix: &str) -> bool {
    let rest = given.strip_prefix(prefix).filter(|_| given.len() <= 128);
    rest.is_some_and(|rest| consists_of(rest, 128, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)))
}

const NOT_ENCRYPTED: Localized = Localized {
    en: "`encrypt` cannot be decrypted with the app's Encrypt Key",
    zh: "无法用应用的Encrypt Key解密 `encrypt`",
};

#[derive(Deserialize)]
struct Encrypted {
    encrypt: String,
}

/// Returns the ciphertext of an encrypted body.
fn encrypted(body: &[u8]) -> Option<String> {
    json::<Encrypted>(body).ok().map(|body| body.encrypt)
}

fn decrypt(text: &str, encrypt_key: &Secret) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (iv, ciphertext) = bytes.split_first_chunk::<16>()?;
    let key = Sha256::digest(encrypt_key.expose().as_bytes());
    aes_cbc::decrypt(&key.into(), iv, ciphertext, 16)
}

/// The check of a new URL.
#[derive(Deserialize)]
struct Check {
    r#type: String,
    challenge: String,
    token: String,
}

impl Check {
    /// Reads a body; `None` if it is another event.
    fn of(plain: &[u8]) -> Option<Self> {
        json(plain).ok().filter(|check: &Self| check.r#type == "url_verification")
    }

    fn answer(&self) -> Rendered {
        Rendered::json(StatusCode::OK, json!({"challenge": self.challenge}).to_string())
    }
}

/// Accepts the check of a new URL, which is not signed. [`parse`] takes a body that was accepted here for nothing else.
fn unsigned_check(inbound: &Inbound, caller: &Caller, known: &[(&ActiveSecret, &Secret)]) -> Option<Proof> {
    let text = encrypted(&inbound.body);
    known.iter().find_map(|(key, encrypt_key)| {
        let plain = match &text {
            Some(text) => Bytes::from(decrypt(text, encrypt_key)?),
            None => inbound.body.clone(),
        };
        let check = Check::of(&plain)?;
        let token = key.part(VERIFICATION_TOKEN);
        let good = token.is_none_or(|token| same_secret(check.token.as_bytes(), token));
        let proof = Proof::of(DeliveryId::new(caller, &[b"check", &inbound.body]));
        good.then(|| Proof { plain: Some(plain), key: Some((*key).clone()), ..proof })
    })
}

#[derive(Deserialize)]
struct Event {
    header: Header,
    event: Value,
}

#[derive(Deserialize)]
struct Header {
    event_id: String,
    event_type: String,
    app_id: String,
    tenant_key: Option<String>,
}

/// An event of version 1.0, or a click on an old card: they have no header.
#[derive(Deserialize)]
struct OldEvent {
    r#type: Option<String>,
    open_message_id: Option<String>,
}

impl OldEvent {
    /// Whether the body is one.
    fn is(plain: &[u8]) -> bool {
        let is_old = |event: Self| event.r#type.as_deref() == Some("event_callback") || event.open_message_id.is_some();
        json(plain).is_ok_and(is_old)
    }
}

#[derive(Deserialize)]
struct Message {
    sender: MessageSender,
    message: Sent,
}

#[derive(Deserialize)]
struct MessageSender {
    sender_id: Ids,
    sender_type: String,
    tenant_key: Option<String>,
}

#[derive(Deserialize)]
struct Ids {
    open_id: String,
}

#[derive(Deserialize)]
struct Sent {
    message_id: String,
    chat_type: String,
    message_type: String,
    content: String,
    mentions: Option<Vec<Mention>>,
}

#[derive(Deserialize)]
struct Clicked {
    operator: Operator,
    action: Action,
    context: Context,
}

#[derive(Deserialize)]
struct Operator {
    open_id: String,
    tenant_key: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    value: Option<Value>,
}

#[derive(Deserialize)]
struct Context {
    open_message_id: String,
}

/// What the buttons of the gateway hand back.
#[derive(Deserialize)]
struct Pressed {
    action: String,
    id: String,
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Verified { inbound, proof, caller } = request;
    let plain = proof.plain.as_ref().unwrap_or(&inbound.body);
    if let Some(check) = Check::of(plain) {
        return Ok(Parsed::reply(check.answer()));
    }
    if OldEvent::is(plain) {
        return Ok(Parsed::ignored("an event of version 1.0; set the app's events and cards to version 2.0"));
    }
    let Event { header, event } = json(plain)?;
    if caller.setting(APP_ID) != Some(&header.app_id) {
        let expected = Localized { en: "the app ID in offboard.toml", zh: "offboard.toml中的应用ID" };
        return Err(RequestError::invalid("header.app_id", header.app_id, expected));
    }
    // Read again from text, because only the reader of text says what is wrong.
    let event = event.to_string();
    let own = header.tenant_key.as_deref();
    match header.event_type.as_str() {
        "im.message.receive_v1" => {
            let message: Message = json(event.as_bytes())?;
            check_tenant(caller, own, message.sender.tenant_key.as_deref())?;
            said(message, caller, config)
        }
        "card.action.trigger" => {
            let click: Clicked = json(event.as_bytes())?;
            check_tenant(caller, own, click.operator.tenant_key.as_deref())?;
            clicked(click, caller)
        }
        _ => Ok(Parsed::ignored("no message and no click")),
    }
}

/// Refuses people of other organizations. Without the setting, those are people of another one than the event is for, as in a group
/// that two share.
fn check_tenant(caller: &Caller, own: Option<&str>, of_person: Option<&str>) -> Result<(), RequestError> {
    const FIELD: &str = "tenant_key";

    tenant::check(caller, TENANT, FIELD, of_person.or(own))?;
    match (own, of_person) {
        (Some(own), Some(of_person)) if own != of_person && caller.settings(TENANT).is_empty() => {
            Err(tenant::foreign(FIELD, of_person))
        }
        _ => Ok(()),
    }
}

/// Returns the address of replies to a message.
fn reply_address(caller: &Caller, message_id: &str) -> Option<ReplyAddress> {
    let origin = origin(caller);
    let url = format!("{origin}/open-apis/im/v1/messages/{message_id}/reply");
    if is_id(message_id, "om_") { ReplyAddress::at(&origin, &url) } else { None }
}

/// Parses a message to the bot.
fn said<'c>(message: Message, caller: &Caller, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Message { sender, message } = message;
    if sender.sender_type != "user" {
        return Ok(Parsed::ignored("its sender is not a person"));
    }
    let actor = Actor::person(caller, open_id(&sender.sender_id.open_id)?);
    let mentions = message.mentions.unwrap_or_default();
    let is_direct = message.chat_type == "p2p";
    let bot = mentions.iter().position(|mention| mention.is_bot(caller.setting(BOT_OPEN_ID)));
    // An app may have the right to read everything that is written in its groups.
    if !is_direct && bot.is_none() {
        return Ok(Parsed::Ignored { sender: Some(actor.into()), why: "said in a group, and not to the bot" });
    }
    let text = feishu_text::text(&message.message_type, &message.content);
    let command = text.and_then(|text| grammar::command(&feishu_text::without_bot(&text, &mentions, bot), config));
    let reply_address = reply_address(caller, &message.message_id).map(ReplyAddress::of_all);
    Ok(Parsed::of(Sender { reply_address, ..actor.into() }, command))
}

/// Parses a click on a button below a message of the gateway.
fn clicked<'c>(clicked: Clicked, caller: &Caller) -> Result<Parsed<'c>, RequestError> {
    let actor = Actor::person(caller, open_id(&clicked.operator.open_id)?);
    // Some cards hand their value back as a text with JSON in it.
    let value = match clicked.action.value.unwrap_or_default() {
        Value::String(text) => text,
        value => value.to_string(),
    };
    let pressed = json::<Pressed>(value.as_bytes()).ok();
    let pressed = pressed.and_then(|pressed| Some((ApprovalAction::parse(&pressed.action)?, pressed.id)));
    let Some((action, id)) = pressed else {
        let expected = Localized { en: "a button of this gateway", zh: "本网关的按钮" };
        return Ok(Parsed::of(actor, Err(RequestError::invalid("event.action.value", value, expected))));
    };
    let reply_address = reply_address(caller, &clicked.context.open_message_id);
    Ok(Parsed::pressed(Sender { reply_address, ..actor.into() }, action, id))
}

/// Checks the id of a person within this app.
fn open_id(given: &str) -> Result<&str, RequestError> {
    let expected = Localized {
        en: "a Feishu user ID such as `ou_84aad35d084aa403a838cf73ee18467`",
        zh: "飞书用户ID，例如 `ou_84aad35d084aa403a838cf73ee18467`",
    };
    if is_id(given, "ou_") { Ok(given) } else { Err(RequestError::invalid("open_id", given, expected)) }
}

/// Returns a notice that goes away, for the person who clicked.
fn toast(how: &str, message: &ChatMessage) -> Value {
    json!({"toast": {"type": how, "content": feishu::toast(message)}})
}

fn login(caller: &Caller, key: &ActiveSecret) -> Option<Request<Bytes>> {
    let app_secret = key.part(APP_SECRET)?.expose();
    let body = json!({"app_id": caller.setting(APP_ID)?, "app_secret": app_secret}).to_string();
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{}/open-apis/auth/v3/tenant_access_token/internal", origin(caller)).parse().ok()?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    *request.body_mut() = body.into();
    Some(request)
}

#[derive(Deserialize)]
struct LoggedIn {
    code: i64,
    tenant_access_token: String,
}

fn token(body: &[u8]) -> Option<Secret> {
    let answer: LoggedIn = json(body).ok()?;
    if answer.code == 0 { Secret::new(answer.tenant_access_token) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(id: &str) -> Value {
        let file: Value = serde_json::from_str(include_str!("../../../tests/fixtures/vectors/callers.json")).unwrap();
        file["vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == id).unwrap().clone()
    }

    fn key(encrypt_key: &str) -> ActiveSecret {
        let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
        ActiveSecret::new(None, vec![(ENCRYPT_KEY, secret(encrypt_key)), (APP_SECRET, secret("s"))]).unwrap()
    }

    #[test]
    fn published_ciphertext() {
        let vector = vector("feishu-decrypt-docs");
        let text = |pointer: &str| vector.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let secret = Secret::new(text("/inputs/encrypt_key")).unwrap();
        let plain = decrypt(&text("/inputs/encrypt"), &secret).unwrap();
        assert_eq!(String::from_utf8(plain).unwrap(), text("/expected/plaintext"));
    }

    #[test]
    fn signature() {
        let vector = vector("feishu-signature-derived");
        let inputs = &vector["inputs"];
        let caller = Caller::new("feishu", "feishu").with(APP_ID, &["cli_a"]);
        let mut headers = http::HeaderMap::new();
        for (name, value) in inputs["headers"].as_object().unwrap() {
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let inbound = |headers: &http::HeaderMap| Inbound {
            method: Method::POST,
            path: "/hooks/feishu".into(),
            query: String::new(),
            host: "localhost".into(),
            headers: headers.clone(),
            body: Bytes::from(inputs["body"].as_str().unwrap().to_owned()),
        };
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let own = key(inputs["encrypt_key"].as_str().unwrap());
        let secrets = vec![key("another"), own];
        let proof = Feishu
            .verify(&inbound(&headers), &caller, &VerificationKeys { secrets: secrets.clone(), published: None }, now)
            .unwrap();
        assert_eq!(proof.plain.as_deref(), Some(&b"hello world"[..]));

        // A digit that moves from the timestamp to the nonce makes another timestamp.
        headers.insert(TIMESTAMP, "170000000".parse().unwrap());
        headers.insert(NONCE, "0nonce-1".parse().unwrap());
        let moved = Feishu.verify(&inbound(&headers), &caller, &VerificationKeys { secrets, published: None }, now);
        assert_eq!(moved.err(), Some(ProofError::Malformed { header: TIMESTAMP }));
    }

    #[test]
    fn replies_go_to_the_domain_of_the_app() {
        let caller = Caller::new("feishu", "feishu");
        let url = |caller: &Caller, id: &str| reply_address(caller, id).map(|address| address.url().to_owned());
        let expected = "https://open.feishu.cn/open-apis/im/v1/messages/om_1/reply";
        assert_eq!(url(&caller, "om_1").as_deref(), Some(expected));
        let expected = "https://open.larksuite.com/open-apis/im/v1/messages/om_1/reply";
        assert_eq!(url(&caller.clone().with(DOMAIN, &[LARK]), "om_1").as_deref(), Some(expected));
        for id in ["", "om_", "om_1/../../x", "om_1?x", "om_1#", "ou_1", "om_\u{e4}"] {
            assert_eq!(url(&caller, id), None, "{id}");
        }
    }

    #[test]
    fn a_token_is_taken_from_a_success_only() {
        assert_eq!(
            token(br#"{"code":0,"msg":"ok","tenant_access_token":"t-1","expire":7200}"#).unwrap().expose(),
            "t-1"
        );
        for body in [
            &br#"{"code":10003,"msg":"invalid param"}"#[..],
            br#"{"code":99991663,"tenant_access_token":"t-1"}"#,
            br#"{"code":0,"tenant_access_token":""}"#,
            b"",
        ] {
            assert!(token(body).is_none());
        }
    }
}

//! WeCom (企业微信), the messages that people send to an app of the enterprise or to a smart bot: `/hooks/{caller}`.
//!
//! Proof: `msg_signature`, `timestamp` and `nonce` in the query. The signature is the hex SHA-1 of the token, the two others and
//! the ciphertext, sorted as text and put together (<https://developer.work.weixin.qq.com/document/path/90968>). The ciphertext
//! is AES-256-CBC under the EncodingAESKey, whose first half is the initialization vector too, over 16 random bytes, the
//! length of the message, the message and the receiver's id, padded to a multiple of 32. The receiver is the enterprise of an app
//! (setting `receive_id`), and empty for a bot (<https://developer.work.weixin.qq.com/document/path/101033>). WeCom does not
//! say how old a timestamp may be; here it is 300 seconds.
//!
//! A GET checks the URL: its `echostr` is answered decrypted. An app is sent XML, a bot JSON, and
//! both get answers of the same form, encrypted (`90238`, `90241`; `100719`, `101031`). WeCom waits for five seconds, and repeats a
//! message three times, with the same `MsgId`. What takes longer follows at a bot's `response_url`, which takes one message
//! within an hour (`101138`); the requester of an app has to ask again.
//!
//! The actor is the `userid`, which an administrator can change once; WeCom has no id of people that lasts longer.
//!
//! Not supported: template cards, so there are no buttons and people write `confirm` and the reference; messages without
//! text; the JSON form that an app can be set to; bots and apps of other enterprises. WeCom's pages do not say which content
//! type its requests have; those that fit its forms are taken.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::callers::chat::delivery;
use crate::callers::chat::forms::wecom;
use crate::callers::chat::grammar;
use crate::callers::chat::mentions;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::chat::wecom_xml::{required, xml};
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Encryption, Endpoint, Envelope, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Part, Setting};
use crate::config::callers::Caller;
use crate::crypto::aes_cbc;
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{Fields, consists_of, json, unix_seconds};
use crate::request::unclear::Unclear;
use crate::secret::Secret;

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::Secrets(&[Part::required(TOKEN), Part::required(AES_KEY)]),
    settings: &[Setting::text(RECEIVE_ID, false), Setting::text(BOT_NAME, false)],
    secret_form: |part, secret| match part {
        AES_KEY if aes_key(secret).is_none() => Err("the EncodingAESKey, 43 letters and digits"),
        _ => Ok(()),
    },
    ..CallerShape::chat("wecom")
};

pub(crate) struct Wecom;

impl CallerKind for Wecom {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("GET, POST")
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["text/xml", "application/xml", "application/json", "text/plain"]
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let query = Fields::from_query(&inbound.query)?;
        let given = |name| query.required(name).map_err(|_| ProofError::Missing { header: name });
        let (signature, timestamp, nonce) = (given(SIGNATURE)?, given(TIMESTAMP)?, given(NONCE)?);
        let lower = signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if signature.len() != 40 || !lower {
            return Err(ProofError::Malformed { header: SIGNATURE });
        }
        let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        let ciphertext = match (&inbound.method, receiver(caller)) {
            (&Method::GET, _) => given(ECHO)?.to_owned(),
            (_, Some(_)) => required(&xml(&inbound.body)?, "Encrypt")?.to_owned(),
            (_, None) => json::<Encrypted>(&inbound.body)?.encrypt,
        };
        check_timestamp(seconds, now)?;
        let signed = |pair: &Pair<'_>| {
            bool::from(pair.signature(timestamp, nonce, &ciphertext).as_bytes().ct_eq(signature.as_bytes()))
        };
        let pair = first_that_proves(keys.secrets.iter().filter_map(Pair::of), signed)?;
        let (message, whom) = pair.open(&ciphertext).ok_or(RequestError::BodyMalformed { why: NOT_DECRYPTED })?;
        // A message to another enterprise's app with the same token is not for this caller.
        if whom != receiver(caller).unwrap_or_default().as_bytes() {
            return Err(ProofError::Wrong);
        }
        let delivery = match (&inbound.method, id(&message, caller)) {
            (&Method::POST, Some(id)) => DeliveryId::new(caller, &[id.as_bytes()]),
            _ => DeliveryId::new(caller, &[timestamp.as_bytes(), &message]),
        };
        Ok(Proof { key: Some(pair.key.clone()), plain: Some(Bytes::from(message)), ..Proof::of(delivery) })
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| Wecom.show(&of_reply::acknowledgement(early)))
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: |_, url| ReplyAddress::at(ORIGIN, url),
            bodies: |reply| vec![markdown(&wecom::markdown(&of_reply::message(reply)))],
            words: Some(|rendered| Words::of(&rendered).map(|words| markdown(&words.of_bot)).into_iter().collect()),
            answer: delivery::errcode,
            waits_without: false,
            login: None,
        };
        Some(&FOLLOW_UP)
    }

    fn encryption(&self) -> Option<Encryption> {
        Some(envelope)
    }
}

impl ChatPlatform for Wecom {
    fn show(&self, message: &ChatMessage) -> Rendered {
        Words { of_bot: wecom::markdown(message), of_app: wecom::text(message) }.rendered()
    }

    /// The messages of an app are for the requester alone, who cannot approve.
    fn reply(&self, reply: &Reply<'_>) -> Rendered {
        let message = of_reply::message(reply);
        let waits = of_reply::to_requester(reply).filter(|_| reply.request.is_readers);
        let of_app = wecom::text(waits.as_ref().unwrap_or(&message));
        Words { of_bot: wecom::markdown(&message), of_app }.rendered()
    }
}

/// A message in both forms, before [`envelope`] takes the one of its caller.
#[derive(Serialize, Deserialize)]
struct Words {
    of_bot: String,
    of_app: String,
}

impl Words {
    /// 200 for every outcome: WeCom repeats a message that was answered with another status.
    fn rendered(&self) -> Rendered {
        Rendered::of(WORDS, StatusCode::OK, json!(self).to_string())
    }

    fn of(rendered: &Rendered) -> Option<Self> {
        serde_json::from_str(&rendered.body).ok()
    }
}

const TOKEN: &str = "token";

const AES_KEY: &str = "aes_key";

const RECEIVE_ID: &str = "receive_id";

/// The name of a bot whose name has spaces.
const BOT_NAME: &str = "bot_name";

const ORIGIN: &str = "https://qyapi.weixin.qq.com";

const SIGNATURE: &str = "msg_signature";

const TIMESTAMP: &str = "timestamp";

const NONCE: &str = "nonce";

const ECHO: &str = "echostr";

const NOT_AN_ECHO: Localized =
    Localized { en: "`echostr` is not a text of WeCom's check", zh: "`echostr` 不是企业微信的校验文本" };

const NOT_DECRYPTED: Localized = Localized { en: "it cannot be decrypted", zh: "无法解密" };

/// An EncodingAESKey is 43 random letters and digits; the last one has bits beyond the 32 bytes, which are dropped.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Decodes an EncodingAESKey, to which some add the padding that WeCom leaves out.
fn aes_key(secret: &Secret) -> Option<[u8; 32]> {
    let text = secret.expose();
    KEY.decode(text.strip_suffix('=').unwrap_or(text)).ok()?.try_into().ok()
}

/// The block size of the padding.
const PAD_TO: u8 = 32;

/// A token and a key that belong together.
struct Pair<'k> {
    key: &'k ActiveSecret,
    token: &'k str,
    aes: [u8; 32],
    iv: [u8; 16],
}

impl<'k> Pair<'k> {
    fn of(key: &'k ActiveSecret) -> Option<Self> {
        let token = key.part(TOKEN)?.expose();
        let aes = aes_key(key.part(AES_KEY)?)?;
        let iv = *aes.first_chunk()?;
        Some(Self { key, token, aes, iv })
    }

    fn signature(&self, timestamp: &str, nonce: &str, ciphertext: &str) -> String {
        let mut parts = [self.token, timestamp, nonce, ciphertext];
        parts.sort_unstable();
        hex::encode(Sha1::digest(parts.concat()))
    }

    /// Decrypts a message; returns it and its receiver.
    fn open(&self, ciphertext: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let plain = aes_cbc::decrypt(&self.aes, &self.iv, &STANDARD.decode(ciphertext).ok()?, PAD_TO)?;
        let (_, rest) = plain.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (message, receiver) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some((message.to_vec(), receiver.to_vec()))
    }

    fn seal(&self, message: &str, receiver: &str, random: u128) -> Option<String> {
        let length = u32::try_from(message.len()).ok()?.to_be_bytes();
        let plain = [&random.to_be_bytes()[..], &length, message.as_bytes(), receiver.as_bytes()].concat();
        Some(STANDARD.encode(aes_cbc::encrypt(&self.aes, &self.iv, &plain, PAD_TO)))
    }
}

#[derive(Deserialize)]
struct Encrypted {
    encrypt: String,
}

/// Returns the receiver of the caller's messages, which also decides their form: XML for an app of this enterprise, JSON for a
/// bot, which has no receiver.
fn receiver(caller: &Caller) -> Option<&str> {
    caller.setting(RECEIVE_ID)
}

/// Returns what identifies a message.
fn id(message: &[u8], caller: &Caller) -> Option<String> {
    match receiver(caller) {
        Some(_) => Some(required(&xml(message).ok()?, "MsgId").ok()?.to_owned()),
        None => Some(json::<Message>(message).ok()?.msgid),
    }
}

/// A message to a bot.
#[derive(Deserialize)]
struct Message {
    msgid: String,
    msgtype: String,
    chattype: Option<String>,
    from: Option<From>,
    text: Option<Text>,
    mixed: Option<Value>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct From {
    userid: String,
    /// Set for people of another enterprise, whose `userid` may be one of this enterprise, too.
    corpid: Option<String>,
}

#[derive(Deserialize)]
struct Text {
    content: String,
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Verified { inbound, proof, caller } = request;
    let plain = proof.plain.clone().unwrap_or_default();
    if inbound.method == Method::GET {
        let echo = echo(&plain).ok_or(RequestError::BodyMalformed { why: NOT_AN_ECHO })?;
        return Ok(Parsed::reply(Rendered::of(AS_IT_IS, StatusCode::OK, echo)));
    }
    match receiver(caller) {
        Some(_) => to_app(&plain, caller, config),
        None => to_bot(&plain, caller, config),
    }
}

/// Returns the random text that WeCom checks a URL with; `None` if it is anything else. The parts of the proof are the same for a
/// GET and a POST: without this, a message that was seen on its way could be sent again as a check, and would be decrypted.
fn echo(plain: &[u8]) -> Option<String> {
    let text = String::from_utf8(plain.to_vec()).ok()?;
    consists_of(&text, 128, |byte| byte.is_ascii_alphanumeric()).then_some(text)
}

const NOT_A_COMMAND: &str = "neither a message nor about a removal";

fn to_app<'c>(plain: &[u8], caller: &Caller, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let message = xml(plain)?;
    let kind = required(&message, "MsgType")?;
    if kind == "event" {
        return Ok(Parsed::ignored(NOT_A_COMMAND));
    }
    let actor = Actor::person(caller, user_id(required(&message, "FromUserName")?)?);
    let command = match kind {
        "text" => required(&message, "Content").and_then(|text| grammar::command(text, config)),
        _ => Err(Unclear::NotText.into()),
    };
    Ok(Parsed::of(actor, command))
}

fn to_bot<'c>(plain: &[u8], caller: &Caller, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let message: Message = json(plain)?;
    // `stream` asks for the rest of an answer, of which there never is any: each answer is whole.
    let (Some(from), false) = (&message.from, matches!(message.msgtype.as_str(), "event" | "stream")) else {
        return Ok(Parsed::ignored(NOT_A_COMMAND));
    };
    if let Some(given) = &from.corpid {
        let expected = Localized {
            en: "no value: only members of this enterprise can use it",
            zh: "空值：仅限本企业成员使用",
        };
        return Err(RequestError::invalid("from.corpid", given.as_str(), expected));
    }
    let actor = Actor::person(caller, user_id(&from.userid)?);
    let command = match said(&message) {
        None => Err(Unclear::NotText.into()),
        // In a group, the text begins with the mention of the bot.
        Some(text) if message.chattype.as_deref() == Some("group") => {
            grammar::command(mentions::without_names(&text, caller.setting(BOT_NAME)), config)
        }
        Some(text) => grammar::command(&text, config),
    };
    let reply_address = message.response_url.and_then(|url| ReplyAddress::at(ORIGIN, &url));
    Ok(Parsed::of(Sender { reply_address, ..actor.into() }, command))
}

/// Returns the text of a message to a bot; `None` if it has none. What was understood of spoken words is none: it is not what the
/// sender wrote.
fn said(message: &Message) -> Option<String> {
    match (message.msgtype.as_str(), &message.text, &message.mixed) {
        ("text", Some(Text { content }), _) => Some(content.clone()),
        ("mixed", _, Some(mixed)) => {
            let items = mixed.get("msg_item")?.as_array()?.iter();
            let texts: Vec<_> = items.filter_map(|item| item.pointer("/text/content")?.as_str()).collect();
            (!texts.is_empty()).then(|| texts.join(" "))
        }
        _ => None,
    }
}

/// Checks a member's `userid`: up to 64 letters, digits and `_-@.`, the first a letter or a digit
/// (<https://developer.work.weixin.qq.com/document/path/90195>).
fn user_id(given: &str) -> Result<&str, RequestError> {
    let is_id = given.starts_with(|first: char| first.is_ascii_alphanumeric())
        && consists_of(given, 64, |byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte));
    let expected =
        Localized { en: "a WeCom member ID such as `zhangsan`", zh: "企业微信成员ID，例如 `zhangsan`" };
    if is_id { Ok(given) } else { Err(RequestError::invalid("userid", given, expected)) }
}

/// The content type of answers that are not encrypted.
const AS_IT_IS: &str = "text/plain";

/// The content type of messages for people, before [`envelope`] encrypts them.
const WORDS: &str = "application/x-words";

fn markdown(text: &str) -> String {
    json!({"msgtype": "markdown", "markdown": {"content": text}}).to_string()
}

/// Puts a message into the form of the request and encrypts it.
fn envelope(rendered: Rendered, envelope: &Envelope<'_>) -> Rendered {
    match rendered.content_type {
        AS_IT_IS => rendered,
        WORDS => Words::of(&rendered).and_then(|words| answered(&words, envelope)).unwrap_or_else(nothing),
        // An answer about an event is not for people.
        _ => nothing(),
    }
}

/// The answer without a message.
fn nothing() -> Rendered {
    Rendered::of(AS_IT_IS, StatusCode::OK, String::new())
}

fn answered(words: &Words, envelope: &Envelope<'_>) -> Option<Rendered> {
    let Envelope { caller, key, plain, now, random } = *envelope;
    let pair = Pair::of(key)?;
    let timestamp = now.timestamp();
    let receiver = receiver(caller);
    let message = match receiver {
        Some(_) => {
            let asked = xml(plain).ok()?;
            let (user, app) = (required(&asked, "FromUserName").ok()?, required(&asked, "ToUserName").ok()?);
            format!(
                "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{timestamp}</CreateTime><MsgType>{}</MsgType><Content>{}</Content></xml>",
                cdata(user),
                cdata(app),
                cdata("text"),
                cdata(&words.of_app),
            )
        }
        None => {
            let Message { msgid, .. } = json(plain).ok()?;
            json!({"msgtype": "stream", "stream": {"id": msgid, "finish": true, "content": words.of_bot}}).to_string()
        }
    };
    let ciphertext = pair.seal(&message, receiver.unwrap_or_default(), random)?;
    // The nonce is public and half of the random bits: the first block of the ciphertext is random by the other half, too.
    let nonce = (random >> 96).to_string();
    let signature = pair.signature(&timestamp.to_string(), &nonce, &ciphertext);
    Some(match receiver {
        Some(_) => {
            let body = format!(
                "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{timestamp}</TimeStamp><Nonce>{}</Nonce></xml>",
                cdata(&ciphertext),
                cdata(&signature),
                cdata(&nonce),
            );
            Rendered::of("application/xml", StatusCode::OK, body)
        }
        None => {
            let body =
                json!({"encrypt": ciphertext, "msgsignature": signature, "timestamp": timestamp, "nonce": nonce});
            Rendered::json(StatusCode::OK, body.to_string())
        }
    })
}

fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::chat::text::Text;
    use crate::outcome::language::Language;
    use crate::secret::Secret;

    fn published() -> serde_json::Value {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/vectors/callers.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        vectors.iter().find(|vector| vector["id"] == "wecom-verify-url").unwrap().clone()
    }

    fn key(token: &str, aes_key: &str) -> ActiveSecret {
        let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
        ActiveSecret::new(None, vec![(TOKEN, secret(token)), (AES_KEY, secret(aes_key))]).unwrap()
    }

    fn of(vector: &serde_json::Value) -> ActiveSecret {
        let text = |name: &str| vector["inputs"][name].as_str().unwrap();
        key(text("token"), text("encoding_aes_key"))
    }

    fn query(vector: &serde_json::Value) -> Vec<(String, String)> {
        let fields = vector["inputs"]["query"].as_object().unwrap();
        fields.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    fn verified(
        fields: &[(String, String)],
        keys: Vec<ActiveSecret>,
        receive_id: Option<&str>,
    ) -> Result<Proof, ProofError> {
        let encoded = |text: &str| text.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let inbound = Inbound {
            method: Method::GET,
            path: "/hooks/wecom".into(),
            query: fields.join("&"),
            host: "localhost".into(),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
        };
        let mut caller = Caller::new("wecom", "wecom");
        if let Some(id) = receive_id {
            caller = caller.with(RECEIVE_ID, &[id]);
        }
        Wecom.verify(
            &inbound,
            &caller,
            &VerificationKeys { secrets: keys, published: None },
            DateTime::from_timestamp(1_409_659_589, 0).unwrap(),
        )
    }

    /// Tencent's own example of WXBizMsgCrypt; see `tests/fixtures/vectors`.
    #[test]
    fn published_vector() {
        let vector = published();
        let receive_id = vector["inputs"]["receive_id"].as_str();
        let fields = query(&vector);
        let proof = verified(&fields, vec![of(&vector)], receive_id).unwrap();
        assert_eq!(proof.plain.unwrap(), vector["expected"]["plaintext_echostr"].as_str().unwrap());

        // Both secrets of a rotation, in either order; the answer is encrypted with the one that proved the request.
        let other = key("other", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
        let proof = verified(&fields, vec![other.clone(), of(&vector)], receive_id).unwrap();
        assert_eq!(proof.key.unwrap().part(TOKEN).unwrap().expose(), "QDG6eK");

        assert_eq!(verified(&fields, vec![other], receive_id).unwrap_err(), ProofError::Wrong);
        assert_eq!(verified(&fields, vec![of(&vector)], None).unwrap_err(), ProofError::Wrong);
        assert_eq!(verified(&fields, vec![of(&vector)], Some("wx5823bf96d3bd56c8")).unwrap_err(), ProofError::Wrong);
    }

    #[test]
    fn every_part_of_a_proof_is_needed_once() {
        let vector = published();
        let receive_id = vector["inputs"]["receive_id"].as_str();
        let fields = query(&vector);
        for name in [SIGNATURE, TIMESTAMP, NONCE, ECHO] {
            let without: Vec<_> = fields.iter().filter(|(known, _)| known != name).cloned().collect();
            let missing = Err(ProofError::Missing { header: name });
            assert_eq!(verified(&without, vec![of(&vector)], receive_id).map(drop), missing);
            let twice: Vec<_> =
                fields.iter().chain(fields.iter().filter(|(known, _)| known == name)).cloned().collect();
            let doubled = Err(ProofError::Request(RequestError::FieldDoubled { name: name.into() }));
            assert_eq!(verified(&twice, vec![of(&vector)], receive_id).map(drop), doubled);
            let mut altered = fields.clone();
            let (_, value) = altered.iter_mut().find(|(known, _)| known == name).unwrap();
            let last = value.rfind(|c: char| c.is_ascii_alphanumeric()).unwrap();
            let other = if value[last..].starts_with('1') { "2" } else { "1" };
            value.replace_range(last..=last, other);
            assert_eq!(verified(&altered, vec![of(&vector)], receive_id).unwrap_err(), ProofError::Wrong, "{name}");
        }
        let mut upper = fields;
        for (_, value) in upper.iter_mut().filter(|(name, _)| name == SIGNATURE) {
            *value = value.to_uppercase();
        }
        let malformed = ProofError::Malformed { header: SIGNATURE };
        assert_eq!(verified(&upper, vec![of(&vector)], receive_id).unwrap_err(), malformed);
    }

    /// A13.
    #[test]
    fn only_an_echo_is_answered_decrypted() {
        assert_eq!(echo(b"1616140317555161061").as_deref(), Some("1616140317555161061"));
        for message in [&b"<xml><MsgType>text</MsgType></xml>"[..], b"{\"msgid\":\"1\"}", b"", b"a b", b"\xff"] {
            assert_eq!(echo(message), None);
        }
        assert_eq!(echo(&[b'1'; 129]), None);
    }

    /// C27.
    #[test]
    fn the_text_of_a_message_to_a_bot() {
        let read = |message: serde_json::Value| said(&serde_json::from_value(message).unwrap());
        for key in ["msgtype", "msg_type", "type"] {
            let items = json!([{key: "text", "text": {"content": "@offboard alice"}}, {key: "image", "image": {}},
                {key: "text", "text": {"content": "analytics"}}]);
            let message = json!({"msgid": "1", "msgtype": "mixed", "mixed": {"msg_item": items}});
            assert_eq!(read(message).as_deref(), Some("@offboard alice analytics"));
        }
        let voice = json!({"msgid": "1", "msgtype": "voice", "voice": {"content": "alice analytics"}});
        assert_eq!(read(voice), None);
    }

    #[test]
    fn a_follow_up_is_markdown_at_wecom() {
        let later = Wecom.follow_up().unwrap();
        let caller = Caller::new("wecom", "wecom");
        let at = |url| (later.at)(&caller, url).is_some();
        assert!(at("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=RESPONSE_CODE"));
        assert!(!at("https://qyapi.weixin.qq.com.evil.example/cgi-bin/aibot/response?response_code=RESPONSE_CODE"));
        let message = ChatMessage::new(Language::English, None, Text::quote("<@all> [a](https://b.example)"));
        let bodies = later.words.unwrap()(Wecom.show(&message));
        let body = r#"{"msgtype":"markdown","markdown":{"content":"**＜@all＞ [a］(https://b.example)**"}}"#;
        assert_eq!(bodies, [body]);
    }

    #[test]
    fn a_text_cannot_end_its_section() {
        assert_eq!(cdata("a]]>b"), "<![CDATA[a]]]]><![CDATA[>b]]>");
    }

    proptest::proptest! {
        #[test]
        fn cdata_comes_back(text in "[\\]>&<a-z ]{0,20}") {
            let read = xml(format!("<xml><A>{}</A></xml>", cdata(&text)).as_bytes()).unwrap();
            proptest::prop_assert_eq!(&read[0].1, &text);
        }
    }
}

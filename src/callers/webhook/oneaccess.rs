//! Huawei OneAccess, the event callbacks of an application whose synchronization is "event callback": `POST /hooks/{caller}`
//! (<https://support.huaweicloud.com/intl/en-us/devg-oneaccess/oneaccess_06_0121.html>).
//!
//! Proof: `Authorization: Bearer` with the security token, and `signature` in the body, the base64 HMAC-SHA256 of
//! `{nonce}&{timestamp}&{eventType}&{data}` under the signature key as text (`oneaccess_06_0122.html`). A request without a
//! signature, which OneAccess sends when signing is off, proves nothing. The pages show `timestamp` as a number of seconds, as a
//! number of milliseconds and as text, and do not say how old it may be. This gateway accepts 300 seconds, and verifies the
//! signature over `timestamp` as written.
//!
//! `DELETE_USER` reports a leaver, and so does `UPDATE_USER` with `disabled`, which is how a leaver is disabled before the deletion
//! or instead of it (`oneaccess_06_0135.html`); `[caller.leavers]` sees the `id`, which is the id that the application answered when the
//! user was created (`oneaccess_06_0136.html`). So that the id can be mapped to an account name, `CREATE_USER` is answered with the
//! `username` as the id, and nothing is stored. `CHECK_URL` is answered with its own random text; the other events are answered as
//! done, those that the pages do not have as well: a failure would keep OneAccess from sending what follows. A failure is answered
//! with its HTTP status, `code` and `message` (`oneaccess_06_0014.html`). Nothing says who caused an event.
//!
//! With an encryption key, `data` is encrypted, in the request and in the answer: AES-128-GCM over 16 random letters, `&` and the
//! message. The page does not say where the initialization vector is. That it is the first 24 characters of `data`, the base64 of
//! 16 bytes, is taken from <https://support.huaweicloud.com/imc_faq/imc_08_0019.html>, which describes the same callbacks of
//! another product. If that were wrong, no request would decrypt, and nothing would be removed.
//!
//! The pages' sample signatures decode to 20 bytes, which no HMAC-SHA256 does, and one sample timestamp has 11 digits. Neither is
//! taken: the algorithm is what the pages name, and the sample's time is in the year 2448.
//!
//! Not supported: AES in ECB mode, which older applications have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::callers::event::Event;
use crate::callers::kind::{CallerKind, Encryption, Envelope, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{
    ActiveSecret, Proof, ProofError, VerificationKeys, bearer, check_timestamp, first_that_proves, parse_timestamp,
    token_form,
};
use crate::callers::webhook::standard_webhooks::filled;
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::{CallerShape, KeyShape, Part};
use crate::config::callers::Caller;
use crate::crypto::aes_gcm;
use crate::crypto::mac::{hmac_sha256_is, same_secret};
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::Secrets(&[Part::required(TOKEN), Part::required(SIGNATURE_KEY), Part::optional(ENCRYPTION_KEY)]),
    leavers: &[Attribute::id("id")],
    secret_form: |part, secret| match part {
        TOKEN => token_form(part, secret),
        ENCRYPTION_KEY if secret.expose().len() != 16 => Err("16 characters, as OneAccess shows it"),
        _ => Ok(()),
    },
    ..CallerShape::hook("oneaccess")
};

pub(crate) struct Oneaccess;

impl CallerKind for Oneaccess {
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
        let token = bearer(&inbound.headers)?;
        let complete: Vec<_> =
            keys.secrets.iter().filter_map(|key| Some((key, key.part(TOKEN)?, key.part(SIGNATURE_KEY)?))).collect();
        first_that_proves(&complete, |(_, secret, _)| same_secret(token.as_bytes(), secret))?;
        let call: Call = strict::json(&inbound.body)?;
        if call.signature.is_empty() {
            return Err(ProofError::Missing { header: SIGNATURE });
        }
        let tag = STANDARD.decode(&call.signature).ok().filter(|tag| tag.len() == 32);
        let tag = tag.ok_or(ProofError::Malformed { header: SIGNATURE })?;
        let (timestamp, seconds) =
            parse_timestamp(&call.timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        check_timestamp(seconds, now)?;
        let parts = [&call.nonce, &timestamp, &call.event_type, &call.data].map(|part| part.as_bytes());
        let [nonce, at, event, data] = parts;
        let signed: [&[u8]; 7] = [nonce, b"&", at, b"&", event, b"&", data];
        let made = |key: &[u8]| hmac_sha256_is(key, &signed, &tag);
        // Token and signature key have to be of the same secret: a token of one application and a key of another prove nothing.
        let (key, ..) = first_that_proves(complete, |(_, secret, key)| {
            same_secret(token.as_bytes(), secret) && made(key.expose().as_bytes())
        })?;
        let plain = match key.part(ENCRYPTION_KEY) {
            None => call.data.clone(),
            Some(_) => opened(&call.data, key).ok_or(RequestError::BodyMalformed { why: NOT_DECRYPTED })?,
        };
        Ok(Proof {
            key: Some(key.clone()),
            plain: Some(Bytes::from(plain)),
            ..Proof::of(DeliveryId::new(caller, &parts))
        })
    }

    fn parse<'c>(&self, request: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        let Verified { inbound, proof, caller } = request;
        let plain = proof.plain.clone().unwrap_or_default();
        let event = strict::json::<Call>(&inbound.body);
        Event::parsed(caller, event.and_then(|call| read_event(&call.event_type, &plain, &proof.delivery)))
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let status = reply.outcome.status();
        let message = if status.is_success() { SUCCESS.to_owned() } else { reply.outcome.message(reply.language) };
        Rendered::json(status, json!({"code": status.as_str(), "message": message}).to_string())
    }

    fn encryption(&self) -> Option<Encryption> {
        Some(envelope)
    }
}

const TOKEN: &str = "token";

const SIGNATURE_KEY: &str = "signature_key";

const ENCRYPTION_KEY: &str = "encryption_key";

const SIGNATURE: &str = "signature";

const TIMESTAMP: &str = "timestamp";

const SUCCESS: &str = "success";

const NOT_DECRYPTED: Localized =
    Localized { en: "`data` cannot be decrypted with the encryption key", zh: "无法用加密密钥解密 `data`" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    nonce: String,
    timestamp: Value,
    event_type: String,
    data: String,
    signature: String,
}

#[derive(Deserialize)]
struct Subject {
    /// The id that this gateway answered when the user was created.
    id: Option<String>,
    /// The name of a user.
    username: Option<String>,
    /// The code of an organization.
    code: Option<String>,
    /// Whether a user may not sign in any more.
    #[serde(default)]
    disabled: Value,
}

impl Subject {
    fn is_disabled(&self) -> bool {
        match &self.disabled {
            Value::Bool(is) => *is,
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

/// The events of the documentation that are about a user or an organization.
const EVENTS: [&str; 6] =
    ["CREATE_USER", "UPDATE_USER", "DELETE_USER", "CREATE_ORGANIZATION", "UPDATE_ORGANIZATION", "DELETE_ORGANIZATION"];

fn read_event<'c>(event: &str, message: &[u8], delivery: &DeliveryId) -> Result<Event<'c>, RequestError> {
    if event == "CHECK_URL" {
        return Ok(done(Some(String::from_utf8_lossy(message).into_owned())));
    }
    if !EVENTS.contains(&event) {
        return Ok(Event::Ignored("the event is none that the documentation has"));
    }
    let subject: Subject = strict::json(message)?;
    let is_leaver = event == "DELETE_USER" || (event == "UPDATE_USER" && subject.is_disabled());
    let Subject { id, username, code, .. } = subject;
    let named = |id: String| Some(json!({"id": id}).to_string());
    match event {
        _ if is_leaver => {
            let leaver = Leaver::new(delivery.as_str(), [("id", filled(id, "data.id")?)]);
            Ok(Event::Command(Command::OffboardLeavers(vec![leaver])))
        }
        "CREATE_USER" => Ok(done(named(filled(username, "data.username")?))),
        "CREATE_ORGANIZATION" => Ok(done(named(filled(code, "data.code")?))),
        "UPDATE_USER" | "UPDATE_ORGANIZATION" => Ok(done(named(filled(id, "data.id")?))),
        _ => Ok(done(None)),
    }
}

/// Returns the success answer of an event that needs no work.
fn done<'c>(data: Option<String>) -> Event<'c> {
    let mut body = json!({"code": "200", "message": SUCCESS});
    if let (Some(data), Some(fields)) = (data, body.as_object_mut()) {
        fields.insert("data".into(), data.into());
    }
    Event::Reply(Rendered::json(StatusCode::OK, body.to_string()))
}

/// Completes an answer, and encrypts its `data` for an application with encryption.
fn envelope(rendered: Rendered, envelope: &Envelope<'_>) -> Rendered {
    let body = || {
        let mut body: Value = serde_json::from_str(&rendered.body).ok()?;
        let fields = body.as_object_mut()?;
        // An event that is ignored has the answer of all kinds; for OneAccess it is done.
        if !fields.contains_key("code") {
            *fields = serde_json::Map::from_iter([("code".into(), "200".into()), ("message".into(), SUCCESS.into())]);
        }
        let is_done = fields.get("message").is_some_and(|message| message == SUCCESS);
        if is_done && let Some(id) = updated(envelope.plain) {
            fields.entry("data").or_insert_with(|| json!({"id": id}).to_string().into());
        }
        if let Some(data) = fields.get_mut("data")
            && encryption_key(envelope.key).is_some()
        {
            *data = sealed(data.as_str()?, envelope.key, envelope.random)?.into();
        }
        Some(body.to_string())
    };
    match body() {
        Some(body) => Rendered { body, ..rendered },
        None => rendered,
    }
}

/// Returns the id of a user who was disabled: the answer to an update names it.
fn updated(message: &[u8]) -> Option<String> {
    let subject: Subject = strict::json(message).ok()?;
    subject.is_disabled().then_some(subject.id).flatten()
}

/// The number of random letters before the message.
const LETTERS: usize = 16;

fn encryption_key(key: &ActiveSecret) -> Option<&[u8]> {
    key.part(ENCRYPTION_KEY).map(|key| key.expose().as_bytes())
}

fn opened(data: &str, key: &ActiveSecret) -> Option<String> {
    let (vector, sealed) = aes_gcm::split(data)?;
    let plain = aes_gcm::open(encryption_key(key)?, vector, &sealed)?;
    let text = String::from_utf8(plain).ok()?;
    let (letters, message) = text.split_at_checked(LETTERS)?;
    let message = message.strip_prefix('&').filter(|_| letters.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    Some(message.to_owned())
}

fn sealed(message: &str, key: &ActiveSecret, random: u128) -> Option<String> {
    // The letters add no secrecy beyond that of the vector, so they are derived from the same random number.
    let letters = Sha256::digest(random.to_be_bytes()).into_iter().take(LETTERS);
    let letters = letters.map(|byte| char::from(b'a'.saturating_add(byte % 26)));
    let plain = letters.chain(['&']).collect::<String>() + message;
    aes_gcm::seal(encryption_key(key)?, random, plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;
    use crate::secret::Secret;

    fn key(parts: &[(&'static str, &str)]) -> ActiveSecret {
        let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
        ActiveSecret::new(None, parts.iter().map(|(name, text)| (*name, secret(text))).collect()).unwrap()
    }

    fn inbound(token: &str, body: String) -> Inbound {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        Inbound {
            method: Method::POST,
            path: "/hooks/a".into(),
            query: String::new(),
            host: "localhost".into(),
            headers,
            body: body.into(),
        }
    }

    /// `tests/fixtures/vectors`: derived from the pages, which have no complete example.
    #[test]
    fn vectors() {
        let file: Value = serde_json::from_str(include_str!("../../../tests/fixtures/vectors/callers.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap().iter();
        let vectors: Vec<_> = vectors.filter(|vector| vector["scheme"] == "huawei-oneaccess-event").collect();
        assert_eq!(vectors.len(), 1);
        let inputs = &vectors[0]["inputs"];
        let caller = Caller::new("a", "oneaccess");
        let own = key(&[(TOKEN, "t"), (SIGNATURE_KEY, inputs["signature_key"].as_str().unwrap())]);
        let other = key(&[(TOKEN, "u"), (SIGNATURE_KEY, "another key")]);
        let at = DateTime::from_timestamp(inputs["body"]["timestamp"].as_str().unwrap().parse().unwrap(), 0).unwrap();
        let verified = |token: &str, keys: &[&ActiveSecret], body: &Value| {
            let secrets = keys.iter().map(|key| (*key).clone()).collect();
            let keys = VerificationKeys { secrets, published: None };
            Oneaccess.verify(&inbound(token, body.to_string()), &caller, &keys, at).map(|proof| proof.plain.unwrap())
        };
        let body = &inputs["body"];
        assert_eq!(verified("t", &[&other, &own], body), Ok(Bytes::from(body["data"].as_str().unwrap().to_owned())));
        // The signature of one application and the token of another.
        assert_eq!(verified("u", &[&other, &own], body), Err(ProofError::Wrong));
        for (field, value, outcome) in [
            ("nonce", json!("AmgjjEAJbrMzWmUx"), ProofError::Wrong),
            ("eventType", json!("CHECK_URL"), ProofError::Wrong),
            ("data", json!(r#"{"id":"bob"}"#), ProofError::Wrong),
            ("timestamp", json!("15093849586"), ProofError::Wrong),
            ("timestamp", json!("15093849999"), ProofError::Stale),
            ("timestamp", json!("+15093849585"), ProofError::Malformed { header: TIMESTAMP }),
            ("timestamp", json!(15093849585.5), ProofError::Malformed { header: TIMESTAMP }),
            ("signature", json!(""), ProofError::Missing { header: SIGNATURE }),
            ("signature", json!("K08yDiTEc094KoccOY+VYLQFxxQ="), ProofError::Malformed { header: SIGNATURE }),
        ] {
            let mut body = body.clone();
            body[field] = value;
            assert_eq!(verified("t", &[&own], &body), Err(outcome), "{body}");
        }
    }

    #[test]
    fn a_number_of_either_size_is_a_time() {
        for (given, read) in [
            (json!(1_573_784_783_795_u64), Some(("1573784783795", 1_573_784_783))),
            (json!(1_783_610_513), Some(("1783610513", 1_783_610_513))),
            (json!("15093849585"), Some(("15093849585", 15_093_849_585))),
            (json!("1573784783795"), Some(("1573784783795", 1_573_784_783))),
            (json!(-1), None),
            (json!(""), None),
            (json!("1573784783795000"), None),
            (json!(null), None),
        ] {
            let seen = parse_timestamp(&given);
            assert_eq!(seen.as_ref().map(|(text, seconds)| (text.as_str(), *seconds)), read, "{given}");
        }
    }

    #[test]
    fn sealed_data_opens_with_the_same_key_only() {
        let own = key(&[(TOKEN, "t"), (SIGNATURE_KEY, "s"), (ENCRYPTION_KEY, "b8RkX3uVn5TcJ0eQ")]);
        let other = key(&[(TOKEN, "t"), (SIGNATURE_KEY, "s"), (ENCRYPTION_KEY, "M6dLs1KzO9qWgP2y")]);
        for message in ["", "random string", "a&b", "张三"] {
            let data = sealed(message, &own, 7).unwrap();
            assert_eq!(opened(&data, &own).as_deref(), Some(message));
            assert_eq!(opened(&data, &other), None);
            assert_eq!(opened(&data[1..], &own), None);
        }
        // The pages' own examples, which have an older form and an unknown key.
        for data in ["6IXEWxQhUa3UqsXHWsDZ5LTAo/xU3zhjq9H3syCuFYDYKg==", "", "四"] {
            assert_eq!(opened(data, &own), None);
        }
        let short = key(&[(ENCRYPTION_KEY, "short")]);
        assert_eq!(sealed("a", &short, 7), None);
    }
}

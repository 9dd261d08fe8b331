//! Huawei WeLink, the callback of an application on its open platform: `POST /hooks/{caller}`
//! (<https://open.welink.huaweicloud.com/wecode/docs/dev/serverapi/isv/app_callback.html>).
//!
//! Proof: the body is `{"encrypt": …}`, whose content decrypts with AES-GCM under the app secret; making such a ciphertext takes
//! the secret. The decrypted `timestamp` may be 30 minutes off, as the page recommends; it is a number of seconds, or text of
//! seconds or of milliseconds. The answer is encrypted in the same way and repeats the request's `timestamp`.
//!
//! Two details are missing from that page and are in an appendix that could not be found: how the key is derived from the app
//! secret, and that the base64 holds the ciphertext itself rather than hexadecimal text, as in the page's one example. The vendor's
//! sample (a Java `KeyGenerator` for 128 bits whose SHA1PRNG is seeded with the secret) exists in public code together with its
//! secret and its output. That output decrypts with this derivation, and so do two callbacks of 2020 that the same code kept. With
//! any other derivation no request decrypts, so nothing is removed.
//!
//! `corpDelUser` reports leavers: `data` has the `userId` and `tenantId` of each, and `[caller.leavers]` sees both. A `userId` is unique
//! within one tenant only (<https://support.huaweicloud.com/devg-welink/start-08.html>), so an application that several companies
//! use lists its own tenants in `tenants`. Event and fields are from the same public code. `test`, which the platform sends when
//! the URL is entered, is answered. All other events are ignored. Nothing says who deleted the user. A user who cannot be read does
//! not keep the others from being carried out.
//!
//! Not supported: messages of people. According to the documentation that could be found, WeLink's robots send and do not receive.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::callers::event::{Event, Unreadable};
use crate::callers::kind::{CallerKind, Encryption, Envelope, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_window, parse_timestamp};
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::aes_gcm;
use crate::reply::{Rendered, Reply};
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;
use crate::secret::Secret;

const SHAPE: CallerShape =
    CallerShape { leavers: LEAVERS, settings: &[Setting::texts(TENANTS, false)], ..CallerShape::hook("welink") };

pub(crate) struct Welink;

impl CallerKind for Welink {
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
        let call: Call = strict::json(&inbound.body)?;
        let (vector, sealed) = aes_gcm::split(&call.encrypt).ok_or(ProofError::Malformed { header: ENCRYPT })?;
        let opened =
            keys.secrets.iter().find_map(|key| Some((key, aes_gcm::open(&derive_key(&key.secret)?, vector, &sealed)?)));
        let (key, plain) = opened.ok_or(ProofError::Wrong)?;
        let Stamped { timestamp } = strict::json(&plain)?;
        let (_, seconds) = parse_timestamp(&timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        // An older ciphertext may be a recording that is replayed.
        check_window(seconds.saturating_mul(1000), now, TOLERANCE)?;
        // The plaintext, because the same message has a different ciphertext under a different vector.
        let delivery = DeliveryId::new(caller, &[&plain]);
        Ok(Proof { key: Some(key.clone()), plain: Some(Bytes::from(plain)), ..Proof::of(delivery) })
    }

    fn parse<'c>(&self, request: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        let Verified { proof, caller, .. } = request;
        let plain = proof.plain.clone().unwrap_or_default();
        Event::parsed(caller, read_event(&plain, caller, &proof.delivery))
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let status = reply.outcome.status();
        let message = if status.is_success() { SUCCESS.to_owned() } else { reply.outcome.message(reply.language) };
        Rendered::json(status, json!({"msg": message}).to_string())
    }

    fn encryption(&self) -> Option<Encryption> {
        Some(envelope)
    }
}

/// A `userId` is unique within its tenant only.
const LEAVERS: &[Attribute<'static>] = &[Attribute::id("userId"), Attribute::shared("tenantId")];

const TENANTS: &str = "tenants";

const ENCRYPT: &str = "encrypt";

const TIMESTAMP: &str = "timestamp";

/// How far a timestamp may be from now, in milliseconds, either way.
const TOLERANCE: u64 = 1_800_000;

#[derive(Deserialize)]
struct Call {
    encrypt: String,
}

#[derive(Deserialize)]
struct Stamped {
    timestamp: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    event_type: String,
    data: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_id: String,
    tenant_id: String,
}

fn read_event<'c>(plain: &[u8], caller: &Caller, delivery: &DeliveryId) -> Result<Event<'c>, RequestError> {
    let Message { event_type, data } = strict::json(plain)?;
    match event_type.as_str() {
        "test" => return Ok(Event::Reply(Rendered::json(StatusCode::OK, json!({"msg": SUCCESS}).to_string()))),
        "corpDelUser" => {}
        _ => return Ok(Event::Ignored("the event is not `corpDelUser`")),
    }
    let data = data.ok_or(RequestError::FieldMissing { name: "data" })?;
    let users: Vec<Value> = strict::typed(data)?;
    let tenants = caller.settings(TENANTS);
    let leavers = |user: Value| {
        let User { user_id, tenant_id } = strict::typed(user)?;
        if user_id.is_empty() {
            return Err(RequestError::FieldMissing { name: "data.userId" });
        }
        let is_ours = tenants.is_empty() || tenants.contains(&tenant_id);
        let leaver = Leaver::new(delivery.as_str(), [("userId", user_id), ("tenantId", tenant_id)]);
        Ok(if is_ours { vec![leaver] } else { Vec::new() })
    };
    let unreadable = |error| Unreadable { event: delivery.as_str().to_owned(), error };
    let events = users.into_iter().map(|user| leavers(user).map_err(unreadable));
    Event::leavers_of(events, "no leaver is of a configured tenant")
}

const SUCCESS: &str = "success";

/// Returns the answer in WeLink's form: `msg` and the request's `timestamp`, encrypted.
fn envelope(rendered: Rendered, envelope: &Envelope<'_>) -> Rendered {
    let body: Value = serde_json::from_str(&rendered.body).unwrap_or_default();
    // The answer to an ignored event has no `msg`; for WeLink such an event is done.
    let message = body.get("msg").and_then(Value::as_str).unwrap_or(SUCCESS);
    let timestamp = serde_json::from_slice::<Stamped>(envelope.plain).map(|stamped| stamped.timestamp);
    let timestamp = timestamp.unwrap_or_else(|_| envelope.now.timestamp().into());
    let answer = json!({"msg": message, "timestamp": timestamp}).to_string();
    let sealed =
        derive_key(&envelope.key.secret).and_then(|key| aes_gcm::seal(&key, envelope.random, answer.as_bytes()));
    match sealed {
        Some(sealed) => Rendered { body: json!({ENCRYPT: sealed}).to_string(), ..rendered },
        None => rendered,
    }
}

/// Derives the key: the first 128 bits of Java's SHA1PRNG, seeded with the secret only.
fn derive_key(secret: &Secret) -> Option<[u8; 16]> {
    Sha1::digest(Sha1::digest(secret.expose())).first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;
    use crate::callers::proof::ActiveSecret;
    use crate::config::callers::SECRET;

    /// A message that another implementation encrypted by the same rule (Python's `hashlib` and `cryptography`).
    const MADE: (&str, &str, &str) = (
        "0b1f6c1e-5f5c-4e57-9d0e-2d6a4c1b7a55",
        "AAECAwQFBgcICQoLDA0ODw==nI9I5x78YqzqczACpwGYLN9mknwhCztU4CCTFB8U9Xt3w3047vkJI96AR0pJBRv0x1rEtudOXJcD9F6r8g==",
        r#"{"eventType":"test","timestamp":"1562752619"}"#,
    );

    fn key(secret: &str) -> ActiveSecret {
        ActiveSecret::new(None, vec![(SECRET, Secret::new(secret.to_owned()).unwrap())]).unwrap()
    }

    fn verified(secrets: &[&str], encrypt: &str, seconds: i64) -> Result<Proof, ProofError> {
        let inbound = Inbound {
            method: Method::POST,
            path: "/hooks/a".into(),
            query: String::new(),
            host: "localhost".into(),
            headers: HeaderMap::new(),
            body: json!({ENCRYPT: encrypt}).to_string().into(),
        };
        let keys = VerificationKeys { secrets: secrets.iter().map(|secret| key(secret)).collect(), published: None };
        Welink.verify(&inbound, &Caller::new("a", "welink"), &keys, DateTime::from_timestamp(seconds, 0).unwrap())
    }

    #[test]
    fn a_message_of_another_implementation_decrypts() {
        let (secret, encrypt, plain) = MADE;
        let proof = verified(&["another", secret], encrypt, 1_562_752_619).unwrap();
        assert_eq!(proof.plain.unwrap(), plain);
        assert_eq!(verified(&["another"], encrypt, 1_562_752_619).unwrap_err(), ProofError::Wrong);
        for (off, is_fresh) in [(-1801, false), (-1800, true), (1800, true), (1801, false)] {
            let outcome = verified(&[secret], encrypt, 1_562_752_619 + off).map(|_| ());
            assert_eq!(outcome, if is_fresh { Ok(()) } else { Err(ProofError::Expired) }, "{off}");
        }
    }

    /// The vendor's sample: its secret, and the request and the answer that it printed.
    #[test]
    fn the_messages_of_the_vendor_s_sample_decrypt() {
        let secret = "8cf860c0-30b7-4357-a104-fa627c59085d";
        let request = "PGkTPQrrTwlqBEu5pzPyxw==3BWfWmYTj67h5qdD4og6el7GrxaXHqm0gndcv/X8zK6j9ablMO+571LbjQWJJogcIunLPkJf9Yo4iHAP+QIB3KcihrLj3IHrRhbE8KuQvzCPVAo=";
        let answer =
            "5wwd5oVCbwgvaGzE2W9vPg==kdG1FYbicMlNY77ALZdBtC1ylS0aF+jzff8iyq2Ro1SJqUQCTAG96hLp+A7OyX/Im8IoFQ1XtfE=";
        for (encrypt, plain) in [
            (request, r#"{"eventType":"corpAuth","tenantId":"tenant","timestamp":1565167553}"#),
            (answer, r#"{"timestamp":1565167553,"msg":"success"}"#),
        ] {
            assert_eq!(verified(&[secret], encrypt, 1_565_167_553).unwrap().plain.unwrap(), plain);
        }
    }

    #[test]
    fn every_bit_counts() {
        let (secret, encrypt, _) = MADE;
        for place in 0..encrypt.len() {
            let other = if encrypt.as_bytes()[place] == b'A' { "B" } else { "A" };
            let altered = format!("{}{other}{}", &encrypt[..place], &encrypt[place + 1..]);
            let outcome = verified(&[secret], &altered, 1_562_752_619).unwrap_err();
            let malformed = ProofError::Malformed { header: ENCRYPT };
            assert!(outcome == ProofError::Wrong || outcome == malformed, "{place}: {outcome:?}");
        }
        for cut in [0, 23, 24, 25, encrypt.len() - 4] {
            assert!(verified(&[secret], &encrypt[..cut], 1_562_752_619).is_err(), "{cut}");
        }
        // The page's own example, which has an older form and an unknown secret.
        assert!(verified(&[secret], "MDgwNTY0NDIxODUyMjA3OA==RTE3Q0E5MEI5RDIyRjlFRg==", 1_562_752_619).is_err());
        assert!(verified(&[secret], "四", 1_562_752_619).is_err());
    }

    /// The forms of the page and of the callbacks of 2020.
    #[test]
    fn the_answer_repeats_the_timestamp_in_its_form() {
        let (secret, ..) = MADE;
        let key = key(secret);
        for (plain, expected) in [
            (r#"{"timestamp":"1565167553"}"#, r#"{"msg":"success","timestamp":"1565167553"}"#),
            (r#"{"timestamp":1586844821}"#, r#"{"msg":"success","timestamp":1586844821}"#),
            (r#"{"timestamp":"1587092814997"}"#, r#"{"msg":"success","timestamp":"1587092814997"}"#),
        ] {
            let caller = Caller::new("a", "welink");
            let now = DateTime::from_timestamp(0, 0).unwrap();
            let of = Envelope { caller: &caller, key: &key, plain: plain.as_bytes(), now, random: 7 };
            let body = envelope(Rendered::json(StatusCode::OK, json!({"result": "IGNORED"}).to_string()), &of).body;
            let Call { encrypt } = strict::json(body.as_bytes()).unwrap();
            let (vector, sealed) = aes_gcm::split(&encrypt).unwrap();
            let plain = aes_gcm::open(&derive_key(&key.secret).unwrap(), vector, &sealed).unwrap();
            assert_eq!(String::from_utf8(plain).unwrap(), expected);
        }
    }
}

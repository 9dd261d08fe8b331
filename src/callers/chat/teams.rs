//! Microsoft Teams outgoing webhooks: `POST /hooks/{caller}`, e.g. `@offboard alice analytics left the company` in a channel.
//!
//! Proof: `Authorization: HMAC` and the base64 HMAC-SHA256 of the raw body; the key is the security token, base64-decoded
//! ("Create Outgoing Webhooks",
//! <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook>; that the token
//! is decoded is in Microsoft's sample,
//! <https://github.com/OfficeDev/microsoft-teams-sample-outgoing-webhook/blob/master/WebhookSampleBot/Models/AuthProvider.cs>). The
//! header has no time, so the time of the signed Activity is held to 300 seconds; its `id` identifies the request.
//!
//! The body is an Activity of the Bot Framework
//! (<https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference#activity-object>). The
//! actor is `from.aadObjectId`, the person's object id in Entra, never `from.name`. The text contains the mention of the webhook,
//! `<at>…</at>`, mostly first, which is removed; the rest contains character references of HTML, although it is called plain (published requests
//! show `&nbsp;`; which others exist is not documented).
//!
//! Teams waits for five seconds and takes nothing afterwards: what takes longer is acknowledged, and the requester has to ask for
//! the outcome (`status …`). The answer is a message in the same thread with status 200 for every outcome, seen by everyone in the
//! channel; only a request without a valid proof is answered with 401.
//!
//! Not supported: buttons, because those on cards of an outgoing webhook can only open URLs: people write `confirm …`. Bots of the Bot
//! Framework, which prove themselves with a token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::callers::chat::forms::teams;
use crate::callers::chat::grammar;
use crate::callers::chat::mentions::one_word;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::chat::tenant;
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::key_text::base64_key;
use crate::crypto::mac::hmac_sha256_is;
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::json;
use crate::request::unclear::Unclear;
use crate::secret::Secret;

const TENANT: &str = "tenant";

const SHAPE: CallerShape = CallerShape {
    settings: &[Setting {
        is_valid: |id| is_object_id(&id.to_ascii_lowercase()),
        expected: "the id of the Entra tenant, such as `76a2ae5a-9f00-4f6b-95ed-5d33d77c4d61`",
        ..Setting::texts(TENANT, false)
    }],
    secret_form: form,
    ..CallerShape::chat("teams")
};

pub(crate) struct Teams;

impl CallerKind for Teams {
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
        let malformed = ProofError::Malformed { header: AUTHORIZATION };
        let tag = required_header(&inbound.headers, AUTHORIZATION)?.strip_prefix("HMAC ");
        let tag = tag.and_then(|tag| STANDARD.decode(tag).ok()).filter(|tag| tag.len() == 32).ok_or(malformed)?;
        let keys = keys.secrets.iter().filter_map(|key| signing_key(&key.secret));
        first_that_proves(keys, |key| hmac_sha256_is(key, &[&inbound.body], &tag))?;
        // A body that is no Activity is for `parse` to refuse, in a message that people see.
        let Ok(Stamp { id, timestamp }) = json(&inbound.body) else {
            return Ok(Proof::of(DeliveryId::new(caller, &[&inbound.body])));
        };
        let Ok(at) = DateTime::parse_from_rfc3339(&timestamp) else {
            let expected = Localized {
                en: "a time such as `2026-06-01T10:00:00.000Z`",
                zh: "时间，例如 `2026-06-01T10:00:00.000Z`",
            };
            return Err(RequestError::invalid("timestamp", timestamp, expected).into());
        };
        check_timestamp(at.timestamp(), now)?;
        Ok(Proof::of(DeliveryId::new(caller, &[id.as_bytes()])))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| Teams.show(&of_reply::acknowledgement(early)))
    }
}

impl ChatPlatform for Teams {
    fn show(&self, message: &ChatMessage) -> Rendered {
        Rendered::json(StatusCode::OK, teams::body(message).to_string())
    }
}

const AUTHORIZATION: &str = "authorization";

/// What identifies an Activity.
#[derive(Deserialize)]
struct Stamp {
    id: String,
    timestamp: String,
}

#[derive(Deserialize)]
struct Activity {
    #[serde(flatten)]
    _stamp: Stamp,
    r#type: String,
    from: From,
    text: Option<String>,
    #[serde(rename = "channelData")]
    channel_data: Option<ChannelData>,
    entities: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct ChannelData {
    tenant: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct From {
    #[serde(rename = "aadObjectId")]
    object_id: Option<String>,
}

/// Checks the form of a secret.
fn form(_: &str, secret: &Secret) -> Result<(), &'static str> {
    signing_key(secret).map(drop).ok_or("the security token in base64, as Teams shows it")
}

/// Decodes the key; `None` if it is empty or not base64.
fn signing_key(secret: &Secret) -> Option<Vec<u8>> {
    base64_key(secret.expose())
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Activity { r#type, from, text, channel_data, entities, .. } = json(&request.inbound.body)?;
    let actor = Actor::person(request.caller, &object_id(&from.object_id.unwrap_or_default())?);
    let from = channel_data.and_then(|data| data.tenant).map(|tenant| tenant.id);
    if let Err(error) = tenant::check(request.caller, TENANT, "channelData.tenant.id", from.as_deref()) {
        return Ok(Parsed::of(actor, Err(error)));
    }
    if r#type != "message" {
        return Ok(Parsed::Ignored { sender: Some(actor.into()), why: "it is not a message" });
    }
    let command = match without_mention(&text.unwrap_or_default(), &people(&entities.unwrap_or_default())) {
        Some(text) => grammar::command(&plain(&text), config),
        None => Err(Unclear::NotText.into()),
    };
    Ok(Parsed::of(actor, command))
}

/// Checks an object id of Entra, and returns it in lower case: some clients write it in capitals.
fn object_id(given: &str) -> Result<String, RequestError> {
    let expected = Localized {
        en: "an Entra object ID such as `87994953-d622-4c2c-a425-28e58c73b2b2`",
        zh: "Entra对象ID，例如 `87994953-d622-4c2c-a425-28e58c73b2b2`",
    };
    let lower = given.to_ascii_lowercase();
    if is_object_id(&lower) { Ok(lower) } else { Err(RequestError::invalid("from.aadObjectId", given, expected)) }
}

/// Whether it is a UUID in lower case.
fn is_object_id(given: &str) -> bool {
    let digits = |part: &&str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = given.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(digits)
}

/// Returns the texts of the mentions that are of people: their ids begin with `29:`, those of bots with `28:`.
fn people(entities: &[Value]) -> Vec<&str> {
    let of_person = |entity: &&Value| {
        let id = entity.pointer("/mentioned/id").and_then(Value::as_str);
        id.is_some_and(|id| id.starts_with("29:"))
    };
    entities.iter().filter(of_person).filter_map(|entity| entity.get("text")?.as_str()).collect()
}

/// Returns the text without the mention of the webhook, wherever it stands: the first that is not known to be a person's. Others
/// stay as names behind an `@`. `None` if there is no mention: then Teams did not send the message for the webhook.
fn without_mention(text: &str, people: &[&str]) -> Option<String> {
    const OPEN: &str = "<at";
    const CLOSE: &str = "</at>";

    let mut read = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let name = behind.split_once('>').filter(|(attributes, _)| !attributes.contains('<'));
        let Some((name, after)) = name.and_then(|(_, behind)| behind.split_once(CLOSE)) else { break };
        read.push_str(before);
        read.push(' ');
        let is_person = people.iter().any(|known| known.strip_suffix(CLOSE).is_some_and(|known| known.ends_with(name)));
        if found || is_person {
            // References are replaced in the whole text later, and would be again in a name.
            let name = one_word(&plain(name)).replace('&', "_");
            read.push_str(&format!("@{name} "));
        } else {
            found = true;
        }
        rest = after;
    }
    read.push_str(rest);
    found.then_some(read)
}

/// Replaces character references, in one pass: `&amp;lt;` is `&lt;`.
fn plain(text: &str) -> String {
    const REFERENCES: [(&str, &str); 7] = [
        ("&nbsp;", " "),
        ("&#160;", " "),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let known = REFERENCES
            .iter()
            .find_map(|(reference, meaning)| Some((*meaning, after.strip_prefix(reference.strip_prefix('&')?)?)));
        let (meaning, after) = known.unwrap_or(("&", after));
        plain.push_str(meaning);
        rest = after;
    }
    plain.push_str(rest);
    plain.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C7.
    #[test]
    fn the_mention_of_the_webhook_is_taken_out() {
        let people = ["<at>Dana</at>"];
        for (text, said) in [
            ("<at>offboard</at> alice analytics\n", Some("alice analytics")),
            ("<at>offboard</at>&nbsp;alice&nbsp;analytics&nbsp;\n", Some("alice analytics")),
            ("\n<at>Off Board</at>\u{a0}help", Some("help")),
            ("hey <at>offboard</at> alice analytics", Some("hey alice analytics")),
            ("alice analytics <at>offboard</at>", Some("alice analytics")),
            ("<at id=\"0\">offboard</at> help", Some("help")),
            ("<at>offboard</at> bob analytics asked by <at>Dana</at>", Some("bob analytics asked by @Dana")),
            ("<at>Dana</at> <at>offboard</at> bob analytics", Some("@Dana bob analytics")),
            ("<at>offboard</at> <at>Erin</at> analytics", Some("@Erin analytics")),
            ("<at>offboard</at> <at>offboard alice</at> analytics", Some("@offboard_alice analytics")),
            ("<at>offboard</at> <at>offboard&amp;nbsp;alice</at> analytics", Some("@offboard_nbsp;alice analytics")),
            ("<at>offboard</at>", Some("")),
            ("<at>Dana</at> bob analytics", None),
            ("alice analytics", None),
            ("<at>offboard alice analytics", None),
            ("", None),
        ] {
            let read = without_mention(text, &people).map(|text| plain(&text));
            let words = read.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
            assert_eq!(words.as_deref(), said, "{text}");
        }
    }

    #[test]
    fn references_are_read_once() {
        for (text, read) in [
            ("R&amp;D", "R&D"),
            ("&amp;lt;", "&lt;"),
            ("a &lt;b&gt; &quot;c&quot; it&#39;s", "a <b> \"c\" it's"),
            ("&unknown; & &", "&unknown; & &"),
        ] {
            assert_eq!(plain(text), read);
        }
    }
}

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
//! actor is `from.aadObjectId`, the person's object id in Entra, never `from.name`. The text begins with the mention of the webhook,
//! `<at>…</at>`, which is removed; the rest contains character references of HTML, although it is called plain (published requests
//! show `&nbsp;`; which others exist is not documented).
//!
//! Teams waits for five seconds and takes nothing afterwards: what takes longer is acknowledged, and the requester has to ask for
//! the outcome (`status …`). The answer is a message in the same thread with status 200 for every outcome, seen by everyone in the
//! channel; only a request without a valid proof is answered with 401.
//!
//! Not supported: buttons, because cards of an outgoing webhook can only open URLs: people write `confirm …`. Bots of the Bot
//! Framework, which prove themselves with a token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::callers::chat::format::{ChatFormat, break_mention, truncate};
use crate::callers::chat::grammar;
use crate::callers::chat::message;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::Acknowledgement;
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
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
use crate::secret::Secret;

pub(crate) struct Teams;

impl CallerKind for Teams {
    fn shape(&self) -> CallerShape {
        CallerShape { secret_form: form, ..CallerShape::chat("teams") }
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

    fn acknowledge(&self, early: &Acknowledgement<'_>) -> Option<Rendered> {
        Some(self.message(&message::acknowledgement(early)))
    }
}

impl ChatPlatform for Teams {
    /// Nothing is marked up: "raw text with no formatting applied"
    /// (<https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/format-your-bot-messages>).
    fn format(&self) -> ChatFormat {
        ChatFormat { escape: escaped, small: str::to_owned, longest: LONGEST }
    }

    fn message(&self, text: &str) -> Rendered {
        let text = truncate(text, LONGEST);
        Rendered::json(StatusCode::OK, json!({"type": "message", "textFormat": "plain", "text": text}).to_string())
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
    let Activity { r#type, from, text, .. } = json(&request.inbound.body)?;
    let actor = Actor::person(request.caller, object_id(&from.object_id.unwrap_or_default())?);
    if r#type != "message" {
        return Ok(Parsed::Ignored { sender: Some(actor.into()), why: "it is not a message" });
    }
    let text = text.unwrap_or_default();
    let command = match without_mention(&text) {
        Some(text) => grammar::command(plain(text).trim(), config),
        None => Err(RequestError::CommandMalformed),
    };
    Ok(Parsed::of(actor, command))
}

/// Checks an object id of Entra: a UUID in lower case.
fn object_id(given: &str) -> Result<&str, RequestError> {
    let digits = |part: &&str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = given.split('-').collect();
    let is_id = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(digits);
    let expected = Localized {
        en: "an Entra object ID such as `87994953-d622-4c2c-a425-28e58c73b2b2`",
        zh: "Entra对象ID，例如 `87994953-d622-4c2c-a425-28e58c73b2b2`",
    };
    if is_id { Ok(given) } else { Err(RequestError::invalid("from.aadObjectId", given, expected)) }
}

/// Returns the text after the mention at its beginning. Only that one is the webhook's; another is part of the command.
fn without_mention(text: &str) -> Option<&str> {
    let (_, rest) = text.trim_start().strip_prefix("<at>")?.split_once("</at>")?;
    Some(rest)
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

/// Well within the 40 KB of a message (same page).
const LONGEST: usize = 10_000;

/// Prevents tags, in case a client reads them.
fn escaped(text: &str) -> String {
    break_mention(text, &["<"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mention_is_taken_off() {
        for (text, said) in [
            ("<at>offboard</at> alice analytics\n", Some("alice analytics")),
            ("<at>offboard</at>&nbsp;alice&nbsp;analytics&nbsp;\n", Some("alice analytics")),
            ("\n<at>Off Board</at>\u{a0}help", Some("help")),
            ("<at>offboard</at> bob analytics asked by <at>Dana</at>", Some("bob analytics asked by <at>Dana</at>")),
            ("<at>offboard</at>", Some("")),
            ("alice analytics <at>offboard</at>", None),
            ("<at>offboard alice analytics", None),
            ("", None),
        ] {
            assert_eq!(without_mention(text).map(|text| plain(text).trim().to_owned()).as_deref(), said, "{text}");
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

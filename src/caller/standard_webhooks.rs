//! Standard Webhooks, as HR and identity systems send them: `POST /hooks/{caller}` with the body
//! `{"type":"account.delete","data":{"instance":"…","user_name":"…","reason":"…"}}`.
//!
//! Proof: `webhook-signature`, a space-separated list of `v1,` and the base64 HMAC-SHA256 of
//! `{webhook-id}.{webhook-timestamp}.{raw body}`, the key being the base64 after `whsec_`
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>). The principal is the
//! caller itself. The answer is the documented body with the outcome's status.
//!
//! `"dry_run": true` in `data` asks what would happen; the types `removal.confirm`, `removal.cancel`, `removal.approve`,
//! `removal.deny`, `removal.status` (with `id` in `data`) and `removal.pending` are the chat commands.
//!
//! A sender repeats a delivery with the same `webhook-id` and a new timestamp, so the id alone says which delivery it is.
//!
//! Not supported: `v1a` (Ed25519) signatures, which are passed over, and the older `svix-…` header names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{ActiveKey, Click, Inbound, Kind, Proof, Reading, Said, chat, documented, fresh, hmac_sha256_is};
use crate::command::{Actor, Delivery, Reason};
use crate::config::{Caller, Config, KeyShape, Secret};
use crate::outcome::{Language, Outcome, Words};
use crate::strict::{json, required_header, unix_seconds};

pub(super) const KIND: Kind = Kind {
    name: "standard-webhooks",
    keys: KeyShape::Secrets,
    is_chat: false,
    content_type: Some("application/json"),
    verify,
    read,
    render: documented,
    say: None,
    later: None,
};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

#[derive(Deserialize)]
struct Event {
    r#type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    instance: Option<String>,
    user_name: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
    /// Of what waits.
    id: Option<String>,
}

fn verify(inbound: &Inbound, caller: &Caller, keys: &[ActiveKey], now: DateTime<Utc>) -> Result<Proof, Outcome> {
    let id = required_header(&inbound.headers, ID)?;
    let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
    let signature = required_header(&inbound.headers, SIGNATURE)?;
    // A full stop in the id could be taken for the one that ends it, and one signed text be read in two ways.
    if id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
        return Err(Outcome::ProofMalformed { header: ID });
    }
    let seconds = unix_seconds(timestamp).ok_or(Outcome::ProofMalformed { header: TIMESTAMP })?;
    let tags = tags(signature).ok_or(Outcome::ProofMalformed { header: SIGNATURE })?;
    fresh(seconds, now)?;
    let keys: Vec<_> = keys.iter().filter_map(|key| signing_key(&key.secret)).collect();
    if keys.is_empty() {
        return Err(Outcome::SecretUnset);
    }
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &inbound.body];
    if !keys.iter().any(|key| tags.iter().any(|tag| hmac_sha256_is(key, &signed, tag))) {
        return Err(Outcome::ProofWrong);
    }
    Ok(Proof { delivery: Delivery::new(caller, &[id.as_bytes()]), key_id: None })
}

/// The key behind `whsec_`; `None` for one that is empty or not base64.
fn signing_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.expose();
    STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().filter(|key| !key.is_empty())
}

/// The `v1` signatures of the list; `None` when there is none, or one that is not canonical base64 of 32 bytes.
fn tags(list: &str) -> Option<Vec<Vec<u8>>> {
    let mut tags = Vec::new();
    for entry in list.split(' ') {
        let (version, tag) = entry.split_once(',')?;
        if version == "v1" {
            tags.push(STANDARD.decode(tag).ok().filter(|tag| tag.len() == 32)?);
        }
    }
    (!tags.is_empty()).then_some(tags)
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    Reading { actor: Some(Actor::system(caller)), said: removal(&inbound.body, config), later: None }
}

fn removal<'c>(body: &[u8], config: &'c Config) -> Result<Said<'c>, Outcome> {
    let Event { r#type, data } = json(body)?;
    let filled =
        |value: Option<String>, name| value.filter(|text| !text.is_empty()).ok_or(Outcome::FieldMissing { name });
    let reason = Reason::parse(&data.reason.unwrap_or_default());
    if r#type == "account.delete" {
        return Ok(Said::Remove {
            user_name: config.accounts.parse(&filled(data.user_name, "data.user_name")?)?,
            instance: config.instance(&filled(data.instance, "data.instance")?)?,
            reason: reason?,
            dry_run: data.dry_run,
        });
    }
    match r#type.strip_prefix("removal.") {
        Some("pending") => Ok(Said::Pending),
        Some("status") => Ok(Said::Status { id: filled(data.id, "data.id")? }),
        Some(how) if chat::click(how).is_some() => Ok(Said::Decide {
            id: filled(data.id, "data.id")?,
            how: chat::click(how).unwrap_or(Click::Cancel),
            reason: reason?,
        }),
        _ => Err(Outcome::FieldInvalid {
            name: "type",
            given: r#type,
            expected: Words {
                english: "`account.delete`, or `removal.` and one of `confirm`, `cancel`, `approve`, `deny`, `status`, `pending`",
                chinese: " `account.delete`，或 `removal.` 加 `confirm`、`cancel`、`approve`、`deny`、`status`、`pending` 之一",
            },
        }),
    }
}

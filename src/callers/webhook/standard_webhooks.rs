//! Standard Webhooks, as sent by HR and identity systems: `POST /hooks/{caller}` with the body
//! `{"type":"account.delete","data":{"instance":"…","user_name":"…","reason":"…"}}`, or with a body that the sender defines and
//! whose fields the operator locates (`fields`).
//!
//! Proof: `webhook-signature`, a space-separated list of signatures of `{webhook-id}.{webhook-timestamp}.{raw body}`
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>):
//! - `v1,` and the base64 HMAC-SHA256, whose key is the base64 after `whsec_`;
//! - `v1a,` and the base64 Ed25519 signature, whose public key is the base64 after `whpk_`. The sender's private half (`whsk_`)
//!   does not belong in this gateway's configuration and proves nothing.
//!
//! The prefix of a secret selects one of the two, so neither can replace the other. The principal is the caller itself. The answer
//! is the documented body with the outcome's status.
//!
//! `"dry_run": true` in `data` requests a dry run. The types `removal.confirm`, `removal.cancel`, `removal.approve`,
//! `removal.deny`, `removal.status` (with `id` in `data`) and `removal.pending` are the chat commands. A caller with `fields`
//! has none of these.
//!
//! A sender repeats a delivery with the same `webhook-id` and a new timestamp, so the id alone identifies the delivery.
//!
//! Not supported: the older `svix-…` header names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::callers::event::Event;
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp, first_that_proves};
use crate::callers::webhook::body_fields;
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::hmac_sha256_is;
use crate::crypto::public_key::ed25519_is;
use crate::outcome::language::Localized;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::pending_query::PendingQuery;
use crate::request::reason::Reason;
use crate::request::strict::{self, unix_seconds};
use crate::secret::Secret;

pub(crate) struct StandardWebhooks;

impl CallerKind for StandardWebhooks {
    fn shape(&self) -> CallerShape {
        CallerShape { takes_fields: true, ..CallerShape::hook("standard-webhooks") }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        signed(inbound, caller, keys.secrets.iter().map(|key| &key.secret), now)
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = strict::json(&request.inbound.body)
            .and_then(|body| body_fields::read_or(request, body, config, |body| own(body, config)));
        Event::parsed(request.caller, event)
    }
}

const ID: &str = "webhook-id";

const TIMESTAMP: &str = "webhook-timestamp";

/// The header with the list of signatures.
pub(super) const SIGNATURE: &str = "webhook-signature";

/// The prefix of a shared key.
pub(super) const SHARED: &str = "whsec_";

/// The prefix of a public key.
const PUBLIC: &str = "whpk_";

#[derive(Deserialize)]
struct Delivered {
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
    /// The id or reference of the removal that a `removal.…` type is about.
    id: Option<String>,
}

/// Verifies the signatures of a request with these secrets.
///
/// # Errors
///
/// [`ProofError`] if a header is missing or malformed, if the timestamp is out of range, or if no secret made a signature.
pub(super) fn signed<'k>(
    inbound: &Inbound,
    caller: &Caller,
    secrets: impl IntoIterator<Item = &'k Secret>,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let id = required_header(&inbound.headers, ID)?;
    let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
    let signature = required_header(&inbound.headers, SIGNATURE)?;
    // The signed text separates its parts by full stops; an id with a full stop would make that text ambiguous.
    if id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
        return Err(ProofError::Malformed { header: ID });
    }
    let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
    let tags = tags(signature).ok_or(ProofError::Malformed { header: SIGNATURE })?;
    check_timestamp(seconds, now)?;
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &inbound.body];
    let keys = secrets.into_iter().filter_map(Key::of);
    first_that_proves(keys, |key| tags.iter().any(|tag| key.made(tag, &signed)))?;
    Ok(Proof::of(DeliveryId::new(caller, &[id.as_bytes()])))
}

/// A key that verifies a signature.
enum Key {
    Shared(Vec<u8>),
    Public([u8; 32]),
}

impl Key {
    /// Reads the key in a secret; `None` if the secret is empty, is not base64, or is not a valid public key.
    fn of(secret: &Secret) -> Option<Self> {
        let text = secret.expose();
        if let Some(public) = text.strip_prefix(PUBLIC) {
            return Some(Self::Public(STANDARD.decode(public).ok()?.try_into().ok()?));
        }
        let key = STANDARD.decode(text.strip_prefix(SHARED).unwrap_or(text)).ok()?;
        (!key.is_empty()).then_some(Self::Shared(key))
    }

    fn made(&self, tag: &Tag, signed: &[&[u8]]) -> bool {
        match (self, tag) {
            (Self::Shared(key), Tag::Hmac(tag)) => hmac_sha256_is(key, signed, tag),
            (Self::Public(key), Tag::Ed25519(signature)) => ed25519_is(key, signed, signature),
            _ => false,
        }
    }
}

/// One signature of a request.
enum Tag {
    /// `v1`
    Hmac([u8; 32]),
    /// `v1a`
    Ed25519([u8; 64]),
}

/// Parses the list of signatures; `None` if none has a known version, or one is not canonical base64 of its length.
fn tags(list: &str) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    for entry in list.split(' ') {
        let (version, tag) = entry.split_once(',')?;
        match version {
            "v1" => tags.push(Tag::Hmac(STANDARD.decode(tag).ok()?.try_into().ok()?)),
            "v1a" => tags.push(Tag::Ed25519(STANDARD.decode(tag).ok()?.try_into().ok()?)),
            _ => {}
        }
    }
    (!tags.is_empty()).then_some(tags)
}

/// Returns the value of a field that must be present and not empty.
///
/// # Errors
///
/// [`RequestError::FieldMissing`] if the field is missing or empty.
pub(super) fn filled(value: Option<String>, name: &'static str) -> Result<String, RequestError> {
    value.filter(|text| !text.is_empty()).ok_or(RequestError::FieldMissing { name })
}

/// Reads an event in the form that this gateway defines.
///
/// # Errors
///
/// [`RequestError`] if the event has another form, lacks a field, or has a field with an invalid value.
pub(super) fn own(body: Value, config: &Config) -> Result<Event<'_>, RequestError> {
    let Delivered { r#type, data } = strict::typed(body)?;
    let reason = Reason::parse(&data.reason.unwrap_or_default());
    if r#type == "account.delete" {
        return Ok(Event::Command(Command::RemoveAccount {
            user_name: config.accounts.parse(&filled(data.user_name, "data.user_name")?)?,
            instance: config.instance(&filled(data.instance, "data.instance")?)?,
            reason: reason?,
            dry_run: data.dry_run,
        }));
    }
    let command = match r#type.strip_prefix("removal.") {
        Some("pending") => Command::ListPending(PendingQuery::after("data.id", data.id.as_deref())?),
        Some("status") => Command::GetRemoval { id: filled(data.id, "data.id")? },
        Some(name) => match ApprovalAction::parse(name) {
            Some(action) => Command::DecideApproval { id: filled(data.id, "data.id")?, action, reason: reason? },
            None => return Err(unknown_type(r#type)),
        },
        None => return Err(unknown_type(r#type)),
    };
    Ok(Event::Command(command))
}

fn unknown_type(r#type: String) -> RequestError {
    let expected = Localized {
        en: "`account.delete`, or `removal.` and one of `confirm`, `cancel`, `approve`, `deny`, `status`, `pending`",
        zh: " `account.delete`，或 `removal.` 加 `confirm`、`cancel`、`approve`、`deny`、`status`、`pending` 之一",
    };
    RequestError::invalid("type", r#type, expected)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned()).unwrap()
    }

    #[test]
    fn a_secret_has_one_kind() {
        let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
        assert!(matches!(Key::of(&secret(public)), Some(Key::Public(_))));
        assert!(matches!(Key::of(&secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), Some(Key::Shared(_))));
        // The public key is not accepted as a shared key.
        let bytes = STANDARD.decode(public.trim_start_matches(PUBLIC)).unwrap();
        let tag = Hmac::<Sha256>::new_from_slice(&bytes).unwrap().chain_update(b"text").finalize().into_bytes();
        assert!(!Key::of(&secret(public)).unwrap().made(&Tag::Hmac(tag.into()), &[b"text"]));
        for text in [
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "whsec_",
            "whpk_",
            "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%",
        ] {
            assert!(Key::of(&secret(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn a_list_has_one_form() {
        let (v1, v1a) = (format!("v1,{}", STANDARD.encode([1; 32])), format!("v1a,{}", STANDARD.encode([1; 64])));
        for (list, count) in
            [(v1.clone(), 1), (v1a.clone(), 1), (format!("v1a,{} {v1} v2,x", STANDARD.encode([2; 64])), 2)]
        {
            assert_eq!(tags(&list).unwrap().len(), count, "{list}");
        }
        for list in ["", "v1", "v2,x", "v1,", "v1,AAAA", "v1a,AAAA", &format!("{v1}  {v1}"), &v1.replace('=', "")] {
            assert!(tags(list).is_none(), "{list}");
        }
    }
}

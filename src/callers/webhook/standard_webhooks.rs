//! Standard Webhooks, as sent by HR and identity systems: `POST /hooks/{caller}` with the body
//! `{"type":"account.delete","data":{"instance":"…","user_name":"…","reason":"…"}}`, or with a body that the sender defines and
//! whose fields the operator locates (`fields`).
//!
//! Proof: `webhook-signature`, a space-separated list of signatures of `{webhook-id}.{webhook-timestamp}.{raw body}`
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>). Svix, where the scheme comes
//! from, and its many senders write `svix-id`, `svix-timestamp` and `svix-signature`
//! (<https://docs.svix.com/receiving/verifying-payloads/how-manual>): taken if the standard set is not complete. The two sets are
//! never mixed.
//! - `v1,` and the base64 HMAC-SHA256, whose key is the base64 after `whsec_`;
//! - `v1a,` and the base64 Ed25519 signature, whose public key is the base64 after `whpk_`. The sender's private half (`whsk_`)
//!   does not belong in this gateway's configuration and proves nothing.
//!
//! An entry of the list that cannot be right (another version, another length, base64 in another spelling, no comma, nothing) is
//! passed over, as in the reference implementations: during a rotation a sender signs with keys that this gateway does not have.
//!
//! The prefix of a secret selects one of the two, so neither can replace the other. A secret is taken in each form in which a
//! platform shows it: `whsec_…` with or without padding, `v1,whsec_…`, and without a prefix. Without a prefix it is base64, as for
//! the reference implementations; where it is not that, some senders use its bytes. The principal is the caller itself. The
//! answer is the documented body with the outcome's status.
//!
//! `"dry_run": true` in `data` requests a dry run. The types `removal.confirm`, `removal.cancel`, `removal.approve`,
//! `removal.deny`, `removal.status` (with `id` in `data`) and `removal.pending` are the chat commands. A caller with `fields`
//! has none of these.
//!
//! A sender repeats a delivery with the same `webhook-id` and a new timestamp, so the id alone identifies the delivery.
//!
//! Not supported: a timestamp that is not a whole number of seconds, which the specification excludes and about which the
//! reference implementations disagree.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
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
use crate::crypto::key_text::base64_key;
use crate::crypto::mac::{hmac_sha256, is_same};
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
        CallerShape { takes_fields: true, secret_form: form, ..CallerShape::hook("standard-webhooks") }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let secrets = keys.secrets.iter().map(|key| &key.secret);
        signed(inbound, caller, secrets, now)
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = strict::json(&request.inbound.body)
            .and_then(|body| body_fields::read_or(request, body, config, |body| own(body, config)));
        Event::parsed(request.caller, event)
    }
}

/// The names of the three headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Names {
    id: &'static str,
    timestamp: &'static str,
    signature: &'static str,
}

impl Names {
    const STANDARD: Self = Self { id: "webhook-id", timestamp: "webhook-timestamp", signature: SIGNATURE };

    const SVIX: Self = Self { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };

    /// Returns the set that proves a request: the standard one, unless only Svix's is complete.
    fn of(headers: &HeaderMap) -> Self {
        let count = |Self { id, timestamp, signature }: Self| {
            [id, timestamp, signature].into_iter().filter(|name| headers.contains_key(*name)).count()
        };
        // Where none is complete, the error names a header of the set of which there is more.
        let (standard, svix) = (count(Self::STANDARD), count(Self::SVIX));
        if svix > standard { Self::SVIX } else { Self::STANDARD }
    }
}

/// The header with the list of signatures.
pub(super) const SIGNATURE: &str = "webhook-signature";

/// The prefix of a shared key.
pub(super) const SHARED: &str = "whsec_";

/// The prefix of a public key.
const PUBLIC: &str = "whpk_";

/// The prefix of the sender's private key.
const PRIVATE: &str = "whsk_";

#[derive(Deserialize)]
struct Delivered {
    r#type: String,
    /// Missing or null where an event has no data.
    data: Option<Data>,
}

#[derive(Deserialize, Default)]
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
    let names = Names::of(&inbound.headers);
    let id = required_header(&inbound.headers, names.id)?;
    let timestamp = required_header(&inbound.headers, names.timestamp)?;
    let signature = required_header(&inbound.headers, names.signature)?;
    // An id with a full stop leaves it open where the id ends. It cannot end inside of the body: what follows a full stop there is
    // no JSON object, because it begins in a text, and then its quotes do not pair, or in a number.
    if id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ProofError::Malformed { header: names.id });
    }
    let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: names.timestamp })?;
    let tags = Tags::of(signature).ok_or(ProofError::Malformed { header: names.signature })?;
    check_timestamp(seconds, now)?;
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &inbound.body];
    let keys = secrets.into_iter().flat_map(Key::all_of);
    first_that_proves(keys, |key| key.made_one(&tags, &signed))?;
    Ok(Proof::of(DeliveryId::new(caller, &[id.as_bytes()])))
}

/// Checks the form of a secret.
///
/// # Errors
///
/// If it is no key: the forms that are.
pub(super) fn form(_: &str, secret: &Secret) -> Result<(), &'static str> {
    if Key::all_of(secret).is_empty() {
        return Err("`whsec_` or `whpk_` and a key in base64, as the platform shows it");
    }
    Ok(())
}

/// A key that verifies a signature.
enum Key {
    Shared(Vec<u8>),
    Public([u8; 32]),
}

impl Key {
    /// Reads the key in a secret. None if it is not one; two if a text without a prefix can be read in two ways.
    fn all_of(secret: &Secret) -> Vec<Self> {
        let text = secret.expose();
        let bare = ["v1,", "v1a,"].into_iter().find_map(|version| text.strip_prefix(version)).unwrap_or(text);
        if let Some(public) = bare.strip_prefix(PUBLIC) {
            let key = base64_key(public).and_then(|key| key.try_into().ok());
            return key.map(Self::Public).into_iter().collect();
        }
        if let Some(shared) = bare.strip_prefix(SHARED) {
            return base64_key(shared).map(Self::Shared).into_iter().collect();
        }
        // The sender's own half of a pair, which would otherwise pass for a text.
        if bare.starts_with(PRIVATE) {
            return Vec::new();
        }
        if let Ok(key) = STANDARD.decode(bare) {
            return vec![Self::Shared(key)];
        }
        base64_key(bare).into_iter().chain([text.as_bytes().to_vec()]).map(Self::Shared).collect()
    }

    /// Whether this key made one of the signatures. The body is hashed once, however long the list is.
    fn made_one(&self, tags: &Tags, signed: &[&[u8]]) -> bool {
        match self {
            Self::Shared(key) => {
                let right = hmac_sha256(key, signed);
                right.is_some_and(|right| tags.hmac.iter().any(|tag| is_same(tag, &right)))
            }
            Self::Public(key) => tags.ed25519.iter().any(|signature| ed25519_is(key, signed, signature)),
        }
    }
}

/// The signatures of a request that may be right.
struct Tags {
    /// `v1`
    hmac: Vec<[u8; 32]>,
    /// `v1a`
    ed25519: Vec<[u8; 64]>,
}

impl Tags {
    /// The most `v1a` signatures of a request. Each one is verified by itself, over the whole body.
    const MOST: usize = 8;

    /// Reads a list; `None` if no entry of it may be right, or too many may.
    fn of(list: &str) -> Option<Self> {
        let mut tags = Self { hmac: Vec::new(), ed25519: Vec::new() };
        for (version, tag) in list.split(' ').filter_map(|entry| entry.split_once(',')) {
            match version {
                "v1" => tags.hmac.extend(exactly(tag)),
                "v1a" => tags.ed25519.extend(exactly(tag)),
                _ => {}
            }
        }
        let is_empty = tags.hmac.is_empty() && tags.ed25519.is_empty();
        (!is_empty && tags.ed25519.len() <= Self::MOST).then_some(tags)
    }
}

/// Decodes canonical base64 of this length.
fn exactly<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    STANDARD.decode(text).ok()?.try_into().ok()
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
    let data = data.unwrap_or_default();
    let reason = Reason::parse(&data.reason.unwrap_or_default());
    if r#type == "account.delete" {
        return Ok(Event::Command(Command::RemoveAccount {
            user_name: config.accounts.parse(&filled(data.user_name, "data.user_name")?)?,
            instance: config.instance(&filled(data.instance, "data.instance")?)?,
            reason: reason?,
            dry_run: data.dry_run,
            caused_by: None,
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

    /// Returns the shared keys, in hexadecimal digits.
    fn shared(text: &str) -> Vec<String> {
        let keys = Key::all_of(&secret(text)).into_iter();
        keys.map(|key| if let Key::Shared(key) = key { hex::encode(key) } else { "public".into() }).collect()
    }

    #[test]
    fn a_secret_has_one_kind() {
        let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
        assert_eq!(shared(public), ["public"]);
        // The public key is not accepted as a shared key.
        let bytes = STANDARD.decode(public.trim_start_matches(PUBLIC)).unwrap();
        let tag = Hmac::<Sha256>::new_from_slice(&bytes).unwrap().chain_update(b"text").finalize().into_bytes();
        let tags = Tags { hmac: vec![tag.into()], ed25519: Vec::new() };
        assert!(Key::all_of(&secret(public)).iter().all(|key| !key.made_one(&tags, &[b"text"])));
        for text in [
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "v1a,whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "whsec_",
            "v1,whsec_",
            "whpk_",
            "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Laa%20",
        ] {
            assert!(Key::all_of(&secret(text)).is_empty(), "{text}");
            assert!(form("", &secret(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn f20_a_secret_is_taken_in_each_form_that_platforms_show() {
        for (text, keys) in [
            ("whsec_AAEC", vec!["000102"]),
            ("AAEC", vec!["000102"]),
            ("v1,whsec_AAEC", vec!["000102"]),
            ("v1,AAEC", vec!["000102"]),
            ("whsec_AAECAw==", vec!["00010203"]),
            ("whsec_AAECAw", vec!["00010203"]),
            ("v1,whsec_AAECAw", vec!["00010203"]),
            ("AAECAw==", vec!["00010203"]),
            // No reference implementation takes these, so that either reading may be the sender's.
            ("AAECAw", vec!["00010203", "414145434177"]),
            ("p-w", vec!["702d77"]),
        ] {
            assert_eq!(shared(text), keys, "{text}");
            assert_eq!(form("", &secret(text)), Ok(()), "{text}");
        }
        assert_eq!(shared("v1a,whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4"), ["public"]);
    }

    #[test]
    fn f19_entries_that_cannot_be_right_are_passed_over() {
        let (v1, v1a) = (format!("v1,{}", STANDARD.encode([1; 32])), format!("v1a,{}", STANDARD.encode([1; 64])));
        let count = |list: &str| Tags::of(list).map(|tags| (tags.hmac.len(), tags.ed25519.len()));
        for (list, counts) in [
            (v1.clone(), (1, 0)),
            (v1a.clone(), (0, 1)),
            (format!("v1a,{} {v1} v2,x", STANDARD.encode([2; 64])), (1, 1)),
            (format!("v1,AAAA {v1}"), (1, 0)),
            (format!("{v1} v1,AAAA"), (1, 0)),
            (format!("{v1}  {v1}"), (2, 0)),
            (format!("{v1} "), (1, 0)),
            (format!(" {v1}"), (1, 0)),
            (format!("nonsense {v1}"), (1, 0)),
            (format!("{} {v1}", v1.replace('=', "")), (1, 0)),
            (format!("v1,{} {v1}", STANDARD.encode([1; 33])), (1, 0)),
            (format!("{v1} v1,"), (1, 0)),
            (format!("v1a, {v1}"), (1, 0)),
        ] {
            assert_eq!(count(&list), Some(counts), "{list}");
        }
        for list in
            ["", " ", "v1", "v2,x", "v1,", "v1,AAAA", "v1a,AAAA", &v1.replace('=', ""), &format!("V{}", &v1[1..])]
        {
            assert_eq!(count(list), None, "{list}");
        }
        assert_eq!(count(&[v1.as_str(); 700].join(" ")), Some((700, 0)));
        assert_eq!(count(&[v1a.as_str(); Tags::MOST + 1].join(" ")), None);
    }

    #[test]
    fn f18_the_two_sets_of_headers_are_never_mixed() {
        let set = |names: &[&'static str]| {
            let headers = names.iter().map(|name| (http::HeaderName::from_static(name), "x".parse().unwrap()));
            Names::of(&headers.collect())
        };
        let (id, at, by) = ("webhook-id", "webhook-timestamp", "webhook-signature");
        let svix = ["svix-id", "svix-timestamp", "svix-signature"];
        for (names, expected) in [
            (vec![], Names::STANDARD),
            (vec![id, at, by], Names::STANDARD),
            (svix.to_vec(), Names::SVIX),
            ([vec![id, at, by], svix.to_vec()].concat(), Names::STANDARD),
            ([vec![id], svix.to_vec()].concat(), Names::SVIX),
            (vec![id, svix[1], svix[2]], Names::SVIX),
            (vec![id, at, svix[2]], Names::STANDARD),
            (vec![svix[0]], Names::SVIX),
        ] {
            assert_eq!(set(&names), expected, "{names:?}");
        }
    }
}

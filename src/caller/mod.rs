//! What a caller kind is, and the table of all kinds.
//!
//! A kind turns one platform's request into the typed command and an outcome into what that platform shows people. It is
//! three pure functions over (request, secrets, now): no clock, no network, no SQL, and nothing of TaurusDB. Adding a kind is
//! one file beside this one and one line in [`KINDS`].
//!
//! Rules that every kind keeps: what the signature does not cover is not believed; comparison is constant-time; encodings
//! are strict; a header that may stand once and stands twice is a refusal; an empty secret proves nothing.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::account::UserName;
use crate::command::{Actor, Delivery, Reason};
use crate::config::leavers::Identity;
use crate::config::{Caller, Config, Instance, KindShape, Secret};
use crate::jose::{KeySet, Refused};
use crate::outcome::{Language, Outcome, Words};
use crate::public_key::PublicKey;
use crate::published::Source;
use crate::search::{Form, Search};
use crate::strict::required_header;

pub mod api;
mod cbc;
mod chat;
mod cloudevents;
mod dingtalk;
mod discord;
mod feishu;
mod fields;
mod gcm;
mod github;
mod gitlab;
mod google_chat;
pub mod http_signature;
mod mattermost;
mod okta;
mod oneaccess;
pub mod scim;
mod slack;
mod standard_webhooks;
mod teams;
mod wecom;
mod welink;

/// Every kind that there is.
pub static KINDS: &[Kind] = &[
    slack::KIND,
    mattermost::KIND,
    teams::KIND,
    discord::KIND,
    google_chat::KIND,
    feishu::KIND,
    dingtalk::KIND,
    wecom::KIND,
    standard_webhooks::KIND,
    github::KIND,
    gitlab::KIND,
    okta::KIND,
    oneaccess::KIND,
    welink::KIND,
    cloudevents::KIND,
    scim::KIND,
    api::KIND,
    http_signature::KIND,
];

/// How far a timestamp may be from now, in milliseconds, either way.
const TOLERANCE: u64 = 300_000;

/// A request as it came, its body whole and within the limit.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The method.
    pub method: Method,
    /// The path as on the wire, percent-encoded.
    pub path: String,
    /// The query as on the wire, without `?`; empty when there is none.
    pub query: String,
    /// The authority that the client addressed, as it wrote it.
    pub host: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Bytes,
}

/// A secret of a caller that is set now.
#[derive(Debug, Clone)]
pub struct ActiveKey {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// Its secret half, or the first of its parts that is set.
    pub secret: Secret,
    /// All of its parts that are set, by name.
    pub parts: Vec<(&'static str, Secret)>,
}

impl ActiveKey {
    /// The parts that are set; `None` when there are none.
    pub fn new(id: Option<String>, parts: Vec<(&'static str, Secret)>) -> Option<Self> {
        let secret = parts.first()?.1.clone();
        Some(Self { id, secret, parts })
    }

    /// The part of this name, where it is set.
    pub fn part(&self, name: &str) -> Option<&Secret> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }
}

/// What can prove a request to be a caller's.
#[derive(Debug, Default)]
pub struct Keys {
    /// The secrets that are set; never none for a kind that has them.
    pub secrets: Vec<ActiveKey>,
    /// The public keys of whoever issued the token, for requests that bring one.
    pub published: Option<KeySet>,
}

/// What a verified request proved.
#[derive(Debug)]
pub struct Proof {
    /// Which request it is.
    pub delivery: Delivery,
    /// The access key id that signed, for kinds that have them.
    pub key_id: Option<String>,
    /// The secret that proved it, for kinds whose answers need it again.
    pub key: Option<ActiveKey>,
    /// Whom a token names, and their teams by its word.
    pub subject: Option<Subject>,
    /// What was inside an encrypted body.
    pub plain: Option<Bytes>,
}

/// Whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Their id, to whoever issued the token.
    pub id: String,
    /// Their teams.
    pub groups: Vec<String>,
}

impl Proof {
    /// A proof of which there is no more to say.
    pub fn of(delivery: Delivery) -> Self {
        Self { delivery, key_id: None, key: None, subject: None, plain: None }
    }
}

/// What a verified request says.
#[derive(Debug)]
pub struct Reading<'c> {
    /// Who asks; `None` when even that cannot be read.
    pub actor: Option<Actor>,
    /// What they ask.
    pub said: Result<Said<'c>, Outcome>,
    /// The button that was clicked, where one was.
    pub clicked: Option<Click>,
    /// Where an outcome can still be told when the platform waits no longer.
    pub later: Option<Later>,
}

impl<'c> Reading<'c> {
    /// Somebody's words.
    pub fn of(actor: Actor, said: Result<Said<'c>, Outcome>) -> Self {
        Self { actor: Some(actor), said, clicked: None, later: None }
    }

    /// A platform's own business, or what cannot be read.
    pub fn without_actor(said: Result<Said<'c>, Outcome>) -> Self {
        Self { actor: None, said, clicked: None, later: None }
    }

    fn unreadable(outcome: Outcome) -> Self {
        Self::without_actor(Err(outcome))
    }
}

/// A URL of the platform's own that takes an answer after the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    url: String,
    /// The platform shows nothing of the answer itself, so that everything is told here.
    pub is_all: bool,
}

impl Later {
    /// The URL, if it is at exactly this origin (`https://host[:port]`); else nobody is to be told anything there.
    pub fn at(origin: &str, url: &str) -> Option<Self> {
        let parsed: http::Uri = url.parse().ok()?;
        let given = format!("{}://{}", parsed.scheme_str()?, parsed.authority()?.as_str());
        (given == origin).then(|| Self { url: url.to_owned(), is_all: false })
    }

    /// Where everything is told.
    #[must_use]
    pub fn of_all(self) -> Self {
        Self { is_all: true, ..self }
    }

    /// Where to send it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A button below a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// Whoever asked means it.
    Confirm,
    /// Whoever asked does not.
    Cancel,
    /// Somebody else says yes.
    Approve,
    /// Somebody else says no.
    Deny,
}

impl Click {
    /// All of them, by the names that a platform hands back.
    pub const ALL: [(&'static str, Self); 4] =
        [("confirm", Self::Confirm), ("cancel", Self::Cancel), ("approve", Self::Approve), ("deny", Self::Deny)];
}

/// What somebody asks.
#[derive(Debug)]
pub enum Said<'c> {
    /// Remove this account.
    Remove {
        /// Which account.
        user_name: UserName,
        /// On which instance.
        instance: &'c Instance,
        /// Why, if they said.
        reason: Option<Reason>,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Decide what waits.
    Decide {
        /// Its reference or its row's id, as given.
        id: String,
        /// How.
        how: Click,
        /// Why, if they said.
        reason: Option<Reason>,
    },
    /// What waits for somebody.
    Pending,
    /// What became of a removal, in words.
    Status {
        /// Its reference or its row's id, as given.
        id: String,
    },
    /// What became of a removal, all of it.
    Look {
        /// The id of its row, as given.
        id: String,
    },
    /// Which removals there were.
    List {
        /// Which of them.
        search: Search,
        /// How to write them.
        form: Form,
    },
    /// What can be said.
    Help,
    /// Somebody, or several people, leave: all of their accounts are to go.
    Leave(Vec<Leaver>),
    /// Something about the people of an identity system.
    Directory(scim::Operation, scim::View),
    /// The platform wants to know that it reached us: this is the answer.
    Handshake(Rendered),
    /// Something that happened and is not about a removal; why it is not.
    Nothing(&'static str),
}

/// Somebody who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// What makes two events the same event, out of what was proved.
    pub event: String,
    /// What the platform says of them.
    pub identity: Identity,
    /// Why, if it said.
    pub reason: Option<Reason>,
}

/// What there is to tell about an outcome.
#[derive(Debug)]
pub struct Answer<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// The language to say it in.
    pub language: Language,
    /// The account, where one was read: `(user_name, instance)`.
    pub account: Option<(&'a str, &'a str)>,
    /// The environment of its instance.
    pub environment: Option<&'a str>,
    /// Who asked for it, where that is somebody else than whoever gets this answer.
    pub asked_by: Option<&'a str>,
    /// Who approved it.
    pub approved_by: Vec<&'a str>,
    /// The ids of the policies that decided.
    pub policies: &'a [String],
    /// What TaurusDB's code means for whoever asked, where that is known.
    pub meaning: Option<Words>,
    /// What to quote when asking the operator.
    pub request_id: &'a str,
    /// The button that this answers, where one was clicked.
    pub clicked: Option<Click>,
}

/// An answer in a platform's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: String,
    /// Its content type.
    pub content_type: &'static str,
    /// Headers beside those that every answer has.
    pub headers: Vec<(HeaderName, String)>,
}

impl Rendered {
    /// JSON.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self::of("application/json", status, body)
    }

    /// Text of this content type.
    pub fn of(content_type: &'static str, status: StatusCode, body: String) -> Self {
        Self { status, body, content_type, headers: Vec::new() }
    }
}

/// How a kind tells people something in words.
#[derive(Debug, Clone, Copy)]
pub struct Speech {
    /// Makes words of others harmless: no markup, no call to everybody.
    pub escape: fn(&str) -> String,
    /// A message with this text, which is ours but for what was escaped.
    pub say: fn(&str) -> Rendered,
}

/// What there is to say to a platform that waits no longer.
#[derive(Debug, Clone, Copy)]
pub struct Early<'a> {
    /// The language to say it in.
    pub language: Language,
    /// The account that is to be removed, and its instance; `None` when it is about something else.
    pub account: Option<(&'a str, &'a str)>,
    /// The id of the row, under which the outcome can be asked for.
    pub row: &'a str,
    /// Whether the outcome is told later; else somebody has to ask.
    pub follows: bool,
    /// The button that was clicked, where one was.
    pub clicked: Option<Click>,
}

/// How a platform takes answers after the answer.
#[derive(Debug)]
pub struct LaterShape {
    /// The method of its requests.
    pub method: Method,
    /// A URL that was kept, if it still is one of the platform's.
    pub at: fn(&Caller, &str) -> Option<Later>,
    /// The bodies to send, one after the other.
    pub bodies: fn(&Answer<'_>) -> Vec<String>,
    /// The bodies that carry an answer in words; those that `Speech` renders where it is `None`.
    pub words: Option<fn(Rendered) -> Vec<String>>,
    /// Whether a platform waits for the answer to a request that names no place for a later one.
    pub waits_without: bool,
    /// What has to be fetched first, for platforms that take nothing without a token of their own.
    pub login: Option<Login>,
}

/// How a token for the platform's own API is had.
#[derive(Debug)]
pub struct Login {
    /// The request for one.
    pub request: fn(&Caller, &ActiveKey) -> Option<http::Request<Bytes>>,
    /// The token in its answer, for `Authorization: Bearer`.
    pub token: fn(&[u8]) -> Option<Secret>,
}

/// What an answer is encrypted with, for platforms that want it so.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Whose request it is.
    pub caller: &'a Caller,
    /// The secret that proved it.
    pub key: &'a ActiveKey,
    /// What was inside the request's body.
    pub plain: &'a [u8],
    /// The time.
    pub now: DateTime<Utc>,
    /// 128 random bits that nothing else of this request uses. Of the answers that one request makes, one is sent.
    pub random: u128,
}

/// Where a kind's requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `/hooks/{caller}`, by these methods, as `Allow` lists them.
    Hook(&'static str),
    /// TaurusDB's own API, and what is served beside it.
    Documented,
    /// `/scim/v2/{caller}/…`
    Scim,
}

type Verify = fn(&Inbound, &Caller, &Keys, DateTime<Utc>) -> Result<Proof, Outcome>;
type Read = for<'c> fn(&Inbound, &Proof, &Caller, &'c Config, Language) -> Reading<'c>;

/// A caller kind. See the module's rules.
#[derive(Debug)]
pub struct Kind {
    /// What offboard.toml has to know of it.
    pub shape: KindShape,
    /// Where its requests arrive.
    pub place: Place,
    /// The content types of bodies that it takes; none when it needs no body.
    pub content_types: &'static [&'static str],
    /// Where the public keys are that a request's token needs; `None` for one that brings none.
    pub published: Option<for<'c> fn(&Inbound, &'c Caller) -> Option<Source<'c>>>,
    /// What is answered without any proof, because the platform asks before it has one.
    pub open: Option<fn(&Inbound, &Caller) -> Option<Rendered>>,
    /// Who asks, proved: pure, over the request, the keys that are set (never none) and the time.
    pub verify: Verify,
    /// What a verified request says.
    pub read: Read,
    /// An outcome in the platform's form. Only a proven request gets it: before, everybody gets the documented body.
    pub render: fn(&Answer<'_>) -> Rendered,
    /// Words for people; `None` for kinds without people, which get them as JSON.
    pub speech: Option<Speech>,
    /// What to say when it takes longer than the platform waits; `None` for those that do.
    pub early: Option<fn(&Early<'_>) -> Rendered>,
    /// For platforms that take an answer after the answer.
    pub later: Option<LaterShape>,
    /// Encrypts an answer.
    pub envelope: Option<fn(Rendered, &Envelope<'_>) -> Rendered>,
}

/// The kind that offboard.toml calls `name`.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.shape.name == name)
}

/// The kinds' names and shapes, for [`Config::parse`].
pub fn shapes() -> Vec<KindShape> {
    KINDS.iter().map(|kind| kind.shape).collect()
}

/// The answer as TaurusDB's API page documents it.
pub fn documented(answer: &Answer<'_>) -> Rendered {
    Rendered::json(answer.outcome.status(), answer.outcome.documented_body(answer.language))
}

/// Whether `seconds` is within 300 seconds of now, either way; exactly 300 is.
///
/// # Errors
///
/// [`Outcome::ProofStale`]
fn fresh(seconds: i64, now: DateTime<Utc>) -> Result<(), Outcome> {
    // In milliseconds, because the clock is not on a whole second when 300 of them have passed.
    let apart = now.timestamp_millis().abs_diff(seconds.saturating_mul(1000));
    if apart <= TOLERANCE { Ok(()) } else { Err(Outcome::ProofStale) }
}

/// A timestamp in seconds or milliseconds, as a number or as text: as it is written, and in seconds.
fn moment(value: &serde_json::Value) -> Option<(String, i64)> {
    let text = match value {
        serde_json::Value::Number(number) => number.as_u64()?.to_string(),
        serde_json::Value::String(text) => text.clone(),
        _ => return None,
    };
    let plain = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| plain)?;
    // Seconds of the year 5138 are milliseconds of 1973.
    let seconds = if number >= 100_000_000_000 { number.div_euclid(1000) } else { number };
    Some((text, seconds))
}

/// Whether `tag` is the HMAC-SHA256 of the parts, one after the other, under `key`; in constant time.
fn hmac_sha256_is(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}

/// What stands behind `Bearer`.
///
/// # Errors
///
/// [`Outcome::ProofMissing`] and its like.
fn bearer(headers: &HeaderMap) -> Result<&str, Outcome> {
    const AUTHORIZATION: &str = "authorization";
    let value = required_header(headers, AUTHORIZATION)?;
    // The word in any case (RFC 9110, section 11.1), one space, and what RFC 6750 lets a token be.
    let (scheme, token) = value.split_once(' ').ok_or(Outcome::ProofMalformed { header: AUTHORIZATION })?;
    let good = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if good { Ok(token) } else { Err(Outcome::ProofMalformed { header: AUTHORIZATION }) }
}

/// Why a token does not prove anything.
fn token_refused(why: Refused) -> Outcome {
    match why {
        Refused::Malformed => Outcome::ProofMalformed { header: "token" },
        Refused::Algorithm | Refused::Signature => Outcome::ProofWrong,
        Refused::UnknownKey => Outcome::KeyUnknown,
        Refused::Expired => Outcome::ProofExpired,
        Refused::Claim(claim) => Outcome::TokenRefused { claim },
    }
}

/// Whether `signature` is the Ed25519 signature of the parts, one after the other, by the owner of this public key. Strictly:
/// neither keys of small order nor signatures that can be rewritten (RFC 8032, section 5.1.7).
fn ed25519_is(key: &[u8; 32], parts: &[&[u8]], signature: &[u8; 64]) -> bool {
    PublicKey::ed25519(key).is_ok_and(|key| key.verify(&parts.concat(), signature))
}

/// What a system that waits no longer is told: it was taken, and its outcome has to be asked for.
fn accepted(early: &Early<'_>) -> Rendered {
    let mut body = serde_json::json!({"result": "ACCEPTED"});
    if let (Some(_), Some(fields)) = (early.account, body.as_object_mut()) {
        fields.insert("removal".into(), early.row.into());
    }
    Rendered::json(StatusCode::ACCEPTED, body.to_string())
}

/// Whether the two are the same, in a time that depends on their lengths alone.
fn same_secret(given: &[u8], secret: &Secret) -> bool {
    given.ct_eq(secret.expose().as_bytes()).into()
}

/// 64 lowercase hexadecimal digits as 32 bytes.
fn lower_hex_32(text: &str) -> Option<[u8; 32]> {
    lower_hex(text)
}

/// Two lowercase hexadecimal digits for each byte.
fn lower_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SECRET;

    #[test]
    fn three_hundred_seconds_either_way_and_not_one_more() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let now = at(1_700_000_000_000);
        for seconds in [-300, -299, 0, 299, 300] {
            assert_eq!(fresh(1_700_000_000 + seconds, now), Ok(()));
        }
        for seconds in [-301, 301, -1_700_000_000] {
            assert_eq!(fresh(1_700_000_000 + seconds, now), Err(Outcome::ProofStale));
        }
        assert_eq!(fresh(1_700_000_000, at(1_700_000_300_001)), Err(Outcome::ProofStale));
        assert_eq!(fresh(i64::MAX, now), Err(Outcome::ProofStale));
    }

    /// Every published signature of a scheme that there is a kind for; see `tests/fixtures/vectors`.
    #[test]
    fn published_vectors() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/vectors/callers.json")).unwrap();
        let mut ran = Vec::new();
        for vector in file["vectors"].as_array().unwrap() {
            let (scheme, id) = (vector["scheme"].as_str().unwrap(), vector["id"].as_str().unwrap());
            let (kind, secret) = match scheme {
                "slack-v0" => (&slack::KIND, "signing_secret"),
                "standard-webhooks-v1" => (&standard_webhooks::KIND, "secret"),
                "standard-webhooks-v1a-ed25519" => (&standard_webhooks::KIND, "public_key_whpk"),
                "gitlab-webhook-signature" => (&gitlab::KIND, "secret"),
                "github-x-hub-signature-256" => (&github::KIND, "secret"),
                "msteams-outgoing-hmac" => (&teams::KIND, "secret_base64"),
                "discord-ed25519" => (&discord::KIND, "public_key_hex"),
                _ => continue,
            };
            let inputs = &vector["inputs"];
            let Some(secret) = inputs[secret].as_str() else { panic!("{id}: no secret") };
            let mut headers = HeaderMap::new();
            for (name, value) in inputs["headers"].as_object().unwrap() {
                let name: http::HeaderName = name.parse().unwrap();
                headers.insert(name, value.as_str().unwrap().parse().unwrap());
            }
            let inbound = Inbound {
                method: Method::POST,
                path: "/hooks/a".into(),
                query: String::new(),
                host: "localhost".into(),
                headers,
                body: Bytes::from(inputs["body"].as_str().unwrap().to_owned()),
            };
            let caller = Caller::new("a", kind.shape.name);
            let secret = Secret::new(secret.to_owned()).unwrap();
            let secrets = vec![ActiveKey::new(None, vec![(SECRET, secret)]).unwrap()];
            let keys = Keys { secrets, published: None };
            // Where a vector names no time, it is its own.
            let own = match scheme {
                "discord-ed25519" => inputs["headers"]["X-Signature-Timestamp"].as_str().unwrap().parse().unwrap(),
                // 2017-02-01T21:10:07Z, in the body.
                "msteams-outgoing-hmac" => 1_485_983_407,
                _ => 1_700_000_000,
            };
            let now = inputs["now_for_test"].as_i64().unwrap_or(own);
            let verified = (kind.verify)(&inbound, &caller, &keys, DateTime::from_timestamp(now, 0).unwrap());
            assert_eq!(verified.is_ok(), vector["valid"].as_bool().unwrap(), "{id}: {verified:?}");
            if let Err(outcome) = verified {
                let stale = id.ends_with("-expired") || id.ends_with("-old") || id.ends_with("-future");
                assert_eq!(outcome, if stale { Outcome::ProofStale } else { Outcome::ProofWrong }, "{id}");
            }
            ran.push(id);
        }
        assert_eq!(ran.len(), 14, "{ran:?}");
    }

    /// Among them signatures that a lenient verifier takes.
    #[test]
    fn ed25519_vectors() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/vectors/callers.json")).unwrap();
        let mut ran = 0;
        for vector in file["vectors"].as_array().unwrap().iter().filter(|vector| vector["scheme"] == "ed25519-raw") {
            let bytes = |name: &str| hex::decode(vector["inputs"][name].as_str().unwrap()).unwrap();
            let key: [u8; 32] = bytes("public_key_hex").try_into().unwrap();
            let signature: Result<[u8; 64], _> = bytes("signature_hex").try_into();
            let is = signature.is_ok_and(|signature| ed25519_is(&key, &[&bytes("message_hex")], &signature));
            assert_eq!(is, vector["valid"].as_bool().unwrap(), "{}", vector["id"]);
            ran += 1;
        }
        assert!(ran > 5);
    }

    #[test]
    fn a_later_channel_is_the_platform_s_own() {
        let at = |url| Later::at("https://hooks.slack.com", url).is_some();
        assert!(at("https://hooks.slack.com/commands/T0001/1/abc"));
        for url in [
            "http://hooks.slack.com/commands/1",
            "https://hooks.slack.com.evil.example/commands/1",
            "https://evil.example/hooks.slack.com",
            "https://hooks.slack.com@evil.example/",
            "https://evil.example@hooks.slack.com/",
            "https://hooks.slack.com:444/commands/1",
            "https://HOOKS.slack.com/commands/1",
            "//hooks.slack.com/commands/1",
            "/commands/1",
            "hooks.slack.com",
            "",
        ] {
            assert!(!at(url), "{url}");
        }
    }

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(lower_hex_32(&"0a".repeat(32)), Some([10; 32]));
        for text in ["0A".repeat(32), "0a".repeat(31), "0a".repeat(33), "0g".repeat(32), String::new()] {
            assert_eq!(lower_hex_32(&text), None);
        }
    }
}

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
use http::{HeaderMap, Method, StatusCode};
use sha2::Sha256;

use crate::account::UserName;
use crate::command::{Actor, Delivery, Reason};
use crate::config::{Caller, Config, Instance, KeyShape, KindShape, Secret};
use crate::outcome::{Language, Outcome, Words};
use crate::search::{Form, Search};

pub mod api;
mod chat;
mod slack;
mod standard_webhooks;

/// Every kind that there is.
pub static KINDS: &[Kind] = &[slack::KIND, standard_webhooks::KIND, api::KIND];

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
#[derive(Debug)]
pub struct ActiveKey {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// Its secret half.
    pub secret: Secret,
}

/// What a verified request proved.
#[derive(Debug)]
pub struct Proof {
    /// Which request it is.
    pub delivery: Delivery,
    /// The access key id that signed, for kinds that have them.
    pub key_id: Option<String>,
}

/// What a verified request says.
#[derive(Debug)]
pub struct Reading<'c> {
    /// Who asks; `None` when even that cannot be read.
    pub actor: Option<Actor>,
    /// What they ask.
    pub said: Result<Said<'c>, Outcome>,
    /// Where an outcome can still be told when the platform waits no longer.
    pub later: Option<Later>,
}

impl Reading<'_> {
    fn unreadable(outcome: Outcome) -> Self {
        Self { actor: None, said: Err(outcome), later: None }
    }
}

/// A URL of the platform's own, signed by it, that takes an answer after the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    url: String,
    /// The button that was clicked, where one was: the platform then shows nothing of the answer itself.
    pub click: Option<Click>,
}

impl Later {
    /// The URL, if it is `https` at exactly this host; else nobody is to be told anything there.
    pub fn at(host: &str, url: &str, click: Option<Click>) -> Option<Self> {
        let parsed: http::Uri = url.parse().ok()?;
        let right = parsed.scheme_str() == Some("https") && parsed.authority().map(|a| a.as_str()) == Some(host);
        right.then(|| Self { url: url.to_owned(), click })
    }

    /// Where to POST it.
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
}

/// An answer in a platform's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body: JSON, but for what [`Said::List`] asks for.
    pub body: String,
}

type Verify = fn(&Inbound, &Caller, &[ActiveKey], DateTime<Utc>) -> Result<Proof, Outcome>;
type Read = for<'c> fn(&Inbound, &Proof, &Caller, &'c Config, Language) -> Reading<'c>;

/// A caller kind. See the module's rules.
#[derive(Debug)]
pub struct Kind {
    /// What offboard.toml calls it.
    pub name: &'static str,
    /// How it is given its secrets.
    pub keys: KeyShape,
    /// Whether there are people at the other end, who can be asked back.
    pub is_chat: bool,
    /// The content type it takes; `None` when it needs no body.
    pub content_type: Option<&'static str>,
    /// Who asks, proved: pure, over the request, the keys that are set (never none) and the time.
    pub verify: Verify,
    /// What a verified request says.
    pub read: Read,
    /// An outcome in the platform's form.
    pub render: fn(&Answer<'_>) -> Rendered,
    /// Words for people, in the platform's form; `None` for kinds without people, which get them as JSON.
    pub say: Option<fn(&str) -> Rendered>,
    /// For platforms that take an answer after the answer.
    pub later: Option<LaterShape>,
}

/// How a platform takes answers after the answer.
#[derive(Debug)]
pub struct LaterShape {
    /// The host of every URL that takes one.
    pub host: &'static str,
    /// What to say when it takes longer than the platform waits. The arguments are the language, the account and its instance.
    pub wait: fn(Language, &str, &str) -> Rendered,
    /// The bodies to POST, one after the other.
    pub bodies: fn(&Answer<'_>, Option<Click>) -> Vec<String>,
}

/// The kind that offboard.toml calls `name`.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The kinds' names and shapes, for [`Config::parse`].
pub fn shapes() -> Vec<KindShape> {
    KINDS.iter().map(|kind| KindShape { name: kind.name, keys: kind.keys, is_chat: kind.is_chat }).collect()
}

/// The answer as TaurusDB's API page documents it.
pub fn documented(answer: &Answer<'_>) -> Rendered {
    Rendered { status: answer.outcome.status(), body: answer.outcome.documented_body(answer.language) }
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

/// Whether `tag` is the HMAC-SHA256 of the parts, one after the other, under `key`; in constant time.
fn hmac_sha256_is(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}

/// 64 lowercase hexadecimal digits as 32 bytes.
fn lower_hex_32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                "standard-webhooks-v1" | "gitlab-webhook-signature" => (&standard_webhooks::KIND, "secret"),
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
            let caller =
                Caller { name: "a".into(), kind: kind.name.into(), keys: vec![], confirm: false, language: None };
            let keys = [ActiveKey { id: None, secret: Secret::new(secret.to_owned()).unwrap() }];
            let now = inputs["now_for_test"].as_i64().unwrap_or(1_700_000_000);
            let verified = (kind.verify)(&inbound, &caller, &keys, DateTime::from_timestamp(now, 0).unwrap());
            assert_eq!(verified.is_ok(), vector["valid"].as_bool().unwrap(), "{id}: {verified:?}");
            if let Err(outcome) = verified {
                let stale = id.ends_with("-expired") || id.ends_with("-old") || id.ends_with("-future");
                assert_eq!(outcome, if stale { Outcome::ProofStale } else { Outcome::ProofWrong }, "{id}");
            }
            ran.push(id);
        }
        assert_eq!(ran.len(), 7, "{ran:?}");
    }

    #[test]
    fn a_later_channel_is_the_platform_s_own() {
        let at = |url| Later::at("hooks.slack.com", url, None).is_some();
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

//! Caller kinds: the senders of requests, their proofs, and the form of their answers.
//!
//! [`KINDS`] lists them, one line a kind; each is a struct in its own file that implements [`CallerKind`]. A new kind is a new file
//! and a line here. Nothing here uses a clock, the network or a database, and nothing sees `taurusdb`, `policy` or `ledger`.

pub mod actors;
pub mod api;
pub mod chat;
pub mod console;
pub(crate) mod event;
pub mod follow_up;
pub mod kind;
pub mod parsed;
pub mod proof;
pub mod scim;
pub mod webhook;

use crate::callers::api::Api;
use crate::callers::api::http_signature::HttpSignature;
use crate::callers::chat::dingtalk::Dingtalk;
use crate::callers::chat::discord::Discord;
use crate::callers::chat::feishu::Feishu;
use crate::callers::chat::google_chat::GoogleChat;
use crate::callers::chat::mattermost::Mattermost;
use crate::callers::chat::slack::Slack;
use crate::callers::chat::teams::Teams;
use crate::callers::chat::wecom::Wecom;
use crate::callers::console::Console;
use crate::callers::kind::CallerKind;
use crate::callers::scim::Scim;
use crate::callers::webhook::cloudevents::Cloudevents;
use crate::callers::webhook::github::Github;
use crate::callers::webhook::gitlab::Gitlab;
use crate::callers::webhook::okta::Okta;
use crate::callers::webhook::oneaccess::Oneaccess;
use crate::callers::webhook::standard_webhooks::StandardWebhooks;
use crate::callers::webhook::welink::Welink;
use crate::config::caller_shape::CallerShape;

/// All caller kinds.
pub static KINDS: &[&dyn CallerKind] = &[
    &Slack,
    &Mattermost,
    &Teams,
    &Discord,
    &GoogleChat,
    &Feishu,
    &Dingtalk,
    &Wecom,
    &StandardWebhooks,
    &Github,
    &Gitlab,
    &Okta,
    &Oneaccess,
    &Welink,
    &Cloudevents,
    &Scim,
    &Api,
    &HttpSignature,
    &Console,
];

/// Returns the kind with this name in offboard.toml.
pub fn kind(name: &str) -> Option<&'static dyn CallerKind> {
    KINDS.iter().copied().find(|kind| kind.shape().name == name)
}

/// Returns the names and shapes of all kinds, for [`Config::parse`](crate::config::Config::parse).
pub fn shapes() -> Vec<CallerShape> {
    KINDS.iter().map(|kind| kind.shape()).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::callers::follow_up::ReplyAddress;
    use crate::callers::proof::ProofError;
    use crate::callers::proof::{ActiveSecret, VerificationKeys, check_timestamp};
    use crate::config::callers::Caller;
    use crate::crypto::mac::lower_hex_32;
    use crate::crypto::public_key::ed25519_is;
    use crate::request::inbound::Inbound;
    use crate::request::name::counted::comparisons;
    use crate::secret::Secret;
    use chrono::DateTime;
    use http::{HeaderMap, Method};

    use super::*;
    use crate::config::callers::SECRET;

    #[test]
    fn a_timestamp_may_be_three_hundred_seconds_off() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let now = at(1_700_000_000_000);
        for seconds in [-300, -299, 0, 299, 300] {
            assert_eq!(check_timestamp(1_700_000_000 + seconds, now), Ok(()));
        }
        for seconds in [-301, 301, -1_700_000_000] {
            assert_eq!(check_timestamp(1_700_000_000 + seconds, now), Err(ProofError::Stale));
        }
        assert_eq!(check_timestamp(1_700_000_000, at(1_700_000_300_001)), Err(ProofError::Stale));
        assert_eq!(check_timestamp(i64::MAX, now), Err(ProofError::Stale));
    }

    /// Verifies every published signature of a scheme that a kind has; see `tests/fixtures/vectors`.
    #[test]
    fn published_vectors() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/vectors/callers.json")).unwrap();
        let mut ran = Vec::new();
        for vector in file["vectors"].as_array().unwrap() {
            let (scheme, id) = (vector["scheme"].as_str().unwrap(), vector["id"].as_str().unwrap());
            let (kind, secret): (&dyn CallerKind, _) = match scheme {
                "slack-v0" => (&Slack, "signing_secret"),
                "standard-webhooks-v1" => (&StandardWebhooks, "secret"),
                "standard-webhooks-v1a-ed25519" => (&StandardWebhooks, "public_key_whpk"),
                "gitlab-webhook-signature" => (&Gitlab, "secret"),
                "github-x-hub-signature-256" => (&Github, "secret"),
                "msteams-outgoing-hmac" => (&Teams, "secret_base64"),
                "discord-ed25519" => (&Discord, "public_key_hex"),
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
            let caller = Caller::new("a", kind.shape().name);
            let secret = Secret::new(secret.to_owned()).unwrap();
            let secrets = vec![ActiveSecret::new(None, vec![(SECRET, secret)]).unwrap()];
            let keys = VerificationKeys { secrets, published: None };
            // A vector without a test time is verified at the time of its signature.
            let signed_at = match scheme {
                "discord-ed25519" => inputs["headers"]["X-Signature-Timestamp"].as_str().unwrap().parse().unwrap(),
                // 2017-02-01T21:10:07Z, in the body.
                "msteams-outgoing-hmac" => 1_485_983_407,
                _ => 1_700_000_000,
            };
            let now = inputs["now_for_test"].as_i64().unwrap_or(signed_at);
            let verified = kind.verify(&inbound, &caller, &keys, DateTime::from_timestamp(now, 0).unwrap());
            assert_eq!(verified.is_ok(), vector["valid"].as_bool().unwrap(), "{id}: {verified:?}");
            if let Err(outcome) = verified {
                let stale = id.ends_with("-expired") || id.ends_with("-old") || id.ends_with("-future");
                assert_eq!(outcome, if stale { ProofError::Stale } else { ProofError::Wrong }, "{id}");
            }
            ran.push(id);
        }
        assert_eq!(ran.len(), 14, "{ran:?}");
    }

    /// Signatures of which a lenient verifier accepts some that a strict one refuses.
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
    fn a_reply_address_is_on_the_platform_s_host() {
        let at = |url| ReplyAddress::at("https://hooks.slack.com", url).is_some();
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

    /// Bodies of 64 KiB and headers of 32 KB, of the forms that are the most work for each reader. None is read before it is proved,
    /// and what is compared grows with the request.
    #[test]
    fn a4_the_largest_requests_cost_no_kind_more_than_their_size() {
        const LARGEST: usize = 64 * 1024;
        let filled = |piece: &dyn Fn(usize) -> String, size: usize| {
            let mut text = String::new();
            for number in 0.. {
                let piece = piece(number);
                if text.len() + piece.len() > size {
                    return text;
                }
                text += &piece;
            }
            text
        };
        let bodies = |size: usize| {
            let size = size - 100;
            [
                ("application/x-www-form-urlencoded", filled(&|number| format!("{number}=&"), size)),
                ("application/json", format!("{{{}\"\":1}}", filled(&|number| format!("\"{number}\":1,"), size))),
                ("application/json", format!("[{}0]", filled(&|_| "[],".to_owned(), size))),
                ("application/json", filled(&|_| "[".to_owned(), size)),
                ("text/xml", format!("<xml>{}</xml>", filled(&|number| format!("<a{number}/>"), size))),
            ]
        };
        let list = |size: usize, entry: &str| filled(&|_| format!("{entry} "), size / 2);
        let inbound = |body: &str, content_type: &str, size: usize| {
            let mut headers = HeaderMap::new();
            let v1 = format!("v1,{}", "A".repeat(43) + "=");
            for (name, value) in [
                ("content-type", content_type.to_owned()),
                ("authorization", list(size, "Bearer")),
                ("webhook-id", "m".into()),
                ("webhook-timestamp", "1780308000".into()),
                ("webhook-signature", list(size, &v1)),
                ("x-hub-signature-256", format!("sha256={}", "0".repeat(64))),
                ("x-slack-request-timestamp", "1780308000".into()),
                ("x-slack-signature", format!("v0={}", "0".repeat(64))),
                ("x-gitlab-token", list(size, "t")),
                ("timestamp", "1780308000000".into()),
                ("sign", "A".repeat(43) + "="),
                ("x-lark-request-timestamp", "1780308000".into()),
                ("x-lark-request-nonce", list(size, "n")),
                ("x-lark-signature", "0".repeat(64)),
                ("x-signature-timestamp", "1780308000".into()),
                ("x-signature-ed25519", "0".repeat(128)),
                ("signature-input", format!("sig1=({});created=1780308000", list(size, "\"a\""))),
                ("signature", "sig1=:AA==:".into()),
            ] {
                headers.insert(name, value.trim().parse().unwrap());
            }
            Inbound {
                method: Method::POST,
                path: "/hooks/a".into(),
                query: filled(&|number| format!("{number}=&"), size / 4),
                host: "localhost".into(),
                headers,
                body: Bytes::from(body.to_owned()),
            }
        };
        let now = DateTime::from_timestamp(1_780_308_000, 0).unwrap();
        for kind in KINDS {
            let parts = ["secret", "token", "signature_key", "encryption_key", "aes_key", "encrypt_key"];
            let secret = || Secret::new("another secret".to_owned()).unwrap();
            let key = ActiveSecret::new(Some("k".into()), parts.map(|part| (part, secret())).to_vec()).unwrap();
            let keys = VerificationKeys { secrets: vec![key], published: None };
            let caller = Caller::new("a", kind.shape().name);
            for place in 0..5 {
                let work = |size: usize| {
                    let (content_type, body) = &bodies(size)[place];
                    let inbound = inbound(body, content_type, size);
                    comparisons(|| assert!(kind.verify(&inbound, &caller, &keys, now).is_err()))
                };
                let (half, whole) = (work(LARGEST / 2), work(LARGEST));
                let (name, limit) = (kind.shape().name, 10_000);
                assert!(whole * 2 <= half * 5 + 100 && whole < limit, "{name}, {place}: {half}, {whole}");
            }
        }
    }
}

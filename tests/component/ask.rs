//! Requests as the three demo callers send them: right, or wrong in one chosen way.
//!
//! The signers are written here once more, by their vendors' documentation, so that the component is not judged by its
//! own code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) const SLACK_SECRET: &str = "slack-secret-2b7e151628aed2a6";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const PORTAL_KEY: &str = "HPUAPORTALKEY0000001";
pub(crate) const PORTAL_SECRET: &str = "portal-secret-abf7158809cf4f3c";

pub(crate) const PROJECT: &str = "23a50154cf494ec9ad6883979a12db0a";
pub(crate) const INSTANCE: &str = "54e42160670e48e789af7075e1efea1fin17";

/// RFC 3986's unreserved characters stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The three kinds of callers, each with one in the demo configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Slack,
    StandardWebhooks,
    Api,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Slack, Self::StandardWebhooks, Self::Api];

    /// What offboard.toml calls the kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::StandardWebhooks => "standard-webhooks",
            Self::Api => "api",
        }
    }

    /// The caller of this kind in the demo configuration.
    pub(crate) fn caller(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::StandardWebhooks => "hr",
            Self::Api => "portal",
        }
    }

    /// Who asks in an [`Ask`] that says nothing else.
    pub(crate) fn principal(self) -> &'static str {
        match self {
            Self::Slack => "slack/U2CERLKJA",
            Self::StandardWebhooks => "hr",
            Self::Api => "portal/HPUAPORTALKEY0000001",
        }
    }

    fn signature_header(self) -> &'static str {
        match self {
            Self::Slack => "X-Slack-Signature",
            Self::StandardWebhooks => "webhook-signature",
            Self::Api => "Authorization",
        }
    }
}

/// What the signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Signature {
    #[default]
    Right,
    /// One character is another one.
    Wrong,
    /// Its header is not there.
    Missing,
    /// Its header is there, without a value.
    Empty,
    /// Its header stands twice, both times right.
    Doubled,
    /// The last character is missing.
    Truncated,
    /// Hexadecimal digits in upper case.
    Uppercase,
    /// Made with another secret.
    OtherSecret,
    /// Made with the empty secret, which everybody knows.
    EmptySecret,
    /// Of another body than the one that is sent.
    OtherBody,
}

/// A removal, as far as it differs from the right one that every kind of caller sends by default: alice, on analytics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ask {
    pub(crate) user_name: String,
    pub(crate) instance: String,
    pub(crate) reason: Option<String>,
    /// `X-Language`
    pub(crate) language: Option<String>,
    /// Slack's id of the person.
    pub(crate) user_id: String,
    /// What stands after the slash command; else it is made of the three fields above.
    pub(crate) text: Option<String>,
    /// Where Slack takes an answer that comes later.
    pub(crate) response_url: String,
    pub(crate) webhook_id: String,
    pub(crate) access_key: String,
    pub(crate) method: Option<String>,
    /// Path and query, as they are on the wire.
    pub(crate) path: Option<String>,
    /// The body, as it is on the wire.
    pub(crate) body: Option<String>,
    /// Empty for none.
    pub(crate) content_type: Option<String>,
    /// Headers to leave out, after signing.
    pub(crate) leave_out: Vec<String>,
    /// Headers to add, after that; no signature covers them.
    pub(crate) add: Vec<(String, String)>,
    pub(crate) signature: Signature,
    /// How many seconds before (negative) or after the gateway's clock it is signed.
    pub(crate) clock_skew: i64,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            user_name: "alice".into(),
            instance: "analytics".into(),
            reason: None,
            language: None,
            user_id: "U2CERLKJA".into(),
            text: None,
            response_url: "https://hooks.slack.com/commands/1234/5678".into(),
            webhook_id: "msg_1".into(),
            access_key: PORTAL_KEY.into(),
            method: None,
            path: None,
            body: None,
            content_type: None,
            leave_out: Vec::new(),
            add: Vec::new(),
            signature: Signature::Right,
            clock_skew: 0,
        }
    }
}

/// A request as it goes out.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// To remove this account.
    pub(crate) fn to_remove(user_name: &str) -> Self {
        Self { user_name: user_name.into(), ..Self::default() }
    }

    /// The request for a gateway at `host` whose clock says `now`, in seconds.
    pub(crate) fn wire(&self, kind: Kind, host: &str, now: i64) -> Wire {
        let at = now + self.clock_skew;
        let (method, target) = match kind {
            Kind::Api => ("DELETE", format!("{}?user_name={}", users(PROJECT, INSTANCE), encoded(&self.user_name))),
            Kind::Slack | Kind::StandardWebhooks => ("POST", format!("/hooks/{}", kind.caller())),
        };
        let mut wire = Wire {
            method: self.method.as_deref().unwrap_or(method).into(),
            target: self.path.clone().unwrap_or(target),
            headers: Vec::new(),
            body: self.body.clone().unwrap_or_else(|| self.usual_body(kind)).into_bytes(),
        };
        let content_type = self.content_type.as_deref().unwrap_or(match kind {
            Kind::Slack => "application/x-www-form-urlencoded",
            Kind::StandardWebhooks | Kind::Api => "application/json",
        });
        if !content_type.is_empty() {
            wire.set("Content-Type", content_type);
        }
        if let Some(language) = &self.language {
            wire.set("X-Language", language);
        }
        self.sign(kind, &mut wire, host, at);
        wire.headers.retain(|(name, _)| !self.leave_out.iter().any(|left| left.eq_ignore_ascii_case(name)));
        for (name, value) in &self.add {
            wire.set(name, value);
        }
        wire
    }

    fn usual_body(&self, kind: Kind) -> String {
        match kind {
            Kind::Slack => {
                let text = self.text.clone().unwrap_or_else(|| {
                    [&self.user_name, &self.instance, self.reason.as_deref().unwrap_or_default()].join(" ")
                });
                format!(
                    "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705\
                     &channel_name=test&user_id={}&user_name=Steve&command=%2Foffboard&text={}\
                     &response_url={}&trigger_id=13345224609.738474920",
                    form_encoded(&self.user_id),
                    form_encoded(text.trim_end()),
                    form_encoded(&self.response_url),
                )
            }
            Kind::StandardWebhooks => {
                let mut data = json!({ "instance": self.instance, "user_name": self.user_name });
                if let Some(reason) = &self.reason {
                    data["reason"] = json!(reason);
                }
                json!({ "type": "account.delete", "data": data }).to_string()
            }
            Kind::Api => String::new(),
        }
    }

    fn sign(&self, kind: Kind, wire: &mut Wire, host: &str, at: i64) {
        let secret = match (self.signature, kind) {
            (Signature::EmptySecret, _) => "",
            (Signature::OtherSecret, Kind::StandardWebhooks) => "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            (Signature::OtherSecret, _) => "another-secret",
            (_, Kind::Slack) => SLACK_SECRET,
            (_, Kind::StandardWebhooks) => WEBHOOK_SECRET,
            (_, Kind::Api) => PORTAL_SECRET,
        };
        match kind {
            Kind::Slack => slack_headers(wire, secret, at),
            Kind::StandardWebhooks => webhook_headers(wire, secret, &self.webhook_id, at),
            Kind::Api => api_headers(wire, &self.access_key, secret, host, at),
        }

        let name = kind.signature_header();
        let Some((_, value)) = wire.headers.iter_mut().find(|(known, _)| known == name) else { return };
        match self.signature {
            Signature::Right | Signature::OtherSecret | Signature::EmptySecret => {}
            Signature::Wrong => {
                // Not the last character: in base64 it may hold bits that are not part of the signature.
                let at = value.len() - 8;
                let other = if value.as_bytes()[at] == b'0' { "1" } else { "0" };
                value.replace_range(at..=at, other);
            }
            Signature::Missing => wire.headers.retain(|(known, _)| known != name),
            Signature::Empty => value.clear(),
            Signature::Doubled => {
                let value = value.clone();
                wire.set(name, &value);
            }
            Signature::Truncated => {
                value.pop();
            }
            Signature::Uppercase => {
                let digits = value.len() - 64;
                value[digits..].make_ascii_uppercase();
            }
            Signature::OtherBody => wire.body.push(b' '),
        }
    }
}

impl Wire {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.push((name.into(), value.into()));
    }

    pub(crate) fn request(&self) -> http::Request<Bytes> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value.as_bytes());
        }
        request.body(self.body.clone().into()).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    /// The request's head, up to the headers that say how long the body is.
    pub(crate) fn head(&self, host: &str) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}", self.method, self.target)
    }
}

/// The documented path.
pub(crate) fn users(project: &str, instance: &str) -> String {
    format!("/v3/{project}/instances/{instance}/starrocks/users")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn form_encoded(text: &str) -> String {
    encoded(text).replace("%20", "+")
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
}

/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
fn slack_headers(wire: &mut Wire, secret: &str, at: i64) {
    let signed = [format!("v0:{at}:").as_bytes(), &wire.body].concat();
    let tag = hex::encode(hmac(secret.as_bytes(), &signed));
    wire.set("X-Slack-Request-Timestamp", &at.to_string());
    wire.set("X-Slack-Signature", &format!("v0={tag}"));
}

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
fn webhook_headers(wire: &mut Wire, secret: &str, id: &str, at: i64) {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let signed = [format!("{id}.{at}.").as_bytes(), &wire.body].concat();
    let tag = STANDARD.encode(hmac(&key, &signed));
    wire.set("webhook-id", id);
    wire.set("webhook-timestamp", &at.to_string());
    wire.set("webhook-signature", &format!("v1,{tag}"));
}

/// <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html>; the headers that the Python SDK sends.
fn api_headers(wire: &mut Wire, access_key: &str, secret: &str, host: &str, at: i64) {
    let date = DateTime::from_timestamp(at, 0).unwrap().format("%Y%m%dT%H%M%SZ").to_string();
    wire.set("X-Project-Id", PROJECT);
    wire.set("X-Sdk-Date", &date);

    let mut headers: Vec<_> = wire.headers.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    headers.push(("host".into(), host));
    headers.sort();
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();

    let recoded = |text: &str| percent_encode(&percent_decode_str(text).collect::<Vec<_>>(), ENCODED).to_string();
    let (path, query) = wire.target.split_once('?').unwrap_or((&wire.target, ""));
    let path: String = path.split('/').skip(1).map(|segment| format!("/{}", recoded(segment))).collect();
    let mut parameters: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| format!("{}={}", recoded(name), recoded(value)))
        .collect();
    parameters.sort();
    let canonical = format!(
        "{}\n{path}/\n{}\n{lines}\n{names}\n{}",
        wire.method,
        parameters.join("&"),
        hex::encode(Sha256::digest(&wire.body)),
    );
    let signed = format!("SDK-HMAC-SHA256\n{date}\n{}", hex::encode(Sha256::digest(canonical)));
    let signature = hex::encode(hmac(secret.as_bytes(), signed.as_bytes()));
    wire.set(
        "Authorization",
        &format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}"),
    );
}

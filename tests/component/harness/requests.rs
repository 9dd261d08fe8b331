//! Requests as the three demo callers send them: right, or wrong in one chosen way.
//!
//! [`senders`] signs, without the component's own code.

use bytes::Bytes;
use local::simulator::senders::{self, ENCODED, Header, SdkRequest};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use serde_json::json;

pub(crate) const SLACK_SECRET: &str = "slack-secret-2b7e151628aed2a6";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const PORTAL_KEY: &str = "HPUAPORTALKEY0000001";
pub(crate) const PORTAL_SECRET: &str = "portal-secret-abf7158809cf4f3c";

pub(crate) const PROJECT: &str = "23a50154cf494ec9ad6883979a12db0a";
pub(crate) const INSTANCE: &str = "54e42160670e48e789af7075e1efea1fin17";
pub(crate) const WAREHOUSE: &str = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17";

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
            Self::Slack => "x-slack-signature",
            Self::StandardWebhooks => "webhook-signature",
            Self::Api => "authorization",
        }
    }
}

/// A way to confirm, approve or deny a request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Words after the slash command.
    Typed,
    /// A button below a message in Slack.
    Button,
    /// A webhook's event.
    Event,
    /// The API beside the documented call.
    Call,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Typed, Self::Button, Self::Event, Self::Call];

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Typed | Self::Button => Kind::Slack,
            Self::Event => Kind::StandardWebhooks,
            Self::Call => Kind::Api,
        }
    }
}

/// A person, with an id at every caller: `Setup::people` has the callers and teams for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Who asks in an [`Ask`] that says nothing else.
    Asker,
    /// May do the same.
    Colleague,
    /// Is known to every caller, and in no team.
    Stranger,
}

impl Who {
    fn ids(self) -> [&'static str; 3] {
        match self {
            Self::Asker => ["U2CERLKJA", "hr", PORTAL_KEY],
            Self::Colleague => ["U0ERIN", "it", "HPUAPORTALKEY0000002"],
            Self::Stranger => ["U0STRANGER", "crm", "HPUAPORTALKEY0000003"],
        }
    }

    /// What policy calls them.
    pub(crate) fn principal(self, kind: Kind) -> String {
        let [person, hook, key] = self.ids();
        match kind {
            Kind::Slack => format!("slack/{person}"),
            Kind::StandardWebhooks => hook.into(),
            Kind::Api => format!("portal/{key}"),
        }
    }
}

/// A decision about a request that waits, or a question about a removal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Says {
    /// `confirm`, `cancel`, `approve`, `deny`, `status` or `pending`.
    pub(crate) how: String,
    /// The reference.
    pub(crate) id: String,
    /// In Slack: by a button.
    pub(crate) clicked: bool,
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
    /// Made with the empty secret, which every attacker knows.
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
    /// The webhook's caller.
    pub(crate) hook: String,
    pub(crate) webhook_id: String,
    pub(crate) access_key: String,
    /// Only what would happen is asked for.
    pub(crate) dry_run: bool,
    /// Instead of a removal; `reason` belongs to it.
    pub(crate) says: Option<Says>,
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
            hook: "hr".into(),
            webhook_id: "msg_1".into(),
            access_key: PORTAL_KEY.into(),
            dry_run: false,
            says: None,
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

    /// On the production instance, where others have to approve it.
    pub(crate) fn on_production(user_name: &str) -> Self {
        Self { instance: "warehouse".into(), ..Self::to_remove(user_name) }
    }

    /// A decision about the request with this reference.
    pub(crate) fn word(way: Way, how: &str, id: &str) -> Self {
        Self {
            says: Some(Says { how: how.into(), id: id.into(), clicked: way == Way::Button }),
            response_url: format!("https://hooks.slack.com/actions/{id}/{how}"),
            webhook_id: format!("msg_{how}_{id}"),
            ..Self::default()
        }
    }

    /// The same, by another person.
    pub(crate) fn by(self, who: Who) -> Self {
        let [user_id, hook, access_key] = who.ids().map(str::to_owned);
        let response_url =
            if who == Who::Asker { self.response_url.clone() } else { format!("{}/{user_id}", self.response_url) };
        Self { user_id, hook, access_key, response_url, ..self }
    }

    /// The request for a gateway at `host` whose clock says `now`, in seconds.
    pub(crate) fn wire(&self, kind: Kind, host: &str, now: i64) -> Wire {
        let at = now + self.clock_skew;
        let (method, target) = match (kind, &self.says) {
            (Kind::Slack, _) => ("POST", format!("/hooks/{}", kind.caller())),
            (Kind::StandardWebhooks, _) => ("POST", format!("/hooks/{}", self.hook)),
            (Kind::Api, None) => ("DELETE", self.documented_call()),
            (Kind::Api, Some(Says { how, id, .. })) => match how.as_str() {
                "pending" => ("GET", "/approvals".into()),
                "status" => ("GET", format!("/removals/{id}")),
                _ => ("POST", format!("/approvals/{id}")),
            },
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

    fn documented_call(&self) -> String {
        let instance = if self.instance == "warehouse" { WAREHOUSE } else { INSTANCE };
        let dry_run = if self.dry_run { "&dry_run=true" } else { "" };
        format!("{}?user_name={}{dry_run}", users(PROJECT, instance), encoded(&self.user_name))
    }

    fn usual_body(&self, kind: Kind) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match (kind, &self.says) {
            (Kind::Slack, Some(Says { how, id, clicked: true })) => {
                let payload = json!({
                    "type": "block_actions",
                    "user": { "id": self.user_id, "username": "steve", "team_id": "T0001" },
                    "team": { "id": "T0001", "domain": "example" },
                    "channel": { "id": "C2147483705", "name": "test" },
                    "actions": [{ "type": "button", "block_id": "b1", "action_id": how, "value": id, "style": "primary" }],
                    "trigger_id": "13345224609.738474920",
                    "response_url": self.response_url,
                });
                format!("payload={}", form_encoded(&payload.to_string()))
            }
            (Kind::Slack, says) => {
                let dry_run = if self.dry_run { "--dry-run" } else { "" };
                let words = match says {
                    Some(Says { how, id, .. }) => [how, id, reason, ""],
                    None => [&self.user_name, &self.instance, reason, dry_run],
                };
                let text = self.text.clone().unwrap_or_else(|| words.join(" "));
                format!(
                    "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705\
                     &channel_name=test&user_id={}&user_name=Steve&command=%2Foffboard&text={}\
                     &response_url={}&trigger_id=13345224609.738474920",
                    form_encoded(&self.user_id),
                    form_encoded(text.trim_end()),
                    form_encoded(&self.response_url),
                )
            }
            (Kind::StandardWebhooks, says) => {
                let (event, mut data) = match says {
                    Some(Says { how, id, .. }) => (format!("removal.{how}"), json!({ "id": id })),
                    None => {
                        let data = json!({ "instance": self.instance, "user_name": self.user_name });
                        ("account.delete".into(), data)
                    }
                };
                if let Some(reason) = &self.reason {
                    data["reason"] = json!(reason);
                }
                if self.dry_run {
                    data["dry_run"] = json!(true);
                }
                json!({ "type": event, "data": data }).to_string()
            }
            (Kind::Api, Some(Says { how, .. })) if !["pending", "status"].contains(&how.as_str()) => {
                json!({ "decision": how, "reason": self.reason }).to_string()
            }
            (Kind::Api, _) => String::new(),
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
            Kind::Slack => sign_as_slack(wire, secret, at),
            Kind::StandardWebhooks => {
                wire.add(senders::standard_webhooks(secret, &self.webhook_id, &at.to_string(), &wire.body).unwrap());
            }
            Kind::Api => sign_as_sdk(wire, &self.access_key, secret, host, at),
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

    fn add<const COUNT: usize>(&mut self, headers: [Header; COUNT]) {
        self.headers.extend(headers.map(|(name, value)| (name.to_owned(), value)));
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

/// Signs as Slack does.
pub(crate) fn sign_as_slack(wire: &mut Wire, secret: &str, at: i64) {
    wire.add(senders::slack(secret, &at.to_string(), &wire.body));
}

/// Signs as a client of Huawei Cloud, over the headers that the Python SDK sends.
fn sign_as_sdk(wire: &mut Wire, access_key: &str, secret: &str, host: &str, at: i64) {
    wire.set("X-Project-Id", PROJECT);
    let signed = SdkRequest {
        method: &wire.method,
        target: &wire.target,
        headers: wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        host,
        body: &wire.body,
    };
    wire.add(senders::sdk_hmac(&signed, access_key, secret, at));
}

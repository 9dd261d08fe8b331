//! `[[notify]]`: who is told what, and where. Without a table nothing is told and nothing is written for it.
//!
//! A webhook's URL is its secret, so the file names the Spin variable that holds it, as it does for tokens and signing secrets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::credentials::CredentialSource;
use crate::config::endpoint::endpoint;
use crate::config::lines::{ConfigError, Lines};
use crate::config::working_hours::{self, WorkingHours};
use crate::outcome::language::Language;

/// The longest time before a target is added, in seconds: as long as a request can wait.
const LONGEST_AFTER: u64 = 30 * 24 * 3600;

/// What a target is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotifyEvent {
    /// A request waits for approval.
    Waiting,
    /// It still waits.
    Reminder,
    /// It was approved, denied, cancelled or expired, or what was unknown is settled.
    Decided,
    /// The outcome of a removal is not known.
    Unknown,
    /// TaurusDB or IAM refused the gateway's credentials, or they are not set.
    RefusedCredentials,
    /// A `forbid` policy that counts removals stopped one.
    Brake,
}

impl NotifyEvent {
    /// Every event.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Reminder, Self::Decided, Self::Unknown, Self::RefusedCredentials, Self::Brake];

    /// Returns the word in offboard.toml and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reminder => "reminder",
            Self::Decided => "decided",
            Self::Unknown => "unknown",
            Self::RefusedCredentials => "refused-credentials",
            Self::Brake => "brake",
        }
    }

    /// Returns the event of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

/// A platform that takes messages, and what it needs for that. Secrets are names of Spin variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyService {
    /// Slack, by an incoming webhook.
    SlackWebhook {
        /// The URL's variable.
        url: String,
    },
    /// Slack, as a bot.
    Slack {
        /// The variable of the bot token.
        token: String,
        /// The channel's ID.
        channel: String,
    },
    /// Mattermost, by an incoming webhook.
    MattermostWebhook {
        /// The URL's variable.
        url: String,
    },
    /// Mattermost, as a bot.
    Mattermost {
        /// `https://host[:port]`
        server: String,
        /// The variable of the access token.
        token: String,
        /// The channel's ID.
        channel: String,
    },
    /// Microsoft Teams, by a workflow.
    Teams {
        /// The URL's variable.
        url: String,
    },
    /// Google Chat, by a webhook.
    GoogleChat {
        /// The URL's variable.
        url: String,
    },
    /// Discord, by a webhook.
    Discord {
        /// The URL's variable.
        url: String,
    },
    /// Feishu or Lark, by a custom bot.
    Feishu {
        /// The URL's variable.
        url: String,
        /// The variable of the signing secret.
        secret: Option<String>,
    },
    /// DingTalk, by a custom robot.
    Dingtalk {
        /// The URL's variable.
        url: String,
        /// The variable of the signing secret.
        secret: Option<String>,
    },
    /// WeCom, by a group robot.
    Wecom {
        /// The URL's variable.
        url: String,
    },
    /// Huawei Cloud SMN: e-mail, SMS and whatever else subscribes to a topic.
    Smn(SmnTopic),
    /// PagerDuty, Events API v2.
    Pagerduty {
        /// The variable of the integration's routing key.
        routing_key: String,
        /// `https://host[:port]`
        server: String,
    },
    /// Any system, by Standard Webhooks.
    StandardWebhooks {
        /// The URL's variable.
        url: String,
        /// The variables of the signing secrets; each that is set signs.
        secrets: Vec<String>,
    },
}

/// A topic of SMN. Its URN says where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmnTopic {
    /// `urn:smn:{region}:{project_id}:{name}`
    pub urn: String,
    /// The region.
    pub region: String,
    /// The project ID.
    pub project_id: String,
    /// The credentials.
    pub credentials: Arc<CredentialSource>,
}

impl SmnTopic {
    /// Returns the origin of the region's endpoint.
    pub fn origin(&self) -> String {
        let domain = match self.region.as_str() {
            "cn-north-2" => "myhuaweicloud.cn",
            "eu-west-101" => "myhuaweicloud.eu",
            _ => "myhuaweicloud.com",
        };
        format!("https://smn.{}.{domain}", self.region)
    }
}

impl NotifyService {
    /// Returns the kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SlackWebhook { .. } => "slack-webhook",
            Self::Slack { .. } => "slack",
            Self::MattermostWebhook { .. } => "mattermost-webhook",
            Self::Mattermost { .. } => "mattermost",
            Self::Teams { .. } => "teams",
            Self::GoogleChat { .. } => "google-chat",
            Self::Discord { .. } => "discord",
            Self::Feishu { .. } => "feishu",
            Self::Dingtalk { .. } => "dingtalk",
            Self::Wecom { .. } => "wecom",
            Self::Smn(_) => "smn",
            Self::Pagerduty { .. } => "pagerduty",
            Self::StandardWebhooks { .. } => "standard-webhooks",
        }
    }

    /// Returns the Spin variables, by the key that names them.
    pub fn variables(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::SlackWebhook { url }
            | Self::MattermostWebhook { url }
            | Self::Teams { url }
            | Self::GoogleChat { url }
            | Self::Discord { url }
            | Self::Wecom { url } => vec![(URL, url)],
            Self::Slack { token, .. } | Self::Mattermost { token, .. } => vec![(TOKEN, token)],
            Self::Feishu { url, secret } | Self::Dingtalk { url, secret } => {
                let secret = secret.iter().map(|variable| (SECRET, variable.as_str()));
                [(URL, url.as_str())].into_iter().chain(secret).collect()
            }
            Self::Smn(_) => Vec::new(),
            Self::Pagerduty { routing_key, .. } => vec![(ROUTING_KEY, routing_key)],
            Self::StandardWebhooks { url, secrets } => {
                let secrets = secrets.iter().map(|variable| (SECRET, variable.as_str()));
                [(URL, url.as_str())].into_iter().chain(secrets).collect()
            }
        }
    }
}

/// The key of a webhook's URL.
pub const URL: &str = "url";

/// The key of a token.
pub const TOKEN: &str = "token";

/// The key of a signing secret.
pub const SECRET: &str = "secret";

/// The key of PagerDuty's routing key.
pub const ROUTING_KEY: &str = "routing_key";

/// A `[[notify]]` table, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyTarget {
    /// Its name, which rows of the outbox have.
    pub name: String,
    /// The platform.
    pub service: NotifyService,
    /// What it is told of.
    pub events: BTreeSet<NotifyEvent>,
    /// The environments that it is told of; all if empty, as in the next two.
    pub environments: Vec<String>,
    /// The instances.
    pub instances: Vec<String>,
    /// The callers that requests come from.
    pub callers: Vec<String>,
    /// The language of its messages.
    pub language: Language,
    /// How long a request has to have waited before this target is told of it; at once if `None`.
    pub after: Option<Duration>,
    /// When reminders may be sent; at any time if `None`.
    pub working_hours: Option<WorkingHours>,
    /// The caller to whom clicks on its buttons come; without one there are words to type.
    pub caller: Option<String>,
}

impl NotifyTarget {
    /// Whether it is told of an event about an account of this instance and environment, asked for by this caller.
    pub fn takes(&self, event: NotifyEvent, subject: &NotifySubject<'_>) -> bool {
        let is_in = |list: &[String], value: &str| list.is_empty() || list.iter().any(|entry| entry == value);
        self.events.contains(&event)
            && is_in(&self.environments, subject.environment)
            && is_in(&self.instances, subject.instance)
            && is_in(&self.callers, subject.caller)
    }
}

/// What a target's filters look at.
#[derive(Debug, Clone, Copy)]
pub struct NotifySubject<'a> {
    /// The environment of the instance.
    pub environment: &'a str,
    /// The instance's name.
    pub instance: &'a str,
    /// The caller's name.
    pub caller: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyTable {
    pub(super) name: Spanned<String>,
    kind: Spanned<String>,
    events: Vec<Spanned<String>>,
    #[serde(default)]
    environments: Vec<Spanned<String>>,
    #[serde(default)]
    instances: Vec<Spanned<String>>,
    #[serde(default)]
    callers: Vec<Spanned<String>>,
    language: Option<Spanned<String>>,
    after: Option<Spanned<String>>,
    working_hours: Option<Spanned<String>>,
    caller: Option<Spanned<String>>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) token: Option<Spanned<String>>,
    pub(super) secret: Option<Spanned<String>>,
    pub(super) secrets: Option<Vec<Spanned<String>>>,
    pub(super) routing_key: Option<Spanned<String>>,
    channel: Option<Spanned<String>>,
    server: Option<Spanned<String>>,
    topic: Option<Spanned<String>>,
    credentials: Option<Spanned<String>>,
}

/// Finds the credentials of a name, or the usual ones.
type FindCredentials<'a> = dyn Fn(Option<&Spanned<String>>) -> Result<Arc<CredentialSource>, ConfigError> + 'a;

/// What the tables are checked against.
pub(super) struct Known<'a> {
    pub(super) lines: &'a Lines<'a>,
    /// The environments of all instances.
    pub(super) environments: &'a BTreeSet<&'a str>,
    pub(super) is_instance: &'a dyn Fn(&str) -> bool,
    /// The kind of a caller.
    pub(super) caller_kind: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(super) credentials: &'a FindCredentials<'a>,
    /// The language of targets that name none.
    pub(super) language: Language,
}

/// Reads all targets, in the file's order.
pub(super) fn read(known: &Known<'_>, tables: &[NotifyTable]) -> Result<Vec<NotifyTarget>, ConfigError> {
    let mut targets = Vec::<NotifyTarget>::new();
    for table in tables {
        let target = table.read(known)?;
        if targets.iter().any(|other| other.name == target.name) {
            return Err(known.lines.doubled_name("notify", &table.name));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// A kind, and the keys of its target.
struct Kind {
    name: &'static str,
    needs: &'static [&'static str],
    may_have: &'static [&'static str],
}

const KINDS: [Kind; 13] = [
    Kind { name: "slack-webhook", needs: &[URL], may_have: &[] },
    Kind { name: "slack", needs: &[TOKEN, CHANNEL], may_have: &[CALLER] },
    Kind { name: "mattermost-webhook", needs: &[URL], may_have: &[] },
    Kind { name: "mattermost", needs: &[SERVER, TOKEN, CHANNEL], may_have: &[] },
    Kind { name: "teams", needs: &[URL], may_have: &[] },
    Kind { name: "google-chat", needs: &[URL], may_have: &[] },
    Kind { name: "discord", needs: &[URL], may_have: &[CALLER] },
    Kind { name: "feishu", needs: &[URL], may_have: &[SECRET] },
    Kind { name: "dingtalk", needs: &[URL], may_have: &[SECRET] },
    Kind { name: "wecom", needs: &[URL], may_have: &[] },
    Kind { name: "smn", needs: &[TOPIC], may_have: &[CREDENTIALS] },
    Kind { name: "pagerduty", needs: &[ROUTING_KEY], may_have: &[SERVER] },
    Kind { name: "standard-webhooks", needs: &[URL, SECRETS], may_have: &[] },
];

const CHANNEL: &str = "channel";
const CALLER: &str = "caller";
const SERVER: &str = "server";
const TOPIC: &str = "topic";
const CREDENTIALS: &str = "credentials";
const SECRETS: &str = "secrets";

/// Where PagerDuty takes events, unless the account is in the EU.
const PAGERDUTY: &str = "https://events.pagerduty.com";

impl NotifyTable {
    fn read(&self, known: &Known<'_>) -> Result<NotifyTarget, ConfigError> {
        let lines = known.lines;
        let name = lines.name("notify.name", &self.name)?;
        let events = self.events(lines)?;
        let working_hours = match &self.working_hours {
            None => None,
            Some(text) => Some(working_hours::parse(text.get_ref()).ok_or_else(|| {
                lines.wrong(text, "notify.working_hours is not valid; write it like `Mon-Fri 09:00-18:00`")
            })?),
        };
        if let Some(text) = &self.working_hours
            && !events.contains(&NotifyEvent::Reminder)
        {
            return Err(
                lines.wrong(text, "notify.working_hours are for reminders; add `reminder` to `events`, or remove it")
            );
        }
        Ok(NotifyTarget {
            name,
            service: self.service(known)?,
            after: self.after(lines, &events)?,
            events,
            environments: listed(lines, "environments", &self.environments, &|name| known.environments.contains(name))?,
            instances: listed(lines, "instances", &self.instances, known.is_instance)?,
            callers: listed(lines, "callers", &self.callers, &|name| (known.caller_kind)(name).is_some())?,
            language: lines.language("notify.language", &self.language)?.unwrap_or(known.language),
            working_hours,
            caller: self.buttons(known)?,
        })
    }

    fn events(&self, lines: &Lines<'_>) -> Result<BTreeSet<NotifyEvent>, ConfigError> {
        let mut events = BTreeSet::new();
        for word in &self.events {
            let Some(event) = NotifyEvent::parse(word.get_ref()) else {
                let all: Vec<_> = NotifyEvent::ALL.iter().map(|event| format!("`{}`", event.as_str())).collect();
                let message =
                    format!("notify.events `{}` does not exist; use some of {}", word.get_ref(), all.join(", "));
                return Err(lines.wrong(word, message));
            };
            events.insert(event);
        }
        let name = self.name.get_ref();
        if events.is_empty() {
            return Err(
                lines.wrong(&self.name, format!("notify `{name}` has no `events`; name some, or remove the table"))
            );
        }
        if events.contains(&NotifyEvent::Reminder) && !events.contains(&NotifyEvent::Waiting) {
            let message = format!("notify `{name}` is reminded of what it is not told; add `waiting` to `events`");
            return Err(lines.wrong(&self.name, message));
        }
        Ok(events)
    }

    /// Reads how long a request has to have waited: a number and `m`, `h` or `d`.
    fn after(&self, lines: &Lines<'_>, events: &BTreeSet<NotifyEvent>) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = &self.after else { return Ok(None) };
        if !events.contains(&NotifyEvent::Waiting) {
            return Err(
                lines.wrong(text, "notify.after is for requests that wait; add `waiting` to `events`, or remove it")
            );
        }
        let given = text.get_ref();
        let seconds = [("m", 60), ("h", 3600), ("d", 86_400)].into_iter().find_map(|(unit, seconds): (_, u64)| {
            let number = given.strip_suffix(unit)?;
            let is_plain = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(seconds)
        });
        match seconds.filter(|seconds| (1..=LONGEST_AFTER).contains(seconds)) {
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None => {
                Err(lines
                    .wrong(text, format!("notify.after `{given}` is not valid; write it like `30m`, `2h` or `1d`")))
            }
        }
    }

    /// The caller of the buttons, which has to be one of the same platform.
    fn buttons(&self, known: &Known<'_>) -> Result<Option<String>, ConfigError> {
        let Some(caller) = &self.caller else { return Ok(None) };
        let (name, kind) = (caller.get_ref(), self.kind.get_ref().as_str());
        match (known.caller_kind)(name) {
            Some(of_caller) if of_caller == kind => Ok(Some(name.clone())),
            _ => Err(known.lines.wrong(
                caller,
                format!("notify.caller `{name}` is not a caller of kind `{kind}`; name the one that gets the clicks on the buttons, or remove it"),
            )),
        }
    }

    fn service(&self, known: &Known<'_>) -> Result<NotifyService, ConfigError> {
        let lines = known.lines;
        let kind = self.kind.get_ref().as_str();
        let Some(shape) = KINDS.iter().find(|shape| shape.name == kind) else {
            let all: Vec<_> = KINDS.iter().map(|shape| format!("`{}`", shape.name)).collect();
            let message = format!("notify.kind `{kind}` does not exist; use one of {}", all.join(", "));
            return Err(lines.wrong(&self.kind, message));
        };
        self.check_keys(lines, shape)?;
        let variable = |key: &str, text: &Option<Spanned<String>>| match text {
            Some(text) => lines.variable(&format!("notify.{key}"), text),
            None => Err(lines.wrong(&self.name, format!("notify.{key} is missing; add it"))),
        };
        let optional = |key: &str, text: &Option<Spanned<String>>| match text {
            Some(text) => lines.variable(&format!("notify.{key}"), text).map(Some),
            None => Ok(None),
        };
        Ok(match kind {
            "slack-webhook" => NotifyService::SlackWebhook { url: variable(URL, &self.url)? },
            "slack" => NotifyService::Slack { token: variable(TOKEN, &self.token)?, channel: self.channel(lines)? },
            "mattermost-webhook" => NotifyService::MattermostWebhook { url: variable(URL, &self.url)? },
            "mattermost" => NotifyService::Mattermost {
                server: self.server(lines, "")?,
                token: variable(TOKEN, &self.token)?,
                channel: self.channel(lines)?,
            },
            "teams" => NotifyService::Teams { url: variable(URL, &self.url)? },
            "google-chat" => NotifyService::GoogleChat { url: variable(URL, &self.url)? },
            "discord" => NotifyService::Discord { url: variable(URL, &self.url)? },
            "feishu" => {
                NotifyService::Feishu { url: variable(URL, &self.url)?, secret: optional(SECRET, &self.secret)? }
            }
            "dingtalk" => {
                NotifyService::Dingtalk { url: variable(URL, &self.url)?, secret: optional(SECRET, &self.secret)? }
            }
            "wecom" => NotifyService::Wecom { url: variable(URL, &self.url)? },
            "smn" => NotifyService::Smn(self.topic(known)?),
            "pagerduty" => NotifyService::Pagerduty {
                routing_key: variable(ROUTING_KEY, &self.routing_key)?,
                server: self.server(lines, PAGERDUTY)?,
            },
            _ => NotifyService::StandardWebhooks { url: variable(URL, &self.url)?, secrets: self.secrets(lines)? },
        })
    }

    /// Refuses keys of other kinds, and the lack of a key.
    fn check_keys(&self, lines: &Lines<'_>, shape: &Kind) -> Result<(), ConfigError> {
        let one = |key, text: &Option<Spanned<String>>| (key, text.is_some());
        let given = [
            one(URL, &self.url),
            one(TOKEN, &self.token),
            one(SECRET, &self.secret),
            (SECRETS, self.secrets.is_some()),
            one(ROUTING_KEY, &self.routing_key),
            one(CHANNEL, &self.channel),
            one(SERVER, &self.server),
            one(TOPIC, &self.topic),
            one(CREDENTIALS, &self.credentials),
            one(CALLER, &self.caller),
        ];
        let is_fine = |(key, is_given): &(&str, bool)| match is_given {
            true => shape.needs.contains(key) || shape.may_have.contains(key),
            false => !shape.needs.contains(key),
        };
        if given.iter().all(is_fine) {
            return Ok(());
        }
        let needs = shape.needs.iter().map(|key| format!("`{key}`"));
        let may_have = shape.may_have.iter().map(|key| format!("`{key}` (optional)"));
        let takes: Vec<_> = needs.chain(may_have).collect();
        let name = self.name.get_ref();
        let message = format!(
            "notify `{name}` of kind `{}` takes {} and no other keys of a target",
            shape.name,
            takes.join(", ")
        );
        Err(lines.wrong(&self.name, message))
    }

    fn channel(&self, lines: &Lines<'_>) -> Result<String, ConfigError> {
        let text = self.channel.as_ref();
        let id = text.map(|text| text.get_ref().as_str()).unwrap_or_default();
        // Slack's `C0123ABCD`, Mattermost's 26 letters and digits: a name would change its meaning when it is given away.
        let is_id = (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_id {
            return Ok(id.to_owned());
        }
        let message = format!("notify.channel `{id}` is not valid; use the ID of the channel, not its name");
        Err(lines.wrong_at(text, message))
    }

    fn server(&self, lines: &Lines<'_>, usual: &str) -> Result<String, ConfigError> {
        let Some(text) = &self.server else { return Ok(usual.to_owned()) };
        endpoint(text.get_ref())
            .map_err(|fix| lines.wrong(text, format!("notify.server `{}` is not valid; {fix}", text.get_ref())))
    }

    fn secrets(&self, lines: &Lines<'_>) -> Result<Vec<String>, ConfigError> {
        let secrets = self.secrets.as_deref().unwrap_or_default();
        if secrets.is_empty() {
            return Err(
                lines.wrong(&self.name, "notify.secrets is empty; name the Spin variable of a `whsec_…` secret")
            );
        }
        secrets.iter().map(|text| lines.variable("notify.secrets", text)).collect()
    }

    fn topic(&self, known: &Known<'_>) -> Result<SmnTopic, ConfigError> {
        let (lines, text) = (known.lines, self.topic.as_ref());
        let urn = text.map(|text| text.get_ref().as_str()).unwrap_or_default();
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let parts: Vec<_> = urn.split(':').collect();
        let ["urn", "smn", region, project_id, name] = parts.as_slice() else {
            return Err(lines.wrong_at(text, WRONG_TOPIC));
        };
        if ![region, project_id, name].into_iter().all(|word| is_word(word)) || urn.len() > 512 {
            return Err(lines.wrong_at(text, WRONG_TOPIC));
        }
        let credentials = (known.credentials)(self.credentials.as_ref())?;
        if credentials.uses_iam() {
            let message = format!(
                "notify `{}` of kind `smn` needs credentials of kind `aksk` or `token`; name such a `[[credentials]]` table in `credentials`",
                self.name.get_ref()
            );
            return Err(lines.wrong(&self.name, message));
        }
        let (region, project_id) = ((*region).to_owned(), (*project_id).to_owned());
        Ok(SmnTopic { urn: urn.to_owned(), region, project_id, credentials })
    }
}

const WRONG_TOPIC: &str =
    "notify.topic is not valid; copy the topic's URN, `urn:smn:{region}:{project ID}:{name}`, from the SMN console";

/// Reads names that have to exist, each once.
fn listed(
    lines: &Lines<'_>,
    key: &str,
    names: &[Spanned<String>],
    exists: &dyn Fn(&str) -> bool,
) -> Result<Vec<String>, ConfigError> {
    let mut read = Vec::new();
    for name in names {
        let text = name.get_ref();
        if !exists(text) || read.contains(text) {
            let message =
                format!("notify.{key} `{text}` is not configured or appears more than once; list each name once");
            return Err(lines.wrong(name, message));
        }
        read.push(text.clone());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers;
    use crate::config::Config;

    fn targets(tables: &str) -> Result<Vec<NotifyTarget>, String> {
        let text = format!("{}\n{tables}\n", include_str!("../../config/offboard.toml"));
        Config::parse(&text, &callers::shapes()).map(|config| config.notify).map_err(|error| error.message)
    }

    fn target(table: &str) -> Result<NotifyTarget, String> {
        targets(&format!("[[notify]]\nname = \"ops\"\n{table}")).map(|mut targets| targets.remove(0))
    }

    #[test]
    fn every_kind_is_read() {
        for (kind, keys) in [
            ("slack-webhook", "url = \"u\""),
            ("slack", "token = \"t\"\nchannel = \"C0123ABCD\"\ncaller = \"slack\""),
            ("mattermost-webhook", "url = \"u\""),
            (
                "mattermost",
                "server = \"https://chat.example.com\"\ntoken = \"t\"\nchannel = \"4xp9fdt77pncbef59f4k1qe83o\"",
            ),
            ("teams", "url = \"u\""),
            ("google-chat", "url = \"u\""),
            ("discord", "url = \"u\""),
            ("feishu", "url = \"u\"\nsecret = \"s\""),
            ("dingtalk", "url = \"u\""),
            ("wecom", "url = \"u\""),
            ("smn", "topic = \"urn:smn:ap-southeast-3:23a50154cf494ec9ad6883979a12db0a:approvers\""),
            ("pagerduty", "routing_key = \"k\""),
            ("standard-webhooks", "url = \"u\"\nsecrets = [\"s\", \"old\"]"),
        ] {
            let read = target(&format!("kind = \"{kind}\"\nevents = [\"waiting\"]\n{keys}")).unwrap();
            assert_eq!(read.service.kind(), kind);
            assert_eq!(read.language, Language::English);
        }
        assert_eq!(KINDS.len(), 13);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fix() {
        const URL: &str = "kind = \"teams\"\nurl = \"u\"\n";
        for (table, message) in [
            (
                "kind = \"pigeon\"\nevents = [\"waiting\"]",
                "notify.kind `pigeon` does not exist; use one of `slack-webhook`,",
            ),
            (
                "kind = \"teams\"\nevents = [\"waiting\"]",
                "notify `ops` of kind `teams` takes `url` and no other keys of a target",
            ),
            (
                "kind = \"slack\"\nurl = \"u\"\nevents = [\"waiting\"]",
                "notify `ops` of kind `slack` takes `token`, `channel`, `caller` (optional) and no other keys of a target",
            ),
            (
                "kind = \"teams\"\nurl = \"https://x.example/hook\"\nevents = [\"waiting\"]",
                "notify.url is not a Spin variable name (lowercase letters, digits and `_`); write the variable's name here and put the secret into the variable",
            ),
            (
                "kind = \"slack\"\ntoken = \"t\"\nchannel = \"#dba\"\nevents = [\"waiting\"]",
                "notify.channel `#dba` is not valid; use the ID of the channel, not its name",
            ),
            (
                "kind = \"slack\"\ntoken = \"t\"\nchannel = \"C0123ABCD\"\ncaller = \"hr\"\nevents = [\"waiting\"]",
                "notify.caller `hr` is not a caller of kind `slack`;",
            ),
            ("kind = \"smn\"\ntopic = \"approvers\"\nevents = [\"waiting\"]", WRONG_TOPIC),
            (&format!("{URL}events = []"), "notify `ops` has no `events`; name some, or remove the table"),
            (
                &format!("{URL}events = [\"wait\"]"),
                "notify.events `wait` does not exist; use some of `waiting`, `reminder`,",
            ),
            (
                &format!("{URL}events = [\"reminder\"]"),
                "notify `ops` is reminded of what it is not told; add `waiting` to `events`",
            ),
            (
                &format!("{URL}events = [\"waiting\"]\nafter = \"2 hours\""),
                "notify.after `2 hours` is not valid; write it like `30m`, `2h` or `1d`",
            ),
            (&format!("{URL}events = [\"unknown\"]\nafter = \"2h\""), "notify.after is for requests that wait;"),
            (
                &format!("{URL}events = [\"waiting\"]\nworking_hours = \"Mon-Fri 09:00-18:00\""),
                "notify.working_hours are for reminders;",
            ),
            (
                &format!("{URL}events = [\"waiting\", \"reminder\"]\nworking_hours = \"9 to 5\""),
                "notify.working_hours is not valid; write it like `Mon-Fri 09:00-18:00`",
            ),
            (
                &format!("{URL}events = [\"waiting\"]\ninstances = [\"gone\"]"),
                "notify.instances `gone` is not configured or appears more than once;",
            ),
            (
                &format!("{URL}events = [\"waiting\"]\nenvironments = [\"test\"]"),
                "notify.environments `test` is not configured",
            ),
            (
                &format!("{URL}events = [\"waiting\"]\ncallers = [\"hr\", \"hr\"]"),
                "notify.callers `hr` is not configured or appears more than once;",
            ),
            (&format!("{URL}events = [\"waiting\"]\ncolour = \"red\""), "unknown field `colour`"),
        ] {
            let error = target(table).unwrap_err();
            assert!(error.starts_with(message), "{table}\n{error}");
        }
        let twice = "[[notify]]\nname = \"a\"\nkind = \"teams\"\nurl = \"u\"\nevents = [\"waiting\"]\n".repeat(2);
        assert_eq!(
            targets(&twice).unwrap_err(),
            "notify.name `a` appears more than once; give each notify its own name"
        );
    }

    #[test]
    fn filters_and_times() {
        let read = target(
            "kind = \"teams\"\nurl = \"u\"\nevents = [\"waiting\"]\nafter = \"2h\"\nlanguage = \"zh-cn\"\nenvironments = [\"production\"]\ncallers = [\"hr\"]",
        )
        .unwrap();
        assert_eq!((read.after, read.language), (Some(Duration::from_secs(7200)), Language::Chinese));
        let subject = |environment, caller| NotifySubject { environment, instance: "warehouse", caller };
        assert!(read.takes(NotifyEvent::Waiting, &subject("production", "hr")));
        assert!(!read.takes(NotifyEvent::Decided, &subject("production", "hr")));
        assert!(!read.takes(NotifyEvent::Waiting, &subject("staging", "hr")));
        assert!(!read.takes(NotifyEvent::Waiting, &subject("production", "portal")));
    }
}

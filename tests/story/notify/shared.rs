//! A gateway whose messages go to platforms that a test plays.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, Request, Response};
use local::simulator::senders;
use serde_json::{Value, json};
use starrocks_offboard::app::App;
use starrocks_offboard::host::{
    Answered, Batched, DatabaseKind, Host, Limits, LogLabels, SendError, StoreError, Value as Parameter,
};
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::secret::Secret;
use support::answered::answered;
use support::memory::{Cloud, Memory};

use crate::gateway::{self, portal, slash_as};
use crate::production::shared::MAY_OPERATE;

/// Approves what others ask for.
pub(super) const ERIN: &str = "U0ERIN";

pub(super) const HR_SECRET: &str = "whsec_aHItc2VjcmV0LWhyLXNlY3JldC1oci1zZWNyZXQ=";

/// What a platform does with a message.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Takes it, in its own way.
    Take,
    /// Takes it, and the gateway's process ends before the answer arrives.
    TakeAndKill,
    /// The gateway's process ends before anything is sent.
    Kill,
    /// Takes it, and the answer does not arrive in time.
    TakeAndTimeOut,
    /// Does not take it, and no answer arrives in time.
    TimeOut,
    /// Cannot be reached.
    Unreachable,
    /// Answers this status, `Retry-After` and body.
    Answer(u16, Option<u64>, String),
}

/// A message that a platform got.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
    /// Whether the platform took it.
    pub(super) taken: bool,
}

/// The in-memory host, with platforms.
pub(super) struct Stage {
    pub(super) memory: Memory,
    pub(super) posts: RefCell<Vec<Post>>,
    /// What is done with the next messages; then each is taken.
    pub(super) acts: RefCell<VecDeque<Act>>,
    /// Whether the process that was asked last has ended.
    pub(super) killed: Cell<bool>,
}

impl Stage {
    pub(super) fn new(variables: &[(&'static str, &str)]) -> Self {
        let mut memory = gateway::memory();
        memory.cloud = Some(Cloud::default());
        memory.variables.insert("hr_webhook_secret".into(), HR_SECRET.into());
        memory.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { memory, posts: RefCell::default(), acts: RefCell::default(), killed: Cell::default() }
    }

    pub(super) fn will(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.borrow_mut().extend(acts);
    }

    /// The account is there.
    pub(super) fn has(&self, user_name: &str) {
        let cloud = self.memory.cloud.as_ref().unwrap();
        for instance in ["54e42160670e48e789af7075e1efea1fin17", "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"] {
            cloud.accounts.borrow_mut().insert((instance.to_owned(), user_name.to_owned()));
        }
    }

    pub(super) fn pass(&self, duration: Duration) {
        self.memory.now.set(self.memory.now.get() + i64::try_from(duration.as_millis()).unwrap());
    }

    /// Sends a request to the gateway, a second later; `None` if the process ended on it.
    pub(super) async fn ask(&self, app: &App, inbound: impl FnOnce(i64) -> Inbound) -> Option<Response<Bytes>> {
        self.pass(Duration::from_secs(1));
        self.killed.set(false);
        let seconds = self.memory.now.get() / 1000;
        let handled = answered(self, Ok(app), inbound(seconds));
        let killed = std::future::poll_fn(|context| {
            if self.killed.get() {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        });
        tokio::select! {
            biased;
            answer = handled => Some(answer),
            () = killed => None,
        }
    }

    /// HR asks for an account to be removed.
    pub(super) async fn event(&self, app: &App, user_name: &str, instance: &str) -> Option<Response<Bytes>> {
        let number = self.memory.now.get();
        self.ask(app, |seconds| {
            let data = json!({"user_name": user_name, "instance": instance, "reason": "left on 30 April"});
            let body = json!({"type": "account.delete", "data": data}).to_string();
            let mut headers = http::HeaderMap::new();
            headers.insert("content-type", "application/json".parse().unwrap());
            let id = format!("msg_{number}_{user_name}");
            let signed = senders::standard_webhooks(HR_SECRET, &id, &seconds.to_string(), body.as_bytes());
            for (name, value) in signed.unwrap() {
                headers.insert(name, value.parse().unwrap());
            }
            let (path, query) = ("/hooks/hr".to_owned(), String::new());
            Inbound { method: Method::POST, path, query, host: "localhost".into(), headers, body: body.into() }
        })
        .await
    }

    /// A person types a command in Slack.
    pub(super) async fn types(&self, app: &App, who: &str, words: &str) -> Option<Response<Bytes>> {
        self.ask(app, |seconds| slash_as(who, seconds, words, "")).await
    }

    /// Runs a job, and returns its summary; `None` if the process ended on it.
    pub(super) async fn job(&self, app: &App, name: &str) -> Option<Value> {
        let path = format!("/jobs/{name}");
        let answer = self.ask(app, |seconds| portal(seconds, Method::POST, &path, "")).await?;
        assert_eq!(answer.status().as_u16(), 200, "{answer:?}");
        Some(serde_json::from_slice(answer.body()).unwrap())
    }

    pub(super) fn posted(&self) -> Vec<Post> {
        self.posts.borrow().clone()
    }

    pub(super) fn taken(&self) -> Vec<Post> {
        self.posted().into_iter().filter(|post| post.taken).collect()
    }

    pub(super) fn lines(&self) -> String {
        self.memory.lines.borrow().join("\n")
    }

    pub(super) fn reference(&self, user_name: &str) -> String {
        self.one(
            "SELECT reference FROM removals WHERE user_name = ?1 ORDER BY asked_at DESC, id DESC LIMIT 1",
            user_name,
        )
    }

    pub(super) fn state(&self, user_name: &str) -> String {
        self.one("SELECT state FROM removals WHERE user_name = ?1 ORDER BY asked_at DESC, id DESC LIMIT 1", user_name)
    }

    fn one(&self, sql: &str, parameter: &str) -> String {
        self.memory.database.row(sql, &[parameter.into()]).unwrap()
    }

    /// Every message: `(event, target, number, state)`, oldest first.
    pub(super) fn outbox(&self) -> Vec<(String, String, i64, String)> {
        self.memory.database.rows("SELECT event, target, number, state FROM outbox ORDER BY id", &[])
    }

    fn take(&self, request: &Request<Bytes>, taken: bool) {
        self.posts.borrow_mut().push(Post {
            method: request.method().clone(),
            url: request.uri().to_string(),
            headers: request.headers().clone(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
            taken,
        });
    }

    /// What the platform answers to a message that it takes.
    fn taken_answer(&self, request: &Request<Bytes>) -> (u16, String) {
        let number = self.posts.borrow().len();
        match request.uri().host().unwrap_or_default() {
            "slack.com" => {
                (200, json!({"ok": true, "channel": "C0123ABCD", "ts": format!("1780308000.{number:06}")}).to_string())
            }
            "hooks.slack.com" | "chat.example.com" if request.uri().path().contains("/hooks/") => (200, "ok".into()),
            "hooks.slack.com" => (200, "ok".into()),
            "chat.example.com" => (201, json!({"id": format!("post{number}")}).to_string()),
            "chat.googleapis.com" => (200, json!({"name": format!("spaces/A/messages/{number}")}).to_string()),
            "discord.com" => (200, json!({"id": format!("10{number}")}).to_string()),
            "open.feishu.cn" => (200, r#"{"code":0}"#.into()),
            "oapi.dingtalk.com" | "qyapi.weixin.qq.com" => (200, r#"{"errcode":0}"#.into()),
            "smn.ap-southeast-3.myhuaweicloud.com" => (200, r#"{"message_id":"m"}"#.into()),
            "default.01.environment.api.powerplatform.com" | "events.pagerduty.com" => (202, "{}".into()),
            _ => (204, String::new()),
        }
    }
}

fn answer(status: u16, retry_after: Option<u64>, body: String) -> Answered {
    let mut answer = http::Response::builder().status(status);
    if let Some(seconds) = retry_after {
        answer = answer.header("retry-after", seconds.to_string());
    }
    answer.body(Some(Bytes::from(body))).unwrap()
}

impl Host for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.memory.now()
    }

    fn elapsed(&self) -> Duration {
        self.memory.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        self.memory.sleep(duration).await;
    }

    fn random(&self) -> u128 {
        self.memory.random()
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        self.memory.variable(name).await
    }

    async fn file(&self, name: &str) -> Option<String> {
        self.memory.file(name).await
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        self.memory.database().await
    }

    async fn query(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<Vec<Parameter>>, StoreError> {
        self.memory.query(statement, parameters).await
    }

    async fn query_batched(
        &self,
        statement: &'static Batched,
        item: Vec<Parameter>,
    ) -> Result<Vec<Vec<Parameter>>, StoreError> {
        self.memory.query_batched(statement, item).await
    }

    async fn send(&self, request: Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        let host = request.uri().host().unwrap_or_default();
        if host.starts_with("gaussdb.") {
            return self.memory.send(request, limits).await;
        }
        let act = self.acts.borrow_mut().pop_front().unwrap_or(Act::Take);
        // A system is asked for its status alone.
        let is_system = host == "events.example.com";
        let taken = match &act {
            Act::Take | Act::TakeAndKill | Act::TakeAndTimeOut => true,
            Act::Answer(status, ..) => is_system && *status == 200,
            Act::Kill | Act::TimeOut | Act::Unreachable => false,
        };
        let usual = self.taken_answer(&request);
        if !matches!(act, Act::Kill | Act::Unreachable) {
            self.take(&request, taken);
        }
        match act {
            Act::Take => Ok(answer(usual.0, None, usual.1)),
            Act::Answer(status, retry_after, body) => Ok(answer(status, retry_after, body)),
            Act::Unreachable => Err(SendError::NotSent("refused".into())),
            Act::TakeAndTimeOut | Act::TimeOut => Err(SendError::CallTimedOut("late".into())),
            Act::TakeAndKill | Act::Kill => {
                self.killed.set(true);
                pending().await
            }
        }
    }

    fn labels(&self) -> &RefCell<LogLabels> {
        self.memory.labels()
    }

    fn write_line(&self, line: &str) {
        self.memory.write_line(line);
    }
}

/// The demonstration's gateway with these tables, which HR asks and the portal operates; Erin is in the team, too.
pub(super) fn app_with(tables: &str) -> App {
    app_of(tables, &[], &[])
}

/// The same, with changes to offboard.toml and to the policies.
pub(super) fn app_of(tables: &str, changes: &[(&str, &str)], policies: &[(&str, &str)]) -> App {
    let mut offboard = include_str!("../../../config/offboard.toml")
        .replace("kind = \"slack\"", "confirm = false\nkind = \"slack\"")
        .replace("members = [", &format!("members = [\"slack/{ERIN}\", "));
    let mut policy = include_str!("../../../config/policy.cedar").to_owned() + MAY_OPERATE;
    for (text, changes) in [(&mut offboard, changes), (&mut policy, policies)] {
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            *text = text.replacen(from, to, 1);
        }
    }
    let offboard = format!("{offboard}\n{tables}");
    App::parse(&offboard, &policy, include_str!("../../../config/schema.cedarschema")).unwrap()
}

/// A target that is told of everything. Its variables are `u`, `t`, `s` and `k`.
pub(super) fn target(name: &str, kind: &str, more: &str) -> String {
    let keys = match kind {
        "slack" => "token = \"t\"\nchannel = \"C0123ABCD\"",
        "mattermost" => {
            "server = \"https://chat.example.com\"\ntoken = \"t\"\nchannel = \"4xp9fdt77pncbef59f4k1qe83o\""
        }
        "feishu" | "dingtalk" => "url = \"u\"\nsecret = \"s\"",
        "smn" => "topic = \"urn:smn:ap-southeast-3:23a50154cf494ec9ad6883979a12db0a:approvers\"",
        "pagerduty" => "routing_key = \"k\"",
        "standard-webhooks" => "url = \"u\"\nsecrets = [\"s\"]",
        _ => "url = \"u\"",
    };
    let events = "events = [\"waiting\", \"reminder\", \"decided\", \"unknown\", \"refused-credentials\", \"brake\"]";
    let events = if more.contains("events =") { "" } else { events };
    format!("[[notify]]\nname = \"{name}\"\nkind = \"{kind}\"\n{keys}\n{events}\n{more}\n")
}

/// Values of the variables of a target of this kind.
pub(super) fn variables(kind: &str) -> Vec<(&'static str, &'static str)> {
    let url = match kind {
        "slack-webhook" => "https://hooks.slack.com/services/T0001/B0001/secret",
        "mattermost-webhook" => "https://chat.example.com/hooks/secret",
        "teams" => {
            "https://default.01.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=secret"
        }
        "google-chat" => "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=secret",
        "discord" => "https://discord.com/api/webhooks/1/secret",
        "feishu" => "https://open.feishu.cn/open-apis/bot/v2/hook/secret",
        "dingtalk" => "https://oapi.dingtalk.com/robot/send?access_token=secret",
        "wecom" => "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=secret",
        _ => "https://events.example.com/offboard",
    };
    let secret = match kind {
        "standard-webhooks" => "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        _ => "demo-secret",
    };
    vec![("u", url), ("t", "xoxb-secret"), ("s", secret), ("k", "0123456789abcdef0123456789abcdef")]
}

pub(super) const KINDS: [&str; 13] = [
    "slack-webhook",
    "slack",
    "mattermost-webhook",
    "mattermost",
    "teams",
    "google-chat",
    "discord",
    "feishu",
    "dingtalk",
    "wecom",
    "smn",
    "pagerduty",
    "standard-webhooks",
];

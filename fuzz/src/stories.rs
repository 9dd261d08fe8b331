//! Several people, several requests, and what can go wrong between them and in the middle of each.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use futures_util::future::join;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use starrocks_offboard::app::App;
use starrocks_offboard::ledger::schema;
use starrocks_offboard::request::inbound::{BodyError, Inbound};
use support::memory::Memory;

use crate::kinds::{NOW, OFFBOARD, POLICY, SCHEMA};
use crate::watched::{self, Odd, Script, To, World};
use crate::{proof, wire};

use serde_json::{Value as Json, json};

/// The secrets: of Slack, of the gateway itself, of the portal, of HR, of Okta, and the address of a channel.
pub(crate) const SECRETS: [&str; 10] = [
    "slack-secret-7f3a",
    "upstream-secret-51cc",
    "security-token-90ab",
    "portal-secret-e2d1",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "okta-secret-0c44",
    "iam-password-77b2",
    "iam-token-3c99f2e1",
    "portal-secret-a9c3",
    "T0CHANNEL/SECRET/ab12",
];

/// Dana's access key, and Erin's.
pub(crate) const PORTAL: [&str; 2] = ["HPUAPORTALKEY0000001", "HPUAPORTALKEY0000002"];

pub(crate) const ANALYTICS: &str =
    "/v3/23a50154cf494ec9ad6883979a12db0a/instances/54e42160670e48e789af7075e1efea1fin17/starrocks/users";
const WAREHOUSE: &str =
    "/v3/23a50154cf494ec9ad6883979a12db0a/instances/86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17/starrocks/users";

/// Dana, Erin and Fay, who may remove and approve, and a stranger.
const PEOPLE: [&str; 4] = ["U2CERLKJA", "U0ERIN", "U0FAY", "U0STRANGER"];

/// Of which the gateway never removes the last four.
const ACCOUNTS: [&str; 8] = ["alice", "bob", "dana", "nobody_here", "root", "RdsAdmin", "etl_night", "Alice"];

/// How many removals an hour policy permits to one actor.
const BRAKE: usize = 3;

/// The runtime, with every secret set.
pub(crate) fn memory() -> Memory {
    let mut memory = watched::memory(&[
        ("slack_signing_secret", SECRETS[0]),
        ("huaweicloud_access_key", "AK"),
        ("huaweicloud_secret_key", SECRETS[1]),
        ("huaweicloud_security_token", SECRETS[2]),
        ("portal_secret_key", SECRETS[3]),
        ("erin_secret_key", SECRETS[8]),
        ("hr_webhook_secret", SECRETS[4]),
        ("okta_secret", SECRETS[5]),
        ("huaweicloud_user", "user"),
        ("huaweicloud_password", SECRETS[6]),
        ("huaweicloud_domain", "domain"),
        ("taurusdb_endpoint", "https://*.myhuaweicloud.com"),
        ("iam_endpoint", "https://*.myhuaweicloud.com"),
    ]);
    memory.now.set(NOW * 1000);
    memory.cloud = Some(watched::cloud(&ACCOUNTS.map(|name| if name == "nobody_here" { "somebody" } else { name })));
    memory
}

/// Signs with an access key.
pub(crate) fn portal(key: &str, seconds: i64, method: Method, target: &str, body: &str) -> Inbound {
    let text = format!("{method} {target}\n\n{body}");
    let mut inbound = wire::inbound(text.as_bytes()).expect("it is a request");
    let secret = if key == PORTAL[0] { SECRETS[3] } else { SECRETS[8] };
    proof::access_key(key, secret, seconds, &mut inbound).expect("an SDK can sign it");
    inbound
}

/// A request, or something that happens between requests.
#[derive(Debug, Arbitrary)]
enum Action {
    Ask(Ask, How),
    /// Two at once; whose turn it is says the second one's `turns` too.
    Both(Ask, How, Ask, How),
    /// One of the requests before, once more and as it was.
    Again(u8, How),
    /// The same twice at once.
    AgainTwice(u8, How, How),
    Passes(Time),
    /// The instance goes, and another one comes.
    Restart,
    /// The operator changes the configuration, and the gateway starts anew.
    Configured(u8),
    /// What comes of a later call.
    Odd(Of, Said, u8, bool),
    /// The account is created anew.
    Created(u8, bool),
    /// A secret is taken away, or is there again.
    Unset(u8),
    /// Two copies of one request at once.
    Twice(Ask, How, How),
}

#[derive(Debug, Arbitrary)]
struct Ask {
    who: Who,
    what: What,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Who {
    Slack(u8),
    Portal(bool),
    Hr,
    Okta,
}

#[derive(Debug, Arbitrary)]
enum What {
    Remove {
        account: u8,
        production: bool,
        reason: bool,
        dry_run: bool,
    },
    /// How, which of those that wait, by a click or in words, and with which words why.
    Decide {
        how: u8,
        which: u8,
        click: bool,
        why: bool,
    },
    Status(u8),
    Pending,
    Help,
    List(u8),
    Localized(String),
    /// A body of no form.
    Body(Vec<u8>),
}

/// How a request comes, and what goes wrong while it is answered.
#[derive(Debug, Arbitrary)]
struct How {
    proof: Proved,
    /// From 160 on, which statement fails; the lowest bit says whether before or after it is carried out.
    fails: u8,
    /// From 200 on, at which moment the process dies.
    dies: u8,
    turns: u16,
    patience: u8,
    /// From 200 on, how many quarters of a second a statement takes.
    slow: u8,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Proved {
    Right,
    RightToo,
    RightAgain,
    Wrong,
    Old,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Problem {
    No,
    None,
    Neither,
    TooLarge,
    CutShort,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Time {
    Seconds(u8),
    Minutes(u8),
    Hours(u8),
    Back(u8),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Of {
    Delete,
    List,
    Iam,
    Others,
}

#[derive(Debug, Arbitrary)]
enum Said {
    NotSent,
    NotAllowed,
    ConnectTimedOut,
    FirstByteTimedOut,
    CallTimedOut,
    Broken,
    Success,
    Gone,
    Busy(u8),
    Throttled(Option<u8>),
    Unavailable(Option<u8>),
    TokenRefused,
    Echo,
    Status(u16, Vec<u8>),
    CutShort(u16),
}

/// The configurations that there can be.
fn offboard(number: u8) -> (String, String) {
    let mut offboard = OFFBOARD
        .replacen(
            "members = [",
            "members = [\"slack/U0ERIN\", \"slack/U0FAY\", \"portal/HPUAPORTALKEY0000002\", \"okta\", ",
            1,
        )
        .replacen(
            "principals = [\"slack/U2CERLKJA\"]",
            "principals = [\"slack/U2CERLKJA\", \"portal/HPUAPORTALKEY0000001\"]",
            1,
        )
        .replacen("[[caller]]", &format!("{ERIN}\n[[caller]]"), 1)
        .replacen(
            "access_keys = [",
            "access_keys = [{ id = \"HPUAPORTALKEY0000002\", secret = \"erin_secret_key\" }, ",
            1,
        )
        .replacen("[accounts]", LEAVERS, 1);
    let policy = POLICY.replacen("removals_last_hour >= 20", "removals_last_hour >= 3", 1);
    let mut change = |from: &str, to: &str| {
        assert!(offboard.contains(from), "{from}");
        offboard = offboard.replacen(from, to, 1);
    };
    match number % 5 {
        0 => {}
        1 => change("kind = \"slack\"", "confirm = false\nkind = \"slack\""),
        2 => {
            change("credentials = \"aksk\"", "credentials = \"password\"");
            change("production = 1", "production = 2");
        }
        3 => {
            change("name = \"warehouse\"", "name = \"lake\"");
            change("expire_hours = 24", "expire_hours = 1");
            change("[\"analytics\", \"warehouse\"]", "[\"analytics\"]");
            change("protected = [", "protected = [\"bob*\", ");
        }
        _ => change("environment = \"staging\"", "environment = \"production\""),
    }
    (offboard, policy)
}

const ERIN: &str = "[[person]]\nname = \"erin\"\nprincipals = [\"slack/U0ERIN\", \"portal/HPUAPORTALKEY0000002\"]\n";

const LEAVERS: &str = "[[caller]]\nname = \"okta\"\nkind = \"okta\"\nsecrets = [\"okta_secret\"]\n
[caller.leavers]\ninstances = [\"analytics\", \"warehouse\"]\nuser_names = [\"{login|local|snake}\", \"{id|snake}\"]\n\n[accounts]";

/// Where the story is.
struct Scene {
    world: World,
    app: App,
    configuration: u8,
    asked: Vec<(Inbound, i64)>,
}

/// A request that is being made.
struct Making<'a> {
    /// The references of the requests that wait, oldest first.
    references: Vec<String>,
    /// The ids of all rows, oldest first.
    ids: Vec<String>,
    what: &'a What,
    proved: Proved,
    at: i64,
    nonce: String,
}

impl Making<'_> {
    /// One of the references, the newest first.
    fn waiting(&self, which: u8) -> String {
        match self.references.len() {
            0 => "K7Q2M9XA".to_owned(),
            many => self.references[many - 1 - usize::from(which) % many].clone(),
        }
    }

    /// One of the ids, the newest first.
    fn row(&self, which: u8) -> String {
        match self.ids.len() {
            0 => "0".repeat(32),
            many => self.ids[many - 1 - usize::from(which) % many].clone(),
        }
    }

    fn slack(&self, who: u8) -> Inbound {
        let nonce = &self.nonce;
        let user = PEOPLE[usize::from(who) % PEOPLE.len()];
        let form = |text: &str| {
            let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
            format!(
                "command=%2Foffboard&user_id={user}&trigger_id={nonce}&text={text}&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0CHANNEL%2FSECRET%2Fab12"
            )
        };
        let body = match self.what {
            What::Remove { account: name, production, reason, dry_run } => form(&format!(
                "{} {}{}{}",
                account(*name),
                instance(*production),
                if *reason { " left the company" } else { "" },
                if *dry_run { " --dry-run" } else { "" },
            )),
            What::Decide { how: word, which, click: false, why } => {
                form(&format!("{} {}{}", how(*word), self.waiting(*which), if *why { " for a reason" } else { "" }))
            }
            What::Decide { how: word, which, .. } => {
                let payload = json!({
                    "type": "block_actions",
                    "user": {"id": user},
                    "actions": [{"action_id": how(*word), "value": self.waiting(*which)}],
                    "response_url": "https://hooks.slack.com/actions/T0CHANNEL/SECRET/ab12",
                    "trigger_id": self.nonce,
                });
                format!("payload={}", utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC))
            }
            What::Status(which) => form(&format!("status {}", self.row(*which))),
            What::Pending => form("pending"),
            What::Help | What::List(_) => form("help"),
            What::Localized(words) => form(words),
            What::Body(body) => String::from_utf8_lossy(body).into_owned(),
        };
        let mut inbound = post("/hooks/slack", "application/x-www-form-urlencoded", &body);
        let secret = secret(if self.proved == Proved::Wrong { "another" } else { SECRETS[0] });
        proof::prove("slack", &secret, self.at, &self.nonce, &mut inbound);
        inbound
    }

    fn portal(&self, is_erin: bool) -> Inbound {
        let (method, target, body) = match self.what {
            What::Remove { account: name, production, dry_run, .. } => {
                let path = if *production { WAREHOUSE } else { ANALYTICS };
                let dry_run = if *dry_run { "&dry_run=true" } else { "" };
                (Method::DELETE, format!("{path}?user_name={}{dry_run}", account(*name)), String::new())
            }
            What::Decide { how: word, which, why, .. } => {
                let reason = if *why { json!("for a reason") } else { Json::Null };
                let body = json!({"decision": how(*word), "reason": reason}).to_string();
                (Method::POST, format!("/approvals/{}", self.waiting(*which)), body)
            }
            What::Status(which) => (Method::GET, format!("/removals/{}", self.row(*which)), String::new()),
            What::Pending | What::Help => (Method::GET, "/approvals".to_owned(), String::new()),
            What::List(which) => {
                let queries = ["", "?state=removed", "?limit=1", "?instance=warehouse", "?actor=okta"];
                let query = queries[usize::from(*which) % queries.len()];
                (Method::GET, format!("/removals{query}"), String::new())
            }
            What::Localized(words) => {
                let name = utf8_percent_encode(words, NON_ALPHANUMERIC);
                (Method::DELETE, format!("{ANALYTICS}?user_name={name}"), String::new())
            }
            What::Body(body) => {
                (Method::POST, format!("/approvals/{}", self.waiting(0)), String::from_utf8_lossy(body).into_owned())
            }
        };
        let mut inbound = portal(PORTAL[usize::from(is_erin)], self.at, method, &target, &body);
        if !body.is_empty() {
            proof::set(&mut inbound, "content-type", "application/json");
        }
        if self.proved == Proved::Wrong {
            proof::access_key(PORTAL[usize::from(is_erin)], "another", self.at, &mut inbound);
        }
        inbound
    }

    fn hr(&self) -> Inbound {
        let event = match self.what {
            What::Remove { account: name, production, reason, dry_run } => json!({
                "type": "account.delete",
                "data": {
                    "user_name": account(*name),
                    "instance": instance(*production),
                    "reason": if *reason { json!("left") } else { Json::Null },
                    "dry_run": dry_run,
                },
            })
            .to_string(),
            What::Decide { how: word, which, .. } => {
                json!({"type": format!("removal.{}", how(*word)), "data": {"id": self.waiting(*which)}}).to_string()
            }
            What::Status(which) => json!({"type": "removal.status", "data": {"id": self.row(*which)}}).to_string(),
            What::Pending | What::Help | What::List(_) => json!({"type": "removal.pending", "data": {}}).to_string(),
            What::Localized(words) => json!({"type": words, "data": {"user_name": words}}).to_string(),
            What::Body(body) => String::from_utf8_lossy(body).into_owned(),
        };
        let mut inbound = post("/hooks/hr", "application/json", &event);
        let right = SECRETS[4];
        let secret =
            secret(if self.proved == Proved::Wrong { "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" } else { right });
        proof::prove("standard-webhooks", &secret, self.at, &self.nonce, &mut inbound);
        inbound
    }

    fn okta(&self) -> Inbound {
        let event = match self.what {
            What::Remove { account: name, .. } => json!({
                "eventType": "com.okta.event_hook",
                "data": {"events": [{
                    "uuid": format!("event-{name}"),
                    "eventType": "user.lifecycle.deactivate",
                    "outcome": {"result": "SUCCESS"},
                    "target": [{"type": "User", "id": "dana", "alternateId": format!("{}@example.com", account(*name))}],
                }]},
            })
            .to_string(),
            What::Body(body) => String::from_utf8_lossy(body).into_owned(),
            what => json!({"eventType": format!("{what:?}"), "data": {"events": []}}).to_string(),
        };
        let mut inbound = post("/hooks/okta", "application/json", &event);
        let secret = secret(if self.proved == Proved::Wrong { "another" } else { SECRETS[5] });
        proof::prove("okta", &secret, self.at, &self.nonce, &mut inbound);
        inbound
    }
}

fn instance(production: bool) -> &'static str {
    if production { "warehouse" } else { "analytics" }
}

fn account(account: u8) -> &'static str {
    ACCOUNTS[usize::from(account) % ACCOUNTS.len()]
}

fn how(how: u8) -> &'static str {
    ["confirm", "approve", "cancel", "deny"][usize::from(how) % 4]
}

impl Scene {
    fn seconds(&self) -> i64 {
        (self.world.memory.now.get() + i64::try_from(self.world.memory.elapsed.get().as_millis()).unwrap_or_default())
            / 1000
    }

    /// The request, as its platform sends it.
    fn inbound(&self, ask: &Ask, proved: Proved) -> Inbound {
        let making = Making {
            references: self.world.references(),
            ids: self.world.ids(),
            what: &ask.what,
            proved,
            at: if proved == Proved::Old { self.seconds() - 301 } else { self.seconds() },
            nonce: format!("nonce{}", self.asked.len()),
        };
        let mut inbound = match ask.who {
            Who::Slack(who) => making.slack(who),
            Who::Portal(is_erin) => making.portal(is_erin),
            Who::Hr => making.hr(),
            Who::Okta => making.okta(),
        };
        if proved == Proved::Not {
            let content_type = inbound.headers.remove("content-type");
            inbound.headers = content_type.map(|value| (http::header::CONTENT_TYPE, value)).into_iter().collect();
        }
        inbound
    }

    async fn ask(&self, inbound: Inbound, how: &How) {
        let script = Script {
            fails: (how.fails >= 160).then(|| (u32::from((how.fails - 160) / 2) + 1, how.fails % 2 == 1)),
            dies: (how.dies >= 200).then(|| u32::from(how.dies - 200) + 1),
            turns: u64::from(how.turns),
            patience: how.patience % 9,
            statement_takes: match how.slow {
                0..200 => Duration::ZERO,
                slow => Duration::from_millis(u64::from(slow - 199) * 250),
            },
            problem: match how.problem {
                Problem::TooLarge => Some(BodyError::TooLarge(1024)),
                Problem::CutShort => Some(BodyError::CutShort),
                _ => None,
            },
        };
        let answer = watched::ask(&self.world, Ok(&self.app), inbound, BRAKE, script).await;
        assert!(answer.is_some() || script.dies.is_some(), "no answer");
    }

    fn again(&self, which: u8) -> Option<Inbound> {
        let many = self.asked.len();
        (many > 0).then(|| self.asked[many - 1 - usize::from(which) % many].0.clone())
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask(ask, how) => {
                let inbound = self.inbound(&ask, how.proof);
                self.asked.push((inbound.clone(), self.seconds()));
                let (before, proved) = (self.world.memory.sent.borrow().len(), how.proof);
                let actors = self.world.actors().len();
                watched::run(self.ask(inbound, &how));
                if matches!(proved, Proved::Wrong | Proved::Old | Proved::Not)
                    && !matches!((ask.who, proved), (Who::Okta, Proved::Old))
                {
                    assert_eq!(self.world.memory.sent.borrow().len(), before, "{proved:?}, and something was sent");
                    assert_eq!(self.world.actors().len(), actors, "{proved:?}, and a row names an actor");
                }
            }
            Action::Both(first, how, second, how_too) => {
                let (one, two) = (self.inbound(&first, how.proof), self.inbound(&second, how_too.proof));
                self.asked.extend([(one.clone(), self.seconds()), (two.clone(), self.seconds())]);
                watched::run(join(self.ask(one, &how), self.ask(two, &how_too)));
            }
            Action::Again(which, how) => {
                if let Some(inbound) = self.again(which) {
                    watched::run(self.ask(inbound, &how));
                }
            }
            Action::Twice(ask, how, how_too) => {
                let inbound = self.inbound(&ask, how.proof);
                self.asked.push((inbound.clone(), self.seconds()));
                watched::run(join(self.ask(inbound.clone(), &how), self.ask(inbound, &how_too)));
            }
            Action::AgainTwice(which, how, how_too) => {
                if let Some(inbound) = self.again(which) {
                    watched::run(join(self.ask(inbound.clone(), &how), self.ask(inbound, &how_too)));
                }
            }
            Action::Passes(time) => {
                let milliseconds = match time {
                    Time::Seconds(seconds) => i64::from(seconds) * 1000,
                    Time::Minutes(minutes) => i64::from(minutes) * 60_000,
                    Time::Hours(hours) => i64::from(hours % 50) * 3_600_000,
                    Time::Back(seconds) => -i64::from(seconds % 10) * 1000,
                };
                let now = &self.world.memory.now;
                now.set(now.get() + milliseconds);
            }
            Action::Restart => self.start(self.configuration),
            Action::Configured(number) => self.start(number),
            Action::Odd(of, said, tenths, effect) => {
                let (to, odd) = (to(of), odd(&said, tenths, effect));
                self.world.will(to, odd);
            }
            Action::Created(account, production) => {
                let path = if production { WAREHOUSE } else { ANALYTICS };
                let on = path.split('/').nth(4).unwrap_or_default().to_owned();
                let name = ACCOUNTS[usize::from(account) % ACCOUNTS.len()].to_owned();
                if let Some(cloud) = &self.world.memory.cloud {
                    cloud.accounts.borrow_mut().insert((on, name));
                }
            }
            Action::Unset(which) => {
                let variables = [
                    ("slack_signing_secret", SECRETS[0]),
                    ("huaweicloud_secret_key", SECRETS[1]),
                    ("huaweicloud_password", SECRETS[6]),
                    ("portal_secret_key", SECRETS[3]),
                ];
                let (name, value) = variables[usize::from(which) % variables.len()];
                let there = &mut self.world.memory.variables;
                if there.remove(name).is_none() {
                    there.insert(name.to_owned(), value.to_owned());
                }
            }
        }
    }

    /// Another instance, with nothing in memory. That it opens the ledger once more changes nothing.
    fn start(&mut self, number: u8) {
        let ((old, old_policy), (new, policy)) = (offboard(self.configuration), offboard(number));
        let app = watched::app(&new, &policy, SCHEMA);
        watched::keep(&old, &old_policy, SCHEMA, std::mem::replace(&mut self.app, app));
        watched::run(schema::open(&self.world.memory)).expect("the ledger opens");
        self.configuration = number;
    }
}

fn secret(text: &str) -> toml::Value {
    toml::Value::Table([("secret".to_owned(), toml::Value::String(text.to_owned()))].into_iter().collect())
}

fn post(path: &str, content_type: &str, body: &str) -> Inbound {
    let text = format!("POST {path}\ncontent-type: {content_type}\n\n{body}");
    wire::inbound(text.as_bytes()).expect("it is a request")
}

fn to(of: Of) -> To {
    match of {
        Of::Delete => To::Delete,
        Of::List => To::List,
        Of::Iam => To::Iam,
        Of::Others => To::Others,
    }
}

fn odd(said: &Said, tenths: u8, effect: bool) -> Odd {
    let retry =
        |seconds: &Option<u8>| seconds.map_or(String::new(), |seconds| format!("\nretry-after: {}", seconds % 40));
    let failure = |code: &str| format!("{{\"error_code\":\"{code}\",\"error_msg\":\"message\"}}");
    let busy = ["DBS.200019", "DBS.200047", "DBS.201014", "DBS.280406"];
    let text = match said {
        Said::NotSent => "not sent".to_owned(),
        Said::NotAllowed => "not allowed".to_owned(),
        Said::ConnectTimedOut => "connect timed out".to_owned(),
        Said::FirstByteTimedOut => "first byte timed out".to_owned(),
        Said::CallTimedOut => "call timed out".to_owned(),
        Said::Broken => "broken".to_owned(),
        Said::Success => "200\n\n{\"result\":\"SUCCESS\"}".to_owned(),
        Said::Gone => format!("400\n\n{}", failure("DBS.200824")),
        Said::Busy(which) => format!("409\n\n{}", failure(busy[usize::from(*which) % busy.len()])),
        Said::Throttled(seconds) => format!("429{}\n\n{}", retry(seconds), failure("APIGW.0308")),
        Said::Unavailable(seconds) => format!("503{}\n\n{}", retry(seconds), failure("DBS.200005")),
        Said::TokenRefused => format!("401\n\n{}", failure("APIGW.0307")),
        // As the API gateway quotes what was signed.
        Said::Echo => format!("401\n\n{}", failure("APIGW.0301").replace("message", "canonicalRequest {credential} ")),
        Said::Status(status, body) => {
            format!("{}\n\n{}", 200 + status % 400, String::from_utf8_lossy(&body[..body.len().min(400)]))
        }
        Said::CutShort(status) => format!("{}!", 200 + status % 400),
    };
    let nothing = matches!(
        said,
        Said::NotSent | Said::NotAllowed | Said::ConnectTimedOut | Said::Gone | Said::Busy(_) | Said::Throttled(_)
    ) || matches!(said, Said::Unavailable(_) | Said::TokenRefused | Said::Echo);
    let mut odd = wire::answer(text.as_bytes());
    odd.takes = Duration::from_millis(u64::from(tenths) * 100);
    odd.effect = (effect && !nothing) || matches!(said, Said::Success);
    odd
}

/// A configuration, then actions.
pub fn story(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let Ok(configuration) = u8::arbitrary(&mut bytes) else { return };
    let (text, policy) = offboard(configuration);
    let world = World::new(memory(), &SECRETS);
    let app = watched::app(&text, &policy, SCHEMA);
    let mut scene = Scene { world, app, configuration, asked: Vec::new() };
    for _ in 0..32 {
        if bytes.is_empty() {
            break;
        }
        let Ok(action) = Action::arbitrary(&mut bytes) else { break };
        if has_secret(&action) {
            break;
        }
        scene.act(action);
    }
    let (text, policy) = offboard(scene.configuration);
    watched::keep(&text, &policy, SCHEMA, scene.app);
    scene.world.end();
}

/// A sender may get back a secret that it sent itself.
fn has_secret(action: &Action) -> bool {
    let text = format!("{action:?}");
    SECRETS.iter().any(|secret| text.contains(secret))
}

//! Every message about an outcome, in both languages, in the form of every platform: `tests/fixtures/messages/`. A change of one is
//! meant, or is a mistake; `BLESS=1` writes the files anew. `plain.txt` is for people to read, and `tests/node` holds the others
//! against the platforms' own types.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::{DateTime, FixedOffset};
use http::StatusCode;
use starrocks_offboard::callers;
use starrocks_offboard::callers::follow_up::Acknowledgement;
use starrocks_offboard::outcome::denial::Denial;
use starrocks_offboard::outcome::language::{Language, Localized};
use starrocks_offboard::outcome::message::{Argument, Message};
use starrocks_offboard::outcome::{
    AccountPresence, Closed, Denied, DryRun, DryRunDecision, Evidence, NotRemoved, NotSent, Outcome, Unknown,
    UpstreamAnswer, UpstreamRefusal, Waiting, catalog,
};
use starrocks_offboard::reply::{Person, Reply, RequestFacts};
use starrocks_offboard::request::command::ApprovalAction;

/// The kinds whose forms are kept. DingTalk's is the plain text.
const FORMS: [&str; 8] = ["slack", "mattermost", "teams", "discord", "google-chat", "feishu", "wecom", "dingtalk"];

const REFERENCE: &str = "K7Q2M9XA";

const ROW: &str = "01a20cdd732b69ed97f48586a60db1dd";

const ERIN: Person<'_> = Person { name: Some("erin"), principal: "slack/U0ERIN" };

const DANA: Person<'_> = Person { name: Some("dana"), principal: "slack/U2CERLKJA" };

/// An outcome, and what is known of its request.
struct Sample {
    name: &'static str,
    outcome: Outcome,
    facts: RequestFacts<'static>,
    policies: &'static [&'static str],
    code_means: Option<Localized>,
    retry_after: Option<u64>,
    clicked: Option<ApprovalAction>,
    has_account: bool,
}

impl Sample {
    fn new(name: &'static str, outcome: Outcome) -> Self {
        let at = |hour| DateTime::parse_from_rfc3339(hour).unwrap();
        let (asked, until): (DateTime<FixedOffset>, _) =
            (at("2026-06-01T10:00:00+08:00"), at("2026-06-02T10:00:00+08:00"));
        Self {
            name,
            outcome,
            facts: RequestFacts {
                requester: Some(DANA),
                reason: Some("left the company"),
                asked_at: Some(asked),
                expires_at: Some(until),
                required: 1,
                ..RequestFacts::default()
            },
            policies: &["dba-asks-on-production"],
            code_means: None,
            retry_after: None,
            clicked: None,
            has_account: true,
        }
    }

    fn facts(mut self, change: impl FnOnce(&mut RequestFacts<'static>)) -> Self {
        change(&mut self.facts);
        self
    }

    fn policies(self, policies: &'static [&'static str]) -> Self {
        Self { policies, ..self }
    }

    fn meaning(self, en: &'static str, zh: &'static str) -> Self {
        Self { code_means: Some(Localized { en, zh }), ..self }
    }

    fn of_no_account(self) -> Self {
        Self { has_account: false, ..self }
    }

    /// Renders the message as an answer of a kind.
    fn rendered(&self, kind: &str, language: Language) -> String {
        let policies: Vec<String> = self.policies.iter().map(|policy| (*policy).to_owned()).collect();
        let reply = Reply {
            outcome: &self.outcome,
            language,
            account: self.has_account.then_some(("alice", "warehouse")),
            environment: self.has_account.then_some("production"),
            request: self.facts.clone(),
            policies: &policies,
            meaning: self.code_means,
            retry_after: self.retry_after,
            removal_id: ROW,
            upstream_request_id: self.outcome.code().starts_with("DBS").then_some("upstream-1"),
            clicked: self.clicked,
            is_decided_already: self.name.ends_with("decided already"),
        };
        callers::kind(kind).unwrap().chat().unwrap().reply(&reply).body
    }
}

fn samples() -> Vec<Sample> {
    let mut samples = waiting();
    samples.extend(ended());
    samples.extend(refused());
    samples.extend(by_taurusdb());
    samples.extend(dry_runs());
    samples
}

fn waiting() -> Vec<Sample> {
    let until = DateTime::parse_from_rfc3339("2026-06-02T10:00:00+08:00").unwrap().to_utc();
    let reference = || REFERENCE.to_owned();
    let confirm =
        |needs_approval| Outcome::Waiting(Waiting::Confirmation { reference: reference(), needs_approval, until });
    let approve = |missing| Outcome::Waiting(Waiting::Approval { reference: reference(), missing, until });
    vec![
        Sample::new("confirm", confirm(false)),
        Sample::new("confirm without a reason", confirm(false)).facts(|facts| facts.reason = None),
        Sample::new("confirm before approval", confirm(true)),
        Sample::new("confirm before two approvals", confirm(true)).facts(|facts| facts.required = 2),
        Sample::new("approve", approve(1)),
        Sample::new("approve what a system asked", approve(1)).facts(|facts| {
            facts.requester = Some(Person { name: None, principal: "hr" });
            facts.caused_by = Some(DANA);
        }),
        Sample::new("approve once more", approve(1)).facts(|facts| {
            facts.required = 2;
            facts.approvers = vec![ERIN];
        }),
        Sample::new("approve, to the requester", approve(1)).facts(|facts| facts.is_readers = true),
        Sample::new("approve twice, to the requester", approve(2)).facts(|facts| {
            facts.is_readers = true;
            facts.required = 2;
        }),
    ]
}

fn ended() -> Vec<Sample> {
    let rejected = |reason: Option<&str>| {
        Outcome::Closed(Closed::Rejected { by: "slack/U0ERIN".into(), reason: reason.map(str::to_owned) })
    };
    let approved =
        |name| Sample::new(name, Outcome::Removed(Evidence::Answer)).facts(|facts| facts.approvers = vec![ERIN]);
    vec![
        Sample::new("removed", Outcome::Removed(Evidence::Answer)),
        approved("approved and removed"),
        approved("decided already"),
        Sample::new("gone by the list", Outcome::Removed(Evidence::AccountList)),
        Sample::new("denied by an approver", rejected(None)).facts(|facts| facts.denied_by = Some((ERIN, None))),
        Sample::new("denied by an approver with a reason", rejected(Some("still on call")))
            .facts(|facts| facts.denied_by = Some((ERIN, Some("still on call")))),
        Sample::new("cancelled", Outcome::Closed(Closed::Cancelled)),
        Sample::new("expired", Outcome::Closed(Closed::Expired)),
        Sample::new("expired before confirmation", Outcome::Closed(Closed::Expired))
            .facts(|facts| facts.is_unconfirmed = true),
        Sample::new("in progress", Outcome::InProgress),
    ]
}

fn refused() -> Vec<Sample> {
    let denied = |policies: &[&str]| {
        let policies = policies.iter().map(|policy| (*policy).to_owned()).collect();
        Outcome::Denied(Denied::Removal(Denial::by(policies)))
    };
    let refused = |name, message| Sample::new(name, Outcome::Refused(message)).of_no_account().policies(&[]);
    let not_readers = |name, denied| Sample::new(name, Outcome::Denied(denied)).policies(&[]);
    vec![
        Sample::new("no policy permits", denied(&[])).policies(&[]),
        Sample::new("policy forbids", denied(&["frozen"])).policies(&["frozen"]),
        Sample::new("policies forbid", denied(&["frozen", "night"])).policies(&["frozen", "night"]),
        Sample::new("not evaluated", Outcome::Denied(Denied::Removal(Denial::NotEvaluated))).policies(&[]),
        refused("system account", Message::new(&catalog::ACCOUNT_RESERVED).quoting("name", "root")),
        refused("protected", Message::new(&catalog::ACCOUNT_PROTECTED).quoting("name", "alice")),
        refused("not understood", Message::new(&catalog::COMMAND_MALFORMED)),
        refused("account name", Message::new(&catalog::USER_NAME_INVALID).quoting("given", "Alice; drop")),
        refused("instance", Message::new(&catalog::INSTANCE_UNKNOWN).quoting("given", "analytcs")),
        refused("nothing waits", Message::new(&catalog::PENDING_UNKNOWN).quoting("id", REFERENCE)),
        not_readers("own request", Denied::OwnRequest),
        not_readers("not the requester", Denied::NotRequester),
        not_readers("not an approver", Denied::Approval(Denial::NotPermitted)),
        not_readers("may not view", Denied::Audit(Denial::Forbidden(vec!["private".into()]))),
        not_readers("configuration changed", Denied::ConfigurationChanged),
        refused(
            "a field",
            Message::new(&catalog::FIELD_INVALID)
                .with("name", Argument::Quoted("payload".into()))
                .quoting("given", "view_submission")
                .with(
                    "expected",
                    Argument::Localized(Localized { en: "a button of this gateway", zh: "本网关的按钮" }),
                ),
        ),
    ]
}

fn by_taurusdb() -> Vec<Sample> {
    let answer = |status: u16, code: &str, message: &str| UpstreamAnswer {
        status: StatusCode::from_u16(status).unwrap(),
        code: code.into(),
        message: message.into(),
    };
    let busy = || {
        let answer = answer(409, "DBS.200011", "Another operation is being performed on the instance.");
        Outcome::NotRemoved(NotRemoved::TurnedAway(answer))
    };
    let is_busy = |sample: Sample| {
        sample.meaning(
            "another operation is running on the instance; try again in a few minutes",
            "实例正在执行其他操作；请几分钟后重试",
        )
    };
    let refused = |code, message| Outcome::RefusedUpstream(UpstreamRefusal::Documented(answer(400, code, message)));
    vec![
        Sample::new("was not there", Outcome::AlreadyGone(answer(400, "DBS.200824", "The account does not exist."))),
        is_busy(Sample::new("busy", busy())),
        is_busy(Sample { retry_after: Some(30), ..Sample::new("busy for 30 seconds", busy()) }),
        Sample::new(
            "turned away with an unknown code",
            Outcome::NotRemoved(NotRemoved::TurnedAway(answer(503, "DBS.1", "Try later"))),
        ),
        Sample::new("still there", Outcome::NotRemoved(NotRemoved::StillListed)),
        Sample::new("not reached", Outcome::NotSent(NotSent::NotReached)),
        Sample::new("no token", Outcome::NotSent(NotSent::TokenUnavailable)),
        Sample::new("ledger down", Outcome::NotSent(NotSent::LedgerDown)),
        Sample::new("no credentials", Outcome::NotSent(NotSent::CredentialsUnset)),
        Sample::new("refused by TaurusDB", refused("DBS.280404", "Parameter error."))
            .meaning("the configured instance ID is wrong; ask the operator", "配置的实例ID有误；请联系管理员"),
        Sample::new(
            "refused with an unknown code",
            refused("DBS.1", "<!channel> *no* `x`\n[y](https://evil.example) @all"),
        ),
        Sample::new(
            "refused in an undocumented form",
            Outcome::RefusedUpstream(UpstreamRefusal::Undocumented(StatusCode::NOT_FOUND)),
        ),
        Sample::new("unknown", Outcome::Unknown(Unknown::FirstByteTimedOut)),
    ]
}

fn dry_runs() -> Vec<Sample> {
    let found = |decision, account| Outcome::DryRun(DryRun { decision, account, policies: Vec::new() });
    vec![
        Sample::new("dry run: at once", found(DryRunDecision::Remove, AccountPresence::Present)),
        Sample::new("dry run: approval", found(DryRunDecision::RequestApproval, AccountPresence::Absent)),
        Sample::new("dry run: two approvals", found(DryRunDecision::RequestApproval, AccountPresence::Unknown))
            .facts(|facts| facts.required = 2),
        Sample::new("dry run: denied", found(DryRunDecision::Deny, AccountPresence::NotChecked)).policies(&[]),
    ]
}

/// Early answers, by name.
fn acknowledgements(kind: &str, language: Language) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, account, follows) in [
        ("received, the result follows", Some(("alice", "warehouse")), true),
        ("received, the result is to be asked for", Some(("alice", "warehouse")), false),
        ("received, without an account", None, false),
    ] {
        let early = Acknowledgement { language, account, row: ROW, follows, clicked: None };
        all.extend(callers::kind(kind).unwrap().acknowledge().map(|render| (name.to_owned(), render(&early).body)));
    }
    all
}

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

/// One line a message: its name, the language, and the body.
fn lines(kind: &str) -> String {
    let mut lines = String::new();
    for language in LANGUAGES {
        let answers = samples().into_iter().map(|sample| (sample.name.to_owned(), sample.rendered(kind, language)));
        for (name, body) in answers.chain(acknowledgements(kind, language)) {
            writeln!(lines, "{name}\t{}\t{body}", language.as_str()).unwrap();
        }
    }
    lines
}

/// The plain text, and that of a WeCom bot, which has markup, to be read.
fn plain() -> String {
    let mut text = String::new();
    let body = |kind: &str, body: &str, pointer: &str| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{kind}: {body}"));
        body.pointer(pointer).and_then(serde_json::Value::as_str).unwrap().to_owned()
    };
    for language in LANGUAGES {
        for sample in samples() {
            let plain = body("dingtalk", &sample.rendered("dingtalk", language), "/text/content");
            let markdown = body("wecom", &sample.rendered("wecom", language), "/of_bot");
            writeln!(text, "--- {}, {}\n{plain}\n\n{markdown}\n", sample.name, language.as_str()).unwrap();
        }
    }
    text
}

#[test]
fn every_message_in_every_form() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/messages");
    let files = FORMS.map(|kind| (format!("{kind}.tsv"), lines(kind)));
    for (name, made) in files.into_iter().chain([("plain.txt".to_owned(), plain())]) {
        let path = folder.join(&name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        for (kept, made) in kept.lines().zip(made.lines()) {
            assert_eq!(kept, made, "{name}");
        }
        assert_eq!(kept.len(), made.len(), "{name}");
    }
}

/// The text of `messages.md`, 3.4, to the letter.
#[test]
fn the_card_as_plain_text() {
    let card = samples().into_iter().find(|sample| sample.name == "approve").unwrap();
    let text = |language| {
        let body: serde_json::Value = serde_json::from_str(&card.rendered("dingtalk", language)).unwrap();
        body["text"]["content"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        text(Language::English),
        "⏳ Approval needed: remove alice from warehouse\n\
         Environment: production\n\
         Requested by: dana (slack/U2CERLKJA), 2026-06-01 10:00 +08:00\n\
         Reason: left the company\n\
         Policy: dba-asks-on-production\n\
         Approvals: 0 of 1, before 2026-06-02 10:00 +08:00\n\
         Nothing has been removed. Write: approve K7Q2M9XA, or: deny K7Q2M9XA REASON\n\
         Removal 01a20cdd732b69ed97f48586a60db1dd · OFFBOARD.40904"
    );
    assert_eq!(
        text(Language::Chinese),
        "⏳ 请审批：从warehouse删除账号alice\n\
         环境：production\n\
         申请人：dana（slack/U2CERLKJA），2026-06-01 10:00 +08:00\n\
         申请原因：left the company\n\
         策略：dba-asks-on-production\n\
         审批进度：0/1，截止2026-06-02 10:00 +08:00\n\
         尚未删除。请输入：approve K7Q2M9XA，或：deny K7Q2M9XA 原因\n\
         记录 01a20cdd732b69ed97f48586a60db1dd · OFFBOARD.40904"
    );
}

/// A message that is too long loses the end of its reason first, and never its title, requester, reference or next step.
#[test]
fn a_long_message_is_cut_in_order() {
    const REASON: &str = concat!(
        "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
        "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
        "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
        "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
    );
    let card = || samples().into_iter().find(|sample| sample.name == "approve").unwrap();
    let long = card().facts(|facts| facts.reason = Some(REASON));
    // Slack writes `&` in five characters, and a field has 2000.
    let slack = long.rendered("slack", Language::English);
    assert!(slack.contains(&format!("{}…", "&amp;".repeat(99))) && !slack.contains(&"&amp;".repeat(100)), "{slack}");
    for kept in ["Approval needed", "U2CERLKJA", REFERENCE, "dba-asks-on-production", ROW] {
        assert!(slack.contains(kept), "{kept}: {slack}");
    }
    // A field of Discord's has 1024 characters, which is enough for every reason.
    let discord = long.rendered("discord", Language::English);
    assert!(discord.contains(REASON), "{discord}");

    const MANY: [&str; 40] = ["a-policy-with-the-longest-name-that-a-policy-can-have-is-this-64"; 40];
    let many = card().policies(&MANY).rendered("slack", Language::English);
    assert!(!many.contains("a-policy") && !many.contains(ROW) && many.contains(REFERENCE), "{many}");
}

//! Every sample page, by the name of its file: one for each state of a page that looks different.

use starrocks_offboard::console::pages::accounts::{self, AccountRow, Accounts, Action, Before, Source};
use starrocks_offboard::console::pages::ask::{
    self, AccountChoice, AccountChoices, Ask, Checked, Finding, InstanceChoice,
};
use starrocks_offboard::console::pages::ask::{Sendable, Verdict};
use starrocks_offboard::console::pages::error::{self, Denied, Failure, FailureKind};
use starrocks_offboard::console::pages::frame::{Frame, Navigation};
use starrocks_offboard::console::pages::policy::{self, Answer, Evaluated, Part, Policy, PolicyText, Question, Role};
use starrocks_offboard::console::pages::removal::{self, Removal};
use starrocks_offboard::console::pages::removals::{self, Filter, RemovalSummary, Removals, UnknownRemoval};
use starrocks_offboard::console::pages::signin::{self, Over, SignIn, Why};
use starrocks_offboard::console::pages::waiting::{self, LastDecision, LastOwn, PendingRequest, Waiting};
use starrocks_offboard::console::view::{Act, Approvers, FieldError, Person, RemovalLink, Requester, Standing, Vote};
use starrocks_offboard::outcome::state::State;

use crate::samples::{Samples, at};

/// Returns every page, with the name of its file.
pub(crate) fn all(s: &Samples<'_>) -> Vec<(&'static str, String)> {
    [waiting(s), ask(s), removals(s), removal(s), accounts(s), policy(s), signin(s), error(s)].concat()
}

type Pages = Vec<(&'static str, String)>;

fn pending(s: &Samples<'_>, reference: &str, asked_at: i64) -> PendingRequest {
    PendingRequest {
        id: s.t("01a20d3f5c1e4b7a9e60c2d8f4b91a37"),
        reference: s.t(reference),
        needs_confirmation: false,
        account: s.account("mlee", "warehouse"),
        requester: s.requester("Priya", "slack"),
        reason: Some(s.say("Left the company, HR-20931", "已离职，HR-20931")),
        owner: Some(s.leaver("mei.lee@example.com", "20")),
        asked_at,
        expires_at: asked_at + 86_400_000,
        approvals: vec![s.vote("Marek", "13:58:00", None)],
        required: 2,
        approvers: Some(s.approvers(&["Ines", "Tomas"])),
        policies: s.list(&["dba-asks-on-production"]),
        forbidden_by: Vec::new(),
        token: s.t("s4.K7Q2M9XA"),
    }
}

fn decisions(s: &Samples<'_>) -> Vec<PendingRequest> {
    let first = pending(s, "K7Q2M9XA", at("13:46:02"));
    let second = PendingRequest {
        account: s.account("svc_report", "reporting"),
        requester: s.requester("Tomas", "api"),
        reason: Some(s.say("Replaced by svc_report_v2, DATA-1187", "已由svc_report_v2取代，DATA-1187")),
        owner: Some(s.owner(Standing::Ownerless, &[])),
        approvals: Vec::new(),
        approvers: Some(s.approvers(&["Ines", "Marek", "Priya"])),
        ..pending(s, "QX4T8WBN", at("11:20:48"))
    };
    let people = [("patricia.lee@example.com", true, Some("22 09:00:00")), ("peter.lee@example.com", false, None)];
    let third = PendingRequest {
        account: s.account("plee", "analytics"),
        requester: Requester { caused_by: Some(s.person("Priya")), ..s.system("okta", "scim") },
        reason: None,
        owner: Some(s.owner(Standing::Contested, &people)),
        approvals: Vec::new(),
        required: 1,
        approvers: Some(Approvers {
            teams: s.list(&["dba"]),
            ..s.approvers(&["Ines", "Marek", "Priya", "Tomas", "Wei", "Zoë"])
        }),
        policies: s.list(&["leavers-on-staging", "systems-ask"]),
        ..pending(s, "M3HV9RKD", at("23 18:40:10"))
    };
    vec![first, second, third]
}

fn own(s: &Samples<'_>) -> Vec<PendingRequest> {
    let to_confirm = PendingRequest {
        needs_confirmation: true,
        account: s.account("jtan", "analytics"),
        requester: s.requester("Dana", "slack"),
        reason: Some(s.say("Contract ended, HR-20940", "合同到期，HR-20940")),
        expires_at: at("14:36:12"),
        approvals: Vec::new(),
        required: 0,
        policies: s.list(&["dba-removes-on-staging"]),
        ..pending(s, "DDNXT7VX", at("14:31:12"))
    };
    let approved = PendingRequest {
        account: s.account("ahassan", "warehouse"),
        requester: s.requester("Dana", "console"),
        approvals: vec![s.vote("Ines", "11:05:00", None)],
        approvers: Some(Approvers { has_reader: false, ..s.approvers(&["Marek", "Priya", "Tomas"]) }),
        ..pending(s, "Z5C8PRQE", at("10:52:30"))
    };
    vec![to_confirm, approved]
}

fn last_decisions(s: &Samples<'_>) -> Vec<LastDecision> {
    let decision = |user_name: &str, vote: Vote, state| LastDecision {
        id: s.t("01a20cdd732b69ed97f48586a60db1dd"),
        account: s.account(user_name, "warehouse"),
        requester: s.requester("Priya", "slack"),
        vote,
        state,
    };
    vec![
        decision("kchen", s.vote("Dana", "14:28:00", None), State::Removed),
        decision("bwong", s.vote("Dana", "23 11:15:00", None), State::Removed),
        decision(
            "svc_sync",
            s.denial("Dana", "18 16:41:00", Some(("nightly job still uses it", "夜间任务仍在使用"))),
            State::Rejected,
        ),
    ]
}

fn waiting(s: &Samples<'_>) -> Pages {
    let view = Waiting { decisions: decisions(s), own: own(s), ..Waiting::default() };
    let done = s.done(Act::Approve, State::Removed);
    let last_own = LastOwn {
        id: s.t("01a20cdd732b69ed97f48586a60db1dd"),
        account: s.account("jtan", "analytics"),
        state: State::Removed,
        ended_at: at("14:32:00"),
    };
    let empty = Waiting {
        last_decisions: last_decisions(s),
        last_own: Some(last_own),
        told_in: s.list(&["#dba-approvals"]),
        ..Waiting::default()
    };
    let forbidden =
        |request: PendingRequest| PendingRequest { forbidden_by: s.list(&["production-in-working-hours"]), ..request };
    let unfinished =
        PendingRequest { required: 4, reason: None, approvers: None, ..pending(s, "AAAAAAAA", at("09:00:00")) };
    let odd = Waiting {
        decisions: decisions(s).into_iter().map(forbidden).chain([unfinished]).collect(),
        own: own(s)
            .into_iter()
            .map(|request| PendingRequest { reason: None, required: 3, ..request })
            .chain(own(s).into_iter().take(1).map(forbidden))
            .enumerate()
            .map(|(nth, request)| PendingRequest { reference: s.t(&format!("BBBBBBB{nth}")), ..request })
            .collect(),
        next: Some(s.t("01a20cdd732b69ed97f48586a60db1dd")),
        ..Waiting::default()
    };
    let faster = starrocks_offboard::console::view::Done {
        faster: Some(s.person("Marek")),
        ..s.done(Act::Approve, State::Removed)
    };
    let nothing = Frame { waiting: 0, ..s.frame(None) };
    vec![
        ("waiting", waiting::page(&s.frame(Some(done)), &view)),
        ("waiting-empty", waiting::page(&nothing, &empty)),
        ("waiting-forbidden", waiting::page(&s.frame(Some(faster)), &odd)),
    ]
}

fn choices(s: &Samples<'_>) -> AccountChoices {
    let choice = |user_name: &str, owner| AccountChoice { user_name: s.t(user_name), owner, protected_by: None };
    let shown = vec![
        choice("rkumar", Some(s.leaver("ravi.kumar@example.com", "21"))),
        choice("rkumar_ro", Some(s.leaver("ravi.kumar@example.com", "21"))),
        choice("mkumar", Some(s.owner(Standing::OwnerActive, &[("meera.kumar@example.com", false, None)]))),
        AccountChoice { protected_by: Some(s.t("etl_*")), ..choice("etl_kumar_import", None) },
    ];
    AccountChoices { place: s.place("warehouse"), shown: Some(shown), total: Some(148) }
}

fn form(s: &Samples<'_>) -> Ask {
    let instance = |name: &str, accounts| InstanceChoice { place: s.place(name), accounts };
    Ask {
        instances: vec![instance("warehouse", Some(148)), instance("reporting", Some(1)), instance("analytics", None)],
        accounts: Some(choices(s)),
        search: s.t("kumar"),
        user_name: s.t("rkumar"),
        reason: s.say("Left the company, HR-20958", "已离职，HR-20958"),
        token: s.t("s4.ask"),
        error: None,
        checked: None,
    }
}

fn ask(s: &Samples<'_>) -> Pages {
    let approvers = Approvers { has_reader: false, ..s.approvers(&["Ines", "Marek", "Priya", "Tomas"]) };
    let sendable = Sendable {
        missing: 2,
        approvers: approvers.clone(),
        until: Some(at("25 14:32:08")),
        reason: Some(s.say("Left the company, HR-20958", "已离职，HR-20958")),
        policies: s.list(&["dba-asks-on-production"]),
        token: s.t("s4.ask.rkumar"),
    };
    let checked = Checked {
        at: at("14:32:08"),
        account: s.account("rkumar", "warehouse"),
        verdict: Verdict::Sendable(sendable.clone()),
        findings: vec![
            Finding::OnTheList,
            Finding::Owner(s.leaver("ravi.kumar@example.com", "21")),
            Finding::MayAsk(s.list(&["dba-asks-on-production"])),
            Finding::MayNotRemoveAtOnce,
            Finding::ForbiddenAtTimes(s.list(&["production-in-working-hours"])),
            Finding::Missing(2, approvers.clone()),
        ],
    };
    let policies = s.list(&["dba-removes-on-staging"]);
    let at_once = Sendable { missing: 0, reason: None, until: None, policies, ..sendable };
    let removed = Checked {
        account: s.account("jtan", "analytics"),
        verdict: Verdict::Sendable(at_once),
        findings: vec![
            Finding::ListUnreadable,
            Finding::Owner(s.owner(Standing::OwnerActive, &[("j.tan@example.com", false, None)])),
            Finding::MayRemove(s.list(&["dba-removes-on-staging"])),
        ],
        ..checked.clone()
    };
    let refused = Checked {
        verdict: Verdict::No,
        findings: vec![
            Finding::NotOnTheList,
            Finding::Owner(s.owner(Standing::Ownerless, &[])),
            Finding::MayNotAsk,
            Finding::Forbidden(s.list(&["production-in-working-hours"])),
            Finding::Protected(s.t("etl_*")),
            Finding::AlreadyWaits(s.t("K7Q2M9XA")),
            Finding::Missing(1, Approvers::default()),
        ],
        ..checked.clone()
    };
    let error = |field: &str, message: String| Some(FieldError { field: field.to_owned(), message });
    let wrong = error("reason", s.say("a reason has at most 500 characters", "申请原因最多500个字符"));
    let unreadable = AccountChoices { shown: None, ..choices(s) };
    let none = AccountChoices { shown: Some(Vec::new()), ..choices(s) };
    let page = |view: Ask| ask::page(&s.frame(None), &view);
    vec![
        ("ask", page(Ask { checked: Some(checked), ..form(s) })),
        ("ask-first", page(Ask { accounts: None, ..form(s) })),
        ("ask-at-once", page(Ask { checked: Some(removed), ..form(s) })),
        ("ask-refused", page(Ask { checked: Some(refused), ..form(s) })),
        ("ask-wrong", page(Ask { error: wrong, ..form(s) })),
        ("ask-nowhere", page(Ask { instances: Vec::new(), accounts: None, ..form(s) })),
        ("ask-unreadable", page(Ask { accounts: Some(unreadable), ..form(s) })),
        ("ask-none", page(Ask { accounts: Some(none), search: s.t("x"), ..form(s) })),
    ]
}

fn row(s: &Samples<'_>, user_name: &str, state: State, asked_at: &str) -> RemovalSummary {
    RemovalSummary {
        id: s.t("01a20cdd732b69ed97f48586a60db1dd"),
        account: Some(s.account(user_name, "warehouse")),
        state,
        requester: Some(s.requester("Priya", "slack")),
        policies: s.list(&["dba-asks-on-production"]),
        votes: Vec::new(),
        required: 0,
        protected_by: None,
        asked_at: at(asked_at),
        ended_at: None,
    }
}

pub(crate) fn rows(s: &Samples<'_>) -> Vec<RemovalSummary> {
    let approvals = || vec![s.vote("Marek", "13:58:00", None), s.vote("Dana", "14:28:00", None)];
    let denied = || vec![s.denial("Ines", "09:37:00", Some(("on call until Friday", "周五前值班")))];
    let system = |row: RemovalSummary| RemovalSummary { requester: Some(s.system("hr", "standard-webhooks")), ..row };
    let ended = |row: RemovalSummary, millis| RemovalSummary { ended_at: Some(row.asked_at + millis), ..row };
    let waits = |row: RemovalSummary| RemovalSummary { required: 2, ..row };
    vec![
        row(s, "jtan", State::AwaitingConfirmation, "14:31:12"),
        ended(row(s, "ci_runner_7", State::Removed, "14:20:05"), 432),
        RemovalSummary {
            votes: vec![s.vote("Marek", "13:58:00", None)],
            ..waits(row(s, "mlee", State::AwaitingApproval, "13:46:02"))
        },
        ended(RemovalSummary { votes: approvals(), ..row(s, "kchen", State::Removed, "13:02:33") }, 86 * 60_000),
        ended(RemovalSummary { votes: approvals(), ..row(s, "old_bi", State::Unknown, "12:48:19") }, 41 * 60_000),
        waits(row(s, "svc_report", State::AwaitingApproval, "11:20:48")),
        ended(system(RemovalSummary { votes: denied(), ..row(s, "lmeyer", State::Rejected, "09:15:00") }), 22 * 60_000),
        row(s, "rossi", State::Denied, "23 21:07:44"),
        RemovalSummary {
            protected_by: Some(s.t("etl_*")),
            policies: Vec::new(),
            ..row(s, "etl_loader", State::Refused, "23 16:02:51")
        },
        RemovalSummary {
            account: None,
            requester: None,
            policies: Vec::new(),
            ..row(s, "x", State::Refused, "23 12:00:00")
        },
        ended(row(s, "test_2019", State::AlreadyGone, "20 17:31:09"), 310),
        ended(
            waits(RemovalSummary { votes: approvals(), ..row(s, "dkim", State::Expired, "20 15:12:40") }),
            86_400_000,
        ),
        ended(row(s, "a1", State::NotSent, "20 15:12:39"), 1_000),
        ended(row(s, "a2", State::NotRemoved, "20 15:12:38"), 15_000),
        ended(row(s, "a3", State::RefusedUpstream, "20 15:12:37"), 2_000),
        ended(row(s, "a4", State::Cancelled, "20 15:12:36"), 3_600_000),
        ended(row(s, "a5", State::DryRun, "20 15:12:35"), 20),
        row(s, "a6", State::InFlight, "20 15:12:34"),
    ]
}

fn removals(s: &Samples<'_>) -> Pages {
    let view = Removals {
        rows: rows(s),
        filter: Filter { since: s.t("2026-11-20"), ..Filter::default() },
        instances: s.list(&["warehouse", "reporting", "analytics"]),
        statistics: Some(s.statistics()),
        unknown: vec![UnknownRemoval {
            id: s.t("01a20cdd732b69ed97f48586a60db1dd"),
            account: s.account("old_bi", "reporting"),
            at: at("13:29:19"),
        }],
        cursor: None,
        next: Some(s.t("01a20cdd732b69ed97f48586a60db1dd")),
        error: None,
    };
    let none = Removals {
        rows: Vec::new(),
        filter: Filter {
            user_name: s.t("carol"),
            instance: s.t("old"),
            state: Some(State::Expired),
            actor: s.t("hr"),
            since: s.t("2026-11-20"),
            until: s.t("2026-11-21"),
        },
        statistics: None,
        unknown: Vec::new(),
        cursor: Some(s.t("01a20cdd732b69ed97f48586a60db1dd")),
        next: None,
        error: Some(FieldError {
            field: "since".into(),
            message: s.say("`since` is not a day", "`since` 不是有效日期"),
        }),
        ..view.clone()
    };
    let second = Removals { cursor: Some(s.t("c1")), statistics: Some(Default::default()), ..view.clone() };
    vec![
        ("removals", removals::page(&s.frame(None), &view)),
        ("removals-none", removals::page(&s.frame(None), &none)),
        ("removals-second", removals::page(&s.frame(None), &second)),
    ]
}

fn record(s: &Samples<'_>) -> Removal {
    Removal {
        id: s.t("01a20cdd732b69ed97f48586a60db1dd"),
        reference: Some(s.t("T8WQ4RXM")),
        account: Some(s.account("bwong", "warehouse")),
        state: State::Removed,
        requester: Some(s.requester("Priya", "slack")),
        owner: Some(s.leaver("ben.wong@example.com", "20")),
        reason: Some(s.say("Left the company, HR-20877", "已离职，HR-20877")),
        asked_at: at("23 10:04:11"),
        expires_at: Some(at("24 10:04:38")),
        ended_at: Some(at("23 11:15:00")),
        policies: s.list(&["dba-asks-on-production", "dba-approves"]),
        policy_set: Some(s.digest()),
        votes: vec![
            s.vote("Marek", "23 10:31:20", Some(("Checked the ticket.", "已核对工单。"))),
            s.vote("Dana", "23 11:02:16", None),
        ],
        required: 2,
        attempts: 2,
        code: None,
        message: Some(s.say(
            "removed: no usable answer came back, and the account list does not have the account any more",
            "已删除：没有可用的应答，账号列表中已没有该账号",
        )),
        request_id: Some(s.t("0af7651916cd43dd8448eb211c80319c")),
        is_from_account_list: true,
        raw: s.t("{\n  \"id\": \"01a20cdd732b69ed97f48586a60db1dd\",\n  \"state\": \"removed\"\n}"),
        waits_for_reader: false,
    }
}

fn removal(s: &Samples<'_>) -> Pages {
    let waits = Removal {
        state: State::AwaitingApproval,
        ended_at: None,
        expires_at: Some(at("25 10:04:38")),
        votes: record(s).votes.into_iter().take(1).collect(),
        attempts: 0,
        message: None,
        request_id: None,
        is_from_account_list: false,
        waits_for_reader: true,
        ..record(s)
    };
    let denied = Removal {
        state: State::Rejected,
        requester: Some(Requester { caused_by: Some(s.person("Tomas")), ..s.system("hr", "standard-webhooks") }),
        reason: None,
        ended_at: Some(at("24 10:31:20")),
        votes: vec![s.denial("Ines", "24 10:31:20", None)],
        required: 1,
        attempts: 0,
        code: Some(s.t("OFFBOARD.40305")),
        message: Some(s.say("Ines denied the request; no removal was sent", "Ines驳回了申请，未发送删除请求")),
        is_from_account_list: false,
        ..record(s)
    };
    let refused = Removal {
        reference: None,
        account: None,
        state: State::Refused,
        requester: None,
        owner: None,
        reason: None,
        expires_at: None,
        policies: Vec::new(),
        votes: Vec::new(),
        required: 0,
        attempts: 0,
        code: Some(s.t("OFFBOARD.40105")),
        message: None,
        request_id: None,
        is_from_account_list: false,
        ..record(s)
    };
    let frame = s.frame(None);
    vec![
        ("removal", removal::page(&frame, &record(s))),
        ("removal-waits", removal::page(&frame, &waits)),
        ("removal-denied", removal::page(&frame, &denied)),
        ("removal-refused", removal::page(&frame, &refused)),
    ]
}

fn account_rows(s: &Samples<'_>) -> Vec<AccountRow> {
    let scim = || vec![Source::Scim(s.t("okta"))];
    let link = |time: &str| RemovalLink { id: s.t("01a20cdd732b69ed97f48586a60db1dd"), at: at(time) };
    let row = |user_name: &str, owner, sources, before, action| AccountRow {
        user_name: s.t(user_name),
        owner,
        sources,
        before,
        action,
    };
    let came_back = s.owner(Standing::CameBack, &[("tam.nguyen@example.com", true, Some("06 09:00:00"))]);
    let lees = [("patricia.lee@example.com", true, None), ("peter.lee@example.com", false, None)];
    let reason = s.say("handover until 30 Nov", "交接至11月30日");
    let denied = Before::Denied(link("09 10:00:00"), s.person("Ines"), Some(reason));
    let protected = || s.owner(Standing::Protected, &[]);
    let pattern = vec![Source::Pattern(s.t("etl_*"))];
    let refused = Some(Before::Refused(link("23 16:02:51")));
    let both = vec![Source::Scim(s.t("okta")), Source::Map];
    let dana = s.owner(Standing::OwnerActive, &[("Dana", false, None)]);
    vec![
        row("tnguyen", came_back, scim(), Some(Before::Removed(link("12 10:00:00"))), Action::Ask),
        row("ahassan", s.leaver("amir.hassan@example.com", "16"), scim(), None, Action::Waits(s.t("01a2"))),
        row("rkumar_ro", s.leaver("ravi.kumar@example.com", "21"), both, None, Action::Ask),
        row("sbauer", s.leaver("silke.bauer@example.com", "02"), scim(), Some(denied), Action::Ask),
        row("bi_export", s.owner(Standing::Ownerless, &[]), Vec::new(), None, Action::Ask),
        row("plee", s.owner(Standing::Contested, &lees), scim(), None, Action::Nothing),
        row("etl_loader", protected(), pattern, refused, Action::Never),
        row("rdsAdmin", protected(), vec![Source::BuiltIn], None, Action::Never),
        row("dana", dana, vec![Source::Configured], None, Action::Ask),
    ]
}

fn accounts(s: &Samples<'_>) -> Pages {
    let view = Accounts {
        instances: s.list(&["warehouse", "reporting", "analytics"]),
        place: s.place("warehouse"),
        read_at: Some(at("14:32:00")),
        sources: vec![Source::Configured, Source::Scim(s.t("okta"))],
        counts: [1, 6, 2, 1, 5, 133],
        standing: None,
        search: String::new(),
        rows: account_rows(s),
        cursor: None,
        next: Some(s.t("100")),
    };
    let unreadable = Accounts {
        read_at: None,
        standing: Some(Standing::OwnerLeft),
        search: s.t("kumar"),
        rows: Vec::new(),
        cursor: Some(s.t("100")),
        next: None,
        ..view.clone()
    };
    vec![
        ("accounts", accounts::page(&s.frame(None), &view)),
        ("accounts-unreadable", accounts::page(&s.frame(None), &unreadable)),
    ]
}

const WORKING_HOURS: &str = "@id(\"production-in-working-hours\")\nforbid (\n    principal,\n    action in [Action::\"delete\", Action::\"request\"],\n    resource in Environment::\"production\"\n) unless {\n    context.hour >= 8 && context.hour < 18 && ![\"saturday\", \"sunday\"].contains(context.weekday)\n};";
const ASKS: &str = "@id(\"dba-asks-on-production\")\npermit (\n    principal in Team::\"dba\",\n    action == Action::\"request\",\n    resource in Environment::\"production\"\n);";

fn policies(s: &Samples<'_>) -> Policy {
    let forbid = PolicyText {
        id: s.t("production-in-working-hours"),
        is_permit: false,
        text: s.t(WORKING_HOURS),
        principal: None,
        actions: s.list(&["delete", "request"]),
        resource: Some(s.t("Environment::\"production\"")),
        has_conditions: true,
    };
    let permit = PolicyText {
        id: s.t("dba-asks-on-production"),
        is_permit: true,
        text: s.t(ASKS),
        principal: Some(s.t("Team::\"dba\"")),
        actions: Vec::new(),
        resource: None,
        has_conditions: false,
    };
    Policy {
        digest: s.digest(),
        since: Some(at("19 09:12:00")),
        files: s.list(&["policy.cedar", "schema.cedarschema", "prepared.json"]),
        is_prepared: Some(true),
        policies: vec![forbid, permit],
        instances: s.list(&["warehouse", "reporting", "analytics"]),
        question: Question::default(),
        error: None,
        answer: None,
    }
}

fn answer(s: &Samples<'_>) -> Answer {
    let evaluated = |id: &str, is_permit, text: &str, role| Evaluated { id: s.t(id), is_permit, text: s.t(text), role };
    let why = s.t("integer overflow");
    let delete = vec![
        evaluated("production-in-working-hours", false, WORKING_HOURS, Role::Decided),
        evaluated("brake-twenty-an-hour", false, "forbid (principal, action, resource);", Role::AlmostApplies),
        evaluated("own-account", true, "permit (principal, action, resource);", Role::AlmostApplies),
        evaluated("fails", false, "forbid (principal, action, resource);", Role::Failed(why)),
    ];
    let request = vec![
        evaluated("production-in-working-hours", false, WORKING_HOURS, Role::Decided),
        evaluated("dba-asks-on-production", true, ASKS, Role::Overridden),
    ];
    Answer {
        verdict: policy::Verdict::Forbidden(
            s.list(&["production-in-working-hours"]),
            s.list(&["dba-asks-on-production"]),
        ),
        who: Person { name: Some(s.t("Dana")), principal: s.t("slack/U2CERLKJA") },
        kind: s.t("slack"),
        teams: s.list(&["dba"]),
        accounts: Vec::new(),
        account: s.account("rkumar", "warehouse"),
        at: at("20:00:00"),
        context: vec![(s.t("confirmed"), s.t("true")), (s.t("removals_last_hour"), s.t("0"))],
        parts: vec![
            Part { action: s.t("delete"), allowed: false, policies: delete },
            Part { action: s.t("request"), allowed: false, policies: request },
        ],
    }
}

fn policy(s: &Samples<'_>) -> Pages {
    let question = Question {
        principal: s.t("slack/U2CERLKJA"),
        instance: s.t("warehouse"),
        user_name: s.t("rkumar"),
        action: String::new(),
        at: s.t("2026-11-24T20:00"),
        reason: s.t("Left the company, HR-20958"),
        removals_last_hour: s.t("0"),
        instance_removals_last_hour: s.t("1"),
        confirmed: true,
        dry_run: false,
    };
    let explained = Policy { question, answer: Some(answer(s)), ..policies(s) };
    let wrong = Policy {
        is_prepared: Some(false),
        error: Some(FieldError {
            field: "as".into(),
            message: s.say("caller `x` is not configured", "未配置调用方 `x`"),
        }),
        ..policies(s)
    };
    vec![
        ("policy", policy::page(&s.frame(None), &policies(s))),
        ("policy-explained", policy::page(&s.frame(None), &explained)),
        ("policy-wrong", policy::page(&s.frame(None), &wrong)),
    ]
}

fn signin(s: &Samples<'_>) -> Pages {
    let page = |why| {
        signin::page(&SignIn {
            locale: s.locale(),
            other_language: s.t("/console/signin?language=zh-cn"),
            provider: Some(s.t("login.example.com")),
            begin: s.t("/console/signin/begin"),
            hours: 8,
            version: s.t("0.1.0"),
            why,
        })
    };
    let lost = (Act::Approve, Some(s.t("K7Q2M9XA")), Some(s.account("mlee", "warehouse")));
    vec![
        ("signin", page(Why::New)),
        ("signin-out", page(Why::SignedOut)),
        ("signin-over", page(Why::Over(Over { ended_at: Some(at("14:30:00")), lost: Some(lost) }))),
        (
            "signin-failed",
            page(Why::Failed(s.say("The identity provider refused the code.", "身份提供方拒绝了授权码。"))),
        ),
    ]
}

fn error(s: &Samples<'_>) -> Pages {
    let frame = Frame { permitted: Navigation { ask: true, ..Navigation::default() }, waiting: 0, ..s.frame(None) };
    let failure = |kind, code: &str, message: String| Failure {
        kind,
        message,
        code: s.t(code),
        request: s.t("01a20d3f5c1e4b7a9e60c2d8f4b91a37"),
    };
    let denied = Denied {
        action: s.t("audit"),
        account: Some(s.account("bwong", "warehouse")),
        forbidden_by: Vec::new(),
        teams: s.list(&["dba"]),
    };
    let denied = failure(
        FailureKind::NotPermitted(denied),
        "OFFBOARD.40304",
        s.say("No policy permits you to view this.", "没有策略允许您查看。"),
    );
    let unavailable =
        failure(FailureKind::Unavailable, "OFFBOARD.50301", s.say("The ledger cannot be used.", "无法使用台账。"));
    let stale = failure(FailureKind::Stale, "OFFBOARD.40308", s.say("The request changed.", "申请已变化。"));
    vec![
        ("error-forbidden", error::page(&frame, &denied)),
        ("error-unavailable", error::page(&frame, &unavailable)),
        ("error-stale", error::page_of_stranger(s.locale(), &stale, true)),
    ]
}

//! Listings as messages: the commands, the waiting requests, the state of one removal.

use crate::callers::chat::message::{ChatMessage, Field, Label};
use crate::callers::chat::of_reply::{as_said, named, time};
use crate::callers::chat::text::Text;
use crate::config::Config;
use crate::ledger::row::RemovalRow;
use crate::operations::facts::request_facts;
use crate::outcome::language::{Language, Localized};
use crate::outcome::state::State;
use crate::reply::RequestFacts;

/// The commands, and the instances on which the person may remove accounts or ask for it.
pub(crate) fn help(instances: &[&str], language: Language) -> ChatMessage {
    let shown = instances.len().min(MOST_INSTANCES);
    let more = instances.len().saturating_sub(shown);
    let names = Text::list(instances.iter().take(shown).map(|name| Text::code(*name)), language);
    let where_to = match (shown, more) {
        (0, _) => Localized {
            en: "No policy permits you to remove accounts or to request it on any instance.",
            zh: "没有策略允许您在任何实例上删除账号或申请删除。",
        },
        (_, 0) => Localized { en: "Instances: {names}", zh: "实例：{names}" },
        _ => Localized { en: "Instances: {names} and {more} more", zh: "实例：{names}，另有{more}个" },
    };
    let lines = COMMANDS.into_iter().chain([where_to]);
    let values = [("names", names), ("more", Text::words(more.to_string()))];
    let body = lines.map(|line| Text::fill(line, &values, language)).collect();
    ChatMessage { body, ..ChatMessage::new(language, None, Text::default()) }
}

/// How many instances are named: with more, a message would be longer than platforms show, and the names would go first.
const MOST_INSTANCES: usize = 20;

const COMMANDS: [Localized; 3] = [
    Localized {
        en: "Remove a StarRocks account: `ACCOUNT INSTANCE [REASON]`, for example `alice analytics left the company`. Add `--dry-run` to see what would happen.",
        zh: "删除StarRocks账号：`账号名 实例名 [原因]`，例如 `alice analytics 已离职`。加上 `--dry-run` 仅预检，不删除。",
    },
    Localized {
        en: "Your own requests: `confirm ID` or `cancel ID`. Requests of others: `approve ID` or `deny ID [REASON]`.",
        zh: "自己的申请：`confirm 编号` 或 `cancel 编号`。他人的申请：`approve 编号` 或 `deny 编号 [原因]`。",
    },
    Localized {
        en: "Pending requests: `pending`. A removal and its result: `status ID`.",
        zh: "待处理的申请：`pending`。某次删除及其结果：`status 编号`。",
    },
];

/// The waiting requests, a line each. `last` is the one behind which there are more.
pub(crate) fn pending(rows: &[RemovalRow], last: Option<&str>, config: &Config, language: Language) -> ChatMessage {
    let title = match rows.len() {
        _ if last.is_some() => Localized { en: "Pending requests", zh: "待处理的申请" },
        0 => Localized { en: "No requests are waiting for you.", zh: "没有待您处理的申请。" },
        1 => Localized { en: "1 pending request", zh: "1个待处理的申请" },
        _ => Localized { en: "{n} pending requests", zh: "{n}个待处理的申请" },
    };
    let title = Text::fill(title, &[("n", Text::words(rows.len().to_string()))], language);
    let more = Localized { en: "To see more, write {pending}.", zh: "如需查看更多，请输入 {pending}。" };
    let more = last.map(|last| Text::fill(more, &[("pending", Text::code(format!("pending {last}")))], language));
    let body = rows.iter().map(|row| pending_line(row, config, language)).chain(more).collect();
    ChatMessage { body, ..ChatMessage::new(language, None, title) }
}

/// One waiting request.
fn pending_line(row: &RemovalRow, config: &Config, language: Language) -> Text {
    let facts = facts(row, config);
    let missing = facts.required.saturating_sub(u32::try_from(facts.approvers.len()).unwrap_or(u32::MAX)).max(1);
    let needs = match (row.state, missing) {
        (State::AwaitingConfirmation, _) => Localized { en: "needs your confirmation", zh: "待您确认" },
        (_, 1) => Localized { en: "needs 1 more approval", zh: "还需1人批准" },
        _ => Localized { en: "needs {missing} more approvals", zh: "还需{missing}人批准" },
    };
    let requested = match facts.reason {
        Some(_) => Localized { en: "requested by {requester}: {reason}", zh: "申请人{requester}：{reason}" },
        None => Localized { en: "requested by {requester}", zh: "申请人{requester}" },
    };
    let environment = environment_of(row, config).unwrap_or_default();
    let values = [
        ("reference", Text::code(row.reference.clone().unwrap_or_default())),
        ("account", Text::code(row.user_name.clone().unwrap_or_default())),
        ("instance", Text::code(row.instance.clone().unwrap_or_default())),
        ("environment", Text::code(environment)),
        ("requester", facts.requester.map(|requester| named(requester, language)).unwrap_or_default()),
        ("reason", Text::reason(facts.reason.unwrap_or_default())),
        ("missing", Text::words(missing.to_string())),
        ("until", facts.expires_at.map(time).unwrap_or_default()),
    ];
    let on = Localized {
        en: "{account} on {instance} ({environment})",
        zh: "{instance} 上的 {account}（{environment}）",
    };
    let before = Localized { en: "before {until}", zh: "截止{until}" };
    let parts = [Localized { en: "{reference}", zh: "{reference}" }, on, requested, needs, before];
    let parts = parts.into_iter().map(|part| Text::fill(part, &values, language));
    parts.reduce(|line, part| line.and(Text::words(" · ")).and(part)).unwrap_or_default()
}

/// The state of a removal.
pub(crate) fn status(row: &RemovalRow, config: &Config, language: Language) -> ChatMessage {
    let facts = facts(row, config);
    let values = [
        ("account", Text::code(row.user_name.clone().unwrap_or_default())),
        ("instance", Text::code(row.instance.clone().unwrap_or_default())),
        ("state", Text::words(word(row.state).in_language(language))),
    ];
    let title = match (&row.user_name, &row.instance) {
        (Some(_), Some(_)) => Localized {
            en: "Removal of {account} from {instance}: {state}",
            zh: "从 {instance} 删除账号 {account}：{state}",
        },
        _ => Localized { en: "{state}", zh: "{state}" },
    };
    let given = Text::words(facts.approvers.len().to_string());
    let approvers = Text::list(facts.approvers.iter().map(|approver| named(*approver, language)), language);
    let approvals = [("given", given), ("required", Text::words(facts.required.to_string())), ("who", approvers)];
    let of = Localized { en: "{given} of {required}: {who}", zh: "{given}/{required}：{who}" };
    let fields = [
        (Label::Environment, environment_of(row, config).map(Text::code)),
        (Label::Requester, facts.requester.map(|requester| named(requester, language))),
        (Label::Reason, facts.reason.map(Text::reason)),
        (Label::AskedAt, facts.asked_at.map(time)),
        (Label::Policy, (!row.policies.is_empty()).then(|| Text::list(row.policies.iter().map(Text::code), language))),
        (Label::Approvals, (!facts.approvers.is_empty()).then(|| Text::fill(of, &approvals, language))),
        (Label::Until, facts.expires_at.filter(|_| row.code.is_none()).map(time)),
    ];
    let result = row.message.as_deref().filter(|_| row.state != State::Removed);
    ChatMessage {
        fields: fields.into_iter().filter_map(|(label, value)| Some(Field { label, value: value? })).collect(),
        body: result.map(|message| as_said(message, row.state, language)).into_iter().collect(),
        small_print: small_print(row, language),
        ..ChatMessage::new(language, None, Text::fill(title, &values, language))
    }
}

fn small_print(row: &RemovalRow, language: Language) -> Vec<Text> {
    let id = |text: Localized, id: &str| Text::fill(text, &[("id", Text::quote(id))], language);
    let mut parts = vec![id(Localized { en: "Removal {id}", zh: "记录 {id}" }, row.id.as_str())];
    let upstream = Localized { en: "TaurusDB request {id}", zh: "TaurusDB请求 {id}" };
    parts.extend(row.request_id.as_deref().map(|request_id| id(upstream, request_id)));
    parts.extend(row.code.clone().map(Text::quote));
    parts
}

fn facts<'a>(row: &'a RemovalRow, config: &'a Config) -> RequestFacts<'a> {
    let facts = request_facts(config, None, (Some(row), None));
    RequestFacts { required: config.approvals.required(&environment_of(row, config).unwrap_or_default()), ..facts }
}

/// The environment of the row's instance, if that is configured.
fn environment_of(row: &RemovalRow, config: &Config) -> Option<String> {
    Some(config.instance(row.instance.as_deref()?).ok()?.environment.clone())
}

/// A state in a word.
fn word(state: State) -> Localized {
    match state {
        State::InFlight => Localized { en: "In progress", zh: "处理中" },
        State::Removed => Localized { en: "Removed", zh: "已删除" },
        State::RefusedUpstream => Localized { en: "Refused by TaurusDB", zh: "TaurusDB已拒绝" },
        State::NotRemoved => Localized { en: "Not removed", zh: "未删除" },
        State::AlreadyGone => Localized { en: "Did not exist", zh: "账号不存在" },
        State::NotSent => Localized { en: "Not carried out", zh: "未执行" },
        State::Unknown => Localized { en: "Outcome unknown", zh: "结果未知" },
        State::Denied => Localized { en: "Not permitted", zh: "不允许" },
        State::Refused => Localized { en: "Not accepted", zh: "未受理" },
        State::AwaitingConfirmation => Localized { en: "Waiting for confirmation", zh: "待确认" },
        State::AwaitingApproval => Localized { en: "Waiting for approval", zh: "待审批" },
        State::Cancelled => Localized { en: "Cancelled", zh: "已取消" },
        State::Expired => Localized { en: "Expired", zh: "已过期" },
        State::Rejected => Localized { en: "Denied by an approver", zh: "已驳回" },
        State::DryRun => Localized { en: "Dry run", zh: "预检" },
    }
}

//! What a message of the outbox says: the row as it is now, in the target's language.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::callers::chat::of_reply;
use crate::callers::chat::text::Text;
use crate::config::Config;
use crate::config::notify::{NotifyEvent, NotifyTarget};
use crate::ledger::outbox::LeasedMessage;
use crate::ledger::row::RemovalRow;
use crate::notify::notice::Notice;
use crate::operations::content;
use crate::operations::decide_approval::request_from_row;
use crate::operations::facts::request_facts;
use crate::operations::schedule::Schedule;
use crate::outcome::language::Localized;
use crate::outcome::state::State;
use crate::outcome::{Outcome, Waiting};
use crate::reply::Reply;
use crate::taurusdb::error_codes;

/// The commands for those who read of several requests at once.
const WRITE: Localized = Localized {
    en: "Write: `approve ID`, or: `deny ID REASON`",
    zh: "请输入：`approve 编号`，或：`deny 编号 原因`",
};

/// The title of a reminder of several.
const STILL_WAITING: Localized =
    Localized { en: "{n} requests still wait for approval", zh: "仍有{n}个申请待审批" };

/// Whether what a message tells of is still so.
pub(super) fn is_current(message: &LeasedMessage, row: &RemovalRow, now: DateTime<Utc>) -> bool {
    match message.event {
        NotifyEvent::Waiting | NotifyEvent::Reminder => {
            row.state == State::AwaitingApproval
                && row.reference.as_deref() == Some(message.turn.as_str())
                && row.expires_at.unwrap_or_default() > now.timestamp_millis()
        }
        NotifyEvent::Unknown => row.state == State::Unknown,
        NotifyEvent::Decided | NotifyEvent::RefusedCredentials | NotifyEvent::Brake => true,
    }
}

/// What several messages of one event say together. The first has at least one row.
pub(super) fn of_messages<'a>(
    config: &Config,
    target: &NotifyTarget,
    messages: &[(LeasedMessage, RemovalRow)],
    now: DateTime<Utc>,
) -> Option<Notice<'a>> {
    let (message, row) = messages.first()?;
    let notice = of_message(config, target, (message, row), now);
    if messages.len() == 1 {
        return Some(notice);
    }
    let rows: Vec<_> = messages.iter().map(|(_, row)| row.clone()).collect();
    let mut listing = content::pending(&rows, None, config, target.language);
    if message.event == NotifyEvent::Reminder {
        let count = [("n", Text::words(rows.len().to_string()))];
        listing.title = Text::fill(STILL_WAITING, &count, target.language);
    }
    listing.body.push(Text::fill(WRITE, &[], target.language));
    Some(Notice { message: listing, link: None, facts: Map::new(), ..notice })
}

fn of_message<'a>(
    config: &Config,
    target: &NotifyTarget,
    (message, row): (&LeasedMessage, &RemovalRow),
    now: DateTime<Utc>,
) -> Notice<'a> {
    let removal = request_from_row(config, row);
    let instance = row.instance.as_deref().and_then(|name| config.instance(name).ok());
    let environment = instance.map(|instance| instance.environment.as_str());
    let mut request = request_facts(config, None, (Some(row), removal.as_ref()));
    request.required = config.approvals.required(environment.unwrap_or_default());
    let approvals = u32::try_from(request.approvers.len()).unwrap_or(u32::MAX);
    let outcome = row.outcome(now).unwrap_or_else(|| {
        let until = row.expires_at.and_then(DateTime::from_timestamp_millis).unwrap_or(now);
        let missing = request.required.saturating_sub(approvals).max(1);
        Outcome::Waiting(Waiting::Approval { reference: row.reference.clone().unwrap_or_default(), missing, until })
    });
    let reply = Reply {
        outcome: &outcome,
        language: target.language,
        account: row.user_name.as_deref().zip(row.instance.as_deref()),
        environment,
        request,
        policies: &row.policies,
        meaning: error_codes::meaning(&outcome.code()).map(|meaning| meaning.requester),
        retry_after: None,
        removal_id: row.id.as_str(),
        upstream_request_id: row.request_id.as_deref(),
        clicked: None,
        is_decided_already: false,
    };
    let text = match message.event {
        NotifyEvent::Reminder => {
            let until = row.expires_at.unwrap_or_default();
            let next = next_reminder(config, target, (message, row), now).filter(|at| at.timestamp_millis() < until);
            of_reply::reminder(&reply, next.map(|at| at.with_timezone(&config.utc_offset)))
        }
        _ => of_reply::message(&reply),
    };
    let page = row.reference.as_deref().unwrap_or(row.id.as_str());
    let link = config.approvals.link(page);
    let turn = if message.turn.is_empty() { String::new() } else { format!("-{}", message.turn) };
    let thread = format!("{}{turn}", row.id.as_str());
    let number = if message.number == 0 { String::new() } else { format!("-{}", message.number) };
    Notice {
        event: message.event,
        facts: facts(row, environment, link.as_deref()),
        message: text,
        link,
        key: format!("{thread}-{}{number}", message.event.as_str()),
        thread,
        earlier: None,
        since: DateTime::from_timestamp_millis(message.created_at).unwrap_or(now),
        at: now,
    }
}

/// When the target is reminded next.
fn next_reminder(
    config: &Config,
    target: &NotifyTarget,
    (message, row): (&LeasedMessage, &RemovalRow),
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let told_at = told_at(target, row)?;
    let seed = seed(row.id.as_str(), &target.name);
    let schedule = Schedule { told_at, seed: &seed, working_hours: target.working_hours, offset: config.utc_offset };
    schedule.next(message.number, now)
}

/// When a target is told that a row waits.
pub(super) fn told_at(target: &NotifyTarget, row: &RemovalRow) -> Option<DateTime<Utc>> {
    let after = target.after.and_then(|after| chrono::TimeDelta::from_std(after).ok()).unwrap_or_default();
    DateTime::from_timestamp_millis(row.asked_at)?.checked_add_signed(after)
}

/// What the times of the reminders of a row to a target are drawn from.
pub(super) fn seed(removal: &str, target: &str) -> String {
    format!("{removal}/{target}")
}

/// What systems are told.
fn facts(row: &RemovalRow, environment: Option<&str>, link: Option<&str>) -> Map<String, Value> {
    let time = |millis: Option<i64>| {
        let at = DateTime::from_timestamp_millis(millis?)?;
        Some(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    };
    let facts = [
        ("removal", json!(row.id.as_str())),
        ("reference", json!(row.reference)),
        ("state", json!(row.state.as_str())),
        ("code", json!(row.code)),
        ("user_name", json!(row.user_name)),
        ("instance", json!(row.instance)),
        ("environment", json!(environment)),
        ("requester", json!(row.actor)),
        ("caused_by", json!(row.caused_by)),
        ("reason", json!(row.reason)),
        ("policies", json!(row.policies)),
        ("asked_at", json!(time(Some(row.asked_at)))),
        ("expires_at", json!(time(row.expires_at))),
        ("link", json!(link)),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

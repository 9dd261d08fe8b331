//! Listings as chat text: the commands, the waiting requests, the state of one removal.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat};

use crate::callers::chat::platform::ChatPlatform;
use crate::ledger::row::RemovalRow;
use crate::outcome::language::Language;
use crate::outcome::state::State;

/// The commands: to remove, if the person may request removals on an instance; to approve, if the person may.
pub(crate) fn help(instances: &[&str], may_approve: bool, language: Language) -> String {
    let names: Vec<_> = instances.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    let mut text = String::new();
    match language {
        Language::English => {
            if !instances.is_empty() {
                text += "Remove a StarRocks account: `<user_name> <instance> [reason]`, for example `alice analytics left the company`; `--dry-run` only says what would happen.\n";
                text += "When asked: `confirm <id>` or `cancel <id>`.\n";
            }
            if may_approve {
                text += "Decide what others asked for: `approve <id>` or `deny <id> [reason]`.\n";
            }
            text += "What waits: `pending`. What became of a removal: `status <id>`.";
            let _ = match instances.is_empty() {
                true => write!(text, "\nYou may not remove accounts from any instance."),
                false => write!(text, "\nInstances: {names}"),
            };
        }
        Language::Chinese => {
            if !instances.is_empty() {
                text += "删除 StarRocks 账号：`<user_name> <instance> [reason]`，例如 `alice analytics 已离职`；加 `--dry-run` 仅显示将会发生什么。\n";
                text += "被询问时：`confirm <id>` 或 `cancel <id>`。\n";
            }
            if may_approve {
                text += "处理他人的申请：`approve <id>` 或 `deny <id> [reason]`。\n";
            }
            text += "待处理：`pending`。查询结果：`status <id>`。";
            let _ = match instances.is_empty() {
                true => write!(text, "\n您无权删除任何实例上的账号。"),
                false => write!(text, "\n实例：{names}"),
            };
        }
    }
    text
}

/// The waiting requests, a line each.
pub(crate) fn pending(rows: &[RemovalRow], language: Language, chat: &dyn ChatPlatform) -> String {
    if rows.is_empty() {
        return match language {
            Language::English => "Nothing waits for you.".into(),
            Language::Chinese => "没有待处理的申请。".into(),
        };
    }
    let lines: Vec<_> = rows.iter().map(|row| line(row, language, chat)).collect();
    lines.join("\n")
}

/// One waiting request.
fn line(row: &RemovalRow, language: Language, chat: &dyn ChatPlatform) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (reference, user_name, instance, actor) =
        (text(&row.reference), text(&row.user_name), text(&row.instance), text(&row.actor));
    let until = time(row.expires_at);
    let reason = row.reason.as_deref().map(|reason| format!(" ({})", chat.quote(reason))).unwrap_or_default();
    match (language, row.state) {
        (Language::English, State::AwaitingConfirmation) => {
            format!("`{reference}`: `{user_name}` on `{instance}`{reason}, to be confirmed by `{actor}` until {until}")
        }
        (Language::English, _) => {
            format!(
                "`{reference}`: `{user_name}` on `{instance}`{reason}, asked by `{actor}`, to be approved until {until}"
            )
        }
        (Language::Chinese, State::AwaitingConfirmation) => {
            format!("`{reference}`：`{instance}` 上的 `{user_name}`{reason}，待 `{actor}` 在 {until} 前确认")
        }
        (Language::Chinese, _) => {
            format!("`{reference}`：`{instance}` 上的 `{user_name}`{reason}，申请人 `{actor}`，待在 {until} 前批准")
        }
    }
}

/// The state of a removal.
pub(crate) fn status(row: &RemovalRow, language: Language, chat: &dyn ChatPlatform) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (user_name, instance, actor) = (text(&row.user_name), text(&row.instance), text(&row.actor));
    let (state, asked) = (row.state.as_str(), time(Some(row.asked_at)));
    let message = row.message.as_deref().map(|message| chat.quote(message)).unwrap_or_default();
    let message = if message.is_empty() { message } else { format!(": {message}") };
    match language {
        Language::English => {
            format!("`{user_name}` on `{instance}`, asked by `{actor}` at {asked}: *{state}*{message}")
        }
        Language::Chinese => {
            format!("`{instance}` 上的 `{user_name}`，申请人 `{actor}`，时间 {asked}：*{state}*{message}")
        }
    }
}

fn time(millis: Option<i64>) -> String {
    let time = millis.and_then(DateTime::from_timestamp_millis);
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

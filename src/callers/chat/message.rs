//! What people read about an outcome. The words are the same on every platform; how they are marked up is the platform's
//! ([`ChatFormat`]). Texts of others (TaurusDB, requesters, policies) pass through `escape` before they stand in a message.

use crate::callers::chat::format::{ChatFormat, truncate};
use crate::callers::follow_up::Acknowledgement;
use crate::outcome::language::{Language, Localized};
use crate::outcome::state::State;
use crate::outcome::{Evidence, Outcome, Waiting};
use crate::reply::Reply;
use crate::request::command::ApprovalAction;

/// A button below a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Button<'a> {
    /// The name that the platform hands back.
    pub(super) name: &'static str,
    /// Its label.
    pub(super) label: &'static str,
    /// Whether it continues the removal.
    pub(super) is_yes: bool,
    /// The reference that the platform hands back.
    pub(super) reference: &'a str,
}

/// Returns the buttons of a request that waits; none for other outcomes.
pub(super) fn buttons<'a>(answer: &Reply<'a>) -> Vec<Button<'a>> {
    let (clicks, reference) = match answer.outcome {
        Outcome::Waiting(Waiting::Confirmation { reference, .. }) => {
            ([ApprovalAction::Confirm, ApprovalAction::Cancel], reference)
        }
        Outcome::Waiting(Waiting::Approval { reference, .. }) => {
            ([ApprovalAction::Approve, ApprovalAction::Deny], reference)
        }
        _ => return Vec::new(),
    };
    let button = |click| Button {
        name: ApprovalAction::ALL.into_iter().find(|(_, known)| *known == click).map_or("", |(name, _)| name),
        label: match click {
            ApprovalAction::Confirm => Localized { en: "Confirm", zh: "确认" },
            ApprovalAction::Cancel => Localized { en: "Cancel", zh: "取消" },
            ApprovalAction::Approve => Localized { en: "Approve", zh: "批准" },
            ApprovalAction::Deny => Localized { en: "Deny", zh: "拒绝" },
        }
        .in_language(answer.language),
        is_yes: matches!(click, ApprovalAction::Confirm | ApprovalAction::Approve),
        reference,
    };
    clicks.map(button).into()
}

/// Whether everyone in the channel should see the message, because any of them may be the approver.
pub(super) fn is_for_all(answer: &Reply<'_>) -> bool {
    matches!(answer.outcome, Outcome::Waiting(Waiting::Approval { .. }))
}

/// Whether the message replaces the one whose button was clicked: not if the person who clicked may not do so, because others
/// still need the buttons.
pub(super) fn replaces(answer: &Reply<'_>) -> bool {
    answer.clicked.is_some() && !matches!(answer.outcome.state(), State::Denied | State::Refused)
}

/// Returns the message about an outcome.
pub(super) fn text(answer: &Reply<'_>, format: ChatFormat) -> String {
    let ChatFormat { escape: escaped, small, longest } = format;
    let mut text = sentence(answer, format);
    let more = match (answer.asked_by, answer.approved_by.as_slice(), answer.language) {
        (None, [], _) => None,
        (asked, approved, language) => {
            let ids = |ids: &[&str]| ids.iter().map(|id| format!("`{}`", escaped(id))).collect::<Vec<_>>().join(", ");
            let asked = asked.map(|asked| ids(&[asked]));
            Some(match (asked, approved, language) {
                (Some(asked), [], Language::English) => format!("asked by {asked}"),
                (Some(asked), [], Language::Chinese) => format!("申请人 {asked}"),
                (Some(asked), approved, Language::English) => {
                    format!("asked by {asked}, approved by {}", ids(approved))
                }
                (Some(asked), approved, Language::Chinese) => format!("申请人 {asked}，批准人 {}", ids(approved)),
                (None, approved, Language::English) => format!("approved by {}", ids(approved)),
                (None, approved, Language::Chinese) => format!("批准人 {}", ids(approved)),
            })
        }
    };
    let waits = matches!(answer.outcome.state(), State::AwaitingConfirmation | State::AwaitingApproval | State::DryRun);
    let mut line = |words: &str| text += &format!("\n{}", small(words));
    if let (true, Some(environment)) = (waits, answer.environment) {
        // The requester or approver sees for which environment, and which policies ask for it.
        let by: Vec<_> = answer.policies.iter().map(|id| format!("`{}`", escaped(id))).collect();
        let by = if by.is_empty() { "-".to_owned() } else { by.join(", ") };
        line(&match answer.language {
            Language::English => format!("environment `{environment}`, decided by {by}"),
            Language::Chinese => format!("环境 `{environment}`，策略 {by}"),
        });
    }
    if let Some(more) = more {
        line(&more);
    }
    line(&format!("request {}", escaped(answer.request_id)));
    truncate(&text, longest)
}

/// Returns one sentence about an outcome, and one about what TaurusDB's code means.
pub(crate) fn sentence(answer: &Reply<'_>, format: ChatFormat) -> String {
    let escaped = format.escape;
    let (user_name, instance) = answer.account.unwrap_or_default();
    let what = truncate(&answer.outcome.message(answer.language), LONGEST_MESSAGE);
    let decided: Vec<_> = answer.policies.iter().map(|id| format!("`{}`", escaped(id))).collect();
    let decided = decided.join(", ");
    let code = answer.outcome.code();
    let sure = *answer.outcome == Outcome::Removed(Evidence::AccountList);
    let mut text = match (answer.outcome.state(), answer.language, answer.account) {
        (State::Removed, Language::English, _) => {
            let sure = if sure { ", as the account list confirms" } else { "" };
            format!("✅ Removed `{user_name}` from `{instance}`{sure} (allowed by {decided}).")
        }
        (State::Removed, Language::Chinese, _) => {
            let sure = if sure { "，已由账号列表确认" } else { "" };
            format!("✅ 已从 `{instance}` 删除 `{user_name}`{sure}（策略：{decided}）。")
        }
        (State::AlreadyGone, Language::English, Some(_)) => {
            return format!("ℹ️ `{user_name}` was not there on `{instance}`, so nothing was removed ({code}).");
        }
        (State::AlreadyGone, Language::Chinese, Some(_)) => {
            return format!("ℹ️ `{instance}` 上没有 `{user_name}`，无需删除（{code}）。");
        }
        (state, Language::English, Some(_)) => {
            format!("{} `{user_name}` on `{instance}`: {} ({code}).", sign(state), escaped(&what))
        }
        (state, Language::Chinese, Some(_)) => {
            format!("{} `{instance}` 上的 `{user_name}`：{}（{code}）。", sign(state), escaped(&what))
        }
        (state, _, None) => format!("{} {} ({code})", sign(state), escaped(&what)),
    };
    if let Some(meaning) = answer.meaning {
        let meaning = meaning.in_language(answer.language);
        text += &match answer.language {
            Language::English => format!(" That means: {meaning}."),
            Language::Chinese => format!("这表示：{meaning}。"),
        };
    }
    text
}

pub(crate) fn sign(state: State) -> &'static str {
    match state {
        State::Unknown => "⚠️",
        State::AwaitingConfirmation | State::AwaitingApproval => "⏳",
        State::DryRun | State::Cancelled => "ℹ️",
        _ => "❌",
    }
}

/// Returns the early answer, for when the work takes longer than the platform waits.
pub(super) fn acknowledgement(early: &Acknowledgement<'_>) -> String {
    let Acknowledgement { language, account, row, follows, .. } = *early;
    let doing = match (language, account) {
        (Language::English, Some((user_name, instance))) => format!("Removing `{user_name}` from `{instance}`"),
        (Language::English, None) => "Working on it".to_owned(),
        (Language::Chinese, Some((user_name, instance))) => format!("正在从 `{instance}` 删除 `{user_name}`"),
        (Language::Chinese, None) => "正在处理".to_owned(),
    };
    match (language, follows) {
        (Language::English, true) => format!("⏳ {doing}; the outcome follows here."),
        (Language::English, false) => format!("⏳ {doing}; ask for the outcome in a moment: `status {row}`"),
        (Language::Chinese, true) => format!("⏳ {doing}；结果将在此处显示。"),
        (Language::Chinese, false) => format!("⏳ {doing}；请稍后查询结果：`status {row}`"),
    }
}

/// The most characters of one of TaurusDB's messages.
pub(crate) const LONGEST_MESSAGE: usize = 500;

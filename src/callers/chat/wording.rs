//! What messages to people say, in both languages. Data and nothing else: `{account}` and the like are filled in by
//! [`of_reply`](crate::callers::chat::of_reply), and what stands between backticks is a value.

use crate::outcome::language::Localized;

/// The title and the first line of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording {
    pub(super) title: Localized,
    pub(super) body: Localized,
}

macro_rules! wording {
    ($($name:ident: $title:literal $title_zh:literal / $body:literal $body_zh:literal;)*) => {
        $(pub(super) const $name: Wording = Wording {
            title: Localized { en: $title, zh: $title_zh },
            body: Localized { en: $body, zh: $body_zh },
        };)*
    };
}

wording! {
    CONFIRM: "Remove {account} from {instance}?" "是否从 {instance} 删除账号 {account}？"
        / "Nothing has been removed. To remove the account, confirm before {until}." "尚未删除。如需删除，请在{until}前确认。";
    CONFIRM_TO_SUBMIT: "Request the removal of {account} from {instance}?" "是否申请从 {instance} 删除账号 {account}？"
        / "Nothing has been removed. Confirm before {until}; then {required} other people have to approve."
        "尚未删除。请在{until}前确认，之后需{required}人批准。";
    CONFIRM_TO_SUBMIT_ONE: "Request the removal of {account} from {instance}?" "是否申请从 {instance} 删除账号 {account}？"
        / "Nothing has been removed. Confirm before {until}; then 1 other person has to approve."
        "尚未删除。请在{until}前确认，之后需1人批准。";
    WAITS: "Waiting for approval: remove {account} from {instance}" "待审批：从 {instance} 删除账号 {account}"
        / "Nothing has been removed. {missing} more approvals are needed. To withdraw the request, write {cancel}."
        "尚未删除。还需{missing}人批准。如需撤回，请输入 {cancel}。";
    WAITS_ONE: "Waiting for approval: remove {account} from {instance}" "待审批：从 {instance} 删除账号 {account}"
        / "Nothing has been removed. 1 more approval is needed. To withdraw the request, write {cancel}."
        "尚未删除。还需1人批准。如需撤回，请输入 {cancel}。";
    APPROVE: "Approval needed: remove {account} from {instance}" "请审批：从 {instance} 删除账号 {account}"
        / "Nothing has been removed." "尚未删除。";
    APPROVE_MORE: "Approved by {given} of {required}: remove {account} from {instance}"
        "已批准{given}/{required}：从 {instance} 删除账号 {account}"
        / "Nothing has been removed." "尚未删除。";
    REMIND: "Still waiting for approval: remove {account} from {instance}" "仍待审批：从 {instance} 删除账号 {account}" / "" "";
    REMOVED: "Removed {account} from {instance}" "已从 {instance} 删除账号 {account}" / "" "";
    APPROVED: "Removed {account} from {instance}" "已从 {instance} 删除账号 {account}"
        / "Approved by {approvers}." "审批人：{approvers}。";
    GONE_BY_LIST: "{account} is gone from {instance}" "{instance} 上已无账号 {account}"
        / "TaurusDB gave no usable answer, and its account list no longer has the account."
        "未收到TaurusDB的有效响应，账号列表中已无此账号。";
    ABSENT: "{account} does not exist on {instance}" "{instance} 上没有账号 {account}"
        / "Nothing was removed. If the account should exist, check the spelling."
        "未删除任何账号。如该账号应存在，请检查拼写。";
    REJECTED: "Denied: remove {account} from {instance}" "已驳回：从 {instance} 删除账号 {account}"
        / "{approver} denied the request. Nothing has been removed." "{approver}驳回了申请。账号未删除。";
    REJECTED_WITH_REASON: "Denied: remove {account} from {instance}" "已驳回：从 {instance} 删除账号 {account}"
        / "{approver} denied the request: {reason}. Nothing has been removed."
        "{approver}驳回了申请，原因：{reason}。账号未删除。";
    CANCELLED: "Cancelled: remove {account} from {instance}" "已取消：从 {instance} 删除账号 {account}"
        / "The requester cancelled the request. Nothing has been removed." "申请人已取消申请。账号未删除。";
    NOT_CONFIRMED: "Expired: remove {account} from {instance}" "已过期：从 {instance} 删除账号 {account}"
        / "The request was not confirmed before {until}. Nothing has been removed. If it is still needed, send the request again."
        "申请未在{until}前确认。账号未删除。如仍需删除，请重新提交申请。";
    NOT_APPROVED: "Expired: remove {account} from {instance}" "已过期：从 {instance} 删除账号 {account}"
        / "The request was not approved before {until}. Nothing has been removed. If it is still needed, send the request again."
        "申请未在{until}前批准。账号未删除。如仍需删除，请重新提交申请。";
    NOT_PERMITTED: "Not permitted: remove {account} from {instance}" "不允许：从 {instance} 删除账号 {account}"
        / "No policy permits this removal. Nothing has been removed. Ask a person who is permitted, or ask the operator to add a policy."
        "没有策略允许此次删除。账号未删除。请联系有权限的人员，或联系管理员添加策略。";
    FORBIDDEN: "Forbidden by policy: remove {account} from {instance}" "策略禁止：从 {instance} 删除账号 {account}"
        / "Nothing has been removed. Ask the operator about this policy." "账号未删除。请向管理员咨询该策略。";
    FORBIDDEN_BY_SEVERAL: "Forbidden by policy: remove {account} from {instance}" "策略禁止：从 {instance} 删除账号 {account}"
        / "Nothing has been removed. Ask the operator about these policies." "账号未删除。请向管理员咨询这些策略。";
    NOT_EVALUATED: "Not carried out: remove {account} from {instance}" "未执行：从 {instance} 删除账号 {account}"
        / "The policies could not be evaluated. Nothing has been removed. Ask the operator to look at the log."
        "策略评估失败。账号未删除。请联系管理员查看日志。";
    RESERVED: "{account} is never removed" "账号 {account} 不能删除" / "It is a system account." "该账号是系统账号。";
    PROTECTED: "{account} is protected" "账号 {account} 受保护"
        / "The operator protects this account. It is never removed through this gateway."
        "该账号受管理员保护，不能通过本网关删除。";
    BUSY: "TaurusDB is busy: {account} was not removed from {instance}" "TaurusDB繁忙：未从 {instance} 删除账号 {account}"
        / "Send the request again in {seconds} seconds." "请{seconds}秒后重新提交申请。";
    BUSY_FOR_LONG: "TaurusDB is busy: {account} was not removed from {instance}" "TaurusDB繁忙：未从 {instance} 删除账号 {account}"
        / "Send the request again in a few minutes." "请几分钟后重新提交申请。";
    NOT_CARRIED_OUT: "Not carried out: remove {account} from {instance}" "未执行：从 {instance} 删除账号 {account}" / "" "";
    STILL_THERE: "{account} is still on {instance}" "{instance} 上仍有账号 {account}"
        / "TaurusDB gave no usable answer, and its account list still has the account. Send the request again."
        "未收到TaurusDB的有效响应，账号列表中仍有此账号。请重新提交申请。";
    REFUSED_UPSTREAM: "TaurusDB refused to remove {account} from {instance}" "TaurusDB拒绝从 {instance} 删除账号 {account}"
        / "TaurusDB says: {message}" "TaurusDB返回：{message}";
    UNKNOWN: "Outcome unknown: remove {account} from {instance}" "结果未知：从 {instance} 删除账号 {account}"
        / "The account may or may not be gone; the account list could not be read. In a few minutes, write {status}: it checks the account list."
        "账号可能已删除，也可能未删除；无法读取账号列表。请几分钟后输入 {status}，网关会核对账号列表。";
    IN_PROGRESS: "In progress: remove {account} from {instance}" "处理中：从 {instance} 删除账号 {account}"
        / "For the result, write {status}." "如需查看结果，请输入 {status}。";
    RECEIVED: "Request received: {account} on {instance}" "已收到申请：{instance} 上的账号 {account}"
        / "The result follows here." "结果将在此处显示。";
    RECEIVED_ONLY: "Request received" "已收到，正在处理"
        / "For the result, write {status}." "如需查看结果，请输入 {status}。";
    WOULD_REMOVE: "Dry run: {account} would be removed from {instance} at once" "预检：将立即从 {instance} 删除账号 {account}"
        / "No removal was sent." "未发送删除请求。";
    WOULD_NEED_APPROVALS: "Dry run: removing {account} from {instance} would need {required} approvals"
        "预检：从 {instance} 删除账号 {account} 需{required}人批准"
        / "No removal was sent." "未发送删除请求。";
    WOULD_NEED_APPROVAL: "Dry run: removing {account} from {instance} would need 1 approval"
        "预检：从 {instance} 删除账号 {account} 需1人批准"
        / "No removal was sent." "未发送删除请求。";
    WOULD_BE_DENIED: "Dry run: removing {account} from {instance} is not permitted"
        "预检：不允许从 {instance} 删除账号 {account}"
        / "No removal was sent." "未发送删除请求。";
}

/// When approvers are reminded again.
pub(super) const NEXT_REMINDER: Localized = Localized { en: "Next reminder: {time}", zh: "下次提醒：{time}" };

/// The first sentence of a message about a request that was decided before the click.
pub(super) const DECIDED_ALREADY: Localized =
    Localized { en: "This request was already decided.", zh: "该申请已处理。" };

/// What the last approval does.
pub(super) const LAST_APPROVAL: Localized = Localized {
    en: "With the last approval the account is removed, if policy still permits it.",
    zh: "最后一人批准后，如策略仍允许，将删除该账号。",
};

/// The same as the buttons, in words.
pub(super) const WRITE: Localized = Localized { en: "Write: {yes}, or: {no}", zh: "请输入：{yes}，或：{no}" };

/// The command that denies a request.
pub(super) const DENY: Localized = Localized { en: "deny {reference} REASON", zh: "deny {reference} 原因" };

/// The request has no reason.
pub(super) const NO_REASON: Localized = Localized { en: "not given", zh: "未填写" };

/// How many people have approved, of how many.
pub(super) const GIVEN: Localized = Localized { en: "{given} of {required}", zh: "{given}/{required}" };

/// The same, and who.
pub(super) const GIVEN_BY: Localized =
    Localized { en: "{given} of {required}: {approvers}", zh: "{given}/{required}：{approvers}" };

/// A person with a name of the operator's.
pub(super) const NAMED: Localized = Localized { en: "{name} ({principal})", zh: "{name}（{principal}）" };

/// A system, and the person who caused its event.
pub(super) const CAUSED_BY: Localized =
    Localized { en: "{requester}, caused by {person}", zh: "{requester}，由{person}触发" };

/// What an error text says of the account, and what a message says of it.
pub(super) const UNCHANGED: (Localized, Localized) = (
    Localized {
        en: "no removal was carried out and the account is unchanged", zh: "，未执行删除，账号未受影响"
    },
    Localized { en: "the account is unchanged", zh: "；账号未受影响" },
);

/// Small print: the removal, TaurusDB's request.
pub(super) const REMOVAL_ID: Localized = Localized { en: "Removal {id}", zh: "记录 {id}" };

/// See [`REMOVAL_ID`].
pub(super) const UPSTREAM_ID: Localized = Localized { en: "TaurusDB request {id}", zh: "TaurusDB请求 {id}" };

/// What is said of a next step in error texts, and in chat, where every command is a new request.
pub(super) const NEXT_STEPS: [(Localized, Localized); 5] = [
    (
        Localized { en: "send a new request", zh: "请重新提交申请" },
        Localized { en: "send the request again", zh: "请重新提交申请" },
    ),
    (
        Localized { en: "try again later", zh: "请稍后重试" },
        Localized { en: "send the request again later", zh: "请稍后重新提交申请" },
    ),
    (
        Localized { en: "try again in a few minutes", zh: "请几分钟后重试" },
        Localized { en: "send the request again in a few minutes", zh: "请几分钟后重新提交申请" },
    ),
    (
        Localized { en: "try again in a minute", zh: "请1分钟后重试" },
        Localized { en: "send the request again in a minute", zh: "请1分钟后重新提交申请" },
    ),
    (Localized { en: "try again", zh: "请重试" }, Localized { en: "send the request again", zh: "请重新提交申请" }),
];

//! Every text of the console, in both languages. `{…}` is filled in, and what stands between two `**` is bold.
//!
//! The terms are those of the glossary in `docs/architecture.md`. In Chinese, code alone is set apart by spaces, and those are added
//! where a text is filled in.

use crate::outcome::language::Localized;

/// Declares texts, and lists them for the tests.
macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        $(pub(super) const $name: Localized = Localized { en: $en, zh: $zh };)*

        #[cfg(test)]
        const ALL: &[(&str, Localized)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    TAG: "en", "zh-CN";
    OTHER_TAG: "zh-CN", "en";
    OTHER_LANGUAGE: "中文", "English";

    // Joints.
    SPACE: " ", "";
    BETWEEN: ", ", "、";
    AND: " and ", "和";
    OR: " or ", "或";
    PAIR: "{a}{between}{b}", "{a}{between}{b}";
    AND_OTHERS: "{names} and {n} others", "{names}及另外{n}人";
    OF: "{given} of {required}", "{given}/{required}";
    CLAUSE: "; ", "；";
    END: ".", "。";
    SENTENCE: "{effect}: {rest}.", "{effect}：{rest}。";
    TITLE: "{page} · Offboard", "{page} · Offboard";

    // Times.
    TODAY: "today ", "今天";
    YESTERDAY: "yesterday ", "昨天";
    TOMORROW: "tomorrow ", "明天";
    DATE: "{day} {month}", "{month}月{day}日";
    DATE_WITH_YEAR: "{day} {month} {year}", "{year}年{month}月{day}日";
    DATE_AND_TIME: "{date}, {time}", "{date} {time}";
    STAMP: "{day} {month} {time}", "{month}月{day}日{time}";
    STAMP_WITH_YEAR: "{day} {month} {year} {time}", "{year}年{month}月{day}日{time}";
    SECONDS: "{n} s", "{n}秒";
    MINUTES: "{n} min", "{n}分钟";
    HOURS: "{n} h", "{n}小时";
    HOURS_AND_MINUTES: "{h} h {n} min", "{h}小时{n}分钟";
    DAYS: "{n} d", "{n}天";
    JUST_NOW: "just now", "刚刚";
    AGO: "{time} ago", "{time}前";
    IN: "in {time}", "{time}后";
    LEFT: "{time} left", "还剩{time}";
    LESS_THAN_A_MINUTE_LEFT: "less than 1 min left", "剩余不到1分钟";
    UNTIL: " until {time}", "，截止{time}";

    // The frame.
    CONSOLE: "Console", "控制台";
    SKIP: "Skip to content", "跳到正文";
    WAITING: "Waiting", "待处理";
    WAITING_COUNTED: "Waiting ({n})", "待处理（{n}）";
    WAIT_FOR_YOU: " wait for you", "项待您处理";
    NAV_ASK: "Ask", "申请删除";
    REMOVALS: "Removals", "删除记录";
    ACCOUNTS: "Accounts", "账号";
    POLICY: "Policy", "策略";
    SIGNED_IN_AS: "Signed in as", "当前登录";
    SIGN_OUT: "Sign out", "退出登录";
    POLICY_SET: "policy set", "策略集";
    TIMES_ARE: "times are ", "时间均为";
    BREADCRUMB: "Breadcrumb", "当前位置";
    PAGES: "Pages", "翻页";
    OLDER: "Older", "更早";
    NEWEST: "Newest", "最新";
    FIRST: "First", "首页";
    MORE: "More", "更多";
    SEE_THE_RECORD: "See the record", "查看记录";
    SENDS_NOTHING: "sends nothing", "不会发送任何请求";

    // What fields are called.
    ACCOUNT: "Account", "账号";
    INSTANCE: "Instance", "实例";
    STATE: "State", "状态";
    REASON: "Reason", "申请原因";
    REQUESTER: "Requester", "申请人";
    OWNER: "Owner", "归属人";
    APPROVALS: "Approvals", "审批";
    CAN_APPROVE: "Can approve", "可审批";
    POLICIES: "Policies", "策略";
    EXPIRES: "Expires", "过期时间";
    DECIDED_BY: "Decided by", "决定依据";
    APPROVED_BY: "Approved by", "批准人";
    ASKED: "Asked", "申请时间";
    TOOK: "Took", "耗时";
    WHEN: "When", "时间";
    KNOWN_FROM: "Known from", "信息来源";
    BEFORE: "Before", "此前";
    ACTION: "Action", "操作";
    ATTEMPTS: "Attempts", "发送次数";
    REFERENCE: "Reference", "申请编号";
    REMOVAL_ID: "Removal ID", "记录ID";
    UPSTREAM_REQUEST: "TaurusDB request", "TaurusDB请求ID";
    CODE: "Code", "错误码";
    REQUEST_ID: "Request ID", "请求ID";
    TEAMS: "Teams", "团队";
    YOU: "You", "您";
    WANTED: "Wanted", "所需权限";
    WHO: "Who", "主体";

    // Accounts and people.
    PLACE: "{instance} ({environment})", "{instance}（{environment}）";
    ACCOUNT_ON: "{account} on {instance}", "{instance}上的{account}";
    LINKED_ACCOUNT_ON: "{account} on {instance}", "{instance}上的 {account}";
    PLAIN_ACCOUNT_ON: "{account} on {instance}", "{instance}上的{account}";
    NO_ACCOUNT: "No account", "未指定账号";
    HOW_A_PERSON_ASKED: "{through}, {time}", "{time}，{through}";
    HOW_A_SYSTEM_ASKED: "system, {through}, {time}", "系统，{time}，{through}";
    CAUSED_BY: "for {person}", "起因于{person}";
    MEMBER_OF_TEAM: "any member of team {teams}", "团队{teams}的任一成员";
    NO_ONE_KNOWN: "no other person", "没有其他人";
    NAME_AND_TIME: "{name}, {time}", "{name}，{time}";
    NAME_AND_NOTE: "{name} {note}", "{name}（{note}）";
    NAME_AND_WORDS: "{name}: “{text}”", "{name}：“{text}”";
    OF_AND_NAMES: "{given} of {required}: {names}", "{given}/{required}：{names}";
    QUOTED: "“{text}”", "“{text}”";
    YOURSELF: "you", "您本人";
    LEFT_ON: "left {date}", "{date}离职";
    HAS_LEFT: "left", "已离职";
    IS_ACTIVE: "active", "在职";
    KEPT_BY_THE_OPERATOR: "kept by the operator", "由管理员保留";
    NO_PERSON_IS_KNOWN: "no person is known for this name", "此账号名没有对应的人员";
    NONE: "none", "无";
    NOTHING: "nothing", "无";
    NOTHING_BEFORE: "nothing before", "此前无记录";

    // Where requests come from.
    KIND_TEAMS: "Teams", "Teams";
    KIND_FEISHU: "Feishu", "飞书";
    KIND_DINGTALK: "DingTalk", "钉钉";
    KIND_WECOM: "WeCom", "企业微信";
    KIND_SLACK: "Slack", "Slack";
    KIND_MATTERMOST: "Mattermost", "Mattermost";
    KIND_DISCORD: "Discord", "Discord";
    KIND_GOOGLE_CHAT: "Google Chat", "Google Chat";
    KIND_GITHUB: "GitHub", "GitHub";
    KIND_GITLAB: "GitLab", "GitLab";
    KIND_OKTA: "Okta", "Okta";
    KIND_ONEACCESS: "OneAccess", "OneAccess";
    KIND_WELINK: "WeLink", "WeLink";
    KIND_CLOUDEVENTS: "CloudEvents", "CloudEvents";
    KIND_WEBHOOK: "webhook", "Webhook";
    KIND_SCIM: "SCIM", "SCIM";
    KIND_API: "API", "API";
    KIND_CONSOLE: "console", "控制台";
    IN_A_CHAT: "in {kind}", "通过{kind}";
    IN_THE_CONSOLE: "in the console", "在控制台";
    OVER_SCIM: "over SCIM", "通过SCIM";
    THROUGH_THE_API: "through the API", "通过API";
    BY_AN_EVENT: "by an event ({kind})", "通过事件（{kind}）";

    // States.
    STATE_REMOVED: "Removed", "已删除";
    STATE_ALREADY_GONE: "Was already gone", "原已不存在";
    STATE_AWAITING_CONFIRMATION: "To be confirmed", "待确认";
    STATE_AWAITING_APPROVAL: "Waits for approval", "待审批";
    STATE_IN_FLIGHT: "Being sent", "发送中";
    STATE_DENIED: "Not permitted", "策略不允许";
    STATE_REJECTED: "Denied by approver", "已驳回";
    STATE_REFUSED: "Refused", "已拒绝";
    STATE_NOT_SENT: "Not sent", "未发送";
    STATE_NOT_REMOVED: "Not removed", "未删除";
    STATE_REFUSED_UPSTREAM: "Refused by TaurusDB", "TaurusDB已拒绝";
    STATE_UNKNOWN: "Outcome unknown", "结果未知";
    STATE_CANCELLED: "Cancelled", "已取消";
    STATE_EXPIRED: "Expired", "已过期";
    STATE_DRY_RUN: "Dry run", "预检";
    STANDING_CAME_BACK: "Came back", "删除后重现";
    STANDING_OWNER_LEFT: "Owner left", "归属人已离职";
    STANDING_OWNERLESS: "No known owner", "无归属人";
    STANDING_CONTESTED: "One of several", "多人之一";
    STANDING_PROTECTED: "Protected", "受保护";
    STANDING_OWNER_ACTIVE: "Owner active", "归属人在职";
    GROUP_GONE: "Gone", "账号已不存在";
    GROUP_SAID_NO: "Said no", "未获准";
    GROUP_NO_EFFECT: "No effect", "无结果";
    GROUP_FAILED: "Failed or unknown", "失败或未知";
    GROUP_WAITING: "Waiting", "等待中";
    COUNT_GONE: "{n} removed or already gone", "{n}个已删除或原已不存在";
    COUNT_SAID_NO: "{n} refused or denied", "{n}个被拒绝或驳回";
    COUNT_NO_EFFECT: "{n} ended without effect", "{n}个无结果";
    COUNT_FAILED: "{n} failed or unknown", "{n}个失败或结果未知";
    COUNT_WAITING: "{n} still waiting", "{n}个仍在等待";

    // What the reader has just done.
    DONE_REMOVED: "**{account} was removed from {instance} at {time}.**", "**{instance}上的{account}已于{time}删除。**";
    DONE_ALREADY_GONE: "**{account} was not on {instance} any more; nothing had to be removed.**", "**{instance}上原已没有{account}，无需删除。**";
    DONE_APPROVED_ONE_MISSING: "**Your approval counts.** {account} on {instance} waits for one more.", "**您的批准已计入。**{instance}上的{account}还需1人批准。";
    DONE_APPROVED_MORE_MISSING: "**Your approval counts.** {account} on {instance} waits for {n} more.", "**您的批准已计入。**{instance}上的{account}还需{n}人批准。";
    DONE_WAITS_FOR_ONE: "**Your request was sent.** {account} on {instance} waits for 1 approval; no removal was sent yet.", "**申请已提交。**{instance}上的{account}待1人批准，尚未发送删除请求。";
    DONE_WAITS_FOR_MORE: "**Your request was sent.** {account} on {instance} waits for {n} approvals; no removal was sent yet.", "**申请已提交。**{instance}上的{account}待{n}人批准，尚未发送删除请求。";
    DONE_WAITS_FOR_CONFIRMATION: "**Your request waits for your confirmation.** No removal of {account} from {instance} was sent yet.", "**申请待您确认。**尚未发送{instance}上{account}的删除请求。";
    DONE_REJECTED: "**You denied the request for {account} on {instance}.** No removal was sent.", "**您驳回了{instance}上{account}的申请。**未发送删除请求。";
    DONE_CANCELLED: "**You cancelled your request for {account} on {instance}.** No removal was sent.", "**您取消了{instance}上{account}的申请。**未发送删除请求。";
    DONE_EXPIRED: "**The request for {account} on {instance} had expired.** No removal was sent.", "**{instance}上{account}的申请已过期。**未发送删除请求。";
    DONE_UNKNOWN: "**It is not known whether {account} was removed from {instance}.** Open the record, and the account list is read again.", "**无法确定{instance}上的{account}是否已删除。**打开记录会重新读取账号列表。";
    DONE_IN_FLIGHT: "**The removal of {account} from {instance} is being sent.**", "**正在发送{instance}上{account}的删除请求。**";
    DONE_OTHER: "**{account} on {instance}: {state}.**", "**{instance}上的{account}：{state}。**";
    FASTER: "**{person} was faster:** the request for {account} on {instance} was decided at {time}.", "**{person}已先处理：**{instance}上{account}的申请已于{time}处理。";
    FASTER_REMOVED: "**{person} was faster:** {account} was removed from {instance} at {time}.", "**{person}已先处理：**{instance}上的{account}已于{time}删除。";
    FASTER_REJECTED: "**{person} was faster:** the request for {account} on {instance} was denied at {time}.", "**{person}已先处理：**{instance}上{account}的申请已于{time}驳回。";
    FASTER_CANCELLED: "**{person} was faster:** the request for {account} on {instance} was cancelled at {time}.", "**{person}已先处理：**{instance}上{account}的申请已于{time}取消。";

    // The sentence before the button.
    APPROVE_AND_REMOVE: "**Approve, and {account} is removed from {place} at once**", "**批准后，{place}上的{account}将立即删除**";
    APPROVE_ONE_MORE_FROM: "**Approve, and {account} on {place} waits for one more approval**, from {approvers}", "**批准后，{place}上的{account}还需1人批准**，可由{approvers}审批";
    APPROVE_ONE_MORE: "**Approve, and {account} on {place} waits for one more approval**", "**批准后，{place}上的{account}还需1人批准**";
    APPROVE_MORE_FROM: "**Approve, and {account} on {place} waits for {n} more approvals**, from {approvers}", "**批准后，{place}上的{account}还需{n}人批准**，可由{approvers}审批";
    APPROVE_MORE: "**Approve, and {account} on {place} waits for {n} more approvals**", "**批准后，{place}上的{account}还需{n}人批准**";
    CONFIRM_AND_REMOVE: "**Confirm, and {account} is removed from {place} at once**", "**确认后，{place}上的{account}将立即删除**";
    CONFIRM_ONE_FROM: "**Confirm, and {account} on {place} waits for 1 approval**, from {approvers}", "**确认后，{place}上的{account}待1人批准**，可由{approvers}审批";
    CONFIRM_ONE: "**Confirm, and {account} on {place} waits for 1 approval**", "**确认后，{place}上的{account}待1人批准**";
    CONFIRM_SEVERAL_FROM: "**Confirm, and {account} on {place} waits for {n} approvals**, from {approvers}", "**确认后，{place}上的{account}待{n}人批准**，可由{approvers}审批";
    CONFIRM_SEVERAL: "**Confirm, and {account} on {place} waits for {n} approvals**", "**确认后，{place}上的{account}待{n}人批准**";
    SEND_AND_REMOVE: "**Send, and {account} is removed from {place} at once**", "**提交后，{place}上的{account}将立即删除**";
    SEND_ONE_FROM: "**Send, and {account} on {place} waits for 1 approval**, from {approvers}{until}", "**提交后，{place}上的{account}待1人批准**，可由{approvers}审批{until}";
    SEND_ONE: "**Send, and {account} on {place} waits for 1 approval**{until}", "**提交后，{place}上的{account}待1人批准**{until}";
    SEND_SEVERAL_FROM: "**Send, and {account} on {place} waits for {n} approvals**, from {approvers}{until}", "**提交后，{place}上的{account}待{n}人批准**，可由{approvers}审批{until}";
    SEND_SEVERAL: "**Send, and {account} on {place} waits for {n} approvals**{until}", "**提交后，{place}上的{account}待{n}人批准**{until}";
    REQUESTER_ASKS: "{requester} asks because “{reason}”", "{requester}以“{reason}”为由提出申请";
    REQUESTER_GAVE_NO_REASON: "{requester} gave no reason", "{requester}未填写申请原因";
    YOU_ASKED: "you asked {through} because “{reason}”", "您{through}以“{reason}”为由提出申请";
    YOU_GAVE_NO_REASON: "you asked {through} and gave no reason", "您{through}提出申请，未填写原因";
    YOU_ASK: "you ask because “{reason}”", "您以“{reason}”为由提出申请";
    YOU_GIVE_NO_REASON: "you give no reason", "您未填写申请原因";
    AS_POLICY_PERMITS: "{asks}, as {policies} permits", "{asks}，依据策略{policies}";
    AS_POLICIES_PERMIT: "{asks}, as {policies} permit", "{asks}，依据策略{policies}";
    AND_POLICY_PERMITS: "{asks}, and {policies} permits the request", "{asks}，依据策略{policies}";
    AND_POLICIES_PERMIT: "{asks}, and {policies} permit the request", "{asks}，依据策略{policies}";
    COULD_APPROVE_INSTEAD: "{approvers} could approve instead of you", "{approvers}也可代您审批";
    NO_OTHER_COULD: "no other person could approve", "没有其他人可以审批";
    NO_APPROVAL_NEEDED: "no other person has to approve", "无需他人审批";

    // Waiting.
    ASK_FOR_A_REMOVAL: "Ask for a removal", "申请删除账号";
    FOR_YOU_TO_DECIDE: "For you to decide", "待您审批";
    YOUR_OWN_REQUESTS: "Your own requests", "您的申请";
    YOUR_LAST_DECISIONS: "Your last decisions", "您最近的决定";
    NOTHING_WAITS: "Nothing waits for you", "没有待您处理的申请";
    REQUESTS_APPEAR_HERE: "Requests that you can approve appear here, wherever they were made.", "您可以审批的申请会显示在此，无论从何处提交。";
    TOLD_IN: "Approvers are also told in {targets}.", "审批人也会在{targets}收到通知。";
    LOOK_ONE_UP: "look one up", "查找删除记录";
    NONE_IS_OPEN: "None is open.", "没有进行中的申请。";
    NONE_IS_OPEN_THE_LAST: "None is open. The last one, {account}, ended {time}: {state}", "没有进行中的申请。最近一次是{account}，{time}结束：{state}";
    YOU_SAID: "You said", "您的决定";
    IT_ENDED: "It ended", "结果";
    ASKED_AGO: "asked {ago}", "{ago}申请";
    NO_REASON: "none given", "未填写";
    SOON_AND_TIME: "{soon}, {time}", "{soon}，{time}";
    YOUR_REASON: "Your reason", "您的原因";
    REASON_IS_READ: "{person} reads it. Say why if you deny.", "{person}会看到。如驳回，请说明原因。";
    REASON_IS_KEPT: "Kept with the record. Say why if you deny.", "与记录一同保存。如驳回，请说明原因。";
    APPROVE: "Approve", "批准";
    APPROVE_AND_REMOVE_BUTTON: "Approve and remove", "批准并删除";
    DENY: "Deny", "驳回";
    CONFIRM: "Confirm", "确认";
    CONFIRM_AND_REMOVE_BUTTON: "Confirm and remove", "确认并删除";
    CANCEL_REQUEST: "Cancel request", "取消申请";
    CONTESTED_NOTE: "**{account} may be the account of several people**: {people}. Find out whose it is, and deny the request if the person is active.", "**{account}可能属于多人**：{people}。请先查明账号归谁；如归属人在职，请驳回。";
    FORBIDDEN_NOW: "**{policies} would forbid the removal now, and an approval or confirmation would end the request.** It expires {time}.", "**策略{policies}现在会禁止此次删除，批准或确认会使申请结束。**申请于{time}过期。";
    APPROVED_AT: "{person} approved at {time}.", "{person}已于{time}批准。";
    PROGRESS_ONE: "**{given} of {required} approvals.** {votes}One more is missing until {until}; then {account} is removed from {place} and you are told.", "**已获{given}/{required}人批准。**{votes}还需1人在{until}前批准；届时将删除{place}上的{account}并通知您。";
    PROGRESS_ONE_FROM: "**{given} of {required} approvals.** {votes}{approvers} can give the missing one until {until}; then {account} is removed from {place} and you are told.", "**已获{given}/{required}人批准。**{votes}还需{approvers}中的1人在{until}前批准；届时将删除{place}上的{account}并通知您。";
    PROGRESS_MORE: "**{given} of {required} approvals.** {votes}{n} more are missing until {until}; then {account} is removed from {place} and you are told.", "**已获{given}/{required}人批准。**{votes}还需{n}人在{until}前批准；届时将删除{place}上的{account}并通知您。";
    PROGRESS_MORE_FROM: "**{given} of {required} approvals.** {votes}{approvers} can give the missing {n} until {until}; then {account} is removed from {place} and you are told.", "**已获{given}/{required}人批准。**{votes}还需{approvers}中的{n}人在{until}前批准；届时将删除{place}上的{account}并通知您。";
    OWN_REASON: "You asked {through} because “{reason}”.", "您{through}以“{reason}”为由提出申请。";
    OWN_WITHOUT_REASON: "You asked {through} and gave no reason.", "您{through}提出申请，未填写原因。";
    OWN_REASON_AND_POLICY: "You asked {through} because “{reason}”, as {policies} permits.", "您{through}以“{reason}”为由提出申请，依据策略{policies}。";
    OWN_POLICY: "You asked {through} and gave no reason; {policies} permits the request.", "您{through}提出申请，未填写原因，依据策略{policies}。";
    OWN_REASON_AND_POLICIES: "You asked {through} because “{reason}”, as {policies} permit.", "您{through}以“{reason}”为由提出申请，依据策略{policies}。";
    OWN_POLICIES: "You asked {through} and gave no reason; {policies} permit the request.", "您{through}提出申请，未填写原因，依据策略{policies}。";

    // Ask.
    CHOOSE_CHECK_SEND: "Choose, check, send. No request leaves the gateway before the last button.", "选择、预检、提交。点击最后一个按钮之前，网关不会发送任何请求。";
    ONE_ACCOUNT: "1 account", "1个账号";
    ACCOUNTS_COUNTED: "{n} accounts", "{n}个账号";
    SHOWN_OF_TOTAL: "{shown} of {total} accounts on {instance}", "{instance}上{total}个账号中的{shown}个";
    FIND_BY: "Find by account or owner", "按账号或归属人查找";
    FIND: "Find", "查找";
    NO_ACCOUNT_MATCHES: "No account matches.", "没有匹配的账号。";
    MATCHES_PATTERN: "matches {pattern}, never removed here", "匹配{pattern}，不通过本网关删除";
    LIST_UNREADABLE_ASK: "**The account list could not be read.** No request can be sent from a list that was not read; try again in a few minutes.", "**无法读取账号列表。**未读取列表时不能提交申请；请几分钟后重试。";
    WHY_REMOVE: "Why should the account go?", "为什么要删除此账号？";
    WHO_READS_THE_REASON: "Approvers and auditors read it. A ticket number helps them.", "审批人和审计人员会看到。建议注明工单号。";
    CHECK: "Check", "预检";
    CHECK_AGAIN: "Check again", "重新预检";
    NOT_CHECKED: "**The request was not checked, and nothing was sent:** {why}", "**未预检，也未发送任何请求：**{why}";
    MAY_ASK_NOWHERE: "**No policy permits you to ask for a removal on any instance.** Ask the operator to add a policy.", "**没有策略允许您在任何实例上申请删除。**请联系管理员添加策略。";
    WHAT_WOULD_HAPPEN: "What would happen", "预检结果";
    CHECKED_AT: "checked", "预检时间";
    WOULD_BE_REFUSED: "**The request would be refused.**", "**申请会被拒绝。**";
    WOULD_BE_REMOVED: "**The account would be removed at once.**", "**账号会立即删除。**";
    WOULD_WAIT_FOR_ONE: "**The request would wait for 1 approval.**", "**申请需要1人批准。**";
    WOULD_WAIT: "**The request would wait for {n} approvals.**", "**申请需要{n}人批准。**";
    ON_THE_LIST: "{account} is on {instance}, says the account list.", "账号列表显示{instance}上有{account}。";
    NOT_ON_THE_LIST: "{account} is not on {instance}, says the account list.", "账号列表显示{instance}上没有{account}。";
    LIST_UNREADABLE: "The account list could not be read, so it is not known whether the account exists.", "无法读取账号列表，不能确定账号是否存在。";
    MAY_REMOVE: "You may remove it at once: {policies}.", "您可以立即删除：{policies}。";
    MAY_ASK: "You may ask for it: {policies}.", "您可以提出申请：{policies}。";
    MAY_NOT_REMOVE_AT_ONCE: "You may not remove it at once: no policy permits that.", "您不能立即删除：没有策略允许。";
    MAY_NOT_ASK: "You may not ask for it: no policy permits that.", "您不能提出申请：没有策略允许。";
    FORBIDDEN: "Forbidden by {policies}.", "策略{policies}禁止。";
    FORBIDDEN_AT_TIMES: "{policies} would forbid it under conditions that are not met now. Policy is asked again at the last approval.", "策略{policies}在其他条件下会禁止，目前未满足。最后一次批准时会再次判定。";
    PROTECTED_BY: "{account} matches {pattern} and is never removed here.", "{account}匹配{pattern}，不通过本网关删除。";
    ALREADY_WAITS: "A request for this account waits already: {reference}.", "此账号已有待处理的申请：{reference}。";
    MISSING_ONE: "Missing: 1 approval.", "还需1人批准。";
    MISSING_ONE_FROM: "Missing: 1 approval, from {approvers}.", "还需1人批准，可由{approvers}审批。";
    MISSING: "Missing: {n} approvals.", "还需{n}人批准。";
    MISSING_FROM: "Missing: {n} approvals, from {approvers}.", "还需{n}人批准，可由{approvers}审批。";
    OWNER_LEFT: "Owner: {owner}.", "归属人：{owner}。";
    OWNER_IS_ACTIVE: "Its owner is active: {owner}.", "归属人在职：{owner}。";
    OWNER_CAME_BACK: "It was removed before and is there again: {owner}.", "此前已删除，现又存在：{owner}。";
    OWNER_UNKNOWN: "No person is known for this name.", "此账号名没有对应的人员。";
    OWNER_CONTESTED: "It may be the account of several people: {owner}.", "可能属于多人：{owner}。";
    OWNER_IS_OPERATOR: "The operator keeps it.", "由管理员保留。";
    SEND: "Send", "提交";
    SEND_REQUEST: "Send request", "提交申请";
    SEND_AND_REMOVE_BUTTON: "Send and remove", "提交并删除";
    START_AGAIN: "Start again", "重新开始";

    // Removals.
    CSV_OF_THESE: "CSV of these rows", "导出CSV";
    ONE_IS_UNKNOWN: "**The outcome of 1 removal is unknown.** No usable answer had come by {time}. Open {account}, and the account list is read again.", "**1次删除结果未知。**截至{time}没有可用的应答。打开{account}会重新读取账号列表。";
    SOME_ARE_UNKNOWN: "**The outcome of {n} removals is unknown.** Open the rows, and the account list is read again; the newest is {account}.", "**{n}次删除结果未知。**打开记录会重新读取账号列表；最近一次是{account}。";
    ROWS_TITLE: "Rows", "记录";
    FILTER_REMOVALS: "Filter removals", "筛选删除记录";
    FILTER: "Filter", "筛选";
    CLEAR: "Clear", "清除";
    CLEAR_THE_FILTERS: "Clear the filters", "清除筛选";
    ALL_OF_THEM: "All", "全部";
    FROM_DAY: "From", "开始日期";
    UNTIL_DAY: "Until", "结束日期";
    NOT_FILTERED: "**The filter cannot be used, so all rows are shown:** {why}", "**筛选条件无效，已显示全部记录：**{why}";
    NO_REMOVAL_MATCHES: "No removal matches.", "没有匹配的删除记录。";
    NEWEST_FIRST: "Newest first", "最新的在前";
    ASKED_SINCE: "Asked since {since}, newest first", "{since}起的申请，最新的在前";
    ASKED_UNTIL: "Asked until {until}, newest first", "截至{until}的申请，最新的在前";
    ASKED_BETWEEN: "Asked from {since} to {until}, newest first", "{since}至{until}的申请，最新的在前";
    PROTECTED_BY_PATTERN: "protected by {pattern}", "受{pattern}保护";
    NOT_PROVED: "not proved", "身份未验证";
    NOT_ENDED: "not ended", "未结束";
    ONE_ROW: "1 row, {newest}", "1条，{newest}";
    ROWS: "{n} rows, {newest} to {oldest}", "{n}条，{newest}至{oldest}";
    LAST_30_DAYS: "Last 30 days", "最近30天";
    REQUESTS_BY_GROUP: "{n} requests, by what became of them", "{n}个申请，按结果统计";
    ONE_REQUEST_BY_GROUP: "1 request, by what became of it", "1个申请，按结果统计";
    REQUESTS_A_DAY: "Requests a day, {a} to {b}, by what became of them", "{a}至{b}每日申请，按结果统计";
    CHART_DESCRIPTION: "{n} requests: {counts}. The numbers are in the table below.", "共{n}个申请：{counts}。数字见下表。";
    DAY_AND_COUNTS: "{day}: {counts}", "{day}：{counts}";
    THE_NUMBERS: "The numbers, by week", "按周统计的数字";
    WEEK: "Week", "周";
    FROM_TO: "{a} to {b}", "{a}至{b}";
    TIME_TO_DECISION: "Time to decision", "审批用时";
    HOW_LONG_PEOPLE_TOOK: "How long approvers took to decide", "审批人用了多长时间";
    WAITED: "{n} requests waited for approvers and were decided: half within **{half}**, nine in ten within **{nine}**.", "{n}个申请经审批人处理：一半在**{half}**内，九成在**{nine}**内。";
    ONE_WAITED: "1 request waited for approvers and was decided, within **{half}**.", "1个申请经审批人处理，用时**{half}**。";
    NONE_WAITED: "No request was decided by approvers.", "没有经审批人处理的申请。";
    RANGE_AND_COUNT: "{range}: {n}", "{range}：{n}";
    UNDER_5_MIN: "under 5 min", "5分钟内";
    UP_TO_15_MIN: "5–15 min", "5–15分钟";
    UP_TO_60_MIN: "15–60 min", "15–60分钟";
    UP_TO_4_H: "1–4 h", "1–4小时";
    UP_TO_24_H: "4–24 h", "4–24小时";
    OVER_24_H: "over 24 h", "超过24小时";
    RANGE_EXPIRED: "expired", "已过期";

    // A removal.
    DECIDE_AT_WAITING: "Go to Waiting", "前往待处理";
    HEADLINE_WAITS: "**{state}.** No removal was sent yet; the request expires {until}.", "**{state}。**尚未发送删除请求；申请于{until}过期。";
    HEADLINE_IN_FLIGHT: "**{state}.** The removal is being sent, or its outcome is not recorded yet.", "**{state}。**正在发送删除请求，或结果尚未记录。";
    HEADLINE_REMOVED: "**{state}, {time}.** TaurusDB answered that the account was removed.", "**{state}，{time}。**TaurusDB应答已删除账号。";
    HEADLINE_REMOVED_BY_LIST: "**{state}, {time}.** The account list confirms that the account is gone.", "**{state}，{time}。**账号列表确认账号已不存在。";
    HEADLINE_ALREADY_GONE: "**{state}, {time}.** The account was not there when its removal was sent.", "**{state}，{time}。**发送删除请求时账号已不存在。";
    HEADLINE_UNKNOWN: "**{state}, {time}.** The removal was sent, and the account list could not be read to learn its effect.", "**{state}，{time}。**删除请求已发送，但无法读取账号列表以确认结果。";
    HEADLINE_NOT_REMOVED: "**{state}, {time}.** The removal was sent, and the account was not removed.", "**{state}，{time}。**删除请求已发送，账号未删除。";
    HEADLINE_NOT_SENT: "**{state}, {time}.** No removal was sent.", "**{state}，{time}。**未发送删除请求。";
    HEADLINE_DRY_RUN: "**{state}, {time}.** A dry run sends no removal.", "**{state}，{time}。**预检不发送删除请求。";
    WHAT_HAPPENED: "What happened", "经过";
    RECORD: "Record", "记录";
    RAW_RECORD: "Raw record", "原始记录";
    AS_THE_API_GIVES_IT: "as {request} gives it", "同{request}的返回内容";
    THE_ACCOUNT_LIST: "the account list", "账号列表";
    TOOK_TO_DECIDE_AND_SETTLE: "{decide} to decide, {settle} to settle", "审批{decide}，执行{settle}";
    STEP_ASKED: "{requester} asked, {through}", "{requester}{through}提出申请";
    STEP_ASKED_WITHOUT_PROOF: "A request came, and its sender was not proved", "收到请求，发送方身份未验证";
    STEP_REMOVE_BECAUSE: "Remove {account} from {place}, because “{reason}”.", "删除{place}上的{account}，原因：“{reason}”。";
    STEP_REMOVE_WITHOUT_REASON: "Remove {account} from {place}. No reason was given.", "删除{place}上的{account}，未填写原因。";
    STEP_NAMED_NO_ACCOUNT: "The request named no account that could be read.", "请求中没有可识别的账号。";
    STEP_PROVED: "Identity proved ({kind})", "身份已验证（{kind}）";
    STEP_PRINCIPAL: "Principal {principal}.", "主体：{principal}。";
    STEP_PRINCIPAL_FOR: "Principal {principal}, for {person}.", "主体：{principal}，起因于{person}。";
    STEP_POLICY_YES: "Policy: permitted", "策略：允许";
    STEP_POLICY_ASK: "Policy: may ask, others approve", "策略：可申请，由他人审批";
    STEP_POLICY_NO: "Policy: not permitted", "策略：不允许";
    STEP_DECIDED_BY: "Decided by {policies}.", "依据策略{policies}。";
    STEP_NO_POLICY: "No policy permits it.", "没有策略允许。";
    STEP_POLICY_SET: "Policy set {digest}.", "策略集{digest}。";
    STEP_WAITS_FOR_CONFIRMATION: "Waits for the requester’s confirmation", "等待申请人确认";
    STEP_WAITS_FOR_ONE: "Waits for 1 approval", "等待1人批准";
    STEP_WAITS: "Waits for {n} approvals", "等待{n}人批准";
    STEP_WAITED_FOR_CONFIRMATION: "Waited for the requester’s confirmation", "曾等待申请人确认";
    STEP_WAITED_FOR_ONE: "Waited for 1 approval", "曾等待1人批准";
    STEP_WAITED: "Waited for {n} approvals", "曾等待{n}人批准";
    STEP_EXPIRES: "The request expires {until}.", "申请于{until}过期。";
    STEP_WOULD_HAVE_EXPIRED: "The limit was {until}.", "期限为{until}。";
    STEP_APPROVED: "{person} approved, {through}", "{person}{through}批准";
    STEP_DENIED: "{person} denied, {through}", "{person}{through}驳回";
    STEP_NTH_OF: "Approval {nth} of {required}.", "第{nth}个批准，共需{required}个。";
    STEP_NO_REASON: "No reason was given.", "未填写原因。";
    STEP_SENT: "Sent to TaurusDB", "已发送至TaurusDB";
    STEP_SENT_SEVERAL: "Sent to TaurusDB, {n} attempts", "已发送至TaurusDB，共{n}次";
    STEP_ONE_DELETE: "One DELETE for {account}.", "对{account}发送了1次删除请求。";
    STEP_SEVERAL_DELETES: "{n} DELETEs for {account}; only the last one can have had an effect.", "对{account}发送了{n}次删除请求；只有最后一次可能生效。";
    STEP_SETTLED: "Settled by the account list: {state}", "依据账号列表确认：{state}";

    // Accounts.
    SHOW: "Show", "显示";
    ALL_ACCOUNTS: "All accounts", "全部账号";
    FIND_ACCOUNTS: "Find accounts", "查找账号";
    ACCOUNT_OR_OWNER: "Account or owner", "账号或归属人";
    ALL_IN_ORDER: "**None of the {total} accounts on {instance} belongs to a person who left.**", "**{instance}上的{total}个账号均不属于离职人员。**";
    SHOULD_BE_GONE_LEFT: "**{n} of {total} accounts on {instance} should not be there**: their owners left.", "**{instance}上{total}个账号中有{n}个不应存在**：归属人已离职。";
    SHOULD_BE_GONE_BACK: "**{n} of {total} accounts on {instance} should not be there**: they came back.", "**{instance}上{total}个账号中有{n}个不应存在**：删除后重现。";
    SHOULD_BE_GONE: "**{n} of {total} accounts on {instance} should not be there**: the owners of {left} left, {back} came back.", "**{instance}上{total}个账号中有{n}个不应存在**：{left}个的归属人已离职，{back}个删除后重现。";
    READ_FROM_TAURUSDB: "Read from TaurusDB at {time}.", "{time}从TaurusDB读取。";
    READ_FROM: "Read from TaurusDB at {time}; owners from {sources}.", "{time}从TaurusDB读取；归属人来自{sources}。";
    SCIM_CALLER: "SCIM {caller}", "SCIM {caller}";
    TAURUSDB_S_OWN: "TaurusDB’s own", "TaurusDB自有";
    SYSTEM_ACCOUNT: "system account", "系统账号";
    REMOVED_BEFORE: "Removed {date}, there again since", "{date}已删除，之后又出现";
    REFUSED_BEFORE: "Refused {date}", "{date}被拒绝";
    DENIED_BEFORE: "Denied by {person}, {date}", "{date}被{person}驳回";
    DENIED_BEFORE_BECAUSE: "Denied by {person}, {date}: “{reason}”", "{date}被{person}驳回：“{reason}”";
    ASK_FOR_REMOVAL: "Ask for removal", "申请删除";
    OF_ACCOUNT: " of {account}", "：{account}";
    NEVER_REMOVED: "Never removed here", "不通过本网关删除";
    LIST_UNREADABLE_ACCOUNTS: "**The account list could not be read.** What is shown is known from rows of the ledger; try again in a few minutes.", "**无法读取账号列表。**以下内容来自台账记录；请几分钟后重试。";
    EXTENT_OF_ACCOUNTS: "{shown} of {total}, what needs a look first", "{total}个中的{shown}个，需要关注的在前";

    // Policy.
    ONE_POLICY_IN_FORCE: "1 policy is in force. Without a permit the answer is no, and a forbid wins over every permit.", "1条策略生效。没有允许即不允许，禁止优先于任何允许。";
    POLICIES_IN_FORCE: "{n} policies are in force. Without a permit the answer is no, and a forbid wins over every permit.", "{n}条策略生效。没有允许即不允许，禁止优先于任何允许。";
    DIGEST: "Digest", "摘要";
    IN_FORCE_SINCE: "In force since", "生效时间";
    WHEN_FIRST_DECIDED: "when it decided the first request", "首次据此判定申请的时间";
    FILES: "Files", "文件";
    MATCHES: "matches", "一致";
    DOES_NOT_MATCH: "does not match", "不一致";
    EXPLAIN_A_DECISION: "Explain a decision", "解释判定";
    EXPLAIN: "Explain", "解释";
    ANSWER: "Answer", "结果";
    BY_POLICY_SET: "by policy set {digest}", "依据策略集{digest}";
    IN_FORCE: "In force", "生效的策略";
    PERMIT: "permit", "允许";
    FORBID: "forbid", "禁止";
    ALL_PRINCIPALS: "all principals", "所有主体";
    ALL_ACTIONS: "all actions", "所有操作";
    EVERYWHERE: "everywhere", "所有位置";
    WITH_CONDITIONS: "with conditions", "有条件";
    WHO_HINT: "A person, such as {person}, or a system, such as {system}", "人员，例如{person}；或系统，例如{system}";
    ACTION_REMOVE_OR_ASK: "Remove at once, or else ask", "立即删除，否则申请";
    ACTION_DELETE: "Remove at once (delete)", "立即删除（delete）";
    ACTION_REQUEST: "Ask (request)", "申请（request）";
    ACTION_APPROVE: "Approve or deny (approve)", "批准或驳回（approve）";
    ACTION_LIST: "See the account list (list)", "查看账号列表（list）";
    ACTION_AUDIT: "See the record (audit)", "查看记录（audit）";
    MORE_OF_THE_CONTEXT: "More of the context", "更多条件";
    REMOVALS_BY_THEM: "Removals by them in the last hour", "该主体最近1小时的删除数";
    REMOVALS_ON_INSTANCE: "Removals on the instance in the last hour", "该实例最近1小时的删除数";
    CONFIRMED: "Confirmed", "已确认";
    NOT_EXPLAINED: "**The question cannot be answered:** {why}", "**无法解释：**{why}";
    OWN_ACCOUNTS: "Own accounts", "本人账号";
    CONTEXT: "Context", "条件";
    PRINCIPAL_AND_KIND: "{principal}, kind {kind}", "{principal}，类型{kind}";
    YES: "yes", "是";
    NO: "no", "否";
    ACTION_AND_ANSWER: "{action}: {answer}", "{action}：{answer}";
    YES_PERMITS: "**Yes, at once. {policies} permits it.**", "**可以立即删除。策略{policies}允许。**";
    YES_PERMIT: "**Yes, at once. {policies} permit it.**", "**可以立即删除。策略{policies}允许。**";
    ASK_PERMITS: "**Only after approval. {policies} permits the request.**", "**须经审批。策略{policies}允许申请。**";
    ASK_PERMIT: "**Only after approval. {policies} permit the request.**", "**须经审批。策略{policies}允许申请。**";
    NO_FORBIDS: "**No. {policies} forbids it.**", "**不允许。策略{policies}禁止。**";
    NO_FORBID: "**No. {policies} forbid it.**", "**不允许。策略{policies}禁止。**";
    WITHOUT_PERMITS: "Without it, {others} would permit it.", "若无此策略，{others}会允许。";
    WITHOUT_PERMIT: "Without it, {others} would permit it.", "若无此策略，{others}会允许。";
    NO_POLICY_PERMITS: "**No. No policy permits it.**", "**不允许。没有策略允许。**";
    POLICY_FAILED: "**No. {policies} could not be evaluated.**", "**不允许。策略{policies}无法求值。**";
    PERMITS_IT: "permits it", "允许";
    FORBIDS_IT: "forbids it", "禁止";
    FAILED: "could not be evaluated", "无法求值";
    PERMIT_OVERRULED: "would permit it; overruled", "本会允许；被否决";
    FORBID_OVERRULED: "would forbid it; not needed", "本会禁止；未用到";
    PERMIT_NOT_MET: "would permit it; condition not met", "本会允许；条件未满足";
    FORBID_NOT_MET: "would forbid it; condition not met", "本会禁止；条件未满足";
    TEXT_OF_POLICY: "Text of {id}", "{id}的内容";
    TEXT_OF_POLICY_FOR: "{action}: text of {id}", "{action}：{id}的内容";

    // Signing in.
    SIGN_IN: "Sign in", "登录";
    SIGN_IN_AGAIN_TITLE: "Sign in again to go on", "请重新登录";
    WHAT_IT_IS_FOR: "See what waits for you, ask for the removal of a StarRocks account, or look up what became of one.", "查看待您处理的申请，申请删除StarRocks账号，或查找删除记录。";
    CONTINUE: "Continue", "继续";
    CONTINUE_WITH: "Continue with {provider}", "通过{provider}继续";
    SIGNED_IN_FOR: "You stay signed in for {n} hours at most. Signing in gives no right by itself: policy decides each request.", "登录状态最长保持{n}小时。登录本身不授予任何权限：每个申请均由策略判定。";
    SIGNED_IN_FOR_ONE_HOUR: "You stay signed in for 1 hour at most. Signing in gives no right by itself: policy decides each request.", "登录状态最长保持1小时。登录本身不授予任何权限：每个申请均由策略判定。";
    SIGNED_OUT: "You have signed out.", "您已退出登录。";
    SIGN_IN_FAILED: "**You were not signed in.** {why}", "**登录失败。**{why}";
    NO_ACCOUNT_HERE: "no account here? Ask the operator.", "没有账号？请联系管理员。";
    SESSION_OVER: "Session over", "会话已结束";
    SESSION_ENDED: "Your session is over.", "您的会话已结束。";
    SESSION_ENDED_AT: "Your session ended at {time}, after {n} h.", "您的会话已于{time}结束，时长{n}小时。";
    BRINGS_YOU_BACK: "Signing in brings you back to the page. Nothing is sent by itself.", "登录后返回原页面，不会自动发送任何请求。";
    REFERENCE_AND_ACCOUNT: "{reference} ({account})", "{reference}（{account}）";
    LOST: "**What you sent was not counted**, and nothing was changed.", "**您提交的内容未计入**，未作任何更改。";
    LOST_REQUEST: "**Your request for {which} was not sent.**", "**您对{which}的申请未提交。**";
    LOST_APPROVAL: "**Your approval of {which} was not counted**, and the request still waits.", "**您对{which}的批准未计入**，申请仍在等待。";
    LOST_DENIAL: "**Your denial of {which} was not counted**, and the request still waits.", "**您对{which}的驳回未计入**，申请仍在等待。";
    LOST_CONFIRMATION: "**Your confirmation of {which} was not counted**, and the request still waits.", "**您对{which}的确认未计入**，申请仍在等待。";
    LOST_CANCELLATION: "**Your request {which} was not cancelled**, and it still waits.", "**您的申请{which}未取消**，仍在等待。";

    // Errors.
    NOT_PERMITTED: "Not permitted", "不允许";
    NOT_FOUND: "Not found", "未找到";
    UNAVAILABLE: "Not available", "不可用";
    NOT_COUNTED: "Not counted", "未计入";
    FAILED_TITLE: "Failed", "失败";
    MAY_NOT_SEE_THIS_REMOVAL: "You may not look at this removal", "您不能查看此删除记录";
    MAY_NOT_SEE_THIS: "You may not look at this", "您不能查看此内容";
    MAY_NOT_SEE_THE_ACCOUNTS: "You may not look at these accounts", "您不能查看这些账号";
    MAY_NOT_DECIDE_THIS: "You may not decide this request", "您不能审批此申请";
    MAY_NOT_ASK_FOR_THIS: "You may not ask for this removal", "您不能申请此次删除";
    NOTHING_IS_HERE: "There is no such page or removal", "没有此页面或删除记录";
    CANNOT_WORK_NOW: "The gateway cannot work at the moment", "网关暂时无法工作";
    FORM_IS_STALE: "This form cannot be used any more", "此表单已失效";
    REQUEST_REFUSED: "The request was refused", "请求被拒绝";
    SOMETHING_FAILED: "The gateway failed to answer", "网关未能应答";
    NOTHING_WAS_CHANGED: "Nothing was changed, and no removal was sent.", "未作任何更改，也未发送删除请求。";
    IF_YOU_NEED_IT: "If you need it, send the code and the request ID to the operator. What you asked for yourself you can always see.", "如有需要，请将错误码和请求ID发给管理员。您自己的申请始终可以查看。";
    CHECK_THE_ADDRESS: "Check the address, or look the removal up.", "请检查地址，或查找删除记录。";
    TRY_AGAIN_OR_OPERATOR: "Try again in a few minutes. If the failure stays, send the code and the request ID to the operator.", "请几分钟后重试。如仍失败，请将错误码和请求ID发给管理员。";
    OPEN_AND_DECIDE_AGAIN: "Open the page again, read what it says now, and decide again.", "请重新打开页面，查看当前内容后再操作。";
    GO_BACK_AND_CORRECT: "Go back and correct the request.", "请返回并更正请求。";
    IN_NO_TEAM: "none", "无";
    ACTION_ON_ACCOUNT: "{action} of {account} {environment}", "{action}，{account} {environment}";
    NO_POLICY_PERMITS_IT: "no policy permits it", "没有策略允许";
    BACK_TO_WAITING: "Back to Waiting", "返回待处理";
    YOUR_OWN_REMOVALS: "Your own removals", "您的删除记录";
}

/// Returns what a caller kind is called; `None` of a kind that has no name here.
pub(super) fn kind(kind: &str) -> Option<Localized> {
    Some(match kind {
        "slack" => KIND_SLACK,
        "mattermost" => KIND_MATTERMOST,
        "teams" => KIND_TEAMS,
        "discord" => KIND_DISCORD,
        "google-chat" => KIND_GOOGLE_CHAT,
        "feishu" => KIND_FEISHU,
        "dingtalk" => KIND_DINGTALK,
        "wecom" => KIND_WECOM,
        "github" => KIND_GITHUB,
        "gitlab" => KIND_GITLAB,
        "okta" => KIND_OKTA,
        "oneaccess" => KIND_ONEACCESS,
        "welink" => KIND_WELINK,
        "cloudevents" => KIND_CLOUDEVENTS,
        "standard-webhooks" => KIND_WEBHOOK,
        "scim" => KIND_SCIM,
        "api" | "http-signature" => KIND_API,
        "console" => KIND_CONSOLE,
        _ => return None,
    })
}

/// Returns how a request came through a caller of a kind.
pub(super) fn through(kind: &str) -> Localized {
    match kind {
        "slack" | "mattermost" | "teams" | "discord" | "google-chat" | "feishu" | "dingtalk" | "wecom" => IN_A_CHAT,
        "console" => IN_THE_CONSOLE,
        "scim" => OVER_SCIM,
        "api" | "http-signature" => THROUGH_THE_API,
        _ => BY_AN_EVENT,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::callers::shapes;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|behind| Some(behind.split_once('}')?.0)).collect()
    }

    #[test]
    fn both_languages_have_the_same_values() {
        for (name, text) in ALL {
            assert_eq!(placeholders(text.en), placeholders(text.zh), "{name}");
            for text in [text.en, text.zh] {
                assert_eq!(text.matches("**").count() % 2, 0, "{name}");
                assert_eq!(text.matches('{').count(), text.matches('}').count(), "{name}");
            }
        }
    }

    #[test]
    fn texts_have_one_voice() {
        let never = ["please", "oops", "successful", "!", "somebody", "nobody", "whoever", "anybody", "everybody"];
        for (name, text) in ALL {
            let english = text.en.to_lowercase();
            assert!(never.iter().all(|word| !english.contains(word)), "{name}: {english}");
            let is_ideograph = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            let characters: Vec<_> = text.zh.chars().collect();
            for pair in characters.windows(2) {
                let [a, b] = pair else { continue };
                assert!(!(is_ideograph(*a) && ",.:;?!()".contains(*b)), "{name}: {}", text.zh);
                let is_apart = *b == ' ' && is_ideograph(*a) && !text.zh.contains(" {");
                assert!(!is_apart, "{name}: {}", text.zh);
            }
            for old in ["帐号", "令牌", "理由", "归属者", "你"] {
                assert!(!text.zh.contains(old), "{name}: {}", text.zh);
            }
        }
    }

    #[test]
    fn every_caller_kind_has_a_name() {
        for shape in shapes() {
            assert!(kind(shape.name).is_some(), "{}", shape.name);
        }
    }
}

//! The catalogue: every code of the gateway's own with its status, its state and its sentence in both languages.
//!
//! Data and nothing else. `{name}` in a sentence is a placeholder that [`Message`](super::message::Message) fills in when the
//! message is read. Two entries with the same code are two sentences for it, such as with and without policies.
//! `docs/error-codes.md` is held to this file by a test.

use super::language::Localized;
use super::state::State;

/// One sentence of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP status of the documented answer; the first three digits of the code.
    pub status: u16,
    /// The last two digits of the code.
    pub number: u8,
    /// What the ledger keeps.
    pub state: State,
    /// The sentence, with placeholders.
    pub text: Localized,
}

impl Entry {
    /// The `error_code`, such as `OFFBOARD.40001`.
    pub fn code(&self) -> String {
        format!("OFFBOARD.{}{:02}", self.status, self.number)
    }
}

macro_rules! catalog {
    ($($name:ident: $status:literal $number:literal $state:ident $en:literal $zh:literal;)*) => {
        $(#[doc = $en] pub static $name: Entry = Entry {
            status: $status,
            number: $number,
            state: State::$state,
            text: Localized { en: $en, zh: $zh },
        };)*

        /// Every entry, by code.
        pub static ALL: &[&Entry] = &[$(&$name),*];
    };
}

catalog! {
    BODY_MALFORMED: 400 1 Refused
        "the request body cannot be parsed: {why}"
        "无法解析请求体：{why}";
    FIELD_DOUBLED: 400 2 Refused
        "{name} appears more than once; send it once"
        "{name} 重复出现；请只发送一次";
    FIELD_MISSING: 400 3 Refused
        "{name} is missing or empty; send it with a value"
        "缺少 {name} 或其值为空；请提供";
    USER_NAME_INVALID: 400 4 Refused
        "account name {given} is not valid: use 2 to 32 lowercase letters, digits and `_`, with a letter first and a letter or digit last; the operator can allow older names"
        "账号名 {given} 无效：长度为2-32个字符，以小写字母开头，以小写字母或数字结尾，只能包含小写字母、数字和 `_`；旧账号名可由管理员放行";
    PROJECT_ID_INVALID: 400 5 Refused
        "project ID {given} is not valid: it has 32 letters and digits; set the client's project ID"
        "项目ID {given} 无效：应为32位字母和数字；请在客户端设置项目ID";
    INSTANCE_ID_INVALID: 400 6 Refused
        "instance ID {given} is not valid: it has 32 letters and digits, then `in` and two digits"
        "实例ID {given} 无效：应为32位字母和数字，后接 `in` 和两位数字";
    LANGUAGE_INVALID: 400 7 Refused
        "language {given} is not supported; set X-Language to `en-us` or `zh-cn`"
        "不支持语言 {given}；请将X-Language设为 `en-us` 或 `zh-cn`";
    URL_MALFORMED: 400 8 Refused
        "the path or query is ambiguous; encode special bytes as `%` and two hexadecimal digits, and send no `+`, no encoded slash and no parameter without a name"
        "路径或查询参数有歧义；请将特殊字节编码为 `%` 加两位十六进制数，不要使用 `+`、编码的斜杠或无名参数";
    NO_PARAMETERS: 400 9 Refused
        "query parameter {name} is not supported; this call takes no query parameters"
        "不支持查询参数 {name}；此接口没有查询参数";
    PARAMETER_UNKNOWN: 400 9 Refused
        "query parameter {name} is not supported; this call takes only {known}"
        "不支持查询参数 {name}；此接口只支持 {known}";
    FIELD_INVALID: 400 10 Refused
        "{name} is {given}; expected {expected}"
        "{name} 的值为 {given}；应为{expected}";
    CHARACTER_UNSEEN: 400 10 Refused
        "{name} has the character {character}, which cannot be seen; remove it"
        "{name} 含有不可见字符{character}；请删除该字符";
    COMMAND_MALFORMED: 400 11 Refused
        "the command was not understood; write `ACCOUNT INSTANCE [REASON]` or `help`"
        "无法识别该命令；请输入 `账号名 实例名 [原因]` 或 `help`";
    COMMAND_NOT_TEXT: 400 11 Refused
        "the message has no text that can be read; write `ACCOUNT INSTANCE [REASON]` or `help` as text"
        "消息中没有可识别的文本；请以文本形式输入 `账号名 实例名 [原因]` 或 `help`";
    FLAG_UNKNOWN: 400 11 Refused
        "{given} is not a flag of this command; no removal was sent; write `--dry-run` to see what would happen, or leave the dashes out"
        "{given} 不是此命令的选项，未发送删除请求；如需预检请输入 `--dry-run`，否则请去掉开头的短横线";
    DRY_RUN_UNCLEAR: 400 11 Refused
        "{given} may be meant as the flag `--dry-run`; no removal was sent; write `--dry-run`, or write the reason without these words"
        "{given} 可能是指选项 `--dry-run`，未发送删除请求；请输入 `--dry-run`，或在原因中去掉该词";
    COMMAND_UNKNOWN: 400 11 Refused
        "{given} is not a command; did you mean {meant}?"
        "{given} 不是命令；您是否想输入 {meant}？";
    COMMAND_WORDS_WRONG: 400 11 Refused
        "the command was not understood; write {usage}, or `help` for all commands"
        "无法识别该命令；请输入 {usage}，或输入 `help` 查看所有命令";
    SEVERAL_COMMANDS: 400 11 Refused
        "the message has more than one command; no removal was sent; write one account and one instance a message, and a reason without names of instances"
        "消息中有多条命令，未发送删除请求；请每条消息只写一个账号和一个实例，原因中不要包含实例名";
    SEVERAL_READINGS: 400 11 Refused
        "the command can be read in more than one way; no removal was sent; write `ACCOUNT INSTANCE [REASON]` and no other words"
        "该命令有多种理解方式，未发送删除请求；请只输入 `账号名 实例名 [原因]`";
    ACCOUNT_IS_PERSON: 400 11 Refused
        "{given} is an address or a mention and not an account name; write the name of the account on the instance"
        "{given} 是邮箱地址或@提及，不是账号名；请输入实例上的账号名";
    BODY_CUT_SHORT: 400 12 Refused
        "the request body is shorter than its Content-Length; send the request again"
        "请求体短于Content-Length；请重新发送请求";
    LEAVER_NAMELESS: 400 13 Refused
        "no account name follows from event {event}; no removal was sent; ask the operator to check `[caller.leavers]`"
        "根据事件 {event} 无法得出账号名，未发送删除请求；请联系管理员检查 `[caller.leavers]`";
    PROOF_MISSING: 401 1 Refused
        "{header} is missing or empty, so the sender cannot be verified; send it with the request"
        "缺少 {header} 或其值为空，无法验证发送方身份；请在请求中提供";
    PROOF_MALFORMED: 401 2 Refused
        "{header} is malformed; send it exactly as the platform or signing library produced it"
        "{header} 格式错误；请按平台或签名库生成的原样发送";
    SCHEME_WRONG: 401 2 Refused
        "{header} does not begin with `Bearer`; write `Bearer ` before the token"
        "{header} 未以 `Bearer` 开头；请在Token前写上 `Bearer `";
    PROOF_DOUBLED: 401 3 Refused
        "{header} appears more than once; send it once"
        "{header} 重复出现；请只发送一次";
    PROOF_STALE: 401 4 Refused
        "the request timestamp is more than 300 seconds from the gateway's time; sign the request again and check the clock"
        "请求时间戳与网关时间相差超过300秒；请重新签名并检查时钟";
    PROOF_WRONG: 401 5 Refused
        "the signature or token does not match this request; check the secret, and that no proxy changes the request"
        "签名或Token与请求不匹配；请检查密钥，并确认请求未被代理修改";
    SECRET_UNSET: 401 6 Refused
        "no usable secret is set for this caller, so its requests cannot be verified; ask the operator to set one"
        "此调用方没有可用的密钥，无法验证其请求；请联系管理员设置";
    PROOF_EXPIRED: 401 7 Refused
        "the token or signature has expired or is not valid yet; get a new one and check the clock"
        "Token或签名已过期或尚未生效；请重新获取并检查时钟";
    TOKEN_REFUSED: 401 8 Refused
        "the token is not accepted here; check its claim {claim}"
        "本网关不接受该Token；请检查其声明 {claim}";
    KEY_UNKNOWN: 401 9 Refused
        "the token is signed with a key that its issuer does not publish; get a new token"
        "Token的签名密钥不在签发方公布的公钥中；请重新获取Token";
    SIGN_IN_OVER: 401 10 Refused
        "this sign-in took longer than 10 minutes, is over already or began in another browser; sign in again"
        "本次登录已超过10分钟、已结束，或不是从此浏览器发起的；请重新登录";
    SIGN_IN_REFUSED: 401 11 Refused
        "the identity provider did not sign you in: {why}; sign in again, or ask the operator"
        "身份提供商未完成登录：{why}；请重新登录，或联系管理员";
    SESSION_OVER: 401 12 Refused
        "your session is over, so nothing was changed; sign in again"
        "会话已结束，未作任何更改；请重新登录";
    NOT_PERMITTED: 403 1 Denied
        "no policy permits this removal; no removal was sent; ask a person who is permitted, or ask the operator to add a policy"
        "没有策略允许此次删除，未发送删除请求；请联系有权限的人员，或联系管理员添加策略";
    FORBIDDEN: 403 1 Denied
        "this removal is forbidden by policy {policies}; no removal was sent; ask the operator"
        "策略 {policies} 禁止此次删除，未发送删除请求；请联系管理员";
    NOT_EVALUATED: 403 1 Denied
        "the policies could not be evaluated; no removal was sent; ask the operator to look at the log"
        "策略评估失败，未发送删除请求；请联系管理员查看日志";
    ACCOUNT_RESERVED: 403 2 Refused
        "account {name} is a system account and is never removed"
        "账号 {name} 是系统账号，不能删除";
    ACCOUNT_PROTECTED: 403 3 Refused
        "account {name} is protected by the operator and is never removed through this gateway"
        "账号 {name} 受管理员保护，不能通过本网关删除";
    AUDIT_NOT_PERMITTED: 403 4 Denied
        "no policy permits you to view this; ask the operator to add a policy"
        "没有策略允许您查看；请联系管理员添加策略";
    AUDIT_FORBIDDEN: 403 4 Denied
        "viewing this is forbidden by policy {policies}"
        "策略 {policies} 禁止您查看";
    AUDIT_NOT_EVALUATED: 403 4 Denied
        "the policies could not be evaluated; ask the operator to look at the log"
        "策略评估失败；请联系管理员查看日志";
    REJECTED: 403 5 Rejected
        "{by} denied the request; no removal was sent"
        "{by} 驳回了申请，未发送删除请求";
    REJECTED_WITH_REASON: 403 5 Rejected
        "{by} denied the request: {reason}; no removal was sent"
        "{by} 驳回了申请，原因：{reason}；未发送删除请求";
    OWN_REQUEST: 403 6 Denied
        "requesters cannot approve or deny their own request; ask another approver, or cancel the request"
        "申请人不能审批自己的申请；请由其他审批人处理，或取消申请";
    NOT_REQUESTER: 403 7 Denied
        "only the requester can confirm or cancel this request"
        "只有申请人可以确认或取消此申请";
    APPROVAL_NOT_PERMITTED: 403 8 Denied
        "no policy permits you to approve or deny this request; ask an approver"
        "没有策略允许您审批此申请；请联系审批人";
    APPROVAL_FORBIDDEN: 403 8 Denied
        "approving and denying this request is forbidden by policy {policies}"
        "策略 {policies} 禁止您审批此申请";
    APPROVAL_NOT_EVALUATED: 403 8 Denied
        "the policies could not be evaluated; ask the operator to look at the log"
        "策略评估失败；请联系管理员查看日志";
    LEAVERS_REFUSED: 403 9 Denied
        "gone: {gone} of {all} accounts; {left}"
        "{all}个账号中{gone}个已不存在；{left}";
    OPERATE_NOT_PERMITTED: 403 10 Denied
        "no policy permits you to run jobs and to read metrics; ask the operator to permit the action `operate`"
        "没有策略允许您运行作业和读取指标；请联系管理员允许操作`operate`";
    OPERATE_FORBIDDEN: 403 10 Denied
        "running jobs and reading metrics is forbidden by policy {policies}"
        "策略 {policies} 禁止您运行作业和读取指标";
    OPERATE_NOT_EVALUATED: 403 10 Denied
        "the policies could not be evaluated; ask the operator to look at the log"
        "策略评估失败；请联系管理员查看日志";
    FORM_FOREIGN: 403 11 Refused
        "the form was not sent from a page of this console, so nothing was changed; open the page and send it from there"
        "表单不是从本控制台的页面提交的，未作任何更改；请打开页面后提交";
    FORM_REFUSED: 403 12 Refused
        "the form was not made for you and this action, so nothing was changed; open the page again"
        "表单不是为您和此操作生成的，未作任何更改；请重新打开页面";
    FORM_OLD: 403 13 Refused
        "the page was opened more than an hour ago, so nothing was changed; open it again"
        "页面打开已超过1小时，未作任何更改；请重新打开";
    ROUTE_UNKNOWN: 404 1 Refused
        "this path does not exist; to remove an account, send DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…"
        "路径不存在；删除账号请使用DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…";
    CALLER_UNKNOWN: 404 2 Refused
        "caller {name} is not configured; use the caller name from the operator"
        "调用方 {name} 未配置；请使用管理员提供的调用方名称";
    INSTANCE_UNKNOWN: 404 3 Refused
        "instance {given} is not configured; check the name or ID, or ask the operator to add the instance"
        "实例 {given} 未配置；请检查名称或ID，或联系管理员添加";
    INSTANCE_MISSPELT: 404 3 Refused
        "instance {given} is not configured; did you mean {meant}?"
        "实例 {given} 未配置；您是否想输入 {meant}？";
    INSTANCE_AMBIGUOUS: 404 3 Refused
        "instance {given} differs from several instances in case alone; write the name exactly"
        "实例 {given} 与多个实例名仅大小写不同；请准确输入实例名";
    REMOVAL_UNKNOWN: 404 4 Refused
        "no removal has the ID {id}; use the removal ID or the reference from the first answer"
        "没有ID为 {id} 的删除记录；请使用首次响应中的记录ID或申请编号";
    PENDING_UNKNOWN: 404 5 Refused
        "no request is waiting under {id}; look it up in the list of pending requests"
        "没有编号为 {id} 的待处理申请；请在待处理列表中查看";
    PERSON_UNKNOWN: 404 6 Refused
        "no person has the ID {id}; search by `userName`"
        "没有ID为 {id} 的人员；请按 `userName` 查询";
    GROUP_UNKNOWN: 404 7 Refused
        "no group has the ID {id}: this gateway keeps people and no groups; leave groups out of the provisioning"
        "没有ID为 {id} 的群组：本网关只保存人员，不保存群组；请关闭群组同步";
    METHOD_NOT_ALLOWED: 405 1 Refused
        "this path supports only {allow}"
        "此路径只支持 {allow}";
    ONLY_REMOVES_AND_LISTS: 405 1 Refused
        "this gateway only removes StarRocks accounts and lists them; send this call to TaurusDB itself"
        "本网关只删除和查询StarRocks账号；请直接向TaurusDB发送此请求";
    NOT_ACCEPTABLE: 406 1 Refused
        "no content type in `accept` is available; use `application/json`, `text/csv` or `application/x-ndjson`"
        "无法提供 `accept` 中的内容类型；请使用 `application/json`、`text/csv` 或 `application/x-ndjson`";
    IN_PROGRESS: 409 1 Refused
        "the same request is still in progress; try again in a moment to get its result"
        "相同的请求仍在处理中；请稍后重试以获取结果";
    DELIVERY_REUSED: 409 2 Refused
        "this delivery ID was already used for another account or instance; no removal was sent; send the request with a new ID"
        "此投递ID已用于其他账号或实例，未发送删除请求；请使用新的ID重新发送";
    CONFIRM_TO_REMOVE: 409 3 AwaitingConfirmation
        "no removal was sent; to remove the account, confirm {reference} before {until}"
        "未发送删除请求；如需删除账号，请在{until}前确认 {reference}";
    CONFIRM_TO_SUBMIT: 409 3 AwaitingConfirmation
        "no removal was sent; to submit the request for approval, confirm {reference} before {until}"
        "未发送删除请求；如需提交审批，请在{until}前确认 {reference}";
    AWAITING_APPROVAL: 409 4 AwaitingApproval
        "no removal was sent; request {reference} needs {missing} more approval before {until}"
        "未发送删除请求；申请 {reference} 还需{missing}人批准，截止{until}";
    AWAITING_APPROVALS: 409 4 AwaitingApproval
        "no removal was sent; request {reference} needs {missing} more approvals before {until}"
        "未发送删除请求；申请 {reference} 还需{missing}人批准，截止{until}";
    CANCELLED: 409 5 Cancelled
        "the requester cancelled the request; no removal was sent"
        "申请人已取消申请，未发送删除请求";
    EXPIRED: 409 6 Expired
        "the request expired before it was confirmed or approved; no removal was sent; send a new request"
        "申请在确认或批准前已过期，未发送删除请求；请重新提交申请";
    CONFIGURATION_CHANGED: 409 7 Denied
        "the configuration changed after this request was made; no removal was sent; send a new request"
        "提交申请后配置已变更，未发送删除请求；请重新提交申请";
    LEAVERS_WAITING: 409 8 AwaitingApproval
        "gone: {gone} of {all} accounts; {left}; send the same event again for the result"
        "{all}个账号中{gone}个已不存在；{left}；请重新发送同一事件以获取结果";
    PERSON_TAKEN: 409 9 Refused
        "the name {user_name} belongs to another person; search by `userName`"
        "名称 {user_name} 已属于其他人员；请按 `userName` 查询";
    ACCOUNT_EXISTS_AGAIN: 409 10 Refused
        "the same event was already completed for this account, and the account exists again; no removal was sent; to remove it, send a new request"
        "同一事件此前已处理完此账号，而该账号再次存在，未发送删除请求；如需删除，请重新提交申请";
    FORM_CHANGED: 409 11 Refused
        "what the page showed has changed since, so nothing was changed; open it again and read it"
        "页面所示内容此后已有变化，未作任何更改；请重新打开并确认内容";
    BODY_TOO_LARGE: 413 1 Refused
        "the request body is larger than {limit}; send a smaller one"
        "请求体超过{limit}；请减小请求体";
    CONTENT_TYPE_WRONG: 415 1 Refused
        "the content type is not supported; use {expected}"
        "不支持该内容类型；请使用 {expected}";
    BODY_ENCODED: 415 2 Refused
        "the request body is compressed; send it uncompressed"
        "请求体已压缩；请发送未压缩的请求体";
    SCIM_UNSUPPORTED: 501 1 Refused
        "{name} is not supported; send a request for each person to `/Users`"
        "不支持 {name}；请向 `/Users` 逐个发送人员的请求";
    NOT_REACHED: 502 1 NotSent
        "TaurusDB could not be reached; no removal was carried out and the account is unchanged; try again later"
        "无法连接TaurusDB，未执行删除，账号未受影响；请稍后重试";
    HOST_NOT_ALLOWED: 502 1 NotSent
        "the gateway is not allowed to connect to TaurusDB's host; no removal was sent; ask the operator to check allowed_outbound_hosts"
        "网关未获准连接TaurusDB的主机，未发送删除请求；请联系管理员检查allowed_outbound_hosts";
    OUTCOME_UNKNOWN: 502 2 Unknown
        "the outcome is unknown: the removal may have been sent, no usable answer came back, and the account list could not be read; try again in a few minutes, and the gateway checks the account list first"
        "结果未知：删除请求可能已发送，未收到有效响应，且无法读取账号列表；请几分钟后重试，网关会先核对账号列表";
    TOKEN_UNAVAILABLE: 502 3 NotSent
        "IAM gave the gateway no token; no removal was carried out and the account is unchanged; try again later"
        "网关未能从IAM获取Token，未执行删除，账号未受影响；请稍后重试";
    IAM_NOT_ALLOWED: 502 3 NotSent
        "the gateway is not allowed to connect to IAM's host; no removal was sent; ask the operator to check allowed_outbound_hosts"
        "网关未获准连接IAM的主机，未发送删除请求；请联系管理员检查allowed_outbound_hosts";
    STILL_LISTED: 502 4 NotRemoved
        "the account was not removed: no usable answer came back, and the account list still has the account; try again"
        "账号未删除：未收到有效响应，账号列表中仍有此账号；请重试";
    LEAVERS_UNCONFIRMED: 502 5 NotSent
        "gone: {gone} of {all} accounts; {left}; send the same event again"
        "{all}个账号中{gone}个已不存在；{left}；请重新发送同一事件";
    ACCOUNT_LIST_UNREADABLE: 502 6 NotSent
        "the account list could not be read, so it is not known whether the account exists; no removal was sent; try again later"
        "无法读取账号列表，不能确定账号是否存在，未发送删除请求；请稍后重试";
    ACCOUNT_LIST_UNAVAILABLE: 502 6 NotSent
        "the account list could not be read; try again later"
        "无法读取账号列表；请稍后重试";
    LEDGER_DOWN: 503 1 NotSent
        "the ledger is not available; this request sent no removal; try again later"
        "台账不可用，本次请求未发送删除请求；请稍后重试";
    PERSON_NOT_UPDATED: 503 1 NotSent
        "the accounts are gone, but the person could not be updated; send the same change again"
        "账号已不存在，但人员信息未能更新；请重新发送同一变更";
    CONFIGURATION_UNUSABLE: 503 2 NotSent
        "the gateway's configuration or policies cannot be used; no removal was sent; ask the operator to look at /healthz and the log"
        "网关的配置或策略不可用，未发送删除请求；请联系管理员查看/healthz和日志";
    ENDPOINT_INVALID: 503 2 NotSent
        "a Spin variable of the gateway has an endpoint that is not valid; no removal was sent; ask the operator to look at the log"
        "网关的Spin变量中的终端节点无效，未发送删除请求；请联系管理员查看日志";
    CREDENTIALS_UNSET: 503 3 NotSent
        "the gateway has no credentials for TaurusDB; no removal was sent; ask the operator to set them"
        "网关未设置TaurusDB凭证，未发送删除请求；请联系管理员设置";
    CREDENTIALS_REFUSED: 503 4 NotSent
        "IAM refused the gateway's credentials for TaurusDB; no removal was carried out and the account is unchanged; ask the operator to look at the log"
        "IAM拒绝了网关的TaurusDB凭证，未执行删除，账号未受影响；请联系管理员查看日志";
    KEYS_UNAVAILABLE: 503 5 NotSent
        "the public keys of the token's issuer are not available, so the sender cannot be verified; no removal was sent; try again later"
        "无法获取Token签发方的公钥，不能验证发送方身份，未发送删除请求；请稍后重试";
    KEYS_UNUSABLE: 503 5 NotSent
        "the public keys of the token's issuer cannot be used, so the sender cannot be verified; no removal was sent; ask the operator to look at the log"
        "Token签发方的公钥不可用，不能验证发送方身份，未发送删除请求；请联系管理员查看日志";
    LEDGER_IN_MEMORY: 503 6 NotSent
        "the ledger's database is in memory and would forget this removal; no removal was sent; ask the operator to look at /readyz"
        "台账数据库在内存中，无法保存本次删除的记录，未发送删除请求；请联系管理员查看/readyz";
    PROVIDER_UNAVAILABLE: 503 7 NotSent
        "the identity provider could not be reached, so you are not signed in; try again later"
        "无法连接身份提供商，未完成登录；请稍后重试";
    PROVIDER_UNUSABLE: 503 7 NotSent
        "the identity provider cannot be used as it is configured, so you are not signed in; ask the operator to look at the log"
        "身份提供商的配置不可用，未完成登录；请联系管理员查看日志";
    FIRST_BYTE_TIMED_OUT: 504 1 Unknown
        "the outcome is unknown: the removal was sent, TaurusDB did not begin to answer in time, and the account list could not be read; try again in a few minutes, and the gateway checks the account list first"
        "结果未知：删除请求已发送，TaurusDB未及时开始响应，且无法读取账号列表；请几分钟后重试，网关会先核对账号列表";
    CONNECT_TIMED_OUT: 504 2 NotSent
        "the connection to TaurusDB timed out; no removal was carried out and the account is unchanged; try again later"
        "连接TaurusDB超时，未执行删除，账号未受影响；请稍后重试";
    CALL_TIMED_OUT: 504 3 Unknown
        "the outcome is unknown: the removal was sent, TaurusDB did not finish its answer in time, and the account list could not be read; try again in a few minutes, and the gateway checks the account list first"
        "结果未知：删除请求已发送，TaurusDB未及时完成响应，且无法读取账号列表；请几分钟后重试，网关会先核对账号列表";
    TIME_SPENT: 504 4 NotSent
        "the request reached its time limit; no removal was carried out and the account is unchanged; try again later"
        "请求已达到总时限，未执行删除，账号未受影响；请稍后重试";
    TIME_SPENT_SENDING: 504 5 Unknown
        "the outcome is unknown: the removal was sent, the request reached its time limit, and the account list could not be read; try again in a few minutes, and the gateway checks the account list first"
        "结果未知：删除请求已发送，请求已达到总时限，且无法读取账号列表；请几分钟后重试，网关会先核对账号列表";
}

/// Sentences that have no code of the gateway's own, or one that depends on TaurusDB's status.
pub mod other {
    use super::super::language::Localized;

    /// TaurusDB removed the account.
    pub const REMOVED: Localized = Localized { en: "removed", zh: "已删除" };
    /// The account list settled an unknown outcome.
    pub const GONE_BY_LIST: Localized = Localized {
        en: "the account is gone: no usable answer came back, and the account list no longer has the account",
        zh: "账号已不存在：未收到有效响应，账号列表中已无此账号",
    };
    /// Every account of a leaver is gone.
    pub const ALL_GONE: Localized =
        Localized { en: "all {all} accounts are gone", zh: "全部{all}个账号均已不存在" };
    /// The only account of a leaver is gone.
    pub const ACCOUNT_GONE: Localized = Localized { en: "the account is gone", zh: "账号已不存在" };
    /// Every account of a leaver is gone that is theirs.
    pub const SOME_KEPT: Localized = Localized {
        en: "gone: {gone} of {all} accounts; {left}",
        zh: "{all}个账号中{gone}个已不存在；{left}",
    };
    /// A leaver's accounts that may or may not be gone.
    pub const LEFT_UNCONFIRMED: Localized = Localized { en: "not confirmed: {named}", zh: "尚未确认：{named}" };
    /// A leaver's accounts whose removal waits.
    pub const LEFT_WAITING: Localized = Localized {
        en: "waiting for approval: {named}; each is removed once it is approved",
        zh: "待审批：{named}；批准后将自动删除",
    };
    /// A leaver's accounts whose removal was refused.
    pub const LEFT_REFUSED: Localized =
        Localized { en: "refused: {named}; ask the operator", zh: "被拒绝：{named}；请联系管理员" };
    /// Accounts that an approver left to the other person who may have them.
    pub const LEFT_KEPT: Localized = Localized {
        en: "left to another person by an approver: {named}",
        zh: "经审批人决定属于他人：{named}",
    };
    /// The reason of a row about a leaver without an account.
    pub const OF_LEAVER: Localized =
        Localized { en: "leaver {leaver}, event {event}", zh: "离职人员{leaver}，事件 {event}" };
    /// An account in one of these.
    pub const ACCOUNT_ON: Localized =
        Localized { en: "{user_name} on {instance} ({why})", zh: "{instance} 上的 {user_name}（{why}）" };
    /// An event that could not be understood, among those that were refused.
    pub const EVENT: Localized = Localized { en: "event {event} ({why})", zh: "事件 {event}（{why}）" };
    /// Why an account waits although policy permits its removal.
    pub const CONTESTED: Localized = Localized {
        en: "{leaver} leaves, and the account may be that of {other}",
        zh: "{leaver} 离职，而该账号可能属于 {other}",
    };
    /// The account lists have none of the names that a leaver's account may have.
    pub const NO_ACCOUNT: Localized = Localized {
        en: "no account was found for this person; no removal was sent",
        zh: "未找到该人员的账号，未发送删除请求",
    };
    /// What a dry run found.
    pub const DRY_RUN: Localized = Localized {
        en: "dry run, no removal was sent: {account}; {would}",
        zh: "预检，未发送删除请求：{account}；{would}",
    };
    /// A client error with a body that TaurusDB's API page does not document.
    pub const UNDOCUMENTED_REFUSAL: Localized = Localized {
        en: "TaurusDB refused the removal with {status} in an undocumented form; ask the operator to look at the log",
        zh: "TaurusDB以 {status} 拒绝了删除请求，响应体不符合API文档；请联系管理员查看日志",
    };
    /// A server error with a body that TaurusDB's API page does not document.
    pub const UNDOCUMENTED_ERROR: Localized = Localized {
        en: "the outcome is unknown: the removal was sent, the answer was {status} in an undocumented form, and the account list could not be read; try again in a few minutes, and the gateway checks the account list first",
        zh: "结果未知：删除请求已发送，返回了 {status} 和不符合API文档的响应体，且无法读取账号列表；请几分钟后重试，网关会先核对账号列表",
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The table of docs/error-codes.md is this one: every code, in order, with the English sentence.
    #[test]
    fn the_page_has_every_code() {
        let mut rows: Vec<(String, Vec<&str>)> = Vec::new();
        for entry in ALL {
            match rows.last_mut() {
                Some((code, texts)) if *code == entry.code() => texts.push(entry.text.en),
                _ => rows.push((entry.code(), vec![entry.text.en])),
            }
        }
        let expected: Vec<_> =
            rows.iter().map(|(code, texts)| format!("| `{code}` | {} |", texts.join(" / "))).collect();
        let page = include_str!("../../docs/error-codes.md");
        let written: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("| `OFFBOARD.") && !line.starts_with("| `OFFBOARD.<"))
            .collect();
        assert_eq!(written, expected, "\n{}", expected.join("\n"));
    }

    #[test]
    fn codes_are_in_order_and_each_has_one_state() {
        let codes: Vec<_> = ALL.iter().map(|entry| entry.code()).collect();
        assert!(codes.is_sorted(), "{codes:?}");
        let mut states = BTreeMap::new();
        for entry in ALL {
            assert_eq!(*states.entry(entry.code()).or_insert(entry.state), entry.state, "{}", entry.code());
            assert!(entry.status >= 400, "{}", entry.code());
        }
        assert_eq!(states.len(), 80);
    }

    /// One voice: lowercase, no full stop, and both languages there with the same placeholders.
    #[test]
    fn messages_have_one_voice() {
        let placeholders = |text: &str| {
            let mut names: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect();
            names.sort();
            names
        };
        for entry in ALL {
            let Localized { en, zh } = entry.text;
            let first = en.chars().next().unwrap();
            assert!(!first.is_uppercase() || en.starts_with("TaurusDB") || en.starts_with("IAM"), "{en}");
            assert!(!en.ends_with('.') && !en.contains("please"), "{en}");
            assert!(!zh.is_ascii() && !zh.ends_with('。'), "{zh}");
            assert_eq!(placeholders(en), placeholders(zh), "{en}");
        }
    }
}

//! Every way a request can end, and the one table from an ending to its HTTP status, its code and its wording.
//!
//! The documented bodies are TaurusDB's: `{"result":"SUCCESS"}`, otherwise `{"error_code":"…","error_msg":"…"}`
//! (API page "Deleting a Database Account of a StarRocks Instance", 2025-07-29). What TaurusDB said passes with its own
//! status, code and message; what the gateway itself refuses has a code `OFFBOARD.<status><nn>`.
//!
//! Three kinds of failure are told apart and never merged: nothing was sent, TaurusDB refused, it was sent and the
//! outcome is not known. An [`Outcome`] holds what the asker may read; internal detail goes to the log, not in here.
//!
//! Not in here: how a chat platform or a webhook wants its answer shaped; that is `caller`'s.

mod from_request;
pub mod language;
pub mod state;

use std::borrow::Cow;

use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::outcome::language::{Language, Localized};
use crate::outcome::state::State;

/// How a request ended.
///
/// Strings inside are what the asker wrote or what TaurusDB said; the table quotes and shortens them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// TaurusDB answered 200 `{"result":"SUCCESS"}`.
    Removed,
    /// It was sent, no usable answer came back, and TaurusDB's account list does not have the account any more.
    RemovedByList,
    /// TaurusDB says that there is no such account, and its account list does not contradict it; passed on as it is.
    AlreadyGone {
        /// TaurusDB's status: 400.
        status: StatusCode,
        /// Its `error_code`.
        code: String,
        /// Its `error_msg`.
        message: String,
    },
    /// TaurusDB would not do it now: it was throttled, busy or not available, and stayed so; passed on as it is.
    Busy {
        /// TaurusDB's status: 409, 429 or 503.
        status: StatusCode,
        /// Its `error_code`.
        code: String,
        /// Its `error_msg`.
        message: String,
    },
    /// TaurusDB refused with a documented body; passed on as it is.
    Upstream {
        /// TaurusDB's status, 4xx or 5xx.
        status: StatusCode,
        /// Its `error_code`.
        code: String,
        /// Its `error_msg`.
        message: String,
    },
    /// TaurusDB refused (4xx or 5xx) with a body that its page does not document.
    Undocumented {
        /// TaurusDB's status, kept.
        status: StatusCode,
    },
    /// An earlier delivery's answer, said again from its ledger row.
    Recorded {
        /// How the first one ended.
        state: State,
        /// The first answer's status.
        status: StatusCode,
        /// The first answer's code.
        code: String,
        /// The first answer's message.
        message: String,
    },

    /// The body is not what its content type says.
    BodyMalformed {
        /// What is wrong with it.
        why: Localized,
    },
    /// The body ended before its Content-Length, or the connection broke.
    BodyCutShort,
    /// A form field, a JSON key or a query parameter stands twice.
    FieldDoubled {
        /// Its name.
        name: String,
    },
    /// A mandatory field or parameter is not there, or is empty.
    FieldMissing {
        /// Its name.
        name: &'static str,
    },
    /// A field has a value that nothing is known for.
    FieldInvalid {
        /// Its name.
        name: &'static str,
        /// What was given.
        given: String,
        /// What would be right.
        expected: Localized,
    },
    /// A query parameter that the call does not have.
    ParameterUnknown {
        /// Its name.
        name: String,
        /// Those that it has.
        known: &'static [&'static str],
    },
    /// Path or query is not percent-encoded UTF-8 that can be read in one way only.
    UrlMalformed,
    /// A chat command that is neither a removal nor `help`.
    CommandMalformed,
    /// A name outside the documented range.
    UserNameInvalid {
        /// What was given.
        given: String,
    },
    /// Not 32 letters and digits.
    ProjectIdInvalid {
        /// What was given.
        given: String,
    },
    /// Not 32 letters and digits, `in` and two digits.
    InstanceIdInvalid {
        /// What was given.
        given: String,
    },
    /// `X-Language` is neither `en-us` nor `zh-cn`.
    LanguageInvalid {
        /// What was given.
        given: String,
    },

    /// The header that proves who asked is not there, or is empty.
    ProofMissing {
        /// Its name.
        header: &'static str,
    },
    /// The header is there, and not in the form its platform writes.
    ProofMalformed {
        /// Its name.
        header: &'static str,
    },
    /// A header that may stand once stands twice.
    ProofDoubled {
        /// Its name.
        header: Cow<'static, str>,
    },
    /// Signed more than 300 seconds from now, either way.
    ProofStale,
    /// The signature is well-formed and not the right one, or its key is not known.
    ProofWrong,
    /// No secret is set, so nobody can prove to be this caller.
    SecretUnset,
    /// The proof's own time is over, or has not come yet: a token's, or that of a platform with another window.
    ProofExpired,
    /// A token that is right in itself, and not for this gateway.
    TokenRefused {
        /// The claim that says so.
        claim: &'static str,
    },
    /// The token is signed with a key that its issuer does not publish.
    KeyUnknown,
    /// The public keys that could prove it cannot be had.
    KeysUnavailable,

    /// Policy does not permit it.
    Denied {
        /// The ids of the `forbid` policies that decided; empty when no policy permits it.
        policies: Vec<String>,
    },
    /// One of TaurusDB's own accounts.
    AccountReserved {
        /// The name as given.
        name: String,
    },
    /// On the operator's list of protected accounts.
    AccountProtected {
        /// The name as given.
        name: String,
    },

    /// No such route.
    RouteUnknown,
    /// `/hooks/…` names no configured caller.
    CallerUnknown {
        /// The name as given.
        name: String,
    },
    /// The instance is not in offboard.toml.
    InstanceUnknown {
        /// The name or ids as given.
        given: String,
    },
    /// The route exists, for other methods.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: &'static str,
    },
    /// None of the content types that `Accept` asks for can be had.
    NotAcceptable,
    /// The same delivery is still being carried out.
    StillRunning,
    /// The delivery's id was used before, for another account.
    DeliveryReused,
    /// The body is over 64 KiB.
    BodyTooLarge,
    /// Wrong content type.
    ContentTypeWrong {
        /// The one that is taken.
        expected: &'static str,
    },
    /// The body is compressed.
    BodyEncoded,

    /// The connection to TaurusDB could not be made: nothing was sent.
    NotSent,
    /// The connection to TaurusDB was not made in time: nothing was sent.
    ConnectTimedOut,
    /// The time for the whole request was over before anything was sent.
    TimeSpent,
    /// No token could be had from IAM: nothing was sent.
    TokenUnavailable,
    /// It was sent, no usable answer came back, and TaurusDB's account list still has the account.
    NotRemoved,
    /// It was sent, no usable answer came back, and the account list could not be read.
    OutcomeUnknown,
    /// The same; the answer did not begin in time.
    TimedOut,
    /// The same; the answer was not there whole in time.
    CallTimedOut,
    /// The same; the time for the whole request was over.
    TimeSpentSending,
    /// The ledger cannot be read or written: nothing was sent.
    LedgerDown,
    /// offboard.toml or the policies cannot be used: nothing was sent.
    Unusable,
    /// The gateway's own credentials for TaurusDB are not set: nothing was sent.
    CredentialsUnset,
    /// IAM gives the gateway's own credentials no token: nothing was sent.
    CredentialsRefused,

    /// Nothing was sent yet: whoever asked has to confirm it.
    AwaitingConfirmation {
        /// What to confirm.
        reference: String,
        /// Whether somebody else has to approve it then.
        needs_approval: bool,
    },
    /// Nothing was sent yet: somebody else has to approve it.
    AwaitingApproval {
        /// What to approve.
        reference: String,
        /// How many people have yet to.
        missing: u32,
    },
    /// Whoever asked did not want it any more.
    Cancelled,
    /// It waited too long.
    Expired,
    /// Somebody who might have approved it said no.
    Rejected {
        /// Who.
        by: String,
        /// Why, if they said.
        reason: Option<String>,
    },
    /// Whoever asked wants to approve it themselves.
    OwnRequest,
    /// Somebody else than whoever asked wants to confirm or cancel it.
    NotTheirs,
    /// Policy does not permit to approve or deny it.
    ApproveDenied {
        /// The ids of the `forbid` policies that decided; empty when no policy permits it.
        policies: Vec<String>,
    },
    /// Nothing waits under this id.
    WaitingUnknown {
        /// The id as given.
        id: String,
    },
    /// The configuration says something else now than when it was asked for.
    Changed,
    /// What would have happened.
    DryRun {
        /// What would have been done.
        would: DryRunDecision,
        /// Whether TaurusDB has the account.
        account: AccountPresence,
        /// The ids of the policies that decided.
        policies: Vec<String>,
    },

    /// What became of the accounts of somebody who left, or of several people.
    Left {
        /// One each, of those that there were.
        departures: Vec<AccountResult>,
    },
    /// What is known of somebody who leaves makes no account's name.
    LeaverNameless {
        /// The event that says so.
        event: String,
    },
    /// The account list could not be read, so nobody knows whether there is anything to remove: nothing was sent.
    ListUnreadable,
    /// The same event removed the account before, and it is there again.
    ThereAgain,
    /// The directory has nobody with the id.
    PersonUnknown {
        /// The id as given.
        id: String,
    },
    /// The directory has somebody else with the name.
    PersonTaken {
        /// The name, in lowercase.
        user_name: String,
    },

    /// No removal has the id, or it is not one that can be looked at.
    RemovalUnknown {
        /// The id as given.
        id: String,
    },
    /// Policy does not permit to look at this removal.
    LookDenied {
        /// The ids of the `forbid` policies that decided; empty when no policy permits it.
        policies: Vec<String>,
    },
}

/// What became of one account of somebody who left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountResult {
    /// The instance's name.
    pub instance: String,
    /// The account.
    pub user_name: String,
    /// How far it came.
    #[serde(serialize_with = "as_word")]
    pub state: State,
    /// The code of its own outcome.
    pub code: String,
    /// The id of its row.
    pub removal: String,
    /// What it waits for approval by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

pub(crate) fn as_word<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

/// What is to be said of all of them: the worst of it.
pub(crate) enum BatchSeverity {
    Gone,
    /// Some are not, and asking again may help.
    Again,
    Waiting,
    Refused,
}

impl BatchSeverity {
    fn of(departures: &[AccountResult]) -> (Self, Vec<&AccountResult>) {
        let class = |departure: &AccountResult| match departure.state {
            State::Removed | State::AlreadyGone => Self::Gone,
            State::InFlight | State::NotRemoved | State::NotSent | State::Unknown => Self::Again,
            State::AwaitingConfirmation | State::AwaitingApproval => Self::Waiting,
            _ => Self::Refused,
        };
        let left = || departures.iter().filter(|departure| !matches!(class(departure), Self::Gone));
        let has = |wanted: fn(&Self) -> bool| left().any(|departure| wanted(&class(departure)));
        let together = match () {
            () if has(|class| matches!(class, Self::Again)) => Self::Again,
            () if has(|class| matches!(class, Self::Waiting)) => Self::Waiting,
            () if has(|class| matches!(class, Self::Refused)) => Self::Refused,
            () => Self::Gone,
        };
        (together, left().collect())
    }

    fn row(departures: &[AccountResult]) -> Row {
        /// The most accounts that a message names.
        const NAMED: usize = 5;

        let (together, left) = Self::of(departures);
        let gone = departures.len().saturating_sub(left.len());
        let all = departures.len();
        let name = |departure: &&AccountResult| {
            let why = departure.reference.as_ref().unwrap_or(&departure.code);
            format!("{} on {} ({why})", quoted(&departure.user_name), quoted(&departure.instance))
        };
        let mut named = left.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
        if left.len() > NAMED {
            named += ", …";
        }
        let en =
            |rest: &str, then: &str| format!("{gone} of {all} accounts are gone, the rest {rest}: {named}; {then}");
        let zh = |rest: &str, then: &str| format!("{all} 个账号中已有 {gone} 个不存在，其余{rest}：{named}；{then}");
        match together {
            Self::Gone => row(200, 0, State::Removed, "all accounts are gone", "所有账号均已不存在"),
            Self::Again => row(
                502,
                5,
                State::NotSent,
                en("is not certain to be", "send the same event again for the rest"),
                zh("尚不确定", "请重新发送同一事件以完成其余部分"),
            ),
            Self::Waiting => row(
                409,
                8,
                State::AwaitingApproval,
                en("waits for approval", "send the same event again when it is given"),
                zh("等待批准", "批准后请重新发送同一事件"),
            ),
            Self::Refused => {
                row(403, 9, State::Denied, en("was refused", "ask the operator about it"), zh("被拒绝", "请咨询管理员"))
            }
        }
    }
}

/// What is said of every removal of which nobody knows what it did.
pub(crate) const UNKNOWN: &str = "the account list could not be read, so nobody knows whether the account is gone; ask again in a few minutes: the account list is looked at first";

pub(crate) const UNKNOWN_CHINESE: &str =
    "且无法读取账号列表，因此无法确定账号是否已删除；请几分钟后重新提交：网关会先查看账号列表";

/// What a dry run would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRunDecision {
    /// Removed the account.
    Remove,
    /// Asked for somebody's approval.
    RequestApproval,
    /// Nothing: policy says no.
    Deny,
}

impl DryRunDecision {
    fn words(self) -> (&'static str, Localized) {
        match self {
            Self::Remove => ("remove", Localized { en: "it would be removed at once", zh: "将立即删除" }),
            Self::RequestApproval => {
                ("request-approval", Localized { en: "somebody else would have to approve it", zh: "需要他人批准" })
            }
            Self::Deny => ("deny", Localized { en: "policy would not permit it", zh: "策略不允许" }),
        }
    }
}

/// Whether TaurusDB has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountPresence {
    /// It does.
    Present,
    /// It does not.
    Absent,
    /// Its list could not be read.
    Unknown,
}

impl AccountPresence {
    fn words(self) -> (&'static str, Localized) {
        match self {
            Self::Present => ("present", Localized { en: "the account is there", zh: "账号存在" }),
            Self::Absent => ("absent", Localized { en: "there is no such account", zh: "账号不存在" }),
            Self::Unknown => {
                ("unknown", Localized { en: "the account list could not be read", zh: "无法读取账号列表" })
            }
        }
    }
}

/// One row of the table.
pub(crate) struct Row {
    status: u16,
    /// The last two digits of the code.
    number: u8,
    state: State,
    en: String,
    zh: String,
}

pub(crate) fn row(status: u16, number: u8, state: State, en: impl Into<String>, zh: impl Into<String>) -> Row {
    Row { status, number, state, en: en.into(), zh: zh.into() }
}

/// The asker's words in backticks: control characters made visible, at most 64 characters of them.
pub(crate) fn quoted(given: &str) -> String {
    let mut shown = String::from("`");
    for (count, character) in given.chars().enumerate() {
        if count == 64 {
            shown.push('…');
            break;
        }
        // A backtick inside would end the quotation in the eyes of every chat platform.
        match character {
            '`' => shown.push('\''),
            ' '..='~' => shown.push(character),
            other => shown.extend(other.escape_unicode()),
        }
    }
    shown.push('`');
    shown
}

/// Names in backticks, with what stands between them and before the last.
pub(crate) fn list(names: &[&str], between: &str, last: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{}{last}{end}", rest.join(between)),
        _ => names.concat(),
    }
}

pub(crate) fn policy_list(policies: &[String]) -> String {
    policies.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", ")
}

impl Outcome {
    /// The table. docs/error-codes.md is held to it by a test.
    fn row(&self) -> Row {
        use State::*;
        match self {
            Self::Removed => row(200, 0, Removed, "removed", "已删除"),
            Self::RemovedByList => row(
                200,
                0,
                Removed,
                "removed: no usable answer came back, and the account list does not have the account any more",
                "已删除：未收到有效答复，账号列表中已无此账号",
            ),
            Self::AlreadyGone { status, message, .. } => row(status.as_u16(), 0, AlreadyGone, message, message),
            Self::Busy { status, message, .. } => row(status.as_u16(), 0, NotRemoved, message, message),
            // 502 and 504 speak for a gateway on the way, not for TaurusDB.
            Self::Upstream { status, message, .. } if matches!(status.as_u16(), 502 | 504) => {
                row(status.as_u16(), 0, Unknown, message, message)
            }
            Self::Upstream { status, message, .. } => row(status.as_u16(), 0, RefusedUpstream, message, message),
            Self::Recorded { state, status, message, .. } => row(status.as_u16(), 0, *state, message, message),
            // A broken gateway in front of TaurusDB answers 5xx in its own words, whatever became of the DELETE behind it.
            Self::Undocumented { status } if status.is_server_error() => row(
                status.as_u16(),
                90,
                Unknown,
                format!(
                    "TaurusDB answered {} with a body that its API does not document, and {UNKNOWN}",
                    status.as_u16()
                ),
                format!("TaurusDB 返回了 {}，但响应体不符合 API 文档，{UNKNOWN_CHINESE}", status.as_u16()),
            ),
            Self::Undocumented { status } => row(
                status.as_u16(),
                90,
                RefusedUpstream,
                format!(
                    "TaurusDB refused with {} and a body that its API does not document; ask the operator to look at the log",
                    status.as_u16()
                ),
                format!("TaurusDB 返回了 {}，且响应体不符合 API 文档；请联系管理员查看日志", status.as_u16()),
            ),

            Self::BodyMalformed { why } => row(
                400,
                1,
                Refused,
                format!("the body cannot be read: {}", why.en),
                format!("无法读取请求体：{}", why.zh),
            ),
            Self::FieldDoubled { name } => row(
                400,
                2,
                Refused,
                format!("{} stands twice; send it once", quoted(name)),
                format!("{} 重复出现；请只发送一次", quoted(name)),
            ),
            Self::FieldMissing { name } => row(
                400,
                3,
                Refused,
                format!("{} is missing; send it", quoted(name)),
                format!("缺少 {}；请提供", quoted(name)),
            ),
            Self::UserNameInvalid { given } => row(
                400,
                4,
                Refused,
                format!(
                    "user name {} is not valid: 2 to 32 characters, a lowercase letter first, then lowercase letters, digits and `_`, a letter or digit last; the operator can allow an older name",
                    quoted(given)
                ),
                format!(
                    "用户名 {} 无效：2 到 32 个字符，以小写字母开头，可含小写字母、数字和 `_`，以字母或数字结尾；管理员可放行旧账号名",
                    quoted(given)
                ),
            ),
            Self::ProjectIdInvalid { given } => row(
                400,
                5,
                Refused,
                format!(
                    "project id {} is not valid: 32 letters and digits; set the client's project id",
                    quoted(given)
                ),
                format!("项目 ID {} 无效：应为 32 位字母和数字；请设置客户端的项目 ID", quoted(given)),
            ),
            Self::InstanceIdInvalid { given } => row(
                400,
                6,
                Refused,
                format!("instance id {} is not valid: 32 letters and digits, then `in` and two digits", quoted(given)),
                format!("实例 ID {} 无效：应为 32 位字母和数字，后接 `in` 和两位数字", quoted(given)),
            ),
            Self::LanguageInvalid { given } => row(
                400,
                7,
                Refused,
                format!("language {} is not known; X-Language is `en-us` or `zh-cn`", quoted(given)),
                format!("未知语言 {}；X-Language 应为 `en-us` 或 `zh-cn`", quoted(given)),
            ),
            Self::UrlMalformed => row(
                400,
                8,
                Refused,
                "the path or the query can be read in more than one way; encode each byte as `%` and two hexadecimal digits, send no `+`, no encoded slash and no parameter without a name",
                "路径或查询参数存在歧义；请将每个字节编码为 `%` 加两位十六进制数，不要使用 `+`、编码的斜杠或无名参数",
            ),
            Self::ParameterUnknown { name, known: [] } => row(
                400,
                9,
                Refused,
                format!("query parameter {} is not known; this call takes none", quoted(name)),
                format!("未知查询参数 {}；此调用不接受查询参数", quoted(name)),
            ),
            Self::ParameterUnknown { name, known } => row(
                400,
                9,
                Refused,
                format!(
                    "query parameter {} is not known; this call takes {} only",
                    quoted(name),
                    list(known, ", ", " and ")
                ),
                format!("未知查询参数 {}；此调用只接受 {}", quoted(name), list(known, "、", " 和 ")),
            ),
            Self::FieldInvalid { name, given, expected } => row(
                400,
                10,
                Refused,
                format!("{} is {}; expected {}", quoted(name), quoted(given), expected.en),
                format!("{} 的值为 {}；应为{}", quoted(name), quoted(given), expected.zh),
            ),
            Self::CommandMalformed => row(
                400,
                11,
                Refused,
                "the command cannot be read; write `<user_name> <instance> [reason]`, or `help`",
                "无法识别命令；请输入 `<user_name> <instance> [reason]` 或 `help`",
            ),
            Self::BodyCutShort => row(
                400,
                12,
                Refused,
                "the body ended before its Content-Length; send it again",
                "请求体在达到 Content-Length 之前结束；请重新发送",
            ),

            Self::ProofMissing { header } => row(
                401,
                1,
                Refused,
                format!("{} is missing or empty, so nobody proved who asks; sign the request", quoted(header)),
                format!("缺少 {} 或其为空，无法证明请求者身份；请对请求签名", quoted(header)),
            ),
            Self::ProofMalformed { header } => row(
                401,
                2,
                Refused,
                format!(
                    "{} is not in the form that its platform writes; send the header as the platform made it",
                    quoted(header)
                ),
                format!("{} 的格式不符合其平台规范；请按平台生成的原样发送", quoted(header)),
            ),
            Self::ProofDoubled { header } => row(
                401,
                3,
                Refused,
                format!("{} stands twice; send it once", quoted(header)),
                format!("{} 重复出现；请只发送一次", quoted(header)),
            ),
            Self::ProofStale => row(
                401,
                4,
                Refused,
                "the request was signed more than 300 seconds from now; sign it again and check the clock",
                "请求的签名时间与当前时间相差超过 300 秒；请重新签名并检查时钟",
            ),
            Self::ProofWrong => row(
                401,
                5,
                Refused,
                "the signature is not right for this request; check the secret, and that nothing changes the request on its way",
                "签名与请求不匹配；请检查密钥，并确认请求在途中未被修改",
            ),
            Self::SecretUnset => row(
                401,
                6,
                Refused,
                "no secret is set for this caller, so nobody can prove to be it; ask the operator to set it",
                "此调用方未设置密钥，无法证明身份；请联系管理员设置",
            ),

            Self::ProofExpired => row(
                401,
                7,
                Refused,
                "the proof is too old, or its time has not come yet; have a new one made and check the clock",
                "身份证明已过期或尚未生效；请重新获取并检查时钟",
            ),
            Self::TokenRefused { claim } => row(
                401,
                8,
                Refused,
                format!("the token is not for this gateway: look at its {}", quoted(claim)),
                format!("该令牌不适用于本网关：请检查其 {}", quoted(claim)),
            ),
            Self::KeyUnknown => row(
                401,
                9,
                Refused,
                "the token is signed with a key that its issuer does not publish; have a new one made",
                "令牌的签名密钥不在签发方公布的密钥之中；请重新获取令牌",
            ),
            Self::KeysUnavailable => row(
                503,
                5,
                NotSent,
                "the public keys of whoever issued the token could not be had, so nobody proved who asks and nothing was sent; try again later",
                "无法获取令牌签发方的公钥，无法证明请求者身份，未发送任何请求；请稍后重试",
            ),

            Self::Denied { policies } if policies.is_empty() => row(
                403,
                1,
                Denied,
                "no policy permits you to remove this account; ask somebody who may, or the operator for a policy",
                "没有策略允许您删除此账号；请联系有权限的人或管理员",
            ),
            Self::Denied { policies } => row(
                403,
                1,
                Denied,
                format!("policy forbids it: {}; ask the operator about it", policy_list(policies)),
                format!("策略禁止此操作：{}；请咨询管理员", policy_list(policies)),
            ),
            Self::AccountReserved { name } => row(
                403,
                2,
                Refused,
                format!("account {} is one of TaurusDB's own and is never removed", quoted(name)),
                format!("账号 {} 是 TaurusDB 的内置账号，不可删除", quoted(name)),
            ),
            Self::AccountProtected { name } => row(
                403,
                3,
                Refused,
                format!("account {} is protected by the operator and is never removed here", quoted(name)),
                format!("账号 {} 受管理员保护，不可在此删除", quoted(name)),
            ),

            Self::RouteUnknown => row(
                404,
                1,
                Refused,
                "there is nothing at this path; the removal is DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…",
                "此路径不存在；删除账号请使用 DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…",
            ),
            Self::CallerUnknown { name } => row(
                404,
                2,
                Refused,
                format!("caller {} is not configured; use the name that the operator gave it", quoted(name)),
                format!("调用方 {} 未配置；请使用管理员指定的名称", quoted(name)),
            ),
            Self::InstanceUnknown { given } => row(
                404,
                3,
                Refused,
                format!(
                    "instance {} is not configured here; check the name, or ask the operator to add it",
                    quoted(given)
                ),
                format!("实例 {} 未在此配置；请检查名称或联系管理员添加", quoted(given)),
            ),
            Self::MethodNotAllowed { allow } => {
                row(405, 1, Refused, format!("this path takes {allow} only"), format!("此路径只接受 {allow}"))
            }
            Self::NotAcceptable => row(
                406,
                1,
                Refused,
                "no content type in `accept` can be had; ask for `application/json`, `text/csv` or `application/x-ndjson`",
                "无法提供 `accept` 中的任何内容类型；请使用 `application/json`、`text/csv` 或 `application/x-ndjson`",
            ),
            Self::StillRunning => row(
                409,
                1,
                Refused,
                "the same request is still being carried out; ask again in a moment",
                "相同的请求仍在执行；请稍后再查询",
            ),
            Self::DeliveryReused => row(
                409,
                2,
                Refused,
                "this delivery id was used before for another account; send a new request with an id of its own",
                "此投递 ID 曾用于另一个账号；请使用新的 ID 重新发送",
            ),
            Self::BodyTooLarge => row(
                413,
                1,
                Refused,
                "the body is over 64 KiB; a removal fits in much less",
                "请求体超过 64 KiB；删除请求远小于此",
            ),
            Self::ContentTypeWrong { expected } => row(
                415,
                1,
                Refused,
                format!("the content type is not taken; send `{expected}`"),
                format!("不支持该内容类型；请发送 `{expected}`"),
            ),
            Self::BodyEncoded => {
                row(415, 2, Refused, "the body is compressed; send it as it is", "请求体已压缩；请发送未压缩的内容")
            }

            Self::NotSent => row(
                502,
                1,
                NotSent,
                "TaurusDB could not be reached and nothing was sent; the account is still there, try again later",
                "无法连接 TaurusDB，请求未发送；账号仍然存在，请稍后重试",
            ),
            Self::OutcomeUnknown => row(
                502,
                2,
                Unknown,
                format!("the removal was sent and no usable answer came back, and {UNKNOWN}"),
                format!("删除请求已发送但未收到有效答复，{UNKNOWN_CHINESE}"),
            ),
            Self::TokenUnavailable => row(
                502,
                3,
                NotSent,
                "IAM gave the gateway no token, so nothing was sent; the account is still there, try again later",
                "网关未能从 IAM 获取令牌，请求未发送；账号仍然存在，请稍后重试",
            ),
            Self::NotRemoved => row(
                502,
                4,
                NotRemoved,
                "the removal was sent and no usable answer came back, and the account list still has the account; ask again",
                "删除请求已发送但未收到有效答复，账号列表中仍有此账号；请重新提交",
            ),
            Self::LedgerDown => row(
                503,
                1,
                NotSent,
                "the ledger cannot be written, so nothing was sent; try again later",
                "无法写入账本，请求未发送；请稍后重试",
            ),
            Self::Unusable => row(
                503,
                2,
                NotSent,
                "the gateway's configuration or policy cannot be used, so nothing was sent; ask the operator to look at /healthz",
                "网关的配置或策略不可用，请求未发送；请联系管理员查看 /healthz",
            ),
            Self::CredentialsUnset => row(
                503,
                3,
                NotSent,
                "the gateway has no credentials for TaurusDB, so nothing was sent; ask the operator to set them",
                "网关未设置 TaurusDB 凭证，请求未发送；请联系管理员设置",
            ),
            Self::CredentialsRefused => row(
                503,
                4,
                NotSent,
                "IAM refuses the gateway's credentials for TaurusDB, so nothing was sent; ask the operator to look at the log",
                "IAM 拒绝了网关的 TaurusDB 凭证，请求未发送；请联系管理员查看日志",
            ),
            Self::TimedOut => row(
                504,
                1,
                Unknown,
                format!("the removal was sent and TaurusDB did not begin to answer in time, and {UNKNOWN}"),
                format!("删除请求已发送但 TaurusDB 未及时开始答复，{UNKNOWN_CHINESE}"),
            ),
            Self::ConnectTimedOut => row(
                504,
                2,
                NotSent,
                "TaurusDB could not be connected to in time and nothing was sent; the account is still there, try again later",
                "连接 TaurusDB 超时，请求未发送；账号仍然存在，请稍后重试",
            ),
            Self::CallTimedOut => row(
                504,
                3,
                Unknown,
                format!("the removal was sent and TaurusDB did not finish its answer in time, and {UNKNOWN}"),
                format!("删除请求已发送但 TaurusDB 未及时完成答复，{UNKNOWN_CHINESE}"),
            ),
            Self::TimeSpent => row(
                504,
                4,
                NotSent,
                "the time for this request was over before anything was sent; the account is still there, try again later",
                "请求总时限已到，尚未发送；账号仍然存在，请稍后重试",
            ),
            Self::TimeSpentSending => row(
                504,
                5,
                Unknown,
                format!("the removal was sent and the time for this request was over, and {UNKNOWN}"),
                format!("删除请求已发送但请求总时限已到，{UNKNOWN_CHINESE}"),
            ),

            Self::AwaitingConfirmation { reference, needs_approval } => {
                let (en, zh) = if *needs_approval {
                    ("then somebody else has to approve it", "之后需要他人批准")
                } else {
                    ("then it is removed", "之后将删除")
                };
                row(
                    409,
                    3,
                    AwaitingConfirmation,
                    format!("nothing was sent yet: confirm {} within five minutes, {en}", quoted(reference)),
                    format!("尚未发送：请在五分钟内确认 {}，{zh}", quoted(reference)),
                )
            }
            Self::AwaitingApproval { reference, missing } => row(
                409,
                4,
                AwaitingApproval,
                format!(
                    "nothing was sent yet: request {} waits for the approval of {missing} other {}",
                    quoted(reference),
                    if *missing == 1 { "person" } else { "people" }
                ),
                format!("尚未发送：申请 {} 等待另外 {missing} 人批准", quoted(reference)),
            ),
            Self::Cancelled => {
                row(409, 5, Cancelled, "the request was cancelled and nothing was sent", "申请已取消，未发送任何请求")
            }
            Self::Expired => row(
                409,
                6,
                Expired,
                "the request waited too long and nothing was sent; ask again",
                "申请已过期，未发送任何请求；请重新提交",
            ),
            Self::Changed => row(
                409,
                7,
                Denied,
                "the configuration says something else now than when this was asked for, so nothing was sent; ask again",
                "配置在申请之后发生了变化，未发送任何请求；请重新提交",
            ),
            Self::Rejected { by, reason } => row(
                403,
                5,
                Rejected,
                match reason {
                    Some(reason) => format!("{} denied the request: {}", quoted(by), quoted(reason)),
                    None => format!("{} denied the request", quoted(by)),
                },
                match reason {
                    Some(reason) => format!("{} 拒绝了该申请：{}", quoted(by), quoted(reason)),
                    None => format!("{} 拒绝了该申请", quoted(by)),
                },
            ),
            Self::OwnRequest => row(
                403,
                6,
                Denied,
                "nobody approves their own request; somebody else has to",
                "不能批准自己的申请；需由他人批准",
            ),
            Self::NotTheirs => {
                row(403, 7, Denied, "only whoever asked can confirm or cancel it", "只有申请人可以确认或取消")
            }
            Self::ApproveDenied { policies } if policies.is_empty() => row(
                403,
                8,
                Denied,
                "no policy permits you to approve or deny this; ask somebody who may",
                "没有策略允许您批准或拒绝此申请；请联系有权限的人",
            ),
            Self::ApproveDenied { policies } => row(
                403,
                8,
                Denied,
                format!("policy {} forbids you to approve or deny this", policy_list(policies)),
                format!("策略 {} 禁止您批准或拒绝此申请", policy_list(policies)),
            ),
            Self::WaitingUnknown { id } => row(
                404,
                5,
                Refused,
                format!("nothing waits under the id {}; look at what is pending", quoted(id)),
                format!("没有 ID 为 {} 的待处理申请；请查看待处理列表", quoted(id)),
            ),
            Self::DryRun { would, account, .. } => {
                let (would, account) = (would.words().1, account.words().1);
                row(
                    200,
                    0,
                    DryRun,
                    format!("dry run, nothing was sent: {}; {}", account.en, would.en),
                    format!("试运行，未发送任何请求：{}；{}", account.zh, would.zh),
                )
            }

            Self::Left { departures } => BatchSeverity::row(departures),
            Self::LeaverNameless { event } => row(
                400,
                13,
                Refused,
                format!(
                    "what event {} says of the person makes no account name; ask the operator to look at `[leavers]`",
                    quoted(event)
                ),
                format!("事件 {} 中的人员信息无法对应任何账号名；请联系管理员检查 `[leavers]`", quoted(event)),
            ),
            Self::ThereAgain => row(
                409,
                10,
                Refused,
                "the same event removed this account before, and it is there again; nothing was sent, remove it by a new request",
                "同一事件已删除过此账号，而该账号再次存在；未发送任何请求，请通过新的请求删除",
            ),
            Self::PersonUnknown { id } => row(
                404,
                6,
                Refused,
                format!("nobody here has the id {}; look for them by `userName`", quoted(id)),
                format!("没有 ID 为 {} 的人员；请按 `userName` 查找", quoted(id)),
            ),
            Self::PersonTaken { user_name } => row(
                409,
                9,
                Refused,
                format!("somebody has the name {} already; look for them by `userName`", quoted(user_name)),
                format!("名称 {} 已被占用；请按 `userName` 查找", quoted(user_name)),
            ),
            Self::ListUnreadable => row(
                502,
                6,
                NotSent,
                "the account list could not be read, so nobody knows whether there is such an account, and nothing was sent; try again later",
                "无法读取账号列表，无法确定账号是否存在，未发送任何请求；请稍后重试",
            ),

            Self::RemovalUnknown { id } => row(
                404,
                4,
                Refused,
                format!("no removal has the id {}; use the one in X-Offboard-Removal", quoted(id)),
                format!("没有 ID 为 {} 的删除记录；请使用 X-Offboard-Removal 中的 ID", quoted(id)),
            ),
            Self::LookDenied { policies } if policies.is_empty() => row(
                403,
                4,
                Denied,
                "no policy permits you to look at this; ask the operator for a policy",
                "没有策略允许您查看；请联系管理员添加策略",
            ),
            Self::LookDenied { policies } => row(
                403,
                4,
                Denied,
                format!("policy {} forbids you to look at this", policy_list(policies)),
                format!("策略 {} 禁止您查看", policy_list(policies)),
            ),
        }
    }

    /// The HTTP status of the documented answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The `error_code` of the documented answer; `SUCCESS` for a removal.
    pub fn code(&self) -> Cow<'_, str> {
        match self {
            Self::Removed | Self::RemovedByList => "SUCCESS".into(),
            Self::Left { .. } if self.row().status == 200 => "SUCCESS".into(),
            Self::DryRun { .. } => "DRY_RUN".into(),
            Self::Upstream { code, .. }
            | Self::AlreadyGone { code, .. }
            | Self::Busy { code, .. }
            | Self::Recorded { code, .. } => code.into(),
            _ => {
                let row = self.row();
                format!("OFFBOARD.{}{:02}", row.status, row.number).into()
            }
        }
    }

    /// The `error_msg`, in the given language; what TaurusDB said stays in the language it chose.
    pub fn message(&self, language: Language) -> String {
        let row = self.row();
        match language {
            Language::English => row.en,
            Language::Chinese => row.zh,
        }
    }

    /// What the ledger keeps.
    pub fn state(&self) -> State {
        self.row().state
    }

    /// What became of each account of whoever left; empty for any other outcome.
    pub fn departures(&self) -> &[AccountResult] {
        match self {
            Self::Left { departures } => departures,
            _ => &[],
        }
    }

    /// The body that the API page documents, as JSON.
    pub fn documented_body(&self, language: Language) -> String {
        let body = match self {
            Self::Removed | Self::RemovedByList => serde_json::json!({"result": "SUCCESS"}),
            Self::DryRun { would, account, policies } => serde_json::json!({
                "result": "DRY_RUN",
                "would": would.words().0,
                "account": account.words().0,
                "policies": policies,
            }),
            Self::Left { departures } if self.row().status == 200 => {
                serde_json::json!({"result": "SUCCESS", "removals": departures})
            }
            Self::Left { departures } => serde_json::json!({
                "error_code": self.code(),
                "error_msg": self.message(language),
                "removals": departures,
            }),
            _ => serde_json::json!({"error_code": self.code(), "error_msg": self.message(language)}),
        };
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two accounts of somebody who left, what became of the second.
    fn left(state: State, code: &str, reference: Option<&str>) -> Outcome {
        let departure = |user_name: &str, instance: &str, state, code: &str, reference: Option<&str>| AccountResult {
            instance: instance.into(),
            user_name: user_name.into(),
            state,
            code: code.into(),
            removal: "1".into(),
            reference: reference.map(str::to_owned),
        };
        Outcome::Left {
            departures: vec![
                departure("bob", "analytics", State::Removed, "SUCCESS", None),
                departure("bob", "warehouse", state, code, reference),
            ],
        }
    }

    /// One of each. The match in the test below does not compile when a variant is missing in it.
    fn samples() -> Vec<Outcome> {
        let given = || "Bob!".to_owned();
        vec![
            Outcome::BodyMalformed { why: Localized { en: "it is not valid JSON", zh: "不是有效的 JSON" } },
            Outcome::FieldDoubled { name: "text".into() },
            Outcome::FieldMissing { name: "user_name" },
            Outcome::UserNameInvalid { given: given() },
            Outcome::ProjectIdInvalid { given: "{project_id}".into() },
            Outcome::InstanceIdInvalid { given: "in17".into() },
            Outcome::LanguageInvalid { given: "fr-fr".into() },
            Outcome::UrlMalformed,
            Outcome::ParameterUnknown { name: "force".into(), known: &["user_name", "dry_run"] },
            Outcome::FieldInvalid {
                name: "type",
                given: "account.create".into(),
                expected: Localized { en: "`account.delete`", zh: " `account.delete`" },
            },
            Outcome::CommandMalformed,
            Outcome::BodyCutShort,
            Outcome::LeaverNameless { event: "evt_1".into() },
            Outcome::ProofMissing { header: "authorization" },
            Outcome::ProofMalformed { header: "authorization" },
            Outcome::ProofDoubled { header: "authorization".into() },
            Outcome::ProofStale,
            Outcome::ProofWrong,
            Outcome::SecretUnset,
            Outcome::ProofExpired,
            Outcome::TokenRefused { claim: "aud" },
            Outcome::KeyUnknown,
            Outcome::Denied { policies: vec![] },
            Outcome::AccountReserved { name: "root".into() },
            Outcome::AccountProtected { name: "etl_loader".into() },
            Outcome::LookDenied { policies: vec![] },
            Outcome::Rejected { by: "slack/U2CERLKJA".into(), reason: Some("still on call".into()) },
            Outcome::OwnRequest,
            Outcome::NotTheirs,
            Outcome::ApproveDenied { policies: vec![] },
            left(State::Denied, "OFFBOARD.40301", None),
            Outcome::RouteUnknown,
            Outcome::CallerUnknown { name: "pager".into() },
            Outcome::InstanceUnknown { given: "analytics".into() },
            Outcome::RemovalUnknown { id: "42".into() },
            Outcome::WaitingUnknown { id: "K7Q2M9XA".into() },
            Outcome::PersonUnknown { id: "42".into() },
            Outcome::MethodNotAllowed { allow: "POST" },
            Outcome::NotAcceptable,
            Outcome::StillRunning,
            Outcome::DeliveryReused,
            Outcome::AwaitingConfirmation { reference: "K7Q2M9XA".into(), needs_approval: false },
            Outcome::AwaitingApproval { reference: "K7Q2M9XA".into(), missing: 1 },
            Outcome::Cancelled,
            Outcome::Expired,
            Outcome::Changed,
            left(State::AwaitingApproval, "OFFBOARD.40904", Some("K7Q2M9XA")),
            Outcome::PersonTaken { user_name: "alice@example.com".into() },
            Outcome::ThereAgain,
            Outcome::BodyTooLarge,
            Outcome::ContentTypeWrong { expected: "application/json" },
            Outcome::BodyEncoded,
            Outcome::NotSent,
            Outcome::OutcomeUnknown,
            Outcome::TokenUnavailable,
            Outcome::NotRemoved,
            left(State::NotSent, "OFFBOARD.50201", None),
            Outcome::ListUnreadable,
            Outcome::LedgerDown,
            Outcome::Unusable,
            Outcome::CredentialsUnset,
            Outcome::CredentialsRefused,
            Outcome::KeysUnavailable,
            Outcome::TimedOut,
            Outcome::ConnectTimedOut,
            Outcome::CallTimedOut,
            Outcome::TimeSpent,
            Outcome::TimeSpentSending,
        ]
    }

    /// Endings that TaurusDB's words, a row or an operator's policies speak for, and those that have a second text.
    fn other_samples() -> Vec<Outcome> {
        let status = |status| StatusCode::from_u16(status).unwrap();
        let (code, message) = (|| "DBS.1".to_owned(), || "said upstream".to_owned());
        let policies = || vec!["frozen".to_owned(), "night".to_owned()];
        let dry_run = |would, account| Outcome::DryRun { would, account, policies: policies() };
        vec![
            Outcome::Removed,
            Outcome::RemovedByList,
            Outcome::AlreadyGone { status: status(400), code: code(), message: message() },
            Outcome::Busy { status: status(409), code: code(), message: message() },
            Outcome::Upstream { status: status(400), code: code(), message: message() },
            Outcome::Upstream { status: status(502), code: code(), message: message() },
            Outcome::Upstream { status: status(504), code: code(), message: message() },
            Outcome::Undocumented { status: status(404) },
            Outcome::Undocumented { status: status(503) },
            Outcome::Recorded { state: State::Cancelled, status: status(409), code: code(), message: message() },
            Outcome::ParameterUnknown { name: "force".into(), known: &[] },
            Outcome::Denied { policies: policies() },
            Outcome::ApproveDenied { policies: policies() },
            Outcome::LookDenied { policies: policies() },
            Outcome::Rejected { by: "slack/U2CERLKJA".into(), reason: None },
            Outcome::AwaitingConfirmation { reference: "K7Q2M9XA".into(), needs_approval: true },
            Outcome::AwaitingApproval { reference: "K7Q2M9XA".into(), missing: 2 },
            dry_run(DryRunDecision::Remove, AccountPresence::Present),
            dry_run(DryRunDecision::RequestApproval, AccountPresence::Absent),
            dry_run(DryRunDecision::Deny, AccountPresence::Unknown),
            Outcome::Left { departures: vec![] },
            left(State::Removed, "SUCCESS", None),
            left(State::Unknown, "OFFBOARD.50401", None),
        ]
    }

    /// What every ending says to the outside: status, code, state and both messages. A change of it is meant, or is a mistake.
    #[test]
    fn golden() {
        let mut rows: Vec<String> = samples()
            .iter()
            .chain(&other_samples())
            .map(|outcome| {
                format!(
                    "{}\t{}\t{}\t{}\t{}\n",
                    outcome.code(),
                    outcome.status().as_u16(),
                    outcome.state().as_str(),
                    outcome.message(Language::English),
                    outcome.message(Language::Chinese)
                )
            })
            .collect();
        rows.sort();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/outcomes.tsv");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, rows.concat()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), rows.concat());
    }

    fn is_the_gateways_own(outcome: &Outcome) -> bool {
        use Outcome::*;
        match outcome {
            Removed
            | RemovedByList
            | AlreadyGone { .. }
            | Busy { .. }
            | Upstream { .. }
            | Undocumented { .. }
            | DryRun { .. }
            | Recorded { .. } => false,
            Left { .. }
            | LeaverNameless { .. }
            | ListUnreadable
            | ThereAgain
            | PersonUnknown { .. }
            | PersonTaken { .. } => true,
            BodyMalformed { .. }
            | BodyCutShort
            | FieldDoubled { .. }
            | FieldMissing { .. }
            | FieldInvalid { .. }
            | ParameterUnknown { .. }
            | UrlMalformed
            | CommandMalformed
            | UserNameInvalid { .. }
            | ProjectIdInvalid { .. }
            | InstanceIdInvalid { .. }
            | LanguageInvalid { .. }
            | ProofMissing { .. }
            | ProofMalformed { .. }
            | ProofDoubled { .. }
            | ProofStale
            | ProofWrong
            | SecretUnset
            | ProofExpired
            | TokenRefused { .. }
            | KeyUnknown
            | KeysUnavailable
            | Denied { .. }
            | AccountReserved { .. }
            | AccountProtected { .. }
            | RouteUnknown
            | CallerUnknown { .. }
            | InstanceUnknown { .. }
            | MethodNotAllowed { .. }
            | NotAcceptable
            | StillRunning
            | DeliveryReused
            | BodyTooLarge
            | ContentTypeWrong { .. }
            | BodyEncoded
            | NotSent
            | ConnectTimedOut
            | TimeSpent
            | TokenUnavailable
            | NotRemoved
            | OutcomeUnknown
            | TimedOut
            | CallTimedOut
            | TimeSpentSending
            | LedgerDown
            | Unusable
            | CredentialsUnset
            | CredentialsRefused
            | RemovalUnknown { .. }
            | AwaitingConfirmation { .. }
            | AwaitingApproval { .. }
            | Cancelled
            | Expired
            | Changed
            | Rejected { .. }
            | OwnRequest
            | NotTheirs
            | ApproveDenied { .. }
            | WaitingUnknown { .. }
            | LookDenied { .. } => true,
        }
    }

    /// The table of docs/error-codes.md is this one: every code, in order, with the English message.
    #[test]
    fn the_page_has_every_code() {
        let expected: Vec<_> = samples()
            .iter()
            .map(|outcome| format!("| `{}` | {} |", outcome.code(), outcome.message(Language::English)))
            .collect();
        let page = include_str!("../../docs/error-codes.md");
        let written: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("| `OFFBOARD.") && !line.starts_with("| `OFFBOARD.<"))
            .collect();
        assert_eq!(written, expected, "\n{}", expected.join("\n"));
    }

    #[test]
    fn codes_are_unique_and_say_their_status() {
        let samples = samples();
        let codes: std::collections::BTreeSet<_> = samples.iter().map(|outcome| outcome.code().into_owned()).collect();
        assert_eq!(codes.len(), samples.len());
        for outcome in &samples {
            assert!(is_the_gateways_own(outcome));
            assert!(outcome.code().starts_with(&format!("OFFBOARD.{}", outcome.status().as_u16())));
            assert!(!outcome.status().is_success());
        }
    }

    /// One voice: lowercase, no full stop, and both languages there.
    #[test]
    fn messages_have_one_voice() {
        for outcome in samples() {
            let en = outcome.message(Language::English);
            let first = en.trim_start_matches('`').chars().next().unwrap();
            assert!(
                !first.is_uppercase() || first.is_ascii_digit() || en.starts_with("TaurusDB") || en.starts_with("IAM"),
                "{en}"
            );
            assert!(!en.ends_with('.'), "{en}");
            let zh = outcome.message(Language::Chinese);
            assert!(!zh.is_ascii() && !zh.ends_with('。'), "{zh}");
        }
    }

    #[test]
    fn what_an_asker_wrote_is_quoted_and_harmless() {
        let message = |given: &str| Outcome::UserNameInvalid { given: given.into() }.message(Language::English);
        assert!(message("a\r\nb`<!channel>").starts_with("user name `a\\u{d}\\u{a}b'<!channel>` is not valid"));
        assert!(message("\u{202e}x").starts_with("user name `\\u{202e}x` is not valid"));
        assert!(message(&"y".repeat(100)).starts_with(&format!("user name `{}…` is not valid", "y".repeat(64))));
    }

    #[test]
    fn parameters_are_listed() {
        let message = |known, language| Outcome::ParameterUnknown { name: "x".into(), known }.message(language);
        for (known, en, zh) in [
            (&[][..], "takes none", "不接受查询参数"),
            (&["a"], "takes `a` only", "只接受 `a`"),
            (&["a", "b"], "takes `a` and `b` only", "只接受 `a` 和 `b`"),
            (&["a", "b", "c"], "takes `a`, `b` and `c` only", "只接受 `a`、`b` 和 `c`"),
        ] {
            assert_eq!(message(known, Language::English), format!("query parameter `x` is not known; this call {en}"));
            assert_eq!(message(known, Language::Chinese), format!("未知查询参数 `x`；此调用{zh}"));
        }
    }

    /// What an upstream's status says about the account.
    #[test]
    fn states_of_upstream_answers() {
        let upstream = |status| Outcome::Upstream {
            status: StatusCode::from_u16(status).unwrap(),
            code: "DBS.1".into(),
            message: "m".into(),
        };
        let undocumented = |status| Outcome::Undocumented { status: StatusCode::from_u16(status).unwrap() };
        for (outcome, state, code) in [
            (upstream(400), State::RefusedUpstream, "DBS.1"),
            (upstream(500), State::RefusedUpstream, "DBS.1"),
            (upstream(502), State::Unknown, "DBS.1"),
            (upstream(504), State::Unknown, "DBS.1"),
            (undocumented(404), State::RefusedUpstream, "OFFBOARD.40490"),
            (undocumented(503), State::Unknown, "OFFBOARD.50390"),
        ] {
            assert_eq!((outcome.state(), outcome.code().as_ref()), (state, code));
        }
    }
}

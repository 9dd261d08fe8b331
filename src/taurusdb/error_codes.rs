//! TaurusDB's error codes, each with its meaning for the requester and for the operator.
//!
//! The codes were seen in the official SDKs, the Terraform provider and the vendor's error pages; the API page documents the
//! shape of an error, but no codes. On the documented route, TaurusDB's code and message are passed on unchanged; chat messages
//! and the log add the meaning and never replace them. A code that the table lacks has no meaning here.

use serde::Deserialize;

use crate::outcome::language::Localized;

/// The meaning of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Tells the requester what happened and what to do.
    pub requester: Localized,
    /// Tells the operator the likely cause and what to check.
    pub operator: Localized,
}

/// The code of an account that does not exist. Inferred: the vendor does not document the deletion of a missing account.
pub(super) const ACCOUNT_GONE: &str = "DBS.200824";

/// The codes of a token that has to be renewed or is malformed.
const TOKEN_REFUSED: [&str; 2] = ["APIGW.0301", "APIGW.0307"];

/// The codes of an instance that runs another operation: those that the Terraform provider retries, with status 409 only.
const BUSY: [&str; 6] = ["DBS.200019", "DBS.200047", "DBS.201014", "DBS.201015", "DBS.05000084", "DBS.212033"];

#[derive(Deserialize)]
struct Failure {
    error_code: String,
}

fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Failure>(body).ok().map(|failure| failure.error_code)
}

/// Whether the body of a 409 says that another operation is running, so that the same call may be sent again.
pub fn is_busy(body: &[u8]) -> bool {
    code(body).is_some_and(|code| BUSY.contains(&code.as_str()))
}

/// Whether the body of a 401 says that the token has to be renewed.
pub(super) fn is_token_refused(body: &[u8]) -> bool {
    code(body).is_some_and(|code| TOKEN_REFUSED.contains(&code.as_str()))
}

/// Returns the meaning of a code; `None` if the table lacks it.
pub fn meaning(code: &str) -> Option<Meaning> {
    TABLE.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, meaning)| *meaning)
}

const fn means(
    requester: &'static str,
    requester_chinese: &'static str,
    operator: &'static str,
    operator_chinese: &'static str,
) -> Meaning {
    Meaning {
        requester: Localized { en: requester, zh: requester_chinese },
        operator: Localized { en: operator, zh: operator_chinese },
    }
}

/// The meanings by code. `docs/taurusdb-errors.md` repeats the table for operators; a test compares the two.
static TABLE: &[(&[&str], Meaning)] = &[
    (
        &["DBS.200001", "DBS.200004", "DBS.280001"],
        means(
            "TaurusDB did not accept the removal's parameters; ask the operator",
            "TaurusDB不接受删除请求的参数；请联系管理员",
            "a parameter was refused; compare project ID, instance ID and account name with the console",
            "参数被拒绝；请与控制台核对项目ID、实例ID和账号名",
        ),
    ),
    (
        &["DBS.280404"],
        means(
            "the configured instance ID is wrong; ask the operator",
            "配置的实例ID有误；请联系管理员",
            "TaurusDB does not accept the instance ID; StarRocks instance IDs end in `in17`",
            "TaurusDB不接受该实例ID；StarRocks实例ID以 `in17` 结尾",
        ),
    ),
    (
        &["DBS.280292"],
        means(
            "TaurusDB does not accept this account name; check the spelling",
            "TaurusDB不接受该账号名；请检查拼写",
            "TaurusDB does not accept the name; a pattern in accounts.unusual may be too wide",
            "TaurusDB不接受该账号名；accounts.unusual中的规则可能过宽",
        ),
    ),
    (
        &[ACCOUNT_GONE],
        means(
            "the account does not exist on this instance; nothing is left to do",
            "该实例上没有此账号；无需再操作",
            "the account did not exist: removed before, or misspelled",
            "账号不存在：可能已删除或拼写有误",
        ),
    ),
    (
        &["DBS.200076", "DBS.200086", "DBS.201014", "DBS.201015"],
        means(
            "the instance cannot be changed in its current state; try again later",
            "实例当前状态不支持该操作；请稍后重试",
            "the instance state does not allow the operation; look at the instance in the console",
            "实例状态不支持该操作；请在控制台查看实例",
        ),
    ),
    (
        &["DBS.280449"],
        means(
            "the instance is frozen; ask the operator",
            "实例已冻结；请联系管理员",
            "the instance or the Huawei Cloud account is frozen, usually for an unpaid bill",
            "实例或华为云账号被冻结，通常因为欠费",
        ),
    ),
    (
        &["APIGW.0301", "APIGW.0303", "APIGW.0305"],
        means(
            "TaurusDB refused the gateway's credentials; ask the operator",
            "TaurusDB拒绝了网关的凭证；请联系管理员",
            "the gateway's signature or token was refused; check its keys and clock: five wrong signatures lock a key for 5 minutes",
            "网关的签名或Token被拒绝；请检查密钥和时钟：连续5次签名错误会锁定密钥5分钟",
        ),
    ),
    (
        &["APIGW.0307"],
        means(
            "TaurusDB refused the gateway's token; ask the operator",
            "TaurusDB拒绝了网关的Token；请联系管理员",
            "the token has to be renewed; `password` and `agency` were tried once with a new token, for `token` set a new one",
            "Token需要更新；`password` 和 `agency` 已用新Token重试一次，`token` 需手动更换",
        ),
    ),
    (
        &[
            "DBS.200010",
            "DBS.200044",
            "DBS.201003",
            "DBS.280015",
            "DBS.280056",
            "APIGW.0302",
            "APIGW.0304",
            "APIGW.0306",
            "APIGW.0310",
            "APIGW.0802",
        ],
        means(
            "the gateway has no permission for this instance; ask the operator",
            "网关没有该实例的权限；请联系管理员",
            "the gateway's key lacks gaussdbformysql:htapInstance:deleteUser, or belongs to another project",
            "网关的密钥缺少授权项gaussdbformysql:htapInstance:deleteUser，或属于其他项目",
        ),
    ),
    (
        &["DBS.200819"],
        means(
            "TaurusDB does not allow this for this account; ask the operator",
            "TaurusDB不允许对该账号执行此操作；请联系管理员",
            "the account is a system account; add it to accounts.protected",
            "该账号是系统账号；请加入accounts.protected",
        ),
    ),
    (
        &["DBS.200002", "DBS.200045", "DBS.200408", "DBS.200602", "DBS.201028", "DBS.290005"],
        means(
            "TaurusDB has no such instance; ask the operator",
            "TaurusDB中没有该实例；请联系管理员",
            "the instance was deleted, or project ID, instance ID and region do not match",
            "实例已删除，或项目ID、实例ID与区域不匹配",
        ),
    ),
    (
        &["APIGW.0101"],
        means(
            "this API is not available at the endpoint; ask the operator",
            "该终端节点没有此API；请联系管理员",
            "the endpoint is not TaurusDB's, or its region has no StarRocks; check region and endpoint",
            "终端节点不是TaurusDB的，或该区域没有StarRocks；请检查区域和终端节点",
        ),
    ),
    (
        &["DBS.200011", "DBS.200019", "DBS.200047", "DBS.280406", "DBS.200316", "DBS.05000084", "DBS.212033"],
        means(
            "another operation is running on the instance; try again in a few minutes",
            "实例正在执行其他操作；请几分钟后重试",
            "another operation is running on the instance; act only if it stays so",
            "实例正在执行其他操作；持续出现时再处理",
        ),
    ),
    (
        &["APIGW.0308"],
        means(
            "TaurusDB receives too many requests; try again in a minute",
            "TaurusDB请求过多；请1分钟后重试",
            "the API is throttled (200 requests a second by default); another program may use the quota",
            "API已被流控（默认每秒200次）；配额可能被其他程序占用",
        ),
    ),
    (
        &["DBS.108000", "DBS.200005", "DBS.213002", "DBS.05000000", "APIGW.0201", "APIGW.0601", "APIGW.0613"],
        means(
            "TaurusDB has an internal error; try again later",
            "TaurusDB内部出错；请稍后重试",
            "an error on TaurusDB's side; if it stays, give the request ID to Huawei Cloud support",
            "TaurusDB侧出错；持续出现时请将请求ID提供给华为云技术支持",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/taurusdb-errors.md` repeats the table.
    #[test]
    fn the_docs_page_has_every_code() {
        let mut expected = Vec::new();
        for (codes, meaning) in TABLE {
            let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
            expected.push(format!("| {} | {} | {} |", codes.join(" "), meaning.requester.en, meaning.operator.en));
        }
        let page = include_str!("../../docs/taurusdb-errors.md");
        let written: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(written, expected, "\n{}", expected.join("\n"));
    }

    #[test]
    fn a_code_appears_once() {
        let mut codes: Vec<_> = TABLE.iter().flat_map(|(codes, _)| codes.iter()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn meanings_have_no_final_period() {
        for (_, meaning) in TABLE {
            for words in [meaning.requester, meaning.operator] {
                assert!(!words.en.ends_with('.') && !words.zh.ends_with('。'), "{words:?}");
                assert!(!words.zh.is_ascii(), "{words:?}");
            }
        }
        assert_eq!(meaning("DBS.999999"), None);
        assert_eq!(meaning("OFFBOARD.40301"), None);
    }

    /// The requester is told to try again if the gateway itself may retry.
    #[test]
    fn every_busy_code_is_in_the_table() {
        for code in BUSY {
            let requester = meaning(code).unwrap().requester.en;
            assert!(requester.contains("try again"), "{code}: {requester}");
        }
    }
}

//! TaurusDB's error codes: what each means for whoever asked, and what it means for the operator.
//!
//! Seen in the official SDKs, the Terraform provider and the vendor's error pages; the API page itself documents the shape of
//! an error and no code. A code that is not in the table passes through untouched, and so do all of them on the documented
//! route: the meaning is for people (chat, log), never instead of what TaurusDB said.

use serde::Deserialize;

use crate::outcome::language::Localized;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// For whoever asked: what to do now.
    pub asker: Localized,
    /// For the operator: what to look at.
    pub operator: Localized,
}

/// There is no such account. Inferred: deleting an account that is not there is documented nowhere.
pub const ACCOUNT_GONE: &str = "DBS.200824";

/// A token that has to be renewed, or is not one.
const TOKEN_REFUSED: [&str; 2] = ["APIGW.0301", "APIGW.0307"];

/// Another operation is running on the instance: what the Terraform provider tries again, on 409 only.
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
pub fn is_token_refused(body: &[u8]) -> bool {
    code(body).is_some_and(|code| TOKEN_REFUSED.contains(&code.as_str()))
}

/// What a code means; `None` when nothing is known of it.
pub fn meaning(code: &str) -> Option<Meaning> {
    TABLE.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, meaning)| *meaning)
}

const fn means(
    asker: &'static str,
    asker_chinese: &'static str,
    operator: &'static str,
    operator_chinese: &'static str,
) -> Meaning {
    Meaning {
        asker: Localized { en: asker, zh: asker_chinese },
        operator: Localized { en: operator, zh: operator_chinese },
    }
}

/// The table. `docs/taurusdb-errors.md` is its copy for people, held to it by a test.
static TABLE: &[(&[&str], Meaning)] = &[
    (
        &["DBS.200001", "DBS.200004", "DBS.280001"],
        means(
            "TaurusDB does not take the request as it was sent; ask the operator",
            "TaurusDB 不接受该请求；请联系管理员",
            "a parameter was refused; compare project id, instance id and user name with the console",
            "参数被拒绝；请与控制台核对项目 ID、实例 ID 和用户名",
        ),
    ),
    (
        &["DBS.280404"],
        means(
            "the instance is not configured rightly; ask the operator",
            "实例配置有误；请联系管理员",
            "the instance id is not one that TaurusDB takes; StarRocks instances end in `in17`",
            "TaurusDB 不接受该实例 ID；StarRocks 实例 ID 以 `in17` 结尾",
        ),
    ),
    (
        &["DBS.280292"],
        means(
            "TaurusDB does not take this account name; check its spelling",
            "TaurusDB 不接受该账号名；请检查拼写",
            "the name is outside what TaurusDB takes; an entry in accounts.unusual may let too much through",
            "账号名超出 TaurusDB 允许的范围；accounts.unusual 可能放行过多",
        ),
    ),
    (
        &[ACCOUNT_GONE],
        means(
            "there is no such account on this instance, so nothing is left to do",
            "该实例上没有此账号，无需再操作",
            "the account was not there; removed before, or misspelt",
            "账号不存在；可能已被删除或拼写有误",
        ),
    ),
    (
        &["DBS.200076", "DBS.200086", "DBS.201014", "DBS.201015"],
        means(
            "the instance does not take changes in its present state; ask again later",
            "实例当前状态不允许变更；请稍后重试",
            "the instance is in a state that does not allow the operation; look at it in the console",
            "实例状态不允许该操作；请在控制台查看",
        ),
    ),
    (
        &["DBS.280449"],
        means(
            "the instance is frozen; ask the operator",
            "实例已冻结；请联系管理员",
            "the instance or the account is frozen, most often for an unpaid bill",
            "实例或账户被冻结，通常由于欠费",
        ),
    ),
    (
        &["APIGW.0301", "APIGW.0303", "APIGW.0305"],
        means(
            "TaurusDB does not accept the gateway's credentials; ask the operator",
            "TaurusDB 不接受网关的凭证；请联系管理员",
            "the gateway's own signature or token was refused; check its keys and its clock. Five wrong signatures lock a key for five minutes",
            "网关自身的签名或令牌被拒绝；请检查密钥和时钟。连续五次签名错误会锁定密钥五分钟",
        ),
    ),
    (
        &["APIGW.0307"],
        means(
            "TaurusDB does not accept the gateway's token; ask the operator",
            "TaurusDB 不接受网关的令牌；请联系管理员",
            "the token has to be renewed; with `password` or `agency` that was tried once, with `token` you set a new one",
            "令牌需要更新；`password` 和 `agency` 已自动重试一次，`token` 需手动更换",
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
            "the gateway's key lacks gaussdbformysql:htapInstance:deleteUser, or is of another project",
            "网关的密钥缺少 gaussdbformysql:htapInstance:deleteUser 权限，或属于其他项目",
        ),
    ),
    (
        &["DBS.200819"],
        means(
            "TaurusDB does not allow this for this account; ask the operator",
            "TaurusDB 不允许对该账号执行此操作；请联系管理员",
            "the account is one of TaurusDB's own; add it to accounts.protected",
            "该账号属于 TaurusDB 自身；请加入 accounts.protected",
        ),
    ),
    (
        &["DBS.200002", "DBS.200045", "DBS.200408", "DBS.200602", "DBS.201028", "DBS.290005"],
        means(
            "TaurusDB does not have this instance; ask the operator",
            "TaurusDB 没有该实例；请联系管理员",
            "the instance was deleted, or project id, instance id and region do not belong together",
            "实例已删除，或项目 ID、实例 ID 与区域不匹配",
        ),
    ),
    (
        &["APIGW.0101"],
        means(
            "TaurusDB does not have this API here; ask the operator",
            "此处没有该 API；请联系管理员",
            "the endpoint is not TaurusDB's, or of a region without StarRocks; check region and endpoint",
            "终端节点不是 TaurusDB 的，或该区域没有 StarRocks；请检查区域和终端节点",
        ),
    ),
    (
        &["DBS.200011", "DBS.200019", "DBS.200047", "DBS.280406", "DBS.200316", "DBS.05000084", "DBS.212033"],
        means(
            "another operation is running on the instance; ask again in a few minutes",
            "实例上正在执行其他操作；请几分钟后重试",
            "another operation is running on the instance; nothing to do unless it stays so",
            "实例上正在执行其他操作；若持续如此再处理",
        ),
    ),
    (
        &["APIGW.0308"],
        means(
            "TaurusDB gets too many requests just now; ask again in a minute",
            "TaurusDB 当前请求过多；请一分钟后重试",
            "the API is throttled, by default at 200 requests a second; something else may be using the quota",
            "API 被限流，默认每秒 200 次；配额可能被其他程序占用",
        ),
    ),
    (
        &["DBS.108000", "DBS.200005", "DBS.213002", "DBS.05000000", "APIGW.0201", "APIGW.0601", "APIGW.0613"],
        means(
            "TaurusDB has a problem of its own; ask again later",
            "TaurusDB 内部出错；请稍后重试",
            "an error on TaurusDB's side; give the request id to its support if it stays so",
            "TaurusDB 侧出错；若持续出现请将请求 ID 提供给其支持团队",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The one place is this file; the page for people is its copy.
    #[test]
    fn the_page_has_every_code() {
        let mut expected = Vec::new();
        for (codes, meaning) in TABLE {
            let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
            expected.push(format!("| {} | {} | {} |", codes.join(" "), meaning.asker.en, meaning.operator.en));
        }
        let page = include_str!("../../docs/taurusdb-errors.md");
        let written: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(written, expected, "\n{}", expected.join("\n"));
    }

    #[test]
    fn a_code_stands_once() {
        let mut codes: Vec<_> = TABLE.iter().flat_map(|(codes, _)| codes.iter()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn meanings_have_one_voice() {
        for (_, meaning) in TABLE {
            for words in [meaning.asker, meaning.operator] {
                assert!(!words.en.ends_with('.') && !words.zh.ends_with('。'), "{words:?}");
                assert!(!words.zh.is_ascii(), "{words:?}");
            }
        }
        assert_eq!(meaning("DBS.999999"), None);
        assert_eq!(meaning("OFFBOARD.40301"), None);
    }

    /// What may be sent again is said to be so.
    #[test]
    fn what_is_busy_is_in_the_table() {
        for code in BUSY {
            let asker = meaning(code).unwrap().asker.en;
            assert!(asker.contains("ask again"), "{code}: {asker}");
        }
    }
}

//! What TaurusDB and the gateway in front of it say when they refuse.

use http::StatusCode;
use serde_json::{Value, json};

use super::Seen;

const LANGUAGE: &str = "x-language";

pub(super) enum Refusal {
    NoSuchApi,
    Unauthenticated(String),
    TokenExpired,
    OtherProject,
    BadParameter(&'static str),
    BadInstanceId,
    BadUserName,
    NoSuchInstance,
    NoSuchAccount,
    Reserved,
    Throttled,
    /// Another operation is running. The code is said as it is.
    Busy(String),
    /// What a status of this kind comes with.
    Status(StatusCode),
}

impl Refusal {
    pub(super) fn render(&self, request: &Seen) -> (StatusCode, Value) {
        let (status, code, english, chinese) = match self {
            Self::NoSuchApi => (
                StatusCode::NOT_FOUND,
                "APIGW.0101",
                "The API does not exist or has not been published in the environment.".to_owned(),
                None,
            ),
            Self::Unauthenticated(why) => (
                StatusCode::UNAUTHORIZED,
                "APIGW.0301",
                format!("Incorrect IAM authentication information: {why}"),
                None,
            ),
            Self::TokenExpired => {
                (StatusCode::UNAUTHORIZED, "APIGW.0307", "The token must be updated.".to_owned(), None)
            }
            Self::OtherProject => (
                StatusCode::FORBIDDEN,
                "APIGW.0302",
                "The IAM user is not authorized to access the API.".to_owned(),
                None,
            ),
            Self::Throttled => (
                StatusCode::TOO_MANY_REQUESTS,
                "APIGW.0308",
                "The throttling threshold has been reached.".to_owned(),
                None,
            ),
            Self::BadParameter(name) => (
                StatusCode::BAD_REQUEST,
                "DBS.280001",
                format!("Parameter error: {name}."),
                Some(format!("参数错误：{name}。")),
            ),
            Self::BadInstanceId => (
                StatusCode::BAD_REQUEST,
                "DBS.280404",
                "Invalid instance ID.".to_owned(),
                Some("实例ID无效。".to_owned()),
            ),
            Self::BadUserName => (
                StatusCode::BAD_REQUEST,
                "DBS.280292",
                "Invalid database account name.".to_owned(),
                Some("数据库账户名无效。".to_owned()),
            ),
            Self::NoSuchInstance => (
                StatusCode::NOT_FOUND,
                "DBS.200002",
                "The DB instance does not exist.".to_owned(),
                Some("数据库实例不存在。".to_owned()),
            ),
            Self::NoSuchAccount => (
                StatusCode::BAD_REQUEST,
                "DBS.200824",
                "The database account does not exist.".to_owned(),
                Some("数据库账户不存在。".to_owned()),
            ),
            Self::Reserved => (
                StatusCode::FORBIDDEN,
                "DBS.200819",
                "The operation is not allowed for this database account.".to_owned(),
                Some("不允许对该数据库账户执行此操作。".to_owned()),
            ),
            Self::Busy(code) => (
                StatusCode::CONFLICT,
                code.as_str(),
                "Another operation is being performed on the DB instance.".to_owned(),
                Some("数据库实例正在执行其他操作。".to_owned()),
            ),
            Self::Status(status) => {
                let wording = status.canonical_reason().unwrap_or("Unknown");
                (*status, code_of(*status), format!("{wording}."), Some(format!("{wording}。")))
            }
        };
        // A gateway in front of TaurusDB answers in English only, and names the request in the body.
        let from_gateway = chinese.is_none();
        let wants_chinese = request.headers.get(LANGUAGE).is_some_and(|language| language == "zh-cn");
        let text = chinese.filter(|_| wants_chinese).unwrap_or(english);
        let mut body = json!({ "error_code": code, "error_msg": text });
        if from_gateway {
            body["request_id"] = json!(request.request_id);
        }
        (status, body)
    }
}

/// A code that is seen with this status.
fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "APIGW.0301",
        403 => "DBS.200010",
        404 => "DBS.200002",
        409 => "DBS.200019",
        429 => "APIGW.0308",
        500.. => "DBS.200005",
        _ => "DBS.280001",
    }
}

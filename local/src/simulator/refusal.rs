//! The errors of TaurusDB and of the API gateway in front of it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::headers::LANGUAGE;
use super::received::ReceivedRequest;

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
    /// Another operation is running; the error has this code.
    Busy(String),
    /// The error that usually comes with this status.
    Status(StatusCode),
}

/// The text of an error.
struct Wording {
    english: String,
    /// `None` for the API gateway in front of TaurusDB: it answers in English only, and names the request in the body.
    chinese: Option<String>,
}

impl Wording {
    fn of_gateway(english: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: None }
    }

    fn of_taurusdb(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: Some(chinese.into()) }
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) | Self::TokenExpired => StatusCode::UNAUTHORIZED,
            Self::OtherProject | Self::Reserved => StatusCode::FORBIDDEN,
            Self::NoSuchApi | Self::NoSuchInstance => StatusCode::NOT_FOUND,
            Self::BadParameter(_) | Self::BadInstanceId | Self::BadUserName | Self::NoSuchAccount => {
                StatusCode::BAD_REQUEST
            }
            Self::Busy(_) => StatusCode::CONFLICT,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::Status(status) => *status,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::NoSuchApi => "APIGW.0101",
            Self::Unauthenticated(_) => "APIGW.0301",
            Self::OtherProject => "APIGW.0302",
            Self::TokenExpired => "APIGW.0307",
            Self::Throttled => "APIGW.0308",
            Self::NoSuchInstance => "DBS.200002",
            Self::Reserved => "DBS.200819",
            Self::NoSuchAccount => "DBS.200824",
            Self::BadParameter(_) => "DBS.280001",
            Self::BadUserName => "DBS.280292",
            Self::BadInstanceId => "DBS.280404",
            Self::Busy(code) => code,
            Self::Status(status) => code_of(*status),
        }
    }

    fn wording(&self) -> Wording {
        match self {
            Self::NoSuchApi => {
                Wording::of_gateway("The API does not exist or has not been published in the environment.")
            }
            Self::Unauthenticated(why) => {
                Wording::of_gateway(format!("Incorrect IAM authentication information: {why}"))
            }
            Self::TokenExpired => Wording::of_gateway("The token must be updated."),
            Self::OtherProject => Wording::of_gateway("The IAM user is not authorized to access the API."),
            Self::Throttled => Wording::of_gateway("The throttling threshold has been reached."),
            Self::BadParameter(name) => {
                Wording::of_taurusdb(format!("Parameter error: {name}."), format!("参数错误：{name}。"))
            }
            Self::BadInstanceId => Wording::of_taurusdb("Invalid instance ID.", "实例ID无效。"),
            Self::BadUserName => Wording::of_taurusdb("Invalid database account name.", "数据库账户名无效。"),
            Self::NoSuchInstance => Wording::of_taurusdb("The DB instance does not exist.", "数据库实例不存在。"),
            Self::NoSuchAccount => Wording::of_taurusdb("The database account does not exist.", "数据库账户不存在。"),
            Self::Reserved => Wording::of_taurusdb(
                "The operation is not allowed for this database account.",
                "不允许对该数据库账户执行此操作。",
            ),
            Self::Busy(_) => Wording::of_taurusdb(
                "Another operation is being performed on the DB instance.",
                "数据库实例正在执行其他操作。",
            ),
            Self::Status(status) => {
                let title = status.canonical_reason().unwrap_or("Unknown");
                Wording::of_taurusdb(format!("{title}."), format!("{title}。"))
            }
        }
    }

    fn body(&self, request: &ReceivedRequest) -> Value {
        let Wording { english, chinese } = self.wording();
        let is_of_gateway = chinese.is_none();
        let wants_chinese = request.headers.get(LANGUAGE).is_some_and(|language| language == "zh-cn");
        let text = chinese.filter(|_| wants_chinese).unwrap_or(english);
        let mut body = json!({ "error_code": self.code(), "error_msg": text });
        if is_of_gateway {
            body["request_id"] = json!(request.request_id);
        }
        body
    }
}

pub(super) fn refused(refusal: &Refusal, request: &ReceivedRequest) -> Response<Bytes> {
    json_response(refusal.status(), &refusal.body(request))
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Returns a code that was seen with this status.
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

//! IAM's errors, in their two shapes.

use std::fmt::Display;

use http::StatusCode;
use serde_json::{Value, json};

pub(super) enum IamError {
    BadBody,
    Unauthenticated,
    WrongPassword,
    NoSuchAgency(String),
    OutOfScope,
}

impl IamError {
    pub(super) fn render(&self) -> (StatusCode, Value) {
        match self {
            Self::BadBody => {
                let body = json!({ "error_code": "IAM.0011", "error_msg": "Request body is invalid." });
                (StatusCode::BAD_REQUEST, body)
            }
            Self::Unauthenticated => {
                let text = "The request you have made requires authentication.";
                (StatusCode::UNAUTHORIZED, json!({ "error_code": "IAM.0001", "error_msg": text }))
            }
            Self::WrongPassword => own_shape(StatusCode::UNAUTHORIZED, &"The username or password is wrong."),
            Self::NoSuchAgency(name) => own_shape(StatusCode::NOT_FOUND, &format!("Could not find agency: {name}.")),
            Self::OutOfScope => {
                own_shape(StatusCode::FORBIDDEN, &"You are not authorized to perform the requested action.")
            }
        }
    }
}

/// Returns an error in the shape that only IAM uses.
pub(in crate::simulator) fn own_shape(status: StatusCode, message: &dyn Display) -> (StatusCode, Value) {
    let title = status.canonical_reason().unwrap_or("Unknown");
    let body = json!({ "error": { "code": status.as_u16(), "message": message.to_string(), "title": title } });
    (status, body)
}

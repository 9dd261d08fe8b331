//! What a platform's answer to a message says.

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::Answered;
use crate::outbound::retry;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The platform has taken it.
    Delivered(Option<Handle>),
    /// It was not taken, and may be later: not before this time has passed.
    Retry(Option<Duration>, String),
    /// The platform takes no such message; the operator has to mend something.
    Refused(String),
    /// The address is gone for good.
    Dead(String),
    /// The earlier message, which this one was to change, is not there any more.
    NoEarlier(String),
    /// It may have been taken.
    Unknown(String),
}

/// How a platform refers to a message that it has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The message's id.
    pub id: String,
    /// Where it is, if the platform asks for that as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl Handle {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), channel: None }
    }

    /// Reads what [`Handle::text`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The handle as the ledger keeps it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The verdict of every platform on statuses that mean the same everywhere; `None` for one that the platform has to read.
///
/// A gateway that got no answer (502, 504) says nothing about the message.
pub(super) fn by_status(answer: &Answered) -> Option<Verdict> {
    let status = answer.status();
    let said = answered(answer);
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Verdict::Retry(retry_after(answer), said)),
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Some(Verdict::Unknown(said)),
        status if status.is_server_error() => Some(Verdict::Retry(retry_after(answer), said)),
        _ => None,
    }
}

/// `Retry-After` in seconds. None of the platforms sends a date.
pub(super) fn retry_after(answer: &Answered) -> Option<Duration> {
    // A date would count from 1970, and so be longer than any wait that is believed.
    retry::retry_after(answer.headers(), || chrono::DateTime::UNIX_EPOCH).filter(|wait| *wait <= LONGEST_WAIT)
}

/// The longest wait that a platform is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The status, for the log.
pub(super) fn answered(answer: &Answered) -> String {
    format!("answered {}", answer.status().as_u16())
}

/// The status and a code out of the answer, for the log. A code is no sentence and no address.
pub(super) fn answered_with(answer: &Answered, code: &str) -> String {
    let is_code = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if is_code { format!("{} with {code}", answered(answer)) } else { answered(answer) }
}

/// The body as JSON; null if it is none.
pub(super) fn json(answer: &Answered) -> Value {
    serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).unwrap_or_default()
}

/// The body as text, without white space at its ends.
pub(super) fn text(answer: &Answered) -> String {
    String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).trim().to_owned()
}

/// An answer that the platform does not document.
pub(super) fn undocumented(answer: &Answered) -> Verdict {
    Verdict::Unknown(format!("{} in a form that the platform does not document", answered(answer)))
}

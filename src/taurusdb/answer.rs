//! What TaurusDB's answer to a DELETE means.

use http::StatusCode;
use serde::Deserialize;

use crate::host::{Answered, SendError};
use crate::outbound::retry::{self, Sent};
use crate::outcome::Outcome;
use crate::secret::Secret;
use crate::taurusdb::{REQUEST_ID, error_codes};

pub(crate) fn is_token_refused(sent: &Sent) -> bool {
    sent.answer.as_ref().is_ok_and(|answer| {
        answer.status() == StatusCode::UNAUTHORIZED
            && error_codes::is_token_refused(answer.body().as_deref().unwrap_or_default())
    })
}

#[derive(Deserialize)]
pub(crate) struct Success {
    result: String,
}

#[derive(Deserialize)]
pub(crate) struct Failure {
    error_code: String,
    error_msg: String,
}

/// What became of a DELETE, as far as its answer tells.
pub(crate) fn outcome<'s>(
    sent: &Sent,
    secrets: impl Iterator<Item = &'s Secret>,
    now: chrono::DateTime<chrono::Utc>,
) -> Outcome {
    let answer = match &sent.answer {
        Ok(answer) => answer,
        Err(SendError::NotSent(_) | SendError::NotAllowed(_)) => return Outcome::NotSent,
        Err(SendError::ConnectTimedOut(_)) if sent.cut_short => return Outcome::TimeSpent,
        Err(SendError::ConnectTimedOut(_)) => return Outcome::ConnectTimedOut,
        Err(SendError::FirstByteTimedOut(_) | SendError::CallTimedOut(_)) if sent.cut_short => {
            return Outcome::TimeSpentSending;
        }
        Err(SendError::FirstByteTimedOut(_)) => return Outcome::TimedOut,
        Err(SendError::CallTimedOut(_)) => return Outcome::CallTimedOut,
        Err(SendError::Broken(_)) => return Outcome::OutcomeUnknown,
    };
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or_default();
    if status == StatusCode::OK {
        return match serde_json::from_slice::<Success>(body) {
            Ok(success) if success.result == "SUCCESS" => Outcome::Removed,
            _ => Outcome::OutcomeUnknown,
        };
    }
    // Neither a success nor an error that the page knows: whoever answered may or may not have passed the DELETE on.
    if !status.is_client_error() && !status.is_server_error() {
        return Outcome::OutcomeUnknown;
    }
    let Some(Failure { error_code: code, error_msg }) =
        serde_json::from_slice::<Failure>(body).ok().filter(|failure| is_code(&failure.error_code))
    else {
        return Outcome::Undocumented { status };
    };
    let message = redacted(as_written(error_msg), secrets);
    if status == StatusCode::BAD_REQUEST && code == error_codes::ACCOUNT_GONE {
        Outcome::AlreadyGone { status, code, message }
    } else if retry::retry_reason(&sent.answer, error_codes::is_busy, now).is_some()
        || status == StatusCode::SERVICE_UNAVAILABLE
    {
        Outcome::Busy { status, code, message }
    } else {
        Outcome::Upstream { status, code, message }
    }
}

pub(crate) fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// Without the characters that turn the direction of what follows (Unicode's property Bidi_Control): a log and a chat would show
/// another text than was sent.
pub(crate) fn as_written(mut message: String) -> String {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    message.retain(|c| !turns(c));
    message
}

/// A signature error of the API gateway quotes the canonical request, and with it the security token.
pub(crate) fn redacted<'s>(message: String, secrets: impl Iterator<Item = &'s Secret>) -> String {
    secrets.fold(message, |message, secret| message.replace(secret.expose(), "…"))
}

/// TaurusDB's request id, when it is one that can stand in a header and a chat message.
pub(crate) fn request_id(answer: &Answered) -> Option<&str> {
    let value = answer.headers().get(REQUEST_ID)?.to_str().ok()?;
    let good = (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then_some(value)
}

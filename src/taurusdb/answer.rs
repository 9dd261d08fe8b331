//! What TaurusDB's answer to a DELETE means.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;

use crate::host::{Answered, SendError};
use crate::outbound::retry::{self, Sent};
use crate::outcome::{Evidence, NotRemoved, NotSent, Outcome, Unknown, UpstreamAnswer, UpstreamRefusal};
use crate::secret::Secret;
use crate::taurusdb::error_codes;
use crate::taurusdb::request::REQUEST_ID;

pub(super) fn is_token_refused(sent: &Sent) -> bool {
    sent.answer.as_ref().is_ok_and(|answer| {
        answer.status() == StatusCode::UNAUTHORIZED
            && error_codes::is_token_refused(answer.body().as_deref().unwrap_or_default())
    })
}

#[derive(Deserialize)]
struct Success {
    result: String,
}

#[derive(Deserialize)]
struct Failure {
    error_code: String,
    error_msg: String,
}

/// What became of a DELETE, as far as its answer tells. `secrets` do not appear in the message.
pub(super) fn outcome<'s>(sent: &Sent, secrets: impl Iterator<Item = &'s Secret>, now: DateTime<Utc>) -> Outcome {
    let answer = match &sent.answer {
        Ok(answer) => answer,
        Err(error) => return not_answered(error, sent.cut_short),
    };
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or_default();
    if status == StatusCode::OK {
        return match serde_json::from_slice::<Success>(body) {
            Ok(success) if success.result == "SUCCESS" => Outcome::Removed(Evidence::Answer),
            _ => Outcome::Unknown(Unknown::NoUsableAnswer),
        };
    }
    // Neither a success nor an error that the page documents: a proxy may or may not have passed the DELETE on.
    if !status.is_client_error() && !status.is_server_error() {
        return Outcome::Unknown(Unknown::NoUsableAnswer);
    }
    let failure = serde_json::from_slice::<Failure>(body).ok().filter(|failure| is_code(&failure.error_code));
    match failure {
        Some(Failure { error_code: code, error_msg }) => {
            let message = redacted(without_bidi_controls(error_msg), secrets);
            documented(sent, UpstreamAnswer { status, code, message }, now)
        }
        // A gateway in front of TaurusDB answers 5xx in its own words, whatever became of the DELETE behind it.
        None if status.is_server_error() => Outcome::Unknown(Unknown::Undocumented(status)),
        None => Outcome::RefusedUpstream(UpstreamRefusal::Undocumented(status)),
    }
}

/// What became of a DELETE without an answer.
fn not_answered(error: &SendError, cut_short: bool) -> Outcome {
    match error {
        SendError::NotSent(_) | SendError::NotAllowed(_) => Outcome::NotSent(NotSent::NotReached),
        SendError::ConnectTimedOut(_) if cut_short => Outcome::NotSent(NotSent::TimeSpent),
        SendError::ConnectTimedOut(_) => Outcome::NotSent(NotSent::ConnectTimedOut),
        SendError::FirstByteTimedOut(_) | SendError::CallTimedOut(_) if cut_short => {
            Outcome::Unknown(Unknown::TimeSpent)
        }
        SendError::FirstByteTimedOut(_) => Outcome::Unknown(Unknown::FirstByteTimedOut),
        SendError::CallTimedOut(_) => Outcome::Unknown(Unknown::CallTimedOut),
        SendError::Broken(_) => Outcome::Unknown(Unknown::NoUsableAnswer),
    }
}

/// What a documented refusal means.
fn documented(sent: &Sent, answer: UpstreamAnswer, now: DateTime<Utc>) -> Outcome {
    let may_try_again = retry::retry_reason(&sent.answer, error_codes::is_busy, now).is_some();
    match answer.status {
        StatusCode::BAD_REQUEST if answer.code == error_codes::ACCOUNT_GONE => Outcome::AlreadyGone(answer),
        StatusCode::SERVICE_UNAVAILABLE => Outcome::NotRemoved(NotRemoved::TurnedAway(answer)),
        _ if may_try_again => Outcome::NotRemoved(NotRemoved::TurnedAway(answer)),
        // These two speak for a gateway on the way, not for TaurusDB.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Outcome::Unknown(Unknown::Intermediary(answer)),
        _ => Outcome::RefusedUpstream(UpstreamRefusal::Documented(answer)),
    }
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// Without the characters that turn the direction of what follows (Unicode's property Bidi_Control): a log and a chat would show
/// another text than was sent.
fn without_bidi_controls(mut message: String) -> String {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    message.retain(|c| !turns(c));
    message
}

/// A signature error of the API gateway quotes the canonical request, and with it the security token.
pub(super) fn redacted<'s>(message: String, secrets: impl Iterator<Item = &'s Secret>) -> String {
    secrets.fold(message, |message, secret| message.replace(secret.expose(), "…"))
}

/// TaurusDB's request id, when it is one that can stand in a header and a chat message.
pub(super) fn request_id(answer: &Answered) -> Option<&str> {
    let value = answer.headers().get(REQUEST_ID)?.to_str().ok()?;
    let good = (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then_some(value)
}

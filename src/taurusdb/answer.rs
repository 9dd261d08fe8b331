//! TaurusDB's answer to a DELETE, as an [`Outcome`].
//!
//! Nothing is sent from here. An answer that does not settle the outcome stays [`Outcome::Unknown`].

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::host::{Answered, SendError};
use crate::outbound::retry::{self, Sent};
use crate::outcome::unseen::is_unseen;
use crate::outcome::{Evidence, NotRemoved, NotSent, Outcome, Unknown, UpstreamAnswer, UpstreamRefusal};
use crate::secret::Secret;
use crate::taurusdb::request::REQUEST_ID;
use crate::taurusdb::{accounts, error_codes};

/// Whether TaurusDB refused the token, so that one attempt with a new token makes sense.
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

/// Returns the outcome that the answer to a DELETE proves, with `secrets` removed from TaurusDB's message.
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
    // The API page documents 200, 4xx and 5xx. Any other status is from a proxy, which may have forwarded the DELETE.
    if !status.is_client_error() && !status.is_server_error() {
        return Outcome::Unknown(Unknown::NoUsableAnswer);
    }
    let failure = serde_json::from_slice::<Failure>(body).ok().filter(|failure| is_code(&failure.error_code));
    match failure {
        Some(Failure { error_code: code, error_msg }) => {
            let message = redacted(without_unseen(error_msg), secrets);
            documented(sent, UpstreamAnswer { status, code, message }, now)
        }
        // A 5xx without an error code is from an API gateway in front of TaurusDB, which may have forwarded the DELETE.
        None if status.is_server_error() => Outcome::Unknown(Unknown::Undocumented(status)),
        None => Outcome::RefusedUpstream(UpstreamRefusal::Undocumented(status)),
    }
}

/// Returns the JSON of a page of the account list, or of a documented error with `secrets` removed from its message; `None` if the
/// answer is neither.
pub(super) fn documented_list<'s>(answer: &Answered, secrets: impl Iterator<Item = &'s Secret>) -> Option<String> {
    let body = answer.body().as_deref()?;
    let status = answer.status();
    if status == StatusCode::OK {
        return accounts::is_page(body).then(|| String::from_utf8(body.to_vec()).ok()).flatten();
    }
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let Failure { error_code, error_msg } = serde_json::from_slice(body).ok()?;
    let message = redacted(without_unseen(error_msg), secrets);
    is_code(&error_code).then(|| json!({"error_code": error_code, "error_msg": message}).to_string())
}

/// Returns the outcome of a DELETE without an answer.
fn not_answered(error: &SendError, cut_short: bool) -> Outcome {
    match error {
        SendError::NotSent(_) => Outcome::NotSent(NotSent::NotReached),
        SendError::NotAllowed(_) => Outcome::NotSent(NotSent::HostNotAllowed),
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

/// Returns the outcome of an error in the documented shape.
fn documented(sent: &Sent, answer: UpstreamAnswer, now: DateTime<Utc>) -> Outcome {
    let may_try_again = retry::retry_reason(&sent.answer, error_codes::is_busy, || now).is_some();
    match answer.status {
        StatusCode::BAD_REQUEST if answer.code == error_codes::ACCOUNT_GONE => Outcome::AlreadyGone(answer),
        StatusCode::SERVICE_UNAVAILABLE => Outcome::NotRemoved(NotRemoved::TurnedAway(answer)),
        _ if may_try_again => Outcome::NotRemoved(NotRemoved::TurnedAway(answer)),
        // Both are from an API gateway, which does not know whether TaurusDB removed the account.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Outcome::Unknown(Unknown::Intermediary(answer)),
        _ => Outcome::RefusedUpstream(UpstreamRefusal::Documented(answer)),
    }
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// Removes the characters that cannot be seen, because some of them would make logs and chats display the text in another order;
/// white space stays what it is.
fn without_unseen(mut message: String) -> String {
    message.retain(|c| !is_unseen(c) || (c.is_whitespace() && !matches!(c, '\u{2028}' | '\u{2029}')));
    message
}

/// Replaces the secrets in a message: a signature error of the API gateway quotes the canonical request, which has the security
/// token.
pub(super) fn redacted<'s>(message: String, secrets: impl Iterator<Item = &'s Secret>) -> String {
    secrets.fold(message, |message, secret| message.replace(secret.expose(), "…"))
}

/// Returns TaurusDB's request ID; `None` if it is not safe to repeat in a header and a chat message.
pub(super) fn request_id(answer: &Answered) -> Option<&str> {
    let value = answer.headers().get(REQUEST_ID)?.to_str().ok()?;
    let good = (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then_some(value)
}

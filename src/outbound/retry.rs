//! When a call is sent again: only if it is certain that it had no effect.
//!
//! | result | sent again after |
//! |---|---|
//! | no connection: refused, timed out, unknown name, TLS | a pause |
//! | 429 | its `Retry-After`, else a pause |
//! | 409 with a code for another running operation | its `Retry-After`, else a pause |
//! | 503 with `Retry-After` | its `Retry-After` |
//! | anything else | never |
//!
//! A pause is exponential with full jitter: between zero and `FIRST_PAUSE` doubled with each attempt, at most
//! `LONGEST_PAUSE` ("Exponential Backoff And Jitter", <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
//! If the request has no time for the wait, the last result is returned at once.
//!
//! Not done here: renewing a refused token, and settling an unknown outcome (both in `taurusdb`).

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::host::{Answered, Host, SendError};
use crate::outbound::budget::Budget;

/// What the gateway calls itself in every call.
const OURS: &str = concat!("starrocks-offboard/", env!("CARGO_PKG_VERSION"));

/// The upper bound of the first pause.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The upper bound of every pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A reason for which a call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// The request was not sent.
    NotSent,
    /// The request was turned away with 429, 409 or 503.
    TurnedAway {
        /// The answer's `Retry-After`.
        retry_after: Option<Duration>,
    },
}

/// Returns the reason to send a call again, or `None` if it must not be sent again. `is_busy` reads the body of a 409; `now` is asked
/// only if the answer names a date.
pub fn retry_reason(
    answer: &Result<Answered, SendError>,
    is_busy: fn(&[u8]) -> bool,
    now: impl FnOnce() -> DateTime<Utc>,
) -> Option<RetryReason> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(SendError::NotSent(_) | SendError::ConnectTimedOut(_)) => return Some(RetryReason::NotSent),
        Err(_) => return None,
    };
    let retry_after = retry_after(answer.headers(), now);
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => Some(RetryReason::TurnedAway { retry_after }),
        StatusCode::CONFLICT if is_busy(answer.body().as_deref().unwrap_or_default()) => {
            Some(RetryReason::TurnedAway { retry_after })
        }
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => Some(RetryReason::TurnedAway { retry_after }),
        _ => None,
    }
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3); `None` if it is absent or malformed.
pub fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.signed_duration_since(now()).to_std().unwrap_or_default())
}

/// Returns how long to wait before attempt `tried + 1`, or `None` if `tried` was the last one.
///
/// `left` is the time that the request has left for calls, `random` any 128 bits.
fn pause(tried: u32, most: u32, why: RetryReason, left: Duration, random: u128) -> Option<Duration> {
    if tried >= most {
        return None;
    }
    let doublings = tried.saturating_sub(1).min(16);
    let most = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
    let microseconds = most.as_micros().saturating_add(1);
    let jittered = u64::try_from(random.checked_rem(microseconds).unwrap_or_default()).unwrap_or_default();
    let jittered = Duration::from_micros(jittered);
    let wait = match why {
        RetryReason::TurnedAway { retry_after: Some(asked) } => asked.max(jittered),
        RetryReason::TurnedAway { retry_after: None } | RetryReason::NotSent => jittered,
    };
    (wait < left).then_some(wait)
}

/// The request has no time left to send anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfTime;

impl From<OutOfTime> for String {
    fn from(_: OutOfTime) -> Self {
        "the request reached its time limit".into()
    }
}

/// How a call is sent and read.
#[derive(Debug, Clone, Copy)]
pub struct CallSpec {
    /// The largest answer body that is read, in bytes.
    pub answer_limit: usize,
    /// How often the call was attempted before, which counts towards the limit.
    pub attempted: u32,
    /// Whether the body of a 409 says that another operation is running.
    pub is_busy: fn(&[u8]) -> bool,
}

impl CallSpec {
    /// Makes the specification of a new call whose 409 is never a reason to send it again.
    pub fn new(answer_limit: usize) -> Self {
        Self { answer_limit, attempted: 0, is_busy: |_| false }
    }
}

/// The result of a call with all its attempts.
#[derive(Debug)]
pub struct Sent {
    /// The last answer.
    pub answer: Result<Answered, SendError>,
    /// The number of attempts.
    pub attempts: u32,
    /// Whether the last attempt timed out early because the whole request had no more time.
    pub cut_short: bool,
}

/// Sends the request that `make` returns, and sends it again where that is safe, within the budget. `make` is called for each
/// attempt, because a signature has a date.
///
/// # Errors
///
/// What `make` says, and [`OutOfTime`] if no time is left to send anything.
pub async fn send<H: Host, E: From<OutOfTime>>(
    host: &H,
    budget: &Budget,
    call: CallSpec,
    mut make: impl FnMut() -> Result<Request<Bytes>, E>,
) -> Result<Sent, E> {
    let mut attempts = call.attempted;
    loop {
        let Some(limits) = budget.call(host, call.answer_limit) else { return Err(OutOfTime.into()) };
        let mut request = make()?;
        // After signing: proxies may rewrite this header, so that it is not signed. Firewalls refuse requests without it.
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(OURS));
        let answer = host.send(request, limits).await;
        let usual = budget.limits();
        let cut_short = match &answer {
            Err(SendError::ConnectTimedOut(_)) => limits.connect < usual.connect,
            Err(SendError::CallTimedOut(_)) => limits.call < usual.call,
            _ => false,
        };
        attempts = attempts.saturating_add(1);
        let sent = |answer| Sent { answer, attempts: attempts.saturating_sub(call.attempted), cut_short };
        let Some(why) = retry_reason(&answer, call.is_busy, || host.now()) else { return Ok(sent(answer)) };
        let Some(wait) = pause(attempts, budget.limits().attempts, why, budget.left_to_send(host), host.random())
        else {
            return Ok(sent(answer));
        };
        let what = match &answer {
            Ok(answer) => answer.status().as_u16().to_string(),
            Err(error) => format!("{error:?}"),
        };
        host.log(&format!("retry: attempt {attempts} ended with {what}; again in {} ms", wait.as_millis()));
        host.sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::taurusdb::error_codes::is_busy;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_308_000, 0).unwrap()
    }

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Result<Answered, SendError> {
        let mut answer = http::Response::builder().status(status);
        if let Some(value) = retry_after {
            answer = answer.header("retry-after", value);
        }
        Ok(answer.body(Some(Bytes::from(body.to_owned()))).unwrap())
    }

    fn code(code: &str) -> String {
        format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#)
    }

    /// The table of the module, and cases next to it.
    #[test]
    fn what_may_be_sent_again() {
        let text = || "t".to_owned();
        let away =
            |seconds: Option<u64>| Some(RetryReason::TurnedAway { retry_after: seconds.map(Duration::from_secs) });
        for (answer, expected) in [
            (Err(SendError::NotSent(text())), Some(RetryReason::NotSent)),
            (Err(SendError::ConnectTimedOut(text())), Some(RetryReason::NotSent)),
            (Err(SendError::NotAllowed(text())), None),
            (Err(SendError::FirstByteTimedOut(text())), None),
            (Err(SendError::CallTimedOut(text())), None),
            (Err(SendError::Broken(text())), None),
            (answer(429, None, ""), away(None)),
            (answer(429, Some("7"), "<html>"), away(Some(7))),
            (answer(429, Some("Mon, 01 Jun 2026 10:00:09 GMT"), ""), away(Some(9))),
            (answer(429, Some("Mon, 01 Jun 2026 09:00:00 GMT"), ""), away(Some(0))),
            (answer(429, Some("-1"), ""), away(None)),
            (answer(429, Some("1.5"), ""), away(None)),
            (answer(429, Some("12345678901"), ""), away(None)),
            (answer(409, None, &code("DBS.200019")), away(None)),
            (answer(409, Some("3"), &code("DBS.200047")), away(Some(3))),
            (answer(409, None, &code("DBS.201014")), away(None)),
            (answer(409, None, &code("DBS.201015")), away(None)),
            (answer(409, None, &code("DBS.05000084")), away(None)),
            (answer(409, None, &code("DBS.212033")), away(None)),
            (answer(409, None, &code("DBS.280406")), None),
            (answer(409, Some("3"), &code("DBS.200011")), None),
            (answer(409, None, "<html>DBS.200019"), None),
            (answer(400, None, &code("DBS.200019")), None),
            (answer(400, Some("1"), &code("DBS.201014")), None),
            (answer(503, None, &code("DBS.200005")), None),
            (answer(503, Some("2"), &code("DBS.200005")), away(Some(2))),
            (answer(503, Some("2"), "<html>"), away(Some(2))),
            (answer(503, Some("soon"), ""), None),
            (answer(500, Some("2"), &code("DBS.108000")), None),
            (answer(502, Some("2"), ""), None),
            (answer(504, Some("2"), ""), None),
            (answer(401, Some("2"), &code("APIGW.0307")), None),
            (answer(202, Some("2"), ""), None),
            (answer(200, Some("2"), ""), None),
        ] {
            assert_eq!(retry_reason(&answer, is_busy, now), expected, "{answer:?}");
        }
    }

    fn any_reason() -> impl Strategy<Value = RetryReason> {
        prop_oneof![
            Just(RetryReason::NotSent),
            proptest::option::of(0_u64..100_000)
                .prop_map(|ms| RetryReason::TurnedAway { retry_after: ms.map(Duration::from_millis) }),
        ]
    }

    proptest! {
        /// Every call ends: after no more attempts than allowed, within its time, and never before its `Retry-After`.
        #[test]
        fn the_schedule_is_bounded(
            most in 1_u32..=10,
            total in 0_u64..60_000,
            reasons in prop::collection::vec((any_reason(), any::<u128>(), 0_u64..5_000), 12),
        ) {
            let mut left = Duration::from_millis(total);
            let mut tried = 0;
            for (why, random, took) in reasons {
                tried += 1;
                left = left.saturating_sub(Duration::from_millis(took));
                let Some(wait) = pause(tried, most, why, left, random) else { break };
                prop_assert!(wait < left);
                if let RetryReason::TurnedAway { retry_after: Some(asked) } = why {
                    prop_assert!(wait >= asked && wait <= asked.max(LONGEST_PAUSE));
                } else {
                    prop_assert!(wait <= LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(tried - 1)));
                }
                let before = left;
                left -= wait;
                prop_assert!(left <= before);
            }
            prop_assert!(tried <= most);
        }

        /// Only the results of the module's table are sent again, whatever an answer looks like.
        #[test]
        fn no_class_is_widened(
            status in 100_u16..600,
            retry_after in proptest::option::of("[ -~]{0,12}|[0-9]{1,9}"),
            error_code in "(DBS\\.)?[0-9]{6,8}|APIGW\\.0[0-9]{3}",
            body in prop_oneof![Just(None), "[ -~]{0,40}".prop_map(Some)],
        ) {
            let body = body.unwrap_or_else(|| code(&error_code));
            let answered = answer(status, retry_after.as_deref(), &body);
            let busy = ["DBS.200019", "DBS.200047", "DBS.201014", "DBS.201015", "DBS.05000084", "DBS.212033"];
            let may = match status {
                429 => true,
                409 => busy.iter().any(|busy| body == code(busy)),
                503 => retry_after.is_some(),
                _ => false,
            };
            prop_assert!(may || retry_reason(&answered, is_busy, now).is_none(), "{answered:?}");
            if status == 429 {
                prop_assert!(retry_reason(&answered, is_busy, now).is_some());
            }
        }
    }
}

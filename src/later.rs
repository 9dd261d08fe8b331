//! The outcome, after the answer: to a platform that did not wait for it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};

use crate::budget::Budget;
use crate::caller::Later;
use crate::config::Limits;
use crate::host::Host;
use crate::outcome::Outcome;
use crate::retry;

/// What the platform says to it is not of interest beyond its status.
const ANSWER_LIMIT: usize = 4 * 1024;

/// Tells it there. When that fails the log says so, and the ledger has the outcome all the same.
pub(crate) async fn tell<H: Host>(host: &H, limits: Limits, later: &Later, body: String, row: &str) {
    // Time of its own: the request's may be over.
    let budget = Budget::new(host.elapsed(), limits);
    let body = Bytes::from(body);
    let request = || {
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = later.url().parse().map_err(|_| Outcome::Unusable)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        Ok(request)
    };
    let why = match retry::send(host, &budget, 0, ANSWER_LIMIT, |_| false, request).await {
        Ok(sent) => match sent.answer {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => format!("it answered {}", answer.status().as_u16()),
            Err(error) => format!("{error:?}"),
        },
        Err(outcome) => format!("{outcome:?}"),
    };
    host.log(&format!("later: the outcome of {row} could not be told: {why}"));
}

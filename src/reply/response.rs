//! The HTTP response. Its headers are made here and not passed on: headers handed on as they came are refused by the engine, and
//! tell what is behind the gateway.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use crate::outcome::Outcome;
use crate::reply::Rendered;

const ROW_ID: HeaderName = HeaderName::from_static("x-offboard-removal");
const CODE: HeaderName = HeaderName::from_static("x-offboard-code");
const NEXT: HeaderName = HeaderName::from_static("x-offboard-next");
const POLICY: HeaderName = HeaderName::from_static("x-offboard-policy");
const CONFIRMED_BY: HeaderName = HeaderName::from_static("x-offboard-confirmed-by");
const REFERENCE: HeaderName = HeaderName::from_static("x-offboard-reference");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the headers say.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a> {
    /// TaurusDB's request id, or the gateway's.
    pub(crate) request_id: &'a str,
    /// The id of the row.
    pub(crate) row: Option<&'a str>,
    /// The outcome.
    pub(crate) outcome: Option<&'a Outcome>,
    /// When to try again, in seconds from now.
    pub(crate) retry_after: Option<u64>,
    /// The policies that decided.
    pub(crate) policies: &'a [String],
    /// The cursor of the next page.
    pub(crate) next: Option<&'a str>,
}

/// Builds the response.
pub(crate) fn build(rendered: Rendered, facts: &Facts<'_>) -> Response<Bytes> {
    let body = Bytes::from(rendered.body);
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = rendered.status;
    let headers = response.headers_mut();
    // An answer without content says nothing about one (RFC 9110, sections 8.6 and 15.4.5).
    if ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&rendered.status) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if let Some(seconds) = facts.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(REQUEST_ID, facts.request_id);
    if let Some(id) = facts.row {
        set(ROW_ID, id);
    }
    if let Some(outcome) = facts.outcome {
        // For callers whose status is 200 whatever happens.
        set(CODE, &outcome.code());
        for (name, value) in
            [(REFERENCE, outcome.reference()), (CONFIRMED_BY, outcome.confirmed_by()), (ALLOW, outcome.allow())]
        {
            value.into_iter().for_each(|value| set(name.clone(), value));
        }
    }
    if let Some(next) = facts.next {
        set(NEXT, next);
    }
    if !facts.policies.is_empty() {
        set(POLICY, &facts.policies.join(","));
    }
    for (name, value) in rendered.headers {
        let Ok(value) = HeaderValue::from_str(&value) else { continue };
        // The only header of a reply that may be there twice (RFC 6265, section 3).
        if name == SET_COOKIE {
            headers.append(name, value)
        } else {
            headers.insert(name, value).is_some()
        };
    }
    *response.body_mut() = body;
    response
}

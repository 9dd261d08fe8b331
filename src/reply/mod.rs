//! What goes out: a reply says an outcome, a rendered reply has the form of a platform.

pub mod api_body;
pub(crate) mod csv;
pub mod exposition;
pub mod metrics;
pub mod response;

use chrono::{DateTime, FixedOffset};
use http::{HeaderName, StatusCode};

use crate::outcome::Outcome;
use crate::outcome::language::{Language, Localized};
use crate::request::command::ApprovalAction;

/// What a reply says about an outcome.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The outcome.
    pub outcome: &'a Outcome,
    /// The language of the reply.
    pub language: Language,
    /// The account, if the request names one: `(user_name, instance)`.
    pub account: Option<(&'a str, &'a str)>,
    /// The environment of its instance.
    pub environment: Option<&'a str>,
    /// What is known of the request.
    pub request: RequestFacts<'a>,
    /// The ids of the policies that decided.
    pub policies: &'a [String],
    /// What TaurusDB's code means for the requester, if it is a known one.
    pub meaning: Option<Localized>,
    /// In how many seconds the same delivery may be tried again, if TaurusDB or the ledger says.
    pub retry_after: Option<u64>,
    /// The id of the removal's row, or of the request if there is none.
    pub removal_id: &'a str,
    /// TaurusDB's request id, if it answered.
    pub upstream_request_id: Option<&'a str>,
    /// The button that was clicked, if one was.
    pub clicked: Option<ApprovalAction>,
    /// Whether the reader's decision came too late: another person or the time was faster.
    pub is_decided_already: bool,
}

/// What is known of a request to remove an account. Times are at the offset of TaurusDB.
#[derive(Debug, Clone, Default)]
pub struct RequestFacts<'a> {
    /// The requester.
    pub requester: Option<Person<'a>>,
    /// Whether the requester reads the reply.
    pub is_readers: bool,
    /// The person who caused the event of a system.
    pub caused_by: Option<Person<'a>>,
    /// The requester's reason.
    pub reason: Option<&'a str>,
    /// When it was asked.
    pub asked_at: Option<DateTime<FixedOffset>>,
    /// Until when it waits, or waited.
    pub expires_at: Option<DateTime<FixedOffset>>,
    /// Whether it waited for the requester's confirmation until it expired.
    pub is_unconfirmed: bool,
    /// Those who have approved.
    pub approvers: Vec<Person<'a>>,
    /// How many approvals it needs.
    pub required: u32,
    /// The approver who denied it, and why.
    pub denied_by: Option<(Person<'a>, Option<&'a str>)>,
}

/// A person or system, as messages name them: never by a display name, never so that the platform notifies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person<'a> {
    /// The operator's name for the person, if there is one.
    pub name: Option<&'a str>,
    /// The principal.
    pub principal: &'a str,
}

/// A reply in the form of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: String,
    /// Its content type.
    pub content_type: &'static str,
    /// Headers in addition to those that every response has.
    pub headers: Vec<(HeaderName, String)>,
}

impl Rendered {
    /// A reply in JSON.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self::of("application/json", status, body)
    }

    /// A reply of this content type.
    pub fn of(content_type: &'static str, status: StatusCode, body: String) -> Self {
        Self { status, body, content_type, headers: Vec::new() }
    }
}

//! What goes out: a reply says an outcome, a rendered reply has the form of a platform.

pub mod api_body;
pub mod response;

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
    /// The requester, if the reply is for another person.
    pub asked_by: Option<&'a str>,
    /// The approvers.
    pub approved_by: Vec<&'a str>,
    /// The ids of the policies that decided.
    pub policies: &'a [String],
    /// What TaurusDB's code means for the requester, if it is a known one.
    pub meaning: Option<Localized>,
    /// The id to quote when asking the operator.
    pub request_id: &'a str,
    /// The button that was clicked, if one was.
    pub clicked: Option<ApprovalAction>,
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

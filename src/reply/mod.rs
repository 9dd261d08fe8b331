//! What goes out.

pub mod api_body;
pub mod response;

use http::{HeaderName, StatusCode};

use crate::outcome::Outcome;
use crate::outcome::language::{Language, Localized};
use crate::request::command::ApprovalAction;

/// What there is to tell about an outcome.
#[derive(Debug)]
pub struct Reply<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// The language to say it in.
    pub language: Language,
    /// The account, where one was read: `(user_name, instance)`.
    pub account: Option<(&'a str, &'a str)>,
    /// The environment of its instance.
    pub environment: Option<&'a str>,
    /// Who asked for it, where that is somebody else than whoever gets this answer.
    pub asked_by: Option<&'a str>,
    /// Who approved it.
    pub approved_by: Vec<&'a str>,
    /// The ids of the policies that decided.
    pub policies: &'a [String],
    /// What TaurusDB's code means for whoever asked, where that is known.
    pub meaning: Option<Localized>,
    /// What to quote when asking the operator.
    pub request_id: &'a str,
    /// The button that this answers, where one was clicked.
    pub clicked: Option<ApprovalAction>,
}

/// An answer in a platform's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: String,
    /// Its content type.
    pub content_type: &'static str,
    /// Headers beside those that every answer has.
    pub headers: Vec<(HeaderName, String)>,
}

impl Rendered {
    /// JSON.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self::of("application/json", status, body)
    }

    /// Text of this content type.
    pub fn of(content_type: &'static str, status: StatusCode, body: String) -> Self {
        Self { status, body, content_type, headers: Vec::new() }
    }
}

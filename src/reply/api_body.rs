//! The answer as TaurusDB's API page documents it.

use crate::reply::{Answer, Rendered};

/// The answer as TaurusDB's API page documents it.
pub fn documented(answer: &Answer<'_>) -> Rendered {
    Rendered::json(answer.outcome.status(), answer.outcome.documented_body(answer.language))
}

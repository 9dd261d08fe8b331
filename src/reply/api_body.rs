//! The answer as TaurusDB's API page documents it.

use crate::reply::{Rendered, Reply};

/// The answer as TaurusDB's API page documents it.
pub fn api_body(answer: &Reply<'_>) -> Rendered {
    Rendered::json(answer.outcome.status(), answer.outcome.documented_body(answer.language))
}

//! Why a request came to nothing, as a page says it.

use http::StatusCode;

use crate::callers::console::guard::FormError;
use crate::console::pages::error::{Denied as DeniedView, Failure, FailureKind};
use crate::outcome::language::Language;
use crate::outcome::{Denied, Outcome};

/// Returns what the page says; `request` is the id of the row, or of the HTTP request, and `teams` are the reader's.
pub(super) fn failure(outcome: &Outcome, language: Language, request: &str, teams: &[String]) -> Failure {
    Failure {
        kind: kind(outcome, teams),
        message: outcome.message(language),
        code: outcome.code().into_owned(),
        request: request.to_owned(),
    }
}

fn kind(outcome: &Outcome, teams: &[String]) -> FailureKind {
    if let Outcome::Denied(denied) = outcome {
        return FailureKind::NotPermitted(denied_view(denied, teams));
    }
    if FormError::is_of(outcome) {
        return FailureKind::Stale;
    }
    match outcome.status() {
        StatusCode::NOT_FOUND => FailureKind::NotFound,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        status if status.is_server_error() => FailureKind::Broken,
        _ => FailureKind::Refused,
    }
}

fn denied_view(denied: &Denied, teams: &[String]) -> DeniedView {
    let (action, denial) = match denied {
        Denied::Removal(denial) => ("delete", Some(denial)),
        Denied::Approval(denial) => ("approve", Some(denial)),
        Denied::Audit(denial) => ("audit", Some(denial)),
        Denied::List(denial) => ("list", Some(denial)),
        Denied::Operate(denial) => ("operate", Some(denial)),
        Denied::OwnRequest => ("approve", None),
        _ => ("", None),
    };
    let forbidden_by = denial.map(|denial| denial.policies().to_vec()).unwrap_or_default();
    DeniedView { action: action.to_owned(), account: None, forbidden_by, teams: teams.to_vec() }
}

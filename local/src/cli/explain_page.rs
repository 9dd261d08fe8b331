//! The page that `explain` prints.

use starrocks_offboard::policy::AuthzResponse;
use starrocks_offboard::policy::explain::{Explanation, PolicyEvaluation, Role};
use starrocks_offboard::policy::permit::Decision;

/// Returns the page: the answer, the facts about the request, and for each action the policies that decide or almost apply.
pub(super) fn page(answer: &str, facts: &[(&str, String)], explanations: &[(&str, Explanation)]) -> String {
    let mut page = format!("{answer}\n\n");
    for (label, value) in facts {
        page += &format!("  {label:<14}{value}\n");
    }
    for (question, explanation) in explanations {
        page += &format!("\n{question}: {}\n", response_in_words(&explanation.response));
        if explanation.policies.is_empty() {
            page += "\n  no policy has this principal, action and resource in its scope\n";
        }
        for evaluation in &explanation.policies {
            page += &format!("\n  {} {}\n", evaluation.id, role_in_words(evaluation));
            for line in evaluation.text.lines() {
                page += format!("    {line}").trim_end();
                page += "\n";
            }
        }
    }
    page
}

/// Describes the decision about a removal.
pub(super) fn decision_in_words((decision, failed): (Decision<'_>, Option<String>), required: u32) -> String {
    match decision {
        Decision::Permit(permit) => format!("permitted by {}", permit.policies().join(", ")),
        Decision::NeedsApproval { policies } => {
            let plural = if required == 1 { "" } else { "s" };
            format!("needs {required} approval{plural}; request permitted by {}", policies.join(", "))
        }
        Decision::Denial(denial) => denial_in_words(failed.as_deref(), denial.policies()),
    }
}

/// Describes the answer of the policies about one action.
pub(super) fn response_in_words(response: &AuthzResponse) -> String {
    match response {
        AuthzResponse { failed: None, allowed: true, policies, .. } => format!("permitted by {}", policies.join(", ")),
        AuthzResponse { failed, policies, .. } => denial_in_words(failed.as_deref(), policies),
    }
}

fn denial_in_words(failed: Option<&str>, policies: &[String]) -> String {
    match failed {
        Some(why) => format!("denied: policy evaluation failed: {why}"),
        None if policies.is_empty() => "denied: no policy permits it".into(),
        None => format!("denied: forbidden by {}", policies.join(", ")),
    }
}

/// Describes the part of one policy in the decision.
fn role_in_words(evaluation: &PolicyEvaluation) -> String {
    let verb = if evaluation.is_permit { "permit" } else { "forbid" };
    match &evaluation.role {
        Role::Decided => format!("{verb}s it"),
        Role::Failed(why) => format!("failed to evaluate, so the answer is no: {why}"),
        Role::Overridden => format!("would {verb} it, but is overridden"),
        Role::AlmostApplies => format!("would {verb} it, but its conditions are not met"),
    }
}

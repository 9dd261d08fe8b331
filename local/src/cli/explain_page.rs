//! The page that `explain` prints.

use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::policy::explain::{PolicyEvaluation, Role};
use starrocks_offboard::policy::question::{ExplainedAnswer, Verdict};

/// Returns the page: the answer, the facts about the request, and for each action the policies that decide or almost apply.
pub(super) fn page(answer: &ExplainedAnswer, facts: &[(&str, String)]) -> String {
    let mut page = format!("{}\n\n", in_words(&answer.verdict));
    for (label, value) in facts {
        page += &format!("  {label:<14}{value}\n");
    }
    for (asked, explanation) in &answer.explanations {
        page += &format!("\n{}: {}\n", asked.as_str(), in_words(&Verdict::from(&explanation.response)));
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

/// Describes what policy decides.
fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Permitted(policies) => format!("permitted by {}", policies.join(", ")),
        Verdict::NeedsApproval { policies, required } => {
            let plural = if *required == 1 { "" } else { "s" };
            format!("needs {required} approval{plural}; request permitted by {}", policies.join(", "))
        }
        Verdict::Denied(policies) if policies.is_empty() => "denied: no policy permits it".into(),
        Verdict::Denied(policies) => format!("denied: forbidden by {}", policies.join(", ")),
        Verdict::NotEvaluated(why) => format!("denied: policy evaluation failed: {why}"),
        Verdict::Refused(error) => {
            format!("denied before policy: {}", Outcome::from(error.clone()).message(Language::default()))
        }
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

//! What is wrong with parsed policies, as diagnostics for the operator.

use std::cell::LazyCell;
use std::collections::HashSet;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    Effect, PolicyId, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};

use crate::diagnostic::{self, Diagnostic, Severity};
use crate::policy::advice::Vocabulary;
use crate::policy::names::Names;

/// The name of the policies' file.
pub(super) const POLICY: &str = "policy.cedar";

/// The name of the schema's file.
pub(super) const SCHEMA: &str = "schema.cedarschema";

/// Returns the policies under their `@id`s, so that a decision names the operator's ids and not positions in a file. Policies
/// without a valid id are left out, with a diagnostic.
pub(super) fn index_by_id(parsed: &PolicySet, text: &str, diagnostics: &mut Vec<Diagnostic>) -> PolicySet {
    let line = |written: String| text.find(&written).map(|start| diagnostic::line_at(text, start));
    diagnostics.extend(parsed.templates().map(|template| {
        let message = "templates are not supported; write a policy for each case";
        Diagnostic::error(POLICY, line(template.to_string()), message)
    }));
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let message = match policy.annotation("id").filter(|id| is_id(id)) {
            Some(id) if set.add(policy.new_id(PolicyId::new(id))).is_ok() => continue,
            Some(id) => format!("two policies have the @id `{id}`; give each its own"),
            None => {
                let effect = match policy.effect() {
                    Effect::Permit => "permit",
                    Effect::Forbid => "forbid",
                };
                // Cedar numbers policies from 0 in the order of the file.
                let position = policy.id().to_string();
                let position =
                    position.trim_start_matches("policy").parse::<usize>().map_or(0, |number| number.saturating_add(1));
                format!(
                    "policy {position} (a {effect}) has no valid `@id`; write @id(\"a-name\") above it, with 1 to 64 characters of A-Z a-z 0-9 `-` `_` `.`"
                )
            }
        };
        diagnostics.push(Diagnostic::error(POLICY, line(policy.to_string()), message));
    }
    set
}

/// Validates policies against the schema.
pub(super) fn validate(set: &PolicySet, schema: &Schema, names: &Names, text: &str) -> Vec<Diagnostic> {
    let checked = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let vocabulary = LazyCell::new(|| Vocabulary::new(names, schema));
    let advised = checked.validation_errors().map(|error| {
        let diagnostic = cedar_diagnostic(Severity::Error, POLICY, text, error);
        let message = vocabulary.advise(&error.to_string());
        Diagnostic { message: message.unwrap_or(diagnostic.message), ..diagnostic }
    });
    let mut errors: Vec<_> = advised.collect();
    // Cedar says the same of each kind of resource.
    diagnostic::sort(&mut errors);
    errors.dedup();
    let wrong: HashSet<_> = checked.validation_errors().map(ValidationError::policy_id).collect();
    let unreachable: HashSet<_> = checked
        .validation_warnings()
        .filter(|warning| matches!(warning, ValidationWarning::InvalidActionApplication(_)))
        .map(ValidationWarning::policy_id)
        .collect();
    let warnings = checked.validation_warnings().filter_map(|warning| {
        let policy = warning.policy_id();
        let message = match warning {
            // The warning may be a consequence of the error.
            _ if wrong.contains(policy) => return None,
            ValidationWarning::InvalidActionApplication(_) => {
                format!("policy `{policy}` can never apply: no action of the schema takes such a principal and resource; correct its scope")
            }
            // Cedar gives this warning as well if no action fits the scope.
            ValidationWarning::ImpossiblePolicy(_) if unreachable.contains(policy) => return None,
            ValidationWarning::ImpossiblePolicy(_) => {
                format!("policy `{policy}` can never apply: it is false for every request that the schema allows; correct or remove it")
            }
            _ => return Some(cedar_diagnostic(Severity::Warning, POLICY, text, warning)),
        };
        Some(Diagnostic { message, ..cedar_diagnostic(Severity::Warning, POLICY, text, warning) })
    });
    errors.into_iter().chain(warnings).collect()
}

/// Makes a diagnostic of an error or warning of Cedar, in its words.
pub(super) fn cedar_diagnostic<'e, E>(severity: Severity, file: &'static str, text: &str, error: &'e E) -> Diagnostic
where
    DetailedError: From<&'e E>,
{
    let DetailedError { mut message, help, source_locations, .. } = error.into();
    let place = source_locations.first();
    // Cedar's guesses are seldom right, and differ between runs; `advice` has its own.
    let help = help.filter(|help| !help.starts_with("did you mean"));
    for advice in [place.and_then(|place| place.label.clone()), help].into_iter().flatten() {
        message = format!("{message}; {advice}");
    }
    Diagnostic { severity, file, line: place.map(|place| diagnostic::line_at(text, place.loc.start)), message }
}

/// Whether an id can be shown in headers, in chat messages and between commas.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

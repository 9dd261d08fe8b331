//! Reading policy.cedar and schema.cedarschema, and what is wrong with them.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    Authorizer, Effect, PolicyId, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use sha2::{Digest, Sha256};

use crate::diagnostic::{self, Diagnostic, Severity};
use crate::policy::cedar_request::check_request_shape;
use crate::policy::names::{Names, uid};
use crate::policy::scope_index::Scopes;
use crate::policy::{Action, Policies};

pub(crate) const POLICY: &str = "policy.cedar";

pub(crate) const SCHEMA: &str = "schema.cedarschema";

/// The largest policy or schema file that is read, in bytes. On wasm Cedar's guard against deep recursion cannot see the
/// stack, so what is parsed is bounded.
pub const LARGEST: usize = 1024 * 1024;

/// How deep parentheses, brackets and braces may be nested, those in texts and comments counted: each level is a few calls of
/// Cedar's parser.
pub const DEEPEST: usize = 20;

/// What is wrong with policy.cedar or schema.cedarschema, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// An entity that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityReference {
    /// The policy's id.
    pub policy: String,
    /// The entity's type: `Team`.
    pub kind: String,
    /// The entity's id: `dba`.
    pub id: String,
    /// The line of policy.cedar.
    pub line: Option<usize>,
}

impl Policies {
    /// Parses policy.cedar and schema.cedarschema and holds the one against the other.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, as Cedar says it, with the file's name and the line.
    pub fn parse(policy: &str, schema: &str) -> Result<Self, PolicyError> {
        let (policies, diagnostics) = Self::check(policy, schema);
        policies.ok_or_else(|| {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
            PolicyError(first.map_or_else(|| "policy.cedar: cannot be used".into(), ToString::to_string))
        })
    }

    /// The same, with everything that is wrong and everything that Cedar warns of. There are policies exactly if there is no
    /// error.
    pub fn check(policy: &str, schema: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let (policies, mut diagnostics) = Self::read(policy, schema);
        diagnostic::sort(&mut diagnostics);
        (policies, diagnostics)
    }

    fn read(policy: &str, schema_text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let files = [(POLICY, policy), (SCHEMA, schema_text)];
        let too_large = files.iter().filter(|(_, text)| text.len() > LARGEST);
        let mut diagnostics: Vec<_> = too_large
            .map(|(file, _)| Diagnostic::error(file, None, format!("the file is over {LARGEST} bytes")))
            .collect();
        diagnostics.extend(files.iter().filter_map(|(file, text)| {
            let line = diagnostic::line_at(text, too_deep(text)?);
            Some(Diagnostic::error(
                file,
                Some(line),
                format!("it is nested more than {DEEPEST} levels deep; make it flatter"),
            ))
        }));
        if !diagnostics.is_empty() {
            return (None, diagnostics);
        }
        let parsed_schema = match Schema::from_cedarschema_str(schema_text) {
            Ok((parsed, warnings)) => {
                diagnostics
                    .extend(warnings.map(|warning| cedar_diagnostic(Severity::Warning, SCHEMA, schema_text, &warning)));
                Some(parsed)
            }
            Err(error) => {
                diagnostics.push(cedar_diagnostic(Severity::Error, SCHEMA, schema_text, &error));
                None
            }
        };
        let set = match PolicySet::from_str(policy) {
            Ok(parsed) => Some(index_by_id(&parsed, policy, &mut diagnostics)),
            Err(errors) => {
                diagnostics.extend(errors.iter().map(|error| cedar_diagnostic(Severity::Error, POLICY, policy, error)));
                None
            }
        };
        let names = Names::new();
        if names.is_none() {
            diagnostics.push(Diagnostic::error(SCHEMA, None, "the entity type names cannot be parsed"));
        }
        let (Some(schema), Some(set), Some(names)) = (parsed_schema, set, names) else { return (None, diagnostics) };
        diagnostics.extend(validate(&set, &schema, policy));
        for needed in Action::ALL {
            let uid = uid(&names.action, needed.as_str());
            if !schema.actions().any(|action| *action == uid) {
                let message =
                    format!("action `{}` is missing; keep the schema that came with the gateway", needed.as_str());
                diagnostics.push(Diagnostic::error(SCHEMA, None, message));
            }
        }
        // A schema that lacks an action lacks more than can be said twice.
        let has_actions = !diagnostics.iter().any(Diagnostic::is_error);
        if has_actions && let Err(why) = check_request_shape(&names, &schema) {
            let message = format!(
                "the schema does not take what the gateway says of a removal: {why}; keep the schema that came with the gateway"
            );
            diagnostics.push(Diagnostic::error(SCHEMA, None, message));
        }
        let groups = groups(&names, &schema);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return (None, diagnostics);
        }
        match Scopes::of(&set, &names) {
            Ok(scopes) => {
                let (authorizer, digest) = (Authorizer::new(), digest(policy, schema_text));
                let with_time = can_ask_for_time(policy);
                (Some(Self { set, scopes, groups, with_time, authorizer, names, digest }), diagnostics)
            }
            Err(why) => {
                diagnostics.push(Diagnostic::error(POLICY, None, why));
                (None, diagnostics)
            }
        }
    }

    /// Every entity that a policy names, with its line in `policy`, the text that these policies were parsed from.
    pub fn mentions(&self, policy: &str) -> Vec<EntityReference> {
        let mut mentions = Vec::new();
        for named in self.set.policies() {
            let written = named.to_string();
            let start = policy.find(&written);
            for entity in named.entity_literals() {
                let place = start.map(|start| start.saturating_add(written.find(&entity.to_string()).unwrap_or(0)));
                let mention = EntityReference {
                    policy: named.id().to_string(),
                    kind: entity.type_name().to_string(),
                    id: entity.id().unescaped().to_owned(),
                    line: place.map(|place| diagnostic::line_at(policy, place)),
                };
                if !mentions.contains(&mention) {
                    mentions.push(mention);
                }
            }
        }
        mentions
    }

    /// The first 12 hexadecimal digits of the files' SHA-256.
    pub fn digest(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }
}

/// Where a text is nested deeper than [`DEEPEST`].
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Whether `context.time` may be in a text: its name is, or an escape that may spell it.
pub(crate) fn can_ask_for_time(policy: &str) -> bool {
    policy.contains("time") || policy.contains('\\')
}

/// The SHA-256 of the files.
pub(crate) fn digest(policy: &str, schema: &str) -> String {
    hex::encode(Sha256::new().chain_update(policy).chain_update([0]).chain_update(schema).finalize())
}

/// The groups that each of the gateway's actions is in.
pub(crate) fn groups(names: &Names, schema: &Schema) -> BTreeMap<String, Vec<String>> {
    let Ok(actions) = schema.action_entities() else { return BTreeMap::new() };
    let groups = Action::ALL.map(|action| {
        let ancestors = actions.ancestors(&uid(&names.action, action.as_str())).into_iter().flatten();
        let mut groups: Vec<_> = ancestors.map(|group| group.id().unescaped().to_owned()).collect();
        groups.sort_unstable();
        (action.as_str().to_owned(), groups)
    });
    groups.into_iter().filter(|(_, groups)| !groups.is_empty()).collect()
}

/// The same policies under their `@id`s, so that every decision names what an operator wrote and not a position in a file.
/// Those that cannot be named are left out, and found.
pub(crate) fn index_by_id(parsed: &PolicySet, text: &str, diagnostics: &mut Vec<Diagnostic>) -> PolicySet {
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
                    "policy number {position} (a {effect}) has no good `@id`; write @id(\"a-name\") above it, 1 to 64 of A-Z a-z 0-9 `-` `_` `.`"
                )
            }
        };
        diagnostics.push(Diagnostic::error(POLICY, line(policy.to_string()), message));
    }
    set
}

/// Holds policies against the schema.
pub(crate) fn validate(set: &PolicySet, schema: &Schema, text: &str) -> Vec<Diagnostic> {
    let checked = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let errors = checked.validation_errors().map(|error| cedar_diagnostic(Severity::Error, POLICY, text, error));
    let wrong: HashSet<_> = checked.validation_errors().map(ValidationError::policy_id).collect();
    let unreachable: HashSet<_> = checked
        .validation_warnings()
        .filter(|warning| matches!(warning, ValidationWarning::InvalidActionApplication(_)))
        .map(ValidationWarning::policy_id)
        .collect();
    let warnings = checked.validation_warnings().filter_map(|warning| {
        let policy = warning.policy_id();
        let message = match warning {
            // It may well be because of the error.
            _ if wrong.contains(policy) => return None,
            ValidationWarning::InvalidActionApplication(_) => {
                format!("policy `{policy}` can never apply: no action of the schema takes such a principal and resource; correct its scope")
            }
            // Cedar says this of what no action reaches, too.
            ValidationWarning::ImpossiblePolicy(_) if unreachable.contains(policy) => return None,
            ValidationWarning::ImpossiblePolicy(_) => {
                format!("policy `{policy}` can never apply: it is false for every request that the schema allows; correct or remove it")
            }
            _ => return Some(cedar_diagnostic(Severity::Warning, POLICY, text, warning)),
        };
        Some(Diagnostic { message, ..cedar_diagnostic(Severity::Warning, POLICY, text, warning) })
    });
    errors.chain(warnings).collect()
}

/// What Cedar says of a text, in its words.
pub(crate) fn cedar_diagnostic<'e, E>(severity: Severity, file: &'static str, text: &str, error: &'e E) -> Diagnostic
where
    DetailedError: From<&'e E>,
{
    let DetailedError { mut message, help, source_locations, .. } = error.into();
    let place = source_locations.first();
    // What Cedar guesses was meant is seldom it, and another one each time.
    let help = help.filter(|help| !help.starts_with("did you mean"));
    for advice in [place.and_then(|place| place.label.clone()), help].into_iter().flatten() {
        message = format!("{message}; {advice}");
    }
    Diagnostic { severity, file, line: place.map(|place| diagnostic::line_at(text, place.loc.start)), message }
}

/// Ids stand in headers, in chat messages and between commas.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

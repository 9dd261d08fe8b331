//! Reads policy.cedar and schema.cedarschema.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cedar_policy::{Authorizer, EntityUid, PolicySet, Schema};
use sha2::{Digest, Sha256};

use crate::diagnostic::{self, Diagnostic, Severity};
use crate::policy::cedar_request::check_request_shape;
use crate::policy::indifference::largest_indifferent_counts;
use crate::policy::known_instances::KnownInstances;
use crate::policy::names::{Names, uid};
use crate::policy::scope_index::ScopeIndex;
use crate::policy::validate::{POLICY, SCHEMA, cedar_diagnostic, index_by_id, validate};
use crate::policy::{Action, Policies};

/// The largest policy or schema file that is read, in bytes. On wasm Cedar's guard against deep recursion cannot see the stack,
/// so the input of the parser is bounded.
pub const LARGEST: usize = 1024 * 1024;

/// How deep parentheses, brackets and braces may be nested, including those in texts and comments: each level is a few nested
/// calls of Cedar's parser.
pub const DEEPEST: usize = 20;

/// Why policy.cedar or schema.cedarschema cannot be used, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

impl Policies {
    /// Parses both files and validates the policies against the schema.
    ///
    /// # Errors
    ///
    /// If a file is too large or too deep, cannot be parsed, or does not pass validation: the first error, with file and line.
    pub fn parse(policy: &str, schema: &str) -> Result<Self, PolicyError> {
        let (policies, diagnostics) = Self::check(policy, schema);
        policies.ok_or_else(|| {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
            PolicyError(first.map_or_else(|| "policy.cedar: cannot be used".into(), ToString::to_string))
        })
    }

    /// Parses and validates as [`Policies::parse`], and returns all errors and warnings. There are policies exactly if there is
    /// no error.
    pub fn check(policy: &str, schema: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let policies = Self::read(policy, schema, &mut diagnostics);
        diagnostic::sort(&mut diagnostics);
        (policies, diagnostics)
    }

    fn read(policy: &str, schema: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        check_size(&[(POLICY, policy), (SCHEMA, schema)], diagnostics);
        if !diagnostics.is_empty() {
            return None;
        }
        let parsed_schema = parse_schema(schema, diagnostics);
        let set = parse_policies(policy, diagnostics);
        let names = Names::new();
        if names.is_none() {
            diagnostics.push(Diagnostic::error(SCHEMA, None, "the entity type names cannot be parsed"));
        }
        let (parsed_schema, set, names) = (parsed_schema?, set?, names?);
        diagnostics.extend(validate(&set, &parsed_schema, &names, policy));
        check_schema(&names, &parsed_schema, diagnostics);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return None;
        }
        let scopes = ScopeIndex::new(&set, actions(&names))
            .map_err(|why| diagnostics.push(Diagnostic::error(POLICY, None, why)))
            .ok()?;
        Some(Self {
            indifferent: largest_indifferent_counts(&set),
            set,
            scopes,
            groups: groups(&names, &parsed_schema),
            uses_time: can_read_time(policy),
            authorizer: Authorizer::new(),
            names,
            instances: KnownInstances::default(),
            digest: digest(policy, schema),
        })
    }
}

fn check_size(files: &[(&'static str, &str)], diagnostics: &mut Vec<Diagnostic>) {
    for (file, text) in files {
        if text.len() > LARGEST {
            diagnostics.push(Diagnostic::error(file, None, format!("the file is larger than {LARGEST} bytes")));
        }
        if let Some(offset) = too_deep(text) {
            let message = format!("the text is nested more than {DEEPEST} levels deep; make it flatter");
            diagnostics.push(Diagnostic::error(file, Some(diagnostic::line_at(text, offset)), message));
        }
    }
}

fn parse_schema(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Schema> {
    match Schema::from_cedarschema_str(text) {
        Ok((schema, warnings)) => {
            diagnostics.extend(warnings.map(|warning| cedar_diagnostic(Severity::Warning, SCHEMA, text, &warning)));
            Some(schema)
        }
        Err(error) => {
            diagnostics.push(cedar_diagnostic(Severity::Error, SCHEMA, text, &error));
            None
        }
    }
}

fn parse_policies(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<PolicySet> {
    match PolicySet::from_str(text) {
        Ok(parsed) => Some(index_by_id(&parsed, text, diagnostics)),
        Err(errors) => {
            diagnostics.extend(errors.iter().map(|error| cedar_diagnostic(Severity::Error, POLICY, text, error)));
            None
        }
    }
}

/// Checks that the schema has the gateway's actions and accepts its requests.
fn check_schema(names: &Names, schema: &Schema, diagnostics: &mut Vec<Diagnostic>) {
    for needed in Action::ALL {
        let uid = uid(&names.action, needed.as_str());
        if !schema.actions().any(|action| *action == uid) {
            let message =
                format!("action `{}` is missing; use the schema that comes with the gateway", needed.as_str());
            // The schema of an earlier gateway does not have all.
            let diagnostic = if Action::ADDED.contains(&needed) { Diagnostic::warning } else { Diagnostic::error };
            diagnostics.push(diagnostic(SCHEMA, None, message));
        }
    }
    // Without an action, its requests would be refused as well, and one error is enough.
    let has_actions = !diagnostics.iter().any(Diagnostic::is_error);
    if has_actions && let Err(why) = check_request_shape(names, schema) {
        let message = format!(
            "the schema does not accept the gateway's requests: {why}; use the schema that comes with the gateway"
        );
        diagnostics.push(Diagnostic::error(SCHEMA, None, message));
    }
}

/// Returns the offset at which a text is nested deeper than [`DEEPEST`].
fn too_deep(text: &str) -> Option<usize> {
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

/// The identifiers of the gateway's actions.
fn actions(names: &Names) -> impl Iterator<Item = EntityUid> {
    Action::ALL.into_iter().map(|action| uid(&names.action, action.as_str()))
}

/// Whether the policies may read `context.time`: the text has its name, or an escape that may spell it.
fn can_read_time(policy: &str) -> bool {
    policy.contains("time") || policy.contains('\\')
}

/// Returns the SHA-256 of the files.
fn digest(policy: &str, schema: &str) -> String {
    hex::encode(Sha256::new().chain_update(policy).chain_update([0]).chain_update(schema).finalize())
}

/// Returns the schema's groups that contain each of the gateway's actions.
fn groups(names: &Names, schema: &Schema) -> BTreeMap<String, Vec<String>> {
    let Ok(actions) = schema.action_entities() else { return BTreeMap::new() };
    let groups = Action::ALL.map(|action| {
        let ancestors = actions.ancestors(&uid(&names.action, action.as_str())).into_iter().flatten();
        let mut groups: Vec<_> = ancestors.map(|group| group.id().unescaped().to_owned()).collect();
        groups.sort_unstable();
        (action.as_str().to_owned(), groups)
    });
    groups.into_iter().filter(|(_, groups)| !groups.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = include_str!("../../config/policy.cedar");
    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    #[test]
    fn files_that_cannot_be_used_are_refused_in_words() {
        let refused = |policy: &str| Policies::parse(policy, SCHEMA).unwrap_err().to_string();
        let begins = |policy: &str, start: &str| {
            let error = refused(policy);
            assert!(error.starts_with(start), "{error}");
        };
        begins("permit (principal, action, resource);", "policy.cedar, line 1: policy 1 (a permit) has no valid `@id`");
        begins(
            r#"@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);"#,
            "policy.cedar, line 1: two policies have the @id `a`",
        );
        let earlier = SCHEMA.split("// Read the account list").next().unwrap();
        let without_list = POLICY.replace("Action::\"list\"", "Action::\"audit\"");
        let (policies, diagnostics) = Policies::check(&without_list, earlier);
        let warnings: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        let missing = |action| {
            format!("schema.cedarschema: action `{action}` is missing; use the schema that comes with the gateway")
        };
        assert_eq!(warnings, ["list", "operate"].map(missing));
        assert!(policies.is_some());
        begins("permit (principal", "policy.cedar, line 1: unexpected end of input; expected `");
        begins(
            r#"@id("a") permit (principal, action, resource) when { context.reson };"#,
            "policy.cedar, line 1: for policy `a`, attribute `reson` is not in `context`; ",
        );
        begins(
            r#"@id("a") permit (principal == ?principal, action, resource);"#,
            "policy.cedar, line 1: templates are not supported",
        );
        let nested = |levels: usize| {
            let (open, close) = ("(".repeat(levels), ")".repeat(levels));
            format!("@id(\"a\") permit (principal, action, resource)\nwhen {{ {open}true{close} }};")
        };
        begins(&nested(DEEPEST), "policy.cedar, line 2: the text is nested more than 20 levels deep");
        assert!(Policies::parse(&nested(DEEPEST - 1), SCHEMA).is_ok());
        assert!(
            Policies::parse(POLICY, "entity X").unwrap_err().to_string().starts_with("schema.cedarschema, line 1: ")
        );
        assert_eq!(
            Policies::parse(POLICY, "").unwrap_err().to_string(),
            "policy.cedar, line 7: for policy `dba-removes-on-staging`, unrecognized entity type `Team`"
        );
    }
}

//! The files of `config/`, without spin.toml.
//!
//! [`App::parse`](starrocks_offboard::app::App::parse) fails on exactly the errors found here. Warnings are for `check`
//! alone.

use starrocks_offboard::app;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::{Diagnostic, sort};

use super::{callers, instances, names, notify, principals};

/// Returns all diagnostics about the three files, in the order of the files.
pub fn diagnostics(offboard: &str, policy: &str, schema: &str) -> Vec<Diagnostic> {
    let (config, policies, mut diagnostics) = app::read(offboard, policy, schema);
    if let (Some(config), Some(source_map)) = (&config, SourceMap::read(offboard)) {
        diagnostics.extend(instances::unlikely_ids(config, &source_map));
        diagnostics.extend(instances::unused_environments(config, &source_map));
        diagnostics.extend(principals::unreachable(config, &source_map));
        diagnostics.extend(callers::without_signed_messages(config, &source_map));
        diagnostics.extend(callers::named_by_people(config, &source_map));
        diagnostics.extend(callers::with_any_app(config, &source_map));
        diagnostics.extend(callers::with_an_unknown_bot(config, &source_map));
        diagnostics.extend(notify::owned_by_one_person(config, &source_map));
        if let Some(policies) = &policies {
            let references = policies.entity_references(policy);
            diagnostics.extend(names::idle_teams(&source_map, &references));
            diagnostics.extend(names::unknown_references(config, &source_map, &references));
        }
    }
    sort(&mut diagnostics);
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{SCHEMA, found, lines};

    #[test]
    fn the_demo_has_no_diagnostics() {
        let (offboard, policy) =
            (include_str!("../../../config/offboard.toml"), include_str!("../../../config/policy.cedar"));
        assert_eq!(lines(&diagnostics(offboard, policy, SCHEMA)), [""; 0]);
    }

    #[test]
    fn errors_of_the_policies_are_all_reported() {
        for (policy, expected) in [
            (
                "@id(\"x\")\npermit (principal, action, resource) when { false };",
                vec![
                    "warning: policy.cedar, line 8: policy `x` can never apply: it is false for every request that the schema allows; correct or remove it",
                ],
            ),
            (
                "\n@id(\"x\") permit (principal is Team, action, resource);",
                vec![
                    "warning: policy.cedar, line 9: policy `x` can never apply: no action of the schema takes such a principal and resource; correct its scope",
                ],
            ),
            (
                "@id(\"x\") permit (principal, action == Action::\"delete\", resource) when {\n  context.reason_givn\n};\npermit (principal, action, resource);\n@id(\"dba\") permit (principal, action, resource);\n@id(\"y\") permit (principal, action == Action::\"remove\", resource);",
                vec![
                    "error: policy.cedar, line 9: for policy `x`, attribute `reason_givn` is not in `context`; did you mean `context.reason_given`?",
                    "error: policy.cedar, line 11: policy 3 (a permit) has no valid `@id`; write @id(\"a-name\") above it, with 1 to 64 characters of A-Z a-z 0-9 `-` `_` `.`",
                    "error: policy.cedar, line 12: two policies have the @id `dba`; give each its own",
                    "error: policy.cedar, line 13: for policy `y`, unrecognized action `Action::\"remove\"`; the actions are `approve`, `audit`, `delete`, `list`, `operate`, `request`",
                ],
            ),
            (
                "permit (principal, action, resource) when { one(1) };\npermit (principal, action, resource) when { two(2) };\n",
                vec![
                    "error: policy.cedar, line 8: `one` is not a valid function",
                    "error: policy.cedar, line 9: `two` is not a valid function",
                ],
            ),
            (
                "@id(\"x\") permit (principal == ?principal, action, resource);",
                vec!["error: policy.cedar, line 8: templates are not supported; write a policy for each case"],
            ),
        ] {
            assert_eq!(found("resource\n);\n", &format!("resource\n);\n{policy}")), expected, "{policy}");
        }
    }

    #[test]
    fn errors_of_the_schema_are_reported() {
        let line = 1 + SCHEMA.lines().position(|line| line.starts_with("action audit")).unwrap();
        for (from, to, expected) in [
            (
                "action audit",
                "action look",
                "error: schema.cedarschema: action `audit` is missing; use the schema that comes with the gateway"
                    .to_owned(),
            ),
            (
                "action audit",
                "action audit audit",
                format!(
                    "error: schema.cedarschema, line {line}: error parsing schema: unexpected token `audit`; expected `,`, `;`, APPLIESTO, ATTRIBUTES, or `in`"
                ),
            ),
        ] {
            assert_eq!(found(from, to), [expected], "{to}");
        }
    }

    #[test]
    fn each_file_has_its_errors() {
        let diagnostics = diagnostics("", "permit", "entity");
        let files: Vec<_> =
            diagnostics.iter().map(|diagnostic| (diagnostic.file, diagnostic.line, diagnostic.is_error())).collect();
        let expected = ["offboard.toml", "policy.cedar", "schema.cedarschema"].map(|file| (file, Some(1), true));
        assert_eq!(files, expected);
    }
}

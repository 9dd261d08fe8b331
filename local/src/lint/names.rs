//! Names in policies and teams: whether policies use the teams, and whether the names in policies exist.

use std::collections::BTreeSet;

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers::actors::actor;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::Diagnostic;
use starrocks_offboard::policy::references::EntityReference;

/// Warns of teams without members, and of teams that no policy names.
pub(super) fn idle_teams(source_map: &SourceMap, references: &[EntityReference]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for team in team_names(source_map) {
        // Several tables may add members to one team.
        let tables = || source_map.teams.iter().filter(|table| table.name.text == team);
        let Some(first) = tables().next() else { continue };
        let mut warn = |message| diagnostics.push(Diagnostic::warning(OFFBOARD, Some(first.name.line), message));
        if tables().all(|table| table.members.is_empty()) {
            warn(format!(
                "team `{team}` has no members; add members, or remove the team and the policies that name it"
            ));
        }
        if !references.iter().any(|reference| reference.kind == "Team" && reference.id == team) {
            warn(format!("no policy names team `{team}`, so it grants nothing; add a policy, or remove the team"));
        }
    }
    diagnostics
}

/// Warns of policies that name something no request can match.
pub(super) fn unknown_references(
    config: &Config,
    source_map: &SourceMap,
    references: &[EntityReference],
) -> Vec<Diagnostic> {
    let teams = team_names(source_map);
    let unknown = references.iter().filter_map(|reference| {
        let why = why_unknown(config, &teams, reference)?;
        let message = format!("policy `{}` names something that no request can match: {why}", reference.policy);
        Some(Diagnostic::warning("policy.cedar", reference.line, message))
    });
    unknown.collect()
}

fn why_unknown(config: &Config, teams: &BTreeSet<&str>, reference: &EntityReference) -> Option<String> {
    let EntityReference { kind, id, .. } = reference;
    let missing = || format!("`{kind}::\"{id}\"` is not in offboard.toml; correct the name");
    let has_instance = |name: &str| config.instance(name).is_ok();
    match kind.as_str() {
        "Team" => (!teams.contains(id.as_str())).then(missing),
        "Environment" => (!config.instances().iter().any(|instance| instance.environment == *id)).then(missing),
        "Instance" => (!has_instance(id)).then(missing),
        "Account" => (!id.split_once('/').is_some_and(|(instance, _)| has_instance(instance))).then(|| {
            format!(
                "the instance of `{kind}::\"{id}\"` is not in offboard.toml; write `Account::\"instance/user_name\"`"
            )
        }),
        "User" => actor(config, id).err(),
        _ => None,
    }
}

fn team_names(source_map: &SourceMap) -> BTreeSet<&str> {
    source_map.teams.iter().map(|team| team.name.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    #[test]
    fn idle_teams_are_reported() {
        for (from, to, expected) in [
            (
                "name = \"dba\"\nmembers = [\"slack/U1\", \"hr\", \"portal/KEY1\"]",
                "name = \"dba\"\nmembers = []",
                &[
                    "warning: offboard.toml, line 12: team `dba` has no members; add members, or remove the team and the policies that name it",
                ][..],
            ),
            (
                "[[person]]",
                "[[team]]\nname = \"others\"\nmembers = []\n[[team]]\nname = \"dba\"\nmembers = []\n[[person]]",
                &[
                    "warning: offboard.toml, line 15: no policy names team `others`, so it grants nothing; add a policy, or remove the team",
                    "warning: offboard.toml, line 15: team `others` has no members; add members, or remove the team and the policies that name it",
                ],
            ),
        ] {
            assert_eq!(found(from, to), expected, "{to}");
        }
    }

    #[test]
    fn names_that_do_not_exist_are_reported() {
        let names = |line: usize, why: &str| {
            format!("warning: policy.cedar, line {line}: policy `x` names something that no request can match: {why}")
        };
        // The appended policy begins on line 8.
        for (policy, expected) in [
            (r#"@id("x") permit (principal, action, resource in Instance::"warehouse");"#, vec![]),
            (r#"@id("x") forbid (principal == User::"hr", action, resource == Account::"warehouse/alice");"#, vec![]),
            (
                "@id(\"x\")\npermit (\n  principal in Team::\"dbas\",\n  action,\n  resource in Environment::\"prod\"\n) when { resource in Instance::\"w\" };",
                vec![
                    names(10, "`Team::\"dbas\"` is not in offboard.toml; correct the name"),
                    names(12, "`Environment::\"prod\"` is not in offboard.toml; correct the name"),
                    names(13, "`Instance::\"w\"` is not in offboard.toml; correct the name"),
                ],
            ),
            (
                r#"@id("x") forbid (principal == User::"pager/U1", action, resource == Account::"w/alice");"#,
                vec![
                    names(
                        8,
                        "`pager/U1` can never send a request: caller `pager` is not configured; correct the name or add the caller",
                    ),
                    names(
                        8,
                        "the instance of `Account::\"w/alice\"` is not in offboard.toml; write `Account::\"instance/user_name\"`",
                    ),
                ],
            ),
        ] {
            assert_eq!(found("resource\n);\n", &format!("resource\n);\n{policy}")), expected, "{policy}");
        }
    }
}

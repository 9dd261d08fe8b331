//! What is wrong with the files of `config/`, and what in them can hardly be meant.
//!
//! Pure, over the three texts. [`App::parse`](crate::gateway::Gateway::parse) fails on every error that is found here;
//! warnings are for `offboard check`, which adds what takes spin.toml and the values of its variables.

use std::collections::BTreeSet;

use starrocks_offboard::app::{self, OFFBOARD};
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::caller_shape::{CallerShape, KeyShape};
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::{Diagnostic, sort};
use starrocks_offboard::policy::references::EntityReference;
use starrocks_offboard::request::actor::Actor;

/// How the id of an instance may end without a word about it.
pub(crate) const ENDINGS: [&str; 2] = ["in17", "in07"];

/// Everything that there is to say about the files, in their order.
pub fn diagnostics(offboard: &str, policy: &str, schema: &str) -> Vec<Diagnostic> {
    let (config, policies, mut diagnostics) = app::read(offboard, policy, schema);
    if let (Some(config), Some(source_map)) = (&config, SourceMap::read(offboard)) {
        diagnostics.extend(about_instances(config, &source_map));
        diagnostics.extend(about_principals(config, &source_map));
        diagnostics.extend(about_callers(config, &source_map));
        if let Some(policies) = &policies {
            diagnostics.extend(about_names(config, &source_map, &policies.entity_references(policy)));
        }
    }
    sort(&mut diagnostics);
    diagnostics
}

/// Who a principal is, as a request of theirs would prove it.
///
/// # Errors
///
/// Why there can be no such request, and what to write instead.
pub fn actor(config: &Config, principal: &str) -> Result<Actor, String> {
    let never = |why: String| Err(format!("`{principal}` can never ask: {why}"));
    let (name, id) = principal.split_once('/').map_or((principal, None), |(name, id)| (name, Some(id)));
    let Ok(caller) = config.caller(name) else {
        return never(format!("caller `{name}` is not configured; correct the name or add the caller"));
    };
    match (Asker::of(caller), id) {
        (Asker::Itself, None) => Ok(Actor::system(caller)),
        (Asker::Itself, Some(_)) => {
            never(format!("callers of kind `{}` speak for themselves; write `{name}`", caller.kind))
        }
        (Asker::People, Some(id)) if !id.is_empty() => Ok(Actor::person(caller, id)),
        (Asker::People, _) => {
            never(format!("people ask through caller `{name}`; write `{name}/` and somebody's id there"))
        }
        (Asker::Keys, Some(id)) if caller.keys.iter().any(|key| key.id.as_deref() == Some(id)) => {
            Ok(Actor::person(caller, id))
        }
        (Asker::Keys, Some(id)) if !id.is_empty() && caller.setting("issuer").is_some() => {
            Ok(Actor::person(caller, id))
        }
        (Asker::Keys, Some(id)) => {
            never(format!("caller `{name}` has no access key `{id}`; correct the id or add the key"))
        }
        (Asker::Keys, None) => {
            never(format!("access keys ask through caller `{name}`; write `{name}/` and an access key id"))
        }
    }
}

/// Who can ask through a caller.
pub(crate) enum Asker {
    /// The caller.
    Itself,
    /// Whoever the platform names.
    People,
    /// Whoever has one of its access keys.
    Keys,
}

impl Asker {
    fn of(caller: &Caller) -> Self {
        match callers::kind(&caller.kind).map(|kind| kind.shape()) {
            Some(CallerShape { keys: KeyShape::AccessKeys { .. }, .. }) => Self::Keys,
            Some(CallerShape { is_chat: true, .. }) => Self::People,
            _ => Self::Itself,
        }
    }
}

pub(crate) fn warning(line: usize, message: String) -> Diagnostic {
    Diagnostic::warning(OFFBOARD, Some(line), message)
}

/// Ids that are hardly StarRocks', and environments that nothing is in.
pub(crate) fn about_instances(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let ids = config.instances().iter().zip(&source_map.instances).filter_map(|(instance, place)| {
        let ending = instance.instance_id.get(32..).unwrap_or_default();
        let message = format!(
            "instance `{}` has an id that ends in `{ending}`; StarRocks instances carry `in17` (`in07`, in the text of the delete page, is what a TaurusDB instance itself carries; `in16`, in its example, is ClickHouse's)",
            instance.name
        );
        (!ENDINGS.contains(&ending)).then(|| warning(place.instance_id, message))
    });
    let required = source_map
        .required
        .iter()
        .filter(|required| !config.instances().iter().any(|instance| instance.environment == required.text));
    let required = required.map(|required| {
        let message = format!(
            "approvals.required names the environment `{}`, which no instance is in; correct the name",
            required.text
        );
        warning(required.line, message)
    });
    ids.chain(required).collect()
}

/// Callers whose platform proves less than others do.
pub(crate) fn about_callers(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let unsigned = source_map.callers.iter().filter_map(|place| {
        let caller = config.caller(&place.name.text).ok()?;
        let shape = callers::kind(&caller.kind)?.shape();
        let message = format!(
            "the platform of caller `{}` (kind `{}`) signs nothing of what people say: whoever sees one of its requests can say anything in anybody's name until the signature's time is over; let policies give its people `request` and not `delete`, so that somebody else approves",
            caller.name, caller.kind
        );
        (!shape.proves_body).then(|| warning(place.name.line, message))
    });
    unsigned.collect()
}

/// Members and persons who can never ask.
pub(crate) fn about_principals(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let members = source_map.teams.iter().flat_map(|team| &team.members).map(|member| ("team.members", member));
    let principals = source_map.principals.iter().map(|principal| ("person.principals", principal));
    let all = members.chain(principals);
    all.filter_map(|(key, principal)| {
        let why = actor(config, &principal.text).err()?;
        Some(warning(principal.line, format!("{key} {why}")))
    })
    .collect()
}

/// Teams without people or policies, and policies that speak of what there is not.
pub(crate) fn about_names(config: &Config, source_map: &SourceMap, mentions: &[EntityReference]) -> Vec<Diagnostic> {
    let teams: BTreeSet<&str> = source_map.teams.iter().map(|team| team.name.text.as_str()).collect();
    let mut diagnostics = Vec::new();
    for team in &teams {
        // A team may stand in several tables.
        let tables = || source_map.teams.iter().filter(|table| table.name.text == *team);
        let Some(first) = tables().next() else { continue };
        if tables().all(|table| table.members.is_empty()) {
            let message = format!("team `{team}` has no members; add some, or remove it and what names it");
            diagnostics.push(warning(first.name.line, message));
        }
        if !mentions.iter().any(|mention| mention.kind == "Team" && mention.id == *team) {
            let message =
                format!("no policy names the team `{team}`, so that it gives nobody anything; write one, or remove it");
            diagnostics.push(warning(first.name.line, message));
        }
    }
    diagnostics.extend(mentions.iter().filter_map(|mention| {
        let EntityReference { policy, kind, id, line } = mention;
        let missing = || format!("`{kind}::\"{id}\"` is not in offboard.toml; correct the name");
        let instance = |name: &str| config.instance(name).is_ok();
        let why = match kind.as_str() {
            "Team" => (!teams.contains(id.as_str())).then(missing),
            "Environment" => (!config.instances().iter().any(|known| known.environment == *id)).then(missing),
            "Instance" => (!instance(id)).then(missing),
            "Account" => (!id.split_once('/').is_some_and(|(name, _)| instance(name)))
                .then(|| format!("the instance of `{kind}::\"{id}\"` is not in offboard.toml; write `Account::\"instance/user_name\"`")),
            "User" => actor(config, id).err(),
            _ => None,
        }?;
        Some(Diagnostic::warning("policy.cedar", *line, format!("policy `{policy}` names what can never be asked about: {why}")))
    }));
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFBOARD_TEXT: &str = r#"[taurusdb]
credentials = "aksk"
[approvals]
required = { production = 2 }
[[instance]]
name = "warehouse"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"
region = "ap-southeast-3"
environment = "production"
[[team]]
name = "dba"
members = ["slack/U1", "hr", "portal/KEY1"]
[[person]]
name = "dana"
principals = ["slack/U1"]
[[caller]]
name = "slack"
kind = "slack"
secrets = ["slack_secret"]
[[caller]]
name = "hr"
kind = "standard-webhooks"
secrets = ["hr_secret"]
[[caller]]
name = "portal"
kind = "api"
access_keys = [{ id = "KEY1", secret = "portal_secret" }]
"#;
    const POLICY: &str = r#"// Who may.
@id("dba")
permit (
    principal in Team::"dba",
    action,
    resource
);
"#;
    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
        diagnostics.iter().map(|diagnostic| format!("{}: {diagnostic}", diagnostic.severity)).collect()
    }

    /// What is found when `from` is `to`, in the one file that has it.
    fn found(from: &str, to: &str) -> Vec<String> {
        let mut files = [OFFBOARD_TEXT, POLICY, SCHEMA].map(str::to_owned);
        let file = files.iter_mut().find(|file| file.contains(from));
        let file = file.unwrap_or_else(|| panic!("no file has {from:?}"));
        *file = file.replacen(from, to, 1);
        let [offboard, policy, schema] = &files;
        let diagnostics = diagnostics(offboard, policy, schema);
        // The gateway fails on exactly the errors.
        let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).cloned().collect();
        assert_eq!(app::load(offboard, policy, schema).err().unwrap_or_default(), errors);
        lines(&diagnostics)
    }

    #[test]
    fn the_demo_has_nothing_to_say() {
        let (offboard, policy) =
            (include_str!("../../config/offboard.toml"), include_str!("../../config/policy.cedar"));
        assert_eq!(lines(&diagnostics(offboard, policy, SCHEMA)), [""; 0]);
    }

    #[test]
    fn what_there_is_to_say_of_offboard_toml() {
        let kinds: Vec<_> = callers::KINDS.iter().map(|kind| format!("`{}`", kind.shape().name)).collect();
        let never = |key: &str, line: usize, why: &str| format!("warning: offboard.toml, line {line}: {key} {why}");
        for (from, to, expected) in [
            ("in17", "in17", vec![]),
            ("in17", "in07", vec![]),
            (
                "in17",
                "in16",
                vec!["warning: offboard.toml, line 8: instance `warehouse` has an id that ends in `in16`; StarRocks instances carry `in17` (`in07`, in the text of the delete page, is what a TaurusDB instance itself carries; `in16`, in its example, is ClickHouse's)".to_owned()],
            ),
            (
                "production = 2",
                "production = 2, prod = 1",
                vec!["warning: offboard.toml, line 4: approvals.required names the environment `prod`, which no instance is in; correct the name".to_owned()],
            ),
            (
                "name = \"dba\"\nmembers = [\"slack/U1\", \"hr\", \"portal/KEY1\"]",
                "name = \"dba\"\nmembers = []",
                vec!["warning: offboard.toml, line 12: team `dba` has no members; add some, or remove it and what names it".to_owned()],
            ),
            (
                "[[person]]",
                "[[team]]\nname = \"others\"\nmembers = []\n[[team]]\nname = \"dba\"\nmembers = []\n[[person]]",
                vec![
                    "warning: offboard.toml, line 15: no policy names the team `others`, so that it gives nobody anything; write one, or remove it".to_owned(),
                    "warning: offboard.toml, line 15: team `others` has no members; add some, or remove it and what names it".to_owned(),
                ],
            ),
            (
                "[\"slack/U1\", \"hr\", \"portal/KEY1\"]",
                "[\n\"pager/U1\",\n\"hr/U1\",\n\"portal/KEY2\",\n\"slack\",\n\"portal\",\n\"slack/\"]",
                vec![
                    never("team.members", 14, "`pager/U1` can never ask: caller `pager` is not configured; correct the name or add the caller"),
                    never("team.members", 15, "`hr/U1` can never ask: callers of kind `standard-webhooks` speak for themselves; write `hr`"),
                    never("team.members", 16, "`portal/KEY2` can never ask: caller `portal` has no access key `KEY2`; correct the id or add the key"),
                    never("team.members", 17, "`slack` can never ask: people ask through caller `slack`; write `slack/` and somebody's id there"),
                    never("team.members", 18, "`portal` can never ask: access keys ask through caller `portal`; write `portal/` and an access key id"),
                    never("team.members", 19, "`slack/` can never ask: people ask through caller `slack`; write `slack/` and somebody's id there"),
                ],
            ),
            (
                "principals = [\"slack/U1\"]",
                "principals = [\"slack/U1\", \"Slack/U1\"]",
                vec![never("person.principals", 16, "`Slack/U1` can never ask: caller `Slack` is not configured; correct the name or add the caller")],
            ),
            (
                "kind = \"api\"",
                "kind = \"fax\"",
                vec![format!("error: offboard.toml, line 27: caller.kind `fax` does not exist; use one of {}", kinds.join(", "))],
            ),
        ] {
            assert_eq!(found(from, to), expected, "{to}");
        }
    }

    /// What a kind needs beside its name, or cannot do with, is an error at its line.
    #[test]
    fn what_there_is_to_say_of_callers() {
        let hr = "name = \"hr\"\nkind = \"standard-webhooks\"\nsecrets = [\"hr_secret\"]";
        let at = |line: usize, message: &str| vec![format!("error: offboard.toml, line {line}: {message}")];
        // The caller's name stands on line 22.
        for (caller, expected) in [
            ("kind = \"mattermost\"\nsecrets = [\"a\"]", vec![]),
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"/login\", instance = \"warehouse\" }",
                vec![],
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]",
                at(
                    22,
                    "caller `hr` reports leavers, and `[leavers]` is missing; add it to say which accounts a leaver has",
                ),
            ),
            (
                "kind = \"slack\"\nsecrets = [\"a\"]\naudience = \"b\"",
                at(
                    25,
                    "unknown field `audience`, expected one of `name`, `kind`, `secrets`, `access_keys`, `confirm`, `language`, `fields`",
                ),
            ),
            (
                "kind = \"slack\"\nsecrets = [\"a\"]\nfields = { user_name = \"/a\", instance = \"/b\" }",
                at(
                    25,
                    "caller `hr` of kind `slack` does not support `fields`: the platform defines the body; remove `fields`",
                ),
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"login\", instance = \"/b\" }",
                at(25, "caller.fields.user_name `login` is not a JSON Pointer; write it like `/data/user/name`"),
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"/a\" }",
                at(25, "caller.fields needs both `user_name` and `instance`; add the missing one"),
            ),
            (
                "kind = \"wecom\"\nsecrets = [\"a\"]",
                at(
                    22,
                    "caller `hr` of kind `wecom` takes `secrets = [{ token = \"spin_variable\", aes_key = \"spin_variable\" }, …]` and no other keys or secrets",
                ),
            ),
            (
                "kind = \"wecom\"\nsecrets = [{ token = \"a\" }]",
                at(
                    22,
                    "caller `hr` of kind `wecom` takes `secrets = [{ token = \"spin_variable\", aes_key = \"spin_variable\" }, …]` and no other keys or secrets",
                ),
            ),
            (
                "kind = \"wecom\"\nsecrets = [{ token = \"a\", aes_key = \"Pasted/Secret=\" }]",
                at(
                    24,
                    "caller.secrets is not a Spin variable name (lowercase letters, digits and `_`); write the variable's name here and put the secret into the variable",
                ),
            ),
            (
                "kind = \"google-chat\"\nsecrets = [\"a\"]\naudience = \"1234567890\"",
                at(22, "caller `hr` of kind `google-chat` takes neither `secrets` nor `access_keys`"),
            ),
            (
                "kind = \"api\"",
                at(
                    22,
                    "caller `hr` of kind `api` needs `access_keys = [{ id = \"…\", secret = \"spin_variable\" }, …]`, or `issuer`, `audience` and `jwks_url` for bearer tokens",
                ),
            ),
            (
                "kind = \"api\"\nissuer = \"https://a\"",
                at(22, "caller `hr` of kind `api` needs `audience`: whom the tokens are for"),
            ),
            (
                "kind = \"api\"\nissuer = \"https://a\"\naudience = \"b\"",
                at(22, "caller `hr` of kind `api` needs either `jwks_url` or `jwks_file`: the issuer's public keys"),
            ),
            (
                "kind = \"api\"\nissuer = \"https://a\"\naudience = \"b\"\njwks_url = \"http://a/keys\"",
                at(
                    26,
                    "caller.jwks_url `http://a/keys` is not valid; use `https://…` (`http` for a loopback address only)",
                ),
            ),
            (
                "kind = \"dingtalk\"\nsecrets = [\"a\"]\nconfirm = false",
                at(
                    22,
                    "caller `hr` of kind `dingtalk` requires confirmation, because the platform does not sign messages; remove `confirm = false`",
                ),
            ),
        ] {
            let found = found(hr, &format!("name = \"hr\"\n{caller}"));
            // Who is in a team can be another matter then.
            let of_callers: Vec<_> = found.into_iter().filter(|line| !line.contains("can never ask")).collect();
            assert_eq!(of_callers, expected, "{caller}");
        }
        let unsigned = found(hr, "name = \"hr\"\nkind = \"dingtalk\"\nsecrets = [\"a\"]");
        assert!(unsigned.iter().any(|line| line.starts_with("warning: offboard.toml, line 22: the platform of caller `hr` (kind `dingtalk`) signs nothing of what people say")), "{unsigned:#?}");
    }

    #[test]
    fn what_there_is_to_say_of_policies() {
        let names = |line: usize, why: &str| {
            format!("warning: policy.cedar, line {line}: policy `x` names what can never be asked about: {why}")
        };
        // The line of `X` is 8.
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
                    names(8, "`pager/U1` can never ask: caller `pager` is not configured; correct the name or add the caller"),
                    names(8, "the instance of `Account::\"w/alice\"` is not in offboard.toml; write `Account::\"instance/user_name\"`"),
                ],
            ),
            (
                "@id(\"x\")\npermit (principal, action, resource) when { false };",
                vec!["warning: policy.cedar, line 8: policy `x` can never apply: it is false for every request that the schema allows; correct or remove it".to_owned()],
            ),
            (
                "\n@id(\"x\") permit (principal is Team, action, resource);",
                vec!["warning: policy.cedar, line 9: policy `x` can never apply: no action of the schema takes such a principal and resource; correct its scope".to_owned()],
            ),
            // All errors, and not only the first.
            (
                "@id(\"x\") permit (principal, action == Action::\"delete\", resource) when {\n  context.reson\n};\npermit (principal, action, resource);\n@id(\"dba\") permit (principal, action, resource);\n@id(\"y\") permit (principal, action == Action::\"remove\", resource);",
                vec![
                    "error: policy.cedar, line 9: for policy `x`, attribute `reson` in context for Action::\"delete\" not found".to_owned(),
                    "error: policy.cedar, line 11: policy 3 (a permit) has no valid `@id`; write @id(\"a-name\") above it, with 1 to 64 characters of A-Z a-z 0-9 `-` `_` `.`".to_owned(),
                    "error: policy.cedar, line 12: two policies have the @id `dba`; give each its own".to_owned(),
                    "error: policy.cedar, line 13: for policy `y`, unrecognized action `Action::\"remove\"`".to_owned(),
                ],
            ),
            (
                "permit (principal, action, resource) when { one(1) };\npermit (principal, action, resource) when { two(2) };\n",
                vec![
                    "error: policy.cedar, line 8: `one` is not a valid function".to_owned(),
                    "error: policy.cedar, line 9: `two` is not a valid function".to_owned(),
                ],
            ),
            (
                "@id(\"x\") permit (principal == ?principal, action, resource);",
                vec!["error: policy.cedar, line 8: templates are not supported; write a policy for each case".to_owned()],
            ),
        ] {
            assert_eq!(found("resource\n);\n", &format!("resource\n);\n{policy}")), expected, "{policy}");
        }
    }

    #[test]
    fn what_there_is_to_say_of_the_schema() {
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
    fn every_file_is_heard() {
        let diagnostics = diagnostics("", "permit", "entity");
        let files: Vec<_> =
            diagnostics.iter().map(|diagnostic| (diagnostic.file, diagnostic.line, diagnostic.is_error())).collect();
        let expected = ["offboard.toml", "policy.cedar", "schema.cedarschema"].map(|file| (file, Some(1), true));
        assert_eq!(files, expected);
    }
}

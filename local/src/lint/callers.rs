//! Callers: what their platforms prove, and whether their secrets are set.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::attribute::{is_display_name, last_field};
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::config::source_map::{Located, SourceMap};
use starrocks_offboard::diagnostic::Diagnostic;

use super::spin_toml::SpinToml;
use crate::words::quoted_with;

/// Warns of callers whose platform does not sign the messages of its users.
pub(super) fn without_signed_messages(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let unsigned = source_map.callers.iter().filter_map(|located| {
        let caller = config.caller(&located.name.text).ok()?;
        let shape = callers::kind(&caller.kind)?.shape();
        let message = format!(
            "caller `{}` (kind `{}`): the platform does not sign messages, so anyone who sees one request can write as any of its users until the timestamp expires; permit its users `request`, not `delete`, so that another person approves",
            caller.name, caller.kind
        );
        (!shape.proves_body).then(|| Diagnostic::warning(OFFBOARD, Some(located.name.line), message))
    });
    unsigned.collect()
}

/// Warns of callers where something that people choose names an account or an instance: a person who chooses the name of
/// another account can have it removed.
pub(super) fn named_by_people(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for located in &source_map.callers {
        let Ok(caller) = config.caller(&located.name.text) else { continue };
        let messages = logins(caller).into_iter().chain(chosen_fields(caller)).chain(unused_leavers(caller));
        diagnostics.extend(messages.map(|message| Diagnostic::warning(OFFBOARD, Some(located.name.line), message)));
    }
    diagnostics
}

/// The warning about `allow_logins`.
fn logins(caller: &Caller) -> Option<String> {
    let chosen = caller.leavers.as_ref().map(|leavers| &leavers.chosen).filter(|chosen| !chosen.is_empty())?;
    Some(format!(
        "caller `{}` (kind `{}`): people choose {} themselves, so a person who takes the name of another account and leaves takes that account along; name accounts by ID in `map`, or permit this caller `request`, not `delete`",
        caller.name,
        caller.kind,
        quoted_with(chosen, "and")
    ))
}

/// The warning about a table that nothing uses.
fn unused_leavers(caller: &Caller) -> Option<String> {
    let names_accounts = caller.fields.as_ref().is_some_and(|fields| fields.identity.is_empty());
    (names_accounts && caller.leavers.is_some()).then(|| {
        format!(
            "caller `{}` names accounts in `fields`, so its `[caller.leavers]` is not used; remove it, or write `identity` instead",
            caller.name
        )
    })
}

/// The warnings about `fields`.
fn chosen_fields(caller: &Caller) -> Vec<String> {
    let shape = callers::kind(&caller.kind).map(|kind| kind.shape());
    let (Some(shape), Some(fields)) = (shape, &caller.fields) else { return Vec::new() };
    let is_chosen = |pointer: &str| {
        let field = last_field(pointer);
        pointer.starts_with('/') && (shape.chosen_fields.contains(&field) || is_display_name(field) || field == "slug")
    };
    let Caller { name, kind, .. } = caller;
    let account = fields.user_name.iter().filter(|pointer| is_chosen(pointer)).map(|pointer| {
        format!(
            "caller `{name}` (kind `{kind}`): people choose the value of fields.user_name, `{pointer}`, themselves, so a person who takes the name of another account can have it removed; use `identity` with an ID instead, and `map` in `[caller.leavers]`"
        )
    });
    let instance = fields.instance.iter().filter(|pointer| is_chosen(pointer)).map(|pointer| {
        format!(
            "caller `{name}` (kind `{kind}`): people choose the value of fields.instance, `{pointer}`, themselves, so a person can name something after an instance and have accounts there removed; write the instance's name, and pin the group by its ID in `when`"
        )
    });
    account.chain(instance).collect()
}

/// Warns of Google Chat callers whose audience does not tell their app from others.
pub(super) fn with_any_app(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let any = source_map.callers.iter().filter_map(|located| {
        let caller = config.caller(&located.name.text).ok()?;
        let by_url = caller.settings("audience").iter().any(|audience| audience.starts_with("https://"));
        let by_number = caller.settings("audience").iter().any(|audience| !audience.starts_with("https://"));
        let is_any = caller.kind == "google-chat" && by_url && !by_number && caller.setting("app").is_none();
        let message = format!(
            "caller `{}`: every Chat app can name this URL as its own, so its audience does not tell your app from others; use the project number, or set `app` to your app's `users/…`",
            caller.name
        );
        is_any.then(|| Diagnostic::warning(OFFBOARD, Some(located.name.line), message))
    });
    any.collect()
}

/// Warns of Feishu callers whose bot is not known, so that a mention of a person may pass for one of the bot.
pub(super) fn with_an_unknown_bot(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let unknown = source_map.callers.iter().filter_map(|located| {
        let caller = config.caller(&located.name.text).ok()?;
        let message = format!(
            "caller `{}`: without `bot_open_id`, a message in a group that mentions a person may be taken for a command, if the app may read all messages; set `bot_open_id`",
            caller.name
        );
        let is_unknown = caller.kind == "feishu" && caller.setting("bot_open_id").is_none();
        is_unknown.then(|| Diagnostic::warning(OFFBOARD, Some(located.name.line), message))
    });
    unknown.collect()
}

/// Reports variables of callers that spin.toml does not declare, and warns of callers without any secret set.
pub(super) fn without_secrets(spin: &SpinToml, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for caller in &source_map.callers {
        let name = &caller.name.text;
        let namer = format!("caller `{name}` names");
        let undeclared = |variable: &Located| spin.undeclared(&namer, &variable.text, variable.line);
        diagnostics.extend(caller.variables.iter().filter_map(undeclared));
        let names = caller.variables.iter().map(|variable| &variable.text);
        let declared: Vec<_> = names.filter(|name| spin.hands_over(name)).collect();
        if !declared.is_empty() && !declared.iter().any(|variable| spin.is_set(variable)) {
            let message = format!(
                "caller `{name}` has no secret set, so all its requests are refused; set {}",
                quoted_with(&declared, "or")
            );
            diagnostics.push(Diagnostic::warning(OFFBOARD, Some(caller.name.line), message));
        }
    }
    diagnostics
}

/// Reports variables whose value is no secret of the caller's kind. The value itself is not shown.
pub(super) fn of_wrong_form(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for located in &source_map.callers {
        let Ok(caller) = config.caller(&located.name.text) else { continue };
        let Some(shape) = callers::kind(&caller.kind).map(|kind| kind.shape()) else { continue };
        for (part, variable) in caller.keys.iter().flat_map(|key| &key.variables) {
            let form = spin.secret(variable).map_or(Ok(()), |secret| (shape.secret_form)(part, &secret));
            let line = located.variables.iter().find(|known| known.text == *variable).map(|known| known.line);
            if let Err(expected) = form {
                let message = format!(
                    "variable `{variable}` of caller `{}` holds no secret of kind `{}`; use {expected}",
                    caller.name, caller.kind
                );
                diagnostics.push(Diagnostic::error(OFFBOARD, line, message));
            }
        }
    }
    diagnostics
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, found_with_spin};
    use crate::words::quoted;

    /// The caller and the fields that people choose, with what is said of it.
    #[test]
    fn accounts_that_people_can_name_are_reported() {
        let leavers = |kind: &str, table: &str| {
            format!("kind = \"{kind}\"\nsecrets = [\"a\"]\n[caller.leavers]\ninstances = [\"warehouse\"]\n{table}")
        };
        let fields =
            |kind: &str, fields: &str| format!("kind = \"{kind}\"\nsecrets = [\"a\"]\nfields = {{ {fields} }}");
        let login = "people choose `login` themselves, so a person who takes the name of another account and leaves takes that account along; name accounts by ID in `map`, or permit this caller `request`, not `delete`";
        let account = |pointer: &str| {
            format!(
                "people choose the value of fields.user_name, `{pointer}`, themselves, so a person who takes the name of another account can have it removed; use `identity` with an ID instead, and `map` in `[caller.leavers]`"
            )
        };
        let instance = |pointer: &str| {
            format!(
                "people choose the value of fields.instance, `{pointer}`, themselves, so a person can name something after an instance and have accounts there removed; write the instance's name, and pin the group by its ID in `when`"
            )
        };
        let by_id = "instance = \"warehouse\", user_name = \"/member/id\"";
        for (kind, caller, expected) in [
            (
                "github",
                leavers("github", "allow_logins = true\nuser_names = [\"{login|snake}\"]"),
                vec![login.to_owned()],
            ),
            ("github", leavers("github", "allow_logins = true\nmap = { \"id:583231\" = [\"olga\"] }"), vec![]),
            ("okta", leavers("okta", "user_names = [\"{login|local|snake}\"]"), vec![]),
            ("github", fields("github", by_id), vec![]),
            (
                "github",
                fields("github", "user_name = \"/member/login\", instance = \"/team/slug\""),
                vec![instance("/team/slug"), account("/member/login")],
            ),
            (
                "gitlab",
                fields("gitlab", "user_name = \"/user_id\", instance = \"/group_path\""),
                vec![instance("/group_path")],
            ),
            (
                "standard-webhooks",
                fields("standard-webhooks", "user_name = \"/worker/displayName\", instance = \"/worker/system\""),
                vec![account("/worker/displayName")],
            ),
        ] {
            let of = |message| format!("warning: offboard.toml, line 22: caller `hr` (kind `{kind}`): {message}");
            assert_eq!(found_for(&caller), expected.into_iter().map(of).collect::<Vec<_>>(), "{caller}");
        }
    }

    const HR: &str = "name = \"hr\"\nkind = \"standard-webhooks\"\nsecrets = [\"hr_secret\"]";

    /// Returns the diagnostics with these lines for the caller `hr`, whose name is on line 22.
    fn found_for(caller: &str) -> Vec<String> {
        let found = found(HR, &format!("name = \"hr\"\n{caller}"));
        // The members of the team may belong to a caller of another kind now.
        found.into_iter().filter(|line| !line.contains("can never send a request")).collect()
    }

    fn at(line: usize, message: &str) -> Vec<String> {
        vec![format!("error: offboard.toml, line {line}: {message}")]
    }

    #[test]
    fn an_unknown_kind_is_an_error() {
        let kinds = quoted(super::callers::KINDS.iter().map(|kind| kind.shape().name));
        assert_eq!(
            found("kind = \"api\"", "kind = \"fax\""),
            [format!("error: offboard.toml, line 27: caller.kind `fax` does not exist; use one of {}", kinds)]
        );
    }

    /// A7, and C15 of the dialects.
    #[test]
    fn apps_and_bots_that_cannot_be_told_from_others() {
        let any_app = "warning: offboard.toml, line 22: caller `hr`: every Chat app can name this URL as its own, so its audience does not tell your app from others; use the project number, or set `app` to your app's `users/…`";
        let any_bot = "warning: offboard.toml, line 22: caller `hr`: without `bot_open_id`, a message in a group that mentions a person may be taken for a command, if the app may read all messages; set `bot_open_id`";
        let feishu = "kind = \"feishu\"\nsecrets = [{ encrypt_key = \"a\", app_secret = \"b\" }]\napp_id = \"cli_1\"";
        for (caller, expected) in [
            ("kind = \"google-chat\"\naudience = \"https://a.example/hooks/hr\"".to_owned(), vec![any_app.to_owned()]),
            ("kind = \"google-chat\"\naudience = [\"https://a.example/hooks/hr\", \"1234567890\"]".to_owned(), vec![]),
            ("kind = \"google-chat\"\naudience = \"https://a.example/hooks/hr\"\napp = \"users/1\"".to_owned(), vec![]),
            (feishu.to_owned(), vec![any_bot.to_owned()]),
            (format!("{feishu}\nbot_open_id = \"ou_1\""), vec![]),
        ] {
            assert_eq!(found_for(&caller), expected, "{caller}");
        }
    }

    #[test]
    fn fields_are_held_to_the_kind() {
        for (caller, expected) in [
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"/account\", instance = \"warehouse\" }",
                vec![],
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]",
                at(
                    22,
                    "caller `hr` reports leavers, and `[caller.leavers]` is missing; add it below this `[[caller]]` to say which accounts a leaver has",
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
        ] {
            assert_eq!(found_for(caller), expected, "{caller}");
        }
    }

    #[test]
    fn secrets_are_held_to_the_kind() {
        let wecom = "caller `hr` of kind `wecom` takes `secrets = [{ token = \"spin_variable\", aes_key = \"spin_variable\" }, …]` and no other keys or secrets";
        for (caller, expected) in [
            ("kind = \"mattermost\"\nsecrets = [\"a\"]", vec![]),
            ("kind = \"wecom\"\nsecrets = [\"a\"]", at(22, wecom)),
            ("kind = \"wecom\"\nsecrets = [{ token = \"a\" }]", at(22, wecom)),
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
        ] {
            assert_eq!(found_for(caller), expected, "{caller}");
        }
    }

    #[test]
    fn settings_are_held_to_the_kind() {
        for (caller, expected) in [
            (
                "kind = \"slack\"\nsecrets = [\"a\"]\naudience = \"b\"",
                at(
                    25,
                    "unknown field `audience`, expected one of `teams`, `name`, `kind`, `secrets`, `access_keys`, `confirm`, `language`, `fields`, `leavers`",
                ),
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
            assert_eq!(found_for(caller), expected, "{caller}");
        }
    }

    #[test]
    fn platforms_that_do_not_sign_messages_are_reported() {
        let expected = "warning: offboard.toml, line 22: caller `hr` (kind `dingtalk`): the platform does not sign messages, so anyone who sees one request can write as any of its users until the timestamp expires; permit its users `request`, not `delete`, so that another person approves";
        assert_eq!(found_for("kind = \"dingtalk\"\nsecrets = [\"a\"]"), [expected]);
    }

    #[test]
    fn a_caller_without_a_secret_is_reported() {
        for (set, expected) in [
            (
                &[("new_secret", "")][..],
                &[
                    "warning: offboard.toml, line 20: caller `hr` has no secret set, so all its requests are refused; set `new_secret` or `old_secret`",
                ][..],
            ),
            (&[("new_secret", ""), ("old_secret", "d")], &[]),
        ] {
            assert_eq!(found_with_spin(&[], set), expected, "{set:?}");
        }
    }

    #[test]
    fn f20_a_secret_of_the_wrong_form_is_an_error() {
        for (value, expected) in [
            (" v1,whsec_AAEC\n", &[][..]),
            (
                "whsec_%secret%",
                &[
                    "error: offboard.toml, line 22: variable `old_secret` of caller `hr` holds no secret of kind `standard-webhooks`; use `whsec_` or `whpk_` and a key in base64, as the platform shows it",
                ][..],
            ),
        ] {
            assert_eq!(found_with_spin(&[], &[("old_secret", value)]), expected, "{value}");
        }
        // White space is no secret.
        let found = found_with_spin(&[], &[("new_secret", " \n")]);
        assert!(found.iter().any(|line| line.contains("has no secret set")), "{found:?}");
    }

    #[test]
    fn secrets_that_spin_toml_does_not_hand_over_are_errors() {
        for (change, expected) in [
            (
                ("\"new_secret\"", "\"newer_secret\""),
                "error: offboard.toml, line 22: caller `hr` names the Spin variable `newer_secret`, which spin.toml does not declare; add it to `[variables]` and to the component's `variables`",
            ),
            (
                ("new_secret = \"{{ new_secret }}\"\n", ""),
                "error: offboard.toml, line 22: caller `hr` names the Spin variable `new_secret`, which spin.toml does not hand to the component; add it to the component's `variables`",
            ),
        ] {
            assert_eq!(found_with_spin(&[change], &[("old_secret", "d")]), [expected], "{change:?}");
        }
    }
}

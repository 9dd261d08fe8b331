//! Callers: what their platforms prove, and whether their secrets are set.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::{Located, SourceMap};
use starrocks_offboard::diagnostic::Diagnostic;

use super::spin_toml::{SpinToml, quoted};

/// Warns of callers whose platform does not sign the messages of its users.
pub(super) fn without_signed_messages(config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let unsigned = source_map.callers.iter().filter_map(|located| {
        let caller = config.caller(&located.name.text).ok()?;
        let shape = callers::kind(&caller.kind)?.shape;
        let message = format!(
            "caller `{}` (kind `{}`): the platform does not sign messages, so anyone who sees one request can write as any of its users until the timestamp expires; permit its users `request`, not `delete`, so that another person approves",
            caller.name, caller.kind
        );
        (!shape.proves_body).then(|| Diagnostic::warning(OFFBOARD, Some(located.name.line), message))
    });
    unsigned.collect()
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
                quoted(&declared, "or")
            );
            diagnostics.push(Diagnostic::warning(OFFBOARD, Some(caller.name.line), message));
        }
    }
    diagnostics
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, found_with_spin};

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
        let kinds: Vec<_> = super::callers::KINDS.iter().map(|kind| format!("`{}`", kind.shape.name)).collect();
        assert_eq!(
            found("kind = \"api\"", "kind = \"fax\""),
            [format!(
                "error: offboard.toml, line 27: caller.kind `fax` is not known; expected one of {}",
                kinds.join(", ")
            )]
        );
    }

    #[test]
    fn fields_are_held_to_the_kind() {
        for (caller, expected) in [
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"/login\", instance = \"warehouse\" }",
                vec![],
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]",
                at(
                    22,
                    "caller `hr` speaks of people who leave; expected a table `[leavers]` that says what their accounts are",
                ),
            ),
            (
                "kind = \"slack\"\nsecrets = [\"a\"]\nfields = { user_name = \"/a\", instance = \"/b\" }",
                at(25, "caller `hr` of kind `slack` takes no `fields`; its bodies have a form of their own"),
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"login\", instance = \"/b\" }",
                at(25, "caller.fields.user_name `login` is not a JSON Pointer; expected one like `/data/user/name`"),
            ),
            (
                "kind = \"github\"\nsecrets = [\"a\"]\nfields = { user_name = \"/a\" }",
                at(25, "caller.fields needs `user_name` and `instance` together"),
            ),
        ] {
            assert_eq!(found_for(caller), expected, "{caller}");
        }
    }

    #[test]
    fn secrets_are_held_to_the_kind() {
        let wecom = "caller `hr` of kind `wecom` needs `secrets = [{ token = \"spin_variable\", aes_key = \"spin_variable\" }, …]` and nothing else";
        for (caller, expected) in [
            ("kind = \"mattermost\"\nsecrets = [\"a\"]", vec![]),
            ("kind = \"wecom\"\nsecrets = [\"a\"]", at(22, wecom)),
            ("kind = \"wecom\"\nsecrets = [{ token = \"a\" }]", at(22, wecom)),
            (
                "kind = \"wecom\"\nsecrets = [{ token = \"a\", aes_key = \"Pasted/Secret=\" }]",
                at(
                    24,
                    "caller.secrets is not the name of a Spin variable; expected lowercase letters, digits and `_`, and the secret itself in the variable",
                ),
            ),
            (
                "kind = \"google-chat\"\nsecrets = [\"a\"]\naudience = \"1234567890\"",
                at(22, "caller `hr` of kind `google-chat` needs neither `secrets` nor `access_keys`"),
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
                    "unknown field `audience`, expected one of `name`, `kind`, `secrets`, `access_keys`, `confirm`, `language`, `fields`",
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
                    "caller.jwks_url `http://a/keys` is not valid; expected `https://…` (`http` for a loopback address only)",
                ),
            ),
            (
                "kind = \"dingtalk\"\nsecrets = [\"a\"]\nconfirm = false",
                at(
                    22,
                    "caller `hr` of kind `dingtalk` cannot have `confirm = false`: its platform signs nothing of what people say, so that they have to confirm it",
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

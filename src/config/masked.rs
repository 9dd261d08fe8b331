//! What an error of offboard.toml looks like in a log: without the values of the file, because a value in the wrong place may be a
//! secret. `check` shows the whole message to the operator.

use toml::Value;

/// Returns the message without the values that it quotes. By the rule of messages, what is wrong is the first clause and the fix,
/// which may name valid values, comes behind the semicolon.
pub fn without_values(message: &str, text: &str) -> String {
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return message.to_owned() };
    let (wrong, fix) = message.split_once("; ").map_or((message, None), |(wrong, fix)| (wrong, Some(fix)));
    let value = Value::Table(table);
    let mut values = Vec::new();
    collect(&value, &mut values);
    let mut masked = String::new();
    for (number, part) in wrong.split('`').enumerate() {
        if number > 0 {
            masked.push('`');
        }
        let is_quoted = number.checked_rem(2) == Some(1);
        masked.push_str(if is_quoted && values.contains(&part) { "…" } else { part });
    }
    fix.into_iter().fold(masked, |masked, fix| format!("{masked}; {fix}"))
}

fn collect<'v>(value: &'v Value, values: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => values.push(text),
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, values)),
        Value::Table(table) => table.values().for_each(|entry| collect(entry, values)),
        _ => {}
    }
}

/// Returns an error of the TOML parser without the value that it quotes: `invalid type: string "…", expected a sequence`.
pub(super) fn without_quoted_value(message: &str) -> String {
    let message = message.replace('\n', " ");
    let shown = ["invalid type: ", "invalid value: ", "unknown variant "].iter().find_map(|start| {
        let (given, expected) = message.strip_prefix(start)?.rsplit_once(", expected ")?;
        let kind = given.split(['"', '`']).next().unwrap_or_default().trim_end();
        Some(format!("{}, expected {expected}", format!("{start}{kind}").trim_end()))
    });
    shown.unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_masked_and_fixes_are_not() {
        let text = "kind = \"slak\"\n[[caller]]\nname = \"s3cret`\"\nids = [\"a\"]\n";
        for (message, expected) in [
            (
                "caller.kind `slak` does not exist; use one of `slack`, `slak`",
                "caller.kind `…` does not exist; use one of `slack`, `slak`",
            ),
            ("caller `a` of kind `other` takes `secrets`", "caller `…` of kind `other` takes `secrets`"),
            ("unknown field `kind`", "unknown field `kind`"),
            ("limits.attempts is 11; use 1 to 10", "limits.attempts is 11; use 1 to 10"),
        ] {
            assert_eq!(without_values(message, text), expected);
        }
        assert_eq!(without_values("unclosed `a`", "a = \"a"), "unclosed `a`");
    }

    #[test]
    fn the_parser_quotes_no_value() {
        for (message, expected) in [
            (
                "invalid type: string \"a, expected b\", expected a sequence",
                "invalid type: string, expected a sequence",
            ),
            ("invalid type: integer `5`, expected a string", "invalid type: integer, expected a string"),
            ("invalid value: string \"x\", expected y", "invalid value: string, expected y"),
            ("unknown variant `hunter2`, expected `a` or `b`", "unknown variant, expected `a` or `b`"),
            ("unknown field `a`, expected `b`", "unknown field `a`, expected `b`"),
        ] {
            assert_eq!(without_quoted_value(message), expected);
        }
    }

    proptest! {
        /// Whatever stands in place of a list or a table, the error does not show it.
        #[test]
        fn a_value_of_the_wrong_type_is_not_shown(secret in "[ -~é一]{5,30}") {
            let text = format!("language = {}", toml::Value::String(secret.clone()));
            #[derive(serde::Deserialize)]
            struct Shape {
                #[expect(dead_code, reason = "only its type matters")]
                language: Vec<String>,
            }
            let error = toml::from_str::<Shape>(&text).map(|_| ()).unwrap_err();
            prop_assert_eq!(without_quoted_value(error.message()), "invalid type: string, expected a sequence");
        }
    }
}

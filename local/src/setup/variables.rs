//! The names of the Spin variables of a new caller's secret.

use std::collections::{BTreeMap, BTreeSet};

use starrocks_offboard::taurusdb;

use super::recipe::Recipe;
use super::recipes::RECIPES;

/// Variables that prove something and belong to no caller, beside those of TaurusDB's credentials.
const OTHERS: [&str; 4] = ["metrics_token", "notify_url", "notify_token", "notify_secret"];

/// Names a variable for each part of the secret of a new caller: those that spin.toml has for the kind, unless offboard.toml
/// names one of them already; else names that begin with the caller's. `named` are the variables that offboard.toml names.
pub(super) fn names(recipe: &Recipe, caller: &str, named: &BTreeSet<String>) -> BTreeMap<&'static str, String> {
    if !recipe.secrets.iter().any(|part| named.contains(part.variable)) {
        return recipe.secrets.iter().map(|part| (part.name, part.variable.to_owned())).collect();
    }
    let standard = RECIPES.iter().flat_map(|recipe| recipe.secrets).map(|part| part.variable);
    let other: BTreeSet<&str> = standard.chain(taurusdb::VARIABLES).chain(OTHERS).collect();
    let beginning = beginning(caller);
    // Two names of callers may begin their variables in the same way: `a-b` and `a.b`.
    let numbered = (2u32..).map(|number| format!("{beginning}_{number}"));
    let mut beginnings = std::iter::once(beginning.clone()).chain(numbered);
    loop {
        let beginning = beginnings.next().unwrap_or_default();
        let names: BTreeMap<_, _> =
            recipe.secrets.iter().map(|part| (part.name, format!("{beginning}_{}", part.suffix))).collect();
        if !names.values().any(|name| named.contains(name) || other.contains(name.as_str())) {
            return names;
        }
    }
}

/// Makes the beginning of a variable's name of a caller's name, by Spin's rule: a lowercase letter, then lowercase letters, digits and
/// single `_`.
fn beginning(caller: &str) -> String {
    let lower = caller.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("_");
    if joined.starts_with(|c: char| c.is_ascii_lowercase()) { joined } else { format!("caller_{joined}") }
        .trim_end_matches('_')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::recipes::recipe;

    fn named(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_first_caller_of_a_kind_has_the_variables_of_spin_toml() {
        for (kind, taken, caller, expected) in [
            ("slack", &[][..], "chat", &["slack_signing_secret"][..]),
            ("slack", &["slack_signing_secret"], "chat", &["chat_signing_secret"]),
            ("slack", &["slack_signing_secret", "chat_signing_secret"], "Chat", &["chat_2_signing_secret"]),
            ("wecom", &[], "wecom", &["wecom_aes_key", "wecom_token"]),
            // All parts or none: a mixture would hide whose they are.
            ("wecom", &["wecom_token"], "bot", &["bot_aes_key", "bot_token"]),
            ("standard-webhooks", &["hr_webhook_secret"], "crm.new", &["crm_new_webhook_secret"]),
            // These are the variables of others, whether they are named or not.
            ("scim", &["scim_token"], "metrics", &["metrics_2_token"]),
            ("scim", &["scim_token"], "huaweicloud", &["huaweicloud_2_token"]),
            ("scim", &["scim_token"], "mattermost", &["mattermost_2_token"]),
            ("google-chat", &[], "google-chat", &[]),
        ] {
            let names = names(recipe(kind).unwrap(), caller, &named(taken));
            assert_eq!(names.into_values().collect::<Vec<_>>(), expected, "{kind} {caller}");
        }
    }

    #[test]
    fn a_name_begins_as_spin_demands() {
        for (caller, expected) in
            [("hr", "hr"), ("HR-2.new", "hr_2_new"), ("7", "caller_7"), ("--", "caller"), ("_a__b_", "a_b")]
        {
            assert_eq!(beginning(caller), expected);
        }
    }
}

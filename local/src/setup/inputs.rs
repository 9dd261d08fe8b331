//! The settings and the people of a new caller: what the operator gave, held to the shape of the kind.

use anyhow::{bail, ensure};
use starrocks_offboard::config::caller_shape::CallerShape;

use super::recipe::Recipe;
use crate::words::{joined, quoted};

/// A person in `map`: `id:583231`, and the person's accounts.
pub type Mapped = (String, Vec<String>);

/// What the operator gave for a caller.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Settings of the kind: keys and values, in order; a key that appears again adds a value to a list.
    pub settings: Vec<(String, String)>,
    /// The people whose accounts are listed.
    pub map: Vec<Mapped>,
}

/// A value that has to be given and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The key in offboard.toml.
    pub key: &'static str,
    /// What it is, and where it is found.
    pub what: String,
    /// A value that could be right, as an argument has it.
    pub example: String,
}

/// The key of [`Missing`] for the people of `[caller.leavers]`.
pub const MAP: &str = "map";

impl Given {
    /// Returns the values that a caller of this kind cannot do without, and that were not given.
    #[must_use]
    pub fn missing(&self, recipe: &Recipe) -> Vec<Missing> {
        let required = recipe.inputs.iter().filter(|input| input.required);
        let absent = required.filter(|input| !self.settings.iter().any(|(key, _)| key == input.key));
        let settings = absent.map(|input| Missing {
            key: input.key,
            what: input.what.to_owned(),
            example: input.example.to_owned(),
        });
        let people = recipe.leavers.filter(|names| names.templates.is_empty() && self.map.is_empty());
        let people = people.map(|names| {
            let (key, accounts) = names.example;
            Missing {
                key: MAP,
                what: format!(
                    "which accounts a person has: people choose their names on {} themselves, so each person is listed by ID",
                    recipe.platform
                ),
                example: format!("{key}={}", accounts.join(",")),
            }
        });
        settings.chain(people).collect()
    }

    /// Puts an answer to what was missing.
    ///
    /// # Errors
    ///
    /// If it is for `map` and not of its form.
    pub fn answer(&mut self, missing: &Missing, value: &str) -> anyhow::Result<()> {
        if missing.key == MAP {
            self.map.push(mapped(value).map_err(anyhow::Error::msg)?);
        } else {
            self.settings.push((missing.key.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    /// Returns the settings, each once with its values, in the order in which they were given first.
    ///
    /// # Errors
    ///
    /// If the kind does not have one, a value is not valid, or one that is no list was given twice.
    pub fn settings_of(&self, shape: &CallerShape) -> anyhow::Result<Vec<(String, Vec<String>)>> {
        let mut settings: Vec<(String, Vec<String>)> = Vec::new();
        for (key, value) in &self.settings {
            let Some(setting) = shape.settings.iter().find(|setting| setting.name == key) else {
                let known = joined(shape.settings.iter().map(|setting| setting.name));
                bail!("caller kind `{}` has no setting `{key}`; it has {known}", shape.name);
            };
            ensure!((setting.is_valid)(value), "{key} `{value}` is not valid; use {}", setting.expected);
            match settings.iter_mut().find(|(known, _)| known == key) {
                Some((_, values)) if setting.is_list => values.push(value.clone()),
                Some(_) => bail!("{key} was given twice, and a caller has one; give it once"),
                None => settings.push((key.clone(), vec![value.clone()])),
            }
        }
        Ok(settings)
    }

    /// Fails if people were given for a kind that reports none.
    ///
    /// # Errors
    ///
    /// If `map` cannot be used.
    pub fn check_people(&self, recipe: &Recipe) -> anyhow::Result<()> {
        let keys = self.map.iter().map(|(key, _)| key);
        ensure!(
            self.map.is_empty() || recipe.leavers.is_some(),
            "caller kind `{}` reports no leavers, so {} cannot be used; leave `--map` out",
            recipe.kind,
            quoted(keys)
        );
        Ok(())
    }
}

/// Reads `KEY=VALUE`.
///
/// # Errors
///
/// If it has no `=`, no key or no value.
pub fn setting(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// Reads `ATTRIBUTE:VALUE=ACCOUNT[,ACCOUNT…]`.
///
/// # Errors
///
/// If it is not of this form.
pub fn mapped(argument: &str) -> Result<Mapped, String> {
    let (key, accounts) = argument.rsplit_once('=').unwrap_or_default();
    let accounts: Vec<_> = accounts.split(',').map(str::to_owned).collect();
    if key.contains(':') && accounts.iter().all(|account| !account.is_empty()) {
        Ok((key.to_owned(), accounts))
    } else {
        Err("write it as ATTRIBUTE:VALUE=ACCOUNT,ACCOUNT, such as id:583231=olga,olga_ro".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use starrocks_offboard::callers::kind;

    use super::*;
    use crate::setup::recipes::recipe;

    fn given(settings: &[(&str, &str)]) -> Given {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Given { settings: settings.collect(), map: Vec::new() }
    }

    #[test]
    fn what_a_caller_cannot_do_without_is_missing() {
        for (kind, expected) in [
            ("slack", vec![]),
            ("scim", vec![]),
            ("feishu", vec![("app_id", "cli_9f5343c580712544")]),
            ("google-chat", vec![("audience", "1234567890")]),
            ("github", vec![("map", "id:583231=octocat")]),
            ("gitlab", vec![("map", "id:41=alice,alice_ro")]),
        ] {
            let recipe = recipe(kind).unwrap();
            let mut given = Given::default();
            let missing = given.missing(recipe);
            let found: Vec<_> = missing.iter().map(|missing| (missing.key, missing.example.as_str())).collect();
            assert_eq!(found, expected, "{kind}");
            for missing in missing.clone() {
                given.answer(&missing, &missing.example).unwrap();
            }
            assert_eq!(given.missing(recipe), [], "{kind}");
        }
    }

    #[test]
    fn settings_are_held_to_the_shape() {
        let shape = |name: &str| kind(name).unwrap().shape();
        let settings =
            given(&[("audience", "1"), ("audience", "2"), ("app", "users/1")]).settings_of(&shape("google-chat"));
        let expected = [("audience", vec!["1", "2"]), ("app", vec!["users/1"])];
        let expected = expected.map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()));
        assert_eq!(settings.unwrap(), expected);
        for (kind, pairs, message) in [
            (
                "feishu",
                vec![("appid", "cli_1")],
                "caller kind `feishu` has no setting `appid`; it has app_id, domain, bot_open_id, tenant",
            ),
            ("discord", vec![("app_id", "1")], "caller kind `discord` has no setting `app_id`; it has none"),
            (
                "mattermost",
                vec![("site_url", "https://a"), ("site_url", "https://b")],
                "site_url was given twice, and a caller has one; give it once",
            ),
        ] {
            assert_eq!(given(&pairs).settings_of(&shape(kind)).unwrap_err().to_string(), message);
        }
        let error = given(&[("site_url", "chat")]).settings_of(&shape("mattermost")).unwrap_err().to_string();
        assert!(error.starts_with("site_url `chat` is not valid; use Mattermost's own Site URL"), "{error}");
    }

    #[test]
    fn people_are_for_kinds_that_report_them() {
        let given = Given { map: vec![mapped("id:1=a").unwrap()], ..Given::default() };
        assert!(given.check_people(recipe("okta").unwrap()).is_ok());
        assert_eq!(
            given.check_people(recipe("slack").unwrap()).unwrap_err().to_string(),
            "caller kind `slack` reports no leavers, so `id:1` cannot be used; leave `--map` out"
        );
    }

    #[test]
    fn arguments_have_a_form() {
        assert_eq!(setting("jwks_url=https://a/?b=c"), Ok(("jwks_url".to_owned(), "https://a/?b=c".to_owned())));
        for wrong in ["", "a", "=a", "a="] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
        let accounts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(mapped("id:1=a,b"), Ok(("id:1".to_owned(), accounts(&["a", "b"]))));
        assert_eq!(mapped("userName:a=b@c=d"), Ok(("userName:a=b@c".to_owned(), accounts(&["d"]))));
        for wrong in ["", "id:1", "id:1=", "1=a", "id:1=a,"] {
            assert!(mapped(wrong).is_err(), "{wrong}");
        }
    }
}

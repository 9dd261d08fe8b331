//! `[leavers]`: which accounts belong to a person who leaves.
//!
//! An identity system knows people, not accounts. The operator configures on which instances a person has accounts and how they
//! are named: by a list for one person (`map`), or by templates over the person's attributes (`"{userName|local|snake}"`).
//! Which of these accounts exist is for TaurusDB's account list to say, not for this file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The largest number of accounts of one leaver: instances times names.
const MOST: usize = 10_000;

/// A person's attributes by the names of the identity system: `userName`, `email`, `id`.
pub type Identity = BTreeMap<String, String>;

/// `[leavers]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leavers {
    /// The names of the instances whose account lists are searched.
    pub instances: Vec<String>,
    templates: Vec<Template>,
    map: BTreeMap<String, Vec<String>>,
}

impl Leavers {
    /// Returns the account names of a person, each once: those that `map` lists for any of the attributes, or else those that the
    /// templates give. A template gives no name if one of its attributes is missing.
    pub fn user_names(&self, identity: &Identity) -> BTreeSet<String> {
        let mapped: Vec<_> = identity.values().filter_map(|value| self.map.get(value)).collect();
        if !mapped.is_empty() {
            return mapped.into_iter().flatten().cloned().collect();
        }
        self.templates.iter().filter_map(|template| template.fill(identity)).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaversTable {
    instances: Vec<Spanned<String>>,
    #[serde(default)]
    user_names: Vec<Spanned<String>>,
    #[serde(default)]
    map: BTreeMap<String, Vec<String>>,
}

impl LeaversTable {
    pub(super) fn read(&self, lines: &Lines<'_>, is_instance: impl Fn(&str) -> bool) -> Result<Leavers, ConfigError> {
        let mut instances = Vec::new();
        for value in &self.instances {
            let name = value.get_ref();
            if !is_instance(name) || instances.contains(name) {
                return Err(lines.wrong(
                    value,
                    format!("leavers.instances `{name}` is not a configured instance or appears more than once; list each instance name once"),
                ));
            }
            instances.push(name.clone());
        }
        if instances.is_empty() {
            return Err(ConfigError {
                line: None,
                message: "leavers.instances is empty; list names of `[[instance]]` tables".into(),
            });
        }
        let mut templates = Vec::new();
        for value in &self.user_names {
            let template = Template::parse(value.get_ref()).map_err(|fix| {
                lines.wrong(value, format!("leavers.user_names `{}` is not valid; {fix}", value.get_ref()))
            })?;
            templates.push(template);
        }
        if templates.is_empty() && self.map.is_empty() {
            return Err(ConfigError {
                line: None,
                message: "leavers has neither `user_names` nor `map`; add one of them, such as `user_names = [\"{userName|local|snake}\"]`".into(),
            });
        }
        let names = templates.len().max(self.map.values().map(Vec::len).max().unwrap_or_default());
        if instances.len().saturating_mul(names) > MOST {
            return Err(ConfigError {
                line: None,
                message: format!("leavers gives one person more than {MOST} accounts; use fewer instances or names"),
            });
        }
        Ok(Leavers { instances, templates, map: self.map.clone() })
    }
}

/// A name with attributes in it: `svc_{email|local|snake}`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Attribute { name: String, filters: Vec<Filter> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// Keeps the part before the last `@`.
    Local,
    /// Changes ASCII letters to lowercase.
    Lower,
    /// Changes ASCII letters to lowercase, and every character that an account name cannot have to `_`.
    Snake,
}

impl Template {
    fn parse(text: &str) -> Result<Self, String> {
        const FIX: &str =
            "write text with `{attribute}`, where `|local`, `|lower` or `|snake` may follow the attribute";
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) = after.split_once('}').ok_or(FIX)?;
            let mut words = inside.split('|');
            let name = words.next().unwrap_or_default();
            if name.is_empty() || inside.contains('{') || before.contains('}') {
                return Err(FIX.into());
            }
            let mut filters = Vec::new();
            for word in words {
                filters.push(match word {
                    "local" => Filter::Local,
                    "lower" => Filter::Lower,
                    "snake" => Filter::Snake,
                    _ => return Err(FIX.into()),
                });
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Attribute { name: name.to_owned(), filters });
            rest = behind;
        }
        if rest.contains('}') || !pieces.iter().any(|piece| matches!(piece, Piece::Attribute { .. })) {
            return Err(FIX.into());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn fill(&self, identity: &Identity) -> Option<String> {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name += text,
                Piece::Attribute { name: attribute, filters } => {
                    let value = identity.get(attribute).filter(|value| !value.is_empty())?;
                    name += &filters.iter().fold(value.clone(), |value, filter| filter.apply(&value));
                }
            }
        }
        Some(name)
    }
}

impl Filter {
    fn apply(self, value: &str) -> String {
        match self {
            Self::Local => value.rsplit_once('@').map_or(value, |(local, _)| local).to_owned(),
            // ASCII only: Unicode lowercases a Kelvin sign to `k`, which would be the name of another person.
            Self::Lower => value.to_ascii_lowercase(),
            Self::Snake => {
                let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
                value.to_ascii_lowercase().chars().map(plain).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leavers(text: &str) -> Result<Leavers, String> {
        let table: LeaversTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.read(&Lines(text), |name| ["a", "b"].contains(&name)).map_err(|error| error.message)
    }

    #[test]
    fn names_come_from_the_map_or_else_from_templates() {
        let leavers = leavers(
            r#"instances = ["a", "b"]
user_names = ["{userName|local|snake}", "svc_{number}_x", "{email|lower}"]
[map]
"dana@example.com" = ["dana", "dana_ro"]
"#,
        )
        .unwrap();
        let names = |pairs: &[(&str, &str)]| {
            let identity = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            leavers.user_names(&identity).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(names(&[("userName", "Mary-Ann.Lee@example.com")]), ["mary_ann_lee"]);
        assert_eq!(names(&[("userName", "lee"), ("number", "7"), ("email", "LEE")]), ["lee", "svc_7_x"]);
        assert_eq!(names(&[("userName", "x@y@z")]), ["x_y"]);
        assert_eq!(names(&[("email", "dana@example.com")]), ["dana", "dana_ro"]);
        assert_eq!(names(&[("userName", "")]), [""; 0]);
        assert_eq!(names(&[]), [""; 0]);
    }

    #[test]
    fn wrong_tables_are_refused() {
        for (text, says) in [
            ("instances = []\nuser_names = [\"{a}\"]", "leavers.instances is empty"),
            ("instances = [\"c\"]\nuser_names = [\"{a}\"]", "leavers.instances `c` is not a configured instance"),
            (
                "instances = [\"a\", \"a\"]\nuser_names = [\"{a}\"]",
                "leavers.instances `a` is not a configured instance or appears more than once",
            ),
            ("instances = [\"a\"]", "leavers has neither `user_names` nor `map`"),
            ("instances = [\"a\"]\nuser_names = [\"alice\"]", "leavers.user_names `alice` is not valid"),
            ("instances = [\"a\"]\nuser_names = [\"{a\"]", "leavers.user_names `{a` is not valid"),
            ("instances = [\"a\"]\nuser_names = [\"{a}}\"]", "leavers.user_names `{a}}` is not valid"),
            ("instances = [\"a\"]\nuser_names = [\"{a|upper}\"]", "leavers.user_names `{a|upper}` is not valid"),
            ("instances = [\"a\"]\nuser_names = [\"{}\"]", "leavers.user_names `{}` is not valid"),
        ] {
            let message = leavers(text).unwrap_err();
            assert!(message.starts_with(says), "{text}: {message}");
        }
    }
}

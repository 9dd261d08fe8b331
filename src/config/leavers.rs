//! `[caller.leavers]`: which accounts belong to a person whom this caller reports as a leaver.
//!
//! An identity system knows people, not accounts. The operator configures on which instances a person has accounts and how they
//! are named: by a list for one person (`map`), or by templates over the person's attributes (`"{userName|local|snake}"`).
//! Which of these accounts exist is for TaurusDB's account list to say, not for this file.
//!
//! Only attributes that an administrator sets name accounts. Those that people choose do if the operator says so for this caller
//! (`allow_logins`), and names for display never do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::config::attribute::{Attribute, Comparison, Source, is_display_name, nearest};
use crate::config::lines::{ConfigError, Lines};
use crate::config::name_template::Template;

pub use crate::config::name_template::Identity;

/// The largest number of accounts of one leaver: instances times names.
const MOST: usize = 10_000;

/// `[caller.leavers]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leavers {
    /// The names of the instances whose account lists are searched.
    pub instances: Vec<String>,
    /// The attributes that people choose and that name accounts all the same.
    pub chosen: BTreeSet<String>,
    templates: Vec<Template>,
    map: Vec<Mapped>,
    /// The attributes that an administrator sets, and how they compare.
    managed: BTreeMap<String, Comparison>,
}

/// An entry of `map`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mapped {
    /// The key as the operator wrote it.
    written: String,
    attribute: String,
    comparison: Comparison,
    /// The value, as values of the attribute compare.
    value: String,
    user_names: Vec<String>,
}

impl Mapped {
    fn is_of(&self, identity: &Identity) -> bool {
        identity.get(&self.attribute).is_some_and(|value| self.comparison.key(value) == self.value)
    }
}

/// How the operator's configuration comes to an account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    /// A template makes the name of the person's attributes.
    Template,
    /// `map` lists it for this person.
    Map,
}

impl Leavers {
    /// Returns the account names of a person, each once. `identities` are the person's attributes now and before. For each, the
    /// names are those that `map` lists for any of the attributes, or else those that the templates give. A template gives no name
    /// if one of its attributes is missing.
    ///
    /// `None` if neither says anything about the person.
    pub fn user_names<'i>(
        &self,
        identities: impl IntoIterator<Item = &'i Identity>,
    ) -> Option<BTreeMap<String, NamedBy>> {
        let mut names = BTreeMap::new();
        let mut is_known = false;
        for identity in identities {
            let mapped: Vec<_> = self.map.iter().filter(|entry| entry.is_of(identity)).collect();
            is_known |= !mapped.is_empty();
            for name in mapped.iter().flat_map(|entry| &entry.user_names) {
                names.insert(name.clone(), NamedBy::Map);
            }
            if mapped.is_empty() {
                for name in self.templates.iter().filter_map(|template| template.fill(identity)) {
                    is_known = true;
                    names.entry(name).or_insert(NamedBy::Template);
                }
            }
        }
        is_known.then_some(names)
    }

    /// Returns the key under which `map` lists an account for another person than the one with these identities.
    pub fn mapped_for_another(&self, user_name: &str, identities: &[&Identity]) -> Option<&str> {
        let lists = |entry: &&Mapped| entry.user_names.iter().any(|name| name == user_name);
        let is_own = |entry: &Mapped| identities.iter().any(|identity| entry.is_of(identity));
        self.map.iter().filter(lists).find(|entry| !is_own(entry)).map(|entry| entry.written.as_str())
    }

    /// Returns the addresses of a person that an administrator set, in a form in which they compare: what tells that people of two
    /// callers are one person.
    pub fn addresses(&self, identity: &Identity) -> BTreeSet<String> {
        let address = |(name, value): (&String, &String)| {
            let is_address = self.managed.contains_key(name) && value.contains('@');
            is_address.then(|| Comparison::IgnoringCase.key(value))
        };
        identity.iter().filter_map(address).collect()
    }

    /// Returns the address in a key of `map`, in the form of [`Self::addresses`].
    pub fn address_in_key(key: &str) -> Option<String> {
        let (_, value) = key.split_once(':')?;
        value.contains('@').then(|| Comparison::IgnoringCase.key(value))
    }

    /// Whether a value is one of a person's that an administrator set.
    pub fn is_managed_value(&self, identity: &Identity, value: &str) -> bool {
        let is_same = |(name, comparison): (&String, &Comparison)| {
            identity.get(name).is_some_and(|own| comparison.key(own) == comparison.key(value))
        };
        self.managed.iter().any(is_same)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaversTable {
    instances: Vec<Spanned<String>>,
    #[serde(default)]
    user_names: Vec<Spanned<String>>,
    #[serde(default)]
    map: BTreeMap<Spanned<String>, Vec<String>>,
    #[serde(default)]
    allow_logins: bool,
}

/// What a table is read with.
pub(super) struct Reporter<'a> {
    /// The lines of the file.
    pub(super) lines: &'a Lines<'a>,
    /// The kind of the caller that reports leavers.
    pub(super) kind: &'a str,
    /// The attributes that it says of them.
    pub(super) attributes: Vec<Attribute<'a>>,
    /// Whether there is an instance of a name.
    pub(super) is_instance: &'a dyn Fn(&str) -> bool,
}

impl LeaversTable {
    /// Checks the table of a caller.
    pub(super) fn read(table: &Spanned<Self>, reporter: &Reporter<'_>) -> Result<Leavers, ConfigError> {
        let lines = reporter.lines;
        let this = table.get_ref();
        let instances = this.read_instances(table, reporter)?;
        let mut templates = Vec::new();
        let mut chosen = BTreeSet::new();
        for written in &this.user_names {
            templates.push(this.template(written, reporter, &mut chosen)?);
        }
        let mut map: Vec<Mapped> = Vec::new();
        for (key, user_names) in &this.map {
            let entry = this.entry((key, user_names), reporter, &mut chosen)?;
            if map.iter().any(|known| (&known.attribute, &known.value) == (&entry.attribute, &entry.value)) {
                let message = format!("leavers.map `{}` appears more than once; list each person once", key.get_ref());
                return Err(lines.wrong(key, message));
            }
            map.push(entry);
        }
        if templates.is_empty() && map.is_empty() {
            return Err(lines.wrong(
                table,
                "leavers has neither `user_names` nor `map`; add one of them, such as `user_names = [\"{userName|local|snake}\"]`",
            ));
        }
        let names = templates.len().max(map.iter().map(|entry| entry.user_names.len()).max().unwrap_or_default());
        if instances.len().saturating_mul(names) > MOST {
            let message = format!("leavers gives one person more than {MOST} accounts; use fewer instances or names");
            return Err(lines.wrong(table, message));
        }
        let is_managed = |attribute: &&Attribute<'_>| attribute.source == Source::Administrator;
        let managed = reporter.attributes.iter().filter(is_managed);
        let managed = managed.map(|attribute| (attribute.name.to_owned(), attribute.comparison)).collect();
        Ok(Leavers { instances, chosen, templates, map, managed })
    }

    fn read_instances(&self, table: &Spanned<Self>, reporter: &Reporter<'_>) -> Result<Vec<String>, ConfigError> {
        let mut instances = Vec::new();
        for value in &self.instances {
            let name = value.get_ref();
            if !(reporter.is_instance)(name) || instances.contains(name) {
                return Err(reporter.lines.wrong(
                    value,
                    format!("leavers.instances `{name}` is not a configured instance or appears more than once; list each instance name once"),
                ));
            }
            instances.push(name.clone());
        }
        if instances.is_empty() {
            return Err(reporter.lines.wrong(table, "leavers.instances is empty; list names of `[[instance]]` tables"));
        }
        Ok(instances)
    }

    fn template(
        &self,
        written: &Spanned<String>,
        reporter: &Reporter<'_>,
        chosen: &mut BTreeSet<String>,
    ) -> Result<Template, ConfigError> {
        let text = written.get_ref();
        let wrong = |why: String| reporter.lines.wrong(written, format!("leavers.user_names `{text}` {why}"));
        let template = Template::parse(text).map_err(|fix| wrong(format!("is not valid; {fix}")))?;
        let mut is_shared = true;
        for name in template.attributes() {
            let attribute = self.attribute(name, reporter, chosen).map_err(wrong)?;
            is_shared &= attribute.source == Source::Shared;
        }
        if is_shared {
            return Err(wrong(format!("gives many people one account; {}", reporter.usable())));
        }
        Ok(template)
    }

    fn entry(
        &self,
        (key, user_names): (&Spanned<String>, &[String]),
        reporter: &Reporter<'_>,
        chosen: &mut BTreeSet<String>,
    ) -> Result<Mapped, ConfigError> {
        let text = key.get_ref();
        let wrong = |why: String| reporter.lines.wrong(key, format!("leavers.map `{text}` {why}"));
        let Some((name, value)) = text.split_once(':') else {
            return Err(wrong(format!("does not name its attribute; write `{}`", reporter.named(text))));
        };
        if value.is_empty() {
            return Err(wrong("has no value; write the attribute, `:` and its value".into()));
        }
        let attribute = self.attribute(name, reporter, chosen).map_err(wrong)?;
        if attribute.source == Source::Shared {
            return Err(wrong(format!("is many people, because they share `{name}`; {}", reporter.usable())));
        }
        let comparison = attribute.comparison;
        Ok(Mapped {
            written: text.clone(),
            attribute: name.to_owned(),
            comparison,
            value: comparison.key(value),
            user_names: user_names.to_vec(),
        })
    }

    /// Finds an attribute that may name accounts; the error says why it may not, and what to write.
    fn attribute<'a>(
        &self,
        name: &str,
        reporter: &Reporter<'a>,
        chosen: &mut BTreeSet<String>,
    ) -> Result<Attribute<'a>, String> {
        let found = reporter.attributes.iter().find(|attribute| attribute.name == name);
        let is_display = found.map_or_else(|| is_display_name(name), |found| found.source == Source::Display);
        if is_display {
            return Err(format!(
                "uses `{name}`, a name for display, which people choose and share and which never names an account; {}",
                reporter.usable()
            ));
        }
        let Some(attribute) = found else {
            let meant = nearest(name, &reporter.attributes);
            let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
            return Err(format!(
                "uses the attribute `{name}`, which leavers of kind `{}` do not have; {meant}{}",
                reporter.kind,
                reporter.known()
            ));
        };
        if attribute.source == Source::Person {
            if !self.allow_logins {
                return Err(format!(
                    "uses `{name}`, which people choose themselves, so a person could take the name of another account and leave; {}, or, if only administrators can change it, add `allow_logins = true`",
                    reporter.usable()
                ));
            }
            chosen.insert(name.to_owned());
        }
        Ok(*attribute)
    }
}

impl Reporter<'_> {
    /// Says what may name accounts.
    fn usable(&self) -> String {
        match self.listed(|source| source == Source::Administrator, "or").as_str() {
            "" => "add an ID to `identity` in `fields`".to_owned(),
            names => format!("use {names}"),
        }
    }

    /// Says which attributes there are.
    fn known(&self) -> String {
        format!("they have {}", self.listed(|source| source != Source::Display, "and"))
    }

    fn listed(&self, takes: impl Fn(Source) -> bool, between: &str) -> String {
        let taken = self.attributes.iter().filter(|attribute| takes(attribute.source));
        let names: Vec<_> = taken.map(|attribute| format!("`{}`", attribute.name)).collect();
        match names.as_slice() {
            [first @ .., second, last] => {
                format!("{} {between} {last}", [first, std::slice::from_ref(second)].concat().join(", "))
            }
            few => few.concat(),
        }
    }

    /// A key without an attribute, with the one that it probably is.
    fn named(&self, value: &str) -> String {
        let is_address = value.contains('@');
        let fits = |attribute: &&Attribute<'_>| (attribute.comparison != Comparison::Exact) == is_address;
        let managed = || self.attributes.iter().filter(|attribute| attribute.source == Source::Administrator);
        let name = managed().find(fits).or_else(|| managed().next()).map_or("id", |attribute| attribute.name);
        format!("{name}:{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTRIBUTES: [Attribute<'static>; 6] = [
        Attribute::managed("userName"),
        Attribute::managed("email"),
        Attribute::id("id"),
        Attribute::id("number"),
        Attribute::chosen("login"),
        Attribute::shared("tenantId"),
    ];

    #[derive(Deserialize)]
    struct File {
        leavers: Spanned<LeaversTable>,
    }

    fn read(text: &str) -> Result<Leavers, ConfigError> {
        let text = format!("[leavers]\n{text}");
        let file: File = toml::from_str(&text).map_err(|error| panic!("{error}"))?;
        let lines = Lines(&text);
        let is_instance = |name: &str| ["a", "b"].contains(&name);
        let reporter =
            Reporter { lines: &lines, kind: "okta", attributes: ATTRIBUTES.to_vec(), is_instance: &is_instance };
        LeaversTable::read(&file.leavers, &reporter)
    }

    fn identity(pairs: &[(&str, &str)]) -> Identity {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const GOOD: &str = r#"instances = ["a", "b"]
user_names = ["{userName|local|snake}", "svc_{number}_x", "{email|lower}"]
[leavers.map]
"email:dana@example.com" = ["dana", "dana_ro"]
"id:7" = []
"#;

    #[test]
    fn names_come_from_the_map_or_else_from_templates() {
        let leavers = read(GOOD).unwrap();
        let names =
            |pairs: &[(&str, &str)]| Some(leavers.user_names([&identity(pairs)])?.into_keys().collect::<Vec<_>>());
        let some = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[("userName", "Mary-Ann.Lee@example.com")]), some(&["mary_ann_lee"]));
        assert_eq!(names(&[("userName", "lee"), ("number", "7"), ("email", "LEE")]), some(&["lee", "svc_7_x"]));
        assert_eq!(names(&[("userName", "x@y@z")]), some(&["x_y"]));
        assert_eq!(names(&[("email", "Dana@Example.com"), ("userName", "dk@example.com")]), some(&["dana", "dana_ro"]));
        // The value of another attribute is none of the key's.
        assert_eq!(names(&[("userName", "dana@example.com")]), some(&["dana"]));
        assert_eq!(names(&[("id", "7"), ("userName", "lee")]), some(&[]));
        assert_eq!(names(&[("userName", "")]), None);
        assert_eq!(names(&[]), None);
    }

    #[test]
    fn former_identities_give_names_as_well() {
        let leavers = read(GOOD).unwrap();
        let (now, before) = (identity(&[("userName", "lee@x")]), identity(&[("email", "dana@example.com")]));
        let names = leavers.user_names([&now, &before]).unwrap();
        let expected = [("dana", NamedBy::Map), ("dana_ro", NamedBy::Map), ("lee", NamedBy::Template)];
        assert_eq!(names, expected.map(|(name, by)| (name.to_owned(), by)).into());
        assert_eq!(leavers.mapped_for_another("dana", &[&now]), Some("email:dana@example.com"));
        assert_eq!(leavers.mapped_for_another("dana", &[&now, &before]), None);
        assert_eq!(leavers.mapped_for_another("lee", &[&now]), None);
    }

    /// `(table, line, message)`
    const WRONG: &[(&str, usize, &str)] = &[
        (
            "instances = []\nuser_names = [\"{id}\"]",
            1,
            "leavers.instances is empty; list names of `[[instance]]` tables",
        ),
        (
            "instances = [\"c\"]\nuser_names = [\"{id}\"]",
            2,
            "leavers.instances `c` is not a configured instance or appears more than once; list each instance name once",
        ),
        (
            "instances = [\"a\", \"a\"]\nuser_names = [\"{id}\"]",
            2,
            "leavers.instances `a` is not a configured instance or appears more than once; list each instance name once",
        ),
        (
            "instances = [\"a\"]",
            1,
            "leavers has neither `user_names` nor `map`; add one of them, such as `user_names = [\"{userName|local|snake}\"]`",
        ),
        (
            "instances = [\"a\"]\nuser_names = [\"{displayName|snake}\"]",
            3,
            "leavers.user_names `{displayName|snake}` uses `displayName`, a name for display, which people choose and share and which never names an account; use `userName`, `email`, `id` or `number`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"name.givenName:Pat\" = [\"pat\"] }",
            3,
            "leavers.map `name.givenName:Pat` uses `name.givenName`, a name for display, which people choose and share and which never names an account; use `userName`, `email`, `id` or `number`",
        ),
        (
            "instances = [\"a\"]\nuser_names = [\"{username}\"]",
            3,
            "leavers.user_names `{username}` uses the attribute `username`, which leavers of kind `okta` do not have; did you mean `userName`? they have `userName`, `email`, `id`, `number`, `login` and `tenantId`",
        ),
        (
            "instances = [\"a\"]\nuser_names = [\"{login|snake}\"]",
            3,
            "leavers.user_names `{login|snake}` uses `login`, which people choose themselves, so a person could take the name of another account and leave; use `userName`, `email`, `id` or `number`, or, if only administrators can change it, add `allow_logins = true`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"login:octocat\" = [\"olga\"] }",
            3,
            "leavers.map `login:octocat` uses `login`, which people choose themselves, so a person could take the name of another account and leave; use `userName`, `email`, `id` or `number`, or, if only administrators can change it, add `allow_logins = true`",
        ),
        (
            "instances = [\"a\"]\nuser_names = [\"x_{tenantId}\"]",
            3,
            "leavers.user_names `x_{tenantId}` gives many people one account; use `userName`, `email`, `id` or `number`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"tenantId:1\" = [\"x\"] }",
            3,
            "leavers.map `tenantId:1` is many people, because they share `tenantId`; use `userName`, `email`, `id` or `number`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"pat@a.example\" = [\"pat\"] }",
            3,
            "leavers.map `pat@a.example` does not name its attribute; write `userName:pat@a.example`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"00u1\" = [\"pat\"] }",
            3,
            "leavers.map `00u1` does not name its attribute; write `id:00u1`",
        ),
        (
            "instances = [\"a\"]\nmap = { \"id:\" = [\"pat\"] }",
            3,
            "leavers.map `id:` has no value; write the attribute, `:` and its value",
        ),
        (
            "instances = [\"a\"]\n[leavers.map]\n\"userName:Pat@a\" = [\"pat\"]\n\"userName:pat@a\" = [\"pat\"]",
            5,
            "leavers.map `userName:pat@a` appears more than once; list each person once",
        ),
    ];

    #[test]
    fn wrong_tables_are_refused() {
        for (text, line, message) in WRONG {
            let error = read(text).unwrap_err();
            assert_eq!((error.line, error.message.as_str()), (Some(*line), *message), "{text}");
        }
        for template in ["alice", "{id", "{id}}", "{id|upper}", "{}", "{id|local|upper}", "}{id}"] {
            let error = read(&format!("instances = [\"a\"]\nuser_names = [\"{template}\"]")).unwrap_err();
            let starts = format!("leavers.user_names `{template}` is not valid; write text with `{{attribute}}`");
            assert!(error.message.starts_with(&starts), "{template}: {}", error.message);
        }
    }

    #[test]
    fn logins_name_accounts_where_the_operator_says_so() {
        let leavers =
            read("instances = [\"a\"]\nallow_logins = true\nuser_names = [\"{login}\", \"{tenantId}_{id}\"]").unwrap();
        assert_eq!(leavers.chosen, ["login".to_owned()].into());
        let person = identity(&[("login", "octocat@x"), ("id", "a@b"), ("userName", "Pat@A"), ("name", "x@y")]);
        // A login that its owner chose does not prove that they are the person of that address.
        assert_eq!(leavers.addresses(&person), ["a@b", "pat@a"].map(str::to_owned).into());
        assert!(leavers.is_managed_value(&person, "pat@a") && !leavers.is_managed_value(&person, "octocat@x"));
    }
}

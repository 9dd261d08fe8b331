//! `[[caller]]`: who may send requests, and what proves it.
//!
//! What a kind needs beside its secrets it says itself, in its [`CallerShape`]: a kind brings its settings with it, and this
//! file does not know any.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use crate::config::body_fields::{BodyFields, FieldsTable, OneOrMore};
use crate::config::caller_shape::{CallerShape, KeyShape, Part};
use crate::config::lines::{ConfigError, Lines};
use crate::outcome::language::Language;

/// One secret of a caller: where it is, and for access keys its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// The Spin variables that hold its parts, by the names of the parts, in the kind's order.
    pub variables: Vec<(&'static str, String)>,
}

/// The name of the part where there is only one.
pub const SECRET: &str = "secret";

/// Somebody who may send requests, once they prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name in `/hooks/{name}` and in principals.
    pub name: String,
    /// One of the kinds that the component has.
    pub kind: String,
    /// Every one that is set is accepted, so that a rotation needs no downtime.
    pub keys: Vec<Key>,
    /// Whether whoever asks is shown what would happen first, and has to confirm it.
    pub confirm: bool,
    /// The language of answers when a request asks for none; [`Config::language`](super::Config::language) when it is not set
    /// here.
    pub language: Option<Language>,
    /// Where in its bodies things are, for kinds that have bodies of their own.
    pub fields: Option<BodyFields>,
    pub(super) settings: BTreeMap<&'static str, Vec<String>>,
}

impl Caller {
    /// A caller of this kind with no secret and no setting.
    pub fn new(name: &str, kind: &str) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            keys: Vec::new(),
            confirm: false,
            language: None,
            fields: None,
            settings: BTreeMap::new(),
        }
    }

    /// The same with this setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, values: &[&str]) -> Self {
        self.settings.insert(name, values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// A setting of its kind's own; the first value of a list.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings(name).first().map(String::as_str)
    }

    /// All values of one.
    pub fn settings(&self, name: &str) -> &[String] {
        self.settings.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A `[[caller]]` as it is written.
pub(super) struct CallerTable {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) secrets: Option<Vec<SecretTable>>,
    pub(super) access_keys: Option<Vec<AccessKeyTable>>,
    confirm: Option<bool>,
    language: Option<Spanned<String>>,
    fields: Option<Spanned<FieldsTable>>,
    settings: BTreeMap<String, Spanned<OneOrMore>>,
}

/// Written by hand, because serde's `flatten` forgets on which line things are.
impl<'de> Deserialize<'de> for CallerTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = CallerTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<CallerTable, A::Error> {
                let (mut name, mut kind) = (None, None);
                let (mut secrets, mut access_keys, mut confirm, mut language, mut fields) =
                    (None, None, None, None, None);
                let mut settings = BTreeMap::new();
                while let Some(key) = entries.next_key::<String>()? {
                    match key.as_str() {
                        "name" => name = Some(entries.next_value()?),
                        "kind" => kind = Some(entries.next_value()?),
                        "secrets" => secrets = Some(entries.next_value()?),
                        "access_keys" => access_keys = Some(entries.next_value()?),
                        "confirm" => confirm = Some(entries.next_value()?),
                        "language" => language = Some(entries.next_value()?),
                        "fields" => fields = Some(entries.next_value()?),
                        _ => {
                            settings.insert(key, entries.next_value()?);
                        }
                    }
                }
                Ok(CallerTable {
                    name: name.ok_or_else(|| A::Error::missing_field("name"))?,
                    kind: kind.ok_or_else(|| A::Error::missing_field("kind"))?,
                    secrets,
                    access_keys,
                    confirm,
                    language,
                    fields,
                    settings,
                })
            }
        }

        deserializer.deserialize_map(Table)
    }
}

/// `"variable"`, or `{ part = "variable" }`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum SecretShape {
    One(String),
    Parts(BTreeMap<String, String>),
}

/// A secret, and where it stands.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct SecretTable(Spanned<SecretShape>);

impl SecretTable {
    /// The variables that it names.
    pub(super) fn variables(&self) -> Vec<String> {
        match self.0.get_ref() {
            SecretShape::One(variable) => vec![variable.clone()],
            SecretShape::Parts(parts) => parts.values().cloned().collect(),
        }
    }

    pub(super) fn start(&self) -> usize {
        self.0.span().start
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessKeyTable {
    id: Spanned<String>,
    pub(super) secret: Spanned<String>,
}

/// The access keys that there are already, so that an id stands for one caller only.
pub(super) type Taken<'a> = &'a dyn Fn(&str) -> bool;

impl CallerTable {
    /// Reads the table.
    pub(super) fn read(
        &self,
        lines: &Lines<'_>,
        kinds: &[CallerShape],
        taken: Taken<'_>,
    ) -> Result<(Caller, CallerShape), ConfigError> {
        let name = lines.name("caller.name", &self.name)?;
        let kind = self.kind.get_ref().clone();
        let Some(shape) = kinds.iter().find(|known| known.name == kind).copied() else {
            let known: Vec<_> = kinds.iter().map(|known| format!("`{}`", known.name)).collect();
            return Err(lines.wrong(
                &self.kind,
                format!("caller.kind `{kind}` is not known; expected one of {}", known.join(", ")),
            ));
        };
        let keys = self.keys(lines, &shape, taken)?;
        let settings = self.settings(lines, &shape)?;
        let confirm = self.confirm.unwrap_or(shape.is_chat);
        let language = lines.language("caller.language", &self.language)?;
        let fields = match &self.fields {
            Some(fields) if shape.takes_fields => {
                Some(fields.get_ref().read().map_err(|message| lines.wrong(fields, message))?)
            }
            Some(fields) => {
                return Err(lines.wrong(
                    fields,
                    format!("caller `{name}` of kind `{kind}` takes no `fields`; its bodies have a form of their own"),
                ));
            }
            None => None,
        };
        Ok((Caller { name, kind, keys, confirm, language, fields, settings }, shape))
    }

    fn keys(&self, lines: &Lines<'_>, shape: &CallerShape, taken: Taken<'_>) -> Result<Vec<Key>, ConfigError> {
        let (name, kind) = (self.name.get_ref(), self.kind.get_ref());
        let misshapen = |what: &str| lines.wrong(&self.name, format!("caller `{name}` of kind `{kind}` needs {what}"));
        let variable = |offset: usize, text: &str| lines.variable_at("caller.secrets", offset, text);
        match (shape.keys, &self.secrets, &self.access_keys) {
            (KeyShape::None, None, None) => Ok(Vec::new()),
            (KeyShape::None, ..) => Err(misshapen("neither `secrets` nor `access_keys`")),
            (KeyShape::Secret, Some(secrets), None) if !secrets.is_empty() => {
                let mut keys = Vec::new();
                for secret in secrets {
                    let SecretShape::One(text) = secret.0.get_ref() else {
                        return Err(misshapen("`secrets = [\"spin_variable\", …]` and nothing else"));
                    };
                    keys.push(Key { id: None, variables: vec![(SECRET, variable(secret.start(), text)?)] });
                }
                Ok(keys)
            }
            (KeyShape::Secret, ..) => Err(misshapen("`secrets = [\"spin_variable\", …]` and nothing else")),
            (KeyShape::Secrets(parts), Some(secrets), None) if !secrets.is_empty() => {
                let named = || -> String {
                    let of = |part: &Part| {
                        let maybe = if part.required { "" } else { " (optional)" };
                        format!("{} = \"spin_variable\"{maybe}", part.name)
                    };
                    let parts: Vec<_> = parts.iter().map(of).collect();
                    format!("`secrets = [{{ {} }}, …]` and nothing else", parts.join(", "))
                };
                let mut keys = Vec::new();
                for secret in secrets {
                    let SecretShape::Parts(given) = secret.0.get_ref() else { return Err(misshapen(&named())) };
                    let known = given.keys().all(|given| parts.iter().any(|part| part.name == given));
                    let complete = parts.iter().all(|part| !part.required || given.contains_key(part.name));
                    if !known || !complete || given.is_empty() {
                        return Err(misshapen(&named()));
                    }
                    let mut variables = Vec::new();
                    for part in parts {
                        if let Some(text) = given.get(part.name) {
                            variables.push((part.name, variable(secret.start(), text)?));
                        }
                    }
                    keys.push(Key { id: None, variables });
                }
                Ok(keys)
            }
            (KeyShape::Secrets(parts), ..) => {
                let parts: Vec<_> = parts.iter().map(|part| format!("{} = \"spin_variable\"", part.name)).collect();
                Err(misshapen(&format!("`secrets = [{{ {} }}, …]` and nothing else", parts.join(", "))))
            }
            (KeyShape::AccessKeys { optional: true }, None, None) => Ok(Vec::new()),
            (KeyShape::AccessKeys { .. }, None, Some(access_keys)) if !access_keys.is_empty() => {
                let mut keys: Vec<Key> = Vec::new();
                for key in access_keys {
                    let id = lines.name("caller.access_keys.id", &key.id)?;
                    if taken(&id) || keys.iter().any(|key| key.id.as_ref() == Some(&id)) {
                        return Err(lines.wrong(&key.id, format!("caller.access_keys.id `{id}` belongs to another caller already; expected an id of its own")));
                    }
                    let variable = lines.variable("caller.access_keys.secret", &key.secret)?;
                    keys.push(Key { id: Some(id), variables: vec![(SECRET, variable)] });
                }
                Ok(keys)
            }
            (KeyShape::AccessKeys { .. }, ..) => {
                Err(misshapen("`access_keys = [{ id = \"…\", secret = \"spin_variable\" }, …]` and nothing else"))
            }
        }
    }

    fn settings(
        &self,
        lines: &Lines<'_>,
        shape: &CallerShape,
    ) -> Result<BTreeMap<&'static str, Vec<String>>, ConfigError> {
        let (name, kind) = (self.name.get_ref(), self.kind.get_ref());
        let mut settings = BTreeMap::new();
        for (key, value) in &self.settings {
            let Some(setting) = shape.settings.iter().find(|setting| setting.name == key) else {
                let common = ["name", "kind", "secrets", "access_keys", "confirm", "language", "fields"];
                let known: Vec<_> = shape.settings.iter().map(|setting| setting.name).chain(common).collect();
                return Err(
                    lines.wrong(value, format!("unknown field `{key}`, expected one of `{}`", known.join("`, `")))
                );
            };
            let values = value.get_ref().texts();
            let wrong = values.iter().find(|text| !(setting.is_valid)(text));
            let one = setting.is_list || values.len() == 1;
            if let (Some(text), _) = (wrong, one) {
                return Err(
                    lines.wrong(value, format!("caller.{key} `{text}` is not valid; expected {}", setting.expected))
                );
            }
            if values.is_empty() || !one {
                let many = if setting.is_list { "one or more" } else { "one value" };
                return Err(
                    lines.wrong(value, format!("caller.{key} is not valid; expected {many}: {}", setting.expected))
                );
            }
            settings.insert(setting.name, values);
        }
        let missing = shape.settings.iter().find(|setting| setting.required && !settings.contains_key(setting.name));
        if let Some(setting) = missing {
            return Err(lines.wrong(
                &self.name,
                format!("caller `{name}` of kind `{kind}` needs `{}`; expected {}", setting.name, setting.expected),
            ));
        }
        Ok(settings)
    }
}

//! `[[caller]]`: reads the tables of callers.
//!
//! Each caller kind describes its secrets and settings in its [`CallerShape`], so this file names no kind.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use crate::config::attribute::Attribute;
use crate::config::body_fields::{BodyFields, FieldsTable, OneOrMore};
use crate::config::caller_shape::{CallerShape, KeyShape, Part, Setting};
use crate::config::callers::{Caller, Key, SECRET};
use crate::config::leavers::{Leavers, LeaversTable, Reporter};
use crate::config::lines::{ConfigError, Lines};

/// A `[[caller]]` table as it is written.
pub(super) struct CallerTable {
    pub(super) name: Spanned<String>,
    kind: Spanned<String>,
    pub(super) secrets: Option<Vec<SecretTable>>,
    pub(super) access_keys: Option<Vec<AccessKeyTable>>,
    confirm: Option<bool>,
    language: Option<Spanned<String>>,
    fields: Option<Spanned<FieldsTable>>,
    leavers: Option<Spanned<LeaversTable>>,
    settings: BTreeMap<String, Spanned<OneOrMore>>,
}

/// Written by hand, because serde's `flatten` loses the position of values.
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
                let (mut secrets, mut access_keys, mut confirm, mut language) = (None, None, None, None);
                let (mut fields, mut leavers) = (None, None);
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
                        "leavers" => leavers = Some(entries.next_value()?),
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
                    leavers,
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
enum SecretShape {
    One(String),
    Parts(BTreeMap<String, String>),
}

/// A secret and its position.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct SecretTable(Spanned<SecretShape>);

impl SecretTable {
    /// Returns the named Spin variables.
    pub(super) fn variables(&self) -> Vec<String> {
        match self.0.get_ref() {
            SecretShape::One(variable) => vec![variable.clone()],
            SecretShape::Parts(parts) => parts.values().cloned().collect(),
        }
    }

    /// Returns its byte offset in the file.
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

/// Reads all callers, by name.
pub(super) fn read(
    lines: &Lines<'_>,
    tables: &[CallerTable],
    kinds: &[CallerShape],
    is_instance: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Caller>, ConfigError> {
    let mut callers = BTreeMap::new();
    for table in tables {
        let (mut caller, shape) = table.read(lines, kinds, &callers)?;
        caller.leavers = table.leavers(lines, &caller, &shape, is_instance)?;
        table.check(lines, &caller, &shape)?;
        let (at, name) = (&table.name, &caller.name);
        if callers.values().any(|known| has_same_issuer(known, &caller)) {
            return Err(lines.wrong(
                at,
                format!("caller `{name}` has the `issuer` of another caller; use each issuer once, or give each caller its own `header`"),
            ));
        }
        if let Some(known) = callers.values().find(|known| shape.is_single && known.kind == caller.kind) {
            return Err(lines.wrong(
                &table.kind,
                format!(
                    "caller `{name}` is of the same kind `{}` as caller `{}`, and there can be one only; remove one of them",
                    caller.kind, known.name
                ),
            ));
        }
        if callers.contains_key(name) {
            return Err(lines.doubled_name("caller", at));
        }
        callers.insert(name.clone(), caller);
    }
    Ok(callers)
}

/// Finds the access key `id` and the caller that it belongs to.
pub(super) fn access_key<'c>(callers: &'c BTreeMap<String, Caller>, id: &str) -> Option<(&'c Caller, &'c Key)> {
    callers.values().find_map(|caller| {
        let key = caller.keys.iter().find(|key| key.id.as_deref() == Some(id))?;
        Some((caller, key))
    })
}

/// Whether tokens of two callers cannot be told apart: the same issuer, in the same header.
fn has_same_issuer(one: &Caller, other: &Caller) -> bool {
    let issuer = |caller: &Caller| {
        Some((caller.setting("issuer")?.to_owned(), caller.setting("header").map(str::to_ascii_lowercase)))
    };
    issuer(one).is_some() && one.kind == other.kind && issuer(one) == issuer(other)
}

impl CallerTable {
    fn read(
        &self,
        lines: &Lines<'_>,
        kinds: &[CallerShape],
        callers: &BTreeMap<String, Caller>,
    ) -> Result<(Caller, CallerShape), ConfigError> {
        let name = lines.name("caller.name", &self.name)?;
        let kind = self.kind.get_ref().clone();
        let Some(shape) = kinds.iter().find(|known| known.name == kind).copied() else {
            let known: Vec<_> = kinds.iter().map(|known| format!("`{}`", known.name)).collect();
            return Err(lines
                .wrong(&self.kind, format!("caller.kind `{kind}` does not exist; use one of {}", known.join(", "))));
        };
        let keys = self.keys(lines, &shape, callers)?;
        let settings = self.settings(lines, &shape)?;
        let confirm = self.confirm.unwrap_or(shape.is_chat);
        let language = lines.language("caller.language", &self.language)?;
        let fields = self.fields(lines, &shape)?;
        Ok((Caller { name, kind, keys, confirm, language, fields, leavers: None, settings }, shape))
    }

    /// Reads `[caller.leavers]`, which a caller has if it reports leavers, and only then.
    fn leavers(
        &self,
        lines: &Lines<'_>,
        caller: &Caller,
        shape: &CallerShape,
        is_instance: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Leavers>, ConfigError> {
        let Caller { name, kind, .. } = caller;
        let identity = caller.fields.as_ref().map(|fields| fields.identity.iter());
        let attributes: Vec<_> = match identity {
            Some(identity) if identity.len() > 0 => {
                identity.map(|(name, pointer)| Attribute::located(name, pointer, shape.chosen_fields)).collect()
            }
            _ => shape.leavers.to_vec(),
        };
        let reports_leavers =
            caller.fields.as_ref().map_or(!attributes.is_empty(), |fields| !fields.identity.is_empty());
        match &self.leavers {
            Some(table) if attributes.is_empty() => {
                let or = if shape.takes_fields { ", or say in `fields` what the `identity` of a leaver is" } else { "" };
                let message = format!("caller `{name}` of kind `{kind}` reports no leavers; remove `[caller.leavers]`{or}");
                Err(lines.wrong(table, message))
            }
            Some(table) => {
                LeaversTable::read(table, &Reporter { lines, kind, attributes, is_instance }).map(Some)
            }
            None if !reports_leavers => Ok(None),
            None => Err(lines.wrong(
                &self.name,
                format!("caller `{name}` reports leavers, and `[caller.leavers]` is missing; add it below this `[[caller]]` to say which accounts a leaver has"),
            )),
        }
    }

    /// Checks what the kind requires of the settings together.
    fn check(&self, lines: &Lines<'_>, caller: &Caller, shape: &CallerShape) -> Result<(), ConfigError> {
        let Caller { name, kind, .. } = caller;
        let wrong = |message: String| Err(lines.wrong(&self.name, message));
        if !shape.proves_body && !caller.confirm {
            return wrong(format!(
                "caller `{name}` of kind `{kind}` requires confirmation, because the platform does not sign messages; remove `confirm = false`"
            ));
        }
        if caller.leavers.is_some() && caller.confirm {
            return wrong(format!(
                "caller `{name}` reports leavers, and no person is there to confirm their removals; remove `confirm = true`, and permit the caller `request` if others have to approve"
            ));
        }
        match (shape.is_complete)(caller) {
            Err(needed) => wrong(format!("caller `{name}` of kind `{kind}` needs {needed}")),
            Ok(()) => Ok(()),
        }
    }

    fn fields(&self, lines: &Lines<'_>, shape: &CallerShape) -> Result<Option<BodyFields>, ConfigError> {
        let Some(fields) = &self.fields else { return Ok(None) };
        if !shape.takes_fields {
            let (name, kind) = (self.name.get_ref(), shape.name);
            return Err(lines.wrong(
                fields,
                format!("caller `{name}` of kind `{kind}` does not support `fields`: the platform defines the body; remove `fields`"),
            ));
        }
        fields.get_ref().read().map(Some).map_err(|message| lines.wrong(fields, message))
    }

    /// Reads the secrets. `callers` are those before this one, to find doubled access keys.
    fn keys(
        &self,
        lines: &Lines<'_>,
        shape: &CallerShape,
        callers: &BTreeMap<String, Caller>,
    ) -> Result<Vec<Key>, ConfigError> {
        let keys = match (shape.keys, &self.secrets, &self.access_keys) {
            (KeyShape::None, None, None) | (KeyShape::AccessKeys { optional: true }, None, None) => Some(Vec::new()),
            (KeyShape::Secret, Some(secrets), None) if !secrets.is_empty() => plain_secrets(lines, secrets)?,
            (KeyShape::Secrets(parts), Some(secrets), None) if !secrets.is_empty() => {
                secrets_of_parts(lines, secrets, parts)?
            }
            (KeyShape::AccessKeys { .. }, None, Some(keys)) if !keys.is_empty() => {
                Some(access_keys(lines, keys, callers)?)
            }
            _ => None,
        };
        keys.ok_or_else(|| {
            let (name, kind, takes) = (self.name.get_ref(), shape.name, expected_keys(shape.keys));
            lines.wrong(&self.name, format!("caller `{name}` of kind `{kind}` takes {takes}"))
        })
    }

    fn settings(
        &self,
        lines: &Lines<'_>,
        shape: &CallerShape,
    ) -> Result<BTreeMap<&'static str, Vec<String>>, ConfigError> {
        let mut settings = BTreeMap::new();
        for (key, value) in &self.settings {
            let Some(setting) = shape.settings.iter().find(|setting| setting.name == key) else {
                let common = ["name", "kind", "secrets", "access_keys", "confirm", "language", "fields", "leavers"];
                let known: Vec<_> = shape.settings.iter().map(|setting| setting.name).chain(common).collect();
                return Err(
                    lines.wrong(value, format!("unknown field `{key}`, expected one of `{}`", known.join("`, `")))
                );
            };
            settings.insert(setting.name, values(lines, setting, value)?);
        }
        let missing = shape.settings.iter().find(|setting| setting.required && !settings.contains_key(setting.name));
        if let Some(setting) = missing {
            let (name, kind) = (self.name.get_ref(), shape.name);
            return Err(lines.wrong(
                &self.name,
                format!("caller `{name}` of kind `{kind}` needs `{}`; set it to {}", setting.name, setting.expected),
            ));
        }
        Ok(settings)
    }
}

/// Describes the keys of a kind for the operator.
fn expected_keys(shape: KeyShape) -> String {
    let keys = match shape {
        KeyShape::None => return "neither `secrets` nor `access_keys`".into(),
        KeyShape::Secret => "`secrets = [\"spin_variable\", …]`".to_owned(),
        KeyShape::Secrets(parts) => {
            let described = parts.iter().map(|part| {
                let optional = if part.required { "" } else { " (optional)" };
                format!("{} = \"spin_variable\"{optional}", part.name)
            });
            format!("`secrets = [{{ {} }}, …]`", described.collect::<Vec<_>>().join(", "))
        }
        KeyShape::AccessKeys { .. } => "`access_keys = [{ id = \"…\", secret = \"spin_variable\" }, …]`".to_owned(),
    };
    format!("{keys} and no other keys or secrets")
}

/// Reads secrets of one part; `None` if one of them is a table.
fn plain_secrets(lines: &Lines<'_>, secrets: &[SecretTable]) -> Result<Option<Vec<Key>>, ConfigError> {
    let mut keys = Vec::new();
    for secret in secrets {
        let SecretShape::One(text) = secret.0.get_ref() else { return Ok(None) };
        let variable = lines.variable_at("caller.secrets", secret.start(), text)?;
        keys.push(Key { id: None, variables: vec![(SECRET, variable)] });
    }
    Ok(Some(keys))
}

/// Reads secrets of several parts; `None` if one of them lacks a part or has another one.
fn secrets_of_parts(
    lines: &Lines<'_>,
    secrets: &[SecretTable],
    parts: &[Part],
) -> Result<Option<Vec<Key>>, ConfigError> {
    let mut keys = Vec::new();
    for secret in secrets {
        let SecretShape::Parts(given) = secret.0.get_ref() else { return Ok(None) };
        let is_known = given.keys().all(|given| parts.iter().any(|part| part.name == given));
        let is_complete = parts.iter().all(|part| !part.required || given.contains_key(part.name));
        if !is_known || !is_complete || given.is_empty() {
            return Ok(None);
        }
        let mut variables = Vec::new();
        for part in parts {
            if let Some(text) = given.get(part.name) {
                variables.push((part.name, lines.variable_at("caller.secrets", secret.start(), text)?));
            }
        }
        keys.push(Key { id: None, variables });
    }
    Ok(Some(keys))
}

fn access_keys(
    lines: &Lines<'_>,
    tables: &[AccessKeyTable],
    callers: &BTreeMap<String, Caller>,
) -> Result<Vec<Key>, ConfigError> {
    let mut keys: Vec<Key> = Vec::new();
    for table in tables {
        let id = lines.name("caller.access_keys.id", &table.id)?;
        if access_key(callers, &id).is_some() || keys.iter().any(|key| key.id.as_ref() == Some(&id)) {
            return Err(lines.wrong(
                &table.id,
                format!("caller.access_keys.id `{id}` is already used; give each access key its own ID"),
            ));
        }
        let variable = lines.variable("caller.access_keys.secret", &table.secret)?;
        keys.push(Key { id: Some(id), variables: vec![(SECRET, variable)] });
    }
    Ok(keys)
}

/// Checks the values of one setting.
fn values(lines: &Lines<'_>, setting: &Setting, value: &Spanned<OneOrMore>) -> Result<Vec<String>, ConfigError> {
    let (key, expected) = (setting.name, setting.expected);
    let values = value.get_ref().texts();
    if let Some(text) = values.iter().find(|text| !(setting.is_valid)(text)) {
        return Err(lines.wrong(value, format!("caller.{key} `{text}` is not valid; use {expected}")));
    }
    if values.is_empty() || (!setting.is_list && values.len() != 1) {
        let number = if setting.is_list { "one or more values" } else { "one value" };
        return Err(lines.wrong(value, format!("caller.{key} is not valid; use {number}: {expected}")));
    }
    Ok(values)
}

//! A person of an identity system: the attributes that are kept, and how they change.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::config::leavers::Identity;
use crate::outcome::language::Localized;
use crate::request::attribute_path::{ENTERPRISE, USER, parse_path, plain_name};
use crate::request::error::RequestError;
use crate::request::projection::Projection;

/// A person, as an identity system describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The attributes that are kept, by their names in the schema.
    pub attributes: Map<String, Value>,
    /// Whether the person is active; `None` if the identity system did not say.
    pub active: Option<bool>,
}

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether it is `remove`; `add` and `replace` are the same for these attributes.
    pub(crate) removes: bool,
    pub(crate) path: Vec<String>,
    pub(crate) value: Value,
}

/// The simple attributes, as the schema spells them.
const TEXTS: [&str; 3] = ["userName", "externalId", "displayName"];

/// The attributes of `name`.
pub(crate) const NAMES: [&str; 3] = ["formatted", "familyName", "givenName"];

/// The attributes of each of `emails`.
const EMAIL: [&str; 3] = ["value", "type", "primary"];

impl Person {
    /// Reads a resource; attributes outside the schema are ignored (RFC 7644, section 3.3). A whole resource needs `userName`.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if an attribute has a wrong value, [`RequestError::FieldMissing`] if `userName` is missing.
    pub(crate) fn read(body: &Map<String, Value>, is_whole: bool) -> Result<Self, RequestError> {
        let mut person = Self { attributes: Map::new(), active: None };
        for (key, value) in body {
            person.set(std::slice::from_ref(key), value)?;
        }
        let has_name =
            person.attributes.get("userName").is_some_and(|name| name.as_str().is_some_and(|n| !n.is_empty()));
        if is_whole && !has_name { Err(RequestError::FieldMissing { name: "userName" }) } else { Ok(person) }
    }

    /// A person out of the ledger; `None` if the stored resource cannot be read.
    pub fn kept(resource: &str, active: bool) -> Option<Self> {
        Some(Self { attributes: serde_json::from_str(resource).ok()?, active: Some(active) })
    }

    /// Returns the name, unique among the people of a caller, in lowercase.
    pub fn user_name(&self) -> String {
        self.attributes.get("userName").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    }

    /// Returns the attributes that `[leavers]` can make account names of.
    pub fn identity(&self, id: &str) -> Identity {
        let mut identity = Identity::from([("id".to_owned(), id.to_owned())]);
        let mut put = |name: &str, value: Option<&Value>| {
            if let Some(Value::String(text)) = value {
                identity.insert(name.to_owned(), text.clone());
            }
        };
        for name in TEXTS {
            put(name, self.attributes.get(name));
        }
        for name in NAMES {
            put(&format!("name.{name}"), self.attributes.get("name").and_then(|of| of.get(name)));
        }
        let emails = || self.attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
        let primary =
            emails().find(|email| email.get("primary") == Some(&Value::Bool(true))).or_else(|| emails().next());
        put("email", primary.and_then(|email| email.get("value")));
        put("employeeNumber", self.attributes.get(ENTERPRISE).and_then(|of| of.get("employeeNumber")));
        identity
    }

    /// Sets the attribute at this path.
    fn set(&mut self, path: &[String], value: &Value) -> Result<(), RequestError> {
        let [first, rest @ ..] = path else { return Ok(()) };
        let name = plain_name(first);
        if let Some((outer, inner)) = name.split_once('.').filter(|_| !name.contains(':')) {
            // `name.givenName` as one key, as Entra writes it.
            return self.set(&[&[outer.to_owned(), inner.to_owned()], rest].concat(), value);
        }
        if name.eq_ignore_ascii_case("active") {
            self.active = Some(flag(value)?);
        } else if let Some(name) = spelled(&TEXTS, name) {
            self.attributes.insert(name.into(), text(name, value)?);
        } else if name.eq_ignore_ascii_case("name") {
            self.set_inside("name", &NAMES, rest, value)?;
        } else if name.eq_ignore_ascii_case(ENTERPRISE) {
            self.set_inside(ENTERPRISE, &["employeeNumber"], rest, value)?;
        } else if name.eq_ignore_ascii_case("emails") {
            self.set_emails(rest, value)?;
        }
        Ok(())
    }

    fn set_inside(
        &mut self,
        outer: &'static str,
        known: &[&'static str],
        rest: &[String],
        value: &Value,
    ) -> Result<(), RequestError> {
        let given: Map<String, Value> = match (rest, value) {
            ([inner, ..], value) => Map::from_iter([(inner.clone(), value.clone())]),
            ([], Value::Object(fields)) => fields.clone(),
            ([], Value::Null) => return self.unset(outer),
            ([], other) => {
                return Err(RequestError::invalid(outer, other.to_string(), Localized { en: "an object", zh: "对象" }));
            }
        };
        let kept = self.attributes.entry(outer).or_insert_with(|| Value::Object(Map::new()));
        for (key, value) in &given {
            if let (Some(name), Some(kept)) = (spelled(known, key), kept.as_object_mut()) {
                kept.insert(name.into(), text(name, value)?);
            }
        }
        Ok(())
    }

    fn unset(&mut self, name: &str) -> Result<(), RequestError> {
        self.attributes.remove(name);
        Ok(())
    }

    /// Sets all emails, or `emails[type eq "work"].value`.
    fn set_emails(&mut self, rest: &[String], value: &Value) -> Result<(), RequestError> {
        let email = |given: &Map<String, Value>| -> Result<Value, RequestError> {
            let mut kept = Map::new();
            for (key, value) in given {
                match spelled(&EMAIL, key) {
                    Some("primary") => kept.insert("primary".into(), flag(value)?.into()),
                    Some(name) => kept.insert(name.into(), text(name, value)?),
                    None => None,
                };
            }
            Ok(Value::Object(kept))
        };
        let expected = Localized { en: "a list of objects with `value`", zh: "含 `value` 的对象列表" };
        let wrong = || RequestError::invalid("emails", value.to_string(), expected);
        let emails = match (rest, value) {
            ([], Value::Array(items)) if items.len() <= 20 => {
                items.iter().map(|item| email(item.as_object().ok_or_else(wrong)?)).collect::<Result<Vec<_>, _>>()?
            }
            ([], Value::Object(item)) => vec![email(item)?],
            ([], Value::Null) => return self.unset("emails"),
            ([kind, inner, ..], value) => {
                let mut emails = self.attributes.get("emails").and_then(Value::as_array).cloned().unwrap_or_default();
                let set = Map::from_iter([(inner.clone(), value.clone()), ("type".to_owned(), kind.as_str().into())]);
                let set = email(&set)?;
                let place = emails.iter_mut().find(|known| known.get("type").and_then(Value::as_str) == Some(kind));
                match (place.and_then(Value::as_object_mut), set) {
                    (Some(known), Value::Object(set)) => known.extend(set),
                    (_, set) => emails.push(set),
                }
                emails
            }
            _ => return Err(wrong()),
        };
        self.attributes.insert("emails".into(), emails.into());
        Ok(())
    }

    /// Applies a change.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if a value is wrong, [`RequestError::FieldMissing`] if `userName` or `active` would be removed,
    /// or if a removal has no path.
    pub fn change(&mut self, change: &Change) -> Result<(), RequestError> {
        if !change.removes {
            return match (change.path.as_slice(), &change.value) {
                ([], Value::Object(fields)) => {
                    fields.iter().try_for_each(|(key, value)| self.set(&parse_path(key), value))
                }
                ([], other) => {
                    let expected =
                        Localized { en: "an object, where there is no `path`", zh: "对象（无 `path` 时）" };
                    Err(RequestError::invalid("value", other.to_string(), expected))
                }
                (path, value) => self.set(path, value),
            };
        }
        match change.path.as_slice() {
            [name] if name.eq_ignore_ascii_case("userName") => Err(RequestError::FieldMissing { name: "userName" }),
            [name] if name.eq_ignore_ascii_case("active") => Err(RequestError::FieldMissing { name: "active" }),
            [name] => {
                let found = self.attributes.keys().find(|known| known.eq_ignore_ascii_case(plain_name(name))).cloned();
                found.map_or(Ok(()), |name| self.unset(&name))
            }
            [outer, inner, ..] => {
                let known = self.attributes.keys().find(|known| known.eq_ignore_ascii_case(plain_name(outer))).cloned();
                let of = known.and_then(|known| self.attributes.get_mut(&known)).and_then(Value::as_object_mut);
                if let Some(of) = of {
                    of.retain(|name, _| !name.eq_ignore_ascii_case(inner));
                }
                Ok(())
            }
            [] => Err(RequestError::FieldMissing { name: "path" }),
        }
    }

    /// Returns the resource, as far as the projection shows it.
    pub fn resource(&self, id: &str, view: &Projection, created_at: i64, changed_at: i64) -> Value {
        let mut resource = self.attributes.clone();
        let mut schemas = vec![USER];
        if resource.contains_key(ENTERPRISE) {
            schemas.push(ENTERPRISE);
        }
        resource.insert("schemas".into(), schemas.into());
        resource.insert("id".into(), id.into());
        resource.insert("active".into(), self.active.unwrap_or(true).into());
        let time = |millis| DateTime::from_timestamp_millis(millis).map(|time: DateTime<Utc>| time.to_rfc3339());
        resource.insert(
            "meta".into(),
            json!({
                "resourceType": "User",
                "created": time(created_at),
                "lastModified": time(changed_at),
                "location": format!("{}/Users/{id}", view.base),
            }),
        );
        view.of_resource(resource)
    }
}

/// The longest text of an attribute, in bytes.
const LONGEST: usize = 1024;

fn text(name: &'static str, value: &Value) -> Result<Value, RequestError> {
    match value {
        Value::String(text) if text.len() <= LONGEST && !text.chars().any(char::is_control) => Ok(value.clone()),
        other => {
            let expected = Localized { en: "a text of at most 1024 bytes", zh: "不超过 1024 字节的文本" };
            Err(RequestError::invalid(name, other.to_string(), expected))
        }
    }
}

/// Reads a boolean as identity systems write it: `true`, `"False"`, `[{"value": "true"}]`.
fn flag(value: &Value) -> Result<bool, RequestError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Value::Array(items) if items.len() == 1 => flag(items.first().unwrap_or(&Value::Null)),
        Value::Object(fields) if fields.len() == 1 => flag(fields.get("value").unwrap_or(&Value::Null)),
        other => {
            let expected = Localized { en: "`true` or `false`", zh: " `true` 或 `false`" };
            Err(RequestError::invalid("active", other.to_string(), expected))
        }
    }
}

fn spelled(known: &[&'static str], given: &str) -> Option<&'static str> {
    known.iter().copied().find(|name| name.eq_ignore_ascii_case(given))
}

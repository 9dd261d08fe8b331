//! How a person changes: whole resources and the operations of a PATCH (RFC 7644, sections 3.3, 3.5.1 and 3.5.2).
//!
//! What cannot be kept is left out, noted for the log, and stops nothing. What cannot be understood is an error, unless the same
//! request deactivates the person: nothing may stop that. `active` changes only where the request names it.

use serde_json::{Map, Value};

use crate::outcome::language::Localized;
use crate::request::attribute_change::{self, Place};
use crate::request::attribute_path::{AttributePath, ENTERPRISE};
use crate::request::attribute_value;
use crate::request::error::RequestError;
use crate::request::filter::Target;
use crate::request::filter::parse;
use crate::request::person::Person;
use crate::request::user_schema::{self, Attribute, NEVER_KEPT};

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `add` or `replace`.
    Set {
        /// Whether it is `add`, which leaves the other values of a list.
        adds: bool,
        /// What to set; without it, `value` has attributes by their names.
        target: Option<Target>,
        /// The new value.
        value: Value,
    },
    /// `remove`
    Remove {
        /// What to remove.
        target: Target,
        /// Which values of a list; null is all.
        value: Value,
    },
    /// An operation that cannot be understood.
    Unreadable(RequestError),
}

/// What was wrong with the changes so far. A later change of the same attribute mends it: the last one counts.
#[derive(Default)]
struct Faults {
    active: Option<RequestError>,
    user_name: Option<RequestError>,
    other: Option<RequestError>,
}

impl Person {
    /// Reads a resource. Attributes of extensions and unknown ones are taken as well.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if `active` is not a boolean, [`RequestError::FieldDoubled`] if it appears in two cases.
    pub(crate) fn read(body: &Map<String, Value>) -> Result<Self, RequestError> {
        let mut person = Self::default();
        let change = Change::Set { adds: false, target: None, value: Value::Object(body.clone()) };
        person.change(&[change])?;
        Ok(person)
    }

    /// Applies changes, in their order. `active` is then what they say of it; `None` if they do not name it.
    ///
    /// # Errors
    ///
    /// The first [`Change::Unreadable`], [`RequestError::FieldMissing`] if `userName` or `active` would be removed,
    /// [`RequestError::FieldInvalid`] if `active` is not a boolean or a selection that selects nothing does not say what to add. Of
    /// these, only what concerns `active` counts if the person is deactivated.
    pub fn change(&mut self, changes: &[Change]) -> Result<(), RequestError> {
        self.active = None;
        let mut faults = Faults::default();
        for change in changes {
            match change {
                Change::Unreadable(error) => drop(faults.other.get_or_insert_with(|| error.clone())),
                Change::Set { adds, target: None, value: Value::Object(fields) } => {
                    self.set_fields(fields, *adds, &mut faults);
                }
                Change::Set { adds, target: Some(target), value } => self.set(target, value, *adds, &mut faults),
                Change::Set { target: None, value, .. } => {
                    let expected =
                        Localized { en: "an object, where there is no `path`", zh: "对象（无 `path` 时）" };
                    let error = || RequestError::invalid("value", value.to_string(), expected);
                    faults.other.get_or_insert_with(error);
                }
                Change::Remove { target, value } => self.remove(target, value, &mut faults),
            }
        }
        self.bound();
        let Faults { active, user_name, other } = faults;
        match (active, user_name.or(other)) {
            (Some(error), _) => Err(error),
            (None, Some(_)) if self.active == Some(false) => {
                self.left_out.note("Operations");
                Ok(())
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }

    /// Sets attributes by their names.
    fn set_fields(&mut self, fields: &Map<String, Value>, adds: bool, faults: &mut Faults) {
        let is_active = |key: &&String| {
            AttributePath::parse(key.trim()).is_some_and(|path| path.is_core("active") && path.part.is_none())
        };
        let mut said = fields.keys().filter(is_active);
        if let (Some(_), Some(second)) = (said.next(), said.next()) {
            // Which of the two counts would be chance.
            faults.active = Some(RequestError::FieldDoubled { name: second.clone() });
            return;
        }
        for (key, value) in fields {
            match parse::target(key.trim()) {
                Some(target) => self.set(&whole_schema(target, value), value, adds, faults),
                None => self.left_out.note(key),
            }
        }
    }

    fn set(&mut self, target: &Target, value: &Value, adds: bool, faults: &mut Faults) {
        let path = &target.path;
        if path.name.is_empty() {
            return self.set_schema(path, value, adds, faults);
        }
        if path.is_core("active") {
            match attribute_value::active(value) {
                Ok(active) => (self.active, faults.active) = (active, None),
                Err(error) => (self.active, faults.active) = (None, Some(error)),
            }
            return;
        }
        if path.is_core("userName") && !is_user_name(value) {
            self.left_out.note("userName");
            return;
        }
        if NEVER_KEPT.iter().any(|name| path.is_core(name)) {
            return;
        }
        let Self { attributes, left_out, .. } = self;
        let Some((fields, attribute, key)) = place(attributes, path) else { return left_out.note(&path.to_string()) };
        let mut place = Place { fields, attribute, key, left_out };
        if place.set(target, value, adds).is_err() {
            let expected = Localized {
                en: "a selection of values that exist, or one that says with `eq` what the new value has",
                zh: "选中现有值的条件，或以 `eq` 说明新值内容的条件",
            };
            faults.other.get_or_insert_with(|| RequestError::invalid("path", target.to_string(), expected));
        }
        if path.is_core("userName") {
            faults.user_name = None;
        }
    }

    /// Sets the attributes of a whole schema.
    fn set_schema(&mut self, path: &AttributePath, value: &Value, adds: bool, faults: &mut Faults) {
        match (value, &path.schema) {
            (Value::Object(fields), None) => self.set_fields(fields, adds, faults),
            (Value::Object(fields), Some(_)) => {
                for (key, value) in fields.iter().take(MOST_ATTRIBUTES) {
                    match parse::target(key.trim()).filter(|target| target.path.schema.is_none()) {
                        Some(Target { path: inner, selection }) => {
                            let path = AttributePath { schema: path.schema.clone(), ..inner };
                            self.set(&Target { path, selection }, value, adds, faults);
                        }
                        None => self.left_out.note(key),
                    }
                }
            }
            (empty, Some(schema)) if attribute_value::is_empty(empty) => {
                if let Some(key) = key_of(&self.attributes, schema) {
                    attribute_value::forget(&mut self.attributes, &key);
                }
            }
            _ => self.left_out.note(&path.to_string()),
        }
    }

    fn remove(&mut self, target: &Target, value: &Value, faults: &mut Faults) {
        let path = &target.path;
        for (name, fault) in [("active", &mut faults.active), ("userName", &mut faults.user_name)] {
            if path.is_core(name) {
                *fault = Some(RequestError::FieldMissing { name });
            }
        }
        if path.is_core("active") {
            self.active = None;
        } else if path.is_core("userName") || (path.schema.is_none() && path.name.is_empty()) {
            // Every person keeps a name.
        } else if let Some(whole) = key_of(&self.attributes, &path.to_string()).filter(|_| path.schema.is_some()) {
            attribute_value::forget(&mut self.attributes, &whole);
        } else {
            let Self { attributes, left_out, .. } = self;
            let Some((fields, attribute, key)) = place(attributes, path) else { return };
            Place { fields, attribute, key, left_out }.remove(target, value);
        }
    }

    /// Leaves out what is too much to be kept, the largest first; never what accounts are named after.
    fn bound(&mut self) {
        let Self { attributes, left_out, .. } = self;
        attributes.retain(|_, value| !attribute_value::is_empty(value));
        for (name, value) in attributes.iter_mut() {
            if attribute_change::shorten(value, LARGEST_ATTRIBUTE) {
                left_out.note(name);
            }
        }
        let mut sizes: Vec<(usize, String)> = attributes
            .iter()
            .filter(|(name, _)| !ESSENTIAL.contains(&name.as_str()))
            .map(|(name, value)| (value.to_string().len().saturating_add(name.len()), name.clone()))
            .collect();
        sizes.sort();
        let mut all: usize = sizes.iter().map(|(size, _)| size).sum();
        let mut count = sizes.len();
        while let Some((size, name)) = sizes.pop().filter(|_| all > LARGEST || count > MOST_ATTRIBUTES) {
            attribute_value::forget(attributes, &name);
            left_out.note(&name);
            all = all.saturating_sub(size);
            count = count.saturating_sub(1);
        }
    }
}

/// Whether a person may have this as their `userName`.
fn is_user_name(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let is_short = text.len() <= attribute_value::LONGEST;
            is_short && !text.trim().is_empty() && !text.chars().any(char::is_control)
        }
        Value::Number(_) => true,
        _ => false,
    }
}

/// What accounts may be named after.
const ESSENTIAL: [&str; 6] = ["userName", "externalId", "displayName", "name", "emails", ENTERPRISE];

/// The most bytes of one attribute, as JSON.
const LARGEST_ATTRIBUTE: usize = 32 * 1024;

/// The most bytes of the attributes that are not essential.
const LARGEST: usize = 32 * 1024;

/// The most attributes that are not essential.
const MOST_ATTRIBUTES: usize = 100;

/// A key such as `urn:okta:app:1.0:user:custom` with an object is an extension as a whole, although it could be an attribute.
fn whole_schema(target: Target, value: &Value) -> Target {
    let is_unknown = target.path.schema.is_some() && user_schema::attribute(&target.path).is_none();
    let path = &target.path;
    let is_plain = target.selection.is_none() && path.part.is_none() && !path.name.is_empty();
    let is_enterprise = path.schema.as_deref() == Some(ENTERPRISE);
    if is_unknown && is_plain && !is_enterprise && value.is_object() {
        let schema = Some(path.to_string());
        return AttributePath { schema, name: String::new(), part: None }.into();
    }
    target
}

/// Returns the name by which an attribute is kept.
fn key_of(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// Returns where an attribute is kept: among which, its description and its key. `None` if its schema is kept as something else.
fn place<'p>(
    attributes: &'p mut Map<String, Value>,
    path: &AttributePath,
) -> Option<(&'p mut Map<String, Value>, Option<&'static Attribute>, String)> {
    let attribute = user_schema::attribute(path);
    let fields = match &path.schema {
        None => attributes,
        Some(schema) => {
            let schema = key_of(attributes, schema).unwrap_or_else(|| schema.clone());
            attributes.entry(schema).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?
        }
    };
    let key = match attribute {
        Some(attribute) => attribute.name.to_owned(),
        None => key_of(fields, &path.name).unwrap_or_else(|| path.name.clone()),
    };
    Some((fields, attribute, key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::request::attribute_value::LeftOut;

    fn person() -> Person {
        let body = json!({
            "userName": "pat@a.example",
            "displayName": "Pat",
            "emails": [{"type": "work", "value": "pat@a.example", "primary": true}, {"value": "p@b.example"}],
            "name": {"givenName": "Pat"},
            ENTERPRISE: {"employeeNumber": "7"},
            "tags": ["a", "b"],
        });
        Person::read(body.as_object().unwrap()).unwrap()
    }

    fn set(path: &str, value: Value) -> Change {
        Change::Set { adds: false, target: parse::target(path), value }
    }

    #[test]
    fn a_person_is_bounded_and_names_of_accounts_stay() {
        let mut fields = serde_json::Map::new();
        for number in 0..500 {
            fields.insert(format!("x{number}"), "y".repeat(4000).into());
        }
        let emails: Vec<Value> = (0..300).map(|number| json!({"value": format!("a{number}@a.example")})).collect();
        fields.extend([
            ("userName".to_owned(), "pat".into()),
            ("emails".to_owned(), emails.into()),
            ("displayName".to_owned(), "y".repeat(5000).into()),
            ("password".to_owned(), "secret".into()),
        ]);
        let person = Person::read(&fields).unwrap();
        let size = Value::Object(person.attributes.clone()).to_string().len();
        assert!(size < 96 * 1024, "{size}");
        assert_eq!(person.attributes["emails"].as_array().unwrap().len(), 200);
        assert_eq!(person.user_name(), "pat");
        assert!(!person.attributes.contains_key("displayName") && !person.attributes.contains_key("password"));
        assert_eq!(person.left_out.names().len(), 20);
    }

    #[test]
    fn what_cannot_be_kept_leaves_what_is_known() {
        let mut changed = person();
        let changes = [
            set("displayName", "x\u{7}".into()),
            set("userName", "x\n".into()),
            set("emails", json!([[1, 2]])),
            set("name", "Pat Lee".into()),
            set("name.givenName", json!({"a": {}})),
        ];
        assert_eq!(changed.change(&changes), Ok(()));
        let kept = Person { left_out: LeftOut::default(), ..changed.clone() };
        assert_eq!(kept, person());
        let names = ["displayName", "userName", "emails", "name", "name.givenName"];
        assert_eq!(changed.left_out.names(), names.map(str::to_owned));
    }

    #[test]
    fn an_unknown_extension_comes_back_as_it_was_sent() {
        for body in [
            json!({"userName": "a", "urn:okta:app:1.0:user:custom": {"badge": {"no": [1, 2]}}}),
            json!({"userName": "a", "urn:example:2.0:User": {"x.y": true}, "odd": [[1], [2]]}),
        ] {
            let read = Person::read(body.as_object().unwrap()).unwrap();
            if body.get("odd").is_none() {
                assert_eq!(Value::Object(read.attributes), body);
            } else {
                assert_eq!(read.attributes["urn:example:2.0:User"], json!({"x": {"y": true}}));
                assert_eq!(read.attributes["odd"], json!([[1], [2]]));
            }
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "(|work|true|False|0|pat|.{0,4})".prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec((key(), inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Anything but `active`.
    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            "(userName|USERNAME|displayName|emails|name|name.givenName|roles|tags|type|value|primary|password|id|x|password)",
            "emails\\[type eq \"(work|home)\"\\](.value|.primary|)",
            "emails\\[(primary eq true|value co \"@\"|not \\(type pr\\)|type eq null)\\](.value|)",
            Just(ENTERPRISE.to_owned()),
            Just(format!("{ENTERPRISE}:manager")),
            Just(format!("{ENTERPRISE}.manager.value")),
            "urn:x:2.0:(User|User:badge|User.badge)",
            "[a-z.\\[\\]\" ]{0,6}",
        ]
    }

    fn change() -> impl Strategy<Value = Change> {
        (0..4, key(), json_value()).prop_map(|(kind, path, value)| match (kind, parse::target(&path)) {
            (0, Some(target)) => Change::Remove { target, value },
            (1, _) => Change::Set { adds: true, target: None, value },
            (2, Some(target)) => Change::Set { adds: true, target: Some(target), value },
            (_, Some(target)) => Change::Set { adds: false, target: Some(target), value },
            _ => Change::Unreadable(RequestError::FieldMissing { name: "path" }),
        })
    }

    proptest! {
        #[test]
        fn no_patch_panics_or_changes_active_unless_it_names_it(changes in proptest::collection::vec(change(), 0..6)) {
            let mut changed = person();
            // What was known of `active` before is not what this request says.
            changed.active = Some(false);
            let result = changed.change(&changes);
            prop_assert_eq!(changed.active, None);
            prop_assert!(!changed.user_name().is_empty());
            prop_assert!(!changed.attributes.contains_key("password") && !changed.attributes.contains_key("id"));
            prop_assert!(changed.attributes.values().all(|value| !attribute_value::is_empty(value)));
            let primary = |item: &&Value| item["primary"] == true;
            let emails = changed.attributes.get("emails").and_then(Value::as_array).cloned().unwrap_or_default();
            prop_assert!(emails.iter().filter(primary).count() <= 1);

            // The same beside a deactivation is carried out, whatever else is wrong.
            let all = [changes.as_slice(), &[set("active", "False".into())]].concat();
            let mut left = person();
            prop_assert_eq!(left.change(&all), Ok(()));
            prop_assert_eq!(left.active, Some(false));
            prop_assert_eq!(&left.attributes, &changed.attributes);

            // What is kept is stored and read as the same.
            let stored = Value::Object(changed.attributes.clone()).to_string();
            let read = Person::kept(&stored, true).map(|read| read.attributes);
            prop_assert_eq!(read, Some(changed.attributes.clone()));
            let _ = result;
        }

        /// A resource that is read again as it was kept is the same: identity systems send back what they got.
        #[test]
        fn what_is_kept_comes_back_unchanged(fields in proptest::collection::vec((key(), json_value()), 0..6)) {
            let body: Map<String, Value> = fields.into_iter().collect();
            let Ok(first) = Person::read(&body) else { return Ok(()) };
            let again = Person::read(&first.attributes).unwrap();
            prop_assert_eq!(first.attributes, again.attributes);
        }
    }

    /// Found by fuzzing: written and read again, the number was another one in its last digit.
    #[test]
    fn a_number_of_many_digits_is_read_again_as_it_was_stored() {
        let body = r#"{"userName": "pat", "urn:x:2.0:User": {"badge": 104266666666666666666666666666666666666}}"#;
        let person = Person::read(&serde_json::from_str(body).unwrap()).unwrap();
        let stored = Value::Object(person.attributes.clone()).to_string();
        assert_eq!(Person::kept(&stored, true).unwrap().attributes, person.attributes);
    }
}

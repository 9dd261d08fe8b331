//! How one attribute of a person changes, by the rules of PATCH (RFC 7644, section 3.5.2).
//!
//! Identity systems expect more than the RFC says: `emails[type eq "work"].value` creates the address if there is none, an address
//! without its value is gone, and `remove` may list the values that it means.

use serde_json::{Map, Value};

use crate::request::attribute_path::AttributePath;
use crate::request::attribute_value::{self, LeftOut, MOST_VALUES, forget, is_empty};
use crate::request::filter::matching::{field, item_matches};
use crate::request::filter::{Filter, Operator, Target, Test};
use crate::request::user_schema::{Attribute, Kind};

/// Where an attribute is kept.
pub(crate) struct Place<'p> {
    /// The attributes of its schema.
    pub(crate) fields: &'p mut Map<String, Value>,
    pub(crate) attribute: Option<&'static Attribute>,
    /// Its name among them.
    pub(crate) key: String,
    pub(crate) left_out: &'p mut LeftOut,
}

/// The selection selects nothing, and does not say what to create.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NothingSelected;

/// What is left of a value of a list does not count without the value itself.
const BESIDE_THE_VALUE: [&str; 3] = ["type", "primary", "display"];

impl Place<'_> {
    /// Sets the attribute, its part, or the selected values.
    ///
    /// # Errors
    ///
    /// [`NothingSelected`] if that cannot be done.
    pub(crate) fn set(&mut self, target: &Target, value: &Value, adds: bool) -> Result<(), NothingSelected> {
        let part = target.path.part.as_deref();
        match (&target.selection, part) {
            (None, None) => self.set_whole(value, adds),
            (None, Some(part)) => self.set_part(part, value, adds),
            (Some(selection), part) => return self.set_selected(selection, part, value, adds),
        }
        Ok(())
    }

    /// Removes the attribute, its part, or the selected values; of a list those that `value` lists, if it lists any.
    pub(crate) fn remove(&mut self, target: &Target, value: &Value) {
        let Self { attribute, key, .. } = self;
        let Some(known) = self.fields.get_mut(key.as_str()) else { return };
        match (&target.selection, target.path.part.as_deref(), known) {
            (None, None, Value::Array(items)) if !is_empty(value) => {
                let listed = match value {
                    Value::Array(listed) => listed.as_slice(),
                    one => std::slice::from_ref(one),
                };
                items.retain(|item| !listed.iter().any(|listed| is_listed(item, listed)));
            }
            (None, None, known) => *known = Value::Null,
            (selection, part, Value::Array(items)) => {
                let is_selected =
                    |item: &Value| selection.as_ref().is_none_or(|selection| item_matches(selection, *attribute, item));
                match part {
                    None => items.retain(|item| !is_selected(item)),
                    Some(part) => {
                        items.iter_mut().filter(|item| is_selected(item)).for_each(|item| remove_part(item, part));
                        items.retain(is_left);
                    }
                }
            }
            (None, Some(part), item) => remove_part(item, part),
            (Some(_), _, _) => {}
        }
        self.tidy();
    }

    /// Removes the attribute if nothing is left of it.
    fn tidy(&mut self) {
        if self.fields.get(&self.key).is_some_and(is_empty) {
            forget(self.fields, &self.key);
        }
    }

    fn set_whole(&mut self, value: &Value, adds: bool) {
        let is_list = self.attribute.is_some_and(|attribute| attribute.is_list);
        let Some(new) = attribute_value::kept(self.attribute, &self.key, value, self.left_out) else {
            // Null is no value. What cannot be kept leaves the known one.
            let is_cleared = is_empty(value) || (value.as_str() == Some("") && !self.is_text());
            if is_cleared && !(adds && is_list) {
                forget(self.fields, &self.key);
            }
            return;
        };
        match (self.fields.get_mut(&self.key), new) {
            (Some(Value::Array(items)), Value::Array(new)) if adds => {
                let changed: Vec<_> = new.into_iter().filter_map(|item| add(items, item, self.left_out)).collect();
                settle_primary(items, |place| changed.contains(&place));
            }
            (Some(Value::Object(known)), Value::Object(new)) => known.extend(new),
            (_, mut new) => {
                if let Value::Array(items) = &mut new {
                    settle_primary(items, |_| false);
                }
                self.fields.insert(self.key.clone(), new);
            }
        }
    }

    fn target(&self, selection: Option<&Filter>, part: Option<&str>) -> Target {
        let path = AttributePath { part: part.map(str::to_owned), ..AttributePath::core(&self.key) };
        Target { path, selection: selection.cloned().map(Box::new) }
    }

    fn is_text(&self) -> bool {
        self.attribute.is_none_or(|attribute| attribute.kind == Kind::Text)
    }

    fn set_part(&mut self, part: &str, value: &Value, adds: bool) {
        let Some(fields) = self.one_part(part, value) else {
            // Null: as if it were removed.
            if is_empty(value) {
                self.remove(&self.target(None, Some(part)), &Value::Null);
            }
            return;
        };
        let is_list = self.attribute.is_some_and(|attribute| attribute.is_list);
        match self.fields.get_mut(&self.key) {
            Some(Value::Array(items)) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.extend(fields.clone());
                }
                settle_primary(items, |_| false);
            }
            Some(Value::Object(known)) => known.extend(fields),
            None if is_list => self.set_whole(&Value::Object(fields), adds),
            // A simple attribute has no parts but its value.
            known if self.attribute.is_some_and(|attribute| attribute.parts.is_empty()) || known.is_some() => {
                match fields.into_iter().next() {
                    Some((name, value)) if name.eq_ignore_ascii_case("value") => self.set_whole(&value, adds),
                    _ => self.left_out.note(&format!("{}.{part}", self.key)),
                }
            }
            _ => {
                self.fields.insert(self.key.clone(), Value::Object(fields));
            }
        }
    }

    /// A part and its value, to be kept; `None` if there is no value.
    fn one_part(&mut self, part: &str, value: &Value) -> Option<Map<String, Value>> {
        let known = self.attribute.and_then(|attribute| attribute.part(part));
        let name = format!("{}.{part}", self.key);
        let value = attribute_value::kept(known, &name, value, self.left_out)?;
        Some(Map::from_iter([(known.map_or(part, |part| part.name).to_owned(), value)]))
    }

    fn set_selected(
        &mut self,
        selection: &Filter,
        part: Option<&str>,
        value: &Value,
        adds: bool,
    ) -> Result<(), NothingSelected> {
        if is_empty(value) || (value.as_str() == Some("") && part.is_none_or(|part| part.eq_ignore_ascii_case("value")))
        {
            self.remove(&self.target(Some(selection), part), &Value::Null);
            return Ok(());
        }
        if self.attribute.is_some_and(|attribute| !attribute.is_list) {
            return Err(NothingSelected);
        }
        let new = match part {
            Some(part) => self.one_part(part, value),
            None => {
                let item = match self.attribute {
                    Some(attribute) => attribute_value::items(attribute, value, self.left_out).pop(),
                    None => attribute_value::kept(None, &self.key, value, self.left_out),
                };
                item.and_then(|item| match item {
                    Value::Object(fields) => Some(fields),
                    _ => None,
                })
            }
        };
        // What cannot be kept was noted.
        let Some(new) = new else { return Ok(()) };
        let attribute = self.attribute;
        let known = self.fields.entry(self.key.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(items) = known else { return Err(NothingSelected) };
        let selected: Vec<usize> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| item_matches(selection, attribute, item))
            .map(|(place, _)| place)
            .collect();
        for place in &selected {
            let Some(Value::Object(item)) = items.get_mut(*place) else { continue };
            if part.is_none() && !adds {
                *item = equalities(selection, attribute).unwrap_or_default();
            }
            item.extend(new.clone());
        }
        if selected.is_empty() {
            let Some(mut item) = equalities(selection, attribute) else {
                self.tidy();
                return Err(NothingSelected);
            };
            item.extend(new);
            let added = add(items, Value::Object(item), self.left_out);
            settle_primary(items, |place| Some(place) == added);
        } else {
            settle_primary(items, |place| selected.contains(&place));
        }
        self.tidy();
        Ok(())
    }
}

/// Adds a value to a list and returns its place. If the list has a value of the same type that is equal, that gets what is new.
fn add(items: &mut Vec<Value>, item: Value, left_out: &mut LeftOut) -> Option<usize> {
    let is_same = |known: &Value| match (known, &item) {
        (Value::Object(known), Value::Object(item)) => {
            field(item, "value").is_some()
                && ["value", "type"].into_iter().all(|part| is_equal(field(known, part), field(item, part)))
                || known == item
        }
        (known, item) => known == item,
    };
    if let Some(place) = items.iter().position(is_same) {
        if let (Some(Value::Object(known)), Value::Object(item)) = (items.get_mut(place), item) {
            known.extend(item);
        }
        return Some(place);
    }
    if items.len() >= MOST_VALUES {
        left_out.note("values of a list");
        return None;
    }
    items.push(item);
    Some(items.len().saturating_sub(1))
}

/// Whether two values are equal, texts in any case.
fn is_equal(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::String(one)), Some(Value::String(other))) => one.to_lowercase() == other.to_lowercase(),
        (one, other) => one == other,
    }
}

/// Whether a value of a list is one that a `remove` lists: it has all that is listed of it.
fn is_listed(item: &Value, listed: &Value) -> bool {
    match (item, listed) {
        (Value::Object(item), Value::Object(listed)) => {
            let mut parts = listed.iter().filter(|(_, value)| !value.is_null()).peekable();
            parts.peek().is_some() && parts.all(|(part, value)| is_equal(field(item, part), Some(value)))
        }
        (Value::Object(item), listed) => is_equal(field(item, "value"), Some(listed)),
        (item, listed) => is_equal(Some(item), Some(listed)),
    }
}

fn remove_part(item: &mut Value, part: &str) {
    if let Some(fields) = item.as_object_mut() {
        fields.retain(|name, _| !name.eq_ignore_ascii_case(part));
    }
}

/// Whether a value of a list still says anything.
fn is_left(item: &Value) -> bool {
    let is_beside = |name: &String| BESIDE_THE_VALUE.iter().any(|known| known.eq_ignore_ascii_case(name));
    item.as_object().is_none_or(|fields| !fields.keys().all(is_beside))
}

/// One value of a list is the primary one at most: the one that was changed, or else the first.
fn settle_primary(items: &mut [Value], is_changed: impl Fn(usize) -> bool) {
    let is_primary = |item: &Value| field_is_true(item, "primary");
    let primary: Vec<usize> =
        items.iter().enumerate().filter(|(_, item)| is_primary(item)).map(|(place, _)| place).collect();
    let stays = primary.iter().rev().find(|place| is_changed(**place)).or_else(|| primary.first()).copied();
    for place in primary.into_iter().filter(|place| Some(*place) != stays) {
        if let Some(Value::Object(item)) = items.get_mut(place) {
            item.insert("primary".into(), false.into());
        }
    }
}

fn field_is_true(item: &Value, name: &str) -> bool {
    item.as_object().and_then(|fields| field(fields, name)) == Some(&Value::Bool(true))
}

/// Returns what a value has that a selection of nothing but equalities selects: `{"type": "work"}` for `type eq "work"`.
fn equalities(selection: &Filter, attribute: Option<&'static Attribute>) -> Option<Map<String, Value>> {
    match selection {
        Filter::And(all) => {
            let mut fields = Map::new();
            for filter in all {
                fields.extend(equalities(filter, attribute)?);
            }
            Some(fields)
        }
        Filter::Test(Target { path, .. }, Test::Compare(Operator::Eq, value)) => {
            let part = attribute.and_then(|attribute| attribute.part(&path.name));
            let value = attribute_value::kept(part, &path.name, value, &mut LeftOut::default())?;
            Some(Map::from_iter([(part.map_or(path.name.as_str(), |part| part.name).to_owned(), value)]))
        }
        Filter::Or(_) | Filter::Not(_) | Filter::Test(..) => None,
    }
}

/// Shortens a value to so many bytes of JSON: the last values of a list, the last fields of an object, a text as a whole. Returns
/// whether it was too large.
pub(crate) fn shorten(value: &mut Value, largest: usize) -> bool {
    if value.to_string().len() <= largest {
        return false;
    }
    let mut left = largest;
    let mut fits = |part: &Value, name: usize| {
        left = left.saturating_sub(part.to_string().len().saturating_add(name).saturating_add(4));
        left > 0
    };
    match value {
        Value::Array(items) => items.retain(|item| fits(item, 0)),
        Value::Object(fields) => fields.retain(|name, part| fits(part, name.len())),
        other => *other = Value::Null,
    }
    true
}

//! SCIM's filters and the paths of its PATCH.

use serde_json::{Map, Value, json};
use starrocks_offboard::request::filter::matching::matches;
use starrocks_offboard::request::filter::{Filter, parse};
use starrocks_offboard::request::person::Person;
use starrocks_offboard::request::person_change::Change;
use starrocks_offboard::request::strict;

use crate::wire;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn resource() -> Map<String, Value> {
    let resource = json!({
        "userName": "pat@a.example",
        "externalId": "P.Lee",
        "displayName": "Pat",
        "name": {"givenName": "Pat"},
        "emails": [{"type": "work", "value": "pat@a.example", "primary": true}, {"value": "p@b.example"}],
        "roles": [{"value": "admin"}],
        "tags": ["a", 1, null],
        ENTERPRISE: {"employeeNumber": "7", "manager": {"value": "0f1e"}},
        "urn:x:2.0:User": {"badge": 7},
        "meta": {"lastModified": "2026-06-01T10:00:00+00:00"},
    });
    resource.as_object().cloned().unwrap_or_default()
}

/// A filter; or an operation of PATCH: its path, a line break, its value.
pub fn filter(data: &[u8]) {
    let [way, text @ ..] = data else { return };
    if way % 4 == 0 {
        let Ok(text) = std::str::from_utf8(text) else { return };
        let Ok(filter) = parse::filter(text) else { return };
        let written = filter.to_string();
        assert_eq!(parse::filter(&written).as_ref(), Ok(&filter), "{text} is written as {written}");
        let is_matched = matches(&filter, &resource());
        assert_eq!(matches(&Filter::Not(Box::new(filter)), &resource()), !is_matched, "{text}");
        return;
    }
    let (path, value) = match wire::find(text, b"\n") {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b"null"[..]),
    };
    let (Ok(path), Ok(value)) = (std::str::from_utf8(path), strict::json::<Value>(value)) else { return };
    let target = parse::target(path);
    if let Some(target) = &target {
        let written = target.to_string();
        assert_eq!(parse::target(&written).as_ref(), Some(target), "{path} is written as {written}");
    }
    let names_active = format!("{path} {value}").to_lowercase().contains("active");
    let change = match (way % 4, target) {
        (1, Some(target)) => Change::Remove { target, value },
        (2, target) => Change::Set { adds: true, target, value },
        (_, target) => Change::Set { adds: false, target, value },
    };
    let mut person = Person { attributes: resource(), active: Some(false), ..Person::default() };
    let result = person.change(std::slice::from_ref(&change));
    assert!(names_active || person.active.is_none(), "{change:?} changes active");
    assert!(result.is_ok() || person.active.is_none(), "{change:?} is wrong, and changes active");
    assert!(!person.user_name().is_empty(), "{change:?} takes the name");
    for never in ["password", "id", "groups", "schemas"] {
        assert!(!person.attributes.contains_key(never), "{change:?} is kept");
    }
    // What is kept is what is stored.
    let stored = Value::Object(person.attributes.clone()).to_string();
    let read = Person::kept(&stored, true).map(|read| read.attributes);
    assert_eq!(read, Some(person.attributes.clone()));
}

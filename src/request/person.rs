//! A person of an identity system: the attributes that are kept. How they change is in `person_change`.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::config::leavers::Identity;
use crate::request::attribute_path::{ENTERPRISE, USER};
use crate::request::attribute_value::LeftOut;

/// A person, as an identity system describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The attributes that are kept, by their names in the schema; those of extensions by the extension's name.
    pub attributes: Map<String, Value>,
    /// Whether the person is active; `None` if the identity system did not say.
    pub active: Option<bool>,
    /// What the identity system sent and is not kept.
    pub left_out: LeftOut,
}

/// The simple attributes, as the schema spells them.
const TEXTS: [&str; 3] = ["userName", "externalId", "displayName"];

/// The attributes of `name`.
const NAMES: [&str; 3] = ["formatted", "familyName", "givenName"];

impl Person {
    /// A person out of the ledger; `None` if the stored resource cannot be read.
    pub fn kept(resource: &str, active: bool) -> Option<Self> {
        let attributes = serde_json::from_str(resource).ok()?;
        Some(Self { attributes, active: Some(active), left_out: LeftOut::default() })
    }

    /// Returns the name, unique among the people of a caller, in lowercase.
    pub fn user_name(&self) -> String {
        self.attributes.get("userName").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    }

    /// Keeps the name that a person has, because the new one cannot be had.
    pub(crate) fn keep_name_of(&mut self, known: &Self) {
        if let Some(name) = known.attributes.get("userName") {
            self.attributes.insert("userName".into(), name.clone());
        }
        self.left_out.note("userName");
    }

    /// Returns the attributes that `[caller.leavers]` can make account names of.
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

    /// Returns the whole resource.
    pub fn resource(&self, id: &str, base: &str, created_at: i64, changed_at: i64) -> Map<String, Value> {
        let mut resource = self.attributes.clone();
        let extensions = self.attributes.keys().filter(|name| name.contains(':')).map(String::as_str);
        resource.insert("schemas".into(), [USER].into_iter().chain(extensions).collect());
        resource.insert("id".into(), id.into());
        resource.insert("active".into(), self.active.unwrap_or(true).into());
        let time = |millis| DateTime::from_timestamp_millis(millis).map(|time: DateTime<Utc>| time.to_rfc3339());
        resource.insert(
            "meta".into(),
            json!({
                "resourceType": "User",
                "created": time(created_at),
                "lastModified": time(changed_at),
                "location": format!("{base}/Users/{id}"),
            }),
        );
        resource
    }
}

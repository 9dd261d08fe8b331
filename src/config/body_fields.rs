//! `fields` of a caller: where a sender's own body has what the gateway needs.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What `when` calls the event's type, wherever `event` says that it stands.
pub const EVENT: &str = "event";

/// Where in a body things are: `fields` of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyFields {
    /// JSON Pointers (RFC 6901) to the account's name, its instance, the reason, the event's type, and what makes two events
    /// one; `None` where the body does not say.
    pub user_name: Option<String>,
    /// See there. A value that is not a pointer is the instance itself.
    pub instance: Option<String>,
    /// See there.
    pub reason: Option<String>,
    /// See there.
    pub event: Option<String>,
    /// See there.
    pub id: Option<String>,
    /// Pointers to what is known of somebody who leaves, by the names that `[leavers]` has for it.
    pub identity: BTreeMap<String, String>,
    /// What has to stand where, by pointer or as [`EVENT`], for an event to be about a removal; others are passed over.
    pub when: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::More(texts) => texts.clone(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldsTable {
    user_name: Option<String>,
    instance: Option<String>,
    reason: Option<String>,
    event: Option<String>,
    id: Option<String>,
    identity: BTreeMap<String, String>,
    when: BTreeMap<String, OneOrMore>,
}

impl FieldsTable {
    pub(crate) fn read(&self) -> Result<BodyFields, String> {
        let pointer = |key: &str, text: &String| {
            // RFC 6901: each part begins with `/`, and `~` stands before 0 or 1 only.
            let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            if text.starts_with('/') && escapes {
                Ok(text.clone())
            } else {
                Err(format!("caller.fields.{key} `{text}` is not a JSON Pointer; expected one like `/data/user/name`"))
            }
        };
        let optional = |key: &str, text: &Option<String>| text.as_ref().map(|text| pointer(key, text)).transpose();
        let instance = match &self.instance {
            Some(name) if !name.starts_with('/') && !name.is_empty() => Some(name.clone()),
            other => optional("instance", other)?,
        };
        if self.user_name.is_some() != self.identity.is_empty() {
            return Err(
                "caller.fields needs either `user_name` (with `instance`), or `identity = { … }` for people who leave"
                    .into(),
            );
        }
        if self.user_name.is_some() != instance.is_some() {
            return Err("caller.fields needs `user_name` and `instance` together".into());
        }
        let mut fields = BodyFields {
            user_name: optional("user_name", &self.user_name)?,
            instance,
            reason: optional("reason", &self.reason)?,
            event: optional("event", &self.event)?,
            id: optional("id", &self.id)?,
            ..BodyFields::default()
        };
        for (name, text) in &self.identity {
            fields.identity.insert(name.clone(), pointer(&format!("identity.{name}"), text)?);
        }
        for (text, values) in &self.when {
            let place = match text.as_str() {
                EVENT if fields.event.is_some() => text.clone(),
                _ => pointer("when", text)?,
            };
            fields.when.insert(place, values.texts());
        }
        Ok(fields)
    }
}

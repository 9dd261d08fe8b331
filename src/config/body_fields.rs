//! `fields` of a caller: where the body of a sender has the values that the gateway needs.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The key of `when` that stands for the event's type, whose pointer is `event`.
pub const EVENT: &str = "event";

/// `fields` of a caller, checked: JSON Pointers (RFC 6901) into its bodies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyFields {
    /// Points to the account name.
    pub user_name: Option<String>,
    /// Points to the instance's name; a value that is not a pointer is the name itself.
    pub instance: Option<String>,
    /// Points to the reason.
    pub reason: Option<String>,
    /// Points to the event's type.
    pub event: Option<String>,
    /// Points to the delivery ID, which is the same for repeats of one event.
    pub id: Option<String>,
    /// Points to the sender's id of the person whose act caused the event.
    pub caused_by: Option<String>,
    /// Points to the attributes of a leaver, by the names that `[caller.leavers]` uses.
    pub identity: BTreeMap<String, String>,
    /// The accepted values by pointer or [`EVENT`]. An event with another value is ignored.
    pub when: BTreeMap<String, Vec<String>>,
}

/// A text or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::More(texts) => texts.clone(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FieldsTable {
    user_name: Option<String>,
    instance: Option<String>,
    reason: Option<String>,
    event: Option<String>,
    id: Option<String>,
    caused_by: Option<String>,
    identity: BTreeMap<String, String>,
    when: BTreeMap<String, OneOrMore>,
}

impl FieldsTable {
    /// Checks the table; the error is a message for the operator.
    pub(super) fn read(&self) -> Result<BodyFields, String> {
        let pointer = |key: &str, text: &String| {
            // RFC 6901: each part begins with `/`, and `~` is followed by 0 or 1.
            let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            if text.starts_with('/') && escapes {
                Ok(text.clone())
            } else {
                Err(format!("caller.fields.{key} `{text}` is not a JSON Pointer; write it like `/data/user/name`"))
            }
        };
        let optional = |key: &str, text: &Option<String>| text.as_ref().map(|text| pointer(key, text)).transpose();
        let instance = match &self.instance {
            Some(name) if !name.starts_with('/') && !name.is_empty() => Some(name.clone()),
            other => optional("instance", other)?,
        };
        if self.user_name.is_some() != self.identity.is_empty() {
            return Err(
                "caller.fields needs either `user_name` and `instance`, or `identity = { … }` for leavers; write one of them"
                    .into(),
            );
        }
        if self.user_name.is_some() != instance.is_some() {
            return Err("caller.fields needs both `user_name` and `instance`; add the missing one".into());
        }
        let mut fields = BodyFields {
            user_name: optional("user_name", &self.user_name)?,
            instance,
            reason: optional("reason", &self.reason)?,
            event: optional("event", &self.event)?,
            id: optional("id", &self.id)?,
            caused_by: optional("caused_by", &self.caused_by)?,
            ..BodyFields::default()
        };
        for (name, text) in &self.identity {
            fields.identity.insert(name.clone(), pointer(&format!("identity.{name}"), text)?);
        }
        for (text, values) in &self.when {
            let key = match text.as_str() {
                EVENT if fields.event.is_some() => text.clone(),
                _ => pointer("when", text)?,
            };
            fields.when.insert(key, values.texts());
        }
        Ok(fields)
    }
}

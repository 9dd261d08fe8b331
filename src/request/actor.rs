//! The actor of a request: a person or a system.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::config::callers::Caller;
use crate::request::strict::consists_of;

/// The person or system that sent a request, as the platform proved it, never a display name, never a field that the signature does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `slack/U2CERLKJA`, or the caller's own name (`hr`) for a system.
    pub principal: String,
    /// The caller's name in offboard.toml.
    pub caller: String,
    /// The caller's kind.
    pub kind: String,
    /// The teams that the proof names, in addition to those of offboard.toml.
    pub groups: Groups,
}

/// Teams that a token names. They count as long as the token is good: who was a member when it was issued may be none later, and a
/// request can wait for weeks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Groups {
    names: Vec<String>,
    /// When the token ends, in milliseconds since 1970.
    until: i64,
}

impl Groups {
    /// The teams of a token that ends at `until`, in milliseconds since 1970.
    pub fn new(names: Vec<String>, until: i64) -> Self {
        Self { names, until }
    }

    /// Returns the teams that count at this moment.
    pub fn at(&self, now: DateTime<Utc>) -> &[String] {
        if now.timestamp_millis() < self.until { &self.names } else { &[] }
    }

    /// Whether the proof named none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Returns the principal of a person of a caller; `None` if the id is not one that a platform gives.
pub fn principal(caller: &Caller, id: &str) -> Option<String> {
    /// The longest id of a person, in bytes.
    const LONGEST: usize = 255;

    consists_of(id, LONGEST, |byte| byte == b' ' || byte.is_ascii_graphic()).then(|| format!("{}/{id}", caller.name))
}

impl Actor {
    /// A person of a caller, by the id that the platform proved.
    pub fn person(caller: &Caller, id: &str) -> Self {
        Self { principal: format!("{}/{id}", caller.name), ..Self::system(caller) }
    }

    /// The caller itself.
    pub fn system(caller: &Caller) -> Self {
        Self {
            principal: caller.name.clone(),
            caller: caller.name.clone(),
            kind: caller.kind.clone(),
            groups: Groups::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_with_their_token() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let groups = Groups::new(vec!["dba".into()], 1_000);
        assert_eq!(groups.at(at(999)), ["dba"]);
        assert_eq!(groups.at(at(1_000)), [""; 0]);
        assert_eq!(Groups::default().at(at(0)), [""; 0]);
    }
}

//! Who asked.

use crate::config::callers::Caller;

/// Who asked: what the platform proved, never a display name, never a field that the signature does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `slack/U2CERLKJA`, or the caller's own name (`hr`) where requests come from a system and not from people.
    pub principal: String,
    /// The caller's name in offboard.toml.
    pub caller: String,
    /// Its kind.
    pub kind: String,
    /// The teams that the proof itself names, beside those of offboard.toml.
    pub groups: Vec<String>,
}

impl Actor {
    /// Somebody behind a caller, by the id that the platform proved.
    pub fn person(caller: &Caller, id: &str) -> Self {
        Self { principal: format!("{}/{id}", caller.name), ..Self::system(caller) }
    }

    /// The caller itself.
    pub fn system(caller: &Caller) -> Self {
        Self {
            principal: caller.name.clone(),
            caller: caller.name.clone(),
            kind: caller.kind.clone(),
            groups: Vec::new(),
        }
    }
}

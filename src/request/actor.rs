//! The actor of a request: a person or a system.

use crate::config::callers::Caller;

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
    pub groups: Vec<String>,
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
            groups: Vec::new(),
        }
    }
}

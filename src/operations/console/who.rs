//! A person or system, as pages name them.

use crate::config::Config;

/// A person or system: never by a display name that people choose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The operator's name for the person (`[[person]]`), if there is one.
    pub name: Option<String>,
    /// The principal: `slack/U2CERLKJA`, or the caller's name for a system.
    pub principal: String,
}

impl Who {
    /// Names a principal.
    pub fn of(config: &Config, principal: &str) -> Self {
        let name = Some(config.person(principal)).filter(|name| *name != principal).map(str::to_owned);
        Self { name, principal: principal.to_owned() }
    }
}

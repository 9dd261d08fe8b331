//! A person who leaves.

use crate::config::leavers::Identity;
use crate::request::reason::Reason;

/// A person who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// What identifies the event, out of what was proved: two events with the same text are one.
    pub event: String,
    /// What the platform says of the person.
    pub identity: Identity,
    /// Why, if the platform said.
    pub reason: Option<Reason>,
}

impl Leaver {
    /// The person whom a platform describes with these attributes.
    pub fn new(event: &str, identity: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let identity = identity.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { event: event.to_owned(), identity, reason: None }
    }
}

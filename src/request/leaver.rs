//! A person who leaves.

use crate::config::leavers::Identity;
use crate::request::reason::Reason;

/// A person who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// The identifier of the event, taken from proved content. Two events with the same identifier are one event.
    pub event: String,
    /// The person's attributes from the platform.
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

//! A person who leaves.

use crate::config::callers::Caller;
use crate::config::leavers::Identity;
use crate::request::actor::principal;
use crate::request::reason::Reason;

/// A person who leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaver {
    /// The identifier of the event, taken from proved content. Two events with the same identifier are one event.
    pub event: String,
    /// The person's attributes from the platform; those of before the event, if a directory keeps them.
    pub identity: Identity,
    /// The attributes that the person had at other times, if a directory keeps them.
    pub former: Vec<Identity>,
    /// The person's id in the directory that this gateway keeps for the caller.
    pub person: Option<String>,
    /// Whether the directory is to forget the person, which must not fail for want of an attribute.
    pub is_deleted: bool,
    /// Why, if the platform said.
    pub reason: Option<Reason>,
    /// The principal (`{caller}/{id}`) of the person who caused the event, if the proof covers that; nothing else tells.
    pub caused_by: Option<String>,
}

impl Leaver {
    /// The person whom a platform describes with these attributes.
    pub fn new(event: &str, identity: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let identity = identity.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { event: event.to_owned(), identity, ..Self::default() }
    }

    /// Returns all attributes that the person has or had.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        std::iter::once(&self.identity).chain(&self.former)
    }

    /// The same person, with the one whose act at the platform caused the event: `id` is the platform's own id of that person.
    #[must_use]
    pub fn caused_by(self, caller: &Caller, id: Option<&str>) -> Self {
        Self { caused_by: id.and_then(|id| principal(caller, id)), ..self }
    }
}

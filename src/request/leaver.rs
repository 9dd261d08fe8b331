//! A person who leaves.

use crate::config::leavers::Identity;
use crate::request::reason::Reason;

/// Somebody who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// What makes two events the same event, out of what was proved.
    pub event: String,
    /// What the platform says of them.
    pub identity: Identity,
    /// Why, if it said.
    pub reason: Option<Reason>,
}

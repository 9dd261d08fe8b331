//! What a proven request asks for.

use crate::config::instance::Instance;
use crate::reply::Rendered;
use crate::request::account_name::UserName;
use crate::request::leaver::Leaver;
use crate::request::reason::Reason;
use crate::request::removal_query::{ListFormat, RemovalQuery};
use crate::request::scim;

/// A button below a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalAction {
    /// Whoever asked means it.
    Confirm,
    /// Whoever asked does not.
    Cancel,
    /// Somebody else says yes.
    Approve,
    /// Somebody else says no.
    Deny,
}

impl ApprovalAction {
    /// All of them, by the names that a platform hands back.
    pub const ALL: [(&'static str, Self); 4] =
        [("confirm", Self::Confirm), ("cancel", Self::Cancel), ("approve", Self::Approve), ("deny", Self::Deny)];
}

/// What somebody asks.
#[derive(Debug)]
pub enum Command<'c> {
    /// Remove this account.
    Remove {
        /// Which account.
        user_name: UserName,
        /// On which instance.
        instance: &'c Instance,
        /// Why, if they said.
        reason: Option<Reason>,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Decide what waits.
    Decide {
        /// Its reference or its row's id, as given.
        id: String,
        /// How.
        how: ApprovalAction,
        /// Why, if they said.
        reason: Option<Reason>,
    },
    /// What waits for somebody.
    Pending,
    /// What became of a removal, in words.
    Status {
        /// Its reference or its row's id, as given.
        id: String,
    },
    /// What became of a removal, all of it.
    Look {
        /// The id of its row, as given.
        id: String,
    },
    /// Which removals there were.
    List {
        /// Which of them.
        search: RemovalQuery,
        /// How to write them.
        form: ListFormat,
    },
    /// What can be said.
    Help,
    /// Somebody, or several people, leave: all of their accounts are to go.
    Leave(Vec<Leaver>),
    /// Something about the people of an identity system.
    Directory(scim::Operation, scim::Projection),
    /// The platform wants to know that it reached us: this is the answer.
    Handshake(Rendered),
    /// Something that happened and is not about a removal; why it is not.
    Nothing(&'static str),
}

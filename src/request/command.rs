//! What a proven request asks for.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::leaver::Leaver;
use crate::request::pending_query::PendingQuery;
use crate::request::projection::Projection;
use crate::request::reason::Reason;
use crate::request::removal_query::{ListFormat, RemovalQuery};
use crate::request::scim::Operation;

/// What a person can do about a waiting request: the buttons below its message, and command words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalAction {
    /// The requester means it.
    Confirm,
    /// The requester withdraws it.
    Cancel,
    /// An approver says yes.
    Approve,
    /// An approver says no.
    Deny,
}

impl ApprovalAction {
    /// All of them, by the names that platforms hand back and people type.
    pub const ALL: [(&'static str, Self); 4] =
        [("confirm", Self::Confirm), ("cancel", Self::Cancel), ("approve", Self::Approve), ("deny", Self::Deny)];

    /// Returns the action of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, action)| action)
    }
}

/// What a sender asks for.
#[derive(Debug)]
pub enum Command<'c> {
    /// Remove this account.
    RemoveAccount {
        /// Which account.
        user_name: UserName,
        /// On which instance.
        instance: &'c Instance,
        /// Why, if the sender said.
        reason: Option<Reason>,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Decide about a waiting request.
    DecideApproval {
        /// Its reference or the id of its row, as given.
        id: String,
        /// The decision.
        action: ApprovalAction,
        /// Why, if the sender said.
        reason: Option<Reason>,
    },
    /// List the requests that wait.
    ListPending(PendingQuery),
    /// Show what became of a removal.
    GetRemoval {
        /// Its reference or the id of its row, as given.
        id: String,
    },
    /// List removals.
    ListRemovals {
        /// Which.
        query: RemovalQuery,
        /// How to write them.
        format: ListFormat,
    },
    /// Say what the sender may ask for.
    Help,
    /// Remove all accounts of these people, who leave.
    OffboardLeavers(Vec<Leaver>),
    /// An operation on the people of an identity system, and what to show of them.
    Scim(Operation, Projection),
}

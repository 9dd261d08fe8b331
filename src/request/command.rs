//! What a proven request asks for.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::leaver::Leaver;
use crate::request::projection::Projection;
use crate::request::reason::Reason;
use crate::request::removal_query::{ListFormat, RemovalQuery};
use crate::request::scim::Operation;

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
    ListPending,
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

//! What a proven request asks for.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::account_query::AccountQuery;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::job::Job;
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

/// One event of a batch.
#[derive(Debug)]
pub struct OneOfSeveral<'c> {
    /// Its id, or its place.
    pub id: String,
    /// Identifies the event, as if it had come alone.
    pub delivery: DeliveryId,
    /// The removal that it asks for, or why it cannot be understood.
    pub event: Result<AccountRemoval<'c>, RequestError>,
}

/// The removal that an event asks for.
#[derive(Debug)]
pub struct AccountRemoval<'c> {
    /// Which account.
    pub user_name: UserName,
    /// On which instance.
    pub instance: &'c Instance,
    /// Why, if the sender said.
    pub reason: Option<Reason>,
    /// The principal of the person whose act at the sender caused the event, if the proof covers that.
    pub caused_by: Option<String>,
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
        /// The principal of the person whose act at the sender caused the request, if the proof covers that.
        caused_by: Option<String>,
    },
    /// Remove these accounts, each by a request of its own.
    RemoveAccounts(Vec<OneOfSeveral<'c>>),
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
    /// Read the account list of an instance.
    ListAccounts {
        /// Of which instance.
        instance: &'c Instance,
        /// Which part of it.
        query: AccountQuery,
    },
    /// Run a job.
    RunJob(Job),
    /// Tell a monitoring system what there is.
    GetMetrics,
    /// Say what the sender may ask for.
    Help,
    /// Remove all accounts of these people, who leave.
    OffboardLeavers(Vec<Leaver>),
    /// An operation on the people of an identity system, and what to show of them.
    Scim(Operation, Projection),
}

//! The results of a decision. A [`Permit`] proves that policy permitted a removal.

use crate::config::instance::Instance;
use crate::outcome::denial::Denial;
use crate::request::account_name::UserName;
use crate::request::removal::RemovalRequest;

/// The proof that policy permitted one removal, at once or after enough people approved it. Only `policy` makes one.
#[derive(Debug)]
pub struct Permit<'c> {
    instance: &'c Instance,
    user_name: UserName,
    policies: Vec<String>,
    policy_set: String,
}

impl<'c> Permit<'c> {
    /// Returns the instance of the permitted removal.
    pub fn instance(&self) -> &'c Instance {
        self.instance
    }

    /// Returns the account of the permitted removal.
    pub fn user_name(&self) -> &UserName {
        &self.user_name
    }

    /// Returns the ids of the policies that permitted the removal.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// Returns the digest of the policy set that they are from.
    pub fn policy_set(&self) -> &str {
        &self.policy_set
    }
}

/// Policy's decision about a requested removal.
#[derive(Debug)]
pub enum Decision<'c> {
    /// The requester may remove the account at once.
    Permit(Permit<'c>),
    /// The requester may request the removal, and another person has to approve it.
    NeedsApproval {
        /// The ids of the policies that permit the request.
        policies: Vec<String>,
    },
    /// The requester may neither remove the account nor request it, or the account may not be removed even if others approve.
    Denial(Denial),
}

/// Why an approved removal is not permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalShortfall {
    /// The requester may not request the removal any more, or the account may not be removed even with approvals. The text says
    /// why evaluation failed, if it did.
    Denied(Denial, Option<String>),
    /// This number of approvals is missing.
    Missing(usize),
}

/// Makes the permit of a removal.
pub(super) fn permit<'c>(removal: &RemovalRequest<'c>, policies: Vec<String>, policy_set: &str) -> Permit<'c> {
    let policy_set = policy_set.to_owned();
    Permit { instance: removal.instance, user_name: removal.user_name.clone(), policies, policy_set }
}

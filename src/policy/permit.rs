//! The proof that policy permitted a removal.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::removal::RemovalRequest;

/// The proof that policy said yes to one removal, at once or after enough people approved it. Only this module makes one.
#[derive(Debug)]
pub struct Permit<'c> {
    instance: &'c Instance,
    user_name: UserName,
    policies: Vec<String>,
}

impl<'c> Permit<'c> {
    /// The instance that it was given for.
    pub fn instance(&self) -> &'c Instance {
        self.instance
    }

    /// The account that it was given for.
    pub fn user_name(&self) -> &UserName {
        &self.user_name
    }

    /// The ids of the policies that permitted it.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
}

/// What policy said.
#[derive(Debug)]
pub enum Decision<'c> {
    /// Yes.
    Permit(Permit<'c>),
    /// They may ask for it, and somebody else has to approve.
    NeedsApproval {
        /// The ids of the policies that let them ask.
        policies: Vec<String>,
    },
    /// No.
    Denial {
        /// The ids of the `forbid` policies that decided, or of those that failed; empty when nothing permits it.
        policies: Vec<String>,
    },
}

/// Why an approved removal is not permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalShortfall {
    /// Whoever asked may not ask for it any more: the policies that decided, and why it could not be decided.
    Denied(Vec<String>, Option<String>),
    /// So many people have yet to approve.
    Missing(usize),
}

pub(crate) fn permit<'c>(removal: &RemovalRequest<'c>, policies: Vec<String>) -> Permit<'c> {
    Permit { instance: removal.instance, user_name: removal.user_name.clone(), policies }
}

//! The typed request that policy, ledger and TaurusDB see.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::actor::Actor;
use crate::request::ids::{DeliveryId, digest};
use crate::request::reason::Reason;

/// A request to remove an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRequest<'c> {
    /// The requester.
    pub actor: Actor,
    /// The account.
    pub user_name: UserName,
    /// Its instance.
    pub instance: &'c Instance,
    /// Why, if the requester said.
    pub reason: Option<Reason>,
    /// Identifies the request: the same delivery again is the same removal.
    pub delivery: DeliveryId,
    /// Whether to say only what would happen, and send nothing.
    pub dry_run: bool,
    /// The principal of the person who caused the event for which a system requests this, if the system proves it. The request
    /// counts as that person's own.
    pub caused_by: Option<String>,
}

impl RemovalRequest<'_> {
    /// Returns a digest of the requester, the account, the TaurusDB instance and the reason. A confirmation or an approval is
    /// bound to it, so that it counts only for the request that the requester or approver saw.
    pub fn fingerprint(&self) -> String {
        let reason = self.reason.as_ref().map_or("", Reason::as_str);
        digest(&[
            self.actor.principal.as_bytes(),
            self.instance.name.as_bytes(),
            self.instance.project_id.as_bytes(),
            self.instance.instance_id.as_bytes(),
            self.instance.environment.as_bytes(),
            self.user_name.as_str().as_bytes(),
            reason.as_bytes(),
        ])
    }
}

//! The typed request that policy, ledger and TaurusDB see.

use crate::config::instance::Instance;
use crate::request::account_name::UserName;
use crate::request::actor::Actor;
use crate::request::ids::{DeliveryId, digest};
use crate::request::reason::Reason;

/// Remove this account, says this actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRequest<'c> {
    /// Who asks.
    pub actor: Actor,
    /// Which account.
    pub user_name: UserName,
    /// On which instance.
    pub instance: &'c Instance,
    /// Why, if they said.
    pub reason: Option<Reason>,
    /// Which request it is.
    pub delivery: DeliveryId,
    /// Nothing is to be sent: only what would happen is asked for.
    pub dry_run: bool,
}

impl RemovalRequest<'_> {
    /// A digest of exactly what is asked: who, which account, on which instance of TaurusDB's, why. What was confirmed or
    /// approved is held to it, so that nobody says yes to something else than they saw.
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

//! Cedar: may this actor remove this account, now?
//!
//! Pure: the request, the clock and the counts are arguments; no HTTP and no SQL is known here. This is the only module
//! that can make a [`Permit`], and without one no DELETE can be built (`taurusdb`).
//!
//! Default deny, forbid wins (Cedar's own rules, <https://docs.cedarpolicy.com/auth/authorization.html>). Beyond that,
//! closed: policies must pass Cedar's strict validation against the schema, each needs an `@id` of its own, and a policy
//! that fails while it is evaluated is a denial, because a `forbid` that failed would otherwise not be heard.
//!
//! Not supported: templates.

pub mod cedar_request;
pub mod decide;
pub mod explain;
pub mod load;
pub mod names;
pub mod permit;
pub mod prepared;
pub mod scope_index;

use std::collections::BTreeMap;

use cedar_policy::{Authorizer, PolicySet};
use chrono::{DateTime, FixedOffset};

use crate::config::Config;
use crate::config::instance::Instance;
use crate::policy::names::Names;
use crate::policy::scope_index::Scopes;
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

/// What a decision depends on beside the removal itself.
#[derive(Debug, Clone, Copy)]
pub struct AuthzContext {
    /// The time of the request, where the operator is.
    pub now: DateTime<FixedOffset>,
    /// Nothing will be sent.
    pub dry_run: bool,
    /// Whoever asked was shown what would happen, and confirmed it.
    pub confirmed: bool,
    /// The actor's removals in the last hour.
    pub removals_last_hour: i64,
    /// The instance's removals in the last hour.
    pub instance_removals_last_hour: i64,
}

/// An account, as policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Where it is.
    pub instance: &'a Instance,
    /// Its name.
    pub user_name: &'a str,
}

/// Who wants to do what to which account.
#[derive(Debug, Clone, Copy)]
pub struct AuthzRequest<'a> {
    /// Who.
    pub who: Principal<'a>,
    /// What.
    pub action: Action,
    /// To which account; `None` for what names none: a refusal's row in the ledger.
    pub account: Option<Account<'a>>,
    /// Whether a reason was given for it.
    pub reason_given: bool,
}

/// Somebody, as policy sees them.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// What was proved of them.
    pub actor: &'a Actor,
    /// Their teams.
    pub teams: &'a [String],
    /// The StarRocks accounts that are their own.
    pub accounts: &'a [String],
}

impl<'a> Principal<'a> {
    /// What the configuration says of an actor.
    pub fn of(actor: &'a Actor, config: &'a Config) -> Self {
        Self { actor, teams: config.teams(&actor.principal), accounts: config.own_accounts(&actor.principal) }
    }
}

/// What somebody may be permitted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Remove an account at once.
    Delete,
    /// Ask for it; somebody else has to approve.
    Request,
    /// Approve what another asked for.
    Approve,
    /// Look at what became of removals.
    Audit,
}

impl Action {
    /// All of them, as the schema names them.
    pub const ALL: [Self; 4] = [Self::Delete, Self::Request, Self::Approve, Self::Audit];

    /// The schema's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Audit => "audit",
        }
    }
}

/// What policy says to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthzResponse {
    /// Yes or no.
    pub allowed: bool,
    /// The ids of the policies that decided: the permits of a yes, the forbids of a no; empty when nothing permits it.
    pub policies: Vec<String>,
    /// Why it could not be decided, for the log; then it is a no.
    pub failed: Option<String>,
}

/// Policies that were held against the schema, once an instance.
#[derive(Debug)]
pub struct Policies {
    set: PolicySet,
    /// The same ones, by what their scopes name.
    scopes: Scopes,
    /// The groups of actions that the schema has, each action's own and theirs; most schemas have none.
    groups: BTreeMap<String, Vec<String>>,
    /// Whether any of them can ask for the time.
    with_time: bool,
    authorizer: Authorizer,
    names: Names,
    /// The SHA-256 of the files, in hexadecimal digits.
    digest: String,
}

impl<'a> AuthzRequest<'a> {
    /// Whether somebody may do something about this removal.
    pub fn about(removal: &'a RemovalRequest<'_>, who: Principal<'a>, action: Action) -> Self {
        let account = Account { instance: removal.instance, user_name: removal.user_name.as_str() };
        Self { who, action, account: Some(account), reason_given: removal.reason.is_some() }
    }
}

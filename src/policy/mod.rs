//! Cedar policies: whether a principal may perform an action on an account now.
//!
//! Decisions are pure: the request, the clock and the counts are arguments, and neither HTTP nor SQL is known here. This is the
//! only module that can make a [`Permit`](permit::Permit), and `taurusdb` builds a DELETE only from one.
//!
//! Without a permit the answer is no, and a forbid wins (Cedar's own rules,
//! <https://docs.cedarpolicy.com/auth/authorization.html>). Beyond that, decisions fail closed: policies must pass Cedar's strict
//! validation against the schema, each needs its own `@id`, and a policy that fails to evaluate is a denial, because Cedar itself
//! would ignore a `forbid` that failed.
//!
//! This file has the vocabulary of a question and its answer; the files below read, evaluate and explain.
//!
//! Not supported: templates.

mod advice;
mod cedar_request;
pub mod counts;
mod decide;
pub mod explain;
pub mod in_force;
mod indifference;
mod known_instances;
pub mod load;
mod names;
pub mod permit;
pub mod question;
pub mod references;
mod scope_index;
mod validate;

use std::collections::BTreeMap;

use cedar_policy::{Authorizer, PolicyId, PolicySet};
use chrono::{DateTime, FixedOffset};

use crate::config::Config;
use crate::config::instance::Instance;
use crate::outcome::denial::Denial;
use crate::policy::counts::Counts;
use crate::policy::known_instances::KnownInstances;
use crate::policy::names::Names;
use crate::policy::scope_index::ScopeIndex;
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

/// The facts that a decision depends on beside the request itself; `context` in policies.
#[derive(Debug, Clone, Copy)]
pub struct AuthzContext {
    /// The time of the request, at the operator's offset from UTC.
    pub now: DateTime<FixedOffset>,
    /// Whether the request is a dry run, which sends nothing.
    pub dry_run: bool,
    /// Whether the requester was shown the effect of the request and confirmed it.
    pub confirmed: bool,
    /// Whether the removal is sent, or would be, because other people approved it.
    pub approved: bool,
    /// The removals in the last hour that the requesting person asked for or caused.
    pub removals_last_hour: i64,
    /// The instance's removals in the last hour.
    pub instance_removals_last_hour: i64,
    /// The other requests of the requesting person that wait.
    pub waiting_requests: i64,
}

/// An account as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The instance that it is on.
    pub instance: &'a Instance,
    /// Its name.
    pub user_name: &'a str,
}

/// What policy is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// An account.
    Account(Account<'a>),
    /// An instance as a whole, for its account list.
    Instance(&'a Instance),
    /// The ledger rows that name no account, such as a refusal's; the ledger as a whole, for jobs and metrics.
    Ledger,
}

/// A question to policy: may this principal perform this action on this resource?
#[derive(Debug, Clone, Copy)]
pub struct AuthzRequest<'a> {
    /// The principal.
    pub principal: Principal<'a>,
    /// The action.
    pub action: Action,
    /// The resource.
    pub resource: Resource<'a>,
    /// Whether the requester gave a reason.
    pub reason_given: bool,
}

/// An actor as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// The verified identity.
    pub actor: &'a Actor,
    /// The configured teams of the principal.
    pub teams: &'a [String],
    /// The StarRocks accounts that are the principal's own.
    pub accounts: &'a [String],
}

impl<'a> Principal<'a> {
    /// Adds an actor's teams and accounts from the configuration.
    pub fn of(actor: &'a Actor, config: &'a Config) -> Self {
        Self { actor, teams: config.teams(&actor.principal), accounts: config.own_accounts(&actor.principal) }
    }
}

/// An action that policies permit or forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Remove an account at once.
    Delete,
    /// Request a removal, which another person has to approve.
    Request,
    /// Approve or deny another person's request.
    Approve,
    /// View removals and their results.
    Audit,
    /// Read the account list of an instance.
    List,
    /// Run a job, and read the metrics.
    Operate,
}

impl Action {
    /// All actions of the schema.
    pub const ALL: [Self; 6] = [Self::Delete, Self::Request, Self::Approve, Self::Audit, Self::List, Self::Operate];

    /// Those that a schema may lack, because it was written for an earlier gateway: no policy that names them passes validation then.
    pub(in crate::policy) const ADDED: [Self; 2] = [Self::List, Self::Operate];

    /// Returns the schema's name of the action.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Audit => "audit",
            Self::List => "list",
            Self::Operate => "operate",
        }
    }
}

/// Policy's answer to an [`AuthzRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthzResponse {
    /// Whether the action is permitted.
    pub allowed: bool,
    /// The ids of the policies that decided: the permits of a yes, the forbids of a no; empty if no policy permits the action.
    pub policies: Vec<String>,
    /// Why the policies could not be evaluated, for the log; the answer is then no.
    pub failed: Option<String>,
}

impl AuthzResponse {
    /// Whether a `forbid` decided, or the policies could not be evaluated; not if merely no policy permits the action.
    pub fn is_forbidden(&self) -> bool {
        self.failed.is_some() || (!self.allowed && !self.policies.is_empty())
    }

    /// The reason of a no.
    pub fn denial(&self) -> Denial {
        if self.failed.is_some() { Denial::NotEvaluated } else { Denial::by(self.policies.clone()) }
    }
}

/// Validated policies, read once an instance.
#[derive(Debug)]
pub struct Policies {
    set: PolicySet,
    /// The same policies by the entities in their scopes.
    scopes: ScopeIndex,
    /// The schema's action groups that contain each action, directly or through another group; empty for most schemas.
    groups: BTreeMap<String, Vec<String>>,
    /// Whether a policy can read `context.time`.
    uses_time: bool,
    /// The largest counts that no policy tells from 0; `None` if a policy may tell any.
    indifferent: Option<Counts>,
    authorizer: Authorizer,
    names: Names,
    instances: KnownInstances,
    /// The SHA-256 of the files, in hexadecimal digits.
    digest: String,
}

impl Policies {
    /// Makes beforehand what is the same in all questions about these instances.
    pub fn for_instances(self, instances: &[Instance]) -> Self {
        Self { instances: KnownInstances::new(&self.names, instances), ..self }
    }

    /// Returns the largest counts at which every decision is the same as at 0; `None` if there is no such bound.
    pub fn largest_indifferent_counts(&self) -> Option<Counts> {
        self.indifferent
    }

    /// Whether the policy with this `@id` depends on how many removals there were, or how many requests wait.
    pub fn is_brake(&self, id: &str) -> bool {
        self.set.policy(&PolicyId::new(id)).is_some_and(indifference::uses_counts)
    }

    /// Returns the SHA-256 of the files, in hexadecimal digits.
    pub fn whole_digest(&self) -> &str {
        &self.digest
    }

    /// Returns the first 12 hexadecimal digits of the files' SHA-256.
    pub fn digest(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }
}

impl<'a> AuthzRequest<'a> {
    /// Asks about the account of a removal.
    pub fn about(removal: &'a RemovalRequest<'_>, principal: Principal<'a>, action: Action) -> Self {
        let account = Account { instance: removal.instance, user_name: removal.user_name.as_str() };
        Self { principal, action, resource: Resource::Account(account), reason_given: removal.reason.is_some() }
    }
}

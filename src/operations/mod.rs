//! What is done for a command: one file an operation.
//!
//! An operation takes the immutable [`Ctx`] and returns a `Report`, or a [`report::Refusal`] that carries its own facts.
//! Nothing is passed in to be filled. `record` is what every ending leaves behind: the row and the log line.
//!
//! Nothing in here knows a platform's form or the HTTP response; both are `flow`'s.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::ReplyAddress;
use crate::config::callers::Caller;
use crate::config::instance::Instance;
use crate::host::{Host, StoreError};
use crate::ledger::Ledger;
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::operations::record::Origin;
use crate::outbound::budget::Budget;
use crate::outcome::language::Language;
use crate::outcome::{NotSent, Outcome};
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;
use crate::secret::Secret;
use crate::taurusdb::Taurusdb;
use crate::taurusdb::error::CallError;

mod account_result;
mod authorize;
pub mod console;
mod content;
mod contested;
pub(crate) mod decide_approval;
pub(crate) mod deliver;
mod departure;
mod dry_run;
mod execute;
pub(crate) mod facts;
pub(crate) mod get_metrics;
pub(crate) mod get_removal;
pub(crate) mod help;
pub(crate) mod jobs;
mod leaver_accounts;
pub(crate) mod list_accounts;
pub(crate) mod list_pending;
pub(crate) mod list_removals;
pub(crate) mod nearest_instance;
mod notice;
pub(crate) mod offboard_leavers;
mod operate;
mod pending;
pub(crate) mod provision_people;
mod reader;
mod reconcile;
pub(crate) mod record;
pub(crate) mod remove;
pub(crate) mod remove_several;
mod replay;
pub mod report;
mod request_approval;
mod schedule;
mod tell;

/// What is known of a request that is carried out.
pub struct Ctx<'c, H> {
    /// The host.
    pub host: &'c H,
    /// The configuration and the policies.
    pub app: &'c App,
    /// The time limit of the request.
    pub budget: &'c Budget,
    /// The id of the request, and of the row that it may write.
    pub id: RemovalId,
    /// When the request arrived.
    pub at: DateTime<Utc>,
    /// The proven caller.
    pub caller: &'c Caller,
    /// The person or system that the caller's proof names.
    pub actor: &'c Actor,
    /// The language of the answer.
    pub language: Language,
    /// How the caller's platform shows text to people; `None` for callers that get JSON.
    pub chat: Option<&'static dyn ChatPlatform>,
    /// Where the requester takes a follow-up message, and the secret to seal that with.
    pub reply_to: Option<(ReplyAddress, Secret)>,
}

impl<'c, H: Host> Ctx<'c, H> {
    /// The same request, for one removal of several: with an id of its own, and no follow-up message.
    fn part(&self) -> Self {
        let id = RemovalId::new(self.host.now(), self.host.random());
        Self { id, reply_to: None, ..*self }
    }

    /// Opens the ledger.
    async fn ledger(&self) -> Result<Ledger<'c, H>, NotSent> {
        self.stored(self.app.ledger(self.host).await)
    }

    /// The result of a statement. Why it failed goes to the log.
    fn stored<T>(&self, result: Result<T, StoreError>) -> Result<T, NotSent> {
        result.map_err(|why| {
            self.host.log(&format!("ledger: {why}"));
            NotSent::from(&why)
        })
    }

    /// TaurusDB, at one instance.
    async fn taurusdb(&self, instance: &'c Instance) -> Result<Taurusdb<'c, H>, CallError> {
        Taurusdb::of_instance(self.host, &self.app.tokens, self.budget, instance, self.language).await
    }

    /// An outcome as a row is to have it now.
    fn ending<'a>(&self, outcome: &'a Outcome) -> Ending<'a> {
        Ending { outcome, language: self.language, at: self.host.now(), notify: None }
    }

    /// An outcome as a row is to have it, at the time of the request.
    fn ending_on_arrival<'a>(&self, outcome: &'a Outcome) -> Ending<'a> {
        Ending { outcome, language: self.language, at: self.at, notify: None }
    }

    /// Whose request it is, for its row and log line.
    fn origin(&self) -> Origin<'_> {
        Origin {
            id: &self.id,
            at: self.at,
            language: self.language,
            caller: Some(self.caller),
            actor: Some(self.actor),
            late: false,
        }
    }

    /// Whether a principal and the request's actor are the same person.
    fn is_own(&self, principal: Option<&str>) -> bool {
        let config = &self.app.config;
        principal.map(|principal| config.person(principal)) == Some(config.person(&self.actor.principal))
    }

    /// The person whose request a removal is: who caused it, or else who asked.
    fn person_of<'r>(&'r self, removal: &'r RemovalRequest<'_>) -> &'r str {
        let config = &self.app.config;
        let principal = removal.caused_by.as_deref().unwrap_or(&removal.actor.principal);
        config.person(principal)
    }

    /// Whether a row is the request of the request's actor, or was caused by them.
    fn is_own_row(&self, row: &RemovalRow) -> bool {
        self.is_own(row.actor.as_deref()) || self.is_own(row.caused_by.as_deref())
    }

    /// What policy decided, by the policy set of now.
    fn decided_by<'a>(&'a self, policies: &'a [String]) -> DecidedBy<'a> {
        DecidedBy { policies, policy_set: Some(self.app.policies.digest()) }
    }

    /// The follow-up address, sealed for the row of a delivery: a reader of the ledger could otherwise write into the requester's
    /// channel.
    fn sealed_reply_address(&self, delivery: &str) -> Option<String> {
        let (address, secret) = self.reply_to.as_ref()?;
        address.seal(secret, delivery, self.host.random())
    }
}

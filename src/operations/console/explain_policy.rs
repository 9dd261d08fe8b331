//! The policies in force, and why policy decides as it does, for those whom policy permits to `audit` the ledger as a whole: both
//! tell who may do what.
//!
//! The answer is that of `offboard explain`; nothing is sent, and nothing is read but the configuration.

use std::fmt;

use chrono::{DateTime, FixedOffset};

use crate::callers::actors::actor;
use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::console::who::Who;
use crate::operations::reader::Reader;
use crate::operations::report::Refusal;
use crate::outcome::language::Language;
use crate::outcome::{Denied, Outcome};
use crate::policy::in_force::PolicyInForce;
use crate::policy::question::{ExplainedAnswer, Question};
use crate::policy::{Action, AuthzContext};
use crate::request::error::RequestError;
use crate::request::reason::Reason;

/// The policies in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoliciesInForce {
    /// The SHA-256 of policy.cedar and schema.cedarschema, in hexadecimal digits; rows have its beginning.
    pub digest: String,
    /// The policies: those that forbid, then those that permit, each by id.
    pub policies: Vec<PolicyInForce>,
}

/// What to explain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExplainQuery {
    /// Who asks: `slack/U2CERLKJA`, or the name of a caller that acts under its own name.
    pub principal: String,
    /// The instance's name.
    pub instance: String,
    /// The account; not needed for `list` and `operate`.
    pub user_name: String,
    /// The action; `None` for removing the account at once, or else requesting the removal.
    pub action: Option<Action>,
    /// When; `None` for now.
    pub at: Option<DateTime<FixedOffset>>,
    /// The reason of the request; empty for none.
    pub reason: String,
    /// Whether it is a dry run.
    pub dry_run: bool,
    /// Whether the requester confirmed it; `None` for what the caller asks for.
    pub confirmed: Option<bool>,
    /// Whether other people approved it.
    pub approved: bool,
    /// The accounts that the requesting person removed in the last hour.
    pub removals_last_hour: i64,
    /// The accounts that all requesters removed from the instance in the last hour.
    pub instance_removals_last_hour: i64,
    /// The other requests of the requesting person that wait.
    pub waiting_requests: i64,
}

/// An explained decision.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Who asks.
    pub who: Who,
    /// The kind of their caller.
    pub kind: String,
    /// Their teams of the configuration.
    pub teams: Vec<String>,
    /// Their own accounts.
    pub own_accounts: Vec<String>,
    /// The instance's environment.
    pub environment: String,
    /// What the decision depends on beside the request.
    pub context: AuthzContext,
    /// Whether a reason was given.
    pub is_reason_given: bool,
    /// The answer.
    pub answer: ExplainedAnswer,
}

/// Why a question cannot be explained: what is wrong with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExplainError {
    /// No request of this principal is possible; the text says why, and what to write instead.
    Principal(String),
    /// The instance is not configured.
    Instance(RequestError),
    /// The account is missing.
    UserName,
    /// The reason is not valid.
    Reason(RequestError),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(why) => f.write_str(why),
            Self::Instance(error) | Self::Reason(error) => {
                f.write_str(&Outcome::from(error.clone()).message(Language::default()))
            }
            Self::UserName => f.write_str("`user_name` is missing; add the name of an account"),
        }
    }
}

impl std::error::Error for ExplainError {}

/// The policies in force.
///
/// # Errors
///
/// If policy does not permit the reader to see them.
pub fn policies_in_force<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<PoliciesInForce, Refusal<'c>> {
    check_may_read(ctx)?;
    let policies = &ctx.app.policies;
    Ok(PoliciesInForce { digest: policies.whole_digest().to_owned(), policies: policies.in_force() })
}

/// Explains a decision; the inner error says which field is wrong.
///
/// # Errors
///
/// If policy does not permit the reader to see it.
pub fn explain_policy<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    query: &ExplainQuery,
) -> Result<Result<Explained, ExplainError>, Refusal<'c>> {
    check_may_read(ctx)?;
    Ok(explained(ctx, query))
}

fn check_may_read<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<(), Refusal<'c>> {
    let mut reader = Reader::new(ctx);
    let response = reader.response_about_ledger();
    if response.allowed { Ok(()) } else { Err(Outcome::Denied(Denied::Audit(response.denial())).into()) }
}

fn explained<H: Host>(ctx: &Ctx<'_, H>, query: &ExplainQuery) -> Result<Explained, ExplainError> {
    let config = &ctx.app.config;
    let actor = actor(config, query.principal.trim()).map_err(ExplainError::Principal)?;
    let instance = config.instance(&query.instance).map_err(ExplainError::Instance)?;
    let is_about_account = !matches!(query.action, Some(Action::List | Action::Operate));
    if is_about_account && query.user_name.is_empty() {
        return Err(ExplainError::UserName);
    }
    let reason = Reason::parse(&query.reason).map_err(ExplainError::Reason)?;
    let now = query.at.map_or_else(|| ctx.at, |at| at.to_utc());
    let confirm = config.caller(&actor.caller).is_ok_and(|caller| caller.confirm);
    let context = AuthzContext {
        now: now.with_timezone(&config.utc_offset),
        dry_run: query.dry_run,
        confirmed: query.confirmed.unwrap_or(confirm),
        approved: query.approved,
        removals_last_hour: query.removals_last_hour,
        instance_removals_last_hour: query.instance_removals_last_hour,
        waiting_requests: query.waiting_requests,
    };
    let is_reason_given = reason.is_some();
    let question = Question { actor, instance, user_name: &query.user_name, action: query.action, reason, context };
    let answer = question.answer(&ctx.app.policies, config);
    let principal = &question.actor.principal;
    Ok(Explained {
        who: Who::of(config, principal),
        kind: question.actor.kind.clone(),
        teams: config.teams(principal).to_vec(),
        own_accounts: config.own_accounts(principal).to_vec(),
        environment: instance.environment.clone(),
        context,
        is_reason_given,
        answer,
    })
}

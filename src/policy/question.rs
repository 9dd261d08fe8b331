//! What policy decides for a principal, and why: the answer of `offboard explain` and of the console's page.
//!
//! The decision is the gateway's own ([`Policies::decide`]); beside it, each policy shows its part in it. The ledger is not read:
//! the numbers of removals are in the question.
//!
//! Not supported: what needs more than policy, such as the approvals given so far.

use crate::config::Config;
use crate::config::instance::Instance;
use crate::policy::explain::Explanation;
use crate::policy::permit::Decision;
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, AuthzResponse, Policies, Principal, Resource};
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;

/// A question to be explained.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Who asks.
    pub actor: Actor,
    /// The instance.
    pub instance: &'a Instance,
    /// The account name as given; not every row has a valid one. Not read for `list` and `operate`.
    pub user_name: &'a str,
    /// The action; `None` for removing the account at once, or else requesting the removal.
    pub action: Option<Action>,
    /// The reason of the request.
    pub reason: Option<Reason>,
    /// Time, counts, and what was confirmed and approved.
    pub context: AuthzContext,
}

/// What was evaluated for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// This action.
    Action(Action),
    /// `delete` once more, as if other people had approved.
    ApprovedDelete,
}

impl Asked {
    /// Returns what it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action(action) => action.as_str(),
            Self::ApprovedDelete => "delete, approved by others",
        }
    }
}

/// What policy decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The action, or the removal at once, is permitted by these policies.
    Permitted(Vec<String>),
    /// The removal may be requested, as these policies permit, and needs this number of approvals.
    NeedsApproval {
        /// The ids of the policies.
        policies: Vec<String>,
        /// How many approvals.
        required: u32,
    },
    /// These policies forbid it; if there are none, no policy permits it.
    Denied(Vec<String>),
    /// The policies could not be evaluated, for this reason: the answer is no.
    NotEvaluated(String),
    /// The gateway refuses the account name before policy is asked.
    Refused(RequestError),
}

impl From<&AuthzResponse> for Verdict {
    fn from(response: &AuthzResponse) -> Self {
        match response {
            AuthzResponse { failed: Some(why), .. } => Self::NotEvaluated(why.clone()),
            AuthzResponse { allowed: true, policies, .. } => Self::Permitted(policies.clone()),
            AuthzResponse { policies, .. } => Self::Denied(policies.clone()),
        }
    }
}

/// The answer to a question, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedAnswer {
    /// What policy decides.
    pub verdict: Verdict,
    /// An explanation of each action that was evaluated for it.
    pub explanations: Vec<(Asked, Explanation)>,
}

impl Question<'_> {
    /// Answers it.
    pub fn answer(&self, policies: &Policies, config: &Config) -> ExplainedAnswer {
        match (self.action, config.accounts.parse(self.user_name)) {
            // The rules for account names apply to removals; every row and every list can be viewed.
            (Some(action @ (Action::Audit | Action::List | Action::Operate)), _) | (Some(action), Ok(_)) => {
                let explanation = self.explain(policies, config, action);
                ExplainedAnswer {
                    verdict: Verdict::from(&explanation.response),
                    explanations: vec![(Asked::Action(action), explanation)],
                }
            }
            (_, Err(error)) => ExplainedAnswer { verdict: Verdict::Refused(error), explanations: Vec::new() },
            (None, Ok(user_name)) => {
                let removal = RemovalRequest {
                    actor: self.actor.clone(),
                    user_name,
                    instance: self.instance,
                    reason: self.reason.clone(),
                    delivery: DeliveryId::recorded(String::new()),
                    dry_run: self.context.dry_run,
                    caused_by: None,
                };
                let verdict = match policies.decide(&removal, config, self.context) {
                    (Decision::Permit(permit), _) => Verdict::Permitted(permit.policies().to_vec()),
                    (Decision::NeedsApproval { policies }, _) => {
                        let required = config.approvals.required(&self.instance.environment);
                        Verdict::NeedsApproval { policies, required }
                    }
                    (Decision::Denial(_), Some(why)) => Verdict::NotEvaluated(why),
                    (Decision::Denial(denial), None) => Verdict::Denied(denial.policies().to_vec()),
                };
                ExplainedAnswer { verdict, explanations: self.explain_removal(policies, config) }
            }
        }
    }

    /// Explains `delete`, and `request` if the gateway would evaluate it, too; and `delete` once more if it stays forbidden when
    /// others approve.
    fn explain_removal(&self, policies: &Policies, config: &Config) -> Vec<(Asked, Explanation)> {
        let at_once = self.explain(policies, config, Action::Delete);
        if at_once.response.allowed || at_once.response.failed.is_some() {
            return vec![(Asked::Action(Action::Delete), at_once)];
        }
        let request = self.explain(policies, config, Action::Request);
        let approved = Self { context: AuthzContext { approved: true, ..self.context }, ..self.clone() };
        let approved = approved.explain(policies, config, Action::Delete);
        let stays =
            (request.response.allowed && approved.response.is_forbidden()).then_some((Asked::ApprovedDelete, approved));
        let both = [(Asked::Action(Action::Delete), at_once), (Asked::Action(Action::Request), request)];
        both.into_iter().chain(stays).collect()
    }

    fn explain(&self, policies: &Policies, config: &Config, action: Action) -> Explanation {
        let request = AuthzRequest {
            principal: Principal::of(&self.actor, config),
            action,
            resource: match action {
                Action::List => Resource::Instance(self.instance),
                Action::Operate => Resource::Ledger,
                _ => Resource::Account(Account { instance: self.instance, user_name: self.user_name }),
            },
            reason_given: self.reason.is_some(),
        };
        policies.explain(&request, self.context)
    }
}

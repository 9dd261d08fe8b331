//! Why policy decides as it does: for operators who write policies.
//!
//! Each policy is evaluated alone, once as it is and once without its conditions. A policy that applies only without them almost
//! decided.

use cedar_policy::{Effect, Policy, PolicySet};
use serde_json::Value;

use crate::policy::{AuthzContext, AuthzRequest, AuthzResponse, Policies};

/// The answer to a request, and every policy whose scope matches the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answer of [`Policies::is_authorized`].
    pub response: AuthzResponse,
    /// The policies, by role, then by id.
    pub policies: Vec<PolicyEvaluation>,
}

/// A policy whose scope matches the principal, action and resource of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEvaluation {
    /// Its part in the answer.
    pub role: Role,
    /// Its id.
    pub id: String,
    /// Whether it is a `permit`; otherwise it is a `forbid`.
    pub is_permit: bool,
    /// Its text in policy.cedar.
    pub text: String,
}

/// The part of a policy in an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It decided.
    Decided,
    /// It failed to evaluate, so the answer is no; the text says why.
    Failed(String),
    /// It applies and is overridden: a `permit` under a `forbid`.
    Overridden,
    /// Its conditions are not met.
    AlmostApplies,
}

impl Policies {
    /// Answers as [`Policies::is_authorized`], and tells the part of each policy in the answer.
    pub fn explain(&self, request: &AuthzRequest<'_>, context: AuthzContext) -> Explanation {
        let response = self.is_authorized(request, context);
        let evaluations = self.set.policies().filter_map(|policy| {
            let id = policy.id().to_string();
            let role = match self.evaluate_alone(policy.clone(), request, context)? {
                Ok(true) if response.policies.contains(&id) => Role::Decided,
                Ok(true) => Role::Overridden,
                Ok(false) => match self.evaluate_alone(without_conditions(policy)?, request, context)? {
                    Ok(true) => Role::AlmostApplies,
                    _ => return None,
                },
                Err(why) => Role::Failed(why),
            };
            Some(PolicyEvaluation { role, id, is_permit: policy.effect() == Effect::Permit, text: policy.to_string() })
        });
        let mut policies: Vec<_> = evaluations.collect();
        policies.sort_by(|a, b| (&a.role, &a.id).cmp(&(&b.role, &b.id)));
        Explanation { response, policies }
    }

    /// Whether a policy alone applies; `Err` if it fails to evaluate, `None` if it cannot be evaluated alone.
    fn evaluate_alone(
        &self,
        policy: Policy,
        request: &AuthzRequest<'_>,
        context: AuthzContext,
    ) -> Option<Result<bool, String>> {
        let mut set = PolicySet::new();
        set.add(policy).ok()?;
        let request = self.cedar_request(request, context).ok()?;
        let response = self.evaluate([&set], request).ok()?.pop()?;
        let diagnostics = response.diagnostics();
        Some(match diagnostics.errors().next() {
            Some(error) => Err(error.to_string()),
            None => Ok(diagnostics.reason().next().is_some()),
        })
    }
}

/// Returns the policy with its scope alone.
fn without_conditions(policy: &Policy) -> Option<Policy> {
    let mut json = policy.to_json().ok()?;
    json.as_object_mut()?.insert("conditions".into(), Value::Array(Vec::new()));
    Policy::from_json(Some(policy.id().clone()), json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app;
    use crate::policy::permit::Decision;
    use crate::policy::{Account, Action, Principal, Resource};
    use crate::request::actor::Actor;
    use crate::request::ids::DeliveryId;
    use crate::request::removal::RemovalRequest;

    /// Returns the answer, and each policy's role and id, for a principal of these teams whose own account is `alice`.
    fn explained(policy: &str, teams: &[&str], action: Action, environment: &str, last_hour: i64) -> Vec<String> {
        let schema = include_str!("../../config/schema.cedarschema");
        let (config, policies) = app::load(include_str!("../../config/offboard.toml"), policy, schema).unwrap();
        let instance = config.instances().iter().find(|instance| instance.environment == environment).unwrap();
        let actor = Actor {
            principal: "slack/U1".into(),
            caller: "slack".into(),
            kind: "slack".into(),
            groups: Default::default(),
        };
        let teams: Vec<_> = teams.iter().map(|team| (*team).to_owned()).collect();
        let request = AuthzRequest {
            principal: Principal { actor: &actor, teams: &teams, accounts: &["alice".into()] },
            action,
            resource: Resource::Account(Account { instance, user_name: "bob" }),
            reason_given: false,
        };
        let context = AuthzContext {
            // A Monday.
            now: "2026-06-01T20:00:00Z".parse().unwrap(),
            dry_run: false,
            confirmed: true,
            approved: false,
            removals_last_hour: last_hour,
            instance_removals_last_hour: 0,
            waiting_requests: 0,
        };
        let explanation = policies.explain(&request, context);
        assert_eq!(explanation.response, policies.is_authorized(&request, context));
        let decided: Vec<_> =
            explanation.policies.iter().filter(|p| p.role == Role::Decided).map(|p| p.id.clone()).collect();
        assert_eq!(decided, explanation.response.policies);
        let roles = explanation.policies.iter().map(|evaluation| {
            assert!(policy.contains(&evaluation.text));
            let effect = if evaluation.is_permit { "permit" } else { "forbid" };
            let role = match &evaluation.role {
                Role::Failed(_) => "Failed".to_owned(),
                role => format!("{role:?}"),
            };
            format!("{role}: {effect} {}", evaluation.id)
        });
        [explanation.response.allowed.to_string()].into_iter().chain(roles).collect()
    }

    #[test]
    fn the_part_of_each_policy_in_an_answer() {
        let demo = include_str!("../../config/policy.cedar");
        let overflow = r#"@id("yes") permit (principal, action, resource);
            @id("no") forbid (principal, action, resource);
            @id("fails") forbid (principal, action, resource) when { context.removals_last_hour + 9223372036854775807 > 0 };
            @id("unless") permit (principal, action, resource) unless { context.confirmed };
            @id("elsewhere") permit (principal, action, resource in Environment::"production");"#;
        let brake = "AlmostApplies: forbid brake-twenty-an-hour";
        let own = "AlmostApplies: permit own-account";
        let waiting = "AlmostApplies: forbid twenty-requests-wait";
        for (policy, teams, action, environment, last_hour, expected) in [
            (
                demo,
                &["dba"][..],
                Action::Delete,
                "staging",
                19,
                vec!["true", "Decided: permit dba-removes-on-staging", brake, own],
            ),
            (
                demo,
                &["dba"],
                Action::Delete,
                "staging",
                20,
                vec!["false", "Decided: forbid brake-twenty-an-hour", "Overridden: permit dba-removes-on-staging", own],
            ),
            (demo, &[], Action::Delete, "staging", 0, vec!["false", brake, own]),
            (
                demo,
                &["dba"],
                Action::Request,
                "production",
                0,
                vec![
                    "false",
                    "Decided: forbid production-in-working-hours",
                    "Overridden: permit dba-asks-on-production",
                    waiting,
                ],
            ),
            (demo, &["dba"], Action::Request, "staging", 0, vec!["false", waiting]),
            (demo, &["dba"], Action::Approve, "staging", 0, vec!["true", "Decided: permit dba-approves"]),
            (
                overflow,
                &[],
                Action::Delete,
                "staging",
                1,
                vec![
                    "false",
                    "Failed: forbid fails",
                    "Overridden: forbid no",
                    "Overridden: permit yes",
                    "AlmostApplies: permit unless",
                ],
            ),
            (
                overflow,
                &[],
                Action::Delete,
                "staging",
                0,
                vec![
                    "false",
                    "Decided: forbid fails",
                    "Decided: forbid no",
                    "Overridden: permit yes",
                    "AlmostApplies: permit unless",
                ],
            ),
        ] {
            assert_eq!(explained(policy, teams, action, environment, last_hour), expected);
        }
    }

    /// The gateway decides by the same answers.
    #[test]
    fn an_explanation_agrees_with_the_decision() {
        let [offboard, policy, schema] = [
            include_str!("../../config/offboard.toml"),
            include_str!("../../config/policy.cedar"),
            include_str!("../../config/schema.cedarschema"),
        ];
        let (config, policies) = app::load(offboard, policy, schema).unwrap();
        for (principal, instance, user_name, now, last_hour, expected) in [
            ("slack/U2CERLKJA", "analytics", "alice", "2026-06-01T10:00:00Z", 0, "permit: dba-removes-on-staging"),
            (
                "slack/U2CERLKJA",
                "analytics",
                "dana",
                "2026-06-01T10:00:00Z",
                0,
                "permit: dba-removes-on-staging, own-account",
            ),
            ("slack/U2CERLKJA", "analytics", "alice", "2026-06-01T10:00:00Z", 20, "denial: brake-twenty-an-hour"),
            ("slack/U2CERLKJA", "warehouse", "alice", "2026-06-01T10:00:00Z", 0, "approval: dba-asks-on-production"),
            ("slack/U2CERLKJA", "warehouse", "dana", "2026-06-01T10:00:00Z", 0, "permit: own-account"),
            ("slack/U2CERLKJA", "warehouse", "alice", "2026-06-06T10:00:00Z", 0, "denial: production-in-working-hours"),
            ("slack/U1", "analytics", "dana", "2026-06-01T10:00:00Z", 0, "denial: "),
            ("hr", "analytics", "alice", "2026-06-01T10:00:00Z", 0, "permit: dba-removes-on-staging"),
        ] {
            let removal = RemovalRequest {
                actor: match principal.split_once('/') {
                    Some((caller, id)) => Actor::person(config.caller(caller).unwrap(), id),
                    None => Actor::system(config.caller(principal).unwrap()),
                },
                user_name: config.accounts.parse(user_name).unwrap(),
                instance: config.instance(instance).unwrap(),
                reason: None,
                delivery: DeliveryId::recorded("1".into()),
                dry_run: false,
                caused_by: None,
            };
            let context = AuthzContext {
                now: now.parse().unwrap(),
                dry_run: false,
                confirmed: true,
                approved: false,
                removals_last_hour: last_hour,
                instance_removals_last_hour: 0,
                waiting_requests: 0,
            };
            let decided = match policies.decide(&removal, &config, context).0 {
                Decision::Permit(permit) => ("permit", permit.policies().to_vec()),
                Decision::NeedsApproval { policies } => ("approval", policies),
                Decision::Denial(denial) => ("denial", denial.policies().to_vec()),
            };
            let asking = Principal::of(&removal.actor, &config);
            let explain = |action| policies.explain(&AuthzRequest::about(&removal, asking, action), context).response;
            let explained = match (explain(Action::Delete), explain(Action::Request)) {
                (delete, _) if delete.allowed => ("permit", delete.policies),
                (_, request) if request.allowed => ("approval", request.policies),
                (delete, _) => ("denial", delete.policies),
            };
            assert_eq!(explained, decided, "{principal} {instance}/{user_name}");
            assert_eq!(format!("{}: {}", decided.0, decided.1.join(", ")), expected);
        }
    }
}

//! Why policy says what it says: for whoever writes policies.
//!
//! Each policy is asked alone, once as it is and once with its conditions taken away. What applies without them and not with
//! them nearly decided.

use cedar_policy::{Effect, Policy, PolicySet};
use serde_json::Value;

use crate::policy::{AuthzContext, AuthzRequest, AuthzResponse, Policies};

/// The verdict on a question, and every policy whose scope takes the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What [`Policies::ask`] says.
    pub verdict: AuthzResponse,
    /// By role, then by id.
    pub policies: Vec<PolicyEvaluation>,
}

/// A policy whose principal, action and resource are those of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEvaluation {
    /// What it did.
    pub role: Role,
    /// Its id.
    pub id: String,
    /// Whether it is a `permit`; else it is a `forbid`.
    pub is_permit: bool,
    /// Its text, as it was written.
    pub text: String,
}

/// What a policy did for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It decided.
    Decided,
    /// It failed, which makes every verdict a no; the text says how.
    Failed(String),
    /// It applies, and another one decided: a `permit` under a `forbid`.
    Overruled,
    /// Its conditions are not met.
    Nearly,
}

impl Policies {
    /// Asks as [`Policies::ask`] does, and says what each policy had to do with the verdict.
    pub fn explain(&self, question: &AuthzRequest<'_>, circumstances: AuthzContext) -> Explanation {
        let verdict = self.is_authorized(question, circumstances);
        let considered = self.set.policies().filter_map(|policy| {
            let id = policy.id().to_string();
            let role = match self.alone(policy.clone(), question, circumstances)? {
                Ok(true) if verdict.policies.contains(&id) => Role::Decided,
                Ok(true) => Role::Overruled,
                Ok(false) => match self.alone(without_conditions(policy)?, question, circumstances)? {
                    Ok(true) => Role::Nearly,
                    _ => return None,
                },
                Err(why) => Role::Failed(why),
            };
            Some(PolicyEvaluation { role, id, is_permit: policy.effect() == Effect::Permit, text: policy.to_string() })
        });
        let mut policies: Vec<_> = considered.collect();
        policies.sort_by(|a, b| (&a.role, &a.id).cmp(&(&b.role, &b.id)));
        Explanation { verdict, policies }
    }

    /// Whether a policy applies when there is no other; `Err` when it fails, `None` when it cannot be asked.
    fn alone(
        &self,
        policy: Policy,
        question: &AuthzRequest<'_>,
        circumstances: AuthzContext,
    ) -> Option<Result<bool, String>> {
        let mut set = PolicySet::new();
        set.add(policy).ok()?;
        let picture = self.cedar_request(question, circumstances).ok()?;
        let response = self.evaluate([&set], picture).ok()?.pop()?;
        let diagnostics = response.diagnostics();
        Some(match diagnostics.errors().next() {
            Some(error) => Err(error.to_string()),
            None => Ok(diagnostics.reason().next().is_some()),
        })
    }
}

/// The same policy, deciding by principal, action and resource alone.
fn without_conditions(policy: &Policy) -> Option<Policy> {
    let mut json = policy.to_json().ok()?;
    json.as_object_mut()?.insert("conditions".into(), Value::Array(Vec::new()));
    Policy::from_json(Some(policy.id().clone()), json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app;
    use crate::policy::Account;
    use crate::policy::Action;
    use crate::policy::Principal;
    use crate::policy::permit::Decision;
    use crate::request::actor::Actor;
    use crate::request::ids::DeliveryId;
    use crate::request::removal::RemovalRequest;

    /// The verdict, and each policy's role and id, for somebody of these teams who is `alice`.
    fn explained(policy: &str, teams: &[&str], action: Action, environment: &str, last_hour: i64) -> Vec<String> {
        let schema = include_str!("../../config/schema.cedarschema");
        let (config, policies) = app::load(include_str!("../../config/offboard.toml"), policy, schema).unwrap();
        let instance = config.instances().iter().find(|instance| instance.environment == environment).unwrap();
        let actor =
            Actor { principal: "slack/U1".into(), caller: "slack".into(), kind: "slack".into(), groups: Vec::new() };
        let teams: Vec<_> = teams.iter().map(|team| (*team).to_owned()).collect();
        let question = AuthzRequest {
            who: Principal { actor: &actor, teams: &teams, accounts: &["alice".into()] },
            action,
            account: Some(Account { instance, user_name: "bob" }),
            reason_given: false,
        };
        let circumstances = AuthzContext {
            // A Monday.
            now: "2026-06-01T20:00:00Z".parse().unwrap(),
            dry_run: false,
            confirmed: true,
            removals_last_hour: last_hour,
            instance_removals_last_hour: 0,
        };
        let explanation = policies.explain(&question, circumstances);
        assert_eq!(explanation.verdict, policies.is_authorized(&question, circumstances));
        let decided: Vec<_> =
            explanation.policies.iter().filter(|p| p.role == Role::Decided).map(|p| p.id.clone()).collect();
        assert_eq!(decided, explanation.verdict.policies);
        let roles = explanation.policies.iter().map(|considered| {
            assert!(policy.contains(&considered.text));
            let effect = if considered.is_permit { "permit" } else { "forbid" };
            let role = match &considered.role {
                Role::Failed(_) => "Failed".to_owned(),
                role => format!("{role:?}"),
            };
            format!("{role}: {effect} {}", considered.id)
        });
        [explanation.verdict.allowed.to_string()].into_iter().chain(roles).collect()
    }

    #[test]
    fn what_each_policy_has_to_do_with_a_verdict() {
        let demo = include_str!("../../config/policy.cedar");
        let overflow = r#"@id("yes") permit (principal, action, resource);
            @id("no") forbid (principal, action, resource);
            @id("fails") forbid (principal, action, resource) when { context.removals_last_hour + 9223372036854775807 > 0 };
            @id("unless") permit (principal, action, resource) unless { context.confirmed };
            @id("elsewhere") permit (principal, action, resource in Environment::"production");"#;
        let brake = "Nearly: forbid brake-twenty-an-hour";
        let own = "Nearly: permit own-account";
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
                vec!["false", "Decided: forbid brake-twenty-an-hour", "Overruled: permit dba-removes-on-staging", own],
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
                    "Overruled: permit dba-asks-on-production",
                ],
            ),
            (demo, &["dba"], Action::Request, "staging", 0, vec!["false"]),
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
                    "Overruled: forbid no",
                    "Overruled: permit yes",
                    "Nearly: permit unless",
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
                    "Overruled: permit yes",
                    "Nearly: permit unless",
                ],
            ),
        ] {
            assert_eq!(explained(policy, teams, action, environment, last_hour), expected);
        }
    }

    /// The gateway decides by the same verdicts.
    #[test]
    fn an_explanation_says_what_the_gateway_decides() {
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
            };
            let circumstances = AuthzContext {
                now: now.parse().unwrap(),
                dry_run: false,
                confirmed: true,
                removals_last_hour: last_hour,
                instance_removals_last_hour: 0,
            };
            let decided = match policies.decide(&removal, &config, circumstances).0 {
                Decision::Permit(permit) => ("permit", permit.policies().to_vec()),
                Decision::NeedsApproval { policies } => ("approval", policies),
                Decision::Denial { policies } => ("denial", policies),
            };
            let who = Principal::of(&removal.actor, &config);
            let explain = |action| policies.explain(&AuthzRequest::about(&removal, who, action), circumstances).verdict;
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

//! The policies in force, for those who may read them.

use cedar_policy::{ActionConstraint, Effect, Policy, PrincipalConstraint, ResourceConstraint};

use crate::policy::Policies;

/// A policy and its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInForce {
    /// Its id.
    pub id: String,
    /// Whether it is a `permit`; otherwise it is a `forbid`.
    pub is_permit: bool,
    /// The entity that the principal is or belongs to, as `Team::"dba"`, or the type that it has; `None` if any principal is meant.
    pub principal: Option<String>,
    /// The names of the actions, or of their groups; empty if all are meant.
    pub actions: Vec<String>,
    /// The entity that the resource is or belongs to, or the type that it has; `None` if any resource is meant.
    pub resource: Option<String>,
    /// Whether it has conditions (`when`, `unless`).
    pub has_conditions: bool,
    /// Its text in policy.cedar.
    pub text: String,
}

impl Policies {
    /// Returns all policies: those that forbid, then those that permit, each by id.
    pub fn in_force(&self) -> Vec<PolicyInForce> {
        let mut policies: Vec<_> = self.set.policies().map(in_force).collect();
        policies.sort_unstable_by(|a, b| (a.is_permit, &a.id).cmp(&(b.is_permit, &b.id)));
        policies
    }
}

fn in_force(policy: &Policy) -> PolicyInForce {
    PolicyInForce {
        id: policy.id().to_string(),
        is_permit: policy.effect() == Effect::Permit,
        principal: match policy.principal_constraint() {
            PrincipalConstraint::Any => None,
            PrincipalConstraint::Is(kind) => Some(kind.to_string()),
            PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                Some(uid.to_string())
            }
        },
        actions: match policy.action_constraint() {
            ActionConstraint::Any => Vec::new(),
            ActionConstraint::Eq(uid) => vec![uid.id().unescaped().to_owned()],
            ActionConstraint::In(uids) => uids.iter().map(|uid| uid.id().unescaped().to_owned()).collect(),
        },
        resource: match policy.resource_constraint() {
            ResourceConstraint::Any => None,
            ResourceConstraint::Is(kind) => Some(kind.to_string()),
            ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
                Some(uid.to_string())
            }
        },
        has_conditions: policy.has_non_scope_constraint(),
        text: policy.to_string(),
    }
}

impl Policies {
    /// Returns the teams that policies name, in order, each once.
    pub fn named_teams(&self) -> Vec<String> {
        let entities = self.set.policies().flat_map(Policy::entity_literals);
        let teams = entities.filter(|entity| *entity.type_name() == self.names.team);
        let mut teams: Vec<_> = teams.map(|team| team.id().unescaped().to_owned()).collect();
        teams.sort_unstable();
        teams.dedup();
        teams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_in_force() {
        let policies =
            Policies::parse(include_str!("../../config/policy.cedar"), include_str!("../../config/schema.cedarschema"))
                .unwrap();
        let lines: Vec<_> = policies
            .in_force()
            .iter()
            .map(|policy| {
                let effect = if policy.is_permit { "permit" } else { "forbid" };
                let conditions = if policy.has_conditions { " with conditions" } else { "" };
                let or_any = |entity: &Option<String>| entity.clone().unwrap_or_else(|| "any".to_owned());
                let (principal, resource) = (or_any(&policy.principal), or_any(&policy.resource));
                assert!(policy.text.contains(&policy.id));
                format!("{effect} {}: {principal}, {}, {resource}{conditions}", policy.id, policy.actions.join("+"))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "forbid brake-twenty-an-hour: any, delete, any with conditions",
                "forbid production-in-working-hours: any, delete+request, Environment::\"production\" with conditions",
                "forbid twenty-requests-wait: any, request, any with conditions",
                "permit dba-approves: Team::\"dba\", approve, any",
                "permit dba-asks-on-production: Team::\"dba\", request, Environment::\"production\"",
                "permit dba-lists: Team::\"dba\", list, any",
                "permit dba-looks-up: Team::\"dba\", audit, any",
                "permit dba-removes-on-staging: Team::\"dba\", delete, Environment::\"staging\"",
                "permit own-account: any, delete, any with conditions",
            ]
        );
        assert_eq!(policies.named_teams(), ["dba"]);
    }
}

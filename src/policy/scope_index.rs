//! Policies by the entities in their scopes, so that a thousand policies about other teams cost a request nothing.
//!
//! Cedar evaluates every policy of the set that it is given. A scope names at most one entity for the principal and one for the
//! resource, and cannot match unless that entity is the request's own or one that it belongs to. So only the sets whose
//! entities are among these are evaluated. A policy that is left out could neither have applied nor have failed: Cedar evaluates
//! a condition only if the scope matches.

use std::collections::HashMap;

use cedar_policy::{ActionConstraint, Entity, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint};

/// Values by the entity that a scope names; `None` if it names none.
type ByEntity<T> = HashMap<Option<EntityUid>, T>;

/// Sets of policies by action, then by the scope's principal, then by its resource.
#[derive(Debug)]
pub(super) struct ScopeIndex(HashMap<EntityUid, ByEntity<ByEntity<PolicySet>>>);

impl ScopeIndex {
    /// Sorts the policies of a set, for each of these actions.
    ///
    /// # Errors
    ///
    /// If Cedar refuses to add a policy to a set; the policies of one set never cause this.
    pub(super) fn new(set: &PolicySet, actions: impl IntoIterator<Item = EntityUid>) -> Result<Self, String> {
        let actions: Vec<_> = actions.into_iter().collect();
        let mut by_action = HashMap::<_, ByEntity<ByEntity<PolicySet>>>::new();
        for policy in set.policies() {
            let (principal, resource) = (principal(policy), resource(policy));
            for action in actions.iter().filter(|action| may_be_about(policy, action)) {
                let resources = by_action.entry(action.clone()).or_default().entry(principal.clone()).or_default();
                let set = resources.entry(resource.clone()).or_default();
                set.add(policy.clone()).map_err(|error| error.to_string())?;
            }
        }
        Ok(Self(by_action))
    }

    /// Returns the sets that can apply to a request. `entities` are its principal, its resource, and all entities that either
    /// belongs to.
    pub(super) fn applicable(&self, action: &EntityUid, entities: &[Entity]) -> Vec<&PolicySet> {
        let named = || std::iter::once(None).chain(entities.iter().map(|entity| Some(entity.uid())));
        let Some(principals) = self.0.get(action) else { return Vec::new() };
        let resources = named().filter_map(|principal| principals.get(&principal));
        resources.flat_map(|resources| named().filter_map(|resource| resources.get(&resource))).collect()
    }
}

fn principal(policy: &Policy) -> Option<EntityUid> {
    match policy.principal_constraint() {
        PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    }
}

fn resource(policy: &Policy) -> Option<EntityUid> {
    match policy.resource_constraint() {
        ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => Some(uid),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
    }
}

/// Whether a policy may be about this action. Only a scope with a single other action is certainly not; lists and groups of
/// actions are left to Cedar.
fn may_be_about(policy: &Policy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any | ActionConstraint::In(_) => true,
        ActionConstraint::Eq(uid) => uid == *action,
    }
}

#[cfg(test)]
mod tests {
    use crate::callers;
    use crate::config::Config;
    use crate::policy::decide::combine;
    use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Policies, Principal, Resource};
    use crate::request::actor::Actor;

    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    const PRINCIPALS: [&str; 7] = [
        "principal",
        "principal == User::\"slack/U1\"",
        "principal == User::\"slack/U2\"",
        "principal in Team::\"dba\"",
        "principal in Team::\"nobody\"",
        "principal is User",
        "principal is User in Team::\"dba\"",
    ];
    const ACTIONS: [&str; 4] = [
        "action",
        "action == Action::\"delete\"",
        "action in Action::\"change\"",
        "action in [Action::\"request\", Action::\"audit\"]",
    ];
    const RESOURCES: [&str; 7] = [
        "resource",
        "resource == Account::\"analytics/alice\"",
        "resource in Instance::\"analytics\"",
        "resource in Environment::\"staging\"",
        "resource is Account",
        "resource is Ledger",
        "resource is Account in Environment::\"staging\"",
    ];
    /// The last one fails to evaluate.
    const CONDITIONS: [&str; 5] =
        ["", "", "when { context.hour < 8 }", "", "when { context.hour * 9223372036854775807 > 0 }"];

    fn policies() -> Vec<String> {
        let mut policies = Vec::new();
        for (principal, action) in PRINCIPALS.iter().flat_map(|principal| ACTIONS.map(|action| (principal, action))) {
            for resource in RESOURCES {
                let number = policies.len();
                let effect = if number % 3 == 0 { "forbid" } else { "permit" };
                let condition = CONDITIONS[number % CONDITIONS.len()];
                policies
                    .push(format!("@id(\"p{number}\") {effect} ({principal}, {action}, {resource}) {condition};\n"));
            }
        }
        policies
    }

    /// Compares the answers; counts those that were a yes, a no and a failure.
    fn agree(policy: &str, seen: &mut [usize; 3]) {
        let schema = SCHEMA
            .replace("action delete applies", "action change; action delete in [change] applies")
            .replace("action request applies", "action request in [change] applies");
        let policies = Policies::parse(policy, &schema).unwrap();
        let config = Config::parse(include_str!("../../config/offboard.toml"), &callers::shapes()).unwrap();
        let context = AuthzContext {
            now: "2026-06-01T10:00:00Z".parse().unwrap(),
            dry_run: false,
            confirmed: true,
            approved: false,
            removals_last_hour: 0,
            instance_removals_last_hour: 0,
            waiting_requests: 0,
        };
        let resources = config
            .instances()
            .iter()
            .flat_map(|instance| {
                [Resource::Account(Account { instance, user_name: "alice" }), Resource::Instance(instance)]
            })
            .chain([Resource::Ledger]);
        let questions = resources.flat_map(|resource| Action::ALL.map(|action| (resource, action)));
        let is_asked = |(resource, action): &(Resource<'_>, Action)| match resource {
            Resource::Account(_) => ![Action::List, Action::Operate].contains(action),
            Resource::Instance(_) => *action == Action::List,
            Resource::Ledger => [Action::Audit, Action::Operate].contains(action),
        };
        for (resource, action) in questions.filter(is_asked) {
            for (principal, teams) in
                [("slack/U1", &["dba".to_owned()][..]), ("slack/U2", &[]), ("slack/U3", &["x".to_owned()])]
            {
                let actor = Actor {
                    principal: principal.into(),
                    caller: "slack".into(),
                    kind: "slack".into(),
                    groups: Default::default(),
                };
                let principal = Principal { actor: &actor, teams, accounts: &[] };
                let request = AuthzRequest { principal, action, resource, reason_given: false };
                let asked = policies.is_authorized(&request, context);
                let cedar_request = policies.cedar_request(&request, context).unwrap();
                let whole = combine(policies.evaluate([&policies.set], cedar_request));
                let sorted = |failed: &Option<String>| {
                    let mut lines: Vec<_> =
                        failed.iter().flat_map(|failed| failed.split("; ")).map(str::to_owned).collect();
                    lines.sort_unstable();
                    lines
                };
                assert_eq!((asked.allowed, &asked.policies), (whole.allowed, &whole.policies), "{request:?} {policy}");
                assert_eq!(sorted(&asked.failed), sorted(&whole.failed), "{request:?} {policy}");
                seen[match () {
                    () if asked.failed.is_some() => 2,
                    () if asked.allowed => 0,
                    () => 1,
                }] += 1;
            }
        }
    }

    /// Fourteen policies at a time, then all permits together: with all policies at once, every answer would be a no.
    #[test]
    fn the_sets_say_what_all_policies_say() {
        let all = policies();
        let mut seen = [0; 3];
        for some in all.chunks(14) {
            agree(&some.concat(), &mut seen);
        }
        let permits: Vec<_> = all
            .iter()
            .filter(|policy| policy.contains("permit") && !policy.contains('*'))
            .map(String::as_str)
            .collect();
        agree(&permits.concat(), &mut seen);
        assert!(seen.iter().all(|times| *times > 20), "{seen:?}");
    }
}

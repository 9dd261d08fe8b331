//! Decisions about removals: pure functions of request, policies and context.

use std::collections::BTreeSet;

use cedar_policy::{Decision as CedarDecision, Entities, Entity, PolicySet, Request, Response};

use crate::config::Config;
use crate::outcome::denial::Denial;
use crate::policy::cedar_request::CedarRequest;
use crate::policy::names::uid;
use crate::policy::permit::{ApprovalShortfall, Decision, Permit, permit};
use crate::policy::{Action, AuthzContext, AuthzRequest, AuthzResponse, Policies, Principal};
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

impl Policies {
    /// Decides whether the requester may remove the account at once, or at least request it. What may not be removed even if
    /// others approve cannot be requested: a `forbid` on `delete` is a no.
    ///
    /// The text says why evaluation failed, for the log; the decision is then a denial.
    pub fn decide<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        config: &Config,
        context: AuthzContext,
    ) -> (Decision<'c>, Option<String>) {
        let authorize = |action, context| {
            let request = AuthzRequest::about(removal, Principal::of(&removal.actor, config), action);
            self.is_authorized(&request, context)
        };
        let at_once = authorize(Action::Delete, context);
        if at_once.allowed {
            return (Decision::Permit(permit(removal, at_once.policies, self.digest())), None);
        }
        if at_once.failed.is_some() {
            return (Decision::Denial(Denial::NotEvaluated), at_once.failed);
        }
        let request = authorize(Action::Request, context);
        if request.allowed {
            let approved = authorize(Action::Delete, AuthzContext { approved: true, ..context });
            return match approved.is_forbidden() {
                true => (Decision::Denial(approved.denial()), approved.failed),
                false => (Decision::NeedsApproval { policies: request.policies }, None),
            };
        }
        // The policies that forbid the removal itself come first: they are the answer to the request that was made.
        let denial = if at_once.is_forbidden() { at_once.denial() } else { request.denial() };
        (Decision::Denial(denial), request.failed)
    }

    /// Decides whether a removal that `approvers` approved is permitted: the requester must still be permitted to remove the
    /// account or to request it, no policy may forbid to remove it although others approve (`context.approved`), and as many
    /// different people as the environment requires must be permitted to approve, none of them the requester or the person who
    /// caused the request.
    ///
    /// # Errors
    ///
    /// [`ApprovalShortfall::Denied`] if the requester is not permitted any more, [`ApprovalShortfall::Missing`] if too few
    /// people approved.
    pub fn decide_approved<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        approvers: &[Actor],
        config: &Config,
        context: AuthzContext,
    ) -> Result<Permit<'c>, ApprovalShortfall> {
        let requester = AuthzRequest::about(removal, Principal::of(&removal.actor, config), Action::Delete);
        let approved = AuthzContext { approved: true, ..context };
        let delete = self.is_authorized(&requester, approved);
        if delete.is_forbidden() {
            return Err(ApprovalShortfall::Denied(delete.denial(), delete.failed));
        }
        let request = self.is_authorized(&AuthzRequest { action: Action::Request, ..requester }, approved);
        let mut policies = match (request, delete) {
            (request, _) if request.allowed => request.policies,
            (request, delete) if request.failed.is_none() && delete.allowed => delete.policies,
            (request, _) => return Err(ApprovalShortfall::Denied(request.denial(), request.failed)),
        };
        let own = [Some(removal.actor.principal.as_str()), removal.caused_by.as_deref()];
        let own = own.map(|principal| principal.map(|principal| config.person(principal)));
        let mut people = BTreeSet::new();
        for approver in approvers {
            let request = AuthzRequest::about(removal, Principal::of(approver, config), Action::Approve);
            let person = config.person(&approver.principal);
            let response = self.is_authorized(&request, context);
            if !own.contains(&Some(person)) && response.allowed && people.insert(person) {
                policies.extend(response.policies);
            }
        }
        let required = usize::try_from(config.approvals.required(&removal.instance.environment)).unwrap_or(usize::MAX);
        if people.len() < required {
            return Err(ApprovalShortfall::Missing(required.saturating_sub(people.len())));
        }
        policies.sort_unstable();
        policies.dedup();
        Ok(permit(removal, policies, self.digest()))
    }

    /// Answers one request. If evaluation fails, the answer is no.
    pub fn is_authorized(&self, request: &AuthzRequest<'_>, context: AuthzContext) -> AuthzResponse {
        combine(self.cedar_request(request, context).and_then(|cedar_request| {
            let sets = self.scopes.applicable(&cedar_request.action, &cedar_request.entities);
            self.evaluate(sets, cedar_request)
        }))
    }

    pub(super) fn cedar_request(
        &self,
        request: &AuthzRequest<'_>,
        context: AuthzContext,
    ) -> Result<CedarRequest, String> {
        let mut cedar_request = CedarRequest::new(&self.names, &self.instances, request, context, self.uses_time)?;
        if let Some(groups) = self.groups.get(request.action.as_str()) {
            let parents = groups.iter().map(|group| uid(&self.names.action, group)).collect();
            cedar_request.entities.push(Entity::new_no_attrs(cedar_request.action.clone(), parents));
        }
        Ok(cedar_request)
    }

    /// Evaluates the request against each of the sets.
    pub(super) fn evaluate<'s>(
        &self,
        sets: impl IntoIterator<Item = &'s PolicySet>,
        request: CedarRequest,
    ) -> Result<Vec<Response>, String> {
        let CedarRequest { principal, action, resource, entities, context } = request;
        let entities = Entities::from_entities(entities, None).map_err(|error| format!("entities: {error}"))?;
        let request =
            Request::new(principal, action, resource, context, None).map_err(|error| format!("request: {error}"))?;
        Ok(sets.into_iter().map(|set| self.authorizer.is_authorized(&request, set, &entities)).collect())
    }
}

/// Combines the answers of several sets into the answer that one set of all their policies would give: a forbid wins,
/// whichever set it is in.
pub(super) fn combine(responses: Result<Vec<Response>, String>) -> AuthzResponse {
    let responses = match responses {
        Ok(responses) => responses,
        Err(why) => return AuthzResponse { allowed: false, policies: Vec::new(), failed: Some(why) },
    };
    let failed: Vec<_> =
        responses.iter().flat_map(|response| response.diagnostics().errors()).map(ToString::to_string).collect();
    if !failed.is_empty() {
        return AuthzResponse { allowed: false, policies: Vec::new(), failed: Some(failed.join("; ")) };
    }
    let reasons = |decision| {
        let of_decision = responses.iter().filter(move |response| response.decision() == decision);
        let mut policies: Vec<_> =
            of_decision.flat_map(|response| response.diagnostics().reason()).map(ToString::to_string).collect();
        policies.sort_unstable();
        policies
    };
    let (forbids, permits) = (reasons(CedarDecision::Deny), reasons(CedarDecision::Allow));
    let allowed = forbids.is_empty() && !permits.is_empty();
    AuthzResponse { allowed, policies: if forbids.is_empty() { permits } else { forbids }, failed: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers;
    use crate::request::account_name::AccountRules;
    use crate::request::ids::DeliveryId;
    use crate::request::reason::Reason;

    const POLICY: &str = include_str!("../../config/policy.cedar");
    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    /// The demo's configuration, with the requester in these teams.
    fn config(teams: &[&str]) -> Config {
        let mut text = include_str!("../../config/offboard.toml").replace("\"slack/U2CERLKJA\", \"portal", "\"portal");
        for team in teams {
            text += &format!("\n[[team]]\nname = \"{team}\"\nmembers = [\"slack/U2CERLKJA\"]\n");
        }
        Config::parse(&text, &callers::shapes()).unwrap()
    }

    fn actor(principal: &str) -> Actor {
        let caller = principal.split('/').next().unwrap();
        Actor { principal: principal.into(), caller: caller.into(), kind: caller.into(), groups: Default::default() }
    }

    fn removal<'c>(config: &'c Config, instance: &str, user_name: &str, reason: &str) -> RemovalRequest<'c> {
        RemovalRequest {
            actor: actor("slack/U2CERLKJA"),
            user_name: AccountRules::default().parse(user_name).unwrap(),
            instance: config.instance(instance).unwrap(),
            reason: Reason::parse(reason).unwrap(),
            delivery: DeliveryId::recorded("1".into()),
            dry_run: false,
            caused_by: None,
        }
    }

    fn at(time: &str) -> AuthzContext {
        AuthzContext {
            now: time.parse().unwrap(),
            dry_run: false,
            confirmed: true,
            approved: false,
            removals_last_hour: 0,
            instance_removals_last_hour: 0,
            waiting_requests: 0,
        }
    }

    /// A Monday, at ten.
    const MONDAY: &str = "2026-06-01T10:00:00Z";

    /// Returns `Ok` with the policies of a permit, `Err` with those of another decision.
    fn decided(
        policies: &str,
        environment: &str,
        teams: &[&str],
        last_hour: i64,
        reason: &str,
    ) -> Result<Vec<String>, Vec<String>> {
        let config = config(teams);
        let instance = if environment == "production" { "warehouse" } else { "analytics" };
        let context = AuthzContext { removals_last_hour: last_hour, ..at(MONDAY) };
        let removal = removal(&config, instance, "alice", reason);
        match Policies::parse(policies, SCHEMA).unwrap().decide(&removal, &config, context).0 {
            Decision::Permit(permit) => Ok(permit.policies().to_vec()),
            Decision::NeedsApproval { policies } => Err([vec!["approval".to_owned()], policies].concat()),
            Decision::Denial(denial) => Err(denial.policies().to_vec()),
        }
    }

    #[test]
    fn the_demo_policy() {
        let permitted = Ok(vec!["dba-removes-on-staging".to_owned()]);
        assert_eq!(decided(POLICY, "staging", &["dba"], 0, ""), permitted);
        assert_eq!(decided(POLICY, "staging", &["dba", "other"], 19, ""), permitted);
        assert_eq!(decided(POLICY, "staging", &["dba"], 20, ""), Err(vec!["brake-twenty-an-hour".to_owned()]));
        assert_eq!(decided(POLICY, "staging", &["other"], 0, ""), Err(vec![]));
        assert_eq!(decided(POLICY, "staging", &[], 0, ""), Err(vec![]));
        let asks = ["approval", "dba-asks-on-production"].map(str::to_owned);
        // The brake is for removals at once: what others approve may go on.
        assert_eq!(decided(POLICY, "production", &["dba"], 0, ""), Err(asks.clone().into()));
        assert_eq!(decided(POLICY, "production", &["dba"], 20, ""), Err(asks.into()));
        assert_eq!(decided(POLICY, "production", &["other"], 0, ""), Err(vec![]));
    }

    /// So many of one person's requests wait that approvers cannot look at more.
    #[test]
    fn the_demo_policy_bounds_what_waits() {
        let config = config(&["dba"]);
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (waiting_requests, may_ask) in [(0, true), (19, true), (20, false), (200, false)] {
            let removal = removal(&config, "warehouse", "alice", "");
            match policies.decide(&removal, &config, AuthzContext { waiting_requests, ..at(MONDAY) }).0 {
                Decision::NeedsApproval { .. } if may_ask => {}
                Decision::Denial(denial) if !may_ask => assert_eq!(denial.policies(), ["twenty-requests-wait"]),
                other => panic!("{waiting_requests}: {other:?}"),
            }
        }
    }

    /// A forbid on `delete` is a no, unless it says that approvals lift it; also one that fails to evaluate.
    #[test]
    fn a_forbid_is_a_no_to_requests_and_approvals() {
        let ask = r#"@id("ask") permit (principal, action in [Action::"request", Action::"approve"], resource);"#;
        let remove = r#"@id("remove") permit (principal, action == Action::"delete", resource);"#;
        for (forbid, at_once, request, approved) in [
            ("", "denied: ", "approval: ask", "permitted"),
            (r#"forbid (principal, action == Action::"delete", resource)"#, "denied: no", "denied: no", "denied: no"),
            (
                r#"forbid (principal, action, resource == Account::"warehouse/alice")"#,
                "denied: no",
                "denied: no",
                "denied: no",
            ),
            (
                r#"forbid (principal, action == Action::"delete", resource) unless { context.approved }"#,
                "denied: no",
                "approval: ask",
                "permitted",
            ),
            (
                r#"forbid (principal, action == Action::"delete", resource) when { context.approved }"#,
                "denied: ",
                "denied: no",
                "denied: no",
            ),
            (
                r#"forbid (principal, action == Action::"delete", resource) when { context.approved && context.hour * 9223372036854775807 > 0 }"#,
                "denied: ",
                "denied: ",
                "denied: ",
            ),
            (
                r#"forbid (principal, action == Action::"delete", resource == Account::"analytics/alice")"#,
                "denied: ",
                "approval: ask",
                "permitted",
            ),
        ] {
            let forbid = if forbid.is_empty() { String::new() } else { format!("@id(\"no\") {forbid};") };
            let config = config(&[]);
            let removal = removal(&config, "warehouse", "alice", "");
            let shown = |decision| match decision {
                Decision::Permit(permit) => format!("permit: {}", permit.policies().join(",")),
                Decision::NeedsApproval { policies } => format!("approval: {}", policies.join(",")),
                Decision::Denial(denial) => format!("denied: {}", denial.policies().join(",")),
            };
            let policies = |text: &str| Policies::parse(text, SCHEMA).unwrap();
            // Without a permit on `request`, `delete` alone is asked.
            assert_eq!(shown(policies(&forbid).decide(&removal, &config, at(MONDAY)).0), at_once, "{forbid}");
            assert_eq!(
                shown(policies(&format!("{ask}{forbid}")).decide(&removal, &config, at(MONDAY)).0),
                request,
                "{forbid}"
            );
            for permits in [ask.to_owned(), format!("{ask}{remove}")] {
                let text = format!("{permits}{forbid}");
                let decided = policies(&text).decide_approved(&removal, &[actor("slack/U1")], &config, at(MONDAY));
                let decided = match decided {
                    Ok(_) => "permitted".to_owned(),
                    Err(ApprovalShortfall::Denied(denial, _)) => format!("denied: {}", denial.policies().join(",")),
                    Err(missing) => format!("{missing:?}"),
                };
                assert_eq!(decided, approved, "{text}");
            }
        }
    }

    /// A removal that waits although policy permits it at once (a name that two people share) needs no permit on `request`.
    #[test]
    fn an_approved_removal_may_be_permitted_at_once() {
        let config = config(&["dba"]);
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        let text = include_str!("../../config/offboard.toml").replace("members = [", "members = [\"slack/U1\", ");
        let with_approver = Config::parse(&text, &callers::shapes()).unwrap();
        let removal = removal(&config, "analytics", "alice", "");
        let permit = policies.decide_approved(&removal, &[actor("slack/U1")], &with_approver, at(MONDAY)).unwrap();
        assert_eq!(permit.policies(), ["dba-approves", "dba-removes-on-staging"]);
        assert_eq!(permit.policy_set(), policies.digest());
    }

    /// The person who caused what a system asks for does not approve it, whatever policy says.
    #[test]
    fn who_caused_it_does_not_approve_it() {
        let text = include_str!("../../config/offboard.toml")
            .replace("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"portal/K2\"]");
        let config = Config::parse(&text, &callers::shapes()).unwrap();
        let policies = Policies::parse(r#"@id("all") permit (principal, action, resource);"#, SCHEMA).unwrap();
        for (caused_by, approver, counts) in [
            (None, "slack/U2CERLKJA", true),
            (Some("portal/K2"), "slack/U2CERLKJA", false),
            (Some("portal/K2"), "portal/K2", false),
            (Some("portal/K2"), "slack/U1", true),
            (Some("portal/K3"), "slack/U2CERLKJA", true),
        ] {
            let caused_by = caused_by.map(str::to_owned);
            let removal =
                RemovalRequest { actor: actor("hr"), caused_by, ..removal(&config, "warehouse", "alice", "") };
            let decided = policies.decide_approved(&removal, &[actor(approver)], &config, at(MONDAY)).map(|_| ());
            let expected = if counts { Ok(()) } else { Err(ApprovalShortfall::Missing(1)) };
            assert_eq!(decided, expected, "{:?} {approver}", removal.caused_by);
        }
    }

    /// A schema that an operator wrote for an earlier gateway lacks the attributes that came since; its policies cannot read them.
    #[test]
    fn a_schema_of_an_earlier_gateway() {
        let added = |line: &&str| !line.contains("approved: Bool") && !line.contains("waiting_requests: Long");
        let earlier: String = SCHEMA.lines().filter(added).map(|line| format!("{line}\n")).collect();
        assert!(earlier.len() < SCHEMA.len());
        let brake = r#"@id("yes") permit (principal, action, resource);
            @id("brake") forbid (principal, action == Action::"delete", resource) when { context.removals_last_hour >= 20 };"#;
        let policies = Policies::parse(brake, &earlier).unwrap();
        let config = config(&[]);
        let decide = |removals_last_hour| {
            let context = AuthzContext { removals_last_hour, ..at(MONDAY) };
            policies.decide(&removal(&config, "warehouse", "alice", ""), &config, context).0
        };
        assert!(matches!(decide(0), Decision::Permit(_)));
        assert!(matches!(decide(20), Decision::Denial(denial) if denial.policies() == ["brake"]));
        let reads = r#"@id("reads") permit (principal, action, resource) when { context.approved };"#;
        assert!(Policies::parse(reads, &earlier).is_err());
        // Any other attribute of the context is still needed.
        let without = SCHEMA.replace("    removals_last_hour: Long,", "");
        assert!(Policies::parse(r#"@id("yes") permit (principal, action, resource);"#, &without).is_err());
    }

    /// Hours and weekdays are at the operator's offset from UTC.
    #[test]
    fn the_demo_policy_knows_working_hours() {
        let config = config(&["dba"]);
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (time, open) in [
            (MONDAY, true),
            ("2026-06-01T07:59:59Z", false),
            ("2026-06-01T08:00:00Z", true),
            ("2026-06-01T17:59:59Z", true),
            ("2026-06-01T18:00:00Z", false),
            ("2026-06-01T08:00:00+08:00", true),
            ("2026-06-05T12:00:00Z", true),
            ("2026-06-06T12:00:00Z", false),
            ("2026-06-07T12:00:00Z", false),
        ] {
            let removal = removal(&config, "warehouse", "alice", "");
            let (decision, why) = policies.decide(&removal, &config, at(time));
            match decision {
                Decision::NeedsApproval { .. } if open => {}
                Decision::Denial(denial) if !open => assert_eq!(denial.policies(), ["production-in-working-hours"]),
                other => panic!("{time}: {other:?} {why:?}"),
            }
        }
    }

    #[test]
    fn the_demo_policy_permits_everybody_their_own_account() {
        let config = config(&[]);
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (user_name, own) in [("dana", true), ("alice", false)] {
            let decision = policies.decide(&removal(&config, "analytics", user_name, ""), &config, at(MONDAY)).0;
            assert_eq!(matches!(decision, Decision::Permit(_)), own, "{user_name}");
        }
    }

    /// As many other people as required must be permitted to approve, and the requester must still be permitted to request.
    #[test]
    fn what_an_approved_removal_takes() {
        let text = include_str!("../../config/offboard.toml")
            .replace("members = [", "members = [\"slack/U1\", \"slack/U2\", \"portal/K2\", ")
            .replace("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"portal/K2\"]");
        let twice = text.replace("production = 1", "production = 2");
        let left = text.replace("\"slack/U2CERLKJA\", \"portal/HPUA", "\"portal/HPUA");
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (text, approvers, expected) in [
            (&text, vec!["slack/U1"], Ok(())),
            (&text, vec![], Err(ApprovalShortfall::Missing(1))),
            (&text, vec!["slack/U9"], Err(ApprovalShortfall::Missing(1))),
            (&text, vec!["slack/U2CERLKJA"], Err(ApprovalShortfall::Missing(1))),
            // Another principal of the requester.
            (&text, vec!["portal/K2"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U1"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U2"], Ok(())),
            (&left, vec!["slack/U1"], Err(ApprovalShortfall::Denied(Denial::NotPermitted, None))),
        ] {
            let config = Config::parse(text, &callers::shapes()).unwrap();
            let removal = removal(&config, "warehouse", "alice", "");
            let approvers: Vec<_> = approvers.into_iter().map(actor).collect();
            let decided = policies.decide_approved(&removal, &approvers, &config, at(MONDAY));
            if let Ok(permit) = &decided {
                assert_eq!(permit.policies(), ["dba-approves", "dba-asks-on-production"]);
            }
            assert_eq!(decided.map(|_| ()), expected, "{approvers:?}");
        }
    }

    #[test]
    fn everything_that_the_schema_names_can_be_asked() {
        let policy = r#"@id("all") permit (principal, action == Action::"delete", resource) when {
            principal.caller == "slack" && principal.kind == "slack" && principal.accounts == ["dana"]
            && resource.user_name == "alice" && resource in Instance::"analytics"
            && context.caller_kind == "slack" && !context.dry_run && context.reason_given && context.confirmed
            && context.weekday == "monday" && context.hour == 10
            && context.time >= datetime("2026-06-01T09:59:59Z") && context.time < datetime("2026-06-01T10:00:01Z")
            && context.removals_last_hour == 3 && context.instance_removals_last_hour == 0
            && !context.approved && context.waiting_requests == 0
        };"#;
        assert_eq!(decided(policy, "staging", &[], 3, "left"), Ok(vec!["all".to_owned()]));
        assert_eq!(decided(policy, "staging", &[], 3, ""), Err(vec![]));
    }

    /// `context.time` is left out if no policy reads it, however its name is written.
    #[test]
    fn the_time_is_there_if_a_policy_reads_it() {
        for (asking, answered) in [
            ("context has time", true),
            (r#"context["\u{74}ime"] > datetime("2026-01-01")"#, true),
            (r#"context["\x74ime"] > datetime("2026-01-01")"#, true),
            ("context has \"tim\"", false),
        ] {
            let policy = format!("@id(\"all\") permit (principal, action, resource) when {{ {asking} }};");
            let expected = if answered { Ok(vec!["all".to_owned()]) } else { Err(vec![]) };
            assert_eq!(decided(&policy, "staging", &[], 0, ""), expected, "{asking}");
        }
    }

    /// Cedar ignores a policy that fails; a failing forbid must not lead to a permit.
    #[test]
    fn a_policy_that_fails_is_a_denial() {
        let policy = r#"@id("yes") permit (principal, action, resource);
            @id("overflow") forbid (principal, action, resource) when { context.removals_last_hour + 9223372036854775807 > 0 };"#;
        assert_eq!(decided(policy, "staging", &[], 1, ""), Err(vec![]));
    }
}

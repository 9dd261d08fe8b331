//! Decisions: pure, over the request, the policies and the context.

use std::collections::BTreeSet;

use cedar_policy::{Decision as CedarDecision, Entities, Entity, PolicySet, Request, Response};

use crate::config::Config;
use crate::policy::cedar_request::CedarRequest;
use crate::policy::names::uid;
use crate::policy::permit::{ApprovalShortfall, Decision, Permit, permit};
use crate::policy::{Action, AuthzContext, AuthzRequest, AuthzResponse, Policies, Principal};
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

impl Policies {
    /// Asks whether somebody may remove an account at once, or at least ask for it.
    ///
    /// The text says why it could not be decided, for the log; then it is a denial.
    pub fn decide<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        config: &Config,
        circumstances: AuthzContext,
    ) -> (Decision<'c>, Option<String>) {
        let question = |action| AuthzRequest::about(removal, Principal::of(&removal.actor, config), action);
        let at_once = self.is_authorized(&question(Action::Delete), circumstances);
        if at_once.allowed {
            return (Decision::Permit(permit(removal, at_once.policies)), None);
        }
        if at_once.failed.is_some() {
            return (Decision::Denial { policies: at_once.policies }, at_once.failed);
        }
        let request = self.is_authorized(&question(Action::Request), circumstances);
        if request.allowed {
            return (Decision::NeedsApproval { policies: request.policies }, None);
        }
        // What forbids it at once is said first: it is what whoever asked ran into.
        let policies = if at_once.policies.is_empty() { request.policies } else { at_once.policies };
        (Decision::Denial { policies }, request.failed)
    }

    /// Asks whether somebody who asked, with those who approved, may have an account removed: whoever asked must still be one
    /// who may, and so must `required` others, each another person and none of them whoever asked.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn decide_approved<'c>(
        &self,
        removal: &RemovalRequest<'c>,
        approvers: &[Actor],
        config: &Config,
        circumstances: AuthzContext,
    ) -> Result<Permit<'c>, ApprovalShortfall> {
        let requester = AuthzRequest::about(removal, Principal::of(&removal.actor, config), Action::Request);
        let (asked, at_once) = (
            self.is_authorized(&requester, circumstances),
            self.is_authorized(&AuthzRequest { action: Action::Delete, ..requester }, circumstances),
        );
        let mut policies = match (asked, at_once) {
            (asked, _) if asked.allowed => asked.policies,
            (_, at_once) if at_once.allowed => at_once.policies,
            (asked, _) => return Err(ApprovalShortfall::Denied(asked.policies, asked.failed)),
        };
        let own = config.person(&removal.actor.principal);
        let mut people = BTreeSet::new();
        for approver in approvers {
            let question = AuthzRequest::about(removal, Principal::of(approver, config), Action::Approve);
            let person = config.person(&approver.principal);
            let verdict = self.is_authorized(&question, circumstances);
            if person != own && verdict.allowed && people.insert(person) {
                policies.extend(verdict.policies);
            }
        }
        let required = usize::try_from(config.approvals.required(&removal.instance.environment)).unwrap_or(usize::MAX);
        if people.len() < required {
            return Err(ApprovalShortfall::Missing(required.saturating_sub(people.len())));
        }
        policies.sort_unstable();
        policies.dedup();
        Ok(permit(removal, policies))
    }

    /// Asks whether somebody may do something to an account. What cannot be decided is a no.
    pub fn is_authorized(&self, question: &AuthzRequest<'_>, circumstances: AuthzContext) -> AuthzResponse {
        verdict(self.cedar_request(question, circumstances).and_then(|picture| {
            let sets = self.scopes.applicable(question.action, &picture);
            self.evaluate(sets, picture)
        }))
    }

    pub(crate) fn cedar_request(
        &self,
        question: &AuthzRequest<'_>,
        circumstances: AuthzContext,
    ) -> Result<CedarRequest, String> {
        let mut picture = CedarRequest::of(&self.names, question, circumstances, self.with_time)?;
        if let Some(groups) = self.groups.get(question.action.as_str()) {
            let parents = groups.iter().map(|group| uid(&self.names.action, group)).collect();
            picture.entities.push(Entity::new_no_attrs(picture.action.clone(), parents));
        }
        Ok(picture)
    }

    /// What each of the sets says.
    pub(crate) fn evaluate<'s>(
        &self,
        sets: impl IntoIterator<Item = &'s PolicySet>,
        picture: CedarRequest,
    ) -> Result<Vec<Response>, String> {
        let CedarRequest { principal, action, resource, entities, context } = picture;
        let entities = Entities::from_entities(entities, None).map_err(|error| format!("entities: {error}"))?;
        let request =
            Request::new(principal, action, resource, context, None).map_err(|error| format!("request: {error}"))?;
        Ok(sets.into_iter().map(|set| self.authorizer.is_authorized(&request, set, &entities)).collect())
    }
}

/// What all of them say together is what one set of all their policies would say: a forbid wins, whichever has it.
pub(crate) fn verdict(responses: Result<Vec<Response>, String>) -> AuthzResponse {
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
        let said = responses.iter().filter(move |response| response.decision() == decision);
        let mut policies: Vec<_> =
            said.flat_map(|response| response.diagnostics().reason()).map(ToString::to_string).collect();
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
    use crate::policy::load::DEEPEST;
    use crate::request::account_name::AccountRules;
    use crate::request::ids::DeliveryId;
    use crate::request::reason::Reason;

    const POLICY: &str = include_str!("../../config/policy.cedar");
    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    /// The demo's configuration; the person who asks is in these teams.
    fn config(teams: &[&str]) -> Config {
        let mut text = include_str!("../../config/offboard.toml").replace("\"slack/U2CERLKJA\", \"portal", "\"portal");
        for team in teams {
            text += &format!("\n[[team]]\nname = \"{team}\"\nmembers = [\"slack/U2CERLKJA\"]\n");
        }
        Config::parse(&text, &callers::shapes()).unwrap()
    }

    fn actor(principal: &str) -> Actor {
        let caller = principal.split('/').next().unwrap();
        Actor { principal: principal.into(), caller: caller.into(), kind: caller.into(), groups: Vec::new() }
    }

    fn removal<'c>(config: &'c Config, instance: &str, user_name: &str, reason: &str) -> RemovalRequest<'c> {
        RemovalRequest {
            actor: actor("slack/U2CERLKJA"),
            user_name: AccountRules::default().parse(user_name).unwrap(),
            instance: config.instance(instance).unwrap(),
            reason: Reason::parse(reason).unwrap(),
            delivery: DeliveryId::recorded("1".into()),
            dry_run: false,
        }
    }

    fn at(time: &str) -> AuthzContext {
        AuthzContext {
            now: time.parse().unwrap(),
            dry_run: false,
            confirmed: true,
            removals_last_hour: 0,
            instance_removals_last_hour: 0,
        }
    }

    /// A Monday, at ten.
    const MONDAY: &str = "2026-06-01T10:00:00Z";

    /// `Ok` with the policies of a permit, `Err` with those of a denial.
    fn decided(
        policies: &str,
        environment: &str,
        teams: &[&str],
        last_hour: i64,
        reason: &str,
    ) -> Result<Vec<String>, Vec<String>> {
        let config = config(teams);
        let instance = if environment == "production" { "warehouse" } else { "analytics" };
        let circumstances = AuthzContext { removals_last_hour: last_hour, ..at(MONDAY) };
        let removal = removal(&config, instance, "alice", reason);
        match Policies::parse(policies, SCHEMA).unwrap().decide(&removal, &config, circumstances).0 {
            Decision::Permit(permit) => Ok(permit.policies().to_vec()),
            Decision::NeedsApproval { policies } => Err([vec!["approval".to_owned()], policies].concat()),
            Decision::Denial { policies } => Err(policies),
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
        assert_eq!(decided(POLICY, "production", &["dba"], 0, ""), Err(asks.into()));
        assert_eq!(decided(POLICY, "production", &["other"], 0, ""), Err(vec![]));
    }

    /// Hours and weekdays are those of the operator's clock.
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
                Decision::Denial { policies } if !open => assert_eq!(policies, ["production-in-working-hours"]),
                other => panic!("{time}: {other:?} {why:?}"),
            }
        }
    }

    #[test]
    fn the_demo_policy_lets_everybody_remove_their_own() {
        let config = config(&[]);
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (user_name, own) in [("dana", true), ("alice", false)] {
            let decision = policies.decide(&removal(&config, "analytics", user_name, ""), &config, at(MONDAY)).0;
            assert_eq!(matches!(decision, Decision::Permit(_)), own, "{user_name}");
        }
    }

    /// Somebody else, who may, and as many of them as are needed; and whoever asked must still be one who may ask.
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
            // The same person by another way.
            (&text, vec!["portal/K2"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U1"], Err(ApprovalShortfall::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U2"], Ok(())),
            (&left, vec!["slack/U1"], Err(ApprovalShortfall::Denied(vec![], None))),
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
        };"#;
        assert_eq!(decided(policy, "staging", &[], 3, "left"), Ok(vec!["all".to_owned()]));
        assert_eq!(decided(policy, "staging", &[], 3, ""), Err(vec![]));
    }

    /// It is left out where nobody asks for it, however that is written.
    #[test]
    fn the_time_is_there_for_whoever_asks() {
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

    /// Cedar passes over a policy that fails; here a forbid that fails must not open the door.
    #[test]
    fn a_policy_that_fails_is_a_denial() {
        let policy = r#"@id("yes") permit (principal, action, resource);
            @id("overflow") forbid (principal, action, resource) when { context.removals_last_hour + 9223372036854775807 > 0 };"#;
        assert_eq!(decided(policy, "staging", &[], 1, ""), Err(vec![]));
    }

    #[test]
    fn files_that_cannot_be_used_are_refused_in_words() {
        let refused = |policy: &str| Policies::parse(policy, SCHEMA).unwrap_err().to_string();
        let begins = |policy: &str, start: &str| {
            let error = refused(policy);
            assert!(error.starts_with(start), "{error}");
        };
        begins(
            "permit (principal, action, resource);",
            "policy.cedar, line 1: policy number 1 (a permit) has no good `@id`",
        );
        begins(
            r#"@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);"#,
            "policy.cedar, line 1: two policies have the @id `a`",
        );
        begins("permit (principal", "policy.cedar, line 1: unexpected end of input; expected `");
        begins(
            r#"@id("a") permit (principal, action, resource) when { context.reson };"#,
            "policy.cedar, line 1: for policy `a`, attribute `reson`",
        );
        begins(
            r#"@id("a") permit (principal == ?principal, action, resource);"#,
            "policy.cedar, line 1: templates are not supported",
        );
        let nested = |levels: usize| {
            let (open, close) = ("(".repeat(levels), ")".repeat(levels));
            format!("@id(\"a\") permit (principal, action, resource)\nwhen {{ {open}true{close} }};")
        };
        begins(&nested(DEEPEST), "policy.cedar, line 2: it is nested more than 20 levels deep");
        assert!(Policies::parse(&nested(DEEPEST - 1), SCHEMA).is_ok());
        assert!(
            Policies::parse(POLICY, "entity X").unwrap_err().to_string().starts_with("schema.cedarschema, line 1: ")
        );
        assert_eq!(
            Policies::parse(POLICY, "").unwrap_err().to_string(),
            "policy.cedar, line 7: for policy `dba-removes-on-staging`, unrecognized entity type `Team`"
        );
    }
}

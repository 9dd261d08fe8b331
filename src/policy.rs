//! Cedar: may this actor remove this account, now?
//!
//! Pure: the request, the clock and the counts are arguments; no HTTP and no SQL is known here. This is the only module
//! that can make a [`Permit`], and without one no DELETE can be built (`taurusdb`).
//!
//! Default deny, forbid wins (Cedar's own rules, <https://docs.cedarpolicy.com/auth/authorization.html>). Beyond that,
//! closed: policies must pass Cedar's strict validation against the schema, each needs an `@id` of its own, and a policy
//! that fails while it is evaluated is a denial, because a `forbid` that failed would otherwise not be heard.
//!
//! Not supported: templates, and the actions `request` and `approve`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use crate::account::UserName;
use crate::command::{Actor, Removal};
use crate::config::Instance;

/// The largest policy or schema file that is read, in bytes. On wasm Cedar's guard against deep recursion cannot see the
/// stack, so what is parsed is bounded.
pub const LARGEST: usize = 1024 * 1024;

/// What is wrong with policy.cedar or schema.cedarschema, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// The proof that policy said yes to one removal. Only [`Policies::decide`] makes one.
#[derive(Debug)]
pub struct Permit<'c> {
    instance: &'c Instance,
    user_name: UserName,
    policies: Vec<String>,
}

impl<'c> Permit<'c> {
    /// The instance that it was given for.
    pub fn instance(&self) -> &'c Instance {
        self.instance
    }

    /// The account that it was given for.
    pub fn user_name(&self) -> &UserName {
        &self.user_name
    }

    /// The ids of the policies that permitted it.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
}

/// What policy said.
#[derive(Debug)]
pub enum Decision<'c> {
    /// Yes.
    Permit(Permit<'c>),
    /// No.
    Denial {
        /// The ids of the `forbid` policies that decided, or of those that failed; empty when nothing permits it.
        policies: Vec<String>,
    },
}

/// What a decision depends on beside the removal itself.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The actor's teams.
    pub teams: &'a [String],
    /// The time of the request.
    pub now: DateTime<Utc>,
    /// The actor's removals in the last hour.
    pub removals_last_hour: i64,
    /// The instance's removals in the last hour.
    pub instance_removals_last_hour: i64,
}

/// An account, as policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Where it is.
    pub instance: &'a Instance,
    /// Its name.
    pub user_name: &'a str,
}

/// Who wants to do it to which account.
struct Question<'a> {
    actor: &'a Actor,
    account: Account<'a>,
    reason_given: bool,
}

/// Policies and schema, parsed and validated once an instance.
#[derive(Debug)]
pub struct Policies {
    set: PolicySet,
    schema: Schema,
    authorizer: Authorizer,
    names: Names,
    digest: String,
}

/// Entity type names, parsed once.
#[derive(Debug)]
struct Names {
    user: EntityTypeName,
    team: EntityTypeName,
    account: EntityTypeName,
    instance: EntityTypeName,
    environment: EntityTypeName,
    delete: EntityUid,
    audit: EntityUid,
}

impl Names {
    fn new() -> Option<Self> {
        let name = |text| EntityTypeName::from_str(text).ok();
        Some(Self {
            user: name("User")?,
            team: name("Team")?,
            account: name("Account")?,
            instance: name("Instance")?,
            environment: name("Environment")?,
            delete: EntityUid::from_str(r#"Action::"delete""#).ok()?,
            audit: EntityUid::from_str(r#"Action::"audit""#).ok()?,
        })
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

impl Policies {
    /// Parses policy.cedar and schema.cedarschema and holds the one against the other.
    ///
    /// # Errors
    ///
    /// What is wrong, as Cedar says it, with the file's name.
    pub fn parse(policy: &str, schema: &str) -> Result<Self, PolicyError> {
        for (file, text) in [("policy.cedar", policy), ("schema.cedarschema", schema)] {
            if text.len() > LARGEST {
                return Err(PolicyError(format!("{file}: the file is over {LARGEST} bytes")));
            }
        }
        let digest = Sha256::new().chain_update(policy).chain_update([0]).chain_update(schema).finalize();
        let (schema, _) = Schema::from_cedarschema_str(schema)
            .map_err(|error| PolicyError(format!("schema.cedarschema: {error}")))?;
        let parsed = PolicySet::from_str(policy).map_err(|error| PolicyError(format!("policy.cedar: {error}")))?;
        let set = named(&parsed)?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if let Some(error) = checked.validation_errors().next() {
            return Err(PolicyError(format!("policy.cedar: {error}")));
        }
        let names = Names::new().ok_or_else(|| PolicyError("the entity type names cannot be parsed".into()))?;
        for (name, needed) in [("delete", &names.delete), ("audit", &names.audit)] {
            if !schema.actions().any(|action| action == needed) {
                return Err(PolicyError(format!(
                    "schema.cedarschema: action `{name}` is missing; keep the schema that came with the gateway"
                )));
            }
        }
        Ok(Self {
            set,
            schema,
            authorizer: Authorizer::new(),
            names,
            digest: hex::encode(digest).chars().take(12).collect(),
        })
    }

    /// The first 12 hexadecimal digits of the files' SHA-256.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Asks whether the actor may remove the account at once.
    ///
    /// A request that cannot be put to Cedar at all is a denial by no policy; the text in the error says why, for the log.
    pub fn decide<'c>(
        &self,
        removal: &Removal<'c>,
        circumstances: Circumstances<'_>,
    ) -> (Decision<'c>, Option<String>) {
        let account = Account { instance: removal.instance, user_name: removal.user_name.as_str() };
        let question = Question { actor: &removal.actor, account, reason_given: removal.reason.is_some() };
        match self.ask(&self.names.delete, &question, circumstances) {
            Ok((true, policies)) => {
                let permit = Permit { instance: removal.instance, user_name: removal.user_name.clone(), policies };
                (Decision::Permit(permit), None)
            }
            Ok((false, policies)) => (Decision::Denial { policies }, None),
            Err(why) => (Decision::Denial { policies: Vec::new() }, Some(why)),
        }
    }

    /// Asks whether the actor may look at what became of an account: `Ok` and `Err` hold the ids of the policies that decided.
    ///
    /// # Errors
    ///
    /// When they may not. The text says why it could not be decided, for the log, when it could not.
    pub fn may_audit(
        &self,
        actor: &Actor,
        account: Account<'_>,
        circumstances: Circumstances<'_>,
    ) -> Result<Vec<String>, (Vec<String>, Option<String>)> {
        let question = Question { actor, account, reason_given: false };
        match self.ask(&self.names.audit, &question, circumstances) {
            Ok((true, policies)) => Ok(policies),
            Ok((false, policies)) => Err((policies, None)),
            Err(why) => Err((Vec::new(), Some(why))),
        }
    }

    /// Whether Cedar allows it, and by which policies. What cannot be decided is an error.
    fn ask(
        &self,
        action: &EntityUid,
        question: &Question<'_>,
        circumstances: Circumstances<'_>,
    ) -> Result<(bool, Vec<String>), String> {
        let response = self.evaluate(action, question, circumstances)?;
        let failed: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
        if !failed.is_empty() {
            return Err(failed.join("; "));
        }
        let mut policies: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort_unstable();
        Ok((response.decision() == CedarDecision::Allow, policies))
    }

    fn evaluate(
        &self,
        action: &EntityUid,
        question: &Question<'_>,
        circumstances: Circumstances<'_>,
    ) -> Result<cedar_policy::Response, String> {
        let names = &self.names;
        let Question { actor, account: Account { instance: configured, user_name }, reason_given } = question;
        let principal = uid(&names.user, &actor.principal);
        let instance = uid(&names.instance, &configured.name);
        let environment = uid(&names.environment, &configured.environment);
        let account = uid(&names.account, &format!("{}/{user_name}", configured.name));
        let teams: HashSet<_> = circumstances.teams.iter().map(|team| uid(&names.team, team)).collect();

        let user = entity(
            principal.clone(),
            [
                ("caller", string(&actor.caller)),
                ("kind", string(&actor.kind)),
                ("accounts", RestrictedExpression::new_set([])),
            ],
            teams.clone(),
        )?;
        let entities = [
            user,
            entity(account.clone(), [("user_name", string(user_name))], [instance.clone()].into())?,
            entity(
                instance,
                [("project_id", string(&configured.project_id)), ("region", string(&configured.region))],
                [environment.clone()].into(),
            )?,
            Entity::new_no_attrs(environment, HashSet::new()),
        ];
        let teams = teams.into_iter().map(|team| Entity::new_no_attrs(team, HashSet::new()));
        let entities = Entities::from_entities(entities.into_iter().chain(teams), Some(&self.schema))
            .map_err(|error| format!("entities: {error}"))?;
        let time = circumstances.now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let context = Context::from_pairs(
            [
                ("caller_kind", string(&actor.kind)),
                ("dry_run", RestrictedExpression::new_bool(false)),
                ("reason_given", RestrictedExpression::new_bool(*reason_given)),
                ("time", RestrictedExpression::new_datetime(time)),
                ("removals_last_hour", RestrictedExpression::new_long(circumstances.removals_last_hour)),
                (
                    "instance_removals_last_hour",
                    RestrictedExpression::new_long(circumstances.instance_removals_last_hour),
                ),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        )
        .map_err(|error| format!("context: {error}"))?;
        let request = Request::new(principal, action.clone(), account, context, Some(&self.schema))
            .map_err(|error| format!("request: {error}"))?;
        Ok(self.authorizer.is_authorized(&request, &self.set, &entities))
    }
}

fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&str, RestrictedExpression); N],
    parents: HashSet<EntityUid>,
) -> Result<Entity, String> {
    let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    Entity::new(uid, attributes, parents).map_err(|error| format!("entity: {error}"))
}

/// The same policies under their `@id`s, so that every decision names what an operator wrote and not a position in a file.
fn named(parsed: &PolicySet) -> Result<PolicySet, PolicyError> {
    if parsed.templates().next().is_some() {
        return Err(PolicyError("policy.cedar: templates are not supported; write a policy for each case".into()));
    }
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").filter(|id| is_id(id)).ok_or_else(|| {
            let effect = match policy.effect() {
                Effect::Permit => "permit",
                Effect::Forbid => "forbid",
            };
            // Cedar numbers policies from 0 in the order of the file.
            let position = policy.id().to_string();
            let position = position.trim_start_matches("policy").parse::<usize>().map_or(0, |number| number.saturating_add(1));
            PolicyError(format!("policy.cedar: policy number {position} (a {effect}) has no good `@id`; write @id(\"a-name\") above it, 1 to 64 of A-Z a-z 0-9 `-` `_` `.`"))
        })?;
        let renamed = policy.new_id(PolicyId::new(id));
        set.add(renamed)
            .map_err(|_| PolicyError(format!("policy.cedar: two policies have the @id `{id}`; give each its own")))?;
    }
    Ok(set)
}

/// Ids stand in headers, in chat messages and between commas.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountRules;
    use crate::command::{Delivery, Reason};
    use crate::config::{Caller, CredentialSource};

    const POLICY: &str = include_str!("../config/policy.cedar");
    const SCHEMA: &str = include_str!("../config/schema.cedarschema");

    fn instance(environment: &str) -> Instance {
        Instance {
            name: "analytics".into(),
            project_id: "23a50154cf494ec9ad6883979a12db0a".into(),
            instance_id: "54e42160670e48e789af7075e1efea1fin17".into(),
            region: "ap-southeast-3".into(),
            endpoint: "https://gaussdb.ap-southeast-3.myhuaweicloud.com".into(),
            environment: environment.into(),
            credentials: CredentialSource::Token { token: "t".into() }.into(),
        }
    }

    fn removal<'c>(instance: &'c Instance, reason: &str) -> Removal<'c> {
        let caller = Caller { name: "slack".into(), kind: "slack".into(), keys: vec![] };
        Removal {
            actor: Actor::person(&caller, "U2CERLKJA"),
            user_name: AccountRules::default().parse("alice").unwrap(),
            instance,
            reason: Reason::parse(reason).unwrap(),
            delivery: Delivery::new(&caller, &[b"1"]),
        }
    }

    /// `Ok` with the policies of a permit, `Err` with those of a denial.
    fn decided(
        policies: &str,
        environment: &str,
        teams: &[&str],
        last_hour: i64,
        reason: &str,
    ) -> Result<Vec<String>, Vec<String>> {
        let instance = instance(environment);
        let teams: Vec<String> = teams.iter().map(ToString::to_string).collect();
        let circumstances = Circumstances {
            teams: &teams,
            now: "2026-06-01T10:00:00Z".parse().unwrap(),
            removals_last_hour: last_hour,
            instance_removals_last_hour: 0,
        };
        match Policies::parse(policies, SCHEMA).unwrap().decide(&removal(&instance, reason), circumstances).0 {
            Decision::Permit(permit) => Ok(permit.policies().to_vec()),
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
        assert_eq!(decided(POLICY, "production", &["dba"], 0, ""), Err(vec![]));
    }

    #[test]
    fn everything_that_the_schema_names_can_be_asked() {
        let policy = r#"@id("all") permit (principal, action == Action::"delete", resource) when {
            principal.caller == "slack" && principal.kind == "slack" && principal.accounts.isEmpty()
            && resource.user_name == "alice" && resource in Instance::"analytics"
            && context.caller_kind == "slack" && !context.dry_run && context.reason_given
            && context.time >= datetime("2026-06-01T09:59:59Z") && context.time < datetime("2026-06-01T10:00:01Z")
            && context.removals_last_hour == 3 && context.instance_removals_last_hour == 0
        };"#;
        assert_eq!(decided(policy, "staging", &[], 3, "left"), Ok(vec!["all".to_owned()]));
        assert_eq!(decided(policy, "staging", &[], 3, ""), Err(vec![]));
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
        begins("permit (principal, action, resource);", "policy.cedar: policy number 1 (a permit) has no good `@id`");
        begins(
            r#"@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);"#,
            "policy.cedar: two policies have the @id `a`",
        );
        begins("permit (principal", "policy.cedar: unexpected end of input");
        begins(
            r#"@id("a") permit (principal, action, resource) when { context.reson };"#,
            "policy.cedar: for policy `a`, attribute `reson`",
        );
        begins(
            r#"@id("a") permit (principal == ?principal, action, resource);"#,
            "policy.cedar: templates are not supported",
        );
        assert!(Policies::parse(POLICY, "entity X").unwrap_err().to_string().starts_with("schema.cedarschema: "));
        assert!(Policies::parse(POLICY, "").unwrap_err().to_string().starts_with("policy.cedar: "));
    }
}

//! Cedar: may this actor remove this account, now?
//!
//! Pure: the request, the clock and the counts are arguments; no HTTP and no SQL is known here. This is the only module
//! that can make a [`Permit`], and without one no DELETE can be built (`taurusdb`).
//!
//! Default deny, forbid wins (Cedar's own rules, <https://docs.cedarpolicy.com/auth/authorization.html>). Beyond that,
//! closed: policies must pass Cedar's strict validation against the schema, each needs an `@id` of its own, and a policy
//! that fails while it is evaluated is a denial, because a `forbid` that failed would otherwise not be heard.
//!
//! Not supported: templates.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    Authorizer, Decision as CedarDecision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, Response, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use chrono::{DateTime, FixedOffset};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::account::UserName;
use crate::command::{Actor, Removal};
use crate::config::{Config, Instance};
use crate::finding::{self, Finding, Severity};

mod explain;
mod picture;
mod prepared;
mod scopes;

use picture::{Picture, fits};
use scopes::Scopes;

pub use explain::{Considered, Explanation, Role};
pub use prepared::{NotPrepared, PREPARED};

const POLICY: &str = "policy.cedar";
const SCHEMA: &str = "schema.cedarschema";

/// The largest policy or schema file that is read, in bytes. On wasm Cedar's guard against deep recursion cannot see the
/// stack, so what is parsed is bounded.
pub const LARGEST: usize = 1024 * 1024;

/// How deep parentheses, brackets and braces may be nested, those in texts and comments counted: each level is a few calls of
/// Cedar's parser.
pub const DEEPEST: usize = 20;

/// What is wrong with policy.cedar or schema.cedarschema, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// The proof that policy said yes to one removal, at once or after enough people approved it. Only this module makes one.
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
    /// They may ask for it, and somebody else has to approve.
    NeedsApproval {
        /// The ids of the policies that let them ask.
        policies: Vec<String>,
    },
    /// No.
    Denial {
        /// The ids of the `forbid` policies that decided, or of those that failed; empty when nothing permits it.
        policies: Vec<String>,
    },
}

/// What a decision depends on beside the removal itself.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// The time of the request, where the operator is.
    pub now: DateTime<FixedOffset>,
    /// Nothing will be sent.
    pub dry_run: bool,
    /// Whoever asked was shown what would happen, and confirmed it.
    pub confirmed: bool,
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

/// Who wants to do what to which account.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub who: Who<'a>,
    /// What.
    pub action: Action,
    /// To which account; `None` for what names none: a refusal's row in the ledger.
    pub account: Option<Account<'a>>,
    /// Whether a reason was given for it.
    pub reason_given: bool,
}

/// Somebody, as policy sees them.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// What was proved of them.
    pub actor: &'a Actor,
    /// Their teams.
    pub teams: &'a [String],
    /// The StarRocks accounts that are their own.
    pub accounts: &'a [String],
}

impl<'a> Who<'a> {
    /// What the configuration says of an actor.
    pub fn of(actor: &'a Actor, config: &'a Config) -> Self {
        Self { actor, teams: config.teams(&actor.principal), accounts: config.own_accounts(&actor.principal) }
    }
}

/// What somebody may be permitted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Remove an account at once.
    Delete,
    /// Ask for it; somebody else has to approve.
    Request,
    /// Approve what another asked for.
    Approve,
    /// Look at what became of removals.
    Audit,
}

impl Action {
    /// All of them, as the schema names them.
    pub const ALL: [Self; 4] = [Self::Delete, Self::Request, Self::Approve, Self::Audit];

    /// The schema's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Audit => "audit",
        }
    }
}

/// What policy says to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Yes or no.
    pub allowed: bool,
    /// The ids of the policies that decided: the permits of a yes, the forbids of a no; empty when nothing permits it.
    pub policies: Vec<String>,
    /// Why it could not be decided, for the log; then it is a no.
    pub failed: Option<String>,
}

/// An entity that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The policy's id.
    pub policy: String,
    /// The entity's type: `Team`.
    pub kind: String,
    /// The entity's id: `dba`.
    pub id: String,
    /// The line of policy.cedar.
    pub line: Option<usize>,
}

/// Policies that were held against the schema, once an instance.
#[derive(Debug)]
pub struct Policies {
    set: PolicySet,
    /// The same ones, by what their scopes name.
    scopes: Scopes,
    /// The groups of actions that the schema has, each action's own and theirs; most schemas have none.
    groups: BTreeMap<String, Vec<String>>,
    /// Whether any of them can ask for the time.
    with_time: bool,
    authorizer: Authorizer,
    names: Names,
    /// The SHA-256 of the files, in hexadecimal digits.
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
    ledger: EntityTypeName,
    action: EntityTypeName,
}

impl Names {
    fn new() -> Option<Self> {
        // Not by `EntityTypeName::from_str`: Cedar would first make a parser, and an instance would start a millisecond later.
        let name = |text| {
            let uid = EntityUid::from_json(json!({"type": text, "id": ""})).ok()?;
            Some(uid.type_name().clone())
        };
        Some(Self {
            user: name("User")?,
            team: name("Team")?,
            account: name("Account")?,
            instance: name("Instance")?,
            environment: name("Environment")?,
            ledger: name("Ledger")?,
            action: name("Action")?,
        })
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

impl Policies {
    /// Parses policy.cedar and schema.cedarschema and holds the one against the other.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, as Cedar says it, with the file's name and the line.
    pub fn parse(policy: &str, schema: &str) -> Result<Self, PolicyError> {
        let (policies, findings) = Self::check(policy, schema);
        policies.ok_or_else(|| {
            let first = findings.iter().find(|finding| finding.is_error());
            PolicyError(first.map_or_else(|| "policy.cedar: cannot be used".into(), ToString::to_string))
        })
    }

    /// The same, with everything that is wrong and everything that Cedar warns of. There are policies exactly if there is no
    /// error.
    pub fn check(policy: &str, schema: &str) -> (Option<Self>, Vec<Finding>) {
        let (policies, mut findings) = Self::read(policy, schema);
        finding::sort(&mut findings);
        (policies, findings)
    }

    fn read(policy: &str, schema_text: &str) -> (Option<Self>, Vec<Finding>) {
        let files = [(POLICY, policy), (SCHEMA, schema_text)];
        let too_large = files.iter().filter(|(_, text)| text.len() > LARGEST);
        let mut findings: Vec<_> = too_large
            .map(|(file, _)| Finding::error(file, None, format!("the file is over {LARGEST} bytes")))
            .collect();
        findings.extend(files.iter().filter_map(|(file, text)| {
            let line = finding::line_at(text, too_deep(text)?);
            Some(Finding::error(
                file,
                Some(line),
                format!("it is nested more than {DEEPEST} levels deep; make it flatter"),
            ))
        }));
        if !findings.is_empty() {
            return (None, findings);
        }
        let parsed_schema = match Schema::from_cedarschema_str(schema_text) {
            Ok((parsed, warnings)) => {
                findings.extend(warnings.map(|warning| found(Severity::Warning, SCHEMA, schema_text, &warning)));
                Some(parsed)
            }
            Err(error) => {
                findings.push(found(Severity::Error, SCHEMA, schema_text, &error));
                None
            }
        };
        let set = match PolicySet::from_str(policy) {
            Ok(parsed) => Some(named(&parsed, policy, &mut findings)),
            Err(errors) => {
                findings.extend(errors.iter().map(|error| found(Severity::Error, POLICY, policy, error)));
                None
            }
        };
        let names = Names::new();
        if names.is_none() {
            findings.push(Finding::error(SCHEMA, None, "the entity type names cannot be parsed"));
        }
        let (Some(schema), Some(set), Some(names)) = (parsed_schema, set, names) else { return (None, findings) };
        findings.extend(validate(&set, &schema, policy));
        for needed in Action::ALL {
            let uid = uid(&names.action, needed.as_str());
            if !schema.actions().any(|action| *action == uid) {
                let message =
                    format!("action `{}` is missing; keep the schema that came with the gateway", needed.as_str());
                findings.push(Finding::error(SCHEMA, None, message));
            }
        }
        // A schema that lacks an action lacks more than can be said twice.
        let has_actions = !findings.iter().any(Finding::is_error);
        if has_actions && let Err(why) = fits(&names, &schema) {
            let message = format!(
                "the schema does not take what the gateway says of a removal: {why}; keep the schema that came with the gateway"
            );
            findings.push(Finding::error(SCHEMA, None, message));
        }
        let groups = groups(&names, &schema);
        if findings.iter().any(Finding::is_error) {
            return (None, findings);
        }
        match Scopes::of(&set, &names) {
            Ok(scopes) => {
                let (authorizer, digest) = (Authorizer::new(), digest(policy, schema_text));
                let with_time = can_ask_for_time(policy);
                (Some(Self { set, scopes, groups, with_time, authorizer, names, digest }), findings)
            }
            Err(why) => {
                findings.push(Finding::error(POLICY, None, why));
                (None, findings)
            }
        }
    }

    /// Every entity that a policy names, with its line in `policy`, the text that these policies were parsed from.
    pub fn mentions(&self, policy: &str) -> Vec<Mention> {
        let mut mentions = Vec::new();
        for named in self.set.policies() {
            let written = named.to_string();
            let start = policy.find(&written);
            for entity in named.entity_literals() {
                let place = start.map(|start| start.saturating_add(written.find(&entity.to_string()).unwrap_or(0)));
                let mention = Mention {
                    policy: named.id().to_string(),
                    kind: entity.type_name().to_string(),
                    id: entity.id().unescaped().to_owned(),
                    line: place.map(|place| finding::line_at(policy, place)),
                };
                if !mentions.contains(&mention) {
                    mentions.push(mention);
                }
            }
        }
        mentions
    }

    /// The first 12 hexadecimal digits of the files' SHA-256.
    pub fn digest(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }

    /// Asks whether somebody may remove an account at once, or at least ask for it.
    ///
    /// The text says why it could not be decided, for the log; then it is a denial.
    pub fn decide<'c>(
        &self,
        removal: &Removal<'c>,
        config: &Config,
        circumstances: Circumstances,
    ) -> (Decision<'c>, Option<String>) {
        let question = |action| Question::about(removal, Who::of(&removal.actor, config), action);
        let at_once = self.ask(&question(Action::Delete), circumstances);
        if at_once.allowed {
            return (Decision::Permit(permit(removal, at_once.policies)), None);
        }
        if at_once.failed.is_some() {
            return (Decision::Denial { policies: at_once.policies }, at_once.failed);
        }
        let request = self.ask(&question(Action::Request), circumstances);
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
        removal: &Removal<'c>,
        approvers: &[Actor],
        config: &Config,
        circumstances: Circumstances,
    ) -> Result<Permit<'c>, NotApproved> {
        let requester = Question::about(removal, Who::of(&removal.actor, config), Action::Request);
        let (asked, at_once) = (
            self.ask(&requester, circumstances),
            self.ask(&Question { action: Action::Delete, ..requester }, circumstances),
        );
        let mut policies = match (asked, at_once) {
            (asked, _) if asked.allowed => asked.policies,
            (_, at_once) if at_once.allowed => at_once.policies,
            (asked, _) => return Err(NotApproved::Denied(asked.policies, asked.failed)),
        };
        let own = config.person(&removal.actor.principal);
        let mut people = BTreeSet::new();
        for approver in approvers {
            let question = Question::about(removal, Who::of(approver, config), Action::Approve);
            let person = config.person(&approver.principal);
            let verdict = self.ask(&question, circumstances);
            if person != own && verdict.allowed && people.insert(person) {
                policies.extend(verdict.policies);
            }
        }
        let required = usize::try_from(config.approvals.required(&removal.instance.environment)).unwrap_or(usize::MAX);
        if people.len() < required {
            return Err(NotApproved::Missing(required.saturating_sub(people.len())));
        }
        policies.sort_unstable();
        policies.dedup();
        Ok(permit(removal, policies))
    }

    /// Asks whether somebody may do something to an account. What cannot be decided is a no.
    pub fn ask(&self, question: &Question<'_>, circumstances: Circumstances) -> Verdict {
        verdict(self.picture(question, circumstances).and_then(|picture| {
            let sets = self.scopes.applicable(question.action, &picture);
            self.evaluate(sets, picture)
        }))
    }

    fn picture(&self, question: &Question<'_>, circumstances: Circumstances) -> Result<Picture, String> {
        let mut picture = Picture::of(&self.names, question, circumstances, self.with_time)?;
        if let Some(groups) = self.groups.get(question.action.as_str()) {
            let parents = groups.iter().map(|group| uid(&self.names.action, group)).collect();
            picture.entities.push(Entity::new_no_attrs(picture.action.clone(), parents));
        }
        Ok(picture)
    }

    /// What each of the sets says.
    fn evaluate<'s>(
        &self,
        sets: impl IntoIterator<Item = &'s PolicySet>,
        picture: Picture,
    ) -> Result<Vec<Response>, String> {
        let Picture { principal, action, resource, entities, context } = picture;
        let entities = Entities::from_entities(entities, None).map_err(|error| format!("entities: {error}"))?;
        let request =
            Request::new(principal, action, resource, context, None).map_err(|error| format!("request: {error}"))?;
        Ok(sets.into_iter().map(|set| self.authorizer.is_authorized(&request, set, &entities)).collect())
    }
}

/// What all of them say together is what one set of all their policies would say: a forbid wins, whichever has it.
fn verdict(responses: Result<Vec<Response>, String>) -> Verdict {
    let responses = match responses {
        Ok(responses) => responses,
        Err(why) => return Verdict { allowed: false, policies: Vec::new(), failed: Some(why) },
    };
    let failed: Vec<_> =
        responses.iter().flat_map(|response| response.diagnostics().errors()).map(ToString::to_string).collect();
    if !failed.is_empty() {
        return Verdict { allowed: false, policies: Vec::new(), failed: Some(failed.join("; ")) };
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
    Verdict { allowed, policies: if forbids.is_empty() { permits } else { forbids }, failed: None }
}

/// Where a text is nested deeper than [`DEEPEST`].
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Whether `context.time` may be in a text: its name is, or an escape that may spell it.
fn can_ask_for_time(policy: &str) -> bool {
    policy.contains("time") || policy.contains('\\')
}

/// The SHA-256 of the files.
fn digest(policy: &str, schema: &str) -> String {
    hex::encode(Sha256::new().chain_update(policy).chain_update([0]).chain_update(schema).finalize())
}

/// The groups that each of the gateway's actions is in.
fn groups(names: &Names, schema: &Schema) -> BTreeMap<String, Vec<String>> {
    let Ok(actions) = schema.action_entities() else { return BTreeMap::new() };
    let groups = Action::ALL.map(|action| {
        let ancestors = actions.ancestors(&uid(&names.action, action.as_str())).into_iter().flatten();
        let mut groups: Vec<_> = ancestors.map(|group| group.id().unescaped().to_owned()).collect();
        groups.sort_unstable();
        (action.as_str().to_owned(), groups)
    });
    groups.into_iter().filter(|(_, groups)| !groups.is_empty()).collect()
}

impl<'a> Question<'a> {
    /// Whether somebody may do something about this removal.
    pub fn about(removal: &'a Removal<'_>, who: Who<'a>, action: Action) -> Self {
        let account = Account { instance: removal.instance, user_name: removal.user_name.as_str() };
        Self { who, action, account: Some(account), reason_given: removal.reason.is_some() }
    }
}

/// Why an approved removal is not permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotApproved {
    /// Whoever asked may not ask for it any more: the policies that decided, and why it could not be decided.
    Denied(Vec<String>, Option<String>),
    /// So many people have yet to approve.
    Missing(usize),
}

fn permit<'c>(removal: &Removal<'c>, policies: Vec<String>) -> Permit<'c> {
    Permit { instance: removal.instance, user_name: removal.user_name.clone(), policies }
}

/// The same policies under their `@id`s, so that every decision names what an operator wrote and not a position in a file.
/// Those that cannot be named are left out, and found.
fn named(parsed: &PolicySet, text: &str, findings: &mut Vec<Finding>) -> PolicySet {
    let line = |written: String| text.find(&written).map(|start| finding::line_at(text, start));
    findings.extend(parsed.templates().map(|template| {
        let message = "templates are not supported; write a policy for each case";
        Finding::error(POLICY, line(template.to_string()), message)
    }));
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let message = match policy.annotation("id").filter(|id| is_id(id)) {
            Some(id) if set.add(policy.new_id(PolicyId::new(id))).is_ok() => continue,
            Some(id) => format!("two policies have the @id `{id}`; give each its own"),
            None => {
                let effect = match policy.effect() {
                    Effect::Permit => "permit",
                    Effect::Forbid => "forbid",
                };
                // Cedar numbers policies from 0 in the order of the file.
                let position = policy.id().to_string();
                let position =
                    position.trim_start_matches("policy").parse::<usize>().map_or(0, |number| number.saturating_add(1));
                format!(
                    "policy number {position} (a {effect}) has no good `@id`; write @id(\"a-name\") above it, 1 to 64 of A-Z a-z 0-9 `-` `_` `.`"
                )
            }
        };
        findings.push(Finding::error(POLICY, line(policy.to_string()), message));
    }
    set
}

/// Holds policies against the schema.
fn validate(set: &PolicySet, schema: &Schema, text: &str) -> Vec<Finding> {
    let checked = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let errors = checked.validation_errors().map(|error| found(Severity::Error, POLICY, text, error));
    let wrong: HashSet<_> = checked.validation_errors().map(ValidationError::policy_id).collect();
    let unreachable: HashSet<_> = checked
        .validation_warnings()
        .filter(|warning| matches!(warning, ValidationWarning::InvalidActionApplication(_)))
        .map(ValidationWarning::policy_id)
        .collect();
    let warnings = checked.validation_warnings().filter_map(|warning| {
        let policy = warning.policy_id();
        let message = match warning {
            // It may well be because of the error.
            _ if wrong.contains(policy) => return None,
            ValidationWarning::InvalidActionApplication(_) => {
                format!("policy `{policy}` can never apply: no action of the schema takes such a principal and resource; correct its scope")
            }
            // Cedar says this of what no action reaches, too.
            ValidationWarning::ImpossiblePolicy(_) if unreachable.contains(policy) => return None,
            ValidationWarning::ImpossiblePolicy(_) => {
                format!("policy `{policy}` can never apply: it is false for every request that the schema allows; correct or remove it")
            }
            _ => return Some(found(Severity::Warning, POLICY, text, warning)),
        };
        Some(Finding { message, ..found(Severity::Warning, POLICY, text, warning) })
    });
    errors.chain(warnings).collect()
}

/// What Cedar says of a text, in its words.
fn found<'e, E>(severity: Severity, file: &'static str, text: &str, error: &'e E) -> Finding
where
    DetailedError: From<&'e E>,
{
    let DetailedError { mut message, help, source_locations, .. } = error.into();
    let place = source_locations.first();
    // What Cedar guesses was meant is seldom it, and another one each time.
    let help = help.filter(|help| !help.starts_with("did you mean"));
    for advice in [place.and_then(|place| place.label.clone()), help].into_iter().flatten() {
        message = format!("{message}; {advice}");
    }
    Finding { severity, file, line: place.map(|place| finding::line_at(text, place.loc.start)), message }
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

    const POLICY: &str = include_str!("../config/policy.cedar");
    const SCHEMA: &str = include_str!("../config/schema.cedarschema");

    /// The demo's configuration; the person who asks is in these teams.
    fn config(teams: &[&str]) -> Config {
        let mut text = include_str!("../config/offboard.toml").replace("\"slack/U2CERLKJA\", \"portal", "\"portal");
        for team in teams {
            text += &format!("\n[[team]]\nname = \"{team}\"\nmembers = [\"slack/U2CERLKJA\"]\n");
        }
        Config::parse(&text, &crate::caller::shapes()).unwrap()
    }

    fn actor(principal: &str) -> Actor {
        let caller = principal.split('/').next().unwrap();
        Actor { principal: principal.into(), caller: caller.into(), kind: caller.into(), groups: Vec::new() }
    }

    fn removal<'c>(config: &'c Config, instance: &str, user_name: &str, reason: &str) -> Removal<'c> {
        Removal {
            actor: actor("slack/U2CERLKJA"),
            user_name: AccountRules::default().parse(user_name).unwrap(),
            instance: config.instance(instance).unwrap(),
            reason: Reason::parse(reason).unwrap(),
            delivery: Delivery::recorded("1".into()),
            dry_run: false,
        }
    }

    fn at(time: &str) -> Circumstances {
        Circumstances {
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
        let circumstances = Circumstances { removals_last_hour: last_hour, ..at(MONDAY) };
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
        let text = include_str!("../config/offboard.toml")
            .replace("members = [", "members = [\"slack/U1\", \"slack/U2\", \"portal/K2\", ")
            .replace("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"portal/K2\"]");
        let twice = text.replace("production = 1", "production = 2");
        let left = text.replace("\"slack/U2CERLKJA\", \"portal/HPUA", "\"portal/HPUA");
        let policies = Policies::parse(POLICY, SCHEMA).unwrap();
        for (text, approvers, expected) in [
            (&text, vec!["slack/U1"], Ok(())),
            (&text, vec![], Err(NotApproved::Missing(1))),
            (&text, vec!["slack/U9"], Err(NotApproved::Missing(1))),
            (&text, vec!["slack/U2CERLKJA"], Err(NotApproved::Missing(1))),
            // The same person by another way.
            (&text, vec!["portal/K2"], Err(NotApproved::Missing(1))),
            (&twice, vec!["slack/U1"], Err(NotApproved::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U1"], Err(NotApproved::Missing(1))),
            (&twice, vec!["slack/U1", "slack/U2"], Ok(())),
            (&left, vec!["slack/U1"], Err(NotApproved::Denied(vec![], None))),
        ] {
            let config = Config::parse(text, &crate::caller::shapes()).unwrap();
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

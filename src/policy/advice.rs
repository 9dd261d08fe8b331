//! What to write instead, for errors that Cedar's validator finds in policies. Cedar says what is wrong; here stands the fix, in the
//! gateway's own names.
//!
//! A policy without an action in its scope is checked for every resource that an action of the schema takes, so one mistake is several
//! of Cedar's errors. They get the same words here, and the linter shows them once.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Schema;

use crate::policy::cedar_request::{CedarRequest, sample_requests};
use crate::policy::names::Names;

/// The names that policies can use.
pub(super) struct Vocabulary {
    /// The attributes of each entity type.
    attributes: BTreeMap<String, BTreeSet<String>>,
    /// The attributes of `context`.
    context: BTreeSet<String>,
    actions: BTreeSet<String>,
}

impl Vocabulary {
    /// Collects the names of the schema, and the attributes that the gateway's requests have.
    pub(super) fn new(names: &Names, schema: &Schema) -> Self {
        let known = schema.entity_types().map(|name| (name.to_string(), BTreeSet::new()));
        let mut vocabulary = Self {
            attributes: known.collect(),
            context: BTreeSet::new(),
            actions: schema.actions().map(|action| action.id().unescaped().to_owned()).collect(),
        };
        for CedarRequest { entities, context, .. } in sample_requests(names).unwrap_or_default() {
            vocabulary.context.extend(context.into_iter().map(|(name, _)| name));
            for entity in entities {
                let (uid, attributes, _) = entity.into_inner();
                if let Some(known) = vocabulary.attributes.get_mut(&uid.type_name().to_string()) {
                    known.extend(attributes.into_keys());
                }
            }
        }
        vocabulary
    }

    /// Returns Cedar's message with what to write; `None` if the message is not one of those that are known here.
    pub(super) fn advise(&self, message: &str) -> Option<String> {
        let (policy, what) = message.strip_prefix("for policy `")?.split_once("`, ")?;
        let advised = self
            .missing_attribute(what)
            .or_else(|| self.optional_attribute(what))
            .or_else(|| self.unknown_type(what))
            .or_else(|| self.unknown_action(what))?;
        Some(format!("for policy `{policy}`, {advised}"))
    }

    /// "attribute `user_name` on entity type `Ledger` not found", "attribute `hours` in context for Action::"delete" not found"
    fn missing_attribute(&self, what: &str) -> Option<String> {
        let (attribute, place) = what.strip_prefix("attribute `")?.strip_suffix(" not found")?.split_once('`')?;
        if place.starts_with(" in context for ") {
            return Some(format!(
                "attribute `{attribute}` is not in `context`; {}",
                self.instead("context", attribute)
            ));
        }
        let of_type = quoted(place).next()?;
        let variable = variable(of_type)?;
        let owners: Vec<_> = self
            .attributes
            .iter()
            .filter(|(_, attributes)| attributes.contains(attribute))
            .map(|(name, _)| name)
            .collect();
        let owner = owners.first().filter(|owner| variable_is(owner, variable));
        Some(match owner {
            // An account does not have what its instance has.
            Some(owner) if (of_type, owner.as_str()) == ("Account", "Instance") => format!(
                "attribute `{attribute}` is an attribute of `Instance` alone; for accounts write `resource in Instance::\"NAME\"`"
            ),
            Some(owner) => format!(
                "attribute `{attribute}` is an attribute of `{owner}` alone, and the policy also applies to other resources; write `{variable} is {owner} && {variable}.{attribute} …`"
            ),
            None => format!("`{of_type}` has no attribute `{attribute}`; {}", self.instead(variable, attribute)),
        })
    }

    /// "unable to guarantee safety of access to optional attribute `note` on entity type `Account`"
    fn optional_attribute(&self, what: &str) -> Option<String> {
        let access = what.strip_prefix("unable to guarantee safety of access to optional attribute `")?;
        let (attribute, place) = access.split_once('`')?;
        let variable = if place.starts_with(" in context") { "context" } else { variable(quoted(place).next()?)? };
        Some(format!(
            "attribute `{attribute}` of `{variable}` is optional; write `{variable} has {attribute} && {variable}.{attribute} …`"
        ))
    }

    /// "unrecognized entity type `Acount`"
    fn unknown_type(&self, what: &str) -> Option<String> {
        let name = what.strip_prefix("unrecognized entity type `")?.split('`').next()?;
        if self.attributes.is_empty() {
            return None;
        }
        let fix = meant(name, self.attributes.keys()).map_or_else(
            || format!("use one of {}", list(self.attributes.keys())),
            |known| format!("did you mean `{known}`?"),
        );
        Some(format!("unrecognized entity type `{name}`; {fix}"))
    }

    /// "unrecognized action `Action::"remove"`"
    fn unknown_action(&self, what: &str) -> Option<String> {
        let action = what.strip_prefix("unrecognized action `")?.split('`').next()?;
        let name = action.split_once("::\"").map_or(action, |(_, id)| id.trim_end_matches('"'));
        let fix = meant(name, self.actions.iter()).map_or_else(
            || format!("the actions are {}", list(self.actions.iter())),
            |known| format!("did you mean `Action::\"{known}\"`?"),
        );
        Some(format!("unrecognized action `{action}`; {fix}"))
    }

    /// What to write for an attribute that `variable` does not have.
    fn instead(&self, variable: &str, attribute: &str) -> String {
        let of = |name: &str| -> BTreeSet<&String> {
            match name {
                "context" => self.context.iter().collect(),
                name => self
                    .attributes
                    .iter()
                    .filter(|(owner, _)| variable_is(owner, name))
                    .flat_map(|(_, own)| own)
                    .collect(),
            }
        };
        let elsewhere = ["context", "principal", "resource"]
            .into_iter()
            .find(|other| of(other).iter().any(|own| *own == attribute));
        match (elsewhere, meant(attribute, of(variable))) {
            (Some(other), _) if other != variable => format!("write `{other}.{attribute}`"),
            (_, Some(known)) => format!("did you mean `{variable}.{known}`?"),
            _ => format!("`{variable}` has {}", list(of(variable))),
        }
    }
}

/// The variable of a policy that an entity of this type stands for.
fn variable(of_type: &str) -> Option<&'static str> {
    ["principal", "resource"].into_iter().find(|variable| variable_is(of_type, variable))
}

fn variable_is(of_type: &str, variable: &str) -> bool {
    match of_type {
        "User" => variable == "principal",
        "Account" | "Instance" | "Ledger" => variable == "resource",
        _ => false,
    }
}

/// The name that was probably meant: a third of its letters may be wrong.
fn meant<'k>(written: &str, known: impl IntoIterator<Item = &'k String>) -> Option<&'k String> {
    let lower = written.to_lowercase();
    let distance = |name: &String| strsim::osa_distance(&lower, &name.to_lowercase());
    let nearest = known.into_iter().min_by_key(|name| distance(name))?;
    (distance(nearest) <= written.chars().count().div_ceil(3)).then_some(nearest)
}

/// The names that stand in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn list<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::policy::Policies;

    /// Returns the errors about one policy.
    fn errors(policy: &str, schema: &str) -> Vec<String> {
        Policies::check(policy, schema).1.iter().filter(|found| found.is_error()).map(ToString::to_string).collect()
    }

    #[test]
    fn an_error_says_what_to_write() {
        let schema = include_str!("../../config/schema.cedarschema");
        for (policy, expected) in [
            (
                "(principal, action, resource) when { resource.user_name == \"alice\" }",
                "attribute `user_name` is an attribute of `Account` alone, and the policy also applies to other resources; write `resource is Account && resource.user_name …`",
            ),
            (
                "(principal, action == Action::\"audit\", resource) when { resource.user_name == \"alice\" }",
                "attribute `user_name` is an attribute of `Account` alone, and the policy also applies to other resources; write `resource is Account && resource.user_name …`",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { resource.usr_name == \"alice\" }",
                "`Account` has no attribute `usr_name`; did you mean `resource.user_name`?",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { principal.user_name == \"alice\" }",
                "`User` has no attribute `user_name`; write `resource.user_name`",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { principal.hour == 1 }",
                "`User` has no attribute `hour`; write `context.hour`",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { resource.region == \"x\" }",
                "attribute `region` is an attribute of `Instance` alone; for accounts write `resource in Instance::\"NAME\"`",
            ),
            (
                "(principal, action, resource) when { context.hours == 1 }",
                "attribute `hours` is not in `context`; did you mean `context.hour`?",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { context.accounts.contains(\"a\") }",
                "attribute `accounts` is not in `context`; write `principal.accounts`",
            ),
            (
                "(principal, action == Action::\"delete\", resource) when { principal.email == \"a\" }",
                "`User` has no attribute `email`; `principal` has `accounts`, `caller`, `kind`",
            ),
            (
                "(principal, action == Action::\"delete\", resource is Acount)",
                "unrecognized entity type `Acount`; did you mean `Account`?",
            ),
            (
                "(principal in Group::\"dba\", action == Action::\"delete\", resource)",
                "unrecognized entity type `Group`; use one of `Account`, `Environment`, `Instance`, `Ledger`, `Team`, `User`",
            ),
            (
                "(principal, action == Action::\"Delete\", resource)",
                "unrecognized action `Action::\"Delete\"`; did you mean `Action::\"delete\"`?",
            ),
            (
                "(principal, action == Action::\"offboard\", resource)",
                "unrecognized action `Action::\"offboard\"`; the actions are `approve`, `audit`, `delete`, `list`, `operate`, `request`",
            ),
        ] {
            let found = errors(&format!("\n@id(\"a\")\npermit {policy};"), schema);
            assert_eq!(found, [format!("policy.cedar, line 3: for policy `a`, {expected}")], "{policy}");
        }
    }

    #[test]
    fn an_optional_attribute_is_tested_for() {
        let schema = include_str!("../../config/schema.cedarschema")
            .replace("    user_name: String,", "    user_name: String,\n    note?: String,")
            .replace("    hour: Long,", "    hour: Long,\n    shift?: Long,");
        let found = errors(
            "@id(\"a\") permit (principal, action == Action::\"delete\", resource) when { resource.note == \"x\" };",
            &schema,
        );
        assert_eq!(
            found,
            [
                "policy.cedar, line 1: for policy `a`, attribute `note` of `resource` is optional; write `resource has note && resource.note …`"
            ]
        );
        let found = errors(
            "@id(\"a\") permit (principal, action == Action::\"delete\", resource) when { context.shift == 1 };",
            &schema,
        );
        assert_eq!(
            found,
            [
                "policy.cedar, line 1: for policy `a`, attribute `shift` of `context` is optional; write `context has shift && context.shift …`"
            ]
        );
    }

    /// What the advice says to write is accepted.
    #[test]
    fn the_advice_is_right() {
        let schema = include_str!("../../config/schema.cedarschema");
        let policy = "@id(\"a\") permit (principal, action, resource) when { resource is Account && resource.user_name == \"alice\" };";
        assert_eq!(errors(policy, schema), [""; 0]);
    }
}

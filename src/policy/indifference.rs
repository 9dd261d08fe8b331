//! Up to which counts policies answer as they do when nothing is counted.
//!
//! A brake such as `context.removals_last_hour >= 20` does not tell 0 from 19. While the counts stay below every number that a
//! policy compares them with, an answer for 0 is the answer for all of them, so a removal can be decided before it is counted; the
//! ledger then claims it only if the counts are really that low.
//!
//! Only comparisons of a count with a number are understood. Counts that a policy uses otherwise have no such bound, and removals
//! are counted before they are decided.

use cedar_policy::{Policy, PolicySet};
use serde_json::{Map, Value};

use crate::policy::counts::{Counts, RecentRemovals};

const REQUESTER: &str = "removals_last_hour";
const INSTANCE: &str = "instance_removals_last_hour";
const WAITING: &str = "waiting_requests";

/// Counts that no comparison has narrowed.
const UNBOUNDED: Counts =
    Counts { removals: RecentRemovals { requester: i64::MAX, instance: i64::MAX }, waiting: i64::MAX };

/// Whether a policy uses a count.
pub(super) fn uses_counts(policy: &Policy) -> bool {
    let mut counts = UNBOUNDED;
    let narrowed = policy.to_json().ok().and_then(|json| narrow(&json, &mut counts));
    narrowed.is_none() || counts != UNBOUNDED
}

/// Returns the largest counts at which every policy of the set answers as at 0; `None` if a policy uses a count otherwise than in a
/// comparison with a number.
pub(super) fn largest_indifferent_counts(set: &PolicySet) -> Option<Counts> {
    let mut counts = UNBOUNDED;
    for policy in set.policies() {
        narrow(&policy.to_json().ok()?, &mut counts)?;
    }
    Some(counts)
}

/// Narrows the counts by an expression in Cedar's JSON format
/// (<https://docs.cedarpolicy.com/policies/json-format.html>).
fn narrow(json: &Value, counts: &mut Counts) -> Option<()> {
    match json {
        Value::Object(fields) => {
            for (operator, operands) in fields {
                narrow_by(fields, operator, operands, counts)?;
            }
            Some(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| narrow(item, counts)),
        _ => Some(()),
    }
}

fn narrow_by(fields: &Map<String, Value>, operator: &str, operands: &Value, counts: &mut Counts) -> Option<()> {
    match (operator, operands) {
        // Literals and the ids of scopes are not expressions.
        ("Value" | "annotations" | "principal" | "action" | "resource", _) => Some(()),
        // The context as a whole, with its counts.
        ("Var", Value::String(variable)) if variable == "context" => None,
        // `context has …` does not depend on the counts' values.
        ("has", operands) if is_context(operands.get("left")) => Some(()),
        (".", operands) if is_context(operands.get("left")) => match operands.get("attr")?.as_str()? {
            REQUESTER | INSTANCE | WAITING => None,
            _ => Some(()),
        },
        ("<" | "<=" | ">" | ">=" | "==" | "!=", Value::Object(sides)) if fields.len() == 1 => {
            let (left, right) = (sides.get("left")?, sides.get("right")?);
            let compared = match (count(left), count(right)) {
                (Some(name), None) => Some((name, operator, number(right)?)),
                // The number is on the left: `20 <= count`.
                (None, Some(name)) => Some((name, mirrored(operator), number(left)?)),
                (None, None) => None,
                (Some(_), Some(_)) => return None,
            };
            match compared {
                Some((name, operator, number)) => bound(name, operator, number, counts),
                None => narrow(left, counts).and_then(|()| narrow(right, counts)),
            }
        }
        (_, operands) => narrow(operands, counts),
    }
}

/// The count that an expression is.
fn count(expression: &Value) -> Option<&str> {
    let access = expression.get(".").filter(|access| is_context(access.get("left")))?;
    access.get("attr")?.as_str().filter(|attribute| [REQUESTER, INSTANCE, WAITING].contains(attribute))
}

fn is_context(expression: Option<&Value>) -> bool {
    expression.and_then(|expression| expression.get("Var")).and_then(Value::as_str) == Some("context")
}

fn number(expression: &Value) -> Option<i64> {
    expression.get("Value")?.as_i64()
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        equality => equality,
    }
}

/// Narrows a count to the numbers from 0 on for which `count operator number` is what it is for 0.
fn bound(name: &str, operator: &str, number: i64, counts: &mut Counts) -> Option<()> {
    let most = match (operator, number) {
        // No count is negative: all of them are on the same side.
        (_, ..0) | (">=" | "<", 0) => i64::MAX,
        (">" | "<=", number) => number,
        // Only 0 equals 0.
        (_, 0) => 0,
        (_, number) => number.checked_sub(1)?,
    };
    let known = match name {
        REQUESTER => &mut counts.removals.requester,
        INSTANCE => &mut counts.removals.instance,
        _ => &mut counts.waiting,
    };
    *known = most.min(*known);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::callers;
    use crate::config::Config;
    use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Policies, Principal, Resource};
    use crate::request::actor::Actor;

    const SCHEMA: &str = include_str!("../../config/schema.cedarschema");

    fn largest(conditions: &[&str]) -> Option<[i64; 3]> {
        let policy = |(at, condition): (usize, &&str)| {
            format!("@id(\"p{at}\") forbid (principal, action, resource) when {{ {condition} }};")
        };
        let text: String = conditions.iter().enumerate().map(policy).collect();
        let counts = largest_indifferent_counts(&Policies::parse(&text, SCHEMA).unwrap().set)?;
        Some([counts.removals.requester, counts.removals.instance, counts.waiting])
    }

    #[test]
    fn comparisons_with_numbers_are_bounds() {
        const ANY: i64 = i64::MAX;
        for (conditions, expected) in [
            (&[][..], Some([ANY, ANY, ANY])),
            (&["context.hour < 8 && context.caller_kind == \"slack\""], Some([ANY, ANY, ANY])),
            (&["context.removals_last_hour >= 20"], Some([19, ANY, ANY])),
            (&["20 <= context.removals_last_hour"], Some([19, ANY, ANY])),
            (&["context.removals_last_hour > 20"], Some([20, ANY, ANY])),
            (&["!(context.removals_last_hour < 20)"], Some([19, ANY, ANY])),
            (&["context.removals_last_hour == 3"], Some([2, ANY, ANY])),
            (&["context.removals_last_hour >= -1"], Some([ANY, ANY, ANY])),
            (&["context.removals_last_hour >= 0"], Some([ANY, ANY, ANY])),
            (
                &[
                    "context.instance_removals_last_hour >= 50",
                    "context.removals_last_hour >= 9 || context.waiting_requests > 5",
                ],
                Some([8, 49, 5]),
            ),
            (&["if context.removals_last_hour >= 5 then context.hour > 3 else true"], Some([4, ANY, ANY])),
            (&["context has removals_last_hour && context.removals_last_hour >= 5"], Some([4, ANY, ANY])),
            (&["context[\"removals_last_hour\"] >= 7"], Some([6, ANY, ANY])),
            (&["context[\"\\u{72}emovals_last_hour\"] >= 7"], Some([6, ANY, ANY])),
            // 0 is told from 1.
            (&["context.removals_last_hour >= 1"], Some([0, ANY, ANY])),
            (&["context.removals_last_hour > 0"], Some([0, ANY, ANY])),
            (&["context.removals_last_hour == 0"], Some([0, ANY, ANY])),
            (&["context.removals_last_hour != 0"], Some([0, ANY, ANY])),
            // Other uses of a count.
            (&["context.removals_last_hour + 1 >= 20"], None),
            (&["context.removals_last_hour * 2 >= 20"], None),
            (&["context.removals_last_hour >= context.hour"], None),
            (&["context.removals_last_hour >= context.waiting_requests"], None),
            (&["[1, 2].contains(context.removals_last_hour)"], None),
            (&["(if true then context.removals_last_hour else 0) >= 5"], None),
            (&["[context].contains(context)"], None),
        ] {
            assert_eq!(largest(conditions), expected, "{conditions:?}");
        }
    }

    /// An `unless` and a permit are read as a `when` and a forbid are.
    #[test]
    fn every_part_of_a_policy_is_read() {
        let text = r#"@id("a") permit (principal in Team::"context", action, resource) when { true }
            unless { context.removals_last_hour >= 4 };"#;
        let counts = largest_indifferent_counts(&Policies::parse(text, SCHEMA).unwrap().set).unwrap();
        assert_eq!(counts.removals, RecentRemovals { requester: 3, instance: i64::MAX });
        let demo = Policies::parse(include_str!("../../config/policy.cedar"), SCHEMA).unwrap();
        assert_eq!(largest_indifferent_counts(&demo.set).unwrap().removals.requester, 19);
    }

    fn comparison() -> impl Strategy<Value = String> {
        let count = prop::sample::select(vec![REQUESTER, INSTANCE, WAITING]);
        let operator = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        (count, operator, -2..12_i64, any::<bool>()).prop_map(|(count, operator, number, is_left)| match is_left {
            true => format!("(context.{count} {operator} {number})"),
            false => format!("({number} {operator} context.{count})"),
        })
    }

    fn condition() -> impl Strategy<Value = String> {
        comparison().prop_recursive(3, 12, 2, |inner| {
            let pair = (inner.clone(), inner.clone(), prop::sample::select(vec!["&&", "||"]));
            prop_oneof![
                pair.prop_map(|(left, right, operator)| format!("({left} {operator} {right})")),
                inner.prop_map(|inner| format!("!({inner})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever policies compare: at no counts up to the bounds is the answer another than at 0.
        #[test]
        fn the_answer_is_the_same_up_to_the_bounds(forbid in condition(), permit in condition(), at in 0.0..1.0_f64) {
            let text = format!("@id(\"p\") permit (principal, action, resource) when {{ {permit} }};
                @id(\"f\") forbid (principal, action, resource) when {{ {forbid} }};");
            let policies = Policies::parse(&text, SCHEMA).unwrap();
            if let Some(most) = largest_indifferent_counts(&policies.set) {
                let some = |most: i64| (most.min(20) as f64 * at).round() as i64;
                let answers = [
                    [0, 0, 0],
                    [some(most.removals.requester), some(most.removals.instance), some(most.waiting)],
                    [most.removals.requester, most.removals.instance, most.waiting],
                ]
                .map(|counts| answer(&policies, counts));
                prop_assert_eq!(&answers[0], &answers[1]);
                prop_assert_eq!(&answers[0], &answers[2]);
            }
        }
    }

    fn answer(policies: &Policies, counts: [i64; 3]) -> crate::policy::AuthzResponse {
        let config = Config::parse(include_str!("../../config/offboard.toml"), &callers::shapes()).unwrap();
        let actor =
            Actor { principal: "a".into(), caller: "slack".into(), kind: "slack".into(), groups: Default::default() };
        let context = AuthzContext {
            now: "2026-06-01T10:00:00Z".parse().unwrap(),
            dry_run: false,
            confirmed: false,
            approved: false,
            removals_last_hour: counts[0],
            instance_removals_last_hour: counts[1],
            waiting_requests: counts[2],
        };
        let instance = &config.instances()[0];
        let resource = Resource::Account(Account { instance, user_name: "alice" });
        let principal = Principal { actor: &actor, teams: &[], accounts: &[] };
        let request = AuthzRequest { principal, action: Action::Delete, resource, reason_given: false };
        policies.is_authorized(&request, context)
    }
}

//! `explain`: what policy would answer somebody, and why, without sending anything.
//!
//! The answer is the component's own ([`decide`](starrocks_offboard::policy::Policies::decide)); beside it stands what each policy had to do with it. The
//! ledger is not asked: the counts of removals are arguments.
//!
//! Not supported: what needs more than policy, such as who has approved already; the ledger's rows that name no account.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use chrono::{DateTime, FixedOffset, Utc};
use clap::{Args, ValueEnum};
use starrocks_offboard::app;
use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::policy::explain::{Explanation, PolicyEvaluation, Role};
use starrocks_offboard::policy::permit::Decision;
use starrocks_offboard::policy::{Account, Action, AuthzContext, AuthzRequest, AuthzResponse, Principal};
use starrocks_offboard::request::ids::DeliveryId;
use starrocks_offboard::request::reason::Reason;
use starrocks_offboard::request::removal::RemovalRequest;

use crate::check::Files;
use crate::lint::actor;

/// The arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Who asks: `slack/U2CERLKJA`, `portal/<access key id>`, or the name of a caller that speaks for itself.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: String,
    /// The instance's name and the account: `analytics/alice`.
    #[arg(long, value_name = "INSTANCE/USER_NAME")]
    account: String,
    /// Only whether they may do this [default: whether they may remove it at once, or else ask for it]
    #[arg(long, value_name = "ACTION")]
    action: Option<Asked>,
    /// The reason that they give.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// When they ask: `2026-06-01T10:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<FixedOffset>>,
    /// They only ask what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Whether they are asked whether they mean it, and confirm it [default: the caller's `confirm`]
    #[arg(long, value_name = "BOOL")]
    confirmed: Option<bool>,
    /// How many accounts they removed in the last hour.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    removals_last_hour: i64,
    /// How many accounts anybody removed from the instance in the last hour.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    instance_removals_last_hour: i64,
    /// The folder of offboard.toml and the policies, instead of the one that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
}

/// The actions of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    Delete,
    Request,
    Approve,
    Audit,
}

impl Asked {
    fn action(self) -> Action {
        match self {
            Self::Delete => Action::Delete,
            Self::Request => Action::Request,
            Self::Approve => Action::Approve,
            Self::Audit => Action::Audit,
        }
    }
}

/// Prints the answer.
///
/// # Errors
///
/// When there is none: the files cannot be used, or nobody could ask this.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = Files::read(arguments.config.as_deref())?;
    let page = explain(arguments, &files, SystemTime::now().into())?;
    std::io::stdout().write_all(page.as_bytes()).context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn explain(arguments: &Arguments, files: &Files, now: DateTime<Utc>) -> anyhow::Result<String> {
    let (config, policies) = app::load(&files.offboard, &files.policy, &files.schema).map_err(|errors| {
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!("{}", told.join("\n       "))
    })?;
    let actor = actor(&config, &arguments.principal).map_err(|why| anyhow!(why))?;
    let (instance, given) = arguments
        .account
        .split_once('/')
        .with_context(|| format!("account `{}` is not valid; write `instance/user_name`", arguments.account))?;
    let instance = config.instance(instance).ok().with_context(|| {
        let known: Vec<_> = config.instances().iter().map(|instance| format!("`{}`", instance.name)).collect();
        format!("instance `{instance}` is not in offboard.toml; it has {}", known.join(", "))
    })?;
    let reason =
        Reason::parse(&arguments.reason).map_err(|error| anyhow!(Outcome::from(error).message(Language::default())))?;
    let confirm = config.caller(&actor.caller).is_ok_and(|caller| caller.confirm);
    let circumstances = AuthzContext {
        now: arguments
            .at
            .map_or_else(|| now.with_timezone(&config.utc_offset), |at| at.with_timezone(&config.utc_offset)),
        dry_run: arguments.dry_run,
        confirmed: arguments.confirmed.unwrap_or(confirm),
        removals_last_hour: arguments.removals_last_hour,
        instance_removals_last_hour: arguments.instance_removals_last_hour,
    };
    let about = [
        ("who", format!("{} (caller kind {})", actor.principal, actor.kind)),
        ("teams", names(config.teams(&actor.principal))),
        ("own accounts", names(config.own_accounts(&actor.principal))),
        ("account", format!("{given} on {} (environment {})", instance.name, instance.environment)),
        (
            "context",
            format!(
                "dry_run {}, confirmed {}, reason_given {}, removals_last_hour {}, instance_removals_last_hour {}",
                circumstances.dry_run,
                circumstances.confirmed,
                reason.is_some(),
                circumstances.removals_last_hour,
                circumstances.instance_removals_last_hour
            ),
        ),
        ("when", circumstances.now.format("%A, %Y-%m-%d %H:%M:%S %:z").to_string()),
    ];
    let asked = arguments.action.map(Asked::action);
    let user_name = config.accounts.parse(given);
    let question = |action| AuthzRequest {
        who: Principal::of(&actor, &config),
        action,
        account: Some(Account { instance, user_name: given }),
        reason_given: reason.is_some(),
    };
    let explain = |action: Action| (action, policies.explain(&question(action), circumstances));
    let (answer, explanations) = match (asked, user_name) {
        // The rules for names are for what is to be removed; any row may be looked at.
        (Some(action @ Action::Audit), _) | (Some(action), Ok(_)) => {
            let explanation = explain(action);
            (in_words(&explanation.1.verdict), vec![explanation])
        }
        (_, Err(error)) => {
            (format!("deny, before policy is asked: {}", Outcome::from(error).message(Language::default())), Vec::new())
        }
        (None, Ok(user_name)) => {
            let delivery = DeliveryId::recorded(String::new());
            let dry_run = arguments.dry_run;
            let removal =
                RemovalRequest { actor: actor.clone(), user_name, instance, reason: reason.clone(), delivery, dry_run };
            let decided = policies.decide(&removal, &config, circumstances);
            let mut explanations = vec![explain(Action::Delete)];
            // As the gateway goes on, and only then.
            if explanations.iter().all(|(_, at_once)| !at_once.verdict.allowed && at_once.verdict.failed.is_none()) {
                explanations.push(explain(Action::Request));
            }
            (decision_in_words(decided, config.approvals.required(&instance.environment)), explanations)
        }
    };
    Ok(page(&answer, &about, &explanations))
}

fn decision_in_words((decision, failed): (Decision<'_>, Option<String>), required: u32) -> String {
    match (decision, failed) {
        (Decision::Permit(permit), _) => format!("permit, by {}", permit.policies().join(", ")),
        (Decision::NeedsApproval { policies }, _) => {
            let people = if required == 1 { "1 other person has".into() } else { format!("{required} others have") };
            format!("needs approval: {people} to approve; may be asked for by {}", policies.join(", "))
        }
        (Decision::Denial { .. }, Some(failed)) => format!("deny, because it cannot be decided: {failed}"),
        (Decision::Denial { policies }, None) if policies.is_empty() => "deny, because no policy permits it".into(),
        (Decision::Denial { policies }, None) => format!("deny, by {}", policies.join(", ")),
    }
}

fn in_words(verdict: &AuthzResponse) -> String {
    match verdict {
        AuthzResponse { failed: Some(failed), .. } => format!("no, because it cannot be decided: {failed}"),
        AuthzResponse { allowed: true, policies, .. } => format!("yes, by {}", policies.join(", ")),
        AuthzResponse { policies, .. } if policies.is_empty() => "no, because no policy permits it".into(),
        AuthzResponse { policies, .. } => format!("no, by {}", policies.join(", ")),
    }
}

/// `a, b`, or that there are none.
fn names(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn page(answer: &str, about: &[(&str, String)], explanations: &[(Action, Explanation)]) -> String {
    let mut page = format!("{answer}\n\n");
    for (what, is) in about {
        page += &format!("  {what:<14}{is}\n");
    }
    for (action, explanation) in explanations {
        page += &format!("\n{}: {}\n", action.as_str(), in_words(&explanation.verdict));
        if explanation.policies.is_empty() {
            page += "\n  no policy's scope takes this principal, action and resource\n";
        }
        for considered in &explanation.policies {
            page += &format!("\n  {} {}\n", considered.id, role_in_words(considered));
            for line in considered.text.lines() {
                page += format!("    {line}").trim_end();
                page += "\n";
            }
        }
    }
    page
}

fn role_in_words(considered: &PolicyEvaluation) -> String {
    let verb = if considered.is_permit { "permit" } else { "forbid" };
    match &considered.role {
        Role::Decided => format!("{verb}s it"),
        Role::Failed(why) => format!("fails, which makes it a no: {why}"),
        Role::Overruled => format!("would {verb} it, and is overruled"),
        Role::Nearly => format!("would {verb} it, and its conditions are not met"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// What the command line says with the demo's files.
    fn explained(line: &str) -> anyhow::Result<String> {
        let files = Files {
            offboard: include_str!("../../config/offboard.toml").into(),
            policy: include_str!("../../config/policy.cedar").into(),
            schema: include_str!("../../config/schema.cedarschema").into(),
            prepared: None,
        };
        let arguments = Line::try_parse_from(std::iter::once("explain").chain(line.split(' ')))?.arguments;
        // A Monday.
        explain(&arguments, &files, "2026-06-01T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_whole_page() {
        let page = explained("--as slack/U2CERLKJA --account analytics/alice --removals-last-hour 20").unwrap();
        let expected = r#"deny, by brake-twenty-an-hour

  who           slack/U2CERLKJA (caller kind slack)
  teams         dba
  own accounts  dana
  account       alice on analytics (environment staging)
  context       dry_run false, confirmed true, reason_given false, removals_last_hour 20, instance_removals_last_hour 0
  when          Monday, 2026-06-01 10:00:00 +00:00

delete: no, by brake-twenty-an-hour

  brake-twenty-an-hour forbids it
    @id("brake-twenty-an-hour")
    forbid (
        principal,
        action == Action::"delete",
        resource
    ) when { context.removals_last_hour >= 20 };

  dba-removes-on-staging would permit it, and is overruled
    @id("dba-removes-on-staging")
    permit (
        principal in Team::"dba",
        action == Action::"delete",
        resource in Environment::"staging"
    );

  own-account would permit it, and its conditions are not met
    @id("own-account")
    permit (
        principal,
        action == Action::"delete",
        resource
    ) when { principal.accounts.contains(resource.user_name) };

request: no, because no policy permits it

  no policy's scope takes this principal, action and resource
"#;
        assert_eq!(page, expected);
    }

    /// The answer, and what each policy had to do with it.
    #[test]
    fn what_the_demo_policy_says_and_why() {
        let brake = "brake-twenty-an-hour would forbid it, and its conditions are not met";
        let hours = "production-in-working-hours would forbid it, and its conditions are not met";
        let own = "own-account would permit it, and its conditions are not met";
        for (line, expected) in [
            (
                "--as slack/U2CERLKJA --account analytics/alice",
                vec![
                    "permit, by dba-removes-on-staging",
                    "delete: yes, by dba-removes-on-staging",
                    "dba-removes-on-staging permits it",
                    brake,
                    own,
                ],
            ),
            (
                "--as slack/U2CERLKJA --account warehouse/alice",
                vec![
                    "needs approval: 1 other person has to approve; may be asked for by dba-asks-on-production",
                    "delete: no, because no policy permits it",
                    brake,
                    own,
                    hours,
                    "request: yes, by dba-asks-on-production",
                    "dba-asks-on-production permits it",
                    hours,
                ],
            ),
            (
                "--as hr --account warehouse/alice --at 2026-06-01T20:00:00Z",
                vec![
                    "deny, by production-in-working-hours",
                    "delete: no, by production-in-working-hours",
                    "production-in-working-hours forbids it",
                    brake,
                    own,
                    "request: no, by production-in-working-hours",
                    "production-in-working-hours forbids it",
                    "dba-asks-on-production would permit it, and is overruled",
                ],
            ),
            (
                "--as slack/U2CERLKJA --account warehouse/dana",
                vec!["permit, by own-account", "delete: yes, by own-account", "own-account permits it", brake, hours],
            ),
            (
                "--as slack/U1 --account analytics/alice",
                vec![
                    "deny, because no policy permits it",
                    "delete: no, because no policy permits it",
                    brake,
                    own,
                    "request: no, because no policy permits it",
                    "no policy's scope takes this principal, action and resource",
                ],
            ),
            (
                "--as portal/HPUAPORTALKEY0000001 --account warehouse/alice --action approve",
                vec!["yes, by dba-approves", "approve: yes, by dba-approves", "dba-approves permits it"],
            ),
            (
                "--as slack/U1 --account warehouse/root --action audit",
                vec![
                    "no, because no policy permits it",
                    "audit: no, because no policy permits it",
                    "no policy's scope takes this principal, action and resource",
                ],
            ),
            (
                "--as hr --account warehouse/root",
                vec!["deny, before policy is asked: account `root` is one of TaurusDB's own and is never removed"],
            ),
        ] {
            let page = explained(line).unwrap();
            // The second paragraph is who asks what; each of the others says it in its first line.
            let paragraphs = page.split("\n\n").enumerate().filter(|(number, _)| *number != 1);
            let told: Vec<_> = paragraphs.filter_map(|(_, paragraph)| Some(paragraph.lines().next()?.trim())).collect();
            assert_eq!(told, expected, "{line}");
        }
    }

    #[test]
    fn what_nobody_could_ask() {
        for (line, expected) in [
            (
                "--as pager/U1 --account analytics/alice",
                "`pager/U1` can never ask: caller `pager` is not configured; correct the name or add the caller",
            ),
            (
                "--as hr/U1 --account analytics/alice",
                "`hr/U1` can never ask: callers of kind `standard-webhooks` speak for themselves; write `hr`",
            ),
            (
                "--as hr --account lake/alice",
                "instance `lake` is not in offboard.toml; it has `analytics`, `warehouse`",
            ),
            ("--as hr --account alice", "account `alice` is not valid; write `instance/user_name`"),
        ] {
            assert_eq!(explained(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn files_that_cannot_be_used() {
        let arguments = Line::parse_from(["explain", "--as", "hr", "--account", "a/b"]).arguments;
        let files = Files { offboard: String::new(), policy: "permit".into(), schema: String::new(), prepared: None };
        let error = explain(&arguments, &files, DateTime::UNIX_EPOCH).unwrap_err().to_string();
        let begins: Vec<_> = error.lines().map(|line| line.trim().split(", ").next().unwrap_or_default()).collect();
        assert_eq!(begins, ["offboard.toml", "policy.cedar"]);
    }
}

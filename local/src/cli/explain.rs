//! `explain`: shows what policy decides for a principal, and why, without sending anything.
//!
//! The answer is the core's ([`Question`]). The ledger is not read: the numbers of removals are arguments.
//!
//! Not supported: what needs more than policy, such as the approvals given so far; ledger rows that name no account.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, FixedOffset, Utc};
use clap::{Args, ValueEnum};
use starrocks_offboard::app;
use starrocks_offboard::callers::actors::actor;
use starrocks_offboard::config::Config;
use starrocks_offboard::outcome::Outcome;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::policy::question::Question;
use starrocks_offboard::policy::{Action, AuthzContext};
use starrocks_offboard::request::reason::Reason;

use super::explain_page::page;
use crate::operator_files::OperatorFiles;
use crate::words::{joined, quoted};

/// The arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// The requester: `slack/U2CERLKJA`, `portal/ACCESS_KEY_ID`, or the name of a caller that acts under its own name.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: String,
    /// The name of the instance and the account: `analytics/alice`; for `list` and `operate` the instance alone: `analytics`.
    #[arg(long, value_name = "INSTANCE/USER_NAME")]
    account: String,
    /// Only decide this action [default: removing the account at once, or else requesting the removal]
    #[arg(long, value_name = "ACTION")]
    action: Option<ActionArgument>,
    /// The reason of the request.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The time of the request: `2026-06-01T10:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<FixedOffset>>,
    /// The request is a dry run.
    #[arg(long)]
    dry_run: bool,
    /// Whether the requester confirmed the request [default: the caller's `confirm`]
    #[arg(long, value_name = "BOOL")]
    confirmed: Option<bool>,
    /// Other people approved the removal.
    #[arg(long)]
    approved: bool,
    /// The number of accounts that the requesting person removed in the last hour.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    removals_last_hour: i64,
    /// The number of accounts that all requesters removed from the instance in the last hour.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    instance_removals_last_hour: i64,
    /// The number of other requests of the requesting person that wait.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    waiting_requests: i64,
    /// The folder of offboard.toml and the policies, instead of the folder that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
}

/// The actions of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ActionArgument {
    Delete,
    Request,
    Approve,
    Audit,
    List,
    Operate,
}

impl ActionArgument {
    fn action(self) -> Action {
        match self {
            Self::Delete => Action::Delete,
            Self::Request => Action::Request,
            Self::Approve => Action::Approve,
            Self::Audit => Action::Audit,
            Self::List => Action::List,
            Self::Operate => Action::Operate,
        }
    }
}

/// Prints the decision and its explanation.
///
/// # Errors
///
/// If the files cannot be used, or no request like this is possible.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = OperatorFiles::read(arguments.config.as_deref())?;
    let page = explain(arguments, &files, SystemTime::now().into())?;
    std::io::stdout().write_all(page.as_bytes()).context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn explain(arguments: &Arguments, files: &OperatorFiles, now: DateTime<Utc>) -> anyhow::Result<String> {
    let (config, policies) = app::load(&files.offboard, &files.policy, &files.schema).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!("{}", errors.join("\n       "))
    })?;
    let case = Case::new(arguments, &config, now)?;
    let answer = case.question.answer(&policies, &config);
    Ok(page(&answer, &case.facts()))
}

/// The request that is explained.
struct Case<'a> {
    config: &'a Config,
    question: Question<'a>,
}

impl<'a> Case<'a> {
    fn new(arguments: &'a Arguments, config: &'a Config, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let actor = actor(config, &arguments.principal).map_err(|why| anyhow!(why))?;
        let (instance, user_name) = match (arguments.account.split_once('/'), arguments.action) {
            (Some((instance, _)), Some(ActionArgument::List | ActionArgument::Operate)) => (instance, ""),
            (Some(account), _) => account,
            (None, Some(ActionArgument::List | ActionArgument::Operate)) => (arguments.account.as_str(), ""),
            (None, _) => bail!("account `{}` is not valid; write `instance/user_name`", arguments.account),
        };
        let instance = config.instance(instance).ok().with_context(|| {
            let known = quoted(config.instances().iter().map(|instance| &instance.name));
            format!("instance `{instance}` is not in offboard.toml; use one of {known}")
        })?;
        let reason = Reason::parse(&arguments.reason)
            .map_err(|error| anyhow!(Outcome::from(error).message(Language::default())))?;
        let confirm = config.caller(&actor.caller).is_ok_and(|caller| caller.confirm);
        let offset = &config.utc_offset;
        let context = AuthzContext {
            now: arguments.at.map_or_else(|| now.with_timezone(offset), |at| at.with_timezone(offset)),
            dry_run: arguments.dry_run,
            confirmed: arguments.confirmed.unwrap_or(confirm),
            approved: arguments.approved,
            removals_last_hour: arguments.removals_last_hour,
            instance_removals_last_hour: arguments.instance_removals_last_hour,
            waiting_requests: arguments.waiting_requests,
        };
        let action = arguments.action.map(ActionArgument::action);
        Ok(Self { config, question: Question { actor, instance, user_name, action, reason, context } })
    }

    /// Returns what the page says about the request: labels and values.
    fn facts(&self) -> [(&'static str, String); 6] {
        let Self { config, question: Question { actor, context, reason, .. } } = self;
        [
            ("principal", format!("{} (caller kind {})", actor.principal, actor.kind)),
            ("teams", joined(config.teams(&actor.principal))),
            ("own accounts", joined(config.own_accounts(&actor.principal))),
            self.resource_in_words(),
            (
                "context",
                format!(
                    "dry_run {}, confirmed {}, approved {}, reason_given {}, removals_last_hour {}, instance_removals_last_hour {}, waiting_requests {}",
                    context.dry_run,
                    context.confirmed,
                    context.approved,
                    reason.is_some(),
                    context.removals_last_hour,
                    context.instance_removals_last_hour,
                    context.waiting_requests
                ),
            ),
            ("time", context.now.format("%A, %Y-%m-%d %H:%M:%S %:z").to_string()),
        ]
    }

    fn resource_in_words(&self) -> (&'static str, String) {
        let Question { instance, user_name, action, .. } = &self.question;
        if *action == Some(Action::Operate) {
            return ("ledger", "all removals".to_owned());
        }
        let instance = format!("{} (environment {})", instance.name, instance.environment);
        if user_name.is_empty() { ("instance", instance) } else { ("account", format!("{user_name} on {instance}")) }
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

    /// Returns the page for this command line, with the files of the demo.
    fn explained(line: &str) -> anyhow::Result<String> {
        explained_by(include_str!("../../../config/policy.cedar"), line)
    }

    /// The same with another policy.
    fn explained_by(policy: &str, line: &str) -> anyhow::Result<String> {
        let files = OperatorFiles {
            offboard: include_str!("../../../config/offboard.toml").into(),
            policy: policy.into(),
            schema: include_str!("../../../config/schema.cedarschema").into(),
        };
        let arguments = Line::try_parse_from(std::iter::once("explain").chain(line.split(' ')))?.arguments;
        // A Monday.
        explain(&arguments, &files, "2026-06-01T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_whole_page() {
        let page = explained("--as slack/U2CERLKJA --account analytics/alice --removals-last-hour 20").unwrap();
        let expected = r#"denied: forbidden by brake-twenty-an-hour

  principal     slack/U2CERLKJA (caller kind slack)
  teams         dba
  own accounts  dana
  account       alice on analytics (environment staging)
  context       dry_run false, confirmed true, approved false, reason_given false, removals_last_hour 20, instance_removals_last_hour 0, waiting_requests 0
  time          Monday, 2026-06-01 10:00:00 +00:00

delete: denied: forbidden by brake-twenty-an-hour

  brake-twenty-an-hour forbids it
    @id("brake-twenty-an-hour")
    forbid (
        principal,
        action == Action::"delete",
        resource
    ) when { context.removals_last_hour >= 20 } unless { context.approved };

  dba-removes-on-staging would permit it, but is overridden
    @id("dba-removes-on-staging")
    permit (
        principal in Team::"dba",
        action == Action::"delete",
        resource in Environment::"staging"
    );

  own-account would permit it, but its conditions are not met
    @id("own-account")
    permit (
        principal,
        action == Action::"delete",
        resource
    ) when { principal.accounts.contains(resource.user_name) };

request: denied: no policy permits it

  twenty-requests-wait would forbid it, but its conditions are not met
    @id("twenty-requests-wait")
    forbid (
        principal,
        action == Action::"request",
        resource
    ) when { context.waiting_requests >= 20 };
"#;
        assert_eq!(page, expected);
    }

    /// Returns the answer and the first line about each action and each policy, without the facts about the request.
    fn first_lines(line: &str) -> Vec<String> {
        let page = explained(line).unwrap();
        // The second paragraph has the facts.
        let paragraphs = page.split("\n\n").enumerate().filter(|(number, _)| *number != 1);
        paragraphs.filter_map(|(_, paragraph)| Some(paragraph.lines().next()?.trim().to_owned())).collect()
    }

    #[test]
    fn removals_are_explained() {
        let brake = "brake-twenty-an-hour would forbid it, but its conditions are not met";
        let hours = "production-in-working-hours would forbid it, but its conditions are not met";
        let own = "own-account would permit it, but its conditions are not met";
        let waiting = "twenty-requests-wait would forbid it, but its conditions are not met";
        for (line, expected) in [
            (
                "--as slack/U2CERLKJA --account analytics/alice",
                vec![
                    "permitted by dba-removes-on-staging",
                    "delete: permitted by dba-removes-on-staging",
                    "dba-removes-on-staging permits it",
                    brake,
                    own,
                ],
            ),
            (
                "--as slack/U2CERLKJA --account warehouse/alice",
                vec![
                    "needs 1 approval; request permitted by dba-asks-on-production",
                    "delete: denied: no policy permits it",
                    brake,
                    own,
                    hours,
                    "request: permitted by dba-asks-on-production",
                    "dba-asks-on-production permits it",
                    hours,
                    waiting,
                ],
            ),
            (
                "--as hr --account warehouse/alice --at 2026-06-01T20:00:00Z",
                vec![
                    "denied: forbidden by production-in-working-hours",
                    "delete: denied: forbidden by production-in-working-hours",
                    "production-in-working-hours forbids it",
                    brake,
                    own,
                    "request: denied: forbidden by production-in-working-hours",
                    "production-in-working-hours forbids it",
                    "dba-asks-on-production would permit it, but is overridden",
                    waiting,
                ],
            ),
            (
                "--as slack/U2CERLKJA --account warehouse/dana",
                vec![
                    "permitted by own-account",
                    "delete: permitted by own-account",
                    "own-account permits it",
                    brake,
                    hours,
                ],
            ),
            (
                "--as slack/U1 --account analytics/alice",
                vec![
                    "denied: no policy permits it",
                    "delete: denied: no policy permits it",
                    brake,
                    own,
                    "request: denied: no policy permits it",
                    waiting,
                ],
            ),
        ] {
            assert_eq!(first_lines(line), expected, "{line}");
        }
    }

    #[test]
    fn what_waits_and_what_was_approved_is_explained() {
        let brake = "brake-twenty-an-hour would forbid it, but its conditions are not met";
        let hours = "production-in-working-hours would forbid it, but its conditions are not met";
        let own = "own-account would permit it, but its conditions are not met";
        for (line, expected) in [
            (
                "--as slack/U2CERLKJA --account warehouse/alice --waiting-requests 20",
                vec![
                    "denied: forbidden by twenty-requests-wait",
                    "delete: denied: no policy permits it",
                    brake,
                    own,
                    hours,
                    "request: denied: forbidden by twenty-requests-wait",
                    "twenty-requests-wait forbids it",
                    "dba-asks-on-production would permit it, but is overridden",
                    hours,
                ],
            ),
            (
                "--as slack/U2CERLKJA --account analytics/alice --removals-last-hour 20 --approved --action delete",
                vec![
                    "permitted by dba-removes-on-staging",
                    "delete: permitted by dba-removes-on-staging",
                    "dba-removes-on-staging permits it",
                    brake,
                    own,
                ],
            ),
        ] {
            assert_eq!(first_lines(line), expected, "{line}");
        }
    }

    /// What is forbidden although others approve is not requested either, and the page says which policy forbids it.
    #[test]
    fn a_forbid_that_approvals_do_not_lift_is_explained() {
        let policy = r#"@id("all-may-ask") permit (principal, action == Action::"request", resource);
            @id("never") forbid (principal, action == Action::"delete", resource);"#;
        let page = explained_by(policy, "--as slack/U1 --account analytics/alice").unwrap();
        let answer = |label| page.lines().find(|line| line.starts_with(label)).unwrap_or_default();
        assert_eq!(page.lines().next(), Some("denied: forbidden by never"));
        assert_eq!(answer("request"), "request: permitted by all-may-ask");
        assert_eq!(answer("delete, approved"), "delete, approved by others: denied: forbidden by never");
    }

    #[test]
    fn single_actions_and_system_accounts_are_explained() {
        for (line, expected) in [
            (
                "--as portal/HPUAPORTALKEY0000001 --account warehouse/alice --action approve",
                vec!["permitted by dba-approves", "approve: permitted by dba-approves", "dba-approves permits it"],
            ),
            (
                "--as slack/U1 --account warehouse/root --action audit",
                vec![
                    "denied: no policy permits it",
                    "audit: denied: no policy permits it",
                    "no policy has this principal, action and resource in its scope",
                ],
            ),
            (
                "--as portal/HPUAPORTALKEY0000001 --account warehouse --action list",
                vec!["permitted by dba-lists", "list: permitted by dba-lists", "dba-lists permits it"],
            ),
            (
                "--as slack/U1 --account warehouse/root --action list",
                vec![
                    "denied: no policy permits it",
                    "list: denied: no policy permits it",
                    "no policy has this principal, action and resource in its scope",
                ],
            ),
            (
                "--as slack/U1 --account warehouse --action operate",
                vec![
                    "denied: no policy permits it",
                    "operate: denied: no policy permits it",
                    "no policy has this principal, action and resource in its scope",
                ],
            ),
            (
                "--as hr --account warehouse/root",
                vec!["denied before policy: account `root` is a system account and is never removed"],
            ),
        ] {
            assert_eq!(first_lines(line), expected, "{line}");
        }
    }

    #[test]
    fn impossible_requests_are_errors() {
        for (line, expected) in [
            (
                "--as pager/U1 --account analytics/alice",
                "`pager/U1` can never send a request: caller `pager` is not configured; correct the name or add the caller",
            ),
            (
                "--as hr/U1 --account analytics/alice",
                "`hr/U1` can never send a request: a caller of kind `standard-webhooks` acts under its own name; write `hr`",
            ),
            (
                "--as hr --account lake/alice",
                "instance `lake` is not in offboard.toml; use one of `analytics`, `warehouse`",
            ),
            ("--as hr --account alice", "account `alice` is not valid; write `instance/user_name`"),
        ] {
            assert_eq!(explained(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn files_that_cannot_be_used() {
        let arguments = Line::parse_from(["explain", "--as", "hr", "--account", "a/b"]).arguments;
        let files = OperatorFiles { offboard: String::new(), policy: "permit".into(), schema: String::new() };
        let error = explain(&arguments, &files, DateTime::UNIX_EPOCH).unwrap_err().to_string();
        let begins: Vec<_> = error.lines().map(|line| line.trim().split(", ").next().unwrap_or_default()).collect();
        assert_eq!(begins, ["offboard.toml", "policy.cedar"]);
    }
}

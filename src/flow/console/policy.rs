//! *Policy*: the policies in force, and the decision that the reader wants to have explained.

use chrono::{DateTime, FixedOffset, NaiveDateTime};

use crate::console::pages::policy::{self, Answer, Evaluated, Part, Policy, PolicyText, Question, page};
use crate::console::view::FieldError;
use crate::flow::console::field_error::{error_of, field_error};
use crate::flow::console::people;
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::operations::console::explain_policy::{
    ExplainError, ExplainQuery, Explained, PoliciesInForce, explain_policy, policies_in_force,
};
use crate::operations::report::Refusal;
use crate::outcome::language::{Language, Localized};
use crate::policy::explain::{PolicyEvaluation, Role};
use crate::policy::in_force::PolicyInForce;
use crate::policy::question::{Asked, Verdict};
use crate::policy::{Action, AuthzContext};
use crate::reply::Rendered;
use crate::request::error::RequestError;

/// The files that the digest is of.
const FILES: [&str; 2] = ["policy.cedar", "schema.cedarschema"];

/// Returns the page; with the answer, if the form was sent.
///
/// # Errors
///
/// If policy does not permit the reader to see it.
pub(super) async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let ctx = visit.ctx;
    let PoliciesInForce { digest, policies } = policies_in_force(ctx)?;
    let (answer, error) = match visit.fields.value("as") {
        None => (None, None),
        Some(_) => match answer(visit)? {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error)),
        },
    };
    let view = Policy {
        digest,
        // Neither is known here: no statement looks for the first row of a policy set, and prepared.json is read when the program starts.
        since: None,
        is_prepared: None,
        files: FILES.map(str::to_owned).to_vec(),
        policies: policies.into_iter().map(text).collect(),
        instances: ctx.app.config.instances().iter().map(|instance| instance.name.clone()).collect(),
        question: question(visit),
        error,
        answer,
    };
    Ok(visit.html(page(&visit.frame().await?, &view)))
}

fn text(policy: PolicyInForce) -> PolicyText {
    let PolicyInForce { id, is_permit, principal, actions, resource, has_conditions, text } = policy;
    PolicyText { id, is_permit, text, principal, actions, resource, has_conditions }
}

/// The form as it was sent. Before that, the requester has confirmed: people do before anything is removed.
fn question<H: Host>(visit: &Visit<'_, '_, H>) -> Question {
    let value = |name| visit.value(name).to_owned();
    let is_sent = visit.fields.value("as").is_some();
    Question {
        principal: value("as"),
        instance: value("instance"),
        user_name: value("user_name"),
        action: value("action"),
        at: value("at"),
        reason: value("reason"),
        removals_last_hour: value("removals_last_hour"),
        instance_removals_last_hour: value("instance_removals_last_hour"),
        confirmed: !is_sent || visit.value("confirmed") == "true",
        dry_run: visit.value("dry_run") == "true",
    }
}

/// The answer; the inner error says which field is wrong.
fn answer<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Result<Answer, FieldError>, Refusal<'c>> {
    let language = visit.ctx.language;
    let query = match query(visit) {
        Ok(query) => query,
        Err(error) => return Ok(Err(field_error(error, language))),
    };
    let explained = explain_policy(visit.ctx, &query)?;
    Ok(explained.map_err(|error| wrong(error, language)).and_then(|explained| filled(visit, &query, explained)))
}

fn wrong(error: ExplainError, language: Language) -> FieldError {
    match error {
        ExplainError::Principal(message) => FieldError { field: "as".to_owned(), message },
        ExplainError::Instance(error) => error_of("instance", error, language),
        ExplainError::UserName => field_error(RequestError::FieldMissing { name: "user_name" }, language),
        ExplainError::Reason(error) => error_of("reason", error, language),
    }
}

fn query<H: Host>(visit: &Visit<'_, '_, H>) -> Result<ExplainQuery, RequestError> {
    Ok(ExplainQuery {
        principal: visit.value("as").to_owned(),
        instance: visit.value("instance").to_owned(),
        user_name: visit.value("user_name").to_owned(),
        action: read(visit, "action", ACTION, action)?,
        at: read(visit, "at", TIME, |given| time(given, visit.ctx.app.config.utc_offset))?,
        reason: visit.value("reason").to_owned(),
        dry_run: read(visit, "dry_run", TICKED, ticked)?.is_some(),
        confirmed: Some(read(visit, "confirmed", TICKED, ticked)?.is_some()),
        approved: false,
        removals_last_hour: read(visit, "removals_last_hour", NUMBER, number)?.unwrap_or_default(),
        instance_removals_last_hour: read(visit, "instance_removals_last_hour", NUMBER, number)?.unwrap_or_default(),
        waiting_requests: 0,
    })
}

const ACTION: Localized = Localized {
    en: "`delete`, `request`, `approve`, `list` or `audit`, or nothing",
    zh: "`delete`、`request`、`approve`、`list`、`audit` 或留空",
};
const TIME: Localized = Localized { en: "a time such as `2026-06-01T20:00`", zh: "时间，例如 `2026-06-01T20:00`" };
const TICKED: Localized = Localized { en: "`true`, or nothing", zh: "`true` 或留空" };
const NUMBER: Localized = Localized { en: "a number from `0` on", zh: "不小于 `0` 的整数" };

/// The value of a field; `None` if the field is empty.
fn read<H: Host, T>(
    visit: &Visit<'_, '_, H>,
    name: &'static str,
    expected: Localized,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, RequestError> {
    let given = visit.value(name);
    if given.is_empty() {
        return Ok(None);
    }
    parse(given).map(Some).ok_or_else(|| RequestError::invalid(name, given, expected))
}

/// The actions of the form: `operate` is about no account.
fn action(given: &str) -> Option<Action> {
    Action::ALL.into_iter().find(|action| *action != Action::Operate && action.as_str() == given)
}

fn time(given: &str, offset: FixedOffset) -> Option<DateTime<FixedOffset>> {
    const PATTERN: &str = "%Y-%m-%dT%H:%M";
    let time = NaiveDateTime::parse_from_str(given, PATTERN).ok()?;
    // The parser takes numbers without their zeros as well.
    let is_exact = given.len() == 16 && time.format(PATTERN).to_string() == given;
    time.and_local_timezone(offset).single().filter(|_| is_exact)
}

fn ticked(given: &str) -> Option<()> {
    (given == "true").then_some(())
}

fn number(given: &str) -> Option<i64> {
    let is_plain = given.bytes().all(|byte| byte.is_ascii_digit());
    given.parse::<u32>().ok().filter(|_| is_plain).map(i64::from)
}

/// The answer as the page shows it. A name that the gateway refuses before policy is asked is a wrong field.
fn filled<H: Host>(visit: &Visit<'_, '_, H>, query: &ExplainQuery, explained: Explained) -> Result<Answer, FieldError> {
    let context = explained.context;
    let verdict = verdict(&explained, visit.ctx.language)?;
    let account = people::account(&visit.ctx.app.config, &query.user_name, &query.instance);
    Ok(Answer {
        verdict,
        context: facts(&context, &explained),
        who: people::person(explained.who),
        kind: explained.kind,
        teams: explained.teams,
        accounts: explained.own_accounts,
        account,
        at: context.now.timestamp_millis(),
        parts: explained
            .answer
            .explanations
            .into_iter()
            .map(|(asked, explanation)| Part {
                action: asked.as_str().to_owned(),
                allowed: explanation.response.allowed,
                policies: explanation.policies.into_iter().map(evaluated).collect(),
            })
            .collect(),
    })
}

fn verdict(explained: &Explained, language: Language) -> Result<policy::Verdict, FieldError> {
    Ok(match &explained.answer.verdict {
        Verdict::Permitted(policies) => policy::Verdict::Permitted(policies.clone()),
        Verdict::NeedsApproval { policies, .. } => policy::Verdict::NeedsApproval(policies.clone()),
        Verdict::Denied(policies) if policies.is_empty() => policy::Verdict::NotPermitted,
        Verdict::Denied(policies) => {
            let overridden = ids(explained, |policy| policy.is_permit && policy.role == Role::Overridden);
            policy::Verdict::Forbidden(policies.clone(), overridden)
        }
        Verdict::NotEvaluated(_) => {
            policy::Verdict::Failed(ids(explained, |policy| matches!(policy.role, Role::Failed(_))))
        }
        Verdict::Refused(error) => return Err(error_of("user_name", error.clone(), language)),
    })
}

/// The policies of these parts in the answers about what was asked, each once.
fn ids(explained: &Explained, is_wanted: impl Fn(&PolicyEvaluation) -> bool) -> Vec<String> {
    let explanations = explained.answer.explanations.iter().filter(|(asked, _)| *asked != Asked::ApprovedDelete);
    let policies = explanations.flat_map(|(_, explanation)| &explanation.policies);
    let mut ids: Vec<_> = policies.filter(|policy| is_wanted(policy)).map(|policy| policy.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn evaluated(policy: PolicyEvaluation) -> Evaluated {
    let PolicyEvaluation { role, id, is_permit, text } = policy;
    let role = match role {
        Role::Decided => policy::Role::Decided,
        Role::Failed(why) => policy::Role::Failed(why),
        Role::Overridden => policy::Role::Overridden,
        Role::AlmostApplies => policy::Role::AlmostApplies,
    };
    Evaluated { id, is_permit, text, role }
}

/// The rest of the context, by the names of the schema.
fn facts(context: &AuthzContext, explained: &Explained) -> Vec<(String, String)> {
    [
        ("dry_run", context.dry_run.to_string()),
        ("confirmed", context.confirmed.to_string()),
        ("approved", context.approved.to_string()),
        ("reason_given", explained.is_reason_given.to_string()),
        ("removals_last_hour", context.removals_last_hour.to_string()),
        ("instance_removals_last_hour", context.instance_removals_last_hour.to_string()),
        ("waiting_requests", context.waiting_requests.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

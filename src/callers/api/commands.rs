//! Commands of the documented API and of the routes beside it.

use http::Method;
use serde::Deserialize;

use crate::callers::kind::Verified;
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, Subject};
use crate::config::Config;
use crate::config::callers::Caller;
use crate::config::instance::Instance;
use crate::outcome::language::Localized;
use crate::request::account_query::AccountQuery;
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::job::Job;
use crate::request::pending_query::PendingQuery;
use crate::request::reason::Reason;
use crate::request::removal_query::{ListFormat, RemovalQuery};
use crate::request::route::ApiPath;
use crate::request::strict::{Fields, json, percent_decode};

/// The parameters of the documented removal.
const PARAMETERS: [&str; 2] = ["user_name", "dry_run"];

/// Parses a request to the documented API or to a route beside it.
pub(super) fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
    let Verified { inbound, proof, caller } = request;
    // A proof of these kinds always has a subject or an access key.
    let Some(actor) = actor(proof, caller) else { return Parsed::refused(RequestError::RouteUnknown) };
    let command = match ApiPath::parse(&inbound.path) {
        Some(ApiPath::Removals) => list(inbound),
        Some(ApiPath::Removal(id)) => {
            without_query(inbound).and_then(|()| Ok(Command::GetRemoval { id: decoded(id)? }))
        }
        Some(ApiPath::Approvals) => pending(inbound),
        Some(ApiPath::Approval(id)) => without_query(inbound).and_then(|()| decision(inbound, id)),
        Some(ApiPath::Job(name)) => without_query(inbound)
            .and_then(|()| Job::parse(name).map(Command::RunJob).ok_or(RequestError::RouteUnknown)),
        Some(ApiPath::Metrics) => without_query(inbound).map(|()| Command::GetMetrics),
        Some(ApiPath::Users(project_id, instance_id)) => documented(inbound, project_id, instance_id, config),
        Some(ApiPath::BelowUsers) | None => Err(RequestError::RouteUnknown),
    };
    Parsed::of(actor, command)
}

/// Returns the requester: the subject of the token, or the access key that signed.
fn actor(proof: &Proof, caller: &Caller) -> Option<Actor> {
    match &proof.subject {
        Some(Subject { id, groups }) => Some(Actor { groups: groups.clone(), ..Actor::person(caller, id) }),
        None => proof.key_id.as_deref().map(|id| Actor::person(caller, id)),
    }
}

fn list<'c>(inbound: &Inbound) -> Result<Command<'c>, RequestError> {
    let query = RemovalQuery::parse(&Fields::from_query(&inbound.query)?)?;
    Ok(Command::ListRemovals { query, format: ListFormat::accepted(&inbound.headers)? })
}

fn pending<'c>(inbound: &Inbound) -> Result<Command<'c>, RequestError> {
    PendingQuery::parse(&Fields::from_query(&inbound.query)?).map(Command::ListPending)
}

fn decoded(segment: &str) -> Result<String, RequestError> {
    percent_decode(segment).ok_or(RequestError::UrlMalformed)
}

#[derive(Deserialize)]
struct Decision {
    decision: String,
    reason: Option<String>,
}

fn decision<'c>(inbound: &Inbound, id: &str) -> Result<Command<'c>, RequestError> {
    let Decision { decision, reason } = json(&inbound.body)?;
    let Some(action) = ApprovalAction::parse(&decision) else {
        let expected = Localized {
            en: "`approve`, `deny`, `confirm` or `cancel`",
            zh: " `approve`、`deny`、`confirm` 或 `cancel`",
        };
        return Err(RequestError::invalid("decision", decision, expected));
    };
    Ok(Command::DecideApproval { id: decoded(id)?, action, reason: Reason::parse(&reason.unwrap_or_default())? })
}

fn without_query(inbound: &Inbound) -> Result<(), RequestError> {
    match Fields::from_query(&inbound.query)?.names().next() {
        Some(name) => Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &[] }),
        None => Ok(()),
    }
}

/// One of the two documented calls: the removal, or the account list.
fn documented<'c>(
    inbound: &Inbound,
    project_id: &str,
    instance_id: &str,
    config: &'c Config,
) -> Result<Command<'c>, RequestError> {
    let instance = config.instance_by_ids(&decoded(project_id)?, &decoded(instance_id)?)?;
    let query = Fields::from_query(&inbound.query)?;
    if inbound.method == Method::DELETE {
        removal(&query, instance, config)
    } else {
        Ok(Command::ListAccounts { instance, query: AccountQuery::parse(&query)? })
    }
}

fn removal<'c>(query: &Fields, instance: &'c Instance, config: &Config) -> Result<Command<'c>, RequestError> {
    // Refused rather than ignored: a later version may give the parameter a meaning, and a request that relies on it must not be
    // carried out without it.
    if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
        return Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &PARAMETERS });
    }
    let dry_run = match query.required("dry_run") {
        Ok("true") => true,
        Ok("false") => false,
        Err(_) if !query.names().any(|name| name == "dry_run") => false,
        other => {
            let expected = Localized { en: "`true` or `false`", zh: " `true` 或 `false`" };
            return Err(RequestError::invalid("dry_run", other.unwrap_or_default(), expected));
        }
    };
    let user_name = config.accounts.parse(query.required("user_name")?)?;
    Ok(Command::RemoveAccount { user_name, instance, reason: None, dry_run, caused_by: None })
}

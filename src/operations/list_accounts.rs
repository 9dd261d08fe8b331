//! Reads the account list of an instance for a caller whom policy permits to: the documented list call, passed through.
//!
//! What TaurusDB documents, a page or an error, is passed back as it came, and has no row: nothing changes. A caller whom policy does
//! not permit learns nothing, and TaurusDB is not asked.

use chrono::SecondsFormat;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::config::instance::Instance;
use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::authorize::policy_context;
use crate::operations::report::{Content, Refusal};
use crate::outcome::log_event::log_event;
use crate::outcome::{Denied, NotSent, Outcome};
use crate::policy::counts::Counts;
use crate::policy::{Action, AuthzRequest, Principal, Resource};
use crate::reply::Rendered;
use crate::request::account_query::AccountQuery;
use crate::taurusdb::error::CallError;

/// A part of the account list.
///
/// # Errors
///
/// If policy does not permit it, the credentials cannot be used, or TaurusDB gives no usable answer.
pub(crate) async fn list_accounts<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    instance: &'c Instance,
    query: &AccountQuery,
) -> Result<Content, Refusal<'c>> {
    let policies = permitted_by(ctx, instance)?;
    let of_policies = |refusal: Refusal<'c>| refusal.map(|report| report.decided_by(&policies));
    let taurusdb = ctx.taurusdb(instance).await.map_err(|error| of_policies(error.into()))?;
    let listed = taurusdb.list(query).await.map_err(|error| of_policies(outcome(error).into()))?;
    let event = json!({
        "event": "accounts-listed",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "policies": policies,
        "instance": instance.name,
        "limit": query.limit,
        "offset": query.offset,
        "user_name": query.user_name,
        "status": listed.status.as_u16(),
        "request_id": listed.request_id,
    });
    log_event(ctx.host, event);
    let mut rendered = Rendered::json(listed.status, listed.body);
    rendered.headers.extend(listed.retry_after.map(|seconds| (RETRY_AFTER, seconds.to_string())));
    Ok(Content { policies, request_id: listed.request_id, ..Content::of(rendered) })
}

/// The policies that permit the caller to read the account list of an instance.
///
/// # Errors
///
/// If none does.
pub(super) fn permitted_by<'c, H: Host>(ctx: &Ctx<'c, H>, instance: &Instance) -> Result<Vec<String>, Refusal<'c>> {
    let request = AuthzRequest {
        principal: Principal::of(ctx.actor, &ctx.app.config),
        action: Action::List,
        resource: Resource::Instance(instance),
        reason_given: false,
    };
    let context = policy_context(ctx.app, ctx.at, Counts::default());
    let response = ctx.app.policies.is_authorized(&request, context);
    if let Some(why) = &response.failed {
        let principal = &ctx.actor.principal;
        ctx.host.log(&format!("policy: evaluation failed for an account list by {principal}; denied: {why}"));
    }
    if response.allowed { Ok(response.policies) } else { Err(Outcome::Denied(Denied::List(response.denial())).into()) }
}

/// Why there is no list. The sentences about removals are for what an operator has to mend; the rest is one sentence.
fn outcome(error: CallError) -> Outcome {
    match error {
        CallError::TokenUnavailable | CallError::OutOfTime | CallError::NoUsableAnswer => {
            NotSent::AccountListUnavailable.into()
        }
        CallError::CredentialsUnset
        | CallError::CredentialsRefused
        | CallError::EndpointInvalid
        | CallError::HostNotAllowed
        | CallError::IamNotAllowed => error.into(),
    }
}

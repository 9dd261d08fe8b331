//! GitLab, a webhook of a project or group, or a system hook: `POST /hooks/{caller}`.
//!
//! Proof, by the form of the caller's secret:
//! - a signing token (`whsec_…`): a signature as of Standard Webhooks, where `webhook-id` is the `Idempotency-Key`
//!   (<https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944>,
//!   <https://gitlab.com/gitlab-org/gitlab/-/merge_requests/231325>);
//! - any other: a secret token, which `X-Gitlab-Token` carries as it is
//!   (<https://docs.gitlab.com/user/project/integrations/webhooks/>). It signs nothing: whoever reads one request can make
//!   others.
//!
//! A signing token is never taken for a secret token, so that a receiver that was told to want signatures cannot be talked
//! down. A signed delivery is known by its `webhook-id`, another by the id in its body, where `fields` says where it is, or by
//! its body: GitLab's bodies have times, and are the same when a delivery is tried again.
//!
//! Without `fields`, the system hook `user_destroy` (<https://docs.gitlab.com/administration/system_hooks/>) says that somebody
//! leaves; `[leavers]` sees `username`, `email` and `id`. With `fields` it is whatever the operator says.
//!
//! GitLab disables a webhook for a while that answers with errors several times
//! (<https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks>). It waits for ten seconds: what takes
//! longer is taken on with 202, and goes on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::callers::follow_up::accepted;
use crate::callers::kind::{CallerKind, Endpoint, Reading};
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::callers::webhook::standard_webhooks::{SHARED, SIGNATURE, signed};
use crate::callers::webhook::{body_fields, github};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Language;
use crate::reply::api_body::api_body;
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::headers::{header, required_header};
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape { takes_fields: true, is_of_leavers: true, ..CallerShape::hook("gitlab") },
    place: Endpoint::Hook("POST"),
    content_types: &["application/json"],
    published: None,
    open: None,
    verify,
    read,
    render: api_body,
    speech: None,
    early: Some(accepted),
    later: None,
    envelope: None,
};

const TOKEN: &str = "x-gitlab-token";

/// <https://docs.gitlab.com/administration/system_hooks/#hooks-request-example>, "User removed".
#[derive(Deserialize)]
struct UserDestroyed {
    username: String,
    user_id: u64,
    email: Option<String>,
}

fn verify(
    inbound: &Inbound,
    caller: &Caller,
    keys: &VerificationKeys,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let (signing, tokens): (Vec<_>, Vec<_>) =
        keys.secrets.iter().map(|key| &key.secret).partition(|secret| secret.expose().starts_with(SHARED));
    // A hook may have both, and whoever rotates from the one to the other has both here.
    let is_signed = header(&inbound.headers, SIGNATURE)?.is_some();
    if tokens.is_empty() || (is_signed && !signing.is_empty()) {
        return signed(inbound, caller, &signing, now);
    }
    let token = required_header(&inbound.headers, TOKEN)?;
    if !tokens.iter().any(|secret| same_secret(token.as_bytes(), secret)) {
        return Err(ProofError::Wrong);
    }
    Ok(Proof::of(github::delivery(inbound, caller)))
}

fn read<'c>(inbound: &Inbound, proof: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let said = strict::json::<Value>(&inbound.body).and_then(|body| match &caller.fields {
        Some(of) => body_fields::read(of, &body, &proof.delivery, config),
        None => user_destroyed(body, &proof.delivery),
    });
    Reading::of(Actor::system(caller), said)
}

fn user_destroyed<'c>(body: Value, delivery: &DeliveryId) -> Result<Command<'c>, RequestError> {
    if body.get("event_name").and_then(Value::as_str) != Some("user_destroy") {
        return Ok(Command::Nothing("no user was deleted"));
    }
    let UserDestroyed { username, user_id, email } = strict::typed(body)?;
    let mut identity = BTreeMap::from([("username".to_owned(), username), ("id".to_owned(), user_id.to_string())]);
    identity.extend(email.map(|email| ("email".to_owned(), email)));
    Ok(Command::Leave(vec![Leaver { event: delivery.as_str().to_owned(), identity, reason: None }]))
}

//! GitLab, a webhook of a project or group, or a system hook: `POST /hooks/{caller}`.
//!
//! Proof, by the form of the caller's secret:
//! - a signing token (`whsec_…`): a signature as in Standard Webhooks, where `webhook-id` is the `Idempotency-Key`
//!   (<https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944>,
//!   <https://gitlab.com/gitlab-org/gitlab/-/merge_requests/231325>);
//! - any other secret: a secret token, which `X-Gitlab-Token` carries unchanged
//!   (<https://docs.gitlab.com/user/project/integrations/webhooks/>). It signs nothing: anyone who reads one request can forge
//!   others.
//!
//! A signing token is never accepted as a secret token, so a caller that is configured for signatures cannot be downgraded. The
//! delivery id of a signed request is its `webhook-id`. That of any other request is the id in its body, if `fields` says where the
//! id is, and otherwise the body itself: GitLab's bodies carry times, and a retried delivery has the same body.
//!
//! Without `fields`, the system hook `user_destroy` (<https://docs.gitlab.com/administration/system_hooks/>) reports a leaver;
//! `[caller.leavers]` sees `username`, `email` and `id`. It does not say who destroyed the user. GitLab sends no event when a user is
//! blocked or banned. With `fields`, the operator defines the meaning of the body.
//!
//! GitLab disables a webhook temporarily after several errors
//! (<https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks>). It waits ten seconds: a request that
//! takes longer is answered 202 and continues.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::callers::event::Event;
use crate::callers::follow_up::accepted;
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, first_that_proves};
use crate::callers::webhook::standard_webhooks::{SHARED, SIGNATURE, signed};
use crate::callers::webhook::{body_fields, standard_webhooks};
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::request::error::RequestError;
use crate::request::headers::{header, required_header};
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;
use crate::secret::Secret;

pub(crate) struct Gitlab;

impl CallerKind for Gitlab {
    fn shape(&self) -> CallerShape {
        CallerShape {
            takes_fields: true,
            leavers: LEAVERS,
            chosen_fields: CHOSEN,
            secret_form: form,
            ..CallerShape::hook("gitlab")
        }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let (signing, tokens): (Vec<_>, Vec<_>) =
            keys.secrets.iter().map(|key| &key.secret).partition(|secret| is_signing(secret));
        // A hook may have both secrets, and an operator who replaces one form by the other has both configured.
        let is_signed = header(&inbound.headers, SIGNATURE)?.is_some();
        if tokens.is_empty() || (is_signed && !signing.is_empty()) {
            return signed(inbound, caller, signing, now);
        }
        let token = required_header(&inbound.headers, TOKEN)?;
        first_that_proves(tokens, |secret| same_secret(token.as_bytes(), secret))?;
        Ok(Proof::of(body_fields::delivery(&inbound.body, caller)))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = strict::json(&request.inbound.body).and_then(|body| {
            body_fields::read_or(request, body, config, |body| user_destroyed(body, &request.proof.delivery))
        });
        Event::parsed(request.caller, event)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(accepted)
    }
}

/// People rename themselves and change their address, unless a directory manages both.
const LEAVERS: &[Attribute<'static>] =
    &[Attribute::id("id"), Attribute::chosen("username"), Attribute::chosen("email")];

/// The fields of GitLab's bodies that members choose: names and addresses of people, names and paths of groups and projects.
const CHOSEN: &[&str] = &[
    "username",
    "user_username",
    "email",
    "user_email",
    "name",
    "user_name",
    "full_path",
    "path",
    "path_with_namespace",
    "group_name",
    "group_path",
    "project_name",
    "project_path",
    "project_path_with_namespace",
    "title",
    "description",
];

const TOKEN: &str = "x-gitlab-token";

/// Whether a secret is a signing token.
fn is_signing(secret: &Secret) -> bool {
    let text = secret.expose();
    text.strip_prefix("v1,").unwrap_or(text).starts_with(SHARED)
}

/// Checks the form of a secret. A secret token is any text.
fn form(part: &str, secret: &Secret) -> Result<(), &'static str> {
    if is_signing(secret) { standard_webhooks::form(part, secret) } else { Ok(()) }
}

/// <https://docs.gitlab.com/administration/system_hooks/#hooks-request-example>, "User removed".
#[derive(Deserialize)]
struct UserDestroyed {
    username: String,
    user_id: u64,
    email: Option<String>,
}

fn user_destroyed<'c>(body: Value, delivery: &DeliveryId) -> Result<Event<'c>, RequestError> {
    const NOT_DELETED: &str = "no user was deleted";
    if body.get("event_name").and_then(Value::as_str) != Some("user_destroy") {
        return Ok(Event::Ignored(NOT_DELETED));
    }
    let UserDestroyed { username, user_id, email } = strict::typed(body)?;
    let email = email.map(|email| ("email", email));
    let identity = [("username", username), ("id", user_id.to_string())].into_iter().chain(email);
    Ok(Event::leavers([Leaver::new(delivery.as_str(), identity)], NOT_DELETED))
}

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

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::callers::event::Event;
use crate::callers::follow_up::{Acknowledgement, accepted};
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, first_that_proves};
use crate::callers::webhook::body_fields;
use crate::callers::webhook::standard_webhooks::{SHARED, SIGNATURE, signed};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::headers::{header, required_header};
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::leaver::Leaver;
use crate::request::strict;

pub(crate) struct Gitlab;

impl CallerKind for Gitlab {
    fn shape(&self) -> CallerShape {
        CallerShape { takes_fields: true, is_of_leavers: true, ..CallerShape::hook("gitlab") }
    }

    fn verify(
        &self,
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
            return signed(inbound, caller, signing, now);
        }
        let token = required_header(&inbound.headers, TOKEN)?;
        first_that_proves(tokens, |secret| same_secret(token.as_bytes(), secret))?;
        Ok(Proof::of(body_fields::delivery(inbound, caller)))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        let event = strict::json(&request.inbound.body).and_then(|body| {
            body_fields::read_or(request, body, config, |body| user_destroyed(body, &request.proof.delivery))
        });
        Event::parsed(request.caller, event)
    }

    fn acknowledge(&self, early: &Acknowledgement<'_>) -> Option<Rendered> {
        Some(accepted(early))
    }
}

const TOKEN: &str = "x-gitlab-token";

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

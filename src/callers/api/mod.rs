//! TaurusDB's own API, so that portals, the official SDKs, KooCLI and Terraform work by changing the endpoint alone:
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…`, and the account list by GET on the same path with
//! `limit`, `offset` and `user_name`.
//!
//! Proof, one of two:
//!
//! - SDK-HMAC-SHA256 with an access key that the operator issued (see [`access_key`]). The principal is `{caller}/{access key id}`.
//! - A bearer token of an identity provider (see [`bearer`]). The principal is `{caller}/{sub}`, and its `groups` are teams if the
//!   operator names that claim. A token proves the requester and covers nothing of the request: the same request with the same
//!   token within a minute is the same delivery.
//!
//! The example on the documented page writes `…/starrocks/user`; both paths are accepted. The answer is the documented one. A body
//! is covered by the signature and otherwise ignored, because the call has none.
//!
//! `?dry_run=true` beside `user_name` requests a dry run. HEAD is answered where GET is, without the body. Routes beside the documented call, with the same proof:
//!
//! - `GET /removals/{id}`: the state of a removal
//! - `GET /removals`: removals that this caller may see, newest first; the parameters are those of `search`. `Accept` selects
//!   `application/json` (`{"removals":[…],"next":"…"}`), `text/csv` or `application/x-ndjson`. The `cursor` of the next page is
//!   in `X-Offboard-Next` as well; the last page has none
//! - `GET /approvals`: removals that wait for an approval, as far as this caller may see them
//! - `POST /approvals/{id}`, JSON `{"decision":"approve"|"deny"|"confirm"|"cancel","reason":"…"}`
//! - `POST /jobs/settle`, `/jobs/expire`, `/jobs/prune`, and `GET /metrics`: for principals that policy permits to `operate`. A body is
//!   ignored
//!
//! Not supported: `X-Auth-Token` (only IAM can verify one), other query parameters.

pub mod access_key;
pub mod bearer;
pub mod commands;
pub mod http_signature;

use chrono::{DateTime, Utc};

use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape};
use crate::config::callers::{Caller, Key};
use crate::crypto::jwks::JwksSource;
use crate::request::inbound::Inbound;

/// The kind's name in offboard.toml.
pub const NAME: &str = "api";

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::AccessKeys { optional: true },
    settings: bearer::SETTINGS,
    is_complete: bearer::is_complete,
    ..CallerShape::hook(NAME)
};

pub(crate) struct Api;

impl CallerKind for Api {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Documented
    }

    fn content_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn key_source<'c>(&self, inbound: &Inbound, caller: &'c Caller) -> Option<JwksSource<'c>> {
        if access_key::is_signed(inbound) { None } else { bearer::key_source(inbound, caller) }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        if let Some(published) = &keys.published
            && let Some(token) = bearer::token(inbound, caller)?
        {
            return bearer::verify(token, published, inbound, caller, now);
        }
        access_key::verify(inbound, caller, keys, now)
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        commands::parse(request, config)
    }
}

/// The caller that a request claims to be from, and the keys that could prove it.
#[derive(Debug)]
pub struct ClaimedCaller<'c> {
    /// The caller; with a key of no caller, another one of the kind.
    pub caller: &'c Caller,
    /// The keys. None of them proves the request if it names another.
    pub keys: Vec<&'c Key>,
    /// Whether the request names this caller.
    pub is_named: bool,
}

impl<'c> ClaimedCaller<'c> {
    /// A caller that the request names.
    pub fn named(caller: &'c Caller, keys: Vec<&'c Key>) -> Self {
        Self { caller, keys, is_named: true }
    }

    /// The caller of this kind that has the access key. If none has it, any other key of the kind takes its place, so that the
    /// request is refused after the same work: a stranger must not find out which keys exist. `None` if the kind has no keys.
    fn with_access_key(config: &'c Config, kind: &str, id: &str) -> Option<Self> {
        let known = config.access_key(id).filter(|(caller, _)| caller.kind == kind);
        let (caller, key) = known.or_else(|| config.any_access_key(kind))?;
        Some(Self { caller, keys: vec![key], is_named: known.is_some() })
    }
}

/// Returns the caller whose access key the request names, or whose token it carries, and the key.
///
/// # Errors
///
/// [`ProofError::Missing`] if the request carries neither; the errors of the two proofs; if no caller has access keys, what the
/// request would be refused for under a key that did not sign it.
pub fn identify_caller<'c>(
    inbound: &Inbound,
    config: &'c Config,
    now: DateTime<Utc>,
) -> Result<ClaimedCaller<'c>, ProofError> {
    let is_of_kind = |caller: &&Caller| caller.kind == NAME;
    if !access_key::is_signed(inbound)
        && let Some(caller) = bearer::issuing_caller(inbound, config.callers().filter(is_of_kind))?
    {
        return Ok(ClaimedCaller::named(caller, Vec::new()));
    }
    let id = access_key::id(inbound)?;
    ClaimedCaller::with_access_key(config, NAME, id).ok_or_else(|| access_key::refusal_without_key(inbound, now))
}

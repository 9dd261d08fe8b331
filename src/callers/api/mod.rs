//! TaurusDB's own API, so that portals, the official SDKs, KooCLI and Terraform work by changing the endpoint alone:
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…`.
//!
//! Proof: SDK-HMAC-SHA256 with an access key that this gateway's operator issued (see `crypto::sdk_hmac`), and then the principal is
//! `{caller}/{access key id}`; or a bearer token of an identity provider (see `jose`), and then it is `{caller}/{sub}`, whose
//! `groups` are teams where the operator names that claim. A token proves who asks and nothing of what they ask: the same request
//! with the same token within a minute is the same delivery. The documented page's example writes `…/starrocks/user`; both are taken. The answer is the
//! documented one. A body is covered by the signature and otherwise ignored: the call has none.
//!
//! `?dry_run=true` beside `user_name` asks what would happen. Beside the documented call, with the same proof:
//!
//! - `GET /removals/{id}`: what became of a removal
//! - `GET /removals`: which removals there were, newest first, as far as this caller may see them; the parameters are
//!   `search`'s. By `Accept` it is `application/json` (`{"removals":[…],"next":"…"}`), `text/csv` or `application/x-ndjson`; the
//!   `cursor` of the next page is `X-Offboard-Next` too, and there is none on the last
//! - `GET /approvals`: what waits for somebody's yes, as far as this caller may see it
//! - `POST /approvals/{id}`, JSON `{"decision":"approve"|"deny"|"confirm"|"cancel","reason":"…"}`
//!
//! Not supported: `X-Auth-Token` (only IAM can check one), other query parameters.

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
        if let (Some(published), Some(token)) = (&keys.published, bearer::token(inbound, caller)?) {
            return bearer::verify(token, published, inbound, caller, now);
        }
        access_key::verify(inbound, caller, keys, now)
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        commands::parse(request, config)
    }
}

/// Returns the caller whose access key the request names, or whose token it carries, and the key.
///
/// # Errors
///
/// [`ProofError::Missing`] if the request carries neither, [`ProofError::Wrong`] if no caller has the key: which keys exist is
/// not for everyone to learn. Otherwise the errors of the two proofs.
pub fn identify_caller<'c>(inbound: &Inbound, config: &'c Config) -> Result<(&'c Caller, Vec<&'c Key>), ProofError> {
    let is_of_kind = |caller: &Caller| caller.kind == NAME;
    if !access_key::is_signed(inbound)
        && let Some(caller) = bearer::issuing_caller(inbound, config.callers().filter(|caller| is_of_kind(caller)))?
    {
        return Ok((caller, Vec::new()));
    }
    let id = access_key::id(inbound)?;
    let found = config.access_key(id).filter(|(caller, _)| is_of_kind(caller));
    found.map(|(caller, key)| (caller, vec![key])).ok_or(ProofError::Wrong)
}

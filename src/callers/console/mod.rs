//! The console's people: who reads `/console` and sends its forms.
//!
//! Proof, one of two, chosen by the settings:
//!
//! - `header`: a token that an identity-aware proxy signed, in a header of its own (Cloudflare Access, Google IAP, Pomerium) or, of
//!   oauth2-proxy and authentik, the provider's ID token. It is verified as the bearer tokens of the kind `api` are (see
//!   [`bearer`]), on every request: no session is made of it, so the proxy's sign-out and expiry hold. Issuer, audience, keys and
//!   algorithms are the operator's, never the token's; a header that is there twice is refused; unsigned headers beside it are not read.
//!   A token without `sub` is refused, and with it Cloudflare's service tokens, which stand for no person.
//! - `client_id`: OpenID Connect with the authorization code flow ([`sign_in`]), and a sealed cookie afterwards ([`session`]).
//!
//! The principal is `{caller}/{claim}`; `sub` unless `claim` names another one. Groups are teams, as with the kind `api`.
//!
//! Browsers send cookies, and a proxy's too, on their own: forms are believed only with the proof of [`guard`].
//!
//! Not supported: proxies without a signature that covers person and audience (Authelia, `X-Forwarded-User`), the load balancers of
//! AWS (`x-amzn-oidc-data`: no audience, no JWK Set, padded base64url) and AWS Verified Access (ES384). Back-channel logout is not
//! there either: a session ends after 8 hours, after 30 minutes without a request, and with its key.

pub mod back;
pub mod cookies;
pub mod guard;
pub mod provider;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod token_request;

use chrono::{DateTime, Utc};

use crate::callers::api::bearer;
use crate::callers::console::session::SignedIn;
use crate::callers::console::settings::{SHAPE, has_provider};
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, Subject, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::jwks::JwksSource;
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;

pub(crate) struct Console;

impl CallerKind for Console {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Console
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/x-www-form-urlencoded"]
    }

    fn key_source<'c>(&self, inbound: &Inbound, caller: &'c Caller) -> Option<JwksSource<'c>> {
        if has_provider(caller) { None } else { bearer::key_source(inbound, caller) }
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        if has_provider(caller) {
            let session = SignedIn::of_request(inbound, caller, &keys.secrets, now)?;
            let parts = [inbound.method.as_str().as_bytes(), inbound.path.as_bytes(), inbound.query.as_bytes()];
            let parts = [&parts[..], &[session.id.as_bytes(), &inbound.body]].concat();
            let delivery = DeliveryId::new(caller, &parts);
            let subject = Subject { groups: session.groups(), id: session.id };
            return Ok(Proof { subject: Some(subject), ..Proof::of(delivery) });
        }
        let missing = ProofError::Missing { header: "the token's header" };
        let token = bearer::token(inbound, caller)?.ok_or(missing)?;
        let published = keys.published.as_ref().ok_or(ProofError::KeyUnknown)?;
        bearer::verify(token, published, inbound, caller, now)
    }

    /// The pages and forms of the console are not commands; `flow::console` has them.
    fn parse<'c>(&self, _: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        Parsed::refused(RequestError::RouteUnknown)
    }
}

/// Returns the person whom a proof names; `None` for a proof of another kind.
pub fn actor(proof: &Proof, caller: &Caller) -> Option<Actor> {
    let Subject { id, groups } = proof.subject.as_ref()?;
    Some(Actor { groups: groups.clone(), ..Actor::person(caller, id) })
}

//! Who sent a request: the caller that it claims, and the proof. A [`Session`] is made here and nowhere else.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::callers;
use crate::callers::api::{self, ClaimedCaller, http_signature};
use crate::callers::console::settings::caller as console_caller;
use crate::callers::kind::{CallerKind, Encryption, Endpoint, Envelope};
use crate::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::callers::{Caller, Key};
use crate::config::limits::Limits;
use crate::flow::secrets::{self, load};
use crate::host::Host;
use crate::jwks_cache::ledger_down;
use crate::outcome::{NotSent, Outcome};
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::inbound::{BODY_LIMIT, Inbound};
use crate::request::route::{Route, route};
use crate::secret::Secret;

/// A caller who proved the request.
pub(super) struct Session<'c> {
    pub(super) caller: &'c Caller,
    pub(super) kind: &'static dyn CallerKind,
    pub(super) proof: Proof,
    /// A secret of the caller's: the one that proved the request, if it is known.
    pub(super) key: Option<ActiveSecret>,
    /// All of the caller's secrets that are set.
    pub(super) secrets: Vec<ActiveSecret>,
    /// What follow-up addresses are sealed with.
    pub(super) seals_with: Option<Secret>,
    pub(super) limits: Limits,
    encryption: Option<AnswerEncryption>,
}

/// What answers are encrypted with, for platforms that ask for it.
struct AnswerEncryption {
    encrypt: Encryption,
    key: ActiveSecret,
    at: DateTime<Utc>,
    random: u128,
}

/// What authentication ends with.
pub(super) enum Authenticated<'c> {
    /// The caller proved the request.
    Session(Box<Session<'c>>),
    /// The platform asks a question before it has any proof: this is the reply.
    Handshake(Rendered),
}

/// A request that is not proved, and the caller that it claims to be from.
pub(super) struct Unproved<'c> {
    pub(super) caller: Option<&'c Caller>,
    pub(super) outcome: Outcome,
}

/// Authenticates a request.
///
/// # Errors
///
/// If no configured caller is claimed, or the proof is missing, malformed or wrong.
pub(super) async fn authenticate<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    route: &Route,
    now: DateTime<Utc>,
) -> Result<Authenticated<'c>, Unproved<'c>> {
    let ClaimedCaller { caller, keys, is_named } = identify_caller(route, inbound, &app.config, now)
        .map_err(|error| Unproved { caller: None, outcome: error.into() })?;
    let unproved = |outcome| Unproved { caller: is_named.then_some(caller), outcome };
    let Some(kind) = callers::kind(&caller.kind) else {
        return Err(unproved(NotSent::ConfigurationUnusable.into()));
    };
    if let Some(rendered) = kind.handshake(inbound, caller) {
        return Ok(Authenticated::Handshake(rendered));
    }
    let claim = Claim { inbound, caller, kind, now };
    let session = claim.verify(host, app, &keys).await.map_err(unproved)?;
    if !is_named {
        return Err(unproved(ProofError::Wrong.into()));
    }
    Ok(Authenticated::Session(Box::new(session)))
}

/// Returns the largest body that is read of a request, in bytes, by the caller that its path names.
pub(super) fn body_limit(config: &Config, inbound: &Inbound) -> usize {
    let Ok(Route::Hook(name) | Route::Scim(name)) = route(inbound) else { return BODY_LIMIT };
    let kind = config.caller(&name).ok().and_then(|caller| callers::kind(&caller.kind));
    kind.map_or(BODY_LIMIT, |kind| kind.body_limit())
}

/// A request and the caller that it claims to be from.
struct Claim<'r, 'c> {
    inbound: &'r Inbound,
    caller: &'c Caller,
    kind: &'static dyn CallerKind,
    now: DateTime<Utc>,
}

impl<'c> Claim<'_, 'c> {
    async fn verify<H: Host>(&self, host: &H, app: &App, keys: &[&Key]) -> Result<Session<'c>, Outcome> {
        let Self { inbound, caller, kind, now } = *self;
        let limits = app.config.limits;
        // A kind that is proved by published keys may have no secrets.
        let secrets = if keys.is_empty() { Vec::new() } else { load(host, kind, keys).await? };
        let mut keys = VerificationKeys { secrets, published: None };
        let source = kind.key_source(inbound, caller);
        if let Some(source) = source {
            app.ledger(host).await.map_err(|why| ledger_down(host, &why))?;
            keys.published = Some(app.jwks.get(host, source, &app.config).await?);
        }
        let mut verified = kind.verify(inbound, caller, &keys, now);
        if let (Err(ProofError::KeyUnknown), Some(source)) = (&verified, source)
            && let Some(refreshed) = app.jwks.refresh(host, source, &app.config).await?
        {
            keys.published = Some(refreshed);
            verified = kind.verify(inbound, caller, &keys, now);
        }
        let proof = verified?;
        let encryption = kind.encryption().zip(proof.key.clone()).map(|(encrypt, key)| AnswerEncryption {
            encrypt,
            key,
            at: host.now(),
            random: host.random(),
        });
        let secrets = keys.secrets;
        let key = proof.key.clone().or_else(|| secrets.first().cloned());
        let own = key.iter().map(|key| key.secret.clone()).collect();
        let seals_with = secrets::sealing(host, &app.config, kind, own).await.into_iter().next();
        Ok(Session { caller, kind, proof, key, secrets, seals_with, limits, encryption })
    }
}

impl Session<'_> {
    /// Puts an answer into the form of this request, and encrypts it if the platform asks for that.
    pub(super) fn encrypt(&self, rendered: Rendered) -> Rendered {
        let rendered = self.kind.envelope(rendered, &self.proof);
        let Some(AnswerEncryption { encrypt, key, at, random }) = &self.encryption else { return rendered };
        let plain = self.proof.plain.as_deref().unwrap_or_default();
        encrypt(rendered, &Envelope { caller: self.caller, key, plain, now: *at, random: *random })
    }
}

/// The caller that the request claims to be from, and the keys that could prove it.
fn identify_caller<'c>(
    route: &Route,
    inbound: &Inbound,
    config: &'c Config,
    now: DateTime<Utc>,
) -> Result<ClaimedCaller<'c>, ProofError> {
    match route {
        // Answered before.
        Route::Health | Route::Ready | Route::Description => Err(RequestError::RouteUnknown.into()),
        Route::Api | Route::Metrics if http_signature::is_stated(inbound) => {
            http_signature::identify_caller(inbound, config, now)
        }
        Route::Api | Route::Metrics => api::identify_caller(inbound, config, now),
        Route::Console(_) => {
            let caller = console_caller(config).ok_or(RequestError::RouteUnknown)?;
            Ok(ClaimedCaller::named(caller, caller.keys.iter().collect()))
        }
        Route::Scim(name) => {
            let caller = config.caller(name)?;
            if callers::kind(&caller.kind).map(|kind| kind.endpoint()) != Some(Endpoint::Scim) {
                return Err(RequestError::CallerUnknown { name: name.clone() }.into());
            }
            Ok(ClaimedCaller::named(caller, caller.keys.iter().collect()))
        }
        Route::Hook(name) => {
            let caller = config.caller(name)?;
            // A caller of TaurusDB's own API has no hook.
            let Some(Endpoint::Hook(allow)) = callers::kind(&caller.kind).map(|kind| kind.endpoint()) else {
                return Err(RequestError::CallerUnknown { name: name.clone() }.into());
            };
            if !allow.split(", ").any(|method| method == inbound.method.as_str()) {
                return Err(RequestError::MethodNotAllowed { allow }.into());
            }
            Ok(ClaimedCaller::named(caller, caller.keys.iter().collect()))
        }
    }
}

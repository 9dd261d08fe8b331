//! Who sent a request: the caller that it claims, and the proof.

use http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::callers::api::{self, http_signature};
use crate::callers::kind::{Endpoint, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{ActiveSecret, ProofError, VerificationKeys};
use crate::callers::{self};
use crate::config::Config;
use crate::config::callers::{Caller, Key};
use crate::flow::follow_up::FollowUpChannel;
use crate::flow::parse::{asked_language, check_content_type};
use crate::flow::record::{Sealed, Told};
use crate::host::Host;
use crate::operations::remove::ledger_down;
use crate::outcome::Outcome;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::{BodyError, Inbound};
use crate::request::route::Route;
use crate::secret::Secret;

/// What somebody says, who proved who they are.
#[derive(Debug)]
pub(crate) struct Heard<'c> {
    pub(crate) said: Command<'c>,
    pub(crate) actor: Actor,
    /// Which request it is.
    pub(crate) delivery: DeliveryId,
    /// A secret of the caller's, to seal what is the caller's own.
    pub(crate) secret: Option<Secret>,
}

/// What there is to do.
#[derive(Debug)]
pub(crate) enum Hearing<'c> {
    /// What somebody says.
    Heard(Box<Heard<'c>>),
    /// Nothing more: the platform has its answer.
    Answered(Rendered),
}

/// Hears a request.
///
/// # Errors
///
/// Why it is refused before anything is decided.
pub(crate) async fn hear<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    route: &Route,
    problem: Option<BodyError>,
    told: &mut Told<'c>,
) -> Result<Hearing<'c>, Outcome> {
    match problem {
        Some(BodyError::TooLarge) => return Err(Outcome::BodyTooLarge),
        Some(BodyError::CutShort) => return Err(Outcome::BodyCutShort),
        None => {}
    }

    // Who asked, proved.
    let config = &app.config;
    let (caller, keys) = identify_caller(route, inbound, config)?;
    told.caller = Some(caller);
    told.language = caller.language.unwrap_or(told.language);
    let kind = callers::kind(&caller.kind).ok_or(Outcome::Unusable)?;
    if let Some(rendered) = kind.handshake(inbound, caller) {
        return Ok(Hearing::Answered(rendered));
    }
    // A kind that is proved by published keys may have none of its own.
    let secrets = if keys.is_empty() { Vec::new() } else { load_secrets(host, &keys).await? };
    let mut keys = VerificationKeys { secrets, published: None };
    let source = kind.key_source(inbound, caller);
    if let Some(source) = source {
        app.open_ledger(host).await.map_err(|why| ledger_down(host, &why))?;
        keys.published = app.published.keys(host, source, config.limits, false).await?;
    }
    let mut verified = kind.verify(inbound, caller, &keys, told.at);
    if let (Err(ProofError::KeyUnknown), Some(source)) = (&verified, source)
        && let Some(anew) = app.published.keys(host, source, config.limits, true).await?
    {
        keys.published = Some(anew);
        verified = kind.verify(inbound, caller, &keys, told.at);
    }
    let proof = verified?;
    told.kind = Some(kind);
    told.sealed = Sealed::of(host, kind, caller, &proof);

    // What they say.
    let language = asked_language(inbound);
    if let Ok(Some(language)) = language {
        told.language = language;
    }
    let parsed = kind.parse(Verified { inbound, proof: &proof, caller }, config);
    // Before anything is refused: whoever proved themselves is named in the row of a refusal too, and hears of it.
    let sender = parsed.sender().cloned();
    told.actor = sender.as_ref().map(|sender| sender.actor.clone());
    told.clicked = sender.as_ref().and_then(|sender| sender.clicked);
    let key = proof.key.or_else(|| keys.secrets.first().cloned());
    let secret = key.as_ref().map(|key| key.secret.clone());
    let later = sender.and_then(|sender| sender.reply_address);
    told.channel = later.and_then(|later| FollowUpChannel::new(kind, later, caller, key, config.limits));
    language?;
    // What there is no way to ask for is that, whatever body it has.
    if let Parsed::Refused {
        error: error @ (RequestError::RouteUnknown | RequestError::MethodNotAllowed { .. }), ..
    } = parsed
    {
        return Err(error.into());
    }
    check_content_type(inbound, kind)?;
    match parsed {
        Parsed::Refused { error, .. } => Err(error.into()),
        Parsed::Reply { rendered, .. } => Ok(Hearing::Answered(rendered)),
        Parsed::Ignored { why, .. } => {
            let line = json!({"event": "passed-over", "by": caller.name, "kind": caller.kind, "why": why});
            host.log(&line.to_string());
            Ok(Hearing::Answered(Rendered::json(StatusCode::OK, json!({"result": "IGNORED"}).to_string())))
        }
        Parsed::Command { sender: Sender { actor, .. }, command } => {
            Ok(Hearing::Heard(Box::new(Heard { said: command, actor, delivery: proof.delivery, secret })))
        }
    }
}

/// Who the request claims to be from, and the keys that could prove it.
pub(crate) fn identify_caller<'c>(
    route: &Route,
    inbound: &Inbound,
    config: &'c Config,
) -> Result<(&'c Caller, Vec<&'c Key>), Outcome> {
    match route {
        Route::Api if http_signature::is_stated(inbound) => Ok(http_signature::identify_caller(inbound, config)?),
        Route::Api => Ok(api::identify_caller(inbound, config)?),
        Route::Scim(name) => {
            let caller = config.caller(name)?;
            if callers::kind(&caller.kind).map(|kind| kind.endpoint()) != Some(Endpoint::Scim) {
                return Err(Outcome::CallerUnknown { name: name.clone() });
            }
            Ok((caller, caller.keys.iter().collect()))
        }
        Route::Hook(name) => {
            let caller = config.caller(name)?;
            // A caller of TaurusDB's own API has no hook.
            let Some(Endpoint::Hook(allow)) = callers::kind(&caller.kind).map(|kind| kind.endpoint()) else {
                return Err(Outcome::CallerUnknown { name: name.clone() });
            };
            if !allow.split(", ").any(|method| method == inbound.method.as_str()) {
                return Err(Outcome::MethodNotAllowed { allow });
            }
            Ok((caller, caller.keys.iter().collect()))
        }
    }
}

/// The secrets that are set. One of several parts counts as far as these are; its kind says what it cannot do without.
///
/// # Errors
///
/// [`Outcome::SecretUnset`] when none is.
pub(crate) async fn load_secrets<H: Host>(host: &H, keys: &[&Key]) -> Result<Vec<ActiveSecret>, Outcome> {
    let mut active = Vec::new();
    for key in keys {
        let mut parts = Vec::new();
        for (part, variable) in &key.variables {
            match host.variable(variable).await {
                Some(secret) => parts.push((*part, secret)),
                None => host.log(&format!("caller: variable `{variable}` is not set")),
            }
        }
        active.extend(ActiveSecret::new(key.id.clone(), parts));
    }
    if active.is_empty() { Err(Outcome::SecretUnset) } else { Ok(active) }
}

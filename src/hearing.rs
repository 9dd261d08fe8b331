//! Who asked, proved, and what for: a request as it came becomes what somebody says.
//!
//! What is learnt on the way goes into `Told` at once, so that a request that is refused half-way is told of as far as it
//! is known. Nothing is decided here, and nothing is sent.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde_json::json;

use crate::caller::api::Path;
use crate::caller::{self, ActiveKey, Inbound, Keys, Kind, Place, Rendered, Said, api, http_signature};
use crate::command::{Actor, Delivery};
use crate::config::{Caller, Config, Key, Secret};
use crate::gateway::Gateway;
use crate::host::Host;
use crate::later::Channel;
use crate::outcome::{Language, Outcome};
use crate::removal::ledger_down;
use crate::strict;
use crate::told::{Sealed, Told};

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

const LANGUAGE: &str = "x-language";

/// Why a body was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyProblem {
    /// It is over [`BODY_LIMIT`], whatever its Content-Length says.
    TooLarge,
    /// It ended early.
    CutShort,
}

/// What somebody says, who proved who they are.
#[derive(Debug)]
pub(crate) struct Heard<'c> {
    pub(crate) said: Said<'c>,
    /// Who; a kind that answers by itself may not have asked.
    pub(crate) actor: Option<Actor>,
    /// Which request it is.
    pub(crate) delivery: Delivery,
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
    gateway: &'c Gateway,
    inbound: &Inbound,
    route: &Route,
    problem: Option<BodyProblem>,
    told: &mut Told<'c>,
) -> Result<Hearing<'c>, Outcome> {
    match problem {
        Some(BodyProblem::TooLarge) => return Err(Outcome::BodyTooLarge),
        Some(BodyProblem::CutShort) => return Err(Outcome::BodyCutShort),
        None => {}
    }

    // Who asked, proved.
    let config = &gateway.config;
    let (caller, keys) = claimed_caller(route, inbound, config)?;
    told.caller = Some(caller);
    told.language = caller.language.unwrap_or(told.language);
    let kind = caller::kind(&caller.kind).ok_or(Outcome::Unusable)?;
    if let Some(rendered) = kind.open.and_then(|open| open(inbound, caller)) {
        return Ok(Hearing::Answered(rendered));
    }
    // A kind that is proved by published keys may have none of its own.
    let secrets = if keys.is_empty() { Vec::new() } else { active_keys(host, &keys).await? };
    let mut keys = Keys { secrets, published: None };
    let source = kind.published.and_then(|source| source(inbound, caller));
    if let Some(source) = source {
        gateway.open_ledger(host).await.map_err(|why| ledger_down(host, &why))?;
        keys.published = gateway.published.keys(host, source, config.limits, false).await?;
    }
    let mut verified = (kind.verify)(inbound, caller, &keys, told.at);
    if let (Err(Outcome::KeyUnknown), Some(source)) = (&verified, source)
        && let Some(anew) = gateway.published.keys(host, source, config.limits, true).await?
    {
        keys.published = Some(anew);
        verified = (kind.verify)(inbound, caller, &keys, told.at);
    }
    let proof = verified?;
    told.kind = Some(kind);
    told.sealed = Sealed::of(host, kind, caller, &proof);

    // What they say.
    let language = asked_language(inbound);
    if let Ok(Some(language)) = language {
        told.language = language;
    }
    let reading = (kind.read)(inbound, &proof, caller, config, told.language);
    // Before anything is refused: whoever proved themselves is named in the row of a refusal too, and hears of it.
    told.actor.clone_from(&reading.actor);
    told.clicked = reading.clicked;
    let key = proof.key.or_else(|| keys.secrets.first().cloned());
    let secret = key.as_ref().map(|key| key.secret.clone());
    told.channel = reading.later.and_then(|later| Channel::new(kind, later, caller, key, config.limits));
    language?;
    // What there is no way to ask for is that, whatever body it has.
    if let Err(outcome @ (Outcome::RouteUnknown | Outcome::MethodNotAllowed { .. })) = reading.said {
        return Err(outcome);
    }
    acceptable(inbound, kind)?;
    match reading.said? {
        Said::Handshake(rendered) => Ok(Hearing::Answered(rendered)),
        Said::Nothing(why) => {
            let line = json!({"event": "passed-over", "by": caller.name, "kind": caller.kind, "why": why});
            host.log(&line.to_string());
            Ok(Hearing::Answered(Rendered::json(StatusCode::OK, json!({"result": "IGNORED"}).to_string())))
        }
        said => Ok(Hearing::Heard(Box::new(Heard { said, actor: reading.actor, delivery: proof.delivery, secret }))),
    }
}

/// What a path is for.
pub(crate) enum Route {
    /// TaurusDB's own API, and what is served beside it with the same proof.
    Api,
    /// A caller's hook; its name, decoded.
    Hook(String),
    /// An identity system's directory; the caller's name, decoded.
    Scim(String),
}

/// What a request's path is for.
///
/// # Errors
///
/// [`Outcome::RouteUnknown`], [`Outcome::MethodNotAllowed`], [`Outcome::UrlMalformed`]
pub(crate) fn route(inbound: &Inbound) -> Result<Route, Outcome> {
    let only = |method: Method, allow| {
        if inbound.method == method { Ok(()) } else { Err(Outcome::MethodNotAllowed { allow }) }
    };
    if inbound.path == "/healthz" {
        return Err(Outcome::MethodNotAllowed { allow: "GET" });
    }
    match api::path(&inbound.path) {
        Some(Path::Users(..)) => return only(Method::DELETE, "DELETE").map(|()| Route::Api),
        Some(Path::Removals | Path::Removal(_) | Path::Approvals) => {
            return only(Method::GET, "GET").map(|()| Route::Api);
        }
        Some(Path::Approval(_)) => return only(Method::POST, "POST").map(|()| Route::Api),
        None => {}
    }
    if let Some((name, _)) = inbound.path.strip_prefix("/scim/v2/").and_then(|rest| rest.split_once('/')) {
        return Ok(Route::Scim(strict::percent_decode(name).ok_or(Outcome::UrlMalformed)?));
    }
    match inbound.path.strip_prefix("/hooks/") {
        Some(name) if !name.is_empty() && !name.contains('/') => {
            Ok(Route::Hook(strict::percent_decode(name).ok_or(Outcome::UrlMalformed)?))
        }
        _ => Err(Outcome::RouteUnknown),
    }
}

/// Who the request claims to be from, and the keys that could prove it.
fn claimed_caller<'c>(
    route: &Route,
    inbound: &Inbound,
    config: &'c Config,
) -> Result<(&'c Caller, Vec<&'c Key>), Outcome> {
    match route {
        Route::Api if http_signature::is_stated(inbound) => http_signature::holder(inbound, config),
        Route::Api => api::holder(inbound, config),
        Route::Scim(name) => {
            let caller = config.caller(name)?;
            if caller::kind(&caller.kind).map(|kind| kind.place) != Some(Place::Scim) {
                return Err(Outcome::CallerUnknown { name: name.clone() });
            }
            Ok((caller, caller.keys.iter().collect()))
        }
        Route::Hook(name) => {
            let caller = config.caller(name)?;
            // A caller of TaurusDB's own API has no hook.
            let Some(Place::Hook(allow)) = caller::kind(&caller.kind).map(|kind| kind.place) else {
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
pub(crate) async fn active_keys<H: Host>(host: &H, keys: &[&Key]) -> Result<Vec<ActiveKey>, Outcome> {
    let mut active = Vec::new();
    for key in keys {
        let mut parts = Vec::new();
        for (part, variable) in &key.variables {
            match host.variable(variable).await {
                Some(secret) => parts.push((*part, secret)),
                None => host.log(&format!("caller: variable `{variable}` is not set")),
            }
        }
        active.extend(ActiveKey::new(key.id.clone(), parts));
    }
    if active.is_empty() { Err(Outcome::SecretUnset) } else { Ok(active) }
}

fn asked_language(inbound: &Inbound) -> Result<Option<Language>, Outcome> {
    let mut values = inbound.headers.get_all(LANGUAGE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Outcome::FieldDoubled { name: "X-Language".into() });
    }
    let given = String::from_utf8_lossy(value.as_bytes());
    Language::parse(&given).map(Some).ok_or_else(|| Outcome::LanguageInvalid { given: given.into_owned() })
}

/// Refuses what the kind's parser was not made for.
fn acceptable(inbound: &Inbound, kind: &Kind) -> Result<(), Outcome> {
    if inbound.headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity") {
        return Err(Outcome::BodyEncoded);
    }
    let Some(expected) = kind.content_types.first().copied() else { return Ok(()) };
    if ![Method::POST, Method::PUT, Method::PATCH].contains(&inbound.method) {
        return Ok(());
    }
    let mut values = inbound.headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let media_type = first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    let right = second.is_none()
        && media_type
            .is_some_and(|given| kind.content_types.iter().any(|known| given.trim().eq_ignore_ascii_case(known)));
    if right { Ok(()) } else { Err(Outcome::ContentTypeWrong { expected }) }
}

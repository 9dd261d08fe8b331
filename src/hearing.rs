//! Who asked, proved, and what for: a request as it came becomes what somebody says.
//!
//! What is learnt on the way goes into `Told` at once, so that a request that is refused half-way is told of as far as it
//! is known. Nothing is decided here, and nothing is sent.

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::caller::api::Path;
use crate::caller::{self, ActiveKey, Inbound, Kind, Later, Said, api};
use crate::command::{Actor, Delivery};
use crate::config::{Caller, Config, Key, Secret};
use crate::host::Host;
use crate::outcome::{Language, Outcome};
use crate::strict;
use crate::told::Told;

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
    /// Where an outcome can still be told when nobody waits any more.
    pub(crate) later: Option<Later>,
    /// A secret of the caller's, to seal what is the caller's own.
    pub(crate) secret: Option<Secret>,
}

/// Hears a request.
///
/// # Errors
///
/// Why it is refused before anything is decided.
pub(crate) async fn hear<'c, H: Host>(
    host: &H,
    config: &'c Config,
    inbound: &Inbound,
    route: &Route,
    problem: Option<BodyProblem>,
    told: &mut Told<'c>,
) -> Result<Heard<'c>, Outcome> {
    match problem {
        Some(BodyProblem::TooLarge) => return Err(Outcome::BodyTooLarge),
        Some(BodyProblem::CutShort) => return Err(Outcome::BodyCutShort),
        None => {}
    }

    // Who asked, proved.
    let (caller, keys) = claimed_caller(route, inbound, config)?;
    told.caller = Some(caller);
    told.language = caller.language.unwrap_or(told.language);
    let kind = caller::kind(&caller.kind).ok_or(Outcome::Unusable)?;
    let keys = active_keys(host, &keys).await?;
    let proof = (kind.verify)(inbound, caller, &keys, told.at)?;
    told.kind = Some(kind);

    // What they say.
    let language = asked_language(inbound);
    if let Ok(Some(language)) = language {
        told.language = language;
    }
    let reading = (kind.read)(inbound, &proof, caller, config, told.language);
    // Before anything is refused: whoever proved themselves is named in the row of a refusal too.
    told.actor.clone_from(&reading.actor);
    language?;
    acceptable(inbound, kind)?;
    let secret = keys.into_iter().next().map(|key| key.secret);
    Ok(Heard { said: reading.said?, actor: reading.actor, delivery: proof.delivery, later: reading.later, secret })
}

/// What a path is for.
pub(crate) enum Route {
    /// TaurusDB's own API, and what is served beside it with the same proof.
    Api,
    /// A caller's hook; its name, decoded.
    Hook(String),
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
    match inbound.path.strip_prefix("/hooks/") {
        Some(name) if !name.is_empty() && !name.contains('/') => {
            let name = strict::percent_decode(name).ok_or(Outcome::UrlMalformed)?;
            only(Method::POST, "POST").map(|()| Route::Hook(name))
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
        Route::Api => api::holder(inbound, config).map(|(caller, key)| (caller, vec![key])),
        Route::Hook(name) => {
            let caller = config.caller(name)?;
            // A caller of TaurusDB's own API has no hook.
            if caller.kind == api::NAME {
                return Err(Outcome::CallerUnknown { name: name.clone() });
            }
            Ok((caller, caller.keys.iter().collect()))
        }
    }
}

pub(crate) async fn active_keys<H: Host>(host: &H, keys: &[&Key]) -> Result<Vec<ActiveKey>, Outcome> {
    let mut active = Vec::new();
    for key in keys {
        match host.variable(&key.variable).await {
            Some(secret) => active.push(ActiveKey { id: key.id.clone(), secret }),
            None => host.log(&format!("caller: variable `{}` is not set", key.variable)),
        }
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
    let Some(expected) = kind.content_type else { return Ok(()) };
    let mut values = inbound.headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let media_type = first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    let right = second.is_none() && media_type.is_some_and(|given| given.trim().eq_ignore_ascii_case(expected));
    if right { Ok(()) } else { Err(Outcome::ContentTypeWrong { expected }) }
}

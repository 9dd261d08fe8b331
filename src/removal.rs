//! The story of one request, top to bottom: who asked, may they, one row, one DELETE, the truth back.
//!
//! `remove` is the story; each of its steps is one call, and each may end it with an [`Outcome`]. [`answer`] is what stands
//! around it, the same for every ending: the row of a refusal, the line in the log, the answer in the asker's form.
//!
//! What holds here (the invariants of the README): no permit, no call; no row, no call; the same delivery is one DELETE; what
//! cannot be proved, read or written is refused.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use crate::caller::{self, ActiveKey, Answer, Inbound, Kind, Rendered, Said, api};
use crate::command::{Actor, Removal};
use crate::config::{Caller, Config, Key};
use crate::gateway::Gateway;
use crate::host::{Host, StoreError};
use crate::ledger::{self, Counts, Earlier, Refusal, RowId};
use crate::outcome::{Language, Outcome};
use crate::policy::{Circumstances, Decision};
use crate::strict;
use crate::taurusdb::{self, Credentials};

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

const ROW_ID: HeaderName = HeaderName::from_static("x-offboard-removal");
const CODE: HeaderName = HeaderName::from_static("x-offboard-code");
const POLICY: HeaderName = HeaderName::from_static("x-offboard-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static(taurusdb::REQUEST_ID);
const LANGUAGE: &str = "x-language";

/// Why a body was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyProblem {
    /// It is over [`BODY_LIMIT`], whatever its Content-Length says.
    TooLarge,
    /// It ended early.
    CutShort,
}

/// What is known of a request so far: filled by the story, told by [`answer`].
struct Told<'c> {
    id: RowId,
    at: DateTime<Utc>,
    language: Language,
    caller: Option<&'c Caller>,
    /// Set once the request is proved: from then on its answer has the platform's form.
    kind: Option<&'static Kind>,
    actor: Option<Actor>,
    removal: Option<Removal<'c>>,
    policies: Vec<String>,
    request_id: Option<String>,
    /// Whether the outcome has its row already.
    recorded: bool,
}

/// How the story ended.
enum Ending {
    Outcome(Outcome),
    /// The caller kind answered by itself; nothing was asked of anybody.
    Answered(Rendered),
}

/// Answers one request. `gateway` is the reason when configuration or policy cannot be used.
pub async fn answer<H: Host>(
    host: &H,
    gateway: Result<&Gateway, &str>,
    inbound: Inbound,
    problem: Option<BodyProblem>,
) -> Response<Bytes> {
    let at = host.now();
    let mut told = Told {
        id: RowId::new(at, host.random()),
        at,
        language: gateway.map_or_else(|_| Language::default(), |gateway| gateway.config.language),
        caller: None,
        kind: None,
        actor: None,
        removal: None,
        policies: Vec::new(),
        request_id: None,
        recorded: false,
    };
    if inbound.path == "/healthz" && inbound.method == Method::GET {
        return health(gateway, &told);
    }
    let ending = remove(host, gateway, &inbound, problem, &mut told).await;
    let outcome = match ending {
        Ok(Ending::Answered(rendered)) => return respond(rendered, None, &told),
        Ok(Ending::Outcome(outcome)) | Err(outcome) => outcome,
    };
    if !told.recorded {
        match refuse(host, gateway, &told, &outcome).await {
            Ok(id) => told.id = id,
            Err(StoreError(why)) => {
                host.log(&format!("ledger: the row of {} could not be written: {why}", told.id.as_str()));
            }
        }
    }
    log(host, &told, &outcome);
    let answer = Answer {
        outcome: &outcome,
        language: told.language,
        account: told.removal.as_ref().map(|removal| (removal.user_name.as_str(), removal.instance.name.as_str())),
        policies: &told.policies,
        request_id: told.request_id.as_deref().unwrap_or(told.id.as_str()),
    };
    let render = told.kind.map_or(caller::documented as fn(&Answer<'_>) -> Rendered, |kind| kind.render);
    respond(render(&answer), Some(&outcome), &told)
}

/// The story.
async fn remove<'c, H: Host>(
    host: &H,
    gateway: Result<&'c Gateway, &str>,
    inbound: &Inbound,
    problem: Option<BodyProblem>,
    told: &mut Told<'c>,
) -> Result<Ending, Outcome> {
    let route = route(inbound)?;
    let gateway = gateway.map_err(|_| Outcome::Unusable)?;
    let config = &gateway.config;
    match problem {
        Some(BodyProblem::TooLarge) => return Err(Outcome::BodyTooLarge),
        Some(BodyProblem::CutShort) => return Err(Outcome::BodyCutShort),
        None => {}
    }

    // Who asked, proved.
    let (caller, keys) = claimed_caller(&route, inbound, config)?;
    told.caller = Some(caller);
    let kind = caller::kind(&caller.kind).ok_or(Outcome::Unusable)?;
    let keys = active_keys(host, &keys).await?;
    let proof = (kind.verify)(inbound, caller, &keys, told.at)?;
    told.kind = Some(kind);

    // One typed command.
    let language = asked_language(inbound);
    if let Ok(Some(language)) = language {
        told.language = language;
    }
    let reading = (kind.read)(inbound, &proof, caller, config, told.language);
    // Before anything is refused: whoever proved themselves is named in the row of a refusal too.
    told.actor.clone_from(&reading.actor);
    language?;
    acceptable(inbound, kind)?;
    let (user_name, instance, reason) = match reading.said? {
        Said::Answered(rendered) => return Ok(Ending::Answered(rendered)),
        Said::Remove { user_name, instance, reason } => (user_name, instance, reason),
    };
    // A kind that reads a command without an actor has none to ask policy about.
    let actor = reading.actor.ok_or(Outcome::Unusable)?;
    let removal = &*told.removal.insert(Removal { actor, user_name, instance, reason, delivery: proof.delivery });

    // Not heard before.
    gateway.open_ledger(host).await.map_err(|why| ledger_down(host, &why))?;
    let standing = ledger::find(host, removal, told.at).await.map_err(|why| ledger_down(host, &why))?;
    if let Some(earlier) = standing.earlier {
        return repeated(told, earlier);
    }

    // May they do it?
    let teams = config.teams(&removal.actor.principal);
    let permit = match decide(host, gateway, removal, teams, told.at, standing.counts) {
        Decision::Permit(permit) => permit,
        Decision::Denial { policies } => {
            told.policies.clone_from(&policies);
            return Err(Outcome::Denied { policies });
        }
    };
    told.policies = permit.policies().to_vec();
    let credentials = Credentials::read(host, config.credentials).await?;
    let endpoint = taurusdb::endpoint_override(host).await?;

    // One row, claimed before anything leaves.
    let claim =
        ledger::claim(host, told.id.clone(), removal, permit, told.at).await.map_err(|why| ledger_down(host, &why))?;
    let Some(claim) = claim else {
        // Another copy of the same delivery was faster by a moment: its row speaks for both.
        let standing = ledger::find(host, removal, told.at).await.map_err(|why| ledger_down(host, &why))?;
        let Some(earlier) = standing.earlier else { return Err(Outcome::StillRunning) };
        return repeated(told, earlier);
    };
    told.id = claim.id().clone();
    told.recorded = true;

    // Others may have claimed theirs since: a brake that counts has to see every one before this, and no other.
    if claim.counts() != standing.counts
        && let Decision::Denial { policies } = decide(host, gateway, removal, teams, told.at, claim.counts())
    {
        told.policies.clone_from(&policies);
        let outcome = Outcome::Denied { policies };
        let withdrawn = ledger::withdraw(host, &claim, &outcome, &told.policies, told.language, host.now()).await;
        withdrawn.map_err(|why| ledger_down(host, &why))?;
        return Ok(Ending::Outcome(outcome));
    }

    // The signed DELETE, and what became of it.
    let request = taurusdb::delete(claim.permit(), &credentials, endpoint.as_deref(), told.language, host.now());
    let (outcome, request_id) = match request {
        Ok(request) => {
            let answer = host.send(request).await;
            if let Err(error) = &answer {
                host.log(&format!("taurusdb: {} {error:?}", told.id.as_str()));
            }
            (taurusdb::outcome(&answer, &credentials), taurusdb::request_id(&answer).map(str::to_owned))
        }
        Err(outcome) => (outcome, None),
    };
    let settled = ledger::settle(host, &claim, &outcome, told.language, request_id.as_deref(), host.now()).await;
    if let Err(StoreError(why)) = settled {
        // The asker still gets the truth; the row stays in flight, so that a repeat is not sent.
        host.log(&format!("ledger: the outcome of {} could not be written: {why}", told.id.as_str()));
    }
    told.request_id = request_id;
    Ok(Ending::Outcome(outcome))
}

/// May they do it?
fn decide<'c, H: Host>(
    host: &H,
    gateway: &Gateway,
    removal: &Removal<'c>,
    teams: &[String],
    now: DateTime<Utc>,
    counts: Counts,
) -> Decision<'c> {
    let circumstances =
        Circumstances { teams, now, removals_last_hour: counts.actor, instance_removals_last_hour: counts.instance };
    let (decision, why) = gateway.policies.decide(removal, circumstances);
    if let Some(why) = why {
        host.log(&format!("policy: the removal by {} could not be decided: {why}", removal.actor.principal));
    }
    decision
}

/// What the delivery's own row says.
fn repeated(told: &mut Told<'_>, earlier: Earlier) -> Result<Ending, Outcome> {
    if !earlier.same_account {
        return Err(Outcome::DeliveryReused);
    }
    told.id = earlier.id;
    told.policies = earlier.policies;
    told.request_id = earlier.request_id;
    told.recorded = true;
    Ok(Ending::Outcome(earlier.outcome))
}

/// What a path is for.
enum Route {
    /// TaurusDB's own API.
    Documented,
    /// A caller's hook; its name, decoded.
    Hook(String),
}

fn route(inbound: &Inbound) -> Result<Route, Outcome> {
    let only = |method: Method, allow| {
        if inbound.method == method { Ok(()) } else { Err(Outcome::MethodNotAllowed { allow }) }
    };
    if inbound.path == "/healthz" {
        return Err(Outcome::MethodNotAllowed { allow: "GET" });
    }
    if api::documented_path(&inbound.path).is_some() {
        return only(Method::DELETE, "DELETE").map(|()| Route::Documented);
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
        Route::Documented => api::holder(inbound, config).map(|(caller, key)| (caller, vec![key])),
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

async fn active_keys<H: Host>(host: &H, keys: &[&Key]) -> Result<Vec<ActiveKey>, Outcome> {
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

fn ledger_down<H: Host>(host: &H, StoreError(why): &StoreError) -> Outcome {
    host.log(&format!("ledger: {why}"));
    Outcome::LedgerDown
}

async fn refuse<H: Host>(
    host: &H,
    gateway: Result<&Gateway, &str>,
    told: &Told<'_>,
    outcome: &Outcome,
) -> Result<RowId, StoreError> {
    match gateway {
        Ok(gateway) => gateway.open_ledger(host).await?,
        Err(_) => ledger::open(host).await?,
    }
    let refusal = Refusal {
        id: &told.id,
        at: told.at,
        caller: told.caller.map(|caller| caller.name.as_str()),
        kind: told.caller.map(|caller| caller.kind.as_str()),
        actor: told.actor.as_ref().map(|actor| actor.principal.as_str()),
        removal: told.removal.as_ref(),
        policies: &told.policies,
        outcome,
    };
    ledger::refuse(host, &refusal, told.language).await
}

/// One JSON line a request.
fn log<H: Host>(host: &H, told: &Told<'_>, outcome: &Outcome) {
    let removal = told.removal.as_ref();
    let line = json!({
        "at": told.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "removal": told.id.as_str(),
        "caller": told.caller.map(|caller| caller.name.as_str()),
        "actor": told.actor.as_ref().map(|actor| actor.principal.as_str()),
        "instance": removal.map(|removal| removal.instance.name.as_str()),
        "user_name": removal.map(|removal| removal.user_name.as_str()),
        "policies": told.policies,
        "state": outcome.state().as_str(),
        "status": outcome.status().as_u16(),
        "code": outcome.code(),
        "request_id": told.request_id,
        "milliseconds": host.now().signed_duration_since(told.at).num_milliseconds(),
    });
    host.log(&line.to_string());
}

fn health(gateway: Result<&Gateway, &str>, told: &Told<'_>) -> Response<Bytes> {
    let version = env!("CARGO_PKG_VERSION");
    let (status, body) = match gateway {
        Ok(gateway) => (
            StatusCode::OK,
            json!({"status": "ok", "version": version, "config": gateway.config.digest, "policy": gateway.policies.digest()}),
        ),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unusable", "version": version, "reason": reason}))
        }
    };
    respond(Rendered { status, body: body.to_string() }, None, told)
}

/// The response. Built anew, because headers handed on as they came are refused by the engine and leak what is behind.
fn respond(rendered: Rendered, outcome: Option<&Outcome>, told: &Told<'_>) -> Response<Bytes> {
    let body = Bytes::from(rendered.body);
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = rendered.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(REQUEST_ID, told.request_id.as_deref().unwrap_or(told.id.as_str()));
    if let Some(outcome) = outcome {
        set(ROW_ID, told.id.as_str());
        // For callers whose status is 200 whatever happens.
        set(CODE, &outcome.code());
    }
    if !told.policies.is_empty() {
        set(POLICY, &told.policies.join(","));
    }
    if let Some(Outcome::MethodNotAllowed { allow }) = outcome {
        set(ALLOW, allow);
    }
    *response.body_mut() = body;
    response
}

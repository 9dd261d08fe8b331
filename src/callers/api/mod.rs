//! TaurusDB's own API, so that portals, the official SDKs, KooCLI and Terraform work by changing the endpoint alone:
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…`.
//!
//! Proof: SDK-HMAC-SHA256 with an access key that this gateway's operator issued (see `taurusdb::sign`), and then the principal is
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

pub mod http_signature;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::callers::chat::grammar;
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, Subject, VerificationKeys, bearer, check_timestamp};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Setting};
use crate::config::callers::{Caller, Key};
use crate::config::endpoint::is_web_address;
use crate::crypto::jwks::{JwksSource, KeySet};
use crate::crypto::jwt::{self, Expected};
use crate::crypto::sdk_hmac::{self, Message, SignatureError};
use crate::outcome::language::Localized;
use crate::request::actor::Actor;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::headers::{header, required_header};
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::reason::Reason;
use crate::request::removal_query::{ListFormat, RemovalQuery};
use crate::request::route::{Path, path};
use crate::request::strict::{Fields, json, percent_decode};

/// The kind's name in offboard.toml.
pub const NAME: &str = "api";

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::AccessKeys { optional: true },
    settings: SETTINGS,
    is_complete,
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
        if is_signed(inbound) || !matches!(token(inbound, caller), Ok(Some(_))) {
            return None;
        }
        caller.setting("jwks_url").map(JwksSource::Url).or_else(|| caller.setting("jwks_file").map(JwksSource::File))
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        if let (Some(published), Some(token)) = (&keys.published, token(inbound, caller)?) {
            return verify_token(inbound, caller, token, published, now);
        }
        let authorization = required_header(&inbound.headers, AUTHORIZATION)?;
        let authorization = sdk_hmac::parse_authorization(authorization).map_err(|error| refused(&error))?;
        let key =
            keys.secrets.iter().find(|key| key.id.as_deref() == Some(authorization.access)).ok_or(ProofError::Wrong)?;
        let message = Message {
            method: inbound.method.as_str(),
            path: &inbound.path,
            query: &inbound.query,
            headers: &inbound.headers,
            host: &inbound.host,
            body: &inbound.body,
        };
        let verified = sdk_hmac::verify(&message, &authorization, key.secret.expose().as_bytes())
            .map_err(|error| refused(&error))?;
        check_timestamp(verified.date.timestamp(), now)?;
        let delivery = DeliveryId::new(caller, &[authorization.access.as_bytes(), verified.string_to_sign.as_bytes()]);
        Ok(Proof { key_id: Some(authorization.access.to_owned()), ..Proof::of(delivery) })
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config)
    }
}

pub(crate) const AUTHORIZATION: &str = "authorization";

/// Public keys that the operator keeps.
pub(super) const JWKS_FILE: Setting = Setting {
    is_valid: |name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']),
    expected: "the name of a file beside offboard.toml",
    ..Setting::text("jwks_file", false)
};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::text("issuer", false),
    Setting::texts("audience", false),
    Setting {
        is_reached: true,
        is_valid: is_web_address,
        expected: "`https://…` (`http` for a loopback address only)",
        ..Setting::text("jwks_url", false)
    },
    JWKS_FILE,
    Setting {
        is_valid: |name| http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
        expected: "the name of a header",
        ..Setting::text("header", false)
    },
    Setting::text("azp", false),
    Setting::text("groups", false),
];

/// Whether what proves a caller is all there.
pub(crate) fn is_complete(caller: &Caller) -> Result<(), &'static str> {
    let has = |name: &str| caller.setting(name).is_some();
    let of_tokens = ["audience", "jwks_url", "jwks_file", "header", "azp", "groups"];
    match (has("issuer"), has("audience"), has("jwks_url"), has("jwks_file")) {
        (false, ..) if of_tokens.into_iter().any(has) => Err("`issuer`, beside the other settings of tokens"),
        (false, ..) if caller.keys.is_empty() => Err(
            "`access_keys = [{ id = \"…\", secret = \"spin_variable\" }, …]`, or `issuer`, `audience` and `jwks_url` for bearer tokens",
        ),
        (true, false, ..) => Err("`audience`: whom the tokens are for"),
        (true, _, true, true) | (true, _, false, false) => {
            Err("either `jwks_url` or `jwks_file`: the issuer's public keys")
        }
        _ => Ok(()),
    }
}

/// What the documented call takes.
pub(crate) const PARAMETERS: [&str; 2] = ["user_name", "dry_run"];

/// The header that a caller's tokens come in, in lowercase.
pub(crate) fn token_header(caller: &Caller) -> String {
    caller.setting("header").unwrap_or(AUTHORIZATION).to_ascii_lowercase()
}

/// The token that the request brings for this caller; `None` when it brings none.
///
/// # Errors
///
/// [`ProofError::Doubled`], [`ProofError::Malformed`]
pub(crate) fn token<'i>(inbound: &'i Inbound, caller: &Caller) -> Result<Option<&'i str>, ProofError> {
    let name = token_header(caller);
    if name == AUTHORIZATION {
        let value = header(&inbound.headers, AUTHORIZATION)?;
        let is_bearer =
            value.is_some_and(|value| value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer ")));
        return if is_bearer { bearer(&inbound.headers).map(Some) } else { Ok(None) };
    }
    let mut values = inbound.headers.get_all(&name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(ProofError::Doubled { header: name.into() });
    }
    let text = first.map(|value| value.to_str().map_err(|_| ProofError::Malformed { header: "the token's header" }));
    text.transpose().map(|text| text.filter(|text| !text.is_empty()))
}

/// Whether the request is signed with an access key.
pub(crate) fn is_signed(inbound: &Inbound) -> bool {
    header(&inbound.headers, AUTHORIZATION)
        .is_ok_and(|value| value.is_some_and(|value| value.starts_with(sdk_hmac::ALGORITHM)))
}

/// Whose token the request claims to bring: that of the caller whose `issuer` it names.
pub(crate) fn bearer_of<'c>(inbound: &Inbound, config: &'c Config) -> Result<Option<&'c Caller>, ProofError> {
    let mut brought = false;
    for caller in config.callers() {
        let Some(issuer) = caller.setting("issuer").filter(|_| caller.kind == NAME) else { continue };
        let Some(token) = token(inbound, caller)? else { continue };
        let peek = jwt::peek(token).ok_or(ProofError::Malformed { header: "token" })?;
        if peek.issuer == issuer {
            return Ok(Some(caller));
        }
        brought = true;
    }
    if brought { Err(ProofError::TokenRefused { claim: "iss" }) } else { Ok(None) }
}

/// Whose access key the request claims to be signed with, or whose token it brings.
///
/// # Errors
///
/// [`ProofError::Missing`] and its like; an unknown key is [`ProofError::Wrong`], so that nobody learns which exist.
pub fn identify_caller<'c>(inbound: &Inbound, config: &'c Config) -> Result<(&'c Caller, Vec<&'c Key>), ProofError> {
    if !is_signed(inbound)
        && let Some(caller) = bearer_of(inbound, config)?
    {
        return Ok((caller, Vec::new()));
    }
    let authorization = required_header(&inbound.headers, AUTHORIZATION)?;
    let parsed = sdk_hmac::parse_authorization(authorization).map_err(|error| refused(&error))?;
    let found = config.access_key(parsed.access).filter(|(caller, _)| caller.kind == NAME);
    found.map(|(caller, key)| (caller, vec![key])).ok_or(ProofError::Wrong)
}

pub(crate) fn verify_token(
    inbound: &Inbound,
    caller: &Caller,
    token: &str,
    published: &KeySet,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let expected = Expected {
        issuer: caller.setting("issuer").unwrap_or_default(),
        audiences: caller.settings("audience"),
        authorized_party: caller.setting("azp"),
        groups: caller.setting("groups"),
    };
    let claims = jwt::verify(token, published, &expected, now)?;
    let minute = now.timestamp().div_euclid(60).to_string();
    let (method, body) = (inbound.method.as_str().as_bytes(), &inbound.body);
    // Without its signature, which ECDSA lets be written in another way.
    let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
    let parts = [signed.as_bytes(), minute.as_bytes(), method, inbound.path.as_bytes(), inbound.query.as_bytes(), body];
    let subject = Subject { id: claims.subject, groups: claims.groups };
    Ok(Proof { subject: Some(subject), ..Proof::of(DeliveryId::new(caller, &parts)) })
}

pub(crate) fn refused(error: &SignatureError) -> ProofError {
    match error {
        SignatureError::Mismatch => ProofError::Wrong,
        SignatureError::EmptySecret => ProofError::SecretUnset,
        SignatureError::Missing(header) if header == sdk_hmac::SDK_DATE => {
            ProofError::Missing { header: sdk_hmac::SDK_DATE }
        }
        SignatureError::Date => ProofError::Malformed { header: sdk_hmac::SDK_DATE },
        SignatureError::Doubled(header) => ProofError::Doubled { header: header.clone().into() },
        SignatureError::PercentEncoding(_)
        | SignatureError::EncodedSlash
        | SignatureError::Plus
        | SignatureError::NamelessParameter => RequestError::UrlMalformed.into(),
        // Everything else is an Authorization value that no SDK writes, or that covers too little.
        _ => ProofError::Malformed { header: AUTHORIZATION },
    }
}

/// Parses a request to the documented API or to what is served beside it.
pub(crate) fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
    let Verified { inbound, proof, caller } = request;
    // A proof of these kinds always names one of the two.
    let Some(actor) = actor(proof, caller) else { return Parsed::refused(RequestError::RouteUnknown) };
    let command = match path(&inbound.path) {
        Some(Path::Removals) => list(inbound),
        Some(Path::RemovalRequest(id)) => {
            without_query(inbound).and_then(|()| Ok(Command::GetRemoval { id: decoded(id)? }))
        }
        Some(Path::Approvals) => without_query(inbound).map(|()| Command::ListPending),
        Some(Path::Approval(id)) => without_query(inbound).and_then(|()| decision(inbound, id)),
        Some(Path::Users(project_id, instance_id)) => removal(inbound, project_id, instance_id, config),
        None => Err(RequestError::RouteUnknown),
    };
    Parsed::of(actor, command)
}

/// The subject of the token, or the access key that signed.
fn actor(proof: &Proof, caller: &Caller) -> Option<Actor> {
    match &proof.subject {
        Some(Subject { id, groups }) => Some(Actor { groups: groups.clone(), ..Actor::person(caller, id) }),
        None => proof.key_id.as_deref().map(|id| Actor::person(caller, id)),
    }
}

pub(crate) fn list<'c>(inbound: &Inbound) -> Result<Command<'c>, RequestError> {
    let query = RemovalQuery::parse(&Fields::from_query(&inbound.query)?)?;
    Ok(Command::ListRemovals { query, format: ListFormat::accepted(&inbound.headers)? })
}

pub(crate) fn decoded(segment: &str) -> Result<String, RequestError> {
    percent_decode(segment).ok_or(RequestError::UrlMalformed)
}

#[derive(Deserialize)]
pub(crate) struct Decision {
    decision: String,
    reason: Option<String>,
}

pub(crate) fn decision<'c>(inbound: &Inbound, id: &str) -> Result<Command<'c>, RequestError> {
    let Decision { decision, reason } = json(&inbound.body)?;
    let Some(action) = grammar::approval_action(&decision) else {
        return Err(RequestError::FieldInvalid {
            name: "decision",
            given: decision,
            expected: Localized {
                en: "`approve`, `deny`, `confirm` or `cancel`",
                zh: " `approve`、`deny`、`confirm` 或 `cancel`",
            },
        });
    };
    Ok(Command::DecideApproval { id: decoded(id)?, action, reason: Reason::parse(&reason.unwrap_or_default())? })
}

pub(crate) fn without_query(inbound: &Inbound) -> Result<(), RequestError> {
    match Fields::from_query(&inbound.query)?.names().next() {
        Some(name) => Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &[] }),
        None => Ok(()),
    }
}

pub(crate) fn removal<'c>(
    inbound: &Inbound,
    project_id: &str,
    instance_id: &str,
    config: &'c Config,
) -> Result<Command<'c>, RequestError> {
    let instance = config.instance_by_ids(&decoded(project_id)?, &decoded(instance_id)?)?;
    let query = Fields::from_query(&inbound.query)?;
    // Refused rather than passed over: a parameter that a later version gives a meaning must not be lost on this one.
    if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
        return Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &PARAMETERS });
    }
    let dry_run = match query.required("dry_run") {
        Ok("true") => true,
        Ok("false") => false,
        Err(_) if !query.names().any(|name| name == "dry_run") => false,
        other => {
            return Err(RequestError::FieldInvalid {
                name: "dry_run",
                given: other.unwrap_or_default().to_owned(),
                expected: Localized { en: "`true` or `false`", zh: " `true` 或 `false`" },
            });
        }
    };
    let user_name = config.accounts.parse(query.required("user_name")?)?;
    Ok(Command::RemoveAccount { user_name, instance, reason: None, dry_run })
}

//! TaurusDB's own API, so that portals, the official SDKs, KooCLI and Terraform work by changing the endpoint alone:
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…`.
//!
//! Proof: SDK-HMAC-SHA256 with an access key that this gateway's operator issued (see `taurusdb::sign`). The principal is
//! `{caller}/{access key id}`. The documented page's example writes `…/starrocks/user`; both are taken. The answer is the
//! documented one. A body is covered by the signature and otherwise ignored: the call has none.
//!
//! Beside it, with the same proof, `GET /removals/{id}`: what became of a removal.
//!
//! Not supported: `X-Auth-Token` (only IAM can check one), bearer tokens, query parameters other than `user_name`.

use chrono::{DateTime, Utc};

use super::{ActiveKey, Inbound, Kind, Proof, Reading, Said, documented, fresh};
use crate::command::{Actor, Delivery};
use crate::config::{Caller, Config, Key, KeyShape};
use crate::outcome::{Language, Outcome};
use crate::strict::{Fields, percent_decode, required_header};
use crate::taurusdb::sign::{self, Message, SignatureError};

/// The kind's name in offboard.toml.
pub const NAME: &str = "api";

pub(super) const KIND: Kind =
    Kind { name: NAME, keys: KeyShape::AccessKeys, content_type: None, verify, read, render: documented, wait: None };

const AUTHORIZATION: &str = "authorization";

/// The project and instance of a documented path, still percent-encoded; `None` for any other path.
pub fn documented_path(path: &str) -> Option<(&str, &str)> {
    let mut segments = path.strip_prefix("/v3/")?.split('/');
    let (project_id, instances, instance_id) = (segments.next()?, segments.next()?, segments.next()?);
    let (starrocks, users) = (segments.next()?, segments.next()?);
    let documented = instances == "instances"
        && starrocks == "starrocks"
        && matches!(users, "users" | "user")
        && segments.next().is_none();
    documented.then_some((project_id, instance_id))
}

/// The id in the path of a removal's record; `None` for any other path.
pub fn removal_path(path: &str) -> Option<&str> {
    path.strip_prefix("/removals/").filter(|id| !id.is_empty() && !id.contains('/'))
}

/// Whose access key the request claims to be signed with.
///
/// # Errors
///
/// [`Outcome::ProofMissing`] and its like; an unknown key is [`Outcome::ProofWrong`], so that nobody learns which exist.
pub fn holder<'c>(inbound: &Inbound, config: &'c Config) -> Result<(&'c Caller, &'c Key), Outcome> {
    let authorization = required_header(&inbound.headers, AUTHORIZATION)?;
    let parsed = sign::parse_authorization(authorization).map_err(|error| refused(&error))?;
    config.access_key(parsed.access).ok_or(Outcome::ProofWrong)
}

fn verify(inbound: &Inbound, caller: &Caller, keys: &[ActiveKey], now: DateTime<Utc>) -> Result<Proof, Outcome> {
    let authorization = required_header(&inbound.headers, AUTHORIZATION)?;
    let authorization = sign::parse_authorization(authorization).map_err(|error| refused(&error))?;
    let key = keys.iter().find(|key| key.id.as_deref() == Some(authorization.access)).ok_or(Outcome::ProofWrong)?;
    let message = Message {
        method: inbound.method.as_str(),
        path: &inbound.path,
        query: &inbound.query,
        headers: &inbound.headers,
        host: &inbound.host,
        body: &inbound.body,
    };
    let verified =
        sign::verify(&message, &authorization, key.secret.expose().as_bytes()).map_err(|error| refused(&error))?;
    fresh(verified.date.timestamp(), now)?;
    Ok(Proof {
        delivery: Delivery::new(caller, &[authorization.access.as_bytes(), verified.string_to_sign.as_bytes()]),
        key_id: Some(authorization.access.to_owned()),
    })
}

fn refused(error: &SignatureError) -> Outcome {
    match error {
        SignatureError::Mismatch => Outcome::ProofWrong,
        SignatureError::EmptySecret => Outcome::SecretUnset,
        SignatureError::Date => Outcome::ProofMalformed { header: sign::SDK_DATE },
        SignatureError::Doubled(header) => Outcome::ProofDoubled { header: header.clone().into() },
        SignatureError::PercentEncoding(_)
        | SignatureError::EncodedSlash
        | SignatureError::Plus
        | SignatureError::NamelessParameter => Outcome::UrlMalformed,
        // Everything else is an Authorization value that no SDK writes, or that covers too little.
        _ => Outcome::ProofMalformed { header: AUTHORIZATION },
    }
}

fn read<'c>(inbound: &Inbound, proof: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let actor = proof.key_id.as_deref().map(|id| Actor::person(caller, id));
    let said = match removal_path(&inbound.path) {
        Some(id) => look(inbound, id),
        None => removal(inbound, config),
    };
    Reading { actor, said, later: None }
}

fn look<'c>(inbound: &Inbound, id: &str) -> Result<Said<'c>, Outcome> {
    if let Some(name) = Fields::from_query(&inbound.query)?.names().next() {
        return Err(Outcome::ParameterUnknown { name: name.to_owned() });
    }
    Ok(Said::Look { id: percent_decode(id).ok_or(Outcome::UrlMalformed)? })
}

fn removal<'c>(inbound: &Inbound, config: &'c Config) -> Result<Said<'c>, Outcome> {
    let (project_id, instance_id) = documented_path(&inbound.path).ok_or(Outcome::RouteUnknown)?;
    let decode = |segment| percent_decode(segment).ok_or(Outcome::UrlMalformed);
    let instance = config.instance_by_ids(&decode(project_id)?, &decode(instance_id)?)?;
    let query = Fields::from_query(&inbound.query)?;
    // Refused rather than passed over: a parameter that a later version gives a meaning (`dry_run`) must not be lost on
    // this one.
    if let Some(name) = query.names().find(|name| *name != "user_name") {
        return Err(Outcome::ParameterUnknown { name: name.to_owned() });
    }
    let user_name = config.accounts.parse(query.required("user_name")?)?;
    Ok(Said::Remove { user_name, instance, reason: None })
}

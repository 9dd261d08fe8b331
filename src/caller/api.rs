//! TaurusDB's own API, so that portals, the official SDKs, KooCLI and Terraform work by changing the endpoint alone:
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…`.
//!
//! Proof: SDK-HMAC-SHA256 with an access key that this gateway's operator issued (see `taurusdb::sign`). The principal is
//! `{caller}/{access key id}`. The documented page's example writes `…/starrocks/user`; both are taken. The answer is the
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
//! Not supported: `X-Auth-Token` (only IAM can check one), bearer tokens, other query parameters.

use chrono::{DateTime, Utc};

use serde::Deserialize;

use super::{ActiveKey, Inbound, Kind, Proof, Reading, Said, chat, documented, fresh};
use crate::command::{Actor, Delivery, Reason};
use crate::config::{Caller, Config, Key, KeyShape};
use crate::outcome::{Language, Outcome, Words};
use crate::search::{Form, Search};
use crate::strict::{Fields, json, percent_decode, required_header};
use crate::taurusdb::sign::{self, Message, SignatureError};

/// The kind's name in offboard.toml.
pub const NAME: &str = "api";

pub(super) const KIND: Kind = Kind {
    name: NAME,
    keys: KeyShape::AccessKeys,
    is_chat: false,
    content_type: None,
    verify,
    read,
    render: documented,
    say: None,
    later: None,
};

const AUTHORIZATION: &str = "authorization";

/// What the documented call takes.
const PARAMETERS: [&str; 2] = ["user_name", "dry_run"];

/// What a path is, of those that this kind serves; its parts still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path<'p> {
    /// TaurusDB's own API: project and instance.
    Users(&'p str, &'p str),
    /// The records of removals.
    Removals,
    /// One of those, by its id.
    Removal(&'p str),
    /// What waits.
    Approvals,
    /// One of those, by its reference or its row's id.
    Approval(&'p str),
}

/// What a path is; `None` for one that this kind does not serve.
pub fn path(path: &str) -> Option<Path<'_>> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        ["", "v3", project_id, "instances", instance_id, "starrocks", "users" | "user"] => {
            Some(Path::Users(project_id, instance_id))
        }
        ["", "removals"] => Some(Path::Removals),
        ["", "removals", id] if !id.is_empty() => Some(Path::Removal(id)),
        ["", "approvals"] => Some(Path::Approvals),
        ["", "approvals", id] if !id.is_empty() => Some(Path::Approval(id)),
        _ => None,
    }
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
    let said = match path(&inbound.path) {
        Some(Path::Removals) => list(inbound),
        Some(Path::Removal(id)) => without_query(inbound).and_then(|()| Ok(Said::Look { id: decoded(id)? })),
        Some(Path::Approvals) => without_query(inbound).map(|()| Said::Pending),
        Some(Path::Approval(id)) => without_query(inbound).and_then(|()| decision(inbound, id)),
        Some(Path::Users(project_id, instance_id)) => removal(inbound, project_id, instance_id, config),
        None => Err(Outcome::RouteUnknown),
    };
    Reading { actor, said, later: None }
}

fn list<'c>(inbound: &Inbound) -> Result<Said<'c>, Outcome> {
    let search = Search::parse(&Fields::from_query(&inbound.query)?)?;
    Ok(Said::List { search, form: Form::accepted(&inbound.headers)? })
}

fn decoded(segment: &str) -> Result<String, Outcome> {
    percent_decode(segment).ok_or(Outcome::UrlMalformed)
}

#[derive(Deserialize)]
struct Decision {
    decision: String,
    reason: Option<String>,
}

fn decision<'c>(inbound: &Inbound, id: &str) -> Result<Said<'c>, Outcome> {
    let Decision { decision, reason } = json(&inbound.body)?;
    let Some(how) = chat::click(&decision) else {
        return Err(Outcome::FieldInvalid {
            name: "decision",
            given: decision,
            expected: Words {
                english: "`approve`, `deny`, `confirm` or `cancel`",
                chinese: " `approve`、`deny`、`confirm` 或 `cancel`",
            },
        });
    };
    Ok(Said::Decide { id: decoded(id)?, how, reason: Reason::parse(&reason.unwrap_or_default())? })
}

fn without_query(inbound: &Inbound) -> Result<(), Outcome> {
    match Fields::from_query(&inbound.query)?.names().next() {
        Some(name) => Err(Outcome::ParameterUnknown { name: name.to_owned(), known: &[] }),
        None => Ok(()),
    }
}

fn removal<'c>(
    inbound: &Inbound,
    project_id: &str,
    instance_id: &str,
    config: &'c Config,
) -> Result<Said<'c>, Outcome> {
    let instance = config.instance_by_ids(&decoded(project_id)?, &decoded(instance_id)?)?;
    let query = Fields::from_query(&inbound.query)?;
    // Refused rather than passed over: a parameter that a later version gives a meaning must not be lost on this one.
    if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
        return Err(Outcome::ParameterUnknown { name: name.to_owned(), known: &PARAMETERS });
    }
    let dry_run = match query.required("dry_run") {
        Ok("true") => true,
        Ok("false") => false,
        Err(_) if !query.names().any(|name| name == "dry_run") => false,
        other => {
            return Err(Outcome::FieldInvalid {
                name: "dry_run",
                given: other.unwrap_or_default().to_owned(),
                expected: Words { english: "`true` or `false`", chinese: " `true` 或 `false`" },
            });
        }
    };
    let user_name = config.accounts.parse(query.required("user_name")?)?;
    Ok(Said::Remove { user_name, instance, reason: None, dry_run })
}

//! SCIM 2.0, as used by identity systems: `/scim/v2/{caller}/Users…` (RFC 7643, RFC 7644).
//!
//! Proof: `Authorization: Bearer` with a secret that both sides have. The principal is the caller itself. A person who becomes
//! inactive or is deleted is a leaver: the person's accounts are removed (`[leavers]`), and the identity system gets a success
//! only when all of them are gone. Until then a read shows `active` as true, and repeating the request removes the rest.
//!
//! The attributes in the schema below are all that is stored of a person: enough to tell whose accounts are whose.
//! Beside the RFC's form, the forms of Okta and Entra are read: `op` in any case, `"False"` for `false`, `active` in a value
//! without a path, attribute names in any case and with the schema as a prefix, `name.givenName` as a key
//! (<https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/>,
//! <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility>).
//!
//! Not supported, and declared so in ServiceProviderConfig: bulk, sorting, ETags, changing passwords; filters other than `eq` on
//! `userName`, `externalId` or `id`; groups.

pub mod discovery;
pub mod filter;
pub mod patch;
pub mod resource;

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::event::Event;
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer};
use crate::callers::scim::discovery::{resource_type, schemas, service_provider_config};
use crate::callers::scim::patch::changes;
use crate::callers::scim::resource::{page, rendered};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::config::endpoint::is_loopback;
use crate::crypto::mac::same_secret;
use crate::outcome::Outcome;
use crate::outcome::catalog::{self, Entry};
use crate::outcome::language::Localized;
use crate::outcome::message::Message;
use crate::reply::{Rendered, Reply};
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::person::Person;
use crate::request::projection::Projection;
use crate::request::scim::{LARGEST_PAGE, Operation};
use crate::request::strict::{Fields, json, percent_decode};

pub(crate) struct Scim;

impl CallerKind for Scim {
    fn shape(&self) -> CallerShape {
        CallerShape { is_of_leavers: true, ..CallerShape::hook("scim") }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Scim
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/scim+json", "application/json"]
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let token = bearer(&inbound.headers)?;
        keys.proved_by(|secret| same_secret(token.as_bytes(), secret))?;
        let parts =
            [inbound.method.as_str().as_bytes(), inbound.path.as_bytes(), inbound.query.as_bytes(), &inbound.body];
        Ok(Proof::of(DeliveryId::new(caller, &parts)))
    }

    fn parse<'c>(&self, request: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        Event::parsed(request.caller, operation(request.inbound))
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let status = reply.outcome.status();
        let scim_type = match reply.outcome {
            Outcome::Refused(message) => scim_type(message),
            _ => None,
        };
        let mut body = json!({
            "schemas": [ERROR],
            "status": status.as_str(),
            "detail": reply.outcome.message(reply.language),
        });
        if let (Some(scim_type), Some(fields)) = (scim_type, body.as_object_mut()) {
            fields.insert("scimType".into(), scim_type.into());
        }
        rendered(status, &body)
    }
}

/// Returns the `scimType` of a refusal (RFC 7644, section 3.12, table 9).
fn scim_type(message: &Message) -> Option<&'static str> {
    let is = |entries: &[&Entry]| entries.contains(&message.entry());
    if is(&[&catalog::FIELD_INVALID]) && message.text("name") == Some("filter") {
        Some("invalidFilter")
    } else if is(&[&catalog::FIELD_INVALID, &catalog::FIELD_MISSING]) {
        Some("invalidValue")
    } else if is(&[&catalog::BODY_MALFORMED, &catalog::FIELD_DOUBLED]) {
        Some("invalidSyntax")
    } else if is(&[&catalog::PERSON_TAKEN]) {
        Some("uniqueness")
    } else {
        None
    }
}

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Reads a request to any of the SCIM routes.
///
/// # Errors
///
/// [`RequestError::RouteUnknown`] or [`RequestError::MethodNotAllowed`] if the route or its method does not exist; the errors of
/// the body, the query and the path if one of them cannot be read.
pub(crate) fn operation<'c>(inbound: &Inbound) -> Result<Event<'c>, RequestError> {
    let segments: Vec<&str> = inbound.path.split('/').skip(4).collect();
    let id = |id: &str| percent_decode(id).ok_or(RequestError::UrlMalformed);
    let view = view(inbound);
    let base = view.base.clone();
    let documents = |documents: Vec<Value>| {
        let all = documents.len();
        page(all, 1, documents)
    };
    let reply = |body: Value| Ok(Event::Reply(rendered(StatusCode::OK, &body)));
    let operation = match (&inbound.method, segments.as_slice()) {
        (&Method::GET, ["Users"]) => list(inbound)?,
        (&Method::POST, [".search"] | ["Users", ".search"]) => return search(&inbound.body, base),
        (&Method::POST, ["Users"]) => Operation::Create(Person::read(&json(&inbound.body)?, true)?),
        (&Method::GET, ["Users", user]) => Operation::Look(id(user)?),
        (&Method::PUT, ["Users", user]) => Operation::Replace(id(user)?, Person::read(&json(&inbound.body)?, true)?),
        (&Method::PATCH, ["Users", user]) => Operation::Change(id(user)?, changes(&inbound.body)?),
        (&Method::DELETE, ["Users", user]) => Operation::Delete(id(user)?),
        (&Method::GET, ["ServiceProviderConfig"]) => return reply(service_provider_config(&base)),
        (&Method::GET, ["ResourceTypes"]) => return reply(documents(vec![resource_type(&base)])),
        (&Method::GET, ["ResourceTypes", "User"]) => return reply(resource_type(&base)),
        (&Method::GET, ["Schemas"]) => return reply(documents(schemas(&base))),
        (&Method::GET, ["Schemas", name]) => {
            let name = id(name)?;
            let found = schemas(&base).into_iter().find(|schema| schema["id"] == *name);
            return reply(found.ok_or(RequestError::RouteUnknown)?);
        }
        (&Method::GET, ["ResourceTypes", _]) => return Err(RequestError::RouteUnknown),
        (_, ["Users"]) => return Err(RequestError::MethodNotAllowed { allow: "GET, POST" }),
        (_, ["Users", _]) => return Err(RequestError::MethodNotAllowed { allow: "GET, PUT, PATCH, DELETE" }),
        (_, ["ServiceProviderConfig"] | ["ResourceTypes"] | ["ResourceTypes", _] | ["Schemas"] | ["Schemas", _]) => {
            return Err(RequestError::MethodNotAllowed { allow: "GET" });
        }
        _ => return Err(RequestError::RouteUnknown),
    };
    Ok(Event::Command(Command::Scim(operation, view)))
}

/// Returns the projection that the query selects, with the base address of the resources: `http` on a loopback address only.
pub(crate) fn view(inbound: &Inbound) -> Projection {
    let prefix: Vec<&str> = inbound.path.split('/').take(4).collect();
    let scheme = if is_loopback(&inbound.host) { "http" } else { "https" };
    let base = format!("{scheme}://{}{}", inbound.host, prefix.join("/"));
    // A malformed query selects nothing here; `list`, which depends on the query, refuses it.
    let query = Fields::from_form(inbound.query.as_bytes()).ok();
    let list = |name| query.as_ref().and_then(|query| query.required(name).ok()).unwrap_or_default();
    Projection::of(base, list("attributes"), list("excludedAttributes"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Search {
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    excluded_attributes: Vec<String>,
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
}

/// Reads a search in a POST body, which is equivalent to a GET (RFC 7644, section 3.4.3).
///
/// # Errors
///
/// [`RequestError`] if the body cannot be read or the filter is not supported.
pub(crate) fn search<'c>(body: &[u8], base: String) -> Result<Event<'c>, RequestError> {
    let Search { attributes, excluded_attributes, filter, start_index, count } = json(body)?;
    let filter = filter.filter(|filter| !filter.is_empty()).map(|filter| filter::parse(&filter)).transpose()?;
    let (start, count) = range(start_index.unwrap_or(1), count.unwrap_or(100));
    let view = Projection::of(base, &attributes.join(","), &excluded_attributes.join(","));
    Ok(Event::Command(Command::Scim(Operation::List { filter, start, count }, view)))
}

/// Clamps the range of a page instead of refusing it (RFC 7644, section 3.4.2.4).
pub(crate) fn range(start: i64, count: i64) -> (usize, usize) {
    (usize::try_from(start.max(1)).unwrap_or(1), usize::try_from(count.max(0)).unwrap_or(0).min(LARGEST_PAGE))
}

/// Reads a list of people from the query.
///
/// # Errors
///
/// [`RequestError`] if the query is malformed, a number is not one, or the filter is not supported.
pub(crate) fn list(inbound: &Inbound) -> Result<Operation, RequestError> {
    let query = Fields::from_form(inbound.query.as_bytes())?;
    let number = |name: &'static str, default: i64| match query.required(name) {
        Err(_) => Ok(default),
        Ok(text) => {
            text.parse::<i64>().map_err(|_| RequestError::invalid(name, text, Localized { en: "a number", zh: "数字" }))
        }
    };
    let (start, count) = range(number("startIndex", 1)?, number("count", 100)?);
    let filter = match query.required("filter") {
        Err(_) => None,
        Ok(text) => Some(filter::parse(text)?),
    };
    Ok(Operation::List { filter, start, count })
}

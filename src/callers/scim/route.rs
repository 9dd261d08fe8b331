//! Which operation a SCIM request is: method and path below `/scim/v2/{caller}`.
//!
//! Empty parts of the path are passed over, because some clients join base URL and path with two slashes, and the name of a
//! collection may have any case.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::callers::event::Event;
use crate::callers::scim::body::object;
use crate::callers::scim::discovery::{resource_type, schemas, service_provider_config};
use crate::callers::scim::groups::groups;
use crate::callers::scim::patch::changes;
use crate::callers::scim::query::Query;
use crate::callers::scim::resource::{page, rendered};
use crate::config::endpoint::is_loopback;
use crate::request::command::Command;
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::person::Person;
use crate::request::person_change::Change;
use crate::request::projection::Projection;
use crate::request::scim::Operation;
use crate::request::strict::percent_decode;

const GET: &str = "GET";

/// Reads a request to any of the SCIM routes.
///
/// # Errors
///
/// [`RequestError::RouteUnknown`] or [`RequestError::MethodNotAllowed`] if the route or its method does not exist,
/// [`RequestError::ScimUnsupported`] if RFC 7644 has the route and the gateway does not; the errors of the body, the query and the
/// path if one of them cannot be read.
pub(super) fn operation<'c>(inbound: &Inbound) -> Result<Event<'c>, RequestError> {
    let base = base(inbound);
    // A malformed query selects nothing here; lists, which depend on the query, refuse it.
    let projection = projection(&Query::parse(&inbound.query).unwrap_or_default(), &base);
    let segments: Vec<&str> = inbound.path.split('/').skip(4).filter(|segment| !segment.is_empty()).collect();
    let collection = segments.first().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
    let rest = segments.get(1..).unwrap_or_default();
    let is_list = match rest {
        [] => inbound.method != Method::POST,
        rest => rest == [".search"],
    };
    let operation = match collection.as_str() {
        // Of the whole service: it has no other resources.
        "" | ".search" => list(inbound, (&segments, GET), &base),
        "users" if is_list => list(inbound, (rest, "GET, POST"), &base),
        "users" => person(inbound, rest).map(|operation| (operation, projection)),
        "groups" => return groups(inbound, rest, &base),
        "serviceproviderconfig" | "serviceproviderconfigs" | "resourcetypes" | "schemas" => {
            return document(inbound, &collection, rest, &base);
        }
        "me" | "bulk" if rest.is_empty() => Err(unsupported(inbound, &collection)),
        _ => Err(RequestError::RouteUnknown),
    };
    operation.map(|(operation, projection)| Event::Command(Command::Scim(operation, projection)))
}

/// Why a part of SCIM is refused that RFC 7644 has, by the methods that it has there (sections 3.7 and 3.11).
fn unsupported(inbound: &Inbound, collection: &str) -> RequestError {
    let (name, allow) = match collection {
        "me" => ("/Me", "GET, POST, PUT, PATCH, DELETE"),
        _ => ("/Bulk", "POST"),
    };
    let is_one = allow.split(", ").any(|method| method == inbound.method.as_str());
    if is_one { RequestError::ScimUnsupported { name } } else { RequestError::MethodNotAllowed { allow } }
}

/// Returns the base address of the resources: `http` on a loopback address only.
fn base(inbound: &Inbound) -> String {
    let prefix: Vec<&str> = inbound.path.split('/').take(4).collect();
    let scheme = if is_loopback(&inbound.host) { "http" } else { "https" };
    format!("{scheme}://{}{}", inbound.host, prefix.join("/"))
}

fn projection(query: &Query, base: &str) -> Projection {
    let list = |name| query.get(name).unwrap_or_default();
    Projection::of(base.to_owned(), list("attributes"), list("excludedattributes"))
}

/// A list of people: by a query, or by the body of `.search`. `allow` has the methods of the collection.
fn list(
    inbound: &Inbound,
    (rest, allow): (&[&str], &'static str),
    base: &str,
) -> Result<(Operation, Projection), RequestError> {
    let query = match (&inbound.method, rest) {
        (&Method::GET, []) => Query::parse(&inbound.query)?,
        (&Method::POST, [".search"]) => Query::of_search(&inbound.body)?,
        (_, [".search"]) => return Err(RequestError::MethodNotAllowed { allow: "POST" }),
        _ => return Err(RequestError::MethodNotAllowed { allow }),
    };
    Ok((query.list()?, projection(&query, base)))
}

/// An operation on one person.
fn person(inbound: &Inbound, rest: &[&str]) -> Result<Operation, RequestError> {
    let id = |id: &str| percent_decode(id).ok_or(RequestError::UrlMalformed);
    match (&inbound.method, rest) {
        (&Method::POST, []) => {
            let person = Person::read(&object(&inbound.body)?)?;
            if person.user_name().is_empty() {
                return Err(RequestError::FieldMissing { name: "userName" });
            }
            Ok(Operation::Create(person))
        }
        (&Method::GET, [user]) => Ok(Operation::Look(id(user)?)),
        (&Method::PUT, [user]) => {
            let body = object(&inbound.body)?;
            let person = Person::read(&body)?;
            // A resource without a name is a part of one: some clients send only what has changed.
            let change = || Change::Set { adds: false, target: None, value: Value::Object(body) };
            let id = id(user)?;
            Ok(if person.user_name().is_empty() {
                Operation::Change(id, vec![change()])
            } else {
                Operation::Replace(id, person)
            })
        }
        (&Method::PATCH, [user]) => Ok(Operation::Change(id(user)?, changes(&inbound.body)?)),
        (&Method::DELETE, [user]) => Ok(Operation::Delete(id(user)?)),
        (_, [_]) => Err(RequestError::MethodNotAllowed { allow: "GET, PUT, PATCH, DELETE" }),
        _ => Err(RequestError::RouteUnknown),
    }
}

/// A document of discovery.
fn document<'c>(inbound: &Inbound, collection: &str, rest: &[&str], base: &str) -> Result<Event<'c>, RequestError> {
    let documents = |documents: Vec<Value>| {
        let all = documents.len();
        page(all, 1, documents)
    };
    let body = match (collection, rest) {
        ("resourcetypes", []) => documents(vec![resource_type(base)]),
        ("resourcetypes", [name]) if name.eq_ignore_ascii_case("User") => resource_type(base),
        ("schemas", []) => documents(schemas(base)),
        ("schemas", [name]) => {
            let name = percent_decode(name).ok_or(RequestError::UrlMalformed)?;
            let is_it = |schema: &Value| schema["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(&name));
            schemas(base).into_iter().find(is_it).ok_or(RequestError::RouteUnknown)?
        }
        ("serviceproviderconfig" | "serviceproviderconfigs", []) => service_provider_config(base),
        _ => return Err(RequestError::RouteUnknown),
    };
    if inbound.method != Method::GET {
        return Err(RequestError::MethodNotAllowed { allow: GET });
    }
    Ok(Event::Reply(rendered(StatusCode::OK, &body)))
}

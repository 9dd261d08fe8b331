//! `/Groups`. The gateway keeps no groups, and identity systems that send some go on all the same: a list is empty, and what they
//! write is accepted and forgotten. JumpCloud tries to create a group before it is switched on; authentik and Okta end a run of
//! people at the first group that is refused.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::callers::event::Event;
use crate::callers::scim::body::object;
use crate::callers::scim::query::Query;
use crate::callers::scim::resource::{no_content, page, rendered};
use crate::request::error::RequestError;
use crate::request::filter::matching::field;
use crate::request::inbound::Inbound;
use crate::request::strict::percent_decode;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Answers a request to `/Groups`; `rest` is what follows in the path.
///
/// # Errors
///
/// [`RequestError::GroupUnknown`] if a group is to be read, [`RequestError::MethodNotAllowed`] if the method does not exist; the
/// errors of the query and the body.
pub(super) fn groups<'c>(inbound: &Inbound, rest: &[&str], base: &str) -> Result<Event<'c>, RequestError> {
    let reply = |status, body: &Value| Ok(Event::Reply(rendered(status, body)));
    let id = |id: &str| percent_decode(id).ok_or(RequestError::UrlMalformed);
    match (&inbound.method, rest) {
        (&Method::GET, []) => {
            let (start, _) = Query::parse(&inbound.query)?.range()?;
            reply(StatusCode::OK, &page(0, start, Vec::new()))
        }
        (&Method::POST, [".search"]) => {
            let query = Query::of_search(&inbound.body)?;
            query.list()?;
            reply(StatusCode::OK, &page(0, query.range()?.0, Vec::new()))
        }
        (_, [".search"]) => Err(RequestError::MethodNotAllowed { allow: "POST" }),
        (&Method::POST, []) => {
            let body = object(&inbound.body)?;
            // The same group gets the same id again: nothing is kept that could tell two apart.
            let id = Sha256::digest(Value::Object(body.clone()).to_string());
            let id = hex::encode(id.as_slice().get(..16).unwrap_or_default());
            reply(StatusCode::CREATED, &group(&body, (&id, &id), base))
        }
        (&Method::PUT, [given]) => reply(StatusCode::OK, &group(&object(&inbound.body)?, (&id(given)?, given), base)),
        (&Method::PATCH | &Method::DELETE, [_]) => Ok(Event::Reply(no_content())),
        (&Method::GET, [given]) => Err(RequestError::GroupUnknown { id: id(given)? }),
        (_, []) => Err(RequestError::MethodNotAllowed { allow: "GET, POST" }),
        (_, [_]) => Err(RequestError::MethodNotAllowed { allow: "GET, PUT, PATCH, DELETE" }),
        _ => Err(RequestError::RouteUnknown),
    }
}

/// Returns a group as the client sent it, without its members. `in_path` is the id as a path has it.
fn group(body: &Map<String, Value>, (id, in_path): (&str, &str), base: &str) -> Value {
    let mut group = Map::from_iter([("schemas".to_owned(), json!([GROUP])), ("id".to_owned(), id.into())]);
    for name in ["displayName", "externalId"] {
        if let Some(value) = field(body, name).filter(|value| !value.is_null()) {
            group.insert(name.into(), value.clone());
        }
    }
    let location = format!("{base}/Groups/{in_path}");
    group.insert("meta".into(), json!({"resourceType": "Group", "location": location}));
    Value::Object(group)
}

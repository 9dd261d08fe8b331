//! Which part of the gateway a request is for.

use http::Method;

use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::strict;

/// A path of the API; its parts still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiPath<'p> {
    /// TaurusDB's own API: project and instance.
    Users(&'p str, &'p str),
    /// The records of removals.
    Removals,
    /// One of them, by its id.
    Removal(&'p str),
    /// The requests that wait.
    Approvals,
    /// One of them, by its reference or the id of its row.
    Approval(&'p str),
}

impl<'p> ApiPath<'p> {
    /// Parses a path; `None` if it is not of the API.
    pub fn parse(path: &'p str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').collect();
        match segments.as_slice() {
            ["", "v3", project_id, "instances", instance_id, "starrocks", "users" | "user"] => {
                Some(Self::Users(project_id, instance_id))
            }
            ["", "removals"] => Some(Self::Removals),
            ["", "removals", id] if !id.is_empty() => Some(Self::Removal(id)),
            ["", "approvals"] => Some(Self::Approvals),
            ["", "approvals", id] if !id.is_empty() => Some(Self::Approval(id)),
            _ => None,
        }
    }
}

/// The part of the gateway that a request is for.
pub(crate) enum Route {
    /// TaurusDB's own API, and the routes beside it with the same proof.
    Api,
    /// A caller's hook; its name, decoded.
    Hook(String),
    /// An identity system's directory; the caller's name, decoded.
    Scim(String),
}

/// Routes a request.
///
/// # Errors
///
/// [`RequestError::RouteUnknown`] if no route has the path, [`RequestError::MethodNotAllowed`] if it is for other methods,
/// [`RequestError::UrlMalformed`] if the caller's name cannot be decoded.
pub(crate) fn route(inbound: &Inbound) -> Result<Route, RequestError> {
    let only = |method: Method, allow| {
        if inbound.method == method { Ok(()) } else { Err(RequestError::MethodNotAllowed { allow }) }
    };
    if inbound.path == "/healthz" {
        return Err(RequestError::MethodNotAllowed { allow: "GET" });
    }
    match ApiPath::parse(&inbound.path) {
        Some(ApiPath::Users(..)) => return only(Method::DELETE, "DELETE").map(|()| Route::Api),
        Some(ApiPath::Removals | ApiPath::Removal(_) | ApiPath::Approvals) => {
            return only(Method::GET, "GET").map(|()| Route::Api);
        }
        Some(ApiPath::Approval(_)) => return only(Method::POST, "POST").map(|()| Route::Api),
        None => {}
    }
    if let Some((name, _)) = inbound.path.strip_prefix("/scim/v2/").and_then(|rest| rest.split_once('/')) {
        return Ok(Route::Scim(strict::percent_decode(name).ok_or(RequestError::UrlMalformed)?));
    }
    match inbound.path.strip_prefix("/hooks/") {
        Some(name) if !name.is_empty() && !name.contains('/') => {
            Ok(Route::Hook(strict::percent_decode(name).ok_or(RequestError::UrlMalformed)?))
        }
        _ => Err(RequestError::RouteUnknown),
    }
}

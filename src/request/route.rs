//! What a path is for.

use http::Method;

use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::strict;

/// What a path is, of those that this kind serves; its parts still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path<'p> {
    /// TaurusDB's own API: project and instance.
    Users(&'p str, &'p str),
    /// The records of removals.
    Removals,
    /// One of those, by its id.
    RemovalRequest(&'p str),
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
        ["", "removals", id] if !id.is_empty() => Some(Path::RemovalRequest(id)),
        ["", "approvals"] => Some(Path::Approvals),
        ["", "approvals", id] if !id.is_empty() => Some(Path::Approval(id)),
        _ => None,
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
/// [`RequestError::RouteUnknown`], [`RequestError::MethodNotAllowed`], [`RequestError::UrlMalformed`]
pub(crate) fn route(inbound: &Inbound) -> Result<Route, RequestError> {
    let only = |method: Method, allow| {
        if inbound.method == method { Ok(()) } else { Err(RequestError::MethodNotAllowed { allow }) }
    };
    if inbound.path == "/healthz" {
        return Err(RequestError::MethodNotAllowed { allow: "GET" });
    }
    match path(&inbound.path) {
        Some(Path::Users(..)) => return only(Method::DELETE, "DELETE").map(|()| Route::Api),
        Some(Path::Removals | Path::RemovalRequest(_) | Path::Approvals) => {
            return only(Method::GET, "GET").map(|()| Route::Api);
        }
        Some(Path::Approval(_)) => return only(Method::POST, "POST").map(|()| Route::Api),
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

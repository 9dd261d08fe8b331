//! Which part of the gateway a request is for.
//!
//! Empty segments of a path do not count: clients write `/scim/v2/hr/Users/`, or join a base address that ends in a slash with a
//! path that begins with one. Where a signature covers the path, it covers the path as it was sent; the verifier sees that one.

use http::Method;

use crate::request::console_path::ConsolePath;
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::job::Job;
use crate::request::strict;

/// A path of the API; its parts still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiPath<'p> {
    /// TaurusDB's own API: project and instance.
    Users(&'p str, &'p str),
    /// What TaurusDB has below it, and the gateway has not: passwords, permissions, synchronization.
    BelowUsers,
    /// The records of removals.
    Removals,
    /// One of them, by its id.
    Removal(&'p str),
    /// The requests that wait.
    Approvals,
    /// One of them, by its reference or the id of its row.
    Approval(&'p str),
    /// What a scheduler calls, by its name.
    Job(&'p str),
    /// What a monitoring system reads.
    Metrics,
}

impl<'p> ApiPath<'p> {
    /// Parses a path; `None` if it is not of the API. An id may be empty: that is an error of its own, and not another path.
    pub fn parse(path: &'p str) -> Option<Self> {
        let written: Vec<_> = path.trim_matches('/').split('/').collect();
        Self::of(&written).or_else(|| Self::of(&segments(path)))
    }

    fn of(segments: &[&'p str]) -> Option<Self> {
        match *segments {
            ["v3", project_id, "instances", instance_id, "starrocks", "users" | "user"] => {
                Some(Self::Users(project_id, instance_id))
            }
            ["v3", _, "instances", _, "starrocks", "users" | "user", "password" | "permission" | "sync"] => {
                Some(Self::BelowUsers)
            }
            ["removals"] => Some(Self::Removals),
            ["removals", id] => Some(Self::Removal(id)),
            ["approvals"] => Some(Self::Approvals),
            ["approvals", id] => Some(Self::Approval(id)),
            ["jobs", name] => Some(Self::Job(name)),
            ["metrics"] => Some(Self::Metrics),
            _ => None,
        }
    }

    /// Checks that the path exists for this method.
    fn check(self, method: &Method) -> Result<(), RequestError> {
        let taken = |method: &Method, methods: &[Method]| methods.contains(method);
        let not_allowed = |allow| Err(RequestError::MethodNotAllowed { allow });
        match self {
            Self::Users(..) if taken(method, &[Method::DELETE, Method::GET, Method::HEAD]) => Ok(()),
            Self::Users(..) => Err(RequestError::OnlyRemovesAndLists { allow: "DELETE, GET" }),
            Self::BelowUsers => Err(RequestError::OnlyRemovesAndLists { allow: "" }),
            Self::Job(name) if Job::parse(name).is_none() => Err(RequestError::RouteUnknown),
            Self::Approval(_) | Self::Job(_) if taken(method, &[Method::POST]) => Ok(()),
            Self::Approval(_) | Self::Job(_) => not_allowed("POST"),
            _ if taken(method, &[Method::GET, Method::HEAD]) => Ok(()),
            _ => not_allowed("GET"),
        }
    }
}

/// The part of the gateway that a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Whether the operator's files can be used.
    Health,
    /// Whether a removal could be carried out.
    Ready,
    /// The description of all of this.
    Description,
    /// What a monitoring system reads: with a secret of its own, or with the proof of [`Route::Api`].
    Metrics,
    /// TaurusDB's own API, and the routes beside it with the same proof.
    Api,
    /// A caller's hook; its name, decoded.
    Hook(String),
    /// An identity system's directory; the caller's name, decoded.
    Scim(String),
    /// The console; `None` for a path that it does not have. Without a caller of its kind there is no such route.
    Console(Option<ConsolePath>),
}

/// Routes a request.
///
/// # Errors
///
/// [`RequestError::RouteUnknown`] if no route has the path, [`RequestError::MethodNotAllowed`] or
/// [`RequestError::OnlyRemovesAndLists`] if it is for other methods, [`RequestError::UrlMalformed`] if the caller's name cannot be
/// decoded.
pub(crate) fn route(inbound: &Inbound) -> Result<Route, RequestError> {
    if let Some(path) = ApiPath::parse(&inbound.path) {
        path.check(&inbound.method)?;
        return Ok(if path == ApiPath::Metrics { Route::Metrics } else { Route::Api });
    }
    let decoded = |name: &str| strict::percent_decode(name).ok_or(RequestError::UrlMalformed);
    let is_read = [Method::GET, Method::HEAD].contains(&inbound.method);
    match *segments(&inbound.path).as_slice() {
        ["healthz"] if is_read => Ok(Route::Health),
        ["readyz"] if is_read => Ok(Route::Ready),
        ["openapi.yaml"] if is_read => Ok(Route::Description),
        ["healthz" | "readyz" | "openapi.yaml"] => Err(RequestError::MethodNotAllowed { allow: "GET" }),
        ["hooks", name] => decoded(name).map(Route::Hook),
        ["scim", "v2", name, ..] => decoded(name).map(Route::Scim),
        ["console", ref rest @ ..] => Ok(Route::Console(ConsolePath::parse(rest))),
        _ => Err(RequestError::RouteUnknown),
    }
}

impl Route {
    /// The schemes of the proofs that the route takes, as a challenge names them; `None` where the platforms' signatures have no
    /// scheme, or nothing is to be proved.
    pub(crate) fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Api | Self::Metrics => Some("SDK-HMAC-SHA256, Bearer"),
            Self::Scim(_) => Some("Bearer"),
            // A browser would ask for a password that there is none of.
            Self::Health | Self::Ready | Self::Description | Self::Hook(_) | Self::Console(_) => None,
        }
    }

    /// The request as the route reads it: where nothing is signed over method and path, HEAD is read as GET and the path has no
    /// empty segments.
    pub(crate) fn readable(&self, inbound: Inbound) -> Inbound {
        match self {
            Self::Health | Self::Ready | Self::Description | Self::Metrics | Self::Api => inbound,
            Self::Hook(_) | Self::Scim(_) | Self::Console(_) => Inbound {
                method: if inbound.method == Method::HEAD { Method::GET } else { inbound.method },
                path: segments(&inbound.path).iter().flat_map(|segment| ["/", segment]).collect(),
                ..inbound
            },
        }
    }
}

/// The segments of a path that are not empty.
fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    fn inbound(method: &Method, path: &str) -> Inbound {
        Inbound {
            method: method.clone(),
            path: path.to_owned(),
            query: String::new(),
            host: "localhost".into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// What clients write, and what is read.
    #[test]
    fn slashes_do_not_matter() {
        let hook = |name: &str| Ok(Route::Hook(name.to_owned()));
        let scim = |name: &str| Ok(Route::Scim(name.to_owned()));
        for (path, expected, read) in [
            ("/hooks/slack", hook("slack"), "/hooks/slack"),
            ("/hooks/slack/", hook("slack"), "/hooks/slack"),
            ("//hooks///slack//", hook("slack"), "/hooks/slack"),
            ("/hooks/a%20b/", hook("a b"), "/hooks/a%20b"),
            ("/scim/v2/hr/Users", scim("hr"), "/scim/v2/hr/Users"),
            ("/scim/v2/hr/Users/", scim("hr"), "/scim/v2/hr/Users"),
            ("/scim/v2/hr//Users", scim("hr"), "/scim/v2/hr/Users"),
            ("/scim/v2/hr/", scim("hr"), "/scim/v2/hr"),
            ("/scim/v2/hr/Users/%2F", scim("hr"), "/scim/v2/hr/Users/%2F"),
            ("/console", Ok(Route::Console(Some(ConsolePath::Waiting))), "/console"),
            ("//console/removals/", Ok(Route::Console(Some(ConsolePath::Removals))), "/console/removals"),
            ("/console/none", Ok(Route::Console(None)), "/console/none"),
            ("/healthz/", Ok(Route::Health), "/healthz/"),
            ("//removals", Ok(Route::Api), "//removals"),
        ] {
            let got = route(&inbound(&Method::GET, path));
            assert_eq!(got, expected, "{path}");
            assert_eq!(got.unwrap().readable(inbound(&Method::GET, path)).path, read, "{path}");
        }
        for path in ["/", "", "//", "*", "/hooks", "/hooks/", "/hooks/a/b", "/scim/v2", "/scim/v2/", "/scim/hr/Users"] {
            assert_eq!(route(&inbound(&Method::GET, path)), Err(RequestError::RouteUnknown), "{path}");
        }
        for path in ["/hooks/%2", "/hooks/%ff", "/scim/v2/%zz/Users"] {
            assert_eq!(route(&inbound(&Method::GET, path)), Err(RequestError::UrlMalformed), "{path}");
        }
    }

    #[test]
    fn methods() {
        let not_allowed = |allow| Err(RequestError::MethodNotAllowed { allow });
        let only = |allow| Err(RequestError::OnlyRemovesAndLists { allow });
        let users = "/v3/p/instances/i/starrocks/users";
        let below = |name: &str| format!("{users}/{name}");
        for (method, path, expected) in [
            (Method::DELETE, users.to_owned(), Ok(Route::Api)),
            (Method::GET, users.to_owned(), Ok(Route::Api)),
            (Method::HEAD, users.to_owned(), Ok(Route::Api)),
            (Method::POST, users.to_owned(), only("DELETE, GET")),
            (Method::PUT, users.to_owned(), only("DELETE, GET")),
            (Method::PUT, below("password"), only("")),
            (Method::PUT, below("permission"), only("")),
            (Method::DELETE, below("password"), only("")),
            (Method::GET, below("alice"), Err(RequestError::RouteUnknown)),
            (Method::DELETE, "/v3/p/instances//starrocks/users".into(), Ok(Route::Api)),
            (Method::DELETE, "/v3//p/instances/i/starrocks/users".into(), Ok(Route::Api)),
            (Method::HEAD, "/removals".into(), Ok(Route::Api)),
            (Method::POST, "/removals".into(), not_allowed("GET")),
            (Method::HEAD, "/approvals/x".into(), not_allowed("POST")),
            (Method::HEAD, "/healthz".into(), Ok(Route::Health)),
            (Method::POST, "/healthz".into(), not_allowed("GET")),
            (Method::GET, "/readyz".into(), Ok(Route::Ready)),
            (Method::HEAD, "/readyz/".into(), Ok(Route::Ready)),
            (Method::POST, "/readyz".into(), not_allowed("GET")),
            (Method::HEAD, "/openapi.yaml".into(), Ok(Route::Description)),
            (Method::POST, "/openapi.yaml".into(), not_allowed("GET")),
            (Method::HEAD, "/metrics".into(), Ok(Route::Metrics)),
            (Method::POST, "/metrics".into(), not_allowed("GET")),
            (Method::POST, "/jobs/settle".into(), Ok(Route::Api)),
            (Method::POST, "//jobs/prune/".into(), Ok(Route::Api)),
            (Method::GET, "/jobs/expire".into(), not_allowed("POST")),
            (Method::POST, "/jobs/stop".into(), Err(RequestError::RouteUnknown)),
            (Method::POST, "/jobs".into(), Err(RequestError::RouteUnknown)),
        ] {
            assert_eq!(route(&inbound(&method, &path)), expected, "{method} {path}");
        }
    }

    /// HEAD stays where a signature covers the method.
    #[test]
    fn head_is_read_as_get_where_nothing_is_signed_over_it() {
        for (path, expected) in
            [("/hooks/okta", Method::GET), ("/scim/v2/hr/Users", Method::GET), ("/removals", Method::HEAD)]
        {
            let sent = inbound(&Method::HEAD, path);
            assert_eq!(route(&sent).unwrap().readable(sent).method, expected, "{path}");
        }
    }

    proptest! {
        /// However many slashes there are, the route is the same.
        #[test]
        fn routes_do_not_depend_on_slashes(
            segments in prop::collection::vec("[a-zA-Z0-9%.;]{1,8}|hooks|scim|v2|removals", 0..6),
            slashes in prop::collection::vec(1_usize..4, 7),
            at_end in any::<bool>(),
        ) {
            let plain: String = segments.iter().map(|segment| format!("/{segment}")).collect();
            let mut written: String =
                segments.iter().zip(&slashes).map(|(segment, count)| format!("{}{segment}", "/".repeat(*count))).collect();
            if at_end {
                written.push('/');
            }
            prop_assert_eq!(route(&inbound(&Method::GET, &plain)), route(&inbound(&Method::GET, &written)));
        }
    }
}

//! Paths of the console.

use http::Method;

use crate::request::error::RequestError;
use crate::request::strict;

/// A path below `/console`. Ids and references are decoded, and read by the page that they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsolePath {
    /// `/console`: what waits for the person, and what the person waits for.
    Waiting,
    /// `/console/ask`: a removal is asked for.
    Ask,
    /// `/console/removals`
    Removals,
    /// `/console/removals.csv`
    RemovalsCsv,
    /// `/console/removals/{id}`
    Removal(String),
    /// `/console/accounts`
    Accounts,
    /// `/console/accounts.csv`
    AccountsCsv,
    /// `/console/policy`
    Policy,
    /// `/console/approvals/{reference}`: a decision.
    Approval(String),
    /// `/console/icon.svg`
    Icon,
    /// `/console/console.{hash}.css`; the hash is that of its content, so that browsers may keep it.
    Stylesheet(String),
    /// `/console/signin`: where a person signs in; with `go`, the way to the identity provider.
    SignIn,
    /// `/console/callback`: where the identity provider sends the person back to.
    Callback,
    /// `/console/signout`
    SignOut,
}

impl ConsolePath {
    /// Parses the segments of a path behind `console`, percent-encoded and not empty; `None` if the console has no such path.
    pub fn parse(segments: &[&str]) -> Option<Self> {
        let stylesheet = |name: &str| Some(name.strip_prefix("console.")?.strip_suffix(".css")?.to_owned());
        match *segments {
            [] => Some(Self::Waiting),
            ["ask"] => Some(Self::Ask),
            ["removals"] => Some(Self::Removals),
            ["removals.csv"] => Some(Self::RemovalsCsv),
            ["removals", id] => strict::percent_decode(id).map(Self::Removal),
            ["accounts"] => Some(Self::Accounts),
            ["accounts.csv"] => Some(Self::AccountsCsv),
            ["policy"] => Some(Self::Policy),
            ["approvals", reference] => strict::percent_decode(reference).map(Self::Approval),
            ["icon.svg"] => Some(Self::Icon),
            ["signin"] => Some(Self::SignIn),
            ["callback"] => Some(Self::Callback),
            ["signout"] => Some(Self::SignOut),
            [name] => stylesheet(name).map(Self::Stylesheet),
            _ => None,
        }
    }

    /// Returns the methods that the path takes, in the form of `Allow`.
    fn methods(&self) -> &'static str {
        match self {
            Self::Ask => "GET, POST",
            Self::Approval(_) | Self::SignOut => "POST",
            _ => "GET",
        }
    }

    /// Checks that the path takes this method; HEAD wherever GET is.
    ///
    /// # Errors
    ///
    /// [`RequestError::MethodNotAllowed`] if it does not.
    pub fn check(&self, method: &Method) -> Result<(), RequestError> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let allow = self.methods();
        let is_taken = allow.split(", ").any(|taken| taken == method.as_str());
        if is_taken { Ok(()) } else { Err(RequestError::MethodNotAllowed { allow }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_methods() {
        let of = |path: &str| ConsolePath::parse(&path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>());
        for (path, expected, methods) in [
            ("", Some(ConsolePath::Waiting), "GET"),
            ("ask", Some(ConsolePath::Ask), "GET, POST"),
            ("removals", Some(ConsolePath::Removals), "GET"),
            ("removals.csv", Some(ConsolePath::RemovalsCsv), "GET"),
            ("removals/01a2", Some(ConsolePath::Removal("01a2".into())), "GET"),
            ("removals/a%2Fb", Some(ConsolePath::Removal("a/b".into())), "GET"),
            ("accounts", Some(ConsolePath::Accounts), "GET"),
            ("accounts.csv", Some(ConsolePath::AccountsCsv), "GET"),
            ("policy", Some(ConsolePath::Policy), "GET"),
            ("approvals/K7Q2M9XA", Some(ConsolePath::Approval("K7Q2M9XA".into())), "POST"),
            ("icon.svg", Some(ConsolePath::Icon), "GET"),
            ("console.1f.css", Some(ConsolePath::Stylesheet("1f".into())), "GET"),
            ("signin", Some(ConsolePath::SignIn), "GET"),
            ("callback", Some(ConsolePath::Callback), "GET"),
            ("signout", Some(ConsolePath::SignOut), "POST"),
            ("console.css", None, ""),
            ("Removals", None, ""),
            ("removals/%2", None, ""),
            ("removals/%ff", None, ""),
            ("removals/a/b", None, ""),
            ("approvals", None, ""),
            ("logout", None, ""),
        ] {
            let parsed = of(path);
            assert_eq!(parsed, expected, "{path}");
            let Some(parsed) = parsed else { continue };
            assert_eq!(parsed.methods(), methods, "{path}");
            for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
                let name = if method == Method::HEAD { "GET" } else { method.as_str() };
                assert_eq!(parsed.check(&method).is_ok(), methods.contains(name), "{method} {path}");
            }
        }
    }
}

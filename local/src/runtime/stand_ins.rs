//! Redirects the requests to an origin to another server on this machine.
//!
//! Spin has no such feature: it is for tests and the demonstration, where no request may reach the real origin. Only the
//! connection is made elsewhere, and without TLS. Whether a request is allowed is decided by the real origin, and the
//! request keeps its name.

use std::collections::BTreeMap;

use anyhow::Context;
use http::Uri;
use http::uri::{Authority, Scheme};

use super::allowed_hosts::default_port;

/// The origins that have a stand-in.
#[derive(Debug)]
pub(super) struct StandIns(Vec<(Origin, Authority)>);

/// Scheme, host in lower case, port.
#[derive(Debug, PartialEq, Eq)]
struct Origin(String, String, Option<u16>);

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let (scheme, host) = (uri.scheme_str()?, uri.host()?);
        let port = uri.port_u16().or_else(|| default_port(scheme));
        Some(Self(scheme.to_owned(), host.to_ascii_lowercase(), port))
    }
}

impl StandIns {
    pub(super) fn parse(entries: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let parse = |(origin, stand_in): (&String, &String)| {
            let stand_in_uri = origin_uri(stand_in).filter(|uri| uri.scheme() == Some(&Scheme::HTTP));
            let authority = stand_in_uri.and_then(|uri| uri.authority().cloned());
            let authority = authority.with_context(|| {
                format!("stand-in `{stand_in}` is not valid; write `http://host` or `http://host:port`")
            })?;
            let origin = origin_uri(origin).and_then(|uri| Origin::of(&uri)).with_context(|| {
                format!("origin `{origin}` is not valid; write `scheme://host` or `scheme://host:port`")
            })?;
            Ok((origin, authority))
        };
        entries.iter().map(parse).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Returns the address to connect to, if the origin of this request has a stand-in.
    pub(super) fn find(&self, uri: &Uri) -> Option<Authority> {
        let origin = Origin::of(uri)?;
        let (_, authority) = self.0.iter().find(|(known, _)| *known == origin)?;
        Some(authority.clone())
    }
}

/// Parses a URI that is an origin without path, query or user.
fn origin_uri(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_origin = uri.path() == "/" && uri.query().is_none() && !text.ends_with('/') && !text.contains('@');
    Some(uri).filter(|_| is_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand_ins(origin: &str, stand_in: &str) -> anyhow::Result<StandIns> {
        StandIns::parse(&BTreeMap::from([(origin.to_owned(), stand_in.to_owned())]))
    }

    #[test]
    fn a_stand_in_gets_what_is_for_its_origin_only() {
        for (origin, uri, expected) in [
            ("https://a.com", "https://a.com/b?c", true),
            ("https://a.com", "https://A.com:443/b", true),
            ("https://a.com:443", "https://a.com", true),
            ("http://a.com:81", "http://a.com:81/", true),
            ("https://a.com", "http://a.com/", false),
            ("https://a.com", "https://a.com:444/", false),
            ("https://a.com", "https://b.a.com/", false),
            ("https://a.com", "https://a.com@b.com/", false),
        ] {
            let found = stand_ins(origin, "http://127.0.0.1:9").unwrap().find(&uri.parse().unwrap());
            assert_eq!(found, expected.then(|| Authority::from_static("127.0.0.1:9")), "{origin} {uri}");
        }
        assert!(StandIns::parse(&BTreeMap::new()).unwrap().find(&Uri::from_static("https://a.com")).is_none());
    }

    #[test]
    fn a_wrong_stand_in_is_an_error() {
        for (origin, stand_in, message) in [
            ("a.com", "http://b.com", "origin `a.com` is not valid; write"),
            ("https://a.com/", "http://b.com", "origin `https://a.com/` is not valid; write"),
            ("https://a.com/path", "http://b.com", "origin `https://a.com/path` is not valid; write"),
            ("https://u@a.com", "http://b.com", "origin `https://u@a.com` is not valid; write"),
            ("", "http://b.com", "origin `` is not valid; write"),
            ("https://a.com", "https://b.com", "stand-in `https://b.com` is not valid; write"),
            ("https://a.com", "127.0.0.1:9", "stand-in `127.0.0.1:9` is not valid; write"),
            ("https://a.com", "http://b.com?c", "stand-in `http://b.com?c` is not valid; write"),
        ] {
            let error = stand_ins(origin, stand_in).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}

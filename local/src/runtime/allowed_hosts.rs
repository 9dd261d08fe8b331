//! `allowed_outbound_hosts` of spin.toml, as Spin understands it.
//!
//! An entry is `scheme://host[:port]`; `*` stands for any scheme, any host or any port, `*.` before a host for its
//! subdomains. An entry without a port means the default port of the scheme. An entry that is empty or wrong is an
//! error: in Spin at the first outbound request, after which every request fails; here already at the start. Templates that
//! resolve to nothing are left out before ([`resolve_host`](crate::manifest::resolve_host)).
//!
//! Not supported: port ranges, networks in CIDR notation, `self` and service chaining (`*.spin.internal`).

use anyhow::{Context, bail, ensure};
use http::Uri;

/// The parsed `allowed_outbound_hosts`.
#[derive(Debug)]
pub(crate) struct AllowedHosts(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    scheme: Pattern,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug)]
enum Pattern {
    Any,
    Exactly(String),
}

#[derive(Debug)]
enum Host {
    Any,
    /// With the leading dot.
    Below(String),
    Exactly(String),
}

impl AllowedHosts {
    pub(crate) fn parse(entries: &[String]) -> anyhow::Result<Self> {
        entries.iter().map(|entry| Entry::parse(entry.trim())).collect::<anyhow::Result<_>>().map(Self)
    }

    pub(crate) fn allow(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return false;
        };
        let port = uri.port_u16().or_else(|| default_port(scheme));
        self.0.iter().any(|entry| entry.allows(scheme, host, port))
    }
}

impl Entry {
    fn parse(entry: &str) -> anyhow::Result<Self> {
        let wrong = || {
            format!("`{entry}` in allowed_outbound_hosts is not valid; write `scheme://host` or `scheme://host:port`")
        };
        let (scheme, authority) = entry.split_once("://").with_context(wrong)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        // The last colon of `[::1]` belongs to the address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let name = host.strip_prefix("*.").unwrap_or(host);
        let host_is_right = host == "*" || !(name.is_empty() || name.contains(['*', '/']) || name == "self");
        let scheme_is_right = scheme == "*" || scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        ensure!(host_is_right && scheme_is_right, wrong());
        let port = match port {
            Some("*") => None,
            Some(port) => Some(port.parse().ok().with_context(wrong)?),
            None => match default_port(scheme) {
                Some(port) => Some(port),
                None => {
                    bail!("`{entry}` in allowed_outbound_hosts needs a port, because `{scheme}` has no default port")
                }
            },
        };
        Ok(Self {
            scheme: match scheme {
                "*" => Pattern::Any,
                scheme => Pattern::Exactly(scheme.to_owned()),
            },
            host: match host.strip_prefix('*') {
                Some("") => Host::Any,
                Some(suffix) => Host::Below(suffix.to_owned()),
                None => Host::Exactly(host.to_owned()),
            },
            port,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let host = host.to_ascii_lowercase();
        (match &self.scheme {
            Pattern::Any => true,
            Pattern::Exactly(exactly) => exactly == scheme,
        }) && (match &self.host {
            Host::Any => true,
            Host::Below(suffix) => host.ends_with(suffix),
            Host::Exactly(exactly) => *exactly == host,
        }) && (self.port.is_none() || self.port == port)
    }
}

/// Returns the port of a URL that names none.
pub(super) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        AllowedHosts::parse(&[entry.to_owned()]).unwrap().allow(&uri.parse().unwrap())
    }

    #[test]
    fn an_entry_allows_its_scheme_host_and_port_only() {
        for (entry, uri, allowed) in [
            ("https://example.com", "https://example.com/a?b", true),
            ("https://example.com", "https://EXAMPLE.com", true),
            ("https://example.com", "https://example.com:443", true),
            ("https://example.com", "https://example.com:444", false),
            ("https://example.com", "http://example.com", false),
            ("https://example.com", "https://www.example.com", false),
            ("https://example.com/", "https://example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://example.com.evil.org", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "https://a.example.com@evil.org", false),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1", false),
            ("http://127.0.0.1", "http://127.0.0.1:80", true),
            ("http://[::1]:8080", "http://[::1]:8080", true),
            ("http://[::1]", "http://[::1]", true),
            ("http://*:8080", "http://anything:8080", true),
            ("postgres://db.example.com", "postgres://db.example.com", true),
            ("postgres://db.example.com", "postgres://db.example.com:5432", true),
            ("postgres://db.example.com", "postgres://db.example.com:5433", false),
            ("https://db.example.com:5432", "postgres://db.example.com", false),
            ("http://example.com:*", "http://example.com:1", true),
            ("*://example.com:*", "https://example.com", true),
            ("*://*:*", "http://anything:1", true),
        ] {
            assert_eq!(allows(entry, uri), allowed, "{entry} {uri}");
        }
    }

    #[test]
    fn a_wrong_entry_is_an_error() {
        for entry in [
            "*",
            "example.com",
            "https://",
            "postgres://",
            "https://example.com/path",
            "https://a.*.com",
            "https://*.*.com",
            "https://example.com:http",
            "https://self",
            "*://example.com",
            "redis://example.com",
            "://example.com:1",
        ] {
            let error = AllowedHosts::parse(&[entry.to_owned()]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{entry}` in allowed_outbound_hosts")), "{error}");
        }
    }

    #[test]
    fn nothing_is_allowed_without_entries() {
        assert!(!AllowedHosts::parse(&[]).unwrap().allow(&Uri::from_static("http://example.com")));
    }
}

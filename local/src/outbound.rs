//! Outbound HTTP: `allowed_outbound_hosts` is enforced as Spin does, then the request is sent as wasmtime does.
//!
//! An entry is `scheme://host[:port]`; `*` stands for any scheme, any host or any port, `*.` before a host for its
//! subdomains. An entry without a port means the scheme's own. An entry that is empty or wrong is an error: in Spin,
//! at the first outbound request, and then every one fails; here already at the start.
//!
//! A [`StandIns`] sends what is for one origin to another. Spin knows nothing of the kind: it is for tests and the
//! demonstration, where nothing may reach the real one. What is allowed is decided by the real name, before that.
//!
//! Not supported: port ranges, networks in CIDR notation, `self` and service chaining (`*.spin.internal`), sockets,
//! blocked networks, client certificates, connection pooling, HTTP/2.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::logs::Logs;

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
            format!("`{entry}` in allowed_outbound_hosts is wrong, expected `scheme://host` or `scheme://host:port`")
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
                None => bail!("`{entry}` in allowed_outbound_hosts needs a port: `{scheme}` has none of its own"),
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

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Which origins are played by others on this machine.
#[derive(Debug)]
pub(crate) struct StandIns(Vec<(Origin, Authority)>);

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
    pub(crate) fn parse(entries: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let parse = |(origin, stand_in): (&String, &String)| {
            let stand_in_uri = origin_uri(stand_in).filter(|uri| uri.scheme() == Some(&Scheme::HTTP));
            let authority = stand_in_uri.and_then(|uri| uri.authority().cloned());
            let authority = authority.with_context(|| {
                format!("`{stand_in}` cannot stand in, expected `http://host` or `http://host:port`")
            })?;
            let origin = origin_uri(origin).and_then(|uri| Origin::of(&uri)).with_context(|| {
                format!("`{origin}` cannot be stood in for, expected `scheme://host` or `scheme://host:port`")
            })?;
            Ok((origin, authority))
        };
        entries.iter().map(parse).collect::<anyhow::Result<_>>().map(Self)
    }

    /// The same request's URI at the stand-in, if there is one.
    fn divert(&self, uri: &Uri) -> Option<Uri> {
        let origin = Origin::of(uri)?;
        let (_, authority) = self.0.iter().find(|(known, _)| *known == origin)?;
        let mut parts = uri.clone().into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(authority.clone());
        Uri::from_parts(parts).ok()
    }
}

/// A URI that is an origin and nothing more.
fn origin_uri(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_origin = uri.path() == "/" && uri.query().is_none() && !text.ends_with('/') && !text.contains('@');
    Some(uri).filter(|_| is_origin)
}

/// What every outbound request of a component passes through.
pub(crate) struct Gate {
    pub(crate) allowed: Arc<AllowedHosts>,
    pub(crate) stand_ins: Arc<StandIns>,
    pub(crate) logs: Logs,
}

/// What wasmtime's hook returns: the response, and the connection's own future.
type Sending = Box<
    dyn Future<Output = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>>
        + Send,
>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Sending {
        if !self.allowed.allow(request.uri()) {
            let uri = request.uri();
            self.logs.line(&format!(
                "refused an outbound request: `{}://{}` is not in allowed_outbound_hosts of spin.toml",
                uri.scheme_str().unwrap_or("https"),
                uri.authority().map_or("", |authority| authority.as_str()),
            ));
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        // The `Host` header is there already, and goes on naming whom the component means.
        if let Some(uri) = self.stand_ins.divert(request.uri()) {
            *request.uri_mut() = uri;
        }
        Box::new(async move {
            let (response, connection) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(connection) as Box<_>))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;
    use crate::later::LaterChannel;

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
            ("http://example.com:*", "http://example.com:1", true),
            ("*://example.com:*", "https://example.com", true),
            ("*://*:*", "http://anything:1", true),
        ] {
            assert_eq!(allows(entry, uri), allowed, "{entry} {uri}");
        }
    }

    #[test]
    fn a_wrong_entry_is_an_error_and_an_empty_one_too() {
        for entry in [
            "",
            "*",
            "example.com",
            "https://",
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

    fn stand_ins(origin: &str, stand_in: &str) -> anyhow::Result<StandIns> {
        StandIns::parse(&BTreeMap::from([(origin.to_owned(), stand_in.to_owned())]))
    }

    #[test]
    fn a_stand_in_gets_what_is_for_its_origin_only() {
        for (origin, uri, expected) in [
            ("https://a.com", "https://a.com/b?c", Some("http://127.0.0.1:9/b?c")),
            ("https://a.com", "https://A.com:443/b", Some("http://127.0.0.1:9/b")),
            ("https://a.com:443", "https://a.com", Some("http://127.0.0.1:9/")),
            ("http://a.com:81", "http://a.com:81/", Some("http://127.0.0.1:9/")),
            ("https://a.com", "http://a.com/", None),
            ("https://a.com", "https://a.com:444/", None),
            ("https://a.com", "https://b.a.com/", None),
            ("https://a.com", "https://a.com@b.com/", None),
        ] {
            let diverted = stand_ins(origin, "http://127.0.0.1:9").unwrap().divert(&uri.parse().unwrap());
            assert_eq!(diverted.map(|uri| uri.to_string()).as_deref(), expected, "{origin} {uri}");
        }
        assert!(StandIns::parse(&BTreeMap::new()).unwrap().divert(&Uri::from_static("https://a.com")).is_none());
    }

    #[tokio::test]
    async fn what_is_allowed_under_its_real_name_goes_to_the_stand_in() {
        let later = LaterChannel::start().await.unwrap();
        for (allowed, status) in
            [("https://hooks.slack.com", Some(200)), (&later.stand_in().1, None), ("http://hooks.slack.com", None)]
        {
            let mut gate = Gate {
                allowed: Arc::new(AllowedHosts::parse(&[allowed.to_owned()]).unwrap()),
                stand_ins: Arc::new(StandIns::parse(&BTreeMap::from([later.stand_in()])).unwrap()),
                logs: Logs::captured(),
            };
            let body = Full::new(Bytes::from_static(b"{}")).map_err(|never: Infallible| match never {});
            let request = http::Request::post("https://hooks.slack.com/commands/1?a")
                .header("host", "hooks.slack.com")
                .body(body.boxed_unsync())
                .unwrap();
            let sent = Box::into_pin(gate.send_request(request, None, Box::new(async { Ok(()) }))).await;
            let answered = sent.ok().map(|(response, _)| response.status().as_u16());
            assert_eq!(answered, status, "{allowed}");
        }
        let [posted] = &later.posted()[..] else { panic!("expected one message") };
        assert_eq!(posted.path, "/commands/1?a");
        assert_eq!(posted.headers["host"], "hooks.slack.com");
    }

    #[test]
    fn a_wrong_stand_in_is_an_error() {
        for (origin, stand_in, message) in [
            ("a.com", "http://b.com", "`a.com` cannot be stood in for, expected"),
            ("https://a.com/", "http://b.com", "`https://a.com/` cannot be stood in for, expected"),
            ("https://a.com/path", "http://b.com", "`https://a.com/path` cannot be stood in for, expected"),
            ("https://u@a.com", "http://b.com", "`https://u@a.com` cannot be stood in for, expected"),
            ("", "http://b.com", "`` cannot be stood in for, expected"),
            ("https://a.com", "https://b.com", "`https://b.com` cannot stand in, expected"),
            ("https://a.com", "127.0.0.1:9", "`127.0.0.1:9` cannot stand in, expected"),
            ("https://a.com", "http://b.com?c", "`http://b.com?c` cannot stand in, expected"),
        ] {
            let error = stand_ins(origin, stand_in).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn nothing_is_allowed_without_entries() {
        assert!(!AllowedHosts::parse(&[]).unwrap().allow(&Uri::from_static("http://example.com")));
    }
}

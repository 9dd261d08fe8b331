//! Web addresses that offboard.toml may name: `https`, and `http` for loopback addresses only.

use std::net::IpAddr;

/// Reads `https://host[:port]`. Plain `http` is accepted for this machine only, because a token would travel unencrypted.
///
/// # Errors
///
/// If the text is no such address; the text says what to write instead, for the operator.
pub fn endpoint(text: &str) -> Result<String, &'static str> {
    const FIX: &str = "write `https://host[:port]` without a path (`http` only for a loopback address)";
    let uri: http::Uri = text.parse().map_err(|_| FIX)?;
    let authority = uri.authority().ok_or(FIX)?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !authority.as_str().contains('@');
    match uri.scheme_str() {
        Some("https") if is_bare => Ok(format!("https://{authority}")),
        Some("http") if is_bare && is_loopback(authority.as_str()) => Ok(format!("http://{authority}")),
        _ => Err(FIX),
    }
}

/// Whether a text is a URL that the gateway may fetch: `https`, or `http` of this machine.
pub fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
    uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_loopback(authority.as_str()))
}

/// Whether an authority is this machine.
pub fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else { return false };
    let host = authority.host().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn endpoints() {
        for (text, read) in [
            ("https://gaussdb.example.com", Some("https://gaussdb.example.com")),
            ("https://gaussdb.example.com:8443/", Some("https://gaussdb.example.com:8443")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://example.com", None),
            ("http://127.evil.example", None),
            ("https://user@example.com", None),
            ("https://example.com/v3", None),
            ("https://example.com?x", None),
            ("ftp://127.0.0.1", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(endpoint(text).ok().as_deref(), read, "{text}");
        }
    }
}

//! Web addresses: `https://host`, and `http` for loopback addresses only.

use std::net::IpAddr;

/// Reads `https://host[:port]`; plain `http` only to this machine, because a token would travel in the clear.
///
/// # Errors
///
/// What was expected, for the operator.
pub fn endpoint(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "expected `https://host[:port]` without a path (`http` for a loopback address only)";
    let uri: http::Uri = text.parse().map_err(|_| EXPECTED)?;
    let authority = uri.authority().ok_or(EXPECTED)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !authority.as_str().contains('@');
    let loopback = is_loopback(authority.as_str());
    match uri.scheme_str() {
        Some("https") if bare => Ok(format!("https://{authority}")),
        Some("http") if bare && loopback => Ok(format!("http://{authority}")),
        _ => Err(EXPECTED),
    }
}

/// Whether a text is a URL that may be fetched: `https`, or `http` of this machine.
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

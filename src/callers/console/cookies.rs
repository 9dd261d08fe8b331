//! Cookies (RFC 6265): reading one of a request, writing one.
//!
//! The prefix `__Host-` binds a cookie to this host: a browser takes it only with `Secure`, `Path=/` and no `Domain`, so that no
//! neighbour below the same domain can set it. `SameSite` is `Lax`, not `Strict`: coming back from the provider, and from a link in
//! a chat message, is a request from another site, and would be one of a stranger. Nothing is changed by GET, and forms are held to
//! `guard`.

use http::HeaderMap;
use http::header::COOKIE;

use crate::callers::proof::ProofError;

const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The longest name and value that every browser keeps, in bytes (RFC 6265, section 6.1).
pub const LONGEST: usize = 4096;

/// Returns the value of a cookie; `None` if the request has no such cookie.
///
/// # Errors
///
/// [`ProofError::Doubled`] if it appears twice: one of the two is not ours.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ProofError> {
    // HTTP/2 allows a header line for each cookie (RFC 9113, section 8.2.3).
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let mut values = cookies.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let first = values.next();
    if values.next().is_some() {
        return Err(ProofError::Doubled { header: "cookie".into() });
    }
    Ok(first)
}

/// Returns the `Set-Cookie` that sets a cookie: until the browser is closed, or for at most `seconds`.
pub fn set(name: &str, value: &str, seconds: Option<u32>) -> String {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    format!("{name}={value}; {ATTRIBUTES}{age}")
}

/// Returns the `Set-Cookie` that deletes a cookie.
pub fn delete(name: &str) -> String {
    set(name, "", Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let doubled = Err(ProofError::Doubled { header: "cookie".into() });
        for (lines, expected) in [
            (&["__Host-a=1"][..], Ok(Some("1"))),
            (&["b=2; __Host-a=1=; c"], Ok(Some("1="))),
            (&["b=2", "__Host-a=1"], Ok(Some("1"))),
            (&["__Host-a="], Ok(Some(""))),
            (&["__host-a=1; x__Host-a=1; __Host-ab=1"], Ok(None)),
            (&[], Ok(None)),
            (&["__Host-a=1; __Host-a=2"], doubled.clone()),
            (&["__Host-a=1", "__Host-a=1"], doubled),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            assert_eq!(cookie(&headers, "__Host-a"), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_cookie_is_for_this_host_only() {
        assert_eq!(set("__Host-a", "v", Some(600)), "__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
        assert_eq!(set("__Host-a", "v", None), "__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(delete("__Host-a"), "__Host-a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}

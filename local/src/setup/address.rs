//! The gateway's address on the internet, which platforms send to.

use std::fmt;
use std::str::FromStr;

use starrocks_offboard::config::endpoint::endpoint;

/// An origin, `https://host[:port]`. It has only characters that mean nothing in a shell, in JSON and in TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl FromStr for Address {
    type Err = String;

    /// Reads an origin; a slash at its end is left out.
    ///
    /// # Errors
    ///
    /// If the scheme is not `https`, or there is more than an origin; the message says what to write.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not the address of a gateway; write `https://HOST` or `https://HOST:PORT`");
        let origin = endpoint(text).map_err(|_| wrong())?;
        let is_plain =
            |authority: &str| authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte));
        // Parsing leaves out a fragment. Plain `http` of this machine is an endpoint, and nothing that a platform reaches.
        if origin.strip_prefix("https://").is_some_and(is_plain) && !text.contains('#') {
            Ok(Self(origin))
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin() {
        for (text, expected) in [
            ("https://offboard.example.com", Some("https://offboard.example.com")),
            ("https://offboard.example.com/", Some("https://offboard.example.com")),
            ("https://offboard.example.com:8443", Some("https://offboard.example.com:8443")),
            ("https://[2001:db8::1]:8443", Some("https://[2001:db8::1]:8443")),
            ("http://offboard.example.com", None),
            ("http://127.0.0.1:3000", None),
            ("offboard.example.com", None),
            ("https://offboard.example.com/hooks", None),
            ("https://offboard.example.com?a=b", None),
            ("https://offboard.example.com#a", None),
            ("https://user@offboard.example.com", None),
            ("https://$(id).example.com", None),
            ("https://", None),
            ("", None),
        ] {
            let read = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        assert_eq!(
            "ftp://a".parse::<Address>(),
            Err("`ftp://a` is not the address of a gateway; write `https://HOST` or `https://HOST:PORT`".to_owned())
        );
    }
}

//! What an OpenID Provider says of itself (OpenID Connect Discovery 1.0, section 4; RFC 8414). Fetching it is not done here.

use serde_json::Value;

use crate::config::endpoint::is_web_address;
use crate::crypto::unique_json;

/// The largest document that is read, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// How the gateway proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientProof {
    /// `client_secret_basic`: in `Authorization`.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its `iss`.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where a code becomes an ID token.
    pub token_endpoint: String,
    /// Its public keys.
    pub jwks_url: String,
    /// Where people sign out, if it has that.
    pub end_session_endpoint: Option<String>,
    /// How the gateway proves itself at the token endpoint.
    pub client_proof: ClientProof,
    /// Whether it names itself in each answer to the callback (RFC 9207).
    pub names_itself: bool,
}

/// Why a document cannot be used. The text is for the log.
pub type Unusable = String;

impl Provider {
    /// Returns where the document of an issuer is.
    pub fn address(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads the document of `issuer`.
    ///
    /// # Errors
    ///
    /// If it is not one, is another issuer's, or offers nothing that the gateway can use.
    pub fn parse(document: &[u8], issuer: &str) -> Result<Self, Unusable> {
        let Ok(Value::Object(document)) = unique_json::parse(document) else {
            return Err("its configuration is not a JSON object, or has a key twice".into());
        };
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        if text("issuer") != Some(issuer) {
            return Err(format!("its configuration names another issuer; set `issuer` to {:?}", text("issuer")));
        }
        let address = |name: &str| match text(name) {
            Some(url) if is_web_address(url) => Ok(url.to_owned()),
            _ => Err(format!("its configuration has no usable `{name}`")),
        };
        let lists = |name: &str| {
            let list = document.get(name).and_then(Value::as_array)?;
            Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>())
        };
        // Left out by providers that have it.
        if lists("code_challenge_methods_supported").is_some_and(|methods| !methods.contains(&"S256")) {
            return Err("it has no PKCE with S256".into());
        }
        let client_proof = match lists("token_endpoint_auth_methods_supported") {
            // The default (Discovery, section 3).
            None => ClientProof::Basic,
            Some(methods) if methods.contains(&"client_secret_basic") => ClientProof::Basic,
            Some(methods) if methods.contains(&"client_secret_post") => ClientProof::Post,
            Some(_) => return Err("its token endpoint takes neither client_secret_basic nor client_secret_post".into()),
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: address("authorization_endpoint")?,
            token_endpoint: address("token_endpoint")?,
            jwks_url: address("jwks_uri")?,
            end_session_endpoint: address("end_session_endpoint").ok(),
            client_proof,
            names_itself: document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        })
    }
}

/// Returns the origin of a URL; `None` if it is none.
pub fn origin(url: &str) -> Option<String> {
    let url: http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example.com/realms/staff";

    fn document(changes: Value) -> Result<Provider, Unusable> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.com/auth",
            "token_endpoint": "https://id.example.com/token",
            "jwks_uri": "https://keys.example.com/jwks",
            "end_session_endpoint": "https://id.example.com/end",
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Provider::parse(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn the_document_of_an_issuer() {
        let provider = document(json!({})).unwrap();
        assert_eq!(
            provider,
            Provider {
                issuer: ISSUER.into(),
                authorization_endpoint: "https://id.example.com/auth".into(),
                token_endpoint: "https://id.example.com/token".into(),
                jwks_url: "https://keys.example.com/jwks".into(),
                end_session_endpoint: Some("https://id.example.com/end".into()),
                client_proof: ClientProof::Basic,
                names_itself: false,
            }
        );
        let of = |changes| document(changes).unwrap();
        assert!(of(json!({"authorization_response_iss_parameter_supported": true})).names_itself);
        assert_eq!(of(json!({"end_session_endpoint": null})).end_session_endpoint, None);
        assert_eq!(of(json!({"end_session_endpoint": "javascript:1"})).end_session_endpoint, None);
        for (methods, expected) in [
            (json!(["client_secret_post", "client_secret_basic"]), ClientProof::Basic),
            (json!(["private_key_jwt", "client_secret_post"]), ClientProof::Post),
        ] {
            assert_eq!(of(json!({"token_endpoint_auth_methods_supported": methods})).client_proof, expected);
        }
        assert_eq!(of(json!({"code_challenge_methods_supported": ["plain", "S256"]})), provider);
        for (issuer, address) in [
            (ISSUER, "https://id.example.com/realms/staff/.well-known/openid-configuration"),
            ("https://id.example.com/", "https://id.example.com/.well-known/openid-configuration"),
        ] {
            assert_eq!(Provider::address(issuer), address);
        }
    }

    #[test]
    fn a_document_that_cannot_be_used() {
        for (changes, why) in [
            (json!({"issuer": "https://id.example.com/realms/other"}), "names another issuer"),
            (json!({"issuer": format!("{ISSUER}/")}), "names another issuer"),
            (json!({"authorization_endpoint": "http://id.example.com/auth"}), "no usable `authorization_endpoint`"),
            (json!({"token_endpoint": 1}), "no usable `token_endpoint`"),
            (json!({"jwks_uri": "/jwks"}), "no usable `jwks_uri`"),
            (json!({"code_challenge_methods_supported": ["plain"]}), "no PKCE"),
            (json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}), "takes neither"),
        ] {
            let error = document(changes.clone()).unwrap_err();
            assert!(error.contains(why), "{changes}: {error}");
        }
        for text in ["", "[]", "{", r#"{"issuer": "a", "issuer": "a"}"#] {
            assert!(Provider::parse(text.as_bytes(), ISSUER).is_err(), "{text}");
        }
    }

    #[test]
    fn origins() {
        for (url, expected) in [
            ("https://id.example.com/auth?a=b", Some("https://id.example.com")),
            ("http://localhost:9400", Some("http://localhost:9400")),
            ("/auth", None),
            ("id.example.com", None),
        ] {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }
}

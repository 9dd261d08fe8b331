//! JSON Web Key Sets (RFC 7517): the public keys of token issuers.

use serde_json::Value;

use crate::crypto::jwt::{Object, TokenError};
use crate::crypto::public_key::{Algorithm, KeyError, PublicKey};
use crate::request::strict;

/// The largest set of keys, in bytes: room for the certificates that providers put beside them.
pub const LARGEST_SET: usize = 256 * 1024;

/// The most keys of a set.
pub(crate) const MOST_KEYS: usize = 100;

/// Where an issuer's key set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwksSource<'c> {
    /// `https://…`
    Url(&'c str),
    /// The name of a file beside offboard.toml.
    File(&'c str),
}

/// A provider's public keys: a JWK Set (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(pub(crate) Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    id: Option<String>,
    key: PublicKey,
}

impl KeySet {
    /// Reads a JWK Set. A key that is of another type, for another use or algorithm, or that cannot be used is passed over,
    /// as RFC 7517 section 5 asks, so that a provider may add what is not known here.
    ///
    /// # Errors
    ///
    /// In words: it is not a JWK Set, no key is left, a private key is in it, or one name stands for two keys.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        if json.len() > LARGEST_SET {
            return Err(format!("the key set is larger than {LARGEST_SET} bytes"));
        }
        let set: Object = strict::json(json).map_err(|_| "the key set is not a JSON object, or has a key twice")?;
        let Some(Value::Array(entries)) = set.get("keys") else { return Err("the key set has no list `keys`".into()) };
        if entries.len() > MOST_KEYS {
            return Err(format!("the key set has more than {MOST_KEYS} keys"));
        }
        let mut keys: Vec<Key> = Vec::new();
        let mut why = None;
        for (place, entry) in entries.iter().enumerate() {
            let key = match entry.as_object().ok_or(KeyError::Unsupported).and_then(usable) {
                Ok(key) => key,
                Err(KeyError::Private) => return Err(format!("key {place} of the key set: {}", KeyError::Private)),
                Err(error) => {
                    why = why.or(Some((place, error)));
                    continue;
                }
            };
            let same_name = keys.iter().find(|known| known.id.is_some() && known.is_called_like(&key));
            match same_name {
                Some(known) if *known == key => {}
                Some(_) => return Err(format!("key {place} of the key set has the `kid` of another key")),
                None => keys.push(key),
            }
        }
        match (keys.is_empty(), why) {
            (false, _) => Ok(Self(keys)),
            (true, Some((place, error))) => {
                Err(format!("the key set has no key that can be used; key {place}, for one: {error}"))
            }
            (true, None) => Err("the key set is empty".into()),
        }
    }

    /// The key that a token's header asks for.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&PublicKey, TokenError> {
        let mut of_this_name = self.0.iter().filter(|known| id.is_none() || known.id.as_deref() == id).peekable();
        if of_this_name.peek().is_none() {
            return Err(TokenError::UnknownKey);
        }
        let mut fitting = of_this_name.filter(|known| known.key.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(found), None) => Ok(&found.key),
            (Some(_), Some(_)) => Err(TokenError::UnknownKey),
            (None, _) if id.is_none() => Err(TokenError::UnknownKey),
            (None, _) => Err(TokenError::Algorithm),
        }
    }
}

impl Key {
    fn is_called_like(&self, other: &Self) -> bool {
        self.id == other.id && self.key.algorithm() == other.key.algorithm()
    }
}

/// The key of a set's entry, if it is there to verify signatures of an algorithm that is taken.
pub(crate) fn usable(jwk: &Object) -> Result<Key, KeyError> {
    let key = PublicKey::from_jwk(jwk)?;
    let is_for_us = jwk.get("use").is_none_or(|value| value == "sig")
        && jwk.get("key_ops").is_none_or(|list| list.as_array().is_some_and(|list| list.contains(&"verify".into())))
        && jwk.get("alg").is_none_or(|name| name.as_str().and_then(named) == Some(key.algorithm()));
    if !is_for_us {
        return Err(KeyError::Unsupported);
    }
    let id = match jwk.get("kid") {
        None => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(KeyError::Member("kid")),
    };
    Ok(Key { id, key })
}

/// What JOSE calls an algorithm.
pub(crate) fn names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::Ed25519 => &["EdDSA", "Ed25519"],
        Algorithm::EcdsaP256 => &["ES256"],
        Algorithm::Rsa => &["RS256"],
    }
}

pub(crate) fn named(name: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| names(*algorithm).contains(&name))
}

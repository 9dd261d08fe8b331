//! JSON Web Key Sets (RFC 7517): the public keys of token issuers. Fetching them is not done here.

use serde_json::{Map, Value};

use crate::crypto::public_key::{Algorithm, KeyError, PublicKey};
use crate::crypto::unique_json;

/// The largest key set that is read, in bytes: room for the certificates that providers put beside the keys.
pub const LARGEST_SET: usize = 256 * 1024;

/// The largest number of keys in a set.
const MOST_KEYS: usize = 100;

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
pub struct KeySet(Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    key: PublicKey,
}

/// Why a set has no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyMissing {
    /// The set has no key of this id, and none of the algorithm without an id.
    Unknown,
    /// The set has a key of this id, and it is of another algorithm.
    OtherAlgorithm,
}

impl KeySet {
    /// Reads a JWK Set. A key of another type, for another use or algorithm, or with malformed members is passed over, as RFC
    /// 7517 section 5 asks, so that a provider may add kinds of keys that this module does not know.
    ///
    /// # Errors
    ///
    /// If the text is not a JWK Set, no usable key is left, a private key is in it, or two keys have one `kid`; the text says
    /// which.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        if json.len() > LARGEST_SET {
            return Err(format!("the key set is larger than {LARGEST_SET} bytes"));
        }
        let Ok(Value::Object(set)) = unique_json::parse(json) else {
            return Err("the key set is not a JSON object, or has a key twice".into());
        };
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

    /// Finds the keys that a token may be signed with: the one that its header names; without a name, all of the algorithm; with a
    /// name that no key has, those of the algorithm that have none. Never more than [`MOST_TRIED`].
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Tried<'_>, KeyMissing> {
        let is_named = id.is_some() && self.0.iter().any(|known| known.id.as_deref() == id);
        let is_candidate = |known: &&Key| match id {
            None => true,
            Some(_) if is_named => known.id.as_deref() == id,
            Some(_) => known.id.is_none(),
        };
        let keys = self.0.iter().filter(is_candidate).filter(|known| known.key.algorithm() == algorithm);
        let keys: Vec<_> = keys.map(|known| &known.key).take(MOST_TRIED).collect();
        match (keys.is_empty(), is_named) {
            (false, _) => Ok(Tried { keys, is_named }),
            (true, true) => Err(KeyMissing::OtherAlgorithm),
            (true, false) => Err(KeyMissing::Unknown),
        }
    }
}

/// The keys that a token may be signed with.
#[derive(Debug)]
pub(super) struct Tried<'k> {
    pub(super) keys: Vec<&'k PublicKey>,
    /// Whether the token names its key.
    pub(super) is_named: bool,
}

/// The most keys that are tried for a token that names none of them. A signature costs time, and the sender is not proved.
const MOST_TRIED: usize = 8;

impl Key {
    fn is_called_like(&self, other: &Self) -> bool {
        self.id == other.id && self.key.algorithm() == other.key.algorithm()
    }
}

/// Reads one entry of a set, if it is for verifying signatures of a supported algorithm.
fn usable(jwk: &Map<String, Value>) -> Result<Key, KeyError> {
    let key = PublicKey::from_jwk(jwk)?;
    let is_for_us = jwk.get("use").is_none_or(|value| value == "sig")
        && jwk.get("key_ops").is_none_or(|list| list.as_array().is_some_and(|list| list.contains(&"verify".into())))
        && jwk.get("alg").is_none_or(|name| name.as_str().and_then(named) == Some(key.algorithm()));
    if !is_for_us {
        return Err(KeyError::Unsupported);
    }
    let id = match jwk.get("kid") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(KeyError::Member("kid")),
    };
    Ok(Key { id, key })
}

/// JOSE's names of an algorithm.
fn names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::Ed25519 => &["EdDSA", "Ed25519"],
        Algorithm::EcdsaP256 => &["ES256"],
        Algorithm::Rsa => &["RS256"],
    }
}

/// Returns the algorithm that JOSE calls `name`.
pub(super) fn named(name: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| names(*algorithm).contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_sets() {
        let set: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/callers/api-token/jwks.json")).unwrap();
        let own = |place: usize, more: Value| {
            let mut key = set["keys"][place].clone();
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        let parse = |keys: Value| KeySet::parse(json!({"keys": keys}).to_string().as_bytes());
        let count = |keys: Value| parse(keys).map(|set| set.0.len());
        let ed = |more| own(0, more);
        assert_eq!(count(set["keys"].clone()), Ok(3));
        // Each of these is passed over, and the other key is used.
        for other in [
            json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}),
            json!({"kty": "new"}),
            json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({}),
            json!("key"),
            ed(json!({"use": "enc", "kid": "e"})),
            ed(json!({"key_ops": ["sign"], "kid": "e"})),
            ed(json!({"key_ops": "verify", "kid": "e"})),
            ed(json!({"alg": "RS256", "kid": "e"})),
            ed(json!({"alg": 1, "kid": "e"})),
            ed(json!({"kid": 1})),
            ed(json!({"x": "AA", "kid": "e"})),
            own(2, json!({"alg": "PS256"})),
            own(2, json!({"alg": "RSA-OAEP", "use": "enc"})),
            own(2, json!({"n": "AQAB"})),
            own(1, json!({"x": own(1, json!({}))["y"]})),
        ] {
            assert_eq!(count(json!([other.clone(), ed(json!({}))])), Ok(1), "{other}");
            assert!(count(json!([other.clone()])).unwrap_err().contains("no key that can be used"), "{other}");
        }
        // Two keys with one `kid`.
        let other = json!({"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert!(count(json!([ed(json!({})), ed(other.clone())])).unwrap_err().contains("`kid` of another key"));
        assert_eq!(count(json!([ed(json!({})), ed(json!({}))])), Ok(1));
        assert_eq!(count(json!([ed(json!({"kid": "a"})), own(1, json!({"kid": "a"}))])), Ok(2));
        assert_eq!(
            parse(json!([ed(json!({"d": "AA"}))])).unwrap_err(),
            "key 0 of the key set: it has a private half, `d`, which belongs to its owner alone"
        );
        for keys in [json!([]), json!({}), json!(null), json!("x"), json!(vec![ed(json!({})); 101])] {
            assert!(parse(keys.clone()).is_err(), "{keys}");
        }
        for text in ["", "[]", "{}", r#"{"keys":[],"keys":[]}"#, "{\"keys\":", "null"] {
            assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(KeySet::parse(&vec![b' '; LARGEST_SET + 1]).unwrap_err().contains("larger"));
    }
}

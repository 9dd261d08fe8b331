//! The key that signs ID tokens, and the tokens.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The algorithm of all tokens.
pub const ALGORITHM: &str = "ES256";

/// A key on P-256, with the ID that tokens name it by.
pub struct TokenKey {
    key: SigningKey,
    id: String,
}

impl TokenKey {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// If the operating system gives no random bytes.
    pub fn generate() -> anyhow::Result<Self> {
        loop {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).context("cannot get random bytes")?;
            // One value in 2^32 is not below the order of the curve.
            if let Ok(key) = SigningKey::from_slice(&bytes) {
                let point = key.verifying_key().to_sec1_point(false);
                let id = hex::encode(&Sha256::digest(point.as_bytes())[..8]);
                return Ok(Self { key, id });
            }
        }
    }

    /// Returns the key set to publish: the public half, as a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn key_set(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        // Uncompressed: 4, then both coordinates.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": ALGORITHM, "kid": self.id, "x": x, "y": y}]})
    }

    /// Returns these claims as a signed token (RFC 7515, compact).
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": ALGORITHM, "kid": self.id, "typ": "JWT"});
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Returns the claims of a token that this key has signed, expired ones included; `None` for every other text.
    #[must_use]
    pub fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        VerifyingKey::from(&self.key).verify(signed.as_bytes(), &signature).ok()?;
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

//! Encryption of secrets at rest: tokens, and the URLs at which platforms take follow-ups. A stolen database must not reveal
//! them.
//!
//! AES-256-GCM under a key that is derived from a credential (HKDF-SHA256, RFC 5869). Opening a sealed text takes the
//! credential, and a holder of the credential could obtain the text without the database.
//!
//! The seal is as strong as the credential: a guessable password can be guessed offline here, as it can be guessed against IAM.
//! The context of a text (its owner, its time of issue and expiry) is authenticated with it, so that one row cannot be passed
//! off as another.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::secret::Secret;

const NONCE: usize = 12;

/// Seals and opens the texts of one credential.
///
/// Has no `Debug`, because it holds a key.
pub(crate) struct Seal(Aes256Gcm);

impl Seal {
    /// Derives the key from the secret half of the credential `id`.
    pub(crate) fn new(secret: &Secret, id: &str) -> Option<Self> {
        let mut key = [0; 32];
        let derive = Hkdf::<Sha256>::new(Some(b"starrocks-offboard"), secret.expose().as_bytes());
        derive.expand_multi_info(&[b"token/1/", id.as_bytes()], &mut key).ok()?;
        Some(Self(Aes256Gcm::new(&Key::<Aes256Gcm>::from(key))))
    }

    /// Returns the base64 of nonce and ciphertext. 96 bits of `random` become the nonce, so it must not have been used with this
    /// credential before.
    pub(crate) fn seal(&self, text: &Secret, about: &str, random: u128) -> Option<String> {
        let random = random.to_be_bytes();
        let nonce: [u8; NONCE] = random.first_chunk().copied()?;
        let payload = Payload { msg: text.expose().as_bytes(), aad: about.as_bytes() };
        let ciphertext = self.0.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some(STANDARD.encode([&nonce[..], &ciphertext].concat()))
    }

    /// Returns the sealed text; `None` if it was sealed with another credential or another context, or is damaged.
    pub(crate) fn open(&self, sealed: &str, about: &str) -> Option<Secret> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: ciphertext, aad: about.as_bytes() };
        let text = self.0.decrypt(&Nonce::from(*nonce), payload).ok()?;
        Secret::new(String::from_utf8(text).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_credential_about_the_same_only() {
        let seal = Seal::new(&secret("hunter2"), "id").unwrap();
        let sealed = seal.seal(&secret("the token"), "id 1 2", 7 << 32).unwrap();
        assert_eq!(seal.open(&sealed, "id 1 2").unwrap().expose(), "the token");
        assert!(!sealed.contains("token"));
        assert_ne!(sealed, seal.seal(&secret("the token"), "id 1 2", 8 << 32).unwrap());

        assert!(seal.open(&sealed, "id 1 3").is_none());
        assert!(Seal::new(&secret("hunter3"), "id").unwrap().open(&sealed, "id 1 2").is_none());
        assert!(Seal::new(&secret("hunter2"), "other").unwrap().open(&sealed, "id 1 2").is_none());
        let mut damaged = sealed.clone();
        let last = if damaged.ends_with("A=") { "B=" } else { "A=" };
        damaged.replace_range(damaged.len() - 2.., last);
        for text in [damaged.as_str(), "", "AAAA", "not base64"] {
            assert!(seal.open(text, "id 1 2").is_none(), "{text}");
        }
    }
}

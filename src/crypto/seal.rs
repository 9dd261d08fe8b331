//! What must not be read by whoever steals the database, at rest: tokens, and the URLs that platforms take later answers at.
//!
//! AES-256-GCM under a key that is derived from the credential itself (HKDF-SHA256, RFC 5869), so that a
//! stolen database holds nothing that whoever has it could not get with the credential anyway.
//!
//! A password that can be guessed can be guessed here too, as it can against IAM: the seal is as strong as the credential.
//! What it was sealed about (whose it is, from when until when) is authenticated with it, so that no row can be passed off as
//! another.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::secret::Secret;

const NONCE: usize = 12;

/// Seals and opens what belongs to one credential.
///
/// There is no `Debug`: it holds a key.
pub(crate) struct Seal(Aes256Gcm);

impl Seal {
    /// The seal of the credential whose secret half this is; `id` says which.
    pub(crate) fn new(secret: &Secret, id: &str) -> Option<Self> {
        let mut key = [0; 32];
        let derive = Hkdf::<Sha256>::new(Some(b"starrocks-offboard"), secret.expose().as_bytes());
        derive.expand_multi_info(&[b"token/1/", id.as_bytes()], &mut key).ok()?;
        Some(Self(Aes256Gcm::new(&Key::<Aes256Gcm>::from(key))))
    }

    /// Base64 of nonce and ciphertext. `random` must never have been used with this credential before: 96 bits of it are.
    pub(crate) fn seal(&self, text: &Secret, about: &str, random: u128) -> Option<String> {
        let random = random.to_be_bytes();
        let nonce: [u8; NONCE] = random.first_chunk().copied()?;
        let payload = Payload { msg: text.expose().as_bytes(), aad: about.as_bytes() };
        let ciphertext = self.0.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some(STANDARD.encode([&nonce[..], &ciphertext].concat()))
    }

    /// What was sealed; `None` when it was sealed with another credential or about something else, or is damaged.
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

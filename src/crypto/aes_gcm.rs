//! AES-128-GCM (NIST SP 800-38D) with an initialization vector of 16 bytes, as Huawei's platforms encrypt their messages: the
//! base64 of the vector, followed by the base64 of ciphertext and tag.
//!
//! A text that can be opened was sealed by a holder of the key. It may be a replay, so a caller kind also checks a time inside
//! the text.

use aes_gcm::aead::consts::U16;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::{AesGcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

type Cipher = AesGcm<Aes128, U16>;

/// The length of the base64 of the vector's 16 bytes.
const VECTOR: usize = 24;

/// Splits a text into vector and ciphertext; `None` if one of them is not base64.
pub(crate) fn split(text: &str) -> Option<([u8; 16], Vec<u8>)> {
    let (vector, sealed) = text.split_at_checked(VECTOR)?;
    Some((STANDARD.decode(vector).ok()?.try_into().ok()?, STANDARD.decode(sealed).ok()?))
}

/// Decrypts and authenticates; `None` if the key is another one or does not have 16 bytes.
pub(crate) fn open(key: &[u8], vector: [u8; 16], sealed: &[u8]) -> Option<Vec<u8>> {
    Cipher::new_from_slice(key).ok()?.decrypt(&Nonce::<U16>::from(vector), sealed).ok()
}

/// Encrypts a text. `random` must not have been used with this key before.
pub(crate) fn seal(key: &[u8], random: u128, plain: &[u8]) -> Option<String> {
    let vector = random.to_be_bytes();
    let sealed = Cipher::new_from_slice(key).ok()?.encrypt(&Nonce::<U16>::from(vector), plain).ok()?;
    Some(STANDARD.encode(vector) + &STANDARD.encode(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let sealed = seal(&[7; 16], 9, b"text").unwrap();
        let (vector, ciphertext) = split(&sealed).unwrap();
        assert_eq!(vector, 9_u128.to_be_bytes());
        assert_eq!(open(&[7; 16], vector, &ciphertext).as_deref(), Some(b"text".as_slice()));
        assert_eq!(open(&[8; 16], vector, &ciphertext), None);
        assert_eq!(open(&[7; 15], vector, &ciphertext), None);
        assert_eq!(open(&[7; 16], vector, &ciphertext[1..]), None);
        for text in ["", "AAAA", &sealed[1..], &sealed[..30], &format!("{sealed}=")] {
            assert!(split(text).is_none_or(|(vector, text)| open(&[7; 16], vector, &text).is_none()), "{text}");
        }
    }
}

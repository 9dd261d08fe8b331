//! Message authentication codes and shared secrets, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Whether `tag` is the HMAC-SHA256 of the concatenated parts under `key`, compared in constant time.
pub(crate) fn hmac_sha256_is(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}

/// Returns the HMAC-SHA256 of the concatenated parts under `key`, to be compared with many tags by [`is_same`].
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// Whether two tags are equal, in constant time.
pub(crate) fn is_same(given: &[u8; 32], right: &[u8; 32]) -> bool {
    given.ct_eq(right).into()
}

/// Whether the two are equal, in a time that depends on their lengths alone.
pub(crate) fn same_secret(given: &[u8], secret: &Secret) -> bool {
    given.ct_eq(secret.expose().as_bytes()).into()
}

/// Decodes 64 lowercase hexadecimal digits.
pub(crate) fn lower_hex_32(text: &str) -> Option<[u8; 32]> {
    lower_hex(text)
}

/// Decodes lowercase hexadecimal digits, two for each byte. Uppercase digits are refused, so that a tag has one spelling.
pub(crate) fn lower_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

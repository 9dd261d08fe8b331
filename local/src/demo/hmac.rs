//! HMAC-SHA256, as the demo callers sign.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns the HMAC-SHA256 of the concatenated parts.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

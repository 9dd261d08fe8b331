//! Keys as platforms show them and operators paste them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Decodes a key in base64, with or without its padding; `None` if it is none, or empty.
///
/// A signature has one spelling, so that it cannot be sent in another one. A key is the operator's, and there it does not matter.
pub(crate) fn base64_key(text: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_does_not_matter() {
        for (text, key) in [
            ("AAEC", Some(&[0, 1, 2][..])),
            ("AAECAw==", Some(&[0, 1, 2, 3])),
            ("AAECAw", Some(&[0, 1, 2, 3])),
            ("AAECAw=", None),
            ("AAECA", None),
            ("", None),
            ("=", None),
            ("AA EC", None),
            ("AA-_", None),
        ] {
            assert_eq!(base64_key(text).as_deref(), key, "{text}");
        }
    }
}

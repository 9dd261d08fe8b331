//! Ids: which delivery a request is, and the reference that people type.

use sha2::{Digest, Sha256};

use crate::config::callers::Caller;

/// What makes two requests the same request: a digest of what the sender signed, 64 hexadecimal digits.
///
/// It depends on nothing that a sender may leave out or that a proxy may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryId(String);

impl DeliveryId {
    /// The delivery of `caller` that the signed `parts` identify.
    pub fn new(caller: &Caller, parts: &[&[u8]]) -> Self {
        Self(digest(&[&[caller.name.as_bytes()], parts].concat()))
    }

    /// A delivery out of the ledger.
    pub fn recorded(digest: String) -> Self {
        Self(digest)
    }

    /// Returns the digest, for the ledger.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What people type to name a request that waits: eight of Crockford's 32 characters, 40 random bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    const CHARACTERS: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N',
        'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
    ];

    /// A new reference, of 40 of these bits.
    pub fn new(random: u128) -> Self {
        let place = |index: u32| usize::try_from(random.checked_shr(index.saturating_mul(5)).unwrap_or(0) & 31).ok();
        Self((0..8).filter_map(|index| Self::CHARACTERS.get(place(index)?)).collect())
    }

    /// Parses a reference as people write it: in any case, `O` for `0`, `I` and `L` for `1`; `None` for anything else.
    pub fn parse(given: &str) -> Option<Self> {
        let read = |character: char| match character.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            character => Self::CHARACTERS.contains(&character).then_some(character),
        };
        let text: Option<String> = given.chars().map(read).collect();
        text.filter(|text| text.len() == 8).map(Self)
    }

    /// Returns the characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the SHA-256 of the parts in hexadecimal. Each part counts with its length, so that no two lists of parts have the same
/// digest.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::error::RequestError;
    use crate::request::reason::Reason;

    #[test]
    fn deliveries_do_not_run_into_each_other() {
        let caller = |name: &str| Caller::new(name, "slack");
        let one = DeliveryId::new(&caller("a"), &[b"bc", b"d"]);
        assert_eq!(one, DeliveryId::new(&caller("a"), &[b"bc", b"d"]));
        for other in [
            DeliveryId::new(&caller("ab"), &[b"c", b"d"]),
            DeliveryId::new(&caller("a"), &[b"b", b"cd"]),
            DeliveryId::new(&caller("a"), &[b"bcd"]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn references_can_be_typed() {
        assert_eq!(Reference::new(0).as_str(), "00000000");
        assert_eq!(Reference::new(u128::MAX).as_str(), "ZZZZZZZZ");
        let reference = Reference::new(0x1234_5678_9abc);
        assert_eq!(Reference::parse(&reference.as_str().to_lowercase()), Some(reference));
        assert_eq!(Reference::parse("oIlO1010").unwrap().as_str(), "01101010");
        for given in ["", "0000000", "000000000", "0000000U", "0000 000", "００００００００"] {
            assert_eq!(Reference::parse(given), None, "{given}");
        }
    }

    #[test]
    fn reasons() {
        let read = |given: &str| Reason::parse(given).map(|reason| reason.map(|r| r.as_str().to_owned()));
        assert_eq!(read("  left in June "), Ok(Some("left in June".into())));
        assert_eq!(read("已离职"), Ok(Some("已离职".into())));
        assert_eq!(read(" "), Ok(None));
        assert_eq!(read("左\u{3000}❤\u{fe0f}"), Ok(Some("左\u{3000}❤\u{fe0f}".into())));
        assert!(matches!(read(&"x".repeat(501)), Err(RequestError::FieldInvalid { name: "reason", .. })));
        for character in ['\n', '\0', '\u{200b}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{2029}', '\u{feff}'] {
            let refused = RequestError::CharacterUnseen { name: "reason", character };
            assert_eq!(read(&format!("a{character}b")), Err(refused));
        }
    }
}

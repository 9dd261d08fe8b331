//! The stylesheet, and the name under which it is served: the name changes with the text, so that browsers may keep it.

/// The text.
pub const STYLESHEET: &str = include_str!("console.css");

/// The hash in its name.
const HASH: u64 = hash(STYLESHEET.as_bytes());

/// The path at which pages look for it.
pub fn path() -> String {
    format!("/console/{}", name())
}

/// The file name, such as `console.0123456789abcdef.css`.
pub fn name() -> String {
    format!("console.{HASH:016x}.css")
}

/// FNV-1a with 64 bits: it tells versions apart, proves nothing, and is made when the program is compiled.
const fn hash(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [byte, rest @ ..] = bytes {
        // The cast loses nothing; `u64::from` is not const.
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv() {
        // Of the authors' test vectors, http://www.isthe.com/chongo/src/fnv/test_fnv.c.
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
        assert!(path().starts_with("/console/console.") && path().ends_with(".css"));
    }

    #[test]
    fn the_stylesheet_is_small() {
        assert!(STYLESHEET.len() <= 12 * 1024, "{} bytes", STYLESHEET.len());
        for outside in ["url(", "@import", "http:", "https:"] {
            assert!(!STYLESHEET.contains(outside), "{outside}");
        }
    }
}

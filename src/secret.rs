//! Secrets as a type, so that none is logged or shown by accident.

use std::fmt;

/// A secret value. Its `Debug` is redacted, and it has no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret of a variable's value; `None` if the value is empty, because an empty key proves nothing.
    pub fn new(value: String) -> Option<Self> {
        (!value.is_empty()).then_some(Self(value))
    }

    /// Returns the secret without white space at its ends: files, `echo` and copying from a page add some, and no platform makes a
    /// secret that begins or ends with it. `None` if nothing is left.
    #[must_use]
    pub fn trimmed(&self) -> Option<Self> {
        Self::new(self.0.trim_matches(is_outside).to_owned())
    }

    /// Returns the secret without line breaks at its end, for passwords, which may end with a space. `None` if nothing is left.
    #[must_use]
    pub fn without_line_end(&self) -> Option<Self> {
        Self::new(self.0.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Returns the text, for the computation that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a character is none of a secret's: white space, or the byte order mark of a file.
fn is_outside(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        let secret = Secret::new("hunter2".into()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
        assert!(Secret::new(String::new()).is_none());
    }

    #[test]
    fn f20_white_space_at_the_ends_is_no_part_of_a_secret() {
        for (text, trimmed, line) in [
            ("a b", Some("a b"), Some("a b")),
            ("\u{feff} a b\t\r\n", Some("a b"), Some("\u{feff} a b\t")),
            ("a \n\n", Some("a"), Some("a ")),
            ("\n", None, None),
            (" \u{a0}", None, Some(" \u{a0}")),
        ] {
            let secret = Secret::new(text.into()).unwrap();
            assert_eq!(secret.trimmed().as_ref().map(Secret::expose), trimmed, "{text:?}");
            assert_eq!(secret.without_line_end().as_ref().map(Secret::expose), line, "{text:?}");
        }
    }
}

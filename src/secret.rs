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

    /// Returns the text, for the computation that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
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
}

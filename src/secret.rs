//! A value that must not be shown.

use std::fmt;

/// A value that may not be seen: its Debug is redacted and it has no Display.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret from a variable's value; `None` when it is empty, because an empty key proves nothing.
    pub fn new(value: String) -> Option<Self> {
        (!value.is_empty()).then_some(Self(value))
    }

    /// The bytes, for the one computation that needs them.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

//! The requester's reason.

use crate::outcome::language::Localized;
use crate::request::error::RequestError;

/// Why the requester asks, in their own words: 1 to 500 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Parses a reason without surrounding white space; `None` if nothing is left.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if it is longer, or has control characters.
    pub fn parse(given: &str) -> Result<Option<Self>, RequestError> {
        let given = given.trim();
        if given.chars().count() > 500 || given.chars().any(char::is_control) {
            let expected = Localized {
                en: "at most 500 characters without line breaks or other control characters",
                zh: "不超过500个字符，且不含换行等控制字符",
            };
            return Err(RequestError::invalid("reason", given, expected));
        }
        Ok((!given.is_empty()).then(|| Self(given.to_owned())))
    }

    /// Returns the words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

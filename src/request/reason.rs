//! The requester's reason.

use crate::outcome::language::Localized;
use crate::request::error::RequestError;

/// Why somebody asks, in their words: 1 to 500 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads a reason; surrounding white space goes, and nothing is left of an empty one.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`]
    pub fn parse(given: &str) -> Result<Option<Self>, RequestError> {
        let given = given.trim();
        if given.chars().count() > 500 || given.chars().any(char::is_control) {
            return Err(RequestError::FieldInvalid {
                name: "reason",
                given: given.to_owned(),
                expected: Localized {
                    en: "at most 500 characters without line breaks or other control characters",
                    zh: "不超过 500 个字符，且不含换行等控制字符",
                },
            });
        }
        Ok((!given.is_empty()).then(|| Self(given.to_owned())))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

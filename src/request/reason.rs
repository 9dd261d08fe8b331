//! The requester's reason.

use crate::outcome::language::Localized;
use crate::outcome::unseen::first_unseen;
use crate::request::error::RequestError;

/// Why the requester asks, in their own words: 1 to 500 characters that can be seen. Line breaks, characters that turn the direction
/// of text and others that show nothing could make an approver read another reason than was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Parses a reason without surrounding white space; `None` if nothing is left.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if it is longer, [`RequestError::CharacterUnseen`] if it has a character that cannot be seen.
    pub fn parse(given: &str) -> Result<Option<Self>, RequestError> {
        let given = given.trim();
        if given.chars().count() > 500 {
            let expected = Localized { en: "at most 500 characters", zh: "不超过500个字符" };
            return Err(RequestError::invalid("reason", given, expected));
        }
        if let Some(character) = first_unseen(given) {
            return Err(RequestError::CharacterUnseen { name: "reason", character });
        }
        Ok((!given.is_empty()).then(|| Self(given.to_owned())))
    }

    /// Returns the words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

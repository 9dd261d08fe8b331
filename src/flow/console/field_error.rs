//! What is wrong with a field, as a form says it.

use crate::console::view::FieldError;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::request::error::RequestError;

/// Returns what is wrong with the field that an error names; of other errors, with none.
pub(super) fn field_error(error: RequestError, language: Language) -> FieldError {
    let field = match &error {
        RequestError::FieldInvalid { name, .. } | RequestError::FieldMissing { name } => *name,
        _ => "",
    };
    error_of(field, error, language)
}

/// Returns what is wrong with this field.
pub(super) fn error_of(field: &str, error: RequestError, language: Language) -> FieldError {
    FieldError { field: field.to_owned(), message: Outcome::from(error).message(language) }
}

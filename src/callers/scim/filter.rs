//! Filters of searches: `userName eq "…"`, and the same on `externalId` and `id`.

use crate::outcome::language::Localized;
use crate::request::attribute_path::plain_name;
use crate::request::error::RequestError;
use crate::request::scim::Filter;

/// Parses a filter.
///
/// # Errors
///
/// [`RequestError::FieldInvalid`] if the filter has another form.
pub(super) fn parse(text: &str) -> Result<Filter, RequestError> {
    let expected = Localized {
        en: "`userName eq \"…\"`, or the same with `externalId` or `id`",
        zh: " `userName eq \"…\"`，或对 `externalId`、`id` 的同类条件",
    };
    let invalid = || RequestError::invalid("filter", text, expected);
    let (attribute, rest) = text.trim().split_once(' ').ok_or_else(invalid)?;
    let (operator, value) = rest.trim_start().split_once(' ').ok_or_else(invalid)?;
    let value: String = serde_json::from_str(value.trim()).map_err(|_| invalid())?;
    if !operator.eq_ignore_ascii_case("eq") {
        return Err(invalid());
    }
    match plain_name(attribute).to_ascii_lowercase().as_str() {
        "username" => Ok(Filter::UserName(value)),
        "externalid" => Ok(Filter::ExternalId(value)),
        "id" => Ok(Filter::Id(value)),
        _ => Err(invalid()),
    }
}

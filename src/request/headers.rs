//! Reads headers that may appear once.

use http::HeaderMap;

/// Why a header has no value that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderError {
    /// It is missing or empty.
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// It is not visible ASCII.
    Malformed {
        /// Its name.
        header: &'static str,
    },
    /// It appears twice.
    Doubled {
        /// Its name.
        header: &'static str,
    },
}

/// Returns the header's value, or `None` if the header is missing or empty.
///
/// # Errors
///
/// [`HeaderError::Doubled`] if it appears twice, [`HeaderError::Malformed`] if it is not visible ASCII.
pub fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderError::Doubled { header: name });
    }
    let text = value.to_str().map_err(|_| HeaderError::Malformed { header: name })?;
    Ok((!text.is_empty()).then_some(text))
}

/// Returns the value of a header that must be there.
///
/// # Errors
///
/// [`HeaderError::Missing`] if it is missing or empty, and the errors of [`header`].
pub fn required_header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, HeaderError> {
    header(headers, name)?.ok_or(HeaderError::Missing { header: name })
}

//! Which of the requests that wait to list: `GET /approvals`, and `pending` in a chat.

use crate::request::error::RequestError;
use crate::request::ids::Reference;
use crate::request::removal_query::{CURSOR, LIMIT, USUAL, cursor, limit, read};
use crate::request::strict::Fields;

/// The parameters.
pub const PARAMETERS: [&str; 2] = ["limit", "cursor"];

/// Which of the requests that wait to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// How many at most. A chat message has fewer.
    pub limit: u16,
    /// Older than this one.
    pub after: Option<After>,
}

/// Where a page begins: behind this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// The one whose row has this id: `next` of the previous page.
    Id(String),
    /// The one with this reference, which people type.
    Reference(Reference),
}

impl Default for PendingQuery {
    fn default() -> Self {
        Self { limit: USUAL, after: None }
    }
}

impl PendingQuery {
    /// Parses a query.
    ///
    /// # Errors
    ///
    /// [`RequestError::ParameterUnknown`] if a parameter has another name, [`RequestError::FieldInvalid`] if its value is not valid.
    pub fn parse(query: &Fields) -> Result<Self, RequestError> {
        if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
            return Err(RequestError::ParameterUnknown { name: name.to_owned(), known: &PARAMETERS });
        }
        Ok(Self {
            limit: read(query, "limit", LIMIT, limit)?.unwrap_or(USUAL),
            after: read(query, "cursor", CURSOR, cursor)?.map(After::Id),
        })
    }

    /// Reads the cursor of a sender that has nothing else to say where a page begins.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if it is not `next` of a previous page.
    pub fn after(name: &'static str, given: Option<&str>) -> Result<Self, RequestError> {
        let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(Self::default()) };
        let id = cursor(given).ok_or_else(|| RequestError::invalid(name, given, CURSOR))?;
        Ok(Self { after: Some(After::Id(id)), ..Self::default() })
    }

    /// The page behind a request that a person names, by its reference or the id of its row; `None` if it is neither.
    pub fn behind(given: &str) -> Option<Self> {
        let after = Reference::parse(given).map(After::Reference).or_else(|| cursor(given).map(After::Id))?;
        Some(Self { after: Some(after), ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<PendingQuery, RequestError> {
        PendingQuery::parse(&Fields::from_query(query).unwrap())
    }

    #[test]
    fn parameters() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(parse(""), Ok(PendingQuery::default()));
        assert_eq!(
            parse(&format!("limit=2&cursor={id}")),
            Ok(PendingQuery { limit: 2, after: Some(After::Id(id.into())) })
        );
        assert_eq!(
            parse("state=removed"),
            Err(RequestError::ParameterUnknown { name: "state".into(), known: &PARAMETERS })
        );
        for (query, name) in [("limit=0", "limit"), ("limit=501", "limit"), ("cursor=K7Q2M9XA", "cursor")] {
            assert!(matches!(parse(query), Err(RequestError::FieldInvalid { name: of, .. }) if of == name), "{query}");
        }
    }

    #[test]
    fn people_name_the_last_request_of_a_page() {
        let id = "0123456789abcdef0123456789abcdef";
        let behind = |given| PendingQuery::behind(given).and_then(|query| query.after);
        assert_eq!(behind("k7q2m9xa"), Reference::parse("K7Q2M9XA").map(After::Reference));
        assert_eq!(behind(id), Some(After::Id(id.into())));
        assert_eq!(behind("analytics"), None);
    }

    #[test]
    fn cursors_of_senders_without_a_query() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(PendingQuery::after("data.id", None), Ok(PendingQuery::default()));
        assert_eq!(PendingQuery::after("data.id", Some(id)).map(|query| query.after), Ok(Some(After::Id(id.into()))));
        assert!(matches!(
            PendingQuery::after("data.id", Some("K7Q2M9XA")),
            Err(RequestError::FieldInvalid { name: "data.id", .. })
        ));
    }
}

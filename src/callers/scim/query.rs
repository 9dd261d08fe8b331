//! What a list, a search or an answer is to have: the parameters of a query, or the body of `.search` (RFC 7644, section 3.4.3).

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::callers::scim::body::object;
use crate::outcome::language::Localized;
use crate::request::error::RequestError;
use crate::request::filter::{Filter, parse};
use crate::request::scim::{LARGEST_PAGE, Operation};
use crate::request::strict::percent_decode;

/// How many people a page has if the client does not say.
const USUAL_PAGE: usize = 100;

/// The parameters by their names in lowercase.
#[derive(Debug, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query. A plus is a space, as in forms, unless the spaces of the value are written as `%20`: then it was meant as a
    /// plus, as in the addresses of clients that do not encode it.
    ///
    /// # Errors
    ///
    /// [`RequestError::UrlMalformed`] if its encoding is malformed, [`RequestError::FieldDoubled`] if a parameter appears twice.
    pub(super) fn parse(query: &str) -> Result<Self, RequestError> {
        let mut read = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = if value.contains("%20") { value.to_owned() } else { value.replace('+', " ") };
            let decode = |text: &str| percent_decode(text).ok_or(RequestError::UrlMalformed);
            let (name, value) = (decode(name)?, decode(&value)?);
            if read.insert(name.to_ascii_lowercase(), value).is_some() {
                return Err(RequestError::FieldDoubled { name });
            }
        }
        Ok(Self(read))
    }

    /// Reads the body of a search.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the body is no JSON object, [`RequestError::BodyMalformed`] if a value is of another type than RFC 7644 has.
    /// A number in a text is one, as identity systems write it, and what a search does not have is passed over.
    pub(super) fn of_search(body: &[u8]) -> Result<Self, RequestError> {
        let mut read = BTreeMap::new();
        for (name, value) in object(body)? {
            let name = name.to_ascii_lowercase();
            let text = match (name.as_str(), value) {
                ("filter" | "startindex" | "count" | "attributes" | "excludedattributes", Value::Null) => continue,
                ("filter" | "startindex" | "count" | "attributes" | "excludedattributes", Value::String(text)) => text,
                ("startindex" | "count", Value::Number(number)) => digits(&number),
                ("attributes" | "excludedattributes", Value::Array(items)) => {
                    let names: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                    names.ok_or(WRONG_TYPE)?.join(",")
                }
                ("filter" | "startindex" | "count" | "attributes" | "excludedattributes", _) => return Err(WRONG_TYPE),
                _ => continue,
            };
            read.insert(name, text);
        }
        Ok(Self(read))
    }

    /// Returns a parameter by its name in lowercase; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the list that is asked for.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if a number is not one, or the filter is not one.
    pub(super) fn list(&self) -> Result<Operation, RequestError> {
        let (start, count) = self.range()?;
        let filter: Option<Filter> = self.get("filter").map(parse::filter).transpose()?;
        Ok(Operation::List { filter, start, count })
    }

    /// Returns the first of a page and how many it has; numbers that are out of range are brought into it (RFC 7644, section 3.4.2.4).
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldInvalid`] if a number is not one.
    pub(super) fn range(&self) -> Result<(usize, usize), RequestError> {
        let start = self.number("startindex", "startIndex")?.unwrap_or(1).max(1);
        let count = self.number("count", "count")?.unwrap_or(USUAL_PAGE);
        Ok((start, count.min(LARGEST_PAGE)))
    }

    /// Returns a whole number; a negative one is zero. Some clients write `1.0`.
    fn number(&self, key: &str, name: &'static str) -> Result<Option<usize>, RequestError> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (digits, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !are_digits(digits) || !fraction.bytes().all(|byte| byte == b'0') {
            return Err(RequestError::invalid(name, text, Localized { en: "a number", zh: "数字" }));
        }
        Ok(Some(if text.starts_with('-') { 0 } else { digits.parse().unwrap_or(usize::MAX) }))
    }
}

const WRONG_TYPE: RequestError = RequestError::BodyMalformed {
    why: Localized { en: "a value of the search has the wrong type", zh: "搜索条件的值类型不正确" },
};

/// The digits of a number, also of one that JSON writes with an exponent.
fn digits(number: &Number) -> String {
    match number.as_f64() {
        Some(whole) if number.is_f64() && whole.fract() == 0.0 => format!("{whole:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_where_spaces_are_written_so() {
        for (query, filter) in [
            ("filter=userName+eq+%22a%40e%22", "userName eq \"a@e\""),
            ("filter=userName%20eq%20%22a%2Bb@e%22", "userName eq \"a+b@e\""),
            ("filter=userName%20eq%20%22a+b@e%22", "userName eq \"a+b@e\""),
            ("Filter=userName+eq+%22a%2Bb%22&count=1", "userName eq \"a+b\""),
        ] {
            assert_eq!(Query::parse(query).unwrap().get("filter"), Some(filter), "{query}");
        }
        assert_eq!(Query::parse("count=%").unwrap_err(), RequestError::UrlMalformed);
        assert_eq!(Query::parse("count=1&co%75nt=2").unwrap_err(), RequestError::FieldDoubled { name: "count".into() });
    }

    #[test]
    fn the_values_of_a_search_have_their_types() {
        let read = |body: &str| Query::of_search(body.as_bytes()).and_then(|query| query.range());
        for (body, range) in [
            (r#"{"startIndex":2,"Count":1e2,"schemas":7}"#, Ok((2, 100))),
            (r#"{"startIndex":"2","count":null,"attributes":["userName"]}"#, Ok((2, 100))),
            (r#"{"count":true}"#, Err(WRONG_TYPE)),
            (r#"{"filter":7}"#, Err(WRONG_TYPE)),
            (r#"{"attributes":["userName",7]}"#, Err(WRONG_TYPE)),
            (r#"{"excludedAttributes":{}}"#, Err(WRONG_TYPE)),
        ] {
            assert_eq!(read(body), range, "{body}");
        }
    }

    #[test]
    fn a_page_is_brought_into_range() {
        let wrong = |name, text: &str| Err(RequestError::invalid(name, text, Localized { en: "a number", zh: "数字" }));
        for (query, range) in [
            ("", Ok((1, 100))),
            ("startIndex=0&count=0", Ok((1, 0))),
            ("startIndex=-3&count=-1", Ok((1, 0))),
            ("count=", Ok((1, 100))),
            ("count=1.0&startIndex=2.0", Ok((2, 1))),
            ("count=1000", Ok((1, 200))),
            ("count=99999999999999999999", Ok((1, 200))),
            ("count=1.5", wrong("count", "1.5")),
            ("count=x", wrong("count", "x")),
            ("startIndex=1e3", wrong("startIndex", "1e3")),
            ("count=-", wrong("count", "-")),
        ] {
            assert_eq!(Query::parse(query).unwrap().range(), range, "{query}");
        }
    }
}

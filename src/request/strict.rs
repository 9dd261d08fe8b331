//! Readers of outside bytes that refuse what two parsers could read in two ways: a field or key that appears twice, half an
//! escape. They only read; what a field means is for the caller kinds.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::crypto::unique_json::{self, JsonError};
use crate::outcome::language::Localized;
use crate::request::error::RequestError;
use crate::request::name::Name;

const NOT_A_FORM: Localized =
    Localized { en: "it is not a percent-encoded UTF-8 form", zh: "不是百分号编码的UTF-8表单" };

const TOO_MANY: Localized = Localized { en: "it has more than 512 fields", zh: "字段超过512个" };

const NOT_JSON: Localized = Localized { en: "it is not valid JSON", zh: "不是有效的JSON" };

const TOO_DEEP: Localized = Localized { en: "it is nested more than 128 levels deep", zh: "嵌套超过128层" };

const WRONG_SHAPE: Localized = Localized {
    en: "a key is missing or its value has the wrong type",
    zh: "缺少某个键，或其值的类型不正确",
};

/// Reads Unix seconds in decimal digits only: no sign, no space, no leading zero.
pub fn unix_seconds(text: &str) -> Option<i64> {
    let plain =
        text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Whether the text is 1 to `longest` bytes of this class. Ids of platforms are such texts.
pub(crate) fn consists_of(text: &str, longest: usize, class: impl Fn(u8) -> bool) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(class)
}

/// Percent-decodes strictly: every `%` is followed by two hexadecimal digits, and the result is UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let escape = after.get(..2)?;
        if !escape.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after;
    }
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

/// Reads `name=value&…` into pairs; `plus_is_space` as in form bodies, not as in the queries of TaurusDB's API. Fields with a name
/// in `lists` may appear more than once, and are ignored.
///
/// # Errors
///
/// [`PairError::Malformed`] if the encoding is malformed, [`PairError::Doubled`] if a field appears twice.
fn pairs(text: &str, plus_is_space: bool, lists: &[&str]) -> Result<Vec<(Name, String)>, PairError> {
    let mut read: Vec<(Name, String)> = Vec::new();
    let mut known = BTreeSet::new();
    // Counted first: nothing is decoded of a text that is refused.
    let all = || text.split('&').filter(|pair| !pair.is_empty());
    if all().nth(MOST_FIELDS).is_some() {
        return Err(PairError::TooMany);
    }
    for pair in all() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |part: &str| {
            let part = if plus_is_space { part.replace('+', " ") } else { part.to_owned() };
            percent_decode(&part).ok_or(PairError::Malformed)
        };
        let (name, value) = (decode(name)?, decode(value)?);
        if lists.contains(&name.as_str()) {
            continue;
        }
        let name = Name::new(name);
        if !known.insert(name.clone()) {
            return Err(PairError::Doubled(name.into_string()));
        }
        read.push((name, value));
    }
    Ok(read)
}

/// The most fields of a form, and parameters of a query. Senders have up to twenty, and lists of mentions beside them.
const MOST_FIELDS: usize = 512;

enum PairError {
    TooMany,
    Malformed,
    Doubled(String),
}

/// A form body or a query, every name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Name, String)>);

impl Fields {
    /// Reads an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    ///
    /// [`RequestError::BodyMalformed`] if it is not one, [`RequestError::FieldDoubled`] if a field appears twice.
    pub fn from_form(body: &[u8]) -> Result<Self, RequestError> {
        Self::from_form_with_lists(body, &[])
    }

    /// Reads the body of a sender that repeats fields of these names: they are ignored.
    ///
    /// # Errors
    ///
    /// [`RequestError::BodyMalformed`] if it is not a form, [`RequestError::FieldDoubled`] if another field appears twice.
    pub fn from_form_with_lists(body: &[u8], lists: &[&str]) -> Result<Self, RequestError> {
        let malformed = RequestError::BodyMalformed { why: NOT_A_FORM };
        let Ok(text) = std::str::from_utf8(body) else { return Err(malformed) };
        match pairs(text, true, lists) {
            Ok(read) => Ok(Self(read)),
            Err(PairError::Malformed) => Err(malformed),
            Err(PairError::TooMany) => Err(RequestError::BodyMalformed { why: TOO_MANY }),
            Err(PairError::Doubled(name)) => Err(RequestError::FieldDoubled { name }),
        }
    }

    /// Reads a query without its `?`.
    ///
    /// # Errors
    ///
    /// [`RequestError::UrlMalformed`] if its encoding is malformed, [`RequestError::FieldDoubled`] if a parameter appears twice.
    pub fn from_query(query: &str) -> Result<Self, RequestError> {
        match pairs(query, false, &[]) {
            Ok(read) => Ok(Self(read)),
            Err(PairError::Malformed | PairError::TooMany) => Err(RequestError::UrlMalformed),
            Err(PairError::Doubled(name)) => Err(RequestError::FieldDoubled { name }),
        }
    }

    /// Returns a field that must be there and not empty.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldMissing`] if it is not.
    pub fn required(&self, name: &'static str) -> Result<&str, RequestError> {
        self.0
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
            .ok_or(RequestError::FieldMissing { name })
    }

    /// Returns the value of a field, which may be empty; `None` if the field is not there.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value.as_str())
    }

    /// Returns the names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Reads a JSON body; a key that appears twice, at any depth and however it is escaped, is refused. serde_json's own limit of 128
/// levels protects the stack.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if it is not JSON of this type, [`RequestError::FieldDoubled`] if a key appears twice.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    let value = unique_json::parse(body).map_err(|error| match error {
        JsonError::DoubledKey(name) => RequestError::FieldDoubled { name },
        JsonError::TooDeep => RequestError::BodyMalformed { why: TOO_DEEP },
        JsonError::Invalid => RequestError::BodyMalformed { why: NOT_JSON },
    })?;
    typed(value)
}

/// Reads a JSON value as a type.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if a key is missing or has a value of another type.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, RequestError> {
    serde_json::from_value(value).map_err(|_| RequestError::BodyMalformed { why: WRONG_SHAPE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::name::counted::assert_grows_with_its_input;

    #[test]
    fn decoding_is_strict() {
        for (text, read) in [
            ("alice", Some("alice")),
            ("a%6Cice", Some("alice")),
            ("%E4%BD%A0", Some("你")),
            ("a+b", Some("a+b")),
            ("a%", None),
            ("a%4", None),
            ("a%zz", None),
            ("%+1", None),
            ("%e4%bd", None),
            ("%ff", None),
        ] {
            assert_eq!(percent_decode(text).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn seconds_are_digits() {
        for (text, read) in [
            ("1531420618", Some(1_531_420_618)),
            ("0", Some(0)),
            ("", None),
            ("+1531420618", None),
            ("-1", None),
            ("01", None),
            ("1531420618 ", None),
            ("1531420618.0", None),
            ("١٥٣", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(unix_seconds(text), read, "{text:?}");
        }
    }

    #[test]
    fn fields_stand_once() {
        let doubled = |name: &str| RequestError::FieldDoubled { name: name.into() };
        assert_eq!(Fields::from_form(b"text=a&text=b"), Err(doubled("text")));
        assert_eq!(Fields::from_form(b"text=a&te%78t=b"), Err(doubled("text")));
        assert_eq!(Fields::from_query("user_name=a&user%5Fname=b"), Err(doubled("user_name")));
        assert_eq!(Fields::from_query("user_name=%"), Err(RequestError::UrlMalformed));
        let fields = Fields::from_form(b"text=a+b%2Bc&x").unwrap();
        assert_eq!(fields.required("text"), Ok("a b+c"));
        assert_eq!(fields.required("x"), Err(RequestError::FieldMissing { name: "x" }));
        let fields = Fields::from_form_with_lists(b"m=1&text=a&m=2", &["m"]).unwrap();
        assert_eq!(fields.names().collect::<Vec<_>>(), ["text"]);
        assert_eq!(Fields::from_form_with_lists(b"m=1&m=2&text=a&text=b", &["m"]), Err(doubled("text")));
    }

    #[test]
    fn a4_fields_are_bounded_and_compared_in_a_set() {
        let form = |count: usize| (0..count).map(|number| format!("f{number}=1&")).collect::<String>();
        assert_eq!(Fields::from_form(form(12_000).as_bytes()), Err(RequestError::BodyMalformed { why: TOO_MANY }));
        assert_eq!(Fields::from_query(&form(MOST_FIELDS + 1)), Err(RequestError::UrlMalformed));
        assert_eq!(Fields::from_form(form(MOST_FIELDS).as_bytes()).unwrap().names().count(), MOST_FIELDS);
        // Lists count, too, although their items are ignored.
        let list = "m=1&".repeat(MOST_FIELDS + 1);
        let refused = Fields::from_form_with_lists(list.as_bytes(), &["m"]);
        assert_eq!(refused, Err(RequestError::BodyMalformed { why: TOO_MANY }));
        let read = |count| drop(Fields::from_form(form(count).as_bytes()).unwrap());
        assert_grows_with_its_input("a form", read, MOST_FIELDS);
    }

    #[test]
    fn keys_stand_once() {
        let read = json::<Value>;
        assert_eq!(
            read(br#"{"a":1,"b":[{"c":null},true,1.5,-2]}"#).unwrap(),
            serde_json::json!({"a":1,"b":[{"c":null},true,1.5,-2]})
        );
        let doubled = |name: &str| Err(RequestError::FieldDoubled { name: name.into() });
        assert_eq!(read(br#"{"a":1,"a":2}"#), doubled("a"));
        assert_eq!(read(br#"{"x":[{"at line ":1,"\u0061t line ":2}]}"#), doubled("at line "));
        let deep = "[".repeat(100_000);
        assert_eq!(read(deep.as_bytes()), Err(RequestError::BodyMalformed { why: TOO_DEEP }));
        assert_eq!(read(b"{"), Err(RequestError::BodyMalformed { why: NOT_JSON }));
        assert_eq!(read(b"{} {}"), Err(RequestError::BodyMalformed { why: NOT_JSON }));
    }

    proptest::proptest! {
        /// What this reader accepts, a lenient one reads in the same way.
        #[test]
        fn a_lenient_reader_agrees(text in "[a-z%=&+0-9]{0,40}") {
            if let Ok(fields) = Fields::from_form(text.as_bytes()) {
                for name in fields.names() {
                    proptest::prop_assert_eq!(fields.names().filter(|other| *other == name).count(), 1);
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Fields::from_form(&body);
            let _ = json::<Value>(&body);
        }
    }
}

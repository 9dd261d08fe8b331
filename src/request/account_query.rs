//! Which part of an instance's account list to read: the parameters of the documented list call.
//!
//! All three are optional here. What a request leaves out is left out of the call to TaurusDB as well, which has its own defaults.

use crate::outcome::language::Localized;
use crate::request::error::RequestError;
use crate::request::strict::Fields;

/// The parameters.
pub const PARAMETERS: [&str; 3] = ["limit", "offset", "user_name"];

/// The largest page that TaurusDB serves.
const LARGEST: u32 = 100;

/// The longest name to look for, in characters; a name in TaurusDB is shorter.
const LONGEST_NAME: usize = 128;

/// Which accounts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// How many at most, 1 to 100.
    pub limit: Option<u32>,
    /// How many to leave out from the start.
    pub offset: Option<u32>,
    /// Only accounts with this name, as TaurusDB compares names; not a [`UserName`](super::account_name::UserName), because a
    /// reader may look for a name that no removal would accept.
    pub user_name: Option<String>,
}

impl AccountQuery {
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
            limit: number(query, "limit", LIMIT)?.map_or(Ok(None), |limit| match limit {
                1..=LARGEST => Ok(Some(limit)),
                _ => Err(RequestError::invalid("limit", limit.to_string(), LIMIT)),
            })?,
            offset: number(query, "offset", OFFSET)?,
            user_name: query.value("user_name").filter(|name| !name.is_empty()).map(name).transpose()?,
        })
    }
}

const LIMIT: Localized = Localized { en: "a number from `1` to `100`", zh: " `1` 到 `100` 的数字" };

const OFFSET: Localized = Localized { en: "a number from `0` to `4294967295`", zh: " `0` 到 `4294967295` 的数字" };

const NAME: Localized =
    Localized { en: "an account name, or leave the parameter out", zh: "账号名，或省略该参数" };

/// Reads decimal digits: no sign, no space, no leading zero.
fn number(query: &Fields, name: &'static str, expected: Localized) -> Result<Option<u32>, RequestError> {
    let Some(text) = query.value(name) else { return Ok(None) };
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match text.parse() {
        Ok(number) if plain => Ok(Some(number)),
        _ => Err(RequestError::invalid(name, text, expected)),
    }
}

fn name(text: &str) -> Result<String, RequestError> {
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(RequestError::invalid("user_name", text, NAME));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<AccountQuery, RequestError> {
        AccountQuery::parse(&Fields::from_query(query)?)
    }

    #[test]
    fn parameters_are_optional() {
        let query = |limit, offset, user_name: Option<&str>| AccountQuery {
            limit,
            offset,
            user_name: user_name.map(str::to_owned),
        };
        for (given, expected) in [
            ("", query(None, None, None)),
            ("limit=100&offset=0", query(Some(100), Some(0), None)),
            ("offset=7&limit=1&user_name=alice", query(Some(1), Some(7), Some("alice"))),
            ("user_name=", query(None, None, None)),
            ("user_name=rdsAdmin", query(None, None, Some("rdsAdmin"))),
            ("user_name=%E7%94%A8", query(None, None, Some("用"))),
        ] {
            assert_eq!(parse(given), Ok(expected), "{given}");
        }
    }

    #[test]
    fn other_values_and_parameters_are_refused() {
        for given in ["0", "101", "-1", "+1", "01", "1.0", "", "x", "99999999999"] {
            let refused = RequestError::invalid("limit", given, LIMIT);
            assert_eq!(parse(&format!("limit={}", given.replace('+', "%2B"))), Err(refused), "{given}");
        }
        for given in ["-1", "00", "", "4294967296"] {
            assert_eq!(
                parse(&format!("offset={given}")),
                Err(RequestError::invalid("offset", given, OFFSET)),
                "{given}"
            );
        }
        assert_eq!(parse("user_name=a%0ab"), Err(RequestError::invalid("user_name", "a\nb", NAME)));
        let unknown = RequestError::ParameterUnknown { name: "marker".into(), known: &PARAMETERS };
        assert_eq!(parse("limit=1&marker=x"), Err(unknown));
        assert_eq!(parse("limit=1&limit=2"), Err(RequestError::FieldDoubled { name: "limit".into() }));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_in_range(query in "(limit|offset|user_name)=[0-9a-z%+-]{0,12}") {
            if let Ok(query) = parse(&query) {
                prop_assert!(query.limit.is_none_or(|limit| (1..=100).contains(&limit)));
                prop_assert!(query.user_name.is_none_or(|name| !name.is_empty() && !name.chars().any(char::is_control)));
            }
        }
    }
}

//! Addresses within the console.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Every byte but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What waits for the reader.
pub const WAITING: &str = "/console";
/// The form that asks for a removal.
pub const ASK: &str = "/console/ask";
/// The removals.
pub const REMOVALS: &str = "/console/removals";
/// The accounts of an instance.
pub const ACCOUNTS: &str = "/console/accounts";
/// The policies in force.
pub const POLICY: &str = "/console/policy";
/// The icon of all pages.
pub const ICON: &str = "/console/icon.svg";
/// Where people sign in.
pub const SIGN_IN: &str = "/console/signin";
/// Where people sign out.
pub const SIGN_OUT: &str = "/console/signout";

/// The page of a removal, by its id or reference.
pub fn removal(id: &str) -> String {
    format!("{REMOVALS}/{}", utf8_percent_encode(id, RESERVED))
}

/// Where a decision about a request is sent.
pub fn approval(reference: &str) -> String {
    format!("/console/approvals/{}", utf8_percent_encode(reference, RESERVED))
}

/// A path with the parameters that have a value.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs = parameters.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED)));
    let query: Vec<_> = pairs.collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_leave_their_place_in_an_address() {
        assert_eq!(removal("../a?b#c"), "/console/removals/..%2Fa%3Fb%23c");
        assert_eq!(with_query(ASK, &[("instance", "a&b=c"), ("q", ""), ("user_name", "张 三")]), {
            "/console/ask?instance=a%26b%3Dc&user_name=%E5%BC%A0%20%E4%B8%89"
        });
        assert_eq!(with_query(ASK, &[("q", "")]), ASK);
    }
}

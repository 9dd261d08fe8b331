//! The name of a StarRocks account, and which names are never removed.
//!
//! A [`UserName`] can only be made by [`AccountRules::parse`], so no raw name exists behind the parsers: what reaches policy, the
//! ledger or a URL is ASCII without spaces, and neither reserved nor protected. Reserved accounts are refused here, before policy
//! is asked.
//!
//! Not supported on purpose: Unicode names. TaurusDB's own rule for new accounts is ASCII, and two names that look the
//! same must not be two accounts.

use std::fmt;

use wildmatch::WildMatchPattern;

use crate::request::error::RequestError;

/// TaurusDB's management accounts and StarRocks' superuser: deleting them errors or breaks the instance (seen in the
/// user guide and the SDKs). Compared without regard to case, because StarRocks may be.
const RESERVED: [&str; 3] = ["root", "rdsAdmin", "rdsMetric"];

/// The longest name that `accounts.unusual` can allow, in bytes.
const LONGEST: usize = 128;

/// An account name that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// Returns the name, for a query parameter, a ledger row or an entity id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name, or a pattern in which `*` stands for any characters. `?` is not special.
type Pattern = WildMatchPattern<'*', '\0'>;

/// The operator's `[accounts]`: which accounts are protected, and which names outside the documented range are allowed.
#[derive(Debug, Clone, Default)]
pub struct AccountRules {
    protected: Vec<Pattern>,
    unusual: Vec<Pattern>,
}

impl AccountRules {
    /// Rules from the patterns of offboard.toml. Protection disregards case; permission to be unusual does not.
    pub fn new(protected: &[String], unusual: &[String]) -> Self {
        Self {
            protected: protected.iter().map(|p| Pattern::new_case_insensitive(p)).collect(),
            unusual: unusual.iter().map(|p| Pattern::new(p)).collect(),
        }
    }

    /// Parses a name as a caller gave it.
    ///
    /// The range is that of new accounts (seen in the API reference, "Creating a Database Account"): 2 to 32 characters,
    /// a lowercase letter first, `[a-z0-9_]`, a letter or digit last. The delete page states no range, so names that
    /// match `accounts.unusual` pass too, as long as they are printable ASCII.
    ///
    /// # Errors
    ///
    /// [`RequestError::FieldMissing`] if it is empty, [`RequestError::AccountReserved`] or [`RequestError::AccountProtected`] if
    /// it is never removed, [`RequestError::UserNameInvalid`] if it is out of range.
    pub fn parse(&self, given: &str) -> Result<UserName, RequestError> {
        if given.is_empty() {
            return Err(RequestError::FieldMissing { name: "user_name" });
        }
        if RESERVED.iter().any(|name| name.eq_ignore_ascii_case(given)) {
            return Err(RequestError::AccountReserved { name: given.into() });
        }
        let invalid = || RequestError::UserNameInvalid { given: given.into() };
        if given.len() > LONGEST || !given.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid());
        }
        if self.protected.iter().any(|pattern| pattern.matches(given)) {
            return Err(RequestError::AccountProtected { name: given.into() });
        }
        if in_documented_range(given) || self.unusual.iter().any(|pattern| pattern.matches(given)) {
            Ok(UserName(given.into()))
        } else {
            Err(invalid())
        }
    }
}

impl AccountRules {
    /// Returns the pattern of `accounts.protected` that protects a name, or the name itself if it is reserved; `None` if it is neither.
    pub fn protected_by(&self, name: &str) -> Option<String> {
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Some(name.to_owned());
        }
        self.protected.iter().find(|pattern| pattern.matches(name)).map(Pattern::pattern)
    }
}

fn in_documented_range(name: &str) -> bool {
    (2..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> AccountRules {
        AccountRules::new(&["etl_*".into()], &["Old-*".into(), "x".into()])
    }

    #[test]
    fn names_that_may_be_asked_for() {
        for name in ["alice", "a1", "report_reader", "a2345678901234567890123456789012", "Old-App", "x"] {
            assert_eq!(rules().parse(name).as_ref().map(UserName::as_str), Ok(name));
        }
    }

    #[test]
    fn names_that_may_not() {
        let invalid = |given: &str| RequestError::UserNameInvalid { given: given.into() };
        for given in [
            "y",
            "1alice",
            "_alice",
            "alice_",
            "Alice",
            "ali ce",
            " alice",
            "alice\n",
            "alice\r\nx",
            "al\u{200b}ice",
            "alicé",
            "ａlice",
            "alice\0",
            "old-app",
            "a23456789012345678901234567890123",
            "alice'",
            "alice%00",
        ] {
            assert_eq!(rules().parse(given), Err(invalid(given)), "{given:?}");
        }
        let long = format!("Old-{}", "x".repeat(200));
        assert_eq!(rules().parse(&long), Err(invalid(&long)));
        assert_eq!(rules().parse(""), Err(RequestError::FieldMissing { name: "user_name" }));
    }

    #[test]
    fn reserved_in_any_case_and_protected_in_any_case() {
        for name in ["root", "ROOT", "Root", "rdsAdmin", "rdsadmin", "RDSMETRIC"] {
            assert_eq!(rules().parse(name), Err(RequestError::AccountReserved { name: name.into() }));
        }
        for name in ["etl_loader", "ETL_loader"] {
            assert_eq!(rules().parse(name), Err(RequestError::AccountProtected { name: name.into() }));
        }
    }

    proptest::proptest! {
        /// A name that the rules allow can stand in a URL, a log line and an entity id without quoting.
        #[test]
        fn what_passes_is_printable_ascii(given in "\\PC{0,40}", any in ".{0,40}") {
            for candidate in [given, any] {
                if let Ok(name) = AccountRules::new(&[], &["*".into()]).parse(&candidate) {
                    proptest::prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_graphic()));
                    proptest::prop_assert!(!RESERVED.iter().any(|r| r.eq_ignore_ascii_case(name.as_str())));
                }
            }
        }
    }
}

//! Attributes of a leaver: who sets them decides whether they may name accounts, and what they are decides how they compare.

/// Who sets an attribute of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An administrator or the system itself: ids, and the user names and addresses of a directory.
    Administrator,
    /// The person, who can take the name of another account and then leave.
    Person,
    /// Many people share it, such as the ID of a company: alone it names no account.
    Shared,
    /// It is a name for display, which people choose and share: it never names an account.
    Display,
}

/// How two values of an attribute compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Letter by letter.
    Exact,
    /// Without case, as RFC 7643 says of user names and addresses.
    IgnoringCase,
    /// Without case if the value is an address, which has an `@`; otherwise letter by letter.
    ByValue,
}

/// An attribute of a leaver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its name in templates and in the keys of `map`.
    pub name: &'a str,
    /// Who sets it.
    pub source: Source,
    /// How its values compare.
    pub comparison: Comparison,
}

impl<'a> Attribute<'a> {
    /// Makes an id that the system gives, compared letter by letter.
    pub const fn id(name: &'a str) -> Self {
        Self { name, source: Source::Administrator, comparison: Comparison::Exact }
    }

    /// Makes a user name, an address or a number of a directory, which an administrator gives.
    pub const fn managed(name: &'a str) -> Self {
        Self { comparison: Comparison::IgnoringCase, ..Self::id(name) }
    }

    /// Makes a login, user name or address that people choose themselves.
    pub const fn chosen(name: &'a str) -> Self {
        Self { source: Source::Person, ..Self::managed(name) }
    }

    /// Makes an ID that many people share.
    pub const fn shared(name: &'a str) -> Self {
        Self { source: Source::Shared, ..Self::id(name) }
    }

    /// Makes an attribute that the operator locates in the bodies of a sender. `chosen` are the fields that people choose there.
    pub fn located(name: &'a str, pointer: &str, chosen: &[&str]) -> Self {
        let field = last_field(pointer);
        let source = if is_display_name(name) || is_display_name(field) {
            Source::Display
        } else if chosen.contains(&field) {
            Source::Person
        } else {
            Source::Administrator
        };
        Self { name, source, comparison: Comparison::ByValue }
    }
}

impl Comparison {
    /// Returns a text that is the same for all values that compare as equal.
    pub fn key(self, value: &str) -> String {
        match self {
            Self::Exact => value.to_owned(),
            Self::ByValue if !value.contains('@') => value.to_owned(),
            Self::IgnoringCase | Self::ByValue => value.chars().flat_map(lowercase).collect(),
        }
    }
}

/// Lowercases a character, unless that would make an ASCII letter of one that is none: a Kelvin sign would become the `k` of
/// another person's name.
fn lowercase(character: char) -> impl Iterator<Item = char> {
    let changes = character.is_ascii() || !character.to_lowercase().any(|lower| lower.is_ascii());
    let lower = changes.then(|| character.to_lowercase()).into_iter().flatten();
    lower.chain((!changes).then_some(character))
}

/// Returns the last part of a JSON Pointer.
pub fn last_field(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or(pointer, |(_, field)| field)
}

/// Whether an attribute is called as names for display are.
pub fn is_display_name(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "name",
        "displayname",
        "nickname",
        "fullname",
        "firstname",
        "middlename",
        "lastname",
        "givenname",
        "familyname",
        "surname",
        "realname",
        "preferredname",
        "formatted",
        "formattedname",
        "commonname",
        "cn",
        "sn",
        "title",
    ];
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    let inside = name.rsplit_once('.').map_or("", |(_, inside)| inside).to_ascii_lowercase();
    NAMES.contains(&plain.as_str()) || NAMES.contains(&inside.as_str())
}

/// Finds the attribute that was probably meant.
pub fn nearest<'a>(given: &str, known: &[Attribute<'a>]) -> Option<&'a str> {
    /// The most letters that may be wrong.
    const WRONG: usize = 2;

    let given = given.to_ascii_lowercase();
    let distance = |attribute: &Attribute<'_>| strsim::osa_distance(&given, &attribute.name.to_ascii_lowercase());
    let near = known.iter().map(|attribute| (distance(attribute), attribute.name));
    near.filter(|(distance, name)| *distance <= WRONG && *distance < name.len()).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_as_the_standard_says() {
        let same = |comparison: Comparison, one: &str, other: &str| comparison.key(one) == comparison.key(other);
        for (one, other, expected) in [
            ("pat@a.example", "Pat@A.example", true),
            ("zoë@a.example", "ZOË@a.example", true),
            ("kate@a.example", "\u{212a}ate@a.example", false),
            ("ivan@a.example", "\u{130}van@a.example", false),
            ("pat@a.example", "pat@b.example", false),
        ] {
            assert_eq!(same(Comparison::IgnoringCase, one, other), expected, "{one} {other}");
            assert_eq!(same(Comparison::ByValue, one, other), expected, "{one} {other}");
            assert!(!same(Comparison::Exact, one, other), "{one} {other}");
        }
        assert!(!same(Comparison::ByValue, "00uA", "00ua"));
        assert!(same(Comparison::Exact, "00uA", "00uA"));
    }

    #[test]
    fn names_for_display_are_recognised() {
        for name in
            ["displayName", "display_name", "name", "name.givenName", "nickName", "Full Name", "cn", "formatted"]
        {
            assert!(is_display_name(name), "{name}");
        }
        for name in ["userName", "user_name", "id", "login", "email", "employeeNumber", "externalId", "hostname"] {
            assert!(!is_display_name(name), "{name}");
        }
    }

    #[test]
    fn a_near_miss_is_offered() {
        let known = [Attribute::managed("userName"), Attribute::managed("email"), Attribute::id("id")];
        for (given, expected) in [
            ("username", Some("userName")),
            ("mail", Some("email")),
            ("emial", Some("email")),
            ("ID", Some("id")),
            ("uid", Some("id")),
            ("x", None),
            ("department", None),
        ] {
            assert_eq!(nearest(given, &known), expected, "{given}");
        }
    }

    #[test]
    fn a_located_attribute_is_judged_by_its_name_and_by_its_field() {
        for (name, pointer, expected) in [
            ("email", "/worker/email", Source::Administrator),
            ("who", "/worker/display_name", Source::Display),
            ("displayName", "/worker/7", Source::Display),
            ("login", "/member/login", Source::Person),
            ("id", "/member/id", Source::Administrator),
        ] {
            assert_eq!(Attribute::located(name, pointer, &["login"]).source, expected, "{name} {pointer}");
        }
    }
}

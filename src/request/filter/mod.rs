//! Filters (RFC 7644, section 3.4.2.2) and the paths of PATCH (section 3.5.2), which have a filter in them.
//!
//! [`parse`] reads them, [`matching`] evaluates them. `Display` writes what `parse` reads as the same.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use crate::request::attribute_path::AttributePath;

pub mod matching;
pub mod parse;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these, at least two.
    And(Vec<Filter>),
    /// One of these, at least two.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// A test of the values of an attribute.
    Test(Target, Test),
}

/// What a filter tests and a PATCH changes: an attribute, or those of its values that a filter of their own selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The attribute, and the part of it.
    pub path: AttributePath,
    /// Selects values of the attribute: `type eq "work"` in `emails[type eq "work"].value`.
    pub selection: Option<Box<Filter>>,
}

impl From<AttributePath> for Target {
    fn from(path: AttributePath) -> Self {
        Self { path, selection: None }
    }
}

/// A test of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is a value that is not empty.
    Present,
    /// A value compares so with this text, number or boolean, or with null.
    Compare(Operator, Value),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Operator {
    /// Every operator by its name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("co", Self::Co),
        ("sw", Self::Sw),
        ("ew", Self::Ew),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("lt", Self::Lt),
        ("le", Self::Le),
    ];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, operator)| *operator == self).map_or("eq", |(name, _)| name)
    }

    /// Whether it compares the order of two values.
    pub(crate) fn is_of_order(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

impl Filter {
    /// Returns the text that an attribute of the core schema must equal, if every match has it: only people with this value have to
    /// be looked at.
    pub(crate) fn required_text(&self, name: &str) -> Option<String> {
        match self {
            Self::And(all) => all.iter().find_map(|filter| filter.required_text(name)),
            Self::Test(Target { path, selection: None }, Test::Compare(Operator::Eq, value))
                if path.is_core(name) && path.part.is_none() =>
            {
                match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                }
            }
            Self::Or(_) | Self::Not(_) | Self::Test(..) => None,
        }
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut Formatter<'_>, filters: &[Self], word: &str| {
            for (place, filter) in filters.iter().enumerate() {
                if place > 0 {
                    write!(f, " {word} ")?;
                }
                match filter {
                    Self::And(_) | Self::Or(_) => write!(f, "({filter})")?,
                    Self::Not(_) | Self::Test(..) => write!(f, "{filter}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::And(all) => joined(f, all, "and"),
            Self::Or(any) => joined(f, any, "or"),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Test(target, Test::Present) if target.selection.is_some() && target.path.part.is_none() => {
                write!(f, "{target}")
            }
            Self::Test(target, Test::Present) => write!(f, "{target} pr"),
            Self::Test(target, Test::Compare(operator, value)) => write!(f, "{target} {} {value}", operator.name()),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { path, selection } = self;
        let Some(selection) = selection else { return write!(f, "{path}") };
        write!(f, "{}[{selection}]", AttributePath { part: None, ..path.clone() })?;
        match &path.part {
            Some(part) => write!(f, ".{part}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::outcome::language::Localized;
    use crate::request::error::RequestError;

    fn person() -> Map<String, Value> {
        let person = json!({
            "id": "2819c223",
            "externalId": "P.Lee",
            "userName": "Pat.Lee@a.example",
            "name": {"givenName": "Pat", "familyName": "Lee"},
            "displayName": "Pat Lee",
            "title": "",
            "active": true,
            "emails": [
                {"type": "work", "value": "pat@a.example", "primary": true},
                {"type": "home", "value": "Pat@B.example"},
            ],
            "roles": ["admin"],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                {"employeeNumber": "1042", "department": "Data", "manager": {"value": "0f1e"}},
            "urn:example:2.0:User": {"badge": 7},
            "meta": {"resourceType": "User", "lastModified": "2026-06-01T10:00:00+00:00"},
        });
        person.as_object().unwrap().clone()
    }

    /// Each with whether the person above matches.
    const FILTERS: &[(&str, bool)] = &[
        ("userName eq \"pat.lee@A.example\"", true),
        ("USERNAME Eq \"pat.lee@a.example\"", true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"pat.lee@a.example\"", true),
        ("externalId eq \"P.Lee\"", true),
        ("externalId eq \"p.lee\"", false),
        ("externalId eq P.Lee", true),
        ("externalId eq 'P.Lee'", true),
        ("externalId eq “P.Lee”", true),
        ("id eq \"2819C223\"", false),
        ("emails[type eq \"work\"].value eq \"PAT@a.example\"", true),
        ("emails[type eq \"home\"].value eq \"pat@a.example\"", false),
        ("emails[type eq \"work\" and value co \"@a\"]", true),
        ("emails[type eq \"home\" and value co \"@a\"]", false),
        ("emails[not (type eq \"work\")].value sw \"pat@b\"", true),
        ("emails[primary eq true].value eq \"pat@a.example\"", true),
        ("emails[primary eq \"True\"].value eq \"pat@a.example\"", true),
        ("emails.value eq \"pat@b.example\"", true),
        ("emails co \"b.example\"", true),
        ("emails.type eq \"other\"", false),
        ("roles eq \"ADMIN\"", true),
        ("roles[value eq \"admin\"]", true),
        ("userName sw \"pat\" and active eq true", true),
        ("userName sw \"pat\" and active eq \"False\"", false),
        ("userName ew \"b.example\" or displayName co \"t l\"", true),
        ("active eq true and (title pr or nickName pr)", false),
        ("not (title pr)", true),
        ("title eq \"\"", true),
        ("nickName eq null", true),
        ("displayName ne null", true),
        ("displayName ne \"pat lee\"", false),
        ("nickName ne \"x\"", true),
        ("name pr", true),
        ("name.givenName eq \"pat\"", true),
        ("employeeNumber eq 1042", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"1042\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"0f1e\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"0f1e\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", true),
        ("urn:example:2.0:User:badge gt 6", true),
        ("urn:example:2.0:User:badge gt 10", false),
        ("meta.lastModified gt \"2026-06-01T11:00:00+02:00\"", true),
        ("meta.lastModified ge \"2026-06-01T10:00:00Z\"", true),
        ("meta.lastModified lt \"2026-06-01T10:00:00Z\"", false),
        ("meta.lastModified gt 2026-05-01T00:00:00Z", true),
        ("userName gt \"a\" and userName lt \"z\"", true),
        ("a eq 1 or b eq 2 and c eq 3 or active eq true", true),
        ("(active eq true or a eq 1) and b eq 2", false),
        ("  ( userName\u{a0}pr )  ", true),
    ];

    #[test]
    fn filters_match_as_rfc_7644_and_identity_systems_mean_them() {
        for (text, matched) in FILTERS {
            let filter = parse::filter(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(matching::matches(&filter, &person()), *matched, "{text}");
            assert_eq!(parse::filter(&filter.to_string()), Ok(filter), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let expected = Localized {
            en: "a filter such as `userName eq \"…\"`, with at most 200 comparisons",
            zh: "过滤条件，如 `userName eq \"…\"`，最多200个比较",
        };
        let deep = format!("{}a pr{}", "(".repeat(21), ")".repeat(21));
        let long = format!("a pr{}", " or a pr".repeat(200));
        for text in [
            "",
            "userName",
            "userName eq",
            "userName is \"x\"",
            "userName eq \"x",
            "userName eq \"x\" and",
            "and",
            "(userName pr",
            "userName pr)",
            "not userName pr",
            "emails[type eq \"work\"",
            "emails[type eq \"work\"].",
            "emails[a[b eq 1]]",
            "active gt true",
            "title lt null",
            "userName eq \"x\" displayName pr",
            &deep,
            &long,
        ] {
            assert_eq!(parse::filter(text), Err(RequestError::invalid("filter", text, expected)), "{text}");
        }
        assert_eq!(parse::target("emails[type eq \"work\"].value.x"), None);
        assert_eq!(parse::target("emails value"), None);
    }

    #[test]
    fn an_index_is_used_where_every_match_has_the_text() {
        for (text, user_name) in [
            ("userName eq \"a\"", Some("a")),
            ("active eq true and userName eq \"a\"", Some("a")),
            ("(userName eq \"a\" and title pr) and active eq true", Some("a")),
            ("userName eq \"a\" or title pr", None),
            ("not (userName eq \"a\")", None),
            ("userName co \"a\"", None),
            ("urn:example:2.0:User:userName eq \"a\"", None),
            ("userName.value eq \"a\"", None),
        ] {
            let filter = parse::filter(text).unwrap();
            assert_eq!(filter.required_text("userName").as_deref(), user_name, "{text}");
        }
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("userName".to_owned()),
            Just("emails".to_owned()),
            Just("active".to_owned()),
            Just("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager".to_owned()),
            "[a-zA-Z$][a-zA-Z0-9_-]{0,5}",
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::String),
            "(pat|PAT|work|x)".prop_map(Value::String),
        ]
    }

    fn test_of(target: Target) -> impl Strategy<Value = Filter> {
        let operator = proptest::sample::select(Operator::ALL.map(|(_, operator)| operator).to_vec());
        let is_known = |operator: Operator, value: &Value| {
            !operator.is_of_order() || !matches!(value, Value::Bool(_) | Value::Null)
        };
        let compare = (operator, value())
            .prop_filter("no order", move |(operator, value)| is_known(*operator, value))
            .prop_map(|(operator, value)| Test::Compare(operator, value));
        prop_oneof![Just(Test::Present), compare].prop_map(move |test| Filter::Test(target.clone(), test))
    }

    fn joined(tests: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
        let joined = tests.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        });
        joined.boxed()
    }

    fn target() -> impl Strategy<Value = Target> {
        let part = proptest::option::of("[a-z$]{1,4}");
        let plain = |name: String, part: Option<String>| {
            let path = AttributePath::parse(&name).unwrap();
            Target { path: AttributePath { part, ..path }, selection: None }
        };
        let inside = joined("[a-z$]{1,4}".prop_flat_map(|name| test_of(AttributePath::core(&name).into())).boxed());
        let selection = proptest::option::of(inside.prop_map(Box::new));
        (name(), part, selection).prop_map(move |(name, part, selection)| Target { selection, ..plain(name, part) })
    }

    fn filters() -> BoxedStrategy<Filter> {
        joined(target().prop_flat_map(test_of).boxed())
    }

    /// The values that a path leads to, found in another way: by all paths of the resource, in lowercase.
    fn flat(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    flat(value, &format!("{at}/{}", name.to_lowercase()), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| flat(item, at, found)),
            simple => found.push((at.to_owned(), simple.clone())),
        }
    }

    proptest! {
        #[test]
        fn a_filter_is_read_as_it_was_written(filter in filters()) {
            let text = filter.to_string();
            prop_assert_eq!(parse::filter(&text), Ok(filter), "{}", text);
        }

        #[test]
        fn a_path_is_read_as_it_was_written(target in target()) {
            let text = target.to_string();
            prop_assert_eq!(parse::target(&text), Some(target), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-zA-Z.:\\[\\]() \"'\\\\0-9@+\u{a0}\u{201c}]{0,40}") {
            if let Ok(filter) = parse::filter(&text) {
                prop_assert_eq!(parse::filter(&filter.to_string()), Ok(filter.clone()));
                matching::matches(&filter, &person());
            }
            if let Some(target) = parse::target(&text) {
                prop_assert_eq!(parse::target(&target.to_string()), Some(target));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Boolean algebra, and the tests of simple attributes against a naive reading of the resource.
        #[test]
        fn matching_agrees_with_a_naive_model(one in filters(), other in filters(), text in "(pat|a|LEE|[a-z@.]{0,3})") {
            let matches = |filter: &Filter| matching::matches(filter, &person());
            let both = [one.clone(), other.clone()].to_vec();
            prop_assert_eq!(matches(&Filter::And(both.clone())), matches(&one) && matches(&other));
            prop_assert_eq!(matches(&Filter::Or(both)), matches(&one) || matches(&other));
            prop_assert_eq!(matches(&Filter::Not(Box::new(one.clone()))), !matches(&one));

            let mut all = Vec::new();
            flat(&Value::Object(person()), "", &mut all);
            let wanted = text.to_lowercase();
            for (path, at) in
                [("userName", "/username"), ("displayName", "/displayname"), ("name.givenName", "/name/givenname"),
                 ("emails", "/emails/value"), ("emails.type", "/emails/type"), ("department", &*format!("/{}/department",
                  crate::request::attribute_path::ENTERPRISE.to_lowercase()))]
            {
                let values: Vec<String> = all.iter().filter(|(known, _)| known == at)
                    .filter_map(|(_, value)| Some(value.as_str()?.to_lowercase())).collect();
                prop_assert!(!values.is_empty());
                let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(value));
                for (operator, expected) in [
                    (Operator::Eq, any(&|value| value == wanted)),
                    (Operator::Ne, !any(&|value| value == wanted)),
                    (Operator::Co, any(&|value| value.contains(&wanted))),
                    (Operator::Sw, any(&|value| value.starts_with(&wanted))),
                    (Operator::Ew, any(&|value| value.ends_with(&wanted))),
                    (Operator::Gt, any(&|value| value > wanted.as_str())),
                    (Operator::Le, any(&|value| value <= wanted.as_str())),
                ] {
                    let target: Target = AttributePath::parse(path).unwrap().into();
                    let filter = Filter::Test(target, Test::Compare(operator, text.clone().into()));
                    prop_assert_eq!(matches(&filter), expected, "{}", filter);
                }
            }
        }
    }
}

//! Names of SCIM attributes, as identity systems write them: with or without their schema, with a part after a dot.

use std::fmt::{self, Display, Formatter};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What identity systems write for the two schemas; the last two are the names of SCIM 1.1.
const KNOWN: [(&str, Option<&str>); 4] = [
    (USER, None),
    (ENTERPRISE, Some(ENTERPRISE)),
    ("urn:scim:schemas:core:1.0", None),
    ("urn:scim:schemas:extension:enterprise:1.0", Some(ENTERPRISE)),
];

/// The name of an attribute. Names compare without case (RFC 7643, section 2.1); here they are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath {
    /// The schema of an extension; `None` for the core schema.
    pub schema: Option<String>,
    /// The attribute; empty if the path names a schema as a whole.
    pub name: String,
    /// The part of a complex attribute.
    pub part: Option<String>,
}

impl AttributePath {
    /// An attribute of the core schema.
    pub(crate) fn core(name: &str) -> Self {
        Self { schema: None, name: name.to_owned(), part: None }
    }

    /// Parses a name: `userName`, `name.givenName`, `urn:…:User:userName`, `urn:…:User:manager.value`. Some clients write a dot
    /// between the schema and the attribute. `None` if it is empty or has characters that no name has.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"[]()\"'“”".contains(c);
        if text.is_empty() || !text.chars().all(is_plain) {
            return None;
        }
        if !starts_with(text, "urn:") {
            return Self::of(None, text);
        }
        for (schema, known) in KNOWN {
            let known = known.map(str::to_owned);
            match text.get(schema.len()..) {
                Some(rest) if starts_with(text, schema) && rest.is_empty() => return Some(Self::whole(known)),
                Some(rest) if starts_with(text, schema) && rest.starts_with([':', '.']) => {
                    return Self::of(known, rest.get(1..)?);
                }
                _ => {}
            }
        }
        let (schema, name) = text.rsplit_once(':')?;
        // A schema of an extension ends with the resource that it extends, or with its version: no attribute begins with a digit.
        if name.eq_ignore_ascii_case("user") || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(Self::whole(Some(text.to_owned())));
        }
        match name.split_once('.') {
            Some((user, name)) if user.eq_ignore_ascii_case("user") => Self::of(Some(format!("{schema}:{user}")), name),
            _ => Self::of(Some(schema.to_owned()), name),
        }
    }

    fn of(schema: Option<String>, text: &str) -> Option<Self> {
        let (name, part) = match text.split_once('.') {
            Some((name, part)) => (name, Some(part.to_owned())),
            None => (text, None),
        };
        // What would be read as another name once it is written again is none.
        let is_another = match schema.as_deref() {
            None => starts_with(name, "urn:"),
            Some(schema) => schema != ENTERPRISE && name.eq_ignore_ascii_case("user"),
        };
        let is_good = !name.is_empty() && !is_another && part.as_ref().is_none_or(|part| !part.is_empty());
        is_good.then(|| Self { schema, name: name.to_owned(), part })
    }

    fn whole(schema: Option<String>) -> Self {
        Self { schema, name: String::new(), part: None }
    }

    /// Whether it names this attribute of the core schema.
    pub(crate) fn is_core(&self, name: &str) -> bool {
        self.schema.is_none() && self.name.eq_ignore_ascii_case(name)
    }
}

impl Display for AttributePath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.schema, self.name.as_str()) {
            (Some(schema), "") => f.write_str(schema),
            (Some(schema), name) => write!(f, "{schema}:{name}"),
            (None, "") => f.write_str(USER),
            (None, name) => f.write_str(name),
        }?;
        match &self.part {
            Some(part) => write!(f, ".{part}"),
            None => Ok(()),
        }
    }
}

/// Whether a text begins with this, in any case.
fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(schema: Option<&str>, name: &str, part: Option<&str>) -> Option<AttributePath> {
        Some(AttributePath { schema: schema.map(str::to_owned), name: name.into(), part: part.map(str::to_owned) })
    }

    #[test]
    fn names_are_read_with_and_without_their_schema() {
        let custom = "urn:example:params:2.0:User";
        for (text, read) in [
            ("userName", path(None, "userName", None)),
            ("name.givenName", path(None, "name", Some("givenName"))),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", path(None, "userName", None)),
            ("URN:IETF:params:scim:schemas:core:2.0:user:Name.GivenName", path(None, "Name", Some("GivenName"))),
            ("urn:ietf:params:scim:schemas:core:2.0:User", path(None, "", None)),
            (ENTERPRISE, path(Some(ENTERPRISE), "", None)),
            (&format!("{ENTERPRISE}:manager.value"), path(Some(ENTERPRISE), "manager", Some("value"))),
            (&format!("{ENTERPRISE}.employeeNumber"), path(Some(ENTERPRISE), "employeeNumber", None)),
            ("urn:scim:schemas:core:1.0:userName", path(None, "userName", None)),
            ("urn:scim:schemas:extension:enterprise:1.0:department", path(Some(ENTERPRISE), "department", None)),
            (custom, path(Some(custom), "", None)),
            (&format!("{custom}:badge"), path(Some(custom), "badge", None)),
            (&format!("{custom}.badge.no"), path(Some(custom), "badge", Some("no"))),
            ("urn:example:badges:2.0", path(Some("urn:example:badges:2.0"), "", None)),
            ("urn:okta:app:1.0:user:custom:badge", path(Some("urn:okta:app:1.0:user:custom"), "badge", None)),
            ("emails.$ref", path(None, "emails", Some("$ref"))),
            ("", None),
            (".value", None),
            ("name.", None),
            ("a b", None),
            ("a[b", None),
            ("urn:", None),
            (&format!("{USER}:urn:x"), None),
            (&format!("{custom}.user"), None),
        ] {
            assert_eq!(AttributePath::parse(text), read, "{text}");
        }
    }
}

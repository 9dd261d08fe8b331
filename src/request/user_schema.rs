//! The attributes of a person that RFC 7643 names: how they are spelled, and what their values are.
//!
//! `/Schemas` shows this table, readers of resources and filters follow it. Attributes that are not in here are kept as they come.

use crate::request::attribute_path::{AttributePath, ENTERPRISE};

/// An attribute, or a part of a complex one.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it has any number of values.
    pub(crate) is_list: bool,
    /// Whether its texts compare with case.
    pub(crate) is_exact: bool,
    pub(crate) description: &'static str,
    /// The parts of a complex attribute.
    pub(crate) parts: &'static [Attribute],
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    /// A text that is an address.
    Reference,
    /// A text that is base64.
    Binary,
    /// Has parts.
    Complex,
}

impl Attribute {
    const fn of(kind: Kind, name: &'static str, description: &'static str) -> Self {
        Self { name, kind, is_list: false, is_exact: false, description, parts: &[] }
    }

    const fn text(name: &'static str, description: &'static str) -> Self {
        Self::of(Kind::Text, name, description)
    }

    /// References and base64 compare with case (RFC 7643, sections 2.3.6 and 2.3.7).
    const fn exact(kind: Kind, name: &'static str, description: &'static str) -> Self {
        Self { is_exact: true, ..Self::of(kind, name, description) }
    }

    const fn complex(name: &'static str, description: &'static str, parts: &'static [Self]) -> Self {
        Self { parts, ..Self::of(Kind::Complex, name, description) }
    }

    const fn list(name: &'static str, description: &'static str, parts: &'static [Self]) -> Self {
        Self { is_list: true, ..Self::complex(name, description, parts) }
    }

    /// Returns the part of this name.
    pub(crate) fn part(&self, name: &str) -> Option<&'static Self> {
        self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name))
    }
}

const DISPLAY: Attribute = Attribute::text("display", "How to show the value");

const TYPE: Attribute = Attribute::text("type", "What the value is for, such as `work`");

const PRIMARY: Attribute = Attribute::of(Kind::Flag, "primary", "Whether this is the main value; one of them at most");

/// The parts of a list of texts.
const TEXTS: &[Attribute] = &[Attribute::text("value", "The value"), DISPLAY, TYPE, PRIMARY];

const REFERENCES: &[Attribute] =
    &[Attribute::exact(Kind::Reference, "value", "The address of the picture"), DISPLAY, TYPE, PRIMARY];

const BINARIES: &[Attribute] =
    &[Attribute::exact(Kind::Binary, "value", "The certificate, DER in base64"), DISPLAY, TYPE, PRIMARY];

const NAME: &[Attribute] = &[
    Attribute::text("formatted", "The full name"),
    Attribute::text("familyName", "The family name"),
    Attribute::text("givenName", "The given name"),
    Attribute::text("middleName", "The middle name"),
    Attribute::text("honorificPrefix", "The title before the name"),
    Attribute::text("honorificSuffix", "The suffix behind the name"),
];

const ADDRESS: &[Attribute] = &[
    Attribute::text("formatted", "The whole address"),
    Attribute::text("streetAddress", "Street and number"),
    Attribute::text("locality", "The city"),
    Attribute::text("region", "The state or region"),
    Attribute::text("postalCode", "The postal code"),
    Attribute::text("country", "The country"),
    TYPE,
    PRIMARY,
];

const MANAGER: &[Attribute] = &[
    Attribute::text("value", "The ID of the manager"),
    Attribute::exact(Kind::Reference, "$ref", "The address of the manager"),
    Attribute::text("displayName", "The name of the manager"),
];

/// The attributes of the core schema. `externalId` and `id` are common to all resources and are named by no schema.
pub(crate) const CORE: &[Attribute] = &[
    Attribute::text("userName", "The unique name of the person"),
    Attribute::complex("name", "The name", NAME),
    Attribute::text("displayName", "The name to show"),
    Attribute::text("nickName", "The casual name"),
    Attribute::exact(Kind::Reference, "profileUrl", "The address of the person's page"),
    Attribute::text("title", "The job title"),
    Attribute::text("userType", "The relation to the organization"),
    Attribute::text("preferredLanguage", "The preferred language"),
    Attribute::text("locale", "The locale"),
    Attribute::text("timezone", "The time zone"),
    Attribute::of(
        Kind::Flag,
        "active",
        "Becomes false when the person leaves; the accounts of the person are then removed",
    ),
    Attribute::list("emails", "Email addresses", TEXTS),
    Attribute::list("phoneNumbers", "Phone numbers", TEXTS),
    Attribute::list("ims", "Instant messaging addresses", TEXTS),
    Attribute::list("photos", "Pictures", REFERENCES),
    Attribute::list("addresses", "Postal addresses", ADDRESS),
    Attribute::list("entitlements", "Entitlements", TEXTS),
    Attribute::list("roles", "Roles", TEXTS),
    Attribute::list("x509Certificates", "Certificates", BINARIES),
];

/// The attributes of the enterprise extension.
pub(crate) const ENTERPRISE_ATTRIBUTES: &[Attribute] = &[
    Attribute::text("employeeNumber", "The employee number"),
    Attribute::text("costCenter", "The cost center"),
    Attribute::text("organization", "The organization"),
    Attribute::text("division", "The division"),
    Attribute::text("department", "The department"),
    Attribute::complex("manager", "The manager", MANAGER),
];

/// Attributes that every resource has.
const COMMON: &[Attribute] = &[
    Attribute::exact(Kind::Text, "externalId", "The ID at the identity system"),
    Attribute::exact(Kind::Text, "id", "The ID at this service"),
];

/// Core attributes that are never kept: the service's own, and a secret.
pub(crate) const NEVER_KEPT: [&str; 5] = ["id", "meta", "schemas", "groups", "password"];

/// Returns the attributes of a schema; `None` is the core schema.
fn of_schema(schema: Option<&str>) -> impl Iterator<Item = &'static Attribute> {
    let attributes: [&[Attribute]; 2] = match schema {
        None => [CORE, COMMON],
        Some(schema) if schema.eq_ignore_ascii_case(ENTERPRISE) => [ENTERPRISE_ATTRIBUTES, &[]],
        Some(_) => [&[], &[]],
    };
    attributes.into_iter().flatten()
}

/// Returns the attribute of this name, without its part.
pub(crate) fn attribute(path: &AttributePath) -> Option<&'static Attribute> {
    of_schema(path.schema.as_deref()).find(|attribute| attribute.name.eq_ignore_ascii_case(&path.name))
}

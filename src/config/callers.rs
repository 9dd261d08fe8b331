//! Configured callers: the sources that may send requests, and the Spin variables of their secrets.
//!
//! A caller is read from its `[[caller]]` table in `caller_table`. Whether a request is from a caller is for the caller kinds to
//! verify.

use std::collections::BTreeMap;

use crate::config::body_fields::BodyFields;
use crate::config::leavers::Leavers;
use crate::outcome::language::Language;

/// One secret of a caller: the Spin variables of its parts, and the id of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The access key id; `None` for plain secrets.
    pub id: Option<String>,
    /// The Spin variables of the parts, by part name, in the kind's order.
    pub variables: Vec<(&'static str, String)>,
}

/// The part name of a secret that has only one part.
pub const SECRET: &str = "secret";

/// A source of requests. Each request has to prove that it is from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name in `/hooks/{name}` and in principals.
    pub name: String,
    /// The name of the caller kind.
    pub kind: String,
    /// The secrets. Each one that is set is accepted, so that a rotation needs no downtime.
    pub keys: Vec<Key>,
    /// Whether requesters are shown the effect of a request first, and have to confirm it.
    pub confirm: bool,
    /// The language of answers to requests that name none; the one of `[taurusdb]` if `None`.
    pub language: Option<Language>,
    /// The fields of the caller's bodies, for kinds whose bodies the sender defines.
    pub fields: Option<BodyFields>,
    /// Which accounts the leavers have that it reports; `None` if it reports none.
    pub leavers: Option<Leavers>,
    pub(super) settings: BTreeMap<&'static str, Vec<String>>,
}

impl Caller {
    /// Makes a caller of this kind without secrets and settings.
    pub fn new(name: &str, kind: &str) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            keys: Vec::new(),
            confirm: false,
            language: None,
            fields: None,
            leavers: None,
            settings: BTreeMap::new(),
        }
    }

    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, values: &[&str]) -> Self {
        self.settings.insert(name, values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// Returns a setting of the caller kind; the first value if it is a list.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings(name).first().map(String::as_str)
    }

    /// Returns all values of a setting.
    pub fn settings(&self, name: &str) -> &[String] {
        self.settings.get(name).map_or(&[], Vec::as_slice)
    }
}

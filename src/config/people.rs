//! `[[person]]`: people with more than one principal, and the accounts that are their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// A person whose principals count as one requester and one approver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The operator's name for the person.
    pub(super) name: String,
    /// The person's principals.
    pub(super) principals: Vec<String>,
    /// The person's own StarRocks accounts.
    pub(super) accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonTable {
    name: Spanned<String>,
    pub(super) principals: Vec<Spanned<String>>,
    #[serde(default)]
    accounts: Vec<String>,
}

/// Reads all people, by principal.
pub(super) fn read(lines: &Lines<'_>, tables: &[PersonTable]) -> Result<BTreeMap<String, Arc<Person>>, ConfigError> {
    let mut by_principal: BTreeMap<String, Arc<Person>> = BTreeMap::new();
    for table in tables {
        let name = lines.name("person.name", &table.name)?;
        if by_principal.values().any(|person| person.name == name) {
            return Err(lines.doubled_name("person", &table.name));
        }
        let principals = table.principals.iter().map(|principal| principal.get_ref().clone()).collect();
        let person = Arc::new(Person { name, principals, accounts: table.accounts.clone() });
        for principal in &table.principals {
            let id = principal.get_ref();
            if id.is_empty() || by_principal.insert(id.clone(), Arc::clone(&person)).is_some() {
                return Err(lines.wrong(
                    principal,
                    format!(
                        "person.principals `{id}` is empty or already belongs to a person; list each `caller/id` once"
                    ),
                ));
            }
        }
    }
    Ok(by_principal)
}

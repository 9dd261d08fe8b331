//! `[[team]]`: the teams that policies name.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The longest principal, in bytes.
const LONGEST_PRINCIPAL: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamTable {
    pub(super) name: Spanned<String>,
    pub(super) members: Vec<Spanned<String>>,
}

/// Reads all teams, by member.
pub(super) fn read(lines: &Lines<'_>, tables: &[TeamTable]) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
    let mut by_member: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in tables {
        let name = lines.name("team.name", &table.name)?;
        for member in &table.members {
            let principal = member.get_ref();
            if principal.is_empty() || principal.len() > LONGEST_PRINCIPAL {
                return Err(lines.wrong(
                    member,
                    format!("team.members has an entry that is empty or longer than {LONGEST_PRINCIPAL} bytes; write `caller/id` or `caller`"),
                ));
            }
            let teams = by_member.entry(principal.clone()).or_default();
            if !teams.contains(&name) {
                teams.push(name.clone());
            }
        }
    }
    Ok(by_member)
}

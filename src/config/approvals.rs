//! `[approvals]`: how many people approve, and how long a request waits for them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// How requests are approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How long a request waits for it.
    pub expire: Duration,
    /// How many people have to approve, by environment; one where nothing is said.
    required: BTreeMap<String, u32>,
}

impl Approvals {
    /// How many people have to approve a removal in this environment.
    pub fn required(&self, environment: &str) -> u32 {
        self.required.get(environment).copied().unwrap_or(1)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApprovalsTable {
    expire_hours: Option<Spanned<u64>>,
    pub(crate) required: BTreeMap<String, Spanned<u64>>,
}

/// Reads `[approvals]`.
pub(crate) fn approvals(lines: &Lines<'_>, table: &ApprovalsTable) -> Result<Approvals, ConfigError> {
    let bounded = |key: &str, value: &Spanned<u64>, most: u64| {
        if (1..=most).contains(value.get_ref()) {
            Ok(*value.get_ref())
        } else {
            Err(lines.wrong(value, format!("{key} `{}` is not valid; expected 1 to {most}", value.get_ref())))
        }
    };
    let hours = match &table.expire_hours {
        Some(hours) => bounded("approvals.expire_hours", hours, 24 * 30)?,
        None => 24,
    };
    let mut required = BTreeMap::new();
    for (environment, people) in &table.required {
        let people = bounded(&format!("approvals.required.{environment}"), people, 10)?;
        required.insert(environment.clone(), u32::try_from(people).unwrap_or(1));
    }
    Ok(Approvals { expire: Duration::from_secs(hours.saturating_mul(3600)), required })
}

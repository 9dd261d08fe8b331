//! `[approvals]`: how many people have to approve a request, and how long it waits for them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The longest wait for approval, in hours.
const MOST_HOURS: u64 = 24 * 30;

/// The largest number of approvals that an environment can require.
const MOST_APPROVALS: u64 = 10;

/// `[approvals]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How long a request waits for approval.
    pub expire: Duration,
    /// The required approvals by environment; one approval if an environment is not listed.
    required: BTreeMap<String, u32>,
}

impl Approvals {
    /// Returns how many people have to approve a removal in this environment.
    pub fn required(&self, environment: &str) -> u32 {
        self.required.get(environment).copied().unwrap_or(1)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ApprovalsTable {
    expire_hours: Option<Spanned<u64>>,
    pub(super) required: BTreeMap<String, Spanned<u64>>,
}

impl ApprovalsTable {
    pub(super) fn read(&self, lines: &Lines<'_>) -> Result<Approvals, ConfigError> {
        let hours = match &self.expire_hours {
            Some(hours) => lines.bounded("approvals.expire_hours", hours, MOST_HOURS)?,
            None => 24,
        };
        let mut required = BTreeMap::new();
        for (environment, people) in &self.required {
            let people = lines.bounded(&format!("approvals.required.{environment}"), people, MOST_APPROVALS)?;
            required.insert(environment.clone(), u32::try_from(people).unwrap_or(1));
        }
        Ok(Approvals { expire: Duration::from_secs(hours.saturating_mul(3600)), required })
    }
}

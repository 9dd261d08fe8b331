//! `[approvals]`: how many people have to approve a request, and how long it waits for them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::config::endpoint::is_web_address;
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
    /// The page of a request, with `{reference}` for what people type to refer to it.
    link: Option<String>,
}

impl Approvals {
    /// Returns whether the operator named this environment in `[approvals] required`.
    pub fn is_named(&self, environment: &str) -> bool {
        self.required.contains_key(environment)
    }

    /// Returns how many people have to approve a removal in this environment.
    pub fn required(&self, environment: &str) -> u32 {
        self.required.get(environment).copied().unwrap_or(1)
    }

    /// Returns the page of a request; `None` if there is no such page.
    pub fn link(&self, reference: &str) -> Option<String> {
        self.link.as_ref().map(|link| link.replace(REFERENCE, reference))
    }
}

/// What stands for the reference in `link`.
const REFERENCE: &str = "{reference}";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ApprovalsTable {
    expire_hours: Option<Spanned<u64>>,
    link: Option<Spanned<String>>,
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
        let link = match &self.link {
            None => None,
            Some(text) if is_link(text.get_ref()) => Some(text.get_ref().clone()),
            Some(text) => {
                return Err(lines.wrong(
                    text,
                    format!(
                        "approvals.link `{}` is not valid; write it like `https://host/console/removals/{REFERENCE}`",
                        text.get_ref()
                    ),
                ));
            }
        };
        Ok(Approvals { expire: Duration::from_secs(hours.saturating_mul(3600)), required, link })
    }
}

/// Whether a text is a web address with one `{reference}`, in characters that no platform's markup ends at.
fn is_link(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&+,;=%{}".contains(&byte);
    text.matches(REFERENCE).count() == 1
        && text.len() <= 1024
        && text.bytes().all(is_plain)
        && is_web_address(&text.replace(REFERENCE, "K7Q2M9XA"))
}

#[cfg(test)]
mod tests {
    use super::is_link;

    #[test]
    fn links() {
        for (text, valid) in [
            ("https://offboard.example.com/console/removals/{reference}", true),
            ("http://127.0.0.1:3000/?r={reference}", true),
            ("https://offboard.example.com/", false),
            ("http://offboard.example.com/{reference}", false),
            ("https://offboard.example.com/{reference}/{reference}", false),
            ("https://offboard.example.com/{reference})", false),
            ("https://offboard.example.com/{id}", false),
        ] {
            assert_eq!(is_link(text), valid, "{text}");
        }
    }
}

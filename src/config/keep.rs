//! `[keep]`: for how long rows are kept that nothing depends on any more. Without it they stay for good.

use serde::Deserialize;
use toml::Spanned;

use crate::config::lines::{ConfigError, Lines};

/// The longest time, in days: ten years.
const MOST_DAYS: u64 = 3650;

/// The shortest time for rows that keep a delivery from being carried out again, in days. No sender repeats a delivery after a
/// year.
const FEWEST_DAYS_OF_DECIDED: u64 = 400;

/// `[keep]`, checked. `None` keeps rows for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// How many days rows of refused requests are kept that stand for no delivery.
    pub refused_days: Option<u32>,
    /// How many days rows of denied, expired and cancelled requests are kept, which stand for their delivery.
    pub decided_days: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeepTable {
    refused_days: Option<Spanned<u64>>,
    decided_days: Option<Spanned<u64>>,
}

impl KeepTable {
    /// Checks the table.
    pub(super) fn read(&self, lines: &Lines<'_>) -> Result<Keep, ConfigError> {
        let days = |key: &str, days: &Option<Spanned<u64>>, fewest: u64| {
            let Some(days) = days else { return Ok(None) };
            let number = *days.get_ref();
            match u32::try_from(number).ok().filter(|_| (fewest..=MOST_DAYS).contains(&number)) {
                Some(days) => Ok(Some(days)),
                None => Err(lines.wrong(days, format!("keep.{key} is {number}; use {fewest} to {MOST_DAYS}"))),
            }
        };
        Ok(Keep {
            refused_days: days("refused_days", &self.refused_days, 1)?,
            decided_days: days("decided_days", &self.decided_days, FEWEST_DAYS_OF_DECIDED)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers;
    use crate::config::Config;

    fn keep(table: &str) -> Result<Keep, String> {
        let text = format!("{}\n[keep]\n{table}\n", include_str!("../../config/offboard.toml"));
        Config::parse(&text, &callers::shapes()).map(|config| config.keep).map_err(|error| error.message)
    }

    #[test]
    fn days() {
        for (table, expected) in [
            ("", Ok(Keep::default())),
            ("refused_days = 1", Ok(Keep { refused_days: Some(1), decided_days: None })),
            ("refused_days = 90\ndecided_days = 400", Ok(Keep { refused_days: Some(90), decided_days: Some(400) })),
            ("refused_days = 0", Err("keep.refused_days is 0; use 1 to 3650")),
            ("refused_days = 3651", Err("keep.refused_days is 3651; use 1 to 3650")),
            ("decided_days = 399", Err("keep.decided_days is 399; use 400 to 3650")),
        ] {
            assert_eq!(keep(table), expected.map_err(str::to_owned), "{table}");
        }
        assert!(keep("removed_days = 1").unwrap_err().contains("unknown field"));
        assert!(keep("refused_days = \"90\"").is_err());
        let demo = Config::parse(include_str!("../../config/offboard.toml"), &callers::shapes()).unwrap();
        assert_eq!(demo.keep, Keep::default());
    }
}

//! `[taurusdb]`: the default credentials, the language and the clock of policies.

use chrono::FixedOffset;
use serde::Deserialize;
use toml::Spanned;

use crate::config::credentials::AgencyTable;
use crate::config::lines::{ConfigError, Lines};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaurusdbTable {
    pub(super) credentials: Spanned<String>,
    pub(super) agency: Option<AgencyTable>,
    pub(super) language: Option<Spanned<String>>,
    utc_offset: Option<Spanned<String>>,
}

impl TaurusdbTable {
    /// Reads an offset like `+08:00`; UTC if there is none.
    pub(super) fn utc_offset(&self, lines: &Lines<'_>) -> Result<FixedOffset, ConfigError> {
        let utc = FixedOffset::east_opt(0);
        let offset = match &self.utc_offset {
            None => utc,
            Some(value) => value.get_ref().parse().ok().filter(|_| value.get_ref().len() == 6),
        };
        offset.ok_or_else(|| {
            lines.wrong_at(self.utc_offset.as_ref(), "taurusdb.utc_offset is not valid; write it like `+08:00`")
        })
    }
}

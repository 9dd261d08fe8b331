//! The tables of offboard.toml as they are written. Each table is checked in its own file.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::config::accounts::AccountsTable;
use crate::config::approvals::ApprovalsTable;
use crate::config::caller_table::CallerTable;
use crate::config::credentials::CredentialsTable;
use crate::config::instance::InstanceTable;
use crate::config::keep::KeepTable;
use crate::config::limits::LimitsTable;
use crate::config::notify::NotifyTable;
use crate::config::people::PersonTable;
use crate::config::taurusdb::TaurusdbTable;
use crate::config::teams::TeamTable;

/// The whole file. Unknown keys are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) taurusdb: TaurusdbTable,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    #[serde(default)]
    pub(super) credentials: Vec<CredentialsTable>,
    #[serde(default)]
    pub(super) instance: Vec<InstanceTable>,
    #[serde(default)]
    pub(super) team: Vec<TeamTable>,
    #[serde(default)]
    pub(super) person: Vec<PersonTable>,
    #[serde(default)]
    pub(super) approvals: ApprovalsTable,
    #[serde(default)]
    pub(super) keep: KeepTable,
    #[serde(default)]
    pub(super) notify: Vec<NotifyTable>,
    /// Where the leavers of all callers had one table, which is refused.
    pub(super) leavers: Option<Spanned<IgnoredAny>>,
    #[serde(default)]
    pub(super) caller: Vec<CallerTable>,
    #[serde(default)]
    pub(super) accounts: AccountsTable,
}

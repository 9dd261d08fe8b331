//! `[accounts]`: which account names are protected, and which unusual ones are accepted.

use serde::Deserialize;

use crate::request::account_name::AccountRules;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AccountsTable {
    protected: Vec<String>,
    unusual: Vec<String>,
}

impl AccountsTable {
    pub(super) fn read(&self) -> AccountRules {
        AccountRules::new(&self.protected, &self.unusual)
    }
}

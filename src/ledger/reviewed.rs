//! What the ledger knows of the accounts of an instance: removals at any time, what waits, and all else of the last time.
//!
//! Removals that were sent have an index by instance, what waits has one, and all else is looked for along the ids, whose beginning
//! is the time: no statement reads the whole table.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::row::RemovalRow;
use crate::ledger::sql::{columns, first_id};

/// The items of the list are arrays with one name, because a value of JSON itself is text in one database only.
macro_rules! named {
    () => {
        " AND r.user_name IN (SELECT j.value->>0 FROM json_each(CAST(?1 AS text)) j)"
    };
}

const OF_ACCOUNTS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM removals WHERE id IN (
        SELECT r.id FROM removals r WHERE r.instance = ?2 AND r.claimed_at IS NOT NULL AND r.state = 'removed'",
    named!(),
    " UNION SELECT r.id FROM removals r WHERE r.state IN ('awaiting-confirmation', 'awaiting-approval')
            AND r.expires_at > ?4 AND r.instance = ?2",
    named!(),
    " UNION SELECT r.id FROM removals r WHERE r.id >= ?3 AND r.instance = ?2",
    named!(),
    ") ORDER BY id DESC LIMIT 5000"
);

pub(super) const STATEMENTS: &[&str] = &[OF_ACCOUNTS];

/// The statement, for a test that looks at its plan.
pub fn statement() -> &'static str {
    OF_ACCOUNTS
}

impl<H: Host> Ledger<'_, H> {
    /// The rows of some accounts of an instance, newest first: those that removed the account, those that wait, and all that were
    /// asked for since a time.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn rows_of_accounts(
        &self,
        instance: &str,
        user_names: &BTreeSet<String>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        let names: Vec<[&str; 1]> = user_names.iter().map(|name| [name.as_str()]).collect();
        let parameters: Vec<Value> = vec![
            serde_json::json!(names).to_string().as_str().into(),
            instance.into(),
            first_id(since.timestamp_millis()).as_str().into(),
            now.timestamp_millis().into(),
        ];
        let rows = self.host().query(OF_ACCOUNTS, parameters).await?;
        rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
    }
}

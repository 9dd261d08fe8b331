//! A row of the ledger, as the suites read it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) delivery: Option<String>,
    pub(crate) state: String,
    pub(crate) asked_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) caller: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) policies: String,
    pub(crate) attempts: i64,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) confirmed_by: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) dry_run: bool,
}

impl Row {
    /// Reads a row from its columns.
    pub(crate) fn of(columns: &BTreeMap<String, Option<String>>) -> Self {
        let text = |name: &str| columns[name].clone();
        Self {
            id: text("id").unwrap(),
            delivery: text("delivery"),
            state: text("state").unwrap(),
            asked_at: number(columns, "asked_at").unwrap(),
            ended_at: number(columns, "ended_at"),
            caller: text("caller"),
            kind: text("kind"),
            actor: text("actor"),
            instance: text("instance"),
            user_name: text("user_name"),
            reason: text("reason"),
            policies: text("policies").unwrap(),
            attempts: number(columns, "attempts").unwrap(),
            status: number(columns, "status"),
            code: text("code"),
            message: text("message"),
            request_id: text("request_id"),
            confirmed_by: text("confirmed_by"),
            reference: text("reference"),
            expires_at: number(columns, "expires_at"),
            dry_run: number(columns, "dry_run") == Some(1),
        }
    }
}

fn number<T: FromStr<Err: Debug>>(columns: &BTreeMap<String, Option<String>>, name: &str) -> Option<T> {
    columns[name].as_ref().map(|text| text.parse().unwrap())
}

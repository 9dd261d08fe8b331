//! Reading rows: one by its id, and pages of them, newest first.
//!
//! A row keeps its id when its delivery is tried again, and takes the time of the last try. So the id orders the rows and is the
//! cursor of a page, and no row is read twice or missed while others are written. The id's first 48 bits are the time of the
//! first try.

use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::row::RemovalRow;
use crate::ledger::sql::{END, columns};
use crate::outcome::state::State;
use crate::request::ids::Reference;
use crate::request::removal_query::RemovalQuery;

const ROW: &str = concat!("SELECT ", columns!(), " FROM removals WHERE id = ?1 OR reference = ?2");

/// By how much a clock may have been set back between a row's first try and its last.
const SET_BACK: i64 = 86_400_000;

/// The conditions on every row; the parameters are the same for both statements.
macro_rules! list {
    ($instance:literal, $actor:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM removals WHERE id < ?1 AND ",
            $instance,
            " AND ",
            $actor,
            " AND (user_name = ?4 OR ?4 IS NULL) AND (state = ?5 OR ?5 IS NULL) AND asked_at >= ?6 AND asked_at < ?7
            ORDER BY id DESC LIMIT ?8"
        )
    };
}

/// Along the ids, until the page is full.
const ALL: &str = list!("(instance = ?2 OR ?2 IS NULL)", "(actor = ?3 OR ?3 IS NULL)");

/// By `removals_by_actor`: a part of the rows, which are then sorted.
const BY_ACTOR: &str = list!("(instance = ?2 OR ?2 IS NULL)", "actor = ?3");

pub(super) const STATEMENTS: &[&str] = &[ROW, ALL, BY_ACTOR];

/// The statement for a query. One for all would not do: SQLite uses no index for a condition that a parameter can turn off.
pub fn statement(query: &RemovalQuery) -> &'static str {
    match query {
        RemovalQuery { actor: Some(_), .. } => BY_ACTOR,
        _ => ALL,
    }
}

impl<H: Host> Ledger<'_, H> {
    /// The row of an id or a reference.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn row(&self, id: &str) -> Result<Option<RemovalRow>, StoreError> {
        let reference = Reference::parse(id);
        let reference = reference.as_ref().map(Reference::as_str);
        RemovalRow::first(&self.host().query(ROW, vec![id.into(), reference.into()]).await?)
    }

    /// At most `count` of the rows that a query selects, older than `before`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub async fn rows(
        &self,
        query: &RemovalQuery,
        before: Option<&str>,
        count: usize,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        // A row has its id from the moment it is asked for, so no id is much later than its row's time.
        let newest = query.until.map(|until| {
            let millis = until.saturating_add(SET_BACK).clamp(0, 0xffff_ffff_ffff);
            format!("{millis:012x}{END}")
        });
        let before = match (before, newest.as_deref()) {
            (Some(before), Some(newest)) => before.min(newest),
            (before, newest) => before.or(newest).unwrap_or(END),
        };
        let parameters = vec![
            before.into(),
            query.instance.as_deref().into(),
            query.actor.as_deref().into(),
            query.user_name.as_deref().into(),
            query.state.map(State::as_str).into(),
            query.since.unwrap_or(i64::MIN).into(),
            query.until.unwrap_or(i64::MAX).into(),
            Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
        ];
        let rows = self.host().query(statement(query), parameters).await?;
        rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
    }
}

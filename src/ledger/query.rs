//! Rows by what they are about, newest first, a stretch at a time.
//!
//! A row keeps its id when its delivery is tried again, and takes the time of the last try: so it is the id that orders the
//! rows and marks how far somebody has read, and no row is met twice or missed while others are written. The id's first 48
//! bits are the time of the first try.

use crate::host::{Host, StoreError, Value};
use crate::ledger::row::RemovalRow;
use crate::ledger::sql::columns;
use crate::outcome::state::State;
use crate::request::removal_query::RemovalQuery;

/// By how much a clock may have been set back between a row's first try and its last.
const SET_BACK: i64 = 86_400_000;

/// Later than every id.
const END: &str = "g";

/// What is asked of every row; the parameters are the same for all three.
macro_rules! list {
    ($instance:literal, $actor:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM removals WHERE id < ?1 AND ",
            $instance,
            " AND ",
            $actor,
            " AND (?4 IS NULL OR user_name = ?4) AND (?5 IS NULL OR state = ?5) AND asked_at >= ?6 AND asked_at < ?7
            ORDER BY id DESC LIMIT ?8"
        )
    };
}

/// Along the ids, until there are enough.
const ALL: &str = list!("(?2 IS NULL OR instance = ?2)", "(?3 IS NULL OR actor = ?3)");

/// By `removals_by_actor`, a part of the rows; they are sorted.
const BY_ACTOR: &str = list!("(?2 IS NULL OR instance = ?2)", "actor = ?3");

/// By `removals_by_instance`, and by the time. Without a time that could be all there is, to be sorted for every page.
const BY_INSTANCE: &str = list!("instance = ?2", "(?3 IS NULL OR actor = ?3)");

/// The statement for a search. Not one for all: SQLite uses no index for a condition that a parameter can turn off.
pub fn statement(search: &RemovalQuery) -> &'static str {
    match search {
        RemovalQuery { actor: Some(_), .. } => BY_ACTOR,
        RemovalQuery { instance: Some(_), since: Some(_), .. } => BY_INSTANCE,
        _ => ALL,
    }
}

/// At most `count` of the rows that a search is for, older than `before`.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn list<H: Host>(
    host: &H,
    search: &RemovalQuery,
    before: Option<&str>,
    count: usize,
) -> Result<Vec<RemovalRow>, StoreError> {
    // Nothing is asked for before it has its id, so of what was asked before a time no id is much later.
    let newest = search.until.map(|until| {
        let millis = until.saturating_add(SET_BACK).clamp(0, 0xffff_ffff_ffff);
        format!("{millis:012x}{END}")
    });
    let before = match (before, newest.as_deref()) {
        (Some(before), Some(newest)) => before.min(newest),
        (before, newest) => before.or(newest).unwrap_or(END),
    };
    let parameters = vec![
        before.into(),
        search.instance.as_deref().into(),
        search.actor.as_deref().into(),
        search.user_name.as_deref().into(),
        search.state.map(State::as_str).into(),
        search.since.unwrap_or(i64::MIN).into(),
        search.until.unwrap_or(i64::MAX).into(),
        Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
    ];
    let rows = host.query(statement(search), parameters).await?;
    rows.iter().filter_map(|row| RemovalRow::read(row).transpose()).collect()
}

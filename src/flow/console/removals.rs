//! *Removals*: the rows that a filter selects, as far as the reader may see them, as a page and as CSV.
//!
//! The filter is read as the query of `GET /removals` is, but for what a form sends: fields that are empty do not filter, and *From*
//! and *Until* are days at the operator's offset from UTC, the last one included.

use chrono::{Days, FixedOffset, NaiveDate, NaiveTime};

use crate::console::chart::{Day, Statistics};
use crate::console::href;
use crate::console::pages::removals::{Filter, RemovalSummary, Removals, UnknownRemoval, page};
use crate::flow::console::field_error::field_error;
use crate::flow::console::people;
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::ledger::export;
use crate::ledger::row::RemovalRow;
use crate::operations::console::navigation::{instances_to_audit, may};
use crate::operations::console::removal_history::{RemovalHistory, removal_history};
use crate::operations::console::waiting_for::required_approvals;
use crate::operations::console::{RemovalPage, removal_page};
use crate::operations::report::Refusal;
use crate::outcome::denial::Denial;
use crate::outcome::language::Localized;
use crate::outcome::state::State;
use crate::outcome::{Denied, Outcome};
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::removal_query::RemovalQuery;
use crate::request::strict::Fields;

/// The fields that are read as the query of `GET /removals` is.
const TEXTS: [&str; 5] = ["user_name", "instance", "state", "actor", "cursor"];

const DAY: Localized = Localized { en: "a day, such as `2026-06-01`", zh: "日期，例如 `2026-06-01`" };

/// Returns the page.
///
/// # Errors
///
/// If policies forbid the reader to see any removal that the filter could select, or the ledger cannot be used.
pub(super) async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let ctx = visit.ctx;
    let mut view = Removals {
        filter: filter(visit),
        instances: instances_to_audit(ctx).into_iter().map(|instance| instance.name.clone()).collect(),
        statistics: statistics(visit).await?,
        unknown: unknown(visit).await?,
        cursor: visit.fields.value("cursor").filter(|cursor| !cursor.is_empty()).map(str::to_owned),
        ..Removals::default()
    };
    let query = query(visit).unwrap_or_else(|error| {
        view.error = Some(field_error(error, ctx.language));
        // The page says that all rows are shown.
        parsed(visit, &["cursor"]).unwrap_or_default()
    });
    let found = visible(removal_page(ctx, &query).await)?;
    view.rows = found.rows.iter().map(|row| summary(visit, row)).collect();
    view.next = found.next;
    Ok(visit.html(page(&visit.frame().await?, &view)))
}

/// Returns the rows of the page as CSV, exactly as `GET /removals` gives them.
///
/// # Errors
///
/// If the filter is wrong; if policy lets the reader see nothing that it could select; if the ledger cannot be used.
pub(super) async fn csv<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let RemovalPage { rows, .. } = removal_page(visit.ctx, &query(visit)?).await?;
    Ok(visit.csv("removals.csv", export::csv(&rows)))
}

/// The page; empty for a reader who has made no request and whom no policy lets see those of others: every reader has this page, and
/// no policy forbids it.
fn visible<'c>(page: Result<RemovalPage, Refusal<'c>>) -> Result<RemovalPage, Refusal<'c>> {
    page.or_else(|refusal| match refusal.outcome() {
        Outcome::Denied(Denied::Audit(Denial::NotPermitted)) => Ok(RemovalPage::default()),
        _ => Err(refusal),
    })
}

fn filter<H: Host>(visit: &Visit<'_, '_, H>) -> Filter {
    let value = |name| visit.value(name).to_owned();
    Filter {
        user_name: value("user_name"),
        instance: value("instance"),
        state: State::parse(visit.value("state")),
        actor: value("actor"),
        since: value("since"),
        until: value("until"),
    }
}

fn query<H: Host>(visit: &Visit<'_, '_, H>) -> Result<RemovalQuery, RequestError> {
    let query = parsed(visit, &TEXTS)?;
    let offset = visit.ctx.app.config.utc_offset;
    let since = day(visit, "since")?.map(|day| midnight(day, offset));
    let until = day(visit, "until")?.map(|day| midnight(day.checked_add_days(Days::new(1)).unwrap_or(day), offset));
    Ok(RemovalQuery { since, until, ..query })
}

/// What these fields select, by the rules of `GET /removals`.
fn parsed<H: Host>(visit: &Visit<'_, '_, H>, names: &[&str]) -> Result<RemovalQuery, RequestError> {
    let given: Vec<_> = names.iter().map(|name| (*name, visit.value(name))).collect();
    let given = href::with_query("", &given);
    RemovalQuery::parse(&Fields::from_query(given.trim_start_matches('?'))?)
}

/// The day in a field; `None` if the field is empty.
fn day<H: Host>(visit: &Visit<'_, '_, H>, name: &'static str) -> Result<Option<NaiveDate>, RequestError> {
    let given = visit.value(name);
    if given.is_empty() {
        return Ok(None);
    }
    // The parser takes days without their zeros as well.
    let day = given.parse::<NaiveDate>().ok().filter(|day| given.len() == 10 && day.to_string() == given);
    day.map(Some).ok_or_else(|| RequestError::invalid(name, given, DAY))
}

/// When a day begins, in milliseconds since 1970.
fn midnight(day: NaiveDate, offset: FixedOffset) -> i64 {
    let seconds = i64::from(offset.local_minus_utc());
    day.and_time(NaiveTime::MIN).and_utc().timestamp_millis().saturating_sub(seconds.saturating_mul(1000))
}

fn summary<H: Host>(visit: &Visit<'_, '_, H>, row: &RemovalRow) -> RemovalSummary {
    let config = &visit.ctx.app.config;
    RemovalSummary {
        id: row.id.as_str().to_owned(),
        account: people::account_of_row(config, row),
        state: row.state,
        requester: people::requester_of_row(config, row),
        policies: row.policies.clone(),
        votes: people::votes_of_row(config, row),
        required: required_approvals(config, row),
        protected_by: protected_by(visit, row),
        asked_at: row.asked_at,
        ended_at: row.ended_at,
    }
}

/// The pattern that protects the account of a row that was refused for it.
fn protected_by<H: Host>(visit: &Visit<'_, '_, H>, row: &RemovalRow) -> Option<String> {
    let user_name = row.user_name.as_deref()?;
    let protected = Outcome::from(RequestError::AccountProtected { name: user_name.to_owned() });
    let is_refused_for_it = row.code.as_deref() == Some(&*protected.code());
    is_refused_for_it.then(|| visit.ctx.app.config.accounts.protected_by(user_name)).flatten()
}

/// The removals of unknown outcome that the reader may see.
async fn unknown<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Vec<UnknownRemoval>, Refusal<'c>> {
    let query = RemovalQuery { state: Some(State::Unknown), ..RemovalQuery::default() };
    let found = visible(removal_page(visit.ctx, &query).await)?;
    let unknown = found.rows.iter().filter_map(|row| {
        let account = people::account_of_row(&visit.ctx.app.config, row)?;
        Some(UnknownRemoval { id: row.id.as_str().to_owned(), account, at: row.ended_at.unwrap_or(row.asked_at) })
    });
    Ok(unknown.collect())
}

/// The numbers of the charts, for a reader who may see the ledger as a whole; `None` for others, and if there was no time to count all:
/// a day that lacks some requests looks like one that had fewer.
async fn statistics<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Option<Statistics>, Refusal<'c>> {
    if !may(visit.ctx).policy {
        return Ok(None);
    }
    let RemovalHistory { days, decisions, is_complete } = removal_history(visit.ctx).await?;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let days = days.into_iter().map(|of_day| {
        let mut day = Day::new(of_day.day);
        of_day.counts.into_iter().for_each(|(state, requests)| day.add(state, count(requests)));
        day
    });
    let (days, expired) = (days.collect(), count(decisions.expired));
    Ok(is_complete.then_some(Statistics { days, decided_after: decisions.took, expired }))
}

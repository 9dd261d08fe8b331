//! Lists removals: a page of the rows that a query selects, as far as the reader may see them.
//!
//! Rows that the reader may not see are left out as if they did not exist: neither the number of rows nor whether there is a next
//! page depends on them. Only if the time for a page ends before it is full does its cursor tell.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::SecondsFormat;
use http::StatusCode;
use serde_json::json;

use crate::host::Host;
use crate::ledger::export::{csv, time};
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::reader::Reader;
use crate::operations::report::{Content, Refusal};
use crate::outcome::log_event::log_event;
use crate::outcome::unseen::visible_json;
use crate::outcome::{Denied, Outcome};
use crate::reply::Rendered;
use crate::request::removal_query::{ListFormat, RemovalQuery};

/// The fewest rows that are read at once: a reader who may see few of them needs fewer statements.
const STRETCH: usize = 100;

/// How long a page is read for, at most. The rows read by then are the answer, and the next page continues from there.
const PATIENCE: Duration = Duration::from_secs(5);

/// A page of removals that the reader may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalPage {
    /// The rows, newest first.
    pub rows: Vec<RemovalRow>,
    /// The policies that permit the reader to see them; none for the reader's own requests.
    pub policies: BTreeSet<String>,
    /// The cursor of the next page; `None` if there is none.
    pub next: Option<String>,
}

/// A page of the rows that a query selects.
///
/// # Errors
///
/// If policy lets the reader see none of what the query could select, whatever the ledger holds; if the ledger cannot be used.
pub(crate) async fn list_removals<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    query: &RemovalQuery,
    format: ListFormat,
) -> Result<Content, Refusal<'c>> {
    let RemovalPage { rows, policies, next } = removal_page(ctx, query).await?;
    let body = match format {
        ListFormat::Json => {
            json!({"removals": rows.iter().map(RemovalRow::json).collect::<Vec<_>>(), "next": next}).to_string()
        }
        ListFormat::Csv => csv(&rows),
        ListFormat::Lines => rows.iter().map(|row| format!("{}\n", visible_json(&row.json()))).collect(),
    };
    let rendered = Rendered::of(format.content_type(), StatusCode::OK, body);
    Ok(Content { policies: policies.into_iter().collect(), next, ..Content::of(rendered) })
}

/// The same as data. The log has a line of who read what.
///
/// # Errors
///
/// As `list_removals`.
pub async fn removal_page<'c, H: Host>(ctx: &Ctx<'c, H>, query: &RemovalQuery) -> Result<RemovalPage, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    ctx.stored(ledger.expire(ctx.language, ctx.at).await)?;
    let mut reader = Reader::new(ctx);
    let page = read_page(ctx, query, &mut reader).await?;
    if page.rows.is_empty() && page.next.is_none() && query.cursor.is_none() {
        reader.may_search(query).map_err(|denial| {
            Refusal::from(Outcome::Denied(Denied::Audit(denial))).map(|report| report.decided_by(&[]))
        })?;
    }
    let event = json!({
        "event": "listed",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "policies": page.policies,
        "search": {
            "instance": query.instance,
            "user_name": query.user_name,
            "actor": query.actor,
            "state": query.state.map(|state| state.as_str()),
            "since": query.since.and_then(time),
            "until": query.until.and_then(time),
            "limit": query.limit,
            "cursor": query.cursor,
        },
        "rows": page.rows.len(),
    });
    log_event(ctx.host, event);
    Ok(page)
}

async fn read_page<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    query: &RemovalQuery,
    reader: &mut Reader<'_, 'c, H>,
) -> Result<RemovalPage, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    // One row more than fits tells that there is a next page.
    let wanted = usize::from(query.limit).saturating_add(1);
    let stretch = wanted.max(STRETCH);
    let until = ctx.host.elapsed().saturating_add(PATIENCE.min(ctx.budget.left_to_send(ctx.host)));
    let mut page = RemovalPage { rows: Vec::new(), policies: BTreeSet::new(), next: None };
    let mut read_to = query.cursor.clone();
    loop {
        let rows = ctx.stored(ledger.rows(query, read_to.as_deref(), stretch).await)?;
        let is_last = rows.len() < stretch;
        read_to = rows.last().map(|row| row.id.as_str().to_owned());
        for row in rows {
            if page.rows.len() == wanted {
                break;
            }
            if !reader.is_own(&row) {
                let response = reader.response(&row);
                if !response.allowed {
                    continue;
                }
                page.policies.extend(response.policies.iter().cloned());
            }
            page.rows.push(row);
        }
        if page.rows.len() == wanted {
            page.rows.pop();
            page.next = page.rows.last().map(|row| row.id.as_str().to_owned());
            return Ok(page);
        }
        if is_last {
            return Ok(page);
        }
        if ctx.host.elapsed() >= until {
            page.next = read_to;
            return Ok(page);
        }
    }
}

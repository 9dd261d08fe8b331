//! Searches the ledger.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::flow::record::Told;
use crate::host::Host;
use crate::ledger::export::{self, time};
use crate::ledger::row::RemovalRow;
use crate::ledger::{approvals, query};
use crate::operations::get_removal::Reader;
use crate::operations::remove::ledger_down;
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::removal_query::{ListFormat, RemovalQuery};

/// The fewest rows that are read at once: whoever may see few of them need not ask the database as often.
pub(crate) const STRETCH: usize = 100;

/// How long a page is read for, at most. What was read by then is answered, and the next page goes on from there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A page of the rows that a search is for, as far as somebody may see them.
///
/// # Errors
///
/// [`Outcome::LookDenied`] when there is nothing that they might see, whatever the ledger holds; [`Outcome::LedgerDown`]
pub(crate) async fn search<H: Host>(
    host: &H,
    app: &App,
    actor: &Actor,
    search: &RemovalQuery,
    form: ListFormat,
    budget: &Budget,
    told: &mut Told<'_>,
) -> Result<Rendered, Outcome> {
    let down = |why| ledger_down(host, &why);
    app.open_ledger(host).await.map_err(down)?;
    approvals::expire(host, told.language, told.at).await.map_err(down)?;

    // One row more than fits says that there is a next page.
    let wanted = usize::from(search.limit).saturating_add(1);
    let stretch = wanted.max(STRETCH);
    let until = host.elapsed().saturating_add(PATIENCE.min(budget.left_to_send(host)));
    let mut reader = Reader::new(host, app, actor, told);
    let mut page: Vec<RemovalRow> = Vec::new();
    let mut policies = BTreeSet::new();
    let mut read_to = search.cursor.clone();
    let mut next = None;
    loop {
        let rows = query::list(host, search, read_to.as_deref(), stretch).await.map_err(down)?;
        let is_last = rows.len() < stretch;
        read_to = rows.last().map(|row| row.id.as_str().to_owned());
        for row in rows {
            if page.len() == wanted {
                break;
            }
            if !reader.is_own(&row) {
                let verdict = reader.verdict(reader.account(&row));
                if !verdict.allowed {
                    continue;
                }
                policies.extend(verdict.policies.iter().cloned());
            }
            page.push(row);
        }
        if page.len() == wanted {
            page.pop();
            next = page.last().map(|row| row.id.as_str().to_owned());
            break;
        }
        if is_last {
            break;
        }
        if host.elapsed() >= until {
            next = read_to;
            break;
        }
    }
    if page.is_empty() && next.is_none() && search.cursor.is_none() {
        reader
            .may_search(search)
            .map_err(|forbidden| Outcome::LookDenied { policies: forbidden.into_iter().collect() })?;
    }

    told.policies = policies.into_iter().collect();
    told.next.clone_from(&next);
    let line = json!({
        "event": "listed",
        "at": told.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "by": actor.principal,
        "policies": told.policies,
        "search": {
            "instance": search.instance,
            "user_name": search.user_name,
            "actor": search.actor,
            "state": search.state.map(|state| state.as_str()),
            "since": search.since.and_then(time),
            "until": search.until.and_then(time),
            "limit": search.limit,
            "cursor": search.cursor,
        },
        "rows": page.len(),
    });
    host.log(&line.to_string());
    let body = match form {
        ListFormat::Json => {
            json!({"removals": page.iter().map(RemovalRow::json).collect::<Vec<_>>(), "next": next}).to_string()
        }
        ListFormat::Csv => std::iter::once(export::csv_header()).chain(page.iter().map(RemovalRow::csv)).collect(),
        ListFormat::Lines => page.iter().map(|row| format!("{}\n", row.json())).collect(),
    };
    Ok(Rendered::of(form.content_type(), StatusCode::OK, body))
}

//! The response, in the form of the sender's platform.

use bytes::Bytes;
use http::Response;
use http::header::SET_COOKIE;

use crate::app::App;
use crate::flow::console::form_answer;
use crate::flow::exchange::Exchange;
use crate::ledger::row::RemovalRow;
use crate::operations::facts::request_facts;
use crate::operations::report::{Content, LedgerRow, Report};
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::reply::api_body::api_body;
use crate::reply::response::{Facts, build};
use crate::reply::{Rendered, Reply};
use crate::taurusdb::error_codes;

/// The id that a report is found by: its row's, or the request's.
pub(super) fn report_id<'a>(exchange: &'a Exchange<'_>, report: &'a Report<'_>) -> &'a str {
    match &report.row {
        LedgerRow::Current(row) => row.id.as_str(),
        LedgerRow::Claimed(unsettled) => unsettled.claim.id().as_str(),
        LedgerRow::Stale(id) => id.as_str(),
        LedgerRow::Unwritten | LedgerRow::OfParts | LedgerRow::LoggedOnly => exchange.id.as_str(),
    }
}

/// What a reply tells about a report, to its sender.
pub(super) fn reply<'a>(
    exchange: &'a Exchange<'_>,
    app: Option<&'a App>,
    report: &'a Report<'_>,
    language: Language,
) -> Reply<'a> {
    let row = row_of(report);
    let removal = report.removal.as_ref();
    let of_row = || Some((row?.user_name.as_deref()?, row?.instance.as_deref()?));
    let sender = exchange.actor().map(|actor| actor.principal.as_str());
    let environment = removal.map(|removal| removal.instance.environment.as_str());
    Reply {
        outcome: &report.outcome,
        language,
        account: removal.map(|removal| (removal.user_name.as_str(), removal.instance.name.as_str())).or_else(of_row),
        environment,
        request: app.map(|app| request_facts(&app.config, sender, (row, removal))).unwrap_or_default(),
        policies: &report.policies,
        meaning: error_codes::meaning(&report.outcome.code()).map(|meaning| meaning.requester),
        retry_after: report.retry_after,
        removal_id: report_id(exchange, report),
        upstream_request_id: report.request_id.as_deref(),
        clicked: exchange.clicked(),
        is_decided_already: report.is_decided_already,
    }
}

fn row_of<'a>(report: &'a Report<'_>) -> Option<&'a RemovalRow> {
    match &report.row {
        LedgerRow::Current(row) => Some(row.as_ref()),
        LedgerRow::Claimed(unsettled) => Some(unsettled.claim.row()),
        LedgerRow::Unwritten | LedgerRow::Stale(_) | LedgerRow::OfParts | LedgerRow::LoggedOnly => None,
    }
}

/// The response to a report.
pub(super) fn report_response(exchange: &Exchange<'_>, app: Option<&App>, report: &Report<'_>) -> Response<Bytes> {
    let reply = reply(exchange, app, report, exchange.language);
    let rendered = match (&exchange.browser, exchange.kind()) {
        (Some(browser), _) => form_answer(browser, reply.outcome, reply.removal_id, exchange.at),
        (None, Some(kind)) => kind.render(&reply),
        (None, None) => api_body(&reply),
    };
    let facts = Facts {
        request_id: reply.upstream_request_id.unwrap_or(reply.removal_id),
        row: (!matches!(report.row, LedgerRow::OfParts | LedgerRow::LoggedOnly)).then_some(reply.removal_id),
        outcome: Some(&report.outcome),
        retry_after: report.retry_after,
        policies: &report.policies,
        next: None,
    };
    build(encrypted(exchange, rendered), &facts)
}

/// The response with an answer that is no outcome.
pub(super) fn content_response(exchange: &Exchange<'_>, content: &Content) -> Response<Bytes> {
    let facts = Facts {
        request_id: content.request_id.as_deref().unwrap_or(exchange.id.as_str()),
        policies: &content.policies,
        next: content.next.as_deref(),
        ..Facts::default()
    };
    let mut rendered = content.rendered.clone();
    let cookies = exchange.browser.iter().flat_map(|browser| &browser.cookies);
    rendered.headers.extend(cookies.map(|cookie| (SET_COOKIE, cookie.clone())));
    build(encrypted(exchange, rendered), &facts)
}

/// An early answer. The outcome is known already if the request is refused.
pub(super) fn early_response(
    exchange: &Exchange<'_>,
    rendered: Rendered,
    outcome: Option<&Outcome>,
) -> Response<Bytes> {
    let id = exchange.id.as_str();
    let facts = Facts { request_id: id, row: outcome.map(|_| id), outcome, ..Facts::default() };
    build(encrypted(exchange, rendered), &facts)
}

fn encrypted(exchange: &Exchange<'_>, rendered: Rendered) -> Rendered {
    match exchange.requester.session() {
        Some(session) => session.encrypt(rendered),
        None => rendered,
    }
}

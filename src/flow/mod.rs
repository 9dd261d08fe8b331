//! One request, from bytes to response.
//!
//! ```text
//! Inbound ─route─▶ Route ─authenticate─▶ Session ─parse─▶ Command ─dispatch─▶ Report ─record─▶ row ─render─▶ Response
//! ```
//!
//! Each arrow is one call. What surrounds them is the same for every ending: an early answer if the platform does not wait, the
//! row, the log line, the response, the follow-up messages; in this order, but that the response to a DELETE comes before its
//! row. Nothing is decided here: that is for `operations` and `policy`.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::app::App;
use crate::flow::authenticate::{Authenticated, Unproved, authenticate};
use crate::flow::dispatch::{Answered, dispatch};
use crate::flow::early_answer::{EarlyAnswer, Timing};
use crate::flow::exchange::{Arrival, Exchange};
use crate::flow::parse::{CommandRequest, Work, parse};
use crate::flow::respond::{content_response, reply, report_id, report_response};
use crate::flow::tell::{has_told, tell_now};
use crate::host::{DatabaseKind, Host, LogLabels};
use crate::ledger::GATEWAY;
use crate::operations::get_metrics::metrics_now;
use crate::operations::record::record;
use crate::operations::report::{Content, LedgerRow, Report};
use crate::outbound::budget::Budget;
use crate::outcome::{NotSent, Outcome};
use crate::reply::{Reply, RequestFacts};
use crate::request::error::RequestError;
use crate::request::inbound::{BODY_LIMIT, BodyError, Inbound};
use crate::request::route::{Route, route};
use crate::request::trace::trace_id;

mod authenticate;
mod console;
mod describe;
mod dispatch;
mod early_answer;
mod exchange;
mod follow_up;
mod health;
mod metrics;
mod parse;
mod ready;
mod respond;
mod secrets;
mod tell;

/// Answers one request, and finishes its work. `app` is where the errors are if configuration or policy cannot be used, for
/// strangers to read.
///
/// `answer` gets the response, once: before the work is over if the sender's platform does not wait for the outcome, which is then
/// sent where the platform takes it afterwards; else as soon as the outcome is known. The outcome of a DELETE is written behind the
/// answer: the claim is in the ledger, so no repeat is sent meanwhile.
pub async fn handle<H: Host>(
    host: &H,
    app: Result<&App, &str>,
    inbound: Inbound,
    body: Option<BodyError>,
    answer: impl FnOnce(Response<Bytes>),
) {
    let is_head = inbound.method == Method::HEAD;
    let is_trial = host.database().await == Ok(DatabaseKind::Trial);
    let answer = |mut response: Response<Bytes>| {
        if is_trial {
            response.headers_mut().insert("x-offboard-ledger", HeaderValue::from_static("memory"));
        }
        // The headers of GET, Content-Length included, without its body (RFC 9110, section 9.3.2).
        answer(if is_head { response.map(|_| Bytes::new()) } else { response });
    };
    host.labels().replace(LogLabels {
        gateway: GATEWAY,
        policy_set: app.ok().map(|app| app.policies.digest().to_owned()),
        trace_id: trace_id(&inbound.headers).map(str::to_owned),
    });
    let arrival = Arrival::now(host, app);
    let route = route(&inbound);
    let is_metrics = matches!(route, Ok(Route::Metrics));
    let challenge = route.as_ref().ok().and_then(Route::challenge);
    let answer = |response: Response<Bytes>| answer(challenged(response, challenge));
    let is_page = matches!(route, Ok(Route::Console(_))) && inbound.method != Method::POST;
    let (exchange, work) = match (route, app) {
        (Ok(Route::Health), _) => return answer(health::response(host, app, &arrival.id).await),
        (Ok(Route::Description), _) => return answer(describe::response(&inbound, &arrival.id)),
        (Ok(Route::Ready), _) => return answer(ready::response(host, app, &arrival).await),
        (Err(error), _) => (Exchange::anonymous(arrival), Err(error.into())),
        (Ok(_), Err(_)) => (Exchange::anonymous(arrival), Err(NotSent::ConfigurationUnusable.into())),
        (Ok(route), Ok(app)) => match body {
            Some(error) => (Exchange::anonymous(arrival), Err(RequestError::from(error).into())),
            None if route == Route::Metrics && metrics::is_scraper(host, &inbound).await => {
                let work = metrics_now(host, app, arrival.at).await;
                (Exchange::anonymous(arrival), work.map(Work::Reply).map_err(Outcome::from))
            }
            None => receive(host, app, &route.readable(inbound), &route, arrival).await,
        },
    };
    match work {
        Ok(Work::Reply(rendered)) => answer(content_response(&exchange, &Content::of(rendered))),
        Ok(Work::Command(request)) => carry_out(host, &exchange, *request, answer).await,
        Err(outcome) => {
            let (timing, answer) = match EarlyAnswer::plan_refused(&exchange, &outcome) {
                Some(planned) => (planned.send(&exchange, answer), None),
                None => (Timing::ON_TIME, Some(answer)),
            };
            // A monitoring system with an old token asks every few seconds, and a browser for pages on its own: they would fill the
            // ledger with rows of strangers. A console that is not there is a path like any other.
            let is_frequent = (is_metrics || (is_page && exchange.browser.is_some())) && exchange.actor().is_none();
            let row = if is_frequent { LedgerRow::LoggedOnly } else { LedgerRow::Unwritten };
            conclude(host, app, &exchange, Report { row, ..Report::new(outcome) }, (timing, answer)).await;
        }
    }
}

/// Whether the ledger is worth opening before a request is read: for every one but the questions for the gateway's health and for its
/// description, which do without, and the one whether it is ready, which opens the ledger by itself. `inbound` may have no body yet.
pub fn may_need_ledger(inbound: &Inbound) -> bool {
    !matches!(route(inbound), Ok(Route::Health | Route::Ready | Route::Description))
}

/// Returns the largest body that is read of a request, in bytes. `inbound` has none yet.
pub fn body_limit(app: Result<&App, &str>, inbound: &Inbound) -> usize {
    app.map_or(BODY_LIMIT, |app| authenticate::body_limit(&app.config, inbound))
}

/// An answer to a request that is not proved says which proofs there are (RFC 9110, section 15.5.2).
fn challenged(mut response: Response<Bytes>, challenge: Option<&'static str>) -> Response<Bytes> {
    if let (StatusCode::UNAUTHORIZED, Some(challenge)) = (response.status(), challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// Authenticates and parses a request.
async fn receive<'c, H: Host>(
    host: &H,
    app: &'c App,
    inbound: &Inbound,
    route: &Route,
    arrival: Arrival,
) -> (Exchange<'c>, Result<Work<'c>, Outcome>) {
    if let Route::Console(path) = route {
        // On the heap: every request has room for the largest of what it may become, and a page is by far that.
        return Box::pin(console::receive(host, app, inbound, path.as_ref(), arrival)).await;
    }
    match authenticate(host, app, inbound, route, arrival.at).await {
        Ok(Authenticated::Session(session)) => parse(host, app, inbound, *session, arrival),
        Ok(Authenticated::Handshake(rendered)) => (Exchange::anonymous(arrival), Ok(Work::Reply(rendered))),
        Err(Unproved { caller, outcome }) => (Exchange::claimed(arrival, caller), Err(outcome)),
    }
}

/// Carries out a command. A platform that does not wait gets an early answer.
async fn carry_out<'c, H: Host>(
    host: &H,
    exchange: &Exchange<'c>,
    request: CommandRequest<'c>,
    answer: impl FnOnce(Response<Bytes>),
) {
    let limits = request.app.config.limits;
    let budget = Budget::new(exchange.began, limits);
    let planned = EarlyAnswer::plan(exchange, &request.command, limits.early_answer);
    let CommandRequest { app, caller, actor, delivery, command } = request;
    let ctx = exchange.context(host, app, &budget, (caller, &actor));
    let work = pin!(dispatch(&ctx, command, delivery));
    let (answered, timing) = match planned {
        None => (work.await, (Timing::ON_TIME, Some(answer))),
        Some(planned) => planned.race(host, exchange, work, answer).await,
    };
    match answered {
        Ok(Answered::Report(report)) => conclude(host, Ok(app), exchange, *report, timing).await,
        Err(refusal) => conclude(host, Ok(app), exchange, *refusal.0, timing).await,
        Ok(Answered::Job(content, told)) => {
            let (_, answer) = timing;
            if let Some(answer) = answer {
                answer(content_response(exchange, &content));
            }
            join_all(told.iter().map(|report| tell_requester(host, app, exchange, report))).await;
            tell_now(host, app).await;
        }
        Ok(Answered::Content(content)) => {
            let (timing, answer) = timing;
            if let Some(answer) = answer {
                answer(content_response(exchange, &content));
            }
            if let Some(channel) = &timing.channel {
                channel.send(host, channel.content_bodies(&content.rendered), exchange.id.as_str()).await;
            }
            tell_now(host, app).await;
        }
    }
}

/// What every ending leaves behind: the response, the row, the log line, the follow-up messages.
async fn conclude<H: Host>(
    host: &H,
    app: Result<&App, &str>,
    exchange: &Exchange<'_>,
    report: Report<'_>,
    (timing, answer): (Timing<'_>, Option<impl FnOnce(Response<Bytes>)>),
) {
    let known = app.ok();
    // A row that has to be written first may say something else: another copy of the delivery may have been faster.
    let (before, after) = if matches!(report.row, LedgerRow::Claimed(_)) { (answer, None) } else { (None, answer) };
    if let Some(answer) = before {
        answer(report_response(exchange, known, &report));
    }
    let report = record(host, app, &exchange.origin(timing.late), report).await;
    if let Some(answer) = after {
        answer(report_response(exchange, known, &report));
    }
    let id = report_id(exchange, &report);
    if let Some(channel) = &timing.channel {
        channel.send(host, channel.bodies(&reply(exchange, known, &report, exchange.language)), id).await;
    }
    if let Ok(app) = app {
        tell_requester(host, app, exchange, &report).await;
        if has_told(&report) {
            tell_now(host, app).await;
        }
    }
}

/// Sends an outcome to the requester whom a report names, if their platform takes a follow-up message.
async fn tell_requester<H: Host>(host: &H, app: &App, exchange: &Exchange<'_>, report: &Report<'_>) {
    let Some(notify) = &report.notify else { return };
    let Some((channel, language)) = follow_up::channel_of_requester(host, app, notify).await else { return };
    let told = reply(exchange, Some(app), report, language);
    let request = RequestFacts { is_readers: true, ..told.request };
    let told = Reply { request, clicked: None, is_decided_already: false, ..told };
    channel.send(host, channel.bodies(&told), report_id(exchange, report)).await;
}

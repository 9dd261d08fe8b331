//! What every ending leaves behind: the row of a refusal or the outcome of a claim, and one line in the log.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::config::callers::Caller;
use crate::host::{Host, StoreError};
use crate::ledger::claims::Completion;
use crate::ledger::ending::{DecidedBy, Ending};
use crate::ledger::export::Event;
use crate::ledger::refusals::RefusedRequest;
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::ledger::{GATEWAY, Ledger};
use crate::operations::report::{LedgerRow, Report, Unsettled};
use crate::operations::tell;
use crate::outcome::language::Language;
use crate::outcome::log_event::log_event;
use crate::request::actor::Actor;
use crate::taurusdb::error_codes;

/// Whose request it is, as far as that was proved.
pub(crate) struct Origin<'a> {
    /// The request's id.
    pub(crate) id: &'a RemovalId,
    /// When it arrived.
    pub(crate) at: DateTime<Utc>,
    /// The language of its answer.
    pub(crate) language: Language,
    /// The caller, once the route named one.
    pub(crate) caller: Option<&'a Caller>,
    /// The actor, once the proof named one.
    pub(crate) actor: Option<&'a Actor>,
    /// Whether it was acknowledged first and the outcome follows.
    pub(crate) late: bool,
}

/// Writes the row of a report that has none, the outcome of one that was claimed, and the log line of any. What cannot be written
/// is said in the log. `app` is
/// the reason why configuration or policy cannot be used: also such a request has its row.
pub(crate) async fn record<'c, H: Host>(
    host: &H,
    app: Result<&App, &str>,
    origin: &Origin<'_>,
    report: Report<'c>,
) -> Report<'c> {
    let report = match report.row {
        LedgerRow::OfParts => return report,
        LedgerRow::Unwritten => match write(host, app, origin, &report).await {
            Ok(row) => Report { row: LedgerRow::Current(Box::new(row)), ..report },
            Err(why) => {
                let id = origin.id.as_str();
                host.log(&format!("ledger: the row of {id} could not be written: {why}"));
                report
            }
        },
        LedgerRow::Claimed(unsettled) => {
            let report = Report { row: LedgerRow::Unwritten, ..report };
            let settled = settle(host, app, origin, &report, &unsettled).await;
            let row = settled.map_or_else(
                |why| {
                    // The row stays in flight, so that a repeat is not sent.
                    let id = unsettled.claim.id();
                    host.log(&format!("ledger: the outcome of {} could not be written: {why}", id.as_str()));
                    LedgerRow::Stale(id.clone())
                },
                |row| LedgerRow::Current(Box::new(row)),
            );
            Report { row, ..report }
        }
        row @ (LedgerRow::Current(_) | LedgerRow::Stale(_) | LedgerRow::LoggedOnly) => Report { row, ..report },
    };
    log(host, app, origin, &report);
    report
}

/// Writes the outcome of a claim.
async fn settle<H: Host>(
    host: &H,
    app: Result<&App, &str>,
    origin: &Origin<'_>,
    report: &Report<'_>,
    unsettled: &Unsettled<'_>,
) -> Result<RemovalRow, StoreError> {
    let Unsettled { claim, at, attempts, upstream } = unsettled;
    let (outcome, request_id) = (&report.outcome, report.request_id.as_deref());
    let told = told(app, report, Some(claim.row()));
    let ending = Ending { outcome, language: origin.language, at: *at, notify: told.as_deref() };
    let completion = Completion { ending, request_id, attempts: *attempts, upstream: *upstream };
    open(host, app).await?.complete(claim, &completion).await
}

/// Who is told of the outcome, for the row's column.
fn told(app: Result<&App, &str>, report: &Report<'_>, row: Option<&RemovalRow>) -> Option<String> {
    tell::of_outcome(app.ok()?, report.removal.as_ref()?, row, &report.outcome)
}

async fn open<'a, H: Host>(host: &'a H, app: Result<&App, &str>) -> Result<Ledger<'a, H>, StoreError> {
    match app {
        Ok(app) => app.ledger(host).await,
        Err(_) => Ledger::open(host).await,
    }
}

async fn write<H: Host>(
    host: &H,
    app: Result<&App, &str>,
    origin: &Origin<'_>,
    report: &Report<'_>,
) -> Result<RemovalRow, StoreError> {
    let ledger = open(host, app).await?;
    let told = told(app, report, None);
    let refused = RefusedRequest {
        id: origin.id,
        asked_at: origin.at,
        ending: Ending { outcome: &report.outcome, language: origin.language, at: host.now(), notify: told.as_deref() },
        caller: origin.caller.map(|caller| (caller.name.as_str(), caller.kind.as_str())),
        actor: origin.actor.map(|actor| actor.principal.as_str()),
        removal: report.removal.as_ref(),
        reason: None,
        decided_by: DecidedBy { policies: &report.policies, policy_set: policy_set(app) },
    };
    ledger.refuse(&refused).await
}

/// The digest of the policy set that is in force; `None` if the files cannot be used.
fn policy_set<'a>(app: Result<&'a App, &str>) -> Option<&'a str> {
    app.ok().map(|app| app.policies.digest())
}

/// Writes the event's one JSON line: the row as it is now, so that a log pipeline has a copy of its own, and who did what to it.
fn log<H: Host>(host: &H, app: Result<&App, &str>, origin: &Origin<'_>, report: &Report<'_>) {
    let operator = app.map_or_else(|_| Language::default(), |app| app.config.language);
    let code = report.outcome.code();
    let event = Event {
        event: report.outcome.state(),
        by: origin.actor.map(|actor| actor.principal.as_str()),
        answered: &code,
        meaning: error_codes::meaning(&code).map(|meaning| meaning.operator.in_language(operator)),
        late: origin.late,
        written: matches!(report.row, LedgerRow::Current(_)),
    };
    let event = match &report.row {
        LedgerRow::Current(row) => row.event(&event),
        LedgerRow::Stale(id) => unwritten(id, app, origin, report).event(&event),
        LedgerRow::Unwritten | LedgerRow::Claimed(_) | LedgerRow::OfParts | LedgerRow::LoggedOnly => {
            unwritten(origin.id, app, origin, report).event(&event)
        }
    };
    log_event(host, event);
}

/// The row that could not be written or updated.
fn unwritten(id: &RemovalId, app: Result<&App, &str>, origin: &Origin<'_>, report: &Report<'_>) -> RemovalRow {
    let Report { outcome, removal, .. } = report;
    RemovalRow {
        id: id.clone(),
        state: outcome.state(),
        asked_at: origin.at.timestamp_millis(),
        caller: origin.caller.map(|caller| caller.name.clone()),
        kind: origin.caller.map(|caller| caller.kind.clone()),
        actor: origin.actor.map(|actor| actor.principal.clone()),
        instance: removal.as_ref().map(|removal| removal.instance.name.clone()),
        user_name: removal.as_ref().map(|removal| removal.user_name.as_str().to_owned()),
        policies: report.policies.clone(),
        policy_set: policy_set(app).map(str::to_owned),
        gateway: Some(GATEWAY.to_owned()),
        caused_by: removal.as_ref().and_then(|removal| removal.caused_by.clone()),
        status: Some(outcome.status().as_u16()),
        code: Some(outcome.code().into_owned()),
        message: Some(outcome.message(origin.language)),
        request_id: report.request_id.clone(),
        confirmed_by: outcome.confirmed_by().map(str::to_owned),
        ..RemovalRow::default()
    }
}

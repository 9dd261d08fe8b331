//! What every request leaves behind, however it ended: the row of a refusal, one line in the log, the response.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::app::App;
use crate::callers::kind::{CallerKind, Envelope};
use crate::callers::proof::{ActiveSecret, Proof};
use crate::config::callers::Caller;
use crate::flow::follow_up::FollowUpChannel;
use crate::host::{Host, StoreError};
use crate::ledger::export::Event;
use crate::ledger::refusals::{self, Refusal};
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::ledger::{claims, schema};
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::reply::{Rendered, Reply, api_body};
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;
use crate::request::removal::RemovalRequest;
use crate::taurusdb::{self, error_codes};

const ROW_ID: HeaderName = HeaderName::from_static("x-offboard-removal");

const CODE: HeaderName = HeaderName::from_static("x-offboard-code");

const NEXT: HeaderName = HeaderName::from_static("x-offboard-next");

const POLICY: HeaderName = HeaderName::from_static("x-offboard-policy");

const CONFIRMED_BY: HeaderName = HeaderName::from_static("x-offboard-confirmed-by");

const REFERENCE: HeaderName = HeaderName::from_static("x-offboard-reference");

const REQUEST_ID: HeaderName = HeaderName::from_static(taurusdb::REQUEST_ID);

/// What is known of a request so far: filled by the story.
pub(crate) struct Told<'c> {
    pub(crate) id: RemovalId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) language: Language,
    pub(crate) caller: Option<&'c Caller>,
    /// Set once the request is proved: from then on its answer has the platform's form.
    pub(crate) kind: Option<&'static CallerKind>,
    pub(crate) actor: Option<Actor>,
    pub(crate) removal: Option<RemovalRequest<'c>>,
    pub(crate) policies: Vec<String>,
    pub(crate) request_id: Option<String>,
    /// When to ask again, in seconds from now.
    pub(crate) retry_after: Option<u64>,
    /// The row of the outcome, once it is written.
    pub(crate) record: Option<RemovalRow>,
    /// Whether the outcome has its row, or had one that could not be brought up to date.
    pub(crate) recorded: bool,
    /// Whether the asker was told to wait, and heard the outcome afterwards.
    pub(crate) late: bool,
    /// Whoever asked for what somebody else decided, to be told as well.
    pub(crate) notify: Option<Notify<'c>>,
    /// Where whoever asked can still be told when their platform waits no longer.
    pub(crate) channel: Option<FollowUpChannel<'c>>,
    /// The rows of what it is made of speak for it: it has none of its own.
    pub(crate) is_summary: bool,
    /// The button that they clicked, where they did.
    pub(crate) clicked: Option<ApprovalAction>,
    /// What the answer is encrypted with.
    pub(crate) sealed: Option<Sealed<'c>>,
    /// The cursor of the page that follows this one.
    pub(crate) next: Option<String>,
}

/// Somebody who hears of an outcome without waiting for it.
pub(crate) struct Notify<'c> {
    pub(crate) channel: FollowUpChannel<'c>,
    pub(crate) language: Language,
}

/// What an answer is encrypted with, for platforms that want it so.
pub(crate) struct Sealed<'c> {
    envelope: fn(Rendered, &Envelope<'_>) -> Rendered,
    caller: &'c Caller,
    key: ActiveSecret,
    plain: Bytes,
    at: DateTime<Utc>,
    random: u128,
}

impl<'c> Sealed<'c> {
    /// What the kind of a verified request wants; `None` for one whose answers are read as they are.
    pub(crate) fn of<H: Host>(host: &H, kind: &'static CallerKind, caller: &'c Caller, proof: &Proof) -> Option<Self> {
        Some(Self {
            envelope: kind.envelope?,
            caller,
            key: proof.key.clone()?,
            plain: proof.plain.clone().unwrap_or_default(),
            at: host.now(),
            random: host.random(),
        })
    }

    fn seal(&self, rendered: Rendered) -> Rendered {
        let Self { caller, key, plain, at, random, .. } = self;
        (self.envelope)(rendered, &Envelope { caller, key, plain, now: *at, random: *random })
    }
}

impl<'c> Told<'c> {
    /// A request of which nothing is known but that it came now.
    pub(crate) fn new<H: Host>(host: &H, language: Language) -> Self {
        let at = host.now();
        Self {
            id: RemovalId::new(at, host.random()),
            at,
            language,
            caller: None,
            kind: None,
            actor: None,
            removal: None,
            policies: Vec::new(),
            request_id: None,
            retry_after: None,
            record: None,
            recorded: false,
            late: false,
            notify: None,
            channel: None,
            is_summary: false,
            clicked: None,
            sealed: None,
            next: None,
        }
    }

    /// Of one removal of several that the same request is about.
    pub(crate) fn part<H: Host>(&self, host: &H) -> Self {
        let mut part = Self::new(host, self.language);
        (part.at, part.caller, part.kind) = (self.at, self.caller, self.kind);
        part.actor.clone_from(&self.actor);
        part
    }

    /// Speaks of this row from now on.
    pub(crate) fn about(&mut self, record: RemovalRow) {
        self.id = record.id.clone();
        self.policies.clone_from(&record.policies);
        self.request_id.clone_from(&record.request_id);
        self.recorded = true;
        self.record = Some(record);
    }

    /// Writes the row of a request that ended without one.
    pub(crate) async fn record<H: Host>(&mut self, host: &H, app: Result<&App, &str>, outcome: &Outcome) {
        if self.recorded {
            return;
        }
        match self.refuse(host, app, outcome).await {
            Ok(record) => {
                self.id = record.id.clone();
                self.record = Some(record);
            }
            Err(StoreError(why)) => {
                host.log(&format!("ledger: the row of {} could not be written: {why}", self.id.as_str()));
            }
        }
    }

    async fn refuse<H: Host>(
        &self,
        host: &H,
        app: Result<&App, &str>,
        outcome: &Outcome,
    ) -> Result<RemovalRow, StoreError> {
        match app {
            Ok(app) => app.open_ledger(host).await?,
            Err(_) => schema::open(host).await?,
        }
        let refusal = Refusal {
            id: &self.id,
            at: self.at,
            ended_at: host.now(),
            caller: self.caller.map(|caller| caller.name.as_str()),
            kind: self.caller.map(|caller| caller.kind.as_str()),
            actor: self.actor.as_ref().map(|actor| actor.principal.as_str()),
            removal: self.removal.as_ref(),
            policies: &self.policies,
            outcome,
        };
        refusals::refuse(host, &refusal, self.language).await
    }

    /// Writes the event's one JSON line: the row as it is now, so that a log pipeline keeps its own copy, and beside it who did
    /// what to it. `operator` is the language of what is for the operator.
    pub(crate) fn log<H: Host>(&self, host: &H, outcome: &Outcome, operator: Language) {
        let meaning = error_codes::meaning(&outcome.code()).map(|meaning| meaning.operator.in_language(operator));
        let event = Event {
            event: outcome.state(),
            by: self.actor.as_ref().map(|actor| actor.principal.as_str()),
            answered: &outcome.code(),
            meaning,
            late: self.late,
            written: self.record.is_some(),
        };
        let line = match &self.record {
            Some(record) => record.line(&event),
            None => self.unwritten(outcome).line(&event),
        };
        host.log(&line);
    }

    /// The row that could not be written, or not be brought up to date.
    fn unwritten(&self, outcome: &Outcome) -> RemovalRow {
        let removal = self.removal.as_ref();
        RemovalRow {
            id: self.id.clone(),
            state: outcome.state(),
            asked_at: self.at.timestamp_millis(),
            caller: self.caller.map(|caller| caller.name.clone()),
            kind: self.caller.map(|caller| caller.kind.clone()),
            actor: self.actor.as_ref().map(|actor| actor.principal.clone()),
            instance: removal.map(|removal| removal.instance.name.clone()),
            user_name: removal.map(|removal| removal.user_name.as_str().to_owned()),
            policies: self.policies.clone(),
            status: Some(outcome.status().as_u16()),
            code: Some(outcome.code().into_owned()),
            message: Some(outcome.message(self.language)),
            request_id: self.request_id.clone(),
            confirmed_by: claims::confirmed_by(outcome).map(str::to_owned),
            ..RemovalRow::default()
        }
    }

    /// What there is to tell about the outcome, to whoever asked or to another.
    pub(crate) fn answer<'a>(&'a self, outcome: &'a Outcome, language: Language) -> Reply<'a> {
        let own = self.actor.as_ref().map(|actor| actor.principal.as_str());
        let record = self.record.as_ref();
        let asked_by = record.and_then(|record| record.actor.as_deref()).filter(|asked_by| Some(*asked_by) != own);
        Reply {
            outcome,
            language,
            account: self.removal.as_ref().map(|removal| (removal.user_name.as_str(), removal.instance.name.as_str())),
            environment: self.removal.as_ref().map(|removal| removal.instance.environment.as_str()),
            asked_by,
            approved_by: record
                .into_iter()
                .flat_map(|record| record.approvals())
                .map(|yes| yes.actor.as_str())
                .collect(),
            policies: &self.policies,
            meaning: error_codes::meaning(&outcome.code()).map(|meaning| meaning.requester),
            request_id: self.request_id.as_deref().unwrap_or(self.id.as_str()),
            clicked: self.clicked,
        }
    }

    /// The outcome, in the asker's form.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let render = self.kind.map_or(api_body::api_body as fn(&Reply<'_>) -> Rendered, |kind| kind.render);
        render(&self.answer(outcome, self.language))
    }

    /// The response. Built anew, because headers handed on as they came are refused by the engine and leak what is behind.
    pub(crate) fn respond(&self, rendered: Rendered, outcome: Option<&Outcome>) -> Response<Bytes> {
        let rendered = match &self.sealed {
            Some(sealed) => sealed.seal(rendered),
            None => rendered,
        };
        let body = Bytes::from(rendered.body);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = rendered.status;
        let headers = response.headers_mut();
        // An answer without content says nothing about one (RFC 9110, section 8.6).
        if rendered.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let mut set = |name: HeaderName, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        set(REQUEST_ID, self.request_id.as_deref().unwrap_or(self.id.as_str()));
        if let Some(outcome) = outcome {
            if !self.is_summary {
                set(ROW_ID, self.id.as_str());
            }
            // For callers whose status is 200 whatever happens.
            set(CODE, &outcome.code());
            if let Outcome::AwaitingConfirmation { reference, .. } | Outcome::AwaitingApproval { reference, .. } =
                outcome
            {
                set(REFERENCE, reference);
            }
            if let Some(by) = claims::confirmed_by(outcome) {
                set(CONFIRMED_BY, by);
            }
        }
        for (name, value) in rendered.headers {
            set(name, &value);
        }
        if let Some(next) = &self.next {
            set(NEXT, next);
        }
        if !self.policies.is_empty() {
            set(POLICY, &self.policies.join(","));
        }
        if let Some(Outcome::MethodNotAllowed { allow }) = outcome {
            set(ALLOW, allow);
        }
        *response.body_mut() = body;
        response
    }

    /// `GET /healthz`
    pub(crate) fn health(&self, app: Result<&App, &str>) -> Response<Bytes> {
        let version = env!("CARGO_PKG_VERSION");
        let (status, body) = match app {
            Ok(app) => (
                StatusCode::OK,
                json!({"status": "ok", "version": version, "config": app.config.digest, "policy": app.policies.digest()}),
            ),
            Err(reason) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unusable", "version": version, "reason": reason}))
            }
        };
        self.respond(Rendered::json(status, body.to_string()), None)
    }
}

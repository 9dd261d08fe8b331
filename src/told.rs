//! What every request leaves behind, however it ended: the row of a refusal, one line in the log, the response.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::caller::{self, Answer, Kind, Rendered};
use crate::command::{Actor, Removal};
use crate::config::Caller;
use crate::database;
use crate::gateway::Gateway;
use crate::host::{Host, StoreError};
use crate::ledger::{self, Refusal, RowId};
use crate::outcome::{Language, Outcome};
use crate::taurusdb::{self, codes};

const ROW_ID: HeaderName = HeaderName::from_static("x-offboard-removal");
const CODE: HeaderName = HeaderName::from_static("x-offboard-code");
const POLICY: HeaderName = HeaderName::from_static("x-offboard-policy");
const CONFIRMED_BY: HeaderName = HeaderName::from_static("x-offboard-confirmed-by");
const REQUEST_ID: HeaderName = HeaderName::from_static(taurusdb::REQUEST_ID);

/// What is known of a request so far: filled by the story.
pub(crate) struct Told<'c> {
    pub(crate) id: RowId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) language: Language,
    pub(crate) caller: Option<&'c Caller>,
    /// Set once the request is proved: from then on its answer has the platform's form.
    pub(crate) kind: Option<&'static Kind>,
    pub(crate) actor: Option<Actor>,
    pub(crate) removal: Option<Removal<'c>>,
    pub(crate) policies: Vec<String>,
    pub(crate) request_id: Option<String>,
    /// How many DELETEs were sent.
    pub(crate) attempts: u32,
    /// When to ask again, in seconds from now.
    pub(crate) retry_after: Option<u64>,
    /// Whether the outcome has its row already.
    pub(crate) recorded: bool,
    /// Whether the asker was told to wait, and heard the outcome afterwards.
    pub(crate) late: bool,
}

impl<'c> Told<'c> {
    /// A request of which nothing is known but that it came now.
    pub(crate) fn new<H: Host>(host: &H, language: Language) -> Self {
        let at = host.now();
        Self {
            id: RowId::new(at, host.random()),
            at,
            language,
            caller: None,
            kind: None,
            actor: None,
            removal: None,
            policies: Vec::new(),
            request_id: None,
            attempts: 0,
            retry_after: None,
            recorded: false,
            late: false,
        }
    }

    /// Writes the row of a request that ended without one.
    pub(crate) async fn record<H: Host>(&mut self, host: &H, gateway: Result<&Gateway, &str>, outcome: &Outcome) {
        if self.recorded {
            return;
        }
        match self.refuse(host, gateway, outcome).await {
            Ok(id) => self.id = id,
            Err(StoreError(why)) => {
                host.log(&format!("ledger: the row of {} could not be written: {why}", self.id.as_str()));
            }
        }
    }

    async fn refuse<H: Host>(
        &self,
        host: &H,
        gateway: Result<&Gateway, &str>,
        outcome: &Outcome,
    ) -> Result<RowId, StoreError> {
        match gateway {
            Ok(gateway) => gateway.open_ledger(host).await?,
            Err(_) => database::open(host).await?,
        }
        let refusal = Refusal {
            id: &self.id,
            at: self.at,
            caller: self.caller.map(|caller| caller.name.as_str()),
            kind: self.caller.map(|caller| caller.kind.as_str()),
            actor: self.actor.as_ref().map(|actor| actor.principal.as_str()),
            removal: self.removal.as_ref(),
            policies: &self.policies,
            outcome,
        };
        ledger::refuse(host, &refusal, self.language).await
    }

    /// Writes the request's one JSON line. `operator` is the language of what is for the operator.
    pub(crate) fn log<H: Host>(&self, host: &H, outcome: &Outcome, operator: Language) {
        let removal = self.removal.as_ref();
        let meaning = codes::meaning(&outcome.code()).map(|meaning| meaning.operator.in_language(operator));
        let line = json!({
            "at": self.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "removal": self.id.as_str(),
            "caller": self.caller.map(|caller| caller.name.as_str()),
            "actor": self.actor.as_ref().map(|actor| actor.principal.as_str()),
            "instance": removal.map(|removal| removal.instance.name.as_str()),
            "user_name": removal.map(|removal| removal.user_name.as_str()),
            "policies": self.policies,
            "state": outcome.state().as_str(),
            "status": outcome.status().as_u16(),
            "code": outcome.code(),
            "meaning": meaning,
            "attempts": self.attempts,
            "confirmed_by": ledger::confirmed_by(outcome),
            "late": self.late,
            "request_id": self.request_id,
            "milliseconds": host.now().signed_duration_since(self.at).num_milliseconds(),
        });
        host.log(&line.to_string());
    }

    /// The outcome, in the asker's form.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let answer = Answer {
            outcome,
            language: self.language,
            account: self.removal.as_ref().map(|removal| (removal.user_name.as_str(), removal.instance.name.as_str())),
            policies: &self.policies,
            meaning: codes::meaning(&outcome.code()).map(|meaning| meaning.asker),
            request_id: self.request_id.as_deref().unwrap_or(self.id.as_str()),
        };
        let render = self.kind.map_or(caller::documented as fn(&Answer<'_>) -> Rendered, |kind| kind.render);
        render(&answer)
    }

    /// The response. Built anew, because headers handed on as they came are refused by the engine and leak what is behind.
    pub(crate) fn respond(&self, rendered: Rendered, outcome: Option<&Outcome>) -> Response<Bytes> {
        let body = Bytes::from(rendered.body);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = rendered.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
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
            set(ROW_ID, self.id.as_str());
            // For callers whose status is 200 whatever happens.
            set(CODE, &outcome.code());
            if let Some(by) = ledger::confirmed_by(outcome) {
                set(CONFIRMED_BY, by);
            }
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
    pub(crate) fn health(&self, gateway: Result<&Gateway, &str>) -> Response<Bytes> {
        let version = env!("CARGO_PKG_VERSION");
        let (status, body) = match gateway {
            Ok(gateway) => (
                StatusCode::OK,
                json!({"status": "ok", "version": version, "config": gateway.config.digest, "policy": gateway.policies.digest()}),
            ),
            Err(reason) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unusable", "version": version, "reason": reason}))
            }
        };
        self.respond(Rendered { status, body: body.to_string() }, None)
    }
}

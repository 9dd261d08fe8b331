//! The outcome, after the answer: to a platform that did not wait for it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request};

use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::CallerKind;
use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::config::limits::Limits;
use crate::host::{self, Host};
use crate::outbound::budget::Budget;
use crate::outbound::retry;
use crate::outcome::Outcome;
use crate::secret::Secret;

/// What the platform says to it is not of interest beyond its status, or the token that it gives.
const ANSWER_LIMIT: usize = 4 * 1024;

/// Where somebody can be told.
#[derive(Debug, Clone)]
pub(crate) struct FollowUpChannel<'c> {
    pub(crate) shape: &'static FollowUp,
    pub(crate) later: ReplyAddress,
    caller: &'c Caller,
    key: Option<ActiveSecret>,
    limits: Limits,
}

impl<'c> FollowUpChannel<'c> {
    /// The channel of a caller's; `None` when its kind has none.
    pub(crate) fn new(
        kind: &'static CallerKind,
        later: ReplyAddress,
        caller: &'c Caller,
        key: Option<ActiveSecret>,
        limits: Limits,
    ) -> Option<Self> {
        Some(Self { shape: kind.later.as_ref()?, later, caller, key, limits })
    }

    /// Tells them. When that fails the log says so, and the ledger has the outcome all the same.
    pub(crate) async fn tell<H: Host>(&self, host: &H, bodies: Vec<String>, row: &str) {
        let fail = |why: String| host.log(&format!("later: the outcome of {row} could not be told: {why}"));
        // Time of its own: the request's may be over.
        let budget = Budget::new(host.elapsed(), self.limits);
        let token = match self.log_in(host, &budget).await {
            Ok(token) => token,
            Err(why) => return fail(why),
        };
        for body in bodies {
            if let Err(why) = self.post(host, &budget, body.into(), token.as_ref()).await {
                return fail(why);
            }
        }
    }

    async fn log_in<H: Host>(&self, host: &H, budget: &Budget) -> Result<Option<Secret>, String> {
        let Some(login) = &self.shape.login else { return Ok(None) };
        let request = || {
            let key = self.key.as_ref().ok_or(Outcome::SecretUnset)?;
            (login.request)(self.caller, key).ok_or(Outcome::SecretUnset)
        };
        let answer = send(host, budget, request).await?;
        let body = answer.body().as_deref().unwrap_or_default();
        (login.token)(body)
            .map(Some)
            .ok_or_else(|| format!("it gave no token, with status {}", answer.status().as_u16()))
    }

    async fn post<H: Host>(
        &self,
        host: &H,
        budget: &Budget,
        body: Bytes,
        token: Option<&Secret>,
    ) -> Result<(), String> {
        let request = || {
            let mut request = Request::new(body.clone());
            *request.method_mut() = self.shape.method.clone();
            *request.uri_mut() = self.later.url().parse().map_err(|_| Outcome::Unusable)?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            if let Some(token) = token {
                let mut value =
                    HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| Outcome::Unusable)?;
                value.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            Ok(request)
        };
        let answer = send(host, budget, request).await?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status().as_u16())) }
    }
}

async fn send<H: Host>(
    host: &H,
    budget: &Budget,
    request: impl Fn() -> Result<Request<Bytes>, Outcome>,
) -> Result<host::Answered, String> {
    match retry::send(host, budget, retry::CallSpec::new(ANSWER_LIMIT), request).await {
        Ok(sent) => sent.answer.map_err(|error| format!("{error:?}")),
        Err(outcome) => Err(format!("{outcome:?}")),
    }
}

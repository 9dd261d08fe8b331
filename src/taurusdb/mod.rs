//! TaurusDB: sends the DELETE that a [`Permit`] allows, and returns its [`Outcome`], which is never a guess.
//!
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…` (API page "Deleting a Database Account of a
//! StarRocks Instance", 2025-07-29; the path has the plural `users`, as in the page's table and the SDKs).
//! [`Taurusdb::delete`] is the only function that sends it, and it takes a [`Permit`], so there is no DELETE without a permit.
//!
//! - `credentials`, `tokens`, `iam`, [`token_cache`]: authenticate a call
//! - `answer`, [`error_codes`]: interpret an answer
//! - `accounts`: reads the account list, which settles an outcome that the answer leaves open
//!
//! `outbound::retry` repeats calls. This module repeats a call only if TaurusDB refused the token, once, with a new token. A
//! refused signature is never sent again, because five in a row lock the key.
//!
//! This module knows no callers, policies or ledger rows; it only takes the permit that policy issued.

mod accounts;
mod answer;
mod credentials;
pub mod error;
pub mod error_codes;
mod iam;
mod request;
pub mod token_cache;
mod tokens;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use percent_encoding::utf8_percent_encode;

use crate::config::credentials::CredentialSource;
use crate::config::endpoint::endpoint;
use crate::config::instance::Instance;
use crate::config::regions;
use crate::crypto::sdk_hmac;
use crate::host::{Host, SendError};
use crate::outbound::budget::Budget;
use crate::outbound::retry::{self, CallSpec, Sent};
use crate::outcome::language::Language;
use crate::outcome::{AccountPresence, Evidence, NotRemoved, Outcome, UpstreamRefusal};
use crate::policy::permit::Permit;
use crate::request::account_query::AccountQuery;
use crate::taurusdb::accounts::Page;
use crate::taurusdb::answer::{documented_list, is_token_refused, outcome, request_id};
use crate::taurusdb::credentials::Credentials;
use crate::taurusdb::error::CallError;
use crate::taurusdb::request::{ApiRequest, RequestAuth};
use crate::taurusdb::token_cache::{CachedToken, TokenCache};

/// The Spin variables that this module reads unless offboard.toml names others.
pub const VARIABLES: [&str; 9] = [
    "huaweicloud_access_key",
    "huaweicloud_secret_key",
    "huaweicloud_security_token",
    "huaweicloud_token",
    "huaweicloud_user",
    "huaweicloud_password",
    "huaweicloud_domain",
    ENDPOINT,
    IAM_ENDPOINT,
];

const ENDPOINT: &str = "taurusdb_endpoint";

const IAM_ENDPOINT: &str = "iam_endpoint";

/// The largest answer to a DELETE that is read, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Returns a request to another service of Huawei Cloud with the proof that those to TaurusDB have: a signature, or the operator's
/// token.
///
/// # Errors
///
/// - [`CallError::CredentialsUnset`] if a variable of the credentials is not set, or they are of another kind
/// - [`CallError::EndpointInvalid`] if the request has no host
pub async fn authenticated<H: Host>(
    host: &H,
    source: &CredentialSource,
    request: &Request<Bytes>,
) -> Result<Request<Bytes>, CallError> {
    let credentials = Credentials::read(host, source).await?;
    let auth = match &credentials {
        Credentials::AkSk(key) => RequestAuth::Signature(key),
        Credentials::Token(token) => RequestAuth::Token(token),
        Credentials::Password(_) | Credentials::Agency { .. } => return Err(CallError::CredentialsUnset),
    };
    let uri = request.uri();
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(CallError::EndpointInvalid)?;
    let call = ApiRequest {
        method: request.method().clone(),
        endpoint: &format!("{scheme}://{authority}"),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &[],
        body: request.body().clone(),
    };
    call.request(&auth, host.now())
}

/// A TaurusDB instance with the gateway's credentials for it, for one request to the gateway.
pub struct Taurusdb<'a, H> {
    host: &'a H,
    tokens: &'a TokenCache,
    budget: &'a Budget,
    instance: &'a Instance,
    language: Language,
    credentials: Credentials,
    endpoint: String,
    iam: String,
}

/// The result of a DELETE.
#[derive(Debug)]
pub struct Deleted {
    /// The proven outcome.
    pub outcome: Outcome,
    /// TaurusDB's request ID, if TaurusDB answered.
    pub request_id: Option<String>,
    /// How many DELETEs were sent.
    pub attempts: u32,
    /// The seconds of TaurusDB's `Retry-After`, if the answer has it.
    pub retry_after: Option<u64>,
}

/// A part of the account list as TaurusDB answered it, or the error that its API documents.
#[derive(Debug)]
pub struct Listed {
    /// TaurusDB's status.
    pub status: StatusCode,
    /// TaurusDB's JSON.
    pub body: String,
    /// TaurusDB's request ID, if it sent one.
    pub request_id: Option<String>,
    /// The seconds of TaurusDB's `Retry-After`, if the answer has it.
    pub retry_after: Option<u64>,
}

/// A call to TaurusDB. A DELETE needs a permit.
enum Operation<'p> {
    Delete(&'p Permit<'p>),
    /// The list, to look for one account.
    Find {
        user_name: &'p str,
        offset: usize,
    },
    /// The list, from an account on.
    All {
        offset: usize,
    },
    /// The list, for a caller.
    List(&'p AccountQuery),
}

impl Operation<'_> {
    /// Returns the largest answer that is read, in bytes.
    fn answer_limit(&self) -> usize {
        match self {
            Self::Delete(_) => ANSWER_LIMIT,
            Self::Find { .. } | Self::All { .. } | Self::List(_) => accounts::ANSWER_LIMIT,
        }
    }
}

/// The answer to a call, and the token that authenticated the call.
struct Answered {
    sent: Sent,
    token: Option<CachedToken>,
}

impl<'a, H: Host> Taurusdb<'a, H> {
    /// Reads the Spin variables that a call to this instance needs.
    ///
    /// # Errors
    ///
    /// - [`CallError::CredentialsUnset`] if a variable of the credentials is not set
    /// - [`CallError::EndpointInvalid`] if a variable overrides an endpoint with a value that is not an endpoint
    pub async fn of_instance(
        host: &'a H,
        tokens: &'a TokenCache,
        budget: &'a Budget,
        instance: &'a Instance,
        language: Language,
    ) -> Result<Self, CallError> {
        let credentials = Credentials::read(host, &instance.credentials).await?;
        let endpoint = endpoint_override(host, ENDPOINT).await?.unwrap_or_else(|| instance.endpoint.clone());
        let iam = match instance.credentials.uses_iam() {
            true => endpoint_override(host, IAM_ENDPOINT).await?.unwrap_or_else(|| regions::iam(&instance.region)),
            false => String::new(),
        };
        Ok(Self { host, tokens, budget, instance, language, credentials, endpoint, iam })
    }

    /// Sends the DELETE that a permit allows, and settles its outcome.
    pub async fn delete(&self, permit: &Permit<'_>) -> Deleted {
        let (answered, attempts) = self.call(self.budget, &Operation::Delete(permit)).await;
        let Answered { sent, token } = match answered {
            Ok(answered) => answered,
            Err(error) => return Deleted { outcome: error.into(), request_id: None, attempts, retry_after: None },
        };
        if let Err(error) = &sent.answer {
            self.host.log(&format!("taurusdb: {error:?}"));
        }
        let secrets = self.credentials.secrets().chain(token.as_ref().map(|cached| &cached.token));
        let at = self.host.now();
        let outcome = outcome(&sent, secrets, at);
        let outcome = self.confirm(outcome, permit.user_name().as_str()).await;
        let answer = sent.answer.as_ref().ok();
        let retry_after = answer.and_then(|answer| retry::retry_after(answer.headers(), || at));
        Deleted {
            outcome,
            request_id: answer.and_then(request_id).map(str::to_owned),
            attempts,
            retry_after: retry_after.map(|wait| wait.as_secs()),
        }
    }

    /// Settles an outcome with the account list if the answer to the DELETE leaves it open.
    async fn confirm(&self, outcome: Outcome, user_name: &str) -> Outcome {
        match outcome {
            Outcome::Unknown(unknown) => match self.account_presence(user_name).await {
                AccountPresence::Absent => Outcome::Removed(Evidence::AccountList),
                AccountPresence::Present => Outcome::NotRemoved(NotRemoved::StillListed),
                AccountPresence::Unknown | AccountPresence::NotChecked => Outcome::Unknown(unknown),
            },
            // The meaning "no such account" of the code is inferred, so the list may contradict it.
            Outcome::AlreadyGone(answer) if self.account_presence(user_name).await == AccountPresence::Present => {
                Outcome::RefusedUpstream(UpstreamRefusal::Documented(answer))
            }
            outcome => outcome,
        }
    }

    /// Reads a part of the instance's account list for a caller. What the API does not document is not passed on.
    ///
    /// # Errors
    ///
    /// - [`CallError::HostNotAllowed`] and [`CallError::NoUsableAnswer`] if no documented answer came
    /// - the errors of the credentials and of the time limit if the request was not sent
    pub async fn list(&self, query: &AccountQuery) -> Result<Listed, CallError> {
        let (answered, _) = self.call(&self.budget.for_settling(), &Operation::List(query)).await;
        let Answered { sent, token } = answered?;
        let answer = sent.answer.map_err(|error| {
            self.host.log(&format!("taurusdb: the account list could not be read: {error:?}"));
            match error {
                SendError::NotAllowed(_) => CallError::HostNotAllowed,
                _ => CallError::NoUsableAnswer,
            }
        })?;
        let secrets = self.credentials.secrets().chain(token.as_ref().map(|cached| &cached.token));
        let Some(body) = documented_list(&answer, secrets) else {
            self.host.log(&format!("taurusdb: the account list was answered with {}", answer.status()));
            return Err(CallError::NoUsableAnswer);
        };
        let retry_after = retry::retry_after(answer.headers(), || self.host.now());
        Ok(Listed {
            status: answer.status(),
            body,
            request_id: request_id(&answer).map(str::to_owned),
            retry_after: retry_after.map(|wait| wait.as_secs()).filter(|_| !answer.status().is_success()),
        })
    }

    /// Looks for an account in the instance's list.
    pub async fn account_presence(&self, user_name: &str) -> AccountPresence {
        for _ in 0..accounts::READINGS {
            if let Some(presence) = self.read_accounts(user_name).await {
                return presence;
            }
        }
        self.host.log("taurusdb: the account list changed each time that it was read");
        AccountPresence::Unknown
    }

    /// Reads the list page by page; returns `None` if it changed meanwhile.
    async fn read_accounts(&self, user_name: &str) -> Option<AccountPresence> {
        let budget = self.budget.for_settling();
        let mut reading = accounts::Reading::default();
        let mut offset = 0;
        loop {
            let (answered, _) = self.call(&budget, &Operation::Find { user_name, offset }).await;
            let answer = match answered.map(|answered| answered.sent.answer) {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    self.host.log(&format!("taurusdb: the account list could not be read: {error:?}"));
                    return Some(AccountPresence::Unknown);
                }
                Err(error) => {
                    self.host.log(&format!("taurusdb: the account list could not be requested: {error}"));
                    return Some(AccountPresence::Unknown);
                }
            };
            match reading.page(user_name, &answer) {
                Page::Found => return Some(AccountPresence::Present),
                Page::Done => return Some(AccountPresence::Absent),
                Page::More(next) => offset = next,
                Page::Changed => return None,
                Page::Unreadable => {
                    self.host.log(&format!("taurusdb: the account list was answered with {}", answer.status()));
                    return Some(AccountPresence::Unknown);
                }
            }
        }
    }

    /// Reads the names of all accounts of the instance.
    ///
    /// # Errors
    ///
    /// - [`CallError::HostNotAllowed`] and [`CallError::NoUsableAnswer`] if a page did not come, or the list changed each time that
    ///   it was read
    /// - the errors of the credentials and of the time limit if a page was not asked for
    pub async fn account_names(&self) -> Result<BTreeSet<String>, CallError> {
        for _ in 0..accounts::READINGS {
            if let Some(names) = self.read_account_names().await? {
                return Ok(names);
            }
        }
        self.host.log("taurusdb: the account list changed each time that it was read");
        Err(CallError::NoUsableAnswer)
    }

    /// Reads the list page by page; returns `None` if it changed meanwhile.
    async fn read_account_names(&self) -> Result<Option<BTreeSet<String>>, CallError> {
        let mut reading = accounts::Reading::default();
        let mut offset = 0;
        loop {
            let (answered, _) = self.call(self.budget, &Operation::All { offset }).await;
            let answer = answered?.sent.answer.map_err(|error| {
                self.host.log(&format!("taurusdb: the account list could not be read: {error:?}"));
                match error {
                    SendError::NotAllowed(_) => CallError::HostNotAllowed,
                    _ => CallError::NoUsableAnswer,
                }
            })?;
            match reading.page_of_all(&answer) {
                Page::Found | Page::Done => return Ok(Some(reading.into_names())),
                Page::More(next) => offset = next,
                Page::Changed => return Ok(None),
                Page::Unreadable => {
                    self.host.log(&format!("taurusdb: the account list was answered with {}", answer.status()));
                    return Err(CallError::NoUsableAnswer);
                }
            }
        }
    }

    /// Sends an authenticated call, and sends it again with a new token if TaurusDB refused the first. Returns the number of
    /// attempts also if the call failed.
    async fn call(&self, budget: &Budget, operation: &Operation<'_>) -> (Result<Answered, CallError>, u32) {
        let mut attempts = 0;
        let mut renewed = false;
        loop {
            let token = match self.token(budget).await {
                Ok(token) => token,
                Err(error) => return (Err(error), attempts),
            };
            let auth = match (&self.credentials, &token) {
                (Credentials::AkSk(key), _) => RequestAuth::Signature(key),
                (Credentials::Token(token), _) => RequestAuth::Token(token),
                (_, Some((_, cached))) => RequestAuth::Token(&cached.token),
                (_, None) => return (Err(CallError::TokenUnavailable), attempts),
            };
            let request = || self.request(operation, &auth);
            let spec =
                CallSpec { answer_limit: operation.answer_limit(), attempted: attempts, is_busy: error_codes::is_busy };
            let sent = match retry::send(self.host, budget, spec, request).await {
                Ok(sent) => sent,
                Err(error) => return (Err(error), attempts),
            };
            attempts = attempts.saturating_add(sent.attempts);
            match token {
                Some((key, refused)) if !renewed && is_token_refused(&sent) => {
                    self.host.log("taurusdb: the token was refused; retrying once with a new one");
                    self.tokens.forget(self.host, &key, &refused).await;
                    renewed = true;
                }
                token => return (Ok(Answered { sent, token: token.map(|(_, cached)| cached) }), attempts),
            }
        }
    }

    fn request(&self, operation: &Operation<'_>, auth: &RequestAuth<'_>) -> Result<Request<Bytes>, CallError> {
        let encoded = |name| utf8_percent_encode(name, sdk_hmac::ENCODED);
        let (method, query) = match operation {
            Operation::Delete(permit) => {
                (Method::DELETE, format!("user_name={}", encoded(permit.user_name().as_str())))
            }
            Operation::Find { user_name, offset } => {
                (Method::GET, format!("limit={}&offset={offset}&user_name={}", accounts::PAGE, encoded(user_name)))
            }
            Operation::All { offset } => (Method::GET, format!("limit={}&offset={offset}", accounts::PAGE)),
            Operation::List(AccountQuery { limit, offset, user_name }) => {
                let limit = limit.map(|limit| format!("limit={limit}"));
                let offset = offset.map(|offset| format!("offset={offset}"));
                let user_name = user_name.as_deref().map(|name| format!("user_name={}", encoded(name)));
                (Method::GET, [limit, offset, user_name].into_iter().flatten().collect::<Vec<_>>().join("&"))
            }
        };
        let Instance { project_id, instance_id, .. } = self.instance;
        ApiRequest {
            method,
            endpoint: &self.endpoint,
            path: &format!("/v3/{project_id}/instances/{instance_id}/starrocks/users"),
            query: &query,
            headers: &[("x-language", self.language.as_str()), ("x-project-id", project_id)],
            body: Bytes::new(),
        }
        .request(auth, self.host.now())
    }
}

/// Returns the endpoint that overrides every region's, if the variable names a single host. `https://*.myhuaweicloud.com` names
/// none: it was the default while Spin accepted no empty entry in `allowed_outbound_hosts`, and installations may still set it.
async fn endpoint_override<H: Host>(host: &H, variable: &str) -> Result<Option<String>, CallError> {
    match host.variable(variable).await.and_then(|value| value.trimmed()) {
        Some(value) if !value.expose().contains('*') => endpoint(value.expose()).map(Some).map_err(|expected| {
            host.log(&format!("taurusdb: variable `{variable}` is not an endpoint: {expected}"));
            CallError::EndpointInvalid
        }),
        _ => Ok(None),
    }
}

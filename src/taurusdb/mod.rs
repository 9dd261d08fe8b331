//! TaurusDB: a [`Permit`] becomes a DELETE, and what came of it an [`Outcome`] that is never a guess.
//!
//! `DELETE /v3/{project_id}/instances/{instance_id}/starrocks/users?user_name=…` (API page "Deleting a Database Account of a
//! StarRocks Instance", 2025-07-29; always the plural, as the page's table and the SDKs have it). [`Taurusdb::remove`] is the
//! only place that builds it, and it takes a [`Permit`]: no permit, no call.
//!
//! - what proves a call: [`credentials`](self), tokens from `iam`, kept by [`tokens`]; the signature in [`sign`]
//! - when a call is sent again: `crate::retry`; here only for a token that has to be renewed, once. A refused signature is
//!   never sent again: five in a row lock the key
//! - what an answer means: this file and [`codes`]
//! - an outcome that the answer does not tell is settled by the account list: [`list`]

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use self::credentials::{Base, Credentials, Password};
use self::iam::{Identity, Issued, NoToken, Scope};
use self::list::{Listed, Page};
use self::request::{Asked, Proof};
use self::tokens::{Held, Key, Tokens};
use crate::budget::Budget;
use crate::config::{Agency, Domain, Instance, Secret, endpoint};
use crate::host::{Answered, Host, SendError};
use crate::outcome::{Language, Outcome, State};
use crate::policy::Permit;
use crate::regions;
use crate::retry::{self, Sent};

pub mod codes;
mod credentials;
mod iam;
pub mod list;
mod request;
pub mod sign;
pub mod tokens;

/// The Spin variables that this module reads when offboard.toml names no others.
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

/// The header of TaurusDB's request id, sent back to whoever asked.
pub const REQUEST_ID: &str = "x-request-id";

/// The largest answer to a DELETE that is read, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// TaurusDB, as one request sees it: one instance, with what proves the gateway to it.
pub struct Taurusdb<'a, H> {
    host: &'a H,
    tokens: &'a Tokens,
    budget: &'a Budget,
    instance: &'a Instance,
    language: Language,
    credentials: Credentials,
    endpoint: String,
    iam: String,
}

/// What became of a removal.
#[derive(Debug)]
pub struct Removed {
    /// The truth.
    pub outcome: Outcome,
    /// TaurusDB's request id, when it answered.
    pub request_id: Option<String>,
    /// How many DELETEs were sent.
    pub attempts: u32,
    /// For how many seconds TaurusDB wants to be left alone, when it said so.
    pub retry_after: Option<u64>,
}

/// What is asked of TaurusDB. A DELETE cannot be asked for without its permit.
enum Operation<'p> {
    Delete(&'p Permit<'p>),
    List { user_name: &'p str, offset: usize },
}

impl<'a, H: Host> Taurusdb<'a, H> {
    /// Reads the variables that a call to this instance needs.
    ///
    /// # Errors
    ///
    /// [`Outcome::CredentialsUnset`]; [`Outcome::Unusable`] when an endpoint's variable is not an endpoint.
    pub async fn read(
        host: &'a H,
        tokens: &'a Tokens,
        budget: &'a Budget,
        instance: &'a Instance,
        language: Language,
    ) -> Result<Self, Outcome> {
        let credentials = Credentials::read(host, &instance.credentials).await?;
        let endpoint = override_of(host, ENDPOINT).await?.unwrap_or_else(|| instance.endpoint.clone());
        let iam = match instance.credentials.uses_iam() {
            true => override_of(host, IAM_ENDPOINT).await?.unwrap_or_else(|| regions::iam(&instance.region)),
            false => String::new(),
        };
        Ok(Self { host, tokens, budget, instance, language, credentials, endpoint, iam })
    }

    /// Sends the DELETE that a permit allows, and finds out what became of it.
    pub async fn remove(&self, permit: &Permit<'_>) -> Removed {
        let mut attempts = 0;
        let sent = self.call(self.budget, &Operation::Delete(permit), ANSWER_LIMIT, &mut attempts).await;
        let (sent, held) = match sent {
            Ok(sent) => sent,
            Err(outcome) => return Removed { outcome, request_id: None, attempts, retry_after: None },
        };
        if let Err(error) = &sent.answer {
            self.host.log(&format!("taurusdb: {error:?}"));
        }
        let secrets = || self.credentials.secrets().chain(held.as_ref().map(|held| &held.token));
        let told = outcome(&sent, secrets(), self.host.now());
        let user_name = permit.user_name().as_str();
        let outcome = match told {
            told if told.state() == State::Unknown => match self.account(user_name).await {
                Listed::Absent => Outcome::RemovedByList,
                Listed::Present => Outcome::NotRemoved,
                Listed::Unreadable => told,
            },
            // That the code means this was inferred: the list may know better.
            Outcome::AlreadyGone { status, code, message } if self.account(user_name).await == Listed::Present => {
                Outcome::Upstream { status, code, message }
            }
            told => told,
        };
        let answer = sent.answer.as_ref().ok();
        let retry_after = answer.and_then(|answer| retry::retry_after(answer.headers(), self.host.now()));
        Removed {
            outcome,
            request_id: answer.and_then(request_id).map(str::to_owned),
            attempts,
            retry_after: retry_after.map(|wait| wait.as_secs()),
        }
    }

    /// Looks for an account in the instance's list.
    pub async fn account(&self, user_name: &str) -> Listed {
        let budget = self.budget.for_settling();
        for _ in 0..list::READINGS {
            let mut reading = list::Reading::default();
            let mut offset = 0;
            loop {
                let page = Operation::List { user_name, offset };
                let answer = match self.call(&budget, &page, list::ANSWER_LIMIT, &mut 0).await {
                    Ok((Sent { answer: Ok(answer), .. }, _)) => answer,
                    Ok((Sent { answer: Err(error), .. }, _)) => {
                        self.host.log(&format!("taurusdb: the account list could not be read: {error:?}"));
                        return Listed::Unreadable;
                    }
                    Err(outcome) => {
                        self.host.log(&format!("taurusdb: the account list could not be asked for: {outcome:?}"));
                        return Listed::Unreadable;
                    }
                };
                match reading.page(user_name, &answer) {
                    Page::Found => return Listed::Present,
                    Page::Done => return Listed::Absent,
                    Page::More(next) => offset = next,
                    Page::Changed => break,
                    Page::Unreadable => {
                        self.host.log(&format!("taurusdb: the account list was answered with {}", answer.status()));
                        return Listed::Unreadable;
                    }
                }
            }
        }
        self.host.log("taurusdb: the account list changed each time that it was read");
        Listed::Unreadable
    }

    /// One operation, proved; with a token that was refused, once more with a new one. `attempts` counts what was sent.
    async fn call(
        &self,
        budget: &Budget,
        operation: &Operation<'_>,
        answer_limit: usize,
        attempts: &mut u32,
    ) -> Result<(Sent, Option<Held>), Outcome> {
        let mut renewed = false;
        loop {
            let held = self.token(budget).await?;
            let proof = match (&self.credentials, &held) {
                (Credentials::AkSk(key), _) => Proof::Signature(key),
                (Credentials::Token(token), _) => Proof::Token(token),
                (_, Some((_, held))) => Proof::Token(&held.token),
                (_, None) => return Err(Outcome::TokenUnavailable),
            };
            let make = || self.request(operation, &proof);
            let sent = retry::send(self.host, budget, *attempts, answer_limit, codes::is_busy, make).await?;
            *attempts = attempts.saturating_add(sent.attempts);
            match held {
                Some((key, refused)) if !renewed && is_token_refused(&sent) => {
                    self.host.log("taurusdb: the token was refused; once more with a new one");
                    self.tokens.forget(self.host, &key, &refused).await;
                    renewed = true;
                }
                held => return Ok((sent, held.map(|(_, held)| held))),
            }
        }
    }

    fn request(&self, operation: &Operation<'_>, proof: &Proof<'_>) -> Result<Request<Bytes>, Outcome> {
        let encoded = |name| utf8_percent_encode(name, sign::ENCODED);
        let (method, query) = match operation {
            Operation::Delete(permit) => {
                (Method::DELETE, format!("user_name={}", encoded(permit.user_name().as_str())))
            }
            Operation::List { user_name, offset } => {
                (Method::GET, format!("limit={}&offset={offset}&user_name={}", list::PAGE, encoded(user_name)))
            }
        };
        let Instance { project_id, instance_id, .. } = self.instance;
        Asked {
            method,
            endpoint: &self.endpoint,
            path: &format!("/v3/{project_id}/instances/{instance_id}/starrocks/users"),
            query: &query,
            headers: &[("x-language", self.language.as_str()), ("x-project-id", project_id)],
            body: Bytes::new(),
        }
        .request(proof, self.host.now())
    }

    /// The token that a call needs; `None` when it is signed, or its token is the operator's.
    async fn token(&self, budget: &Budget) -> Result<Option<(Key<'_>, Held)>, Outcome> {
        let project = self.instance.project_id.as_str();
        let (key, held) = match &self.credentials {
            Credentials::AkSk(_) | Credentials::Token(_) => return Ok(None),
            Credentials::Password(user) => {
                let key = self.user_key(user, "project", project);
                let issue = async || self.issue(budget, &Identity::Password(user), &Scope::Project(project), &[]).await;
                let held = self.tokens.get(self.host, budget, &key, issue).await;
                (key, held)
            }
            Credentials::Agency { agency, on } => {
                let (secret, who) = match on {
                    Base::AkSk(key) => (&key.secret_key, ["aksk", &key.access_key, ""]),
                    Base::Password(user) => (&user.password, ["password", &user.user, &user.domain]),
                };
                let of = match &agency.domain {
                    Domain::Name(name) => ["name", name],
                    Domain::Id(id) => ["id", id],
                };
                let parts = [&["agency", &self.iam, project, &agency.name][..], &of, &who].concat();
                let key = Key::new(&parts, secret);
                let held = self.tokens.get(self.host, budget, &key, async || self.assume(budget, agency, on).await);
                let held = held.await;
                (key, held)
            }
        };
        match held {
            Ok(held) => Ok(Some((key, held))),
            Err(NoToken::Because(outcome)) => Err(outcome),
            Err(NoToken::ProofRefused) => Err(Outcome::CredentialsRefused),
        }
    }

    /// A token of an agency; when that of the user who assumes it is refused, once more with a new one.
    async fn assume(&self, budget: &Budget, agency: &Agency, on: &Base) -> Result<Issued, NoToken> {
        let scope = Scope::Project(&self.instance.project_id);
        match on {
            Base::AkSk(key) => {
                let identity = Identity::Agency { agency, proof: Proof::Signature(key) };
                self.issue(budget, &identity, &scope, &[]).await
            }
            Base::Password(user) => {
                let key = self.user_key(user, "domain", "");
                let own = Scope::Domain(&user.domain);
                let mut renewed = false;
                loop {
                    let issue = async || self.issue(budget, &Identity::Password(user), &own, &[]).await;
                    let held = self.tokens.get(self.host, budget, &key, issue).await?;
                    let identity = Identity::Agency { agency, proof: Proof::Token(&held.token) };
                    match self.issue(budget, &identity, &scope, &[&held.token]).await {
                        Err(NoToken::ProofRefused) if !renewed => {
                            self.tokens.forget(self.host, &key, &held).await;
                            renewed = true;
                        }
                        issued => return issued,
                    }
                }
            }
        }
    }

    fn user_key<'u>(&self, user: &'u Password, scope: &str, id: &str) -> Key<'u> {
        Key::new(&["password", &self.iam, &user.user, &user.domain, scope, id], &user.password)
    }

    async fn issue(
        &self,
        budget: &Budget,
        identity: &Identity<'_>,
        scope: &Scope<'_>,
        more: &[&Secret],
    ) -> Result<Issued, NoToken> {
        let secrets: Vec<_> = self.credentials.secrets().chain(more.iter().copied()).collect();
        iam::issue(self.host, budget, &self.iam, identity, scope, &secrets).await
    }
}

/// The endpoint that overrides every region's, when the variable names one host. Its default,
/// `https://*.myhuaweicloud.com`, names none: Spin needs something that can stand in `allowed_outbound_hosts`.
async fn override_of<H: Host>(host: &H, variable: &str) -> Result<Option<String>, Outcome> {
    match host.variable(variable).await {
        Some(value) if !value.expose().contains('*') => endpoint(value.expose()).map(Some).map_err(|expected| {
            host.log(&format!("taurusdb: variable `{variable}` is not an endpoint: {expected}"));
            Outcome::Unusable
        }),
        _ => Ok(None),
    }
}

fn is_token_refused(sent: &Sent) -> bool {
    sent.answer.as_ref().is_ok_and(|answer| {
        answer.status() == StatusCode::UNAUTHORIZED
            && codes::is_token_refused(answer.body().as_deref().unwrap_or_default())
    })
}

#[derive(Deserialize)]
struct Success {
    result: String,
}

#[derive(Deserialize)]
struct Failure {
    error_code: String,
    error_msg: String,
}

/// What became of a DELETE, as far as its answer tells.
fn outcome<'s>(sent: &Sent, secrets: impl Iterator<Item = &'s Secret>, now: chrono::DateTime<chrono::Utc>) -> Outcome {
    let answer = match &sent.answer {
        Ok(answer) => answer,
        Err(SendError::NotSent(_) | SendError::NotAllowed(_)) => return Outcome::NotSent,
        Err(SendError::ConnectTimedOut(_)) if sent.cut_short => return Outcome::TimeSpent,
        Err(SendError::ConnectTimedOut(_)) => return Outcome::ConnectTimedOut,
        Err(SendError::FirstByteTimedOut(_) | SendError::CallTimedOut(_)) if sent.cut_short => {
            return Outcome::TimeSpentSending;
        }
        Err(SendError::FirstByteTimedOut(_)) => return Outcome::TimedOut,
        Err(SendError::CallTimedOut(_)) => return Outcome::CallTimedOut,
        Err(SendError::Broken(_)) => return Outcome::OutcomeUnknown,
    };
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or_default();
    if status == StatusCode::OK {
        return match serde_json::from_slice::<Success>(body) {
            Ok(success) if success.result == "SUCCESS" => Outcome::Removed,
            _ => Outcome::OutcomeUnknown,
        };
    }
    // Neither a success nor an error that the page knows: whoever answered may or may not have passed the DELETE on.
    if !status.is_client_error() && !status.is_server_error() {
        return Outcome::OutcomeUnknown;
    }
    let Some(Failure { error_code: code, error_msg }) =
        serde_json::from_slice::<Failure>(body).ok().filter(|failure| is_code(&failure.error_code))
    else {
        return Outcome::Undocumented { status };
    };
    let message = redacted(as_written(error_msg), secrets);
    if status == StatusCode::BAD_REQUEST && code == codes::ACCOUNT_GONE {
        Outcome::AlreadyGone { status, code, message }
    } else if retry::again(&sent.answer, codes::is_busy, now).is_some() || status == StatusCode::SERVICE_UNAVAILABLE {
        Outcome::Busy { status, code, message }
    } else {
        Outcome::Upstream { status, code, message }
    }
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// Without the characters that turn the direction of what follows (Unicode's property Bidi_Control): a log and a chat would show
/// another text than was sent.
fn as_written(mut message: String) -> String {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    message.retain(|c| !turns(c));
    message
}

/// A signature error of the API gateway quotes the canonical request, and with it the security token.
fn redacted<'s>(message: String, secrets: impl Iterator<Item = &'s Secret>) -> String {
    secrets.fold(message, |message, secret| message.replace(secret.expose(), "…"))
}

/// TaurusDB's request id, when it is one that can stand in a header and a chat message.
fn request_id(answer: &Answered) -> Option<&str> {
    let value = answer.headers().get(REQUEST_ID)?.to_str().ok()?;
    let good = (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then_some(value)
}

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

pub mod accounts;
pub mod answer;
pub mod credentials;
pub mod error_codes;
pub mod iam;
pub mod request;
pub mod token_cache;

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::utf8_percent_encode;

use crate::config::credentials::{Agency, Domain};
use crate::config::endpoint::endpoint;
use crate::config::instance::Instance;
use crate::config::regions;
use crate::crypto::sdk_hmac;
use crate::host::Host;
use crate::outbound::budget::Budget;
use crate::outbound::retry::{self, CallSpec, Sent};
use crate::outcome::AccountPresence;
use crate::outcome::Outcome;
use crate::outcome::language::Language;
use crate::outcome::state::State;
use crate::policy::permit::Permit;
use crate::secret::Secret;
use crate::taurusdb::accounts::Page;
use crate::taurusdb::answer::{is_token_refused, outcome, request_id};
use crate::taurusdb::credentials::{Base, Credentials, Password};
use crate::taurusdb::iam::{Identity, Issued, NoToken, Scope};
use crate::taurusdb::request::{ApiRequest, RequestAuth};
use crate::taurusdb::token_cache::{CachedToken, Key, TokenCache};

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

pub(crate) const ENDPOINT: &str = "taurusdb_endpoint";

pub(crate) const IAM_ENDPOINT: &str = "iam_endpoint";

/// The header of TaurusDB's request id, sent back to whoever asked.
pub const REQUEST_ID: &str = "x-request-id";

/// The largest answer to a DELETE that is read, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// TaurusDB, as one request sees it: one instance, with what proves the gateway to it.
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
pub(crate) enum Operation<'p> {
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
        tokens: &'a TokenCache,
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
                AccountPresence::Absent => Outcome::RemovedByList,
                AccountPresence::Present => Outcome::NotRemoved,
                AccountPresence::Unknown => told,
            },
            // That the code means this was inferred: the list may know better.
            Outcome::AlreadyGone { status, code, message }
                if self.account(user_name).await == AccountPresence::Present =>
            {
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
    pub async fn account(&self, user_name: &str) -> AccountPresence {
        let budget = self.budget.for_settling();
        for _ in 0..accounts::READINGS {
            let mut reading = accounts::Reading::default();
            let mut offset = 0;
            loop {
                let page = Operation::List { user_name, offset };
                let answer = match self.call(&budget, &page, accounts::ANSWER_LIMIT, &mut 0).await {
                    Ok((Sent { answer: Ok(answer), .. }, _)) => answer,
                    Ok((Sent { answer: Err(error), .. }, _)) => {
                        self.host.log(&format!("taurusdb: the account list could not be read: {error:?}"));
                        return AccountPresence::Unknown;
                    }
                    Err(outcome) => {
                        self.host.log(&format!("taurusdb: the account list could not be asked for: {outcome:?}"));
                        return AccountPresence::Unknown;
                    }
                };
                match reading.page(user_name, &answer) {
                    Page::Found => return AccountPresence::Present,
                    Page::Done => return AccountPresence::Absent,
                    Page::More(next) => offset = next,
                    Page::Changed => break,
                    Page::Unreadable => {
                        self.host.log(&format!("taurusdb: the account list was answered with {}", answer.status()));
                        return AccountPresence::Unknown;
                    }
                }
            }
        }
        self.host.log("taurusdb: the account list changed each time that it was read");
        AccountPresence::Unknown
    }

    /// One operation, proved; with a token that was refused, once more with a new one. `attempts` counts what was sent.
    async fn call(
        &self,
        budget: &Budget,
        operation: &Operation<'_>,
        answer_limit: usize,
        attempts: &mut u32,
    ) -> Result<(Sent, Option<CachedToken>), Outcome> {
        let mut renewed = false;
        loop {
            let held = self.token(budget).await?;
            let proof = match (&self.credentials, &held) {
                (Credentials::AkSk(key), _) => RequestAuth::Signature(key),
                (Credentials::Token(token), _) => RequestAuth::Token(token),
                (_, Some((_, held))) => RequestAuth::Token(&held.token),
                (_, None) => return Err(Outcome::TokenUnavailable),
            };
            let make = || self.request(operation, &proof);
            let call = CallSpec { answer_limit, attempted: *attempts, is_busy: error_codes::is_busy };
            let sent = retry::send(self.host, budget, call, make).await?;
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

    fn request(&self, operation: &Operation<'_>, proof: &RequestAuth<'_>) -> Result<Request<Bytes>, Outcome> {
        let encoded = |name| utf8_percent_encode(name, sdk_hmac::ENCODED);
        let (method, query) = match operation {
            Operation::Delete(permit) => {
                (Method::DELETE, format!("user_name={}", encoded(permit.user_name().as_str())))
            }
            Operation::List { user_name, offset } => {
                (Method::GET, format!("limit={}&offset={offset}&user_name={}", accounts::PAGE, encoded(user_name)))
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
        .request(proof, self.host.now())
    }

    /// The token that a call needs; `None` when it is signed, or its token is the operator's.
    async fn token(&self, budget: &Budget) -> Result<Option<(Key<'_>, CachedToken)>, Outcome> {
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
                let identity = Identity::Agency { agency, proof: RequestAuth::Signature(key) };
                self.issue(budget, &identity, &scope, &[]).await
            }
            Base::Password(user) => {
                let key = self.user_key(user, "domain", "");
                let own = Scope::Domain(&user.domain);
                let mut renewed = false;
                loop {
                    let issue = async || self.issue(budget, &Identity::Password(user), &own, &[]).await;
                    let held = self.tokens.get(self.host, budget, &key, issue).await?;
                    let identity = Identity::Agency { agency, proof: RequestAuth::Token(&held.token) };
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
pub(crate) async fn override_of<H: Host>(host: &H, variable: &str) -> Result<Option<String>, Outcome> {
    match host.variable(variable).await {
        Some(value) if !value.expose().contains('*') => endpoint(value.expose()).map(Some).map_err(|expected| {
            host.log(&format!("taurusdb: variable `{variable}` is not an endpoint: {expected}"));
            Outcome::Unusable
        }),
        _ => Ok(None),
    }
}

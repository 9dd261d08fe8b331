//! Every way a request can end, in about a dozen variants.
//!
//! Three kinds of failure are told apart and never merged: no removal was sent ([`Outcome::NotSent`]), TaurusDB refused it
//! ([`Outcome::RefusedUpstream`]), it was sent and its effect is not known ([`Outcome::Unknown`]).
//!
//! What an outcome is called outside (status, code, state, sentence) is data: [`catalog`]. TaurusDB's own answers pass with
//! their status, code and message. An outcome holds what its reader may see; internal detail goes to the log, not in here.
//!
//! Not in here: the answer's form. The documented body is `reply::api_body`, every other form is its caller kind's.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;

use self::catalog::{Entry, other};
use self::denial::Denial;
use self::language::{Language, Localized};
use self::leavers::AccountResult;
use self::message::{Argument, Message};
use self::state::State;
use crate::host::StoreError;

pub mod catalog;
pub mod denial;
pub mod from_request;
pub mod language;
pub mod leavers;
pub mod log_event;
pub mod message;
pub mod state;
pub mod unseen;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The account was removed.
    Removed(Evidence),
    /// TaurusDB says that there is no such account, and its account list does not contradict it; passed on as it is.
    AlreadyGone(UpstreamAnswer),
    /// The account is still there, and the same delivery may try again.
    NotRemoved(NotRemoved),
    /// TaurusDB refused the removal.
    RefusedUpstream(UpstreamRefusal),
    /// The removal was sent, and its effect is not known.
    Unknown(Unknown),
    /// No removal was sent; the same delivery may try again.
    NotSent(NotSent),
    /// Policy, or a rule that no policy can lift, said no.
    Denied(Denied),
    /// Refused before policy was asked: not proved, or not a request that can be understood.
    Refused(Message),
    /// Another request is carrying out the same delivery.
    InProgress,
    /// A person has to act first.
    Waiting(Waiting),
    /// A person or the time ended what was waiting.
    Closed(Closed),
    /// What would have happened.
    DryRun(DryRun),
    /// An earlier answer to the same delivery, from its row.
    Replayed(ReplayedAnswer),
    /// What became of the accounts of people who leave, one each.
    Offboarded(Vec<AccountResult>),
}

impl From<NotSent> for Outcome {
    fn from(why: NotSent) -> Self {
        Self::NotSent(why)
    }
}

impl From<Denied> for Outcome {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Closed> for Outcome {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<Message> for Outcome {
    fn from(message: Message) -> Self {
        Self::Refused(message)
    }
}

/// How the gateway knows that an account was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// TaurusDB answered 200 `{"result":"SUCCESS"}`.
    Answer,
    /// No usable answer came back, and the account list does not have the account any more.
    AccountList,
}

/// What TaurusDB said, in the form that its API page documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// `error_code`
    pub code: String,
    /// `error_msg`
    pub message: String,
}

/// Why it is certain that TaurusDB did not remove the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRemoved {
    /// It was throttled, busy or not available, and stayed so: 409, 429 or 503.
    TurnedAway(UpstreamAnswer),
    /// No usable answer came back, and the account list still has the account.
    StillListed,
}

/// How TaurusDB refused a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamRefusal {
    /// With a documented body, passed on as it is.
    Documented(UpstreamAnswer),
    /// With a client error whose body the API page does not document.
    Undocumented(StatusCode),
}

/// Why the effect of a removal is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// The connection broke, or the answer says nothing about the removal.
    NoUsableAnswer,
    /// The answer did not begin in time.
    FirstByteTimedOut,
    /// The answer was not complete in time.
    CallTimedOut,
    /// The time limit of the whole request ended the call.
    TimeSpent,
    /// 502 or 504 with a documented body: it speaks for a gateway on the way, not for TaurusDB.
    Intermediary(UpstreamAnswer),
    /// A server error whose body the API page does not document: a gateway on the way may have written it.
    Undocumented(StatusCode),
}

/// Why no removal was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The connection to TaurusDB could not be made.
    NotReached,
    /// The runtime does not let the gateway connect to TaurusDB's host.
    HostNotAllowed,
    /// The connection to TaurusDB was not made in time.
    ConnectTimedOut,
    /// The time limit of the whole request ended before anything was sent.
    TimeSpent,
    /// IAM gave no token.
    TokenUnavailable,
    /// The runtime does not let the gateway connect to IAM's host.
    IamNotAllowed,
    /// The ledger could not be read or written.
    LedgerDown,
    /// The ledger's database is in memory and would end with the instance.
    LedgerInMemory,
    /// offboard.toml or the policies cannot be used.
    ConfigurationUnusable,
    /// A variable that overrides an endpoint cannot be used.
    EndpointInvalid,
    /// The gateway's credentials for TaurusDB are not set.
    CredentialsUnset,
    /// IAM refused the gateway's credentials.
    CredentialsRefused,
    /// The public keys that could verify the sender are not available.
    KeysUnavailable,
    /// The operator has to mend how those keys are had.
    KeysUnusable,
    /// The identity provider of the console could not be asked.
    ProviderUnavailable,
    /// The operator has to mend how that provider is used.
    ProviderUnusable,
    /// The account list could not be read, so it is not known whether a leaver's account exists.
    AccountListUnreadable,
    /// The account list that the caller asked for could not be read.
    AccountListUnavailable,
}

/// Who or what said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Policy, to the removal.
    Removal(Denial),
    /// Policy, to this person as an approver.
    Approval(Denial),
    /// Policy, to viewing rows.
    Audit(Denial),
    /// Policy, to reading an account list.
    List(Denial),
    /// Policy, to running jobs and reading metrics.
    Operate(Denial),
    /// Requesters do not approve or deny their own request.
    OwnRequest,
    /// Only the requester confirms or cancels.
    NotRequester,
    /// The configuration is not the one that the request was made under.
    ConfigurationChanged,
}

/// Who has to act before a removal is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// The requester has to confirm.
    Confirmation {
        /// What people type to refer to the request.
        reference: String,
        /// Whether it has to be approved afterwards.
        needs_approval: bool,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Other people have to approve.
    Approval {
        /// What people type to refer to the request.
        reference: String,
        /// How many approvals are missing.
        missing: u32,
        /// Until when.
        until: DateTime<Utc>,
    },
}

/// How a waiting request ended without a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The requester cancelled it.
    Cancelled,
    /// It was not confirmed or approved in time.
    Expired,
    /// An approver denied it.
    Rejected {
        /// The approver's principal.
        by: String,
        /// The approver's reason.
        reason: Option<String>,
    },
}

/// What a dry run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// What the gateway would have done.
    pub decision: DryRunDecision,
    /// Whether TaurusDB has the account.
    pub account: AccountPresence,
    /// The ids of the policies that decided.
    pub policies: Vec<String>,
}

/// What the gateway would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRunDecision {
    /// Removed the account.
    Remove,
    /// Asked for approval.
    RequestApproval,
    /// Denied the removal.
    Deny,
}

/// Whether TaurusDB has an account, by its account list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountPresence {
    /// The list has it.
    Present,
    /// The list does not have it.
    Absent,
    /// The list could not be read.
    Unknown,
    /// The list was not read: who may not remove an account does not learn whether it exists.
    NotChecked,
}

/// An earlier answer, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedAnswer {
    /// How the delivery ended.
    pub state: State,
    /// The status of the first answer.
    pub status: StatusCode,
    /// Its code.
    pub code: String,
    /// Its message.
    pub message: String,
}

/// What an outcome is called outside.
struct Described<'a> {
    status: StatusCode,
    code: Cow<'a, str>,
    state: State,
    text: Text<'a>,
}

enum Text<'a> {
    /// As TaurusDB or an earlier answer wrote it.
    Written(&'a str),
    /// The gateway's own sentence.
    Own(Localized, Cow<'a, [(&'static str, Argument)]>),
}

impl<'a> Described<'a> {
    fn entry(entry: &Entry) -> Self {
        Self::with(entry, Vec::new())
    }

    fn with(entry: &Entry, arguments: impl Into<Cow<'a, [(&'static str, Argument)]>>) -> Self {
        Self {
            status: StatusCode::from_u16(entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: entry.code().into(),
            state: entry.state,
            text: Text::Own(entry.text, arguments.into()),
        }
    }

    fn message(message: &'a Message) -> Self {
        Self::with(message.entry(), message.arguments())
    }

    fn success(code: &'static str, state: State, text: Localized, arguments: Vec<(&'static str, Argument)>) -> Self {
        Self { status: StatusCode::OK, code: code.into(), state, text: Text::Own(text, arguments.into()) }
    }

    fn upstream(answer: &'a UpstreamAnswer, state: State) -> Self {
        Self { status: answer.status, code: answer.code.as_str().into(), state, text: Text::Written(&answer.message) }
    }

    /// TaurusDB's status with a body that is not documented: `OFFBOARD.<status>90`.
    fn undocumented(status: StatusCode, state: State, text: Localized) -> Self {
        let argument = ("status", Argument::Plain(status.as_u16().to_string().into()));
        let code = format!("OFFBOARD.{}90", status.as_u16());
        Self { status, code: code.into(), state, text: Text::Own(text, vec![argument].into()) }
    }
}

/// The code of a removal.
const SUCCESS: &str = "SUCCESS";

/// The code of a leaver for whom no account was found.
const NO_ACCOUNT: &str = "NO_ACCOUNT";

impl Outcome {
    fn described(&self) -> Described<'_> {
        match self {
            Self::Removed(evidence) => Described::success(
                SUCCESS,
                State::Removed,
                match evidence {
                    Evidence::Answer => other::REMOVED,
                    Evidence::AccountList => other::GONE_BY_LIST,
                },
                Vec::new(),
            ),
            Self::AlreadyGone(answer) => Described::upstream(answer, State::AlreadyGone),
            Self::NotRemoved(NotRemoved::TurnedAway(answer)) => Described::upstream(answer, State::NotRemoved),
            Self::NotRemoved(NotRemoved::StillListed) => Described::entry(&catalog::STILL_LISTED),
            Self::RefusedUpstream(UpstreamRefusal::Documented(answer)) => {
                Described::upstream(answer, State::RefusedUpstream)
            }
            Self::RefusedUpstream(UpstreamRefusal::Undocumented(status)) => {
                Described::undocumented(*status, State::RefusedUpstream, other::UNDOCUMENTED_REFUSAL)
            }
            Self::Unknown(unknown) => unknown.described(),
            Self::NotSent(why) => Described::entry(why.entry()),
            Self::Denied(denied) => denied.described(),
            Self::Refused(message) => Described::message(message),
            Self::InProgress => Described::entry(&catalog::IN_PROGRESS),
            Self::Waiting(waiting) => waiting.described(),
            Self::Closed(closed) => closed.described(),
            Self::DryRun(found) => found.described(),
            Self::Replayed(ReplayedAnswer { state, status, code, message }) => {
                Described { status: *status, code: code.as_str().into(), state: *state, text: Text::Written(message) }
            }
            Self::Offboarded(results) => match leavers::entry(results) {
                Some(entry) => Described::with(entry, leavers::arguments(results)),
                None => {
                    // For a machine: a leaver without an account may be one whose account is called otherwise.
                    let (code, state) =
                        if results.is_empty() { (NO_ACCOUNT, State::AlreadyGone) } else { (SUCCESS, State::Removed) };
                    Described::success(code, state, leavers::success(results), leavers::arguments(results))
                }
            },
        }
    }

    /// The HTTP status of the documented answer.
    pub fn status(&self) -> StatusCode {
        self.described().status
    }

    /// The code of the answer: `SUCCESS`, `DRY_RUN`, TaurusDB's own, or one of the [`catalog`].
    pub fn code(&self) -> Cow<'_, str> {
        self.described().code
    }

    /// The sentence, in the given language; what TaurusDB said stays in the language that it chose.
    pub fn message(&self, language: Language) -> String {
        match self.described().text {
            Text::Written(text) => text.to_owned(),
            Text::Own(text, arguments) => message::format(text, &arguments, language),
        }
    }

    /// What the ledger keeps.
    pub fn state(&self) -> State {
        self.described().state
    }

    /// What the outcome is known from, where that is not TaurusDB's answer to the DELETE.
    pub fn confirmed_by(&self) -> Option<&'static str> {
        let by_list = matches!(self, Self::Removed(Evidence::AccountList) | Self::NotRemoved(NotRemoved::StillListed));
        by_list.then_some("account-list")
    }

    /// What people type to refer to a request that waits.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Waiting(Waiting::Confirmation { reference, .. } | Waiting::Approval { reference, .. }) => {
                Some(reference)
            }
            _ => None,
        }
    }

    /// The value of `Allow`, for a method that the path does not support.
    pub fn allow(&self) -> Option<&str> {
        match self {
            Self::Refused(message)
                if [&catalog::METHOD_NOT_ALLOWED, &catalog::ONLY_REMOVES_AND_LISTS].contains(&message.entry()) =>
            {
                message.text("allow")
            }
            _ => None,
        }
    }
}

impl From<&StoreError> for NotSent {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::InMemory => Self::LedgerInMemory,
            StoreError::Failed(_) | StoreError::Unknown(_) => Self::LedgerDown,
        }
    }
}

impl NotSent {
    fn entry(self) -> &'static Entry {
        match self {
            Self::NotReached => &catalog::NOT_REACHED,
            Self::HostNotAllowed => &catalog::HOST_NOT_ALLOWED,
            Self::ConnectTimedOut => &catalog::CONNECT_TIMED_OUT,
            Self::TimeSpent => &catalog::TIME_SPENT,
            Self::TokenUnavailable => &catalog::TOKEN_UNAVAILABLE,
            Self::IamNotAllowed => &catalog::IAM_NOT_ALLOWED,
            Self::LedgerDown => &catalog::LEDGER_DOWN,
            Self::LedgerInMemory => &catalog::LEDGER_IN_MEMORY,
            Self::ConfigurationUnusable => &catalog::CONFIGURATION_UNUSABLE,
            Self::EndpointInvalid => &catalog::ENDPOINT_INVALID,
            Self::CredentialsUnset => &catalog::CREDENTIALS_UNSET,
            Self::CredentialsRefused => &catalog::CREDENTIALS_REFUSED,
            Self::KeysUnavailable => &catalog::KEYS_UNAVAILABLE,
            Self::KeysUnusable => &catalog::KEYS_UNUSABLE,
            Self::ProviderUnavailable => &catalog::PROVIDER_UNAVAILABLE,
            Self::ProviderUnusable => &catalog::PROVIDER_UNUSABLE,
            Self::AccountListUnreadable => &catalog::ACCOUNT_LIST_UNREADABLE,
            Self::AccountListUnavailable => &catalog::ACCOUNT_LIST_UNAVAILABLE,
        }
    }
}

impl Unknown {
    fn described(&self) -> Described<'_> {
        match self {
            Self::NoUsableAnswer => Described::entry(&catalog::OUTCOME_UNKNOWN),
            Self::FirstByteTimedOut => Described::entry(&catalog::FIRST_BYTE_TIMED_OUT),
            Self::CallTimedOut => Described::entry(&catalog::CALL_TIMED_OUT),
            Self::TimeSpent => Described::entry(&catalog::TIME_SPENT_SENDING),
            Self::Intermediary(answer) => Described::upstream(answer, State::Unknown),
            Self::Undocumented(status) => Described::undocumented(*status, State::Unknown, other::UNDOCUMENTED_ERROR),
        }
    }
}

impl Denied {
    fn described(&self) -> Described<'_> {
        use catalog::{APPROVAL_FORBIDDEN, APPROVAL_NOT_EVALUATED, APPROVAL_NOT_PERMITTED};
        use catalog::{
            AUDIT_FORBIDDEN, AUDIT_NOT_EVALUATED, AUDIT_NOT_PERMITTED, FORBIDDEN, NOT_EVALUATED, NOT_PERMITTED,
        };
        use catalog::{OPERATE_FORBIDDEN, OPERATE_NOT_EVALUATED, OPERATE_NOT_PERMITTED};
        let (denial, [not_permitted, forbidden, not_evaluated]) = match self {
            Self::Removal(denial) => (denial, [&NOT_PERMITTED, &FORBIDDEN, &NOT_EVALUATED]),
            Self::Approval(denial) => (denial, [&APPROVAL_NOT_PERMITTED, &APPROVAL_FORBIDDEN, &APPROVAL_NOT_EVALUATED]),
            Self::Audit(denial) | Self::List(denial) => {
                (denial, [&AUDIT_NOT_PERMITTED, &AUDIT_FORBIDDEN, &AUDIT_NOT_EVALUATED])
            }
            Self::Operate(denial) => (denial, [&OPERATE_NOT_PERMITTED, &OPERATE_FORBIDDEN, &OPERATE_NOT_EVALUATED]),
            Self::OwnRequest => return Described::entry(&catalog::OWN_REQUEST),
            Self::NotRequester => return Described::entry(&catalog::NOT_REQUESTER),
            Self::ConfigurationChanged => return Described::entry(&catalog::CONFIGURATION_CHANGED),
        };
        match denial {
            Denial::NotPermitted => Described::entry(not_permitted),
            Denial::Forbidden(ids) => Described::with(forbidden, vec![("policies", Argument::Policies(ids.clone()))]),
            Denial::NotEvaluated => Described::entry(not_evaluated),
        }
    }
}

impl Waiting {
    fn described(&self) -> Described<'_> {
        let quoted = |reference: &str| ("reference", Argument::Quoted(reference.to_owned()));
        let before =
            |until: &DateTime<Utc>| ("until", Argument::Plain(until.to_rfc3339_opts(SecondsFormat::Secs, true).into()));
        match self {
            Self::Confirmation { reference, needs_approval, until } => {
                let entry = if *needs_approval { &catalog::CONFIRM_TO_SUBMIT } else { &catalog::CONFIRM_TO_REMOVE };
                Described::with(entry, vec![quoted(reference), before(until)])
            }
            Self::Approval { reference, missing, until } => {
                let entry = if *missing == 1 { &catalog::AWAITING_APPROVAL } else { &catalog::AWAITING_APPROVALS };
                let missing = ("missing", Argument::Plain(missing.to_string().into()));
                Described::with(entry, vec![quoted(reference), missing, before(until)])
            }
        }
    }
}

impl Closed {
    fn described(&self) -> Described<'_> {
        match self {
            Self::Cancelled => Described::entry(&catalog::CANCELLED),
            Self::Expired => Described::entry(&catalog::EXPIRED),
            Self::Rejected { by, reason } => {
                let by = ("by", Argument::Quoted(by.clone()));
                match reason {
                    None => Described::with(&catalog::REJECTED, vec![by]),
                    Some(reason) => {
                        let reason = ("reason", Argument::Reason(reason.clone()));
                        Described::with(&catalog::REJECTED_WITH_REASON, vec![by, reason])
                    }
                }
            }
        }
    }
}

impl DryRun {
    fn described(&self) -> Described<'_> {
        let arguments = vec![
            ("account", Argument::Localized(self.account.text())),
            ("would", Argument::Localized(self.decision.text())),
        ];
        Described::success("DRY_RUN", State::DryRun, other::DRY_RUN, arguments)
    }
}

impl DryRunDecision {
    /// The word of the documented body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::RequestApproval => "request-approval",
            Self::Deny => "deny",
        }
    }

    fn text(self) -> Localized {
        match self {
            Self::Remove => Localized { en: "the account would be removed at once", zh: "将立即删除" },
            Self::RequestApproval => Localized { en: "the removal would need approval", zh: "需要审批" },
            Self::Deny => Localized { en: "policy would not permit the removal", zh: "策略不允许删除" },
        }
    }
}

impl AccountPresence {
    /// The word of the documented body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Unknown | Self::NotChecked => "unknown",
        }
    }

    fn text(self) -> Localized {
        match self {
            Self::Present => Localized { en: "the account exists", zh: "账号存在" },
            Self::Absent => Localized { en: "the account does not exist", zh: "账号不存在" },
            Self::Unknown => Localized { en: "the account list could not be read", zh: "无法读取账号列表" },
            Self::NotChecked => Localized { en: "the account list was not checked", zh: "未查询账号列表" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::leavers::Contested;
    use super::*;

    fn result(instance: &str, state: State, code: &str) -> AccountResult {
        AccountResult {
            event: None,
            instance: instance.into(),
            user_name: "bob".into(),
            state,
            code: code.into(),
            removal: "1".into(),
            reference: (state == State::AwaitingApproval).then(|| "K7Q2M9XA".into()),
            contested: None,
        }
    }

    fn contested(state: State, code: &str) -> AccountResult {
        let (leaver, other) = ("`bob@b.example` (`2`)".into(), "`bob@a.example` (`1`)".into());
        AccountResult { contested: Some(Contested { leaver, other }), ..result("warehouse", state, code) }
    }

    /// Of two accounts of a leaver, what became of the second.
    fn offboarded(state: State, code: &str) -> Outcome {
        Outcome::Offboarded(vec![result("analytics", State::Removed, "SUCCESS"), result("warehouse", state, code)])
    }

    /// An account in every group of an answer, and groups that are not empty only.
    fn offboarded_in_groups() -> [Outcome; 6] {
        let waits = || result("warehouse", State::AwaitingApproval, "OFFBOARD.40904");
        let refused = || result("archive", State::Denied, "OFFBOARD.40301");
        let gone = || result("analytics", State::Removed, "SUCCESS");
        let not_understood = || AccountResult {
            event: Some("e-2".into()),
            user_name: String::new(),
            ..result("", State::Refused, "OFFBOARD.40003")
        };
        [
            vec![gone(), result("lake", State::Unknown, "OFFBOARD.50401"), waits(), refused()],
            vec![gone(), waits(), refused()],
            vec![contested(State::AwaitingApproval, "OFFBOARD.40904")],
            vec![gone(), contested(State::Rejected, "OFFBOARD.40305")],
            vec![gone()],
            vec![gone(), not_understood()],
        ]
        .map(Outcome::Offboarded)
    }

    fn status(status: u16) -> StatusCode {
        StatusCode::from_u16(status).unwrap()
    }

    fn answer(code: u16) -> UpstreamAnswer {
        UpstreamAnswer { status: status(code), code: "DBS.1".into(), message: "said upstream".into() }
    }

    /// A refusal for each entry that says why a request was refused.
    fn refused_samples() -> Vec<Outcome> {
        let refused = catalog::ALL.iter().filter(|entry| entry.state == State::Refused).map(|entry| {
            let message = Message::new(entry)
                .quoting("name", "Bob!")
                .quoting("given", "Bob!")
                .with("limit", Argument::Plain("64 KiB".into()))
                .quoting("header", "authorization")
                .quoting("id", "42")
                .quoting("event", "evt_1")
                .quoting("claim", "aud")
                .quoting("user_name", "alice@example.com")
                .quoting("expected", "application/json")
                .quoting("meant", "analytics")
                .quoting("usage", "confirm ID")
                .with("why", Argument::Localized(Localized { en: "it is not valid JSON", zh: "不是有效的JSON" }))
                .with("known", Argument::Names(&["user_name", "dry_run"]))
                .with("character", Argument::Plain("U+202E".into()))
                .with("allow", Argument::Plain("POST".into()));
            Outcome::Refused(message)
        });
        refused.collect()
    }

    const NOT_SENT: [NotSent; 18] = [
        NotSent::NotReached,
        NotSent::HostNotAllowed,
        NotSent::ConnectTimedOut,
        NotSent::TimeSpent,
        NotSent::TokenUnavailable,
        NotSent::IamNotAllowed,
        NotSent::LedgerDown,
        NotSent::LedgerInMemory,
        NotSent::ConfigurationUnusable,
        NotSent::EndpointInvalid,
        NotSent::CredentialsUnset,
        NotSent::CredentialsRefused,
        NotSent::KeysUnavailable,
        NotSent::KeysUnusable,
        NotSent::ProviderUnavailable,
        NotSent::ProviderUnusable,
        NotSent::AccountListUnreadable,
        NotSent::AccountListUnavailable,
    ];

    /// Endings of every variant; the catalogue has its own test.
    fn samples() -> Vec<Outcome> {
        let policies = || vec!["frozen".to_owned(), "night".to_owned()];
        let dry_run = |decision, account| Outcome::DryRun(DryRun { decision, account, policies: policies() });
        let reference = || "K7Q2M9XA".to_owned();
        let rejected =
            |reason: Option<&str>| Closed::Rejected { by: "slack/U2CERLKJA".into(), reason: reason.map(str::to_owned) };
        let until = DateTime::from_timestamp(1_780_309_500, 0).unwrap();
        let confirmation = |needs_approval| Waiting::Confirmation { reference: reference(), needs_approval, until };
        let approval = |missing| Waiting::Approval { reference: reference(), missing, until };
        let replayed = ReplayedAnswer {
            state: State::Cancelled,
            status: status(409),
            code: "DBS.1".into(),
            message: "said upstream".into(),
        };
        let unknown = [
            Unknown::NoUsableAnswer,
            Unknown::FirstByteTimedOut,
            Unknown::CallTimedOut,
            Unknown::TimeSpent,
            Unknown::Intermediary(answer(502)),
            Unknown::Intermediary(answer(504)),
            Unknown::Undocumented(status(503)),
        ];
        let denials = [Denial::NotPermitted, Denial::Forbidden(policies()), Denial::NotEvaluated];
        let denied = denials.into_iter().flat_map(|denial| {
            [
                Denied::Removal(denial.clone()),
                Denied::Approval(denial.clone()),
                Denied::Audit(denial.clone()),
                Denied::List(denial.clone()),
                Denied::Operate(denial),
            ]
        });
        let denied = denied.chain([Denied::OwnRequest, Denied::NotRequester, Denied::ConfigurationChanged]);
        let closed = [Closed::Cancelled, Closed::Expired, rejected(None), rejected(Some("still on call"))];
        let waiting = [confirmation(false), confirmation(true), approval(1), approval(2)];
        let others = [
            Outcome::Removed(Evidence::Answer),
            Outcome::Removed(Evidence::AccountList),
            Outcome::AlreadyGone(answer(400)),
            Outcome::NotRemoved(NotRemoved::TurnedAway(answer(409))),
            Outcome::NotRemoved(NotRemoved::StillListed),
            Outcome::RefusedUpstream(UpstreamRefusal::Documented(answer(400))),
            Outcome::RefusedUpstream(UpstreamRefusal::Undocumented(status(404))),
            Outcome::Replayed(replayed),
            Outcome::InProgress,
            dry_run(DryRunDecision::Remove, AccountPresence::Present),
            dry_run(DryRunDecision::RequestApproval, AccountPresence::Absent),
            dry_run(DryRunDecision::Remove, AccountPresence::Unknown),
            dry_run(DryRunDecision::Deny, AccountPresence::NotChecked),
            Outcome::Offboarded(Vec::new()),
            offboarded(State::Removed, "SUCCESS"),
            offboarded(State::Unknown, "OFFBOARD.50401"),
            offboarded(State::NotSent, "OFFBOARD.50201"),
            offboarded(State::AwaitingApproval, "OFFBOARD.40904"),
            offboarded(State::Denied, "OFFBOARD.40301"),
            Outcome::Refused(Message::new(&catalog::PERSON_NOT_UPDATED)),
        ];
        let mut samples = refused_samples();
        samples.extend(NOT_SENT.map(Outcome::NotSent));
        samples.extend(unknown.map(Outcome::Unknown));
        samples.extend(denied.map(Outcome::Denied));
        samples.extend(closed.map(Outcome::Closed));
        samples.extend(waiting.map(Outcome::Waiting));
        samples.extend(others);
        samples.extend(offboarded_in_groups());
        samples
    }

    /// What every ending says to the outside: status, code, state and both messages. A change of it is meant, or is a mistake;
    /// `BLESS=1` writes the file anew.
    #[test]
    fn golden() {
        let mut rows: Vec<String> = samples()
            .iter()
            .map(|outcome| {
                format!(
                    "{}\t{}\t{}\t{}\t{}\n",
                    outcome.code(),
                    outcome.status().as_u16(),
                    outcome.state().as_str(),
                    outcome.message(Language::English),
                    outcome.message(Language::Chinese)
                )
            })
            .collect();
        rows.sort();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/outcomes.tsv");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, rows.concat()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), rows.concat());
    }

    /// Every entry of the catalogue is the sentence of a sample: none is dead.
    #[test]
    fn every_code_is_said() {
        let said: std::collections::BTreeSet<_> = samples().iter().map(|outcome| outcome.code().into_owned()).collect();
        for entry in catalog::ALL {
            assert!(said.contains(&entry.code()), "{}", entry.code());
        }
    }

    #[test]
    fn what_an_outcome_tells_beside_its_sentence() {
        let allowed = Message::new(&catalog::METHOD_NOT_ALLOWED).with("allow", Argument::Plain("GET".into()));
        assert_eq!(Outcome::Refused(allowed).allow(), Some("GET"));
        assert_eq!(Outcome::Refused(Message::new(&catalog::ROUTE_UNKNOWN)).allow(), None);
        assert_eq!(Outcome::Removed(Evidence::AccountList).confirmed_by(), Some("account-list"));
        assert_eq!(Outcome::Removed(Evidence::Answer).confirmed_by(), None);
        let waiting = Waiting::Approval { reference: "K7Q2M9XA".into(), missing: 1, until: DateTime::UNIX_EPOCH };
        assert_eq!(Outcome::Waiting(waiting).reference(), Some("K7Q2M9XA"));
    }
}

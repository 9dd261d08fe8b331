//! What an operation returns: a report, a refusal with its own facts, or content.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::ledger::claims::Claim;
use crate::ledger::row::{RemovalId, RemovalRow};
use crate::outcome::{Denied, Outcome};
use crate::reply::Rendered;
use crate::request::removal::RemovalRequest;

/// How a report relates to the ledger.
#[derive(Debug)]
pub(crate) enum LedgerRow<'c> {
    /// It has no row yet.
    Unwritten,
    /// It has a claimed row, in which the outcome is not written yet.
    Claimed(Box<Unsettled<'c>>),
    /// It has this row.
    Current(Box<RemovalRow>),
    /// It has a row with this id, which could not be updated.
    Stale(RemovalId),
    /// It summarizes removals that have a row each; it has none of its own.
    OfParts,
    /// It has no row and gets none: only the log has it.
    LoggedOnly,
}

/// A claim whose outcome is known and not written yet.
#[derive(Debug)]
pub(crate) struct Unsettled<'c> {
    pub(crate) claim: Claim<'c>,
    /// When the outcome was known.
    pub(crate) at: DateTime<Utc>,
    /// How many DELETEs were sent.
    pub(crate) attempts: u32,
    /// How long TaurusDB took, with all attempts; `None` if nothing was sent.
    pub(crate) upstream: Option<Duration>,
}

/// How a request ended, with everything that its row, its log line and its answer say.
#[derive(Debug)]
pub(crate) struct Report<'c> {
    pub(crate) outcome: Outcome,
    pub(crate) row: LedgerRow<'c>,
    /// The removal that it is about.
    pub(crate) removal: Option<RemovalRequest<'c>>,
    /// The policies that decided.
    pub(crate) policies: Vec<String>,
    /// TaurusDB's request id.
    pub(crate) request_id: Option<String>,
    /// When to try again, in seconds from now.
    pub(crate) retry_after: Option<u64>,
    /// The requester of what another person decided.
    pub(crate) notify: Option<Notify>,
    /// Whether a person's decision came too late to have brought about the outcome.
    pub(crate) is_decided_already: bool,
}

/// A requester who is told of an outcome without waiting for it.
#[derive(Debug)]
pub(crate) struct Notify {
    /// The requester's caller.
    pub(crate) caller: String,
    /// Where the requester takes the message, sealed.
    pub(crate) reply_address: String,
    /// The delivery of the row that the address is in.
    pub(crate) delivery: String,
}

impl Notify {
    /// The requester of a row, if their platform takes a follow-up message.
    pub(super) fn of_row(row: &RemovalRow) -> Option<Self> {
        let delivery = row.delivery().unwrap_or_default().to_owned();
        let (caller, reply_address) = row.caller.clone().zip(row.reply_address.clone())?;
        Some(Self { caller, reply_address, delivery })
    }
}

impl<'c> Report<'c> {
    /// An outcome without a row.
    pub(crate) fn new(outcome: Outcome) -> Self {
        let policies = match &outcome {
            Outcome::Denied(
                Denied::Removal(denial)
                | Denied::Approval(denial)
                | Denied::Audit(denial)
                | Denied::List(denial)
                | Denied::Operate(denial),
            ) => denial.policies().to_vec(),
            _ => Vec::new(),
        };
        Self {
            outcome,
            row: LedgerRow::Unwritten,
            removal: None,
            policies,
            request_id: None,
            retry_after: None,
            notify: None,
            is_decided_already: false,
        }
    }

    /// The outcome that a row has.
    pub(super) fn of_row(outcome: Outcome, row: RemovalRow) -> Self {
        Self {
            policies: row.policies.clone(),
            request_id: row.request_id.clone(),
            row: LedgerRow::Current(Box::new(row)),
            ..Self::new(outcome)
        }
    }

    /// Says which removal it is about, unless it does already.
    pub(super) fn of_removal(mut self, removal: &RemovalRequest<'c>) -> Self {
        self.removal.get_or_insert_with(|| removal.clone());
        self
    }

    /// Says which policies decided.
    pub(super) fn decided_by(self, policies: &[String]) -> Self {
        Self { policies: policies.to_vec(), ..self }
    }
}

/// A request that was refused on its way, with what is known of it.
#[derive(Debug)]
pub struct Refusal<'c>(pub(crate) Box<Report<'c>>);

impl<E: Into<Outcome>> From<E> for Refusal<'_> {
    fn from(error: E) -> Self {
        Self(Box::new(Report::new(error.into())))
    }
}

impl<'c> Refusal<'c> {
    /// How the request ended.
    pub fn outcome(&self) -> &Outcome {
        &self.0.outcome
    }

    pub(super) fn map(self, change: impl FnOnce(Report<'c>) -> Report<'c>) -> Self {
        Self(Box::new(change(*self.0)))
    }

    /// Says which row it is about, unless it does already.
    pub(super) fn of_row(self, row: &RemovalRow) -> Self {
        self.map(|report| match report.row {
            LedgerRow::Unwritten => Report { removal: report.removal, ..Report::of_row(report.outcome, row.clone()) },
            _ => report,
        })
    }
}

/// What an operation returns.
pub(crate) type Reported<'c> = Result<Report<'c>, Refusal<'c>>;

/// An answer that is no outcome: a listing, a row, a person.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) rendered: Rendered,
    /// The policies that decided what may be shown.
    pub(crate) policies: Vec<String>,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
    /// TaurusDB's request id, if TaurusDB answered.
    pub(crate) request_id: Option<String>,
}

impl Content {
    pub(crate) fn of(rendered: Rendered) -> Self {
        Self { rendered, policies: Vec::new(), next: None, request_id: None }
    }
}

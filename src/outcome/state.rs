//! The state of a removal, as the ledger stores it. The words are in the database, so they never change.

/// The state of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum State {
    /// A request claimed the removal. The DELETE may have been sent, and its outcome is not recorded yet.
    InFlight,
    /// TaurusDB removed the account.
    Removed,
    /// TaurusDB refused to remove the account.
    RefusedUpstream,
    /// TaurusDB provably did not remove the account: the instance was busy, or its account list still has the account. The
    /// same delivery may try again.
    NotRemoved,
    /// TaurusDB had no such account.
    AlreadyGone,
    /// No DELETE was sent. The same delivery may try again.
    NotSent,
    /// The DELETE was sent, and its effect is not known.
    Unknown,
    /// Policy denied the removal.
    Denied,
    /// The gateway refused the request before policy was evaluated: its proof or its content was not valid.
    #[default]
    Refused,
    /// The requester was shown the effect and has not confirmed it yet.
    AwaitingConfirmation,
    /// The removal waits for approval.
    AwaitingApproval,
    /// The requester cancelled the removal.
    Cancelled,
    /// The removal was not confirmed or approved in time.
    Expired,
    /// An approver rejected the removal.
    Rejected,
    /// The request was a dry run, so no DELETE was sent.
    DryRun,
}

impl State {
    /// Returns the state of a stored word; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Every state.
    pub const ALL: [Self; 15] = [
        Self::InFlight,
        Self::Removed,
        Self::RefusedUpstream,
        Self::NotRemoved,
        Self::AlreadyGone,
        Self::NotSent,
        Self::Unknown,
        Self::Denied,
        Self::Refused,
        Self::AwaitingConfirmation,
        Self::AwaitingApproval,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::DryRun,
    ];

    /// Returns the word that the ledger stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "in-flight",
            Self::Removed => "removed",
            Self::RefusedUpstream => "refused-upstream",
            Self::NotRemoved => "not-removed",
            Self::AlreadyGone => "already-gone",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::AwaitingConfirmation => "awaiting-confirmation",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::DryRun => "dry-run",
        }
    }
}

//! What the ledger keeps of how far a removal came.

/// What the ledger keeps of how far a removal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Claimed; the DELETE may have left and its outcome is not recorded yet.
    InFlight,
    /// TaurusDB removed the account.
    Removed,
    /// TaurusDB answered, and did not remove it.
    RefusedUpstream,
    /// It is known that TaurusDB did not remove it (it was busy, or its account list still has the account), so the same
    /// delivery may try again.
    NotRemoved,
    /// There was no such account.
    AlreadyGone,
    /// Nothing left for TaurusDB, so the same delivery may try again.
    NotSent,
    /// The DELETE left, and nobody knows what it did.
    Unknown,
    /// Policy said no.
    Denied,
    /// Refused before policy was asked: no proof, or not a request that can be understood.
    #[default]
    Refused,
    /// Whoever asked was shown what would happen, and has yet to confirm it.
    AwaitingConfirmation,
    /// Somebody else has yet to approve it.
    AwaitingApproval,
    /// Whoever asked did not want it any more.
    Cancelled,
    /// It waited too long.
    Expired,
    /// Somebody who might have approved it said no.
    Rejected,
    /// Nothing was to be sent, and nothing was.
    DryRun,
}

impl State {
    /// Reads the ledger's word.
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

    /// The word the ledger stores.
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

//! What a scheduler asks for: `POST /jobs/{name}`.

/// A job. Each may run at any time, as often as wanted, and in several instances at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Settle removals of unknown outcome by the account lists.
    Settle,
    /// End the requests that have waited too long, and tell their requesters.
    Expire,
    /// Delete what is not kept.
    Prune,
    /// Remind approvers, and send what has not been told yet.
    Remind,
}

impl Job {
    /// All jobs.
    pub const ALL: [Self; 4] = [Self::Settle, Self::Expire, Self::Prune, Self::Remind];

    /// Returns the name in the path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Expire => "expire",
            Self::Prune => "prune",
            Self::Remind => "remind",
        }
    }

    /// Returns the job of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.as_str() == name)
    }
}

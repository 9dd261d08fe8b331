//! What policies count.

/// How many removals there were in the last hour: removed, running or of unknown outcome. What brakes in policies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentRemovals {
    /// Those that the requesting person asked for or caused, and those of the requester's principal.
    pub requester: i64,
    /// The instance's.
    pub instance: i64,
}

/// What policies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The last hour.
    pub removals: RecentRemovals,
    /// The requests of the same person that wait; of a request that waits itself, those that were asked before it.
    pub waiting: i64,
}

impl Counts {
    /// Whether no count is larger than its counterpart.
    pub fn is_within(&self, most: &Self) -> bool {
        self.removals.requester <= most.removals.requester
            && self.removals.instance <= most.removals.instance
            && self.waiting <= most.waiting
    }
}

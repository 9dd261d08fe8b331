//! Why policy says no.

/// The reason of policy's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// No policy permits it.
    NotPermitted,
    /// The `forbid` policies with these ids decided; there is at least one.
    Forbidden(Vec<String>),
    /// The policies could not be evaluated. The log has the error.
    NotEvaluated,
}

impl Denial {
    /// A no by these `forbid` policies; by none if the list is empty.
    pub fn by(policies: Vec<String>) -> Self {
        if policies.is_empty() { Self::NotPermitted } else { Self::Forbidden(policies) }
    }

    /// The ids of the policies that decided.
    pub fn policies(&self) -> &[String] {
        match self {
            Self::NotPermitted | Self::NotEvaluated => &[],
            Self::Forbidden(policies) => policies,
        }
    }
}

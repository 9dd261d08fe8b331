//! The rules that say which requests the simulated cloud fails, and how.

use super::misbehaviour::Misbehaviour;
use super::target::Target;

/// A rule: the requests it applies to, what happens to them, and how often.
///
/// Its text form is `[TARGET:]KIND[=VALUE][*TIMES]`: see [`Fault::grammar`].
#[derive(Debug, Clone)]
pub struct Fault {
    /// The requests that the rule applies to.
    pub on: Target,
    /// What happens to them.
    pub what: Misbehaviour,
    /// How many requests the rule applies to; `None` for all.
    pub times: Option<usize>,
}

/// Returns what the first rule that applies to the request does to it, and counts the rule as used once.
pub(super) fn take(faults: &mut [Fault], request: Option<Target>) -> Option<Misbehaviour> {
    let fault = faults.iter_mut().find(|fault| fault.on.covers(request) && fault.times != Some(0))?;
    if let Some(times) = &mut fault.times {
        *times -= 1;
    }
    Some(fault.what.clone())
}

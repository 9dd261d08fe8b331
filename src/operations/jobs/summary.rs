//! What a job did, and when it has to stop.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::report::Report;

/// What a job counted, by name, in the order in which the summary has it.
pub(super) type Counted = Vec<(&'static str, usize)>;

/// What a job did, and whether it stopped before it was done.
pub(super) struct Summary<'c> {
    pub(super) counted: Counted,
    pub(super) more: bool,
    pub(super) expired: Vec<Report<'c>>,
}

/// Whether the time of the request is over, but for what is reserved for settling.
pub(super) fn is_out_of_time<H: Host>(ctx: &Ctx<'_, H>) -> bool {
    ctx.budget.left_to_send(ctx.host).is_zero()
}

//! Which page stands at which path.

use crate::flow::console::form_sent::Visited;
use crate::flow::console::visit::Visit;
use crate::flow::console::{accounts, ask, decide, policy, removal, removals, waiting};
use crate::host::Host;
use crate::operations::report::Refusal;
use crate::outcome::Outcome;
use crate::request::console_path::ConsolePath;
use crate::request::error::RequestError;

/// Makes the page of a path, or reads its form.
///
/// # Errors
///
/// If the person may not see it, or it cannot be made.
pub(super) async fn carry_out<H: Host>(visit: &Visit<'_, '_, H>, path: &ConsolePath) -> Result<Visited, Outcome> {
    let visited = match path {
        ConsolePath::Waiting => waiting::show(visit).await.map(Visited::Page),
        ConsolePath::Ask => ask::visit(visit).await,
        ConsolePath::Accounts => accounts::show(visit).await.map(Visited::Page),
        ConsolePath::AccountsCsv => accounts::csv(visit).await.map(Visited::Page),
        ConsolePath::Approval(reference) => decide::decision(visit, reference).await,
        ConsolePath::Removals => removals::show(visit).await.map(Visited::Page),
        ConsolePath::RemovalsCsv => removals::csv(visit).await.map(Visited::Page),
        ConsolePath::Removal(id) => removal::show(visit, id).await.map(Visited::Page),
        ConsolePath::Policy => policy::show(visit).await.map(Visited::Page),
        _ => Err(RequestError::RouteUnknown.into()),
    };
    visited.map_err(|Refusal(report)| report.outcome)
}

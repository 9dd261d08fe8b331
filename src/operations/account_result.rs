//! The end of one part of a request about several accounts: its row, its log line, and its line in the summary.

use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::record::record;
use crate::operations::report::{LedgerRow, Report};
use crate::outcome::Outcome;
use crate::outcome::leavers::AccountResult;
use crate::outcome::state::State;

/// What a part of a request is about.
pub(super) enum About {
    /// An account: its instance's name and its own.
    Account(String, String),
    /// An event, by its id, that could not be understood.
    Event(String),
}

/// Records the report of a part, and returns its result.
pub(super) async fn account_result<'c, H: Host>(part: &Ctx<'c, H>, about: About, report: Report<'c>) -> AccountResult {
    let report = record(part.host, Ok(part.app), &part.origin(), report).await;
    let id = match &report.row {
        LedgerRow::Current(row) => &row.id,
        LedgerRow::Stale(id) => id,
        LedgerRow::Unwritten | LedgerRow::Claimed(_) | LedgerRow::OfParts | LedgerRow::LoggedOnly => &part.id,
    };
    let outcome = &report.outcome;
    // Another request carries it out at this moment.
    let state = if *outcome == Outcome::InProgress { State::InFlight } else { outcome.state() };
    let (event, instance, user_name) = match about {
        About::Account(instance, user_name) => (None, instance, user_name),
        About::Event(id) => (Some(id), String::new(), String::new()),
    };
    AccountResult {
        event,
        instance,
        user_name,
        state,
        code: outcome.code().into_owned(),
        removal: id.as_str().to_owned(),
        reference: outcome.reference().filter(|_| state == State::AwaitingApproval).map(str::to_owned),
        contested: None,
    }
}

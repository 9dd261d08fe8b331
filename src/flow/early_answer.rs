//! Early answers: a platform that waits only for a moment gets an acknowledgement, and the outcome follows.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::Response;

use crate::callers::follow_up::Acknowledgement;
use crate::flow::exchange::Exchange;
use crate::flow::follow_up::FollowUpChannel;
use crate::flow::respond::early_response;
use crate::host::Host;
use crate::outcome::Outcome;
use crate::request::command::Command;

/// The longest id that a row has, in bytes; what is longer is nothing to write down.
const LONGEST_ID: usize = 32;

/// An early answer, ready to be sent.
pub(super) struct EarlyAnswer<'c> {
    /// Where the outcome goes; `None` if the sender has to ask for it.
    channel: Option<FollowUpChannel<'c>>,
    /// Whether the platform shows nothing of an answer, so that there is nothing to wait for.
    at_once: bool,
    patience: Duration,
    response: Response<Bytes>,
}

/// Whether an early answer was sent, and where the outcome goes then.
pub(super) struct Timing<'c> {
    pub(super) channel: Option<FollowUpChannel<'c>>,
    pub(super) late: bool,
}

impl Timing<'_> {
    /// No early answer.
    pub(super) const ON_TIME: Self = Self { channel: None, late: false };
}

impl<'c> EarlyAnswer<'c> {
    /// The early answer to a command; `None` if the sender's platform waits.
    pub(super) fn plan(exchange: &Exchange<'c>, command: &Command<'_>, patience: Duration) -> Option<Self> {
        let at_once = is_at_once(exchange);
        let account = match command {
            Command::RemoveAccount { user_name, instance, .. } => Some((user_name.as_str(), instance.name.as_str())),
            Command::DecideApproval { .. }
            | Command::GetRemoval { .. }
            | Command::OffboardLeavers(_)
            | Command::RemoveAccounts(_) => None,
            _ if at_once => None,
            _ => return None,
        };
        // What a decision or a question is about has a row already, which `status` knows; the exchange gets none of its own.
        let row = match command {
            Command::DecideApproval { id, .. } | Command::GetRemoval { id } if id.len() <= LONGEST_ID => id,
            _ => exchange.id.as_str(),
        };
        let kind = exchange.kind()?;
        if exchange.channel.is_none() && kind.follow_up().is_some_and(|follow_up| follow_up.waits_without) {
            return None;
        }
        let patience = if at_once { Duration::ZERO } else { patience };
        Self::new(exchange, (account, row), None, patience)
    }

    /// The early answer to a request that is refused already; `None` if the platform shows the answer itself.
    pub(super) fn plan_refused(exchange: &Exchange<'c>, outcome: &Outcome) -> Option<Self> {
        is_at_once(exchange)
            .then(|| Self::new(exchange, (None, exchange.id.as_str()), Some(outcome), Duration::ZERO))
            .flatten()
    }

    fn new(
        exchange: &Exchange<'c>,
        (account, row): (Option<(&str, &str)>, &str),
        outcome: Option<&Outcome>,
        patience: Duration,
    ) -> Option<Self> {
        let channel = exchange.channel.clone();
        let rendered = exchange.kind()?.acknowledge(&Acknowledgement {
            language: exchange.language,
            account,
            row,
            follows: channel.is_some(),
            clicked: exchange.clicked(),
        })?;
        let response = early_response(exchange, rendered, outcome);
        Some(Self { channel, at_once: is_at_once(exchange), patience, response })
    }

    /// Sends it now.
    pub(super) fn send(self, early: impl FnOnce(Response<Bytes>)) -> Timing<'c> {
        early(self.response);
        Timing { late: self.channel.is_some(), channel: self.channel }
    }

    /// Waits for the work, and sends the early answer if that takes longer than the platform waits.
    pub(super) async fn race<H: Host, F: Future>(
        self,
        host: &H,
        began: Duration,
        work: Pin<&mut F>,
        early: impl FnOnce(Response<Bytes>),
    ) -> (F::Output, Timing<'c>) {
        let elapsed = host.elapsed().saturating_sub(began);
        let patience = pin!(host.sleep(self.patience.saturating_sub(elapsed)));
        match select(work, patience).await {
            Either::Left((done, _)) if !self.at_once => (done, Timing::ON_TIME),
            Either::Left((done, _)) => (done, self.send(early)),
            Either::Right(((), work)) => {
                let timing = Timing { late: true, ..self.send(early) };
                (work.await, timing)
            }
        }
    }
}

fn is_at_once(exchange: &Exchange<'_>) -> bool {
    exchange.channel.as_ref().is_some_and(|channel| channel.address.is_all)
}

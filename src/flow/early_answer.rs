//! Early answers: a platform that waits only for a moment gets an acknowledgement, and the outcome follows.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::Response;

use crate::callers::follow_up::Acknowledgement;
use crate::callers::kind::Acknowledge;
use crate::flow::exchange::Exchange;
use crate::flow::follow_up::FollowUpChannel;
use crate::flow::respond::early_response;
use crate::host::Host;
use crate::outcome::Outcome;
use crate::request::command::Command;

/// The longest id that a row has, in bytes; what is longer is nothing to write down.
const LONGEST_ID: usize = 32;

/// An early answer. It is rendered when it is sent: most requests are answered before.
pub(super) struct EarlyAnswer<'c> {
    acknowledge: Acknowledge,
    /// Where the outcome goes; `None` if the sender has to ask for it.
    channel: Option<FollowUpChannel<'c>>,
    /// Whether the platform shows nothing of an answer, so that there is nothing to wait for.
    at_once: bool,
    patience: Duration,
    /// The account that the request is about: `(user_name, instance)`.
    account: Option<(String, String)>,
    /// The id under which the outcome is found.
    row: String,
    /// The outcome, if it is known.
    outcome: Option<Outcome>,
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
            Command::RemoveAccount { user_name, instance, .. } => {
                Some((user_name.as_str().to_owned(), instance.name.clone()))
            }
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
            .then(|| Self::new(exchange, (None, exchange.id.as_str()), Some(outcome.clone()), Duration::ZERO))
            .flatten()
    }

    fn new(
        exchange: &Exchange<'c>,
        (account, row): (Option<(String, String)>, &str),
        outcome: Option<Outcome>,
        patience: Duration,
    ) -> Option<Self> {
        let acknowledge = exchange.kind()?.acknowledge()?;
        let (channel, at_once) = (exchange.channel.clone(), is_at_once(exchange));
        Some(Self { acknowledge, channel, at_once, patience, account, row: row.to_owned(), outcome })
    }

    /// Sends it now.
    pub(super) fn send(self, exchange: &Exchange<'_>, answer: impl FnOnce(Response<Bytes>)) -> Timing<'c> {
        let rendered = (self.acknowledge)(&Acknowledgement {
            language: exchange.language,
            account: self.account.as_ref().map(|(user_name, instance)| (user_name.as_str(), instance.as_str())),
            row: &self.row,
            follows: self.channel.is_some(),
            clicked: exchange.clicked(),
        });
        answer(early_response(exchange, rendered, self.outcome.as_ref()));
        Timing { late: self.channel.is_some(), channel: self.channel }
    }

    /// Waits for the work, and sends the early answer if that takes longer than the platform waits.
    pub(super) async fn race<H: Host, F: Future, A: FnOnce(Response<Bytes>)>(
        self,
        host: &H,
        exchange: &Exchange<'_>,
        work: Pin<&mut F>,
        answer: A,
    ) -> (F::Output, (Timing<'c>, Option<A>)) {
        let elapsed = host.elapsed().saturating_sub(exchange.began);
        let patience = pin!(host.sleep(self.patience.saturating_sub(elapsed)));
        match select(work, patience).await {
            Either::Left((done, _)) if !self.at_once => (done, (Timing::ON_TIME, Some(answer))),
            Either::Left((done, _)) => (done, (self.send(exchange, answer), None)),
            Either::Right(((), work)) => {
                let timing = Timing { late: true, ..self.send(exchange, answer) };
                (work.await, (timing, None))
            }
        }
    }
}

fn is_at_once(exchange: &Exchange<'_>) -> bool {
    exchange.channel.as_ref().is_some_and(|channel| channel.address.is_all)
}

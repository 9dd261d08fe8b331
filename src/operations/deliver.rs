//! Sends what is in the outbox: leases a message, sends it once, and writes what became of it.
//!
//! A message is sent again only if it was certainly not taken, or if its platform takes one twice for one. Elsewhere a message of which it
//! is not known whether it was taken stays so, and the log says it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use http::Request;

use crate::app::App;
use crate::config::limits::Limits;
use crate::config::notify::{NotifyEvent, NotifyService, NotifyTarget};
use crate::host::{Answered, Host, SendError, StoreError};
use crate::ledger::Ledger;
use crate::ledger::outbox::{Lease, LeasedMessage, MessageEnd};
use crate::ledger::row::RemovalRow;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::platform_of;
use crate::notify::verdict::{Handle, Verdict};
use crate::operations::notice::{is_current, of_messages};
use crate::outbound::budget::Budget;
use crate::outbound::retry::{self, CallSpec};
use crate::secret::Secret;
use crate::taurusdb;

/// How long no other gateway sends a leased message: longer than any attempt takes.
const LEASED: TimeDelta = TimeDelta::seconds(120);

/// How long one call may take.
const LONGEST_CALL: Duration = Duration::from_secs(10);

/// The time after the first try, which doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest time between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How often a message is tried: over about seven hours.
const MOST_ATTEMPTS: i64 = 14;

/// The time between two messages to a platform that takes twenty a minute.
const PACE: TimeDelta = TimeDelta::milliseconds(4000);

/// The most requests in one message.
const MOST_TOGETHER: i64 = 10;

/// The largest answer that is read, in bytes: Google Chat and Mattermost send the whole message back.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What became of messages, by the word of [`MessageEnd`].
pub(crate) type Counts = BTreeMap<&'static str, usize>;

/// Delivers at most `most` messages that are due, within the budget. Returns what became of them, and whether more may be due.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(crate) async fn deliver<H: Host>(
    host: &H,
    app: &App,
    budget: &Budget,
    most: usize,
) -> Result<(Counts, bool), StoreError> {
    let ledger = app.ledger(host).await?;
    let paced = paced(app);
    let mut counts = Counts::new();
    for _ in 0..most {
        if budget.left_to_send(host).is_zero() {
            return Ok((counts, true));
        }
        let now = host.now();
        let claim = format!("{:032x}", host.random());
        let lease = Lease {
            claim: &claim,
            now: now.timestamp_millis(),
            until: now.checked_add_signed(LEASED).unwrap_or(now).timestamp_millis(),
            paced: &paced,
            not_since: now.checked_sub_signed(PACE).unwrap_or(now).timestamp_millis(),
        };
        let Some(message) = ledger.lease_message(&lease).await? else { return Ok((counts, false)) };
        let sender = Sender { host, app, budget, ledger, claim: &claim };
        for end in sender.process(&lease, message).await? {
            let count = counts.entry(end).or_insert(0);
            *count = count.saturating_add(1);
        }
    }
    Ok((counts, true))
}

/// The limits of a delivery: one attempt, which may not take long.
pub(crate) fn limits(limits: Limits, total: Duration) -> Limits {
    let call = LONGEST_CALL.min(limits.call).min(total);
    let first_byte = limits.first_byte.min(call);
    Limits { attempts: 1, call, first_byte, connect: limits.connect.min(call), total, ..limits }
}

/// The targets that take few messages a minute, between commas.
fn paced(app: &App) -> String {
    let targets = app.config.notify.iter().filter(|target| platform_of(&target.service).merges());
    targets.fold(",".to_owned(), |list, target| list + &target.name + ",")
}

/// Who sends a leased message.
struct Sender<'a, H> {
    host: &'a H,
    app: &'a App,
    budget: &'a Budget,
    ledger: Ledger<'a, H>,
    claim: &'a str,
}

impl<H: Host> Sender<'_, H> {
    /// Sends a leased message, together with others where the platform takes few, and finishes them.
    async fn process(&self, lease: &Lease<'_>, message: LeasedMessage) -> Result<Vec<&'static str>, StoreError> {
        let Some(target) = self.app.config.notify.iter().find(|target| target.name == message.target) else {
            let why = "no `[[notify]]` has this name any more".to_owned();
            return Ok(vec![self.finish(&message, MessageEnd::Dead(why)).await?]);
        };
        let platform = platform_of(&target.service);
        if message.was_interrupted && !platform.takes_twice() {
            let why = "its sender stopped before the platform's answer was written down".to_owned();
            return Ok(vec![self.finish(&message, MessageEnd::Unknown(why)).await?]);
        }
        let mut together = vec![message];
        if let Some(first) = together.first().filter(|first| platform.merges() && is_merged(first.event)) {
            let more = self.ledger.lease_more(lease, first, MOST_TOGETHER.saturating_sub(1)).await?;
            together.extend(more);
        }
        let mut ends = Vec::new();
        let mut current = Vec::new();
        for message in together {
            match self.ledger.row(&message.removal).await? {
                Some(row) if is_current(&message, &row, self.host.now()) => current.push((message, row)),
                _ => ends.push(self.finish(&message, MessageEnd::Superseded).await?),
            }
        }
        if current.is_empty() {
            return Ok(ends);
        }
        let verdict = self.send(target, platform, &current).await?;
        for (message, _) in &current {
            let end = self.end_of(&verdict, message, platform);
            ends.push(self.finish(message, end).await?);
        }
        Ok(ends)
    }

    /// Sends one message about these rows.
    async fn send(
        &self,
        target: &NotifyTarget,
        platform: &dyn NotifyPlatform,
        messages: &[(LeasedMessage, RemovalRow)],
    ) -> Result<Verdict, StoreError> {
        let now = self.host.now();
        let Some(notice) = of_messages(&self.app.config, target, messages, now) else {
            return Ok(Verdict::Refused("there is nothing to tell".to_owned()));
        };
        let earlier = match messages {
            [(message, _)] if matches!(message.event, NotifyEvent::Reminder | NotifyEvent::Decided) => {
                self.ledger.first_handle(message).await?.as_deref().and_then(Handle::read)
            }
            _ => None,
        };
        let secrets = self.secrets(target).await;
        let to = Recipient { service: &target.service, secrets: &secrets, has_buttons: target.caller.is_some() };
        let attempt = |earlier| {
            let notice = Notice { earlier, ..notice.clone() };
            platform.request(&notice, &to)
        };
        let verdict = self.post(target, platform, attempt(earlier.as_ref())).await;
        Ok(match verdict {
            // The message that was to be changed is gone: a new one says the same.
            Verdict::NoEarlier(_) if earlier.is_some() => self.post(target, platform, attempt(None)).await,
            verdict => verdict,
        })
    }

    async fn secrets(&self, target: &NotifyTarget) -> Vec<(&'static str, Secret)> {
        let mut secrets = Vec::new();
        for (key, variable) in target.service.variables() {
            let value = self.host.variable(variable).await.and_then(|value| value.trimmed());
            secrets.extend(value.map(|value| (key, value)));
        }
        secrets
    }

    async fn post(
        &self,
        target: &NotifyTarget,
        platform: &dyn NotifyPlatform,
        request: Result<Request<Bytes>, Unsendable>,
    ) -> Verdict {
        let request = match request {
            Ok(request) => request,
            // The operator may mend it while the message is tried again.
            Err(why) => return Verdict::Retry(None, unsendable(target, why)),
        };
        let request = match &target.service {
            NotifyService::Smn(topic) => match taurusdb::authenticated(self.host, &topic.credentials, &request).await {
                Ok(request) => request,
                Err(why) => return Verdict::Retry(None, why.to_string()),
            },
            _ => request,
        };
        let make = || Ok::<_, String>(request.clone());
        let sent = retry::send(self.host, self.budget, CallSpec::new(ANSWER_LIMIT), make).await;
        match sent.map(|sent| sent.answer) {
            Ok(answer) => verdict(platform, &answer),
            // Nothing was sent.
            Err(why) => Verdict::Retry(None, why),
        }
    }

    /// What becomes of a message after this verdict.
    fn end_of(&self, verdict: &Verdict, message: &LeasedMessage, platform: &dyn NotifyPlatform) -> MessageEnd {
        let later = |wait: Option<Duration>, why: &str| {
            if message.attempts >= MOST_ATTEMPTS {
                return MessageEnd::Dead(format!("not taken in {MOST_ATTEMPTS} tries; {why}"));
            }
            let pause = pause(message.attempts, wait.unwrap_or_default(), self.host.random());
            let due = TimeDelta::from_std(pause).ok().and_then(|pause| self.host.now().checked_add_signed(pause));
            MessageEnd::Later(due.unwrap_or_default().timestamp_millis(), why.to_owned())
        };
        match verdict {
            Verdict::Delivered(handle) => MessageEnd::Delivered(handle.as_ref().map(Handle::text)),
            Verdict::Retry(wait, why) => later(*wait, why),
            Verdict::Unknown(why) if platform.takes_twice() => later(None, why),
            Verdict::Unknown(why) => MessageEnd::Unknown(why.clone()),
            Verdict::Refused(why) | Verdict::Dead(why) | Verdict::NoEarlier(why) => MessageEnd::Dead(why.clone()),
        }
    }

    async fn finish(&self, message: &LeasedMessage, end: MessageEnd) -> Result<&'static str, StoreError> {
        let is_mine = self.ledger.finish_message(message, self.claim, &end, self.host.now()).await?;
        let LeasedMessage { event, target, removal, .. } = message;
        let what = format!("notify: message `{}` of removal {removal} to `{target}`", event.as_str());
        match &end {
            _ if !is_mine => self.host.log(&format!("{what} was taken over by another gateway")),
            MessageEnd::Delivered(_) | MessageEnd::Superseded => {}
            MessageEnd::Later(_, why) => self.host.log(&format!("{what} will be tried again: {why}")),
            MessageEnd::Unknown(why) => {
                self.host.log(&format!("{what} may or may not have been delivered, and is not sent again: {why}"));
            }
            MessageEnd::Dead(why) => self.host.log(&format!("{what} cannot be delivered: {why}")),
        }
        Ok(if is_mine { end.as_str() } else { MessageEnd::Superseded.as_str() })
    }
}

/// Whether several of an event can be told in one message.
fn is_merged(event: NotifyEvent) -> bool {
    matches!(event, NotifyEvent::Waiting | NotifyEvent::Reminder)
}

fn unsendable(target: &NotifyTarget, why: Unsendable) -> String {
    let variable = |key: &str| {
        let variables = target.service.variables();
        variables.iter().find(|(known, _)| *known == key).map_or(key, |(_, variable)| *variable).to_owned()
    };
    match why {
        Unsendable::Unset(key) => format!("variable `{}` is not set", variable(key)),
        Unsendable::Form(key, expected) => {
            format!("variable `{}` has another form than expected; use {expected}", variable(key))
        }
    }
}

/// What the answer to a call means, or the lack of one.
fn verdict(platform: &dyn NotifyPlatform, answer: &Result<Answered, SendError>) -> Verdict {
    match answer {
        Ok(answer) => platform.verdict(answer),
        Err(SendError::NotSent(_)) => Verdict::Retry(None, "the platform could not be reached".to_owned()),
        Err(SendError::ConnectTimedOut(_)) => Verdict::Retry(None, "the connection timed out".to_owned()),
        Err(SendError::NotAllowed(_)) => Verdict::Retry(
            None,
            "spin.toml does not allow the platform's host; add it to allowed_outbound_hosts".to_owned(),
        ),
        Err(SendError::FirstByteTimedOut(_) | SendError::CallTimedOut(_)) => {
            Verdict::Unknown("the platform did not answer in time".to_owned())
        }
        Err(SendError::Broken(_)) => Verdict::Unknown("the connection broke".to_owned()),
    }
}

/// How long to wait after this many attempts: twice as long each time, up to a fifth less or more, and never less than the platform asks.
fn pause(attempts: i64, asked: Duration, random: u128) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default().min(16);
    let usual = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
    let fifth = u128::from(usual.as_secs()).saturating_mul(1000).checked_div(5).unwrap_or_default();
    let drawn = random.checked_rem(fifth.saturating_mul(2).saturating_add(1)).unwrap_or_default();
    let drawn = Duration::from_millis(u64::try_from(drawn).unwrap_or_default());
    let least = usual.saturating_sub(Duration::from_millis(u64::try_from(fifth).unwrap_or_default()));
    let asked = asked.saturating_add(drawn.checked_div(10).unwrap_or_default());
    least.saturating_add(drawn).max(asked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pause_is_a_fifth_off_and_not_before_what_was_asked(
            attempts in 1_i64..30,
            asked in 0_u64..100_000,
            random in any::<u128>(),
        ) {
            let waits = pause(attempts, Duration::from_secs(asked), random);
            let usual = FIRST_PAUSE.saturating_mul(1 << (attempts - 1).min(16)).min(LONGEST_PAUSE);
            prop_assert!(waits >= usual * 4 / 5 && waits >= Duration::from_secs(asked));
            prop_assert!(waits <= (usual * 6 / 5).max(Duration::from_secs(asked) + usual / 20));
        }
    }
}

//! Reminds of what still waits, tells those who are added after a time, and sends what is in the outbox.
//!
//! What is due is computed from the row's time, and a message that is there is not added twice, so any number of runs and gateways may do
//! this at once.

use std::collections::BTreeMap;

use crate::config::notify::{NotifyEvent, NotifySubject, NotifyTarget};
use crate::host::Host;
use crate::ledger::outbox::{AddedMessage, ToldBefore};
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::deliver::{self, deliver};
use crate::operations::jobs::summary::{Summary, is_out_of_time};
use crate::operations::notice::{seed, told_at};
use crate::operations::schedule::Schedule;
use crate::outbound::budget::Budget;
use crate::outcome::NotSent;
use crate::outcome::state::State;

/// How many rows are read at once.
const PAGE: usize = 200;

/// The most messages that one run sends.
const MOST: usize = 500;

/// What the targets were told before, by removal, turn, target and event: the last number.
type Told = BTreeMap<(String, String, String, NotifyEvent), i64>;

/// What a run has added.
#[derive(Default)]
struct Added {
    reminders: usize,
    escalations: usize,
}

/// Adds what is due, and sends it.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn remind<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<Summary<'c>, NotSent> {
    let mut added = Added::default();
    let is_complete = ctx.app.config.notify.is_empty() || add_due(ctx, &mut added).await?;
    let left = ctx.budget.left_to_send(ctx.host);
    let budget = Budget::new(ctx.host.elapsed(), deliver::limits(*ctx.budget.limits(), left));
    let (counts, more) = ctx.stored(deliver(ctx.host, ctx.app, &budget, MOST).await)?;
    let count = |word: &str| counts.get(word).copied().unwrap_or_default();
    let counted = vec![
        ("reminders", added.reminders),
        ("escalations", added.escalations),
        ("delivered", count("delivered")),
        ("later", count("waiting")),
        ("superseded", count("superseded")),
        ("unknown", count("unknown")),
        ("dead", count("dead")),
    ];
    Ok(Summary { counted, more: more || !is_complete, expired: Vec::new() })
}

/// Adds the messages that are due about all rows that wait for approval; whether it came to the end of them.
async fn add_due<H: Host>(ctx: &Ctx<'_, H>, added: &mut Added) -> Result<bool, NotSent> {
    let ledger = ctx.ledger().await?;
    let mut before: Option<String> = None;
    loop {
        let rows = ctx.stored(ledger.pending(before.as_deref(), PAGE, ctx.host.now()).await)?;
        let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else { return Ok(true) };
        let told = ctx.stored(ledger.told_before(oldest.id.as_str(), newest.id.as_str()).await)?;
        let told = told.into_iter().map(|told| {
            let ToldBefore { removal, turn, event, target, number } = told;
            ((removal, turn, target, event), number)
        });
        let told: Told = told.collect();
        for row in rows.iter().filter(|row| row.state == State::AwaitingApproval) {
            if is_out_of_time(ctx) {
                return Ok(false);
            }
            for target in &ctx.app.config.notify {
                add_to(ctx, row, target, (&told, added)).await?;
            }
        }
        if rows.len() < PAGE {
            return Ok(true);
        }
        before = Some(oldest.id.as_str().to_owned());
    }
}

/// Adds what is due about a row to a target.
async fn add_to<H: Host>(
    ctx: &Ctx<'_, H>,
    row: &RemovalRow,
    target: &NotifyTarget,
    (told, added): (&Told, &mut Added),
) -> Result<(), NotSent> {
    let now = ctx.host.now();
    let (Some(turn), Some(told_at)) = (row.reference.as_deref(), told_at(target, row)) else { return Ok(()) };
    if !takes(ctx, row, target) || now < told_at {
        return Ok(());
    }
    let before = |event| {
        let key = (row.id.as_str().to_owned(), turn.to_owned(), target.name.clone(), event);
        told.get(&key).copied()
    };
    let message = |event, number| AddedMessage { removal: &row.id, turn, event, target: &target.name, number };
    let ledger = ctx.ledger().await?;
    if target.after.is_some() && before(NotifyEvent::Waiting).is_none() {
        let is_new = ctx.stored(ledger.add_message(&message(NotifyEvent::Waiting, 0), now).await)?;
        added.escalations = added.escalations.saturating_add(usize::from(is_new));
        return Ok(());
    }
    if !target.events.contains(&NotifyEvent::Reminder) {
        return Ok(());
    }
    let seed = seed(row.id.as_str(), &target.name);
    let offset = ctx.app.config.utc_offset;
    let schedule = Schedule { told_at, seed: &seed, working_hours: target.working_hours, offset };
    let due = schedule.due(now);
    if due > before(NotifyEvent::Reminder).unwrap_or_default() {
        let is_new = ctx.stored(ledger.add_message(&message(NotifyEvent::Reminder, due), now).await)?;
        added.reminders = added.reminders.saturating_add(usize::from(is_new));
    }
    Ok(())
}

/// Whether a target is told that a row waits.
fn takes<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow, target: &NotifyTarget) -> bool {
    let instance = row.instance.as_deref().and_then(|name| ctx.app.config.instance(name).ok());
    let (Some(instance), Some(caller)) = (instance, row.caller.as_deref()) else { return false };
    let subject = NotifySubject { environment: &instance.environment, instance: &instance.name, caller };
    target.takes(NotifyEvent::Waiting, &subject)
}

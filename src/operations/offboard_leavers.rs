//! A person leaves, and all of their accounts are removed: one event, many removals.
//!
//! `[caller.leavers]` says what the accounts could be called and where; TaurusDB's account list says which of them exist. Each of those
//! is a removal like any other: its own row, decided by policy, claimed, sent, reconciled. The answer is one summary.
//!
//! The same event again finishes what is left: an account's delivery is the event's id with the account's name, so that a
//! completed removal is answered from its row, and what waits or failed goes on.

use chrono::SecondsFormat;
use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::config::instance::Instance;
use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::record::record;
use crate::operations::remove::remove;
use crate::operations::report::{LedgerRow, Refusal, Report, Reported};
use crate::outcome::leavers::AccountResult;
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{AccountPresence, NotSent, Outcome, catalog};
use crate::request::account_name::UserName;
use crate::request::ids::DeliveryId;
use crate::request::leaver::Leaver;
use crate::request::removal::RemovalRequest;

/// How many accounts are looked up and removed at once.
const AT_ONCE: usize = 8;

/// How often the same event is tried for one account, each time as a delivery of its own.
const ATTEMPTS: u32 = 100;

/// An account that a leaver may have.
struct Candidate<'a, 'c> {
    leaver: &'a Leaver,
    instance: &'c Instance,
    user_name: String,
}

/// Removes the accounts of people who leave.
///
/// # Errors
///
/// If an event names no account, or the ledger or the configuration cannot be used. What becomes of the accounts is no error.
pub(crate) async fn offboard_leavers<'c, H: Host>(ctx: &Ctx<'c, H>, leavers: &[Leaver]) -> Reported<'c> {
    ctx.ledger().await?;
    let candidates = candidates(ctx, leavers)?;
    let results: Vec<Option<AccountResult>> =
        stream::iter(candidates).map(|candidate| remove_one(ctx, candidate)).buffered(AT_ONCE).collect().await;
    let results: Vec<AccountResult> = results.into_iter().flatten().collect();
    let line = json!({
        "event": "left",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "events": leavers.iter().map(|leaver| &leaver.event).collect::<Vec<_>>(),
        "answered": Outcome::Offboarded(results.clone()).code(),
        "removals": results,
    });
    ctx.host.log(&line.to_string());
    Ok(Report { row: LedgerRow::OfParts, ..Report::new(Outcome::Offboarded(results)) })
}

/// The accounts that the leavers may have.
fn candidates<'a, 'c, H: Host>(ctx: &Ctx<'c, H>, leavers: &'a [Leaver]) -> Result<Vec<Candidate<'a, 'c>>, Refusal<'c>> {
    let config = &ctx.app.config;
    let rules = ctx.caller.leavers.as_ref().ok_or(NotSent::ConfigurationUnusable)?;
    let mut candidates = Vec::new();
    for leaver in leavers {
        let Some(names) = rules.user_names([&leaver.identity]) else {
            let message = Message::new(&catalog::LEAVER_NAMELESS).quoting("event", leaver.event.as_str());
            return Err(Outcome::Refused(message).into());
        };
        for name in &rules.instances {
            let instance = config.instance(name)?;
            candidates.extend(names.keys().map(|user_name| Candidate {
                leaver,
                instance,
                user_name: user_name.clone(),
            }));
        }
    }
    Ok(candidates)
}

/// Removes one account, with its row and log line; `None` if the instance has no account of that name.
async fn remove_one<'c, H: Host>(ctx: &Ctx<'c, H>, candidate: Candidate<'_, 'c>) -> Option<AccountResult> {
    let part = ctx.part();
    let report = match remove_if_present(&part, &candidate).await {
        Ok(None) => return None,
        Ok(Some(report)) => report,
        Err(refusal) => *refusal.0,
    };
    let report = record(ctx.host, Ok(ctx.app), &part.origin(), report).await;
    let id = match &report.row {
        LedgerRow::Current(row) => &row.id,
        LedgerRow::Stale(id) => id,
        LedgerRow::Unwritten | LedgerRow::OfParts => &part.id,
    };
    let outcome = &report.outcome;
    Some(AccountResult {
        instance: candidate.instance.name.clone(),
        user_name: candidate.user_name,
        // Another request carries it out at this moment.
        state: if *outcome == Outcome::InProgress { State::InFlight } else { outcome.state() },
        code: outcome.code().into_owned(),
        removal: id.as_str().to_owned(),
        reference: match outcome.state() {
            State::AwaitingApproval => outcome.reference().map(str::to_owned),
            _ => None,
        },
    })
}

async fn remove_if_present<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    candidate: &Candidate<'_, 'c>,
) -> Result<Option<Report<'c>>, Refusal<'c>> {
    let Candidate { leaver, instance, user_name } = candidate;
    let user_name = match ctx.app.config.accounts.parse(user_name) {
        Ok(user_name) => user_name,
        // A name that is never removed, or that no new account can have, matters if there is such an account.
        Err(error) => {
            return if exists(ctx, instance, user_name).await? { Err(error.into()) } else { Ok(None) };
        }
    };
    let (removal, earlier) = next_attempt(ctx, leaver, instance, user_name).await?;
    let about = |refusal: Refusal<'c>| refusal.map(|report| report.of_removal(&removal));
    let is_gone = |row: &RemovalRow| matches!(row.state, State::Removed | State::AlreadyGone);
    let account = removal.user_name.as_str();
    match &earlier {
        None if !exists(ctx, instance, account).await.map_err(about)? => return Ok(None),
        // A person who came back may have an account of the same name. This event is not about it, and says so.
        Some(row) if is_gone(row) && exists(ctx, instance, account).await.map_err(about)? => {
            return Err(about(Outcome::Refused(Message::new(&catalog::ACCOUNT_EXISTS_AGAIN)).into()));
        }
        _ => {}
    }
    remove(ctx, &removal).await.map(Some)
}

/// The removal of this event and account that is to be tried now, with its row. Removals that were denied by policy, expired or
/// refused upstream are tried again with a delivery of their own. A removal that an approver rejected stays rejected.
async fn next_attempt<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    leaver: &Leaver,
    instance: &'c Instance,
    user_name: UserName,
) -> Result<(RemovalRequest<'c>, Option<RemovalRow>), Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    let caller = ctx.app.config.caller(&ctx.actor.caller)?;
    let mut attempt: u32 = 0;
    loop {
        let parts = [leaver.event.as_str(), &instance.name, user_name.as_str(), &attempt.to_string()];
        let delivery = DeliveryId::new(caller, &[&[b"leaver".as_slice()], &parts.map(str::as_bytes)[..]].concat());
        let removal = RemovalRequest {
            actor: ctx.actor.clone(),
            user_name: user_name.clone(),
            instance,
            reason: leaver.reason.clone(),
            delivery,
            dry_run: false,
            caused_by: leaver.caused_by.clone(),
        };
        let prior = ctx.stored(ledger.find(&removal, ctx.person_of(&removal), ctx.at).await)?;
        let may_retry = |row: &RemovalRow| matches!(row.state, State::Denied | State::Expired | State::RefusedUpstream);
        attempt = attempt.saturating_add(1);
        if attempt == ATTEMPTS || !prior.earlier.as_ref().is_some_and(may_retry) {
            return Ok((removal, prior.earlier));
        }
    }
}

/// Whether the account list has an account.
async fn exists<'c, H: Host>(ctx: &Ctx<'c, H>, instance: &'c Instance, user_name: &str) -> Result<bool, Refusal<'c>> {
    match ctx.taurusdb(instance).await?.account_presence(user_name).await {
        AccountPresence::Present => Ok(true),
        AccountPresence::Absent => Ok(false),
        AccountPresence::Unknown | AccountPresence::NotChecked => Err(NotSent::AccountListUnreadable.into()),
    }
}

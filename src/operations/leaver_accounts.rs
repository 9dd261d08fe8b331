//! The accounts that a leaver may have, and how far the removal of each has come.

use std::collections::BTreeMap;

use crate::config::instance::Instance;
use crate::config::leavers::NamedBy;
use crate::host::Host;
use crate::ledger::ending::DecidedBy;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::record::record;
use crate::operations::report::{Refusal, Report};
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{AccountPresence, Closed, NotSent, Outcome, catalog};
use crate::request::account_name::UserName;
use crate::request::ids::DeliveryId;
use crate::request::leaver::Leaver;
use crate::request::removal::RemovalRequest;

/// How often the same event is tried for one account, each time as a delivery of its own.
const ATTEMPTS: u32 = 100;

/// The largest number of accounts of one leaver that are looked for: with all former names, instances times names.
const MOST: usize = 10_000;

/// An account that a leaver may have.
pub(super) struct Candidate<'a, 'c> {
    pub(super) leaver: &'a Leaver,
    pub(super) instance: &'c Instance,
    pub(super) user_name: String,
    pub(super) named_by: NamedBy,
}

/// What is known of a candidate before anything is done.
pub(super) enum Found<'c> {
    /// There is no such account, and this event has removed none.
    Nothing,
    /// There is such an account, or this event has a row about it.
    Account {
        /// The removal that is to be tried now.
        removal: Box<RemovalRequest<'c>>,
        /// Its row.
        earlier: Option<Box<RemovalRow>>,
    },
}

/// Returns the accounts that a leaver may have.
///
/// # Errors
///
/// If nothing says what accounts the person has; for a person whom a directory forgets, there are none then.
pub(super) fn candidates<'a, 'c, H: Host>(
    ctx: &Ctx<'c, H>,
    leaver: &'a Leaver,
) -> Result<Vec<Candidate<'a, 'c>>, Refusal<'c>> {
    let rules = ctx.caller.leavers.as_ref().ok_or(NotSent::ConfigurationUnusable)?;
    let names = match rules.user_names(leaver.identities()) {
        Some(names) => names,
        None if leaver.is_deleted => BTreeMap::new(),
        None => {
            let message = Message::new(&catalog::LEAVER_NAMELESS).quoting("event", leaver.event.as_str());
            return Err(Outcome::Refused(message).into());
        }
    };
    let mut candidates = Vec::new();
    for name in &rules.instances {
        let instance = ctx.app.config.instance(name)?;
        candidates.extend(names.iter().map(|(user_name, named_by)| Candidate {
            leaver,
            instance,
            user_name: user_name.clone(),
            named_by: *named_by,
        }));
    }
    let more = candidates.len().saturating_sub(MOST);
    if more > 0 {
        ctx.host.log(&std::format!("leavers: {more} accounts of event {:?} are not looked for", leaver.event));
    }
    candidates.truncate(MOST);
    Ok(candidates)
}

/// Looks for a candidate in the ledger and, where that says nothing, in the account list.
///
/// # Errors
///
/// If there is such an account and it is never removed, or exists again; if the account list or the ledger cannot be read.
pub(super) async fn look_for<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    candidate: &Candidate<'_, 'c>,
) -> Result<Found<'c>, Refusal<'c>> {
    let Candidate { leaver, instance, user_name, .. } = candidate;
    let user_name = match ctx.app.config.accounts.parse(user_name) {
        Ok(user_name) => user_name,
        // A name that is never removed, or that no new account can have, matters if there is such an account.
        Err(error) => {
            return if exists(ctx, instance, user_name).await? { Err(error.into()) } else { Ok(Found::Nothing) };
        }
    };
    let (removal, earlier) = next_attempt(ctx, leaver, instance, user_name).await?;
    let about = |refusal: Refusal<'c>| refusal.map(|report| report.of_removal(&removal));
    let account = removal.user_name.as_str();
    match &earlier {
        None if !exists(ctx, instance, account).await.map_err(about)? => return Ok(Found::Nothing),
        // A person who came back may have an account of the same name. This event is not about it, and says so.
        Some(row) if is_gone(row) && exists(ctx, instance, account).await.map_err(about)? => {
            return Err(about(Outcome::Refused(Message::new(&catalog::ACCOUNT_EXISTS_AGAIN)).into()));
        }
        // It was to stay, and is gone all the same.
        Some(row)
            if matches!(row.state, State::Rejected | State::Cancelled)
                && !exists(ctx, instance, account).await.map_err(about)? =>
        {
            return Ok(Found::Nothing);
        }
        _ => {}
    }
    Ok(Found::Account { removal: Box::new(removal), earlier: earlier.map(Box::new) })
}

/// Whether a row says that its account is gone.
pub(super) fn is_gone(row: &RemovalRow) -> bool {
    matches!(row.state, State::Removed | State::AlreadyGone)
}

/// Whether nothing is left to do for a leaver: every account that this event found is gone, and no other has appeared.
pub(super) async fn is_done<'c, H: Host>(ctx: &Ctx<'c, H>, leaver: &Leaver) -> Result<bool, Refusal<'c>> {
    let candidates = candidates(ctx, leaver)?;
    // What waits is in the ledger: only if nothing does, the account lists are read.
    for candidate in &candidates {
        let Ok(user_name) = ctx.app.config.accounts.parse(&candidate.user_name) else { continue };
        let (_, earlier) = next_attempt(ctx, leaver, candidate.instance, user_name).await?;
        if earlier.is_some_and(|row| !is_gone(&row)) {
            return Ok(false);
        }
    }
    for candidate in &candidates {
        let is_open = match look_for(ctx, candidate).await? {
            Found::Nothing => false,
            Found::Account { earlier, .. } => !earlier.is_some_and(|row| is_gone(&row)),
        };
        if is_open {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Cancels the removals of an event that wait for approval: the person has come back.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn cancel_waiting<'c, H: Host>(ctx: &Ctx<'c, H>, leaver: &Leaver) -> Result<(), Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    // Where nothing names an account, nothing waits.
    for candidate in candidates(ctx, leaver).unwrap_or_default() {
        let Ok(user_name) = ctx.app.config.accounts.parse(&candidate.user_name) else { continue };
        let (removal, earlier) = next_attempt(ctx, leaver, candidate.instance, user_name).await?;
        let waits = |row: &RemovalRow| matches!(row.state, State::AwaitingConfirmation | State::AwaitingApproval);
        let Some(row) = earlier.filter(waits) else { continue };
        let outcome = Outcome::Closed(Closed::Cancelled);
        let decided_by = DecidedBy { policies: &row.policies, policy_set: row.policy_set.as_deref() };
        let closed = ledger.close(&row.id, row.state, &ctx.ending(&outcome), decided_by).await;
        if let Some(row) = ctx.stored(closed)? {
            let report = Report::of_row(outcome, row).of_removal(&removal);
            record(ctx.host, Ok(ctx.app), &ctx.origin(), report).await;
        }
    }
    Ok(())
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
    let mut attempt: u32 = 0;
    loop {
        let parts = [leaver.event.as_str(), &instance.name, user_name.as_str(), &attempt.to_string()];
        let delivery = DeliveryId::new(ctx.caller, &[&[b"leaver".as_slice()], &parts.map(str::as_bytes)[..]].concat());
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

//! Somebody leaves, and all of their accounts are to go: one event, many removals.
//!
//! `[leavers]` says what the accounts would be called and where; TaurusDB's account list says which of them there are. Each of
//! those is a removal like any other: its own row, judged by policy, claimed, sent, settled. What comes back is one summary.
//!
//! Partly done is said as such, and the same event again finishes the rest: an account's delivery is the event's id with its
//! name, so that what is done is answered from its row, and what waits or failed goes on.

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::app::App;
use crate::config::instance::Instance;
use crate::flow::record::Told;
use crate::host::Host;
use crate::ledger::claims;
use crate::operations::remove::{self, ledger_down};
use crate::outbound::budget::Budget;
use crate::outcome::AccountPresence;
use crate::outcome::state::State;
use crate::outcome::{AccountResult, Outcome};
use crate::request::actor::Actor;
use crate::request::ids::DeliveryId;
use crate::request::leaver::Leaver;
use crate::request::removal::RemovalRequest;
use crate::taurusdb::Taurusdb;

/// How many accounts are looked for and removed at once.
const AT_ONCE: usize = 8;

/// How often the same event is tried for one account, each time as a request of its own.
const ATTEMPTS: u32 = 100;

/// An account that somebody who leaves may have.
struct Candidate<'a, 'c> {
    leaver: &'a Leaver,
    instance: &'c Instance,
    user_name: String,
}

/// Removes the accounts of whoever leaves.
///
/// # Errors
///
/// [`Outcome::LeaverNameless`], [`Outcome::LedgerDown`], [`Outcome::Unusable`]; what becomes of the accounts is no error.
pub(crate) async fn carry_out<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    leavers: Vec<Leaver>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    app.open_ledger(host).await.map_err(|why| ledger_down(host, &why))?;
    let rules = app.config.leavers.as_ref().ok_or(Outcome::Unusable)?;
    let mut candidates = Vec::new();
    for leaver in &leavers {
        let names = rules.user_names(&leaver.identity);
        if names.is_empty() {
            return Err(Outcome::LeaverNameless { event: leaver.event.clone() });
        }
        for name in &rules.instances {
            let instance = app.config.instance(name)?;
            let of = |user_name: &String| Candidate { leaver, instance, user_name: user_name.clone() };
            candidates.extend(names.iter().map(of));
        }
    }

    let parent: &Told<'c> = told;
    let departures: Vec<Option<AccountResult>> = stream::iter(candidates)
        .map(|candidate| depart(host, app, actor, candidate, budget, parent))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let departures: Vec<AccountResult> = departures.into_iter().flatten().collect();
    told.is_summary = true;
    let outcome = Outcome::Left { departures };
    let line = json!({
        "event": "left",
        "at": told.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "by": actor.principal,
        "events": leavers.iter().map(|leaver| &leaver.event).collect::<Vec<_>>(),
        "answered": outcome.code(),
        "removals": outcome.departures(),
    });
    host.log(&line.to_string());
    Ok(outcome)
}

/// One of the accounts; `None` when there is none of that name.
async fn depart<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    candidate: Candidate<'_, 'c>,
    budget: &Budget,
    parent: &Told<'c>,
) -> Option<AccountResult> {
    let Candidate { leaver, instance, user_name } = candidate;
    let mut told = parent.part(host);
    let outcome = match remove(host, app, actor, leaver, instance, &user_name, budget, &mut told).await {
        Ok(None) => return None,
        Ok(Some(outcome)) | Err(outcome) => outcome,
    };
    told.record(host, Ok(app), &outcome).await;
    told.log(host, &outcome, app.config.language);
    let reference = match &outcome {
        Outcome::AwaitingApproval { reference, .. } => Some(reference.clone()),
        _ => None,
    };
    Some(AccountResult {
        instance: instance.name.clone(),
        user_name,
        // Another request carries it out at this moment.
        state: if outcome == Outcome::StillRunning { State::InFlight } else { outcome.state() },
        code: outcome.code().into_owned(),
        removal: told.id.as_str().to_owned(),
        reference,
    })
}

#[expect(clippy::too_many_arguments, reason = "what a removal is about, and what it needs")]
async fn remove<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    leaver: &Leaver,
    instance: &'c Instance,
    user_name: &str,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Option<Outcome>, Outcome> {
    let user_name = match app.config.accounts.parse(user_name) {
        Ok(user_name) => user_name,
        // A name that is never removed, or that no new account can have: that matters where there is such an account.
        Err(error) => {
            return if is_there(host, app, instance, user_name, budget, told).await? {
                Err(error.into())
            } else {
                Ok(None)
            };
        }
    };
    let caller = app.config.caller(&actor.caller)?;
    let mut removal = None;
    let mut earlier = None;
    for attempt in 0..ATTEMPTS {
        let parts = [leaver.event.as_str(), &instance.name, user_name.as_str(), &attempt.to_string()];
        let delivery = DeliveryId::new(caller, &[&[b"leaver".as_slice()], &parts.map(str::as_bytes)[..]].concat());
        let (user_name, reason) = (user_name.clone(), leaver.reason.clone());
        let asked = RemovalRequest { actor: actor.clone(), user_name, instance, reason, delivery, dry_run: false };
        let standing = claims::find(host, &asked, told.at).await.map_err(|why| ledger_down(host, &why))?;
        removal = Some(asked);
        earlier = standing.earlier;
        // What came to nothing by itself may come to something now; what somebody said no to stays a no.
        let came_to_nothing = |state| matches!(state, State::Denied | State::Expired | State::RefusedUpstream);
        if !earlier.as_ref().is_some_and(|record| came_to_nothing(record.state)) {
            break;
        }
    }
    let Some(removal) = removal else { return Err(Outcome::Unusable) };
    let removal = told.removal.insert(removal).clone();
    let has_gone = |state| matches!(state, State::Removed | State::AlreadyGone);
    let account = removal.user_name.as_str();
    match earlier.map(|record| record.state) {
        None if !is_there(host, app, instance, account, budget, told).await? => return Ok(None),
        // Whoever came back may have an account of the same name: this event is not about it, and does not pass over it in silence.
        Some(state) if has_gone(state) && is_there(host, app, instance, account, budget, told).await? => {
            return Err(Outcome::ThereAgain);
        }
        _ => {}
    }
    remove::remove(host, app, &removal, None, budget, told).await.map(Some)
}

/// Whether the account list has it.
async fn is_there<H: Host>(
    host: &H,
    app: &App,
    instance: &Instance,
    user_name: &str,
    budget: &Budget,
    told: &Told<'_>,
) -> Result<bool, Outcome> {
    let taurusdb = Taurusdb::read(host, &app.tokens, budget, instance, told.language).await?;
    match taurusdb.account(user_name).await {
        AccountPresence::Present => Ok(true),
        AccountPresence::Absent => Ok(false),
        AccountPresence::Unknown => Err(Outcome::ListUnreadable),
    }
}

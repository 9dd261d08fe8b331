//! A person leaves, and all of their accounts are removed: one event, many removals.
//!
//! `[caller.leavers]` says what the accounts could be called and where; TaurusDB's account list says which of them exist. Each of
//! those is a removal like any other: its own row, decided by policy, claimed, sent, reconciled. The answer is one summary.
//!
//! A name may be made of the attributes of two people. Such a removal waits for an approver, whatever policy permits, and names
//! both. A leaver of whom no account is found has a row that says so: the account may be called otherwise.
//!
//! The same event again finishes what is left: an account's delivery is the event's id with the account's name, so that a
//! completed removal is answered from its row, and what waits or failed goes on.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::host::Host;
use crate::ledger::export::Event;
use crate::ledger::refusals::RefusedRequest;
use crate::operations::Ctx;
use crate::operations::account_result::{About, account_result};
use crate::operations::contested::{Account, contested, described};
use crate::operations::leaver_accounts::{Candidate, Found, candidates, is_gone, look_for};
use crate::operations::remove::{remove, remove_contested};
use crate::operations::report::{LedgerRow, Refusal, Report, Reported};
use crate::outcome::leavers::{AccountResult, Contested};
use crate::outcome::log_event::log_event;
use crate::outcome::message::{Argument, format, quoted};
use crate::outcome::{Outcome, catalog};
use crate::request::leaver::Leaver;
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;

/// How many accounts are looked up and removed at once.
const AT_ONCE: usize = 8;

/// A candidate that was looked for, with the context of its own removal.
struct Looked<'a, 'c, H> {
    part: Ctx<'c, H>,
    candidate: Candidate<'a, 'c>,
    found: Result<Found<'c>, Refusal<'c>>,
}

impl<H> Looked<'_, '_, H> {
    fn account(&self) -> Account {
        (self.candidate.instance.name.clone(), self.candidate.user_name.clone())
    }

    /// Whether its account is still to be removed.
    fn is_open(&self) -> bool {
        match &self.found {
            Ok(Found::Account { earlier, .. }) => !earlier.as_ref().is_some_and(|row| is_gone(row)),
            Ok(Found::Nothing) | Err(_) => false,
        }
    }
}

/// Removes the accounts of people who leave.
///
/// # Errors
///
/// If no event says what accounts its person has, or the ledger or the configuration cannot be used. What becomes of the accounts
/// is no error; nor is one event of several that cannot be understood, which must not keep the others from being carried out: a
/// sender that is answered with an error may not send those again.
pub(crate) async fn offboard_leavers<'c, H: Host>(ctx: &Ctx<'c, H>, leavers: &[Leaver]) -> Reported<'c> {
    ctx.ledger().await?;
    let (mut of_all, mut refused) = (Vec::new(), Vec::new());
    for leaver in leavers {
        match candidates(ctx, leaver) {
            Ok(candidates) => of_all.push((leaver, candidates)),
            Err(refusal) => refused.push((leaver, refusal)),
        }
    }
    let (mut results, mut without) = (Vec::new(), Vec::new());
    for (leaver, refusal) in refused {
        if of_all.is_empty() {
            return Err(refusal);
        }
        results.push(account_result(&ctx.part(), About::Event(leaver.event.clone()), *refusal.0).await);
    }
    for (leaver, candidates) in of_all {
        let of_leaver = offboard_leaver(ctx, leaver, candidates).await?;
        if of_leaver.is_empty() {
            note_absence(ctx, leaver).await;
            without.push(&leaver.event);
        }
        results.extend(of_leaver);
    }
    let event = json!({
        "event": "left",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "events": leavers.iter().map(|leaver| &leaver.event).collect::<Vec<_>>(),
        "without_account": without,
        "answered": Outcome::Offboarded(results.clone()).code(),
        "removals": results,
    });
    log_event(ctx.host, event);
    Ok(Report { row: LedgerRow::OfParts, ..Report::new(Outcome::Offboarded(results)) })
}

/// Removes the accounts of one leaver, and says what became of those that there are.
async fn offboard_leaver<'a, 'c, H: Host>(
    ctx: &Ctx<'c, H>,
    leaver: &'a Leaver,
    candidates: Vec<Candidate<'a, 'c>>,
) -> Result<Vec<AccountResult>, Refusal<'c>> {
    let looked = stream::iter(candidates).map(|candidate| async move {
        let part = ctx.part();
        let found = look_for(&part, &candidate).await;
        Looked { part, candidate, found }
    });
    let looked: Vec<_> = looked.buffered(AT_ONCE).collect().await;
    let open = looked.iter().filter(|looked| looked.is_open());
    let open: BTreeMap<_, _> = open.map(|looked| (looked.account(), looked.candidate.named_by)).collect();
    let contested = contested(ctx, leaver, &open).await?;
    let results = stream::iter(looked).map(|looked| {
        let contested = contested.get(&looked.account()).cloned();
        remove_one(looked, contested)
    });
    let results: Vec<Option<AccountResult>> = results.buffered(AT_ONCE).collect().await;
    Ok(results.into_iter().flatten().collect())
}

/// Removes one account, with its row and log line; `None` if there is none.
async fn remove_one<H: Host>(looked: Looked<'_, '_, H>, contested: Option<Contested>) -> Option<AccountResult> {
    let Looked { part, candidate, found } = looked;
    let reported = match found {
        Ok(Found::Nothing) => return None,
        Ok(Found::Account { removal, .. }) => match &contested {
            None => remove(&part, &removal).await,
            Some(contested) => {
                let text = contested.text(part.language);
                remove_contested(&part, &RemovalRequest { reason: reason(&text, &candidate), ..*removal }).await
            }
        },
        Err(refusal) => Err(refusal),
    };
    let report = reported.unwrap_or_else(|refusal| *refusal.0);
    let about = About::Account(candidate.instance.name.clone(), candidate.user_name);
    Some(AccountResult { contested, ..account_result(&part, about, report).await })
}

/// The reason of a removal that is contested: whose account it may be, and what the sender says.
fn reason(contested: &str, candidate: &Candidate<'_, '_>) -> Option<Reason> {
    let of_sender = candidate.leaver.reason.as_ref().map(|reason| std::format!("{contested}; {}", reason.as_str()));
    let parsed = |text: &str| Reason::parse(text).ok().flatten();
    of_sender.and_then(|text| parsed(&text)).or_else(|| parsed(contested)).or_else(|| candidate.leaver.reason.clone())
}

/// Writes the row of a leaver of whom no account was found, and its log line.
async fn note_absence<H: Host>(ctx: &Ctx<'_, H>, leaver: &Leaver) {
    let part = ctx.part();
    let outcome = Outcome::Offboarded(Vec::new());
    let arguments = [
        ("leaver", Argument::Plain(described(&leaver.identity).into())),
        ("event", Argument::Plain(quoted(&leaver.event).into())),
    ];
    let about = format(catalog::other::OF_LEAVER, &arguments, ctx.language);
    let noted = RefusedRequest {
        id: &part.id,
        asked_at: ctx.at,
        ending: ctx.ending(&outcome),
        caller: Some((&ctx.caller.name, &ctx.caller.kind)),
        actor: Some(&ctx.actor.principal),
        removal: None,
        reason: Some(&about),
        decided_by: ctx.decided_by(&[]),
    };
    let row = match ctx.app.ledger(ctx.host).await {
        Ok(ledger) => ledger.refuse(&noted).await,
        Err(error) => Err(error),
    };
    match row {
        Ok(row) => {
            let code = outcome.code();
            log_event(ctx.host, row.event(&Event::of(outcome.state(), Some(&ctx.actor.principal), &code)));
        }
        Err(why) => {
            ctx.host.log(&std::format!("ledger: the row of {} could not be written: {why}", part.id.as_str()));
        }
    }
}

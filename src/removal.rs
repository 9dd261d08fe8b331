//! The story of one request, top to bottom: who asked, may they, one row, one DELETE, the truth back.
//!
//! `remove` is the story; each of its steps is one call, and each may end it with an [`Outcome`]. [`answer`] is what stands
//! around it, the same for every ending: the row of a refusal, the line in the log, the answer in the asker's form, and for a
//! platform that does not wait an early one.
//!
//! What holds here (the invariants of the README): no permit, no call; no row, no call; the same delivery is one DELETE; what
//! cannot be proved, read or written is refused; an outcome that nobody knows is settled by the account list, never by a
//! second DELETE.

use std::pin::pin;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use http::{Method, Response};
use serde_json::json;

use crate::budget::Budget;
use crate::caller::{Inbound, Later, Rendered, Said};
use crate::command::{Actor, Removal};
use crate::gateway::Gateway;
use crate::hearing::{self, BodyProblem, Heard};
use crate::host::{Host, StoreError};
use crate::later;
use crate::ledger::{self, Counts, Earlier, RowId, Settlement};
use crate::outcome::{Language, Outcome};
use crate::policy::{Account, Circumstances, Decision};
use crate::taurusdb::Taurusdb;
use crate::taurusdb::list::Listed;
use crate::told::Told;

/// How long after its time is over a request still counts as running: its last statement may be on its way.
const GRACE: chrono::Duration = chrono::Duration::seconds(5);

/// How the story ended.
enum Ending {
    Outcome(Outcome),
    /// There is an answer, and nothing was asked of anybody.
    Answered(Rendered),
}

/// Answers one request. `gateway` is the reason when configuration or policy cannot be used.
///
/// When it takes longer than the asker's platform waits, `early` gets an answer, at most once; what is returned is then for
/// nobody, and the outcome went where the platform takes it later.
pub async fn answer<H: Host>(
    host: &H,
    gateway: Result<&Gateway, &str>,
    inbound: Inbound,
    problem: Option<BodyProblem>,
    early: impl FnOnce(Response<Bytes>),
) -> Response<Bytes> {
    let began = host.elapsed();
    let language = gateway.map_or_else(|_| Language::default(), |gateway| gateway.config.language);
    let mut told = Told::new(host, language);
    if inbound.path == "/healthz" && inbound.method == Method::GET {
        return told.health(gateway);
    }

    let mut late = None;
    let ending = match hear(host, gateway, &inbound, problem, &mut told).await {
        Err(outcome) => Err(outcome),
        Ok((gateway, heard)) => {
            let limits = gateway.config.limits;
            let budget = Budget::new(began, limits);
            let waiting = acknowledgement(&heard, &told);
            let work = pin!(carry_out(host, gateway, heard, &budget, &mut told));
            match waiting {
                None => work.await,
                Some((later, acknowledgement)) => {
                    let spent = host.elapsed().saturating_sub(began);
                    let patience = pin!(host.sleep(limits.early_answer.saturating_sub(spent)));
                    match select(work, patience).await {
                        Either::Left((ending, _)) => ending,
                        Either::Right(((), work)) => {
                            early(acknowledgement);
                            late = Some((later, limits));
                            work.await
                        }
                    }
                }
            }
        }
    };

    let outcome = match ending {
        Ok(Ending::Answered(rendered)) => return told.respond(rendered, None),
        Ok(Ending::Outcome(outcome)) | Err(outcome) => outcome,
    };
    told.late = late.is_some();
    told.record(host, gateway, &outcome).await;
    told.log(host, &outcome, language);
    let rendered = told.render(&outcome);
    if let Some((later, limits)) = late {
        later::tell(host, limits, &later, &rendered, told.id.as_str()).await;
    }
    told.respond(rendered, Some(&outcome))
}

async fn hear<'c, H: Host>(
    host: &H,
    gateway: Result<&'c Gateway, &str>,
    inbound: &Inbound,
    problem: Option<BodyProblem>,
    told: &mut Told<'c>,
) -> Result<(&'c Gateway, Heard<'c>), Outcome> {
    let route = hearing::route(inbound)?;
    let gateway = gateway.map_err(|_| Outcome::Unusable)?;
    let heard = hearing::hear(host, &gateway.config, inbound, &route, problem, told).await?;
    Ok((gateway, heard))
}

/// What to say when it takes longer than the asker's platform waits, and where the outcome goes then.
fn acknowledgement(heard: &Heard<'_>, told: &Told<'_>) -> Option<(Later, Response<Bytes>)> {
    let Said::Remove { user_name, instance, .. } = &heard.said else { return None };
    let (wait, later) = (told.kind?.wait?, heard.later.clone()?);
    Some((later, told.respond(wait(told.language, user_name.as_str(), &instance.name), None)))
}

async fn carry_out<'c, H: Host>(
    host: &H,
    gateway: &'c Gateway,
    heard: Heard<'c>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Ending, Outcome> {
    // A kind that reads a command without an actor has none to ask policy about.
    let actor = |actor: Option<Actor>| actor.ok_or(Outcome::Unusable);
    match heard.said {
        Said::Answered(rendered) => Ok(Ending::Answered(rendered)),
        Said::Look { id } => look(host, gateway, &actor(heard.actor)?, &id, budget, told).await.map(Ending::Answered),
        Said::Remove { user_name, instance, reason } => {
            let actor = actor(heard.actor)?;
            let removal = Removal { actor, user_name, instance, reason, delivery: heard.delivery };
            let removal = &*told.removal.insert(removal);
            remove(host, gateway, removal.clone(), budget, told).await.map(Ending::Outcome)
        }
    }
}

/// The story.
async fn remove<'c, H: Host>(
    host: &H,
    gateway: &'c Gateway,
    removal: Removal<'c>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let removal = &removal;
    let down = |why| ledger_down(host, &why);

    // Not heard before.
    gateway.open_ledger(host).await.map_err(down)?;
    let standing = ledger::find(host, removal, told.at).await.map_err(down)?;
    if let Some(earlier) = standing.earlier {
        return repeated(host, gateway, removal, budget, earlier, told).await;
    }

    // May they do it?
    let teams = gateway.config.teams(&removal.actor.principal);
    let permit = match decide(host, gateway, removal, teams, told.at, standing.counts) {
        Decision::Permit(permit) => permit,
        Decision::Denial { policies } => {
            told.policies.clone_from(&policies);
            return Err(Outcome::Denied { policies });
        }
    };
    told.policies = permit.policies().to_vec();
    let taurusdb = Taurusdb::read(host, &gateway.tokens, budget, removal.instance, told.language).await?;
    if standing.open_removals {
        settle_others(host, &taurusdb, removal, told.language).await;
    }

    // One row, claimed before anything leaves.
    let until = over_at(told.at, budget);
    let claim = ledger::claim(host, told.id.clone(), removal, permit, told.at, until).await.map_err(down)?;
    let Some(claim) = claim else {
        // Another copy of the same delivery was faster by a moment: its row speaks for both.
        let standing = ledger::find(host, removal, told.at).await.map_err(down)?;
        let Some(earlier) = standing.earlier else { return Err(Outcome::StillRunning) };
        return repeated(host, gateway, removal, budget, earlier, told).await;
    };
    told.id = claim.id().clone();
    told.recorded = true;

    // Others may have claimed theirs since: a brake that counts has to see every one before this, and no other.
    if claim.counts() != standing.counts
        && let Decision::Denial { policies } = decide(host, gateway, removal, teams, told.at, claim.counts())
    {
        told.policies.clone_from(&policies);
        let outcome = Outcome::Denied { policies };
        let withdrawn = ledger::withdraw(host, &claim, &outcome, &told.policies, told.language, host.now()).await;
        withdrawn.map_err(down)?;
        return Ok(outcome);
    }

    // The signed DELETE, and what became of it.
    let removed = taurusdb.remove(claim.permit()).await;
    let settlement = Settlement {
        outcome: &removed.outcome,
        language: told.language,
        request_id: removed.request_id.as_deref(),
        attempts: removed.attempts,
    };
    if let Err(StoreError(why)) = ledger::settle(host, &claim, &settlement, host.now()).await {
        // The asker still gets the truth; the row stays in flight, so that a repeat is not sent.
        host.log(&format!("ledger: the outcome of {} could not be written: {why}", told.id.as_str()));
    }
    told.request_id = removed.request_id;
    told.attempts = removed.attempts;
    told.retry_after = removed.retry_after.filter(|_| !removed.outcome.status().is_success());
    Ok(removed.outcome)
}

/// When a request that came at `at` cannot be running any more.
fn over_at(at: DateTime<Utc>, budget: &Budget) -> DateTime<Utc> {
    let total = chrono::Duration::from_std(budget.limits().total).unwrap_or_default();
    at.checked_add_signed(total).and_then(|at| at.checked_add_signed(GRACE)).unwrap_or(at)
}

/// May they do it?
fn decide<'c, H: Host>(
    host: &H,
    gateway: &Gateway,
    removal: &Removal<'c>,
    teams: &[String],
    now: DateTime<Utc>,
    counts: Counts,
) -> Decision<'c> {
    let (decision, why) = gateway.policies.decide(removal, circumstances(teams, now, counts));
    if let Some(why) = why {
        host.log(&format!("policy: the removal by {} could not be decided: {why}", removal.actor.principal));
    }
    decision
}

fn circumstances(teams: &[String], now: DateTime<Utc>, counts: Counts) -> Circumstances<'_> {
    Circumstances { teams, now, removals_last_hour: counts.actor, instance_removals_last_hour: counts.instance }
}

/// What the delivery's own row says; when nobody knows, what the account list says.
async fn repeated<'c, H: Host>(
    host: &H,
    gateway: &'c Gateway,
    removal: &Removal<'c>,
    budget: &Budget,
    earlier: Earlier,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    if !earlier.same_account {
        return Err(Outcome::DeliveryReused);
    }
    let is_open = earlier.is_open();
    told.id = earlier.id;
    told.policies = earlier.policies;
    told.request_id = earlier.request_id;
    told.retry_after = earlier.seconds_left.filter(|seconds| *seconds > 0);
    told.recorded = true;
    if !is_open {
        return Ok(earlier.outcome);
    }
    let taurusdb = Taurusdb::read(host, &gateway.tokens, budget, removal.instance, told.language).await;
    let outcome = match taurusdb {
        Ok(taurusdb) => settled(taurusdb.account(removal.user_name.as_str()).await).unwrap_or(earlier.outcome),
        Err(_) => earlier.outcome,
    };
    settle_open(host, &told.id, &outcome, told.language).await;
    Ok(outcome)
}

/// What the account list says about a removal of which nobody knows what it did; `None` when it cannot be read.
fn settled(listed: Listed) -> Option<Outcome> {
    match listed {
        Listed::Absent => Some(Outcome::RemovedByList),
        Listed::Present => Some(Outcome::NotRemoved),
        Listed::Unreadable => None,
    }
}

/// Records it. A row that cannot be written stays open, and the next one who asks settles it.
async fn settle_open<H: Host>(host: &H, id: &RowId, outcome: &Outcome, language: Language) {
    if let Err(StoreError(why)) = ledger::settle_open(host, id, outcome, language, host.now()).await {
        host.log(&format!("ledger: the outcome of {} could not be written: {why}", id.as_str()));
    }
}

/// Settles earlier removals of the same account of which nobody knows what they did: before this one changes the list.
async fn settle_others<H: Host>(host: &H, taurusdb: &Taurusdb<'_, H>, removal: &Removal<'_>, language: Language) {
    let rows = match ledger::open_removals(host, removal, host.now()).await {
        Ok(rows) if rows.is_empty() => return,
        Ok(rows) => rows,
        Err(StoreError(why)) => return host.log(&format!("ledger: open removals could not be read: {why}")),
    };
    let Some(outcome) = settled(taurusdb.account(removal.user_name.as_str()).await) else { return };
    for id in rows {
        settle_open(host, &id, &outcome, language).await;
    }
}

/// What became of a removal, for somebody who may look; when nobody knows, it is settled first.
async fn look<'c, H: Host>(
    host: &H,
    gateway: &'c Gateway,
    actor: &Actor,
    id: &str,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Rendered, Outcome> {
    let down = |why| ledger_down(host, &why);
    gateway.open_ledger(host).await.map_err(down)?;
    let unknown = || Outcome::RemovalUnknown { id: id.to_owned() };
    let mut record = ledger::look(host, id, told.at).await.map_err(down)?.ok_or_else(unknown)?;
    let (Some(instance), Some(user_name)) = (&record.instance, record.user_name.clone()) else { return Err(unknown()) };
    let instance = gateway.config.instance(instance).map_err(|_| unknown())?;

    let none = Counts { actor: 0, instance: 0 };
    let account = Account { instance, user_name: &user_name };
    let circumstances = circumstances(gateway.config.teams(&actor.principal), told.at, none);
    match gateway.policies.may_audit(actor, account, circumstances) {
        Ok(policies) => told.policies = policies,
        Err((policies, why)) => {
            if let Some(why) = why {
                host.log(&format!("policy: a look by {} could not be decided: {why}", actor.principal));
            }
            told.policies.clone_from(&policies);
            return Err(Outcome::LookDenied { policies });
        }
    }

    if record.is_open
        && let Ok(taurusdb) = Taurusdb::read(host, &gateway.tokens, budget, instance, told.language).await
        && let Some(outcome) = settled(taurusdb.account(&user_name).await)
    {
        settle_open(host, &record.id, &outcome, told.language).await;
        record = ledger::look(host, id, told.at).await.map_err(down)?.ok_or_else(unknown)?;
    }
    let line = json!({
        "at": told.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "looked_at": record.id.as_str(),
        "actor": actor.principal,
        "policies": told.policies,
        "state": record.state.as_str(),
    });
    host.log(&line.to_string());
    Ok(Rendered { status: http::StatusCode::OK, body: record.json.to_string() })
}

fn ledger_down<H: Host>(host: &H, StoreError(why): &StoreError) -> Outcome {
    host.log(&format!("ledger: {why}"));
    Outcome::LedgerDown
}

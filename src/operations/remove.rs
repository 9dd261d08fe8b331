//! The story of one request, top to bottom: who asked, may they, one row, one DELETE, the truth back.
//!
//! `remove` is the story; each of its steps is one call, and each may end it with an [`Outcome`]. [`answer`] is what stands
//! around it, the same for every ending: the row of a refusal, the line in the log, the answer in the asker's form, and for a
//! platform that does not wait an early one.
//!
//! What holds here (the invariants of the README): no permit, no call; no row, no call; the same delivery is one DELETE; what
//! cannot be proved, read or written is refused; an outcome that nobody knows is settled by the account list, never by a
//! second DELETE.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::callers::follow_up::ReplyAddress;
use crate::flow::record::Told;
use crate::host::{Host, StoreError};
use crate::ledger::claims::{self, Claim, Completion, RecentRemovals};
use crate::ledger::export::Event;
use crate::ledger::row::{self, RemovalId, RemovalRow};
use crate::operations::decide_approval;
use crate::outbound::budget::Budget;
use crate::outcome::language::Language;
use crate::outcome::{AccountPresence, DryRunDecision, Outcome};
use crate::policy::AuthzContext;
use crate::policy::permit::Decision;
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;
use crate::secret::Secret;
use crate::taurusdb::Taurusdb;

/// How long after its time is over a request still counts as running: its last statement may be on its way.
pub(crate) const GRACE: chrono::Duration = chrono::Duration::seconds(5);

/// The story.
pub(crate) async fn remove<'c, H: Host>(
    host: &H,
    app: &'c App,
    removal: &RemovalRequest<'c>,
    channel: Option<(ReplyAddress, Secret)>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let down = |why| ledger_down(host, &why);

    // Not heard before.
    app.open_ledger(host).await.map_err(down)?;
    let standing = claims::find(host, removal, told.at).await.map_err(down)?;
    if let Some(earlier) = standing.earlier {
        return repeated(host, app, removal, budget, earlier, told).await;
    }

    // May they do it?
    let confirm = told.caller.is_some_and(|caller| caller.confirm);
    let judge = |counts| judge(host, app, removal, told.at, confirm, counts);
    let decision = judge(standing.counts);
    if removal.dry_run {
        return Err(dry_run(host, app, removal, decision, budget, told).await);
    }
    let permit = match decision {
        Decision::Denial { policies } => {
            told.policies.clone_from(&policies);
            return Err(Outcome::Denied { policies });
        }
        Decision::Permit(permit) if !confirm => permit,
        // They are asked whether they mean it, or somebody else whether they agree.
        decision => return decide_approval::open(host, app, removal, &decision, channel, budget, told).await,
    };
    told.policies = permit.policies().to_vec();
    let taurusdb = Taurusdb::read(host, &app.tokens, budget, removal.instance, told.language).await?;
    if standing.unresolved {
        settle_others(host, &taurusdb, removal, told.language).await;
    }

    // One row, claimed before anything leaves.
    let until = over_at(told.at, budget);
    let claim = claims::claim(host, told.id.clone(), removal, permit, told.at, until).await.map_err(down)?;
    let Some(claim) = claim else {
        // Another copy of the same delivery was faster by a moment: its row speaks for both.
        let standing = claims::find(host, removal, told.at).await.map_err(down)?;
        let Some(earlier) = standing.earlier else { return Err(Outcome::StillRunning) };
        return repeated(host, app, removal, budget, earlier, told).await;
    };
    let recheck = (claim.counts() != standing.counts).then(|| match judge(claim.counts()) {
        Decision::Permit(_) => None,
        Decision::NeedsApproval { policies } | Decision::Denial { policies } => Some(policies),
    });
    send(host, &taurusdb, &claim, recheck.flatten(), told).await
}

/// Carries out what is claimed: the signed DELETE, and what became of it. `denied` are the policies that say no after all,
/// now that the counts of the claim are known: others may have claimed theirs since, and a brake that counts has to see every
/// one before this, and no other.
pub(crate) async fn send<H: Host>(
    host: &H,
    taurusdb: &Taurusdb<'_, H>,
    claim: &Claim<'_>,
    denied: Option<Vec<String>>,
    told: &mut Told<'_>,
) -> Result<Outcome, Outcome> {
    told.id = claim.id().clone();
    told.policies = claim.permit().policies().to_vec();
    told.recorded = true;
    if let Some(policies) = denied {
        told.policies.clone_from(&policies);
        let outcome = Outcome::Denied { policies };
        let withdrawn = claims::withdraw(host, claim, &outcome, &told.policies, told.language, host.now()).await;
        told.record = Some(withdrawn.map_err(|why| ledger_down(host, &why))?);
        return Ok(outcome);
    }

    let removed = taurusdb.remove(claim.permit()).await;
    let settlement = Completion {
        outcome: &removed.outcome,
        language: told.language,
        request_id: removed.request_id.as_deref(),
        attempts: removed.attempts,
    };
    told.record = match claims::settle(host, claim, &settlement, host.now()).await {
        Ok(record) => Some(record),
        Err(StoreError(why)) => {
            // The asker still gets the truth; the row stays in flight, so that a repeat is not sent.
            host.log(&format!("ledger: the outcome of {} could not be written: {why}", told.id.as_str()));
            None
        }
    };
    told.request_id = removed.request_id;
    told.retry_after = removed.retry_after.filter(|_| !removed.outcome.status().is_success());
    Ok(removed.outcome)
}

/// What would happen, and whether there is anything that it could happen to.
pub(crate) async fn dry_run<H: Host>(
    host: &H,
    app: &App,
    removal: &RemovalRequest<'_>,
    decision: Decision<'_>,
    budget: &Budget,
    told: &mut Told<'_>,
) -> Outcome {
    let (would, policies) = match decision {
        Decision::Permit(permit) => (DryRunDecision::Remove, permit.policies().to_vec()),
        Decision::NeedsApproval { policies } => (DryRunDecision::RequestApproval, policies),
        Decision::Denial { policies } => (DryRunDecision::Deny, policies),
    };
    told.policies.clone_from(&policies);
    // Whoever may not remove an account does not learn whether it is there, either.
    let taurusdb = Taurusdb::read(host, &app.tokens, budget, removal.instance, told.language).await;
    let account = match (would, taurusdb) {
        (DryRunDecision::Deny, _) | (_, Err(_)) => AccountPresence::Unknown,
        (_, Ok(taurusdb)) => taurusdb.account(removal.user_name.as_str()).await,
    };
    Outcome::DryRun { would, account, policies }
}

/// When a request that came at `at` cannot be running any more.
pub(crate) fn over_at(at: DateTime<Utc>, budget: &Budget) -> DateTime<Utc> {
    let total = chrono::Duration::from_std(budget.limits().total).unwrap_or_default();
    at.checked_add_signed(total).and_then(|at| at.checked_add_signed(GRACE)).unwrap_or(at)
}

/// May they do it? `confirmed` when they are asked whether they mean it before anything happens.
pub(crate) fn judge<'c, H: Host>(
    host: &H,
    app: &App,
    removal: &RemovalRequest<'c>,
    now: DateTime<Utc>,
    confirmed: bool,
    counts: RecentRemovals,
) -> Decision<'c> {
    let circumstances = circumstances(app, now, removal.dry_run, confirmed, counts);
    let (decision, why) = app.policies.decide(removal, &app.config, circumstances);
    if let Some(why) = why {
        host.log(&format!("policy: the removal by {} could not be decided: {why}", removal.actor.principal));
    }
    decision
}

pub(crate) fn circumstances(
    app: &App,
    now: DateTime<Utc>,
    dry_run: bool,
    confirmed: bool,
    counts: RecentRemovals,
) -> AuthzContext {
    AuthzContext {
        now: now.with_timezone(&app.config.utc_offset),
        dry_run,
        confirmed,
        removals_last_hour: counts.actor,
        instance_removals_last_hour: counts.instance,
    }
}

/// What the delivery's own row says; when nobody knows, what the account list says.
pub(crate) async fn repeated<'c, H: Host>(
    host: &H,
    app: &'c App,
    removal: &RemovalRequest<'c>,
    budget: &Budget,
    earlier: RemovalRow,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    if !claims::is_about(&earlier, removal) {
        return Err(Outcome::DeliveryReused);
    }
    told.retry_after = earlier.seconds_left(told.at);
    told.about(earlier.clone());
    let Some(outcome) = earlier.outcome(told.at) else {
        return decide_approval::still_waiting(host, app, removal, &earlier, told).await;
    };
    if !earlier.is_unresolved(told.at) || earlier.targets_other_instance(removal.instance) {
        return Ok(outcome);
    }
    let taurusdb = Taurusdb::read(host, &app.tokens, budget, removal.instance, told.language).await;
    let outcome = match taurusdb {
        Ok(taurusdb) => settled(taurusdb.account(removal.user_name.as_str()).await).unwrap_or(outcome),
        Err(_) => outcome,
    };
    match settle_open(host, &earlier.id, &outcome, told.language).await {
        Some(record) => told.record = Some(record),
        // Somebody else was faster by a moment: the log is to have the row as it is.
        None => {
            if let Ok(Some(record)) = row::look(host, earlier.id.as_str()).await {
                told.record = Some(record);
            }
        }
    }
    Ok(outcome)
}

/// What the account list says about a removal of which nobody knows what it did; `None` when it cannot be read.
pub(crate) fn settled(listed: AccountPresence) -> Option<Outcome> {
    match listed {
        AccountPresence::Absent => Some(Outcome::RemovedByList),
        AccountPresence::Present => Some(Outcome::NotRemoved),
        AccountPresence::Unknown => None,
    }
}

/// Records it. A row that cannot be written stays open, and the next one who asks settles it.
pub(crate) async fn settle_open<H: Host>(
    host: &H,
    id: &RemovalId,
    outcome: &Outcome,
    language: Language,
) -> Option<RemovalRow> {
    match claims::settle_open(host, id, outcome, language, host.now()).await {
        Ok(record) => record,
        Err(StoreError(why)) => {
            host.log(&format!("ledger: the outcome of {} could not be written: {why}", id.as_str()));
            None
        }
    }
}

/// Settles earlier removals of the same account of which nobody knows what they did: before this one changes the list.
pub(crate) async fn settle_others<H: Host>(
    host: &H,
    taurusdb: &Taurusdb<'_, H>,
    removal: &RemovalRequest<'_>,
    language: Language,
) {
    let rows = match claims::unresolved(host, removal, host.now()).await {
        Ok(rows) if rows.is_empty() => return,
        Ok(rows) => rows,
        Err(StoreError(why)) => return host.log(&format!("ledger: open removals could not be read: {why}")),
    };
    let Some(outcome) = settled(taurusdb.account(removal.user_name.as_str()).await) else { return };
    for id in rows {
        if let Some(record) = settle_open(host, &id, &outcome, language).await {
            log_settled(host, &record, &outcome, &removal.actor);
        }
    }
}

/// Writes the line about a row that was settled on the way to something else.
pub(crate) fn log_settled<H: Host>(host: &H, record: &RemovalRow, outcome: &Outcome, by: &Actor) {
    let event = Event {
        event: outcome.state(),
        by: Some(&by.principal),
        answered: &outcome.code(),
        meaning: None,
        late: false,
        written: true,
    };
    host.log(&record.line(&event));
}

pub(crate) fn ledger_down<H: Host>(host: &H, StoreError(why): &StoreError) -> Outcome {
    host.log(&format!("ledger: {why}"));
    Outcome::LedgerDown
}

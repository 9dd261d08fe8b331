//! What waits for somebody's yes: whoever asked confirms that they mean it, others approve.
//!
//! Everything is judged again at the moment of the yes, for everybody who has a part in it, by the policy of that moment; and
//! what was asked is held to its fingerprint, so that nobody says yes to something else than they saw. Nobody approves their
//! own request, also not through another caller (`[[person]]`), whatever policy says.

use std::time::Duration;

use serde_json::json;

use crate::app::App;
use crate::callers;
use crate::callers::follow_up::ReplyAddress;
use crate::config::Config;
use crate::config::callers::Key;
use crate::crypto::seal::Seal;
use crate::flow::authenticate;
use crate::flow::follow_up::FollowUpChannel;
use crate::flow::record::{Notify, Told};
use crate::host::Host;
use crate::ledger::approvals::{self, NewVote, PendingSpec};
use crate::ledger::claims::{self, RecentRemovals};
use crate::ledger::row::{self, RemovalRow};
use crate::operations::content;
use crate::operations::remove::{self, ledger_down};
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;
use crate::outcome::state::State;
use crate::policy::permit::{ApprovalShortfall, Decision, Permit};
use crate::policy::{Account, Action, AuthzRequest, Principal};
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;
use crate::request::ids::{DeliveryId, Reference};
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;
use crate::secret::Secret;
use crate::taurusdb::Taurusdb;

/// How long whoever asked has to confirm.
const TO_CONFIRM: Duration = Duration::from_secs(300);

/// What a later channel is sealed for.
const LATER: &str = "later/1";

/// Somebody who decides about what waits.
pub(crate) struct ApprovalDecision<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) how: ApprovalAction,
    pub(crate) reason: Option<&'a Reason>,
    /// Where they can be told later, and what that is sealed with.
    pub(crate) channel: Option<(ReplyAddress, Secret)>,
}

/// Has a removal wait for whoever asked, where their caller is to `confirm`, or else for others.
///
/// # Errors
///
/// [`Outcome::LedgerDown`]
pub(crate) async fn open<'c, H: Host>(
    host: &H,
    app: &'c App,
    removal: &RemovalRequest<'c>,
    decision: &Decision<'_>,
    channel: Option<(ReplyAddress, Secret)>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let down = |why| ledger_down(host, &why);
    let policies = match decision {
        Decision::Permit(permit) => permit.policies(),
        Decision::NeedsApproval { policies } | Decision::Denial { policies } => policies,
    };
    let (state, patience) = match told.caller.is_some_and(|caller| caller.confirm) {
        true => (State::AwaitingConfirmation, TO_CONFIRM),
        false => (State::AwaitingApproval, app.config.approvals.expire),
    };
    let later = channel.and_then(|(later, secret)| seal(host, &later, &secret));
    let reference = Reference::new(host.random());
    let wait = PendingSpec { state, reference: &reference, patience, policies, later: later.as_deref() };
    let record = match approvals::open(host, &told.id, removal, &wait, told.at).await.map_err(down)? {
        Some(record) => record,
        // Another copy of the same delivery was faster by a moment: its row speaks for both.
        None => {
            let standing = claims::find(host, removal, told.at).await.map_err(down)?;
            let Some(earlier) = standing.earlier else { return Err(Outcome::StillRunning) };
            return remove::repeated(host, app, removal, budget, earlier, told).await;
        }
    };
    told.about(record.clone());
    still_waiting(host, app, removal, &record, told).await
}

/// What is said of a row that waits.
///
/// # Errors
///
/// [`Outcome::LedgerDown`]
pub(crate) async fn still_waiting<'c, H: Host>(
    host: &H,
    app: &'c App,
    removal: &RemovalRequest<'c>,
    record: &RemovalRow,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let down = |why| ledger_down(host, &why);
    if record.expires_at.unwrap_or_default() <= told.at.timestamp_millis() {
        approvals::expire(host, told.language, told.at).await.map_err(down)?;
        if let Some(record) = row::look(host, record.id.as_str()).await.map_err(down)? {
            told.about(record);
        }
        return Ok(Outcome::Expired);
    }
    let reference = record.reference.clone().unwrap_or_default();
    if record.state == State::AwaitingConfirmation {
        let counts = approvals::count(host, removal, told.at).await.map_err(down)?;
        let decision = remove::judge(host, app, removal, told.at, true, counts);
        let needs_approval = matches!(decision, Decision::NeedsApproval { .. });
        return Ok(Outcome::AwaitingConfirmation { reference, needs_approval });
    }
    let people: std::collections::BTreeSet<_> = record.approvals().map(|approval| &approval.person).collect();
    let required = app.config.approvals.required(&removal.instance.environment);
    let missing = required.saturating_sub(u32::try_from(people.len()).unwrap_or(u32::MAX)).max(1);
    Ok(Outcome::AwaitingApproval { reference, missing })
}

/// Somebody says yes or no to what waits under `id`.
///
/// # Errors
///
/// Why they may not, or why nothing waits there: the row then waits on.
pub(crate) async fn decide<'c, H: Host>(
    host: &H,
    app: &'c App,
    voice: ApprovalDecision<'_>,
    id: &str,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let down = |why| ledger_down(host, &why);
    app.open_ledger(host).await.map_err(down)?;
    approvals::expire(host, told.language, told.at).await.map_err(down)?;
    let unknown = || Outcome::WaitingUnknown { id: id.to_owned() };
    let record = row::look(host, id).await.map_err(down)?.ok_or_else(unknown)?;
    if record.reference.is_none() {
        return Err(unknown());
    }
    let removal = asked(&app.config, &record).ok_or(Outcome::Changed);

    // Who may say it.
    let config = &app.config;
    let person = config.person(&voice.actor.principal);
    let is_own = record.actor.as_deref().map(|asked_by| config.person(asked_by)) == Some(person);
    match voice.how {
        ApprovalAction::Confirm | ApprovalAction::Cancel if !is_own => return Err(Outcome::NotTheirs),
        ApprovalAction::Approve | ApprovalAction::Deny if is_own => return Err(Outcome::OwnRequest),
        ApprovalAction::Confirm | ApprovalAction::Cancel => {}
        ApprovalAction::Approve | ApprovalAction::Deny => {
            let removal = removal.as_ref().map_err(Clone::clone)?;
            let question = AuthzRequest::about(removal, Principal::of(voice.actor, config), Action::Approve);
            let circumstances = remove::circumstances(app, told.at, false, false, RecentRemovals::default());
            let verdict = app.policies.is_authorized(&question, circumstances);
            if let Some(why) = verdict.failed {
                host.log(&format!("policy: an approval by {} could not be decided: {why}", voice.actor.principal));
            }
            if !verdict.allowed {
                told.policies.clone_from(&verdict.policies);
                return Err(Outcome::ApproveDenied { policies: verdict.policies });
            }
        }
    }

    // What they say it to.
    told.about(record.clone());
    let from = match (voice.how, record.state) {
        (ApprovalAction::Confirm, State::AwaitingConfirmation)
        | (ApprovalAction::Cancel, State::AwaitingConfirmation | State::AwaitingApproval)
        | (ApprovalAction::Approve | ApprovalAction::Deny, State::AwaitingApproval) => record.state,
        // It has gone on without them: that is what they hear.
        _ => return so_far(host, app, &record, budget, told).await,
    };
    let removal = match removal {
        Ok(removal) if record.matches(&removal) => removal,
        _ => return end(host, app, &record, from, Outcome::Changed, budget, told).await,
    };
    told.removal = Some(removal.clone());
    let at = told.at;
    let counts = approvals::count(host, &removal, at).await.map_err(down)?;
    let confirmed = config.caller(&removal.actor.caller).is_ok_and(|caller| caller.confirm);
    match voice.how {
        ApprovalAction::Cancel => end(host, app, &record, from, Outcome::Cancelled, budget, told).await,
        ApprovalAction::Deny => {
            say(host, app, &record, &voice, false, told).await?;
            let reason = voice.reason.map(|reason| reason.as_str().to_owned());
            notify(host, app, &record, told).await;
            let outcome = Outcome::Rejected { by: voice.actor.principal.clone(), reason };
            end(host, app, &record, from, outcome, budget, told).await
        }
        ApprovalAction::Confirm => {
            let judge = |counts| remove::judge(host, app, &removal, at, true, counts);
            match judge(counts) {
                Decision::Permit(permit) => {
                    let waited = Waited { record: &record, from, removal: &removal };
                    let recheck = |now| match judge(now) {
                        _ if now == counts => None,
                        Decision::Permit(_) => None,
                        Decision::NeedsApproval { policies } | Decision::Denial { policies } => Some(policies),
                    };
                    carry_out(host, app, &waited, permit, recheck, budget, told).await
                }
                Decision::NeedsApproval { policies } => {
                    let later = voice.channel.and_then(|(later, secret)| seal(host, &later, &secret));
                    let patience = config.approvals.expire;
                    let moved =
                        approvals::move_on(host, &record.id, patience, &policies, later.as_deref(), told.at).await;
                    match moved.map_err(down)? {
                        Some(record) => {
                            told.about(record.clone());
                            still_waiting(host, app, &removal, &record, told).await
                        }
                        None => so_far(host, app, &record, budget, told).await,
                    }
                }
                Decision::Denial { policies } => {
                    told.policies.clone_from(&policies);
                    end(host, app, &record, from, Outcome::Denied { policies }, budget, told).await
                }
            }
        }
        ApprovalAction::Approve => {
            say(host, app, &record, &voice, true, told).await?;
            let Some(record) = row::look(host, record.id.as_str()).await.map_err(down)? else {
                return Err(unknown());
            };
            told.record = Some(record.clone());
            if record.state != from {
                // Another's yes was the last that it took.
                return so_far(host, app, &record, budget, told).await;
            }
            let approvers: Vec<Actor> = record.approvals().map(|approval| approval.actor()).collect();
            let judge = |counts| {
                let circumstances = remove::circumstances(app, at, false, confirmed, counts);
                app.policies.decide_approved(&removal, &approvers, config, circumstances)
            };
            match judge(counts) {
                Ok(permit) => {
                    let waited = Waited { record: &record, from, removal: &removal };
                    let recheck = |now| match judge(now) {
                        _ if now == counts => None,
                        Ok(_) => None,
                        Err(ApprovalShortfall::Denied(policies, _)) => Some(policies),
                        Err(ApprovalShortfall::Missing(_)) => Some(Vec::new()),
                    };
                    notify(host, app, &record, told).await;
                    carry_out(host, app, &waited, permit, recheck, budget, told).await
                }
                Err(ApprovalShortfall::Missing(_)) => still_waiting(host, app, &removal, &record, told).await,
                Err(ApprovalShortfall::Denied(policies, why)) => {
                    if let Some(why) = why {
                        host.log(&format!("policy: an approved removal could not be decided: {why}"));
                    }
                    told.policies.clone_from(&policies);
                    notify(host, app, &record, told).await;
                    end(host, app, &record, from, Outcome::Denied { policies }, budget, told).await
                }
            }
        }
    }
}

/// What was asked for, out of its row and by the configuration of now; `None` when that has no place for it any more.
fn asked<'c>(config: &'c Config, record: &RemovalRow) -> Option<RemovalRequest<'c>> {
    Some(RemovalRequest {
        actor: record.asker()?,
        user_name: config.accounts.parse(record.user_name.as_deref()?).ok()?,
        instance: config.instance(record.instance.as_deref()?).ok()?,
        reason: Reason::parse(record.reason.as_deref().unwrap_or_default()).ok()?,
        delivery: DeliveryId::recorded(record.delivery()?.to_owned()),
        dry_run: false,
    })
}

/// What waited, and for what.
struct Waited<'a, 'c> {
    record: &'a RemovalRow,
    from: State,
    removal: &'a RemovalRequest<'c>,
}

/// Claims what waited, and carries it out, unless `recheck` says which policies forbid it at the counts of the claim.
async fn carry_out<'c, H: Host>(
    host: &H,
    app: &'c App,
    waited: &Waited<'_, 'c>,
    permit: Permit<'c>,
    recheck: impl Fn(RecentRemovals) -> Option<Vec<String>>,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let Waited { record, from, removal } = *waited;
    let down = |why| ledger_down(host, &why);
    let taurusdb = Taurusdb::read(host, &app.tokens, budget, removal.instance, told.language).await?;
    remove::settle_others(host, &taurusdb, removal, told.language).await;
    let until = remove::over_at(told.at, budget);
    let claim = approvals::claim(host, &record.id, from, removal, permit, told.at, until).await.map_err(down)?;
    let Some(claim) = claim else { return so_far(host, app, record, budget, told).await };
    let denied = recheck(claim.counts());
    remove::send(host, &taurusdb, &claim, denied, told).await
}

/// Ends what waits, without a DELETE.
async fn end<'c, H: Host>(
    host: &H,
    app: &'c App,
    record: &RemovalRow,
    from: State,
    outcome: Outcome,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let policies = told.policies.clone();
    let ended = approvals::end(host, &record.id, from, &outcome, &policies, told.language, told.at).await;
    match ended.map_err(|why| ledger_down(host, &why))? {
        Some(ended) => {
            told.about(ended);
            Ok(outcome)
        }
        None => so_far(host, app, record, budget, told).await,
    }
}

/// What has become of a row by now: somebody else was faster.
async fn so_far<'c, H: Host>(
    host: &H,
    app: &'c App,
    record: &RemovalRow,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Outcome, Outcome> {
    let record = row::look(host, record.id.as_str()).await.map_err(|why| ledger_down(host, &why))?;
    let removal = record.as_ref().and_then(|record| asked(&app.config, record));
    let Some((record, removal)) = record.zip(removal) else { return Err(Outcome::Changed) };
    told.removal = Some(removal.clone());
    remove::repeated(host, app, &removal, budget, record, told).await
}

async fn say<H: Host>(
    host: &H,
    app: &App,
    record: &RemovalRow,
    voice: &ApprovalDecision<'_>,
    approved: bool,
    told: &Told<'_>,
) -> Result<(), Outcome> {
    let person = app.config.person(&voice.actor.principal);
    let say = NewVote { person, actor: voice.actor, approved, reason: voice.reason.map(Reason::as_str) };
    approvals::say(host, &record.id, &say, told.at).await.map_err(|why| ledger_down(host, &why))
}

/// Remembers to tell whoever asked, where their platform takes it.
async fn notify<'c, H: Host>(host: &H, app: &'c App, record: &RemovalRow, told: &mut Told<'c>) {
    let Some(caller) = record.caller.as_deref().and_then(|name| app.config.caller(name).ok()) else { return };
    let Some(kind) = callers::kind(&caller.kind) else { return };
    let (Some(shape), Some(sealed)) = (kind.follow_up(), &record.later) else { return };
    let keys: Vec<&Key> = caller.keys.iter().collect();
    let Ok(keys) = authenticate::load_secrets(host, &keys).await else { return };
    let opened = keys.into_iter().find_map(|key| Some((Seal::new(&key.secret, LATER)?.open(sealed, LATER)?, key)));
    let Some((url, key)) = opened else { return };
    let limits = app.config.limits;
    let channel = (shape.at)(caller, url.expose());
    let channel = channel.and_then(|later| FollowUpChannel::new(kind, later, caller, Some(key), limits));
    let Some(channel) = channel else { return };
    let language = caller.language.unwrap_or(app.config.language);
    told.notify = Some(Notify { channel, language });
}

/// Seals where somebody can be told later: whoever has the URL can write into their channel.
fn seal<H: Host>(host: &H, later: &ReplyAddress, secret: &Secret) -> Option<String> {
    Seal::new(secret, LATER)?.seal(&Secret::new(later.url().to_owned())?, LATER, host.random())
}

/// What waits, as far as somebody may see it: what they asked for, and what they may approve.
///
/// # Errors
///
/// [`Outcome::LedgerDown`]
pub(crate) async fn pending<H: Host>(host: &H, app: &App, actor: &Actor, told: &Told<'_>) -> Result<Rendered, Outcome> {
    let down = |why| ledger_down(host, &why);
    app.open_ledger(host).await.map_err(down)?;
    let config = &app.config;
    let circumstances = remove::circumstances(app, told.at, false, false, RecentRemovals::default());
    let mut shown = approvals::pending(host, told.at).await.map_err(down)?;
    shown.retain(|record| {
        let is_own = record.actor.as_deref().map(|by| config.person(by)) == Some(config.person(&actor.principal));
        let may_approve = || {
            let Some(removal) = asked(config, record) else { return false };
            record.state == State::AwaitingApproval
                && app
                    .policies
                    .is_authorized(
                        &AuthzRequest::about(&removal, Principal::of(actor, config), Action::Approve),
                        circumstances,
                    )
                    .allowed
        };
        is_own || may_approve()
    });
    Ok(match told.kind.and_then(|kind| kind.chat()) {
        Some(chat) => chat.message(&content::pending(&shown, told.language, &|words| chat.quote(words))),
        None => {
            let rows: Vec<_> = shown.iter().map(RemovalRow::json).collect();
            Rendered::json(http::StatusCode::OK, json!({"approvals": rows}).to_string())
        }
    })
}

/// What somebody can say, as far as policy lets them.
///
/// # Errors
///
/// None; it has the shape of its siblings.
pub(crate) fn help(app: &App, actor: &Actor, told: &Told<'_>) -> Rendered {
    let config = &app.config;
    let who = Principal::of(actor, config);
    let circumstances = remove::circumstances(app, told.at, false, true, RecentRemovals::default());
    // For an account that nobody has, and for their own: policies may be about either.
    let names = || std::iter::once("somebody").chain(who.accounts.iter().map(String::as_str));
    let may = |action, instance| {
        names().any(|user_name| {
            let account = Some(Account { instance, user_name });
            app.policies
                .is_authorized(&AuthzRequest { who, action, account, reason_given: true }, circumstances)
                .allowed
        })
    };
    let may_somewhere = |action| config.instances().iter().any(|instance| may(action, instance));
    let instances: Vec<&str> = config
        .instances()
        .iter()
        .filter(|instance| may(Action::Delete, instance) || may(Action::Request, instance))
        .map(|instance| instance.name.as_str())
        .collect();
    let text = content::help(&instances, may_somewhere(Action::Approve), told.language);
    match told.kind.and_then(|kind| kind.chat()) {
        Some(chat) => chat.message(&text),
        None => Rendered::json(http::StatusCode::OK, json!({"help": text}).to_string()),
    }
}

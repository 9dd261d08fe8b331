//! What waits for a person: the requests of others that they may decide now, and their own that wait.
//!
//! Which those are is what `list_pending` says. Beside each is what an approver has to know: what an approval would come to at this
//! moment, who has approved, who else could, and whose account it is. Nothing is decided here; a decision is held to policy and to
//! the row's fingerprint once more.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::host::Host;
use crate::ledger::row::{RemovalRow, Vote};
use crate::operations::Ctx;
use crate::operations::authorize::{authorize, authorize_approved};
use crate::operations::console::account_owners::{Owner, Owners};
use crate::operations::console::approvers::{Approvers, Candidates};
use crate::operations::console::who::Who;
use crate::operations::decide_approval::request_from_row;
use crate::operations::list_pending::{PendingPage, PendingReader, read_pending};
use crate::operations::report::Refusal;
use crate::operations::request_approval::waited_for_confirmation;
use crate::outcome::denial::Denial;
use crate::outcome::state::State;
use crate::policy::counts::Counts;
use crate::policy::permit::{ApprovalShortfall, Decision};
use crate::request::actor::Actor;
use crate::request::removal::RemovalRequest;

/// What waits for a person, each list newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFor {
    /// Requests of others that the person may decide.
    pub to_decide: Vec<ToDecide>,
    /// Requests of others that the person may decide and has approved already: other people have to act.
    pub approved: Vec<PendingRequest>,
    /// The person's own requests, and those that systems made because of what the person did.
    pub own: Vec<OwnRequest>,
    /// The id behind which the next page begins; `None` if there is none.
    pub next: Option<String>,
}

/// A request that waits. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRequest {
    /// The row's id.
    pub id: String,
    /// What people type to refer to it.
    pub reference: String,
    /// The digest of exactly what was asked: a decision is about this.
    pub fingerprint: String,
    /// Whether it waits for the requester or for approvers.
    pub state: State,
    /// The instance's name.
    pub instance: String,
    /// The instance's environment; `None` if the instance is not configured any more.
    pub environment: Option<String>,
    /// The account.
    pub user_name: String,
    /// The requester.
    pub requester: Option<Who>,
    /// The caller that it came through, and its kind.
    pub came_through: Option<(String, String)>,
    /// The person who caused the event of a system.
    pub caused_by: Option<Who>,
    /// The requester's reason.
    pub reason: Option<String>,
    /// When it was asked.
    pub asked_at: i64,
    /// Until when it waits.
    pub expires_at: i64,
    /// The policies that permit the request.
    pub policies: Vec<String>,
    /// Who has approved, in the order of the approvals.
    pub approvals: Vec<Approval>,
    /// How many approvals it needs.
    pub required: u32,
    /// Who else could approve.
    pub approvers: Approvers,
    /// Whose account it is, as far as it is known; `None` if there was no time to read it.
    pub owners: Option<Vec<Owner>>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who approved.
    pub by: Who,
    /// The caller that the approval came through.
    pub caller: String,
    /// Why, if the approver said.
    pub reason: Option<String>,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A request that the person may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDecide {
    /// The request.
    pub request: PendingRequest,
    /// What the person's approval would come to at this moment.
    pub approval: Effect,
}

/// A request of the person's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRequest {
    /// The request.
    pub request: PendingRequest,
    /// Whether the person is its requester, and so may confirm or cancel it; otherwise a system made it.
    pub is_requester: bool,
    /// What a confirmation would come to at this moment; `None` if it waits for none.
    pub confirmation: Option<Effect>,
}

/// What a click would come to at this moment. It may come to something else later, and is decided anew then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The account is removed at once.
    Removes,
    /// The request waits for this number of approvals.
    Waits(usize),
    /// Policy does not permit the removal at this moment, for this reason: the request would end.
    Denied(Denial),
    /// The configuration is not the one that the request was made under: the request would end.
    ConfigurationChanged,
}

/// How many requests wait for a person to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaitingCount {
    /// How many, of the newest [`COUNTED`].
    pub count: usize,
    /// Whether there may be more.
    pub is_more: bool,
}

/// How many requests are looked at for the number in the navigation.
pub const COUNTED: usize = 100;

/// What waits for the person of a request: at most `limit` requests, older than the one with the id `before`.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn waiting_for<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    before: Option<&str>,
    limit: usize,
) -> Result<WaitingFor, Refusal<'c>> {
    let PendingPage { rows, next } = read_pending(ctx, before.map(str::to_owned), limit).await?;
    let accounts = rows.iter().filter_map(|row| row.instance.clone().zip(row.user_name.clone())).collect();
    let owners = Owners::read(ctx, &accounts).await?;
    let mut describing = Describing { ctx, owners, candidates: Candidates::new(ctx) };
    let mut waiting = WaitingFor { to_decide: Vec::new(), approved: Vec::new(), own: Vec::new(), next };
    for row in &rows {
        let removal = request_from_row(&ctx.app.config, row).filter(|removal| row.matches(removal));
        let request = describing.request(row, removal.as_ref());
        if ctx.is_own_row(row) {
            let confirmation = match row.state {
                State::AwaitingConfirmation => Some(of_confirmation(ctx, row, removal.as_ref()).await?),
                _ => None,
            };
            let is_requester = ctx.is_own(row.actor.as_deref());
            waiting.own.push(OwnRequest { request, is_requester, confirmation });
        } else if has_voted(ctx, row) {
            waiting.approved.push(request);
        } else {
            let approval = of_approval(ctx, row, removal.as_ref()).await?;
            waiting.to_decide.push(ToDecide { request, approval });
        }
    }
    Ok(waiting)
}

/// How many approvals a row waits for, or waited for; 0 if it waits or waited for none, or only for the requester.
pub fn required_approvals(config: &Config, row: &RemovalRow) -> u32 {
    let waits = row.reference.is_some() && row.expires_at.is_some();
    if !waits || waited_for_confirmation(row.asked_at, row.expires_at) {
        return 0;
    }
    let instance = row.instance.as_deref().and_then(|name| config.instance(name).ok());
    config.approvals.required(instance.map_or("", |instance| &instance.environment))
}

/// How many requests wait for the person to decide or to confirm. It is one statement unless a great many others wait.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn count_waiting<'c, H: Host>(ctx: &Ctx<'c, H>) -> Result<WaitingCount, Refusal<'c>> {
    let page = read_pending(ctx, None, COUNTED).await?;
    let count = page.rows.iter().filter(|row| needs_person(ctx, row)).count();
    Ok(WaitingCount { count, is_more: page.next.is_some() })
}

/// Whether a row waits for the person to decide or to confirm.
pub fn waits_for_person<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow) -> bool {
    let is_open = matches!(row.state, State::AwaitingConfirmation | State::AwaitingApproval);
    is_open && needs_person(ctx, row) && PendingReader::new(ctx).may_see(row)
}

/// Whether a row that waits, and that the person may see for that, needs the person.
fn needs_person<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow) -> bool {
    match ctx.is_own_row(row) {
        true => row.state == State::AwaitingConfirmation && ctx.is_own(row.actor.as_deref()),
        false => !has_voted(ctx, row),
    }
}

/// Whether the person has decided about what the row asks for: only the first decision of a person counts.
fn has_voted<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow) -> bool {
    row.approvals().any(|vote| ctx.is_own(Some(&vote.actor)))
}

async fn counts<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    row: &RemovalRow,
    removal: &RemovalRequest<'c>,
) -> Result<Counts, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    Ok(ctx.stored(ledger.count(&row.id, removal, ctx.person_of(removal), ctx.at).await)?)
}

/// What the person's approval would come to, with those that there are.
async fn of_approval<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    row: &RemovalRow,
    removal: Option<&RemovalRequest<'c>>,
) -> Result<Effect, Refusal<'c>> {
    let Some(removal) = removal else { return Ok(Effect::ConfigurationChanged) };
    let counts = counts(ctx, row, removal).await?;
    let approvers: Vec<Actor> = row.approvals().map(Vote::actor).chain([ctx.actor.clone()]).collect();
    Ok(match authorize_approved(ctx, removal, &approvers, counts) {
        Ok(_) => Effect::Removes,
        Err(ApprovalShortfall::Missing(missing)) => Effect::Waits(missing),
        Err(ApprovalShortfall::Denied(denial, failed)) => {
            if let Some(why) = failed {
                ctx.host.log(&format!("policy: evaluation failed for a removal that waits; denied: {why}"));
            }
            Effect::Denied(denial)
        }
    })
}

/// What the requester's confirmation would come to.
async fn of_confirmation<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    row: &RemovalRow,
    removal: Option<&RemovalRequest<'c>>,
) -> Result<Effect, Refusal<'c>> {
    let Some(removal) = removal else { return Ok(Effect::ConfigurationChanged) };
    let counts = counts(ctx, row, removal).await?;
    Ok(match authorize(ctx, removal, true, counts) {
        Decision::Permit(_) => Effect::Removes,
        Decision::NeedsApproval { .. } => {
            let required = ctx.app.config.approvals.required(&removal.instance.environment);
            Effect::Waits(usize::try_from(required).unwrap_or(usize::MAX))
        }
        Decision::Denial(denial) => Effect::Denied(denial),
    })
}

/// What requests are described with.
struct Describing<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    owners: Owners,
    candidates: Candidates<'a, 'c, H>,
}

impl<'c, H: Host> Describing<'_, 'c, H> {
    fn request(&mut self, row: &RemovalRow, removal: Option<&RemovalRequest<'c>>) -> PendingRequest {
        let config = &self.ctx.app.config;
        let instance = row.instance.clone().unwrap_or_default();
        let user_name = row.user_name.clone().unwrap_or_default();
        let environment = config.instance(&instance).ok().map(|instance| instance.environment.clone());
        let without: BTreeSet<&str> = [row.actor.as_deref(), row.caused_by.as_deref(), Some(&self.ctx.actor.principal)]
            .into_iter()
            .flatten()
            .chain(row.approvals().map(|vote| vote.actor.as_str()))
            .map(|principal| config.person(principal))
            .collect();
        let who = |principal: &Option<String>| principal.as_deref().map(|principal| Who::of(config, principal));
        PendingRequest {
            id: row.id.as_str().to_owned(),
            reference: row.reference.clone().unwrap_or_default(),
            fingerprint: row.fingerprint.clone().unwrap_or_default(),
            state: row.state,
            required: config.approvals.required(environment.as_deref().unwrap_or_default()),
            approvers: removal.map(|removal| self.candidates.of(removal, &without)).unwrap_or_default(),
            owners: self.owners.is_complete.then(|| self.owners.of(&instance, &user_name)),
            instance,
            environment,
            user_name,
            requester: who(&row.actor),
            came_through: row.caller.clone().zip(row.kind.clone()),
            caused_by: who(&row.caused_by),
            reason: row.reason.clone(),
            asked_at: row.asked_at,
            expires_at: row.expires_at.unwrap_or_default(),
            policies: row.policies.clone(),
            approvals: row.approvals().map(|vote| approval(config, vote)).collect(),
        }
    }
}

fn approval(config: &Config, vote: &Vote) -> Approval {
    Approval { by: Who::of(config, &vote.actor), caller: vote.caller.clone(), reason: vote.reason.clone(), at: vote.at }
}

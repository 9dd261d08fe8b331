//! *Waiting*: what waits for the reader, and what the reader waits for.

use crate::callers::console::guard::Fingerprint;
use crate::config::Config;
use crate::console::pages::waiting::{PendingRequest, Waiting, page};
use crate::flow::console::people;
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::operations::console::waiting_for::{self, Effect, OwnRequest, ToDecide, WaitingFor, waiting_for};
use crate::operations::report::Refusal;
use crate::outcome::denial::Denial;
use crate::outcome::state::State;
use crate::reply::Rendered;

/// How many requests a page has.
const LIMIT: usize = 50;

/// What the token of a decision is for: which of the buttons is pressed is not known when the page is made.
pub(super) const DECIDE: &str = "decide";

/// Returns the page.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let before = visit.fields.value("cursor");
    let WaitingFor { to_decide, approved: _, own, next } = waiting_for(visit.ctx, before, LIMIT).await?;
    let filling = Filling { visit, config: &visit.ctx.app.config };
    let view = Waiting {
        decisions: to_decide.into_iter().map(|to_decide| filling.decision(to_decide)).collect(),
        own: own.into_iter().map(|own| filling.own(own)).collect(),
        told_in: visit.ctx.app.config.notify.iter().map(|target| target.name.clone()).collect(),
        next,
        ..Waiting::default()
    };
    Ok(visit.html(page(&visit.frame().await?, &view)))
}

struct Filling<'f, 'v, 'c, H> {
    visit: &'f Visit<'v, 'c, H>,
    config: &'f Config,
}

impl<H: Host> Filling<'_, '_, '_, H> {
    fn decision(&self, ToDecide { request, approval }: ToDecide) -> PendingRequest {
        self.request(request, Some(&approval), true)
    }

    fn own(&self, OwnRequest { request, confirmation, .. }: OwnRequest) -> PendingRequest {
        self.request(request, confirmation.as_ref(), false)
    }

    fn request(&self, known: waiting_for::PendingRequest, effect: Option<&Effect>, has_reader: bool) -> PendingRequest {
        let config = self.config;
        let reader = config.person(&self.visit.person.actor.principal);
        let (kind, principal) = match (&known.came_through, &known.requester) {
            (Some((_, kind)), Some(who)) => (kind.as_str(), who.principal.as_str()),
            _ => ("", ""),
        };
        let caused_by = known.caused_by.as_ref().map(|who| who.principal.as_str());
        PendingRequest {
            needs_confirmation: known.state == State::AwaitingConfirmation,
            account: people::account(config, &known.user_name, &known.instance),
            requester: people::requester(config, principal, kind, caused_by),
            owner: known.owners.as_deref().and_then(|owners| people::owner(owners, reader)),
            approvals: known.approvals.iter().map(|approval| people::approval(config, approval)).collect(),
            approvers: Some(people::approvers(&known.approvers, has_reader)),
            forbidden_by: effect.map(forbidden_by).unwrap_or_default(),
            token: self.visit.token(DECIDE, &known.reference, &Fingerprint::of(&[&known.fingerprint])),
            id: known.id,
            reference: known.reference,
            reason: known.reason,
            asked_at: known.asked_at,
            expires_at: known.expires_at,
            required: known.required,
            policies: known.policies,
        }
    }
}

/// The policies for which a click would end the request without a removal.
fn forbidden_by(effect: &Effect) -> Vec<String> {
    match effect {
        Effect::Removes | Effect::Waits(_) | Effect::ConfigurationChanged => Vec::new(),
        Effect::Denied(denial) => Denial::policies(denial).to_vec(),
    }
}

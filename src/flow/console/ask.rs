//! *Ask*: an account is chosen, what a removal of it would come to is checked, and the request is sent.
//!
//! Before the last button nothing is sent but reads of the account list. The form that sends is for exactly what was checked: the account,
//! the reason, and what would happen. That is found out anew when the form comes, and the form is refused if it is something else by then.

use http::Method;

use crate::callers::console::guard::{Fingerprint, FormError};
use crate::config::Config;
use crate::config::instance::Instance;
use crate::console::pages::ask::{
    AccountChoice, AccountChoices, Ask, Checked, Finding, InstanceChoice, Sendable, Verdict, page,
};
use crate::console::view::{Act, FieldError, Owner, OwnerPerson, Standing};
use crate::flow::console::form_sent::{FormSent, Visited};
use crate::flow::console::people::{account, approvers, owner_of_account, place};
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::operations::console::approvers_of;
use crate::operations::console::check_removal::{AtOnce, CheckedRemoval, Purpose, at_once, check_removal};
use crate::operations::console::navigation::instances_to_ask;
use crate::operations::console::review_accounts::{
    AccountReview, AccountState, ReviewQuery, Reviewed, ReviewedAccount, review_accounts,
};
use crate::operations::report::Refusal;
use crate::outcome::language::Localized;
use crate::outcome::{AccountPresence, DryRunDecision, NotSent, Outcome};
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::reason::Reason;
use crate::request::removal::RemovalRequest;

/// How many accounts there are to choose from at a time.
const LIMIT: usize = 50;

/// What the tokens of the two forms are for.
const CHECK: &str = "check";
const SEND: &str = "send";

/// Returns the page, or reads the form that sends.
///
/// # Errors
///
/// If policy does not let the reader see the account list, and no account is known as their own; if a form was not made for this person, or
/// showed what is not so any more; if a parameter is wrong, or the ledger cannot be used.
pub(super) async fn visit<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Visited, Refusal<'c>> {
    if visit.inbound.method != Method::POST {
        return show(visit).await.map(Visited::Page);
    }
    match visit.fields.required("do")? {
        CHECK => check(visit).await.map(Visited::Page),
        SEND => send(visit).await,
        given => {
            let expected = Localized { en: "`check` or `send`", zh: "`check` 或 `send`" };
            Err(RequestError::invalid("do", given, expected).into())
        }
    }
}

/// The form, before it is checked.
async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let mut filling = Filling::new(visit);
    if let Some(instance) = filling.chosen_instance()? {
        filling.read_accounts(instance, visit.value("q")).await?;
    }
    filling.render().await
}

/// Says what would become of the request, on the form that it was made with.
async fn check<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    visit.check_token(CHECK, "", &nothing_shown())?;
    let mut filling = Filling::new(visit);
    let removal = match filling.chosen_instance()? {
        Some(instance) => {
            filling.read_accounts(instance, "").await?;
            removal(visit, instance, visit.person.delivery.clone())
        }
        None => Err(RequestError::FieldMissing { name: "instance" }),
    };
    match removal {
        Err(error) => filling.say_error(error),
        // Without its account list, nothing is known of what would be removed.
        Ok(_) if filling.is_list_unreadable() => {}
        Ok(removal) => filling.check(&removal).await?,
    }
    filling.render().await
}

/// Reads the form that sends.
async fn send<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Visited, Refusal<'c>> {
    let instance = visit.ctx.app.config.instance(visit.fields.required("instance")?)?;
    let removal = removal(visit, instance, delivery(visit))?;
    let asked = removal.fingerprint();
    visit.check_tag(SEND, &asked)?;
    // A form that is sent once more is answered from the row of the first.
    if let Some(checked) = check_removal(visit.ctx, &removal, Purpose::Send).await? {
        if checked.would.account == AccountPresence::Unknown {
            return Err(NotSent::AccountListUnavailable.into());
        }
        visit.check_token(SEND, &asked, &shown(&checked))?;
    }
    let RemovalRequest { user_name, reason, delivery, .. } = removal;
    let form = FormSent::Removal { user_name, instance: instance.name.clone(), reason, delivery };
    Ok(Visited::Form(form, Act::Ask))
}

/// What the form asks to be removed, as a dry run.
fn removal<'c, H: Host>(
    visit: &Visit<'_, 'c, H>,
    instance: &'c Instance,
    delivery: DeliveryId,
) -> Result<RemovalRequest<'c>, RequestError> {
    Ok(RemovalRequest {
        actor: visit.person.actor.clone(),
        user_name: visit.ctx.app.config.accounts.parse(visit.value("user_name"))?,
        instance,
        reason: Reason::parse(visit.value("reason"))?,
        delivery,
        dry_run: true,
        caused_by: None,
    })
}

/// The delivery of the form that sends: what was checked once is one removal, however often and in whichever session it is sent.
fn delivery<H: Host>(visit: &Visit<'_, '_, H>) -> DeliveryId {
    let parts = ["form", &visit.person.actor.principal, visit.value("token")];
    DeliveryId::new(visit.ctx.caller, &parts.map(str::as_bytes))
}

/// What the form that checks shows: it may be checked as often as the reader likes, with anything.
fn nothing_shown() -> Fingerprint {
    Fingerprint::of(&[])
}

/// What the form that sends shows beside what is asked for: what would happen.
fn shown(checked: &CheckedRemoval) -> Fingerprint {
    let decision = match checked.would.decision {
        DryRunDecision::Remove => "remove",
        DryRunDecision::RequestApproval => "request-approval",
        DryRunDecision::Deny => "deny",
    };
    let account = match checked.would.account {
        AccountPresence::Present => "present",
        AccountPresence::Absent => "absent",
        AccountPresence::Unknown | AccountPresence::NotChecked => "unknown",
    };
    let required = checked.required.to_string();
    let policies = checked.would.policies.iter().map(String::as_str);
    Fingerprint::of(&[decision, account, &required].into_iter().chain(policies).collect::<Vec<_>>())
}

/// Whether what was checked can be sent: nothing is asked for that the account list does not have.
fn is_sendable(checked: &CheckedRemoval) -> bool {
    checked.would.decision != DryRunDecision::Deny && checked.would.account == AccountPresence::Present
}

/// The page, as far as it is filled.
struct Filling<'f, 'v, 'c, H> {
    visit: &'f Visit<'v, 'c, H>,
    config: &'c Config,
    view: Ask,
    /// The accounts of the chosen instance, if the reader may see their list.
    review: Option<AccountReview>,
    /// What is wrong with the form.
    error: Option<Outcome>,
}

impl<'f, 'v, 'c, H: Host> Filling<'f, 'v, 'c, H> {
    fn new(visit: &'f Visit<'v, 'c, H>) -> Self {
        let config = &visit.ctx.app.config;
        let choice = |instance: &Instance| InstanceChoice { place: place(config, &instance.name), accounts: None };
        let view = Ask {
            instances: instances_to_ask(visit.ctx).into_iter().map(choice).collect(),
            user_name: visit.value("user_name").to_owned(),
            reason: visit.value("reason").to_owned(),
            token: visit.token(CHECK, "", &nothing_shown()),
            ..Ask::default()
        };
        Self { visit, config, view, review: None, error: None }
    }

    fn chosen_instance(&self) -> Result<Option<&'c Instance>, RequestError> {
        match self.visit.value("instance") {
            "" => Ok(None),
            name => self.config.instance(name).map(Some),
        }
    }

    async fn render(self) -> Result<Rendered, Refusal<'c>> {
        let rendered = self.visit.html(page(&self.visit.frame().await?, &self.view));
        Ok(match self.error {
            Some(error) => Rendered { status: error.status(), ..rendered },
            None => rendered,
        })
    }

    /// Fills in the accounts of an instance; for readers who may not see its list, those that the configuration has as their own.
    async fn read_accounts(&mut self, instance: &'c Instance, text: &str) -> Result<(), Refusal<'c>> {
        let query = ReviewQuery { state: None, text: text.to_owned() };
        text.clone_into(&mut self.view.search);
        // It may be closed to requests at this hour: the page shows it all the same, and the check says why.
        if !self.view.instances.iter().any(|choice| choice.place.instance == instance.name) {
            let choice = InstanceChoice { place: place(self.config, &instance.name), accounts: None };
            self.view.instances.push(choice);
        }
        let own = self.config.own_accounts(&self.visit.person.actor.principal);
        let (shown, total) = match review_accounts(self.visit.ctx, instance, &query).await {
            Ok(review) => {
                let (shown, total) = (self.listed(&review), review.accounts.total());
                self.count(&review, total);
                self.review = Some(review);
                (shown, Some(total))
            }
            Err(refusal) if !own.is_empty() && matches!(refusal.outcome(), Outcome::Denied(_)) => {
                let found = own.iter().filter(|name| name.to_lowercase().contains(&text.trim().to_lowercase()));
                (Some(found.map(|name| self.own(name)).collect()), None)
            }
            Err(refusal) => return Err(refusal),
        };
        self.view.accounts = Some(AccountChoices { place: place(self.config, &instance.name), shown, total });
        Ok(())
    }

    /// The accounts of a list, the chosen one first; `None` if it could not be read.
    fn listed(&self, review: &AccountReview) -> Option<Vec<AccountChoice>> {
        let Reviewed::Listed { accounts, .. } = &review.accounts else { return None };
        let mut accounts: Vec<_> = accounts.iter().collect();
        accounts.sort_by_key(|account| account.user_name != self.view.user_name);
        accounts.truncate(LIMIT);
        let choice = |account: &ReviewedAccount| AccountChoice {
            user_name: account.user_name.clone(),
            owner: (account.state != AccountState::Protected).then(|| self.owner(account)),
            protected_by: self.config.accounts.protected_by(&account.user_name),
        };
        Some(accounts.into_iter().map(choice).collect())
    }

    fn own(&self, user_name: &str) -> AccountChoice {
        let protected_by = self.config.accounts.protected_by(user_name);
        let owner = protected_by.is_none().then(|| self.reader());
        AccountChoice { user_name: user_name.to_owned(), owner, protected_by }
    }

    /// Says how many accounts the chosen instance has.
    fn count(&mut self, review: &AccountReview, total: usize) {
        let is_listed = matches!(review.accounts, Reviewed::Listed { .. });
        let chosen = self.view.instances.iter_mut().find(|choice| choice.place.instance == review.instance);
        if let Some(chosen) = chosen {
            chosen.accounts = is_listed.then_some(total);
        }
    }

    fn owner(&self, account: &ReviewedAccount) -> Owner {
        owner_of_account(account, self.config.person(&self.visit.person.actor.principal))
    }

    /// The reader, as the owner of an account.
    fn reader(&self) -> Owner {
        let name = self.config.person(&self.visit.person.actor.principal).to_owned();
        let reader = OwnerPerson { name, has_left: false, left_at: None, is_reader: true };
        Owner { standing: Standing::OwnerActive, people: vec![reader] }
    }

    fn is_list_unreadable(&self) -> bool {
        self.view.accounts.as_ref().is_some_and(|accounts| accounts.shown.is_none())
    }

    fn say_error(&mut self, error: RequestError) {
        let field = match &error {
            RequestError::FieldMissing { name }
            | RequestError::FieldInvalid { name, .. }
            | RequestError::CharacterUnseen { name, .. } => name,
            _ => "user_name",
        };
        let field = field.to_owned();
        let outcome = Outcome::from(error);
        self.view.error = Some(FieldError { field, message: outcome.message(self.visit.ctx.language) });
        self.error = Some(outcome);
    }

    /// Fills in what would become of the request.
    async fn check(&mut self, removal: &RemovalRequest<'c>) -> Result<(), Refusal<'c>> {
        let ctx = self.visit.ctx;
        // No form that checks has a row that stands for it.
        let checked = check_removal(ctx, removal, Purpose::Look).await?.ok_or(FormError::Changed)?;
        let approvers = approvers(&approvers_of(ctx, removal), false);
        let findings = self.findings(removal, &checked, at_once(ctx, removal).await?);
        let missing = Finding::Missing(checked.required, approvers.clone());
        let sendable = is_sendable(&checked).then(|| Sendable {
            missing: checked.required,
            approvers,
            until: checked.expires_at,
            reason: removal.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            policies: checked.would.policies.clone(),
            token: self.visit.token(SEND, &removal.fingerprint(), &shown(&checked)),
        });
        self.view.checked = Some(Checked {
            at: ctx.at.timestamp_millis(),
            account: account(self.config, removal.user_name.as_str(), &removal.instance.name),
            verdict: sendable.map_or(Verdict::No, Verdict::Sendable),
            findings: findings.into_iter().chain((checked.required > 0).then_some(missing)).collect(),
        });
        Ok(())
    }

    fn findings(&self, removal: &RemovalRequest<'c>, checked: &CheckedRemoval, at_once: AtOnce) -> Vec<Finding> {
        let accounts = self.review.iter().flat_map(|review| review.accounts.accounts());
        let known = accounts.into_iter().find(|account| account.user_name == removal.user_name.as_str());
        let own = self.config.own_accounts(&removal.actor.principal);
        let is_own = own.iter().any(|name| name == removal.user_name.as_str());
        let owner = known.map(|known| self.owner(known)).or_else(|| is_own.then(|| self.reader()));
        let presence = match checked.would.account {
            AccountPresence::Present => Some(Finding::OnTheList),
            AccountPresence::Absent => Some(Finding::NotOnTheList),
            AccountPresence::Unknown => Some(Finding::ListUnreadable),
            AccountPresence::NotChecked => None,
        };
        let waiting = known.and_then(|known| known.waiting.as_ref()).and_then(|waiting| waiting.reference.clone());
        let at_times = Some(at_once.forbidden_at_times).filter(|policies| !policies.is_empty());
        presence
            .into_iter()
            .chain(owner.map(Finding::Owner))
            .chain(of_policies(checked, &at_once.forbidden_by))
            .chain(at_times.map(Finding::ForbiddenAtTimes))
            .chain(waiting.map(Finding::AlreadyWaits))
            .collect()
    }
}

/// What policy says of a request. `forbidden_by` are the policies that forbid to remove the account at once.
fn of_policies(checked: &CheckedRemoval, forbidden_by: &[String]) -> Vec<Finding> {
    let policies = checked.would.policies.clone();
    match checked.would.decision {
        DryRunDecision::Remove => vec![Finding::MayRemove(policies)],
        DryRunDecision::RequestApproval if forbidden_by.is_empty() => {
            vec![Finding::MayNotRemoveAtOnce, Finding::MayAsk(policies)]
        }
        // Forbidden unless others approve: that is what the approvals are for.
        DryRunDecision::RequestApproval => vec![Finding::MayAsk(policies)],
        DryRunDecision::Deny if policies.is_empty() => vec![Finding::MayNotRemoveAtOnce, Finding::MayNotAsk],
        DryRunDecision::Deny => vec![Finding::Forbidden(policies)],
    }
}

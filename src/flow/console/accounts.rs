//! *Accounts*: the accounts of an instance, beside what is known of their owners and of what happened to them.

use crate::config::instance::Instance;
use crate::config::leavers::NamedBy;
use crate::console::pages::accounts::{AccountRow, Accounts, Action, Before, Source, page};
use crate::console::view::{RemovalLink, Standing};
use crate::flow::console::people::{owner_of_account, person, place, standing};
use crate::flow::console::visit::Visit;
use crate::host::Host;
use crate::operations::console::KnownFrom;
use crate::operations::console::navigation::{accounts_to_ask, instances_to_list};
use crate::operations::console::review_accounts::{
    AccountReview, AccountState, EarlierRemoval, ReviewQuery, Reviewed, ReviewedAccount, Unremovable, review_accounts,
};
use crate::operations::report::Refusal;
use crate::outcome::language::Localized;
use crate::outcome::state::State;
use crate::reply::Rendered;
use crate::request::error::RequestError;

/// How many accounts a page has.
const LIMIT: usize = 50;

/// Returns the page.
///
/// # Errors
///
/// If policy does not let the reader see the account list, a parameter is wrong, or the ledger cannot be used.
pub(super) async fn show<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let (instance, query) = (instance(visit)?, query(visit)?);
    let review = review_accounts(visit.ctx, instance, &query).await?;
    let view = view(visit, instance, &query, &review);
    Ok(visit.html(page(&visit.frame().await?, &view)))
}

/// Returns all accounts that the filters select, as CSV.
///
/// # Errors
///
/// As [`show`].
pub(super) async fn csv<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<Rendered, Refusal<'c>> {
    let (instance, query) = (instance(visit)?, query(visit)?);
    let review = review_accounts(visit.ctx, instance, &query).await?;
    // The names of instances are letters, digits, `-`, `_` and `.`.
    Ok(visit.csv(&format!("accounts-{}.csv", instance.name), review.csv()))
}

/// The instance that was chosen, or else the first that the reader may list.
fn instance<'c, H: Host>(visit: &Visit<'_, 'c, H>) -> Result<&'c Instance, RequestError> {
    let config = &visit.ctx.app.config;
    match visit.value("instance") {
        // Without any, the operation says why not.
        "" => {
            let first = instances_to_list(visit.ctx).first().copied().or_else(|| config.instances().first());
            first.ok_or(RequestError::FieldMissing { name: "instance" })
        }
        name => config.instance(name),
    }
}

fn query<H: Host>(visit: &Visit<'_, '_, H>) -> Result<ReviewQuery, RequestError> {
    let state = match visit.value("state") {
        "" => None,
        given => Some(state(given)?),
    };
    Ok(ReviewQuery { state, text: visit.value("q").to_owned() })
}

/// The state of a word in addresses.
fn state(given: &str) -> Result<AccountState, RequestError> {
    let expected = Localized {
        en: "`came-back`, `owner-left`, `ownerless`, `contested`, `protected` or `owner-active`",
        zh: "`came-back`、`owner-left`、`ownerless`、`contested`、`protected` 或 `owner-active`",
    };
    let of = Standing::parse(given);
    let state = AccountState::ALL.into_iter().find(|state| Some(standing(*state)) == of);
    state.ok_or_else(|| RequestError::invalid("state", given, expected))
}

fn view<H: Host>(
    visit: &Visit<'_, '_, H>,
    instance: &Instance,
    query: &ReviewQuery,
    review: &AccountReview,
) -> Accounts {
    let config = &visit.ctx.app.config;
    let is_listed = matches!(review.accounts, Reviewed::Listed { .. });
    let cursor = visit.fields.value("cursor").filter(|cursor| !cursor.is_empty());
    let (shown, next) = page_of(review.accounts.accounts(), cursor);
    let askable = accounts_to_ask(visit.ctx, instance, shown.iter().map(|account| account.user_name.as_str()));
    let row = |account: &ReviewedAccount| AccountRow {
        user_name: account.user_name.clone(),
        owner: owner_of_account(account, config.person(&visit.person.actor.principal)),
        sources: sources(account, config.accounts.protected_by(&account.user_name)),
        before: before(account),
        action: action(account, askable.contains(account.user_name.as_str())),
    };
    let directories = review.directories.iter().cloned().map(Source::Scim);
    let configured = config.has_own_accounts().then_some(Source::Configured);
    Accounts {
        instances: instances_to_list(visit.ctx).into_iter().map(|instance| instance.name.clone()).collect(),
        place: place(config, &review.instance),
        read_at: is_listed.then(|| review.read_at.timestamp_millis()),
        sources: configured.into_iter().chain(directories).collect(),
        counts: Standing::ALL.map(|of| count(review, of)),
        standing: query.state.map(standing),
        search: query.text.clone(),
        rows: shown.iter().map(row).collect(),
        cursor: cursor.map(str::to_owned),
        next,
    }
}

fn count(review: &AccountReview, of: Standing) -> usize {
    let states = AccountState::ALL.into_iter().filter(|state| standing(*state) == of);
    states.map(|state| review.accounts.count(state)).sum()
}

/// The accounts behind the one that the page before ended with, and the cursor of the next page. If that account is not in the list any
/// more, the list begins again: none is passed over.
fn page_of<'a>(accounts: &'a [ReviewedAccount], cursor: Option<&str>) -> (&'a [ReviewedAccount], Option<String>) {
    let last = cursor.and_then(|cursor| accounts.iter().position(|account| account.user_name == cursor));
    let rest = accounts.get(last.map_or(0, |last| last.saturating_add(1))..).unwrap_or_default();
    let shown = rest.get(..LIMIT).unwrap_or(rest);
    let next = shown.last().filter(|_| rest.len() > LIMIT).map(|account| account.user_name.clone());
    (shown, next)
}

/// Where the owners of an account are known from, or why it is protected.
fn sources(account: &ReviewedAccount, protected_by: Option<String>) -> Vec<Source> {
    let mut sources = match account.unremovable {
        Some(Unremovable::System) => vec![Source::BuiltIn],
        Some(Unremovable::Configured) => protected_by.map(Source::Pattern).into_iter().collect(),
        Some(Unremovable::Unusual) | None => Vec::new(),
    };
    for from in account.owners.iter().flat_map(|owner| &owner.known_from) {
        let known = match from {
            KnownFrom::Configuration => vec![Source::Configured],
            KnownFrom::Directory { caller, named_by: NamedBy::Template } => vec![Source::Scim(caller.clone())],
            KnownFrom::Directory { caller, named_by: NamedBy::Map } => vec![Source::Scim(caller.clone()), Source::Map],
        };
        let unknown: Vec<_> = known.into_iter().filter(|source| !sources.contains(source)).collect();
        sources.extend(unknown);
    }
    sources
}

/// What happened to an account before: that it was removed says more than what came to nothing.
fn before(account: &ReviewedAccount) -> Option<Before> {
    if let Some(removed) = &account.removed {
        return Some(Before::Removed(link(removed)));
    }
    let other = account.other.as_ref()?;
    match (other.state, &other.denied_by) {
        (State::Rejected, Some((who, reason))) => {
            Some(Before::Denied(link(other), person(who.clone()), reason.clone()))
        }
        (State::Denied | State::Rejected | State::Refused | State::RefusedUpstream, _) => {
            Some(Before::Refused(link(other)))
        }
        _ => None,
    }
}

fn link(removal: &EarlierRemoval) -> RemovalLink {
    RemovalLink { id: removal.id.clone(), at: removal.ended_at.unwrap_or(removal.asked_at) }
}

fn action(account: &ReviewedAccount, may_ask: bool) -> Action {
    match (account.unremovable, &account.waiting) {
        (Some(Unremovable::System | Unremovable::Configured), _) => Action::Never,
        (_, Some(waiting)) => Action::Waits(waiting.id.clone()),
        (None, None) if may_ask => Action::Ask,
        // A name that the operator does not let be asked for.
        (Some(Unremovable::Unusual) | None, None) => Action::Nothing,
    }
}

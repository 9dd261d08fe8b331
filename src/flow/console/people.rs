//! People, accounts and places, from what operations know to what pages show.

use crate::config::Config;
use crate::console::view::{
    Account, Approvers, Environment, Owner, OwnerPerson, Person, Place, Requester, Standing, Vote,
};
use crate::ledger::row::RemovalRow;
use crate::operations::console;
use crate::operations::console::review_accounts::{AccountState, ReviewedAccount};
use crate::operations::console::waiting_for::Approval;
use crate::operations::console::who::Who;

/// A person or system.
pub(super) fn person(who: Who) -> Person {
    Person { name: who.name, principal: who.principal }
}

/// The instance of this name, and its environment if it is configured.
pub(super) fn place(config: &Config, instance: &str) -> Place {
    let environment = config.instance(instance).ok().map(|known| Environment {
        name: known.environment.clone(),
        is_guarded: config.approvals.is_named(&known.environment),
    });
    Place { instance: instance.to_owned(), environment }
}

/// An account on an instance.
pub(super) fn account(config: &Config, user_name: &str, instance: &str) -> Account {
    Account { user_name: user_name.to_owned(), place: place(config, instance) }
}

/// Who asked, and through which kind of caller. A principal without a part behind a slash is the name of a system.
pub(super) fn requester(config: &Config, principal: &str, kind: &str, caused_by: Option<&str>) -> Requester {
    Requester {
        person: person(Who::of(config, principal)),
        kind: kind.to_owned(),
        is_system: !principal.contains('/'),
        caused_by: caused_by.map(|principal| person(Who::of(config, principal))),
    }
}

/// Who asked for the removal of a row, if they were proved.
pub(super) fn requester_of_row(config: &Config, row: &RemovalRow) -> Option<Requester> {
    let (principal, kind) = row.actor.as_deref().zip(row.kind.as_deref())?;
    Some(requester(config, principal, kind, row.caused_by.as_deref()))
}

/// The account of a row, if its request named one.
pub(super) fn account_of_row(config: &Config, row: &RemovalRow) -> Option<Account> {
    let (user_name, instance) = row.user_name.as_deref().zip(row.instance.as_deref())?;
    Some(account(config, user_name, instance))
}

/// What approvers said about what a row asks for, not about what it asked for before.
pub(super) fn votes_of_row(config: &Config, row: &RemovalRow) -> Vec<Vote> {
    row.approvals()
        .chain(row.denial())
        .map(|vote| Vote {
            person: person(Who::of(config, &vote.actor)),
            kind: vote.kind.clone(),
            is_approval: vote.is_approval(),
            reason: vote.reason.clone(),
            at: vote.at,
        })
        .collect()
}

/// An approval.
pub(super) fn approval(config: &Config, approval: &Approval) -> Vote {
    let kind = config.caller(&approval.caller).map(|caller| caller.kind.clone()).unwrap_or_default();
    let (person, reason) = (person(approval.by.clone()), approval.reason.clone());
    Vote { person, kind, is_approval: true, reason, at: approval.at }
}

/// Those who could approve beside the reader.
pub(super) fn approvers(known: &console::Approvers, has_reader: bool) -> Approvers {
    let people = known.people.iter().cloned().map(person).collect();
    Approvers { people, teams: known.teams.clone(), has_reader }
}

/// Whose account it is; `reader` is the operator's name for the reader. How an account stands by its owners alone: the list of accounts
/// says more.
pub(super) fn owner(owners: &[console::Owner], reader: &str) -> Option<Owner> {
    let has_left = |owner: &console::Owner| matches!(owner.standing, console::Standing::Left { .. });
    let standing = match owners {
        [] => return None,
        owners if owners.iter().all(has_left) => Standing::OwnerLeft,
        [_] => Standing::OwnerActive,
        _ => Standing::Contested,
    };
    Some(Owner { standing, people: owners.iter().map(|owner| owner_person(owner, reader)).collect() })
}

/// A person whose account it may be.
pub(super) fn owner_person(owner: &console::Owner, reader: &str) -> OwnerPerson {
    let left_at = match owner.standing {
        console::Standing::Active => None,
        console::Standing::Left { at } => at,
    };
    let has_left = matches!(owner.standing, console::Standing::Left { .. });
    OwnerPerson { name: owner.name.clone(), has_left, left_at, is_reader: owner.name == reader }
}

/// Whose account an account of a list is, and how it stands.
pub(super) fn owner_of_account(account: &ReviewedAccount, reader: &str) -> Owner {
    let people = account.owners.iter().map(|owner| owner_person(owner, reader)).collect();
    Owner { standing: standing(account.state), people }
}

/// How an account stands, as pages say it.
pub(super) fn standing(state: AccountState) -> Standing {
    match state {
        AccountState::CameBack => Standing::CameBack,
        AccountState::OwnerLeft => Standing::OwnerLeft,
        AccountState::NoOwner => Standing::Ownerless,
        AccountState::OneOfSeveral => Standing::Contested,
        AccountState::Protected => Standing::Protected,
        AccountState::OwnerActive => Standing::OwnerActive,
    }
}

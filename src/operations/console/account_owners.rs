//! Whose accounts are whose, as far as the gateway knows: `[[person]]` of the configuration, and the people of the identity systems
//! that speak SCIM, whose accounts are named by `[caller.leavers]`.
//!
//! Of the people of a directory it is known whether they have left. A person whom a directory has forgotten owns nothing any more:
//! what the ledger says of the account is all that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::callers::Caller;
use crate::config::leavers::{Identity, Leavers, NamedBy};
use crate::host::Host;
use crate::ledger::people::{Directory, StoredPerson};
use crate::operations::Ctx;
use crate::operations::contested::{Account, has_directory, is_one_of};
use crate::operations::report::Refusal;
use crate::outcome::NotSent;

/// How long directories are read for, at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// A person to whom an account belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The operator's name for the person, or else what an administrator of the directory calls them (`userName`).
    pub name: String,
    /// Whether the person is active.
    pub standing: Standing,
    /// How it is known, each way once.
    pub known_from: Vec<KnownFrom>,
}

impl Owner {
    fn is_of_same_directory(&self, other: &Self) -> bool {
        let directory = |from: &KnownFrom| match from {
            KnownFrom::Configuration => None,
            KnownFrom::Directory { caller, .. } => Some(caller.clone()),
        };
        let own: BTreeSet<_> = self.known_from.iter().filter_map(directory).collect();
        other.known_from.iter().filter_map(directory).any(|caller| own.contains(&caller))
    }
}

/// Whether a person is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Active, or of the configuration, which says nothing of leaving.
    Active,
    /// Has left.
    Left {
        /// When the identity system said so, in milliseconds since 1970; `None` if the ledger does not know.
        at: Option<i64>,
    },
}

/// How an owner is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownFrom {
    /// `accounts` of `[[person]]`.
    Configuration,
    /// A person of this caller's directory.
    Directory {
        /// The caller's name.
        caller: String,
        /// What in `[caller.leavers]` names the account.
        named_by: NamedBy,
    },
}

/// The owners of an account; `None` if there was no time to read them all.
///
/// # Errors
///
/// If the ledger cannot be used.
pub async fn owners_of<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    instance: &str,
    user_name: &str,
) -> Result<Option<Vec<Owner>>, Refusal<'c>> {
    let account = (instance.to_owned(), user_name.to_owned());
    let owners = Owners::read(ctx, &[account].into()).await?;
    Ok(owners.is_complete.then(|| owners.of(instance, user_name)))
}

/// The owners of some accounts.
#[derive(Debug, Default)]
pub(super) struct Owners {
    by_account: BTreeMap<Account, Vec<Known>>,
    /// The callers whose directories were read.
    pub(super) directories: Vec<String>,
    /// Whether all people were read; if not, there was no time for it.
    pub(super) is_complete: bool,
}

/// An owner, and what tells that people of two sources are one person.
#[derive(Debug)]
struct Known {
    owner: Owner,
    principals: Vec<String>,
    addresses: BTreeSet<String>,
}

impl Owners {
    /// Reads the owners of these accounts.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub(super) async fn read<H: Host>(ctx: &Ctx<'_, H>, accounts: &BTreeSet<Account>) -> Result<Self, NotSent> {
        let mut owners = Self { is_complete: true, ..Self::default() };
        owners.add_configured(ctx, accounts);
        let until = ctx.host.elapsed().saturating_add(PATIENCE.min(ctx.budget.left_to_send(ctx.host)));
        for caller in ctx.app.config.callers().filter(|caller| has_directory(caller)) {
            let Some(rules) = &caller.leavers else { continue };
            if !accounts.iter().any(|(instance, _)| rules.instances.contains(instance)) {
                continue;
            }
            owners.directories.push(caller.name.clone());
            let directory = Directory { ledger: ctx.ledger().await?, caller: &caller.name, now: ctx.at };
            let mut after = String::new();
            loop {
                let people = ctx.stored(directory.next(&after).await)?;
                let Some(last) = people.last() else { break };
                after.clone_from(&last.id);
                people.iter().for_each(|person| owners.add_person((caller, rules), person, accounts));
                if ctx.host.elapsed() >= until {
                    owners.is_complete = false;
                    return Ok(owners);
                }
            }
        }
        Ok(owners)
    }

    /// The owners of an account; none if no person is known.
    pub(super) fn of(&self, instance: &str, user_name: &str) -> Vec<Owner> {
        let known = self.by_account.get(&(instance.to_owned(), user_name.to_owned()));
        known.into_iter().flatten().map(|known| known.owner.clone()).collect()
    }

    fn add_configured<H: Host>(&mut self, ctx: &Ctx<'_, H>, accounts: &BTreeSet<Account>) {
        for account in accounts {
            for person in ctx.app.config.owners(&account.1) {
                let owner = Owner {
                    name: person.name.to_owned(),
                    standing: Standing::Active,
                    known_from: vec![KnownFrom::Configuration],
                };
                let known = Known { owner, principals: person.principals.to_vec(), addresses: BTreeSet::new() };
                self.by_account.entry(account.clone()).or_default().push(known);
            }
        }
    }

    fn add_person(&mut self, of: (&Caller, &Leavers), person: &StoredPerson, accounts: &BTreeSet<Account>) {
        let (caller, rules) = of;
        let identities = person.identities();
        let Some(newest) = identities.first() else { return };
        let Some(names) = rules.user_names(&identities) else { return };
        for (user_name, named_by) in names {
            for instance in &rules.instances {
                let account = (instance.clone(), user_name.clone());
                if !accounts.contains(&account) {
                    continue;
                }
                let standing = match person.is_active() {
                    true => Standing::Active,
                    false => Standing::Left { at: person.left_at() },
                };
                let known_from = vec![KnownFrom::Directory { caller: caller.name.clone(), named_by }];
                let owner = Owner { name: called(newest), standing, known_from };
                let known = Known { owner, principals: Vec::new(), addresses: rules.addresses(newest) };
                self.add(account, known, |principals| is_one_of((&caller.name, rules), newest, principals));
            }
        }
    }

    /// Adds an owner, unless it is a person who is there already: what a directory says of them then counts, and a person whom one
    /// of two directories has as active has not left.
    fn add(&mut self, account: Account, known: Known, is_configured_as: impl Fn(&[String]) -> bool) {
        let owners = self.by_account.entry(account).or_default();
        let is_same = |other: &&mut Known| {
            // People of one directory are different people, whatever addresses they share.
            !known.owner.is_of_same_directory(&other.owner)
                && (is_configured_as(&other.principals) || !other.addresses.is_disjoint(&known.addresses))
        };
        let Some(same) = owners.iter_mut().find(is_same) else { return owners.push(known) };
        let is_of_directory = |from: &KnownFrom| matches!(from, KnownFrom::Directory { .. });
        same.owner.standing = match same.owner.known_from.iter().any(is_of_directory) {
            true => same.owner.standing.min(known.owner.standing),
            false => known.owner.standing,
        };
        same.owner.known_from.extend(known.owner.known_from);
        same.addresses.extend(known.addresses);
    }
}

/// What an administrator calls a person.
fn called(identity: &Identity) -> String {
    ["userName", "id"].iter().find_map(|name| identity.get(*name)).cloned().unwrap_or_default()
}

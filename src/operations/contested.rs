//! Whose account it is: a name that a leaver's attributes make may be that of another person, who stays.
//!
//! The names of one caller's people are compared with each other, and those that a template made also with what other parts of
//! the configuration say: the accounts of `[[person]]`, the maps and the people of other callers. Nothing is decided here; a
//! removal that is contested waits for an approver.

use std::collections::BTreeMap;

use crate::callers;
use crate::callers::kind::Endpoint;
use crate::config::attribute::Comparison;
use crate::config::callers::Caller;
use crate::config::leavers::{Identity, Leavers, NamedBy};
use crate::host::Host;
use crate::ledger::departures::ActivePerson;
use crate::operations::Ctx;
use crate::outcome::NotSent;
use crate::outcome::leavers::Contested;
use crate::outcome::message::quoted;
use crate::request::leaver::Leaver;

/// An account: the names of its instance and its own.
pub(super) type Account = (String, String);

/// The accounts of a leaver, and whose they may be as well.
struct Search<'s> {
    leaver: &'s Leaver,
    accounts: &'s BTreeMap<Account, NamedBy>,
    found: BTreeMap<Account, Contested>,
}

/// Returns which of a leaver's accounts may be another person's, and whose.
///
/// # Errors
///
/// If the ledger cannot be read.
pub(super) async fn contested<H: Host>(
    ctx: &Ctx<'_, H>,
    leaver: &Leaver,
    accounts: &BTreeMap<Account, NamedBy>,
) -> Result<BTreeMap<Account, Contested>, NotSent> {
    let mut search = Search { leaver, accounts, found: BTreeMap::new() };
    if accounts.is_empty() {
        return Ok(search.found);
    }
    search.configured(ctx);
    for caller in ctx.app.config.callers() {
        let Some(rules) = caller.leavers.as_ref().filter(|_| has_directory(caller)) else { continue };
        if search.may_be_of(ctx.caller, caller, rules) {
            search.people(ctx, caller, rules).await?;
        }
    }
    Ok(search.found)
}

/// Names a person by what an identity system says of them.
pub(super) fn described(identity: &Identity) -> String {
    const NAMES: [&str; 7] = ["userName", "login", "username", "email", "mail", "userId", "externalId"];
    let id = identity.get("id");
    let name = NAMES.iter().find_map(|name| identity.get(*name));
    match (name.or_else(|| identity.values().next()), id) {
        (Some(name), Some(id)) if name != id => format!("{} ({})", quoted(name), quoted(id)),
        (Some(name), _) => quoted(name),
        (None, _) => "?".to_owned(),
    }
}

/// Whether the gateway keeps the people of a caller.
pub(super) fn has_directory(caller: &Caller) -> bool {
    callers::kind(&caller.kind).is_some_and(|kind| kind.endpoint() == Endpoint::Scim)
}

impl Search<'_> {
    fn add(&mut self, account: &Account, other: String) {
        let leaver = described(&self.leaver.identity);
        self.found.entry(account.clone()).or_insert(Contested { leaver, other });
    }

    /// Adds what the configuration says.
    fn configured<H: Host>(&mut self, ctx: &Ctx<'_, H>) {
        let config = &ctx.app.config;
        let own: Vec<&Identity> = self.leaver.identities().collect();
        for (account, named_by) in self.accounts {
            let (instance, user_name) = account;
            for caller in config.callers() {
                let Some(rules) = caller.leavers.as_ref().filter(|rules| rules.instances.contains(instance)) else {
                    continue;
                };
                let is_same = caller.name == ctx.caller.name;
                // People of a directory are compared below, where it is known who is active.
                if has_directory(caller) || (!is_same && *named_by == NamedBy::Map) {
                    continue;
                }
                let known = if is_same { own.as_slice() } else { &[] };
                let another = rules.mapped_for_another(user_name, known);
                let is_leaver = |key: &&str| !is_same && self.has_address(ctx, Leavers::address_in_key(key));
                if let Some(key) = another.filter(|key| !is_leaver(key)) {
                    self.add(account, format!("{} ({})", quoted(key), quoted(&format!("map of {}", caller.name))));
                }
            }
            if *named_by == NamedBy::Template {
                let owners = config.owners(user_name);
                let another = owners.into_iter().find(|owner| !self.is_person(ctx, owner.principals));
                if let Some(owner) = another {
                    self.add(account, format!("{} ({})", quoted(owner.name), quoted("[[person]]")));
                }
            }
        }
    }

    /// Whether people of a caller may have one of the accounts.
    fn may_be_of(&self, own: &Caller, caller: &Caller, rules: &Leavers) -> bool {
        self.accounts.iter().any(|((instance, _), named_by)| {
            rules.instances.contains(instance) && (caller.name == own.name || *named_by == NamedBy::Template)
        })
    }

    /// Adds the active people of a caller.
    async fn people<H: Host>(&mut self, ctx: &Ctx<'_, H>, caller: &Caller, rules: &Leavers) -> Result<(), NotSent> {
        let ledger = ctx.ledger().await?;
        let mut after = String::new();
        loop {
            let people = ctx.stored(ledger.active_people(&caller.name, &after).await)?;
            let Some(last) = people.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for person in &people {
                self.person(ctx, (caller, rules), person);
            }
        }
    }

    fn person<H: Host>(&mut self, ctx: &Ctx<'_, H>, (caller, rules): (&Caller, &Leavers), person: &ActivePerson) {
        let is_same = caller.name == ctx.caller.name;
        let Some(names) = rules.user_names(&person.identities) else { return };
        let Some(now) = person.identities.first() else { return };
        let is_leaver = if is_same {
            self.leaver.person.as_ref() == Some(&person.id)
        } else {
            rules.addresses(now).into_iter().any(|address| self.has_address(ctx, Some(address)))
        };
        if is_leaver {
            return;
        }
        for (account, named_by) in self.accounts {
            let (instance, user_name) = account;
            let counts = is_same || *named_by == NamedBy::Template;
            if counts && rules.instances.contains(instance) && names.contains_key(user_name) {
                self.add(account, described(now));
            }
        }
    }

    /// Whether the leaver has an address, of those that an administrator set.
    fn has_address<H>(&self, ctx: &Ctx<'_, H>, address: Option<String>) -> bool {
        let own = ctx.caller.leavers.as_ref().map(|rules| rules.addresses(&self.leaver.identity)).unwrap_or_default();
        address.is_some_and(|address| own.contains(&address))
    }

    fn is_person<H>(&self, ctx: &Ctx<'_, H>, principals: &[String]) -> bool {
        ctx.caller
            .leavers
            .as_ref()
            .is_some_and(|rules| is_one_of((&ctx.caller.name, rules), &self.leaver.identity, principals))
    }
}

/// Whether one of the principals is a person of a caller: the caller's name and an attribute that an administrator set, or a
/// principal with the person's address.
pub(super) fn is_one_of((name, rules): (&str, &Leavers), identity: &Identity, principals: &[String]) -> bool {
    principals.iter().filter_map(|principal| principal.split_once('/')).any(|(caller, id)| {
        let address = id.contains('@').then(|| Comparison::IgnoringCase.key(id));
        (caller == name && rules.is_managed_value(identity, id))
            || address.is_some_and(|address| rules.addresses(identity).contains(&address))
    })
}

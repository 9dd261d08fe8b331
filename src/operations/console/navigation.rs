//! Which pages a person sees in the navigation, and the instances that they choose from there.
//!
//! Nothing but policy is asked: no statement, no call. A page that is not in the navigation is refused all the same.

use std::collections::BTreeSet;

use crate::config::instance::Instance;
use crate::host::Host;
use crate::operations::Ctx;
use crate::operations::authorize::policy_context;
use crate::operations::reader::Reader;
use crate::policy::counts::Counts;
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Principal, Resource};

/// The pages that policy opens to some people only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The person may remove an account, or request it, on some instance.
    pub ask: bool,
    /// The person may read the account list of some instance.
    pub accounts: bool,
    /// The person may read the ledger as a whole, and so the policies.
    pub policy: bool,
}

/// No account is called this: it stands for all that policy does not single out.
const ANY_ACCOUNT: &str = "any-account";

/// Which pages the person of a request sees.
pub fn may<H: Host>(ctx: &Ctx<'_, H>) -> Pages {
    let person = Asking::new(ctx);
    let instances = ctx.app.config.instances();
    Pages {
        ask: instances.iter().any(|instance| person.may_ask(instance)),
        accounts: instances.iter().any(|instance| person.may_list(instance)),
        policy: Reader::new(ctx).response_about_ledger().allowed,
    }
}

/// The instances on which the person may remove an account, or request it, at this moment.
pub fn instances_to_ask<'c, H: Host>(ctx: &Ctx<'c, H>) -> Vec<&'c Instance> {
    let person = Asking::new(ctx);
    ctx.app.config.instances().iter().filter(|instance| person.may_ask(instance)).collect()
}

/// The instances of whose removals the person may see those of other people.
pub fn instances_to_audit<'c, H: Host>(ctx: &Ctx<'c, H>) -> Vec<&'c Instance> {
    let person = Asking::new(ctx);
    ctx.app.config.instances().iter().filter(|instance| person.may_audit(instance)).collect()
}

/// The instances whose account list the person may read.
pub fn instances_to_list<'c, H: Host>(ctx: &Ctx<'c, H>) -> Vec<&'c Instance> {
    let person = Asking::new(ctx);
    ctx.app.config.instances().iter().filter(|instance| person.may_list(instance)).collect()
}

/// Those of the accounts of an instance that the person may remove, or request the removal of, at this moment.
pub fn accounts_to_ask<'n, H: Host>(
    ctx: &Ctx<'_, H>,
    instance: &Instance,
    user_names: impl IntoIterator<Item = &'n str>,
) -> BTreeSet<&'n str> {
    let person = Asking::new(ctx);
    user_names.into_iter().filter(|user_name| person.may_ask_for(Account { instance, user_name })).collect()
}

struct Asking<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    context: AuthzContext,
    /// The accounts that stand for all.
    accounts: Vec<&'a str>,
}

impl<'a, 'c, H: Host> Asking<'a, 'c, H> {
    fn new(ctx: &'a Ctx<'c, H>) -> Self {
        let own = ctx.app.config.own_accounts(&ctx.actor.principal).iter().map(String::as_str);
        let confirmed = ctx.caller.confirm;
        Self {
            ctx,
            context: AuthzContext { confirmed, ..policy_context(ctx.app, ctx.at, Counts::default()) },
            accounts: std::iter::once(ANY_ACCOUNT).chain(own).collect(),
        }
    }

    fn may_ask(&self, instance: &Instance) -> bool {
        self.accounts.iter().any(|user_name| self.may_ask_for(Account { instance, user_name }))
    }

    fn may_ask_for(&self, account: Account<'_>) -> bool {
        let actions = [Action::Delete, Action::Request];
        actions.into_iter().any(|action| self.is_permitted(action, Resource::Account(account)))
    }

    fn may_audit(&self, instance: &Instance) -> bool {
        let mut accounts = self.accounts.iter().map(|user_name| Account { instance, user_name });
        accounts.any(|account| self.is_permitted(Action::Audit, Resource::Account(account)))
    }

    fn may_list(&self, instance: &Instance) -> bool {
        self.is_permitted(Action::List, Resource::Instance(instance))
    }

    fn is_permitted(&self, action: Action, resource: Resource<'_>) -> bool {
        let Self { ctx, context, .. } = self;
        let principal = Principal::of(ctx.actor, &ctx.app.config);
        // A policy may ask for a reason, which a person gives later.
        let request = AuthzRequest { principal, action, resource, reason_given: true };
        ctx.app.policies.is_authorized(&request, *context).allowed
    }
}

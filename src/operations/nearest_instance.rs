//! Which instance a person probably meant.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::config::instance::Instance;
use crate::operations::authorize::policy_context;
use crate::policy::counts::Counts;
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Principal, Resource};
use crate::request::actor::Actor;
use crate::request::error::RequestError;

/// How many typing mistakes a name may have, by its length.
fn most(name: &str) -> usize {
    match name.len() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    }
}

/// Adds the name that was probably meant to the refusal of an instance that is not configured. Only instances that `help` shows this
/// person are offered, because a guess would find out the names of others.
pub(crate) fn with_nearest(error: RequestError, app: &App, actor: &Actor, at: DateTime<Utc>) -> RequestError {
    /// A longer name than an instance can have is no misspelling.
    const LONGEST: usize = 64;

    let RequestError::InstanceUnknown { given } = error else { return error };
    if given.len() > LONGEST {
        return RequestError::InstanceUnknown { given };
    }
    let lower = given.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&lower, &name.to_lowercase());
    let near = |name: &str| distance(name) <= most(name);
    // Policy is asked only if there is something to offer.
    if !app.config.instances().iter().any(|instance| near(&instance.name)) {
        return RequestError::InstanceUnknown { given };
    }
    let candidates = app.config.instances().iter().filter(|instance| near(&instance.name));
    let names = candidates.filter(|instance| may_ask(app, actor, instance, at)).map(|instance| instance.name.as_str());
    match names.min_by_key(|name| distance(name)) {
        Some(name) => RequestError::InstanceMisspelt { given, meant: name.to_owned() },
        None => RequestError::InstanceUnknown { given },
    }
}

/// Whether policy lets the person remove any account on the instance, or ask for it.
pub(super) fn may_ask(app: &App, actor: &Actor, instance: &Instance, at: DateTime<Utc>) -> bool {
    let principal = Principal::of(actor, &app.config);
    let context = AuthzContext { confirmed: true, ..policy_context(app, at, Counts::default()) };
    // For an account that no person has, and for the person's own: policies may be about either.
    let mut names = std::iter::once("any_account").chain(principal.accounts.iter().map(String::as_str));
    names.any(|user_name| {
        let resource = Resource::Account(Account { instance, user_name });
        [Action::Delete, Action::Request].into_iter().any(|action| {
            let request = AuthzRequest { principal, action, resource, reason_given: true };
            app.policies.is_authorized(&request, context).allowed
        })
    })
}

//! What a person or system may read of the audit trail.
//!
//! Requesters always see what became of their own requests. Of all other rows policy decides (`audit`): on the row's account, or
//! on the ledger for rows that name none or whose instance is not configured any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::authorize::policy_context;
use crate::outcome::denial::Denial;
use crate::policy::counts::Counts;
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, AuthzResponse, Principal, Resource};
use crate::request::removal_query::RemovalQuery;

/// A reader, and what policy has decided about them in this request.
pub(super) struct Reader<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    context: AuthzContext,
    /// By instance and account; `None` is the ledger.
    responses: BTreeMap<Option<(String, String)>, AuthzResponse>,
}

impl<'a, 'c, H: Host> Reader<'a, 'c, H> {
    pub(super) fn new(ctx: &'a Ctx<'c, H>) -> Self {
        let context = policy_context(ctx.app, ctx.at, Counts::default());
        Self { ctx, context, responses: BTreeMap::new() }
    }

    /// Whether the row is about the reader's own request.
    pub(super) fn is_own(&self, row: &RemovalRow) -> bool {
        self.ctx.is_own_row(row)
    }

    /// Whether the reader may see a row of this requester, of what this person caused, and of this account.
    pub(super) fn may_see(&mut self, of: [Option<&str>; 2], account: Option<Account<'_>>) -> bool {
        of.into_iter().any(|principal| self.ctx.is_own(principal)) || self.response_about(account).allowed
    }

    /// What policy decides about reading the ledger as a whole.
    pub(super) fn response_about_ledger(&mut self) -> &AuthzResponse {
        self.response_about(None)
    }

    /// What policy decides about reading a row.
    pub(super) fn response(&mut self, row: &RemovalRow) -> &AuthzResponse {
        let account = account_of(&self.ctx.app.config, row);
        self.response_about(account)
    }

    /// What policy decides about reading rows of an account, or rows that name none. It is asked once a request.
    fn response_about(&mut self, account: Option<Account<'_>>) -> &AuthzResponse {
        let key = account.map(|account| (account.instance.name.clone(), account.user_name.to_owned()));
        let Self { ctx, context, responses } = self;
        responses.entry(key).or_insert_with(|| {
            let principal = Principal::of(ctx.actor, &ctx.app.config);
            let resource = account.map_or(Resource::Ledger, Resource::Account);
            let request = AuthzRequest { principal, action: Action::Audit, resource, reason_given: false };
            let response = ctx.app.policies.is_authorized(&request, *context);
            if let Some(why) = &response.failed {
                let principal = &ctx.actor.principal;
                ctx.host.log(&format!("policy: evaluation failed for a look-up by {principal}; denied: {why}"));
            }
            response
        })
    }

    /// Whether policy lets the reader see any row that a query could select.
    ///
    /// # Errors
    ///
    /// If not: why.
    pub(super) fn may_search(&mut self, query: &RemovalQuery) -> Result<(), Denial> {
        let config = &self.ctx.app.config;
        let instances: Vec<_> = config
            .instances()
            .iter()
            .filter(|instance| query.instance.as_ref().is_none_or(|name| *name == instance.name))
            .collect();
        let own = config.own_accounts(&self.ctx.actor.principal).iter().map(String::as_str);
        let names: Vec<&str> = match &query.user_name {
            Some(user_name) => vec![user_name],
            // An account that no person has stands for all that policy does not single out.
            None => std::iter::once("somebody").chain(own).collect(),
        };
        let accounts =
            instances.iter().flat_map(|instance| names.iter().map(|user_name| Some(Account { instance, user_name })));
        let ledger = (query.instance.is_none() || instances.is_empty()).then_some(None);
        let mut forbidden = BTreeSet::new();
        let mut has_failed = false;
        for account in ledger.into_iter().chain(accounts) {
            let response = self.response_about(account);
            if response.allowed {
                return Ok(());
            }
            has_failed |= response.failed.is_some();
            forbidden.extend(response.policies.iter().cloned());
        }
        let unevaluated = has_failed && forbidden.is_empty();
        Err(if unevaluated { Denial::NotEvaluated } else { Denial::by(forbidden.into_iter().collect()) })
    }
}

/// The account that a row names, if its instance is configured.
pub(super) fn account_of<'r>(config: &'r Config, row: &'r RemovalRow) -> Option<Account<'r>> {
    let instance = config.instance(row.instance.as_deref()?).ok()?;
    Some(Account { instance, user_name: row.user_name.as_deref()? })
}

//! Reading the audit trail: one removal, or the rows that a search is for.
//!
//! Whoever asked may always see what became of it. Of all others policy says who may (`audit`): on the row's account, or on
//! the ledger for rows that name none or whose instance is not configured any more. What somebody may not see is left out as
//! if it were not there: nothing in a page depends on it, neither the number of rows nor whether there is a next page. Only
//! when the time for a page is over before it is full does its cursor say so.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::flow::record::Told;
use crate::host::Host;
use crate::ledger::approvals;
use crate::ledger::claims::RecentRemovals;
use crate::ledger::row::{self, RemovalRow};
use crate::operations::content;
use crate::operations::remove::{self, ledger_down};
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, AuthzResponse, Principal};
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::removal_query::RemovalQuery;
use crate::taurusdb::Taurusdb;

/// Somebody who reads, and what policy said about them so far.
pub(crate) struct Reader<'a, H> {
    host: &'a H,
    app: &'a App,
    actor: &'a Actor,
    circumstances: AuthzContext,
    /// By instance and account; `None` is the ledger.
    verdicts: BTreeMap<Option<(String, String)>, AuthzResponse>,
}

impl<'a, H: Host> Reader<'a, H> {
    pub(crate) fn new(host: &'a H, app: &'a App, actor: &'a Actor, told: &Told<'_>) -> Self {
        let circumstances = remove::circumstances(app, told.at, false, false, RecentRemovals::default());
        Self { host, app, actor, circumstances, verdicts: BTreeMap::new() }
    }

    /// The account that a row names, where its instance is configured.
    pub(crate) fn account<'r>(&self, record: &'r RemovalRow) -> Option<Account<'r>>
    where
        'a: 'r,
    {
        let instance = self.app.config.instance(record.instance.as_deref()?).ok()?;
        Some(Account { instance, user_name: record.user_name.as_deref()? })
    }

    pub(crate) fn is_own(&self, record: &RemovalRow) -> bool {
        let config = &self.app.config;
        record.actor.as_deref().map(|asked_by| config.person(asked_by)) == Some(config.person(&self.actor.principal))
    }

    /// What policy says of their looking at this account, or at what names none. It is asked once a request.
    pub(crate) fn verdict(&mut self, account: Option<Account<'_>>) -> &AuthzResponse {
        let key = account.map(|account| (account.instance.name.clone(), account.user_name.to_owned()));
        let Self { host, app, actor, circumstances, verdicts } = self;
        verdicts.entry(key).or_insert_with(|| {
            let who = Principal::of(actor, &app.config);
            let question = AuthzRequest { who, action: Action::Audit, account, reason_given: false };
            let verdict = app.policies.is_authorized(&question, *circumstances);
            if let Some(why) = &verdict.failed {
                host.log(&format!("policy: a look by {} could not be decided: {why}", actor.principal));
            }
            verdict
        })
    }

    /// Whether they may see anything of what a search is for, as far as that does not depend on what there is.
    pub(crate) fn may_search(&mut self, search: &RemovalQuery) -> Result<(), BTreeSet<String>> {
        let config = &self.app.config;
        let instances: Vec<_> = config
            .instances()
            .iter()
            .filter(|instance| search.instance.as_ref().is_none_or(|name| *name == instance.name))
            .collect();
        let own = config.own_accounts(&self.actor.principal).iter().map(String::as_str);
        let names: Vec<&str> = match &search.user_name {
            Some(user_name) => vec![user_name],
            // An account that nobody has stands for all that policy does not single out.
            None => std::iter::once("somebody").chain(own).collect(),
        };
        let accounts =
            instances.iter().flat_map(|instance| names.iter().map(|user_name| Some(Account { instance, user_name })));
        let ledger = (search.instance.is_none() || instances.is_empty()).then_some(None);
        let mut forbidden = BTreeSet::new();
        for account in ledger.into_iter().chain(accounts) {
            let verdict = self.verdict(account);
            if verdict.allowed {
                return Ok(());
            }
            forbidden.extend(verdict.policies.iter().cloned());
        }
        Err(forbidden)
    }
}

/// What became of a removal, for somebody who may look; when nobody knows, it is settled first.
///
/// # Errors
///
/// [`Outcome::RemovalUnknown`], [`Outcome::LookDenied`], [`Outcome::LedgerDown`]
pub(crate) async fn look<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    id: &str,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Rendered, Outcome> {
    let down = |why| ledger_down(host, &why);
    app.open_ledger(host).await.map_err(down)?;
    approvals::expire(host, told.language, told.at).await.map_err(down)?;
    let unknown = || Outcome::RemovalUnknown { id: id.to_owned() };
    let mut record = row::look(host, id).await.map_err(down)?.ok_or_else(unknown)?;

    let mut reader = Reader::new(host, app, actor, told);
    if !reader.is_own(&record) {
        let verdict = reader.verdict(reader.account(&record));
        told.policies.clone_from(&verdict.policies);
        if !verdict.allowed {
            return Err(Outcome::LookDenied { policies: verdict.policies.clone() });
        }
    }

    if record.is_unresolved(told.at)
        && let Some(Account { instance, user_name }) = reader.account(&record)
        && !record.targets_other_instance(instance)
        && let Ok(taurusdb) = Taurusdb::read(host, &app.tokens, budget, instance, told.language).await
        && let Some(outcome) = remove::settled(taurusdb.account(user_name).await)
        && let Some(settled) = remove::settle_open(host, &record.id, &outcome, told.language).await
    {
        remove::log_settled(host, &settled, &outcome, actor);
        record = settled;
    }
    let line = json!({
        "event": "looked",
        "at": told.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "id": record.id.as_str(),
        "by": actor.principal,
        "policies": told.policies,
        "state": record.state.as_str(),
    });
    host.log(&line.to_string());
    Ok(match told.kind.and_then(|kind| kind.chat()) {
        Some(chat) => chat.message(&content::status(&record, told.language, &|words| chat.quote(words))),
        None => Rendered::json(StatusCode::OK, record.json().to_string()),
    })
}

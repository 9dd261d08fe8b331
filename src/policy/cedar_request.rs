//! A request in Cedar's types: the entities and the context of schema.cedarschema. The names are an interface to policies.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Weekday};

use crate::config::credentials::CredentialSource;
use crate::config::instance::Instance;
use crate::policy::known_instances::{InstanceEntities, KnownInstances};
use crate::policy::names::{Names, entity, string, uid};
use crate::policy::{Account, Action, AuthzContext, AuthzRequest, Principal, Resource};
use crate::request::actor::{Actor, Groups};

/// An [`AuthzRequest`] in Cedar's types.
pub(super) struct CedarRequest {
    pub(super) principal: EntityUid,
    pub(super) action: EntityUid,
    pub(super) resource: EntityUid,
    pub(super) entities: Vec<Entity>,
    pub(super) context: Context,
}

impl CedarRequest {
    /// Translates a request. `with_time` adds `context.time`, which is left out if no policy reads it: Cedar has to parse it
    /// from a text, and in a fresh instance that takes longer than the decision.
    ///
    /// # Errors
    ///
    /// If Cedar refuses a value.
    pub(super) fn new(
        names: &Names,
        instances: &KnownInstances,
        request: &AuthzRequest<'_>,
        context: AuthzContext,
        with_time: bool,
    ) -> Result<Self, String> {
        let AuthzRequest { principal: Principal { actor, teams, accounts }, action, resource, .. } = request;
        let principal = uid(&names.user, &actor.principal);
        let teams: HashSet<_> =
            teams.iter().chain(actor.groups.at(context.now.to_utc())).map(|team| uid(&names.team, team)).collect();
        let own = accounts.iter().map(|name| string(name));
        let user = entity(
            principal.clone(),
            [
                ("caller", string(&actor.caller)),
                ("kind", string(&actor.kind)),
                ("accounts", RestrictedExpression::new_set(own)),
            ],
            teams.clone(),
        )?;
        let mut entities = vec![user];
        entities.extend(teams.into_iter().map(|team| Entity::new_no_attrs(team, HashSet::new())));
        let resource = resource_entities(names, instances, *resource, &mut entities)?;
        let context = cedar_context(pairs(request, context, with_time))?;
        Ok(Self { principal, action: uid(&names.action, action.as_str()), resource, entities, context })
    }
}

/// The attributes of the context that a schema may lack, because it was written for an earlier gateway: a policy that passed
/// validation against it cannot read them.
const ADDED: [&str; 2] = ["approved", "waiting_requests"];

/// Adds the resource and what it belongs to. Returns the resource's identifier.
fn resource_entities(
    names: &Names,
    instances: &KnownInstances,
    resource: Resource<'_>,
    entities: &mut Vec<Entity>,
) -> Result<EntityUid, String> {
    let configured = match resource {
        Resource::Ledger => {
            let ledger = uid(&names.ledger, "removals");
            entities.push(Entity::new_no_attrs(ledger.clone(), HashSet::new()));
            return Ok(ledger);
        }
        Resource::Account(Account { instance, .. }) | Resource::Instance(instance) => instance,
    };
    let InstanceEntities { instance, entities: of_instance } = instances.of(names, configured)?;
    entities.extend(of_instance);
    let Resource::Account(Account { user_name, .. }) = resource else { return Ok(instance) };
    let account = uid(&names.account, &format!("{}/{user_name}", configured.name));
    entities.push(entity(account.clone(), [("user_name", string(user_name))], [instance].into())?);
    Ok(account)
}

/// Checks that the schema accepts the gateway's requests. They always have the same shape, so this is done once, and not with
/// every request.
///
/// # Errors
///
/// If the schema does not accept an entity, an attribute or the context, in Cedar's words.
pub(super) fn check_request_shape(names: &Names, schema: &Schema) -> Result<(), String> {
    let is_lacking = |added: &EntityUid| !schema.actions().any(|action| action == added);
    let lacking: Vec<_> =
        Action::ADDED.iter().map(|added| uid(&names.action, added.as_str())).filter(is_lacking).collect();
    for CedarRequest { principal, action, resource, entities, context } in sample_requests(names)? {
        if lacking.contains(&action) {
            continue;
        }
        Entities::from_entities(entities, Some(schema)).map_err(|error| error.to_string())?;
        let accepts = |context| {
            Request::new(principal.clone(), action.clone(), resource.clone(), context, Some(schema))
                .map_err(|error| error.to_string())
        };
        let Err(why) = accepts(context.clone()) else { continue };
        let earlier = context.into_iter().filter(|(name, _)| !ADDED.contains(&name.as_str()));
        accepts(Context::from_pairs(earlier).map_err(|error| format!("context: {error}"))?).map_err(|_| why)?;
    }
    Ok(())
}

/// Returns one request of each action and each kind of resource, with all attributes that the gateway's requests have.
///
/// # Errors
///
/// If Cedar refuses a value.
pub(super) fn sample_requests(names: &Names) -> Result<Vec<CedarRequest>, String> {
    let word = || "word".to_owned();
    let actor = Actor { principal: word(), caller: word(), kind: word(), groups: Groups::new(vec![word()], i64::MAX) };
    let instance = Instance {
        name: word(),
        project_id: word(),
        instance_id: word(),
        region: word(),
        endpoint: word(),
        environment: word(),
        credentials: Arc::new(CredentialSource::Token { token: word() }),
    };
    let context = AuthzContext {
        now: DateTime::default(),
        dry_run: false,
        confirmed: false,
        approved: false,
        removals_last_hour: 0,
        instance_removals_last_hour: 0,
        waiting_requests: 0,
    };
    let account = Resource::Account(Account { instance: &instance, user_name: "word" });
    let principal = Principal { actor: &actor, teams: &[], accounts: &[word()] };
    let of_action = |action| match action {
        Action::List => (action, Resource::Instance(&instance)),
        Action::Operate => (action, Resource::Ledger),
        action => (action, account),
    };
    let all = Action::ALL.map(of_action).into_iter().chain([(Action::Audit, Resource::Ledger)]);
    all.map(|(action, resource)| {
        let request = AuthzRequest { principal, action, resource, reason_given: false };
        CedarRequest::new(names, &KnownInstances::default(), &request, context, true)
    })
    .collect()
}

fn cedar_context(pairs: impl Iterator<Item = (&'static str, RestrictedExpression)>) -> Result<Context, String> {
    Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))
        .map_err(|error| format!("context: {error}"))
}

/// The attributes of the context.
fn pairs(
    request: &AuthzRequest<'_>,
    context: AuthzContext,
    with_time: bool,
) -> impl Iterator<Item = (&'static str, RestrictedExpression)> {
    let now = context.now;
    let weekday = match now.weekday() {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    };
    let pairs = [
        ("caller_kind", string(&request.principal.actor.kind)),
        ("dry_run", RestrictedExpression::new_bool(context.dry_run)),
        ("confirmed", RestrictedExpression::new_bool(context.confirmed)),
        ("approved", RestrictedExpression::new_bool(context.approved)),
        ("reason_given", RestrictedExpression::new_bool(request.reason_given)),
        ("weekday", string(weekday)),
        ("hour", RestrictedExpression::new_long(now.hour().into())),
        ("removals_last_hour", RestrictedExpression::new_long(context.removals_last_hour)),
        ("instance_removals_last_hour", RestrictedExpression::new_long(context.instance_removals_last_hour)),
        ("waiting_requests", RestrictedExpression::new_long(context.waiting_requests)),
    ];
    let time = with_time.then(|| {
        let text = now.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
        ("time", RestrictedExpression::new_datetime(text))
    });
    pairs.into_iter().chain(time)
}

//! Carries out what an identity system asks about its people.

use http::StatusCode;
use http::header::LOCATION;

use crate::app::App;
use crate::callers::scim::resource::{page, rendered};
use crate::flow::record::Told;
use crate::host::Host;
use crate::ledger::people::{ACTIVE, Directory, StoredPerson};
use crate::operations::offboard_leavers;
use crate::operations::remove::ledger_down;
use crate::outbound::budget::Budget;
use crate::outcome::Outcome;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::leaver::Leaver;
use crate::request::projection::Projection;
use crate::request::scim::Operation;

/// Carries out what an identity system asks for.
///
/// # Errors
///
/// [`Outcome::PersonUnknown`], [`Outcome::PersonTaken`], [`Outcome::LedgerDown`]; [`Outcome::Left`] when somebody left and not
/// all of their accounts are gone.
pub(crate) async fn carry_out<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    operation: Operation,
    view: &Projection,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<Rendered, Outcome> {
    app.open_ledger(host).await.map_err(|why| ledger_down(host, &why))?;
    let directory = Directory { host, caller: &actor.caller, now: told.at };
    let shown = |kept: &StoredPerson| rendered(StatusCode::OK, &kept.resource(view));
    let changed = match operation {
        Operation::List { filter, start, count } => {
            let (all, kept) = directory.list(filter.as_ref(), start, count).await?;
            let resources = kept.iter().map(|kept| kept.resource(view)).collect();
            return Ok(rendered(StatusCode::OK, &page(all, start, resources)));
        }
        Operation::Look(id) => return Ok(shown(&directory.look(&id).await?)),
        Operation::Create(person) => {
            let kept = directory.create(&person).await?;
            let mut rendered = Rendered { status: StatusCode::CREATED, ..shown(&kept) };
            rendered.headers.push((LOCATION, format!("{}/Users/{}", view.base, kept.id)));
            return Ok(rendered);
        }
        Operation::Delete(id) => {
            let kept = directory.leave(&id).await?;
            leave(host, app, actor, &kept, budget, told).await?;
            directory.delete(&id, kept.departures).await?;
            return Ok(Rendered { status: StatusCode::NO_CONTENT, body: String::new(), ..shown(&kept) });
        }
        Operation::Replace(id, person) => directory.change(&id, &person).await?,
        Operation::Change(id, changes) => {
            let mut person = directory.look(&id).await?.person;
            changes.iter().try_for_each(|change| person.change(change))?;
            directory.change(&id, &person).await?
        }
    };
    if changed.state == ACTIVE {
        return Ok(shown(&changed));
    }
    leave(host, app, actor, &changed, budget, told).await?;
    directory.left(&changed.id, changed.departures).await?;
    Ok(shown(&directory.look(&changed.id).await?))
}

/// Removes all accounts of somebody who leaves.
pub(crate) async fn leave<'c, H: Host>(
    host: &H,
    app: &'c App,
    actor: &Actor,
    kept: &StoredPerson,
    budget: &Budget,
    told: &mut Told<'c>,
) -> Result<(), Outcome> {
    let event = format!("{}/{}", kept.id, kept.departures);
    let leaver = Leaver { event, identity: kept.person.identity(&kept.id), reason: None };
    let outcome = offboard_leavers::carry_out(host, app, actor, vec![leaver], budget, told).await?;
    if outcome.status().is_success() { Ok(()) } else { Err(outcome) }
}

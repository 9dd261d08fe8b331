//! Carries out what an identity system says of its people by SCIM. A person who is deactivated or deleted leaves.

use http::StatusCode;
use http::header::LOCATION;

use crate::callers::scim::resource::{page, rendered};
use crate::host::Host;
use crate::ledger::people::{Directory, PersonError, StoredPerson};
use crate::operations::Ctx;
use crate::operations::offboard_leavers::offboard_leavers;
use crate::operations::report::{Content, Refusal};
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::reply::Rendered;
use crate::request::leaver::Leaver;
use crate::request::person::Person;
use crate::request::projection::Projection;
use crate::request::scim::Operation;

/// Carries out a SCIM operation.
///
/// # Errors
///
/// If no person has the id, another person has the name, or the ledger cannot be used; if a person left and not all of their
/// accounts are gone.
pub(crate) async fn provision_people<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    operation: Operation,
    projection: &Projection,
) -> Result<Content, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    let directory = Directory { ledger, caller: &ctx.actor.caller, now: ctx.at };
    let people = People { ctx, directory };
    people.carry_out(operation, projection).await.map(Content::of)
}

struct People<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    directory: Directory<'a, H>,
}

impl<'c, H: Host> People<'_, 'c, H> {
    async fn carry_out(&self, operation: Operation, projection: &Projection) -> Result<Rendered, Refusal<'c>> {
        let Self { ctx, directory } = self;
        let shown = |stored: &StoredPerson| rendered(StatusCode::OK, &stored.resource(projection));
        let changed = match operation {
            Operation::List { filter, start, count } => {
                let (all, people) = ctx.stored(directory.list(filter.as_ref(), start, count).await)?;
                let resources = people.iter().map(|stored| stored.resource(projection)).collect();
                return Ok(rendered(StatusCode::OK, &page(all, start, resources)));
            }
            Operation::Look(id) => return Ok(shown(&self.person(&id).await?)),
            Operation::Create(person) => {
                let created = directory.create(&person).await.map_err(|error| self.refusal(error, "", &person))?;
                let mut answer = Rendered { status: StatusCode::CREATED, ..shown(&created) };
                answer.headers.push((LOCATION, format!("{}/Users/{}", projection.base, created.id)));
                return Ok(answer);
            }
            Operation::Delete(id) => {
                let leaver = directory.leave(&id).await.map_err(|error| self.unknown(error, &id))?;
                self.offboard(&leaver).await?;
                ctx.stored(directory.delete(&id, leaver.departures).await)?;
                return Ok(Rendered { status: StatusCode::NO_CONTENT, body: String::new(), ..shown(&leaver) });
            }
            Operation::Replace(id, person) => self.change(&id, &person).await?,
            Operation::Change(id, changes) => {
                let mut person = self.person(&id).await?.person;
                changes.iter().try_for_each(|change| person.change(change))?;
                self.change(&id, &person).await?
            }
        };
        if changed.is_active() {
            return Ok(shown(&changed));
        }
        self.offboard(&changed).await?;
        ctx.stored(directory.left(&changed.id, changed.departures).await)?;
        Ok(shown(&self.person(&changed.id).await?))
    }

    async fn person(&self, id: &str) -> Result<StoredPerson, Refusal<'c>> {
        self.directory.person(id).await.map_err(|error| self.unknown(error, id))
    }

    async fn change(&self, id: &str, person: &Person) -> Result<StoredPerson, Refusal<'c>> {
        self.directory.change(id, person).await.map_err(|error| self.refusal(error, id, person))
    }

    /// Removes all accounts of a person who leaves.
    async fn offboard(&self, stored: &StoredPerson) -> Result<(), Refusal<'c>> {
        let event = format!("{}/{}", stored.id, stored.departures);
        let leaver = Leaver { event, identity: stored.person.identity(&stored.id), reason: None };
        let report = offboard_leavers(self.ctx, &[leaver]).await?;
        if report.outcome.status().is_success() { Ok(()) } else { Err(Refusal(Box::new(report))) }
    }

    fn refusal(&self, error: PersonError, id: &str, person: &Person) -> Refusal<'c> {
        match error {
            PersonError::Taken => {
                Outcome::Refused(Message::new(&catalog::PERSON_TAKEN).quoting("user_name", person.user_name())).into()
            }
            error => self.unknown(error, id),
        }
    }

    /// The refusal of an operation that gives no person a name, so that none can be taken.
    fn unknown(&self, error: PersonError, id: &str) -> Refusal<'c> {
        match error {
            PersonError::Store(error) => match self.ctx.stored::<()>(Err(error)) {
                Ok(()) => Outcome::InProgress.into(),
                Err(error) => error.into(),
            },
            PersonError::Unknown | PersonError::Taken => {
                Outcome::Refused(Message::new(&catalog::PERSON_UNKNOWN).quoting("id", id)).into()
            }
        }
    }
}

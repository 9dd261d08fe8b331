//! Carries out what an identity system says of its people by SCIM. A person who is deactivated or deleted leaves.

use http::StatusCode;
use http::header::LOCATION;
use serde_json::json;

use crate::callers::scim::resource::{no_content, page, rendered};
use crate::host::Host;
use crate::ledger::people::{Directory, PersonError, StoredPerson};
use crate::operations::Ctx;
use crate::operations::departure::Departures;
use crate::operations::report::{Content, Refusal};
use crate::outcome::log_event::log_event;
use crate::outcome::message::Message;
use crate::outcome::{Outcome, catalog};
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::filter::Filter;
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

/// How often a change is applied to a person whom other requests change at the same time.
const ATTEMPTS: usize = 8;

/// How many people of one page are looked at who may have left meanwhile.
const SETTLED: usize = 8;

/// A person who was changed.
struct Changed {
    /// The person before.
    known: StoredPerson,
    stored: StoredPerson,
    /// What the request said of `active`.
    active: Option<bool>,
}

struct People<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    directory: Directory<'a, H>,
}

impl<'c, H: Host> People<'_, 'c, H> {
    async fn carry_out(&self, operation: Operation, projection: &Projection) -> Result<Rendered, Refusal<'c>> {
        let Self { directory, .. } = self;
        let shown = |stored: &StoredPerson| rendered(StatusCode::OK, &stored.resource(projection));
        let Changed { known, stored: changed, active } = match operation {
            Operation::List { filter, start, count } => {
                let (all, people) = self.list(filter.as_ref(), start, count).await?;
                let resources = people.iter().map(|stored| stored.resource(projection)).collect();
                return Ok(rendered(StatusCode::OK, &page(all, start, resources)));
            }
            Operation::Look(id) => {
                let stored = self.departures().settled(self.person(&id).await?).await?;
                return Ok(shown(&stored.ok_or_else(|| self.unknown(PersonError::Unknown, &id))?));
            }
            Operation::Create(person) => {
                self.log_left_out("", &person);
                let created = directory.create(&person).await.map_err(|error| self.refusal(error, "", &person))?;
                let mut answer = Rendered { status: StatusCode::CREATED, ..shown(&created) };
                answer.headers.push((LOCATION, format!("{}/Users/{}", projection.base, created.id)));
                return Ok(answer);
            }
            Operation::Delete(id) => {
                let leaver = self.leave(&id).await?;
                let departed = self.departures().depart(&leaver, true).await?;
                return Ok(departed.said_in(no_content()));
            }
            Operation::Replace(id, person) => {
                let replace = |known: &mut Person| {
                    known.clone_from(&person);
                    Ok(())
                };
                self.change(&id, replace).await?
            }
            Operation::Change(id, changes) => self.change(&id, |known| known.change(&changes)).await?,
        };
        match active {
            // Who is leaving goes on leaving, whatever else is said of them; so does who has left.
            None => Ok(shown(&changed)),
            Some(true) => {
                self.departures().come_back(&known).await?;
                Ok(shown(&changed))
            }
            Some(false) => {
                let departed = self.departures().depart(&changed, false).await?;
                Ok(departed.said_in(shown(&self.person(&changed.id).await?)))
            }
        }
    }

    fn departures(&self) -> Departures<'_, 'c, H> {
        Departures { ctx: self.ctx, directory: &self.directory }
    }

    /// A page of people, of whom some may have left meanwhile.
    async fn list(
        &self,
        filter: Option<&Filter>,
        start: usize,
        count: usize,
    ) -> Result<(usize, Vec<StoredPerson>), Refusal<'c>> {
        let (mut all, people) = self.ctx.stored(self.directory.list(filter, start, count).await)?;
        let mut listed = Vec::new();
        let mut looked_at: usize = 0;
        for stored in people {
            looked_at = looked_at.saturating_add(usize::from(stored.is_leaving()));
            let stored = if looked_at > SETTLED { Some(stored) } else { self.departures().settled(stored).await? };
            match stored {
                Some(stored) => listed.push(stored),
                None => all = all.saturating_sub(1),
            }
        }
        Ok((all, listed))
    }

    /// Lets a person leave whom the identity system deletes.
    async fn leave(&self, id: &str) -> Result<StoredPerson, Refusal<'c>> {
        for _ in 0..ATTEMPTS {
            match self.directory.leave(&self.person(id).await?).await {
                Err(PersonError::ChangedMeanwhile) => {}
                left => return left.map_err(|error| self.unknown(error, id)),
            }
        }
        Err(Outcome::InProgress.into())
    }

    async fn person(&self, id: &str) -> Result<StoredPerson, Refusal<'c>> {
        self.directory.person(id).await.map_err(|error| self.unknown(error, id))
    }

    /// Changes a person: reads, applies the change, stores. Another request may have changed the person in between; then the change
    /// is applied anew, so that neither is lost.
    async fn change(
        &self,
        id: &str,
        apply: impl Fn(&mut Person) -> Result<(), RequestError>,
    ) -> Result<Changed, Refusal<'c>> {
        let mut keeps_name = false;
        for _ in 0..ATTEMPTS {
            let known = self.person(id).await?;
            let mut person = known.person.clone();
            apply(&mut person)?;
            if keeps_name {
                person.keep_name_of(&known.person);
            }
            match self.directory.change(&known, &person).await {
                Ok(stored) => {
                    self.log_left_out(id, &person);
                    return Ok(Changed { known, stored, active: person.active });
                }
                Err(PersonError::ChangedMeanwhile) => {}
                // A name that cannot be had does not keep anybody from leaving.
                Err(PersonError::Taken) if person.active == Some(false) && !keeps_name => keeps_name = true,
                Err(error) => return Err(self.refusal(error, id, &person)),
            }
        }
        Err(Outcome::InProgress.into())
    }

    /// Says what the identity system sent and the gateway does not keep.
    fn log_left_out(&self, id: &str, person: &Person) {
        let names = person.left_out.names();
        if !names.is_empty() {
            let by = &self.ctx.actor.principal;
            let event = json!({"event": "not-kept", "by": by, "person": id, "attributes": names});
            log_event(self.ctx.host, event);
        }
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
            PersonError::Unknown | PersonError::Taken | PersonError::ChangedMeanwhile => {
                Outcome::Refused(Message::new(&catalog::PERSON_UNKNOWN).quoting("id", id)).into()
            }
        }
    }
}

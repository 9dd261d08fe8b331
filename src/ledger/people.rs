//! The people of identity systems that speak SCIM, as they are stored.
//!
//! A person is active, leaving or gone. A person who is deactivated is leaving, and is shown as active until all of their
//! accounts are gone: an identity system that compares what it wants with what it sees then sends the change again. Departures
//! are numbered, so that the same change sent again goes on with the same removals, and a later departure has others.
//!
//! The names that a person had while they were active are kept: their accounts may be called by any of them.

use chrono::{DateTime, Utc};

use crate::config::leavers::Identity;
use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::departures::Former;
use crate::ledger::sql::other_columns;
use crate::request::filter::{Filter, matching};
use crate::request::person::Person;
use crate::request::projection::Projection;

const LOOK: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 AND id = ?2";

const CREATE: &str = "INSERT INTO identities (caller, id, user_name, resource, active, created_at, changed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (caller, user_name) DO NOTHING
    RETURNING id, resource, active, departures, created_at, changed_at, revision, former_names";

const CHANGE: &str = "UPDATE identities SET user_name = ?3, resource = ?4, changed_at = ?6,
    departures = departures + CASE WHEN active = 1 AND CAST(?5 AS bigint) = 0 THEN 1 ELSE 0 END,
    active = CASE WHEN CAST(?5 AS bigint) = 1 THEN 1 WHEN CAST(?5 AS bigint) = 0 AND active = 1 THEN 2 ELSE active END,
    revision = revision + 1, former_names = ?8
    WHERE caller = ?1 AND id = ?2 AND revision = ?7 AND NOT EXISTS
        (SELECT 1 FROM identities o WHERE o.caller = ?1 AND o.user_name = ?3 AND o.id <> ?2)
    RETURNING id, resource, active, departures, created_at, changed_at, revision, former_names";

const LEFT: &str = "UPDATE identities SET active = 0
    WHERE caller = ?1 AND id = ?2 AND departures = ?3 AND active = 2 RETURNING id";

const LEAVE: &str = "UPDATE identities SET departures = departures + CASE WHEN active = 1 THEN 1 ELSE 0 END,
    active = CASE WHEN active = 0 THEN 0 ELSE 3 END, revision = revision + 1, former_names = ?4
    WHERE caller = ?1 AND id = ?2 AND revision = ?3
    RETURNING id, resource, active, departures, created_at, changed_at, revision, former_names";

const DELETE: &str = "DELETE FROM identities WHERE caller = ?1 AND id = ?2 AND departures = ?3 AND active <> 1";

const COUNT: &str = "SELECT count(*) FROM identities WHERE caller = ?1";

const LIST: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 ORDER BY id LIMIT ?2 OFFSET ?3";

const BY_ID: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 AND id = ?3 AND id > ?2";

const BY_USER_NAME: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 AND user_name = ?3 AND id > ?2";

const BY_EXTERNAL_ID: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 AND json_extract(resource, '$.externalId') = ?3 AND id > ?2 ORDER BY id LIMIT 200";

const ALL: &str =
    "SELECT id, resource, active, departures, created_at, changed_at, revision, former_names FROM identities
    WHERE caller = ?1 AND id > ?2 ORDER BY id LIMIT 200";

pub(super) const STATEMENTS: &[&str] =
    &[LOOK, CREATE, CHANGE, LEFT, LEAVE, DELETE, COUNT, LIST, BY_ID, BY_USER_NAME, BY_EXTERNAL_ID, ALL];

const GONE: i64 = 0;
const ACTIVE: i64 = 1;
const LEAVING: i64 = 2;
/// Leaving, and to be forgotten once all accounts are gone.
const DELETED: i64 = 3;

/// A stored person.
pub(crate) struct StoredPerson {
    pub(crate) id: String,
    pub(crate) person: Person,
    state: i64,
    /// How often this person has left.
    pub(crate) departures: i64,
    /// What the person was called while active, as far as it is known.
    pub(crate) former: Former,
    created_at: i64,
    changed_at: i64,
    /// How often this person has been changed.
    revision: i64,
}

impl StoredPerson {
    fn read(row: &[Value]) -> Result<Self, StoreError> {
        let [
            Value::Text(id),
            Value::Text(resource),
            Value::Integer(state),
            Value::Integer(departures),
            Value::Integer(created_at),
            Value::Integer(changed_at),
            Value::Integer(revision),
            former,
        ] = row
        else {
            return other_columns();
        };
        let person = Person::kept(resource, *state != GONE)
            .ok_or_else(|| StoreError::Failed("a person in the directory cannot be read".into()))?;
        Ok(Self {
            id: id.clone(),
            person,
            state: *state,
            departures: *departures,
            former: Former::read(former)?,
            created_at: *created_at,
            changed_at: *changed_at,
            revision: *revision,
        })
    }

    fn first(rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        rows.first().map(|row| Self::read(row)).transpose()
    }

    /// Whether the person was active once, and has left since.
    pub(crate) fn has_left(&self) -> bool {
        self.departures > 0
    }

    /// Whether the person is active, and neither leaving nor gone.
    pub(crate) fn is_active(&self) -> bool {
        self.state == ACTIVE
    }

    /// Whether accounts of the person may be left.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.state, LEAVING | DELETED)
    }

    /// Whether the person is to be forgotten once all accounts are gone.
    pub(crate) fn is_deleted(&self) -> bool {
        self.state == DELETED
    }

    /// The last change that the identity system reported of a person who has left: the departure itself, unless the person was
    /// changed again since. `None` of a person who has not left, and of one whom the identity system deleted, which is no change.
    pub(crate) fn left_at(&self) -> Option<i64> {
        (self.has_left() && !self.is_active() && !self.is_deleted()).then_some(self.changed_at)
    }

    /// What the person was called while active, the newest first, once the person is active no more.
    pub(crate) fn names_while_active(&self) -> Vec<Identity> {
        match self.former.identities(&self.id) {
            former if former.is_empty() => vec![self.person.identity(&self.id)],
            former => former,
        }
    }

    /// What the accounts of the person may be called after, the newest first; empty for a person who never was active.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        match (self.is_active(), self.has_left()) {
            (true, _) => {
                let now = self.person.identity(&self.id);
                std::iter::once(now).chain(self.former.identities(&self.id)).collect()
            }
            (false, true) => self.names_while_active(),
            (false, false) => Vec::new(),
        }
    }

    /// What the person was called while active, once the change to `next` is made: what an active person is called is what their
    /// accounts may be called. Names that a person is given later do not count: they were not active under them.
    fn former_after(&self, next: Option<&Person>) -> Former {
        let former = self.former.clone();
        match next {
            _ if self.state != ACTIVE && self.departures > 0 && former.is_empty() => former.with(&self.person),
            _ if self.state != ACTIVE => former,
            Some(next) if next.active == Some(false) => former.with(next).with(&self.person),
            _ => former.with(&self.person),
        }
    }

    /// The SCIM resource, as far as the request asked for it.
    pub(crate) fn resource(&self, projection: &Projection) -> serde_json::Value {
        projection.of_resource(self.person.resource(&self.id, &projection.base, self.created_at, self.changed_at))
    }
}

/// Why a person could not be read or changed.
#[derive(Debug)]
pub(crate) enum PersonError {
    /// No person has the id.
    Unknown,
    /// Another person has the name.
    Taken,
    /// Another request has changed the person since it was read.
    ChangedMeanwhile,
    /// The statement failed.
    Store(StoreError),
}

impl From<StoreError> for PersonError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The people of one caller, as one request sees them.
pub(crate) struct Directory<'a, H> {
    pub(crate) ledger: Ledger<'a, H>,
    pub(crate) caller: &'a str,
    pub(crate) now: DateTime<Utc>,
}

impl<H: Host> Directory<'_, H> {
    async fn query(&self, statement: &'static str, mut more: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        more.insert(0, self.caller.into());
        self.ledger.host().query(statement, more).await
    }

    /// The person of an id.
    pub(crate) async fn person(&self, id: &str) -> Result<StoredPerson, PersonError> {
        let rows = self.query(LOOK, vec![id.into()]).await?;
        StoredPerson::first(&rows)?.ok_or(PersonError::Unknown)
    }

    /// Stores a new person.
    pub(crate) async fn create(&self, person: &Person) -> Result<StoredPerson, PersonError> {
        let active = i64::from(person.active.unwrap_or(true));
        let id = format!("{:032x}", self.ledger.host().random());
        let rows = self
            .query(
                CREATE,
                vec![
                    id.as_str().into(),
                    person.user_name().as_str().into(),
                    resource(person).as_str().into(),
                    active.into(),
                    self.now.timestamp_millis().into(),
                ],
            )
            .await?;
        StoredPerson::first(&rows)?.ok_or(PersonError::Taken)
    }

    /// Stores what the identity system says of a known person now, unless the person has changed since. A person who was active and no
    /// longer is leaves from now on: one more departure. Where the identity system says nothing of `active`, it stays.
    pub(crate) async fn change(&self, known: &StoredPerson, person: &Person) -> Result<StoredPerson, PersonError> {
        let rows = self
            .query(
                CHANGE,
                vec![
                    known.id.as_str().into(),
                    person.user_name().as_str().into(),
                    resource(person).as_str().into(),
                    person.active.map(i64::from).into(),
                    self.now.timestamp_millis().into(),
                    known.revision.into(),
                    known.former_after(Some(person)).column(),
                ],
            )
            .await?;
        match StoredPerson::first(&rows)? {
            Some(stored) => Ok(stored),
            // Another person has the name, or another request was first, or no person has the id any more.
            None if self.person(&known.id).await?.revision == known.revision => Err(PersonError::Taken),
            None => Err(PersonError::ChangedMeanwhile),
        }
    }

    /// Records that all accounts of this departure are gone, unless the person was activated again meanwhile.
    pub(crate) async fn left(&self, id: &str, departures: i64) -> Result<(), StoreError> {
        self.query(LEFT, vec![id.into(), departures.into()]).await.map(drop)
    }

    /// Lets a known person leave whom the identity system deletes, unless the person has changed since.
    pub(crate) async fn leave(&self, known: &StoredPerson) -> Result<StoredPerson, PersonError> {
        let parameters = vec![known.id.as_str().into(), known.revision.into(), known.former_after(None).column()];
        match StoredPerson::first(&self.query(LEAVE, parameters).await?)? {
            Some(stored) => Ok(stored),
            None => self.person(&known.id).await.and(Err(PersonError::ChangedMeanwhile)),
        }
    }

    /// Deletes a person after this departure.
    pub(crate) async fn delete(&self, id: &str, departures: i64) -> Result<(), StoreError> {
        self.query(DELETE, vec![id.into(), departures.into()]).await.map(drop)
    }

    /// A page of the people that match, and how many match. The order is by id, so that it is the same for every page.
    pub(crate) async fn list(
        &self,
        filter: Option<&Filter>,
        start: usize,
        count: usize,
    ) -> Result<(usize, Vec<StoredPerson>), StoreError> {
        let skipped = start.saturating_sub(1);
        let Some(filter) = filter else { return self.all(skipped, count).await };
        let (mut matched, mut page) = (0_usize, Vec::new());
        let mut after = String::new();
        loop {
            let batch = self.candidates(filter, &after).await?;
            let Some(last) = batch.last() else { return Ok((matched, page)) };
            after.clone_from(&last.id);
            for stored in batch {
                let resource = stored.person.resource(&stored.id, "", stored.created_at, stored.changed_at);
                if !matching::matches(filter, &resource) {
                    continue;
                }
                if matched >= skipped && page.len() < count {
                    page.push(stored);
                }
                matched = matched.saturating_add(1);
            }
        }
    }

    /// A page of all people, and how many there are.
    async fn all(&self, skipped: usize, count: usize) -> Result<(usize, Vec<StoredPerson>), StoreError> {
        let rows = self.query(COUNT, Vec::new()).await?;
        let all = match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(all)) => usize::try_from(*all).unwrap_or_default(),
            _ => 0,
        };
        let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let rows = self.query(LIST, vec![number(count), number(skipped)]).await?;
        let people = rows.iter().map(|row| StoredPerson::read(row)).collect::<Result<_, _>>()?;
        Ok((all, people))
    }

    /// The next people, active or not, by id. None are left once there are none.
    pub(crate) async fn next(&self, after: &str) -> Result<Vec<StoredPerson>, StoreError> {
        let rows = self.query(ALL, vec![after.into()]).await?;
        rows.iter().map(|row| StoredPerson::read(row)).collect()
    }

    /// The next people, by id, of those who can match a filter: by an index if it says what `id`, `userName` or `externalId` is,
    /// else all, batch by batch.
    async fn candidates(&self, filter: &Filter, after: &str) -> Result<Vec<StoredPerson>, StoreError> {
        let (statement, value) = if let Some(id) = filter.required_text("id") {
            (BY_ID, Some(id))
        } else if let Some(name) = filter.required_text("userName") {
            (BY_USER_NAME, Some(name.to_lowercase()))
        } else if let Some(id) = filter.required_text("externalId") {
            (BY_EXTERNAL_ID, Some(id))
        } else {
            (ALL, None)
        };
        let parameters = [Some(after), value.as_deref()].into_iter().flatten().map(Value::from).collect();
        let rows = self.query(statement, parameters).await?;
        rows.iter().map(|row| StoredPerson::read(row)).collect()
    }
}

fn resource(person: &Person) -> String {
    serde_json::Value::Object(person.attributes.clone()).to_string()
}

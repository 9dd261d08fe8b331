//! The people of identity systems that speak SCIM: what is kept of them, and what happens when one leaves.
//!
//! Somebody is active, leaving or gone. Who becomes inactive is leaving, and looks active until all of their accounts are
//! gone: an identity system that compares what it wants with what there is then asks again. Each time that somebody leaves
//! has a number, so that the same request again goes on with the same removals, and a later departure is another.

use chrono::{DateTime, Utc};

use crate::host::{Host, StoreError, Value};
use crate::operations::remove::ledger_down;
use crate::outcome::Outcome;
use crate::request::person::Person;
use crate::request::projection::Projection;
use crate::request::scim::Filter;

pub(crate) const ACTIVE: i64 = 1;

pub(crate) const LEAVING: i64 = 2;

/// Somebody, as they are kept.
pub(crate) struct StoredPerson {
    pub(crate) id: String,
    pub(crate) person: Person,
    pub(crate) state: i64,
    pub(crate) departures: i64,
    created_at: i64,
    changed_at: i64,
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
        ] = row
        else {
            return Err(StoreError("the directory answered with other columns than asked for".into()));
        };
        let person = Person::kept(resource, matches!(*state, ACTIVE | LEAVING))
            .ok_or_else(|| StoreError("somebody in the directory cannot be read".into()))?;
        let (state, departures, created_at, changed_at) = (*state, *departures, *created_at, *changed_at);
        Ok(Self { id: id.clone(), person, state, departures, created_at, changed_at })
    }

    fn first(rows: &[Vec<Value>]) -> Result<Option<Self>, StoreError> {
        rows.first().map(|row| Self::read(row)).transpose()
    }

    pub(crate) fn resource(&self, view: &Projection) -> serde_json::Value {
        self.person.resource(&self.id, view, self.created_at, self.changed_at)
    }
}

/// The directory, as one request sees it.
pub(crate) struct Directory<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) caller: &'a str,
    pub(crate) now: DateTime<Utc>,
}

impl<H: Host> Directory<'_, H> {
    async fn query(&self, statement: &'static str, mut more: Vec<Value>) -> Result<Vec<Vec<Value>>, Outcome> {
        more.insert(0, self.caller.into());
        self.host.query(statement, more).await.map_err(|why| ledger_down(self.host, &why))
    }

    fn kept(&self, rows: &[Vec<Value>]) -> Result<Option<StoredPerson>, Outcome> {
        StoredPerson::first(rows).map_err(|why| ledger_down(self.host, &why))
    }

    pub(crate) async fn look(&self, id: &str) -> Result<StoredPerson, Outcome> {
        const LOOK: &str = "SELECT id, resource, active, departures, created_at, changed_at FROM identities
            WHERE caller = ?1 AND id = ?2";
        let rows = self.query(LOOK, vec![id.into()]).await?;
        self.kept(&rows)?.ok_or_else(|| Outcome::PersonUnknown { id: id.to_owned() })
    }

    pub(crate) async fn create(&self, person: &Person) -> Result<StoredPerson, Outcome> {
        const CREATE: &str = "INSERT INTO identities (caller, id, user_name, resource, active, created_at, changed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (caller, user_name) DO NOTHING
            RETURNING id, resource, active, departures, created_at, changed_at";
        let active = i64::from(person.active.unwrap_or(true));
        let id = format!("{:032x}", self.host.random());
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
        self.kept(&rows)?.ok_or_else(|| Outcome::PersonTaken { user_name: person.user_name() })
    }

    /// Keeps what is said of somebody now. Whoever was active and is not to be is leaving from now on, once more.
    pub(crate) async fn change(&self, id: &str, person: &Person) -> Result<StoredPerson, Outcome> {
        const CHANGE: &str = "UPDATE OR IGNORE identities SET user_name = ?3, resource = ?4, changed_at = ?6,
            departures = departures + (active = 1 AND ?5 = 0),
            active = CASE WHEN ?5 = 1 THEN 1 WHEN active = 1 THEN 2 ELSE active END
            WHERE caller = ?1 AND id = ?2
            RETURNING id, resource, active, departures, created_at, changed_at";
        let active = i64::from(person.active.unwrap_or(true));
        let rows = self
            .query(
                CHANGE,
                vec![
                    id.into(),
                    person.user_name().as_str().into(),
                    resource(person).as_str().into(),
                    active.into(),
                    self.now.timestamp_millis().into(),
                ],
            )
            .await?;
        match self.kept(&rows)? {
            Some(kept) => Ok(kept),
            // Somebody else has the name, or nobody has the id any more.
            None => self.look(id).await.and(Err(Outcome::PersonTaken { user_name: person.user_name() })),
        }
    }

    /// All accounts are gone; unless somebody said meanwhile that they are back.
    pub(crate) async fn left(&self, id: &str, departures: i64) -> Result<(), Outcome> {
        const LEFT: &str = "UPDATE identities SET active = 0
            WHERE caller = ?1 AND id = ?2 AND departures = ?3 AND active = 2 RETURNING id";
        self.query(LEFT, vec![id.into(), departures.into()]).await.map(drop)
    }

    pub(crate) async fn leave(&self, id: &str) -> Result<StoredPerson, Outcome> {
        const LEAVE: &str = "UPDATE identities SET departures = departures + (active = 1),
            active = CASE WHEN active = 1 THEN 2 ELSE active END
            WHERE caller = ?1 AND id = ?2
            RETURNING id, resource, active, departures, created_at, changed_at";
        let rows = self.query(LEAVE, vec![id.into()]).await?;
        self.kept(&rows)?.ok_or_else(|| Outcome::PersonUnknown { id: id.to_owned() })
    }

    pub(crate) async fn delete(&self, id: &str, departures: i64) -> Result<(), Outcome> {
        const DELETE: &str = "DELETE FROM identities WHERE caller = ?1 AND id = ?2 AND departures = ?3 AND active <> 1";
        self.query(DELETE, vec![id.into(), departures.into()]).await.map(drop)
    }

    pub(crate) async fn list(
        &self,
        filter: Option<&Filter>,
        start: usize,
        count: usize,
    ) -> Result<(usize, Vec<StoredPerson>), Outcome> {
        const COUNT: &str = "SELECT count(*) FROM identities WHERE caller = ?1 AND (?2 IS NULL OR user_name = ?2)
            AND (?3 IS NULL OR json_extract(resource, '$.externalId') = ?3) AND (?4 IS NULL OR id = ?4)";
        const LIST: &str = "SELECT id, resource, active, departures, created_at, changed_at FROM identities
            WHERE caller = ?1 AND (?2 IS NULL OR user_name = ?2)
            AND (?3 IS NULL OR json_extract(resource, '$.externalId') = ?3) AND (?4 IS NULL OR id = ?4)
            ORDER BY id LIMIT ?5 OFFSET ?6";
        let (mut user_name, mut external_id, mut id) = (None, None, None);
        match filter {
            Some(Filter::UserName(name)) => user_name = Some(name.to_lowercase()),
            Some(Filter::ExternalId(text)) => external_id = Some(text.clone()),
            Some(Filter::Id(text)) => id = Some(text.clone()),
            None => {}
        }
        let matching: Vec<Value> =
            vec![user_name.as_deref().into(), external_id.as_deref().into(), id.as_deref().into()];
        let rows = self.query(COUNT, matching.clone()).await?;
        let all = match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(all)) => usize::try_from(*all).unwrap_or_default(),
            _ => 0,
        };
        let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let page = [matching, vec![number(count), number(start.saturating_sub(1))]].concat();
        let rows = self.query(LIST, page).await?;
        let kept = rows.iter().map(|row| StoredPerson::read(row)).collect::<Result<_, _>>();
        Ok((all, kept.map_err(|why| ledger_down(self.host, &why))?))
    }
}

pub(crate) fn resource(person: &Person) -> String {
    serde_json::Value::Object(person.attributes.clone()).to_string()
}

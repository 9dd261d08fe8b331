//! People who leave, and those who stay: former names, and who is active.
//!
//! A person is looked for by the names that they had while they were active. Whose accounts are whose is not clear where another
//! active person has, or had, the same name.

use crate::config::leavers::Identity;
use crate::host::{Host, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::sql::other_columns;
use crate::request::person::Person;

const NEXT: &str = "SELECT id, resource, former_names FROM identities
    WHERE caller = ?1 AND id > ?2 AND active = 1 ORDER BY id LIMIT ?3";

pub(super) const STATEMENTS: &[&str] = &[NEXT];

/// How many former identities are kept of a person, the newest.
const FORMER: usize = 20;

/// How many people are read at once.
const BATCH: usize = 500;

/// The attributes of former identities that are kept: those that can name accounts.
const KEPT: [&str; 4] = ["userName", "externalId", "email", "employeeNumber"];

/// An active person of a directory.
pub(crate) struct ActivePerson {
    pub(crate) id: String,
    /// The attributes of now, and then those of before.
    pub(crate) identities: Vec<Identity>,
}

impl ActivePerson {
    fn read(row: &[Value]) -> Result<Self, StoreError> {
        let [Value::Text(id), Value::Text(resource), former] = row else {
            return other_columns();
        };
        let person = Person::kept(resource, true);
        let person = person.ok_or_else(|| StoreError::Failed("a person in the directory cannot be read".into()))?;
        let mut identities = vec![person.identity(id)];
        identities.extend(Former::read(former)?.identities(id));
        Ok(Self { id: id.clone(), identities })
    }
}

/// What a person was called, oldest first: the column `former_names`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Former(Vec<Identity>);

impl Former {
    /// Reads the column. Names that cannot be read are an error, because accounts under them would stay.
    pub(crate) fn read(column: &Value) -> Result<Self, StoreError> {
        match column {
            Value::Null => Ok(Self::default()),
            Value::Text(text) => serde_json::from_str(text)
                .map(Self)
                .map_err(|error| StoreError::Failed(format!("former names in the directory cannot be read: {error}"))),
            _ => other_columns(),
        }
    }

    /// The column.
    pub(crate) fn column(&self) -> Value {
        if self.0.is_empty() { Value::Null } else { serde_json::json!(self.0).to_string().as_str().into() }
    }

    /// Adds what a person is called, unless it is known.
    #[must_use]
    pub(crate) fn with(mut self, person: &Person) -> Self {
        let mut identity = person.identity("");
        identity.retain(|name, value| KEPT.contains(&name.as_str()) && !value.is_empty());
        self.0.retain(|known| *known != identity);
        self.0.push(identity);
        let more = self.0.len().saturating_sub(FORMER);
        self.0.drain(..more);
        self
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the identities of a person, the newest first.
    pub(crate) fn identities(&self, id: &str) -> Vec<Identity> {
        let of = |identity: &Identity| {
            let mut identity = identity.clone();
            identity.insert("id".to_owned(), id.to_owned());
            identity
        };
        self.0.iter().rev().map(of).collect()
    }
}

impl<H: Host> Ledger<'_, H> {
    /// The next active people of a caller, by id. None are left once there are none.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub(crate) async fn active_people(&self, caller: &str, after: &str) -> Result<Vec<ActivePerson>, StoreError> {
        let batch = Value::Integer(i64::try_from(BATCH).unwrap_or(i64::MAX));
        let rows = self.host().query(NEXT, vec![caller.into(), after.into(), batch]).await?;
        rows.iter().map(|row| ActivePerson::read(row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(user_name: &str) -> Person {
        Person::kept(&format!(r#"{{"userName":"{user_name}","displayName":"{user_name}"}}"#), true).unwrap()
    }

    #[test]
    fn former_names_are_kept_once_each_and_the_newest_of_many() {
        let former = Former::default().with(&person("a")).with(&person("b")).with(&person("a"));
        let names = |former: &Former| {
            former.identities("7").iter().map(|identity| identity["userName"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&former), ["a", "b"]);
        let expected = [("id", "7"), ("userName", "a")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(former.identities("7")[0], Identity::from(expected));
        assert_eq!(Former::read(&former.column()).unwrap(), former);
        let many = (0..25).fold(Former::default(), |former, number| former.with(&person(&number.to_string())));
        assert_eq!((names(&many).len(), names(&many)[0].as_str(), names(&many)[19].as_str()), (20, "24", "5"));
        assert_eq!(Former::read(&Value::Null).unwrap(), Former::default());
        assert_eq!(Former::default().column(), Value::Null);
    }

    #[test]
    fn former_names_that_cannot_be_read_are_an_error() {
        for text in ["", "{}", "[1]"] {
            assert!(Former::read(&text.into()).unwrap_err().to_string().starts_with("former names"), "{text}");
        }
    }
}

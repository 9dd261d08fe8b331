//! Where the ledger is: what the Spin variable `ledger` says.
//!
//! Empty: SQLite, the database `default` of the component. An address of PostgreSQL, as a URL or as keywords: that server.
//! `memory`: SQLite, also where it ends with the instance, for trials.
//!
//! Not supported: MySQL, which `spin:mysql` would reach, and libSQL: docs/operations.md says why.

use crate::host::DatabaseKind;
use crate::ledger::sql::schema;
use crate::secret::Secret;

/// What the gateway asks of each connection, unless the address has options of its own: the schema that the ledger is in, and
/// limits, so that a statement ends before its request does.
const OPTIONS: &str =
    concat!("-c search_path=", schema!(), " -c statement_timeout=5s -c lock_timeout=3s -c synchronous_commit=on");

/// Where the ledger is.
#[derive(Debug, Clone)]
pub enum Location {
    /// SQLite, in a file.
    Sqlite,
    /// SQLite, in memory as well.
    Trial,
    /// The address of a PostgreSQL server, with the user's password.
    Postgres(Secret),
}

impl Location {
    /// Reads the variable's value; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without the value, which may have a password in it.
    pub fn parse(value: Option<&Secret>) -> Result<Self, &'static str> {
        let Some(value) = value else { return Ok(Self::Sqlite) };
        let address = value.expose().trim();
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme));
        // Keywords of libpq: `host=db.internal user=offboard …`, in any order.
        let is_keywords = !is_url && address.split_whitespace().any(|word| word.starts_with("host="));
        let with_options = match address {
            "" => return Ok(Self::Sqlite),
            "memory" => return Ok(Self::Trial),
            _ if !is_url && !is_keywords => {
                return Err(
                    "the variable `ledger` is neither empty nor `memory` nor an address of PostgreSQL; write `postgres://user:password@host/database`",
                );
            }
            _ if address.contains("options=") => address.to_owned(),
            _ if is_keywords => format!("{address} options='{OPTIONS}'"),
            _ => {
                let options = percent_encoding::utf8_percent_encode(OPTIONS, percent_encoding::NON_ALPHANUMERIC);
                let separator = if address.contains('?') { '&' } else { '?' };
                format!("{address}{separator}options={options}")
            }
        };
        Secret::new(with_options).map(Self::Postgres).ok_or("the variable `ledger` has no address")
    }

    /// Which kind of database it is.
    pub fn kind(&self) -> DatabaseKind {
        match self {
            Self::Sqlite => DatabaseKind::Sqlite,
            Self::Trial => DatabaseKind::Trial,
            Self::Postgres(_) => DatabaseKind::Postgres,
        }
    }
}

/// Returns how answers and metrics name a kind of database.
pub fn name(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::Sqlite => "sqlite",
        DatabaseKind::Trial => "memory",
        DatabaseKind::Postgres => "postgres",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Location, &'static str> {
        Location::parse(Secret::new(value.to_owned()).as_ref())
    }

    fn address(value: &str) -> String {
        match parse(value) {
            Ok(Location::Postgres(address)) => address.expose().to_owned(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn what_the_variable_says() {
        for (value, expected) in
            [("", DatabaseKind::Sqlite), (" ", DatabaseKind::Sqlite), ("memory", DatabaseKind::Trial)]
        {
            assert_eq!(parse(value).map(|location| location.kind()), Ok(expected), "{value}");
        }
        for value in ["sqlite", "file.db", "mysql://a/b", "libsql://a", "Memory", "user=offboard dbname=host"] {
            assert!(parse(value).unwrap_err().starts_with("the variable `ledger` is neither"), "{value}");
        }
    }

    #[test]
    fn an_address_gets_the_options_that_the_ledger_needs() {
        assert_eq!(address("host=db user=offboard"), format!("host=db user=offboard options='{OPTIONS}'"));
        for (value, begins) in [
            ("postgres://u:p@db/offboard", "postgres://u:p@db/offboard?options=%2Dc%20search%5Fpath%3Doffboard%20"),
            ("postgresql://db/x?sslmode=require", "postgresql://db/x?sslmode=require&options=%2Dc%20"),
        ] {
            assert!(address(value).starts_with(begins), "{}", address(value));
        }
        for own in ["host=db options='-c search_path=mine'", "postgres://db/x?options=-c%20search_path%3Dmine"] {
            assert_eq!(address(own), own);
        }
    }
}

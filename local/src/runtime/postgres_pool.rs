//! The connections to PostgreSQL that all instances of a runtime share, in the pool that Spin uses.
//!
//! There is one pool for each address, as it is written, with 64 connections at most; the next `open` waits until one is
//! dropped, without limit. A connection is cleaned when it is taken again, not when it is dropped, and cleaning does not
//! roll back: a transaction that a component leaves open goes on in the next one. Connections are never closed while the
//! server keeps them.
//!
//! Not supported: forgetting addresses, which Spin does from the 17th on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use http::Uri;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres::{Client, NoTls};

use super::allowed_hosts::AllowedHosts;
use super::postgres_tls::MakeTls;

/// The connections of one address.
const SIZE: usize = 64;

/// The resource that the component holds. Dropping the last clone gives the connection back to its pool.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the bindings export it")]
pub struct PostgresConnection(Arc<Object>);

impl PostgresConnection {
    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

/// The pools of a runtime, by address. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Pools(Arc<Mutex<HashMap<String, Pool>>>);

impl Pools {
    /// Takes a connection, a new one if none is there and there are less than 64.
    ///
    /// # Errors
    ///
    /// If the address cannot be read, or there is no connection to take and the server refuses a new one.
    pub(super) async fn take(&self, address: &str) -> anyhow::Result<PostgresConnection> {
        let pool = self.pool(address).context("establishing PostgreSQL connection pool")?;
        Ok(PostgresConnection(Arc::new(pool.get().await?)))
    }

    fn pool(&self, address: &str) -> anyhow::Result<Pool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        let config: Config = address.parse().context("parsing Postgres connection string")?;
        let cleaned = ManagerConfig { recycling_method: RecyclingMethod::Clean };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, cleaned),
            _ => Manager::from_config(config, MakeTls, cleaned),
        };
        let pool = Pool::builder(manager).max_size(SIZE).build()?;
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }
}

/// Checks that spin.toml allows every host of the address.
///
/// # Errors
///
/// If the address cannot be read, a host is not allowed, or it is a Unix socket.
pub(super) fn check_hosts(address: &str, allowed: &AllowedHosts) -> Result<(), String> {
    for url in urls_of(address)? {
        if !url.parse().is_ok_and(|url: Uri| allowed.allow(&url)) {
            return Err(format!("address {url} is not permitted"));
        }
    }
    Ok(())
}

/// Returns the hosts of an address as URLs, as `allowed_outbound_hosts` has to allow them.
///
/// # Errors
///
/// If the address cannot be read, or a host is a Unix socket.
pub(crate) fn urls_of(address: &str) -> Result<Vec<String>, String> {
    let config: Config = address.parse().map_err(|error: tokio_postgres::Error| error.to_string())?;
    let ports = config.get_ports();
    let url = |(index, host): (usize, &Host)| {
        let Host::Tcp(name) = host else {
            return Err("Unix sockets are not supported on WebAssembly".to_owned());
        };
        // One port is that of all hosts.
        let port = ports.get(index).or_else(|| ports.first().filter(|_| ports.len() == 1));
        Ok(format!("postgres://{name}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
    };
    config.get_hosts().iter().enumerate().map(url).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;

    use super::*;
    use crate::postgres_server::{Server, TestDatabase};

    fn database() -> TestDatabase {
        Server::shared().unwrap().create_database().unwrap()
    }

    /// Returns the process of the server behind a connection.
    async fn process(connection: &PostgresConnection) -> i32 {
        connection.client().query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
    }

    async fn refused(address: &str) -> String {
        format!("{:?}", Pools::default().take(address).await.err().expect("it cannot connect"))
    }

    #[tokio::test]
    async fn a_dropped_connection_is_cleaned_when_it_is_taken_again() {
        let (database, pools) = (database(), Pools::default());
        let connection = pools.take(&database.address()).await.unwrap();
        connection.client().batch_execute("SET application_name = 'changed'").await.unwrap();
        let first = process(&connection).await;
        drop(connection);
        let connection = pools.take(&database.address()).await.unwrap();
        assert_eq!(process(&connection).await, first);
        let row = connection.client().query_one("SHOW application_name", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "");
        let other = pools.take(&format!("{} application_name=other", database.address())).await.unwrap();
        assert_ne!(process(&other).await, first);
    }

    #[tokio::test]
    async fn an_open_transaction_goes_on_in_the_next_component() {
        let (database, pools) = (database(), Pools::default());
        database.rows("CREATE TABLE t (x bigint)").unwrap();
        let connection = pools.take(&database.address()).await.unwrap();
        connection.client().batch_execute("BEGIN").await.unwrap();
        drop(connection);
        let connection = pools.take(&database.address()).await.unwrap();
        connection.client().execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
        assert!(database.rows("SELECT * FROM t").unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_65th_connection_is_waited_for() {
        let (database, pools) = (database(), Pools::default());
        let mut taken = Vec::new();
        for _ in 0..SIZE {
            taken.push(pools.take(&database.address()).await.unwrap());
        }
        let mut processes = BTreeSet::new();
        for connection in &taken {
            processes.insert(process(connection).await);
        }
        assert_eq!(processes.len(), SIZE);
        let address = database.address();
        let mut waiting = Box::pin(pools.take(&address));
        assert!((&mut waiting).now_or_never().is_none());
        taken.pop();
        assert!(processes.contains(&process(&waiting.await.unwrap()).await));
    }

    #[tokio::test]
    async fn a_connection_that_the_server_ended_is_replaced() {
        let (database, pools) = (database(), Pools::default());
        let connection = pools.take(&database.address()).await.unwrap();
        let first = process(&connection).await;
        drop(connection);
        database.rows(&format!("SELECT pg_terminate_backend({first}, 60000)")).unwrap();
        assert_ne!(process(&pools.take(&database.address()).await.unwrap()).await, first);
    }

    #[tokio::test]
    async fn a_connection_that_cannot_be_made_is_an_error_that_says_why() {
        let database = database();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (address, expected) in [
            (database.address_by(free, "owner"), "refused"),
            (database.address_by(database.server(), "stranger"), "role \"stranger\" does not exist"),
            (format!("{} sslmode=require", database.address()), "server does not support TLS"),
            ("host=a sslmode=verify-full".to_owned(), "parsing Postgres connection string"),
        ] {
            let error = refused(&address).await;
            assert!(error.contains(expected), "{address}: {error}");
        }
    }

    fn check(address: &str) -> Result<(), String> {
        let allowed = AllowedHosts::parse(&["postgres://a".to_owned(), "postgres://*:6000".to_owned()]).unwrap();
        check_hosts(address, &allowed)
    }

    #[test]
    fn every_host_of_an_address_has_to_be_allowed_with_its_port() {
        for address in [
            "host=a user=x",
            "host=a port=5432",
            "host=b,c port=6000",
            "host=a,b port=5432,6000",
            "postgres://x@a/d",
            "postgresql://x@b:6000/d",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
        for (address, host) in
            [("host=b", "b"), ("host=a port=5433", "a:5433"), ("host=a,b", "b"), ("host=b,c port=6000,7", "c:7")]
        {
            assert_eq!(check(address), Err(format!("address postgres://{host} is not permitted")), "{address}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused() {
        assert!(check("host=a sslmode=verify-full").unwrap_err().starts_with("invalid connection string"));
        assert_eq!(check("host=/run/postgresql").unwrap_err(), "Unix sockets are not supported on WebAssembly");
    }
}

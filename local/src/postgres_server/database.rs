//! A database of a server, and what is in it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, anyhow};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::OWNER;

/// A row, by the names of its columns: each value as PostgreSQL writes it, `None` for NULL.
pub type Row = BTreeMap<String, Option<String>>;

/// A database for one test.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    server: SocketAddr,
    name: String,
}

impl TestDatabase {
    pub(super) fn new(server: SocketAddr, name: String) -> Self {
        Self { server, name }
    }

    /// Returns the name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address in Spin's words, as the superuser. More settings may be added behind a space.
    #[must_use]
    pub fn address(&self) -> String {
        self.address_by(self.server, OWNER)
    }

    /// Returns the address of this database for a role, by a proxy that listens on `proxy` if it is not the server's own
    /// address.
    #[must_use]
    pub fn address_by(&self, proxy: SocketAddr, role: &str) -> String {
        format!("host={} port={} user={role} dbname={}", proxy.ip(), proxy.port(), self.name)
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Opens a connection as the superuser. It ends with the client, or with the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// If the server does not run.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        self.connect_by(self.server).await
    }

    /// Opens a connection as the superuser, by a proxy that listens on `proxy`.
    ///
    /// # Errors
    ///
    /// If the server or the proxy does not run, or the proxy lets nothing through.
    pub async fn connect_by(&self, proxy: SocketAddr) -> anyhow::Result<Client> {
        self.connect_as(proxy, OWNER).await
    }

    /// Opens a connection as a role of one's own, by the server or a proxy that listens there.
    ///
    /// # Errors
    ///
    /// If the server or the proxy does not run, or the server does not take the role.
    pub async fn connect_as(&self, server: SocketAddr, role: &str) -> anyhow::Result<Client> {
        let address = self.address_by(server, role);
        let (client, connection) =
            tokio_postgres::connect(&address, NoTls).await.context("cannot connect to PostgreSQL")?;
        // What ends a connection is told to the client.
        tokio::spawn(async move { drop(connection.await) });
        Ok(client)
    }

    /// Runs statements as the superuser, each without parameters, on a connection of their own. Returns the rows of all of
    /// them. Blocks, and may be called from asynchronous tests.
    ///
    /// # Errors
    ///
    /// If the server does not run, or a statement fails; those before it in the same text are rolled back then.
    pub fn rows(&self, statements: &str) -> anyhow::Result<Vec<Row>> {
        let work = async {
            let client = self.connect().await?;
            let messages = client.simple_query(statements).await;
            let messages = messages.with_context(|| format!("PostgreSQL refuses `{statements}`"))?;
            anyhow::Ok(messages.iter().filter_map(row).collect())
        };
        // A thread of its own, because a runtime cannot block inside another one.
        let joined = thread::scope(|scope| scope.spawn(|| runtime()?.block_on(work)).join());
        joined.unwrap_or_else(|_| Err(anyhow!("the thread of the query panicked")))
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn row(message: &SimpleQueryMessage) -> Option<Row> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let names = row.columns().iter().map(|column| column.name().to_owned());
    Some(names.enumerate().map(|(index, name)| (name, row.get(index).map(str::to_owned))).collect())
}

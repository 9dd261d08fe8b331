//! `spin:postgres@4.2.0`, on Spin's own client and pool.
//!
//! A statement is prepared each time, so it takes two round trips. Its columns come with its first row, and a result without
//! rows has none; then the rows one by one, then the result. An error before the first row can be that of `query` itself;
//! every later one is the result. The row of a `RETURNING` comes before its commit: only a result that is `Ok`, after the
//! last row was read, says that it is committed. As in Spin, the result can also be `Ok` if the component drops the rows
//! before their end. A statement whose call the component drops runs on.
//!
//! Not supported: the calls that block the instance (`open`, `query`, `execute`), the builder of connections with a
//! certificate of its own, Spin's limits on connections and on the size of a result, and some types: see
//! [`super::postgres_values`], and [`super::postgres_tls`] for how TLS differs.

use std::pin::Pin;
use std::sync::Arc;

use anyhow::anyhow;
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use super::allowed_hosts::AllowedHosts;
use super::bindings::spin::postgres::postgres::{
    Column, DbValue, Error, Host, HostConnection, HostConnectionWithStore, ParameterValue,
};
use super::meter::Meter;
use super::postgres_errors::{connection_failed, query_failed, unreadable};
use super::postgres_pool::{Pools, PostgresConnection, check_hosts};
use super::postgres_values::{columns_of, parameters, values_of};
use super::row_stream::{ROWS_AHEAD, RowStream};

/// What comes of a statement that has begun.
struct Execution {
    columns: Vec<Column>,
    rows: mpsc::Receiver<Vec<DbValue>>,
    result: oneshot::Receiver<Result<(), Error>>,
}

/// Starts a statement, and returns with its first row or its end.
async fn start(
    client: &tokio_postgres::Client,
    statement: &str,
    values: Vec<ParameterValue>,
) -> Result<Execution, Error> {
    let values = parameters(values).map_err(Error::BadParameter)?;
    let answer = client.query_raw(statement, values).await.map_err(|error| query_failed(&error))?;
    let (columns_sender, columns) = oneshot::channel();
    let (rows_sender, rows) = mpsc::channel(ROWS_AHEAD);
    let (result_sender, result) = oneshot::channel();
    let answer = Answer { answer: Box::pin(answer), columns: Some(columns_sender), rows: rows_sender };
    tokio::spawn(async move {
        let result = answer.pass_on().await;
        // An error: the component has dropped the future.
        let _ = result_sender.send(result);
    });
    // An error: there was no row.
    Ok(Execution { columns: columns.await.unwrap_or_default(), rows, result })
}

/// The answer of the server, and where it goes.
struct Answer {
    answer: Pin<Box<tokio_postgres::RowStream>>,
    columns: Option<oneshot::Sender<Vec<Column>>>,
    rows: mpsc::Sender<Vec<DbValue>>,
}

impl Answer {
    /// Passes rows on until the last one, an error, or until the component has dropped them.
    async fn pass_on(mut self) -> Result<(), Error> {
        loop {
            let row = tokio::select! {
                biased;
                () = self.rows.closed() => return Ok(()),
                row = self.answer.next() => row,
            };
            let Some(row) = row else { return Ok(()) };
            let row = row.map_err(|error| query_failed(&error))?;
            if let Some(columns) = self.columns.take() {
                // An error: the component has dropped the call.
                let _ = columns.send(columns_of(&row));
            }
            let values = values_of(&row).map_err(|error| unreadable(&error))?;
            self.rows.send(values).await.map_err(|error| unreadable(&anyhow!("async error: {error}")))?;
        }
    }
}

/// Marks the interface for the linker.
pub(crate) struct Postgres;

/// The data that the interface works on.
pub(crate) struct PostgresView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) pools: &'a Pools,
    pub(crate) allowed_hosts: &'a Arc<AllowedHosts>,
    pub(crate) meter: &'a Option<Meter>,
}

impl HasData for Postgres {
    type Data<'a> = PostgresView<'a>;
}

impl Host for PostgresView<'_> {}

impl HostConnection for PostgresView<'_> {
    fn drop(&mut self, connection: Resource<PostgresConnection>) -> wasmtime::Result<()> {
        // The pool has it back now, be it inside a transaction.
        self.table.delete(connection)?;
        Ok(())
    }
}

/// Returns the connection of this handle, for a statement, which is counted in a metered runtime.
fn for_statement<T>(
    accessor: &Accessor<T, Postgres>,
    handle: &Resource<PostgresConnection>,
) -> wasmtime::Result<PostgresConnection> {
    accessor.with(|mut access| {
        let view = access.get();
        if let Some(meter) = view.meter {
            meter.add_statement();
        }
        Ok(view.table.get(handle)?.clone())
    })
}

impl<T: 'static> HostConnectionWithStore<T> for Postgres {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<PostgresConnection>, Error>> {
        let (pools, allowed_hosts) = accessor.with(|mut access| {
            let view = access.get();
            (view.pools.clone(), view.allowed_hosts.clone())
        });
        if let Err(message) = check_hosts(&address, &allowed_hosts) {
            return Ok(Err(Error::ConnectionFailed(message)));
        }
        match pools.take(&address).await {
            Ok(connection) => accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?))),
            Err(error) => Ok(Err(connection_failed(&error))),
        }
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<PostgresConnection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<(Vec<Column>, StreamReader<Vec<DbValue>>, FutureReader<Result<(), Error>>), Error>>
    {
        let connection = for_statement(accessor, &handle)?;
        let Execution { columns, rows, result } = match start(connection.client(), &statement, values).await {
            Ok(execution) => execution,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, RowStream(rows))?;
            let result = FutureReader::new(&mut access, result)?;
            Ok(Ok((columns, rows, result)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<PostgresConnection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let connection = for_statement(accessor, &handle)?;
        let values = match parameters(values) {
            Ok(values) => values,
            Err(message) => return Ok(Err(Error::BadParameter(message))),
        };
        let affected = connection.client().execute_raw(&statement, values).await;
        Ok(affected.map_err(|error| query_failed(&error)))
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::{Source, StreamConsumer, StreamResult};

    use super::super::bindings::spin::postgres::postgres::{DbDataType, QueryError};
    use super::super::engine::EngineKind;
    use super::*;
    use crate::postgres_server::{Server, TestDatabase};

    fn database() -> TestDatabase {
        Server::shared().unwrap().create_database().unwrap()
    }

    async fn open(database: &TestDatabase) -> PostgresConnection {
        Pools::default().take(&database.address()).await.unwrap()
    }

    /// What a statement came to.
    struct Executed {
        columns: Vec<Column>,
        rows: Vec<Vec<DbValue>>,
        result: Result<(), Error>,
    }

    async fn query(connection: &PostgresConnection, statement: &str, values: Vec<ParameterValue>) -> Executed {
        match start(connection.client(), statement, values).await {
            Ok(mut execution) => {
                let mut rows = Vec::new();
                while let Some(row) = execution.rows.recv().await {
                    rows.push(row);
                }
                Executed { columns: execution.columns, rows, result: execution.result.await.unwrap() }
            }
            Err(error) => Executed { columns: Vec::new(), rows: Vec::new(), result: Err(error) },
        }
    }

    /// Returns the one value of a statement without parameters.
    async fn value(connection: &PostgresConnection, statement: &str) -> DbValue {
        let executed = query(connection, statement, vec![]).await;
        executed.result.unwrap();
        executed.rows.into_iter().next().unwrap().remove(0)
    }

    /// Returns SQLSTATE and the name of the constraint, or the text of an error that the server did not send.
    fn reason(result: Result<(), Error>) -> (String, Option<String>) {
        match result {
            Err(Error::QueryFailed(QueryError::DbError(error))) => {
                let constraint = error.extras.into_iter().find(|(name, _)| name == "constraint");
                (error.code, constraint.map(|(_, value)| value))
            }
            Err(Error::QueryFailed(QueryError::Text(text)) | Error::BadParameter(text)) => (text, None),
            other => panic!("expected an error of the statement, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn every_kind_of_value_comes_back_as_it_went() {
        let statement = "SELECT CAST($1 AS bigint) AS a, CAST($2 AS text), CAST($3 AS boolean), CAST($4 AS smallint), \
             CAST($5 AS integer), CAST($6 AS double precision), CAST($7 AS bytea), CAST($8 AS text[]), CAST($9 AS text)";
        let values = vec![
            ParameterValue::Int64(i64::MIN),
            ParameterValue::Str("ünïcode".to_owned()),
            ParameterValue::Boolean(true),
            ParameterValue::Int16(-1),
            ParameterValue::Int32(7),
            ParameterValue::Floating64(1.5),
            ParameterValue::Binary(vec![0, 255]),
            ParameterValue::ArrayStr(vec![Some("a".to_owned()), None]),
            ParameterValue::DbNull,
        ];
        let sent = format!("{values:?}").replace("ParameterValue", "DbValue");
        let executed = query(&open(&database()).await, statement, values).await;
        executed.result.unwrap();
        assert_eq!((executed.columns[0].name.as_str(), executed.columns.len()), ("a", 9));
        assert!(matches!(executed.columns[0].data_type, DbDataType::Int64));
        assert_eq!(format!("{:?}", executed.rows[0]), sent);
    }

    #[tokio::test]
    async fn other_types_are_bytes_and_timestamptz_is_an_error() {
        let connection = open(&database()).await;
        assert!(matches!(value(&connection, "SELECT CAST('1' AS json)").await, DbValue::Unsupported(_)));
        assert!(matches!(value(&connection, "SELECT CAST(NULL AS json)").await, DbValue::DbNull));
        let (text, _) = reason(query(&connection, "SELECT now()", vec![]).await.result);
        assert!(text.contains("error deserializing column 0"), "{text}");
    }

    #[tokio::test]
    async fn a_parameter_that_does_not_fit_is_an_error_before_the_statement_runs() {
        let connection = open(&database()).await;
        for (statement, values, expected) in [
            ("SELECT CAST($1 AS integer)", vec![ParameterValue::Int64(1)], "ToSql(0)"),
            ("SELECT CAST($1 AS bigint)", vec![ParameterValue::Str("1".to_owned())], "ToSql(0)"),
            ("SELECT 1", vec![ParameterValue::DbNull], "Parameters(1, 0)"),
            ("SELECT 1", vec![ParameterValue::Uuid(String::new())], "does not support"),
        ] {
            let (text, _) = reason(query(&connection, statement, values).await.result);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[tokio::test]
    async fn an_error_of_the_server_comes_with_its_fields() {
        let (database, parameter) = (database(), || vec![ParameterValue::Int64(1)]);
        database.rows("CREATE TABLE t (x bigint CONSTRAINT once UNIQUE)").unwrap();
        let connection = open(&database).await;
        let insert = "INSERT INTO t VALUES ($1)";
        let executed = query(&connection, insert, parameter()).await;
        assert!(executed.columns.is_empty() && executed.rows.is_empty() && executed.result.is_ok());
        let executed = start(connection.client(), insert, parameter()).await.expect("the error is the result");
        let error = executed.result.await.unwrap();
        let Err(Error::QueryFailed(QueryError::DbError(fields))) = &error else { panic!("{error:?}") };
        assert_eq!(
            (fields.severity.as_str(), fields.detail.as_deref()),
            ("ERROR", Some("Key (x)=(1) already exists."))
        );
        assert!(fields.message.contains("duplicate key") && fields.as_text.contains("23505"));
        assert_eq!(reason(error), ("23505".to_owned(), Some("once".to_owned())));

        for (statement, code) in [("SELEC", "42601"), ("SELECT 1; SELECT 2", "42601"), ("SELECT * FROM no", "42P01")] {
            let error = start(connection.client(), statement, vec![]).await.err().expect("the error is the call's");
            assert_eq!(reason(Err(error)).0, code);
        }
        // Three rows come before the error.
        let executed = query(&connection, "SELECT 6 / (3 - x) FROM generate_series(0, 3) x", vec![]).await;
        assert_eq!((executed.rows.len(), reason(executed.result).0.as_str()), (3, "22012"));
    }

    #[tokio::test]
    async fn rows_wait_for_the_component() {
        let connection = open(&database()).await;
        let numbers = "SELECT x FROM generate_series(1, 100000) x";
        let mut execution = start(connection.client(), numbers, vec![]).await.unwrap();
        assert_eq!(execution.columns[0].name, "x");
        assert!(matches!(execution.rows.recv().await.unwrap()[0], DbValue::Int32(1)));
        assert!(execution.result.try_recv().is_err());
        let mut count = 1;
        while execution.rows.recv().await.is_some() {
            count += 1;
        }
        assert_eq!(count, 100_000);
        execution.result.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn rows_that_the_component_drops_end_the_result() {
        let connection = open(&database()).await;
        let numbers = "SELECT x FROM generate_series(1, 100000) x";
        let Execution { rows, result, .. } = start(connection.client(), numbers, vec![]).await.unwrap();
        drop(rows);
        // Whether the statement had ended by then decides which.
        let _ = result.await.expect("a result");
        assert!(matches!(value(&connection, "SELECT 1").await, DbValue::Int32(1)));
    }

    #[tokio::test]
    async fn a_server_that_ends_is_told_apart_from_a_connection_that_is_cut() {
        let mut server = Server::start(crate::postgres_server::ServerOptions::default()).unwrap();
        let database = server.create_database().unwrap();
        let pools = Pools::default();
        let (connection, idle) =
            (pools.take(&database.address()).await.unwrap(), pools.take(&database.address()).await);
        drop(idle);
        server.kill().unwrap();
        let (text, _) = reason(query(&connection, "SELECT 1", vec![]).await.result);
        assert!(text.contains("Closed") || text.contains("Io"), "{text}");
        let refused = pools.take(&database.address()).await.err().expect("no server");
        assert!(matches!(connection_failed(&refused), Error::ConnectionFailed(text) if text.contains("refused")));

        server.restart().unwrap();
        let connection = pools.take(&database.address()).await.unwrap();
        let sleep = query(&connection, "SELECT pg_sleep(60)", vec![]);
        let stop = async {
            // Stops the server once it runs the statement.
            let running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%sleep(60)' AND state = 'active' AND pid <> pg_backend_pid()";
            while database.rows(running).unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            server.stop().unwrap();
        };
        let (executed, ()) = tokio::join!(sleep, stop);
        assert_eq!(reason(executed.result).0, "57P01");
    }

    struct State {
        table: ResourceTable,
        pools: Pools,
        allowed_hosts: Arc<AllowedHosts>,
        meter: Option<Meter>,
    }

    impl State {
        fn view(&mut self) -> PostgresView<'_> {
            let Self { table, pools, allowed_hosts, meter } = self;
            PostgresView { table, pools, allowed_hosts, meter }
        }
    }

    /// Reads a stream as a component does.
    struct Rows(mpsc::UnboundedSender<Vec<DbValue>>);

    impl<D> StreamConsumer<D> for Rows {
        type Item = Vec<DbValue>;

        fn poll_consume(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            store: wasmtime::StoreContextMut<'_, D>,
            mut source: Source<'_, Self::Item>,
            _: bool,
        ) -> std::task::Poll<wasmtime::Result<StreamResult>> {
            let mut row = None;
            source.read(store, &mut row)?;
            // An error: the test has ended.
            row.and_then(|row| self.0.send(row).err());
            std::task::Poll::Ready(Ok(StreamResult::Completed))
        }
    }

    #[tokio::test]
    async fn a_component_opens_a_connection_runs_statements_and_gives_it_back() {
        let (database, meter) = (database(), Meter::new());
        let allowed = AllowedHosts::parse(&[format!("postgres://{}", database.server())]).unwrap();
        let state = State {
            table: ResourceTable::new(),
            pools: Pools::default(),
            allowed_hosts: Arc::new(allowed),
            meter: Some(meter.clone()),
        };
        let mut store = wasmtime::Store::new(EngineKind::Spin.engine().unwrap(), state);
        let address = database.address();
        let work = store.run_concurrent(async |accessor| {
            let accessor = &accessor.with_getter::<Postgres>(State::view);
            let denied = Postgres::open_async(accessor, "host=192.0.2.1".to_owned()).await?;
            let is_denied = |text| text == "address postgres://192.0.2.1 is not permitted";
            assert!(matches!(denied, Err(Error::ConnectionFailed(text)) if is_denied(text.as_str())));

            let connection = Postgres::open_async(accessor, address).await?.unwrap();
            let handle = || Resource::new_borrow(connection.rep());
            let create = "CREATE TABLE t (x bigint)".to_owned();
            assert_eq!(Postgres::execute_async(accessor, handle(), create, vec![]).await?.unwrap(), 0);
            let (insert, values) = ("INSERT INTO t VALUES (1), ($1)".to_owned(), vec![ParameterValue::Int64(2)]);
            assert_eq!(Postgres::execute_async(accessor, handle(), insert, values).await?.unwrap(), 2);
            let select = "SELECT x FROM t ORDER BY x".to_owned();
            let (columns, rows, mut result) = Postgres::query_async(accessor, handle(), select, vec![]).await?.unwrap();
            let (sender, mut received) = mpsc::unbounded_channel();
            accessor.with(|mut access| {
                rows.pipe(&mut access, Rows(sender))?;
                result.close(&mut access)
            })?;
            assert_eq!(columns[0].name, "x");
            for expected in [1, 2] {
                assert!(matches!(received.recv().await.unwrap()[..], [DbValue::Int64(x)] if x == expected));
            }
            assert!(received.recv().await.is_none());
            accessor.with(|mut access| access.get().drop(connection))
        });
        work.await.unwrap().unwrap();
        assert_eq!(meter.take().statements, 3);
    }
}

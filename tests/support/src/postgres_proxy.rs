//! A proxy between the gateway and a PostgreSQL server, for what goes wrong on the way: a connection that is cut before the
//! server has run a statement, while it runs, or after it has; a network that swallows everything; a server that is away.
//!
//! A statement is a `Bind` of the extended protocol: what `spin:postgres` sends for each `query` and `execute`. What a pool
//! sends to clean a connection is none.
//!
//! Not supported: TLS, several statements at once on one connection.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::postgres_messages::{FirstAnswer, Message, tagged, untagged};

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everything passes.
    Up,
    /// Connections are accepted and stay open, and nothing passes. A connection that has lost something stays silent, be
    /// the network up again.
    Silent,
    /// New connections are refused. Those that are open stay.
    Refusing,
}

/// When a connection is cut, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never gets the statement.
    BeforeRun,
    /// The server has got the statement, and runs it to its end or not.
    WhileRunning,
    /// The server has run the statement and committed it, or refused it; the client gets nothing of the answer.
    AfterRun,
}

/// A running proxy. Dropping it closes everything.
pub struct PostgresProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

/// What the connections share.
struct Shared {
    server: SocketAddr,
    plan: Mutex<Plan>,
    network: watch::Sender<Network>,
    /// The network that new connections meet.
    applied: watch::Sender<Network>,
    /// Changes when all connections are to be closed.
    closings: watch::Sender<usize>,
    /// How many connections were cut or have lost something.
    happened: watch::Sender<usize>,
}

#[derive(Default)]
struct Plan {
    statements: usize,
    /// At which statement.
    cut: Option<(usize, Cut)>,
}

impl PostgresProxy {
    /// Starts a proxy on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            plan: Mutex::default(),
            network: watch::Sender::new(Network::Up),
            applied: watch::Sender::new(Network::Up),
            closings: watch::Sender::new(0),
            happened: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, address, shared.clone())).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to connections. Returns when new ones meet it.
    pub async fn set(&self, network: Network) {
        self.shared.network.send_replace(network);
        // The sender is `self`'s, so the channel is open.
        let _ = self.shared.applied.subscribe().wait_for(|applied| *applied == network).await;
    }

    /// Cuts the connection of the statement with this number from now on: 1 is the next one. It takes the place of a cut
    /// that was planned before.
    pub fn cut(&self, number: usize, cut: Cut) {
        let mut plan = self.shared.plan();
        plan.cut = Some((plan.statements + number, cut));
    }

    /// Waits until that many connections were cut, or have lost something on a silent network, since the start.
    pub async fn happened(&self, times: usize) {
        // The sender is `self`'s, so the channel is open.
        let _ = self.shared.happened.subscribe().wait_for(|happened| *happened >= times).await;
    }

    /// Closes every connection, on both sides.
    pub fn close_all(&self) {
        self.shared.closings.send_modify(|closings| *closings += 1);
    }

    /// Returns how many statements came by since the start.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.shared.plan().statements
    }
}

impl Drop for PostgresProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something that went wrong.
    fn count(&self) {
        self.happened.send_modify(|happened| *happened += 1);
    }

    /// Counts a statement, and returns what is planned for it.
    fn next_statement(&self) -> Option<Cut> {
        let mut plan = self.plan();
        plan.statements += 1;
        let (number, cut) = plan.cut?;
        (number == plan.statements).then(|| {
            plan.cut = None;
            cut
        })
    }
}

/// Accepts connections until it is aborted, which closes them as well.
async fn accept(mut listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) -> io::Result<()> {
    let mut network = shared.network.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let now = *network.borrow_and_update();
        if now == Network::Refusing {
            // A socket that is bound and does not listen keeps the port and refuses.
            drop(listener);
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            shared.applied.send_replace(now);
            if network.wait_for(|network| *network != Network::Refusing).await.is_err() {
                return Ok(());
            }
            listener = socket.listen(1024)?;
            continue;
        }
        shared.applied.send_replace(now);
        tokio::select! {
            changed = network.changed() => if changed.is_err() { return Ok(()) },
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                connections.spawn(carry(client, shared.clone()));
            }
        }
    }
}

/// Carries a connection until one side ends it or it is cut.
async fn carry(client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut closings = shared.closings.subscribe();
    if *shared.network.borrow() == Network::Silent {
        shared.count();
        // Until the test closes it.
        let _ = closings.changed().await;
        return Ok(());
    }
    let server = TcpStream::connect(shared.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (first_answers, awaited) = mpsc::unbounded_channel();
    let answers = Answers::default();
    let up = Up {
        reader: BufReader::new(from_client),
        writer: to_server,
        first_answers,
        answers: answers.clone(),
        shared: shared.clone(),
    };
    let down = Down { reader: BufReader::new(from_server), writer: to_client, answers, shared };
    tokio::select! {
        // Dropping both directions closes both sides.
        ended = up.carry() => ended,
        ended = down.carry(awaited) => ended,
        _ = closings.changed() => Ok(()),
    }
}

/// For each statement that the server has and has not answered: whether its answer is to be lost.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<VecDeque<bool>>>);

impl Answers {
    fn push(&self, is_lost: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(is_lost);
    }

    fn pop(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(false)
    }
}

/// From the client to the server.
struct Up {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    first_answers: mpsc::UnboundedSender<FirstAnswer>,
    answers: Answers,
    shared: Arc<Shared>,
}

impl Up {
    async fn carry(mut self) -> io::Result<()> {
        loop {
            let (message, answer) = untagged(&mut self.reader).await?;
            // An error: the other direction has ended.
            let _ = self.first_answers.send(answer);
            self.pass(&message).await?;
            if answer == FirstAnswer::Messages {
                break;
            }
        }
        loop {
            let message = tagged(&mut self.reader).await?;
            let cut = if message.tag == Some(b'B') { self.statement() } else { None };
            if cut == Some(Cut::BeforeRun) {
                break;
            }
            self.pass(&message).await?;
            if cut == Some(Cut::WhileRunning) {
                self.pass_to_sync().await?;
                break;
            }
        }
        self.shared.count();
        Ok(())
    }

    fn statement(&self) -> Option<Cut> {
        let cut = self.shared.next_statement();
        self.answers.push(cut == Some(Cut::AfterRun));
        cut
    }

    /// Passes on what belongs to the statement, up to the message that makes the server run it.
    async fn pass_to_sync(&mut self) -> io::Result<()> {
        loop {
            let message = tagged(&mut self.reader).await?;
            self.pass(&message).await?;
            if message.tag == Some(b'S') {
                return Ok(());
            }
        }
    }

    async fn pass(&mut self, message: &Message) -> io::Result<()> {
        pass(&mut self.writer, message, &self.shared).await
    }
}

/// From the server to the client.
struct Down {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    answers: Answers,
    shared: Arc<Shared>,
}

impl Down {
    async fn carry(mut self, mut awaited: mpsc::UnboundedReceiver<FirstAnswer>) -> io::Result<()> {
        while awaited.recv().await == Some(FirstAnswer::Byte) {
            let bytes = vec![self.reader.read_u8().await?];
            pass(&mut self.writer, &Message { tag: None, bytes }, &self.shared).await?;
        }
        loop {
            let message = tagged(&mut self.reader).await?;
            // BindComplete, or an error in its place.
            if matches!(message.tag, Some(b'2' | b'E')) && self.answers.pop() {
                break;
            }
            pass(&mut self.writer, &message, &self.shared).await?;
        }
        // ReadyForQuery comes after the commit.
        while tagged(&mut self.reader).await?.tag != Some(b'Z') {}
        self.shared.count();
        Ok(())
    }
}

/// Passes a message on. On a silent network it is lost, and so is all that would follow.
async fn pass(writer: &mut OwnedWriteHalf, message: &Message, shared: &Shared) -> io::Result<()> {
    if *shared.network.borrow() == Network::Silent {
        shared.count();
        return std::future::pending().await;
    }
    writer.write_all(&message.bytes).await
}

#[cfg(test)]
mod tests {
    use local::postgres_server::{Server, TestDatabase};

    use super::*;

    async fn start() -> (TestDatabase, PostgresProxy) {
        let database = Server::shared().unwrap().create_database().unwrap();
        database.rows("CREATE TABLE t (x bigint)").unwrap();
        let proxy = PostgresProxy::start(database.server()).await.unwrap();
        (database, proxy)
    }

    fn count(database: &TestDatabase) -> usize {
        database.rows("SELECT * FROM t").unwrap().len()
    }

    const INSERT: &str = "INSERT INTO t VALUES (1)";

    #[tokio::test]
    async fn a_connection_is_cut_at_a_statement_and_none_before_or_after() {
        let (database, proxy) = start().await;
        for (cut, rows) in [(Cut::BeforeRun, 1), (Cut::AfterRun, 2)] {
            database.rows("TRUNCATE t").unwrap();
            let client = database.connect_by(proxy.address()).await.unwrap();
            let before = proxy.statements();
            proxy.cut(2, cut);
            client.execute(INSERT, &[]).await.unwrap();
            let error = client.execute(INSERT, &[]).await.unwrap_err();
            assert!(error.is_closed() || format!("{error:?}").contains("Io"), "{error:?}");
            assert_eq!((count(&database), proxy.statements() - before), (rows, 2), "{cut:?}");
            let client = database.connect_by(proxy.address()).await.unwrap();
            client.execute(INSERT, &[]).await.unwrap();
        }
        proxy.happened(2).await;
    }

    #[tokio::test]
    async fn the_answer_that_is_lost_may_be_an_error_or_long() {
        let (database, proxy) = start().await;
        for statement in ["SELECT * FROM generate_series(1, 50000)", "SELECT 1 / (count(*) - count(*)) FROM t"] {
            let client = database.connect_by(proxy.address()).await.unwrap();
            proxy.cut(1, Cut::AfterRun);
            let error = client.query(statement, &[]).await.unwrap_err();
            assert!(error.as_db_error().is_none(), "{error:?}");
        }
        proxy.happened(2).await;
    }

    #[tokio::test]
    async fn a_statement_that_has_reached_the_server_runs_although_its_client_is_gone() {
        let (database, proxy) = start().await;
        let lock = database.connect().await.unwrap();
        lock.batch_execute("BEGIN; LOCK TABLE t").await.unwrap();
        let client = database.connect_by(proxy.address()).await.unwrap();
        // Preparing would wait for the lock as well.
        client
            .batch_execute("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (1); END'")
            .await
            .unwrap();
        proxy.cut(1, Cut::WhileRunning);
        client.execute("SELECT f()", &[]).await.unwrap_err();
        proxy.happened(1).await;
        lock.batch_execute("COMMIT").await.unwrap();
        while count(&database) == 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_silent_network_answers_nothing_until_it_is_closed() {
        let (database, proxy) = start().await;
        let open = database.connect_by(proxy.address()).await.unwrap();
        proxy.set(Network::Silent).await;
        let new = database.connect_by(proxy.address());
        let old = open.execute(INSERT, &[]);
        let close = async {
            proxy.happened(2).await;
            proxy.set(Network::Up).await;
            proxy.close_all();
        };
        let (new, old, ()) = tokio::join!(new, old, close);
        assert!(new.is_err() && old.is_err());
        assert_eq!(count(&database), 0);
        database.connect_by(proxy.address()).await.unwrap().execute(INSERT, &[]).await.unwrap();
    }

    #[tokio::test]
    async fn connections_are_refused_for_a_while_and_open_ones_stay() {
        let (database, proxy) = start().await;
        let open = database.connect_by(proxy.address()).await.unwrap();
        for _ in 0..2 {
            proxy.set(Network::Refusing).await;
            let error = format!("{:#}", database.connect_by(proxy.address()).await.unwrap_err());
            assert!(error.contains("refused"), "{error}");
            open.execute(INSERT, &[]).await.unwrap();
            proxy.set(Network::Up).await;
            database.connect_by(proxy.address()).await.unwrap();
        }
        assert_eq!(count(&database), 2);
    }
}

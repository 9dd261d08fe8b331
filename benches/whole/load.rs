//! The load: a closed loop of keep-alive connections, each sending its next request when the last one is answered.
//!
//! Requests are signed beforehand and answers read by hand, because the driver shares two cores with what it measures.
//! An answer that is not the expected one counts for nothing and is reported.
//!
//! Not supported: pipelining, TLS, trailers, an open loop (arrivals that do not wait): latencies are those of a system
//! that is kept busy by as many clients as there are connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// How long one request may take before its connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent, and how an answer looks that is right.
#[derive(Clone)]
pub(crate) struct Work {
    /// The requests as they go on the wire.
    pub(crate) requests: Rc<Vec<Bytes>>,
    /// The next one. Shared by all that send from the same store, so that none is sent twice.
    pub(crate) next: Rc<Cell<usize>>,
    /// Whether to begin again when all are sent.
    pub(crate) again: bool,
    /// What the body of a right answer contains; its status is 200.
    pub(crate) expected: &'static str,
}

impl Work {
    pub(crate) fn once(requests: Vec<Bytes>, expected: &'static str) -> Self {
        Self { requests: Rc::new(requests), next: Rc::default(), again: false, expected }
    }

    /// The same request over and over.
    pub(crate) fn repeat(request: Bytes, expected: &'static str) -> Self {
        Self { requests: Rc::new(vec![request]), next: Rc::default(), again: true, expected }
    }

    fn take(&self) -> Option<Bytes> {
        let number = self.next.get();
        self.next.set(number + 1);
        match self.again {
            true => self.requests.get(number % self.requests.len()).cloned(),
            false => self.requests.get(number).cloned(),
        }
    }
}

/// What came of a load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Seconds that were measured.
    pub(crate) seconds: f64,
    /// Microseconds of each right answer, sorted.
    pub(crate) latencies: Vec<u32>,
    /// Other answers, and how often each came.
    pub(crate) unexpected: BTreeMap<String, usize>,
}

impl Measured {
    /// Right answers a second.
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.latencies.len() as f64 / self.seconds } else { 0.0 }
    }

    /// Milliseconds that this part of the answers took at most.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * part).round() as usize;
        self.latencies.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    /// Milliseconds of an answer on average.
    pub(crate) fn mean(&self) -> f64 {
        let sum: f64 = self.latencies.iter().map(|micros| f64::from(*micros)).sum();
        sum / self.latencies.len() as f64 / 1000.0
    }

    /// Another slice of the same measurement.
    pub(crate) fn add(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        for (what, times) in other.unexpected {
            *self.unexpected.entry(what).or_default() += times;
        }
    }
}

#[derive(Default)]
struct Record {
    latencies: RefCell<Vec<u32>>,
    unexpected: RefCell<BTreeMap<String, usize>>,
}

/// Loads the addresses, by turns, from `connections` for as long as it takes to warm up, and then for `seconds`.
pub(crate) async fn run(
    addresses: &[SocketAddr],
    connections: usize,
    warm_up: Duration,
    seconds: Duration,
    work: &Work,
) -> anyhow::Result<Measured> {
    let record = Rc::new(Record::default());
    let begin = Instant::now() + warm_up;
    let end = begin + seconds;
    let local = LocalSet::new();
    let mut clients = Vec::new();
    for &address in addresses.iter().cycle().take(connections) {
        let (work, record) = (work.clone(), record.clone());
        clients.push(local.spawn_local(async move { client(address, begin, end, &work, &record).await }));
    }
    let ran_out = local
        .run_until(async {
            let mut ran_out = false;
            for client in clients {
                ran_out |= client.await??;
            }
            anyhow::Ok(ran_out)
        })
        .await?;
    let seconds = Instant::now().min(end).saturating_duration_since(begin).as_secs_f64();
    let mut latencies = record.latencies.take();
    latencies.sort_unstable();
    let mut unexpected = record.unexpected.take();
    if ran_out {
        unexpected.insert("the prepared requests ran out before the time".to_owned(), 1);
    }
    Ok(Measured { seconds, latencies, unexpected })
}

/// One connection, and another when it breaks. Whether the requests ran out.
async fn client(
    address: SocketAddr,
    begin: Instant,
    end: Instant,
    work: &Work,
    record: &Record,
) -> anyhow::Result<bool> {
    let mut connection = Connection::open(address).await?;
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(false);
        }
        let Some(request) = work.take() else { return Ok(true) };
        let answer = tokio::time::timeout(PATIENCE, connection.exchange(&request)).await;
        let done = Instant::now();
        let problem = match answer {
            Ok(Ok(status)) if status == 200 && contains(&connection.body, work.expected.as_bytes()) => None,
            Ok(Ok(status)) => Some(format!("{status} {}", without_numbers(&String::from_utf8_lossy(&connection.body)))),
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let is_closed = connection.closes || problem.as_ref().is_some_and(|_| connection.broken);
        match problem {
            // What happens while it warms up or after the end is not in the figures, but wrong is wrong.
            Some(problem) => *record.unexpected.borrow_mut().entry(problem).or_default() += 1,
            None if start >= begin && done <= end => {
                let micros = (done - start).as_micros().try_into().unwrap_or(u32::MAX);
                record.latencies.borrow_mut().push(micros);
            }
            None => {}
        }
        if is_closed {
            connection = Connection::open(address).await?;
        }
    }
}

/// The beginning of an answer, so that the same one about another account counts as the same.
fn without_numbers(body: &str) -> String {
    let mut text = String::new();
    for c in body.chars().take(200) {
        match c.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(c),
        }
    }
    text
}

fn contains(body: &[u8], expected: &[u8]) -> bool {
    expected.is_empty() || body.windows(expected.len()).any(|window| window == expected)
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    /// What came and is not read yet.
    unread: Vec<u8>,
    /// The body of the last answer.
    pub(crate) body: Vec<u8>,
    /// Whether the other side said that it closes.
    closes: bool,
    /// Whether it is of no more use.
    broken: bool,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to `{address}`"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::with_capacity(4096),
            body: Vec::with_capacity(4096),
            closes: false,
            broken: false,
        })
    }

    /// Sends a request and reads its answer; the status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.broken = true;
        self.closes = false;
        self.body.clear();
        self.stream.write_all(request).await.context("cannot send")?;
        let head_ends = loop {
            if let Some(at) = find(&self.unread, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = std::str::from_utf8(&self.unread[..head_ends])?.to_ascii_lowercase();
        let status: u16 = head.get(9..12).unwrap_or_default().parse().context("the answer has no status")?;
        let mut length = None;
        let mut chunked = false;
        for line in head.lines().skip(1) {
            match line.split_once(':') {
                Some(("content-length", value)) => length = Some(value.trim().parse::<usize>()?),
                Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
                Some(("connection", value)) => self.closes = value.trim() == "close",
                _ => {}
            }
        }
        self.unread.drain(..head_ends);
        match (chunked, length) {
            (true, _) => self.chunks().await?,
            (false, Some(length)) => self.take(length).await?,
            (false, None) => bail!("the answer has no length"),
        }
        self.broken = self.closes;
        Ok(status)
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.unread).await.context("the answer broke off")?;
        ensure!(read > 0, "the connection was closed before the answer was there");
        Ok(())
    }

    /// Moves this many bytes into the body.
    async fn take(&mut self, length: usize) -> anyhow::Result<()> {
        while self.unread.len() < length {
            self.more().await?;
        }
        self.body.extend(self.unread.drain(..length));
        Ok(())
    }

    async fn chunks(&mut self) -> anyhow::Result<()> {
        loop {
            let line = loop {
                if let Some(at) = find(&self.unread, b"\r\n") {
                    break at;
                }
                self.more().await?;
            };
            let size = std::str::from_utf8(&self.unread[..line])?.trim();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("`{size}` is not a chunk's size"))?;
            self.unread.drain(..line + 2);
            self.take(size).await?;
            while self.unread.len() < 2 {
                self.more().await?;
            }
            self.unread.drain(..2);
            if size == 0 {
                return Ok(());
            }
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

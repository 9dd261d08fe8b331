//! What a runtime is started with.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use wasmtime_wasi::HostWallClock;

use super::database::Database;
use super::logs::Logs;
use super::meter::Meter;

/// The options of a runtime. The default listens on a free local port, gives each instance a database of its own in memory
/// and sets no variable.
#[derive(Clone)]
pub struct Options {
    /// The spin.toml that is followed, instead of this repository's. Which component runs does not depend on it.
    pub spin_toml: Option<PathBuf>,
    /// The folder that the component sees as `/config`, instead of the folder in spin.toml.
    pub config: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The database with the state of the component.
    pub database: Database,
    /// Values for variables of spin.toml; the other variables have their defaults.
    pub variables: BTreeMap<String, String>,
    /// The time of day that the component sees.
    pub clock: Clock,
    /// Origins with a stand-in on this machine: a request to `https://hooks.slack.com` goes to `http://127.0.0.1:PORT`.
    /// The real name decides whether the component may send it.
    pub stand_ins: BTreeMap<String, String>,
    /// How instances are reused.
    pub reuse: Reuse,
    /// The destination of the component's output.
    pub logs: Logs,
    /// The collector that traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub traces: Option<String>,
    /// Counts what the component does. Its instances run in an engine of their own then, which is slower.
    pub meter: Option<Meter>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            spin_toml: None,
            config: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: Database::Memory,
            variables: BTreeMap::new(),
            clock: Clock::System,
            stand_ins: BTreeMap::new(),
            reuse: Reuse::default(),
            logs: Logs::stderr(),
            traces: None,
            meter: None,
        }
    }
}

/// How long an instance of the component lives. The defaults are Spin's.
#[derive(Debug, Clone, Copy)]
pub struct Reuse {
    /// The number of requests that an instance takes in its life.
    pub requests: usize,
    /// The number of requests that an instance takes at the same time.
    pub concurrent: usize,
    /// How long an idle instance waits for another request.
    pub idle: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Self { requests: 128, concurrent: 16, idle: Duration::from_secs(1) }
    }
}

/// The time of day that the component sees. Sleeps and timeouts always take real time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The clock of this machine.
    System,
    /// The time in this number, in milliseconds since 1970.
    Fixed(Arc<AtomicI64>),
    /// The clock of this machine, plus the milliseconds in this number.
    Shifted(Arc<AtomicI64>),
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let system = || std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        match self {
            Self::System => system(),
            Self::Shifted(milliseconds) => {
                let shift = milliseconds.load(Ordering::Relaxed);
                let magnitude = Duration::from_millis(shift.unsigned_abs());
                if shift < 0 { system().saturating_sub(magnitude) } else { system() + magnitude }
            }
            Self::Fixed(milliseconds) => {
                Duration::from_millis(milliseconds.load(Ordering::Relaxed).try_into().unwrap_or_default())
            }
        }
    }
}

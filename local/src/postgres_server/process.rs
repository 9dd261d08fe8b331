//! The processes of a server, and its log.
//!
//! The log is a pipe that all of them hold: the line that says that connections are accepted comes through it, and it ends
//! when the last of them has ended. The thread that reads it has started the server, so the server does not outlive it.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::ServerOptions;
use super::account::Account;
use super::folder::DataFolder;

/// How long a start or an end may take: an error where a test would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

const READY: &str = "database system is ready to accept connections";

/// Returns a port that is likely to be free: below those that Linux gives to outgoing connections, so that it stays free
/// while the server is stopped.
pub(super) fn random_port() -> u16 {
    let random = RandomState::new().build_hasher().finish();
    20_000 + u16::try_from(random % 12_000).unwrap_or_default()
}

/// What a server is started from.
pub(super) struct Start<'a> {
    pub(super) account: &'a Account,
    pub(super) postgres: &'a Path,
    pub(super) folder: &'a DataFolder,
    pub(super) port: u16,
    pub(super) options: &'a ServerOptions,
}

impl Start<'_> {
    /// Starts the server, and waits until it accepts connections. Returns `None` if the port is taken.
    pub(super) fn run(&self) -> anyhow::Result<Option<Postmaster>> {
        let (sender, events) = mpsc::channel();
        let log = Log::default();
        let (command, written) = (self.command(), log.clone());
        std::thread::spawn(move || watch(command, &written, &sender));
        let mut pid = None;
        loop {
            match events.recv_timeout(PATIENCE) {
                Ok(Event::Started(started)) => pid = Some(started),
                Ok(Event::Ready) => {
                    let pid = pid.context("the server has no process id")?;
                    return Ok(Some(Postmaster { pid, events: Mutex::new(events), log }));
                }
                Ok(Event::Ended(_)) if log.text().contains("could not bind") => return Ok(None),
                Ok(Event::Ended(status)) => bail!("PostgreSQL does not start, {status}:\n{}", log.text()),
                Ok(Event::Failed(error)) => {
                    return Err(error).context("cannot run `postgres` by `setpriv` of Debian's package `util-linux`");
                }
                Err(_) => bail!("PostgreSQL did not start within {PATIENCE:?}:\n{}", log.text()),
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(self.postgres, self.folder.path());
        command.arg("-D").arg(self.folder.data()).args(["-p", &self.port.to_string()]);
        let fsync = if self.options.fsync { "fsync=on" } else { "fsync=off" };
        let fixed = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", fsync];
        let settings = self.options.settings.iter().map(|(name, value)| format!("{name}={value}"));
        for setting in fixed.into_iter().map(str::to_owned).chain(settings) {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// What happens to a server, in this order.
enum Event {
    Started(Pid),
    Failed(std::io::Error),
    Ready,
    Ended(String),
}

/// Starts the server and reads its log until it has ended.
fn watch(mut command: Command, log: &Log, events: &Sender<Event>) {
    // An event that is not received is no error: the server was given up.
    match command.spawn() {
        Ok(child) => drop(events.send(Event::Ended(follow(child, log, events)))),
        Err(error) => drop(events.send(Event::Failed(error))),
    }
}

/// Returns how the server ended.
fn follow(mut child: Child, log: &Log, events: &Sender<Event>) -> String {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = events.send(Event::Started(pid));
    }
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let is_ready = line.contains(READY);
            log.add(&line);
            if is_ready {
                let _ = events.send(Event::Ready);
            }
        }
    }
    child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// The lines that a server has written. Clones share them.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, line: &str) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(line);
        text.push('\n');
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A running server, by its first process.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// Locked, so that threads can share a server.
    events: Mutex<Receiver<Event>>,
    log: Log,
}

impl Postmaster {
    pub(super) fn log(&self) -> String {
        self.log.text()
    }

    /// Ends the server in good order.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        signal(self.pid, Signal::INT);
        self.wait()
    }

    /// Ends the server without its help.
    pub(super) fn kill(self) -> anyhow::Result<()> {
        // Otherwise its children would tell their clients that it has ended.
        signal(self.pid, Signal::STOP);
        for child in children_of(self.pid) {
            signal(child, Signal::KILL);
        }
        signal(self.pid, Signal::KILL);
        self.wait()
    }

    fn wait(self) -> anyhow::Result<()> {
        let events = self.events.into_inner().unwrap_or_else(PoisonError::into_inner);
        loop {
            match events.recv_timeout(PATIENCE) {
                Ok(Event::Ended(_)) => return Ok(()),
                Ok(_) => {}
                Err(_) => bail!("PostgreSQL did not end within {PATIENCE:?}:\n{}", self.log.text()),
            }
        }
    }
}

fn signal(pid: Pid, signal: Signal) {
    // An error: the process has ended already.
    let _ = kill_process(pid, signal);
}

/// Returns the processes that this one has started.
fn children_of(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter_map(Pid::from_raw).filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name in parentheses may contain anything; the state and the parent follow it.
    let (_, fields) = stat.rsplit_once(')')?;
    Pid::from_raw(fields.split_whitespace().nth(1)?.parse().ok()?)
}

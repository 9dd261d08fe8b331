//! Processes under test: each thing that is measured runs in one of its own, so that its memory and its CPU time are
//! its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a process may take until it listens.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that listens. It ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// This program again, in another part.
pub(crate) fn own_part(part: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(part);
    Ok(command)
}

impl Process {
    /// Starts a command that writes its address to its standard output, and lives until its standard input ends.
    pub(crate) async fn start(mut command: Command) -> anyhow::Result<Self> {
        let shown = format!("{:?}", command.as_std());
        // Its log goes nowhere: written to a file, it would be flushed together with the ledger.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .with_context(|| format!("{shown} did not say where it listens"))??;
        let line = line.with_context(|| format!("{shown} ended without a word"))?;
        let address = line.trim().parse().with_context(|| format!("{shown} said `{line}`, expected an address"))?;
        // Nothing reads it any more, and a full pipe would stop the process.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// Starts another project's server, in a process group of its own, and waits until it accepts connections.
    pub(crate) async fn start_server(mut command: Command, address: SocketAddr) -> anyhow::Result<Self> {
        let shown = format!("{:?}", command.as_std());
        let log = stderr_of(&shown)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
        let start = Instant::now();
        loop {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(Self { child, address });
            }
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("{shown} ended with {status}; see `{}`", log_file().display());
            }
            ensure!(start.elapsed() < PATIENCE, "{shown} does not listen on `{address}`");
            // The pause between two questions: there is no event to wait for in a server that is not ours.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.child.id().map(Usage::of).unwrap_or_default()
    }

    /// Ends it, and the processes that it started.
    pub(crate) async fn stop(mut self) {
        let tree = self.child.id().map(tree).unwrap_or_default();
        // Ours end with their input.
        if self.child.stdin.take().is_none()
            && let Some(id) = self.child.id()
        {
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        if tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        for id in tree {
            if PathBuf::from(format!("/proc/{id}/exe")).exists() {
                let _ = Command::new("kill").arg("-9").arg(id.to_string()).stderr(Stdio::null()).status().await;
            }
        }
    }
}

/// Where the output of all processes goes.
pub(crate) fn log_file() -> PathBuf {
    super::folder().join("processes.log")
}

fn stderr_of(command: &str) -> anyhow::Result<std::fs::File> {
    use std::io::Write;
    std::fs::create_dir_all(super::folder())?;
    let mut file = std::fs::File::options().create(true).append(true).open(log_file())?;
    writeln!(file, "--- {command}")?;
    Ok(file)
}

/// What a process and everything below it has used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Proportional set size in bytes: pages that several share count in parts.
    pub(crate) memory: u64,
    /// Seconds of CPU time, of children that ended too.
    pub(crate) cpu: f64,
}

impl Usage {
    fn of(root: u32) -> Self {
        let mut usage = Self::default();
        for id in tree(root) {
            usage.memory += memory(id).unwrap_or_default();
            usage.cpu += cpu(id).unwrap_or_default();
        }
        usage
    }
}

/// A process and all of its descendants.
fn tree(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(id).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while let Some(id) = found.get(at).copied() {
        found.extend(children.get(&id).into_iter().flatten());
        at += 1;
    }
    found
}

/// The fields of /proc/ID/stat after the name, which may hold spaces: the state first.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn cpu(id: u32) -> Option<f64> {
    // utime, stime, cutime, cstime, in hundredths of a second on every Linux there is.
    Some(stat(id)?.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0)
}

fn memory(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

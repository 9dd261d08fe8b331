//! Against what people would write instead: Slack Bolt for JavaScript with better-sqlite3 and without, Slack Bolt for
//! Python, and Debian's webhook with a script of curl. Each in the form that its documentation has for production. None
//! has a policy; only the one with better-sqlite3 promises what ours does, a claim and an outcome on the disk.
//!
//! What is not there and cannot be had is said, and the rest measured.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use local::component::apt;
use local::demo::callers::caller;
use local::repository;
use tokio::process::Command;

use crate::floor::ledgers;
use crate::load::{self, Work};
use crate::plot::Bars;
use crate::process::Process;
use crate::requests::{self, Folder, Kind};
use crate::serve::Serve;
use crate::subject::{Subject, by_turns};
use crate::table::{Report, Table, megabytes, number};
use crate::upstream::Upstream;
use crate::{Components, Settings};

/// Over how many connections all of them are measured, and over how many ours and the peer with a ledger once more.
const FEW: usize = 16;
const MANY: usize = 64;

/// The peer with a ledger.
const RECORDED: &str = "Bolt + better-sqlite3";

/// Answers a second over theirs that are to be reached.
const PEERS: [(&str, f64); 4] =
    [(RECORDED, 1.0), ("Bolt for JavaScript", 0.25), ("Bolt for Python", 3.0), ("webhook + curl", 20.0)];

/// What all of them are given.
struct Place<'a> {
    upstream: &'a Upstream,
    folder: &'a Folder,
    /// Where the ledgers are, on the same disk.
    ledgers: &'a Path,
    connections: usize,
}

impl Place<'_> {
    /// Starts every peer; a note says which of them could not be had.
    async fn start_peers(&self, subjects: &mut Vec<Subject>, table: &mut Table) {
        for (name, _) in PEERS {
            if self.connections != FEW && name != RECORDED {
                continue;
            }
            let started = match name {
                RECORDED => javascript(self.upstream, Some(&self.ledgers.join("bolt.db"))).await,
                "Bolt for JavaScript" => javascript(self.upstream, None).await,
                "Bolt for Python" => python(self.upstream).await,
                _ => webhook(self.upstream).await,
            };
            match started {
                Ok(process) => {
                    let kind = if name.starts_with("webhook") { Kind::Webhook } else { Kind::Slack };
                    subjects.push(Subject::new(name, process, kind, self.folder));
                }
                Err(why) => {
                    eprintln!("!! {name}: {why:#}");
                    table.note(format!("{name} could not be had for {} connections: {why:#}", self.connections));
                }
            }
        }
    }

    fn compare(&self, subjects: &[Subject], table: &mut Table, report: &mut Report) {
        let [ours, peers @ ..] = subjects else { return };
        for subject in subjects {
            let (m, o) = (&subject.measured, &ours.measured);
            table.row([
                subject.name.clone(),
                self.connections.to_string(),
                number(m.rate()),
                number(m.p50()),
                number(m.p99()),
                number(subject.cpu_of_one()),
                megabytes(subject.used.memory),
                number(o.rate() / m.rate()),
                number(o.p99() / m.p99()),
                number(ours.used.memory as f64 / subject.used.memory as f64),
            ]);
            report.unexpected(&format!("{} {}", subject.name, self.connections), &m.unexpected);
        }
        self.report_targets(ours, peers, report);
        let bars = |what: &str, y: &str, height: fn(&Subject) -> f64| Bars {
            title: format!("{what}, {} connections", self.connections),
            y: y.to_owned(),
            parts: vec![y.to_owned()],
            bars: subjects.iter().map(|subject| (subject.name.clone(), vec![height(subject)])).collect(),
        };
        table.plots.extend([
            bars("slash commands a second", "requests a second", |subject| subject.measured.rate()).svg(),
            bars("memory", "MB", |subject| subject.used.memory as f64 / 1e6).svg(),
        ]);
    }

    /// Reports which targets are met.
    fn report_targets(&self, ours: &Subject, peers: &[Subject], report: &mut Report) {
        let what = |what: &str, name: &str| format!("peers, {} connections: {what} over {name}", self.connections);
        for (name, times) in PEERS {
            let Some(peer) = peers.iter().find(|peer| peer.name == name) else { continue };
            let ratio = ours.measured.rate() / peer.measured.rate();
            report.target(what("req/s", name), format!("≥ {times} ×"), format!("{} ×", number(ratio)), ratio >= times);
            let (measure, ratio) = match self.connections {
                MANY => ("p99", ours.measured.p99() / peer.measured.p99()),
                _ => ("memory", ours.used.memory as f64 / peer.used.memory as f64),
            };
            report.target(what(measure, name), "< 1 ×", format!("{} ×", number(ratio)), ratio < 1.0);
        }
    }
}

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let folder = requests::folder(settings.instances, 0)?;
    let component = components.ours_for(&folder.path).await?;
    let upstream = Upstream::start().await?;
    let mut table = Table::new(
        "peers: slash commands",
        [
            "what",
            "connections",
            "req/s",
            "p50 ms",
            "p99 ms",
            "CPU ms/req",
            "MB",
            "ours × req/s",
            "ours × p99",
            "ours × MB",
        ],
    );
    for connections in [FEW, MANY] {
        let ledgers = ledgers()?;
        let serve = Serve::of(&component, &folder, &upstream, ledgers.path().join("ours.db"));
        let mut subjects = vec![Subject::new("ours", serve.start().await?, Kind::Slack, &folder)];
        let place = Place { upstream: &upstream, folder: &folder, ledgers: ledgers.path(), connections };
        place.start_peers(&mut subjects, &mut table).await;
        by_turns(&mut subjects, connections, settings.seconds, settings.rounds).await?;
        place.compare(&subjects, &mut table, report);
        for subject in subjects {
            subject.stop().await;
        }
    }
    let cloud = Work::repeat(requests::get("/", upstream.address()), "SUCCESS");
    let time = std::time::Duration::from_secs(1);
    let cloud = load::run(&[upstream.address()], FEW, time / 4, time, &cloud).await?;
    table.note(format!("the cloud that all of them ask answers {} requests a second", number(cloud.rate())));
    table.note(format!(
        "ours and {RECORDED} commit a claim before the DELETE and its outcome after it, each to a file of its own on \
         this disk, with synchronous = FULL; the others keep no record"
    ));
    table.note(
        "webhook checks an HMAC of the body, as GitHub sends it: its rules cannot say what Slack signs, which is the \
         time and the body, so an attacker who recorded a request can send it again for ever",
    );
    upstream.stop().await;
    report.table(table);
    Ok(())
}

fn source() -> PathBuf {
    repository::root().join("benches/peers")
}

/// A port that was free a moment ago: these servers cannot say which one they took.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn secret() -> anyhow::Result<&'static str> {
    Ok(caller("slack")?.secret)
}

/// Bolt for JavaScript, with a ledger in this file if one is given.
async fn javascript(upstream: &Upstream, database: Option<&Path>) -> anyhow::Result<Process> {
    let folder = installed().await?;
    let address = free_address()?;
    let mut command = Command::new(folder.join("bin/node"));
    command.arg("bolt.mjs").current_dir(&folder).env("NODE_ENV", "production");
    command.env("PORT", address.port().to_string()).env("WORKERS", "2");
    command.env("UPSTREAM", upstream.url()).env("SIGNING_SECRET", secret()?);
    if let Some(database) = database {
        command.env("DATABASE", database);
    }
    Process::start_server(command, address).await
}

async fn python(upstream: &Upstream) -> anyhow::Result<Process> {
    let folder = installed().await?;
    let address = free_address()?;
    let mut command = Command::new(folder.join("bin/gunicorn"));
    command.args(["--workers", "2", "--threads", "8", "--bind", &address.to_string(), "bolt_app:app"]);
    command.current_dir(&folder).env("UPSTREAM", upstream.url()).env("SIGNING_SECRET", secret()?);
    Process::start_server(command, address).await
}

async fn webhook(upstream: &Upstream) -> anyhow::Result<Process> {
    tokio::task::spawn_blocking(|| apt::install(&["webhook", "curl"])).await??;
    let address = free_address()?;
    let mut command = Command::new("webhook");
    command.args(["-hooks", "hooks.json", "-ip", "127.0.0.1", "-port", &address.port().to_string()]);
    command.current_dir(source()).env("UPSTREAM", upstream.url());
    let path = std::env::join_paths([source(), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()])?;
    command.env("PATH", path);
    Process::start_server(command, address).await
}

/// A virtual environment with Python's packages, Node.js, and its packages: installed once, below `target/`.
async fn installed() -> anyhow::Result<PathBuf> {
    use sha2::{Digest, Sha256};
    const FILES: [&str; 6] =
        ["requirements.txt", "package.json", "package-lock.json", "bolt.mjs", "bolt_sqlite.mjs", "bolt_app.py"];
    let source = source();
    let mut digest = Sha256::new();
    for name in &FILES[..3] {
        digest.update(std::fs::read(source.join(name)).with_context(|| format!("cannot read benches/peers/{name}"))?);
    }
    let digest: String = hex::encode(digest.finalize()).chars().take(12).collect();
    let folder = repository::root().join("target/peers").join(digest);
    // Written last, so that an installation that was interrupted is made anew.
    let complete = folder.join("complete");
    if !complete.exists() {
        eprintln!("  installing what others would write instead into {} …", folder.display());
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        done(Command::new(folder.join("bin/python")).args(pip).arg(source.join("requirements.txt"))).await?;
        copied(&source, &folder, &FILES)?;
        let path = std::env::join_paths([folder.join("bin"), "/usr/bin".into(), "/bin".into()])?;
        // The package of better-sqlite3 contains its binaries; no script has to fetch or compile one.
        let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        done(Command::new(folder.join("bin/npm")).args(npm).current_dir(&folder).env("PATH", path)).await?;
        std::fs::write(complete, "")?;
    }
    copied(&source, &folder, &FILES)?;
    Ok(folder)
}

fn copied(source: &Path, folder: &Path, files: &[&str]) -> anyhow::Result<()> {
    for file in files {
        std::fs::copy(source.join(file), folder.join(file))?;
    }
    Ok(())
}

async fn done(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{:?}", command.as_std());
    let output = command.stdin(Stdio::null()).output().await.with_context(|| format!("cannot run {shown}"))?;
    ensure!(output.status.success(), "{shown} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

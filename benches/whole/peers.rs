//! Against what people would write instead: Slack Bolt for JavaScript, Slack Bolt for Python, and Debian's webhook with
//! a script of curl. Each in the form that its documentation has for production; none has a policy or a ledger.
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

use crate::load::{self, Work};
use crate::plot::Bars;
use crate::process::Process;
use crate::requests::{self, Folder, Kind};
use crate::serve::Serve;
use crate::subject::{Subject, by_turns};
use crate::table::{Report, Table, megabytes, number};
use crate::upstream::Upstream;
use crate::{Components, Settings};

const CONNECTIONS: usize = 16;

/// Answers a second over theirs that are to be reached.
const PEERS: [(&str, f64); 3] = [("Bolt for JavaScript", 1.0), ("Bolt for Python", 3.0), ("webhook + curl", 20.0)];

/// Starts every peer; a note says which of them could not be had.
async fn start_peers(upstream: &Upstream, folder: &Folder, subjects: &mut Vec<Subject>, table: &mut Table) {
    for (name, _) in PEERS {
        let started = match name {
            "Bolt for JavaScript" => javascript(upstream).await,
            "Bolt for Python" => python(upstream).await,
            _ => webhook(upstream).await,
        };
        match started {
            Ok(process) => {
                let kind = if name.starts_with("webhook") { Kind::Webhook } else { Kind::Slack };
                subjects.push(Subject::new(name, process, kind, folder));
            }
            Err(why) => {
                eprintln!("!! {name}: {why:#}");
                table.note(format!("{name} could not be had: {why:#}"));
            }
        }
    }
}

/// Reports which targets are met.
fn report_targets(ours: &Subject, peers: &[Subject], report: &mut Report) {
    for (name, times) in PEERS {
        let Some(peer) = peers.iter().find(|peer| peer.name == name) else { continue };
        let ratio = ours.measured.rate() / peer.measured.rate();
        report.target(
            format!("peers: req/s over {name}"),
            format!("≥ {times} ×"),
            format!("{} ×", number(ratio)),
            ratio >= times,
        );
        if times == 1.0 {
            let ratio = ours.measured.p99() / peer.measured.p99();
            report.target(format!("peers: p99 over {name}"), "≤ 1 ×", format!("{} ×", number(ratio)), ratio <= 1.0);
        }
        let ratio = ours.used.memory as f64 / peer.used.memory as f64;
        report.target(format!("peers: memory over {name}"), "< 1 ×", format!("{} ×", number(ratio)), ratio < 1.0);
    }
}

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let folder = requests::folder(settings.instances, 0)?;
    let upstream = Upstream::start().await?;
    let mut table = Table::new(
        format!("peers: slash commands over {CONNECTIONS} connections"),
        ["what", "req/s", "p50 ms", "p99 ms", "CPU ms/req", "MB", "ours × req/s", "ours × p99", "ours × MB"],
    );

    let serve = Serve {
        component: components.ours_for(&folder.path).await?,
        config: folder.path.clone(),
        upstream: upstream.url(),
        ..Serve::default()
    };
    let mut subjects = vec![Subject::new("ours", serve.start().await?, Kind::Slack, &folder)];
    start_peers(&upstream, &folder, &mut subjects, &mut table).await;
    by_turns(&mut subjects, CONNECTIONS, settings.seconds, settings.rounds).await?;
    let cloud = Work::repeat(requests::get("/", upstream.address()), "SUCCESS");
    let time = std::time::Duration::from_secs(1);
    let cloud = load::run(upstream.address(), CONNECTIONS, time / 4, time, &cloud).await?;
    table.note(format!("the cloud that all of them ask answers {} requests a second", number(cloud.rate())));
    table.note(
        "webhook checks an HMAC of the body, as GitHub sends it: its rules cannot say what Slack signs, which is the \
         time and the body, so an attacker who recorded a request can send it again for ever",
    );

    let [ours, peers @ ..] = subjects.as_slice() else { return Ok(()) };
    for subject in &subjects {
        let (m, o) = (&subject.measured, &ours.measured);
        table.row([
            subject.name.clone(),
            number(m.rate()),
            number(m.p50()),
            number(m.p99()),
            number(subject.cpu_of_one()),
            megabytes(subject.used.memory),
            number(o.rate() / m.rate()),
            number(o.p99() / m.p99()),
            number(ours.used.memory as f64 / subject.used.memory as f64),
        ]);
        report.unexpected(&subject.name, &m.unexpected);
    }
    report_targets(ours, peers, report);
    let bars = |title: &str, y: &str, height: fn(&Subject) -> f64| Bars {
        title: title.to_owned(),
        y: y.to_owned(),
        parts: vec![y.to_owned()],
        bars: subjects.iter().map(|subject| (subject.name.clone(), vec![height(subject)])).collect(),
    };
    table.plots = vec![
        bars("slash commands a second", "requests a second", |subject| subject.measured.rate()).svg(),
        bars("memory", "MB", |subject| subject.used.memory as f64 / 1e6).svg(),
    ];
    for subject in subjects {
        subject.process.stop().await;
    }
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

async fn javascript(upstream: &Upstream) -> anyhow::Result<Process> {
    let folder = installed().await?;
    let address = free_address()?;
    let mut command = Command::new(folder.join("bin/node"));
    command.arg("bolt.mjs").current_dir(&folder).env("NODE_ENV", "production");
    command.env("PORT", address.port().to_string()).env("WORKERS", "2");
    command.env("UPSTREAM", upstream.url()).env("SIGNING_SECRET", secret()?);
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
    const FILES: [&str; 5] = ["requirements.txt", "package.json", "package-lock.json", "bolt.mjs", "bolt_app.py"];
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

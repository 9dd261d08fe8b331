//! The demonstration: the real component beside a simulated TaurusDB, one request of each demo caller, two refusals, and
//! the result of each, compared with what it should be. Then a history, for the console.
//!
//! It takes no variable from the environment: a demonstration must never reach a real TaurusDB.

use std::process::ExitCode;
use std::{fs, io};

use anyhow::Context;
use http::StatusCode;
use starrocks_offboard::config::Config;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::answer::Answer;
use super::clock::DemoClock;
use super::compare::{Exchange, Mismatch, compare, compare_end};
use super::demo_caller::{DemoRequest, nonce, now};
use super::hints::{self, LISTEN};
use super::history::History;
use super::page::{Page, Tone};
use super::scenes::{INSTANCE, SCENES, Scene};
use super::{additions, console, settings};
use crate::http_client as client;
use crate::manifest::Manifest;
use crate::operator_files::spin_path;
use crate::repository;
use crate::runtime::database::Database;
use crate::runtime::logs::Logs;
use crate::runtime::options::Options;
use crate::runtime::server::Runtime;
use crate::simulator::chat_platform::ChatPlatform;
use crate::simulator::demo;
use crate::simulator::identity_provider::server::IdentityProvider;
use crate::simulator::options::SimulatorOptions;
use crate::simulator::received::ReceivedRequest;
use crate::simulator::server::Simulator;

/// The request headers that TaurusDB reads.
const UPSTREAM_HEADERS: [&str; 7] =
    ["host", "x-language", "x-project-id", "x-sdk-date", "x-security-token", "x-auth-token", "authorization"];

/// Runs the demonstration, and unless `once` serves until Ctrl-C or SIGTERM afterwards. The exit code is a success if every
/// exchange ended as expected.
///
/// # Errors
///
/// If the component cannot be built or started, or standard output cannot be written to.
pub async fn run(once: bool) -> anyhow::Result<ExitCode> {
    let mut page = Page::new();
    page.line(
        Tone::Heading,
        "starrocks-offboard, a demonstration: the real component, a simulated TaurusDB, made-up secrets.",
    );
    page.line(
        Tone::Plain,
        "It removes StarRocks accounts for requesters whom policy permits. Nothing leaves this machine.",
    );
    page.print()?;

    let stage = Stage::start(once).await?;
    let mut mismatches = stage.play_all(&mut page).await?;
    mismatches += stage.make_history(&mut page).await?;
    if !once {
        stage.serve(&mut page).await?;
    }
    stage.runtime.stop().await;
    Ok(if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the scenes are played on.
struct Stage {
    config: Config,
    simulator: Simulator,
    runtime: Runtime,
    /// It goes back while the history is made.
    clock: DemoClock,
    /// The gateway's log is captured: its lines would interrupt the page.
    logs: Logs,
    /// Stops when it is dropped.
    _platform: ChatPlatform,
    /// Of the configuration, and of the ledger: instances share a file only.
    _folder: TempDir,
}

impl Stage {
    async fn start(once: bool) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("cannot create a folder for the demonstration")?;
        let files = folder.path().join("config");
        fs::create_dir(&files).context("cannot create a folder for the configuration")?;
        additions::copy(&repository::root().join("config"), &files)?;
        let config = settings::read(&files.join("offboard.toml"))?;
        let clock = DemoClock::default();
        let simulator =
            Simulator::start(SimulatorOptions { clock: clock.of_simulator(), ..SimulatorOptions::demo() }).await?;
        let logs = Logs::captured();
        let platform = ChatPlatform::start().await?;
        let manifest = Manifest::read(&spin_path())?;
        let mut variables = settings::variables(&manifest);
        variables.extend(settings::endpoints(&manifest, &simulator));
        variables.extend(console::variables());
        let options = Options {
            config: Some(files),
            database: Database::File(folder.path().join("state.db")),
            variables,
            clock: clock.of_component(),
            stand_ins: [platform.stand_in()].into(),
            logs: logs.clone(),
            ..Options::default()
        };
        let runtime = start_runtime(once, options).await?;
        Ok(Self { config, simulator, runtime, clock, logs, _platform: platform, _folder: folder })
    }

    /// Plays all scenes and returns the number of mismatches.
    async fn play_all(&self, page: &mut Page) -> anyhow::Result<usize> {
        let mut count = 0;
        let mut reference = String::new();
        for (number, scene) in SCENES.iter().enumerate() {
            let exchange = self.play(scene, &reference).await?;
            reference = exchange.answer.reference.clone().unwrap_or_default();
            let mismatches = compare(scene, &exchange);
            count += mismatches.len();
            page.gap();
            page.line(Tone::Heading, &format!("{} of {}  {}", number + 1, SCENES.len(), scene.title));
            write_exchange(page, scene, &exchange);
            write_mismatches(page, &mismatches);
            page.print()?;
        }

        let mismatches = compare_end(&self.simulator.accounts(demo::INSTANCE_ID), &self.simulator.alarms());
        count += mismatches.len();
        page.gap();
        write_mismatches(page, &mismatches);
        self.write_summary(page, count);
        page.print()?;
        Ok(count)
    }

    /// Makes what the console has to show, and returns the number of mismatches.
    async fn make_history(&self, page: &mut Page) -> anyhow::Result<usize> {
        let (config, simulator, clock) = (&self.config, &self.simulator, &self.clock);
        let made = History { config, simulator, clock, address: self.runtime.address() }.make().await?;
        write_mismatches(page, &made.mismatches);
        let tone = if made.mismatches.is_empty() { Tone::Good } else { Tone::Bad };
        let history = format!(
            "For the console, {} requests as of the past four weeks were sent as well; {} of them wait for a person.",
            made.requests, made.waiting
        );
        page.line(tone, &history);
        page.print()?;
        Ok(made.mismatches.len())
    }

    async fn play(&self, scene: &Scene, reference: &str) -> anyhow::Result<Exchange> {
        let address = self.runtime.address();
        let request = scene.caller.request(&DemoRequest {
            text: &scene.text(reference),
            instance: INSTANCE,
            config: &self.config,
            id: scene.requester_id(),
            secret: scene.caller.secret,
            host: &address.to_string(),
            now: now(),
            nonce: nonce(),
        })?;
        let request_line = format!("{} {}", request.method(), request.uri());
        let before = self.simulator.requests().len();
        let response = client::send(address, request).await.context("the gateway did not answer")?;
        Ok(Exchange {
            request_line,
            answer: Answer::read(&response),
            upstream: self.simulator.requests().split_off(before),
            accounts: self.simulator.accounts(demo::INSTANCE_ID),
        })
    }

    fn write_summary(&self, page: &mut Page, mismatches: usize) {
        if mismatches == 0 {
            let removed = SCENES.iter().filter(|scene| scene.expected.code.is_none()).count();
            let refused = SCENES.iter().filter(|scene| scene.expected.policies.is_empty()).count();
            let all = SCENES.len();
            let waiting = all - removed - refused;
            let summary = format!(
                "All {all} exchanges ended as expected: {removed} accounts removed, {waiting} waiting for confirmation, {refused} refused by the gateway."
            );
            page.line(Tone::Good, &summary);
        } else {
            let plural = if mismatches == 1 { "" } else { "es" };
            page.line(Tone::Bad, &format!("{mismatches} mismatch{plural}. The gateway's log:"));
            for line in self.logs.lines() {
                page.line(Tone::Plain, &line);
            }
        }
    }

    /// Starts the console's identity provider, and writes the console's address. The provider stops when it is dropped.
    async fn open_console(&self, page: &mut Page) -> Option<IdentityProvider> {
        let address = self.runtime.address();
        let provider = console::start_provider().await;
        match &provider {
            Err(error) => page.line(Tone::Bad, &format!("no sign-in to the console: {error:#}")),
            Ok(_) if address != LISTEN => {
                page.line(Tone::Bad, &format!("no sign-in to the console: its `public_url` is http://{LISTEN}"));
            }
            Ok(_) => {}
        }
        page.line(Tone::Heading, &format!("open http://{address}/console"));
        provider.ok()
    }

    /// Shows what to try, and waits for a signal.
    async fn serve(&self, page: &mut Page) -> anyhow::Result<()> {
        // The handlers are set before the address is printed: a reader of the address may send a signal at once.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        hints::write(page, self.runtime.address());
        let _provider = self.open_console(page).await;
        page.print()?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = hints::follow(self.logs.clone()) => {}
        }
        Ok(())
    }
}

/// Starts the runtime: on the usual port if it is free, else (and with `once`) on any free port.
async fn start_runtime(once: bool, options: Options) -> anyhow::Result<Runtime> {
    if once {
        return Runtime::start(options).await;
    }
    match Runtime::start(Options { listen: LISTEN, ..options.clone() }).await {
        Err(error) if is_address_in_use(&error) => Runtime::start(options).await,
        started => started,
    }
}

fn is_address_in_use(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::AddrInUse)
}

fn write_exchange(page: &mut Page, scene: &Scene, exchange: &Exchange) {
    let caller = &scene.caller;
    let requester = caller.principal(scene.requester_id());
    page.row("request", Tone::Plain, &exchange.request_line);
    page.row("requester", Tone::Plain, &format!("{requester} (caller kind {})", caller.kind));
    page.row("proof", Tone::Plain, caller.proof);
    let (tone, policy) = exchange.answer.policy();
    page.row("policy", tone, &policy);
    if exchange.upstream.is_empty() {
        page.row("to TaurusDB", Tone::Plain, "no request");
    }
    for request in &exchange.upstream {
        page.row("to TaurusDB", Tone::Plain, &upstream(request));
        let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        page.row("from TaurusDB", Tone::Plain, &format!("{status}, request ID {}", request.request_id));
    }
    let tone = if exchange.answer.is_removed() { Tone::Good } else { Tone::Bad };
    let note = if tone == Tone::Bad && exchange.answer.status == StatusCode::OK {
        " (for a refusal, too: Slack does not show answers with another status)"
    } else {
        ""
    };
    page.row("answer", tone, &format!("{}{note}", exchange.answer.status));
    page.row("", Tone::Plain, &exchange.answer.shown);
    if let Some(removal) = &exchange.answer.removal {
        page.row("removal ID", Tone::Plain, removal);
    }
}

/// Formats a request with the headers that TaurusDB reads.
fn upstream(request: &ReceivedRequest) -> String {
    let text = request.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let headers = UPSTREAM_HEADERS.iter().flat_map(|header| {
        lines.iter().skip(1).filter(|line| line.split_once(':').is_some_and(|(name, _)| name == *header))
    });
    lines.first().into_iter().chain(headers).copied().collect::<Vec<_>>().join("\n")
}

fn write_mismatches(page: &mut Page, mismatches: &[Mismatch]) {
    for Mismatch { what, expected, got } in mismatches {
        page.row("MISMATCH", Tone::Bad, &format!("{what}: expected {expected}, got {got}"));
    }
}

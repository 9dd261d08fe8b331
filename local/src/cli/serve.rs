//! `serve`: runs the component until a signal, beside the simulated cloud unless a real one is configured.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::variable::name_and_value;
use crate::demo::settings;
use crate::manifest::Manifest;
use crate::operator_files::spin_path;
use crate::repository;
use crate::runtime::database::Database;
use crate::runtime::options::Options;
use crate::runtime::server::Runtime;
use crate::simulator::chat_platform::{ChatPlatform, Posted};
use crate::simulator::fault::Fault;
use crate::simulator::options::SimulatorOptions;
use crate::simulator::server::Simulator;

/// The variable that Spin sends traces by.
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The arguments of `serve`.
#[derive(Args)]
pub struct Arguments {
    /// The folder that the component sees as /config, instead of the folder that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The file with the state, or `:memory:`, where each instance of the component has a state of its own [default:
    /// target/offboard/state.db]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// A value for a variable of spin.toml; takes precedence over SPIN_VARIABLE_NAME in the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
    /// Do not start the simulated cloud (TaurusDB, IAM, Slack's follow-ups), and set no demo secrets.
    #[arg(long)]
    no_simulator: bool,
    /// Make the simulated cloud fail: `[TARGET:]KIND[=VALUE][*TIMES]`, such as `hang*1` or `iam:latency=3s`; can be given
    /// more than once. --help lists the kinds.
    #[arg(
        long = "fault",
        value_name = "RULE",
        conflicts_with = "no_simulator",
        long_help = format!(
            "Make the simulated cloud fail. Can be given more than once. RULE is\n{}",
            Fault::grammar()
        ),
    )]
    faults: Vec<Fault>,
}

/// Runs the component until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// If the arguments contradict each other or spin.toml, or the component cannot be built or started.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let manifest = Manifest::read(&spin_path())?;
    let mut variables = manifest.variables_in_environment();
    variables.extend(arguments.variables);

    let cloud = if arguments.no_simulator || variables.contains_key("taurusdb_endpoint") {
        ensure!(
            arguments.faults.is_empty(),
            "`--fault` is for the simulated cloud, but `taurusdb_endpoint` is set; leave one of them out"
        );
        None
    } else {
        Some(SimulatedCloud::start(&manifest, arguments.faults, &mut variables).await?)
    };
    let platform = cloud.as_ref().map(|cloud| &cloud.platform);

    let database = match arguments.database {
        Some(path) if path.as_os_str() == ":memory:" => Database::Memory,
        Some(path) => Database::File(path),
        None => Database::File(repository::state_folder().join("state.db")),
    };
    let runtime = Runtime::start(Options {
        config: arguments.config,
        listen: arguments.listen,
        database,
        variables,
        stand_ins: platform.map(ChatPlatform::stand_in).into_iter().collect(),
        traces: std::env::var(COLLECTOR).ok().filter(|collector| !collector.is_empty()),
        ..Options::default()
    })
    .await?;
    serve(runtime, platform).await
}

/// The simulated cloud. It stops when this is dropped.
struct SimulatedCloud {
    _simulator: Simulator,
    platform: ChatPlatform,
}

impl SimulatedCloud {
    /// Starts it, and sets the variables that point the component to it.
    async fn start(
        manifest: &Manifest,
        faults: Vec<Fault>,
        variables: &mut BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let simulator = Simulator::start(SimulatorOptions::demo()).await?;
        faults.into_iter().for_each(|fault| simulator.fault(fault));
        for (name, endpoint) in settings::endpoints(manifest, &simulator) {
            variables.entry(name).or_insert(endpoint);
        }
        eprintln!("a simulated TaurusDB listens on {}", simulator.endpoint());
        fill_in_demo_secrets(variables, manifest);
        Ok(Self { _simulator: simulator, platform: ChatPlatform::start().await? })
    }
}

/// Sets the demo's value for each variable that has no value.
fn fill_in_demo_secrets(variables: &mut BTreeMap<String, String>, manifest: &Manifest) {
    let mut filled = Vec::new();
    for (name, value) in settings::variables(manifest) {
        if !variables.contains_key(&name) {
            variables.insert(name.clone(), value);
            filled.push(name);
        }
    }
    if !filled.is_empty() {
        eprintln!("using demo values for {}", filled.join(", "));
    }
}

/// Waits for a signal, and shows meanwhile what Slack would show.
async fn serve(runtime: Runtime, platform: Option<&ChatPlatform>) -> anyhow::Result<()> {
    // The handlers are set before the address is printed, since a reader of the address may send a signal at once, but
    // after the build, which can be interrupted like any program.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", runtime.address())
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")?;

    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        runtime.stop().await;
    };
    let mut shown = 0;
    tokio::select! {
        () = stopped => {}
        () = show_follow_ups(platform, &mut shown) => {}
    }
    if let Some(platform) = platform {
        // Messages that arrived while the component was ending.
        platform.posted().iter().skip(shown).for_each(show);
    }
    Ok(())
}

/// Shows each follow-up as it arrives, without end, and counts them.
async fn show_follow_ups(platform: Option<&ChatPlatform>, shown: &mut usize) {
    let Some(platform) = platform else {
        return std::future::pending().await;
    };
    loop {
        let posted = platform.received(*shown + 1).await;
        posted.iter().skip(*shown).for_each(show);
        *shown = posted.len();
    }
}

/// Prints a message on one line.
fn show(message: &Posted) {
    eprintln!("slack would show: {}", message.text().split_whitespace().collect::<Vec<_>>().join(" "));
}

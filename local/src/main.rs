//! The command line of the local runtime: see `offboard --help`.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::{Args, Parser, Subcommand};
use local::later::{LaterChannel, Posted};
use local::manifest::Manifest;
use local::runtime::{Options, Runtime};
use local::simulator::{Fault, Simulator, SimulatorOptions};
use local::sqlite::Database;
use local::{check, component, demo, explain, prepare};
use tokio::signal::unix::{SignalKind, signal};

/// Runs starrocks-offboard on this machine, beside a simulated TaurusDB. For development and tests; production is Spin.
///
/// Without a command: builds the component, starts it, sends one request of each demo caller and shows what came of it.
#[derive(Parser)]
#[command(name = "offboard", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Stop after the demonstration, with exit status 0 only if every exchange ended as it should.
    #[arg(long)]
    once: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the component until Ctrl-C or SIGTERM.
    Serve(Serve),
    /// Sign and send a request as a demo caller, and print the exchange. Exit status 0 when the account was removed, else 1.
    Send(demo::send::Arguments),
    /// Only build the component, and print its path and size.
    Build,
    /// Say what is wrong with the configuration, the policies and spin.toml, and what in them can hardly be meant. Builds,
    /// runs and sends nothing. Exit status 1 when anything is wrong, else 0.
    Check(Check),
    /// Write prepared.json beside policy.cedar: with it a fresh instance of the component need not parse the policies.
    Prepare(Prepare),
    /// Say what policy would answer somebody, and which policies decide or nearly do. Builds, runs and sends nothing.
    Explain(explain::Arguments),
}

#[derive(Args)]
struct Serve {
    /// The folder that the component sees as /config, instead of the one that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where the state is kept, or `:memory:` [default: target/offboard/state.db]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// A value for a variable of spin.toml; goes before SPIN_VARIABLE_NAME in the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
    /// Do not start the simulated cloud (TaurusDB, IAM, and what Slack shows later), and set no demo secrets.
    #[arg(long)]
    no_simulator: bool,
    /// Have the simulated cloud misbehave: `[TARGET:]KIND[=VALUE][*TIMES]`, such as `hang*1` or `iam:latency=3s`; can be
    /// given more than once. --help lists the kinds.
    #[arg(
        long = "fault",
        value_name = "RULE",
        conflicts_with = "no_simulator",
        long_help = format!(
            "Have the simulated cloud misbehave. Can be given more than once. RULE is\n{}",
            Fault::grammar()
        ),
    )]
    faults: Vec<Fault>,
}

#[derive(Args)]
struct Check {
    /// The folder of offboard.toml and the policies, instead of the one that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// A value for a variable of spin.toml; goes before SPIN_VARIABLE_NAME in the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
}

#[derive(Args)]
struct Prepare {
    /// The folder of offboard.toml and the policies, instead of the one that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
}

fn name_and_value(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        None => demo::show::run(arguments.once).await,
        Some(Command::Serve(serve)) => self::serve(serve).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Send(send)) => demo::send::run(send).await,
        Some(Command::Build) => build().map(|()| ExitCode::SUCCESS),
        Some(Command::Check(check)) => check::run(check.config.as_deref(), check.variables),
        Some(Command::Prepare(prepare)) => prepare::run(prepare.config.as_deref()).map(|()| ExitCode::SUCCESS),
        Some(Command::Explain(explain)) => explain::run(&explain),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> anyhow::Result<()> {
    let built = component::build()?;
    println!("{} {} bytes", built.path.display(), built.bytes);
    Ok(())
}

/// What the demo configuration needs, as far as nobody said otherwise.
fn fill_in_demo_secrets(variables: &mut BTreeMap<String, String>, manifest: &Manifest) {
    let mut filled = Vec::new();
    for (name, value) in demo::variables(manifest) {
        if !variables.contains_key(&name) {
            variables.insert(name.clone(), value);
            filled.push(name);
        }
    }
    if !filled.is_empty() {
        eprintln!("demo values are set, as nothing else is: {}", filled.join(", "));
    }
}

async fn serve(arguments: Serve) -> anyhow::Result<()> {
    let manifest = Manifest::read(&component::root().join("spin.toml"))?;
    let mut variables = manifest.variables_in_environment();
    variables.extend(arguments.variables);

    // Held until the end; they stop when they are dropped.
    let cloud = if arguments.no_simulator || variables.contains_key("taurusdb_endpoint") {
        ensure!(arguments.faults.is_empty(), "`--fault` is for the simulated cloud, but `taurusdb_endpoint` is set");
        None
    } else {
        let simulator = Simulator::start(SimulatorOptions::demo()).await?;
        arguments.faults.into_iter().for_each(|fault| simulator.fault(fault));
        for (name, endpoint) in demo::endpoints(&manifest, &simulator) {
            variables.entry(name).or_insert(endpoint);
        }
        eprintln!("a simulated TaurusDB listens on {}", simulator.endpoint());
        fill_in_demo_secrets(&mut variables, &manifest);
        Some((simulator, LaterChannel::start().await?))
    };
    let later = cloud.as_ref().map(|(_, later)| later);

    let database = match arguments.database {
        Some(path) if path.as_os_str() == ":memory:" => Database::Memory,
        Some(path) => Database::File(path),
        None => Database::File(component::state_folder().join("state.db")),
    };
    let runtime = Runtime::start(Options {
        config: arguments.config,
        listen: arguments.listen,
        database,
        variables,
        stand_ins: later.map(LaterChannel::stand_in).into_iter().collect(),
        ..Options::default()
    })
    .await?;

    // Before the address is told (who reads it may send a signal at once), but not before the build (it can be
    // interrupted as any program).
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", runtime.address())
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")?;

    let served = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        runtime.stop().await;
    };
    let mut told = 0;
    tokio::select! {
        () = served => {}
        () = tell_what_slack_shows(later, &mut told) => {}
    }
    if let Some(later) = later {
        // What came last, before the component ended.
        later.posted().iter().skip(told).for_each(tell);
    }
    Ok(())
}

/// Tells each message that comes later, for ever, and counts them.
async fn tell_what_slack_shows(later: Option<&LaterChannel>, told: &mut usize) {
    let Some(later) = later else {
        return std::future::pending().await;
    };
    loop {
        let posted = later.received(*told + 1).await;
        posted.iter().skip(*told).for_each(tell);
        *told = posted.len();
    }
}

/// One line, whatever is in it.
fn tell(message: &Posted) {
    eprintln!("slack would show: {}", message.text().split_whitespace().collect::<Vec<_>>().join(" "));
}

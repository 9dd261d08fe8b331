//! The command line of the local runtime: see `offboard --help`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local::cli::{build, check, explain, send, serve, setup};
use local::demo;

/// Runs starrocks-offboard on this machine, beside a simulated TaurusDB. For development and tests; production is Spin.
///
/// Without a command: builds and starts the component, sends a request of each demo caller, and shows the results.
#[derive(Parser)]
#[command(name = "offboard", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Stop after the demonstration. Exit status 0 only if every exchange ended as expected.
    #[arg(long)]
    once: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the component until Ctrl-C or SIGTERM.
    Serve(serve::Arguments),
    /// Sign and send a request as a demo caller, and print the exchange. Exit status 0 if the account was removed, else 1.
    Send(send::Arguments),
    /// Build the component, bake it with the files of config/, and print its path and size.
    Build(build::Arguments),
    /// Check the configuration, the policies and spin.toml for errors and likely mistakes. Builds, runs and sends
    /// nothing. Exit status 1 if there is an error, else 0.
    Check(check::Arguments),
    /// Show what policy decides for a principal, and which policies decide or almost apply. Builds, runs and sends
    /// nothing.
    Explain(explain::Arguments),
    /// Set up a caller: show, or with --write write, its lines of offboard.toml and spin.toml, make its secrets, and show what to
    /// paste at its platform. Then check the result; exit status 1 if it has an error, else 0.
    Setup(setup::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse() {
        Arguments { command: None, once } => demo::show::run(once).await,
        Arguments { command: Some(command), .. } => run(command).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Send(arguments) => send::run(arguments).await,
        Command::Build(arguments) => build::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Check(arguments) => check::run(arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Setup(arguments) => setup::run(arguments),
    }
}

//! The whole under load: `cargo bench --bench whole`, or a part of it: `cargo bench --bench whole -- --only floor`.
//!
//! - [`floor`]: against a bare forwarder, and one with two bare commits, on the same runtime; [`disk`]: the disk alone
//! - [`postgres`]: the same on PostgreSQL, from two gateways
//! - [`peers`]: against what people would write instead; [`growth`]: more of everything; [`cold`]: before the first
//!   request; [`console`]: a page of the console; [`stages`]: where the time goes; [`budget`]: what a removal costs, counted
//! - [`load`]: the load; [`requests`]: what is sent; [`process`]: what is loaded, [`serve`] and [`upstream`] in processes
//!   of their own
//! - [`table`], [`plot`], [`report`]: what is shown, in the terminal and in target/bench/report.html
//!
//! Everything is compared by ratios within one run. Nothing fails for being slow: a table says which targets are met.
#![allow(missing_docs, reason = "a program")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local::component::build;
use local::repository;
use starrocks_offboard::app::Texts;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;

mod budget;
mod cold;
mod console;
mod disk;
mod floor;
mod growth;
mod load;
mod peers;
mod plot;
mod postgres;
mod process;
mod report;
mod requests;
mod serve;
mod stages;
mod subject;
mod table;
mod upstream;

use table::Report;

/// Benchmarks of the whole. Prints tables and writes target/bench/report.html.
#[derive(Parser)]
#[command(name = "whole", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Say which parts there are, and run none.
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// How to measure.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// Which parts, such as `floor,cold` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<String>,
    /// Seconds of each measurement, the warm-up not counted.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// In how many slices these seconds are measured, by turns with what they are compared with.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// An unbaked component, instead of building one; it is baked with what each part configures.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The folder of the components that it is compared with, instead of building them.
    #[arg(long, value_name = "DIR")]
    others: Option<PathBuf>,
    /// Numbers of connections, where they are a question of load and not of growth.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// What is sent.
    #[arg(long, value_enum, default_value = "api")]
    kind: requests::Kind,
    /// Numbers of rows in the ledger that growth is measured over.
    #[arg(long, value_delimiter = ',', default_value = "0,100000,1000000")]
    rows: Vec<usize>,
    /// How many instances the requests are spread over.
    #[arg(long, default_value_t = 64)]
    instances: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What this program does in a process of its own.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Serve(serve::Serve),
    #[command(hide = true)]
    Upstream,
    #[command(hide = true)]
    Compile { component: PathBuf },
}

const PARTS: [(&str, &str); 8] = [
    ("floor", "against a bare forwarder, and one with two bare commits"),
    ("postgres", "the same with the ledger on PostgreSQL, from two gateways"),
    ("peers", "against what people would write instead"),
    ("growth", "more instances, policies, rows, connections"),
    ("cold", "what a component and an instance of it cost before the first request"),
    ("console", "a page of the console, over an answer with one query of the ledger"),
    ("stages", "where the time of a removal goes"),
    ("budget", "what a removal costs, counted and not timed"),
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_part = arguments.part.is_some();
    let outcome = match arguments.part {
        Some(part) => on_all_cores(async {
            match part {
                Part::Serve(serve) => serve.run().await,
                Part::Upstream => upstream::run().await,
                Part::Compile { component } => cold::compile(&component),
            }
        }),
        None if arguments.list => {
            for (name, what) in PARTS {
                println!("{name:10} {what}");
            }
            Ok(())
        }
        None => on_one_core(run(&arguments.settings)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_part => {
            // The parent process reads this line instead of an address.
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn on_all_cores<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn on_one_core<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

async fn run(settings: &Settings) -> anyhow::Result<()> {
    for name in &settings.only {
        anyhow::ensure!(
            PARTS.iter().any(|(part, _)| part == name),
            "there is no part `{name}`; `--list` says which there are"
        );
    }
    // The budget needs none of them.
    let components = OnceCell::new();
    let ready = async || components.get_or_try_init(|| Components::ready(settings)).await;
    std::fs::create_dir_all(folder())?;
    let mut report = Report { machine: machine(), ..Report::default() };
    println!("{}", report.machine);
    for (name, what) in PARTS {
        if !settings.only.is_empty() && !settings.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("\n== {name}: {what}");
        match name {
            "floor" => floor::run(settings, ready().await?, &mut report).await?,
            "postgres" => postgres::run(settings, ready().await?, &mut report).await?,
            "peers" => peers::run(settings, ready().await?, &mut report).await?,
            "growth" => growth::run(settings, ready().await?, &mut report).await?,
            "cold" => cold::run(settings, ready().await?, &mut report).await?,
            "console" => console::run(settings, ready().await?, &mut report).await?,
            "stages" => stages::run(settings, ready().await?, &mut report).await?,
            "budget" => budget::run(&mut report).await?,
            other => anyhow::bail!("nothing does `{other}`"),
        }
    }
    report.summary();
    let file = folder().join("report.html");
    report::write(&report, &file)?;
    println!("report: {}", file.display());
    Ok(())
}

fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    format!(
        "{cores} cores, {}; load before the run: {}; the load, the cloud and what is measured share the cores",
        model.trim_start_matches([':', ' ', '\t']),
        load.join(" ")
    )
}

/// The components under test.
pub(crate) struct Components {
    /// Baked with the demonstration's configuration.
    pub(crate) ours: PathBuf,
    /// What is baked with other configurations.
    unbaked: PathBuf,
    pub(crate) hello: PathBuf,
    pub(crate) forwarder: PathBuf,
    pub(crate) committer: PathBuf,
    pub(crate) postgres_committer: PathBuf,
}

impl Components {
    /// Builds them, and compiles them to machine code.
    async fn ready(settings: &Settings) -> anyhow::Result<Self> {
        let (ours, unbaked) = match &settings.component {
            Some(unbaked) => {
                let baked = folder().join("given.wasm");
                build::bake_file(unbaked, &texts(&repository::root().join("config"))?, &baked)?;
                (baked, unbaked.clone())
            }
            None => {
                let built = build::component()?;
                (built.path, built.unbaked)
            }
        };
        let others = match &settings.others {
            Some(folder) => folder.clone(),
            None => build::examples("bench-components")?,
        };
        let other = |name: &str| others.join(format!("{name}.wasm"));
        let (hello, forwarder, committer) = (other("hello"), other("forwarder"), other("committer"));
        let postgres_committer = other("postgres_committer");
        let components = Self { ours, unbaked, hello, forwarder, committer, postgres_committer };
        components.compile().await?;
        Ok(components)
    }
}

impl Components {
    /// Returns ours for a configuration in this folder.
    pub(crate) async fn ours_for(&self, config: &Path) -> anyhow::Result<PathBuf> {
        let path = config.with_extension("wasm");
        build::bake_file(&self.unbaked, &texts(config)?, &path)?;
        compile(&path).await?;
        Ok(path)
    }

    /// Leaves their machine code on disk: a process that had to make it first would be measured with the memory that the
    /// compiler took.
    async fn compile(&self) -> anyhow::Result<()> {
        for path in [&self.hello, &self.forwarder, &self.committer, &self.postgres_committer, &self.ours] {
            compile(path).await?;
        }
        Ok(())
    }
}

fn texts(config: &Path) -> anyhow::Result<Texts> {
    let read = |name: &str| std::fs::read_to_string(config.join(name));
    Ok(Texts { offboard: read("offboard.toml")?, policy: read("policy.cedar")?, schema: read("schema.cedarschema")? })
}

async fn compile(component: &Path) -> anyhow::Result<()> {
    let serve = serve::Serve {
        component: component.to_owned(),
        config: repository::root().join("config"),
        upstream: "http://127.0.0.1:9".to_owned(),
        ..serve::Serve::default()
    };
    serve.start().await?.stop().await;
    Ok(())
}

/// Where everything goes that this program writes.
pub(crate) fn folder() -> PathBuf {
    Path::new(repository::root()).join("target/bench")
}

/// The processes that this program starts end with it, however it ends.
async fn wait_for_the_end_of_input() -> anyhow::Result<()> {
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    Ok(())
}

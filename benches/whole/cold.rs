//! Cold: what a component costs before it does anything, and what an instance of it costs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use local::repository;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::load::{self, Connection, Measured, Work};
use crate::plot::Bars;
use crate::process::{Process, own_part};
use crate::serve::Serve;
use crate::table::{Report, Table, megabytes, number};
use crate::{Components, Settings, requests};

/// How many instances live at once to see what one takes.
const LIVE: usize = 64;

/// How many starts and compilations the median is of.
const STARTS: usize = 5;
const COMPILATIONS: usize = 3;

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new(
        "cold: before the first request, and each instance",
        ["component", "MB", "compile s", "start to answer ms", "fresh answer p50 ms", "p99 ms", "MB an instance"],
    );
    let subjects = [("hello", &components.hello), ("forwarder", &components.forwarder), ("ours", &components.ours)];
    let mut fresh = fresh_answers(settings, &subjects.map(|(_, path)| path.as_path()), report).await?.into_iter();
    let mut bars = Bars {
        title: "a fresh instance's answer to GET /healthz".to_owned(),
        y: "p50 ms".to_owned(),
        ..Bars::default()
    };
    let mut medians = Vec::new();
    for (name, path) in subjects {
        eprintln!("  {name}: compiling, starting, counting memory …");
        let bytes = path.metadata().with_context(|| format!("`{}` is not there", path.display()))?.len();
        let compiled = compile_time(path).await?;
        let started = start_time(path).await?;
        let measured = fresh.next().context("a measurement is missing")?;
        // An instance that answers without reading the request is gone before it can be counted.
        let memory = if name == "hello" { None } else { Some(memory_of_one(path).await?) };
        table.row([
            name.to_owned(),
            megabytes(bytes),
            number(compiled),
            number(started),
            number(measured.p50()),
            number(measured.p99()),
            memory.map_or("-".to_owned(), |bytes| number(bytes / 1e6)),
        ]);
        bars.bars.push((name.to_owned(), vec![measured.p50()]));
        medians.push(measured.p50());
        if name == "ours" {
            let size = bytes as f64 / 1e6;
            report.target("cold: size of the component", "< 2.5 MB", format!("{} MB", number(size)), size < 2.5);
        }
    }
    if let [hello, _, ours] = medians[..] {
        let more = ours - hello;
        report.target(
            "cold: a fresh instance over one that has nothing to read",
            "< 0.4 ms",
            format!("{} ms", number(more)),
            more < 0.4,
        );
    }
    table.note(
        "the difference of fresh answers is configuration and policies, and a larger module's own instantiation; \
         `cargo bench --bench core -- fresh` has the first alone, natively",
    );
    table.plots.push(bars.svg());
    report.table(table);
    Ok(())
}

/// The demonstration's own configuration: a cold start is a small installation's matter.
fn serve(path: &Path) -> Serve {
    Serve {
        component: path.to_owned(),
        config: repository::root().join("config"),
        upstream: "http://127.0.0.1:9".to_owned(),
        ..Serve::default()
    }
}

fn health(process: &Process) -> Work {
    Work::repeat(requests::get("/healthz", process.address), "")
}

/// Each request has an instance of its own, one after the other; the components by turns. The forwarder's answers are
/// not 200 without anybody behind it, so they are the cost of a failed connection too.
async fn fresh_answers(settings: &Settings, paths: &[&Path], report: &mut Report) -> anyhow::Result<Vec<Measured>> {
    let upstream = crate::upstream::Upstream::start().await?;
    let mut processes = Vec::new();
    for path in paths {
        let serve = Serve { requests: 1, concurrent: 1, upstream: upstream.url(), ..serve(path) };
        processes.push((serve.start().await?, Measured::default()));
    }
    let slice = Duration::from_secs_f64(settings.seconds / f64::from(settings.rounds.max(1)));
    for round in 0..settings.rounds.max(1) {
        eprintln!("  fresh answers, round {} of {}", round + 1, settings.rounds);
        for (process, measured) in &mut processes {
            let work = health(process);
            measured.add(load::run(&[process.address], 1, slice / 4, slice, &work).await?);
        }
    }
    let mut all = Vec::new();
    for (process, measured) in processes {
        report.unexpected("fresh answers", &measured.unexpected);
        process.stop().await;
        all.push(measured);
    }
    upstream.stop().await;
    Ok(all)
}

/// From bytes to machine code, in a process that has done nothing before.
async fn compile_time(path: &Path) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..COMPILATIONS {
        let mut command = own_part("compile")?;
        let output = command.arg(path).output().await?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        times.push(text.parse::<f64>().with_context(|| format!("the compiler said `{text}`"))?);
    }
    Ok(median(times))
}

/// The process's own part of that.
pub(crate) fn compile(path: &PathBuf) -> anyhow::Result<()> {
    let wasm = std::fs::read(path)?;
    let mut config = Config::new();
    // As Spin compiles it.
    config.wasm_component_model_async(true).epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let start = Instant::now();
    Component::from_binary(&engine, &wasm)?;
    println!("{}", start.elapsed().as_secs_f64());
    Ok(())
}

/// Milliseconds from the start of the process to its first answer, with machine code that is on disk.
async fn start_time(path: &Path) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        let process = serve(path).start().await?;
        let mut connection = Connection::open(process.address).await?;
        connection.exchange(&requests::get("/healthz", process.address)).await?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        process.stop().await;
    }
    Ok(median(times))
}

/// Bytes: what 64 more instances add, each of which has read its configuration and waits for a request's body.
async fn memory_of_one(path: &Path) -> anyhow::Result<f64> {
    let serve = Serve { concurrent: 1, ..serve(path) };
    let process = serve.start().await?;
    let mut held = vec![hold(&process).await?];
    let one = settled(&process).await?;
    for _ in 0..LIVE {
        held.push(hold(&process).await?);
    }
    let many = settled(&process).await?;
    drop(held);
    process.stop().await;
    ensure!(many > one, "{LIVE} instances took no memory");
    Ok((many - one) as f64 / LIVE as f64)
}

/// A request that is begun: a reader of its body waits for one byte.
async fn hold(process: &Process) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(process.address).await?;
    let head = format!(
        "POST /hooks/slack HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 1\r\n\r\n",
        process.address
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

/// The memory of a process, once it has stayed the same for a while.
async fn settled(process: &Process) -> anyhow::Result<u64> {
    let mut last = 0;
    let mut same = 0;
    for _ in 0..200 {
        let now = process.usage().memory;
        same = if now.abs_diff(last) < 64 * 1024 { same + 1 } else { 0 };
        if same == 5 {
            return Ok(now);
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the memory of the process does not settle")
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

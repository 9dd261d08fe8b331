//! Stages: where the time of a removal goes.
//!
//! From outside, of the component: one request at a time, whose DELETE this process answers itself, so that one clock
//! says when the request left, when the DELETE came and went, and when the answer was there. What is before the DELETE is
//! proof, policy and claim; what is after it is the settled row and the words.
//!
//! From inside, natively: between the core's calls of its host lies the core's own work, stage by stage.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures_util::FutureExt;
use local::demo::callers::caller;
use local::demo::demo_caller::DemoRequest;
use starrocks_offboard::app::App;
use starrocks_offboard::host::Host;
use support::answered::answered;
use support::bench_files::{Files, instance_name};
use support::bench_host::{Native, inbound};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use crate::cold::median;
use crate::floor::ledgers;
use crate::load::Connection;
use crate::plot::Bars;
use crate::requests::{self, Folder, Kind};
use crate::serve::Serve;
use crate::table::{Report, Table, number};
use crate::{Components, Settings, upstream};

/// How many requests a median is of, and how many go before them.
const COUNT: usize = 400;
const WARM: usize = 100;

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let folder = requests::folder(settings.instances, 0)?;
    outside(&folder, components, report).await?;
    inside(report)
}

/// When a DELETE was there, and when its answer was sent.
type Seen = Rc<RefCell<Vec<(Instant, Instant)>>>;

async fn outside(folder: &Folder, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let ours = components.ours_for(&folder.path).await?;
    let mut table = Table::new(
        "stages from outside: medians of one removal at a time, in ms",
        ["component", "instances", "to the DELETE", "cloud", "to the answer", "in all"],
    );
    let mut bars = Bars {
        title: "where a removal's time goes".to_owned(),
        y: "ms, medians".to_owned(),
        parts: vec!["before the DELETE".to_owned(), "cloud".to_owned(), "after it".to_owned()],
        bars: Vec::new(),
    };
    let places =
        [("forwarder", &components.forwarder), ("forwarder + 2 commits", &components.committer), ("ours", &ours)];
    for (uses, requests, concurrent) in [("reused", 128, 16), ("fresh", 1, 1)] {
        for (name, component) in places {
            eprintln!("  {name}, {uses}");
            let seen = Seen::default();
            let local = LocalSet::new();
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            local.spawn_local(cloud(listener, seen.clone()));
            let place = ledgers()?;
            let serve = Serve {
                component: component.clone(),
                config: folder.path.clone(),
                upstream: format!("http://{address}"),
                database: Some(place.path().join("ledger.db")),
                requests,
                concurrent,
                ..Serve::default()
            };
            let parts = local.run_until(one_at_a_time(&serve, folder, &seen)).await?;
            let [asked, cloud, after, all] = parts;
            table.row([name.to_owned(), uses.to_owned(), number(asked), number(cloud), number(after), number(all)]);
            if uses == "reused" {
                bars.bars.push((name.replace("forwarder", "fwd"), vec![asked, cloud, after]));
            }
        }
    }
    table.plots.push(bars.svg());
    report.table(table);
    Ok(())
}

async fn one_at_a_time(serve: &Serve, folder: &Folder, seen: &Seen) -> anyhow::Result<[f64; 4]> {
    let process = serve.start().await?;
    let signed = requests::signed(Kind::Api, folder, process.address, 0, WARM + COUNT)?;
    let mut connection = Connection::open(process.address).await?;
    let mut parts: [Vec<f64>; 4] = Default::default();
    for (at, request) in signed.iter().enumerate() {
        seen.borrow_mut().clear();
        let start = Instant::now();
        let status = connection.exchange(request).await?;
        let end = Instant::now();
        ensure!(status == 200, "answered with {status}: {}", String::from_utf8_lossy(&connection.body));
        let (asked, answered) = seen.borrow().first().copied().context("no DELETE came")?;
        if at >= WARM {
            let times = [asked - start, answered - asked, end - answered, end - start];
            for (part, time) in parts.iter_mut().zip(times) {
                part.push(time.as_secs_f64() * 1000.0);
            }
        }
    }
    process.stop().await;
    Ok(parts.map(median))
}

/// Answers DELETEs, and notes when.
async fn cloud(listener: TcpListener, seen: Seen) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(converse(stream, seen.clone()));
    }
}

async fn converse(mut stream: TcpStream, seen: Seen) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut unread = Vec::new();
    loop {
        let Some(length) = upstream::request(&unread) else {
            if stream.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let asked = Instant::now();
        unread.drain(..length);
        stream.write_all(upstream::ANSWER).await?;
        seen.borrow_mut().push((asked, Instant::now()));
    }
}

/// The core's own work, between the calls that it makes.
fn inside(report: &mut Report) -> anyhow::Result<()> {
    let files = Files::sized(64, 0)?;
    let app = App::parse(&files.offboard, &files.policy, &files.schema).map_err(anyhow::Error::msg)?;
    let caller = caller("slack")?;
    let host = Native::new(true)?;
    let mut stages: Vec<(String, Vec<f64>)> = Vec::new();
    for number in 0..WARM + COUNT {
        host.clock.set(host.clock.get() + chrono::TimeDelta::seconds(30));
        let instance = instance_name(number % 64);
        let request = caller.request(&DemoRequest {
            text: &format!("u{number} {instance} left the company"),
            instance: &instance,
            config: &app.config,
            id: &format!("U{number:08}"),
            secret: caller.secret,
            host: "offboard.example.com",
            now: host.now(),
            nonce: number as u64,
        })?;
        host.calls.borrow_mut().clear();
        let inbound = inbound(request);
        let start = Instant::now();
        let answered = answered(&host, Ok(&app), inbound).now_or_never();
        let end = Instant::now();
        ensure!(answered.is_some_and(|answer| answer.status() == 200), "the story has no answer");
        if number < WARM {
            continue;
        }
        for (at, (name, micros)) in named(start, end, &host).into_iter().enumerate() {
            match stages.get_mut(at) {
                Some((known, times)) if *known == name => times.push(micros),
                Some((known, _)) => anyhow::bail!("stage {at} was `{known}`, and is `{name}`"),
                None => stages.push((name, vec![micros])),
            }
        }
    }
    let mut table =
        Table::new("stages from inside: medians of a slash command natively, in µs", ["stage", "µs", "part"]);
    let stages: Vec<(String, f64)> = stages.into_iter().map(|(name, times)| (name, median(times))).collect();
    let all: f64 = stages.iter().map(|(_, micros)| micros).sum();
    for (name, micros) in &stages {
        table.row([name.clone(), number(*micros), format!("{:.0} %", micros / all * 100.0)]);
    }
    table.row(["in all".to_owned(), number(all), "100 %".to_owned()]);
    table.note("a line in brackets is the host's: SQLite in memory, and a cloud that answers at once");
    report.table(table);
    Ok(())
}

/// The stages of a story by what the core asked for: its own work before each call, and the call.
fn named(start: Instant, end: Instant, host: &Native) -> Vec<(String, f64)> {
    let micros = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e6;
    let mut stages: Vec<(String, f64)> = Vec::new();
    let mut add = |name: &str, time: f64| match stages.last_mut() {
        Some((last, sum)) if last == name => *sum += time,
        _ => stages.push((name.to_owned(), time)),
    };
    let mut was = start;
    let mut found = false;
    let mut recorded = false;
    for call in host.calls.borrow().iter() {
        let (before, call_name) = match call.what.as_str() {
            "variable" if !found => ("route, and which secret", "route, and which secret"),
            "variable" => ("decide, and which credentials", "decide, and which credentials"),
            "SELECT" if !found => ("verify and parse", "(find)"),
            "INSERT" => ("decide, and which credentials", "(claim)"),
            "send" => ("sign the DELETE", "(send)"),
            "UPDATE" => ("read the answer", "(settle)"),
            "log" => ("write the record's line", "write the record's line"),
            _ => ("other", "(other)"),
        };
        found |= call.what == "SELECT";
        recorded |= call.what == "UPDATE";
        add(before, micros(was, call.from));
        add(call_name, micros(call.from, call.to));
        was = call.to;
    }
    add(if recorded { "render" } else { "refuse" }, micros(was, end));
    stages
}

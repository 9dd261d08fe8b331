//! Growth: instances, policies, rows in the ledger, removals of the last hour, connections. What an operator has more of
//! must not make a request slower by as much.
//!
//! A curve counts as no worse than logarithmic when each tenfold costs at most a tenth of where it began.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rusqlite::{Connection, params};
use support::bench_files::instance_name;

use crate::floor::ledgers;
use crate::load::{self, Measured, Work};
use crate::plot::Plot;
use crate::requests::{self, Folder, Kind};
use crate::serve::Serve;
use crate::subject::{Subject, by_turns};
use crate::table::{Report, Table, number};
use crate::upstream::Upstream;
use crate::{Components, Settings};

/// What is added to a median for each tenfold at most.
const A_TENFOLD: f64 = 0.1;

const HOUR: i64 = 3_600_000;

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let upstream = Upstream::start().await?;
    let serve = Serve { upstream: upstream.url(), ..Serve::default() };
    instances(settings, components, &serve, report).await?;
    policies(settings, components, &serve, report).await?;
    rows(settings, components, &serve, report).await?;
    last_hour(components, &serve, report).await?;
    connections(settings, components, &serve, report).await?;
    upstream.stop().await;
    Ok(())
}

/// Serves ours with the configuration of this folder.
async fn ours(components: &Components, serve: &Serve, folder: &Folder) -> anyhow::Result<Serve> {
    let component = components.ours_for(&folder.path).await?;
    Ok(Serve { component, config: folder.path.clone(), ..serve.clone() })
}

/// One removal after the other, from an instance that is there and from one that is new.
async fn one_by_one(settings: &Settings, serve: &Serve, folder: &Folder) -> anyhow::Result<(Measured, Measured)> {
    let mut measured = Vec::new();
    for (requests, concurrent) in [(128, 16), (1, 1)] {
        let serve = Serve { config: folder.path.clone(), requests, concurrent, ..serve.clone() };
        let mut subjects = [Subject::new("ours", serve.start().await?, Kind::Slack, folder)];
        by_turns(&mut subjects, 1, settings.seconds / 2.0, 1).await?;
        let [subject] = subjects;
        let of_it = subject.measured.clone();
        subject.stop().await;
        measured.push(of_it);
    }
    let fresh = measured.pop().context("no measurement")?;
    Ok((measured.pop().context("no measurement")?, fresh))
}

async fn instances(
    settings: &Settings,
    components: &Components,
    serve: &Serve,
    report: &mut Report,
) -> anyhow::Result<()> {
    let sizes = [10, 1_000, 10_000];
    let mut table = sized("growth: instances in offboard.toml", "instances");
    let mut curve = Curve::new("instances in offboard.toml");
    for size in sizes {
        eprintln!("  {size} instances:");
        let folder = requests::folder(size, 0)?;
        let serve = &ours(components, serve, &folder).await?;
        let (reused, fresh) = one_by_one(settings, serve, &folder).await?;
        row(&mut table, size, &reused, &fresh, report);
        curve.point(size, &reused, &fresh);
    }
    curve.finish(&mut table, Some(report));
    table.note("a fresh instance reads offboard.toml: that is a line to a line, once in 128 requests");
    report.table(table);
    Ok(())
}

async fn policies(
    settings: &Settings,
    components: &Components,
    serve: &Serve,
    report: &mut Report,
) -> anyhow::Result<()> {
    let sizes = [10, 100, 1_000];
    let mut table = sized("growth: policies", "policies");
    let mut curve = Curve::new("policies");
    let mut medians = Vec::new();
    for size in sizes {
        eprintln!("  {size} policies:");
        let folder = requests::folder(settings.instances, size)?;
        let serve = &ours(components, serve, &folder).await?;
        let (reused, fresh) = one_by_one(settings, serve, &folder).await?;
        row(&mut table, size, &reused, &fresh, report);
        curve.point(size, &reused, &fresh);
        medians.push(reused.p50());
    }
    if let [few, .., many] = medians[..] {
        let more = many - few;
        let what = "growth: what 1,000 policies add to a decision in the component";
        report.target(what, "< 2 ms", format!("{} ms", number(more)), more < 2.0);
    }
    curve.finish(&mut table, None);
    report.table(table);
    Ok(())
}

async fn rows(settings: &Settings, components: &Components, serve: &Serve, report: &mut Report) -> anyhow::Result<()> {
    let mut table = sized("growth: rows in the ledger, a file", "rows");
    let mut curve = Curve::new("rows in the ledger");
    for size in settings.rows.clone() {
        let folder = requests::folder(settings.instances, 0)?;
        let serve = &ours(components, serve, &folder).await?;
        let place = ledgers()?;
        let ledger = place.path().join("ledger.db");
        empty_ledger(serve, &folder, &ledger).await?;
        eprintln!("  {size} rows: writing them …");
        fill(&ledger, size, &Rows::OfYears, settings.instances)?;
        let serve = Serve { database: Some(ledger), ..serve.clone() };
        let (reused, fresh) = one_by_one(settings, &serve, &folder).await?;
        row(&mut table, size, &reused, &fresh, report);
        curve.point(size, &reused, &fresh);
    }
    curve.finish(&mut table, Some(report));
    report.table(table);
    Ok(())
}

/// The brakes count the last hour's removals of an instance and of an actor.
async fn last_hour(components: &Components, serve: &Serve, report: &mut Report) -> anyhow::Result<()> {
    let mut table = sized("growth: removals of the last hour on the same instance, a file", "removals");
    let mut curve = Curve::new("removals of the last hour");
    for size in [0, 100, 1_000, 10_000] {
        eprintln!("  {size} removals in the last hour on an instance:");
        // One instance, so that what is measured adds as little as it can to what is there.
        let folder = requests::folder(1, 0)?;
        let serve = &ours(components, serve, &folder).await?;
        let place = ledgers()?;
        let ledger = place.path().join("ledger.db");
        empty_ledger(serve, &folder, &ledger).await?;
        fill(&ledger, size, &Rows::OfTheLastHour, 1)?;
        let serve = Serve { database: Some(ledger), config: folder.path.clone(), ..serve.clone() };
        // A few hundred of its own is what it takes to measure.
        let process = serve.start().await?;
        let requests = requests::signed(Kind::Slack, &folder, process.address, 0, 200)?;
        let work = Work::once(requests, Kind::Slack.answer());
        let mut measured = load::run(&[process.address], 1, Duration::ZERO, Duration::from_secs(60), &work).await?;
        measured.unexpected.clear();
        process.stop().await;
        row(&mut table, size, &measured, &Measured::default(), report);
        curve.point(size, &measured, &Measured::default());
    }
    curve.finish(&mut table, None);
    table.note("200 removals each; they add themselves to what is counted");
    report.table(table);
    Ok(())
}

async fn connections(
    settings: &Settings,
    components: &Components,
    serve: &Serve,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut table = Table::new(
        "growth: connections",
        ["connections", "forwarder req/s", "ours req/s", "× req/s", "ours p50 ms", "ours p99 ms", "forwarder p99 ms"],
    );
    let folder = requests::folder(settings.instances, 0)?;
    let ours = components.ours_for(&folder.path).await?;
    let mut lines = [("ours".to_owned(), Vec::new()), ("forwarder".to_owned(), Vec::new())];
    let mut tails = lines.clone();
    for connections in [1, 4, 16, 64, 256] {
        let mut subjects = Vec::new();
        for (name, component) in [("forwarder", &components.forwarder), ("ours", &ours)] {
            let serve = Serve { component: component.clone(), config: folder.path.clone(), ..serve.clone() };
            subjects.push(Subject::new(name, serve.start().await?, Kind::Api, &folder));
        }
        by_turns(&mut subjects, connections, settings.seconds / 2.0, 1).await?;
        if let [forwarder, ours] = subjects.as_slice() {
            let (f, o) = (&forwarder.measured, &ours.measured);
            table.row([
                connections.to_string(),
                number(f.rate()),
                number(o.rate()),
                number(o.rate() / f.rate()),
                number(o.p50()),
                number(o.p99()),
                number(f.p99()),
            ]);
            for (at, measured) in [o, f].into_iter().enumerate() {
                lines[at].1.push((connections as f64, measured.rate()));
                tails[at].1.push((connections as f64, measured.p99()));
            }
        }
        for subject in subjects {
            report.unexpected(&format!("{} {connections}", subject.name), &subject.measured.unexpected);
            subject.stop().await;
        }
    }
    for (y, lines) in [("req/s", lines), ("p99 ms", tails)] {
        let plot = Plot {
            title: format!("{y} over connections"),
            x: "connections".to_owned(),
            y: y.to_owned(),
            lines: lines.into(),
            is_logarithmic: true,
        };
        table.plots.push(plot.svg());
    }
    report.table(table);
    Ok(())
}

fn sized(title: &str, what: &str) -> Table {
    Table::new(title, [what, "reused p50 ms", "mean ms", "p99 ms", "req/s", "fresh p50 ms", "fresh p99 ms"])
}

fn row(table: &mut Table, size: usize, reused: &Measured, fresh: &Measured, report: &mut Report) {
    table.row([
        size.to_string(),
        number(reused.p50()),
        number(reused.mean()),
        number(reused.p99()),
        number(reused.rate()),
        number(fresh.p50()),
        number(fresh.p99()),
    ]);
    for measured in [reused, fresh] {
        report.unexpected(&format!("{}, {size}", table.title), &measured.unexpected);
    }
}

struct Curve {
    what: &'static str,
    reused: Vec<(f64, f64)>,
    fresh: Vec<(f64, f64)>,
}

impl Curve {
    fn new(what: &'static str) -> Self {
        Self { what, reused: Vec::new(), fresh: Vec::new() }
    }

    fn point(&mut self, size: usize, reused: &Measured, fresh: &Measured) {
        self.reused.push((size as f64, reused.p50()));
        if !fresh.latencies.is_empty() {
            self.fresh.push((size as f64, fresh.p50()));
        }
    }

    /// Draws it, and holds it to the target where there is a report to put that into.
    fn finish(self, table: &mut Table, report: Option<&mut Report>) {
        if let (Some(report), Some((from, first)), Some((to, last))) = (report, self.reused.first(), self.reused.last())
        {
            let tenfolds = (to.max(1.0) / from.max(1.0)).log10().max(1.0);
            let allowed = 1.0 + A_TENFOLD * tenfolds;
            report.target(
                format!("growth: p50 of {} {} over {}", to, self.what, from),
                format!("≤ {} × (logarithmic)", number(allowed)),
                format!("{} ×", number(last / first)),
                last / first <= allowed,
            );
        }
        let mut lines = vec![("reused".to_owned(), self.reused)];
        if !self.fresh.is_empty() {
            lines.push(("fresh".to_owned(), self.fresh));
        }
        let plot = Plot {
            title: format!("median of a removal over {}", self.what),
            x: self.what.to_owned(),
            y: "p50 ms".to_owned(),
            lines,
            is_logarithmic: true,
        };
        table.plots.push(plot.svg());
    }
}

/// Has the component itself make its tables.
async fn empty_ledger(serve: &Serve, folder: &Folder, ledger: &Path) -> anyhow::Result<()> {
    let serve = Serve { config: folder.path.clone(), database: Some(ledger.to_owned()), ..serve.clone() };
    let process = serve.start().await?;
    let requests = requests::signed(Kind::Slack, folder, process.address, 900_000_000, 1)?;
    let mut connection = load::Connection::open(process.address).await?;
    for request in requests {
        let status = connection.exchange(&request).await?;
        anyhow::ensure!(status == 200, "the first removal was answered with {status}");
    }
    process.stop().await;
    Ok(())
}

enum Rows {
    /// Over five years, up to two hours ago.
    OfYears,
    /// Of the last fifty minutes.
    OfTheLastHour,
}

/// Writes rows as they are after a few years: by a thousand people, on all instances, nearly all removed.
fn fill(ledger: &PathBuf, count: usize, rows: &Rows, instances: usize) -> anyhow::Result<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let (from, to) = match rows {
        Rows::OfYears => (now - 5 * 365 * 24 * HOUR, now - 2 * HOUR),
        Rows::OfTheLastHour => (now - HOUR * 5 / 6, now - 1000),
    };
    let mut database = Connection::open(ledger)?;
    database.pragma_update(None, "synchronous", "OFF")?;
    let all = database.transaction()?;
    {
        let mut insert = all.prepare(
            "INSERT INTO removals (id, delivery, state, asked_at, ended_at, caller, kind, actor, instance, user_name,
             reason, policies, attempts, status, code, message, request_id, in_flight_until, claimed_at)
             VALUES (printf('%012x%020x', ?1, ?2), printf('%064x', ?2 * 7919), ?3, ?1, ?1 + 180, 'slack', 'slack',
             printf('slack/U%08d', ?2 % 1024), ?4, printf('gone_%d', ?2), 'left the company', ?5, ?6, ?7, ?8, ?9,
             ?10, ?11, ?12)",
        )?;
        for number in 0..i64::try_from(count)? {
            let at = from + (to - from) * number / i64::try_from(count)?;
            let instance = instance_name(usize::try_from(number)? % instances);
            // Each fiftieth was denied.
            let (state, status, code, message, claimed) = match number % 50 {
                0 => ("denied", 403, "OFFBOARD.40301", "policy says no", None),
                _ => ("removed", 200, "SUCCESS", "removed", Some(at)),
            };
            let attempts = i64::from(claimed.is_some());
            let request_id = claimed.map(|_| "7c5bb4e6b2b5a3d4");
            let until = claimed.map(|at| at + 35_000);
            insert.execute(params![
                at, number, state, instance, "bench", attempts, status, code, message, request_id, until, claimed
            ])?;
        }
    }
    all.commit()?;
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

//! Against the floor: the least that anything does that stands in this place.
//!
//! Three components on the same runtime: a bare forwarder, the same between two bare commits, and ours. Each in a
//! process of its own, with a ledger in a file of its own; those that are compared are measured by turns.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::plot::Plot;
use crate::requests::{self, Folder, Kind};
use crate::serve::Serve;
use crate::subject::{Subject, by_turns};
use crate::table::{Report, Table, megabytes, number};
use crate::upstream::Upstream;
use crate::{Components, Settings, disk};

/// What stands in the report for the least that anything does that keeps a record.
pub(crate) const COMMITS: &str = "forwarder + 2 commits";

/// How instances are used.
const USES: [(&str, usize, usize); 2] = [("reused", 128, 16), ("fresh", 1, 1)];

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let folder = requests::folder(settings.instances, 0)?;
    let ours = components.ours_for(&folder.path).await?;
    let upstream = Upstream::start().await?;
    let mut table = Table::new(
        "floor: ours over what has to be there anyway",
        [
            "component",
            "instances",
            "connections",
            "req/s",
            "p50 ms",
            "p99 ms",
            "CPU ms/req",
            "MB",
            "× req/s",
            "× p50",
            "+ p50 ms",
        ],
    );
    let mut curves: BTreeMap<String, BTreeMap<String, Vec<(f64, f64)>>> = BTreeMap::new();
    for (uses, requests, concurrent) in USES {
        for &connections in &settings.connections {
            let ledgers = ledgers()?;
            let serve = |component: &Path, name: &str| Serve {
                requests,
                concurrent,
                ..Serve::of(component, &folder, &upstream, ledgers.path().join(name))
            };
            let components = [("forwarder", &components.forwarder), (COMMITS, &components.committer), ("ours", &ours)];
            let mut subjects = Vec::new();
            for (at, (name, component)) in components.into_iter().enumerate() {
                let serve = serve(component, &format!("{at}.db"));
                subjects.push(subject(name, &serve, settings.kind, &folder).await?);
            }
            let place = Place { uses, connections };
            eprintln!("  {uses} instances:");
            let time = Duration::from_secs_f64((settings.seconds / 3.0).min(1.0));
            let before = disk::commits_a_second(ledgers.path(), time)?;
            by_turns(&mut subjects, connections, settings.seconds, settings.rounds).await?;
            let commits = f64::midpoint(before, disk::commits_a_second(ledgers.path(), time)?);
            place.compare(&subjects, commits, &mut table, report);
            let lines = curves.entry(format!("{uses} instances")).or_default();
            for Subject { name, measured, .. } in &subjects {
                lines.entry(name.clone()).or_default().push((connections as f64, measured.rate()));
            }
            for subject in subjects {
                subject.stop().await;
            }
        }
    }
    upstream.stop().await;
    table.note("×, + and the targets are over the forwarder with two commits; the bare one keeps no record");
    table.plots = curves.into_iter().map(|(title, lines)| plot(title, lines).svg()).collect();
    report.table(table);
    Ok(())
}

fn plot(title: String, lines: BTreeMap<String, Vec<(f64, f64)>>) -> Plot {
    Plot {
        title,
        x: "connections".to_owned(),
        y: "requests a second".to_owned(),
        // Ours first, and so in one colour everywhere.
        lines: lines.into_iter().rev().collect(),
        is_logarithmic: true,
    }
}

async fn subject(name: &str, serve: &Serve, kind: Kind, folder: &Folder) -> anyhow::Result<Subject> {
    Ok(Subject::new(name, serve.start().await?, kind, folder))
}

/// A folder on the disk that this repository is on: the system's own for temporary files may be memory.
pub(crate) fn ledgers() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("ledgers-").tempdir_in(super::folder())?)
}

struct Place {
    uses: &'static str,
    connections: usize,
}

impl Place {
    fn compare(&self, subjects: &[Subject], commits: f64, table: &mut Table, report: &mut Report) {
        let [_, floor, ours] = subjects else { return };
        for subject in subjects {
            let m = &subject.measured;
            table.row([
                subject.name.clone(),
                self.uses.to_owned(),
                self.connections.to_string(),
                number(m.rate()),
                number(m.p50()),
                number(m.p99()),
                number(subject.cpu_of_one()),
                megabytes(subject.used.memory),
                number(m.rate() / floor.measured.rate()),
                number(m.p50() / floor.measured.p50()),
                number(m.p50() - floor.measured.p50()),
            ]);
            report.unexpected(&format!("{} {} {}", subject.name, self.uses, self.connections), &m.unexpected);
        }
        let (f, m) = (&floor.measured, &ours.measured);
        let what = |what: &str| format!("floor, {}, {} connections: {what}", self.uses, self.connections);
        let limit = commits / 2.0;
        table.note(format!(
            "{}, {} connections: the disk did {} commits a second, so {} removals at most; forwarder + 2 commits reached {} of it, ours {}",
            self.uses,
            self.connections,
            number(commits),
            number(limit),
            number(f.rate() / limit),
            number(m.rate() / limit)
        ));
        if self.uses == "reused" || self.connections == 16 {
            let times = m.rate() / f.rate();
            report.target(what("req/s"), "≥ 0.8 ×", format!("{} ×", number(times)), times >= 0.8);
        }
        match (self.uses, self.connections) {
            ("reused", 16) => report.target(what("p99"), "< 60 ms", format!("{} ms", number(m.p99())), m.p99() < 60.0),
            ("fresh", 1) => {
                let more = m.p50() - f.p50();
                report.target(what("p50"), "< +1.0 ms", format!("+{} ms", number(more)), more < 1.0);
            }
            _ => {}
        }
    }
}

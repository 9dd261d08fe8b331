//! Against the floor, with the ledger on a PostgreSQL server that waits for the disk at each commit: two gateways on one
//! database, ours and a forwarder between two bare commits. All of them share two cores with the server.

use std::path::{Path, PathBuf};

use local::postgres_server::{Server, ServerOptions};

use crate::floor::COMMITS;
use crate::requests::{self, Folder};
use crate::serve::Serve;
use crate::subject::{Subject, by_turns};
use crate::table::{Report, Table, megabytes, number};
use crate::upstream::Upstream;
use crate::{Components, Settings};

/// How many processes share the connections.
const GATEWAYS: usize = 2;

/// The table of the forwarder.
const BARE: &str =
    "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, path text NOT NULL, status bigint)";

pub(crate) async fn run(settings: &Settings, components: &Components, report: &mut Report) -> anyhow::Result<()> {
    let folder = requests::folder(settings.instances, 0)?;
    let ours = components.ours_for(&folder.path).await?;
    let upstream = Upstream::start().await?;
    let server = Server::start(ServerOptions { fsync: true, ..ServerOptions::default() })?;
    let mut table = Table::new(
        "postgres: ours over what has to be there anyway, two gateways on one PostgreSQL",
        ["component", "connections", "req/s", "p50 ms", "p99 ms", "p99 / p50", "CPU ms/req", "MB", "× req/s"],
    );
    let mut rates = Vec::new();
    for &connections in &settings.connections {
        let database = server.create_database()?;
        database.rows(BARE)?;
        let start = async |name: &str, component: &Path| {
            let serve = Serve {
                ledger: Some(database.address()),
                database: None,
                ..Serve::of(component, &folder, &upstream, PathBuf::new())
            };
            gateways(name, &serve, settings, &folder).await
        };
        let mut subjects = [start(COMMITS, &components.postgres_committer).await?, start("ours", &ours).await?];
        by_turns(&mut subjects, connections, settings.seconds, settings.rounds).await?;
        compare(&subjects, connections, &mut table, report);
        let [_, ours] = &subjects;
        rates.push((connections, ours.measured.rate()));
        for subject in subjects {
            subject.stop().await;
        }
    }
    upstream.stop().await;
    let rate = |connections: usize| rates.iter().find(|(at, _)| *at == connections).map(|(_, rate)| *rate);
    if let Some((few, many)) = rate(16).zip(rate(64)) {
        let what = "postgres: req/s over 64 connections against 16".to_owned();
        report.target(what, "≥ 1 ×", format!("{} ×", number(many / few)), many >= few);
    }
    table.note("each component has two processes; over one connection the second one is idle");
    report.table(table);
    Ok(())
}

async fn gateways(name: &str, serve: &Serve, settings: &Settings, folder: &Folder) -> anyhow::Result<Subject> {
    let mut processes = Vec::new();
    for _ in 0..GATEWAYS {
        processes.push(serve.start().await?);
    }
    Ok(Subject::of_several(name, processes, settings.kind, folder))
}

fn compare(subjects: &[Subject; 2], connections: usize, table: &mut Table, report: &mut Report) {
    let [floor, ours] = subjects;
    for subject in subjects {
        let m = &subject.measured;
        table.row([
            subject.name.clone(),
            connections.to_string(),
            number(m.rate()),
            number(m.p50()),
            number(m.p99()),
            number(m.p99() / m.p50()),
            number(subject.cpu_of_one()),
            megabytes(subject.used.memory),
            number(m.rate() / floor.measured.rate()),
        ]);
        report.unexpected(&format!("{} on PostgreSQL {connections}", subject.name), &m.unexpected);
    }
    let times = ours.measured.rate() / floor.measured.rate();
    let what = |what: &str| format!("postgres, {connections} connections: {what}");
    report.target(what("req/s"), "≥ 0.75 ×", format!("{} ×", number(times)), times >= 0.75);
    if connections == 16 {
        let spread = ours.measured.p99() / ours.measured.p50();
        report.target(what("p99"), "< 3 × its p50", format!("{} ×", number(spread)), spread < 3.0);
    }
}

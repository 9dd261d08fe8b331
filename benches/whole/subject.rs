//! Something under load: its processes, the requests that are signed for it, and what it used.

use std::time::Duration;

use anyhow::Context;

use crate::load::{self, Measured, Work};
use crate::process::{Process, Usage};
use crate::requests::{self, Folder, Kind};

/// How long it is warmed up before its first slice, and before any later one.
const WARM_UP: Duration = Duration::from_millis(700);
const WARM_AGAIN: Duration = Duration::from_millis(100);

pub(crate) struct Subject {
    pub(crate) name: String,
    processes: Vec<Process>,
    kind: Kind,
    folder: Folder,
    /// How many requests were signed.
    signed: usize,
    /// The most answers a second that it gave in any slice, or could give before anything is known.
    rate: f64,
    pub(crate) measured: Measured,
    /// The most memory that it had, and the CPU time of its slices.
    pub(crate) used: Usage,
}

impl Subject {
    pub(crate) fn new(name: impl Into<String>, process: Process, kind: Kind, folder: &Folder) -> Self {
        Self::of_several(name, vec![process], kind, folder)
    }

    /// Several processes that share the connections, by turns.
    pub(crate) fn of_several(name: impl Into<String>, processes: Vec<Process>, kind: Kind, folder: &Folder) -> Self {
        Self {
            name: name.into(),
            processes,
            kind,
            folder: folder.clone(),
            signed: 0,
            rate: 5000.0,
            measured: Measured::default(),
            used: Usage::default(),
        }
    }

    /// One slice of its measurement.
    pub(crate) async fn slice(&mut self, connections: usize, seconds: Duration) -> anyhow::Result<()> {
        if self.signed == 0 {
            let warm = self.load(connections, Duration::ZERO, WARM_UP).await?;
            // Wrong answers are fast or slow for reasons of their own.
            self.rate = warm.rate().max(100.0);
            self.measured.add(Measured { unexpected: warm.unexpected, ..Measured::default() });
        }
        let before = self.usage();
        let measured = self.load(connections, WARM_AGAIN, seconds).await?;
        let after = self.usage();
        self.rate = self.rate.max(measured.rate());
        self.used.memory = self.used.memory.max(after.memory);
        self.used.cpu += after.cpu - before.cpu;
        self.measured.add(measured);
        Ok(())
    }

    async fn load(&mut self, connections: usize, warm_up: Duration, seconds: Duration) -> anyhow::Result<Measured> {
        // It may be faster than ever before.
        let count = (self.rate * 3.0 * (warm_up + seconds).as_secs_f64()) as usize + 500 + 8 * connections;
        let addresses: Vec<_> = self.processes.iter().map(|process| process.address).collect();
        let first = *addresses.first().context("nothing to load")?;
        // Signed for the first of them: none looks whether it is called by its own name.
        let requests = requests::signed(self.kind, &self.folder, first, self.signed, count)?;
        self.signed += count;
        load::run(&addresses, connections, warm_up, seconds, &Work::once(requests, self.kind.answer())).await
    }

    fn usage(&self) -> Usage {
        self.processes
            .iter()
            .map(Process::usage)
            .fold(Usage::default(), |sum, one| Usage { memory: sum.memory + one.memory, cpu: sum.cpu + one.cpu })
    }

    pub(crate) async fn stop(self) {
        for process in self.processes {
            process.stop().await;
        }
    }

    /// Milliseconds of CPU time for an answer, the short warm-ups of its slices included.
    pub(crate) fn cpu_of_one(&self) -> f64 {
        self.used.cpu * 1000.0 / self.measured.latencies.len() as f64
    }
}

/// Measures all of them by turns.
pub(crate) async fn by_turns(
    subjects: &mut [Subject],
    connections: usize,
    seconds: f64,
    rounds: u32,
) -> anyhow::Result<()> {
    let slice = Duration::from_secs_f64(seconds / f64::from(rounds.max(1)));
    for round in 0..rounds.max(1) {
        // In reverse order the next time: the first subject has the colder machine.
        let order: Vec<usize> = match round % 2 {
            0 => (0..subjects.len()).collect(),
            _ => (0..subjects.len()).rev().collect(),
        };
        for at in order {
            if let Some(subject) = subjects.get_mut(at) {
                subject.slice(connections, slice).await?;
                eprint!(
                    "\r  {} connections, round {} of {rounds}: {} {:.0}/s        ",
                    connections,
                    round + 1,
                    subject.name,
                    subject.measured.rate()
                );
            }
        }
    }
    eprintln!();
    Ok(())
}

//! What the work of a component costs, counted and not timed: the same on every machine, as far as the component does not
//! depend on what is ready first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::{CallHook, Store, WasmBacktrace};

use super::call_sites::CallSites;
use super::instance::InstanceState;

/// The guest's instructions before it runs out of fuel, which it never does.
const FUEL: u64 = u64::MAX / 2;

/// The names of the totals in [`Counts::rows`].
pub const TOTALS: [&str; 8] = [
    "host calls",
    "built-ins of tasks",
    "entries of the guest",
    "statements",
    "commits",
    "WAL pages",
    "instructions",
    "memory (bytes)",
];

/// The module of the built-ins that a guest waits with. How often depends on what is ready first.
const BUILT_INS: &str = "$root ";

/// What the import of a drop has in its name.
const DROP: &str = "[resource-drop]";

/// Counts what the instances of a runtime do. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// The pages in the write-ahead log after the last commit.
    wal_length: u64,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The guest's calls of its host and of the component model's built-ins, by the import in the guest's core module.
    pub host_calls: BTreeMap<String, u64>,
    /// How often the host entered the guest: exports, callbacks, allocations of parameters.
    pub entries: u64,
    /// The guest's instructions, in wasmtime's fuel.
    pub instructions: u64,
    /// Bytes by which the guest's memory grew; for a new instance, what it begins with too.
    pub memory: u64,
    /// Statements of SQL.
    pub statements: u64,
    /// Transactions of SQLite that wrote, each a wait for the disk.
    pub commits: u64,
    /// Pages that commits added to the write-ahead log.
    pub wal_pages: u64,
}

impl Meter {
    /// Returns a meter that has counted nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what the instances did since the last call.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.state().counts)
    }

    /// Counts what this instance does from now on.
    pub(super) fn watch(&self, store: &mut Store<InstanceState>, sites: Arc<CallSites>) -> wasmtime::Result<()> {
        store.set_fuel(FUEL)?;
        let (meter, mut left) = (self.clone(), FUEL);
        let mut dropped_at = None;
        store.call_hook(move |context, hook| {
            let fuel = context.get_fuel()?;
            let mut state = meter.state();
            state.counts.instructions += left - fuel;
            left = fuel;
            match hook {
                CallHook::CallingWasm => state.counts.entries += 1,
                CallHook::CallingHost => {
                    if let Some(name) = sites.called(&WasmBacktrace::force_capture(&context)) {
                        // The engine takes two steps for one drop of a resource: out of the guest's table, then its destructor.
                        let is_second_step = name.contains(DROP) && dropped_at.take() == Some(fuel);
                        if !is_second_step {
                            dropped_at = name.contains(DROP).then_some(fuel);
                            *state.counts.host_calls.entry(name.to_owned()).or_default() += 1;
                        }
                    }
                }
                CallHook::ReturningFromWasm | CallHook::ReturningFromHost => {}
            }
            Ok(())
        });
        Ok(())
    }

    pub(super) fn add_memory(&self, bytes: usize) {
        self.state().counts.memory += bytes as u64;
    }

    pub(super) fn add_statement(&self) {
        self.state().counts.statements += 1;
    }

    /// Counts the commits of this connection and the pages that they write.
    pub(super) fn watch_commits(&self, connection: &mut rusqlite::Connection) -> rusqlite::Result<()> {
        let meter = self.clone();
        connection.commit_hook(Some(move || {
            meter.state().counts.commits += 1;
            false
        }))?;
        let meter = self.clone();
        // It takes the place of SQLite's own hook, which writes the log back after 1,000 pages.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            meter.state().add_log(u64::try_from(pages).unwrap_or_default());
            Ok(())
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts the growth of the log to this number of pages. A shorter log was begun anew.
    fn add_log(&mut self, pages: u64) {
        self.counts.wal_pages += if pages < self.wal_length { pages } else { pages - self.wal_length };
        self.wal_length = pages;
    }
}

impl Counts {
    /// Returns every count with its name: the totals, and then the calls of the host by name.
    #[must_use]
    pub fn rows(&self) -> Vec<(String, u64)> {
        let (built_ins, calls): (Vec<_>, Vec<_>) =
            self.host_calls.iter().partition(|(name, _)| name.starts_with(BUILT_INS));
        let sum = |calls: Vec<(&String, &u64)>| calls.into_iter().map(|(_, count)| count).sum();
        let totals: [u64; TOTALS.len()] = [
            sum(calls),
            sum(built_ins),
            self.entries,
            self.statements,
            self.commits,
            self.wal_pages,
            self.instructions,
            self.memory,
        ];
        let totals = TOTALS.into_iter().map(str::to_owned).zip(totals);
        totals.chain(self.host_calls.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_and_the_pages_that_they_write_are_counted() {
        let folder = tempfile::TempDir::new().unwrap();
        let meter = Meter::new();
        let open = || {
            let mut connection = rusqlite::Connection::open(folder.path().join("t.db")).unwrap();
            meter.watch_commits(&mut connection).unwrap();
            connection
        };
        let connection = open();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        meter.take();
        connection.execute_batch("SELECT * FROM t; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)").unwrap();
        let counts = meter.take();
        assert_eq!((counts.commits, counts.wal_pages), (2, 2));
        // Another connection writes behind the pages of the first.
        open().execute_batch("INSERT INTO t VALUES (3)").unwrap();
        let counts = meter.take();
        assert_eq!((counts.commits, counts.wal_pages), (1, 1));
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        connection.execute_batch("INSERT INTO t VALUES (4)").unwrap();
        assert_eq!(meter.take().wal_pages, 1);
        connection.execute_batch("BEGIN; INSERT INTO t VALUES (5); ROLLBACK").unwrap();
        assert_eq!(meter.take(), Counts::default());
    }
}

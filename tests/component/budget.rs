//! What one removal may cost: calls of the host by name, entries of the guest, statements, commits, pages of the write-ahead
//! log, instructions, memory. Counted and not timed, so the same on every machine.
//!
//! The ceilings are `tests/fixtures/budget.tsv`. `BLESS=1` measures again and writes the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use local::repository;
use local::runtime::meter::TOTALS;
use support::budget::{Budget, Case};

/// How often a removal is measured for the ceilings: what is ready first differs from one time to the next.
const RUNS: usize = 20;

/// How often a removal is measured that costs more than it may.
const ATTEMPTS: usize = 10;

/// The ceilings, by case and count.
#[derive(Debug, Default, PartialEq)]
struct Ceilings(BTreeMap<String, BTreeMap<String, u64>>);

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_stays_within_its_budget() {
    let budget = tokio::task::spawn_blocking(Budget::build).await.unwrap().unwrap();
    let cases = Case::all().unwrap();
    if std::env::var_os("BLESS").is_some() {
        Ceilings::measure(&budget, &cases).await.write();
        return;
    }
    let ceilings = Ceilings::read();
    let mut failures = String::new();
    for case in cases {
        let mut exceeded = None;
        for _ in 0..ATTEMPTS {
            let measured = budget.measure(case).await.unwrap().rows();
            exceeded = ceilings.exceeded(&case.name(), &measured);
            if exceeded.is_none() {
                break;
            }
        }
        failures.extend(exceeded);
    }
    assert!(failures.is_empty(), "{failures}\nIf it is worth it: BLESS=1 cargo test --test component budget");
}

impl Ceilings {
    fn path() -> PathBuf {
        repository::root().join("tests/fixtures/budget.tsv")
    }

    /// Measures every case, and leaves room for what differs from one time to the next.
    async fn measure(budget: &Budget, cases: &[Case]) -> Self {
        let mut ceilings = Self::default();
        for case in cases {
            let most = ceilings.0.entry(case.name()).or_default();
            for _ in 0..RUNS {
                for (count, measured) in budget.measure(*case).await.unwrap().rows() {
                    let ceiling = most.entry(count).or_default();
                    *ceiling = measured.max(*ceiling);
                }
            }
            for (count, ceiling) in most {
                *ceiling += room(count, *ceiling);
            }
        }
        ceilings
    }

    /// Returns what is exceeded and by how much, and the calls that were added.
    fn exceeded(&self, case: &str, measured: &[(String, u64)]) -> Option<String> {
        let ceilings = self.0.get(case).cloned().unwrap_or_default();
        let mut text = String::new();
        for (count, measured) in measured {
            let ceiling = ceilings.get(count).copied().unwrap_or_default();
            if *measured > ceiling {
                let _ = writeln!(text, "  {count}: {measured}, {} more than the {ceiling} allowed", measured - ceiling);
            }
        }
        (!text.is_empty()).then(|| format!("{case}:\n{text}"))
    }

    fn read() -> Self {
        let text = fs::read_to_string(Self::path()).unwrap();
        let mut lines = text.lines().map(|line| line.split('\t'));
        let cases: Vec<&str> = lines.next().unwrap().skip(1).collect();
        let mut ceilings = Self::default();
        for mut line in lines {
            let count = line.next().unwrap();
            for (case, ceiling) in cases.iter().zip(line) {
                let of_case = ceilings.0.entry((*case).to_owned()).or_default();
                of_case.insert(count.to_owned(), ceiling.parse().unwrap());
            }
        }
        ceilings
    }

    /// Writes a line a count, with the totals first, and a column a case.
    fn write(&self) {
        let names: BTreeSet<&String> = self.0.values().flat_map(BTreeMap::keys).collect();
        let is_total = |name: &&&String| TOTALS.contains(&name.as_str());
        let calls = names.iter().filter(|name| !is_total(name)).map(|name| name.as_str());
        let mut text = format!("count\t{}\n", Vec::from_iter(self.0.keys().cloned()).join("\t"));
        for name in TOTALS.into_iter().chain(calls) {
            let ceilings = self.0.values().map(|of_case| of_case.get(name).copied().unwrap_or_default().to_string());
            let _ = writeln!(text, "{name}\t{}", Vec::from_iter(ceilings).join("\t"));
        }
        fs::write(Self::path(), text).unwrap();
    }
}

/// Returns what is left above the most that was measured. How often a task joins and leaves what it waits for depends on
/// what is ready first, and so on the machine and its load.
fn room(count: &str, measured: u64) -> u64 {
    match count {
        "built-ins of tasks" | "$root [subtask-drop]" | "$root [waitable-join]" => measured.div_ceil(2),
        "entries of the guest" | "instructions" => measured.div_ceil(10),
        // A page.
        "memory (bytes)" => 64 * 1024,
        _ => 0,
    }
}

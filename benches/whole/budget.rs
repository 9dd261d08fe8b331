//! Budget: what one removal costs, counted and not timed. The ceilings are tests/fixtures/budget.tsv.

use std::collections::BTreeMap;

use local::runtime::meter::TOTALS;
use support::budget::{Budget, Case};

use crate::table::{Report, Table};

pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let budget = tokio::task::spawn_blocking(Budget::build).await??;
    let cases = Case::all()?;
    let columns = std::iter::once("count".to_owned()).chain(cases.iter().map(Case::name)).collect();
    let mut table = Table { title: "budget: what one removal costs".to_owned(), columns, ..Table::default() };
    let mut rows: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate() {
        eprintln!("  {}", case.name());
        for (name, count) in budget.measure(*case).await?.rows() {
            // The totals first, in their order.
            let place = TOTALS.iter().position(|total| *total == name).unwrap_or(TOTALS.len());
            let row = rows.entry((place, name)).or_insert_with(|| vec!["0".to_owned(); cases.len()]);
            row[at] = count.to_string();
        }
    }
    for ((_, name), counts) in rows {
        table.rows.push(std::iter::once(name).chain(counts).collect());
    }
    table.note("a fresh instance meets a ledger that is there, a reused one has removed an account before");
    report.table(table);
    Ok(())
}

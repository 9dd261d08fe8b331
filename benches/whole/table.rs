//! What was measured, as tables in the terminal; the report draws the same ones.

use std::collections::BTreeMap;
use std::fmt::Write;

/// All tables of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What it was measured on.
    pub(crate) machine: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) targets: Vec<Target>,
    pub(crate) unexpected: Vec<String>,
}

/// A table with its heading and its notes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) notes: Vec<String>,
    /// SVG, for the report.
    pub(crate) plots: Vec<String>,
}

/// What is to be reached, and what was.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

impl Table {
    pub(crate) fn new<const N: usize>(title: impl Into<String>, columns: [&str; N]) -> Self {
        Self { title: title.into(), columns: columns.map(str::to_owned).to_vec(), ..Self::default() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn text(&self) -> String {
        let lines: Vec<&Vec<String>> = std::iter::once(&self.columns).chain(&self.rows).collect();
        let width = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let mut text = format!("\n{}\n", self.title);
        for (number, line) in lines.iter().enumerate() {
            for (column, cell) in line.iter().enumerate() {
                // Names to the left, numbers to the right.
                let width = width(column);
                let _ = match column {
                    0 => write!(text, "{cell:<width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            text.push('\n');
            if number == 0 {
                let all: usize = (0..self.columns.len()).map(|column| width(column) + 2).sum();
                text.push_str(&"-".repeat(all.saturating_sub(2)));
                text.push('\n');
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "  {note}");
        }
        text
    }
}

impl Report {
    /// Prints a table, and keeps it for the report.
    pub(crate) fn table(&mut self, table: Table) {
        println!("{}", table.text());
        self.tables.push(table);
    }

    /// What is to be reached, and what was.
    pub(crate) fn target(&mut self, what: impl Into<String>, target: impl Into<String>, measured: String, met: bool) {
        self.targets.push(Target { what: what.into(), target: target.into(), measured, met });
    }

    /// Says loudly what should not have been answered.
    pub(crate) fn unexpected(&mut self, who: &str, answers: &BTreeMap<String, usize>) {
        for (answer, times) in answers {
            let line = format!("{who}: {times} × unexpected: {answer}");
            eprintln!("!! {line}");
            self.unexpected.push(line);
        }
    }

    /// All targets of the run.
    pub(crate) fn summary(&mut self) {
        let mut table = Table::new("targets", ["what", "target", "measured", "met"]);
        for target in self.targets.clone() {
            let met = if target.met { "yes" } else { "NO" };
            table.row([target.what, target.target, target.measured, met.to_owned()]);
        }
        if !table.rows.is_empty() {
            self.table(table);
        }
        for line in &self.unexpected {
            eprintln!("!! {line}");
        }
    }
}

/// With as many digits as say something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "-".to_owned(),
        0.0 => "0".to_owned(),
        big if big >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        small if small >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Bytes as megabytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    number(bytes as f64 / 1e6)
}

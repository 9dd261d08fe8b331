//! The report: one file of HTML with everything in it.

use std::fmt::Write;
use std::path::Path;

use crate::plot::escaped;
use crate::table::{Report, Table};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1e293b}\
    table{border-collapse:collapse;margin:1em 0;font-size:13px}td,th{padding:2px 9px;text-align:right;\
    border-bottom:1px solid #e2e8f0}td:first-child,th:first-child{text-align:left}.yes{color:#059669}\
    .no{color:#dc2626;font-weight:bold}.wrong{color:#dc2626}svg{width:100%;max-width:680px;display:block;margin:1em 0}\
    svg text{font:11px system-ui,sans-serif;fill:#475569}svg .title{font-size:13px;font-weight:600;fill:#1e293b}\
    .grid{stroke:#e2e8f0}";

/// Writes it.
pub(crate) fn write(report: &Report, file: &Path) -> anyhow::Result<()> {
    let mut html = format!(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>starrocks-offboard under load</title>\
         <style>{STYLE}</style><h1>starrocks-offboard under load</h1><p>{}</p>",
        escaped(&report.machine)
    );
    for line in &report.unexpected {
        write!(html, "<p class='wrong'>{}</p>", escaped(line))?;
    }
    // What the targets say first; what they rest on after it.
    for table in report.tables.iter().rev().take(1).chain(report.tables.iter().rev().skip(1).rev()) {
        table_of(&mut html, table)?;
    }
    std::fs::write(file, html)?;
    Ok(())
}

fn table_of(html: &mut String, table: &Table) -> std::fmt::Result {
    write!(html, "<h2>{}</h2>", escaped(&table.title))?;
    for plot in &table.plots {
        html.push_str(plot);
    }
    html.push_str("<table><tr>");
    for column in &table.columns {
        write!(html, "<th>{}</th>", escaped(column))?;
    }
    html.push_str("</tr>");
    for row in &table.rows {
        html.push_str("<tr>");
        for cell in row {
            let class = match cell.as_str() {
                "yes" => " class='yes'",
                "NO" => " class='no'",
                _ => "",
            };
            write!(html, "<td{class}>{}</td>", escaped(cell))?;
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    for note in &table.notes {
        write!(html, "<p>{}</p>", escaped(note))?;
    }
    Ok(())
}

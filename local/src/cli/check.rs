//! `check`: prints what the linter finds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use starrocks_offboard::diagnostic::Diagnostic;

use super::variable::name_and_value;
use crate::lint::check::diagnostics;
use crate::manifest::Manifest;
use crate::operator_files::{OperatorFiles, spin_path};
use crate::repository;

/// The arguments of `check`.
#[derive(Args)]
pub struct Arguments {
    /// The folder of offboard.toml and the policies, instead of the folder that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// A value for a variable of spin.toml; takes precedence over SPIN_VARIABLE_NAME in the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
}

/// Prints all diagnostics and their number. The exit code is a failure if one of them is an error.
///
/// # Errors
///
/// If a file cannot be read, or an argument names a variable that spin.toml does not declare.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let files = OperatorFiles::read(arguments.config.as_deref())?;
    let path = spin_path();
    let spin = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut given = BTreeMap::new();
    if let Ok(manifest) = Manifest::parse(&spin, repository::root().to_owned()) {
        given = manifest.variables_in_environment();
        let mut names = arguments.variables.iter().map(|(name, _)| name);
        if let Some(name) = names.find(|name| !manifest.variables.contains_key(*name)) {
            bail!("spin.toml declares no variable `{name}`; correct the name, or declare it");
        }
    }
    given.extend(arguments.variables);

    let diagnostics = diagnostics(&files, &spin, &given);
    let mut stdout = std::io::stdout();
    stdout.write_all(report(&diagnostics).as_bytes()).context("cannot write to standard output")?;
    Ok(if diagnostics.iter().any(Diagnostic::is_error) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Formats one line for each diagnostic, and one with their number.
pub(super) fn report(diagnostics: &[Diagnostic]) -> String {
    let mut page = String::new();
    for diagnostic in diagnostics {
        page += &format!("{}: {diagnostic}\n", diagnostic.severity);
    }
    let count = |errors: bool| diagnostics.iter().filter(|diagnostic| diagnostic.is_error() == errors).count();
    let number = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    page + &format!("{}, {}\n", number(count(true), "error"), number(count(false), "warning"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_ends_with_the_number_of_diagnostics() {
        let error = Diagnostic::error("offboard.toml", Some(2), "first");
        let warning = Diagnostic::warning("spin.toml", None, "second");
        for (diagnostics, expected) in [
            (vec![], "0 errors, 0 warnings\n"),
            (vec![error.clone()], "error: offboard.toml, line 2: first\n1 error, 0 warnings\n"),
            (vec![warning.clone()], "warning: spin.toml: second\n0 errors, 1 warning\n"),
            (
                vec![error.clone(), error, warning],
                "error: offboard.toml, line 2: first\nerror: offboard.toml, line 2: first\nwarning: spin.toml: second\n2 errors, 1 warning\n",
            ),
        ] {
            assert_eq!(report(&diagnostics), expected);
        }
    }
}

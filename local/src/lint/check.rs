//! The entry: everything that `check` reports.

use std::collections::BTreeMap;

use starrocks_offboard::callers::shapes;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::{Diagnostic, sort};

use super::spin_toml::SpinToml;
use super::{callers, config_files, credentials, hosts, ledger, notify};
use crate::operator_files::OperatorFiles;

/// Returns all diagnostics in the order of the files. `given` has the values of spin.toml's variables that differ from
/// their defaults.
pub(crate) fn diagnostics(files: &OperatorFiles, spin: &str, given: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut diagnostics = config_files::diagnostics(&files.offboard, &files.policy, &files.schema);
    match SpinToml::parse(spin, given) {
        Err(unusable) => diagnostics.push(unusable),
        Ok((spin, problems)) => {
            diagnostics.extend(problems);
            diagnostics.extend(ledger::unreachable(&spin));
            let config = Config::parse(&files.offboard, &shapes()).ok();
            if let (Some(config), Some(source_map)) = (config, SourceMap::read(&files.offboard)) {
                diagnostics.extend(callers::without_secrets(&spin, &source_map));
                diagnostics.extend(callers::of_wrong_form(&spin, &config, &source_map));
                diagnostics.extend(credentials::incomplete(&spin, &config, &source_map));
                diagnostics.extend(hosts::refused_settings(&spin, &config, &source_map));
                diagnostics.extend(hosts::refused_endpoints(&spin, &config, &source_map));
                diagnostics.extend(notify::without_secrets(&spin, &config, &source_map));
                diagnostics.extend(notify::refused_hosts(&spin, &config, &source_map));
            }
        }
    }
    sort(&mut diagnostics);
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{found_with_spin, lines};
    use crate::operator_files::spin_path;

    #[test]
    fn complete_files_have_no_diagnostics() {
        assert_eq!(found_with_spin(&[], &[]), [""; 0]);
    }

    #[test]
    fn each_file_is_checked_whatever_the_others_have() {
        let changes = [("\"{{ old_secret }}\"", "\"{{ other }}\""), ("[taurusdb]", "[taurus]")];
        assert_eq!(
            found_with_spin(&changes, &[]),
            [
                "error: offboard.toml, line 1: unknown field `taurus`, expected one of `taurusdb`, `limits`, `credentials`, `instance`, `team`, `person`, `approvals`, `keep`, `notify`, `leavers`, `caller`, `accounts`",
                "error: spin.toml: the template `{{ other }}` names the unknown variable `other`",
            ]
        );
    }

    /// The repository's own files lack nothing but the secrets.
    #[test]
    fn the_demo_lacks_its_secrets_only() {
        let spin = std::fs::read_to_string(spin_path()).unwrap();
        let files = OperatorFiles::read(None).unwrap();
        let demo = crate::demo::settings::VARIABLES.iter();
        let demo = demo.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(lines(&diagnostics(&files, &spin, &demo)), [""; 0]);
        let bare = diagnostics(&files, &spin, &BTreeMap::new());
        let lines: Vec<_> = bare.iter().map(|diagnostic| (diagnostic.is_error(), diagnostic.line)).collect();
        assert_eq!(lines, [5, 51, 56, 61].map(|line| (false, Some(line))));
    }
}

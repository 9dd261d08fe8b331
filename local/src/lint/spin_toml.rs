//! spin.toml with the values of its variables: what the component gets, and what is wrong in the file itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::diagnostic::{Diagnostic, line_at};
use starrocks_offboard::secret::Secret;

use crate::manifest::{Manifest, resolve, resolve_host};
use crate::operator_files::SPIN;
use crate::runtime::allowed_hosts::AllowedHosts;

pub(super) struct SpinToml {
    /// The file.
    text: String,
    /// The variables of the component.
    values: BTreeMap<String, String>,
    /// The application variables.
    application: BTreeMap<String, String>,
    /// One value for each entry, so that a wrong entry does not hide the others.
    hosts: Vec<AllowedHosts>,
}

impl SpinToml {
    /// Reads the file and resolves its templates. Returns it together with the diagnostics about the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be used at all.
    pub(super) fn parse(text: &str, given: &BTreeMap<String, String>) -> Result<(Self, Vec<Diagnostic>), Diagnostic> {
        let manifest = Manifest::parse(text, PathBuf::new()).map_err(|error| unusable(text, &error))?;
        let mut diagnostics = Vec::new();
        let mut application = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let value = given.get(name).or(variable.default.as_ref());
            if value.is_none() {
                let message =
                    format!("variable `{name}` has no default and is not set, so Spin will not start; set it");
                diagnostics.push(Diagnostic::warning(SPIN, declaration(text, name), message));
            }
            application.insert(name.clone(), value.cloned().unwrap_or_default());
        }
        // `Manifest::parse` has resolved every template once, so this cannot fail.
        let resolved = |template: &String| resolve(template, &application).unwrap_or_default();
        let values = manifest.component_variables.iter().map(|(name, template)| (name.clone(), resolved(template)));
        let values = values.collect();
        let mut hosts = Vec::new();
        for template in &manifest.allowed_outbound_hosts {
            let Ok(Some(host)) = resolve_host(template, &application) else { continue };
            match AllowedHosts::parse(&[host]) {
                Ok(entry) => hosts.push(entry),
                Err(error) => {
                    let quoted = format!("\"{template}\"");
                    let line = line_of(text, |line| line.contains(&quoted));
                    diagnostics.push(Diagnostic::error(SPIN, line, error.to_string()));
                }
            }
        }
        Ok((Self { text: text.to_owned(), values, hosts, application }, diagnostics))
    }

    /// Returns whether the component gets this variable.
    pub(super) fn hands_over(&self, variable: &str) -> bool {
        self.values.contains_key(variable)
    }

    /// Returns whether the component gets a value for this variable that is not empty.
    pub(super) fn is_set(&self, variable: &str) -> bool {
        self.secret(variable).is_some()
    }

    /// Returns the secret in this variable; `None` if the component gets none.
    pub(super) fn secret(&self, variable: &str) -> Option<Secret> {
        Secret::new(self.values.get(variable)?.clone())?.trimmed()
    }

    /// Returns the value of an application variable; `None` if it is empty or not declared.
    pub(super) fn application(&self, variable: &str) -> Option<&str> {
        self.application.get(variable).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Returns the line on which an application variable is declared.
    pub(super) fn declaration(&self, variable: &str) -> Option<usize> {
        declaration(&self.text, variable)
    }

    /// Returns whether the component may send requests to this URL.
    pub(super) fn allows(&self, url: &str) -> bool {
        url.parse().is_ok_and(|uri| self.hosts.iter().any(|entry| entry.allow(&uri)))
    }

    /// Returns an error if the component does not get this variable. `namer` begins the message: `caller … names`.
    pub(super) fn undeclared(&self, namer: &str, variable: &str, line: usize) -> Option<Diagnostic> {
        if self.hands_over(variable) {
            return None;
        }
        let advice = match self.application.contains_key(variable) {
            true => "does not hand to the component; add it to the component's `variables`",
            false => "does not declare; add it to `[variables]` and to the component's `variables`",
        };
        let message = format!("{namer} the Spin variable `{variable}`, which spin.toml {advice}");
        Some(Diagnostic::error(OFFBOARD, Some(line), message))
    }
}

/// Returns the error of a spin.toml that cannot be used.
fn unusable(text: &str, error: &anyhow::Error) -> Diagnostic {
    match error.downcast_ref::<toml::de::Error>() {
        Some(wrong) => {
            let line = wrong.span().map(|span| line_at(text, span.start));
            Diagnostic::error(SPIN, line, wrong.message().replace('\n', " "))
        }
        None => Diagnostic::error(SPIN, None, format!("{error:#}")),
    }
}

/// Returns the line on which the variable is declared.
fn declaration(text: &str, variable: &str) -> Option<usize> {
    line_of(text, |line| line.strip_prefix(variable).is_some_and(|rest| rest.trim_start().starts_with('=')))
}

fn line_of(text: &str, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(|line| is_wanted(line.trim_start())).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found_with_spin;

    #[test]
    fn a_variable_without_a_value_is_reported() {
        assert_eq!(
            found_with_spin(&[("{ default = \"gaussdb.example.com\" }", "{ required = true }")], &[]),
            [
                "warning: offboard.toml, line 17: spin.toml does not allow the endpoint of instance `analytics`, `https://gaussdb.example.com`; add it to allowed_outbound_hosts",
                "warning: spin.toml, line 11: variable `host` has no default and is not set, so Spin will not start; set it",
            ]
        );
    }

    #[test]
    fn a_wrong_entry_is_an_error_on_its_line() {
        assert_eq!(
            found_with_spin(&[], &[("host", "a/b")]),
            [
                "warning: offboard.toml, line 17: spin.toml does not allow the endpoint of instance `analytics`, `https://gaussdb.example.com`; add it to allowed_outbound_hosts",
                "error: spin.toml, line 20: `https://a/b` in allowed_outbound_hosts is not valid; write `scheme://host` or `scheme://host:port`",
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_used_is_one_error() {
        assert_eq!(
            found_with_spin(&[("version = 2", "version = \"2\"")], &[]),
            ["error: spin.toml, line 1: invalid type: string \"2\", expected u8"]
        );
    }
}

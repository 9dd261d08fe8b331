//! Credentials for TaurusDB: whether their variables are set.

use std::collections::BTreeMap;

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::credentials::{AgencyBase, AkskVariables, CredentialSource, PasswordVariables};
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::Diagnostic;

use super::spin_toml::{SpinToml, quoted};

/// Reports variables of credentials that spin.toml does not declare, and warns of credentials that are not completely
/// set. Each place that names credentials is reported once, for all instances that it applies to.
pub(super) fn incomplete(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let located = config.instances().iter().zip(&source_map.instances);
    let uses: BTreeMap<_, _> = located
        .map(|(instance, located)| ((located.credentials.line, &located.credentials.text), &instance.credentials))
        .collect();
    let mut diagnostics = Vec::new();
    for ((line, name), source) in uses {
        let (needed, optional) = variables(source);
        let namer = format!("credentials `{name}` name");
        for variable in needed.iter().chain(&optional) {
            let own = source_map.variables.iter().find(|located| located.text == **variable);
            let diagnostic = spin.undeclared(&namer, variable, own.map_or(line, |own| own.line));
            diagnostics.extend(diagnostic.filter(|diagnostic| !diagnostics.contains(diagnostic)));
        }
        let unset: Vec<_> = needed.into_iter().filter(|name| spin.hands_over(name) && !spin.is_set(name)).collect();
        if !unset.is_empty() {
            let message = format!(
                "credentials `{name}` are incomplete, so no removal can use them; set {}",
                quoted(&unset, "and")
            );
            diagnostics.push(Diagnostic::warning(OFFBOARD, Some(line), message));
        }
    }
    diagnostics
}

/// Returns the variables that credentials need, and those that are optional.
fn variables(source: &CredentialSource) -> (Vec<&String>, Vec<&String>) {
    match source {
        CredentialSource::Aksk(key) | CredentialSource::Agency { on: AgencyBase::Aksk(key), .. } => {
            let AkskVariables { access_key, secret_key, security_token } = key;
            (vec![access_key, secret_key], security_token.iter().collect())
        }
        CredentialSource::Token { token } => (vec![token], vec![]),
        CredentialSource::Password(user) | CredentialSource::Agency { on: AgencyBase::Password(user), .. } => {
            let PasswordVariables { user, password, domain } = user;
            (vec![user, password, domain], vec![])
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found_with_spin;

    #[test]
    fn credentials_without_values_are_reported() {
        assert_eq!(
            found_with_spin(&[], &[("huaweicloud_access_key", ""), ("huaweicloud_secret_key", "")]),
            [
                "warning: offboard.toml, line 2: credentials `aksk` are incomplete, so no removal can use them; set `huaweicloud_access_key` and `huaweicloud_secret_key`"
            ]
        );
    }

    /// `user` is declared in spin.toml and not handed to the component; the other two are not declared.
    #[test]
    fn variables_that_spin_toml_does_not_hand_over_are_errors() {
        let change = ("region = \"ap-southeast-3\"", "region = \"ap-southeast-3\"\ncredentials = \"user\"");
        let undeclared = "which spin.toml does not declare; add it to `[variables]` and to the component's `variables`";
        assert_eq!(
            found_with_spin(&[change], &[]),
            [
                format!("error: offboard.toml, line 6: credentials `user` name the Spin variable `domain`, {undeclared}"),
                format!("error: offboard.toml, line 6: credentials `user` name the Spin variable `password`, {undeclared}"),
                "error: offboard.toml, line 6: credentials `user` name the Spin variable `user`, which spin.toml does not hand to the component; add it to the component's `variables`".to_owned(),
            ]
        );
    }
}

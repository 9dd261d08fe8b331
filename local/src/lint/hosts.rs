//! Hosts that the gateway sends requests to: whether spin.toml allows them.

use starrocks_offboard::app::OFFBOARD;
use starrocks_offboard::callers;
use starrocks_offboard::config::Config;
use starrocks_offboard::config::source_map::SourceMap;
use starrocks_offboard::diagnostic::Diagnostic;

use super::spin_toml::SpinToml;

/// Warns of URLs in the settings of callers that spin.toml does not allow.
pub(super) fn refused_settings(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for located in &source_map.callers {
        let Ok(caller) = config.caller(&located.name.text) else { continue };
        let settings = callers::kind(&caller.kind).map_or(&[][..], |kind| kind.shape().settings);
        let has = |name: &str| caller.setting(name).is_some();
        for setting in settings.iter().filter(|setting| setting.reached.is_by(has)) {
            let refused = caller.settings(setting.name).iter().filter(|url| !spin.allows(url));
            diagnostics.extend(refused.map(|url| {
                let message = format!(
                    "spin.toml does not allow `{}` of caller `{}`, `{url}`; set its variable in allowed_outbound_hosts, or add it there",
                    setting.name, caller.name
                );
                Diagnostic::warning(OFFBOARD, Some(located.name.line), message)
            }));
        }
    }
    diagnostics
}

/// Warns of endpoints of instances that spin.toml does not allow.
pub(super) fn refused_endpoints(spin: &SpinToml, config: &Config, source_map: &SourceMap) -> Vec<Diagnostic> {
    let located = config.instances().iter().zip(&source_map.instances);
    let refused = located.filter(|(instance, _)| !spin.allows(&instance.endpoint));
    let diagnostics = refused.map(|(instance, located)| {
        let message = format!(
            "spin.toml does not allow the endpoint of instance `{}`, `{}`; add it to allowed_outbound_hosts",
            instance.name, instance.endpoint
        );
        Diagnostic::warning(OFFBOARD, Some(located.endpoint), message)
    });
    diagnostics.collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found_with_spin;

    #[test]
    fn endpoints_that_spin_toml_refuses_are_reported() {
        assert_eq!(
            found_with_spin(&[], &[("host", "example.com")]),
            [
                "warning: offboard.toml, line 17: spin.toml does not allow the endpoint of instance `analytics`, `https://gaussdb.example.com`; add it to allowed_outbound_hosts"
            ]
        );
    }

    #[test]
    fn settings_that_spin_toml_refuses_are_reported() {
        let webhooks = "kind = \"standard-webhooks\"\nsecrets = [\"new_secret\", \"old_secret\"]";
        for (host, expected) in [
            (
                "login.example.com",
                &[
                    "warning: offboard.toml, line 20: spin.toml does not allow `jwks_url` of caller `hr`, `https://login.example.com/keys`; set its variable in allowed_outbound_hosts, or add it there",
                ][..],
            ),
            ("gaussdb.example.com", &[]),
        ] {
            let api = format!("kind = \"api\"\nissuer = \"a\"\naudience = \"b\"\njwks_url = \"https://{host}/keys\"");
            assert_eq!(found_with_spin(&[(webhooks, &api)], &[]), expected, "{host}");
        }
    }
}

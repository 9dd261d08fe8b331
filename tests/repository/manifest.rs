//! spin.toml, held to the code and to the demo configuration.

use std::collections::BTreeSet;

use local::manifest::Manifest;
use local::repository;
use starrocks_offboard::config::Config;
use starrocks_offboard::{callers, taurusdb};
use support::kind::Kind;

use crate::text_of;

fn manifest() -> Manifest {
    Manifest::read(&repository::root().join("spin.toml")).unwrap()
}

/// Variables of the ledger, of the metrics, and of the first target that is told.
const OWN: [&str; 5] = ["ledger", "metrics_token", "notify_url", "notify_token", "notify_secret"];

/// Variables that are for `allowed_outbound_hosts` alone.
const HOSTS: [&str; 2] = ["ledger_host", "notify_host"];

/// The variables that the code reads, that the demo configuration names, and that the cases of the kinds use.
fn variables_that_are_read() -> BTreeSet<String> {
    let config = Config::parse(&text_of("config/offboard.toml"), &callers::shapes()).unwrap();
    let named =
        config.callers().flat_map(|caller| &caller.keys).flat_map(|key| &key.variables).map(|(_, name)| name.clone());
    let of_console = ["console_session_key", "console_client_secret"];
    // Each kind has one, so that a caller is configured without a change to spin.toml.
    let usual = Kind::all().into_iter().flat_map(|kind| kind.variables.into_keys().chain(kind.settings.into_keys()));
    taurusdb::VARIABLES.into_iter().chain(OWN).chain(of_console).map(str::to_owned).chain(named).chain(usual).collect()
}

#[test]
fn spin_toml_declares_exactly_the_variables_that_are_read() {
    let manifest = manifest();
    let read = variables_that_are_read();
    let declared = read.iter().cloned().chain(HOSTS.map(str::to_owned)).collect::<BTreeSet<_>>();
    assert_eq!(manifest.variables.keys().cloned().collect::<BTreeSet<_>>(), declared);
    for host in HOSTS {
        assert!(manifest.allowed_outbound_hosts.contains(&format!("{{{{ {host} }}}}")));
    }
    assert_eq!(manifest.component_variables.keys().cloned().collect::<BTreeSet<_>>(), read);
    for (name, template) in &manifest.component_variables {
        assert_eq!(*template, format!("{{{{ {name} }}}}"));
    }
}

/// Spin shows the value of no variable that proves something.
#[test]
fn spin_toml_marks_secrets_as_such() {
    for (name, variable) in manifest().variables {
        let is_public = [
            "huaweicloud_access_key",
            "huaweicloud_user",
            "huaweicloud_domain",
            "taurusdb_endpoint",
            "iam_endpoint",
            "issuer_endpoint",
            "mattermost_endpoint",
        ]
        .into_iter()
        .chain(HOSTS)
        .any(|public| public == name);
        assert_eq!(variable.secret, !is_public, "{name}");
    }
}

/// Spin shows the description beside the name, and starts without a value.
#[test]
fn spin_toml_describes_every_variable_and_has_a_default() {
    for (name, variable) in manifest().variables {
        assert!(variable.description.is_some_and(|text| !text.is_empty()), "{name} has no description");
        assert_eq!(variable.default.as_deref(), Some(""), "{name}");
    }
}

/// `spin build` after an edit of `config/` bakes anew.
#[test]
fn spin_toml_builds_with_the_local_command() {
    assert_eq!(manifest().build_command, "cargo run -- build");
}

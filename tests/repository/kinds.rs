//! What the files of this repository promise each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use local::component;
use local::manifest::Manifest;
use starrocks_offboard::config::Config;
use starrocks_offboard::policy::Policies;
use starrocks_offboard::policy::prepared::PREPARED;
use starrocks_offboard::{callers, taurusdb};
use support::kind::Kind;

use crate::harness::demo_file;

fn manifest() -> Manifest {
    Manifest::read(&component::root().join("spin.toml")).unwrap()
}

/// Those that the code reads, those that the demo configuration names, and those of the kinds' own pages.
fn variables_that_are_read() -> BTreeSet<String> {
    let config = Config::parse(&demo_file("offboard.toml"), &callers::shapes()).unwrap();
    let named =
        config.callers().flat_map(|caller| &caller.keys).flat_map(|key| &key.variables).map(|(_, name)| name.clone());
    // One for each kind, so that a caller is configured without touching spin.toml.
    let usual = Kind::all().into_iter().flat_map(|kind| kind.variables.into_keys().chain(kind.settings.into_keys()));
    taurusdb::VARIABLES.map(str::to_owned).into_iter().chain(named).chain(usual).collect()
}

/// What `offboard prepare` would write.
#[test]
fn the_prepared_policies_are_those_of_the_demonstration() {
    let policies = Policies::parse(&demo_file("policy.cedar"), &demo_file("schema.cedarschema")).unwrap();
    assert_eq!(policies.prepare(), Ok(demo_file(PREPARED)));
}

#[test]
fn spin_toml_declares_exactly_the_variables_that_are_read() {
    let manifest = manifest();
    let read = variables_that_are_read();
    assert_eq!(manifest.variables.keys().cloned().collect::<BTreeSet<_>>(), read);
    assert_eq!(manifest.component_variables.keys().cloned().collect::<BTreeSet<_>>(), read);
    for (name, template) in &manifest.component_variables {
        assert_eq!(*template, format!("{{{{ {name} }}}}"));
    }
}

/// And Spin shows none of those that prove something.
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
        .contains(&name.as_str());
        assert_eq!(variable.secret, !is_public, "{name}");
    }
}

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![component::root().join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn only_shell_names_spin_s_sdk() {
    let naming = |word: &str| -> Vec<String> {
        let files = sources().into_iter().filter(|path| fs::read_to_string(path).unwrap().contains(word));
        files.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    for word in ["spin_sdk", "wasip2", "wasip3"] {
        let files = naming(word);
        assert!(files.iter().all(|file| file == "shell.rs"), "{word}: {files:?}");
    }
    assert_eq!(naming("spin_sdk"), ["shell.rs"]);
}

/// A kind that nobody can set up, or that no case tries, is not there.
#[test]
fn every_kind_has_its_page_its_row_and_its_cases() {
    let readme = fs::read_to_string(component::root().join("README.md")).unwrap();
    let tried: BTreeSet<String> = Kind::all().iter().filter(|kind| !kind.cases().is_empty()).map(Kind::kind).collect();
    let names: BTreeSet<String> = callers::shapes().iter().map(|shape| shape.name.to_owned()).collect();
    assert_eq!(tried, names);
    for name in &names {
        let page = fs::read_to_string(component::root().join(format!("docs/callers/{name}.md"))).unwrap_or_default();
        assert!(page.contains(&format!("kind = \"{name}\"")), "docs/callers/{name}.md");
        assert!(page.contains("platforms.py send ") || page.contains("curl "), "docs/callers/{name}.md sends nothing");
        assert!(readme.contains(&format!("| [`{name}`](docs/callers/{name}.md)")), "README has no row for {name}");
    }
}

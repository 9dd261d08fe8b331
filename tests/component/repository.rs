//! What the files of this repository promise each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use local::component;
use local::manifest::Manifest;
use starrocks_offboard::caller;
use starrocks_offboard::config::Config;
use starrocks_offboard::taurusdb;

use crate::harness::demo_file;

fn manifest() -> Manifest {
    Manifest::read(&component::root().join("spin.toml")).unwrap()
}

/// Those that the code reads, and those that the demo configuration names.
fn variables_that_are_read() -> BTreeSet<String> {
    let config = Config::parse(&demo_file("offboard.toml"), &caller::shapes()).unwrap();
    let named = config.callers().flat_map(|caller| &caller.keys).map(|key| key.variable.clone());
    taurusdb::VARIABLES.map(str::to_owned).into_iter().chain(named).collect()
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
        let is_public =
            ["huaweicloud_access_key", "huaweicloud_user", "huaweicloud_domain", "taurusdb_endpoint", "iam_endpoint"]
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

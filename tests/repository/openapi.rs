//! docs/openapi.yaml has every route, code, state and key of the sources, and none that they do not have. What answers look like is
//! held to it in `tests/component/harness/openapi.rs`.

use std::collections::BTreeSet;

use serde_json::Value;
use starrocks_offboard::ledger::export::COLUMNS;
use starrocks_offboard::outcome::catalog;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::outcome::state::State;
use starrocks_offboard::request::job::Job;
use starrocks_offboard::request::{account_query, pending_query, removal_query};

use crate::text_of;

fn document() -> Value {
    serde_saphyr::from_str(&text_of("docs/openapi.yaml")).unwrap()
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// What a reference leads to, or the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference = value["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    reference.map_or(value, |place| document.pointer(place).unwrap_or_else(|| panic!("{place}")))
}

/// The names of an operation's parameters in its query.
fn query(document: &Value, path: &str) -> BTreeSet<String> {
    let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
    let parameters = parameters.iter().map(|parameter| resolved(document, parameter));
    parameters.filter(|parameter| parameter["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned()).collect()
}

fn owned(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn it_has_the_version_the_languages_and_the_jobs() {
    let document = document();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let languages = [Language::English, Language::Chinese].map(Language::as_str);
    assert_eq!(texts(&document["components"]["parameters"]["Language"]["schema"]["enum"]), languages.into());
    let jobs: BTreeSet<_> = Job::ALL.iter().map(|job| job.as_str()).collect();
    assert_eq!(texts(&document["paths"]["/jobs/{name}"]["parameters"][0]["schema"]["enum"]), jobs);
}

/// What only pages of the console say: they are for people, and the document leaves them out.
const OF_THE_CONSOLE: [&catalog::Entry; 9] = [
    &catalog::SIGN_IN_OVER,
    &catalog::SIGN_IN_REFUSED,
    &catalog::SESSION_OVER,
    &catalog::FORM_FOREIGN,
    &catalog::FORM_REFUSED,
    &catalog::FORM_OLD,
    &catalog::FORM_CHANGED,
    &catalog::PROVIDER_UNAVAILABLE,
    &catalog::PROVIDER_UNUSABLE,
];

/// The codes of each status, and no code of another.
#[test]
fn it_has_every_code() {
    let document = document();
    let mut listed = BTreeSet::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let Some(status) = name.strip_prefix("Error").filter(|status| !status.is_empty()) else { continue };
        let code = &schema["properties"]["error_code"];
        let codes: Vec<_> = code["enum"].as_array().cloned().unwrap_or_else(|| vec![code["const"].clone()]);
        for code in codes {
            let code = code.as_str().unwrap().to_owned();
            assert!(code.starts_with(&format!("OFFBOARD.{status}")), "{code} in {name}");
            assert!(listed.insert(code.clone()), "{code} twice");
        }
    }
    let mut known: BTreeSet<_> = catalog::ALL.iter().map(|entry| entry.code()).collect();
    for entry in OF_THE_CONSOLE {
        known.remove(&entry.code());
    }
    assert_eq!(listed, known);
}

#[test]
fn it_has_every_state_and_every_key_of_a_removal() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(texts(&schemas["State"]["enum"]), State::ALL.map(State::as_str).into());
    assert_eq!(texts(&schemas["Removal"]["required"]), COLUMNS.into());
    assert_eq!(schemas["Removal"]["properties"].as_object().unwrap().len(), COLUMNS.len());
}

#[test]
fn it_has_every_parameter() {
    let document = document();
    for (path, known) in [
        ("/removals", &removal_query::PARAMETERS[..]),
        ("/approvals", &pending_query::PARAMETERS[..]),
        ("/v3/{project_id}/instances/{instance_id}/starrocks/users", &account_query::PARAMETERS[..]),
    ] {
        assert_eq!(query(&document, path), owned(known), "{path}");
    }
}

/// The first segments of the paths that the router matches, and those of the document, which leaves the console's out.
#[test]
fn it_has_every_route() {
    let source = text_of("src/request/route.rs");
    let (code, _) = source.split_once("#[cfg(test)]").unwrap();
    // A pattern is a line such as `["jobs", name] => …`.
    let patterns = code.lines().filter_map(|line| line.trim().strip_prefix('[')).filter(|line| line.contains("=>"));
    let firsts = |pattern: &str| -> Vec<String> {
        let first = pattern.split([',', ']']).next().unwrap_or_default();
        first.split('|').map(|word| word.trim().trim_matches('"').to_owned()).collect()
    };
    let mut routed: BTreeSet<String> = patterns.flat_map(firsts).collect();
    assert!(routed.remove("console"));
    let document = document();
    let paths = document["paths"].as_object().unwrap().keys();
    let described: BTreeSet<String> = paths.map(|path| path.split('/').nth(1).unwrap().to_owned()).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let text = text_of("docs/openapi.yaml");
    let document = document();
    let referenced: BTreeSet<_> = text.split("$ref: '#").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    for place in &referenced {
        assert!(document.pointer(place).is_some(), "{place}");
    }
    for group in ["parameters", "headers", "responses", "schemas"] {
        for name in document["components"][group].as_object().unwrap().keys() {
            // One status is SCIM's alone, whose errors have a form of their own.
            let is_used = referenced.contains(format!("/components/{group}/{name}").as_str()) || name == "Error501";
            assert!(is_used, "components/{group}/{name}");
        }
    }
}

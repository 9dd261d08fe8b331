//! How long a function may be, and how many parameters it may have: clippy's limits, and no exception to them.

use crate::sources;
use crate::text_of;

/// The lints, of which no file may make an exception.
const LINTS: [&str; 3] = ["too_many_arguments", "too_many_lines", "fn_params_excessive_bools"];

#[test]
fn clippy_toml_has_the_limits() {
    let limits: toml::Table = text_of("clippy.toml").parse().unwrap();
    for (name, limit) in
        [("too-many-lines-threshold", 80), ("too-many-arguments-threshold", 5), ("max-fn-params-bools", 1)]
    {
        assert_eq!(limits.get(name).and_then(toml::Value::as_integer), Some(limit), "{name}");
    }
}

#[test]
fn no_file_makes_an_exception_to_the_limits() {
    let mut exceptions = String::new();
    for folder in ["src", "local", "tests", "fuzz", "benches"] {
        for (file, text) in sources::below(folder) {
            for attribute in attributes(&text) {
                for lint in LINTS.into_iter().filter(|lint| attribute.contains(lint)) {
                    exceptions += &format!("{file} makes an exception to clippy::{lint}; split the function\n");
                }
            }
        }
    }
    assert!(exceptions.is_empty(), "\n{exceptions}");
}

/// Every `allow` and `expect` of the text, up to the end of its brackets.
fn attributes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for start in ["#[", "#!["] {
        for (at, _) in text.match_indices(start) {
            let end = text[at..].find(']').map_or(text.len(), |end| at + end);
            found.push(&text[at..end]);
        }
    }
    found.retain(|attribute| attribute.contains("allow(") || attribute.contains("expect("));
    found
}

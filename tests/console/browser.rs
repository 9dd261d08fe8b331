//! The kept pages in Chromium, in both languages, light and dark, from the width of a phone to that of a large screen: axe-core finds
//! nothing, nothing is wider than the window, and nothing is against the content security policy.

use std::process::Command;

use local::{chromium, repository};
use serde_json::Value;
use support::python::javascript;

use crate::golden::folder;

/// How often each page is looked at: at four widths in light colours, at two in dark ones.
const LOOKS: usize = 6;

#[test]
fn axe_core_finds_nothing_and_nothing_is_wider_than_a_phone() {
    let browser = chromium::find_or_install().unwrap_or_else(|error| panic!("{error:#}"));
    let (node, scripts) = javascript();
    let stylesheet = repository::root().join("src/console/console.css");
    let output =
        Command::new(node).arg(scripts.join("console.mjs")).args([browser, folder(), stylesheet]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems: Vec<_> = seen["problems"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let pages = folder().read_dir().unwrap().count();
    assert_eq!((seen["pages"].as_u64(), seen["runs"].as_u64()), (Some(pages as u64), Some((pages * LOOKS) as u64)));
}

//! `offboard setup`: the command that each page of docs/callers begins with, what it prints in a new installation
//! (`tests/fixtures/setup/installation`), and what that is held against: the platforms' own types.
//!
//! `BLESS=1 cargo test --test repository setup` writes the folders of the kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Parser;
use local::cli::setup::{Arguments, Console, run_at};
use local::repository;
use local::setup::recipes::RECIPES;
use serde_json::Value;
use support::python::javascript;
use tempfile::TempDir;

use crate::text_of;

const FIXTURES: &str = "tests/fixtures/setup";

/// Where the gateway of these tests is.
const ADDRESS: &str = "https://offboard.example.com";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// A copy of the new installation, with this repository's policies.
fn installation() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    for file in ["policy.cedar", "schema.cedarschema"] {
        fs::write(config.join(file), text_of(&format!("config/{file}"))).unwrap();
    }
    fs::write(config.join("offboard.toml"), text_of(&format!("{FIXTURES}/installation/offboard.toml"))).unwrap();
    fs::write(folder.path().join("spin.toml"), text_of(&format!("{FIXTURES}/installation/spin.toml"))).unwrap();
    folder
}

/// The files of an installation.
fn files(folder: &Path) -> [String; 2] {
    ["config/offboard.toml", "spin.toml"].map(|file| fs::read_to_string(folder.join(file)).unwrap())
}

/// Runs the command there, without a terminal, with random bytes that count up. Returns what it prints.
fn run(arguments: &[&str], folder: &Path) -> Result<(ExitCode, String), String> {
    let spin = folder.join("spin.toml");
    let line = ["setup"].into_iter().chain(arguments.iter().copied()).chain(["--spin-toml", spin.to_str().unwrap()]);
    let arguments = Line::try_parse_from(line).map_err(|error| error.to_string())?.arguments;
    let mut next = 0u8;
    let mut counting = |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
        Ok(())
    };
    let mut output = Vec::new();
    let console = Console { terminal: None, output: &mut output, random: &mut counting };
    let code = run_at(arguments, console).map_err(|error| format!("{error:#}"))?;
    Ok((code, String::from_utf8(output).unwrap()))
}

/// The arguments of the command that the page of a kind begins with.
fn of_page(kind: &str) -> Vec<String> {
    let path = format!("docs/callers/{kind}.md");
    let page = text_of(&path);
    let mut lines = page.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with("```"));
    let command = lines.next().unwrap().trim_start();
    let arguments =
        command.strip_prefix("cargo run -- setup ").unwrap_or_else(|| panic!("{path} begins with {command}"));
    arguments.split(' ').map(|argument| argument.replace("https://HOST", ADDRESS)).collect()
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// The page, without the check of the result.
fn without_check(printed: &str) -> &str {
    printed.split("\nCheck of the result:").next().unwrap_or_default()
}

fn is_success(code: ExitCode) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

#[test]
fn each_page_begins_with_the_command_that_sets_its_kind_up() {
    for recipe in RECIPES {
        let arguments = of_page(recipe.kind);
        assert_eq!(arguments[0], recipe.kind);
        assert!(arguments.contains(&ADDRESS.to_owned()) && arguments.last().unwrap() == "--write", "{arguments:?}");
        let folder = installation();
        let before = files(folder.path());
        let (code, printed) = run(&borrowed(&arguments), folder.path()).unwrap();
        assert!(is_success(code) && printed.contains("\n0 errors, "), "{printed}");
        let written = files(folder.path());
        assert_ne!(written[0], before[0], "{arguments:?}");

        // Once more: nothing changes, it says so, and no secret is made.
        let (code, again) = run(&borrowed(&arguments), folder.path()).unwrap();
        assert!(is_success(code), "{again}");
        assert_eq!(files(folder.path()), written, "{arguments:?}");
        assert!(again.contains("already; nothing of it is changed.\n"), "{again}");
        assert!(again.contains("spin.toml has everything that the caller needs.\n"), "{again}");
        assert!(!again.contains("='"), "{again}");
    }
}

/// The page and what is pasted, by file, below the folder of the kind.
fn golden(kind: &str) -> BTreeMap<String, String> {
    let arguments = of_page(kind);
    let folder = installation();
    let (_, printed) = run(&borrowed(&arguments), folder.path()).unwrap();
    let mut golden = BTreeMap::from([("page.txt".to_owned(), without_check(&printed).to_owned())]);
    for (file, text) in pasted(kind, without_check(&printed)) {
        golden.insert(file.to_owned(), text);
    }
    golden
}

/// The documents of a page, by the names of their files.
fn pasted(kind: &str, page: &str) -> Vec<(&'static str, String)> {
    let documents = page.split("\n{\n").skip(1).map(|rest| {
        let end = rest.find("\n}\n").map_or(rest.len(), |end| end + 3);
        format!("{{\n{}", &rest[..end])
    });
    let files = FILES.iter().filter(|(of, _)| *of == kind).map(|(_, file)| *file);
    let files: Vec<_> = files.collect();
    let documents: Vec<_> = documents.collect();
    assert_eq!(files.len(), documents.len(), "{kind}: {documents:?}");
    files.into_iter().zip(documents).collect()
}

/// The documents that are pasted, in the order of the pages.
const FILES: &[(&str, &str)] = &[
    ("slack", "manifest.json"),
    ("discord", "command.json"),
    ("discord", "endpoint.json"),
    ("standard-webhooks", "event.json"),
    ("github", "hook.json"),
    ("gitlab", "hook.json"),
    ("okta", "event-hook.json"),
    ("cloudevents", "event.json"),
];

#[test]
fn what_is_printed_for_each_kind_is_what_its_folder_has() {
    let is_blessed = std::env::var_os("BLESS").is_some();
    let mut folders = BTreeSet::from(["installation".to_owned()]);
    for recipe in RECIPES {
        let kind = recipe.kind;
        folders.insert(kind.to_owned());
        let folder = repository::root().join(FIXTURES).join(kind);
        let golden = golden(kind);
        if is_blessed {
            fs::create_dir_all(&folder).unwrap();
            golden.iter().for_each(|(file, text)| fs::write(folder.join(file), text).unwrap());
        }
        assert_eq!(names(&folder), golden.keys().cloned().collect(), "{kind}");
        for (file, text) in &golden {
            let known = fs::read_to_string(folder.join(file)).unwrap();
            assert_eq!(known, *text, "{kind}/{file} differs; BLESS=1 cargo test --test repository setup");
        }
    }
    assert_eq!(names(&repository::root().join(FIXTURES)), folders);
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_is_pasted_is_of_the_platforms_own_types() {
    let (node, folder) = javascript();
    let fixtures = repository::root().join(FIXTURES);
    let output = Command::new(node).arg(folder.join("setup.mjs")).arg(fixtures).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["problems"], serde_json::json!([]));
    let checked: BTreeSet<_> = told["checked"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    // The example events are sent to the gateway itself: tests/component/callers/setup.rs.
    let events = ["cloudevents", "standard-webhooks"];
    let pasted = FILES.iter().filter(|(kind, _)| !events.contains(kind)).map(|(kind, file)| format!("{kind}/{file}"));
    assert_eq!(checked, pasted.collect::<Vec<_>>().iter().map(String::as_str).collect());
}

//! `templates/starrocks-offboard`: what `spin new` lays down. It is made of this repository's own spin.toml and config/, so that it
//! cannot fall behind: `BLESS=1 cargo test --test repository template` writes it.

use std::fs;

use local::lint::config_files;
use local::manifest::Manifest;
use local::repository;

use crate::text_of;

const TEMPLATE: &str = "templates/starrocks-offboard";

/// What stands in spin.toml, and what in the template. Spin renders it with Liquid, whose braces are those of Spin's own variables:
/// from the first variable on, it is raw.
const SPIN: [(&str, &str); 6] = [
    ("name = \"starrocks-offboard\"", "name = \"{{project-name | kebab_case}}\""),
    ("authors = [\"The starrocks-offboard maintainers\"]", "authors = [\"{{authors}}\"]"),
    ("# Values that differ between", "{% raw %}# Values that differ between"),
    (
        "# Built by Cargo, and baked with the files of `config`: a fresh instance finds them parsed.\n",
        "# No release has the component yet, so `spin build` makes it in a clone of starrocks-offboard and bakes it with the files of\n# `config`. Where the clone is: below, in `command`.\n",
    ),
    ("\"target/offboard/starrocks_offboard.wasm\"", "\"starrocks_offboard.wasm\""),
    (
        "command = \"cargo run -- build\"\nwatch = [\"config/*\", \"src/**/*.rs\", \"Cargo.toml\"]",
        "command = \"cargo run --manifest-path ../starrocks-offboard/Cargo.toml -- build --config config --output starrocks_offboard.wasm\"\nwatch = [\"config/*\"]{% endraw %}",
    ),
];

/// The same for offboard.toml. The one instance is a production one until its operator says otherwise: others have to approve.
const OFFBOARD: [(&str, &str); 4] = [
    ("\"23a50154cf494ec9ad6883979a12db0a\"", "\"{{project-id}}\""),
    ("\"54e42160670e48e789af7075e1efea1fin17\"", "\"{{instance-id}}\""),
    ("region = \"ap-southeast-3\" ", "region = \"{{region}}\" "),
    ("environment = \"staging\"   ", "environment = \"production\""),
];

/// Values of the parameters.
const PARAMETERS: [(&str, &str); 5] = [
    ("{{project-name | kebab_case}}", "our-gateway"),
    ("{{authors}}", "Dana"),
    ("{{region}}", "ap-southeast-3"),
    ("{{project-id}}", "23a50154cf494ec9ad6883979a12db0a"),
    ("{{instance-id}}", "54e42160670e48e789af7075e1efea1fin17"),
];

fn replaced(mut text: String, pairs: &[(&str, &str)]) -> String {
    for (from, to) in pairs {
        assert_eq!(text.matches(from).count(), 1, "{from:?}");
        text = text.replace(from, to);
    }
    text
}

/// The text without the paragraph that has this line.
fn without(text: &str, line: &str) -> String {
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let kept: Vec<&str> = paragraphs.iter().copied().filter(|paragraph| !paragraph.contains(line)).collect();
    assert_eq!(kept.len() + 1, paragraphs.len(), "{line:?}");
    kept.join("\n\n")
}

/// The files that the template has to have, with their texts.
fn contents() -> [(&'static str, String); 4] {
    let offboard = without(&text_of("config/offboard.toml"), "name = \"warehouse\"");
    let policy = without(&text_of("config/policy.cedar"), "@id(\"dba-removes-on-staging\")");
    [
        ("spin.toml", replaced(text_of("spin.toml"), &SPIN)),
        ("config/offboard.toml", replaced(offboard, &OFFBOARD)),
        ("config/policy.cedar", policy),
        ("config/schema.cedarschema", text_of("config/schema.cedarschema")),
    ]
}

/// Renders a file as Liquid does: no file has more than parameters and one raw block.
fn rendered(text: &str) -> String {
    let (head, raw) = text.split_once("{% raw %}").unwrap_or((text, ""));
    let mut head = head.to_owned();
    for (parameter, value) in PARAMETERS {
        head = head.replace(parameter, value);
    }
    assert!(!head.contains("{{") && !head.contains("{%"), "{head}");
    head + &raw.replace("{% endraw %}", "")
}

#[test]
fn the_template_is_made_of_spin_toml_and_config() {
    for (file, text) in contents() {
        let path = format!("{TEMPLATE}/content/{file}");
        if std::env::var_os("BLESS").is_some() {
            fs::write(repository::root().join(&path), &text).unwrap();
        }
        assert_eq!(text_of(&path), text, "{path} has fallen behind; BLESS=1 cargo test --test repository template");
    }
}

#[test]
fn what_the_template_lays_down_can_be_used_as_it_is() {
    let [spin, offboard, policy, schema] = contents().map(|(_, text)| rendered(&text));
    let found = config_files::diagnostics(&offboard, &policy, &schema);
    assert!(found.is_empty(), "{found:?}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spin.toml"), spin).unwrap();
    let manifest = Manifest::read(&folder.path().join("spin.toml")).unwrap();
    let own = Manifest::read(&repository::root().join("spin.toml")).unwrap();
    assert_eq!(manifest.variables, own.variables);
    assert_eq!(manifest.component_variables, own.component_variables);
    assert_eq!(manifest.allowed_outbound_hosts, own.allowed_outbound_hosts);
}

#[test]
fn spin_asks_for_each_parameter() {
    let template: toml::Table = text_of(&format!("{TEMPLATE}/metadata/spin-template.toml")).parse().unwrap();
    assert_eq!(template["manifest_version"].as_str(), Some("1"));
    let parameters = template["parameters"].as_table().unwrap();
    let content: String = contents().map(|(_, text)| text).concat();
    for (name, parameter) in parameters {
        assert!(content.contains(&format!("{{{{{name}}}}}")), "no file has {name}");
        let pattern = parameter["pattern"].as_str().unwrap();
        assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{name} is valid only in part");
    }
    assert_eq!(parameters.len(), 3);
}

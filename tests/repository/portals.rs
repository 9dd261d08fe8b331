//! The examples of docs/portals.md are of the portals' own formats. That the gateway takes what they send is in `tests/component`.

use std::process::Command;

use local::repository;
use serde_json::{Value, json};
use support::portals::example;
use support::python::javascript;

use crate::text_of;

/// YAML as JSON.
fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

/// Asserts that a value has these keys at most.
fn assert_keys(value: &Value, known: &[&str]) {
    let unknown: Vec<_> = value.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {value}");
}

#[test]
fn the_template_is_one_that_backstage_reads() {
    let template = read(&example("yaml", 1));
    let (node, folder) = javascript();
    let mut command = Command::new(node);
    let output =
        command.arg(folder.join("template.mjs")).arg(template.to_string()).current_dir(&folder).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(told["problems"], json!([]));

    // The schema leaves the input to the action: createHttpBackstageAction of @roadiehq/scaffolder-backend-module-http-request 5.8.0.
    let step = &template["spec"]["steps"][0];
    assert_eq!(step["action"], "http:backstage:request");
    let known = ["path", "method", "headers", "params", "body", "continueOnBadResponse", "timeout", "idempotencyKey"];
    assert_keys(&step["input"], &known);
}

/// config.schema.json of @backstage/plugin-proxy-backend 0.6.20, which would bring a whole backend along.
#[test]
fn the_proxy_endpoint_is_one_that_backstage_reads() {
    let config = read(&example("yaml", 0));
    let endpoint = &config["proxy"]["endpoints"]["/offboard"];
    assert_keys(&config, &["proxy"]);
    let known = ["target", "headers", "changeOrigin", "pathRewrite", "allowedMethods", "allowedHeaders", "credentials"];
    assert_keys(endpoint, &known);
    assert!(
        ["require", "forward", "dangerously-allow-unauthenticated"]
            .contains(&endpoint["credentials"].as_str().unwrap())
    );
}

#[test]
fn the_action_is_one_that_port_documents() {
    let schema: Value = serde_json::from_str(&text_of("tests/fixtures/portals/port-action.schema.json")).unwrap();
    let action: Value = serde_json::from_str(&example("json", 0)).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let problems: Vec<_> = validator.iter_errors(&action).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    let inputs = &action["trigger"]["userInputs"];
    let mut named: Vec<_> = inputs["properties"].as_object().unwrap().keys().map(|name| json!(name)).collect();
    named.sort_by_key(Value::to_string);
    for list in ["required", "order"] {
        let mut listed = inputs[list].as_array().unwrap().clone();
        listed.sort_by_key(Value::to_string);
        assert_eq!(listed, named, "{list}");
    }
}

/// The page offers the gateway's description to every other portal.
#[test]
fn the_page_names_the_description() {
    assert!(text_of("docs/portals.md").contains("https://HOST/openapi.yaml"));
    assert!(repository::root().join("docs/openapi.yaml").exists());
}

//! CloudEvents over HTTP: a sender behind an event bus, with a bearer token.

use serde_json::json;

use super::super::recipe::{Input, Origin, Paste, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "cloudevents",
    platform: "the sender",
    inputs: &[Input {
        key: "origins",
        what: "the origin that the sender asks permission for, if it does (`WebHook-Request-Origin`); any origin if left out",
        example: "hr.example.com",
        required: false,
    }],
    secrets: &[SecretPart {
        name: "secret",
        variable: "cloudevents_secret",
        suffix: "secret",
        what: "Bearer token of the CloudEvents sender",
        origin: Origin::Made(SecretForm::Base64),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let event = json!({
        "specversion": "1.0",
        "id": "4711",
        "source": "https://hr.example.com",
        "type": "account.delete",
        "datacontenttype": "application/json",
        "data": { "user_name": "alice", "instance": "analytics", "reason": "left" },
    });
    vec![
        Step::new(format!(
            "Start the gateway with {}. A sender that asks for permission does so at once.",
            site.variable("secret")
        )),
        Step::new(format!(
            "Endpoint `{}`, CloudEvents 1.0 over HTTP (Azure Event Grid: Cloud Event Schema v1.0), header `Authorization: Bearer ` and the value of {}.",
            site.hook(),
            site.variable("secret")
        )),
        Step::new("The event, if you can choose it; for events of the sender's own, `fields` in offboard.toml says where the values are (docs/configuration.md):")
            .with(Paste::Document(event)),
    ]
}

//! Okta: an event hook
//! (<https://developer.okta.com/docs/api/openapi/okta-management/management/tags/eventhook>).

use serde_json::json;

use super::super::recipe::{LeaverNames, Origin, Paste, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

/// Okta's API for event hooks.
const API: &str = "\"https://$OKTA_DOMAIN/api/v1/eventHooks";

/// How curl proves itself.
const CURL: &str = "-H \"Authorization: SSWS $OKTA_API_TOKEN\" -H 'Content-Type: application/json' --fail-with-body";

pub(super) static RECIPE: Recipe = Recipe {
    kind: "okta",
    platform: "Okta",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "okta_secret",
        suffix: "secret",
        what: "Value of the Okta event hook's Authorization header",
        origin: Origin::Made(SecretForm::BearerHeader),
    }],
    hosts: &[],
    leavers: Some(LeaverNames {
        templates: &["{login|local|snake}"],
        example: ("login:dana@example.com", &["dana", "dana_ro"]),
    }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let variable = site.variable("secret");
    let hook = json!({
        "name": "starrocks-offboard",
        "events": { "type": "EVENT_TYPE", "items": ["user.lifecycle.deactivate"] },
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": site.hook(),
                "authScheme": { "type": "HEADER", "key": "authorization", "value": format!("${variable}") },
            },
        },
    });
    vec![
        Step::new(format!("Start the gateway with {variable}.")),
        Step::new(format!(
            "Make the event hook, in a shell that has {variable}, OKTA_DOMAIN (`example.okta.com`) and OKTA_API_TOKEN; or with these values in Workflow, Event Hooks, Create Event Hook:"
        ))
        .with(Paste::Request {
            command: format!("curl -X POST {API}\" {CURL} --data @-"),
            json: hook,
        }),
        Step::new("Have Okta verify the gateway, with the `id` of the answer:")
            .with(Paste::Shell(format!("curl -X POST {API}/ID/lifecycle/verify\" {CURL}"))),
    ]
}

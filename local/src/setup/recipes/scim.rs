//! SCIM 2.0: provisioning by an identity system, with a bearer token.

use super::super::recipe::{LeaverNames, Origin, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "scim",
    platform: "the identity system",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "scim_token",
        suffix: "token",
        what: "Bearer token of the identity system",
        origin: Origin::Made(SecretForm::Base64),
    }],
    hosts: &[],
    leavers: Some(LeaverNames {
        templates: &["{userName|local|snake}"],
        example: ("userName:dana@example.com", &["dana", "dana_ro"]),
    }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let (base, variable) = (site.scim(), site.variable("secret"));
    vec![
        Step::new(format!("Start the gateway with {variable}: identity systems test the connection when it is saved.")),
        Step::new(format!(
            "An application with SCIM provisioning: base URL `{base}` (Entra: Tenant URL), bearer token the value of {variable} (Okta: HTTP Header; Entra: Secret Token), unique identifier `userName`."
        )),
        Step::new(
            "Switch on creating, updating and deactivating users; leave groups off. Then assign the people who may have accounts.",
        ),
        Step::new(
            "What to set in Okta, Entra, authentik, Keycloak, JumpCloud, OneLogin, Ping, midPoint and SailPoint: docs/callers/scim.md.",
        ),
    ]
}

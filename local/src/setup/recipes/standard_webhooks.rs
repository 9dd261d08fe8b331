//! Standard Webhooks: any sender that keeps to <https://www.standardwebhooks.com>.

use serde_json::json;

use super::super::recipe::{Origin, Paste, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "standard-webhooks",
    platform: "the sender",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "hr_webhook_secret",
        suffix: "webhook_secret",
        what: "Secret of the sender's Standard Webhooks",
        origin: Origin::Made(SecretForm::Whsec),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let variable = site.variable("secret");
    let event = json!({ "type": "account.delete", "data": { "user_name": "alice", "instance": "analytics", "reason": "left" } });
    vec![
        Step::new(format!(
            "Endpoint `{}`, content type `application/json`, and the secret in {variable}. If the sender makes its own secret (`whsec_…`) or has a public key (`whpk_…`), set {variable} to that instead.",
            site.hook()
        )),
        Step::new("The event, if you can choose it; for events of the sender's own, `fields` in offboard.toml says where the values are (docs/configuration.md):")
            .with(Paste::Document(event)),
    ]
}

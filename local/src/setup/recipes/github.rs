//! GitHub: a webhook of an organization
//! (<https://docs.github.com/en/rest/orgs/webhooks#create-an-organization-webhook>).

use serde_json::json;

use super::super::recipe::{LeaverNames, Origin, Paste, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "github",
    platform: "GitHub",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "github_secret",
        suffix: "secret",
        what: "Secret of the GitHub webhook",
        origin: Origin::Made(SecretForm::Hex),
    }],
    hosts: &[],
    leavers: Some(LeaverNames { templates: &[], example: ("id:583231", &["octocat"]) }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let hook = json!({
        "name": "web",
        "active": true,
        "events": ["organization"],
        "config": {
            "url": site.hook(),
            "content_type": "json",
            "secret": format!("${}", site.variable("secret")),
            "insecure_ssl": "0",
        },
    });
    vec![
        Step::new(format!("Start the gateway with {}. GitHub sends a ping at once.", site.variable("secret"))),
        Step::new(format!(
            "Make the webhook, as an owner of the organization ORG, in a shell that has {} (`gh auth refresh -s admin:org_hook` for the scope):",
            site.variable("secret")
        ))
        .with(Paste::Request {
            command: "gh api --method POST orgs/ORG/hooks --input -".to_owned(),
            json: hook,
        }),
        Step::new("The number of a member, for `map`: https://api.github.com/users/LOGIN."),
    ]
}

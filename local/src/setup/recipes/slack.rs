//! Slack: an app made of a manifest (<https://docs.slack.dev/reference/app-manifest>).

use serde_json::json;

use super::super::recipe::{Origin, Paste, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "slack",
    platform: "Slack",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "slack_signing_secret",
        suffix: "signing_secret",
        what: "Signing secret of the Slack app",
        origin: Origin::Platform("Basic Information, App Credentials, Signing Secret"),
    }],
    hosts: &["https://hooks.slack.com"],
    leavers: None,
    principals: "NAME/MEMBER_ID (in Slack: profile, ⋮, Copy member ID)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let manifest = json!({
        "display_information": {
            "name": "offboard",
            "description": "Removes StarRocks accounts for people whom policy permits it",
        },
        "features": {
            "slash_commands": [{
                "command": "/offboard",
                "url": site.hook(),
                "description": "Remove a StarRocks account",
                "usage_hint": "alice analytics left the company, or help",
                "should_escape": false,
            }],
        },
        "oauth_config": { "scopes": { "bot": ["commands"] } },
        "settings": {
            "interactivity": { "is_enabled": true, "request_url": site.hook() },
            "org_deploy_enabled": false,
            "socket_mode_enabled": false,
            "token_rotation_enabled": false,
        },
    });
    vec![
        Step::new(
            "https://api.slack.com/apps, Create New App, From a manifest; choose the workspace, then JSON, and paste:",
        )
        .with(Paste::Document(manifest)),
        Step::new("Create, then Install to Workspace."),
        Step::new(format!(
            "Basic Information, App Credentials: copy the Signing Secret into {}, and start the gateway with it.",
            site.variable("secret")
        )),
    ]
}

//! Google Chat: an app with an HTTP endpoint. Google signs, so there is no secret.

use super::super::recipe::{Input, Recipe, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "google-chat",
    platform: "Google Cloud",
    inputs: &[Input {
        key: "audience",
        what: "the project number of the app (Google Cloud console, Dashboard, Project info)",
        example: "1234567890",
        required: true,
    }],
    secrets: &[],
    hosts: &["https://www.googleapis.com"],
    leavers: None,
    principals: "NAME/NUMBER (the number after `users/`; a refused request shows it in the ledger row)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new("A project of your Workspace organisation; APIs & Services: enable the Google Chat API."),
        Step::new(
            "Google Chat API, Configuration: app name `offboard`, an avatar, a description; interactive features on; Join spaces and group conversations on.",
        ),
        Step::new(format!(
            "Connection settings: HTTP endpoint URL `{}`, Use a common HTTP endpoint URL for all triggers.",
            site.hook()
        )),
        Step::new("Authentication audience: Project number, the one in `audience`."),
        Step::new("Commands, Add a command: slash command, ID 1, name `/offboard`."),
        Step::new("Visibility: the people or groups who may see the app; Save, and start the gateway."),
    ]
}

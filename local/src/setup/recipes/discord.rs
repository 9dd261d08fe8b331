//! Discord: an application with one command and an endpoint for interactions
//! (<https://docs.discord.com/developers/interactions/application-commands>).

use serde_json::json;

use super::super::recipe::{Origin, Paste, Recipe, SecretPart, Site, Step};

/// Discord's API for applications.
const API: &str = "https://discord.com/api/v10/applications";

/// How curl proves itself, and sends what it reads.
const CURL: &str =
    "-H \"Authorization: Bot $BOT_TOKEN\" -H 'Content-Type: application/json' --fail-with-body --data @-";

pub(super) static RECIPE: Recipe = Recipe {
    kind: "discord",
    platform: "Discord",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "discord_public_key",
        suffix: "public_key",
        what: "Public key of the Discord application",
        origin: Origin::Platform("General Information, Public Key"),
    }],
    hosts: &["https://discord.com"],
    leavers: None,
    principals: "NAME/USER_ID (User Settings, Advanced, Developer Mode; then the person, Copy User ID)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let command = json!({
        "name": "offboard",
        "description": "Remove a database account",
        // In servers and in direct messages with the application.
        "contexts": [0, 1],
        "options": [{ "type": 3, "name": "text", "description": "alice analytics left the company, or help" }],
    });
    let endpoint = json!({ "interactions_endpoint_url": site.hook() });
    vec![
        Step::new(format!(
            "https://discord.com/developers/applications, New Application. General Information: note the Application ID, and copy the Public Key into {}.",
            site.variable("secret")
        )),
        Step::new("Bot, Reset Token: `export BOT_TOKEN=…`. The gateway never needs it."),
        Step::new("Register the command, with your Application ID:").with(Paste::Request {
            command: format!("curl -X POST {API}/APPLICATION_ID/commands {CURL}"),
            json: command,
        }),
        Step::new("Start the gateway. Discord tries the endpoint at once, with right and wrong signatures:")
            .with(Paste::Request { command: format!("curl -X PATCH {API}/@me {CURL}"), json: endpoint }),
        Step::new(
            "Open https://discord.com/oauth2/authorize?client_id=APPLICATION_ID&scope=applications.commands and choose the server.",
        ),
    ]
}

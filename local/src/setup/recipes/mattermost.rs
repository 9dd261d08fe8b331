//! Mattermost: a slash command, whose token the server makes.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "mattermost",
    platform: "Mattermost",
    inputs: &[Input {
        key: "site_url",
        what: "Mattermost's Site URL (System Console, Environment, Web Server); without it Mattermost waits for each outcome",
        example: "https://chat.example.com",
        required: false,
    }],
    secrets: &[SecretPart {
        name: "secret",
        variable: "mattermost_token",
        suffix: "token",
        what: "Token of the Mattermost slash command",
        origin: Origin::Platform("shown when the slash command is saved"),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME/USER_ID (26 letters and digits: `id` of https://CHAT/api/v4/users/username/LOGIN)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new("Product menu, Integrations, Slash Commands, Add Slash Command:"),
        Step::new(format!(
            "Command trigger word `offboard`, request URL `{}`, request method POST; Save.",
            site.hook()
        )),
        Step::new(format!("Copy the Token into {}, and start the gateway with it.", site.variable("secret"))),
        Step::new(
            "System Console, Environment, Web Server: set the Site URL; if the gateway is in a private network, name its host in Allow untrusted internal connections to.",
        ),
    ]
}

//! Microsoft Teams: an outgoing webhook of one team, whose security token Teams makes.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "teams",
    platform: "Microsoft Teams",
    inputs: &[Input {
        key: "tenant",
        what: "the ID of your Entra tenant, whose people alone may ask (Entra admin center, Overview)",
        example: "76a2ae5a-0000-4000-8000-000000000000",
        required: false,
    }],
    secrets: &[SecretPart {
        name: "secret",
        variable: "teams_secret",
        suffix: "secret",
        what: "Security token of the Teams outgoing webhook",
        origin: Origin::Platform("shown once, when the webhook is created"),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME/OBJECT_ID (Entra admin center, Users, the person, Object ID)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new("The team, •••, Manage team, Apps, Create an outgoing webhook (below on the right):"),
        Step::new(format!("Name `offboard`, callback URL `{}`, a description; Create.", site.hook())),
        Step::new(format!(
            "Copy the security token, which Teams shows once, into {}, and start the gateway with it.",
            site.variable("secret")
        )),
    ]
}

//! DingTalk: the bot of an internal app, by HTTP.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "dingtalk",
    platform: "DingTalk",
    inputs: &[Input {
        key: "bot_name",
        what: "the bot's name, for messages in which it is typed by hand",
        example: "Offboard",
        required: false,
    }],
    secrets: &[SecretPart {
        name: "secret",
        variable: "dingtalk_app_secret",
        suffix: "app_secret",
        what: "App secret of the DingTalk robot",
        origin: Origin::Platform("the app's Client Secret (AppSecret)"),
    }],
    hosts: &["https://oapi.dingtalk.com"],
    leavers: None,
    principals: "NAME/USER_ID (the admin console shows it); permit `request` only, because DingTalk signs nothing of what people say",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new(format!(
            "Developer console (open-dev.dingtalk.com), an internal app: copy its Client Secret into {}, and start the gateway with it.",
            site.variable("secret")
        )),
        Step::new(format!(
            "Add the capability Bot, receive mode HTTP, address `{}`. Leave encryption of the body off.",
            site.hook()
        )),
        Step::new("Publish the bot, and add it to the groups."),
    ]
}

//! Feishu, and Lark: an app with a bot. The console makes all parts of the secret.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "feishu",
    platform: "Feishu (for Lark: open.larksuite.com)",
    inputs: &[
        Input {
            key: "app_id",
            what: "the App ID (developer console, Credentials & Basic Info)",
            example: "cli_9f5343c580712544",
            required: true,
        },
        Input {
            key: "domain",
            what: "`open.larksuite.com` for Lark; Feishu's own if left out",
            example: "open.larksuite.com",
            required: false,
        },
        Input {
            key: "bot_open_id",
            what: "the bot's own ID (GET /open-apis/bot/v3/info returns it), so that no mention of a person is taken for one of the bot",
            example: "ou_84aad35d084aa403a838cf73ee18467",
            required: false,
        },
    ],
    secrets: &[
        SecretPart {
            name: "encrypt_key",
            variable: "feishu_encrypt_key",
            suffix: "encrypt_key",
            what: "Encrypt Key of the Feishu or Lark app",
            origin: Origin::Platform("Events & Callbacks, Encryption Strategy, Encrypt Key"),
        },
        SecretPart {
            name: "app_secret",
            variable: "feishu_app_secret",
            suffix: "app_secret",
            what: "App Secret of the Feishu or Lark app, for replies",
            origin: Origin::Platform("Credentials & Basic Info, App Secret"),
        },
        SecretPart {
            name: "verification_token",
            variable: "feishu_verification_token",
            suffix: "verification_token",
            what: "Verification Token of the Feishu or Lark app",
            origin: Origin::Platform("Events & Callbacks, Encryption Strategy, Verification Token"),
        },
    ],
    hosts: &["https://open.feishu.cn", "https://open.larksuite.com"],
    leavers: None,
    principals: "NAME/OPEN_ID (`ou_…`; a refused request shows it in the ledger row)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let hook = site.hook();
    vec![
        Step::new("Developer console (open.feishu.cn), a custom app, add the capability Bot."),
        Step::new(format!(
            "Events & Callbacks, Encryption Strategy: set an Encrypt Key. Copy it into {}, the Verification Token into {}, and the App Secret (Credentials & Basic Info) into {}. Start the gateway with all three.",
            site.variable("encrypt_key"),
            site.variable("verification_token"),
            site.variable("app_secret")
        )),
        Step::new(format!(
            "Event Configuration and Callback Configuration: send to the developer's server, both to `{hook}`. The console checks the URL at once."
        )),
        Step::new(
            "Add the event Receive messages (`im.message.receive_v1`) and the callback Card interaction (`card.action.trigger`).",
        ),
        Step::new(
            "Permissions: messages in one-to-one chats with the bot, messages in groups that mention it, `im:message:send_as_bot`.",
        ),
        Step::new("Publish a version, and add the bot to the groups."),
    ]
}

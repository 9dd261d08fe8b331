//! WeCom: an app or a smart bot. WeCom makes both parts of the secret.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "wecom",
    platform: "WeCom (企业微信)",
    inputs: &[
        Input {
            key: "receive_id",
            what: "the enterprise's ID (企业ID) for an app; left out for a smart bot (智能机器人)",
            example: "ww0123456789abcdef",
            required: false,
        },
        Input { key: "bot_name", what: "the bot's name, if it has spaces", example: "Off Board", required: false },
    ],
    secrets: &[
        SecretPart {
            name: "token",
            variable: "wecom_token",
            suffix: "token",
            what: "Token of the WeCom app or bot",
            origin: Origin::Platform("Token, which WeCom generates"),
        },
        SecretPart {
            name: "aes_key",
            variable: "wecom_aes_key",
            suffix: "aes_key",
            what: "EncodingAESKey of the WeCom app or bot",
            origin: Origin::Platform("EncodingAESKey, which WeCom generates"),
        },
    ],
    hosts: &["https://qyapi.weixin.qq.com"],
    leavers: None,
    principals: "NAME/USERID (管理后台, 通讯录)",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new(
            "An app: 管理后台, 应用管理, the app, 接收消息, 设置API接收. A smart bot: its API mode with a callback URL.",
        ),
        Step::new(format!(
            "URL `{}`; let WeCom generate Token and EncodingAESKey, and copy them into {} and {}.",
            site.hook(),
            site.variable("token"),
            site.variable("aes_key")
        )),
        Step::new(
            "Start the gateway with both, then save: WeCom checks the URL at once. An app has to have XML as its message format.",
        ),
    ]
}

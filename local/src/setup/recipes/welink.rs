//! Huawei WeLink: the callback of an application, encrypted under its App Secret.

use super::super::recipe::{Input, LeaverNames, Origin, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "welink",
    platform: "Huawei WeLink",
    inputs: &[Input {
        key: "tenants",
        what: "the tenantId of your company, whose people alone count; set it unless the application is one company's",
        example: "E22BD2CC00000000000000000000ABCD",
        required: false,
    }],
    secrets: &[SecretPart {
        name: "secret",
        variable: "welink_app_secret",
        suffix: "app_secret",
        what: "App secret of the WeLink app",
        origin: Origin::Platform("the application's App Secret"),
    }],
    hosts: &[],
    leavers: Some(LeaverNames {
        templates: &["{userId|local|snake}"],
        example: ("userId:zhangsan@welink", &["zhangsan"]),
    }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new(format!(
            "Open platform (open.welink.huaweicloud.com), your application: copy its App Secret into {}, and start the gateway with it.",
            site.variable("secret")
        )),
        Step::new(format!("Its callback: the URL `{}`. WeLink sends the event `test` at once.", site.hook())),
        Step::new("Subscribe to changes of the address book (通讯录)."),
    ]
}

//! GitLab: a system hook (<https://docs.gitlab.com/api/system_hooks/>), signed by a signing token
//! (<https://gitlab.com/gitlab-org/gitlab/-/merge_requests/231325>).

use serde_json::json;

use super::super::recipe::{LeaverNames, Origin, Paste, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "gitlab",
    platform: "GitLab",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "gitlab_secret",
        suffix: "secret",
        what: "Secret token or signing token of the GitLab system hook",
        origin: Origin::Made(SecretForm::Whsec),
    }],
    hosts: &[],
    leavers: Some(LeaverNames { templates: &[], example: ("id:41", &["alice", "alice_ro"]) }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let variable = site.variable("secret");
    let hook = json!({
        "url": site.hook(),
        "name": "starrocks-offboard",
        "signing_token": format!("${variable}"),
        "enable_ssl_verification": true,
        // The hook is for users who are deleted, an event that a system hook always sends.
        "push_events": false,
        "tag_push_events": false,
        "merge_requests_events": false,
        "repository_update_events": false,
    });
    vec![
        Step::new(format!("Start the gateway with {variable}.")),
        Step::new(format!(
            "Make the system hook, as an administrator (self-managed only), in a shell that has {variable}:"
        ))
        .with(Paste::Request {
            // glab sends a body without a content type, which GitLab refuses: https://gitlab.com/gitlab-org/cli/-/work_items/8517
            command: "glab api --method POST hooks --header 'Content-Type: application/json' --input -".to_owned(),
            json: hook,
        }),
        Step::new(format!(
            "If the answer does not say `\"signing_token_present\": true`, this GitLab cannot sign: delete the hook, set {variable} to the output of `openssl rand -hex 32`, and make it again with `token` in place of `signing_token`."
        )),
        Step::new(
            "The number of a user, for `map`: https://GITLAB/api/v4/users?username=NAME. For the members of a group instead: docs/callers/gitlab.md.",
        ),
    ]
}

//! The recipes, one file a kind.

mod api;
mod cloudevents;
mod console;
mod dingtalk;
mod discord;
mod feishu;
mod github;
mod gitlab;
mod google_chat;
mod http_signature;
mod mattermost;
mod okta;
mod oneaccess;
mod scim;
mod slack;
mod standard_webhooks;
mod teams;
mod wecom;
mod welink;

use anyhow::Context;

use super::recipe::Recipe;
use crate::words::quoted;

/// All recipes, in the order of the README.
pub static RECIPES: &[&Recipe] = &[
    &slack::RECIPE,
    &mattermost::RECIPE,
    &teams::RECIPE,
    &discord::RECIPE,
    &google_chat::RECIPE,
    &feishu::RECIPE,
    &dingtalk::RECIPE,
    &wecom::RECIPE,
    &standard_webhooks::RECIPE,
    &github::RECIPE,
    &gitlab::RECIPE,
    &okta::RECIPE,
    &oneaccess::RECIPE,
    &welink::RECIPE,
    &cloudevents::RECIPE,
    &scim::RECIPE,
    &api::RECIPE,
    &http_signature::RECIPE,
    &console::RECIPE,
];

/// Returns the recipe of a kind.
///
/// # Errors
///
/// If there is no such kind; the message lists the kinds.
pub fn recipe(kind: &str) -> anyhow::Result<&'static Recipe> {
    let found = RECIPES.iter().find(|recipe| recipe.kind == kind);
    found.copied().with_context(|| format!("caller kind `{kind}` does not exist; use one of {}", kinds()))
}

/// Lists the kinds, for messages.
#[must_use]
pub fn kinds() -> String {
    quoted(RECIPES.iter().map(|recipe| recipe.kind))
}

#[cfg(test)]
mod tests {
    use starrocks_offboard::callers::shapes;
    use starrocks_offboard::config::caller_shape::KeyShape;

    use super::*;

    #[test]
    fn every_kind_has_a_recipe_in_the_order_of_the_kinds() {
        let kinds: Vec<_> = shapes().iter().map(|shape| shape.name).collect();
        assert_eq!(RECIPES.iter().map(|recipe| recipe.kind).collect::<Vec<_>>(), kinds);
        assert!(recipe("slack").is_ok());
        let error = recipe("fax").unwrap_err().to_string();
        assert!(error.starts_with("caller kind `fax` does not exist; use one of `slack`, `mattermost`, "), "{error}");
    }

    #[test]
    fn recipes_fit_the_shapes_of_their_kinds() {
        for (recipe, shape) in RECIPES.iter().zip(shapes()) {
            let kind = recipe.kind;
            let parts: Vec<_> = recipe.secrets.iter().map(|part| part.name).collect();
            match shape.keys {
                KeyShape::None => assert!(parts.is_empty(), "{kind}"),
                KeyShape::Secret | KeyShape::AccessKeys { .. } => assert_eq!(parts, ["secret"], "{kind}"),
                KeyShape::Secrets(known) => {
                    let known = known.iter().filter(|part| part.required || parts.contains(&part.name));
                    assert_eq!(parts, known.map(|part| part.name).collect::<Vec<_>>(), "{kind}");
                }
            }
            for input in recipe.inputs {
                let setting = shape.settings.iter().find(|setting| setting.name == input.key);
                let setting = setting.unwrap_or_else(|| panic!("{kind} has no setting {}", input.key));
                assert!((setting.is_valid)(input.example), "{kind}: {}", input.key);
                assert!(input.required || !setting.required, "{kind}: {}", input.key);
            }
            let asked = |name: &str| recipe.inputs.iter().any(|input| input.key == name && input.required);
            let required = shape.settings.iter().filter(|setting| setting.required);
            assert!(required.clone().all(|setting| asked(setting.name)), "{kind}");
            assert_eq!(recipe.leavers.is_some(), !shape.leavers.is_empty(), "{kind}");
            assert!(recipe.secrets.iter().all(|part| part.variable.ends_with(part.suffix)), "{kind}");
        }
    }
}

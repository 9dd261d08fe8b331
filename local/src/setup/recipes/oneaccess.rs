//! Huawei OneAccess: an event callback, signed and not encrypted. Encryption can be switched on later (docs/callers/oneaccess.md); how
//! OneAccess encrypts could not be verified, so a caller is set up without.

use super::super::recipe::{LeaverNames, Origin, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "oneaccess",
    platform: "Huawei OneAccess",
    inputs: &[],
    secrets: &[
        SecretPart {
            name: "token",
            variable: "oneaccess_token",
            suffix: "token",
            what: "Token of OneAccess",
            origin: Origin::Made(SecretForm::Letters),
        },
        SecretPart {
            name: "signature_key",
            variable: "oneaccess_signature_key",
            suffix: "signature_key",
            what: "Signature key of OneAccess",
            origin: Origin::Made(SecretForm::Letters),
        },
    ],
    hosts: &[],
    leavers: Some(LeaverNames { templates: &["{id|snake}"], example: ("id:dana", &["dana", "dana_ro"]) }),
    principals: "NAME",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step::new(
            "Start the gateway with both secrets: saving the callback sends `CHECK_URL`, which it has to answer.",
        ),
        Step::new(
            "Administrator portal, Resources, Applications, your application, Synchronization integration: Event callback, Configure:",
        ),
        Step::new(format!(
            "Callback URL `{}`; security token: the value of {}; signature key: the value of {}; no encryption key. Save.",
            site.hook(),
            site.variable("token"),
            site.variable("signature_key")
        )),
        Step::new("Switch the synchronization of users on, and authorize them for the application."),
    ]
}

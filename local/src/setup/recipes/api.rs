//! TaurusDB's own API: a client with an access key that the gateway's operator issues.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "api",
    platform: "the client",
    inputs: &[
        Input {
            key: "issuer",
            what: "the issuer of bearer tokens (`iss`), for a client with an identity provider instead of an access key",
            example: "https://login.example.com/realms/staff",
            required: false,
        },
        Input {
            key: "audience",
            what: "whom the tokens are for (`aud`)",
            example: "starrocks-offboard",
            required: false,
        },
        Input {
            key: "jwks_url",
            what: "the issuer's public keys (`jwks_uri` of ISSUER/.well-known/openid-configuration)",
            example: "https://login.example.com/realms/staff/protocol/openid-connect/certs",
            required: false,
        },
    ],
    secrets: &[SecretPart {
        name: "secret",
        variable: "api_access_key",
        suffix: "access_key",
        what: "Secret of an access key for the documented API",
        origin: Origin::Made(SecretForm::Hex),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME/ACCESS_KEY_ID, or NAME/SUB of a token",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let proof = match site.key_id {
        Some(id) => format!("access key ID `{id}`, secret the value of {}", site.variable("secret")),
        None => "`Authorization: Bearer ` and a token of the issuer".to_owned(),
    };
    vec![
        Step::new(format!("Endpoint `{}`; {proof}. Neither comes from Huawei Cloud.", site.address)),
        Step::new(
            "Official SDKs, KooCLI and Terraform keep their calls and change the endpoint only: docs/callers/api.md has each.",
        ),
    ]
}

//! HTTP Message Signatures (RFC 9421): a client that signs with a private key of its own, of which the gateway has the public half.

use super::super::recipe::{Origin, Paste, Recipe, SecretPart, Site, Step};

pub(super) static RECIPE: Recipe = Recipe {
    kind: "http-signature",
    platform: "the client",
    inputs: &[],
    secrets: &[SecretPart {
        name: "secret",
        variable: "http_signature_secret",
        suffix: "secret",
        what: "Key of an http-signature caller: Ed25519 or P-256 in PEM, or base64",
        origin: Origin::Platform("the client's public key in PEM, line breaks and all"),
    }],
    hosts: &[],
    leavers: None,
    principals: "NAME/KEY_ID",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let id = site.key_id.unwrap_or_default();
    vec![
        Step::new("The client makes a key pair, and hands over the public half:").with(Paste::Shell(
            "openssl genpkey -algorithm ed25519 -out offboard.pem\nopenssl pkey -in offboard.pem -pubout -out offboard.pub"
                .to_owned(),
        )),
        Step::new("You start the gateway with it:")
            .with(Paste::Shell(format!("export {}=\"$(cat offboard.pub)\"", site.variable("secret")))),
        Step::new(format!(
            "The client sends TaurusDB's documented calls to `{}`, signed by RFC 9421: the components `@method`, `@path`, `@query` and `content-digest`, the parameters `created`, `keyid` (`{id}`) and preferably `nonce`.",
            site.address
        )),
    ]
}

//! The console: people in a browser, who sign in at an OpenID Provider.

use super::super::recipe::{Input, Origin, Recipe, SecretPart, Site, Step};
use super::super::secret::SecretForm;

pub(super) static RECIPE: Recipe = Recipe {
    kind: "console",
    platform: "the identity provider",
    inputs: &[
        Input {
            key: "public_url",
            what: "the console's own origin, as browsers show it",
            example: "https://offboard.example.com",
            required: true,
        },
        Input {
            key: "issuer",
            what: "the provider (`issuer` of ISSUER/.well-known/openid-configuration)",
            example: "https://login.example.com/realms/staff",
            required: true,
        },
        Input {
            key: "client_id",
            what: "the ID of the client that the provider has for the gateway",
            example: "starrocks-offboard",
            required: true,
        },
    ],
    secrets: &[
        SecretPart {
            name: "session_key",
            variable: "console_session_key",
            suffix: "session_key",
            what: "Key that sessions of the console are sealed with",
            origin: Origin::Made(SecretForm::Base64),
        },
        SecretPart {
            name: "client_secret",
            variable: "console_client_secret",
            suffix: "client_secret",
            what: "Secret of the console's OpenID Connect client",
            origin: Origin::Platform("the client's page, Credentials"),
        },
    ],
    hosts: &[],
    leavers: None,
    principals: "NAME/SUB, with the `sub` of the person's ID token, or the claim that `claim` names",
    steps,
};

fn steps(site: &Site<'_>) -> Vec<Step> {
    let address = site.address;
    vec![
        Step::new(
            "A confidential client (Entra: app registration, Web) with the authorization code flow alone; PKCE with S256 may be required.",
        ),
        Step::new(format!("Redirect URI `{address}/console/callback`; after signing out `{address}/console/signin`.")),
        Step::new(
            "If policies name teams: a claim of the ID token with the names of the person's teams, and `groups = \"…\"` with its name.",
        ),
        Step::new(format!("Start the gateway, and open `{address}/console`.")),
        Step::new(
            "Behind a proxy that signs (Cloudflare Access, Google IAP, Pomerium, oauth2-proxy): docs/callers/console.md.",
        ),
    ]
}

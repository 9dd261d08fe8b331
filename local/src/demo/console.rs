//! The console in the demonstration: its identity provider, and the values of what additions.toml names.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use super::hints::LISTEN;
use super::history::directory;
use crate::simulator::identity_provider::options::{CLIENT_SECRET, IdentityProviderOptions};
use crate::simulator::identity_provider::server::IdentityProvider;

/// The port of `issuer` in additions.toml: of `http://localhost:9400`.
const PROVIDER_PORT: u16 = 9400;

/// The values of the variables that additions.toml names, and the provider's origin.
const VARIABLES: [(&str, &str); 4] = [
    ("console_client_secret", CLIENT_SECRET),
    ("console_session_key", "demo-console-session-key-0123456789abcdef"),
    ("issuer_endpoint", "http://localhost:9400"),
    (directory::VARIABLE, directory::TOKEN),
];

/// Returns the values of the variables of the additions.
pub(super) fn variables() -> BTreeMap<String, String> {
    VARIABLES.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Starts the provider for a console at the demonstration's usual address.
///
/// # Errors
///
/// If its port is in use: `issuer` names the port, so no other will do.
pub(super) async fn start_provider() -> anyhow::Result<IdentityProvider> {
    let options = IdentityProviderOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PROVIDER_PORT)),
        ..IdentityProviderOptions::demo(&format!("http://{LISTEN}"))
    };
    IdentityProvider::start(options).await
}

//! The running provider: it receives requests and routes them.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::error::{OAuthError, json_response};
use super::options::IdentityProviderOptions;
use super::parameters::Parameters;
use super::signing::TokenKey;
use super::state::Provider;
use super::{authorize, discovery, end_session, page, token};
use crate::simulator::wire::{self, Reply};

/// A running identity provider. It stops when this is dropped.
pub struct IdentityProvider {
    address: SocketAddr,
    provider: Arc<Provider>,
    accepting: AbortHandle,
}

impl IdentityProvider {
    /// Makes a key and starts to listen.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound, or there are no random bytes.
    pub async fn start(options: IdentityProviderOptions) -> anyhow::Result<Self> {
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
        let address = listener.local_addr()?;
        // By name: a console on 127.0.0.1 is another site then, and browsers apply the rules for cookies of another site.
        let issuer = format!("http://localhost:{}", address.port());
        let provider = Arc::new(Provider::new(options, issuer, TokenKey::generate()?));
        let handler = {
            let provider = provider.clone();
            move |request| std::future::ready(Reply::Http(route(&provider, &request)))
        };
        let accepting = tokio::spawn(wire::serve(listener, handler)).abort_handle();
        Ok(Self { address, provider, accepting })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the issuer, `http://localhost:PORT`, which is the origin of all its endpoints, too.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    /// Returns the key that signs its tokens, for tokens that it would never issue itself.
    #[must_use]
    pub fn key(&self) -> &TokenKey {
        &self.provider.key
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn route(provider: &Provider, request: &Request<Bytes>) -> Response<Bytes> {
    let (get, post) = (request.method() == Method::GET, request.method() == Method::POST);
    let path = request.uri().path();
    let parameters = match path {
        "/authorize" | "/token" | "/end-session" if get || post => Parameters::of(request),
        discovery::PATH if get => return json_response(StatusCode::OK, &discovery::metadata(&provider.issuer)),
        "/jwks" if get => return json_response(StatusCode::OK, &provider.key.key_set()),
        discovery::PATH | "/jwks" | "/authorize" | "/token" | "/end-session" => return wrong_method(),
        _ => return page::sentence(StatusCode::NOT_FOUND, "Not found", "this provider has no such page"),
    };
    match (path, parameters) {
        ("/token", _) if get => wrong_method(),
        ("/token", Ok(parameters)) => token::answer(provider, request.headers(), &parameters),
        ("/token", Err(text)) => OAuthError::invalid_request(text).response(),
        (_, Err(text)) => page::sentence(StatusCode::BAD_REQUEST, "This request cannot be read", &text),
        ("/end-session", Ok(parameters)) => end_session::answer(provider, &parameters),
        // A client may POST its request, too (OpenID Connect Core 1.0, section 3.1.2.1); the page's own form has an interaction.
        (_, Ok(parameters)) if post && parameters.get("interaction").is_some() => {
            authorize::decide(provider, &parameters)
        }
        (_, Ok(parameters)) => authorize::ask(provider, &parameters),
    }
}

fn wrong_method() -> Response<Bytes> {
    page::sentence(StatusCode::METHOD_NOT_ALLOWED, "Wrong method", "this address takes other requests")
}

//! A small OpenID Connect provider, for the console's sign-in in the demonstration and in tests; never for production.
//!
//! It asks no password: its page offers its people, and a click is a sign-in. In everything else it is as strict as the
//! specifications allow, so that it finds a client's faults instead of hiding them.
//!
//! # Simulated
//!
//! - discovery (OpenID Connect Discovery 1.0) and a JWKS with one ES256 key, made at the start;
//! - the authorization code flow (OpenID Connect Core 1.0, section 3.1): a confidential client, `client_secret_basic` only, with id and
//!   secret form-encoded first (RFC 6749, section 2.3.1);
//! - PKCE (RFC 7636), `S256` only, of every client;
//! - `iss` in the authorization response, in errors, too (RFC 9207);
//! - codes that are valid for a minute and for one attempt, whether it succeeds or not;
//! - RP-initiated logout 1.0, by `id_token_hint` or `client_id`.
//!
//! # Stricter than the specifications
//!
//! `state` and `nonce` are demanded, so that a client that forgets one of them fails here. A parameter that stands twice is refused at every endpoint.
//!
//! # Not simulated
//!
//! TLS, sessions (each sign-in asks anew), consent, refresh tokens, UserInfo, back-channel logout, `request` and `request_uri`,
//! response modes other than `query`.

pub mod options;
pub mod server;
pub mod signing;

mod authorize;
mod discovery;
mod end_session;
mod error;
mod page;
mod parameters;
mod state;
mod token;

#[cfg(test)]
mod tests;

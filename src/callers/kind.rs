//! What a caller kind is.
//!
//! A kind turns one platform's request into a command, and an outcome into what that platform shows. Its functions are pure
//! over (request, secrets, time): no clock, no network, no SQL, and nothing of TaurusDB.

use chrono::{DateTime, Utc};

use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::{Acknowledgement, FollowUp};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::jwks::JwksSource;
use crate::reply::api_body::api_body;
use crate::reply::{Rendered, Reply};
use crate::request::inbound::Inbound;

/// A caller kind. `shape`, `verify` and `parse` are its own; the rest has defaults.
///
/// Rules that every kind keeps: what the signature does not cover is not believed; comparisons are constant-time; encodings
/// are strict; a header that may appear once and appears twice is refused; an empty secret proves nothing.
pub trait CallerKind: Sync {
    /// What offboard.toml has to know of the kind: its name, secrets and settings.
    fn shape(&self) -> CallerShape;

    /// Where its requests arrive.
    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("POST")
    }

    /// The content types of bodies that it takes; empty if it needs no body.
    fn content_types(&self) -> &'static [&'static str] {
        &["application/json"]
    }

    /// Where the public keys are that the request's token needs; `None` for a request without a token.
    fn key_source<'c>(&self, _: &Inbound, _: &'c Caller) -> Option<JwksSource<'c>> {
        None
    }

    /// The reply to a question that the platform asks before it has any proof.
    fn handshake(&self, _: &Inbound, _: &Caller) -> Option<Rendered> {
        None
    }

    /// Verifies who sent the request. `keys` is never empty for a kind that has secrets.
    ///
    /// # Errors
    ///
    /// If the request does not prove to be the caller's, see [`ProofError`].
    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError>;

    /// Parses a verified request.
    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c>;

    /// Renders an outcome in the platform's form. Only a proven request is answered in it; before, every caller gets the
    /// documented body.
    fn render(&self, reply: &Reply<'_>) -> Rendered {
        match self.chat() {
            Some(chat) => chat.reply(reply),
            None => api_body(reply),
        }
    }

    /// The chat platform, for kinds with people.
    fn chat(&self) -> Option<&dyn ChatPlatform> {
        None
    }

    /// The early answer, for when the work takes longer than the platform waits; `None` if the platform waits.
    fn acknowledge(&self, _: &Acknowledgement<'_>) -> Option<Rendered> {
        None
    }

    /// How an outcome is sent after the answer; `None` if the platform takes nothing afterwards.
    fn follow_up(&self) -> Option<&'static FollowUp> {
        None
    }

    /// Encrypts answers; `None` if the platform reads them as they are.
    fn encryption(&self) -> Option<Encryption> {
        None
    }
}

/// Where a kind's requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/hooks/{caller}`, by these methods, as `Allow` lists them.
    Hook(&'static str),
    /// TaurusDB's own API and the routes beside it.
    Documented,
    /// `/scim/v2/{caller}/…`
    Scim,
}

/// A request with the proof of who sent it.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'r> {
    /// The request.
    pub inbound: &'r Inbound,
    /// What it proved.
    pub proof: &'r Proof,
    /// The caller that it proved to be.
    pub caller: &'r Caller,
}

/// Encrypts an answer.
pub type Encryption = fn(Rendered, &Envelope<'_>) -> Rendered;

/// What an answer is encrypted with.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The secret that proved the request.
    pub key: &'a ActiveSecret,
    /// The decrypted body of the request.
    pub plain: &'a [u8],
    /// The time.
    pub now: DateTime<Utc>,
    /// 128 random bits that nothing else of this request uses. Of the answers that one request makes, one is sent.
    pub random: u128,
}

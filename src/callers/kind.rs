//! The interface of a caller kind.
//!
//! A kind turns one platform's request into a command, and an outcome into the form that the platform shows. Its functions are
//! pure over (request, secrets, time): no clock, no network, no SQL, and nothing of TaurusDB.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::json;

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
use crate::request::inbound::{BODY_LIMIT, Inbound};

/// A caller kind. `shape`, `verify` and `parse` are required; the other methods have defaults.
///
/// Rules that every kind keeps: what the signature does not cover is not believed; comparisons are constant-time; encodings
/// are strict; a header that may appear once and appears twice is refused; an empty secret proves nothing.
pub trait CallerKind: Sync {
    /// Returns the keys of offboard.toml that the kind takes: its name, secrets and settings.
    fn shape(&self) -> CallerShape;

    /// Returns the endpoint of the kind's requests.
    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("POST")
    }

    /// Returns the supported content types of bodies; empty if the kind needs no body.
    fn content_types(&self) -> &'static [&'static str] {
        &["application/json"]
    }

    /// Returns the largest body that the kind's senders need, in bytes. It is held in memory before anything is proved.
    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    /// Whether a body of this media type is read. `None` stands for a request that says none.
    fn takes_content_type(&self, media_type: Option<&str>, _: &Inbound) -> bool {
        media_type.is_some_and(|given| self.content_types().iter().any(|known| given.eq_ignore_ascii_case(known)))
    }

    /// Returns the source of the public keys for the request's token; `None` for a request without a token.
    fn key_source<'c>(&self, _: &Inbound, _: &'c Caller) -> Option<JwksSource<'c>> {
        None
    }

    /// Answers a handshake that carries no proof; `None` if the request is not such a handshake.
    fn handshake(&self, _: &Inbound, _: &Caller) -> Option<Rendered> {
        None
    }

    /// Verifies the sender of the request.
    ///
    /// # Errors
    ///
    /// [`ProofError`] if the request does not prove that the caller sent it.
    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError>;

    /// Parses a verified request.
    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c>;

    /// Renders an outcome in the platform's form. Only a proven request is answered in this form; an unproven one gets the
    /// documented body.
    fn render(&self, reply: &Reply<'_>) -> Rendered {
        match self.chat() {
            Some(chat) => chat.reply(reply),
            None => api_body(reply),
        }
    }

    /// Puts an answer into the form that this request is answered in, for platforms that have more than one.
    fn envelope(&self, rendered: Rendered, _: &Proof) -> Rendered {
        rendered
    }

    /// Renders the answer to an event that is ignored.
    fn ignored(&self) -> Rendered {
        Rendered::json(StatusCode::OK, json!({"result": "IGNORED"}).to_string())
    }

    /// Returns the chat platform, for kinds with people.
    fn chat(&self) -> Option<&dyn ChatPlatform> {
        None
    }

    /// Returns how a request is answered that takes longer than the platform waits; `None` if the platform waits.
    fn acknowledge(&self) -> Option<Acknowledge> {
        None
    }

    /// Returns how an outcome is sent after the answer; `None` if the platform accepts nothing afterwards.
    fn follow_up(&self) -> Option<&'static FollowUp> {
        None
    }

    /// Returns the encryption of answers; `None` if the platform expects plain answers.
    fn encryption(&self) -> Option<Encryption> {
        None
    }
}

/// The endpoint of a kind's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/hooks/{caller}`, with these methods in the form of `Allow`.
    Hook(&'static str),
    /// TaurusDB's own API and the routes beside it.
    Documented,
    /// `/scim/v2/{caller}/…`
    Scim,
    /// `/console/…`
    Console,
}

/// A request with the proof of its sender.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'r> {
    /// The request.
    pub inbound: &'r Inbound,
    /// The proof.
    pub proof: &'r Proof,
    /// The caller that sent the request.
    pub caller: &'r Caller,
}

/// A function that renders an early answer.
pub type Acknowledge = fn(&Acknowledgement<'_>) -> Rendered;

/// A function that encrypts an answer.
pub type Encryption = fn(Rendered, &Envelope<'_>) -> Rendered;

/// The inputs to the encryption of an answer.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The secret that proved the request.
    pub key: &'a ActiveSecret,
    /// The decrypted body of the request.
    pub plain: &'a [u8],
    /// The current time.
    pub now: DateTime<Utc>,
    /// 128 random bits that this request uses for nothing else. A request may render several answers, and only one is sent.
    pub random: u128,
}

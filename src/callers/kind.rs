//! What a caller kind is.

use chrono::{DateTime, Utc};

use crate::callers::follow_up::{Acknowledgement, FollowUp, ReplyAddress};
use crate::callers::proof::{ActiveSecret, Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::jwks_cache::JwksSource;
use crate::outcome::language::Language;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;

/// What a verified request says.
#[derive(Debug)]
pub struct Reading<'c> {
    /// Who asks; `None` when even that cannot be read.
    pub actor: Option<Actor>,
    /// What they ask.
    pub said: Result<Command<'c>, RequestError>,
    /// The button that was clicked, where one was.
    pub clicked: Option<ApprovalAction>,
    /// Where an outcome can still be told when the platform waits no longer.
    pub later: Option<ReplyAddress>,
}

impl<'c> Reading<'c> {
    /// Somebody's words.
    pub fn of(actor: Actor, said: Result<Command<'c>, RequestError>) -> Self {
        Self { actor: Some(actor), said, clicked: None, later: None }
    }

    /// A platform's own business, or what cannot be read.
    pub fn without_actor(said: Result<Command<'c>, RequestError>) -> Self {
        Self { actor: None, said, clicked: None, later: None }
    }

    pub(crate) fn unreadable(error: RequestError) -> Self {
        Self::without_actor(Err(error))
    }
}

/// How a kind tells people something in words.
#[derive(Debug, Clone, Copy)]
pub struct Speech {
    /// Makes words of others harmless: no markup, no call to everybody.
    pub escape: fn(&str) -> String,
    /// A message with this text, which is ours but for what was escaped.
    pub say: fn(&str) -> Rendered,
}

/// What an answer is encrypted with, for platforms that want it so.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Whose request it is.
    pub caller: &'a Caller,
    /// The secret that proved it.
    pub key: &'a ActiveSecret,
    /// What was inside the request's body.
    pub plain: &'a [u8],
    /// The time.
    pub now: DateTime<Utc>,
    /// 128 random bits that nothing else of this request uses. Of the answers that one request makes, one is sent.
    pub random: u128,
}

/// Where a kind's requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/hooks/{caller}`, by these methods, as `Allow` lists them.
    Hook(&'static str),
    /// TaurusDB's own API, and what is served beside it.
    Documented,
    /// `/scim/v2/{caller}/…`
    Scim,
}

pub(crate) type Verify = fn(&Inbound, &Caller, &VerificationKeys, DateTime<Utc>) -> Result<Proof, ProofError>;

pub(crate) type Read = for<'c> fn(&Inbound, &Proof, &Caller, &'c Config, Language) -> Reading<'c>;

/// A caller kind. See the module's rules.
#[derive(Debug)]
pub struct CallerKind {
    /// What offboard.toml has to know of it.
    pub shape: CallerShape,
    /// Where its requests arrive.
    pub place: Endpoint,
    /// The content types of bodies that it takes; none when it needs no body.
    pub content_types: &'static [&'static str],
    /// Where the public keys are that a request's token needs; `None` for one that brings none.
    pub published: Option<for<'c> fn(&Inbound, &'c Caller) -> Option<JwksSource<'c>>>,
    /// What is answered without any proof, because the platform asks before it has one.
    pub open: Option<fn(&Inbound, &Caller) -> Option<Rendered>>,
    /// Who asks, proved: pure, over the request, the keys that are set (never none) and the time.
    pub verify: Verify,
    /// What a verified request says.
    pub read: Read,
    /// An outcome in the platform's form. Only a proven request gets it: before, everybody gets the documented body.
    pub render: fn(&Reply<'_>) -> Rendered,
    /// Words for people; `None` for kinds without people, which get them as JSON.
    pub speech: Option<Speech>,
    /// What to say when it takes longer than the platform waits; `None` for those that do.
    pub early: Option<fn(&Acknowledgement<'_>) -> Rendered>,
    /// For platforms that take an answer after the answer.
    pub later: Option<FollowUp>,
    /// Encrypts an answer.
    pub envelope: Option<fn(Rendered, &Envelope<'_>) -> Rendered>,
}

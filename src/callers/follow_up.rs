//! How a platform takes an outcome after its request was answered: acknowledgements and follow-up messages.

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::callers::proof::ActiveSecret;
use crate::config::callers::Caller;
use crate::crypto::seal::Seal;
use crate::outcome::language::Language;
use crate::reply::{Rendered, Reply};
use crate::request::command::ApprovalAction;
use crate::secret::Secret;

/// The label that reply addresses are sealed with.
const SEALED_FOR: &str = "later/1";

/// A URL of the platform's own that takes an answer after the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyAddress {
    url: String,
    /// The platform shows nothing of the answer itself, so that everything is told here.
    pub is_all: bool,
}

impl ReplyAddress {
    /// The URL, if it is at exactly this origin (`https://host[:port]`); else nobody is to be told anything there.
    pub fn at(origin: &str, url: &str) -> Option<Self> {
        let parsed: http::Uri = url.parse().ok()?;
        let given = format!("{}://{}", parsed.scheme_str()?, parsed.authority()?.as_str());
        (given == origin).then(|| Self { url: url.to_owned(), is_all: false })
    }

    /// Where everything is told.
    #[must_use]
    pub fn of_all(self) -> Self {
        Self { is_all: true, ..self }
    }

    /// Where to send it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Seals the URL, because its possession is enough to write into the conversation. `None` if the secret is empty.
    pub(crate) fn seal(&self, secret: &Secret, random: u128) -> Option<String> {
        Seal::new(secret, SEALED_FOR)?.seal(&Secret::new(self.url.clone())?, SEALED_FOR, random)
    }

    /// Opens a sealed URL; `None` if it was sealed with another secret.
    pub(crate) fn unseal(sealed: &str, secret: &Secret) -> Option<Secret> {
        Seal::new(secret, SEALED_FOR)?.open(sealed, SEALED_FOR)
    }
}

/// What there is to say to a platform that waits no longer.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledgement<'a> {
    /// The language to say it in.
    pub language: Language,
    /// The account that is to be removed, and its instance; `None` when it is about something else.
    pub account: Option<(&'a str, &'a str)>,
    /// The id of the row, under which the outcome can be asked for.
    pub row: &'a str,
    /// Whether the outcome is told later; else somebody has to ask.
    pub follows: bool,
    /// The button that was clicked, where one was.
    pub clicked: Option<ApprovalAction>,
}

/// How a platform takes answers after the answer.
#[derive(Debug)]
pub struct FollowUp {
    /// The method of its requests.
    pub method: Method,
    /// A URL that was kept, if it still is one of the platform's.
    pub at: fn(&Caller, &str) -> Option<ReplyAddress>,
    /// The bodies to send, one after the other.
    pub bodies: fn(&Reply<'_>) -> Vec<String>,
    /// The bodies that carry an answer in words; those that `Speech` renders where it is `None`.
    pub words: Option<fn(Rendered) -> Vec<String>>,
    /// Whether a platform waits for the answer to a request that names no place for a later one.
    pub waits_without: bool,
    /// What has to be fetched first, for platforms that take nothing without a token of their own.
    pub login: Option<Login>,
}

/// How a token for the platform's own API is had.
#[derive(Debug)]
pub struct Login {
    /// The request for one.
    pub request: fn(&Caller, &ActiveSecret) -> Option<http::Request<Bytes>>,
    /// The token in its answer, for `Authorization: Bearer`.
    pub token: fn(&[u8]) -> Option<Secret>,
}

/// What a system that waits no longer is told: it was taken, and its outcome has to be asked for.
pub(crate) fn accepted(early: &Acknowledgement<'_>) -> Rendered {
    let mut body = serde_json::json!({"result": "ACCEPTED"});
    if let (Some(_), Some(fields)) = (early.account, body.as_object_mut()) {
        fields.insert("removal".into(), early.row.into());
    }
    Rendered::json(StatusCode::ACCEPTED, body.to_string())
}

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
const SEALED_FOR: &str = "later/2";

/// What a sealed address is about.
fn about(delivery: &str) -> String {
    format!("{SEALED_FOR}/{delivery}")
}

/// A URL of the platform's own that takes a message after the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyAddress {
    url: String,
    /// Whether the platform shows nothing of the answer itself, so that every outcome goes here.
    pub is_all: bool,
}

impl ReplyAddress {
    /// The address, if the URL is at exactly this origin (`https://host[:port]`); to any other nothing is sent.
    pub fn at(origin: &str, url: &str) -> Option<Self> {
        let parsed: http::Uri = url.parse().ok()?;
        let given = format!("{}://{}", parsed.scheme_str()?, parsed.authority()?.as_str());
        (given == origin).then(|| Self { url: url.to_owned(), is_all: false })
    }

    /// The same address, as the only place where the platform shows an outcome.
    #[must_use]
    pub fn of_all(self) -> Self {
        Self { is_all: true, ..self }
    }

    /// Returns the URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Seals the URL, because its possession is enough to write into the conversation. It belongs to the row of this delivery: in
    /// another row it cannot be opened. `None` if the secret is empty.
    pub(crate) fn seal(&self, secret: &Secret, delivery: &str, random: u128) -> Option<String> {
        Seal::new(secret, SEALED_FOR)?.seal(&Secret::new(self.url.clone())?, &about(delivery), random)
    }

    /// Opens a sealed URL; `None` if it was sealed with another secret, or for another delivery.
    pub(crate) fn unseal(sealed: &str, secret: &Secret, delivery: &str) -> Option<Secret> {
        Seal::new(secret, SEALED_FOR)?.open(sealed, &about(delivery))
    }
}

/// What an early answer says: the platform waits no longer, and the outcome is not known yet.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledgement<'a> {
    /// The language.
    pub language: Language,
    /// The account to remove, and its instance; `None` if the request is about something else.
    pub account: Option<(&'a str, &'a str)>,
    /// The id of the row, with which the requester can ask for the outcome.
    pub row: &'a str,
    /// Whether the outcome follows by itself; otherwise the requester has to ask.
    pub follows: bool,
    /// The button that was clicked, if one was.
    pub clicked: Option<ApprovalAction>,
}

/// How a platform takes messages after the answer.
#[derive(Debug)]
pub struct FollowUp {
    /// The method of its requests.
    pub method: Method,
    /// Checks a stored URL: `None` if it is not, or no longer, one of the platform's.
    pub at: fn(&Caller, &str) -> Option<ReplyAddress>,
    /// The bodies of the messages about an outcome, one after the other.
    pub bodies: fn(&Reply<'_>) -> Vec<String>,
    /// Turns a message that the platform shows as an answer into bodies; `None` if its body can be sent as it is.
    pub words: Option<fn(Rendered) -> Vec<String>>,
    /// Reads the platform's answer to a message.
    pub answer: fn(&[u8]) -> Delivery,
    /// Whether the platform waits for the answer to a request without a reply address.
    pub waits_without: bool,
    /// How to obtain a token, for platforms that take nothing without one of their own.
    pub login: Option<Login>,
}

/// What a platform says to a follow-up message, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Accepted,
    /// It was refused, with this code.
    Refused(String),
    /// The answer has none of the platform's forms.
    Unknown,
}

/// How to obtain a token for the platform's own API.
#[derive(Debug)]
pub struct Login {
    /// Builds the request for a token; `None` if a secret is missing.
    pub request: fn(&Caller, &ActiveSecret) -> Option<http::Request<Bytes>>,
    /// Reads the token out of the answer, for `Authorization: Bearer`.
    pub token: fn(&[u8]) -> Option<Secret>,
}

/// Renders the early answer to a system: the event is accepted, and the outcome has to be asked for.
pub(crate) fn accepted(early: &Acknowledgement<'_>) -> Rendered {
    let mut body = serde_json::json!({"result": "ACCEPTED"});
    if let (Some(_), Some(fields)) = (early.account, body.as_object_mut()) {
        fields.insert("removal".into(), early.row.into());
    }
    Rendered::json(StatusCode::ACCEPTED, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A13.
    #[test]
    fn an_address_opens_with_its_secret_and_for_its_delivery_alone() {
        let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
        let address = ReplyAddress::at("https://a.example", "https://a.example/1").unwrap();
        let sealed = address.seal(&secret("s"), "delivery", 7 << 64).unwrap();
        assert_eq!(ReplyAddress::unseal(&sealed, &secret("s"), "delivery").unwrap().expose(), "https://a.example/1");
        assert!(ReplyAddress::unseal(&sealed, &secret("s"), "another").is_none());
        assert!(ReplyAddress::unseal(&sealed, &secret("t"), "delivery").is_none());
    }
}

//! Mattermost slash commands: `POST /hooks/{caller}`, e.g. `/offboard alice analytics left the company`.
//!
//! Proof: the command's token, in `Authorization: Token …` and in the form's `token`; both have to be there and right
//! ("Custom slash commands", <https://developers.mattermost.com/integrate/slash-commands/custom/>; `DoCommandRequest` in
//! <https://github.com/mattermost/mattermost/blob/master/server/channels/app/command.go>). Nothing is signed and nothing has a
//! time: with the token, anyone can say anything as any user, so it has to stay between the two servers, and the URL has to be
//! `https`. The actor is `user_id`, never `user_name`, which users can change. The same form twice is one request: its
//! `trigger_id` is another for every command.
//!
//! The answer is a message with status 200 for every outcome, because Mattermost shows people nothing of another status; only a
//! request without a valid proof is answered with 401. `response_type` is always there.
//!
//! Mattermost waits for 30 seconds (`OutgoingIntegrationRequestsTimeout`). With `site_url`, which is Mattermost's own setting of
//! that name, what takes longer than two is acknowledged, and the outcome follows at the `response_url`; without it, Mattermost
//! waits.
//!
//! A command can be set to GET, which leaves the token in access logs; POST is better. An outgoing OAuth connection for the
//! gateway's URL takes the place of the token in `Authorization`; then the token in the form is the proof.
//!
//! Not supported: buttons, because Mattermost sends a click with no proof at all (`PostActionIntegrationRequest` in the server's
//! `model/integration_action.go` has no token); outgoing webhooks.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode, Uri};

use crate::callers::chat::delivery;
use crate::callers::chat::forms::mattermost;
use crate::callers::chat::grammar;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Endpoint, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{Proof, ProofError, VerificationKeys};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Reached, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::language::Localized;
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{Fields, consists_of};

const SHAPE: CallerShape = CallerShape {
    settings: &[Setting {
        reached: Reached::Always,
        is_valid: is_site,
        expected: "Mattermost's own Site URL, such as `https://chat.example.com`, without a slash at its end",
        ..Setting::text(SITE_URL, false)
    }],
    ..CallerShape::chat("mattermost")
};

pub(crate) struct Mattermost;

impl CallerKind for Mattermost {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Hook("GET, POST")
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/x-www-form-urlencoded"]
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let given = required_header(&inbound.headers, AUTHORIZATION)?;
        let form = form(inbound);
        let is_right = |given: &str| keys.secrets.iter().any(|key| same_secret(given.as_bytes(), &key.secret));
        let in_form = form.as_ref().ok().map(|fields| fields.required("token").is_ok_and(is_right));
        let is_proved = match (given.strip_prefix("Token "), in_form) {
            // A request with one wrong token is made by a sender who has seen half of another one. A form that cannot be read has
            // no token to compare.
            (Some(given), in_form) => is_right(given) && in_form != Some(false),
            // The token of an OAuth connection, which is not the gateway's, takes the place of the command's token.
            (None, in_form) if given.starts_with("Bearer ") => in_form == Some(true),
            _ => return Err(ProofError::Malformed { header: AUTHORIZATION }),
        };
        if !is_proved {
            return Err(ProofError::Wrong);
        }
        Ok(Proof::of(DeliveryId::new(caller, &[fields_of(inbound)])))
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| Mattermost.show(&of_reply::acknowledgement(early)))
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: reply_address,
            bodies: |reply| vec![Mattermost.reply(reply).body],
            words: None,
            answer: delivery::said_ok,
            waits_without: true,
            login: None,
        };
        Some(&FOLLOW_UP)
    }
}

impl ChatPlatform for Mattermost {
    fn show(&self, message: &ChatMessage) -> Rendered {
        Rendered::json(StatusCode::OK, mattermost::body(message).to_string())
    }
}

const SITE_URL: &str = "site_url";

const AUTHORIZATION: &str = "authorization";

/// Fields about who is mentioned in the text; each appears once for every mention (`mentionsToURLValues` in the server's `model/mention_map.go`).
const LISTS: [&str; 4] = ["user_mentions", "user_mentions_ids", "channel_mentions", "channel_mentions_ids"];

/// The fields of a command: the body, or the query of a command that is set to GET.
fn fields_of(inbound: &Inbound) -> &[u8] {
    if inbound.method == Method::GET { inbound.query.as_bytes() } else { &inbound.body }
}

fn form(inbound: &Inbound) -> Result<Fields, RequestError> {
    Fields::from_form_with_lists(fields_of(inbound), &LISTS)
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Verified { inbound, caller, .. } = request;
    let fields = form(inbound)?;
    let actor = Actor::person(caller, user_id(fields.required("user_id")?)?);
    let reply_address = fields.required("response_url").ok().and_then(|url| reply_address(caller, url));
    // `/offboard` alone asks for the help.
    let command = grammar::command(fields.required("text").unwrap_or_default(), config);
    Ok(Parsed::of(Sender { reply_address, ..actor.into() }, command))
}

/// Checks a Mattermost id: 26 lower-case letters and digits (`IsValidId` in the server's `model/utils.go`).
fn user_id(given: &str) -> Result<&str, RequestError> {
    let is_id = given.len() == 26 && consists_of(given, 26, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let expected = Localized {
        en: "a Mattermost user ID such as `k1x4aqdjy3813c84m771eoc9xo`",
        zh: "Mattermost用户ID，例如 `k1x4aqdjy3813c84m771eoc9xo`",
    };
    if is_id { Ok(given) } else { Err(RequestError::invalid("user_id", given, expected)) }
}

/// Whether the text is `https`, a host, and the path before `/hooks`, if Mattermost has one.
fn is_site(text: &str) -> bool {
    let plain = !text.ends_with('/') && !text.contains(['?', '#', '@']);
    plain && origin(text).is_some_and(|origin| origin.starts_with("https://"))
}

fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?.as_str()))
}

/// Returns `{site}/hooks/commands/{id}`, the only address at which Mattermost takes answers to commands.
fn reply_address(caller: &Caller, url: &str) -> Option<ReplyAddress> {
    let site = caller.setting(SITE_URL)?;
    let id = url.strip_prefix(site)?.strip_prefix("/hooks/commands/")?;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    ReplyAddress::at(&origin(site)?, url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follow_ups_go_to_the_site_alone() {
        let at = |site: &str, url: &str| {
            reply_address(&Caller::new("m", "mattermost").with(SITE_URL, &[site]), url).is_some()
        };
        let site = "https://chat.example.com";
        assert!(at(site, "https://chat.example.com/hooks/commands/zozc1xwxybdedeyz8djwjpngny"));
        assert!(at("https://example.com/chat", "https://example.com/chat/hooks/commands/a"));
        for url in [
            "https://chat.example.com.evil.example/hooks/commands/a",
            "https://chat.example.com@evil.example/hooks/commands/a",
            "http://chat.example.com/hooks/commands/a",
            "https://chat.example.com/hooks/commands/",
            "https://chat.example.com/hooks/commands/a/../../../api/v4/posts",
            "https://chat.example.com/hooks/commands/a?b",
            "https://chat.example.com/hooks/a",
            "",
        ] {
            assert!(!at(site, url), "{url}");
        }
        assert!(reply_address(&Caller::new("m", "mattermost"), "https://chat.example.com/hooks/commands/a").is_none());
    }

    #[test]
    fn a_site_is_https() {
        for text in ["https://chat.example.com", "https://chat.example.com:8065", "https://example.com/chat"] {
            assert!(is_site(text), "{text}");
        }
        for text in ["http://a.example", "https://a.example/", "https://", "a.example", "https://b@a.example", ""] {
            assert!(!is_site(text), "{text}");
        }
    }
}

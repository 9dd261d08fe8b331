//! Slack slash commands: `POST /hooks/{caller}`, e.g. `/offboard alice analytics left the company`.
//!
//! Proof: `X-Slack-Signature: v0=` and the hex HMAC-SHA256 of `v0:{X-Slack-Request-Timestamp}:{raw body}` under the signing
//! secret as text ("Verifying requests from Slack", <https://docs.slack.dev/authentication/verifying-requests-from-slack>).
//! The actor is the signed `user_id`, never `user_name`. The answer is an ephemeral message with status 200 for every
//! outcome, because Slack shows people nothing for other statuses; only a request without a valid proof is answered with 401.
//!
//! Slack waits for three seconds. What takes longer is acknowledged, and the outcome follows at the signed `response_url`,
//! which has to be at hooks.slack.com ("Handling user interaction", <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>).
//!
//! Buttons come back to the same URL as a form with one field `payload` ("Interaction payloads",
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>), with the same proof. Slack shows nothing of
//! the answer to a click, so the message goes to the click's `response_url`.
//!
//! The text arrives escaped, which is undone. `ssl_check` and interactions other than our buttons get an empty answer with status
//! 200. With `teams`, people of other workspaces are refused; of clicks, the signed `user.team_id` counts, too.
//!
//! Not supported: dialogs and shortcuts, the legacy `token` field (not a signature), workflow steps.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::callers::chat::delivery;
use crate::callers::chat::forms::slack;
use crate::callers::chat::grammar;
use crate::callers::chat::mentions::one_word;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::chat::tenant;
use crate::callers::follow_up::{FollowUp, ReplyAddress};
use crate::callers::kind::{Acknowledge, CallerKind, Verified};
use crate::callers::parsed::{Parsed, Sender};
use crate::callers::proof::{Proof, ProofError, VerificationKeys, check_timestamp};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::mac::{hmac_sha256_is, lower_hex_32};
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::ApprovalAction;
use crate::request::error::RequestError;
use crate::request::headers::required_header;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::{Fields, consists_of, json, unix_seconds};

const TEAMS: &str = "teams";

const SHAPE: CallerShape = CallerShape {
    settings: &[Setting {
        is_valid: |id| is_id(id, &['T', 'E']),
        expected: "the ids of workspaces, such as `T0001`, or of an Enterprise Grid organization, such as `E0001`",
        ..Setting::texts(TEAMS, false)
    }],
    ..CallerShape::chat("slack")
};

pub(crate) struct Slack;

impl CallerKind for Slack {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/x-www-form-urlencoded"]
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let timestamp = required_header(&inbound.headers, TIMESTAMP)?;
        let signature = required_header(&inbound.headers, SIGNATURE)?;
        let seconds = unix_seconds(timestamp).ok_or(ProofError::Malformed { header: TIMESTAMP })?;
        let tag =
            signature.strip_prefix("v0=").and_then(lower_hex_32).ok_or(ProofError::Malformed { header: SIGNATURE })?;
        check_timestamp(seconds, now)?;
        let signed: [&[u8]; 4] = [b"v0:", timestamp.as_bytes(), b":", &inbound.body];
        keys.proved_by(|secret| hmac_sha256_is(secret.expose().as_bytes(), &signed, &tag))?;
        Ok(Proof::of(DeliveryId::new(caller, &[timestamp.as_bytes(), &inbound.body])))
    }

    /// Slack checks now and then whether the URL has a good certificate (`ssl_check`, "Implementing slash commands"). It asks for
    /// nothing, and gets nothing.
    fn handshake(&self, inbound: &Inbound, _: &Caller) -> Option<Rendered> {
        inbound.body.split(|byte| *byte == b'&').any(|field| field == b"ssl_check=1").then(nothing)
    }

    fn ignored(&self) -> Rendered {
        nothing()
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        self.reply(reply)
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }

    fn acknowledge(&self) -> Option<Acknowledge> {
        Some(|early| match early.clicked {
            Some(_) => Rendered::json(StatusCode::OK, "{}".into()),
            None => Slack.show(&of_reply::acknowledgement(early)),
        })
    }

    fn follow_up(&self) -> Option<&'static FollowUp> {
        static FOLLOW_UP: FollowUp = FollowUp {
            method: Method::POST,
            at: |_, url| ReplyAddress::at(ORIGIN, url),
            bodies,
            words: None,
            answer: delivery::said_ok,
            waits_without: true,
            login: None,
        };
        Some(&FOLLOW_UP)
    }
}

impl ChatPlatform for Slack {
    fn show(&self, message: &ChatMessage) -> Rendered {
        Rendered::json(StatusCode::OK, Value::Object(slack::body(message)).to_string())
    }
}

const ORIGIN: &str = "https://hooks.slack.com";

const SIGNATURE: &str = "x-slack-signature";

const TIMESTAMP: &str = "x-slack-request-timestamp";

/// An empty answer: Slack shows an error for other answers to what it sends beside commands and clicks.
fn nothing() -> Rendered {
    Rendered::of("text/plain", StatusCode::OK, String::new())
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Verified { inbound, caller, .. } = request;
    let fields = Fields::from_form(&inbound.body)?;
    if let Ok(payload) = fields.required("payload") {
        return clicked(payload, caller);
    }
    let actor = Actor::person(caller, user_id(fields.required("user_id")?)?);
    let given = |name| fields.required(name).ok();
    let place = Place { team: given("team_id"), enterprise: given("enterprise_id"), home: None };
    if let Err(error) = place.check(caller) {
        return Ok(Parsed::of(actor, Err(error)));
    }
    let reply_address = given("response_url").and_then(|url| ReplyAddress::at(ORIGIN, url));
    // `/offboard` alone asks for the help.
    let command = grammar::command(&unescaped(given("text").unwrap_or_default()), config);
    Ok(Parsed::of(Sender { reply_address, ..actor.into() }, command))
}

/// Where a command or click comes from.
struct Place<'p> {
    /// The workspace of the conversation.
    team: Option<&'p str>,
    /// The organization of Enterprise Grid.
    enterprise: Option<&'p str>,
    /// The workspace of the person who clicked, which is another one's in channels that two share (Slack Connect).
    home: Option<&'p str>,
}

impl Place<'_> {
    /// Refuses people of workspaces that the caller does not serve.
    fn check(&self, caller: &Caller) -> Result<(), RequestError> {
        const HOME: &str = "user.team_id";

        let allowed = caller.settings(TEAMS);
        let serves = |id: &str| allowed.iter().any(|allowed| allowed == id);
        let Self { team, enterprise, home } = *self;
        let is_served = team.is_some_and(serves) || enterprise.is_some_and(serves);
        match home {
            _ if !allowed.is_empty() && !is_served => tenant::check(caller, TEAMS, "team_id", team.or(enterprise)),
            Some(home) if team.is_none_or(|team| team == home) || enterprise == Some(home) => Ok(()),
            // Workspaces of one organization share channels, too.
            Some(_) if allowed.is_empty() && enterprise.is_some() => Ok(()),
            Some(home) if serves(home) => Ok(()),
            Some(home) => Err(tenant::foreign(HOME, home)),
            None => Ok(()),
        }
    }
}

/// Undoes Slack's own escapes: the three characters of its markup, and what it makes of people, channels and addresses
/// ("Formatting text", <https://docs.slack.dev/messaging/formatting-message-text#escaping>). `<!channel>` stays as it is.
fn unescaped(text: &str) -> String {
    let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        read.push_str(&plain(before));
        let Some((inside, after)) = behind.split_once('>') else {
            // No later one has an end, either.
            read.push('<');
            rest = behind;
            break;
        };
        let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
        let sign = match target.chars().next() {
            Some(sign @ ('@' | '#')) => Some(sign),
            _ => None,
        };
        match sign {
            _ if target.starts_with('!') => read.push_str(&format!("<{inside}>")),
            Some(sign) if !label.is_empty() => read.push_str(&format!("{sign}{}", one_word(&plain(label)))),
            None if !label.is_empty() => read.push_str(&plain(label)),
            _ => read.push_str(&plain(target.strip_prefix("mailto:").unwrap_or(target))),
        }
        rest = after;
    }
    read.push_str(&plain(rest));
    read
}

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    user: User,
    team: Option<Named>,
    enterprise: Option<Named>,
    actions: Option<Vec<Action>>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    value: Option<String>,
    url: Option<String>,
}

/// Parses a click on a button below a message of the gateway.
fn clicked<'c>(payload: &str, caller: &Caller) -> Result<Parsed<'c>, RequestError> {
    let Payload { r#type, user, team, enterprise, actions, response_url } = json(payload.as_bytes())?;
    let actor = Actor::person(caller, user_id(&user.id)?);
    let id = |named: &'_ Option<Named>| named.as_ref().map(|named| named.id.clone());
    let (team, enterprise) = (id(&team), id(&enterprise));
    let place = Place { team: team.as_deref(), enterprise: enterprise.as_deref(), home: user.team_id.as_deref() };
    if let Err(error) = place.check(caller) {
        return Ok(Parsed::of(actor, Err(error)));
    }
    let actions = actions.unwrap_or_default();
    let ignored = |why| Ok(Parsed::Ignored { sender: Some(actor.clone().into()), why });
    let (action, id) = match (r#type.as_str(), actions.as_slice()) {
        ("block_actions", [Action { url: Some(_), .. }]) => return ignored("a link was opened"),
        ("block_actions", [Action { action_id, value, .. }]) => match (ApprovalAction::parse(action_id), value) {
            (Some(action), Some(id)) => (action, id.clone()),
            (None, None) => return ignored("a link was opened"),
            _ => return Ok(Parsed::of(actor, Err(not_ours(action_id)))),
        },
        ("block_actions", _) => return Ok(Parsed::of(actor, Err(not_ours("block_actions")))),
        _ => return ignored("neither a command nor a button"),
    };
    let reply_address = response_url.and_then(|url| ReplyAddress::at(ORIGIN, &url)).map(ReplyAddress::of_all);
    Ok(Parsed::pressed(Sender { reply_address, ..actor.into() }, action, id))
}

fn not_ours(given: &str) -> RequestError {
    RequestError::invalid("payload", given, Localized { en: "a button of this gateway", zh: "本网关的按钮" })
}

/// Checks a Slack user id.
fn user_id(given: &str) -> Result<&str, RequestError> {
    let expected = Localized { en: "a Slack user ID such as `U2CERLKJA`", zh: "Slack用户ID，例如 `U2CERLKJA`" };
    if is_id(given, &['U', 'W']) { Ok(given) } else { Err(RequestError::invalid("user_id", given, expected)) }
}

/// Whether it is an id of Slack's: a letter that says what it is of, then capital letters and digits.
fn is_id(given: &str, kinds: &[char]) -> bool {
    given
        .strip_prefix(kinds)
        .is_some_and(|rest| consists_of(rest, 31, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

/// Returns the bodies for a `response_url`. The message about a click replaces the one with the buttons, unless the person who
/// clicked may not do so; then that person alone sees why.
fn bodies(answer: &Reply<'_>) -> Vec<String> {
    let body = |message: &ChatMessage, replaces: Option<bool>| {
        let mut body = slack::body(message);
        body.extend(replaces.map(|replaces| ("replace_original".to_owned(), Value::from(replaces))));
        Value::Object(body).to_string()
    };
    let message = of_reply::message(answer);
    match (answer.clicked, of_reply::to_requester(answer)) {
        (None, _) => vec![body(&message, None)],
        // The message with Confirm was for the requester alone; the one with Approve is for everyone.
        (Some(ApprovalAction::Confirm), Some(waits)) => vec![body(&waits, Some(true)), body(&message, Some(false))],
        (Some(_), _) => vec![body(&message, Some(of_reply::replaces(answer)))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_links_are_undone() {
        for (text, read) in [
            ("R&amp;D &lt;left&gt; &amp;lt;", "R&D <left> &lt;"),
            ("<@U0ALICE|alice> <#C1|ops> <@U1>", "@alice #ops @U1"),
            ("<@U0MALLORY|offboard alice> analytics", "@offboard_alice analytics"),
            ("<mailto:a@b.example|a@b.example> <https://a.example>", "a@b.example https://a.example"),
            ("<!channel> <!here|here>", "<!channel> <!here|here>"),
            ("a < b &lt; <c", "a < b < <c"),
        ] {
            assert_eq!(unescaped(text), read, "{text}");
        }
    }

    /// A text of opening brackets alone is looked through once, not once for each: that would be 80 thousand million steps.
    #[test]
    fn brackets_that_no_other_closes_are_looked_through_once() {
        let text = "<".repeat(400_000);
        assert_eq!(unescaped(&text), text);
    }
}

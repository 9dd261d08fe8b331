//! Google Chat apps with an HTTP endpoint: `POST /hooks/{caller}`, e.g. `/offboard alice analytics left the company`, or
//! `@offboard alice …`.
//!
//! Proof: a bearer token ("Verify requests from Google Chat",
//! <https://developers.google.com/workspace/chat/verify-requests-from-chat>). Which one, the app's "Authentication audience" says,
//! and `audience` of the caller has to be the same:
//!
//! - "HTTP endpoint URL": an OpenID Connect ID token of Google's with this URL as its `aud`. Everybody with a Google account can
//!   have one made, so that `email` (verified) has to be Chat's own service account;
//! - "Project number": a JWT that this service account signed itself, with the number as its `aud`. It has no `sub`.
//!
//! The keys are those that Google publishes, or those of `jwks_file`. The token does not cover the body, and is good for an hour: the
//! body is believed because nobody but Chat has the token. The actor is `user.name` (`users/…`), never a name or an address. A
//! message counts once, by its own name.
//!
//! Events are those of "Chat interaction events" (<https://developers.google.com/workspace/chat/api/reference/rest/v1/Event>):
//! `MESSAGE`, of which `argumentText` is what is said; `CARD_CLICKED`, of our own buttons; `ADDED_TO_SPACE`, which is answered with
//! what can be said. The answer is a message with status 200 for every outcome, seen by everybody in the space; what a click did
//! takes the place of the message that was clicked, unless the click was not for whoever clicked.
//!
//! Chat waits for 30 seconds, which is `total_ms`: nothing is acknowledged.
//!
//! Not supported: apps built as Google Workspace add-ons, whose events and answers have another form; quick commands; dialogs;
//! private answers; answers by the Chat API, which needs a service account.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::callers::api::JWKS_FILE;
use crate::callers::chat::grammar;
use crate::callers::chat::message::{self, Style};
use crate::callers::kind::{CallerKind, Endpoint, Reading, Speech};
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::jwt::{self, Expected};
use crate::jwks_cache::JwksSource;
use crate::outcome::language::{Language, Localized};
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::json;

pub(crate) const KIND: CallerKind = CallerKind {
    shape: CallerShape {
        keys: KeyShape::None,
        settings: &[
            Setting {
                is_valid: |text| is_url(text) || is_number(text),
                expected: "the app's authentication audience: its HTTP endpoint URL, or the number of its Cloud project",
                ..Setting::texts(AUDIENCE, true)
            },
            JWKS_FILE,
        ],
        ..CallerShape::chat("google-chat")
    },
    place: Endpoint::Hook("POST"),
    content_types: &["application/json"],
    published: Some(published),
    open: None,
    verify,
    read,
    render,
    speech: Some(Speech { escape: escaped, say }),
    early: None,
    later: None,
    envelope: None,
};

const AUDIENCE: &str = "audience";

const AUTHORIZATION: &str = "authorization";

/// Chat's service account.
const CHAT: &str = "chat@system.gserviceaccount.com";

/// Who issues ID tokens (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
const GOOGLE: &str = "https://accounts.google.com";

/// The keys of the two (same page; `jwks_uri` of <https://accounts.google.com/.well-known/openid-configuration>). Google's page on
/// Chat names the certificates of the service account, `…/v1/metadata/x509/…`; these are the same keys as a JWK Set.
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

const CHAT_KEYS: &str = "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com";

fn is_url(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Who a token says has issued it, of those that issue any.
fn issuer(inbound: &Inbound) -> Option<&'static str> {
    let peek = jwt::peek(bearer(&inbound.headers).ok()?)?;
    [GOOGLE, CHAT].into_iter().find(|issuer| *issuer == peek.issuer)
}

fn published<'c>(inbound: &Inbound, caller: &'c Caller) -> Option<JwksSource<'c>> {
    let keys = if issuer(inbound)? == GOOGLE { GOOGLE_KEYS } else { CHAT_KEYS };
    Some(caller.setting(JWKS_FILE.name).map_or(JwksSource::Url(keys), JwksSource::File))
}

/// What makes two events one.
#[derive(Deserialize)]
struct Stamp {
    r#type: String,
    message: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

fn verify(
    inbound: &Inbound,
    caller: &Caller,
    keys: &VerificationKeys,
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let token = bearer(&inbound.headers)?;
    let malformed = ProofError::Malformed { header: AUTHORIZATION };
    let issuer = match issuer(inbound) {
        Some(issuer) => issuer,
        None if jwt::peek(token).is_some() => return Err(ProofError::TokenRefused { claim: "iss" }),
        None => return Err(malformed),
    };
    let keys = keys.published.as_ref().ok_or(ProofError::KeyUnknown)?;
    // A URL is not for a token of Chat's own, and a number not for one of Google's.
    let is_meant = if issuer == GOOGLE { is_url } else { is_number };
    let audiences: Vec<_> = caller.settings(AUDIENCE).iter().filter(|audience| is_meant(audience)).cloned().collect();
    let expected = Expected { issuer, audiences: &audiences, authorized_party: None, groups: None };
    let claims = jwt::proved(token, keys, &expected, now)?;
    let is_chat = claims.get("email") == Some(&CHAT.into()) && claims.get("email_verified") == Some(&true.into());
    if issuer == GOOGLE && !is_chat {
        return Err(ProofError::TokenRefused { claim: "email" });
    }
    let delivery = match json::<Stamp>(&inbound.body) {
        Ok(Stamp { r#type, message: Some(Named { name }) }) if r#type == "MESSAGE" => {
            DeliveryId::new(caller, &[b"message", name.as_bytes()])
        }
        _ => DeliveryId::new(caller, &[&inbound.body]),
    };
    Ok(Proof::of(delivery))
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    user: Named,
    message: Option<Message>,
    action: Option<Action>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "argumentText")]
    argument_text: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "actionMethodName")]
    function: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    key: String,
    value: String,
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, config: &'c Config, _: Language) -> Reading<'c> {
    let event: Event = match json(&inbound.body) {
        Ok(event) => event,
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let actor = match user_id(&event.user.name) {
        Ok(id) => Actor::person(caller, id),
        Err(outcome) => return Reading::unreadable(outcome),
    };
    let (clicked, said) = match event.r#type.as_str() {
        // `/offboard` alone asks what to write.
        "MESSAGE" => {
            let text = event.message.and_then(|message| message.argument_text).unwrap_or_default();
            (None, grammar::command(text.trim(), config))
        }
        "CARD_CLICKED" => match event.action.ok_or(RequestError::FieldMissing { name: "action" }).and_then(pressed) {
            Ok((how, id)) => (Some(how), Ok(Command::Decide { id, how, reason: None })),
            Err(outcome) => (None, Err(outcome)),
        },
        "ADDED_TO_SPACE" => (None, Ok(Command::Help)),
        "REMOVED_FROM_SPACE" => (None, Ok(Command::Nothing("the app was removed from a space"))),
        _ => (None, Err(foreign("type", event.r#type))),
    };
    Reading { clicked, ..Reading::of(actor, said) }
}

fn pressed(action: Action) -> Result<(ApprovalAction, String), RequestError> {
    let Action { function, parameters } = action;
    let how = grammar::approval_action(&function).ok_or_else(|| foreign("action.actionMethodName", function))?;
    match parameters.as_slice() {
        [Parameter { key, value }] if key == "id" => Ok((how, value.clone())),
        _ => Err(RequestError::FieldMissing { name: "action.parameters" }),
    }
}

/// Something else than what this gateway's app has.
fn foreign(name: &'static str, given: String) -> RequestError {
    RequestError::FieldInvalid {
        name,
        given,
        expected: Localized {
            en: "a message to the app, or one of this gateway's own buttons",
            zh: "发给该应用的消息，或本网关自己的按钮",
        },
    }
}

/// The digits after `users/`.
fn user_id(name: &str) -> Result<&str, RequestError> {
    match name.strip_prefix("users/") {
        Some(id) if is_number(id) && id.len() <= 32 => Ok(id),
        _ => Err(RequestError::FieldInvalid {
            name: "user.name",
            given: name.into(),
            expected: Localized {
                en: "a person, such as `users/114164005879224092462`",
                zh: "用户，例如 `users/114164005879224092462`",
            },
        }),
    }
}

fn render(answer: &Reply<'_>) -> Rendered {
    let mut message = shown(&message::text(answer, STYLE));
    let buttons: Vec<_> = message::buttons(answer)
        .iter()
        .map(|button| {
            let parameters = json!([{"key": "id", "value": button.reference}]);
            let action = json!({"function": button.name, "parameters": parameters});
            json!({"text": button.label, "onClick": {"action": action}})
        })
        .collect();
    if message::replaces(answer) {
        message.insert("actionResponse".into(), json!({"type": "UPDATE_MESSAGE"}));
        // The buttons of the message that is replaced would stay.
        message.insert("cardsV2".into(), json!([]));
    } else if answer.clicked.is_some() {
        message.insert("actionResponse".into(), json!({"type": "NEW_MESSAGE"}));
    }
    if !buttons.is_empty() {
        let section = json!({"widgets": [{"buttonList": {"buttons": buttons}}]});
        message.insert("cardsV2".into(), json!([{"cardId": "offboard", "card": {"sections": [section]}}]));
    }
    Rendered::json(StatusCode::OK, Value::Object(message).to_string())
}

/// How Chat marks up what is said (<https://developers.google.com/workspace/chat/format-messages>).
const STYLE: Style = Style { escape: escaped, small: |words| format!("_{words}_"), longest: LONGEST };

/// Well within the 32,000 bytes of a message
/// (<https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>).
const LONGEST: usize = 4096;

fn shown(text: &str) -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), message::truncate(text, LONGEST).into())])
}

fn say(text: &str) -> Rendered {
    Rendered::json(StatusCode::OK, Value::Object(shown(text)).to_string())
}

/// No `<users/all>`, and no `<https://…|other words>`.
fn escaped(text: &str) -> String {
    message::break_mention(text, &["<"])
}

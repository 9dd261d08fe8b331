//! Google Chat apps with an HTTP endpoint: `POST /hooks/{caller}`, e.g. `/offboard alice analytics left the company`, or
//! `@offboard alice …`.
//!
//! Proof: a bearer token ("Verify requests from Google Chat",
//! <https://developers.google.com/workspace/chat/verify-requests-from-chat>). The app's "Authentication audience" decides which
//! one, and `audience` of the caller has to be the same:
//!
//! - "HTTP endpoint URL": an OpenID Connect ID token of Google's with this URL as its `aud`. Everyone with a Google account can
//!   obtain one, so `email` (verified) has to be Chat's own service account;
//! - "Project number": a JWT that this service account signed itself, with the number as its `aud`. It has no `sub`.
//!
//! The keys are those that Google publishes, or those of `jwks_file`. The token does not cover the body and is good for an hour:
//! the body is believed because only Chat has the token. The actor is `user.name` (`users/…`), never a display name or an
//! address. A message counts once, by its own name.
//!
//! Events are those of "Chat interaction events" (<https://developers.google.com/workspace/chat/api/reference/rest/v1/Event>):
//! `MESSAGE`, whose `argumentText` is the command; `CARD_CLICKED`, of the gateway's own buttons; `ADDED_TO_SPACE`, which is
//! answered with the help. The answer is a message with status 200 for every outcome, seen by everyone in the space; the result
//! of a click replaces the message that was clicked, unless the click was not for the person who clicked.
//!
//! Chat waits for 30 seconds, which is `total_ms`: nothing is acknowledged.
//!
//! With a URL as the audience, clicks count only below messages of this gateway: other apps can have the same URL. Events of an app
//! that is a Google Workspace add-on have another form, and their token is of the project's service account, so that `audience` has
//! to have the URL and the number of the project.
//!
//! Not supported: dialogs;
//! private answers; answers by the Chat API, which needs a service account.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use crate::callers::api::bearer::JWKS_FILE;
use crate::callers::chat::forms::google_chat;
use crate::callers::chat::google_chat_event::{
    ChatEvent, Click, EventKind, event, in_envelope, is_add_on, message_name,
};
use crate::callers::chat::grammar;
use crate::callers::chat::message::ChatMessage;
use crate::callers::chat::of_reply;
use crate::callers::chat::platform::ChatPlatform;
use crate::callers::kind::{CallerKind, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer};
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Setting};
use crate::config::callers::Caller;
use crate::crypto::jwks::JwksSource;
use crate::crypto::jwt::{self, Expected};
use crate::outcome::language::Localized;
use crate::reply::{Rendered, Reply};
use crate::request::actor::Actor;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::inbound::Inbound;
use crate::request::strict::consists_of;

const AUDIENCE: &str = "audience";

const APP: &str = "app";

const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::None,
    settings: &[
        Setting {
            is_valid: |text| is_url(text) || is_number(text),
            expected: "the app's authentication audience: its HTTP endpoint URL, or the number of its Cloud project",
            ..Setting::texts(AUDIENCE, true)
        },
        Setting {
            is_valid: |text| user_id(text).is_ok(),
            expected: "the app as Chat names it, such as `users/114164005879224092462`",
            ..Setting::text(APP, false)
        },
        JWKS_FILE,
    ],
    ..CallerShape::chat("google-chat")
};

const AUTHORIZATION: &str = "authorization";

/// Chat's service account.
const CHAT: &str = "chat@system.gserviceaccount.com";

/// The issuer of ID tokens (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
const GOOGLE: &str = "https://accounts.google.com";

/// The keys of ID tokens (same page; `jwks_uri` of <https://accounts.google.com/.well-known/openid-configuration>).
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// The keys of the service account. Google's page on Chat names its certificates, `…/v1/metadata/x509/…`; these are the same
/// keys as a JWK Set.
const CHAT_KEYS: &str = "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com";

pub(crate) struct GoogleChat;

impl CallerKind for GoogleChat {
    fn shape(&self) -> CallerShape {
        SHAPE
    }

    fn key_source<'c>(&self, inbound: &Inbound, caller: &'c Caller) -> Option<JwksSource<'c>> {
        let keys = if issuer(inbound)? == GOOGLE { GOOGLE_KEYS } else { CHAT_KEYS };
        Some(caller.setting(JWKS_FILE.name).map_or(JwksSource::Url(keys), JwksSource::File))
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        now: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let token = bearer(&inbound.headers)?;
        let issuer = match issuer(inbound) {
            Some(issuer) => issuer,
            None if jwt::peek(token).is_some() => return Err(ProofError::TokenRefused { claim: "iss" }),
            None => return Err(ProofError::Malformed { header: AUTHORIZATION }),
        };
        // There always is a set, because `key_source` names one for either issuer.
        let keys = keys.published.as_ref().ok_or(ProofError::KeyUnknown)?;
        // A URL is not for a token of Chat's own, and a number not for one of Google's.
        let is_meant = if issuer == GOOGLE { is_url } else { is_number };
        let audiences: Vec<_> =
            caller.settings(AUDIENCE).iter().filter(|audience| is_meant(audience)).cloned().collect();
        let expected = Expected { issuer, audiences: &audiences, authorized_party: None, groups: None };
        let claims = jwt::proved(token, keys, &expected, now)?;
        let is_add_on = is_add_on(&inbound.body);
        let email = claims.get("email").and_then(Value::as_str).unwrap_or_default();
        let is_known = if is_add_on { is_own_add_on(email, caller) } else { email == CHAT };
        let is_chat = is_known && claims.get("email_verified") == Some(&true.into());
        if issuer == GOOGLE && !is_chat {
            return Err(ProofError::TokenRefused { claim: "email" });
        }
        let delivery = match message_name(&inbound.body) {
            Some(name) => DeliveryId::new(caller, &[b"message", name.as_bytes()]),
            None => DeliveryId::new(caller, &[&inbound.body]),
        };
        let plain = is_add_on.then(|| inbound.body.clone());
        Ok(Proof { plain, ..Proof::of(delivery) })
    }

    fn envelope(&self, rendered: Rendered, proof: &Proof) -> Rendered {
        if proof.plain.is_some() { in_envelope(rendered) } else { rendered }
    }

    fn ignored(&self) -> Rendered {
        Rendered::json(StatusCode::OK, "{}".into())
    }

    fn parse<'c>(&self, request: Verified<'_>, config: &'c Config) -> Parsed<'c> {
        parse(request, config).unwrap_or_else(Parsed::refused)
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let mut message = google_chat::body(&of_reply::message(reply));
        if of_reply::replaces(reply) {
            message.insert("actionResponse".into(), json!({"type": "UPDATE_MESSAGE"}));
        } else if reply.clicked.is_some() {
            message.insert("actionResponse".into(), json!({"type": "NEW_MESSAGE"}));
        }
        Rendered::json(StatusCode::OK, Value::Object(message).to_string())
    }

    fn chat(&self) -> Option<&dyn ChatPlatform> {
        Some(self)
    }
}

impl ChatPlatform for GoogleChat {
    fn show(&self, message: &ChatMessage) -> Rendered {
        Rendered::json(StatusCode::OK, Value::Object(google_chat::body(message)).to_string())
    }
}

/// Whether the address is that of the add-ons of a configured project: Google signs the events of an add-on as a service account of
/// its project.
fn is_own_add_on(email: &str, caller: &Caller) -> bool {
    let number = email
        .strip_prefix("service-")
        .and_then(|rest| rest.strip_suffix("@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"));
    number.is_some_and(|number| is_number(number) && caller.settings(AUDIENCE).iter().any(|known| known == number))
}

fn is_url(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The issuer that the token names, if it is one of the two.
fn issuer(inbound: &Inbound) -> Option<&'static str> {
    let peek = jwt::peek(bearer(&inbound.headers).ok()?)?;
    [GOOGLE, CHAT].into_iter().find(|issuer| *issuer == peek.issuer)
}

fn parse<'c>(request: Verified<'_>, config: &'c Config) -> Result<Parsed<'c>, RequestError> {
    let Verified { inbound, caller, .. } = request;
    let ChatEvent { user, kind } = event(&inbound.body)?;
    let actor = Actor::person(caller, user_id(&user)?);
    let command = match kind {
        // `/offboard` alone asks for the help.
        EventKind::Said(text) => grammar::command(&text, config),
        EventKind::Clicked(click) => {
            // Every app can name this gateway's URL as its own, and only the number of a project tells them apart.
            let is_own = issuer(inbound) == Some(CHAT)
                || is_add_on(&inbound.body)
                || click.is_below_own_message(caller.setting(APP));
            let pressed = if is_own { pressed(click) } else { Err(foreign("message", click.function)) };
            match pressed {
                Ok((action, id)) => return Ok(Parsed::pressed(actor, action, id)),
                Err(error) => Err(error),
            }
        }
        EventKind::Added => Ok(Command::Help),
        EventKind::Other(why) => return Ok(Parsed::Ignored { sender: Some(actor.into()), why }),
        EventKind::Unknown(r#type) => Err(foreign("type", r#type)),
    };
    Ok(Parsed::of(actor, command))
}

fn pressed(click: Click) -> Result<(ApprovalAction, String), RequestError> {
    let Click { function, id, .. } = click;
    let action = ApprovalAction::parse(&function).ok_or_else(|| foreign("action.actionMethodName", function))?;
    Ok((action, id.ok_or(RequestError::FieldMissing { name: "action.parameters" })?))
}

/// The refusal of an event that the gateway's app does not have.
fn foreign(name: &'static str, given: String) -> RequestError {
    let expected = Localized {
        en: "a message to the app or a button of this gateway",
        zh: "发给该应用的消息，或本网关的按钮",
    };
    RequestError::invalid(name, given, expected)
}

/// Returns the digits after `users/`.
fn user_id(name: &str) -> Result<&str, RequestError> {
    let id = name.strip_prefix("users/").filter(|id| consists_of(id, 32, |byte| byte.is_ascii_digit()));
    let expected = Localized {
        en: "a Google Chat user such as `users/114164005879224092462`",
        zh: "Google Chat用户，例如 `users/114164005879224092462`",
    };
    id.ok_or_else(|| RequestError::invalid("user.name", name, expected))
}

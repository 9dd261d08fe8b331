//! The events of Google Chat, in their two forms: those of an app of its own, and those of a Google Workspace add-on, which have no
//! `type` and are answered in an envelope (<https://developers.google.com/workspace/add-ons/chat/build>).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::callers::chat::mentions::one_word;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::strict::json;

/// An event.
#[derive(Debug)]
pub(super) struct ChatEvent {
    /// The `name` of the person.
    pub(super) user: String,
    pub(super) kind: EventKind,
}

/// What happened.
#[derive(Debug)]
pub(super) enum EventKind {
    /// A message or a command of the app, with the text behind its name.
    Said(String),
    /// A button was clicked.
    Clicked(Click),
    /// The app was added to a space.
    Added,
    /// Something that is not about a removal.
    Other(&'static str),
    /// A type that no app of this gateway gets.
    Unknown(String),
}

/// A click.
#[derive(Debug)]
pub(super) struct Click {
    /// What the button is to do.
    pub(super) function: String,
    /// The request that it is about.
    pub(super) id: Option<String>,
    /// The message with the button.
    message: Value,
}

impl Click {
    /// Whether the button is below a message of this gateway. `app` is the `users/…` of its app, if it is known.
    pub(super) fn is_below_own_message(&self, app: Option<&str>) -> bool {
        let text = |pointer: &str| self.message.pointer(pointer).and_then(Value::as_str);
        let by_app = match app {
            Some(app) => text("/sender/name") == Some(app),
            None => text("/sender/type") == Some("BOT"),
        };
        let cards = self.message.get("cardsV2").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let own = cards.iter().filter(|card| card.get("cardId").and_then(Value::as_str) == Some(CARD));
        let action = |action: &Value| {
            let id = parameter(action.get("parameters"), "id");
            action.get("function").and_then(Value::as_str) == Some(&self.function) && id.is_some() && id == self.id
        };
        by_app && own.into_iter().any(|card| has_action(card, &action))
    }
}

/// The id of the gateway's cards.
const CARD: &str = "offboard";

/// Whether a card has such an action.
fn has_action(value: &Value, is_it: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(fields) => {
            fields.get("action").is_some_and(is_it) || fields.values().any(|value| has_action(value, is_it))
        }
        Value::Array(values) => values.iter().any(|value| has_action(value, is_it)),
        _ => false,
    }
}

/// Returns a parameter of a button: they are a list in an action, and an object beside it.
fn parameter(parameters: Option<&Value>, name: &str) -> Option<String> {
    match parameters? {
        Value::Object(all) => all.get(name)?.as_str().map(str::to_owned),
        Value::Array(all) => {
            let is_named = |value: &&Value| value.get("key").and_then(Value::as_str) == Some(name);
            all.iter().find(is_named)?.get("value")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Classic {
    r#type: String,
    user: Named,
    message: Option<Value>,
    action: Option<Value>,
    common: Option<Value>,
}

#[derive(Deserialize)]
struct AddOn {
    chat: AddOnChat,
    #[serde(rename = "commonEventObject")]
    common: Option<Value>,
}

#[derive(Deserialize)]
struct AddOnChat {
    user: Named,
    #[serde(flatten)]
    payloads: Map<String, Value>,
}

/// Whether the body has the form of a Workspace add-on.
pub(super) fn is_add_on(body: &[u8]) -> bool {
    json::<AddOn>(body).is_ok()
}

/// Returns the name of the message that an event is about, if a person wrote it.
pub(super) fn message_name(body: &[u8]) -> Option<String> {
    let body: Value = json(body).ok()?;
    let message = match body.get("type").and_then(Value::as_str) {
        Some("MESSAGE") => body.get("message"),
        Some(_) => None,
        None => body.pointer("/chat/messagePayload/message"),
    };
    message?.get("name")?.as_str().map(str::to_owned)
}

/// Reads an event.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if it is none.
pub(super) fn event(body: &[u8]) -> Result<ChatEvent, RequestError> {
    if is_add_on(body) { json(body).map(of_add_on) } else { json(body).map(of_app) }
}

fn of_app(event: Classic) -> ChatEvent {
    let Classic { r#type, user, message, action, common } = event;
    let kind = match r#type.as_str() {
        "MESSAGE" | "APP_COMMAND" => EventKind::Said(text(message.as_ref())),
        "CARD_CLICKED" => {
            let of_action = action.as_ref().and_then(|action| action.get("actionMethodName")).and_then(Value::as_str);
            let of_common = common.as_ref().and_then(|common| common.get("invokedFunction")).and_then(Value::as_str);
            let parameters = |value: &Option<Value>| parameter(value.as_ref().and_then(|v| v.get("parameters")), "id");
            EventKind::Clicked(Click {
                function: of_action.or(of_common).unwrap_or_default().to_owned(),
                id: parameters(&action).or_else(|| parameters(&common)),
                message: message.unwrap_or_default(),
            })
        }
        "ADDED_TO_SPACE" => EventKind::Added,
        "REMOVED_FROM_SPACE" => EventKind::Other("the app was removed from a space"),
        "WIDGET_UPDATED" => EventKind::Other("a field of a card was changed"),
        _ => EventKind::Unknown(r#type),
    };
    ChatEvent { user: user.name, kind }
}

fn of_add_on(event: AddOn) -> ChatEvent {
    let AddOn { chat: AddOnChat { user, payloads }, common } = event;
    let message = |payload: &Value| payload.get("message").cloned();
    let kind = if let Some(payload) = payloads.get("messagePayload").or_else(|| payloads.get("appCommandPayload")) {
        EventKind::Said(text(message(payload).as_ref()))
    } else if let Some(payload) = payloads.get("buttonClickedPayload") {
        let common = common.unwrap_or_default();
        let parameters = common.get("parameters");
        let invoked = common.get("invokedFunction").and_then(Value::as_str).map(str::to_owned);
        EventKind::Clicked(Click {
            // The function of an add-on's button is a URL; which button it is, is a parameter then.
            function: parameter(parameters, "action").or(invoked).unwrap_or_default(),
            id: parameter(parameters, "id"),
            message: message(payload).unwrap_or_default(),
        })
    } else if payloads.contains_key("addedToSpacePayload") {
        EventKind::Added
    } else {
        EventKind::Other("neither a message nor a button")
    };
    ChatEvent { user: user.name, kind }
}

/// Returns the text behind the app's name, with the name of each mentioned person as one word. A message in a direct conversation may
/// have no `argumentText`.
fn text(message: Option<&Value>) -> String {
    /// The most mentions that are looked for: more are no sentence about one account.
    const MOST: usize = 50;

    let Some(message) = message else { return String::new() };
    let field = |name| message.get(name).and_then(Value::as_str);
    let text = field("argumentText").or_else(|| field("text")).unwrap_or_default().to_owned();
    let annotations = message.get("annotations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let users = annotations.iter().take(MOST).filter_map(|annotation| annotation.pointer("/userMention/user"));
    let names = users
        .filter(|user| user.get("type").and_then(Value::as_str) != Some("BOT"))
        .filter_map(|user| user.get("displayName")?.as_str())
        .filter(|name| name.contains(char::is_whitespace));
    names.fold(text, |text, name| text.replace(&format!("@{name}"), &format!("@{}", one_word(name))))
}

/// Puts an answer into the envelope of a Workspace add-on.
pub(super) fn in_envelope(rendered: Rendered) -> Rendered {
    let Ok(Value::Object(mut message)) = serde_json::from_str(&rendered.body) else { return rendered };
    let update =
        message.remove("actionResponse").is_some_and(|response| response.get("type") == Some(&"UPDATE_MESSAGE".into()));
    if message.is_empty() {
        return Rendered::json(StatusCode::OK, "{}".into());
    }
    let action = if update { "updateMessageAction" } else { "createMessageAction" };
    let body = json!({"hostAppDataAction": {"chatDataAction": {action: {"message": message}}}});
    Rendered::json(StatusCode::OK, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(body: &Value) -> EventKind {
        event(body.to_string().as_bytes()).unwrap().kind
    }

    /// C13.
    #[test]
    fn clicks_name_their_function_in_either_place() {
        let user = json!({"name": "users/1"});
        for body in [
            json!({"type": "CARD_CLICKED", "user": user, "action": {"actionMethodName": "approve",
                "parameters": [{"key": "id", "value": "K7Q2M9XA"}]}}),
            json!({"type": "CARD_CLICKED", "user": user,
                "common": {"invokedFunction": "approve", "parameters": {"id": "K7Q2M9XA"}}}),
            json!({"chat": {"user": user, "buttonClickedPayload": {"message": {}}},
                "commonEventObject": {"parameters": {"action": "approve", "id": "K7Q2M9XA"}}}),
        ] {
            let EventKind::Clicked(click) = kind(&body) else { panic!("{body}") };
            assert_eq!((click.function.as_str(), click.id.as_deref()), ("approve", Some("K7Q2M9XA")));
        }
    }

    /// C11, C13.
    #[test]
    fn what_was_said_in_either_form() {
        let user = json!({"name": "users/1"});
        for body in [
            json!({"type": "MESSAGE", "user": user, "message": {"text": "@offboard a", "argumentText": " alice analytics"}}),
            json!({"type": "MESSAGE", "user": user, "message": {"text": " alice analytics"}}),
            json!({"type": "APP_COMMAND", "user": user, "message": {"argumentText": " alice analytics"}}),
            json!({"chat": {"user": user, "messagePayload": {"message": {"argumentText": " alice analytics"}}}}),
            json!({"chat": {"user": user, "appCommandPayload": {"appCommandMetadata": {"appCommandId": 1},
                "message": {"argumentText": " alice analytics"}}}}),
        ] {
            let EventKind::Said(text) = kind(&body) else { panic!("{body}") };
            assert_eq!(text, " alice analytics");
        }
        let mention = |name: &str, r#type: &str| json!({"type": "USER_MENTION", "userMention": {"user": {"displayName": name, "type": r#type}}});
        let annotations = [mention("Off Board", "BOT"), mention("offboard alice", "HUMAN")];
        let message = json!({"argumentText": " @offboard alice analytics", "annotations": annotations});
        let EventKind::Said(text) = kind(&json!({"type": "MESSAGE", "user": user, "message": message})) else {
            panic!()
        };
        assert_eq!(text, " @offboard_alice analytics");
        assert!(matches!(kind(&json!({"type": "WIDGET_UPDATED", "user": user})), EventKind::Other(_)));
        assert!(matches!(kind(&json!({"chat": {"user": user, "removedFromSpacePayload": {}}})), EventKind::Other(_)));
    }

    /// A7.
    #[test]
    fn a_click_below_another_message_is_not_below_ours() {
        let message = |card: &str, function: &str, id: &str| {
            let action = json!({"function": function, "parameters": [{"key": "id", "value": id}]});
            json!({"sender": {"name": "users/9", "type": "BOT"}, "cardsV2": [{"cardId": card, "card": {"sections": [
                {"widgets": [{"buttonList": {"buttons": [{"text": "x", "onClick": {"action": action}}]}}]}]}}]})
        };
        let click = |message| Click { function: "approve".into(), id: Some("K7Q2M9XA".into()), message };
        let own = message("offboard", "approve", "K7Q2M9XA");
        assert!(click(own.clone()).is_below_own_message(None));
        assert!(click(own.clone()).is_below_own_message(Some("users/9")));
        assert!(!click(own).is_below_own_message(Some("users/8")));
        for other in [
            message("lunch", "approve", "K7Q2M9XA"),
            message("offboard", "deny", "K7Q2M9XA"),
            message("offboard", "approve", "ABCD1234"),
            json!({}),
        ] {
            assert!(!click(other).is_below_own_message(None));
        }
    }

    /// C12.
    #[test]
    fn an_add_on_gets_its_answer_in_an_envelope() {
        let wrapped = |body: Value| -> Value {
            serde_json::from_str(&in_envelope(Rendered::json(StatusCode::OK, body.to_string())).body).unwrap()
        };
        let data =
            |action: &str| json!({"hostAppDataAction": {"chatDataAction": {action: {"message": {"text": "x"}}}}});
        assert_eq!(wrapped(json!({"text": "x"})), data("createMessageAction"));
        let response = |way: &str| json!({"text": "x", "actionResponse": {"type": way}});
        assert_eq!(wrapped(response("UPDATE_MESSAGE")), data("updateMessageAction"));
        assert_eq!(wrapped(response("NEW_MESSAGE")), data("createMessageAction"));
        assert_eq!(wrapped(json!({})), json!({}));
    }
}

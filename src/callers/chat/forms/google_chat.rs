//! Google Chat: a text and a card (<https://developers.google.com/workspace/chat/api/reference/rest/v1/cards>).

use serde_json::{Map, Value, json};

use crate::callers::chat::format::{ChatFormat, between_backticks, break_mention, without_marks};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{Button, ButtonStyle, ChatMessage};

/// The text of a message (<https://developers.google.com/workspace/chat/format-messages>).
const TEXT: ChatFormat = ChatFormat {
    escape: quoted,
    code: Some(|value| between_backticks(&escaped(value))),
    bold: |words| format!("*{words}*"),
    small: str::to_owned,
};

/// The texts of a card, which are HTML.
const CARD: ChatFormat =
    ChatFormat { escape: html, small: |words| format!("<font color=\"#5f6368\">{words}</font>"), ..ChatFormat::PLAIN };

/// Well within the 32,000 bytes of a message
/// (<https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>).
const LONGEST: usize = 16_000;

/// A message: the title above a card, or text alone.
pub(crate) fn body(message: &ChatMessage) -> Map<String, Value> {
    if message.fields.is_empty() && message.small_print.is_empty() {
        let text = plain::text(message, &TEXT, LONGEST, str::len);
        return Map::from_iter([("text".to_owned(), text.into())]);
    }
    let message = message.fitting(|message| card(message).to_string().len() <= LONGEST);
    Map::from_iter([
        ("text".to_owned(), (TEXT.bold)(&message.heading().render(&TEXT)).into()),
        ("cardsV2".to_owned(), json!([{"cardId": "offboard", "card": card(&message)}])),
    ])
}

fn card(message: &ChatMessage) -> Value {
    let fields = message.fields.iter().map(|field| {
        let label = field.label.text().in_language(message.language);
        json!({"decoratedText": {"topLabel": label, "text": field.value.render(&CARD), "wrapText": true}})
    });
    let lines = message.lines(true).into_iter().filter(|line| !line.is_empty());
    let paragraph = |text: String| json!({"textParagraph": {"text": text}});
    let mut widgets: Vec<Value> = fields.chain(lines.map(|line| paragraph(line.render(&CARD)))).collect();
    let buttons: Vec<_> = message.next.buttons.iter().map(button).collect();
    if !buttons.is_empty() {
        widgets.push(json!({"buttonList": {"buttons": buttons}}));
    }
    widgets.extend(plain::small_print(message, &CARD).map(paragraph));
    json!({"sections": [{"widgets": widgets}]})
}

fn button(button: &Button) -> Value {
    let parameters = json!([{"key": "id", "value": button.reference}]);
    let action = json!({"function": button.name, "parameters": parameters});
    let mut shown = json!({"text": button.label, "onClick": {"action": action}});
    let color = match button.style {
        ButtonStyle::Danger => Some(json!({"red": 0.7, "green": 0.1, "blue": 0.1, "alpha": 1})),
        ButtonStyle::Primary => Some(json!({"red": 0.1, "green": 0.5, "blue": 0.2, "alpha": 1})),
        ButtonStyle::Plain => None,
    };
    if let (Some(color), Some(parts)) = (color, shown.as_object_mut()) {
        parts.insert("color".into(), color);
    }
    shown
}

/// Prevents `<users/all>` and `<https://…|other words>`.
fn escaped(text: &str) -> String {
    break_mention(text, &["<"])
}

/// Words of others: no code and no emphasis either.
fn quoted(words: &str) -> String {
    without_marks(&escaped(words), &['`', '*', '~'])
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

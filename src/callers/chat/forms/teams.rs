//! Teams, in the answer to an outgoing webhook: an Adaptive Card, which cannot have buttons that act
//! (<https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook>).

use serde_json::{Value, json};

use crate::callers::chat::format::{ChatFormat, break_mention};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{ChatMessage, Icon};

/// The text of a message: nothing is marked up, "raw text with no formatting applied"
/// (<https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/format-your-bot-messages>).
const PLAIN: ChatFormat = ChatFormat { escape: escaped, ..ChatFormat::PLAIN };

/// The texts of a card, in which clients read some Markdown.
const CARD: ChatFormat = ChatFormat { escape: in_card, ..ChatFormat::PLAIN };

/// Well within the 28 KB of a message with a card.
const LONGEST: usize = 10_000;

/// A message: the title above a card, or text alone.
pub(crate) fn body(message: &ChatMessage) -> Value {
    if message.fields.is_empty() && message.small_print.is_empty() {
        let text = plain::text(message, &PLAIN, LONGEST, plain::characters);
        return json!({"type": "message", "textFormat": "plain", "text": text});
    }
    let message = message.fitting(|message| card(message).to_string().len() <= LONGEST);
    json!({
        "type": "message",
        "textFormat": "plain",
        "text": message.heading().render(&PLAIN),
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card(&message)}],
    })
}

/// A card that has its title in it, for a message that has nothing else.
pub(crate) fn titled_card(message: &ChatMessage) -> Value {
    let message = message.fitting(|message| card(message).to_string().len() <= LONGEST);
    let heading = message.heading().render(&CARD);
    let mut card = card(&message);
    if let Some(body) = card.get_mut("body").and_then(Value::as_array_mut) {
        body.insert(0, json!({"type": "TextBlock", "weight": "Bolder", "wrap": true, "text": heading}));
    }
    card
}

fn card(message: &ChatMessage) -> Value {
    let facts = message.fields.iter().map(
        |field| json!({"title": field.label.text().in_language(message.language), "value": field.value.render(&CARD)}),
    );
    let facts: Vec<_> = facts.collect();
    let mut body = Vec::new();
    if !facts.is_empty() {
        body.push(json!({"type": "FactSet", "facts": facts}));
    }
    let lines = message.lines(false).into_iter().filter(|line| !line.is_empty());
    body.extend(lines.map(|line| {
        let color = match message.icon {
            Some(Icon::Warning) => "Warning",
            Some(Icon::Refused) => "Attention",
            _ => "Default",
        };
        json!({"type": "TextBlock", "wrap": true, "color": color, "text": line.render(&CARD)})
    }));
    body.extend(
        plain::small_print(message, &CARD)
            .map(|words| json!({"type": "TextBlock", "wrap": true, "isSubtle": true, "size": "Small", "text": words})),
    );
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    })
}

/// Prevents tags, in case a client reads them.
fn escaped(text: &str) -> String {
    break_mention(text, &["<"])
}

/// Prevents links behind other words and emphasis as well.
fn in_card(text: &str) -> String {
    break_mention(&escaped(text), &["]("]).replace('*', "∗")
}

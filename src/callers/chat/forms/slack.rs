//! Slack: Block Kit (<https://docs.slack.dev/reference/block-kit/blocks>).

use serde_json::{Map, Value, json};

use crate::callers::chat::format::{ChatFormat, between_backticks, without_marks};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{ButtonStyle, ChatMessage};

/// mrkdwn.
const FORMAT: ChatFormat = ChatFormat {
    escape: quoted,
    code: Some(|value| between_backticks(&escaped(value))),
    bold: |words| format!("*{words}*"),
    small: str::to_owned,
};

/// The most characters of a header's text.
const LONGEST_HEADER: usize = 150;

/// The most characters of a section; Slack shows nothing of a longer one.
const LONGEST_SECTION: usize = 3000;

/// The most characters of a field.
const LONGEST_FIELD: usize = 2000;

/// The most fields of a section.
const MOST_FIELDS: usize = 10;

/// The most characters of all blocks. Slack refuses messages a little above that, which no page of it says.
const LONGEST: usize = 12_000;

/// A message with its blocks. `text` is what a notification shows.
pub(crate) fn body(message: &ChatMessage) -> Map<String, Value> {
    let message = message.fitting(|message| fits(&blocks(message)));
    let response_type = if message.is_public { "in_channel" } else { "ephemeral" };
    Map::from_iter([
        ("response_type".to_owned(), response_type.into()),
        ("text".to_owned(), plain::notification(&message, &FORMAT, LONGEST_SECTION).into()),
        ("blocks".to_owned(), blocks(&message).into()),
    ])
}

fn blocks(message: &ChatMessage) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !message.title.is_empty() {
        blocks.push(header(message));
    }
    let fields = message.fields.iter().take(MOST_FIELDS).map(|field| {
        let label = field.label.text().in_language(message.language);
        mrkdwn(&format!("*{label}*\n{}", field.value.render(&FORMAT)))
    });
    let fields: Vec<_> = fields.collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let lines = message.lines(true).into_iter().map(|line| line.render(&FORMAT));
    blocks.extend(sections(lines).iter().map(|text| json!({"type": "section", "text": mrkdwn(text)})));
    if !message.next.buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons(message)}));
    }
    if let Some(small_print) = plain::small_print(message, &FORMAT) {
        blocks.push(json!({"type": "context", "elements": [mrkdwn(&small_print)]}));
    }
    blocks
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

/// A header has no markup; what is longer than one can be is a section.
fn header(message: &ChatMessage) -> Value {
    let plain = message.heading().render(&ChatFormat::PLAIN);
    if plain.chars().count() <= LONGEST_HEADER {
        return json!({"type": "header", "text": {"type": "plain_text", "text": plain}});
    }
    json!({"type": "section", "text": mrkdwn(&(FORMAT.bold)(&message.heading().render(&FORMAT)))})
}

/// Puts as many lines into each section as it takes.
fn sections(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let longer = |text: &String| text.chars().count().saturating_add(line.chars().count()) < LONGEST_SECTION;
        match sections.last_mut().filter(|text| longer(text)) {
            Some(text) => *text += &format!("\n{line}"),
            None => sections.push(line),
        }
    }
    sections
}

fn buttons(message: &ChatMessage) -> Vec<Value> {
    let button = |button: &crate::callers::chat::message::Button| {
        let mut shown = json!({
            "type": "button",
            "action_id": button.name,
            "value": button.reference,
            "text": {"type": "plain_text", "text": button.label},
        });
        let style = match button.style {
            ButtonStyle::Danger => Some("danger"),
            ButtonStyle::Primary => Some("primary"),
            ButtonStyle::Plain => None,
        };
        if let (Some(style), Some(fields)) = (style, shown.as_object_mut()) {
            fields.insert("style".into(), style.into());
        }
        shown
    };
    message.next.buttons.iter().map(button).collect()
}

fn fits(blocks: &[Value]) -> bool {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let mut all: usize = 0;
    let is_short = blocks.iter().all(|block| {
        let fields = block.get("fields").and_then(Value::as_array).into_iter().flatten();
        let fields: Vec<_> = fields.filter_map(|field| field.get("text")).map(length).collect();
        let text = block.pointer("/text/text").map_or(0, length);
        all = all.saturating_add(fields.iter().sum::<usize>()).saturating_add(text);
        text <= LONGEST_SECTION && fields.iter().all(|length| *length <= LONGEST_FIELD)
    });
    is_short && all <= LONGEST
}

/// Escapes Slack's three control characters; otherwise a message of TaurusDB's could ring `<!channel>`
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Words of others, where they could begin or end markup as well.
fn quoted(words: &str) -> String {
    without_marks(&escaped(words), &['`', '*', '~'])
}

//! Feishu: message cards of version 1, which all clients show
//! (<https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-components>). Every text is `plain_text`, which has no
//! markup and so no mention of everyone.

use serde_json::{Value, json};

use crate::callers::chat::format::ChatFormat;
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{Button, ButtonStyle, ChatMessage, Field, Icon};
use crate::outcome::language::Localized;

const FORMAT: ChatFormat = ChatFormat::PLAIN;

/// A card may have 30 kB (see the page of the reply API).
const LONGEST: usize = 20_000;

/// The card of a message. It looks the same for everyone, and changes for everyone.
pub(crate) fn card(message: &ChatMessage) -> Value {
    whole(&message.fitting(|message| whole(message).to_string().len() <= LONGEST))
}

/// The title alone, for a notice that goes away.
pub(crate) fn toast(message: &ChatMessage) -> String {
    message.heading().render(&FORMAT)
}

fn whole(message: &ChatMessage) -> Value {
    let mut elements = Vec::new();
    // The types of Feishu's SDK want a text in each `div`: the first fact is that.
    if let Some((first, rest)) = message.fields.split_first() {
        let rest = rest.iter().map(|field| json!({"is_short": true, "text": shown(field, message)}));
        let rest: Vec<_> = rest.collect();
        elements.push(json!({"tag": "div", "text": shown(first, message), "fields": rest}));
    }
    let lines: Vec<_> = message.lines(true).into_iter().map(|line| line.render(&FORMAT)).collect();
    let lines = lines.join("\n");
    if !lines.is_empty() {
        elements.push(json!({"tag": "div", "text": plain_text(&lines)}));
    }
    let buttons: Vec<_> = message.next.buttons.iter().map(button).collect();
    if !buttons.is_empty() {
        elements.push(json!({"tag": "action", "actions": buttons}));
    }
    if let Some(words) = plain::small_print(message, &FORMAT) {
        elements.push(json!({"tag": "note", "elements": [plain_text(&words)]}));
    }
    let mut card = json!({"config": {"update_multi": true, "wide_screen_mode": true}, "elements": elements});
    if let (false, Some(parts)) = (message.title.is_empty(), card.as_object_mut()) {
        let header = json!({"template": color(message.icon), "title": plain_text(&toast(message))});
        parts.insert("header".into(), header);
    }
    card
}

fn shown(field: &Field, message: &ChatMessage) -> Value {
    let label = field.label.text().in_language(message.language);
    let colon = Localized { en: ": ", zh: "：" }.in_language(message.language);
    plain_text(&format!("{label}{colon}{}", field.value.render(&FORMAT)))
}

fn plain_text(content: &str) -> Value {
    json!({"tag": "plain_text", "content": content})
}

fn button(button: &Button) -> Value {
    json!({
        "tag": "button",
        "text": plain_text(button.label),
        "type": match button.style {
            ButtonStyle::Danger => "danger",
            ButtonStyle::Primary => "primary",
            ButtonStyle::Plain => "default",
        },
        "value": {"action": button.name, "id": button.reference},
    })
}

fn color(icon: Option<Icon>) -> &'static str {
    match icon {
        Some(Icon::Done) => "green",
        Some(Icon::Waiting) => "orange",
        Some(Icon::Warning) => "yellow",
        Some(Icon::Refused) => "red",
        Some(Icon::Info) | None => "blue",
    }
}

//! Discord: embeds and components (<https://docs.discord.com/developers/resources/message#embed-object>).

use serde_json::{Map, Value, json};

use crate::callers::chat::format::{ChatFormat, between_backticks, break_mention, truncate, without_marks};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{Button, ButtonStyle, ChatMessage, Icon};

/// Markdown.
const FORMAT: ChatFormat = ChatFormat {
    escape: quoted,
    code: Some(|value| between_backticks(&escaped(value))),
    bold: |words| format!("**{words}**"),
    small: str::to_owned,
};

/// `EPHEMERAL`: only the requester sees the message.
const PRIVATE: u64 = 64;

/// The most characters of a text message.
const LONGEST: usize = 2000;

/// The most characters of an embed in all.
const LONGEST_EMBED: usize = 6000;

/// The most characters of an embed's title.
const LONGEST_TITLE: usize = 256;

/// The most characters of a description.
const LONGEST_DESCRIPTION: usize = 4096;

/// The most characters of a field's value.
const LONGEST_VALUE: usize = 1024;

/// A message that mentions no one, whatever its text says. An empty list of components removes those of an earlier message.
pub(crate) fn body(message: &ChatMessage) -> Map<String, Value> {
    let mut body = Map::from_iter([("allowed_mentions".to_owned(), json!({"parse": []}))]);
    if message.fields.is_empty() && message.small_print.is_empty() {
        body.insert("content".into(), plain::text(message, &FORMAT, LONGEST, plain::characters).into());
    } else {
        let fitting = message.fitting(|message| fits(&embed(message)));
        body.insert("embeds".into(), json!([embed(&fitting)]));
        body.insert("components".into(), rows(message));
    }
    if !message.is_public {
        body.insert("flags".into(), PRIVATE.into());
    }
    body
}

fn embed(message: &ChatMessage) -> Value {
    let fields = message.fields.iter().map(|field| {
        json!({
            "name": field.label.text().in_language(message.language),
            "value": field.value.render(&FORMAT),
            "inline": true,
        })
    });
    let fields: Vec<_> = fields.collect();
    let lines: Vec<_> = message.lines(true).into_iter().map(|line| line.render(&FORMAT)).collect();
    let mut embed = json!({
        "title": truncate(&message.heading().render(&FORMAT), LONGEST_TITLE),
        "color": color(message.icon),
        "fields": fields,
    });
    let more = [
        ("description", Some(lines.join("\n")).filter(|text| !text.is_empty()).map(Value::from)),
        ("footer", plain::small_print(message, &ChatFormat::PLAIN).map(|words| json!({"text": words}))),
    ];
    if let Some(parts) = embed.as_object_mut() {
        parts.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    embed
}

fn rows(message: &ChatMessage) -> Value {
    const DANGER: u8 = 4;
    const SUCCESS: u8 = 3;
    const SECONDARY: u8 = 2;
    let button = |button: &Button| {
        json!({
            "type": 2,
            "style": match button.style {
                ButtonStyle::Danger => DANGER,
                ButtonStyle::Primary => SUCCESS,
                ButtonStyle::Plain => SECONDARY,
            },
            "label": button.label,
            "custom_id": format!("{}:{}", button.name, button.reference),
        })
    };
    let buttons: Vec<_> = message.next.buttons.iter().map(button).collect();
    if buttons.is_empty() { json!([]) } else { json!([{"type": 1, "components": buttons}]) }
}

fn fits(embed: &Value) -> bool {
    let length = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let fields = embed.get("fields").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let values = fields.iter().map(|field| length(field.get("value")));
    let names = fields.iter().map(|field| length(field.get("name")));
    let description = length(embed.get("description"));
    let all = [length(embed.get("title")), description, length(embed.pointer("/footer/text"))];
    let all = all.into_iter().chain(values.clone()).chain(names).fold(0, usize::saturating_add);
    all <= LONGEST_EMBED && description <= LONGEST_DESCRIPTION && values.into_iter().all(|value| value <= LONGEST_VALUE)
}

fn color(icon: Option<Icon>) -> u32 {
    match icon {
        Some(Icon::Done) => 0x57_f2_87,
        Some(Icon::Waiting) => 0xfe_e7_5c,
        Some(Icon::Warning) => 0xe6_7e_22,
        Some(Icon::Refused) => 0xed_42_45,
        Some(Icon::Info) | None => 0x58_65_f2,
    }
}

/// Prevents text that looks like a mention, and links behind other words.
fn escaped(text: &str) -> String {
    break_mention(text, &["<", "]("])
}

/// Words of others: no code, emphasis or spoiler, and no heading or quotation where they begin a line.
fn quoted(words: &str) -> String {
    break_mention(&without_marks(&escaped(words), &['`', '*', '~', '|']), &["# ", "> "])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_none() {
        assert_eq!(escaped("<@1> [a](https://evil.example)"), "<\u{200b}@1> [a]\u{200b}(https://evil.example)");
        assert_eq!(quoted("# >>> a `b` **c** ||d|| ~~e~~"), "#\u{200b} >>>\u{200b} a 'b' ∗∗c∗∗ ∣∣d∣∣ ∼∼e∼∼");
    }
}

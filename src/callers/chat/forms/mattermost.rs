//! Mattermost: message attachments (<https://developers.mattermost.com/integrate/reference/message-attachments/>).

use serde_json::{Value, json};

use crate::callers::chat::format::{ChatFormat, INVISIBLE, between_backticks, break_mention, without_marks};
use crate::callers::chat::forms::plain;
use crate::callers::chat::message::{ChatMessage, Icon};

/// Markdown.
const FORMAT: ChatFormat = ChatFormat {
    escape: quoted,
    code: Some(|value| between_backticks(&escaped(value))),
    bold: |words| format!("**{words}**"),
    small: str::to_owned,
};

/// The most characters of a post (<https://developers.mattermost.com/integrate/slash-commands/>).
const LONGEST: usize = 16_383;

/// A message: the title above an attachment. `skip_slack_parsing` keeps Mattermost from turning `<!channel>` into a mention of
/// everyone.
pub(crate) fn body(message: &ChatMessage) -> Value {
    let response_type = if message.is_public { "in_channel" } else { "ephemeral" };
    if message.fields.is_empty() && message.small_print.is_empty() {
        let text = plain::text(message, &FORMAT, LONGEST, plain::characters);
        return json!({"response_type": response_type, "text": text, "skip_slack_parsing": true});
    }
    let message = message.fitting(|message| attachment(message).to_string().chars().count() <= LONGEST);
    json!({
        "response_type": response_type,
        "text": (FORMAT.bold)(&message.heading().render(&FORMAT)),
        "attachments": [attachment(&message)],
        "skip_slack_parsing": true,
    })
}

fn attachment(message: &ChatMessage) -> Value {
    let fields = message.fields.iter().map(|field| {
        json!({
            "short": true,
            "title": field.label.text().in_language(message.language),
            "value": field.value.render(&FORMAT),
        })
    });
    let fields: Vec<_> = fields.collect();
    let lines: Vec<_> = message.lines(false).into_iter().map(|line| line.render(&FORMAT)).collect();
    json!({
        "fallback": message.heading().render(&ChatFormat::PLAIN),
        "color": color(message.icon),
        "text": lines.join("\n"),
        "fields": fields,
        "footer": plain::small_print(message, &ChatFormat::PLAIN).unwrap_or_default(),
    })
}

fn color(icon: Option<Icon>) -> &'static str {
    match icon {
        Some(Icon::Done) => "#3db887",
        Some(Icon::Waiting) => "#ffbc1f",
        Some(Icon::Warning) => "#f5ab00",
        Some(Icon::Refused) => "#d24b4e",
        Some(Icon::Info) | None => "#1c58d9",
    }
}

/// Prevents `@all`, and links or pictures behind other words. An `@` inside a word, as in an address, mentions no one. Webhooks have no
/// `skip_slack_parsing`, and turn `<!channel>` into `@channel` (`channels/app/slack.go` of github.com/mattermost/mattermost).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        escaped.push(character);
        if character == '@' && !before.is_alphanumeric() {
            escaped.push(INVISIBLE);
        }
        before = character;
    }
    break_mention(&escaped, &["](", "<!"])
}

/// Words of others: no code and no emphasis, and no heading or quotation where they begin a line.
fn quoted(words: &str) -> String {
    break_mention(&without_marks(&escaped(words), &['`', '*', '~']), &["# ", "> "])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_one_is_mentioned() {
        assert_eq!(escaped("@all (@channel) a.@here"), "@\u{200b}all (@\u{200b}channel) a.@\u{200b}here");
        assert_eq!(escaped("[x](https://evil.example)"), "[x]\u{200b}(https://evil.example)");
        assert_eq!(escaped("<!channel> <@u1>"), "<\u{200b}!channel> <@\u{200b}u1>");
        assert_eq!(escaped("portal/alice@example.com"), "portal/alice@example.com");
        assert_eq!(quoted("## > @all `b` **c** ~~e~~"), "##\u{200b} >\u{200b} @\u{200b}all 'b' ∗∗c∗∗ ∼∼e∼∼");
    }
}
